#pragma once

/// The clocks of a process and of its tests. All are safe to call from any thread.

#include "messages/time.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>

namespace troupe {

namespace detail {
/// 128 bits: years of nanoseconds times a rate don't fit 64.
__extension__ using wide_ns = __int128;
} // namespace detail

/// Nanoseconds of CLOCK_MONOTONIC: common to all processes of a host, never steps, not scaled.
inline std::int64_t monotonic_ns() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

/// Steady time of this host.
class monotonic_clock final : public steady_clock {
public:
  [[nodiscard]] steady_time now() const noexcept override { return {monotonic_ns()}; }
};

/// Market time of live trading: UTC of the host, as NTP keeps it. May step.
class wall_clock final : public market_clock {
public:
  [[nodiscard]] market_time now() const noexcept override {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return {static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec};
  }
};

/// How market time runs on a replayed tape: market = origin_market + rate × (steady -
/// origin_steady). The rate is a ratio of integers, so that all processes of a host compute the
/// same instant.
struct market_scale {
  std::int64_t rate_times_1000 = 1000; ///< 75x is 75'000
  steady_time origin_steady{};
  market_time origin_market{};

  [[nodiscard]] constexpr market_time at(steady_time t) const noexcept {
    const auto elapsed =
        static_cast<detail::wide_ns>((t - origin_steady).count()) * rate_times_1000 / 1000;
    return origin_market + nanoseconds{static_cast<std::int64_t>(elapsed)};
  }

  /// The steady instant at which market time reaches `t` (rounded towards the origin).
  /// @pre rate_times_1000 > 0
  [[nodiscard]] constexpr steady_time when(market_time t) const noexcept {
    const auto elapsed =
        static_cast<detail::wide_ns>((t - origin_market).count()) * 1000 / rate_times_1000;
    return origin_steady + nanoseconds{static_cast<std::int64_t>(elapsed)};
  }
};

/// Market time of a looped or accelerated tape; reads CLOCK_MONOTONIC.
class scaled_market_clock final : public market_clock {
public:
  explicit scaled_market_clock(market_scale scale) noexcept : scale_{scale} {}
  [[nodiscard]] market_time now() const noexcept override { return scale_.at({monotonic_ns()}); }
  [[nodiscard]] const market_scale& scale() const noexcept { return scale_; }

private:
  market_scale scale_;
};

/// Market time that a test or a lock-step replay sets.
class manual_market_clock final : public market_clock {
public:
  explicit manual_market_clock(market_time start = {}) noexcept : ns_{start.ns} {}
  [[nodiscard]] market_time now() const noexcept override {
    return {ns_.load(std::memory_order_acquire)};
  }
  void set(market_time t) noexcept { ns_.store(t.ns, std::memory_order_release); }
  void advance(nanoseconds d) noexcept { ns_.fetch_add(d.count(), std::memory_order_acq_rel); }

private:
  std::atomic<std::int64_t> ns_;
};

/// Steady time that a test sets.
class manual_steady_clock final : public steady_clock {
public:
  explicit manual_steady_clock(steady_time start = {}) noexcept : ns_{start.ns} {}
  [[nodiscard]] steady_time now() const noexcept override {
    return {ns_.load(std::memory_order_acquire)};
  }
  void set(steady_time t) noexcept { ns_.store(t.ns, std::memory_order_release); }
  void advance(nanoseconds d) noexcept { ns_.fetch_add(d.count(), std::memory_order_acq_rel); }

private:
  std::atomic<std::int64_t> ns_;
};

} // namespace troupe
