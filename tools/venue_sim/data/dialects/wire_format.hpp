#pragma once

/// Protobuf's wire format, written by hand: the simulator shares no decoder or schema with what it
/// tests. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::venue_sim {

class wire_writer {
public:
  wire_writer& text(int field, std::string_view value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    out_ += value;
    return *this;
  }
  wire_writer& number(int field, std::int64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  wire_writer& message(int field, const wire_writer& inner) { return text(field, inner.out_); }
  [[nodiscard]] std::string take() { return std::move(out_); }

private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      out_ += static_cast<char>(0x80 | (value & 0x7f));
    out_ += static_cast<char>(value);
  }
  std::string out_;
};

} // namespace troupe::venue_sim
