#pragma once

/// Bars of fixed intervals out of trades, by the venue's own trade time.

#include "actors/feeds/events.hpp"

#include <functional>

namespace troupe {

/// The intervals every feed keeps.
inline constexpr std::array<nanoseconds, 7> bar_intervals{
    std::chrono::seconds{1}, std::chrono::minutes{1}, std::chrono::minutes{5}, std::chrono::minutes{15},
    std::chrono::hours{1},   std::chrono::hours{4},   std::chrono::hours{24}};

/// Builds the bars of one instrument. A bar is closed by the first later trade, or by the clock once it has
/// been over for the grace time. Intervals without a trade have no bar: nothing is invented. A trade older
/// than its open bar is counted as late and left out. Not thread-safe.
class bar_builder {
public:
  /// Takes a closed bar.
  using sink = std::function<void(const bar&)>;

  bar_builder(instrument_id instrument, nanoseconds grace, sink closed);

  /// Takes a trade in order of receipt.
  void on_trade(const trade_event& trade);

  /// Closes bars that ended at or before `venue_now` - grace.
  void advance(market_time venue_now);

  /// Closes whatever is open: the end of a recording. Those bars may be incomplete.
  void flush();

  /// The open bar of an interval; trades == 0 when there is none.
  [[nodiscard]] const bar& open_bar(std::size_t interval) const noexcept { return open_[interval]; }
  [[nodiscard]] std::uint64_t late() const noexcept { return late_; }

private:
  void start(bar& b, const trade_event& trade);
  void close(bar& b);

  std::array<bar, bar_intervals.size()> open_;
  std::array<market_time, bar_intervals.size()> done_; // end of the last closed bar
  nanoseconds grace_;
  sink closed_;
  std::uint64_t late_ = 0;
};

} // namespace troupe
