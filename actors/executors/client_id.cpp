#include "actors/executors/client_id.hpp"

#include <algorithm>
#include <xxhash.h>

namespace troupe {
namespace {

constexpr std::string_view prefix = "t-";
constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/// Appends a field with its length in front, so that neighbouring fields can't run into each other.
void append(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

template <class Int>
void append_number(std::string& out, Int value) {
  append(out, std::to_string(static_cast<std::int64_t>(value)));
}

/// The order itself: what the venue would do on it.
std::string order_text(const intent& order) {
  std::string out;
  append(out, order.account.text);
  append(out, std::to_string(order.decision_sequence));
  append_number(out, order.leg);
  append(out, order.instrument.text);
  append_number(out, order.direction);
  append_number(out, order.kind);
  append_number(out, order.tif);
  append_number(out, order.limit.raw);
  append_number(out, order.quantity.raw);
  append_number(out, order.reduce_only ? 1 : 0);
  return out;
}

} // namespace

std::string client_id_of(const intent& order) {
  const auto text = order_text(order);
  auto hash = XXH3_128bits(text.data(), text.size());
  std::string out{prefix};
  // 26 digits of 5 bits hold the 128 bits, lowest first.
  for (int digit = 0; digit < 26; ++digit) {
    out += alphabet[hash.low64 & 31];
    hash.low64 = (hash.low64 >> 5) | (hash.high64 << 59);
    hash.high64 >>= 5;
  }
  return out;
}

bool is_our_client_id(std::string_view id) noexcept {
  return id.size() == client_id_length && id.starts_with(prefix)
         && std::all_of(id.begin() + prefix.size(), id.end(),
                        [](char c) { return alphabet.find(c) != std::string_view::npos; });
}

std::uint64_t approval_hash(const intent& order) {
  auto text = order_text(order);
  append_number(text, order.created.ns);
  append_number(text, order.expires.ns);
  append(text, order.client_id);
  const auto hash = XXH3_64bits(text.data(), text.size());
  return hash == 0 ? 1 : hash;
}

} // namespace troupe
