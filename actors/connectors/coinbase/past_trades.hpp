#pragma once

/// Coinbase's past trades, newest first up to a second. Coinbase "Advanced Trade REST, Get Public Market
/// Trades"; ten requests a second. `side` is the maker's, as on the socket; a page of 1,000 is second hand.

#include "actors/connectors/venue.hpp"

namespace troupe::coinbase {

inline constexpr trade_rules past_trades_rules{.paging = trade_paging::backwards,
                                               .per_page = 1000,
                                               .step = std::chrono::seconds{1},
                                               .pause = std::chrono::milliseconds{250}};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::coinbase
