#pragma once

/// The venue's budgets: request weight per minute, orders per ten seconds and per day, bans. Windows are
/// aligned intervals of steady time, as the venue's are of its own. All clients come from one address, so
/// there is one budget. Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe::venue_sim {

struct limit_settings {
  int weight_per_minute = 6000;
  int orders_per_10s = 100;
  int orders_per_day = 200000;
  int refusals_until_ban = 10; ///< requests sent although 429 was answered, within one minute
  int ban_s = 120;
};

/// Why a request is turned away.
struct limit_refusal {
  unsigned status = 429; ///< 429, or 418 for a ban
  int code = -1003;
  std::string text;
  int retry_after_s = 0;
};

class request_limits {
public:
  explicit request_limits(limit_settings settings) : settings_{settings} {}

  /// Before a request is looked at. Charges its weight, also when it is refused.
  std::optional<limit_refusal> charge(int weight, std::int64_t steady_ns);
  /// Gives a weight back: accepted orders cost none.
  void refund(int weight) noexcept { weight_.count -= weight; }
  /// Before an order is placed.
  std::optional<limit_refusal> charge_order(std::int64_t steady_ns);
  /// A filled order gives its place back.
  void order_filled() noexcept;

  [[nodiscard]] int used_weight() const noexcept { return weight_.count; }
  [[nodiscard]] int orders_10s() const noexcept { return orders_short_.count; }
  [[nodiscard]] int orders_day() const noexcept { return orders_long_.count; }
  [[nodiscard]] const limit_settings& settings() const noexcept { return settings_; }

private:
  struct window {
    std::int64_t length_ns;
    std::int64_t number = -1;
    int count = 0;
    void roll(std::int64_t now);
    [[nodiscard]] int seconds_left(std::int64_t now) const;
  };
  limit_settings settings_;
  window weight_{60'000'000'000};
  window orders_short_{10'000'000'000};
  window orders_long_{86'400'000'000'000};
  int ignored_ = 0;
  std::int64_t banned_until_ns_ = 0;
};

} // namespace troupe::venue_sim
