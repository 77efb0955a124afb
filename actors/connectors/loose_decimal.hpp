#pragma once

/// Decimals as venues write them in JSON and text, without any floating point: sizes that are finer than the
/// instrument's scale are rounded, prices that are finer are refused.

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe {

/// Decimals that matter in "0.00100000": 3. 0 for "0" and "10". Exponents count: 5 for "1e-05".
int decimal_places(std::string_view text) noexcept;

/// A size that is not negative, at `scale`. Digits behind the scale are rounded away, for venues add up sizes
/// in floating point and send "0.30000000000000004"; but what is there never becomes 0, which would delete a
/// level. Nothing when the text is no number or leaves 62 bits.
std::optional<std::int64_t> parse_size(std::string_view text, int scale) noexcept;

/// A price that is not negative, exact. Nothing when it is no number, finer than the scale, or too large.
std::optional<std::int64_t> parse_price(std::string_view text, int scale) noexcept;

} // namespace troupe
