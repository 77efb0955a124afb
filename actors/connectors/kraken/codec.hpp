#pragma once

/// Kraken's public frames: the live WebSocket v2, and v1 as recordings of it hold them.
///
/// Numbers are bare in v2 and text in v1; both are read as the characters that were sent, since the
/// checksum of the book is made of them: `price_scale` and `size_scale` of the instrument must be
/// the decimals the venue writes. There is no sequence number: every message of the book carries
/// the checksum of the best ten levels a side behind it. Kraken "WebSocket v2: Book", "Book
/// checksum", "WebSocket v1".

#include "actors/feeds/events.hpp"
#include "messages/instrument.hpp"

#include <memory>

namespace troupe::kraken {

/// Decoder of one instrument's v2 frames. Trades and candles of before the subscription are left
/// out.
std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument);

/// The same for v1 frames of recordings. v1 gives trades no ids: their times and places in the
/// frame are used. v1 wrote prices with more decimals than v2 does, and its checksums are of those.
std::unique_ptr<frame_decoder> replay_decoder(const instrument_spec& instrument);

} // namespace troupe::kraken
