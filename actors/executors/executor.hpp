#pragma once

/// The executor of one account as a pure event machine: events in, actions out.
///
/// It holds the promises P1-P5 and P8: an intent is journaled and synced before its order may
/// leave; what has no answer is asked for by client order id until the venue has answered; nothing
/// new leaves before the account is reconciled, without risk's lease, while halted, or past the
/// intent's expiry; what may be at the venue counts as if it were filled. The shell (an actor, or a
/// test in virtual time) carries out the actions in order and brings back what came of them. Not
/// thread-safe. Market time decides about prices and expiry, steady time about leases and
/// time-outs.

#include "actors/executors/ledger.hpp"
#include "actors/executors/order.hpp"
#include "actors/executors/risk.hpp"
#include "actors/executors/venue_gateway.hpp"

#include <memory>
#include <optional>
#include <set>
#include <variant>

namespace troupe {

// --- options -------------------------------------------------------------------------------------

/// How a target position is turned into orders. Durations in market time.
struct execution_policy {
  bool post_only = true; ///< rest as limit_maker; false: plain limit
  nanoseconds time_to_live =
      std::chrono::seconds{10};   ///< a resting order older than this is replaced
  std::int64_t reprice_ticks = 1; ///< replaced when the touch is further away than this
  std::optional<nanoseconds>
      cross_after;              ///< waited passively so long: take the other side; unset = never
  std::int64_t cross_ticks = 2; ///< how far beyond the opposite touch a crossing limit lies
  size max_slice;               ///< largest single order; 0 = the whole difference
  std::uint32_t layers = 1;     ///< orders into which a difference is split, at one price each ...
  std::int64_t layer_ticks = 0; ///< ... this far apart, the first at the touch
  nanoseconds intent_expiry = std::chrono::seconds{5};  ///< not sent later than this after creation
  nanoseconds decision_life = std::chrono::minutes{10}; ///< an older decision opens nothing more
  nanoseconds max_quote_age = std::chrono::seconds{5};  ///< no order on an older quote
};

/// What to do about orders and fills at the venue that are not in the journal.
enum class external_policy : std::uint8_t {
  quarantine, ///< book their fills, send nothing more on the instrument until a person has looked
  adopt,      ///< book their fills and go on
};

/// What to do about a balance that the fills don't explain.
enum class balance_policy : std::uint8_t {
  block, ///< stay unreconciled: no new order until a person accepts the balance or it is explained
  alarm, ///< alarm and go on
};

struct executor_options {
  account_id account;
  std::vector<ledger_instrument> instruments;
  execution_policy policy;
  external_policy externals = external_policy::quarantine;
  balance_policy balances = balance_policy::block;
  // All of the following are steady time.
  nanoseconds lease_renewal = std::chrono::milliseconds{250};
  nanoseconds lease_margin = std::chrono::milliseconds{50}; ///< taken off the lease
  nanoseconds risk_timeout =
      std::chrono::seconds{1}; ///< no verdict by then: the order is dropped unsent
  nanoseconds command_timeout =
      std::chrono::seconds{12}; ///< no outcome from the gateway by then: unknown
  nanoseconds first_query =
      std::chrono::milliseconds{200};               ///< back-off of queries: doubles from here …
  nanoseconds last_query = std::chrono::seconds{5}; ///< … to here, with jitter
  nanoseconds first_hold =
      std::chrono::milliseconds{100}; ///< pause after a denial or rejection: doubles …
  nanoseconds last_hold = std::chrono::seconds{30};   ///< … to here
  nanoseconds audit_every = std::chrono::seconds{15}; ///< trades and balances are compared so often
  nanoseconds balance_retry =
      std::chrono::milliseconds{300}; ///< a difference may be a fill on its way
  std::uint32_t balance_tries = 6;
  std::size_t remembered_orders = 20'000; ///< ended orders kept for late events
};

// --- records and actions
// ----------------------------------------------------------------------------

/// What is written to the order journal.
using executor_record =
    std::variant<journal_session, intent, journal_sent, order_report, journal_cursor, halt_state,
                 decision, journal_note, journal_balance>;

/// Ask risk about one order; answer with `on_verdict`, or with `on_risk_silent`.
struct ask_risk {
  risk_request request;
};
/// Append and sync; answer with `on_committed(token)`, or `on_journal_failed`. Token 0 wants no
/// answer.
struct append_records {
  std::uint64_t token = 0;
  std::vector<executor_record> records;
};
/// Call `release` and, if it returns an order, hand it to the gateway at once.
struct place_order {
  command_id command = 0;
  std::string client_id;
};
struct cancel_order {
  command_id command = 0;
  instrument_id instrument;
  std::string client_id;
};
struct query_order {
  command_id command = 0;
  instrument_id instrument;
  std::string client_id;
};
struct fetch_open_orders {
  command_id command = 0;
  instrument_id instrument;
};
struct fetch_trades {
  command_id command = 0;
  instrument_id instrument;
  std::string trade_id;
};
struct fetch_account {
  command_id command = 0;
};
/// Ask risk for the lease; answer with `on_lease` and the steady time taken before asking.
struct ask_lease {
  lease_request request;
};
/// Tell people.
struct raise_alarm {
  std::string what;
  std::string text;
};
/// Another executor owns the account, or the journal is gone: the actor must end. No action
/// follows.
struct end_executor {
  std::string why;
};

using executor_action = std::variant<ask_risk, append_records, place_order, cancel_order,
                                     query_order, fetch_open_orders, fetch_trades, fetch_account,
                                     ask_lease, raise_alarm, end_executor>;

/// Places where a test kills the process (facts: reliability, row 2). The shell passes them.
enum class kill_point : std::uint8_t {
  none,
  before_sync,
  after_sync_before_send,
  after_send_before_ack
};

// --- the machine
// ---------------------------------------------------------------------------------------

class executor_core {
public:
  executor_core(executor_options options, gateway_traits traits);
  ~executor_core();
  executor_core(const executor_core&) = delete;
  executor_core& operator=(const executor_core&) = delete;

