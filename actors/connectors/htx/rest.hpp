#pragma once

/// HTX's public REST interfaces: spot (api.huobi.pro) and swaps (api.hbdm.com, paths beginning with /swap-
/// and /linear-swap-): instruments and candles. Books come in band.

#include "actors/connectors/venue.hpp"

namespace troupe::htx {

/// Spot's market-symbols, linear swaps, inverse swaps.
std::vector<rest_call> instrument_calls();

/// Any of the three answers. Spot: decimals pp and ap, minoa and maxoa sizes, minov notional; sizes get more
/// decimals than the lot, because books hold finer ones. Swaps: contract_size and price_tick. A linear
/// contract is worth contract_size of the base asset, which is the lot; an inverse one contract_size of the
/// quote asset, and is itself the unit of sizes.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// Spot gives its newest page only; swaps a range. Daily bars begin at 16:00 UTC and are left out.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Rows {"id": open time in s, open, close, low, high, amount, vol, count}.
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::htx
