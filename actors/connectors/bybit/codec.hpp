#pragma once

/// Bybit's public frames of spot, linear and inverse: books, trades, candles. The order of members
/// differs between spot and derivatives, so they are read by name. Bybit "V5 WebSocket Stream,
/// Public".

#include "actors/feeds/events.hpp"

#include <memory>

namespace troupe::bybit {

/// Decoder of one instrument's frames.
/// - `orderbook.N.SYMBOL`: a snapshot, and any message with u == 1 (the service restarted), is an
/// image; a
///   delta is a change with first == last == u. `transaction` is the matching engine's time (cts).
/// - `orderbook.1.SYMBOL`: the best bid and ask.
/// - `publicTrade.SYMBOL`: trades whose ids are text; block trades are no market trades.
/// - `kline.I.SYMBOL`: candles with the venue's own completion flag.
std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument);

} // namespace troupe::bybit
