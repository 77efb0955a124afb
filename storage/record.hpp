#pragma once

/// The framed record: the unit of the order journal and the value of the store.
///
/// Little-endian, 52 bytes of header, the payload, one end mark:
/// | bytes | field |
/// |---|---|
/// | 4 | magic "TREC" |
/// | 2 | version |
/// | 2 | kind, the owner's own number |
/// | 8 | schema hash of the payload's type |
/// | 8 | sequence |
/// | 8 | epoch |
/// | 8 | durable: newest sequence known to be synced when this record was written |
/// | 4 | length of the payload |
/// | 4 | crc32c of the payload |
/// | 4 | crc32c of the 48 bytes before |
/// | … | payload |
/// | 1 | end mark 0xa5: still zero when a write stopped anywhere within the record |
///
/// `durable` is what tells a torn tail from a hole: a damaged record may have been lost in a crash
/// only if no valid record behind it says that it had been synced.

#include "messages/msgpack.hpp"
#include "storage/errc.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// CRC-32C (Castagnoli), by SSE4.2 where the processor has it, else by table.
/// Check value: crc32c("123456789") == 0xe3069283 (RFC 3720, B.4).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0) noexcept;

namespace detail {
/// The table variant, for comparison in tests.
std::uint32_t crc32c_table(std::string_view bytes, std::uint32_t seed = 0) noexcept;
} // namespace detail

inline constexpr std::size_t record_header_bytes = 52;
inline constexpr std::size_t record_extra_bytes = record_header_bytes + 1;
inline constexpr std::uint32_t record_max_payload = 64u << 20;

/// Header fields of a record.
struct record_header {
  std::uint16_t kind = 0;
  std::uint64_t schema = 0;
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  std::uint64_t durable = 0;
};

/// A parsed record; `payload` points into the parsed bytes.
struct record_view {
  record_header header;
  std::string_view payload;
};

/// Appends a framed record to `out`.
void append_record(std::string& out, const record_header& header, std::string_view payload);

/// What stands at the start of some bytes.
enum class record_found : std::uint8_t {
  whole,         ///< a valid record
  zeros,         ///< nothing but zero bytes: unused space
  cut,           ///< damaged, in the way of an interrupted write (missing end, or a sector still zero)
  damaged,       ///< damaged in another way: the bytes had been written and were changed
  newer_version, ///< a header that is valid, of a version unknown here
};

struct record_scan {
  record_found found = record_found::zeros;
  record_view record;    ///< when whole
  std::size_t bytes = 0; ///< length of the whole record, header included; 0 when its length isn't known
};

/// Parses the record at `offset` of `bytes`. `offset` counts from a sector boundary of the file:
/// an interrupted write leaves sectors of 512 bytes untouched, which read as zero.
record_scan scan_record(std::string_view bytes, std::size_t offset) noexcept;

/// A message as one framed record: the form of small files and store values.
template <has_fields T>
std::string to_record(const T& x, std::uint16_t kind = 0) {
  std::string out;
  append_record(out, {.kind = kind, .schema = schema_hash<T>()}, to_msgpack(x));
  return out;
}

namespace detail {
/// The payload of exactly one record of this schema and kind.
result<std::string_view> check_record(std::string_view bytes, std::uint64_t schema, std::uint16_t kind);
} // namespace detail

/// The reverse of `to_record`; damage, another schema and trailing bytes are errors.
template <has_fields T>
result<T> from_record(std::string_view bytes, std::uint16_t kind = 0) {
  auto payload = detail::check_record(bytes, schema_hash<T>(), kind);
  if (!payload) return std::move(payload).error();
  return from_msgpack<T>(*payload);
}

} // namespace troupe
