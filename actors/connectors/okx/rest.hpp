#pragma once

/// OKX's public REST answers: rules of spot instruments and candles. OKX "REST API v5, Public Data,
/// Market Data".

#include "actors/connectors/venue.hpp"

namespace troupe::okx {

std::vector<rest_call> instrument_calls();

/// Live spot pairs. Contracts are left out: their sizes are multiples of a contract's value, which
/// the rules of an instrument don't hold.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// `after` and `before` are exclusive. Days are those of UTC: the venue's plain 1D begins in Hong
/// Kong.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Rows are newest first; the last column says whether a row is complete.
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::okx
