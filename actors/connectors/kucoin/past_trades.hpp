#pragma once

/// KuCoin's past trades: the newest 100 of a pair, and no more. KuCoin "REST Spot Market Data, Get Trade
/// History". Known by `sequence`, which the socket's matches carry too.

#include "actors/connectors/venue.hpp"

namespace troupe::kucoin {

inline constexpr trade_rules past_trades_rules{.paging = trade_paging::newest,
                                               .known_by = trade_identity::number,
                                               .per_page = 100};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::kucoin
