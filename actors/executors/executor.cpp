#include "actors/executors/client_id.hpp"
#include "actors/executors/executor_internal.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// So many questions in a row without finding an order that was live: people should know.
constexpr std::uint32_t alarming_queries = 8;

} // namespace

executor_core::executor_core(executor_options options, gateway_traits traits)
    : options_{std::move(options)}, traits_{traits} {}

executor_core::~executor_core() = default;

status executor_core::open() {
  if (options_.account.text.empty())
    return {executor_errc::bad_input, "executor without an account"};
  if (options_.instruments.empty())
    return {executor_errc::bad_input, options_.account.text + ": no instruments to trade"};
  if (options_.policy.layers == 0 || (options_.policy.layers > 1 && options_.policy.layer_ticks <= 0))
    return {executor_errc::bad_input, options_.account.text + ": orders are split over at least one layer, and several lie "
                                                              "at least one tick apart"};
  for (const auto& instrument : options_.instruments) {
    if (auto added = ledger_.add_instrument(instrument); !added) return added;
    auto m = std::make_unique<market>();
    m->instrument = instrument;
    markets_[instrument.spec.id] = std::move(m);
  }
  return ok;
}

// --- actions
// -----------------------------------------------------------------------------------------

void executor_core::act(executor_action action) {
  if (!ended_early_) actions_.push_back(std::move(action));
}

void executor_core::write(executor_record record) {
  ++records_;
  // Records without a waiting order travel together with the one before them.
  if (!actions_.empty())
    if (auto* last = std::get_if<append_records>(&actions_.back()); last && last->token == 0)
      return last->records.push_back(std::move(record));
  append_records append;
  append.records.push_back(std::move(record));
  act(std::move(append));
}

void executor_core::alarm(std::string what, std::string text) {
  ++alarms_;
  act(raise_alarm{std::move(what), std::move(text)});
}

void executor_core::end(const std::string& why) {
  if (ended_early_) return;
  actions_.clear();
  act(end_executor{why});
  end_reason_ = why;
  ended_early_ = true;
}

std::vector<executor_action> executor_core::take_actions() {
  return std::exchange(actions_, {});
}

command_id executor_core::command(purpose what, const std::string& client_id,
                                  const instrument_id& instrument, instant now) {
  const auto id = next_command_++;
  commands_[id] = {what, client_id, instrument, run_ ? run_->number : 0,
                   now.steady + options_.command_timeout};
  return id;
}

std::optional<executor_core::pending_command> executor_core::finished(command_id command) {
  const auto found = commands_.find(command);
  if (found == commands_.end()) return std::nullopt;
  auto out = std::move(found->second);
  commands_.erase(found);
  return out;
}

// --- orders
// --------------------------------------------------------------------------------------------

executor_core::tracked* executor_core::find_tracked(const std::string& client_id) {
  const auto found = orders_.find(client_id);
  return found == orders_.end() ? nullptr : found->second.get();
}

executor_core::tracked* executor_core::find_by_venue_id(const std::string& venue_order_id) {
  const auto found = by_venue_id_.find(venue_order_id);
  return found == by_venue_id_.end() ? nullptr : find_tracked(found->second);
}

const order* executor_core::find(const std::string& client_id) const {
  const auto found = orders_.find(client_id);
  return found == orders_.end() ? nullptr : &found->second->machine;
}

/// What risk must know of an order: everything else that is open or unknown counts as if filled.
risk_request executor_core::request_for(const intent& order) const {
  risk_request request;
  request.order = order;
  request.position = ledger_.position_size(order.instrument);
  for (const auto& id : open_ids_) {
    const auto& other = orders_.at(id)->machine;
    if (id == order.client_id) continue;
    ++request.open_orders;
    if (other.what().instrument != order.instrument) continue;
    auto& sum = other.what().direction == side::buy ? request.open_buys : request.open_sells;
    sum = sum + other.remaining();
  }
  return request;
}

void executor_core::on_verdict(const risk_verdict& verdict, instant now) {
  auto* t = find_tracked(verdict.client_id);
  if (t == nullptr || t->machine.state() != order_state::created) return;
  if (verdict.denied != deny_code::none) return drop_unsent(*t, verdict.denied, verdict.text, now);
  if (!reconciled_)
    return drop_unsent(*t, deny_code::not_reconciled, "the account has to be reconciled first",
                       now);
  const auto change = t->machine.approve(verdict.approval);
  if (!change.issues.empty())
    return drop_unsent(*t, deny_code::bad_order,
                       "risk approved another order than the one asked for", now);
  auto& m = *markets_.at(t->machine.what().instrument);
  append_records append;
  append.token = next_token_++;
  const auto decided = t->machine.what().decision_sequence;
  if (m.target && m.target->sequence == decided && m.journaled_decision != decided) {
    append.records.push_back(*m.target);
    m.journaled_decision = decided;
    ++records_;
  }
  append.records.push_back(t->machine.what());
  ++records_;
  t->token = append.token;
  tokens_[append.token] = verdict.client_id;
  act(std::move(append));
}

