#pragma once

/// Binance's past trades: aggregates of trades of one order at one price, by time, then by their own number.
/// The trade numbers within are those of the socket. Binance "REST Market Data, aggTrades"; weight 4, on
/// USDⓈ-M 20. Trades outside the market (insurance fund) are in no aggregate.

#include "actors/connectors/venue.hpp"

namespace troupe::binance {

inline constexpr trade_rules spot_trades{
    .paging = trade_paging::onwards, .per_page = 1000, .pause = std::chrono::milliseconds{500}};
/// Twenty of 2,400 a minute each.
inline constexpr trade_rules usdm_trades{
    .paging = trade_paging::onwards, .per_page = 1000, .pause = std::chrono::milliseconds{1500}};

/// See `venue_description`.
rest_call spot_trade_call(const instrument_spec& instrument, const trade_cursor& at);
rest_call usdm_trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::binance
