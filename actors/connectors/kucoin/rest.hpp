#pragma once

/// KuCoin's public REST interface (api.kucoin.com): ticket, instruments, candles, book image.

#include "actors/connectors/venue.hpp"

namespace troupe::kucoin {

/// POST /api/v1/bullet-public: the token and host of the next connection.
rest_call ticket_call();

/// "wss://ws-api-spot.kucoin.com/?token=…", the token percent-encoded. An error when the answer is a refusal,
/// names no server, or a server that is no plain ws:// or wss:// address.
result<std::string> ticket_url(std::string_view body);

/// The public image has the best 20 or 100 levels a side; the whole book needs a key.
rest_call image_call(const instrument_spec& instrument, int levels);

std::vector<rest_call> instrument_calls();

/// /api/v2/symbols. Sizes get more decimals than the lot, because books hold finer ones. Symbols that don't
/// trade are left out.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Rows [open time in s, open, close, high, low, volume, turnover], newest first.
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::kucoin
