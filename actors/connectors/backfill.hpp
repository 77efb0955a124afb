#pragma once

/// Which pages of a venue's own candles to ask for, so that no bar is missing that the venue has. One object
/// for one instrument and one interval. Pure: time is handed in, requests and bars are handed out.
///
/// What the venue leaves out of an answered page is a hole: it stays a hole and is not asked for again. Bars
/// are never invented. The newest row of every venue is an unfinished bar (facts of the venues' own
/// documents: both ends of a range inclusive, newest first, newest page only), so only what has ended for
/// the grace time is taken.

#include "actors/connectors/venue.hpp"

#include <map>
#include <optional>

namespace troupe {

struct backfill_options {
  instrument_id instrument;
  nanoseconds interval = std::chrono::minutes{1};
  candle_rules rules;
  nanoseconds grace = std::chrono::seconds{10}; ///< market time after its end until a bar is final
  int attempts = 4;                             ///< for one page; then it is left until the next review
  nanoseconds first_pause =
      std::chrono::seconds{2}; ///< steady time after a failure; doubles up to five minutes
};

/// Bars with from <= open time < to are asked for.
struct backfill_request {
  market_time from;
  market_time to;
  friend bool operator==(const backfill_request&, const backfill_request&) = default;
};

struct backfill_counts {
  std::uint64_t requests = 0;
  std::uint64_t bars = 0;     ///< handed out
  std::uint64_t holes = 0;    ///< bars that the venue does not have
  std::uint64_t refused = 0;  ///< rows that make no sense
  std::uint64_t failures = 0; ///< requests without a usable answer
  std::uint64_t given_up = 0; ///< pages left after the last attempt
};

/// Not thread-safe.
class backfill_series {
public:
  explicit backfill_series(backfill_options options);

  /// Reviews [from, to): what is not in `have` (open times, any order) and no known hole is missing. What
  /// was wanted before is forgotten. `to` is cut to what is final at `now`.
  void want(market_time from, market_time to, std::span<const market_time> have, market_time now);

  /// The next page to ask for; nothing while a request is under way, while it pauses after a failure, and
  /// when nothing is missing. Takes note that it is asked.
  std::optional<backfill_request> next(steady_time now);

  /// The answer to the request under way: bars to store, closed, ascending.
  std::vector<bar> on_page(const candle_page& page, market_time now, steady_time steady);

  /// The request under way had no usable answer.
  void on_failure(steady_time now);

  [[nodiscard]] bool waits() const noexcept { return asked_.has_value(); }
  /// Bars that are missing and not known to be holes.
  [[nodiscard]] std::uint64_t missing() const noexcept;
  [[nodiscard]] const backfill_counts& counts() const noexcept { return counts_; }
  [[nodiscard]] const backfill_options& options() const noexcept { return options_; }

private:
  /// Disjoint ranges of open times, end exclusive.
  using ranges = std::map<std::int64_t, std::int64_t>;

  static void add(ranges& to, std::int64_t from, std::int64_t until);
  static void cut(ranges& of, std::int64_t from, std::int64_t until);
  [[nodiscard]] bool sound(const bar& b) const;
  void close(std::int64_t from, std::int64_t until, market_time now);

  backfill_options options_;
  ranges missing_;
  ranges holes_;
  std::optional<backfill_request> asked_;
  steady_time pause_until_;
  int failures_ = 0; ///< of the page at the front
  backfill_counts counts_;
};

} // namespace troupe
