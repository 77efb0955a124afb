#pragma once

/// Gate's public spot frames: books, best bid and ask, trades, candles, and the REST image of a
/// book. Gate "Spot WebSocket v4".

#include "actors/feeds/events.hpp"

#include <memory>

namespace troupe::gate {

/// Decoder of one instrument's frames.
/// - `spot.obu`: full=true is an image, anything else a change of the range U..u.
/// - `spot.order_book_update`: a change of the range U..u, to be joined with the REST image, whose
/// `id` is the
///   image's number.
/// - `spot.book_ticker`: the best bid and ask.
/// - `spot.trades`: ids are numbers with holes; milliseconds have decimals.
/// - `spot.candlesticks`: candles; `w` says whether one is complete (absent in 2021).
std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument);

/// "BTC_USDT" out of "ob.BTC_USDT.400"; anything else as it is.
std::string_view symbol_of_book(std::string_view name) noexcept;

/// "BTC_USDT" out of "1m_BTC_USDT".
std::string_view symbol_of_candle(std::string_view name) noexcept;

} // namespace troupe::gate
