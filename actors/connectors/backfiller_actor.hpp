#pragma once

/// Fills holes in the store's bars of one venue from its REST interface: at the start, and whenever a review
/// finds a bar missing (the feed stores whole bars only, so a gap shows as a missing bar). One request at a
/// time, a budget of requests a minute, a longer pause when the venue says that it is too many.
/// Trades that a feed missed come first, in pages at the venue's own pace, and go to the feed, which mends its
/// bars with them; so what the store lacks in the end is what neither could have.
/// Requests run on an I/O thread of the actor's own; the actor never blocks.

#include "actors/connectors/backfill.hpp"
#include "actors/connectors/trade_walk.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/net/http_client.hpp"

#include <deque>
#include <memory>

namespace troupe {

class json_writer;

struct backfiller_options {
  const venue_description* venue = nullptr; ///< required
  std::vector<instrument_spec> instruments;
  std::vector<nanoseconds> intervals;
  nanoseconds lookback = std::chrono::hours{24}; ///< market time; at least `least_bars` of each interval
  std::int64_t least_bars = 300;
  net::address rest;
  std::optional<net::address> second_rest; ///< of products with a host of their own; else as above
  std::filesystem::path authority; ///< PEM; empty: the system's store
  std::uint32_t requests_per_minute = 20;
  std::string store = "store"; ///< who keeps the bars, by name
  nanoseconds tick = std::chrono::milliseconds{100};       ///< steady time between looks
  nanoseconds review_every = std::chrono::minutes{5};      ///< steady time between reviews of a series
  nanoseconds deadline = std::chrono::seconds{10};         ///< steady time of one request
  nanoseconds refusal_pause = std::chrono::minutes{1};     ///< steady time after HTTP 418, 429 and 403
  nanoseconds first_pause = std::chrono::seconds{2};       ///< see backfill_options
  bool trades = true;      ///< fetches trades that feeds miss
  bool candles = true;     ///< fetches bars that the store misses
  nanoseconds trade_pause{-1}; ///< steady time between two pages of trades; below 0: the venue's own
};

/// Actor state; lives on the actor's own thread.
class backfiller_state {
public:
  using handle_type = backfiller_actor;
  using self_pointer = actor_pointer<backfiller_actor>;
  static inline const char* name = "backfiller";

  backfiller_state(self_pointer self, actor_environment env, backfiller_options options);
  ~backfiller_state();
  backfiller_actor::behavior_type make_behavior();

private:
  struct series {
    instrument_spec spec;
    backfill_series plan;
    steady_time review_at;
    std::vector<market_time> have; ///< collected by a review under way
    std::string trouble;           ///< of the newest failure
  };

  /// A hole of a feed, and what the feed is.
  struct walk {
    const instrument_spec* spec = nullptr;
    trade_walk plan;
  };

  void on_tick();
  void send(const rest_call& call);
  void on_trade_hole(const trade_hole& hole);
  bool request_trades(steady_time now);
  void on_trades_answer(const rest_answer& answer);
  void tell_feed(walk& of, past_trades told);
  void review(series& of, market_time from, market_time to);
  void on_have(series& of, market_time from, market_time to, const bar_page& page);
  bool request(series& of);
  void on_answer(const rest_answer& answer);
  void keep(series& of, std::vector<bar> bars);
  void trouble(series& of, std::string why);
  void write_trades(json_writer& w) const;
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  backfiller_options options_;
  std::vector<std::unique_ptr<series>> series_;
  std::size_t turn_ = 0;      ///< whose turn it is
  series* asked_ = nullptr;   ///< whose request is under way
  std::deque<walk> walks_;    ///< in order of arrival; the first one is worked at
  bool walking_ = false;      ///< its request is under way
  steady_time next_trades_;
  std::uint64_t trade_pages_ = 0;
  std::uint64_t trade_rows_ = 0;
  std::uint64_t trade_holes_ = 0;
  std::uint64_t trade_holes_whole_ = 0;
  std::uint64_t trade_holes_refused_ = 0; ///< no room, or unknown instruments
  std::string trade_trouble_;
  bool busy_ = false;         ///< the store is asked
  std::uint64_t request_ = 0; ///< number of the request under way
  steady_time next_request_;
  steady_time next_refused_; ///< the venue has said that it is too many
  std::uint64_t stored_ = 0;
  std::uint64_t store_failures_ = 0;
  // Last: destroyed first, so that no callback meets a half-destroyed state.
  net::io_runner io_;
  std::unique_ptr<net::http_client> rest_;
  std::unique_ptr<net::http_client> second_rest_;
};

} // namespace troupe
