#pragma once

/// Changes and images for tests of the builder and the feed, without a codec in between.

#include "actors/feeds/book_builder.hpp"

#include <string>
#include <vector>

namespace troupe::test {

/// One change with its own levels.
struct owned_change {
  depth_event event;
  std::vector<level> bids;
  std::vector<level> asks;

  [[nodiscard]] depth_event view() const {
    auto out = event;
    out.bids = bids;
    out.asks = asks;
    return out;
  }
};

inline owned_change change(std::uint64_t first, std::uint64_t last, std::uint64_t previous,
                           std::vector<level> bids = {}, std::vector<level> asks = {}) {
  owned_change out;
  out.event.first = first;
  out.event.last = last;
  out.event.previous = previous;
  out.event.has_previous = previous != 0;
  out.event.event = {static_cast<std::int64_t>(last) * 1'000'000};
  out.bids = std::move(bids);
  out.asks = std::move(asks);
  return out;
}

inline image_event image(std::uint64_t last, std::span<const level> bids, std::span<const level> asks) {
  image_event out;
  out.last = last;
  out.bids = bids;
  out.asks = asks;
  return out;
}

/// A frame of Binance spot's layout, prices with 2 and sizes with 3 decimals.
inline std::string depth_frame(std::int64_t event_ms, std::uint64_t first, std::uint64_t last,
                               const std::vector<level>& bids, const std::vector<level>& asks) {
  const auto rows = [](const std::vector<level>& levels) {
    std::string out;
    for (const auto& l : levels)
      out += (out.empty() ? "[\"" : ",[\"") + format_decimal(l.at.raw, 2) + "\",\""
             + format_decimal(l.quantity.raw, 3) + "\"]";
    return out;
  };
  return R"({"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":)" + std::to_string(event_ms)
         + R"(,"s":"ABCUSDT","U":)" + std::to_string(first) + R"(,"u":)" + std::to_string(last) + R"(,"b":[)"
         + rows(bids) + R"(],"a":[)" + rows(asks) + "]}}";
}

inline std::string image_frame(std::uint64_t last, const std::vector<level>& bids,
                               const std::vector<level>& asks) {
  const auto text = depth_frame(1, 1, 1, bids, asks);
  const auto b = text.find("\"b\":") + 4;
  const auto a = text.find(",\"a\":");
  return R"({"lastUpdateId":)" + std::to_string(last) + R"(,"bids":)" + text.substr(b, a - b) + R"(,"asks":)"
         + text.substr(a + 5, text.size() - a - 7) + "}";
}

inline std::string trade_frame(std::int64_t event_ms, std::uint64_t id, std::int64_t at,
                               std::int64_t quantity, bool maker_bought) {
  return R"({"stream":"abcusdt@trade","data":{"e":"trade","E":)" + std::to_string(event_ms)
         + R"(,"s":"ABCUSDT","t":)" + std::to_string(id) + R"(,"p":")" + format_decimal(at, 2) + R"(","q":")"
         + format_decimal(quantity, 3) + R"(","T":)" + std::to_string(event_ms) + R"(,"m":)"
         + (maker_bought ? "true" : "false") + R"(,"M":true}})";
}

} // namespace troupe::test
