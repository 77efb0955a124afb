#include "tools/netlab/packet.hpp"

namespace troupe::netlab {
namespace {

constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t flag_fin = 0x01, flag_syn = 0x02, flag_rst = 0x04, flag_ack = 0x10;
constexpr std::size_t ip_bytes = 20, tcp_bytes = 20;

std::uint16_t get16(std::span<const std::uint8_t> b, std::size_t at) {
  return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]);
}

std::uint32_t get32(std::span<const std::uint8_t> b, std::size_t at) {
  return static_cast<std::uint32_t>(get16(b, at)) << 16 | get16(b, at + 2);
}

void put16(packet& b, std::size_t at, std::uint16_t value) {
  b[at] = static_cast<std::uint8_t>(value >> 8);
  b[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(packet& b, std::size_t at, std::uint32_t value) {
  put16(b, at, static_cast<std::uint16_t>(value >> 16));
  put16(b, at + 2, static_cast<std::uint16_t>(value));
}

struct address {
  std::uint32_t ip;
  std::uint16_t port;
};

packet make_reset(address from, address to, std::uint32_t sequence, std::uint32_t acknowledged) {
  packet out(ip_bytes + tcp_bytes, 0);
  out[0] = 0x45; // version 4, five words
  put16(out, 2, static_cast<std::uint16_t>(out.size()));
  out[8] = 64; // hops
  out[9] = protocol_tcp;
  put32(out, 12, from.ip);
  put32(out, 16, to.ip);
  put16(out, 10, internet_checksum(std::span{out}.first(ip_bytes)));
  put16(out, 20, from.port);
  put16(out, 22, to.port);
  put32(out, 24, sequence);
  put32(out, 28, acknowledged);
  out[32] = (tcp_bytes / 4) << 4;
  out[33] = flag_rst | flag_ack;
  // The pseudo header: both addresses, protocol, length.
  std::uint32_t sum = protocol_tcp + tcp_bytes;
  for (std::size_t at = 12; at < ip_bytes; at += 2) sum += get16(out, at);
  put16(out, 36, internet_checksum(std::span{out}.subspan(ip_bytes), sum));
  return out;
}

} // namespace

std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) sum += get16(bytes, at);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::optional<packet_head> read_head(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < ip_bytes || bytes[0] >> 4 != 4) return std::nullopt;
  const std::size_t header = (bytes[0] & 15U) * 4U;
  const std::size_t total = get16(bytes, 2);
  if (header < ip_bytes || total < header || total > bytes.size()) return std::nullopt;
  packet_head out;
  out.from = get32(bytes, 12);
  out.to = get32(bytes, 16);
  const bool fragment = (get16(bytes, 6) & 0x3fff) != 0;
  if (bytes[9] != protocol_tcp || fragment || total < header + tcp_bytes) return out;
  const auto tcp = bytes.subspan(header, total - header);
  const std::size_t tcp_header = (tcp[12] >> 4) * 4U;
  if (tcp_header < tcp_bytes || tcp_header > tcp.size()) return out;
  out.tcp = true;
  out.from_port = get16(tcp, 0);
  out.to_port = get16(tcp, 2);
  out.sequence = get32(tcp, 4);
  out.acknowledged = get32(tcp, 8);
  out.flags = tcp[13];
  out.payload = tcp.size() - tcp_header;
  return out;
}

std::vector<packet> resets_for(const packet_head& head) {
  if (!head.tcp || (head.flags & flag_ack) == 0 || (head.flags & flag_rst) != 0) return {};
  const address sender{head.from, head.from_port}, receiver{head.to, head.to_port};
  const auto counted = static_cast<std::uint32_t>(head.payload) + ((head.flags & (flag_syn | flag_fin)) != 0 ? 1 : 0);
  // The packet itself is withheld: its receiver still expects its number, its sender the number it acknowledges.
  return {make_reset(sender, receiver, head.sequence, head.acknowledged),
          make_reset(receiver, sender, head.acknowledged, head.sequence + counted)};
}

} // namespace troupe::netlab
