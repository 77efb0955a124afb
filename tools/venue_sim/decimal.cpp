#include "tools/venue_sim/decimal.hpp"

#include <algorithm>
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
  char digits[32];
  auto* end = std::to_chars(digits, digits + 24, magnitude / one_e8).ptr;
  if (decimals > 0) {
    // A one in front keeps the zeros behind the point; the point takes its place.
    std::to_chars(end, digits + sizeof digits, one_e8 + magnitude % one_e8);
    *end = '.';
    end += 1 + std::min(decimals, 8);
  }
  out.append(digits, end);
}

void append_integer(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

} // namespace troupe::venue_sim