void executor_core::on_risk_silent(const std::string& client_id, instant now) {
  auto* t = find_tracked(client_id);
  if (t == nullptr || t->machine.state() != order_state::created) return;
  drop_unsent(*t, deny_code::no_lease, "risk did not answer", now);
}

/// Ends an order that never left. Its exposure is free again at once.
void executor_core::drop_unsent(tracked& t, deny_code code, const std::string& text, instant now) {
  const auto change = t.machine.deny();
  if (!change.issues.empty()) return;
  ++denied_;
  order_report record;
  record.account = options_.account;
  record.instrument = t.machine.what().instrument;
  record.client_id = t.machine.what().client_id;
  record.state = order_state::denied;
  record.code = static_cast<std::int32_t>(code);
  record.text = std::string{describe(code).name} + ": " + text;
  record.at = now.market;
  write(std::move(record));
  hold(*markets_.at(t.machine.what().instrument), now);
  after_change(t, now);
}

void executor_core::on_committed(std::uint64_t token, instant now) {
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return;
  const auto client_id = found->second;
  tokens_.erase(found);
  auto* t = find_tracked(client_id);
  if (t == nullptr) return;
  ++intents_;
  if (!t->machine.journal().issues.empty()) return;
  const auto& order = t->machine.what();
  act(place_order{command(purpose::place, client_id, order.instrument, now), client_id});
}

void executor_core::on_journal_failed(const std::string& why) {
  // A failed sync is never retried: whoever starts next finds out what is on the disk.
  end("the order journal failed: " + why);
}

deny_code executor_core::may_send(const tracked& t, instant now, std::string& text) const {
  const auto& order = t.machine.what();
  const auto& m = *markets_.at(order.instrument);
  if (ended_early_ || !running_) return text = "this executor has ended", deny_code::no_lease;
  if (!reconciled_ || !session_up_)
    return text = "the account has to be reconciled first", deny_code::not_reconciled;
  if (!m.quarantined.empty()) return text = m.quarantined, deny_code::not_reconciled;
  if (!halt_) return text = "the trading state is not known yet", deny_code::halted;
  const auto request = request_for(order);
  if (halt_->state == trading_state::halted
      && !(order.decision_sequence == 0 && order.reduce_only && shrinks_position(request)))
    return text = halt_->reason, deny_code::halted;
  if (halt_->state == trading_state::reducing && !shrinks_position(request))
    return text = halt_->reason, deny_code::reducing_only;
  if (now.steady >= lease_until_) return text = "risk's lease has run out", deny_code::no_lease;
  if (now.market >= order.expires) return text = "older than its expiry", deny_code::expired_intent;
  if (order.approval == 0 || approval_hash(order) != order.approval)
    return text = "not the order that risk approved", deny_code::bad_order;
  return deny_code::none;
}

const intent* executor_core::release(const std::string& client_id, instant now) {
  auto* t = find_tracked(client_id);
  if (t == nullptr || t->machine.state() != order_state::journaled) return nullptr;
  std::string text;
  if (const auto code = may_send(*t, now, text); code != deny_code::none) {
    std::erase_if(commands_, [&](const auto& entry) {
      return entry.second.what == purpose::place && entry.second.client_id == client_id;
    });
    drop_unsent(*t, code, text, now);
    return nullptr;
  }
  if (!t->machine.send().issues.empty()) return nullptr;
  t->since = now;
  write(journal_sent{client_id, now.market});
  return &t->machine.what();
}

void executor_core::on_outcome(const command_outcome& outcome, instant now) {
  const auto done = finished(outcome.command);
  auto* t = find_tracked(done ? done->client_id : outcome.report.client_id);
  if (t == nullptr) return;
  if (!done) {
    // Taken as unknown already; what it says of the order is still a fact.
    if (outcome.kind == command_result::confirmed) apply_report(*t, outcome.report, now);
    return;
  }
  switch (done->what) {
  case purpose::place:
    return on_place_outcome(*t, outcome, now);
  case purpose::cancel:
    return on_cancel_outcome(*t, outcome, now);
  case purpose::query:
    t->querying = false;
    if (done->run != 0 && run_ && done->run == run_->number
        && (outcome.kind == command_result::confirmed || outcome.kind == command_result::absent))
      t->answered_run = done->run;
    on_query_outcome(*t, outcome, now);
    return continue_reconcile(now);
  default:
    return;
  }
}

