#include "storage/record.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace troupe {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

// --- crc32c
// ---------------------------------------------------------------------------------------

namespace {

constexpr auto crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit)
      c = (c & 1) != 0 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
    table[i] = c;
  }
  return table;
}();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_hardware(std::string_view bytes,
                                                                std::uint32_t seed) noexcept {
  std::uint64_t crc = ~seed;
  const char* p = bytes.data();
  auto left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto short_crc = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++p)
    short_crc = _mm_crc32_u8(short_crc, static_cast<unsigned char>(*p));
  return ~short_crc;
}
#endif

} // namespace

std::uint32_t detail::crc32c_table(std::string_view bytes, std::uint32_t seed) noexcept {
  std::uint32_t crc = ~seed;
  for (const char c : bytes)
    crc = crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) noexcept {
#if defined(__x86_64__)
  static const bool hardware = __builtin_cpu_supports("sse4.2");
  if (hardware) return crc32c_hardware(bytes, seed);
#endif
  return detail::crc32c_table(bytes, seed);
}

// --- frame
// ----------------------------------------------------------------------------------------

namespace {

constexpr std::uint32_t record_magic = 0x43455254; // "TREC"
constexpr std::uint16_t record_version = 1;
constexpr char record_end = '\xa5';
constexpr std::size_t sector_bytes = 512;

struct raw_header {
  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t kind;
  std::uint64_t schema;
  std::uint64_t sequence;
  std::uint64_t epoch;
  std::uint64_t durable;
  std::uint32_t length;
  std::uint32_t payload_crc;
  std::uint32_t header_crc;
  std::uint32_t unused; // padding of the struct, not in the file
};
static_assert(offsetof(raw_header, header_crc) == record_header_bytes - 4);

bool all_zero(std::string_view bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

/// True when some whole-sector piece of [begin, end) is still zero: that sector was never written.
bool has_blank_sector(std::string_view bytes, std::size_t begin, std::size_t end) noexcept {
  while (begin < end) {
    const auto next = std::min(end, (begin / sector_bytes + 1) * sector_bytes);
    if (all_zero(bytes.substr(begin, next - begin))) return true;
    begin = next;
  }
  return false;
}

} // namespace

void append_record(std::string& out, const record_header& header, std::string_view payload) {
  raw_header raw{};
  raw.magic = record_magic;
  raw.version = record_version;
  raw.kind = header.kind;
  raw.schema = header.schema;
  raw.sequence = header.sequence;
  raw.epoch = header.epoch;
  raw.durable = header.durable;
  raw.length = static_cast<std::uint32_t>(payload.size());
  raw.payload_crc = crc32c(payload);
  char bytes[record_header_bytes];
  std::memcpy(bytes, &raw, record_header_bytes);
  raw.header_crc = crc32c({bytes, record_header_bytes - 4});
  std::memcpy(bytes + record_header_bytes - 4, &raw.header_crc, 4);
  out.append(bytes, record_header_bytes);
  out.append(payload);
  out += record_end;
}

record_scan scan_record(std::string_view bytes, std::size_t offset) noexcept {
  const auto rest = bytes.substr(offset);
  if (rest.size() < record_header_bytes) {
    if (all_zero(rest)) return {record_found::zeros, {}, 0};
    return {record_found::cut, {}, 0};
  }
  raw_header raw{};
  std::memcpy(&raw, rest.data(), record_header_bytes);
  if (crc32c(rest.substr(0, record_header_bytes - 4)) != raw.header_crc
      || raw.magic != record_magic) {
    if (raw.magic == 0 && all_zero(rest)) return {record_found::zeros, {}, 0};
    // A write that stopped within the header leaves zeros from there to the end.
    const auto written = rest.find_last_not_of('\0') + 1;
    const bool stopped =
        written < record_header_bytes
        && std::memcmp(&raw, &record_magic, std::min<std::size_t>(written, 4)) == 0;
    const bool blank = has_blank_sector(bytes, offset, offset + record_header_bytes);
    // A torn record that was being erased when the process stopped: no flipped bit makes the mark's first
    // byte zero.
    const bool erased = rest.front() == '\0';
    return {blank || stopped || erased ? record_found::cut : record_found::damaged, {}, 0};
  }
  if (raw.version > record_version) return {record_found::newer_version, {}, 0};
  if (raw.length > record_max_payload) return {record_found::damaged, {}, 0};
  const auto whole = record_extra_bytes + raw.length;
  if (rest.size() < whole) return {record_found::cut, {}, whole};
  const auto payload = rest.substr(record_header_bytes, raw.length);
  const char mark = rest[whole - 1];
  if (mark != record_end || crc32c(payload) != raw.payload_crc) {
    const bool cut = mark == 0 || has_blank_sector(bytes, offset, offset + whole);
    return {cut ? record_found::cut : record_found::damaged, {}, whole};
  }
  return {record_found::whole,
          {{.kind = raw.kind,
            .schema = raw.schema,
            .sequence = raw.sequence,
            .epoch = raw.epoch,
            .durable = raw.durable},
           payload},
          whole};
}

result<std::string_view> detail::check_record(std::string_view bytes, std::uint64_t schema,
                                              std::uint16_t kind) {
  const auto scan = scan_record(bytes, 0);
  switch (scan.found) {
  case record_found::zeros:
    return {storage_errc::damaged, "holds nothing but zeros"};
  case record_found::cut:
    return {storage_errc::damaged, "ends early or was only partly written"};
  case record_found::damaged:
    return {storage_errc::damaged, "checksum does not match"};
  case record_found::newer_version:
    return {storage_errc::newer_version, "record of a newer version"};
  case record_found::whole:
    break;
  }
  if (scan.bytes != bytes.size())
    return {codec_errc::trailing_bytes,
            std::to_string(bytes.size() - scan.bytes) + " bytes behind the record"};
  if (scan.record.header.kind != kind || scan.record.header.schema != schema)
    return {codec_errc::wrong_schema, "written with another schema; run `troupe db migrate`"};
  return scan.record.payload;
}

} // namespace troupe
