#pragma once

/// A world in virtual time around the executor core: disk, venue, risk, network and faults, driven
/// by one seeded scheduler. The same seed gives the same run. Everything that decides is the
/// product's own pure code; only what surrounds it is made here. Invariants are checked while the
/// world turns
/// (`violations`), and once more when it has come to rest (`check_end`).

#include "actors/executors/client_id.hpp"
#include "actors/executors/executor.hpp"

#include <functional>
#include <queue>

namespace troupe::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Fewer rounds under sanitizers, which make everything ten times slower.
constexpr std::uint64_t rounds(std::uint64_t count) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return count / 10;
#else
  return count;
#endif
}

/// splitmix64: small, seedable, the same on every machine.
class random_source {
public:
  explicit random_source(std::uint64_t seed) : state_{seed} {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(double p) { return static_cast<double>(next() >> 11) < p * 9007199254740992.0; }
  nanoseconds span(nanoseconds low, nanoseconds high) {
    return nanoseconds{between(low.count(), high.count())};
  }

private:
  std::uint64_t state_;
};

/// Discrete events on virtual steady time.
class scheduler {
public:
  void after(nanoseconds delay, std::function<void()> what) {
    queue_.push({now_ + delay, next_++, std::move(what)});
  }
  [[nodiscard]] steady_time now() const { return now_; }
  /// Runs everything up to `until`.
  void run(steady_time until) {
    while (!queue_.empty() && queue_.top().at <= until) {
      auto event = queue_.top();
      queue_.pop();
      now_ = std::max(now_, event.at);
      event.what();
      ++steps;
    }
    now_ = std::max(now_, until);
  }
  std::uint64_t steps = 0;

private:
  struct event {
    steady_time at;
    std::uint64_t number;
    std::function<void()> what;
    bool operator<(const event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };
  std::priority_queue<event> queue_;
  steady_time now_{};
  std::uint64_t next_ = 0;
};

/// How often what goes wrong. Probabilities per message unless said.
struct faults {
  double drop_before_accept = 0; ///< the venue never sees the place, no answer
  double accept_then_drop = 0;   ///< the venue takes it, the answer is lost
  double late_accept = 0; ///< no answer, and the venue takes it seconds later (within its horizon)
  double lost_event = 0;  ///< a private event that never comes
  double duplicate_event = 0;
  double late_fee = 0;       ///< the private event of a fill names no fee
  double refused_cancel = 0; ///< "unknown order" although it lives; the venue lags
  double failed_read = 0;    ///< queries and lists end in an error
  double reject = 0;         ///< a post-only order would take
  double session_break = 0;  ///< per second
  nanoseconds slow_ack{};    ///< added at most to an acknowledgement
};

/// Deliberate faults of the *shell* that the checker must find; the product has none of them.
struct planted {
  bool send_before_sync = false;
  bool unknown_is_rejected = false;
  bool blind_resend = false;
};

struct world_options {
  std::uint64_t seed = 1;
  faults odds;
  planted bugs;
  double market_rate = 1.0;
  nanoseconds crash_every{}; ///< mean of random kills; zero = none
  nanoseconds decide_every = seconds{2};
  kill_point kill_at = kill_point::none; ///< at its `kill_count`-th passing
  std::uint32_t kill_count = 1;
  executor_options executor; ///< account and instruments are filled in
  bool fills = true;         ///< resting orders get filled at random
};

inline constexpr const char* instrument_name = "BTC-USDT@binance";

inline instrument_spec btc_spec() {
  instrument_spec spec;
  spec.id = {instrument_name};
  spec.venue_symbol = "BTCUSDT";
  spec.price_scale = 2;
  spec.size_scale = 5;
  spec.tick = {1};
  spec.lot = {1};
  spec.min_size = {1};
  spec.max_size = {900'000'000};
  spec.min_notional = {5'0000000}; // 5 USDT at 10^-7
  return spec;
}

/// The venue: its own books are the truth.
struct venue {
  struct row {
    intent what;
    std::string venue_id;
    order_state state = order_state::acknowledged;
    size filled;
    std::vector<fill> fills;
  };
  std::map<std::string, row> orders;       ///< by venue order id
  std::map<std::string, std::string> live; ///< client id → venue order id, open orders only
  std::map<std::string, int> placed;       ///< client id → orders ever made of it
  std::vector<fill> trades;
  std::int64_t base = 100'00000000; ///< 10^-8
  std::int64_t quote = 10'000'000'00000000;
  std::uint64_t next_order = 1000;
  std::uint64_t next_trade = 5000;

  [[nodiscard]] const row* by_client(const std::string& id) const {
    const row* newest = nullptr;
    for (const auto& [venue_id, r] : orders)
      if (r.what.client_id == id) newest = &r;
    return newest;
  }
};

class world : public gateway_events {
public:
  explicit world(world_options options);

  /// Turns the world for so long.
  void run(nanoseconds span) { clock_.run(clock_.now() + span); }
  /// No more faults, decisions or kills; waits until the executor is at rest, at most so long.
  bool settle(nanoseconds at_most);
  /// What must hold at rest. Appends to `violations`.
  void check_end();

  // Levers.
  void start_process();
  void kill_process();
  void pause_process(nanoseconds span);
  /// A second process starts while the first is paused: another life with a higher epoch.
  void take_over();
  void halt(trading_state state);
  void decide(std::int64_t target);
  void break_session();
  void set_risk_reachable(bool reachable) { risk_up_ = reachable; }
  void set_odds(const faults& odds) { options_.odds = odds; }
  void kill_at(kill_point where, std::uint32_t count) {
    options_.kill_at = where, options_.kill_count = count;
  }
  void stop_deciding() { deciding_ = false; }
  /// A person trades by hand.
  void foreign_trade(side direction, std::int64_t quantity, bool our_client_id);
  void fill_some(double chance);

  [[nodiscard]] instant now() const;
  [[nodiscard]] executor_core* core() { return life_ ? life_->core.get() : nullptr; }
  [[nodiscard]] venue& exchange() { return venue_; }
  [[nodiscard]] risk_core& risk() { return risk_; }
  [[nodiscard]] const std::vector<executor_record>& disk() const { return durable_; }
  [[nodiscard]] scheduler& clock() { return clock_; }
  [[nodiscard]] const faults& odds() const { return options_.odds; }

  std::vector<std::string> violations;
  std::vector<std::string> alarms;
  std::uint64_t kills = 0;
  std::uint64_t sent = 0;
  std::uint64_t sent_while_unsynced = 0;
  std::uint64_t kills_in_flight = 0;
  nanoseconds longest_recovery{};
  std::optional<steady_time> last_sent;

  // gateway_events: the session of this life only
  void on_outcome(const command_outcome&) override {}
  void on_open_orders(const open_orders_outcome&) override {}
  void on_trades(const trades_outcome&) override {}
  void on_account(const account_outcome&) override {}
  void on_rules(const rules_outcome&) override {}
  void on_report(const order_report&) override {}
  void on_balances(const std::vector<asset_balance>&, market_time) override {}
  void on_session(const session_event&) override {}

private:
  /// One process: what dies with kill -9.
  struct life {
    std::uint64_t number = 0;
    std::uint64_t epoch = 0;
    std::unique_ptr<executor_core> core;
    bool paused = false;
    bool session = false;
    bool read_open_orders = false;
    bool read_account = false;
    bool was_ready = false;
    steady_time born;
    steady_time lease_end; ///< as the checker counts it
    std::optional<halt_state> told;
    std::vector<std::function<void()>> waiting; ///< arrived while paused
    std::vector<executor_record> unsynced;
    std::uint64_t session_number = 0;
  };

  void deliver(std::uint64_t number, nanoseconds delay, std::function<void(life&)> what);
  life* find_life(std::uint64_t number);
  void pump(life& l);
  void perform(life& l, const executor_action& action);
  void do_append(life& l, const append_records& append);
  void do_place(life& l, const place_order& action);
  void do_read(life& l, const executor_action& action);
  void wire_place(life& l, command_id command, const intent& order);
  void wire_cancel(life& l, const cancel_order& action);
  void answer(std::uint64_t number, nanoseconds delay, command_outcome outcome);
  void venue_place(const intent& order, command_id command, std::uint64_t number, bool answered);
  void venue_fill(venue::row& r, std::int64_t quantity);
  void venue_end(venue::row& r, order_state state);
  void private_event(const venue::row& r, const fill* execution);
  order_report report_of(const venue::row& r) const;
  bool passes(life& l, kill_point where);
  void violate(std::string what) { violations.push_back(std::move(what)); }
  void check_wire(life& l, const intent& order);
  void tick(std::uint64_t number);
  void move_market();
  void open_session(life& l);
  bool is_durable(const std::string& client_id) const;

  world_options options_;
  random_source dice_;
  scheduler clock_;
  venue venue_;
  risk_core risk_;
  std::vector<executor_record> durable_;
  std::unique_ptr<life> life_;
  std::unique_ptr<life> old_life_;
  std::uint64_t lives_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t decisions_ = 0;
  std::int64_t mid_ = 60'000'00;
  quote newest_;
  bool deciding_ = true;
  bool risk_up_ = true;
  bool turning_ = true;
  std::optional<steady_time> halted_at_;
  std::uint64_t quotes_ = 0;
};

/// Options of a world that trades a lot: small sizes, quick replacement.
inline world_options busy(std::uint64_t seed) {
  world_options o;
  o.seed = seed;
  o.executor.policy.time_to_live = seconds{3};
  o.executor.policy.cross_after = seconds{8};
  o.executor.policy.max_quote_age = seconds{2};
  return o;
}

/// The same with everything going wrong now and then.
inline world_options stormy(std::uint64_t seed) {
  auto o = busy(seed);
  o.odds = {.drop_before_accept = 0.04,
            .accept_then_drop = 0.04,
            .late_accept = 0.03,
            .lost_event = 0.05,
            .duplicate_event = 0.05,
            .late_fee = 0.1,
            .refused_cancel = 0.03,
            .failed_read = 0.05,
            .reject = 0.03,
            .session_break = 0.02,
            .slow_ack = milliseconds{300}};
  o.crash_every = seconds{12};
  return o;
}

} // namespace troupe::sim
