#pragma once

/// Deribit's past trades, oldest first between two times. Deribit "public/get_last_trades_by_instrument_and_
/// time", at most 1,000 a page. Block trades are no market trades.

#include "actors/connectors/venue.hpp"

namespace troupe::deribit {

inline constexpr trade_rules past_trades_rules{
    .paging = trade_paging::onwards, .per_page = 1000, .pause = std::chrono::milliseconds{500}};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::deribit
