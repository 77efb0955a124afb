#pragma once

/// The two kinds of time. They don't mix: a horizon can't be compared with a lease.
/// *Market* time is nanoseconds UTC as the venue (or the tape) lives it: horizons, bars, staleness, fills.
/// *Steady* time is nanoseconds of a monotonic clock of this host: leases, heartbeats, time-outs, back-off.

#include <chrono>
#include <compare>
#include <cstdint>

namespace troupe {

using std::chrono::nanoseconds;

/// Nanoseconds since 1970 UTC in the market's time. May run faster than the wall clock (tapes).
struct market_time {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(const market_time&, const market_time&) noexcept = default;
};

/// Nanoseconds of the host's monotonic clock. Meaningless on another host and after a reboot.
struct steady_time {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(const steady_time&, const steady_time&) noexcept = default;
};

constexpr market_time operator+(market_time t, nanoseconds d) noexcept { return {t.ns + d.count()}; }
constexpr market_time operator-(market_time t, nanoseconds d) noexcept { return {t.ns - d.count()}; }
constexpr nanoseconds operator-(market_time a, market_time b) noexcept { return nanoseconds{a.ns - b.ns}; }
constexpr steady_time operator+(steady_time t, nanoseconds d) noexcept { return {t.ns + d.count()}; }
constexpr steady_time operator-(steady_time t, nanoseconds d) noexcept { return {t.ns - d.count()}; }
constexpr nanoseconds operator-(steady_time a, steady_time b) noexcept { return nanoseconds{a.ns - b.ns}; }

/// The start of the interval of length `step` that holds `t` (towards the past for negative times).
/// @pre step > 0
constexpr market_time floor_to(market_time t, nanoseconds step) noexcept {
  const auto rest = t.ns % step.count();
  return {t.ns - (rest < 0 ? rest + step.count() : rest)};
}

/// Source of market time; handed in, never ambient. Implementations are safe to call from any thread.
class market_clock {
public:
  virtual ~market_clock() = default;
  [[nodiscard]] virtual market_time now() const noexcept = 0;
};

/// Source of steady time; handed in, never ambient. Implementations are safe to call from any thread.
class steady_clock {
public:
  virtual ~steady_clock() = default;
  [[nodiscard]] virtual steady_time now() const noexcept = 0;
};

} // namespace troupe
