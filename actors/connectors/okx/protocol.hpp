#pragma once

/// OKX's public sockets: subscriptions by channel and instrument, a text "ping" when it is quiet.
/// Topics are named "books:BTC-USDT". OKX "WebSocket API v5, Overview".

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::okx {

/// Numbers of the public sockets.
const protocol_traits& traits() noexcept;

/// Distributes instruments over sockets; candles have a path of their own.
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what);

/// The protocol of one connection.
std::unique_ptr<market_protocol> make_protocol();

} // namespace troupe::okx
