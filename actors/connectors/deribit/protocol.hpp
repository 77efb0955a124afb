#pragma once

/// Deribit's socket: JSON-RPC requests, channels by name, a heartbeat of the venue that must be
/// answered. Deribit "JSON-RPC API v2, Session Management, Subscription Management".

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::deribit {

/// Numbers of the public socket.
const protocol_traits& traits() noexcept;

/// Distributes instruments over sockets. `book_channel` is the last part of the channel: "100ms",
/// "agg2".
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what);

/// The protocol of one connection.
std::unique_ptr<market_protocol> make_protocol();

} // namespace troupe::deribit
