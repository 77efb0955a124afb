#pragma once

/// Kraken's past trades, oldest first from a time in nanoseconds; `last` is where the next page begins.
/// Kraken "REST Market Data, Get Recent Trades", at most 1,000 a page; about one public call a second (second
/// hand).

#include "actors/connectors/venue.hpp"

namespace troupe::kraken {

inline constexpr trade_rules past_trades_rules{
    .paging = trade_paging::onwards, .per_page = 1000, .pause = std::chrono::milliseconds{1500}};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::kraken
