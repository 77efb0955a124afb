#include "messages/msgpack.hpp"
#include "storage/tape/tape_blocks.hpp"

// The streaming state is a complete type only with this.
#define XXH_STATIC_LINKING_ONLY
#include <bit>
#include <cstring>
#include <xxhash.h>
#include <zstd.h>

namespace troupe::tape_bytes {

static_assert(std::endian::native == std::endian::little, "tapes are little-endian");

namespace {
constexpr std::string_view block_magic = "TBLK";
constexpr std::string_view index_magic = "TIDX";
constexpr std::string_view end_magic = "TEND";
} // namespace

void append_u32(std::string& out, std::uint32_t x) {
  char bytes[4];
  std::memcpy(bytes, &x, 4);
  out.append(bytes, 4);
}

void append_u64(std::string& out, std::uint64_t x) {
  char bytes[8];
  std::memcpy(bytes, &x, 8);
  out.append(bytes, 8);
}

std::uint32_t read_u32(const char* p) noexcept {
  std::uint32_t x = 0;
  std::memcpy(&x, p, 4);
  return x;
}

std::uint64_t read_u64(const char* p) noexcept {
  std::uint64_t x = 0;
  std::memcpy(&x, p, 8);
  return x;
}

std::uint64_t hash64(std::string_view bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

struct content_hash::state {
  XXH3_state_t hash;
};

content_hash::content_hash() : state_{std::make_unique<state>()} {
  XXH3_128bits_reset(&state_->hash);
}
content_hash::content_hash(content_hash&&) noexcept = default;
content_hash& content_hash::operator=(content_hash&&) noexcept = default;
content_hash::~content_hash() = default;

void content_hash::update(std::string_view header, std::string_view payload) noexcept {
  XXH3_128bits_update(&state_->hash, header.data(), header.size());
  XXH3_128bits_update(&state_->hash, payload.data(), payload.size());
}

std::string content_hash::hex() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->hash));
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const auto byte : canonical.digest) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

// --- writing
// --------------------------------------------------------------------------------------

std::string head_bytes(const tape_head& head) {
  const auto body = to_msgpack(head);
  std::string out{head_magic};
  append_u32(out, version);
  append_u32(out, static_cast<std::uint32_t>(body.size()));
  append_u64(out, hash64(body));
  return out + body;
}

std::string block_header_text(const block_header& header) {
  std::string out{block_magic};
  append_u32(out, header.records);
  append_u32(out, header.plain);
  append_u32(out, header.packed);
  append_u64(out, static_cast<std::uint64_t>(header.first.ns));
  append_u64(out, static_cast<std::uint64_t>(header.last.ns));
  append_u64(out, header.number);
  append_u64(out, header.checksum);
  append_u64(out, hash64(out));
  return out;
}

std::string index_bytes(const tape_index& index) {
  const auto body = to_msgpack(index);
  std::string out{index_magic};
  append_u32(out, static_cast<std::uint32_t>(body.size()));
  append_u64(out, hash64(body));
  return out + body;
}

std::string end_text(std::uint64_t index_offset) {
  std::string out{end_magic};
  append_u32(out, version);
  append_u64(out, index_offset);
  append_u64(out, hash64(out));
  return out;
}

std::string item_header(market_time received, std::uint32_t channel, std::uint32_t length) {
  std::string out;
  append_u64(out, static_cast<std::uint64_t>(received.ns));
  append_u32(out, channel);
  append_u32(out, length);
  return out;
}

std::string announcement_bytes(const tape_channel& channel) {
  const auto body = to_msgpack(channel);
  return item_header({}, announcement, static_cast<std::uint32_t>(body.size())) + body;
}

// --- reading
// --------------------------------------------------------------------------------------

std::optional<block_header> parse_block_header(std::string_view bytes) noexcept {
  if (bytes.size() < block_header_bytes || !bytes.starts_with(block_magic)) return {};
  if (hash64(bytes.substr(0, block_header_bytes - 8))
      != read_u64(bytes.data() + block_header_bytes - 8))
    return {};
  const auto* p = bytes.data();
  block_header out;
  out.records = read_u32(p + 4);
  out.plain = read_u32(p + 8);
  out.packed = read_u32(p + 12);
  out.first.ns = static_cast<std::int64_t>(read_u64(p + 16));
  out.last.ns = static_cast<std::int64_t>(read_u64(p + 24));
  out.number = read_u64(p + 32);
  out.checksum = read_u64(p + 40);
  return out;
}

result<source> source::open(disk& on, const std::filesystem::path& path) {
  auto file = on.open(path, open_mode::read);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return size.error();
  source out;
  out.file_ = std::move(*file);
  out.name_ = path.string();
  out.size_ = *size;
  return out;
}

status source::read(std::uint64_t offset, std::size_t length, std::string& into) {
  if (offset > size_ || length > size_ - offset)
    return {storage_errc::damaged, name_ + ": ends at byte " + std::to_string(size_)
                                       + ", inside what stands at byte " + std::to_string(offset)};
  into.resize(length);
  const auto got = file_->read_at(offset, into);
  if (!got) return got.error();
  if (*got != length) return {storage_errc::damaged, name_ + ": became shorter while being read"};
  return ok;
}

std::string place(const source& from, std::uint64_t number, std::uint64_t offset) {
  return from.name() + ":block " + std::to_string(number) + ":offset " + std::to_string(offset);
}

