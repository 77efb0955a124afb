#pragma once

/// MEXC's past trades: the newest 1,000, without ids. MEXC "Spot v3, Recent Trades List". Known by what they
/// say.

#include "actors/connectors/venue.hpp"

namespace troupe::mexc {

inline constexpr trade_rules past_trades_rules{.paging = trade_paging::newest,
                                               .known_by = trade_identity::content};

/// See `venue_description`.
rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at);
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body);

} // namespace troupe::mexc
