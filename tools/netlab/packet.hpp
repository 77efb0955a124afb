#pragma once

/// IPv4 packets as the laboratory's hosts exchange them: who sends to whom, and resets in the name of both. Pure.
///
/// Sources: RFC 791 (IPv4 header), RFC 9293 (TCP header; a reset is acceptable when its number is the next one
/// expected), RFC 1071 (checksum).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace troupe::netlab {

using packet = std::vector<std::uint8_t>;

/// What a packet's headers say. Addresses and ports in the host's byte order.
struct packet_head {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool tcp = false;
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::uint8_t flags = 0;
  std::size_t payload = 0; ///< bytes behind the TCP header
};

/// Nothing for what is no whole IPv4 packet; fragments count as not TCP.
std::optional<packet_head> read_head(std::span<const std::uint8_t> bytes);

/// Resets that end the connection a TCP packet belongs to, as if each end had sent one: first the one for the
/// packet's receiver, then the one for its sender. Empty when the packet is no TCP, or carries no acknowledgement.
std::vector<packet> resets_for(const packet_head& head);

/// The Internet checksum of RFC 1071 over `bytes`, starting from a sum so far.
std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0);

} // namespace troupe::netlab
