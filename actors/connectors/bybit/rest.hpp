#pragma once

/// Bybit's public REST answers: rules of instruments and candles. Bybit "V5 Market".

#include "actors/connectors/venue.hpp"

namespace troupe::bybit {

/// One call a product, for its first page of 1,000.
std::vector<rest_call> instrument_calls();

/// The next page of a list: `nextPageCursor` of the answer, which goes into the next call's `cursor` as it is,
/// percent-encoded.
rest_call more_instruments(const rest_call& asked, std::string_view body);

/// Spot pairs, perpetuals ("BTC-USDT-PERP") and dated contracts ("BTC-USDT-270326") that trade.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// Both ends of the venue's range are inclusive on the open time.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Rows are newest first; the newest is unfinished, which the venue does not say.
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::bybit
