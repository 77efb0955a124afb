#pragma once

/// Whole numbers of 128 bits for products and quotients of prices and sizes. All checked. Pure.

#include <cstdint>
#include <limits>
#include <optional>

namespace troupe {

__extension__ using wide = __int128;

/// 10^n for 0 <= n <= 18.
constexpr std::int64_t power_of_ten(int n) noexcept {
  std::int64_t out = 1;
  while (n-- > 0) out *= 10;
  return out;
}

/// a × b, or nothing when it leaves 128 bits.
constexpr std::optional<wide> times(wide a, wide b) noexcept {
  wide out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

constexpr std::optional<wide> times(std::optional<wide> a, wide b) noexcept {
  return a ? times(*a, b) : std::nullopt;
}

/// The largest whole number not above a / b. @pre b > 0
constexpr wide floor_quotient(wide a, wide b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

/// The smallest whole number not below a / b. @pre b > 0
constexpr wide ceil_quotient(wide a, wide b) noexcept { return a / b + (a % b > 0 ? 1 : 0); }

/// As 64 bits, or nothing when it does not fit.
constexpr std::optional<std::int64_t> narrow(std::optional<wide> x) noexcept {
  if (!x || *x > std::numeric_limits<std::int64_t>::max() || *x < std::numeric_limits<std::int64_t>::min())
    return std::nullopt;
  return static_cast<std::int64_t>(*x);
}

/// Adds sizes; the sum stops at the largest number there is.
constexpr void add_up(std::int64_t& sum, std::int64_t x) noexcept {
  if (__builtin_add_overflow(sum, x, &sum)) sum = std::numeric_limits<std::int64_t>::max();
}

} // namespace troupe
