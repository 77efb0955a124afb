#pragma once

/// Kraken's public REST interface: pairs and candles. Answers are HTTP 200 with an `error` array.
/// Kraken "REST: Get Tradable Asset Pairs", "Get OHLC Data".

#include "actors/connectors/venue.hpp"

namespace troupe::kraken {

std::vector<rest_call> instrument_calls();

/// Reads AssetPairs, or a frame of the v2 channel `instrument`, which says the same with exponents.
/// Left out are pairs without a socket name and pairs that are not online.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// The newest 720 candles from `from` on; older ones the venue doesn't give.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::kraken
