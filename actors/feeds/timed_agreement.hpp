#pragma once

/// Agreement of the book with the venue's own best bid and ask where these carry no number (Deribit quote, tickers of
/// Coinbase, Kraken and Bitfinex): by time. Pure, no clock of its own.
///
/// A reading agrees when, on each side, its price lies between the lowest and the highest best price that the book had
/// within the window around it: venues gather changes of the book into steps of 50 or 100 ms and send readings between
/// the steps, so that a price may only have been passed. A book that stands still must therefore have exactly that
/// price. It is equal when at some instant both sides had its price and its size. A reading that did not agree through
/// the whole window, while the book was whole all the time, disagrees; what can't be said is undecided.

#include "actors/feeds/events.hpp"

#include <cstdint>
#include <deque>

namespace troupe {

/// All times are receive times.
struct timed_agreement_options {
  nanoseconds window = std::chrono::seconds{1}; ///< before and behind a reading
  std::uint32_t run = 5;  ///< readings that disagree one after the other, at least `window` apart, are a fault
  std::size_t most_waiting = 512; ///< readings whose window is not over; beyond, the oldest is undecided
};

/// Not thread-safe. Costs nothing before the first reading.
class timed_agreement {
public:
  struct counts {
    std::uint64_t agreed = 0;
    std::uint64_t equal = 0; ///< of these with the same prices and sizes at an instant
    std::uint64_t disagreed = 0;
    std::uint64_t undecided = 0;
  };

  explicit timed_agreement(timed_agreement_options options = {}) noexcept : options_{options} {}

  /// The top of a valid book at this time; changes only need to be told.
  void on_top(market_time at, const level& bid, const level& ask) {
    if (armed_) [[unlikely]]
      take_top(at, bid, ask);
  }

  /// The venue's reading while the book is valid, with the book's top as it stands. A size of 0 is not compared.
  void on_best(market_time at, const level& bid, const level& ask, const level& our_bid, const level& our_ask);

  /// A reading while there is no valid book.
  void without_book() noexcept { ++counts_.undecided; }

  /// Judges the readings whose window is over. True once `run` of them disagreed in a row: the book is not the venue's.
  [[nodiscard]] bool advance(market_time now);

  /// The book was dropped: what waits can't be decided.
  void reset() noexcept;

  /// The end of a recording: what waits and has not agreed is undecided.
  void finish() noexcept { reset(); }

  [[nodiscard]] const counts& figures() const noexcept { return counts_; }

private:
  struct top {
    market_time from;
    level bid;
    level ask;
  };
  struct reading {
    market_time at;
    level bid;
    level ask;
    bool whole = false; ///< the book was valid through the window before it
    bool equal = false;
    std::int64_t bid_low = 0, bid_high = 0; ///< our best prices within the window
    std::int64_t ask_low = 0, ask_high = 0;

    void see(const top& ours) noexcept;
    [[nodiscard]] bool agrees() const noexcept {
      return bid_low <= bid.at.raw && bid.at.raw <= bid_high && ask_low <= ask.at.raw && ask.at.raw <= ask_high;
    }
  };
  void take_top(market_time at, const level& bid, const level& ask);
  void judge(const reading& r);

  timed_agreement_options options_;
  bool armed_ = false;
  market_time since_;          ///< from here on the book was valid
  std::deque<top> tops_;       ///< the last one stands still
  std::deque<reading> waiting_;
  std::uint32_t in_row_ = 0;   ///< disagreements since the last agreement
  market_time first_in_row_;
  market_time last_in_row_;
  counts counts_;
};

} // namespace troupe
