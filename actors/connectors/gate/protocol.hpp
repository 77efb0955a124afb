#pragma once

/// Gate's spot socket: requests by channel, event and payload, a ping of the application. Topics
/// are named after the book's own name, "ob.BTC_USDT.400", or channel and pair,
/// "spot.trades:BTC_USDT". Gate "Spot WebSocket v4".

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::gate {

/// Numbers of the spot socket.
const protocol_traits& traits() noexcept;

/// Distributes instruments over sockets.
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what);

/// The protocol of one connection. Messages carry the time in seconds once `at` has told it.
std::unique_ptr<market_protocol> make_protocol();

} // namespace troupe::gate
