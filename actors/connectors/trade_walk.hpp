#pragma once

/// Which pages of a venue's past trades to ask for, until one hole of a feed is known from end to end. One
/// object for one hole. Pure: times are handed in, cursors and trades are handed out.
///
/// The trade behind the hole must be among what the venue tells: a page that ends before it came too early
/// (REST lags behind the socket) and is asked for again. What the venue does not tell any more is said: from
/// which time on its trades are known.

#include "actors/connectors/venue.hpp"
#include "messages/history.hpp"

#include <optional>

namespace troupe {

struct trade_walk_options {
  trade_hole hole;
  trade_rules rules;
  int attempts = 4;                                   ///< for one page; then the rest is lost
  int most_pages = 400;
  nanoseconds first_pause = std::chrono::seconds{2};  ///< steady; after a failure, doubles up to a minute
};

/// Not thread-safe.
class trade_walk {
public:
  explicit trade_walk(trade_walk_options options);

  /// The next page; nothing while one is under way, during a pause, and at the end. Takes note.
  std::optional<trade_cursor> next(steady_time now);

  /// The answer to the request under way: what the feed is told.
  past_trades on_page(trade_page page, steady_time now);

  /// The request under way had no usable answer. Something to tell when that was the last attempt.
  std::optional<past_trades> on_failure(steady_time now, std::string_view why);

  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] bool waits() const noexcept { return asked_; }
  [[nodiscard]] const trade_hole& hole() const noexcept { return options_.hole; }

private:
  [[nodiscard]] past_trades said() const;
  void pause(steady_time now);
  void end(past_trades& out, bool whole, std::string_view why);
  bool onwards(const trade_page& page, past_trades& out);
  bool backwards(const trade_page& page, past_trades& out);
  [[nodiscard]] bool reaches_end(const past_trade& t) const noexcept;
  [[nodiscard]] bool reaches_begin(const past_trade& t) const noexcept;

  trade_walk_options options_;
  trade_cursor at_;
  bool asked_ = false;
  bool done_ = false;
  bool end_seen_ = false; ///< the trade behind the hole was told
  int failures_ = 0;
  int pages_ = 0;
  steady_time pause_until_;
  market_time known_from_; ///< all trades behind it were told
};

} // namespace troupe
