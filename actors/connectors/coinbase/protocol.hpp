#pragma once

/// Coinbase Advanced Trade's public WebSocket: subscriptions, answers and the connection's own
/// sequence. `sequence_num` counts all messages of a connection from 0 on, so that one missing
/// number taints every book of the socket. Topics are named "level2 BTC-USD". Coinbase "Advanced
/// Trade WebSocket Overview".

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::coinbase {

/// Numbers of the public sockets.
const protocol_traits& traits() noexcept;

/// Distributes instruments over sockets; few a socket, since their books share one sequence. Tickers are left
/// out even where best bids and asks are wanted: they move with trades only and prove nothing of the book.
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what);

/// The protocol of one connection.
std::unique_ptr<market_protocol> make_protocol();

} // namespace troupe::coinbase