  /// Says whether instruments and options make sense; call once, before anything else.
  [[nodiscard]] status open();

  // Restart: every record of the journal in order, then `start`.
  [[nodiscard]] status replay(const executor_record& record, instant now);
  /// Goes to reconciling. `epoch` as the journal gave it, above all earlier ones.
  void start(std::uint64_t epoch, std::uint64_t journal_records, instant now);

  // Events. Each may add actions.
  /// Returns the newest decision sequence known for the instrument; an older decision is ignored.
  std::uint64_t on_decision(const decision& d, instant now);
  void on_quote(const quote& q, instant now);
  void on_verdict(const risk_verdict& verdict, instant now);
  void on_risk_silent(const std::string& client_id, instant now);
  void on_committed(std::uint64_t token, instant now);
  void on_journal_failed(const std::string& why);
  void on_outcome(const command_outcome& outcome, instant now);
  void on_open_orders(const open_orders_outcome& outcome, instant now);
  void on_trades(const trades_outcome& outcome, instant now);
  void on_account(const account_outcome& outcome, instant now);
  void on_report(const order_report& report, instant now);
  void on_session(const session_event& event, instant now);
  void on_lease(const lease_grant& grant, steady_time asked, instant now);
  void on_halt(const halt_state& state, instant now);
  /// Call every 20-50 ms of steady time: renewals, time-outs, queries, audits.
  void on_tick(instant now);

  /// A person accepts the venue's balances as they are, or the instrument after a look (with a
  /// reason).
  void accept_balances(const std::string& who, instant now);
  void release_quarantine(const instrument_id& instrument, const std::string& who, instant now);

  /// The last gate, right before the wire, with a clock read at that moment. Returns the order to
  /// be handed to the gateway, or null when it may not leave any more (it is denied and journaled
  /// then).
  [[nodiscard]] const intent* release(const std::string& client_id, instant now);

  /// Takes what is to be done, in order.
  [[nodiscard]] std::vector<executor_action> take_actions();

  // What is known.
  [[nodiscard]] executor_state state(instant now) const;
  [[nodiscard]] executor_report report(instant now) const;
  [[nodiscard]] const ledger& books() const noexcept { return ledger_; }
  [[nodiscard]] const order* find(const std::string& client_id) const;
  [[nodiscard]] size position(const instrument_id& instrument) const {
    return ledger_.position_size(instrument);
  }
  /// True once every order has an end and nothing is being asked for.
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool reconciled() const noexcept { return reconciled_; }
  /// JSON object of everything an operator wants to see; a superset of the report's fields.
  [[nodiscard]] std::string status_json(instant now) const;

private:
  struct tracked;
  struct market;
  struct reconcile_run;
  enum class purpose : std::uint8_t { place, cancel, query, open_orders, trades, account };
  struct pending_command {
    purpose what = purpose::place;
    std::string client_id;
    instrument_id instrument;
    std::uint64_t run = 0; ///< number of the reconcile run it belongs to
    steady_time deadline;  ///< no outcome by then: taken as unknown
  };

