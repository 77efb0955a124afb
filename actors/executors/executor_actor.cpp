#include "actors/executors/executor_actor.hpp"

#include "actors/executors/paper_venue.hpp"
#include "runtime/actor/message_tap.hpp"
#include "runtime/log.hpp"
#include "storage/journal_entries.hpp"

#include <csignal>
#include <unistd.h>

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<instrument_id> instruments_of(const executor_options& options) {
  std::vector<instrument_id> out;
  for (const auto& instrument : options.instruments)
    out.push_back(instrument.spec.id);
  return out;
}

/// An empty report is the gateway's bell: look into the inbox.
bool is_bell(const order_report& report) {
  return report.account.text.empty() && report.client_id.empty();
}

std::string gateway_name(const account_id& account) { return "gateway/" + account.text; }
std::string executor_name(const account_id& account) { return "executor/" + account.text; }

/// What the gateway brings is no message: who watches an order is to see it all the same.
void show(const order_report& report) {
  if (tap_registry::instance().size() == 0) return;
  tap_registry::instance().noted(executor_name(report.account), gateway_name(report.account),
                                 caf::make_message(report));
}

void show(const intent& order) {
  if (tap_registry::instance().size() == 0) return;
  tap_registry::instance().noted(gateway_name(order.account), executor_name(order.account),
                                 caf::make_message(order));
}

error broken(std::string text) {
  return {make_error_code(executor_errc::fenced), std::move(text)};
}

} // namespace

// --- inbox
// -------------------------------------------------------------------------------------------------

void gateway_inbox::post(event what) {
  bool first = false;
  {
    const std::lock_guard lock{guard_};
    first = events_.empty();
    events_.push_back(std::move(what));
  }
  if (!first) return;
  if (const auto owner = caf::actor_cast<executor_actor>(owner_))
    tell_anonymously(owner, order_report{});
}

std::vector<gateway_inbox::event> gateway_inbox::take() {
  const std::lock_guard lock{guard_};
  return std::exchange(events_, {});
}

void gateway_inbox::on_outcome(const command_outcome& x) {
  post([x](executor_core& core, instant now) {
    show(x.report);
    core.on_outcome(x, now);
  });
}
void gateway_inbox::on_open_orders(const open_orders_outcome& x) {
  post([x](executor_core& core, instant now) { core.on_open_orders(x, now); });
}
void gateway_inbox::on_trades(const trades_outcome& x) {
  post([x](executor_core& core, instant now) { core.on_trades(x, now); });
}
void gateway_inbox::on_account(const account_outcome& x) {
  post([x](executor_core& core, instant now) { core.on_account(x, now); });
}
void gateway_inbox::on_report(const order_report& x) {
  post([x](executor_core& core, instant now) {
    show(x);
    core.on_report(x, now);
  });
}
void gateway_inbox::on_session(const session_event& x) {
  post([x](executor_core& core, instant now) { core.on_session(x, now); });
}

// --- start
// ---------------------------------------------------------------------------------------------------

executor_shell_state::executor_shell_state(self_pointer self, actor_environment env,
                                           executor_actor_options options)
    : self_{self}, env_{env}, options_{std::move(options)}, quotes_{env,
                                                                    instruments_of(options_.core)},
      gateway_{options_.make_gateway ? options_.make_gateway() : nullptr},
      core_{options_.core, gateway_ ? gateway_->traits() : gateway_traits{}},
      inbox_{std::make_shared<gateway_inbox>(self->address())}, born_{env.steady->now()} {
  if (options_.journal.empty()) options_.journal = "journal/" + options_.core.account.text;
}

executor_shell_state::~executor_shell_state() {
  if (gateway_) gateway_->stop();
}

