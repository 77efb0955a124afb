#pragma once

/// OKX's public frames: books, best bid and ask, trades, candles. OKX "WebSocket API v5, Public
/// Channel".

#include "actors/feeds/events.hpp"

#include <memory>

namespace troupe::okx {

/// Decoder of one instrument's frames.
/// - `books` and the tick-by-tick books: a snapshot is an image; an update is a change that names
/// the number
///   before it (prevSeqId; equal to seqId in a keep-alive). Where a frame has no numbers (before
///   2023) its checksum is all there is. The checksum is 0 since June 2026.
/// - `books5`: every message is an image.
/// - `bbo-tbt`: the best bid and ask.
/// - `trades`, `trades-all`: ids are numbers with holes, for `trades` joins fills of one order.
/// - `candle…`: candles with the venue's own completion flag.
/// Sizes of contracts are in contracts.
std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument);

} // namespace troupe::okx
