#include "actors/executors/halt_latch.hpp"

#include "messages/msgpack.hpp"

#include <xxhash.h>

namespace troupe {
namespace {

constexpr std::string_view head = "troupe-halt 1 ";

std::string hex(std::uint64_t value) {
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4)
    out[i] = "0123456789abcdef"[value & 15];
  return out;
}

} // namespace

std::string encode_halt(const halt_state& state) {
  const auto body = to_msgpack(state);
  std::string out{head};
  out += hex(XXH3_64bits(body.data(), body.size()));
  out += '\n';
  out += body;
  return out;
}

result<halt_state> decode_halt(std::string_view bytes) {
  const auto damaged = [](const char* what) {
    return error{make_error_code(executor_errc::damaged),
                 std::string{"the halt file is damaged ("} + what
                     + "); trading stays halted until `troupe resume`"};
  };
  if (!bytes.starts_with(head)) return damaged("wrong head");
  bytes.remove_prefix(head.size());
  if (bytes.size() < 17 || bytes[16] != '\n') return damaged("cut off");
  const auto body = bytes.substr(17);
  if (bytes.substr(0, 16) != hex(XXH3_64bits(body.data(), body.size()))) return damaged("checksum");
  auto state = from_msgpack<halt_state>(body);
  if (!state || state->state > trading_state::halted) return damaged("content");
  return state;
}

} // namespace troupe
