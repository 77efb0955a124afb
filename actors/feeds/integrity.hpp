#pragma once

/// How far a feed can be trusted: agreement with the venue's own best bid and ask of the same number (those without a
/// number: timed_agreement.hpp), the clock's offset, and the frames that could not be decoded.

#include "actors/feeds/events.hpp"

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// Compares the book's top after each change with the venue's own best bid and ask, price and size.
/// Changes and quotes share the venue's sequence numbers but not the order of arrival, so a comparison waits
/// until later quotes have come. Two counts: quotes of exactly the change's number, and the last quote at
/// or below it. Not thread-safe.
class agreement_meter {
public:
  struct counts {
    std::uint64_t equal_number = 0;        ///< changes with a quote of exactly their number
    std::uint64_t equal_number_agreed = 0; ///< of these with the same price and size on both sides
    std::uint64_t compared = 0;            ///< changes with any quote at or below their number
    std::uint64_t agreed = 0;              ///< of these with the same price and size on both sides
  };

  void on_top(std::uint64_t sequence, const level& bid, const level& ask);
  void on_best(const best_event& best);
  /// Judges what still waits: the end of a recording.
  void finish();
  /// Forgets what waits: the book was dropped.
  void reset() noexcept;

  /// The book is not the venue's: five quotes of exactly a change's number differed in a row. Only where as many
  /// have agreed before, because a venue may count its quotes in another way than its changes.
  [[nodiscard]] bool lost() const noexcept { return in_row_ >= run && counts_.equal_number_agreed >= run; }

  [[nodiscard]] const counts& figures() const noexcept { return counts_; }

private:
  static constexpr std::uint64_t run = 5;

  struct top {
    std::uint64_t sequence = 0;
    level bid;
    level ask;
  };
  void judge(const top& t);
  void settle();

  std::deque<top> waiting_; // tops, ascending
  std::deque<top> quotes_;  // the venue's, ascending
  std::uint64_t in_row_ = 0; // quotes of a change's number that differed, one after the other
  counts counts_;
};

/// Receive time - venue time, to the millisecond, within ±60 s. Older samples count less and less.
/// Negative where the receiver's clock is behind. Not thread-safe.
class offset_meter {
public:
  offset_meter();
  void take(nanoseconds offset) noexcept;
  /// 0 before the first sample.
  [[nodiscard]] nanoseconds median() const noexcept { return percentile(50); }
  /// The least value that `percent` of the samples don't exceed; 0 before the first sample.
  [[nodiscard]] nanoseconds percentile(unsigned percent) const noexcept;
  [[nodiscard]] std::uint64_t samples() const noexcept { return total_; }

private:
  void halve() noexcept;

  static constexpr std::int64_t reach = 60'000;
  static constexpr std::size_t page_bins = 256;
  using page = std::array<std::uint32_t, page_bins>; // one bin a millisecond
  std::vector<std::unique_ptr<page>> pages_;         // made when first needed: offsets lie close together
  std::vector<std::uint64_t> sums_;                  // of each page
  std::uint64_t total_ = 0;
  std::uint64_t taken_ = 0;
};

/// How far apart the two clocks are: the least receive time - venue time of the last ten minutes, which is the
/// difference of the clocks and the shortest way together (minimum filter, as of NTP, RFC 5905 section 10; one way
/// alone can't tell the two apart). Not thread-safe.
class offset_floor {
public:
  /// Returns by how much this sample is above the least one, itself included: never negative.
  nanoseconds take(market_time received, nanoseconds offset) noexcept;
  /// 0 before the first sample.
  [[nodiscard]] nanoseconds least() const noexcept { return samples_ ? least_ : nanoseconds{0}; }

private:
  static constexpr nanoseconds slot_length = std::chrono::minutes{1};
  static constexpr std::size_t slots = 10;
  void turn(market_time received) noexcept;

  std::array<nanoseconds, slots> floors_{}; ///< of each minute; nanoseconds::max(): none
  std::size_t at_ = 0;
  market_time turns_;
  nanoseconds least_ = nanoseconds::max();
  bool samples_ = false;
};

/// The newest damaged frames, for people; bounded in count and bytes. Not thread-safe.
class quarantine {
public:
  struct entry {
    market_time received;
    frame_damage damage = frame_damage::none;
    std::size_t bytes = 0; ///< length of the frame
    std::string head;      ///< its first bytes
  };

  void keep(market_time received, frame_damage damage, std::string_view frame);
  [[nodiscard]] const std::deque<entry>& entries() const noexcept { return entries_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

private:
  static constexpr std::size_t max_entries = 32;
  static constexpr std::size_t max_head = 512;
  std::deque<entry> entries_;
  std::uint64_t total_ = 0;
};

} // namespace troupe
