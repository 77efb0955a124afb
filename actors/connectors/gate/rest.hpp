#pragma once

/// Gate's public REST answers: rules of spot pairs, images of books, candles. Gate "API v4, Spot".

#include "actors/connectors/venue.hpp"

namespace troupe::gate {

std::vector<rest_call> instrument_calls();

/// Pairs that can be bought and sold.
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now);

/// The image that `spot.order_book_update` is joined with.
rest_call image_call(const instrument_spec& instrument, int levels);

/// `from` and `to` are inclusive, in seconds, and exclude `limit`.
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to);

/// Columns: time in seconds, quote volume, close, high, low, open, base volume, complete.
/// Ascending.
result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body);

} // namespace troupe::gate
