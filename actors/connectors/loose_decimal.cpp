#include "actors/connectors/loose_decimal.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr std::int64_t number_limit = std::int64_t{1} << 62;
constexpr std::size_t longest_number = 64;

/// A decimal taken apart: value = digits × 10^-decimals, and whether digits behind those were left out.
struct decimal_parts {
  unsigned __int128 digits = 0;
  int decimals = 0;
  bool more = false;
};

/// Up to 30 digits that matter are kept; no sign is taken.
std::optional<decimal_parts> parts_of(std::string_view text) noexcept {
  if (text.empty() || text.size() > longest_number) return std::nullopt;
  decimal_parts out;
  bool point = false;
  bool any = false;
  int kept = 0;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    any = true;
    if (kept == 30) { // finer than anything we keep; a whole number so long is too large anyway
      if (!point) return std::nullopt;
      out.more = out.more || c != '0';
      continue;
    }
    out.digits = out.digits * 10 + static_cast<unsigned>(c - '0');
    if (out.digits != 0) ++kept;
    if (point) ++out.decimals;
  }
  if (!any) return std::nullopt;
  if (i == text.size()) return out;
  if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
  auto rest = text.substr(i + 1);
  const bool negative = !rest.empty() && rest[0] == '-';
  if (negative || (!rest.empty() && rest[0] == '+')) rest.remove_prefix(1);
  if (rest.empty() || rest.size() > 2) return std::nullopt;
  int exponent = 0;
  for (const char c : rest) {
    if (c < '0' || c > '9') return std::nullopt;
    exponent = exponent * 10 + (c - '0');
  }
  out.decimals += negative ? exponent : -exponent;
  return out;
}

/// At `scale`, rounded to the nearest; `cut` tells whether digits were lost.
std::optional<std::int64_t> scaled(decimal_parts parts, int scale, bool& cut) noexcept {
  cut = parts.more;
  if (parts.digits == 0) return 0;
  for (; parts.decimals < scale; ++parts.decimals) {
    parts.digits *= 10;
    if (parts.digits > static_cast<unsigned __int128>(number_limit)) return std::nullopt;
  }
  unsigned first_lost = 0;
  for (; parts.decimals > scale && parts.digits != 0; --parts.decimals) {
    first_lost = static_cast<unsigned>(parts.digits % 10);
    cut = cut || first_lost != 0;
    parts.digits /= 10;
  }
  if (parts.decimals == scale && first_lost >= 5) ++parts.digits;
  if (parts.digits > static_cast<unsigned __int128>(number_limit)) return std::nullopt;
  return static_cast<std::int64_t>(parts.digits);
}

} // namespace

int decimal_places(std::string_view text) noexcept {
  const auto parts = parts_of(text);
  if (!parts || parts->digits == 0) return 0;
  auto digits = parts->digits;
  int decimals = parts->decimals;
  for (; decimals > 0 && digits % 10 == 0; --decimals) digits /= 10;
  return std::max(decimals, 0);
}

std::optional<std::int64_t> parse_size(std::string_view text, int scale) noexcept {
  const auto parts = parts_of(text);
  if (!parts) return std::nullopt;
  bool cut = false;
  const auto value = scaled(*parts, scale, cut);
  return value && *value == 0 && cut ? 1 : value;
}

std::optional<std::int64_t> parse_price(std::string_view text, int scale) noexcept {
  const auto parts = parts_of(text);
  if (!parts) return std::nullopt;
  bool cut = false;
  const auto value = scaled(*parts, scale, cut);
  return cut ? std::nullopt : value;
}

} // namespace troupe
