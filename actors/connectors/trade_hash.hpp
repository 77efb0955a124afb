#pragma once

/// An id for trades that the venue sends without one, made of what the trade says, so that the same trade
/// has the same id on any socket.

#include "actors/feeds/events.hpp"

namespace troupe {

/// FNV-1a over time, price, size, side and the trade's place among equal ones of its frame.
inline std::uint64_t hash_of_trade(const trade_event& t, std::uint64_t place) noexcept {
  std::uint64_t hash = 14695981039346656037U;
  const auto take = [&](std::uint64_t part) {
    for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ (part >> shift & 0xff)) * 1099511628211U;
  };
  take(static_cast<std::uint64_t>(t.at.ns));
  take(static_cast<std::uint64_t>(t.at_price.raw));
  take(static_cast<std::uint64_t>(t.quantity.raw));
  take(static_cast<std::uint64_t>(t.taker));
  take(place);
  return hash;
}

} // namespace troupe
