#pragma once

/// What the simulated venues' books are, and whether a published book is one of them. Pure but for its lock: the
/// simulators write, the feeds' threads read.

#include "messages/market.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// How a published book compares.
enum class book_verdict : std::uint8_t { right, wrong, unknown };

/// The truth of one market. Venues that number their books are looked up by number; the others by the
/// venue's time, at which several books may have stood.
class truth_table {
public:
  /// The venue's book behind a change. `sequence` 0: the venue gives no number.
  void add(std::uint64_t sequence, std::int64_t event_ms, std::uint32_t crc);

  /// A book that a feed publishes as valid. Unnumbered venues may send one change in several messages, so
  /// only the last book of an instant is judged: when a later one comes.
  void judge(std::uint64_t sequence, market_time at, std::uint32_t crc);

  /// The feed dropped its book: what it published last may have been half a change, and nobody holds it now.
  void lose();

  struct counts {
    std::uint64_t right = 0;
    std::uint64_t wrong = 0;
    std::uint64_t unknown = 0; ///< no longer, or not yet, in the table
    std::string first_wrong;   ///< what the first wrong one was
  };
  [[nodiscard]] counts figures() const;

private:
  struct kept {
    std::uint64_t sequence = 0;
    std::int64_t event_ms = 0;
  };
  struct published {
    std::int64_t event_ms = 0;
    std::uint32_t crc = 0;
  };
  void count(book_verdict verdict, std::uint64_t key, std::uint32_t crc);

  mutable std::mutex mutex_;
  bool numbered_ = false;
  std::deque<kept> order_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_number_;
  std::unordered_map<std::int64_t, std::vector<std::uint32_t>> by_time_;
  std::optional<published> last_;
  counts counts_;
};

} // namespace troupe
