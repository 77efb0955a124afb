#include "runtime/cluster/front_framing.hpp"

#include <algorithm>

namespace troupe {
namespace {

// The operations of caf/io/basp/message_type.hpp.
constexpr std::uint8_t server_handshake = 0;
constexpr std::uint8_t client_handshake = 1;
constexpr std::uint8_t heartbeat = 6;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint64_t length_of(std::string_view header) noexcept {
  std::uint64_t out = 0;
  for (std::size_t i = 4; i < 8; ++i)
    out = out << 8 | byte_at(header, i);
  return out;
}

error not_basp(const std::string& what) {
  return {make_error_code(cluster_errc::refused), "what it sends is no CAF link: " + what};
}

} // namespace

status basp_stream::open_frame(std::string_view header) {
  const auto operation = byte_at(header, 0);
  if (operation > heartbeat || byte_at(header, 1) != 0 || byte_at(header, 2) != 0)
    return not_basp("a frame begins with the bytes " + std::to_string(operation) + " "
                    + std::to_string(byte_at(header, 1)) + " " + std::to_string(byte_at(header, 2)));
  const bool first = frames_ == 0;
  const auto greeting = side_ == basp_side::listening ? server_handshake : client_handshake;
  if (first && operation != greeting) return not_basp("its first frame is no hand-shake of its side");
  greeting_open_ = operation == greeting;
  if (!first && operation <= client_handshake && !greeting_open_)
    return not_basp("a hand-shake of the other side");
  const auto length = length_of(header);
  if (operation == heartbeat && length != 0) return not_basp("a heartbeat with a payload");
  if (greeting_open_ && !first && length != greeting_length_)
    return not_basp("a second hand-shake unlike the first");
  const auto most = greeting_open_ ? std::min(limits_.handshake, limits_.payload) : limits_.payload;
  if (length > most)
    return {cluster_errc::refused,
            "a frame claims " + std::to_string(length) + " bytes of payload; at most " + std::to_string(most)
                + " are let through" + (greeting_open_ ? " in a hand-shake" : " (cluster.tls.payload_max)")};
  payload_left_ = length;
  if (first) greeting_length_ = length;
  greeting_at_ = 0;
  ++frames_;
  return ok;
}

status basp_stream::take_greeting(std::string_view bytes) {
  if (!greeting_open_) return ok;
  const auto seen = bytes.substr(0, greeting_size - std::min(greeting_at_, greeting_size));
  if (frames_ == 1)
    greeting_.append(seen);
  else if (greeting_.substr(greeting_at_, seen.size()) != seen)
    return not_basp("a second hand-shake unlike the first");
  greeting_at_ += seen.size();
  return ok;
}

result<std::size_t> basp_stream::admit(std::string_view bytes) {
  if (refused_) return {cluster_errc::refused, "the stream was refused before"};
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (payload_left_ == 0) {
      if (bytes.size() - at < header_size) break;
      if (auto opened = open_frame(bytes.substr(at, header_size)); !opened) {
        refused_ = true;
        return std::move(opened).error();
      }
      at += header_size;
      continue;
    }
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size() - at));
    if (auto taken = take_greeting(bytes.substr(at, take)); !taken) {
      refused_ = true;
      return std::move(taken).error();
    }
    payload_left_ -= take;
    at += take;
  }
  return at;
}

} // namespace troupe
