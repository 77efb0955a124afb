#pragma once

/// What the book of one market is behind each of its newest changes, as checksums. Pure.

#include "tools/venue_sim/market_book.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace troupe::venue_sim {

class truth_log {
public:
  /// Remembers the newest `most` changes.
  explicit truth_log(std::size_t most) : most_{most} {}

  /// Remembers what stands behind a change; returns its checksum.
  std::uint32_t add(std::uint64_t number, std::uint64_t sequence, std::int64_t event_ms,
           const market_book& book);

  /// {"symbol":…,"changes":[[number,sequence,event_ms,crc],…]} from `number` on, at most 50,000.
  [[nodiscard]] std::string to_json(std::string_view symbol, std::uint64_t number) const;

private:
  struct entry {
    std::uint64_t number = 0;
    std::uint64_t sequence = 0;
    std::int64_t event_ms = 0;
    std::uint32_t crc = 0;
  };
  std::size_t most_;
  std::deque<entry> entries_;
};

/// CRC-32 over the best `depth` bids, then asks, best first, "price,size" in plain decimals without
/// trailing zeros, joined by '|'; 0 for an empty book.
std::uint32_t book_crc(const market_book& book, std::size_t depth = 10);

} // namespace troupe::venue_sim
