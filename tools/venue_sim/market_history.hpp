#pragma once

/// Recent public trades and candles, for REST. Bounded: the oldest go first. Pure.

#include "tools/venue_sim/payloads.hpp"

namespace troupe::venue_sim {

/// How much is remembered of a market.
struct history_limits {
  std::size_t trades = 100'000;
  std::size_t seconds = 20'000; ///< candles of 1 s
  std::size_t minutes = 50'000; ///< candles of 1 min
};

class market_history {
public:
  explicit market_history(history_limits limits = {}) : limits_{limits} {}

  void add(const market_event& trade);

  /// The newest `limit` trades, oldest first.
  [[nodiscard]] std::vector<public_trade> newest(std::size_t limit) const;
  /// Up to `limit` trades with an id of at least `id`.
  [[nodiscard]] std::vector<public_trade> from_id(std::int64_t id, std::size_t limit) const;
  /// Up to `limit` trades between both times, inclusive.
  [[nodiscard]] std::vector<public_trade> between(std::int64_t from_ms, std::int64_t to_ms,
                                                  std::size_t limit) const;
  /// Candles whose opening times lie between both times, inclusive; the newest `limit` when `newest_first`
  /// is asked for, else the oldest. The last one may be unfinished. Step: 1 s or whole minutes.
  [[nodiscard]] std::vector<candle> candles(std::int64_t step_ms, std::int64_t from_ms, std::int64_t to_ms,
                                            std::size_t limit, bool keep_newest) const;

  /// "1m" as milliseconds; nothing for intervals the venue doesn't have.
  static std::optional<std::int64_t> interval_ms(std::string_view name);

private:
  static void add_to(std::deque<candle>& list, const public_trade& t, std::int64_t step_ms, std::size_t most);

  history_limits limits_;
  std::deque<public_trade> trades_;
  std::deque<candle> seconds_;
  std::deque<candle> minutes_;
};

} // namespace troupe::venue_sim
