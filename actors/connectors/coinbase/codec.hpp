#pragma once

/// Coinbase's public frames: Advanced Trade, which is used live, and the older Exchange feed, as
/// recordings of it hold it. Coinbase "Advanced Trade WebSocket Channels" and "Exchange WebSocket
/// Channels".
///
/// Both say the *maker's* side of a trade; the taker's is the other one. What Advanced Trade sends
/// of trades and candles before the subscription is left out. `depth.last` and `image.last` are the
/// connection's own number, which counts all messages of the socket.

#include "actors/feeds/events.hpp"
#include "messages/instrument.hpp"

#include <memory>

namespace troupe::coinbase {

/// Decoder of one product's Advanced Trade frames. The image of a large book takes several MB.
std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument);

/// The same for frames of the Exchange feed (level2, matches, ticker).
std::unique_ptr<frame_decoder> replay_decoder(const instrument_spec& instrument);

} // namespace troupe::coinbase
