#pragma once

/// Gate's past trades of a pair, newest first between two seconds. Gate "API v4, Retrieve market trades", at
/// most 1,000 a page.

#include "actors/connectors/venue.hpp"

namespace troupe::gate {

inline constexpr trade_rules past_trades_rules{.paging = trade_paging::backwards,
                                               .per_page = 1000,
                                               .step = std::chrono::seconds{1},
                                               .pause = std::chrono::milliseconds{250}};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::gate
