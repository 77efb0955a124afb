#pragma once

/// OKX's past trades of three months, newest first, in pages of 100 in front of a trade id. OKX "REST Market
/// Data, Get trades history", 20 requests in 2 s. Single trades, where the socket adds up those of one order.

#include "actors/connectors/venue.hpp"

namespace troupe::okx {

inline constexpr trade_rules past_trades_rules{.paging = trade_paging::backwards,
                                               .per_page = 100,
                                               .by_number = true,
                                               .pause = std::chrono::milliseconds{150}};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::okx
