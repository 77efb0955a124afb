#pragma once

/// Deribit's public REST answers: rules of instruments and candles. Deribit "JSON-RPC API v2,
/// Market Data".

#include "actors/connectors/venue.hpp"

namespace troupe::deribit {

/// Futures, options and spot of all currencies, one call each.
std::vector<rest_call> instrument_calls();

/// Perpetuals are "BTC-USD-PERP" and "BTC-USDC-PERP", dated futures "BTC-USD-241227", options
/// "BTC-USD-241227-100000-C", spot pairs "BTC-USDC". Combinations are left out. Options count as
/// linear: their amount is in coins and their price in the settlement currency for each.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// Both ends of the venue's range are inclusive. There is no interval of four hours.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Columns, not rows, ascending; the newest candle is unfinished, which the venue does not say.
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::deribit
