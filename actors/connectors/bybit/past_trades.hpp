#pragma once

/// Bybit's past trades: the newest 60 of a spot pair, the newest 1,000 of a contract, and no more. Bybit "V5
/// Market, Get Recent Public Trades". `execId` is the socket's `i`; block trades are no market trades.

#include "actors/connectors/venue.hpp"

namespace troupe::bybit {

inline constexpr trade_rules past_trades_rules{.paging = trade_paging::newest};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::bybit
