#pragma once

/// Makes bars whole that lack trades: at the start, after a break of the session, and where the venue's trade
/// numbers show a hole. Trades of the hole come from the venue's past (REST); bars that overlap it wait for
/// them. Pure: times are handed in, requests and bars are handed out.
///
/// A hole begins at the last trade before it and ends with the first trade behind it, so its own trades lie
/// between the two, and a bar is: what came before, what was missing, what came after. Highs, lows and sums
/// don't ask for order; the open is the hole's when nothing of the bar came before it, the close when nothing
/// came after. What the venue can't tell any more stays a hole: its bars are not handed out, and it is counted.

#include "actors/feeds/bars.hpp"
#include "messages/history.hpp"

#include <deque>
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

namespace troupe {

/// What tells a trade from others, on the socket and in the venue's past alike.
enum class trade_identity : std::uint8_t {
  id,     ///< the venue's id, text or number
  number, ///< its number, though the socket has another id besides
  content ///< the venue's past has no ids: time, price, size, side, and the place among equal ones
};

struct bar_mender_options {
  instrument_id instrument;
  trade_identity known_by = trade_identity::id;
  bool fetches = true; ///< false: the venue's past is not asked; each hole is lost as soon as it ends
  nanoseconds reach = std::chrono::minutes{15};        ///< market time; what lies further back is lost
  nanoseconds answer_within = std::chrono::minutes{2}; ///< steady time; then it is asked for again
  int asks = 3;                                        ///< unanswered ones until the hole is lost
  std::size_t most_trades = 200'000;                   ///< of one hole; with more it is lost
  std::size_t most_waiting = 8192;                     ///< bars that wait; with more the oldest hole is lost
};

/// A time without trades of ours that the venue did not tell: from < trade time < to.
struct lost_trades {
  market_time from;
  market_time to;
  std::string why;
};

/// Since construction; they only grow.
struct bar_mender_counts {
  std::uint64_t holes = 0;   ///< ended ones and the open one
  std::uint64_t filled = 0;  ///< of these wholly
  std::uint64_t lost = 0;    ///< of these not, or in part only
  std::uint64_t trades = 0;  ///< that were missing and came
  std::uint64_t known = 0;   ///< told by the venue, but taken from the socket already
  std::uint64_t mended = 0;  ///< bars that got trades
  std::uint64_t partial = 0; ///< bars not handed out: they lack trades
};

/// Not thread-safe.
class bar_mender {
public:
  /// Everything before `now` is missing, from the reach on.
  bar_mender(bar_mender_options options, market_time now);

  /// A trade of the socket, each once, in order of receipt.
  void on_trade(const trade_event& trade);

  /// Trades may be missing between the last trade and the next one.
  void on_break(market_time now);

  /// A bar out of the socket's trades was closed. Call before `on_trade` of the trade that closed it.
  void on_bar(const bar& b);

  /// Trades of a hole, or its end.
  void on_past(const past_trades& told, steady_time now);

  /// The hole to ask for now, at most one at a time. Takes note that it is asked.
  std::optional<trade_hole> due(market_time now, steady_time steady);

  /// Whole bars, each once: those of the socket and those that were mended.
  std::vector<bar> take_ready();

  [[nodiscard]] const bar_mender_counts& counts() const noexcept { return counts_; }
  /// Holes that are open or wait for their trades.
  [[nodiscard]] std::size_t waiting() const noexcept { return holes_.size(); }
  [[nodiscard]] std::size_t bars_waiting() const noexcept { return held_.size(); }
  /// The newest that were lost, oldest first.
  [[nodiscard]] const std::deque<lost_trades>& lost() const noexcept { return lost_; }

private:
  struct seen_trade {
    std::uint64_t key = 0;
    market_time at;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    size quantity;
  };
  struct hole {
    std::uint64_t number = 0;
    market_time from;              ///< time of the last trade before, or the reach
    bool after_trade = false;      ///< a trade came before it
    bool ended = false;
    market_time to;                ///< time of the first trade behind
    std::uint64_t first = 0;       ///< numbers of trades: the first missing one, where known
    std::uint64_t end = 0;         ///< and the one that ended it
    bool cut = false;              ///< its beginning lay beyond the reach
    std::vector<seen_trade> before; ///< the newest of the socket in front of it
    std::vector<seen_trade> after;  ///< the first ones behind it
    std::unordered_set<std::uint64_t> keys; ///< of `before`, `after` and what came
    std::map<std::uint64_t, std::uint32_t> places; ///< of equal trades by content
    std::vector<past_trade> came;
    int asks = 0;
    std::optional<steady_time> asked;
  };
  using bar_key = std::pair<std::int64_t, std::int64_t>; ///< interval, open time
  struct patch {
    bar part;
    bool keep_open = false;
    bool keep_close = false;
  };

  [[nodiscard]] std::uint64_t key_of(const trade_event& trade) const;
  void begin(market_time from, bool after_trade);
  void end_hole(hole& h, const trade_event& trade);
  void cut(hole& h, market_time reach);
  void take(hole& h, const past_trade& t);
  bool take_part(hole& h, const past_trade& t);
  void resolve(market_time known_from, bool whole, const std::string& why);
  void lose(hole& h, market_time until, const std::string& why);
  void add_parts(hole& h);
  void add_part(const hole& h, const bar& part);
  void release();
  [[nodiscard]] bool waits(const bar& b) const;
  [[nodiscard]] bool lacks(const bar& b) const;

  bar_mender_options options_;
  std::deque<hole> holes_;
  std::deque<lost_trades> lost_;
  market_time begins_;             ///< nothing before it is known
  std::vector<seen_trade> recent_; ///< ring of the socket's newest
  std::size_t next_recent_ = 0;
  std::deque<std::uint64_t> told_; ///< keys of the newest that the past has told
  std::optional<seen_trade> last_;
  std::map<bar_key, bar> held_;
  std::map<bar_key, std::vector<patch>> patches_;
  std::vector<bar> ready_;
  std::uint64_t next_hole_ = 1;
  bar_mender_counts counts_;
};

/// The key by which `trade_identity::content` knows a trade, without its place among equal ones.
std::uint64_t content_key(market_time at, price at_price, size quantity, side taker) noexcept;

} // namespace troupe
