#pragma once

/// Bybit's public sockets: one path a product, subscriptions by topic, a ping every 20 s. Bybit "V5
/// WebSocket Stream, Connect".

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::bybit {

/// Numbers of the public sockets.
const protocol_traits& traits() noexcept;

/// "spot", "linear" or "inverse": the last part of the socket's path and the `category` of
/// requests.
std::string_view category_of(contract_kind kind) noexcept;

/// Distributes instruments over sockets, one product on each.
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what);

/// The protocol of one connection.
std::unique_ptr<market_protocol> make_protocol();

} // namespace troupe::bybit