void executor_core::on_place_outcome(tracked& t, const command_outcome& outcome, instant now) {
  switch (outcome.kind) {
  case command_result::confirmed:
    return apply_report(t, outcome.report, now);
  case command_result::denied:
    if (!t.machine.known_to_venue())
      drop_unsent(t, deny_code::no_lease, "gateway: " + outcome.report.text, now);
    return;
  case command_result::rejected: {
    // "Duplicate" proves that the order landed: it is asked for, never taken as a rejection.
    if (outcome.why == refusal::duplicate) return lose(t, now);
    auto report = outcome.report;
    report.state = order_state::rejected;
    if (outcome.why == refusal::signature || outcome.why == refusal::permission)
      alarm("rejected", options_.account.text + ": " + report.text);
    apply_report(t, report, now);
    auto& m = *markets_.at(t.machine.what().instrument);
    if (outcome.retry_after.count() > 0)
      m.hold_until = std::max(m.hold_until, now.steady + outcome.retry_after);
    return;
  }
  case command_result::unknown:
  case command_result::absent:
    return lose(t, now);
  }
}

void executor_core::lose(tracked& t, instant now) {
  if (t.machine.done() || t.machine.known_to_venue()) return;
  t.machine.lose();
  t.unknown_since = now.steady;
  t.next_query =
      now.steady
      + backoff(options_.first_query, options_.last_query, 0, t.machine.what().client_id);
}

void executor_core::on_cancel_outcome(tracked& t, const command_outcome& outcome, instant now) {
  t.cancelling = false;
  t.next_cancel = now.steady
                  + std::max(outcome.retry_after, backoff(options_.first_query, options_.last_query,
                                                          t.cancels, t.machine.what().client_id));
  switch (outcome.kind) {
  case command_result::confirmed:
    return apply_report(t, outcome.report, now);
  case command_result::denied:
    return;
  case command_result::rejected:
  case command_result::unknown:
  case command_result::absent:
    // A cancel that finds nothing proves nothing: the order may have filled. Ask.
    t.ask = true;
    t.next_query = std::min(t.next_query, now.steady);
    return;
  }
}

void executor_core::on_query_outcome(tracked& t, const command_outcome& outcome, instant now) {
  const auto pause =
      backoff(options_.first_query, options_.last_query, t.queries, t.machine.what().client_id);
  t.next_query = now.steady + std::max(outcome.retry_after, pause);
  if (outcome.kind == command_result::confirmed) {
    t.ask = false;
    t.queries = 0;
    t.not_found = 0;
    return apply_report(t, outcome.report, now);
  }
  ++t.queries;
  if (outcome.kind != command_result::absent) return;
  if (t.machine.state() == order_state::unknown) {
    ++t.not_found;
    return judge_absence(t, now);
  }
  if (t.machine.state() == order_state::sent) return; // its answer is still on the way
  // Live once, not to be found now: archived or lagging. Its executions tell.
  if (t.queries == alarming_queries)
    alarm("order",
          t.machine.what().client_id + " was at the venue and can't be found there any more");
  markets_.at(t.machine.what().instrument)->trades_wanted = true;
  t.ask = true;
}

void executor_core::on_report(const order_report& report, instant now) {
  if (!running_) return;
  auto* t = find_tracked(report.client_id);
  if (t == nullptr && !report.venue_order_id.empty()) t = find_by_venue_id(report.venue_order_id);
  if (t == nullptr) return take_external(report, now);
  auto named = report;
  named.client_id = t->machine.what().client_id;
  apply_report(*t, named, now);
}

void executor_core::apply_report(tracked& t, const order_report& report, instant now) {
  take_change(t, t.machine.apply(report), report, now);
}

/// Journals and books what is new, tells what is wrong.
void executor_core::take_change(tracked& t, const order_change& change, const order_report& source,
                                instant now) {
  const auto& order = t.machine.what();
  auto& m = *markets_.at(order.instrument);
  for (const auto issue : change.issues) {
    alarm(std::string{name_of(issue)},
          order.client_id + " (venue order " + source.venue_order_id + ")");
    if (stops_instrument(issue))
      quarantine(m, std::string{name_of(issue)} + " of " + order.client_id, now);
  }
  if (!change.duplicate) {
    order_report record = source;
    record.account = options_.account;
    record.instrument = order.instrument;
    record.client_id = order.client_id;
    record.fills = change.new_fills;
    record.fills.insert(record.fills.end(), change.completed_fills.begin(),
                        change.completed_fills.end());
    write(std::move(record));
  }
  book_fills(change.new_fills, m);
  book_fills(change.completed_fills, m);
  after_change(t, now);
}