executor_actor::behavior_type executor_shell_state::make_behavior() {
  auto ready = core_.open();
  if (ready && !gateway_)
    ready = error{make_error_code(executor_errc::bad_input), "the executor has no gateway"};
  if (!ready)
    give_up(ready.error());
  else
    find_journal();
  return {
      [this](const status_request&) {
        return status_report{self_->core().name(), core_.status_json(now())};
      },
      [this](const decision& d) -> reply<acknowledged> {
        if (!running_) {
          std::erase_if(early_,
                        [&](const decision& old) { return old.instrument == d.instrument; });
          early_.push_back(d);
          return acknowledged{d.sequence};
        }
        const auto newest = core_.on_decision(d, now());
        pump();
        return acknowledged{newest};
      },
      [this](const order_report& report) {
        if (!is_bell(report) && running_) core_.on_report(report, now());
        drain();
      },
      [this](const session_event& event) {
        if (running_) core_.on_session(event, now());
        pump();
      },
      [this](const quote& q) {
        quotes_.acknowledge(self_, q);
        if (auto* paper = dynamic_cast<market_listener*>(gateway_.get()))
          paper->on_quote(q, now().market);
        if (running_) core_.on_quote(q, now());
        pump();
      },
      [this](const halt_state& state) {
        if (!running_)
          early_halt_ = state;
        else
          core_.on_halt(state, now());
        pump();
      },
  };
}

void executor_shell_state::find_journal() {
  if (const auto found = env_.names->handle(options_.journal)) return read_journal(found);
  if (env_.steady->now() - born_ > options_.journal_timeout)
    return give_up(broken("there is no " + options_.journal
                          + " to read: start the journal before the executor"));
  schedule(self_, milliseconds{10}, [this] { find_journal(); });
}

void executor_shell_state::read_journal(const caf::strong_actor_ptr& journal) {
  if (!journal_) {
    journal_ = caf::actor_cast<journal_actor>(journal);
    watch(self_, journal_, [this](const error& why) {
      give_up(broken(options_.journal + " ended" + (why.text.empty() ? "" : ": " + why.text)));
    });
  }
  ask(self_, journal_, options_.journal_timeout, journal_read{read_, 1000})
      .then(
          [this, journal](const journal_page& page) {
            if (epoch_ != 0 && page.epoch != epoch_)
              return give_up(broken("the journal was taken over while being read"));
            epoch_ = page.epoch;
            for (const auto& row : page.rows) {
              status done = ok;
              const auto read = visit_entry(row.entry, [&](const auto& x) {
                done = core_.replay(executor_record{x}, now());
              });
              if (!read || !done)
                return give_up(read ? done.error()
                                    : error{read.error().code, options_.journal + ", record "
                                                                   + std::to_string(row.sequence)
                                                                   + ": " + read.error().text});
              read_ = row.sequence;
            }
            if (read_ < page.newest && !page.rows.empty()) return read_journal(journal);
            begin(page.newest);
          },
          [this](const error& why) { give_up(why); });
}

void executor_shell_state::begin(std::uint64_t newest) {
  running_ = true;
  log::info("executor", "journal read",
            {{"account", options_.core.account.text},
             {"epoch", std::to_string(epoch_)},
             {"records", std::to_string(newest)}});
  core_.start(epoch_, newest, now());
  if (early_halt_) core_.on_halt(*early_halt_, now());
  for (const auto& d : std::exchange(early_, {}))
    core_.on_decision(d, now());
  gateway_->start(*inbox_);
  refresh();
  tick();
}

// --- turning
// ----------------------------------------------------------------------------------------------------

void executor_shell_state::tick() {
  if (over_) return;
  if (auto* paper = dynamic_cast<market_listener*>(gateway_.get())) paper->on_time(now().market);
  core_.on_tick(now());
  drain();
  const auto state = core_.state(now());
  if (state != told_)
    log::info("executor", std::string{name_of(state)},
              {{"account", options_.core.account.text}, {"before", std::string{name_of(told_)}}});
  told_ = state;
  schedule(self_, options_.tick, [this] { tick(); });
}

void executor_shell_state::refresh() {
  quotes_.refresh(self_);
  schedule(self_, milliseconds{500}, [this] { refresh(); });
}

void executor_shell_state::drain() {
  for (const auto& event : inbox_->take()) {
    event(core_, now());
    pump();
  }
  pump();
}

