#pragma once

/// The bytes of a tape: head, blocks, index, end. Shared by reader, writer and tools.

#include "storage/errc.hpp"
#include "storage/file.hpp"
#include "storage/tape/tape_format.hpp"

#include <optional>

namespace troupe::tape_bytes {

inline constexpr std::string_view head_magic = "TRTAPE01";
inline constexpr std::size_t head_fixed_bytes = 24;
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t block_header_bytes = 56;
inline constexpr std::size_t item_header_bytes = 16;
inline constexpr std::size_t index_fixed_bytes = 16;
inline constexpr std::size_t end_bytes = 24;
/// Channel number of an item that announces a channel.
inline constexpr std::uint32_t announcement = 0xffffffff;
inline constexpr std::uint32_t max_channels = 65536;
inline constexpr std::uint32_t max_frame_bytes = 32u << 20;
inline constexpr std::uint32_t max_plain_bytes = 48u << 20;
inline constexpr std::uint32_t max_head_bytes = 1u << 20;
inline constexpr std::uint32_t max_index_bytes = 60u << 20;

struct block_header {
  std::uint32_t records = 0;
  std::uint32_t plain = 0;
  std::uint32_t packed = 0;
  market_time first;
  market_time last;
  std::uint64_t number = 0;
  std::uint64_t checksum = 0;
};

void append_u32(std::string& out, std::uint32_t x);
void append_u64(std::string& out, std::uint64_t x);
std::uint32_t read_u32(const char* p) noexcept;
std::uint64_t read_u64(const char* p) noexcept;
std::uint64_t hash64(std::string_view bytes) noexcept;

std::string head_bytes(const tape_head& head);
std::string block_header_text(const block_header& header);
/// Empty when these are not the bytes of a valid header.
std::optional<block_header> parse_block_header(std::string_view bytes) noexcept;
std::string index_bytes(const tape_index& index);
std::string end_text(std::uint64_t index_offset);
std::string announcement_bytes(const tape_channel& channel);
std::string item_header(market_time received, std::uint32_t channel, std::uint32_t length);

/// An open file with bounds known, reading exact pieces; errors name the file.
class source {
public:
  static result<source> open(disk& on, const std::filesystem::path& path);
  /// Exactly `length` bytes at the offset; `damaged` when the file ends before.
  status read(std::uint64_t offset, std::size_t length, std::string& into);
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
  std::unique_ptr<disk_file> file_;
  std::string name_;
  std::uint64_t size_ = 0;
};

struct parsed_head {
  tape_head head;
  std::uint64_t bytes = 0; ///< where the first block stands
};
result<parsed_head> read_head(source& from);

struct parsed_index {
  tape_index index;
  std::uint64_t offset = 0;
};
/// The table at the end. `unfinished` when the file carries no end mark, `damaged` when it is wrong.
result<parsed_index> read_index(source& from);

/// Result of looking for a block at an offset.
struct found_block {
  block_header header;
  std::string packed;
};
/// Reads and checks header and packed bytes. Errors say file:block:offset.
result<found_block> read_block(source& from, std::uint64_t offset, std::uint64_t number);

/// Unpacks; the size must be as the header says.
status unpack_block(const found_block& block, const std::string& where, std::string& plain);

/// Running XXH3-128 over the records of a tape.
class content_hash {
public:
  content_hash();
  content_hash(content_hash&&) noexcept;
  content_hash& operator=(content_hash&&) noexcept;
  ~content_hash();
  void update(std::string_view header, std::string_view payload) noexcept;
  [[nodiscard]] std::string hex() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// "file:block 7:offset 12345".
std::string place(const source& from, std::uint64_t number, std::uint64_t offset);

/// One item of a plain block.
struct item {
  market_time received;
  std::uint32_t channel = 0;
  std::string_view payload;
};
/// Reads the item at `position` and moves on; empty when it doesn't fit.
std::optional<item> next_item(std::string_view plain, std::size_t& position) noexcept;

} // namespace troupe::tape_bytes
