// Hostile bytes on a link: the frames of a carried stream, in pieces of any size, against a plain reading of
// the whole; and the text of the rig's faults.

#include "runtime/cluster/front_faults.hpp"
#include "runtime/cluster/front_framing.hpp"

#include <cstdlib>
#include <optional>

using namespace troupe;

namespace {

constexpr basp_limits limits{.payload = 4096, .handshake = 256};

/// How many bytes of the whole may be let through, read frame by frame; nothing when one may not pass.
std::optional<std::size_t> plain_reading(basp_side side, std::string_view bytes) {
  std::size_t at = 0;
  std::string_view greeted;
  std::uint32_t greeted_length = 0;
  for (bool first = true; bytes.size() - at >= 32; first = false) {
    const auto u = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
    const std::uint32_t length =
        std::uint32_t{u(4)} << 24 | std::uint32_t{u(5)} << 16 | std::uint32_t{u(6)} << 8 | u(7);
    const bool greeting = u(0) == (side == basp_side::listening ? 0 : 1);
    if (u(0) > 6 || u(1) != 0 || u(2) != 0 || (u(0) == 6 && length != 0)) return std::nullopt;
    if (first ? !greeting : u(0) < 2 && !greeting) return std::nullopt;
    const auto payload = bytes.substr(at + 32, length);
    if (greeting && !first && length != greeted_length) return std::nullopt;
    if (length > (greeting ? limits.handshake : limits.payload)) return std::nullopt;
    if (first) greeted = payload.substr(0, 64), greeted_length = length;
    // Of a second hand-shake as much as is there must be the same.
    else if (greeting
             && payload.substr(0, 64) != greeted.substr(0, std::min<std::size_t>(64, payload.size())))
      return std::nullopt;
    if (bytes.size() - at - 32 < length) return bytes.size(); // a payload passes as it comes
    at += 32 + length;
  }
  return at;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
  const auto side = data[0] % 2 == 0 ? basp_side::listening : basp_side::dialling;
  std::size_t piece = data[1] + std::size_t{1};
  basp_stream stream{side, limits};
  std::string kept;
  std::size_t passed = 0;
  bool refused = false;
  for (std::size_t at = 0; at < bytes.size() && !refused; at += piece, piece = piece % 61 + 1) {
    kept.append(bytes.substr(at, piece));
    const auto admitted = stream.admit(kept);
    refused = !admitted;
    if (refused) break;
    // What is kept back is less than a header: a link never holds more than one buffer.
    if (admitted.value() > kept.size() || kept.size() - admitted.value() >= basp_stream::header_size)
      std::abort();
    passed += admitted.value();
    kept.erase(0, admitted.value());
  }
  const auto plain = plain_reading(side, bytes);
  if (refused != !plain.has_value()) std::abort();
  if (plain && passed != *plain) std::abort();
  if (refused && stream.admit("x").has_value()) std::abort();
  if (stream.greeting().size() > 64) std::abort();

  if (auto plan = parse_link_faults(bytes, "f")) {
    link_faults faults{*plan};
    for (int i = 0; i < 8; ++i)
      if (faults.hold("a", link_direction::to_peer) < nanoseconds{}) std::abort();
    (void)faults.black_hole("a", link_direction::from_peer);
    (void)faults.cut("a");
  }
  return 0;
}