void executor_shell_state::pump() {
  while (!over_) {
    const auto actions = core_.take_actions();
    if (actions.empty()) return;
    for (const auto& action : actions)
      perform(action);
  }
}

void executor_shell_state::perform(const executor_action& action) {
  if (over_) return;
  std::visit(
      [this]<class T>(const T& x) {
        if constexpr (std::is_same_v<T, ask_risk>)
          do_risk(x);
        else if constexpr (std::is_same_v<T, append_records>)
          do_append(x);
        else if constexpr (std::is_same_v<T, place_order>)
          do_place(x);
        else if constexpr (std::is_same_v<T, cancel_order>)
          gateway_->cancel(x.command, x.instrument, x.client_id);
        else if constexpr (std::is_same_v<T, query_order>)
          gateway_->query(x.command, x.instrument, x.client_id);
        else if constexpr (std::is_same_v<T, fetch_open_orders>)
          gateway_->open_orders(x.command, x.instrument);
        else if constexpr (std::is_same_v<T, fetch_trades>)
          gateway_->trades_since(x.command, x.instrument, x.trade_id);
        else if constexpr (std::is_same_v<T, fetch_account>)
          gateway_->account(x.command);
        else if constexpr (std::is_same_v<T, ask_lease>)
          do_lease(x);
        else if constexpr (std::is_same_v<T, raise_alarm>)
          log::error("executor", x.what + ": " + x.text, {{"account", options_.core.account.text}});
        else
          give_up(broken(x.why));
      },
      action);
}

void executor_shell_state::do_append(const append_records& append) {
  journal_append message;
  bool has_intent = false;
  for (const auto& record : append.records) {
    has_intent = has_intent || std::holds_alternative<intent>(record);
    message.entries.push_back(std::visit([](const auto& x) { return to_entry(x); }, record));
  }
  if (has_intent) pass(kill_point::before_sync);
  ask(self_, journal_, options_.journal_timeout, std::move(message))
      .then(
          [this, token = append.token](const journal_committed& done) {
            if (over_) return;
            if (done.epoch != epoch_) return give_up(broken("the journal has another epoch now"));
            if (token == 0) return;
            pass(kill_point::after_sync_before_send);
            core_.on_committed(token, now());
            pump();
          },
          [this](const error& why) {
            core_.on_journal_failed(why.message());
            pump();
          });
}

void executor_shell_state::do_place(const place_order& action) {
  // Both clocks are read here, right before the wire: a process that was stopped finds out now.
  const auto* order = core_.release(action.client_id, now());
  if (order == nullptr) return;
  show(*order);
  gateway_->place(action.command, *order);
  pass(kill_point::after_send_before_ack);
}

void executor_shell_state::do_risk(const ask_risk& action) {
  const auto id = action.request.order.client_id;
  ask(self_, env_.names->find<risk_actor>(options_.risk), options_.core.risk_timeout,
      action.request)
      .then(
          [this](const risk_verdict& verdict) {
            core_.on_verdict(verdict, now());
            pump();
          },
          [this, id] {
            core_.on_risk_silent(id, now());
            pump();
          });
}

void executor_shell_state::do_lease(const ask_lease& action) {
  const auto asked = env_.steady->now();
  ask(self_, env_.names->find<risk_actor>(options_.risk), seconds{1}, action.request)
      .then(
          [this, asked](const lease_grant& grant) {
            core_.on_lease(grant, asked, now());
            pump();
          },
          [] {}); // no answer, no lease: the deadline passes by itself
}

void executor_shell_state::pass(kill_point where) {
  if (options_.die_at != where || where == kill_point::none || --options_.die_at_count > 0) return;
  ::kill(::getpid(), SIGKILL);
}

void executor_shell_state::give_up(const error& why) {
  if (over_) return;
  over_ = true;
  log::error("executor", "ends: " + why.message(), {{"account", options_.core.account.text}});
  if (gateway_) gateway_->stop();
  stop(self_, why);
}

} // namespace troupe
