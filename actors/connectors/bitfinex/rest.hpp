#pragma once

/// Bitfinex's public REST v2: pairs and candles.
///
/// The venue lists no price steps: prices have up to five significant digits and up to eight
/// decimals, so the step follows the price. Scales are eight decimals for both; the tick is the
/// step at today's price, and prices that later fall through a power of ten lie off it. Bitfinex
/// "Introduction: Price Precision", "Tickers", "Configs", "Candles".

#include "actors/connectors/venue.hpp"

namespace troupe::bitfinex {

/// The asset as the rest of the world names it: UST → USDT, DSH → DASH; any other is itself.
std::string_view asset_of(std::string_view venue_name) noexcept;

std::vector<rest_call> instrument_calls();

/// Reads the tickers of all pairs, or /v2/conf/pub:info:pair, which has order sizes but no prices
/// (its ticks are the finest there are). Perpetuals (tBTCF0:USTF0) are linear. Funding is left out.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// Up to 10,000 candles, oldest first.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Rows are [time, open, close, high, low, volume].
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::bitfinex
