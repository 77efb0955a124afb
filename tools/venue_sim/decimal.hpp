#pragma once

/// Decimal text of the simulated venue in units of 10^-8, and 128-bit products. The simulator has its own so
/// that an error in the programs it tests can't hide in shared code. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::venue_sim {

__extension__ using wide_int = __int128;

inline constexpr std::int64_t one_e8 = 100'000'000;

/// A decimal number as read from text.
struct decimal_text {
  std::int64_t value_e8 = 0;
  int decimals = 0;    ///< digits after the point as written
  bool precise = true; ///< false when non-zero digits beyond the eighth were cut
};

/// Parses "61837.63000000" (no sign, no exponent: the venue takes neither). Nothing for other text,
/// an empty one, or a number above 90 milliards.
std::optional<decimal_text> parse_decimal_text(std::string_view text);

/// Appends value × 10^-8 with exactly `decimals` (0…8) digits after the point; digits beyond are cut.
void append_e8(std::string& out, std::int64_t value_e8, int decimals = 8);

inline std::string text_e8(std::int64_t value_e8, int decimals = 8) {
  std::string out;
  append_e8(out, value_e8, decimals);
  return out;
}

void append_integer(std::string& out, std::int64_t value);

/// price × quantity, both in units of 10^-8, rounded towards zero.
constexpr std::int64_t product_e8(std::int64_t price_e8, std::int64_t quantity_e8) noexcept {
  return static_cast<std::int64_t>(static_cast<wide_int>(price_e8) * quantity_e8 / one_e8);
}

/// The same, rounded up (for non-negative operands).
constexpr std::int64_t product_up_e8(std::int64_t price_e8, std::int64_t quantity_e8) noexcept {
  const auto exact = static_cast<wide_int>(price_e8) * quantity_e8;
  return static_cast<std::int64_t>((exact + one_e8 - 1) / one_e8);
}

/// True when price × quantity fits 64 bits.
constexpr bool product_fits(std::int64_t price_e8, std::int64_t quantity_e8) noexcept {
  const auto exact = static_cast<wide_int>(price_e8) * quantity_e8 / one_e8;
  return exact < static_cast<wide_int>(INT64_MAX) - 1;
}

} // namespace troupe::venue_sim
