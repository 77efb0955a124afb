#pragma once

/// Longer bars out of shorter ones: 1s → 1m → 5m → … → 1d. Pure.

#include "messages/market.hpp"

#include <optional>
#include <span>
#include <vector>

namespace troupe {

/// Adds up bars of one instrument in order of open time. Intervals without a bar have none: nothing is
/// invented, and a longer bar says nothing of holes within it. Not thread-safe.
class bar_roller {
public:
  /// @pre interval > 0
  explicit bar_roller(nanoseconds interval) : interval_{interval} {}

  /// Takes the next shorter bar; returns the longer one that this closes. A bar that is older than the one
  /// before, or whose length does not divide the interval, is counted and left out.
  std::optional<bar> add(const bar& b);

  /// The open bar at the end of the input; it may be incomplete.
  std::optional<bar> finish();

  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
  nanoseconds interval_;
  std::optional<bar> open_;
  market_time last_; ///< open time of the newest bar taken
  bool any_ = false;
  std::uint64_t refused_ = 0;
};

/// All longer bars of a series, the last one included.
std::vector<bar> roll_up(std::span<const bar> bars, nanoseconds interval);

} // namespace troupe
