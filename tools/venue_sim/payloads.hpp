#pragma once

/// What the simulated venue writes: market frames byte for byte in the form of the recordings, REST replies
/// and private events in the form of Binance's published examples (rest-api, web-socket-api and
/// user-data-stream pages of its spot documentation, state of August 2026). Pure.

#include "tools/venue_sim/matching.hpp"

#include <deque>

namespace troupe::venue_sim {

/// The data part of a market frame, as a raw socket delivers it.
std::string market_frame(const market_event& event, const market_shape& shape);
/// A trade as an aggTrade frame of one trade.
std::string aggregate_trade_frame(const market_event& trade, const market_shape& shape);
/// Wraps a data part for a combined socket.
std::string combined_frame(std::string_view stream, std::string_view data);

/// A public trade kept for REST.
struct public_trade {
  std::int64_t id = 0;
  std::int64_t price_e8 = 0;
  std::int64_t quantity_e8 = 0;
  std::int64_t time_ms = 0;
  bool buyer_is_maker = false;
};

/// One candle; `close_ms` is the last millisecond of its interval.
struct candle {
  std::int64_t open_ms = 0;
  std::int64_t close_ms = 0;
  std::int64_t open_e8 = 0, high_e8 = 0, low_e8 = 0, close_e8 = 0;
  std::int64_t volume_e8 = 0, quote_e8 = 0;
  std::int64_t taker_base_e8 = 0, taker_quote_e8 = 0;
  std::int64_t trades = 0;
};

std::string depth_body(const market_book& book, const market_shape& shape, std::size_t limit,
                       std::int64_t now_ms);
std::string trades_body(std::span<const public_trade> trades, const market_shape& shape);
std::string aggregate_trades_body(std::span<const public_trade> trades, const market_shape& shape);
std::string candles_body(std::span<const candle> candles, const market_shape& shape);
std::string book_ticker_body(const market_book& book, const market_shape& shape, std::int64_t now_ms);
std::string exchange_info_body(const market_shape& shape, const trading_rules& rules, std::int64_t now_ms,
                               int weight_per_minute, int orders_per_10s, int orders_per_day);
std::string error_body(int code, std::string_view text);

enum class answer_detail : std::uint8_t { ack, result, full };

/// Answer to a new order.
std::string placed_body(const order& o, std::span<const fill> fills, answer_detail detail,
                        const trading_rules& rules);
/// Answer to a cancel.
std::string canceled_body(const order& o, std::string_view request_client_id, const trading_rules& rules);
/// Answer to a query; also one row of openOrders and allOrders.
std::string order_body(const order& o, const trading_rules& rules);
/// One row of myTrades.
std::string my_trade_body(const fill& f, const order& o, const trading_rules& rules);
std::string account_body(const matching_engine& engine, std::int64_t update_ms);

/// The event of an order report; `execution_id` numbers them.
std::string execution_report(const order_report& r, std::int64_t execution_id, const trading_rules& rules,
                             std::int64_t event_ms);
std::string account_position(const matching_engine& engine, std::int64_t event_ms);
std::string stream_terminated(std::int64_t event_ms);
/// Wraps a private event for one subscription.
std::string subscribed_event(std::int64_t subscription_id, std::string_view event);

} // namespace troupe::venue_sim