void executor_core::book_fills(const std::vector<fill>& fills, market& m) {
  for (const auto& execution : fills) {
    m.orphans.erase(execution.trade_id);
    const auto booked = ledger_.book(execution);
    if (booked) continue;
    alarm("ledger", booked.error().message());
    m.quarantined = booked.error().text;
  }
}

/// Book-keeping after any change of an order: counters, indexes, what to do next.
void executor_core::after_change(tracked& t, instant now) {
  const auto& machine = t.machine;
  auto& m = *markets_.at(machine.what().instrument);
  const auto& id = machine.what().client_id;
  if (machine.known_to_venue() && !t.counted_confirmed) {
    t.counted_confirmed = true;
    ++confirmed_;
    m.holds = 0;
  }
  if (machine.state() == order_state::rejected && !t.counted_rejected) {
    t.counted_rejected = true;
    ++rejected_;
    hold(m, now);
  }
  if (!machine.venue_order_id().empty()
      && by_venue_id_.emplace(machine.venue_order_id(), id).second)
    settle_orphans(m, now);
  // More is filled than its executions explain: they are in the trade list.
  if (machine.cumulative() > machine.filled()) m.trades_wanted = true;
  if (!machine.done()) {
    open_ids_.insert(id);
    return;
  }
  if (open_ids_.erase(id) == 0) return;
  t.cancel_wanted = false;
  // An order that took nothing is not followed by the next at once, or an empty book makes a storm.
  if (machine.state() == order_state::expired && machine.filled().raw == 0 && running_)
    hold(m, now);
  ended_.push_back(id);
  forget_old_orders();
  if (!m.orphans.empty()) settle_orphans(m, now);
  plan(m, now);
}

void executor_core::forget_old_orders() {
  if (ended_.size() <= options_.remembered_orders) return;
  const auto many = ended_.size() - options_.remembered_orders + options_.remembered_orders / 10;
  for (std::size_t i = 0; i < many && i < ended_.size(); ++i) {
    if (open_ids_.contains(ended_[i])) continue;
    if (const auto* t = find_tracked(ended_[i])) by_venue_id_.erase(t->machine.venue_order_id());
    orders_.erase(ended_[i]);
  }
  ended_.erase(ended_.begin(),
               ended_.begin() + static_cast<std::ptrdiff_t>(std::min(many, ended_.size())));
}

void executor_core::quarantine(market& m, const std::string& why, instant now) {
  if (!m.quarantined.empty()) return;
  m.quarantined = why;
  alarm("quarantine", m.instrument.spec.id.text + ": no new orders, because of " + why);
  write(journal_note{"executor", "quarantine " + m.instrument.spec.id.text + ": " + why});
  plan(m, now);
}

/// A report of an order that is not in the journal: of a person, another program, or a journal that
/// was lost.
void executor_core::take_external(const order_report& report, instant now) {
  const auto found = markets_.find(report.instrument);
  if (found == markets_.end()) return;
  auto& m = *found->second;
  for (const auto& f : report.fills)
    take_trade(m, f, now);
  if (options_.externals == external_policy::adopt && !is_our_client_id(report.client_id)) return;
  if (is_final(report.state) && report.fills.empty() && report.filled.raw == 0) return;
  quarantine(m,
             "the order " + report.client_id + " (venue order " + report.venue_order_id
                 + "), which is not in the journal",
             now);
}

// --- session, lease, halt
// ---------------------------------------------------------------------------------

void executor_core::on_session(const session_event& event, instant now) {
  const bool up = event.state == session_state::connected;
  session_up_ = up;
  run_.reset();
  begin_reconcile(up ? "the private session is up" : "the private session is down: " + event.reason,
                  now);
}

void executor_core::on_lease(const lease_grant& grant, steady_time asked, instant now) {
  if (grant.granted && grant.epoch == epoch_) {
    const bool had = now.steady < lease_until_;
    lease_until_ = std::max(lease_until_, asked + grant.length - options_.lease_margin);
    if (!had) plan_all(now);
    return;
  }
  if (grant.epoch > epoch_)
    end("fenced: epoch " + std::to_string(grant.epoch) + " is above ours, "
        + std::to_string(epoch_));
}