result<parsed_head> read_head(source& from) {
  const auto remedy = std::string{"; is it a tape? `troupe tape import` makes one"};
  if (from.size() < head_fixed_bytes)
    return {storage_errc::wrong_format, from.name() + ": too short for a tape" + remedy};
  std::string fixed;
  if (auto done = from.read(0, head_fixed_bytes, fixed); !done) return std::move(done).error();
  if (!fixed.starts_with(head_magic))
    return {storage_errc::wrong_format, from.name() + ": no tape magic" + remedy};
  if (const auto v = read_u32(fixed.data() + 8); v > version)
    return {storage_errc::newer_version, from.name() + ": tape version " + std::to_string(v)
                                             + ", this program reads up to "
                                             + std::to_string(version)};
  const auto length = read_u32(fixed.data() + 12);
  std::string body;
  if (length > max_head_bytes || length > from.size() - head_fixed_bytes)
    return {storage_errc::damaged, from.name() + ":head:offset 12: impossible length "
                                       + std::to_string(length)
                                       + "; restore the file from its source"};
  if (auto done = from.read(head_fixed_bytes, length, body); !done) return std::move(done).error();
  if (read_u32(fixed.data() + 8) == 0 || hash64(body) != read_u64(fixed.data() + 16))
    return {storage_errc::damaged,
            from.name()
                + ":head:offset 24: checksum does not match; restore the file from its source"};
  auto head = from_msgpack<tape_head>(body);
  if (!head) return with_context(std::move(head).error(), from.name() + ":head");
  return parsed_head{std::move(*head), head_fixed_bytes + length};
}

result<parsed_index> read_index(source& from) {
  const auto damaged = [&](const std::string& what) -> error {
    return {storage_errc::damaged,
            from.name() + ":index: " + what + "; `troupe tape verify` shows what is readable"};
  };
  std::string end;
  if (from.size() < end_bytes) return {storage_errc::unfinished, from.name() + " has no end"};
  if (auto done = from.read(from.size() - end_bytes, end_bytes, end); !done)
    return std::move(done).error();
  if (!end.starts_with(end_magic))
    return {storage_errc::unfinished, from.name() + " has no end mark"};
  if (hash64(std::string_view{end}.substr(0, 16)) != read_u64(end.data() + 16))
    return damaged("end mark is wrong");
  const auto offset = read_u64(end.data() + 8);
  if (offset > from.size() - end_bytes || from.size() - end_bytes - offset < index_fixed_bytes)
    return damaged("offset is wrong");
  std::string fixed;
  if (auto done = from.read(offset, index_fixed_bytes, fixed); !done)
    return std::move(done).error();
  const auto length = read_u32(fixed.data() + 4);
  if (!fixed.starts_with(index_magic) || length > max_index_bytes
      || length != from.size() - end_bytes - offset - index_fixed_bytes)
    return damaged("header is wrong");
  std::string body;
  if (auto done = from.read(offset + index_fixed_bytes, length, body); !done)
    return std::move(done).error();
  if (hash64(body) != read_u64(fixed.data() + 8)) return damaged("checksum does not match");
  auto index = from_msgpack<tape_index>(body);
  if (!index) return damaged(index.error().text);
  if (index->records_by_channel.size() != index->channels.size()
      || index->channels.size() > max_channels)
    return damaged("channel table is wrong");
  return parsed_index{std::move(*index), offset};
}

result<found_block> read_block(source& from, std::uint64_t offset, std::uint64_t number) {
  std::string bytes;
  if (offset > from.size() || from.size() - offset < block_header_bytes)
    return {storage_errc::damaged,
            place(from, number, offset) + ": file ends within the block header"};
  if (auto done = from.read(offset, block_header_bytes, bytes); !done)
    return std::move(done).error();
  const auto header = parse_block_header(bytes);
  if (!header || header->number != number)
    return {storage_errc::damaged, place(from, number, offset) + ": block header is damaged"};
  if (header->packed > from.size() - offset - block_header_bytes)
    return {storage_errc::damaged, place(from, number, offset) + ": file ends within the block"};
  if (header->plain > max_plain_bytes)
    return {storage_errc::damaged,
            place(from, number, offset) + ": block is larger than any block can be"};
  found_block out{*header, {}};
  if (auto done = from.read(offset + block_header_bytes, header->packed, out.packed); !done)
    return std::move(done).error();
  if (hash64(out.packed) != header->checksum)
    return {storage_errc::damaged, place(from, number, offset) + ": checksum does not match"};
  return out;
}

status unpack_block(const found_block& block, const std::string& where, std::string& plain) {
  const auto size = ZSTD_getFrameContentSize(block.packed.data(), block.packed.size());
  if (size != block.header.plain)
    return {storage_errc::damaged, where + ": unpacked size does not fit the header"};
  plain.resize(block.header.plain);
  const auto got =
      ZSTD_decompress(plain.data(), plain.size(), block.packed.data(), block.packed.size());
  if (ZSTD_isError(got) != 0 || got != plain.size())
    return {storage_errc::damaged, where + ": does not unpack"};
  return ok;
}

std::optional<item> next_item(std::string_view plain, std::size_t& position) noexcept {
  if (plain.size() - position < item_header_bytes) return {};
  const auto* p = plain.data() + position;
  const auto length = read_u32(p + 12);
  if (length > plain.size() - position - item_header_bytes) return {};
  item out{{static_cast<std::int64_t>(read_u64(p))},
           read_u32(p + 8),
           plain.substr(position + item_header_bytes, length)};
  position += item_header_bytes + length;
  return out;
}

} // namespace troupe::tape_bytes
