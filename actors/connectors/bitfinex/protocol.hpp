#pragma once

/// Bitfinex's public WebSocket v2: flags of a connection, subscriptions one by one, channel
/// numbers, the sequence over all messages. Topics are named "book.P0.F0.100 tBTCUSD", "trades
/// tBTCUSD", "candles.1m tBTCUSD". Bitfinex "WebSocket: Configuration", "Info Messages", "Error
/// Codes".

#include "actors/connectors/market_protocol.hpp"

#include <memory>

namespace troupe::bitfinex {

/// Flags of a connection, to be added up.
inline constexpr std::uint32_t flag_timestamp = 32'768; ///< each message ends with the venue's time
inline constexpr std::uint32_t flag_sequence =
    65'536; ///< each message carries a number, without holes
inline constexpr std::uint32_t flag_book_checksum = 131'072; ///< books are followed by checksums

/// Numbers of the public sockets.
const protocol_traits& traits() noexcept;

/// Distributes instruments over sockets of at most 25 channels. Best bid and ask have no channel of
/// their own: tickers don't say the size at the touch.
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what);

/// The protocol of one connection, with times and the sequence.
std::unique_ptr<market_protocol> make_protocol();

/// The same with other flags; 0 asks for none.
std::unique_ptr<market_protocol> make_protocol(std::uint32_t flags);

} // namespace troupe::bitfinex
