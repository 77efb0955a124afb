#pragma once

/// The executor as an actor: reads its journal, starts the gateway, carries out what
/// `executor_core` decides, brings back what came of it. It ends, to be started anew, when its
/// journal ends or fails or when a newer executor owns the account. Start it after its journal and
/// let it go down with it (rest_for_one: journal, executor).
/// ```
/// executor_actor_options o;
/// o.core.account = {"main@binance"};
/// o.core.instruments = {{spec, "BTC", "USDT"}};
/// o.make_gateway = [=] { return make_some_gateway(…); };
/// spawn_actor<executor_shell_state>(system, {.name = "executor/main@binance"}, env, o);
/// ```

#include "actors/executors/executor.hpp"
#include "actors/executors/quote_source_actor.hpp"

#include <deque>
#include <mutex>

namespace troupe {

struct executor_actor_options {
  executor_options core;
  std::string journal; ///< default "journal/ACCOUNT"
  std::string risk = "risk";
  std::function<std::unique_ptr<venue_gateway>()>
      make_gateway;                                 ///< required; called inside the actor
  nanoseconds tick = std::chrono::milliseconds{25}; ///< steady
  nanoseconds journal_timeout =
      std::chrono::seconds{10};         ///< no commit by then: the journal counts as failed
  kill_point die_at = kill_point::none; ///< tests only: SIGKILL at …
  std::uint32_t die_at_count = 1;       ///< … its n-th passing
};

/// Where gateway threads leave their events for the actor. Not bounded by itself: it holds outcomes
/// of the executor's own commands and order events, which must not be dropped; the socket reader
/// waits on the venue.
class gateway_inbox final : public gateway_events {
public:
  using event = std::function<void(executor_core&, instant)>;

  explicit gateway_inbox(caf::actor_addr owner) : owner_{std::move(owner)} {}

  void on_outcome(const command_outcome& x) override;
  void on_open_orders(const open_orders_outcome& x) override;
  void on_trades(const trades_outcome& x) override;
  void on_account(const account_outcome& x) override;
  void on_rules(const rules_outcome&) override {}
  void on_report(const order_report& x) override;
  void on_balances(const std::vector<asset_balance>&, market_time) override {}
  void on_session(const session_event& x) override;

  /// Takes what has come in; called by the actor.
  [[nodiscard]] std::vector<event> take();

private:
  void post(event what);

  std::mutex guard_;
  std::vector<event> events_;
  caf::actor_addr owner_;
};

struct executor_shell_state {
  using handle_type = executor_actor;
  using self_pointer = actor_pointer<executor_actor>;
  static inline const char* name = "executor";

  executor_shell_state(self_pointer self, actor_environment env, executor_actor_options options);
  ~executor_shell_state();
  executor_actor::behavior_type make_behavior();

private:
  void find_journal();
  void read_journal(const caf::strong_actor_ptr& journal);
  void begin(std::uint64_t newest);
  void tick();
  void refresh();
  void pump();
  void drain();
  void perform(const executor_action& action);
  void do_append(const append_records& append);
  void do_place(const place_order& action);
  void do_risk(const ask_risk& action);
  void do_lease(const ask_lease& action);
  void give_up(const error& why);
  void pass(kill_point where);
  [[nodiscard]] instant now() const { return {env_.market->now(), env_.steady->now()}; }

  self_pointer self_;
  actor_environment env_;
  executor_actor_options options_;
  quote_source quotes_;
  std::unique_ptr<venue_gateway> gateway_;
  executor_core core_;
  std::shared_ptr<gateway_inbox> inbox_;
  journal_actor journal_;
  steady_time born_;
  std::uint64_t epoch_ = 0;
  std::uint64_t read_ = 0;
  std::deque<decision>
      early_; ///< decisions that came before the journal was read, newest per instrument
  std::optional<halt_state> early_halt_;
  executor_state told_ = executor_state::starting;
  bool running_ = false;
  bool over_ = false;
};

} // namespace troupe
