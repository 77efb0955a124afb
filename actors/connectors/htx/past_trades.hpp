#pragma once

/// HTX's past trades: the newest 2,000, and no more. HTX "Spot Market Data, Get the Most Recent Trades" and
/// "Swap Market Data, Query a Batch of Trade Records". Sizes of linear swaps become base units as in codec.hpp.

#include "actors/connectors/venue.hpp"

namespace troupe::htx {

inline constexpr trade_rules past_trades_rules{.paging = trade_paging::newest, .per_page = 2000};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::htx
