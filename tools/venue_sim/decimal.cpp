#include "tools/venue_sim/decimal.hpp"

#include <charconv>

namespace troupe::venue_sim {

std::optional<decimal_text> parse_decimal_text(std::string_view text) {
  constexpr std::int64_t largest_e8 = 90'000'000'000LL * one_e8;
  decimal_text out;
  bool digits = false;
  bool point = false;
  int kept = 0;
  wide_int value = 0;
  for (const char c : text) {
    if (c == '.') {
      if (point) return std::nullopt;
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    digits = true;
    if (!point || kept < 8)
      value = value * 10 + (c - '0');
    else if (c != '0')
      out.precise = false;
    if (point) ++out.decimals;
    if (point && kept < 8) ++kept;
    if (value > static_cast<wide_int>(largest_e8)) return std::nullopt;
  }
  if (!digits) return std::nullopt;
  for (; kept < 8; ++kept)
    value *= 10;
  if (value > static_cast<wide_int>(largest_e8)) return std::nullopt;
  out.value_e8 = static_cast<std::int64_t>(value);
  return out;
}

void append_e8(std::string& out, std::int64_t value_e8, int decimals) {
  auto magnitude = static_cast<std::uint64_t>(value_e8);
  if (value_e8 < 0) {
    out += '-';
    magnitude = 0 - magnitude;
  }
  char digits[24];
  auto* end = std::to_chars(digits, digits + sizeof digits, magnitude / one_e8).ptr;
  if (decimals > 0) {
    *end++ = '.';
    auto rest = magnitude % one_e8;
    auto unit = static_cast<std::uint64_t>(one_e8) / 10;
    for (int i = 0; i < decimals; ++i, unit /= 10) {
      *end++ = static_cast<char>('0' + rest / unit);
      rest %= unit;
    }
  }
  out.append(digits, end);
}

void append_integer(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

} // namespace troupe::venue_sim