  // orders (executor.cpp)
  tracked* find_tracked(const std::string& client_id);
  tracked* find_by_venue_id(const std::string& venue_order_id);
  void apply_report(tracked& t, const order_report& report, instant now);
  void take_change(tracked& t, const order_change& change, const order_report& source, instant now);
  void book_fills(const std::vector<fill>& fills, market& m);
  void after_change(tracked& t, instant now);
  void on_place_outcome(tracked& t, const command_outcome& outcome, instant now);
  void on_cancel_outcome(tracked& t, const command_outcome& outcome, instant now);
  void on_query_outcome(tracked& t, const command_outcome& outcome, instant now);
  void drop_unsent(tracked& t, deny_code code, const std::string& text, instant now);
  void lose(tracked& t, instant now);
  void forget_old_orders();
  deny_code may_send(const tracked& t, instant now, std::string& text) const;
  void take_external(const order_report& report, instant now);
  void replay_note(std::string_view text);
  void quarantine(market& m, const std::string& why, instant now);

  // asking (executor_recovery.cpp)
  void begin_reconcile(const std::string& why, instant now);
  void continue_reconcile(instant now);
  void ask_open_orders(instant now);
  bool queries_answered(instant now);
  bool trades_fetched(instant now);
  void finish_reconcile(instant now);
  void compare_balances(const account_outcome& outcome, instant now);
  void take_baseline(const journal_balance& balance);
  std::string balance_difference(const account_outcome& outcome) const;
  void start_query(tracked& t, instant now);
  void start_trades(market& m, instant now);
  void ask_account(instant now);
  void take_trade(market& m, const fill& f, instant now);
  void settle_orphans(market& m, instant now);
  void take_external_fill(market& m, const fill& f, instant now);
  void judge_absence(tracked& t, instant now);
  void work_on_unknown(tracked& t, instant now);
  [[nodiscard]] nanoseconds backoff(nanoseconds first, nanoseconds last, std::uint32_t tries,
                                    const std::string& salt) const;

  // planning (executor_plan.cpp)
  void plan(market& m, instant now);
  void plan_all(instant now);
  void plan_layer(market& m, const std::vector<tracked*>& working, instant now);
  void manage(market& m, tracked& t, std::int64_t room, instant now);
  [[nodiscard]] bool should_cancel(const market& m, const tracked& t, std::int64_t room, instant now,
                                   std::string& why) const;
  void want_cancel(tracked& t, instant now);
  void create_order(market& m, side direction, size quantity, bool crossing, price limit, instant now);
  void hold(market& m, instant now);
  [[nodiscard]] std::vector<tracked*> working_orders(const market& m);
  [[nodiscard]] bool can_open(const market& m, instant now) const;
  [[nodiscard]] size wanted(const market& m) const;
  [[nodiscard]] price passive_price(const market& m, side direction) const;
  [[nodiscard]] price crossing_price(const market& m, side direction) const;
  [[nodiscard]] price free_layer(const market& m, side direction, const std::vector<tracked*>& working) const;
  [[nodiscard]] std::int64_t share_of(const market& m, std::int64_t room, std::size_t free, price limit) const;

  // actions
  void act(executor_action action);
  void write(executor_record record);
  void alarm(std::string what, std::string text);
  void end(const std::string& why);
  command_id command(purpose what, const std::string& client_id, const instrument_id& instrument,
                     instant now);
  [[nodiscard]] std::optional<pending_command> finished(command_id command);
  void expire_commands(instant now);
  [[nodiscard]] risk_request request_for(const intent& order) const;

  executor_options options_;
  gateway_traits traits_;
  ledger ledger_;
  std::map<instrument_id, std::unique_ptr<market>> markets_;
  std::map<std::string, std::unique_ptr<tracked>> orders_;
  std::map<std::string, std::string> by_venue_id_; ///< venue order id → client id
  std::set<std::string> open_ids_;                 ///< orders that are not done
  std::vector<std::string> ended_;                 ///< ended orders, oldest first
  std::map<command_id, pending_command> commands_;
  std::map<std::uint64_t, std::string> tokens_; ///< commit token → client id
  std::map<std::string, int128> opening_;       ///< opening balance by asset, × 10^-24
  std::vector<executor_action> actions_;
  std::unique_ptr<reconcile_run> run_;

  std::optional<halt_state> halt_;
  std::uint64_t epoch_ = 0;
  std::uint64_t next_command_ = 1;
  std::uint64_t next_token_ = 1;
  std::uint64_t next_run_ = 1;
  steady_time started_;
  steady_time lease_until_;
  steady_time next_lease_;
  steady_time next_audit_;
  bool running_ = false;
  bool session_up_ = false;
  bool reconciled_ = false;
  bool ended_early_ = false;
  bool accept_next_account_ = false;
  std::string end_reason_;
  nanoseconds ready_after_{};
  // counters over the journal's life
  std::uint64_t intents_ = 0;
  std::uint64_t confirmed_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t denied_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t alarms_ = 0;
};

/// Word of a state: starting, reconciling, live, halted, without_lease, fenced.
[[nodiscard]] std::string_view name_of(executor_state state) noexcept;

} // namespace troupe
