#pragma once

/// Bitfinex's public frames, WebSocket v2: books P0 (aggregated by price), trades, candles.
///
/// Frames name a channel by its number, which the venue gives in its answer to the subscription;
/// the decoder learns its numbers from the `subscribed` frames of its instrument, so it must see
/// them. What stands behind a frame's content depends on the connection's flags: a sequence number
/// (SEQ_ALL) and a time (TIMESTAMP), or one of them, or none. Arrays may grow at their end. A trade
/// is told twice, `te` at once and `tu` later: `te` counts. The image of trades and candles that
/// answers a subscription is history and left out. Bitfinex "WebSocket: Configuration", "Books",
/// "Trades".

#include "actors/feeds/events.hpp"
#include "messages/instrument.hpp"

#include <memory>

namespace troupe::bitfinex {

/// Decoder of one pair's frames. Tickers say the sums of the 25 best orders of a side, not the size
/// at the touch, so they are `other`, like all of funding.
std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument);

} // namespace troupe::bitfinex
