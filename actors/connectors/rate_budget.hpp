#pragma once

/// Budget of requests towards one venue host, shared by everything that calls it from this process.
/// Sliding windows: in no interval of a window's length is more than its limit admitted. Part of each
/// window is reserved for urgent requests (cancels). The venue's own count (Binance's
/// X-MBX-USED-WEIGHT-1M) is believed when it is higher than ours; 429, 418 and 403 close the budget until
/// Retry-After has passed. Source: binance-spot-api-docs, rest-api.md "LIMITS", the strictest of the
/// venues' rules. Steady time only. Not thread-safe.

#include "messages/time.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace troupe {

/// One rule: at most `limit` units in any `window`.
struct rate_limit {
  std::string name;         ///< "weight", "orders", "requests", "connects"
  nanoseconds window{};
  std::uint32_t limit = 0;
};

/// What one request uses, by name of the limit; limits it doesn't name are not charged.
struct rate_cost {
  std::string name;
  std::uint32_t units = 1;
};

struct rate_budget_options {
  std::vector<rate_limit> limits;
  std::uint32_t reserve_percent = 10;                       ///< of each limit, for urgent requests only
  nanoseconds first_ban = std::chrono::seconds{120};        ///< 418 without Retry-After; doubles, up to:
  nanoseconds longest_ban = std::chrono::hours{72};
  nanoseconds pause = std::chrono::seconds{10};             ///< 429 and 403 without Retry-After; doubles
};

/// The windows and what was used of them.
class rate_budget {
public:
  explicit rate_budget(rate_budget_options options);

  /// Zero: admitted and charged. Else nothing is charged and the answer is how long to wait at least.
  nanoseconds admit(steady_time now, const std::vector<rate_cost>& costs, bool urgent = false);

  /// The venue's own figure for a limit, counted by it for the running minute.
  void on_used(steady_time now, const std::string& name, std::uint32_t used);

  /// An answer's HTTP status; `retry_after` zero when the field was missing. Statuses other than 403,
  /// 418 and 429 reset the doubling.
  void on_status(steady_time now, unsigned status, nanoseconds retry_after);

  /// Units of `name` in its window.
  [[nodiscard]] std::uint32_t used(steady_time now, const std::string& name);
  /// Until when all is refused; in the past when it is open.
  [[nodiscard]] steady_time closed_until() const noexcept { return closed_until_; }
  [[nodiscard]] std::uint64_t refusals() const noexcept { return refusals_; }
  [[nodiscard]] std::uint64_t bans() const noexcept { return bans_; }

private:
  struct entry {
    steady_time at;
    std::uint32_t units;
  };
  struct window_state {
    rate_limit rule;
    std::deque<entry> entries; ///< bounded by the rule's limit: each holds at least one unit
    std::uint64_t sum = 0;
    void forget(steady_time now);
    [[nodiscard]] nanoseconds wait_for(steady_time now, std::uint64_t units, std::uint64_t limit) const;
  };

  rate_budget_options options_;
  std::vector<window_state> windows_;
  steady_time closed_until_{};
  std::uint32_t refused_in_row_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t bans_ = 0;
};

} // namespace troupe
