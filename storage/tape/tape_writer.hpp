#pragma once

/// Writes a tape as a stream. The file is called `<path>.part` until `finish`; a killed writer leaves
/// a prefix there that is readable up to its last whole block.

#include "storage/file.hpp"
#include "storage/tape/tape_format.hpp"

namespace troupe {

struct tape_writer_options {
  /// Plain bytes of a block before compression. Larger: smaller files, coarser seeking.
  std::size_t block_bytes = 256u << 10;
  /// zstd level, 1 to 19.
  int level = 6;
};

/// Not thread-safe; movable. After an error every call fails.
class tape_writer {
public:
  /// Fails when `path` exists.
  static result<tape_writer> create(disk& on, const std::filesystem::path& path, const tape_head& head,
                                    tape_writer_options options = {});

  tape_writer(tape_writer&&) noexcept;
  tape_writer& operator=(tape_writer&&) noexcept;
  ~tape_writer();

  /// Adds a channel and returns its number.
  result<std::uint32_t> add_channel(std::string name, channel_kind kind, std::string url = {});

  /// Appends a frame. Times must not go backwards, the channel must exist, at most 32 MiB a frame.
  status append(market_time received, std::uint32_t channel, std::string_view payload);

  /// Writes what is buffered as a block, synced: for recorders, every few seconds.
  status flush();

  /// Writes index and end, syncs, renames to the final name. Nothing may be appended afterwards.
  result<tape_info> finish();

  /// Removes the unfinished file.
  status discard();

private:
  struct state;
  explicit tape_writer(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace troupe
