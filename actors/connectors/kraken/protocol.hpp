#pragma once

/// Kraken's public WebSocket v2: subscriptions, answers, life signs. Topics are named after the
/// channel, the depth of a book and the pair: "book.100 BTC/USD", "trade BTC/USD". Kraken
/// "WebSocket v2".

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::kraken {

/// Numbers of the public sockets.
const protocol_traits& traits() noexcept;

/// Distributes instruments over sockets. Tickers are left out even where best bids and asks are wanted: the
/// venue numbers neither them nor its books, so there is nothing by which the two could be compared.
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what);

/// The protocol of one connection.
std::unique_ptr<market_protocol> make_protocol();

} // namespace troupe::kraken
