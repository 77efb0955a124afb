#pragma once

/// Bitfinex' past trades, oldest first between two times. Bitfinex "REST v2, Trades", at most 10,000 a page,
/// 15 requests a minute.

#include "actors/connectors/venue.hpp"

namespace troupe::bitfinex {

inline constexpr trade_rules past_trades_rules{
    .paging = trade_paging::onwards, .per_page = 10'000, .pause = std::chrono::seconds{5}};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::bitfinex
