#pragma once

/// MEXC's public REST interface (api.mexc.com, "Spot v3"): instruments, candles, book image.

#include "actors/connectors/venue.hpp"

namespace troupe::mexc {

/// GET /api/v3/depth, up to 5000 levels a side; the documentation's book uses 1000.
rest_call image_call(const instrument_spec& instrument, int levels);

std::vector<rest_call> instrument_calls();

/// exchangeInfo. Prices have quotePrecision decimals, sizes baseAssetPrecision; baseSizePrecision is the
/// smallest order, quoteAmountPrecision the smallest notional; the filters are empty as a rule. Symbols that
/// are not online (status other than 1), or whose assets are no plain words, are left out.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Rows [open time, open, high, low, close, volume, close time, quote volume].
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::mexc
