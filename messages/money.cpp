#include "messages/money.hpp"

#include <limits>

namespace troupe {
namespace {

class money_category final : public std::error_category {
  const char* name() const noexcept override { return "money"; }
  std::string message(int value) const override {
    switch (static_cast<money_errc>(value)) {
    case money_errc::not_a_number: return "not a decimal number";
    case money_errc::too_many_decimals: return "more decimals than the instrument has";
    case money_errc::out_of_range: return "number does not fit";
    }
    return "unknown";
  }
};

using wide = __int128;

constexpr wide int64_max = std::numeric_limits<std::int64_t>::max();
constexpr wide int64_min = std::numeric_limits<std::int64_t>::min();

error number_error(money_errc code, std::string_view text) {
  return {make_error_code(code), "'" + std::string{text.substr(0, 64)} + "'"};
}

/// The exponent of "1e-8" style numbers; false when the text after 'e' is no small integer.
bool parse_exponent(std::string_view text, int& out) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text.size() > 3) return false;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  out = negative ? -value : value;
  return true;
}

} // namespace

std::error_code make_error_code(money_errc code) noexcept {
  static const money_category category;
  return {static_cast<int>(code), category};
}

result<cash> notional(price p, size q) {
  const auto product = static_cast<wide>(p.raw) * q.raw;
  if (product > int64_max || product < int64_min)
    return {money_errc::out_of_range,
            "price " + std::to_string(p.raw) + " × size " + std::to_string(q.raw) + " leaves 64 bits"};
  return cash{static_cast<std::int64_t>(product)};
}

result<std::int64_t> parse_decimal(std::string_view text, int scale) {
  auto rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (negative || (!rest.empty() && rest[0] == '+')) rest.remove_prefix(1);
  wide digits = 0;
  int decimals = 0; // digits seen behind the point
  bool point = false;
  bool any = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    any = true;
    digits = digits * 10 + (c - '0');
    if (point) ++decimals;
    if (digits > int64_max * 1000000) return number_error(money_errc::out_of_range, text);
  }
  if (!any) return number_error(money_errc::not_a_number, text);
  if (i < rest.size()) {
    int exponent = 0;
    if ((rest[i] != 'e' && rest[i] != 'E') || !parse_exponent(rest.substr(i + 1), exponent))
      return number_error(money_errc::not_a_number, text);
    decimals -= exponent;
  }
  for (; decimals < scale; ++decimals) {
    if (digits == 0) break;
    digits *= 10;
    if (digits > int64_max) return number_error(money_errc::out_of_range, text);
  }
  for (; decimals > scale && digits != 0; --decimals) {
    if (digits % 10 != 0) return number_error(money_errc::too_many_decimals, text);
    digits /= 10;
  }
  if (digits > int64_max) return number_error(money_errc::out_of_range, text);
  return static_cast<std::int64_t>(negative ? -digits : digits);
}

std::string format_decimal(std::int64_t raw, int scale) {
  const bool negative = raw < 0;
  auto magnitude = negative ? ~static_cast<std::uint64_t>(raw) + 1 : static_cast<std::uint64_t>(raw);
  auto digits = std::to_string(magnitude);
  if (scale > 0) {
    if (digits.size() <= static_cast<std::size_t>(scale))
      digits.insert(0, static_cast<std::size_t>(scale) + 1 - digits.size(), '0');
    digits.insert(digits.size() - static_cast<std::size_t>(scale), 1, '.');
  }
  return negative ? "-" + digits : digits;
}

std::string format_decimal_short(std::int64_t raw, int scale) {
  auto text = format_decimal(raw, scale);
  if (scale <= 0) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

} // namespace troupe
