#pragma once

/// Coinbase's public REST interface: products and candles, of Advanced Trade and of the older
/// Exchange. Coinbase "List Public Products", "Get Public Product Candles", "Exchange: Get all
/// known trading pairs".

#include "actors/connectors/venue.hpp"

namespace troupe::coinbase {

std::vector<rest_call> instrument_calls();

/// Reads the products of Advanced Trade ({"products":[…]}) or of the Exchange ([…]). Left out are
/// futures, products that are not online, and aliases: the socket answers a subscription of
/// BTC-USDC under BTC-USD.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// Advanced Trade's candles; at most 350 a call, newest first. No 4h candles.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Reads candles of Advanced Trade ({"candles":[{…}]}) or of the Exchange ([[time, low, high, open,
/// close, volume]]).
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::coinbase
