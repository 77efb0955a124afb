#pragma once

/// What a prediction is scored and trained on: one definition for predictors and trainers.
///
/// The outcome over horizon H of a frame at t is log(mid(t + H) / mid(t)), unsmoothed: half of a
/// smoothed label's variance is known at prediction time already, so its scores flatter. Its class is
/// down, flat or up against a fixed threshold. Thresholds are about 0.45 standard deviations of
/// BTC-USDT over the horizon in a quiet week (2 bp a minute, growing with the square root of the
/// horizon), which makes the classes about equally frequent; they are constants, never fitted on data
/// that is scored with them.

#include "messages/learning.hpp"

#include <cmath>
#include <optional>

namespace troupe {

/// Bounds of "flat": moves within ± this log return (× 10^9).
constexpr std::int64_t label_threshold_e9(horizon h) noexcept {
  switch (h) {
  case horizon::m1: return 200'000;
  case horizon::m5: return 450'000;
  case horizon::m15: return 775'000;
  case horizon::m60: return 1'550'000;
  }
  return 0;
}

/// Unit in which networks express returns: about one standard deviation, 1 / 0.45 of the threshold.
constexpr double label_scale(horizon h) noexcept {
  return static_cast<double>(label_threshold_e9(h)) * 1e-9 / 0.45;
}

/// 0 down, 1 flat, 2 up.
constexpr std::uint8_t label_of(std::int64_t return_e9, horizon h) noexcept {
  const auto threshold = label_threshold_e9(h);
  return return_e9 < -threshold ? 0 : return_e9 > threshold ? 2 : 1;
}

/// log(mid(b) / mid(a)) × 10^9 of two best levels pairs of one instrument; empty when a mid is not positive.
/// The scale of the prices cancels; they must be of the same instrument version.
inline std::optional<std::int64_t> log_return_e9(price bid_a, price ask_a, price bid_b,
                                                 price ask_b) noexcept {
  const auto mid_a = static_cast<double>(bid_a.raw) + static_cast<double>(ask_a.raw);
  const auto mid_b = static_cast<double>(bid_b.raw) + static_cast<double>(ask_b.raw);
  if (!(mid_a > 0) || !(mid_b > 0)) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(std::log(mid_b / mid_a) * 1e9));
}

/// Brier score over the three classes × 10^6: sum of (p - hit)^2, 0 best, 2,000,000 worst;
/// 666,667 for a forecast of one third each.
inline std::int32_t brier_ppm(const forecast& said, std::uint8_t label) noexcept {
  const std::array<std::int32_t, 3> p{said.down_ppm, said.flat_ppm, said.up_ppm};
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    const auto miss = static_cast<double>(p[k]) * 1e-6 - (k == label ? 1.0 : 0.0);
    sum += miss * miss;
  }
  return static_cast<std::int32_t>(std::lround(sum * 1e6));
}

/// The class a forecast gives the highest probability; flat wins ties, then down.
constexpr std::uint8_t called_class(const forecast& said) noexcept {
  if (said.flat_ppm >= said.down_ppm && said.flat_ppm >= said.up_ppm) return 1;
  return said.down_ppm >= said.up_ppm ? 0 : 2;
}

} // namespace troupe
