#pragma once

/// Prices and sizes as scaled integers. The scale is a property of the instrument version
/// (`instrument_spec`), not of the number: raw × 10^-scale. Products are 128 bits wide and checked.

#include "messages/error.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// A price in units of 10^-price_scale of its instrument. May be negative (spreads of futures).
struct price {
  std::int64_t raw = 0;
  friend constexpr auto operator<=>(const price&, const price&) noexcept = default;
};

/// A quantity in units of 10^-size_scale of its instrument, in base units (contracts are converted).
struct size {
  std::int64_t raw = 0;
  friend constexpr auto operator<=>(const size&, const size&) noexcept = default;
};

/// An amount of money in units of 10^-(price_scale + size_scale) of the quote asset: price × size.
struct cash {
  std::int64_t raw = 0;
  friend constexpr auto operator<=>(const cash&, const cash&) noexcept = default;
};

constexpr price operator+(price a, price b) noexcept { return {a.raw + b.raw}; }
constexpr price operator-(price a, price b) noexcept { return {a.raw - b.raw}; }
constexpr size operator+(size a, size b) noexcept { return {a.raw + b.raw}; }
constexpr size operator-(size a, size b) noexcept { return {a.raw - b.raw}; }
constexpr size operator-(size a) noexcept { return {-a.raw}; }
constexpr cash operator+(cash a, cash b) noexcept { return {a.raw + b.raw}; }
constexpr cash operator-(cash a, cash b) noexcept { return {a.raw - b.raw}; }

enum class money_errc { not_a_number = 1, too_many_decimals, out_of_range };
std::error_code make_error_code(money_errc code) noexcept;

/// price × size as cash; an error when the product leaves 64 bits.
result<cash> notional(price p, size q);

/// Parses decimal text ("61685.99", "-0.5", "1e-8", "5E+3") into an integer scaled by 10^scale.
/// Trailing zeros beyond the scale are accepted, other digits beyond it are `too_many_decimals`.
/// Neither locale nor floating point is involved.
result<std::int64_t> parse_decimal(std::string_view text, int scale);

/// Formats a scaled integer with exactly `scale` decimals ("61685.99000000" for scale 8).
std::string format_decimal(std::int64_t raw, int scale);

/// The same without trailing zeros ("61685.99", "0").
std::string format_decimal_short(std::int64_t raw, int scale);

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::money_errc> : std::true_type {};
