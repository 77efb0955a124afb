#pragma once

/// The codec's general way, on simdjson: any valid JSON with the fields of Binance's events, in any order.
/// Internal to the codec.

#include "actors/feeds/events.hpp"

#include <memory>

namespace troupe::binance {

/// Milliseconds or microseconds since 1970 as the venue writes them. False when out of range.
/// Values from 10^14 on are microseconds (option timeUnit=MICROSECOND).
constexpr bool time_of_venue(std::int64_t value, market_time& out) noexcept {
  if (value >= 0 && value < 9'000'000'000'000) out.ns = value * 1'000'000;
  else if (value >= 100'000'000'000'000 && value < 9'000'000'000'000'000) out.ns = value * 1'000;
  else return false;
  return true;
}

/// Not thread-safe; keeps its buffers.
class general_decoder {
public:
  general_decoder();
  ~general_decoder();

  /// Decodes `frame` into `out`; levels go into `space`.
  void decode(std::string_view frame, int price_scale, int size_scale, std::size_t max_bytes,
              std::span<level> space, market_event& out) noexcept;

private:
  struct parser;
  std::unique_ptr<parser> parser_;
};

} // namespace troupe::binance
