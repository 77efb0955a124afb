#pragma once

/// What Binance's market-data sockets speak besides data, spot and USDⓈ-M.
///
/// Rules (binance-spot-api-docs web-socket-streams.md; USDⓈ-M "Websocket Market Streams"): at most 5 frames a
/// second from us, pongs counted; 1024 streams a socket; 300 connections in 5 minutes an address; a socket
/// lives 24 h; `serverShutdown` means to reconnect at once. USDⓈ-M sockets are routed: depth and bookTicker on
/// /public, trades on /market; a socket of the wrong class stays open and silently carries only part.

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::binance {

/// The two kinds of market whose sockets differ in their paths.
enum class market_kind : std::uint8_t { spot, usdm };

/// The venue's numbers.
const protocol_traits& traits_of(market_kind kind) noexcept;

/// Distributes the streams of all instruments over sockets. Up to 150 streams are subscribed by the address,
/// more by message. `book_channel`: "depth@100ms", spot also "depth", USDⓈ-M "depth@0ms" and "depth@500ms".
std::vector<market_socket_plan> plan_sockets(market_kind kind, std::span<const instrument_spec> instruments,
                                             const market_selection& what);

/// The protocol of one connection.
std::unique_ptr<market_protocol> make_protocol(market_kind kind);

/// The venue's number in a data frame: update id of depth and bookTicker, trade id of trades; 0 when absent.
std::uint64_t sequence_of(std::string_view stream, std::string_view frame) noexcept;

} // namespace troupe::binance
