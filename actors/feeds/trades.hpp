#pragma once

/// Continuity of public trades.

#include "actors/feeds/events.hpp"

#include <vector>

namespace troupe {

/// Follows trade ids, which venues of family Binance number without a hole. Not thread-safe.
class trade_sequence {
public:
  /// What one trade did to the sequence.
  enum class step : std::uint8_t { next, hole, replayed };

  /// Takes trades first..last (an aggregate spans several).
  step take(std::uint64_t first, std::uint64_t last) noexcept {
    if (count_ == 0) {
      first_ = first;
      last_ = last;
      count_ = last - first + 1;
      return step::next;
    }
    if (first <= last_) return ++replayed_, step::replayed;
    const bool hole = first != last_ + 1;
    if (hole) {
      ++holes_;
      missing_ += first - last_ - 1;
    }
    last_ = last;
    count_ += last - first + 1;
    return hole ? step::hole : step::next;
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }       ///< ids taken
  [[nodiscard]] std::uint64_t holes() const noexcept { return holes_; }       ///< breaks in the ids
  [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }   ///< ids within the breaks
  [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; } ///< ids seen before; left out
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

private:
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t holes_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t replayed_ = 0;
};

/// Tells trades apart whose ids are text, or numbers with holes: a trade is new when its id is not among the
/// newest 4096. Ids are remembered as 64-bit hashes, so one trade in 10^15 is taken for another. A hole can't
/// be seen. Not thread-safe.
class trade_window {
public:
  /// True when the trade is new. A trade without any id is always new.
  bool take(const trade_event& trade);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }       ///< new trades
  [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; } ///< trades seen before

private:
  static constexpr std::size_t length = 4096;
  static constexpr std::size_t slots = 2 * length; // a power of two

  [[nodiscard]] std::size_t slot_of(std::uint64_t key) const noexcept;
  void forget(std::uint64_t key) noexcept;

  std::vector<std::uint64_t> ring_;  // newest keys, allocated with the first trade
  std::vector<std::uint64_t> table_; // the same by hash, linear probing; 0 = free
  std::size_t next_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t replayed_ = 0;
};

} // namespace troupe