void executor_core::on_halt(const halt_state& state, instant now) {
  const bool news = !halt_ || halt_->state != state.state;
  halt_ = state;
  if (!news) return;
  write(state);
  plan_all(now);
}

void executor_core::on_quote(const quote& q, instant now) {
  const auto found = markets_.find(q.instrument);
  if (found == markets_.end()) return;
  auto& m = *found->second;
  if (m.newest && q.at < m.newest->at && q.validity == book_validity::valid) return;
  m.newest = q;
  plan(m, now);
}

std::uint64_t executor_core::on_decision(const decision& d, instant now) {
  const auto found = markets_.find(d.instrument);
  if (found == markets_.end()) return 0;
  auto& m = *found->second;
  if (m.target && d.sequence <= m.target->sequence) return m.target->sequence;
  m.target = d;
  m.next_leg = 0;
  plan(m, now);
  return d.sequence;
}

// --- restart
// ---------------------------------------------------------------------------------------------

status executor_core::replay(const executor_record& record, instant now) {
  ++records_;
  if (const auto* what = std::get_if<intent>(&record)) {
    if (!markets_.contains(what->instrument))
      return {executor_errc::bad_input,
              "the journal has orders of " + what->instrument.text
                  + ", which is not among the account's instruments: configure it"};
    auto t = std::make_unique<tracked>(*what);
    t->machine.approve(what->approval);
    t->machine.journal();
    t->since = now;
    auto& m = *markets_.at(what->instrument);
    if (m.target && m.target->sequence == what->decision_sequence)
      m.next_leg = std::max(m.next_leg, what->leg + 1);
    open_ids_.insert(what->client_id);
    orders_[what->client_id] = std::move(t);
    ++intents_;
  } else if (const auto* sent = std::get_if<journal_sent>(&record)) {
    if (auto* t = find_tracked(sent->client_id)) t->machine.send();
  } else if (const auto* d = std::get_if<decision>(&record)) {
    if (const auto m = markets_.find(d->instrument); m != markets_.end()) {
      m->second->target = *d;
      m->second->journaled_decision = d->sequence;
      m->second->next_leg = 0;
    }
  } else if (const auto* cursor = std::get_if<journal_cursor>(&record)) {
    if (const auto m = markets_.find(cursor->instrument); m != markets_.end())
      m->second->cursor = m->second->journaled_cursor = cursor->trade_id;
  } else if (const auto* note = std::get_if<journal_note>(&record)) {
    replay_note(note->text);
  } else if (const auto* balance = std::get_if<journal_balance>(&record)) {
    take_baseline(*balance);
  } else if (const auto* report = std::get_if<order_report>(&record)) {
    auto* t = find_tracked(report->client_id);
    const auto m = markets_.find(report->instrument);
    if (m == markets_.end()) return ok;
    if (report->state == order_state::denied) {
      ++denied_;
      if (t != nullptr) t->machine.deny();
    } else if (report->code == absent_code && t != nullptr) {
      t->machine.lose();
      t->machine.prove_absent();
    } else if (t != nullptr) {
      const auto change = t->machine.apply(*report);
      book_fills(change.new_fills, *m->second);
      book_fills(change.completed_fills, *m->second);
    } else {
      book_fills(report->fills, *m->second);
    }
    if (t != nullptr) after_change(*t, now);
  }
  actions_.clear();
  return ok;
}

/// Quarantines outlive a restart; so do their releases.
void executor_core::replay_note(std::string_view text) {
  constexpr std::string_view held = "quarantine ";
  constexpr std::string_view freed = "release ";
  for (auto& [id, m] : markets_) {
    if (text.starts_with(held) && text.substr(held.size()).starts_with(id.text + ": "))
      m->quarantined = text.substr(held.size() + id.text.size() + 2);
    if (text.starts_with(freed) && text.substr(freed.size()) == id.text) m->quarantined.clear();
  }
}

void executor_core::start(std::uint64_t epoch, std::uint64_t journal_records, instant now) {
  epoch_ = epoch;
  records_ = journal_records;
  started_ = now.steady;
  next_lease_ = now.steady;
  running_ = true;
  for (auto& [id, m] : markets_)
    m->hold_until = {}, m->holds = 0;
  for (const auto& id : open_ids_) {
    auto& t = *orders_.at(id);
    t.since = now;
    lose(t, now);
    t.next_query = now.steady;
  }
  begin_reconcile("start", now);
}

} // namespace troupe
