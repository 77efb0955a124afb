// Asking the venue: reconciliation (facts: venues, §10), audits, unknown orders, trade lists,
// balances. Private events need no buffer here: orders and ledger merge facts in any order of
// arrival, so an event that is older than a snapshot changes nothing.

#include "actors/executors/client_id.hpp"
#include "actors/executors/executor_internal.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string amount_text(int128 raw) {
  return format_wide(raw, ledger_scale, 12);
}

} // namespace

nanoseconds executor_core::backoff(nanoseconds first, nanoseconds last, std::uint32_t tries,
                                   const std::string& salt) const {
  auto pause = first;
  for (std::uint32_t i = 0; i < tries && pause < last; ++i)
    pause *= 2;
  pause = std::min(pause, last);
  // ± 12 %, a pure function of what is being retried: a replayed run waits just as long.
  const auto spread = static_cast<std::int64_t>(stable_hash(salt, tries + 1) % 25) - 12;
  return pause + pause * spread / 100;
}

// --- reconciliation
// --------------------------------------------------------------------------------------

void executor_core::begin_reconcile(const std::string& why, instant now) {
  reconciled_ = false;
  run_ = std::make_unique<reconcile_run>();
  run_->number = next_run_++;
  write(journal_note{"executor", "reconcile: " + why});
  // An order that waits for a verdict was planned on knowledge that no longer holds.
  const auto open = open_ids_;
  for (const auto& id : open)
    if (orders_.at(id)->machine.state() == order_state::created)
      drop_unsent(*orders_.at(id), deny_code::not_reconciled, why, now);
  if (!running_ || !session_up_) return;
  run_->at = reconcile_run::step::open_orders;
  for (const auto& [id, m] : markets_)
    run_->open_orders_due.insert(id);
  ask_open_orders(now);
}

void executor_core::ask_open_orders(instant now) {
  for (const auto& id : run_->open_orders_due)
    act(fetch_open_orders{command(purpose::open_orders, {}, id, now), id});
}

void executor_core::on_open_orders(const open_orders_outcome& outcome, instant now) {
  const auto done = finished(outcome.command);
  if (!done || !run_ || done->run != run_->number) return;
  if (!outcome.orders) {
    run_->not_before =
        now.steady + backoff(options_.first_query, options_.last_query, run_->failures++, "open");
    return;
  }
  const auto number = run_->number;
  for (const auto& report : *outcome.orders) {
    auto* t = find_tracked(report.client_id);
    if (t != nullptr) t->answered_run = number;
    on_report(report, now);
  }
  if (!run_ || run_->number != number) return;
  run_->open_orders_due.erase(done->instrument);
  if (!run_->open_orders_due.empty()) return;
  run_->at = reconcile_run::step::queries;
  run_->failures = 0;
  continue_reconcile(now);
}

/// True when the venue has spoken, in this run, of every order that it may know.
bool executor_core::queries_answered(instant now) {
  bool all = true;
  for (const auto& id : open_ids_) {
    auto& t = *orders_.at(id);
    const auto state = t.machine.state();
    const bool may_be_there = state == order_state::sent || state == order_state::unknown
                              || state == order_state::acknowledged
                              || state == order_state::partially_filled;
    if (!may_be_there || t.answered_run == run_->number) continue;
    all = false;
    if (!t.querying && now.steady >= t.next_query) start_query(t, now);
  }
  return all;
}

bool executor_core::trades_fetched(instant now) {
  bool all = true;
  for (auto& [id, m] : markets_) {
    if (m->round_needed == 0) m->round_needed = m->rounds_started + 1;
    if (m->rounds_done >= m->round_needed) continue;
    all = false;
    if (!m->trades_running && now.steady >= m->next_trades) start_trades(*m, now);
  }
  return all;
}

/// Takes the run as far as it goes without waiting. Called after every answer and on each tick.
void executor_core::continue_reconcile(instant now) {
  if (!run_ || ended_early_ || now.steady < run_->not_before) return;
  using enum reconcile_run::step;
  if (run_->at == waiting) return;
  if (run_->at == open_orders) {
    const bool asked = std::any_of(commands_.begin(), commands_.end(), [&](const auto& entry) {
      return entry.second.what == purpose::open_orders && entry.second.run == run_->number;
    });
    if (!asked) ask_open_orders(now);
    return;
  }
  if (run_->at == queries) {
    if (!queries_answered(now)) return;
    run_->at = trades;
    for (auto& [id, m] : markets_)
      m->round_needed = 0;
  }
  if (run_->at == trades) {
    if (!trades_fetched(now)) return;
    run_->at = account;
    run_->account_asked = false;
  }
  if (run_->at == account && !run_->account_asked) ask_account(now);
}

void executor_core::ask_account(instant now) {
  run_->account_asked = true;
  act(fetch_account{command(purpose::account, {}, {}, now)});
}

void executor_core::on_account(const account_outcome& outcome, instant now) {
  const auto done = finished(outcome.command);
  if (!done || !run_ || done->run != run_->number || run_->at != reconcile_run::step::account)
    return;
  run_->account_asked = false;
  if (!outcome.balances) {
    run_->not_before =
        now.steady
        + backoff(options_.first_query, options_.last_query, run_->failures++, "account");
    return;
  }
  compare_balances(outcome, now);
}

void executor_core::take_baseline(const journal_balance& balance) {
  const auto total = rescale(balance.total_raw, balance.scale, ledger_scale);
  if (!total) return alarm("balance", balance.asset + ": " + total.error().message());
  const auto changes = ledger_.balance_changes();
  const auto change = changes.find(balance.asset);
  opening_[balance.asset] = *total - (change == changes.end() ? 0 : change->second);
}

/// Names the first asset whose balance is not opening + what the fills did; empty when all agree.
std::string executor_core::balance_difference(const account_outcome& outcome) const {
  std::map<std::string, const asset_balance*> held;
  for (const auto& b : *outcome.balances)
    held[b.asset] = &b;
  for (const auto& [asset, change] : ledger_.balance_changes()) {
    const auto opening = opening_.find(asset);
    if (opening == opening_.end()) continue;
    const auto found = held.find(asset);
    const auto scale = found == held.end() ? 8 : found->second->scale;
    const auto raw = found == held.end()
                         ? int128{0}
                         : int128{found->second->free_raw} + found->second->locked_raw;
    const auto total = rescale(raw, scale, ledger_scale);
    if (!total) return asset + ": " + total.error().message();
    const auto expected = opening->second + change;
    const auto unit = rescale(1, scale, ledger_scale);
    // Venues round each product of price and size to their own decimals: one unit a fill at most.
    const auto slack = unit ? *unit * static_cast<int128>(ledger_.fill_count()) : 0;
    const auto off = *total - expected;
    bool is_base = false;
    for (const auto& [id, m] : markets_)
      is_base = is_base || m->instrument.base_asset == asset;
    if (is_base ? off != 0 : (off > slack || off < -slack))
      return asset + ": the venue holds " + amount_text(*total) + ", the fills give "
             + amount_text(expected);
  }
  return {};
}

void executor_core::compare_balances(const account_outcome& outcome, instant now) {
  if (opening_.empty() || accept_next_account_) {
    accept_next_account_ = false;
    std::set<std::string> assets;
    for (const auto& [id, m] : markets_)
      assets.insert({m->instrument.base_asset, m->instrument.quote_asset});
    std::map<std::string, journal_balance> totals;
    for (const auto& asset : assets)
      totals[asset] = {asset, 0, 8, outcome.at};
    for (const auto& b : *outcome.balances)
      if (assets.contains(b.asset))
        totals[b.asset] = {b.asset, b.free_raw + b.locked_raw, b.scale, outcome.at};
    for (const auto& [asset, balance] : totals) {
      take_baseline(balance);
      write(balance);
    }
    return finish_reconcile(now);
  }
  const auto difference = balance_difference(outcome);
  if (difference.empty()) return finish_reconcile(now);
  // Most likely a fill on its way: fetch the trades again before anybody is alarmed.
  ++run_->differences;
  run_->at = reconcile_run::step::trades;
  for (auto& [id, m] : markets_)
    m->round_needed = 0;
  const bool lasting = run_->differences >= options_.balance_tries;
  run_->not_before = now.steady + (lasting ? options_.last_query : options_.balance_retry);
  if (!lasting) return;
  if (!run_->told) alarm("balance", options_.account.text + ": " + difference);
  run_->told = true;
  if (options_.balances == balance_policy::alarm) return finish_reconcile(now);
  run_->audit = false;
  reconciled_ = false;
}

void executor_core::finish_reconcile(instant now) {
  const bool audit = run_->audit;
  run_.reset();
  next_audit_ = now.steady + options_.audit_every;
  if (audit && reconciled_) return;
  reconciled_ = true;
  if (ready_after_.count() == 0) ready_after_ = now.steady - started_;
  write(journal_note{"executor", "reconciled"});
  plan_all(now);
}

void executor_core::accept_balances(const std::string& who, instant now) {
  write(journal_note{who, "accepts the venue's balances as they are"});
  opening_.clear();
  accept_next_account_ = true;
  begin_reconcile("balances accepted by " + who, now);
}

void executor_core::release_quarantine(const instrument_id& instrument, const std::string& who,
                                       instant now) {
  const auto found = markets_.find(instrument);
  if (found == markets_.end()) return;
  found->second->quarantined.clear();
  write(journal_note{who, "release " + instrument.text});
  plan(*found->second, now);
}

// --- orders without an answer
// -----------------------------------------------------------------------------

void executor_core::start_query(tracked& t, instant now) {
  const auto& order = t.machine.what();
  t.querying = true;
  act(query_order{command(purpose::query, order.client_id, order.instrument, now), order.instrument,
                  order.client_id});
}

void executor_core::work_on_unknown(tracked& t, instant now) {
  const bool unknown = t.machine.state() == order_state::unknown;
  if ((!unknown && !t.ask) || t.querying || now.steady < t.next_query) return;
  start_query(t, now);
}

/// Absent only when: not found twice, the last time beyond the venue's processing horizon on both
/// clocks, and no execution that could be its own in a trade list fetched after that.
void executor_core::judge_absence(tracked& t, instant now) {
  if (t.machine.state() != order_state::unknown || t.not_found < 2) return;
  const bool old = now.steady - t.since.steady >= traits_.processing_horizon
                   && now.market - t.since.market >= traits_.processing_horizon;
  if (!old) return;
  const auto& order = t.machine.what();
  auto& m = *markets_.at(order.instrument);
  if (t.absence_round == 0) {
    t.absence_round = m.rounds_started + 1;
    m.trades_wanted = true;
    return;
  }
  if (m.rounds_done < t.absence_round) return;
  const bool maybe_its = std::any_of(m.orphans.begin(), m.orphans.end(), [&](const auto& entry) {
    return entry.second.direction == order.direction;
  });
  if (maybe_its) {
    // A trade that could be its own: a person has to say whose it is, nothing is guessed.
    if (!std::exchange(t.told, true))
      alarm("unknown",
            order.client_id + " is not found, and a trade of nobody's order could be its own");
    t.absence_round = 0;
    return;
  }
  if (!t.machine.prove_absent().issues.empty()) return;
  order_report record;
  record.account = options_.account;
  record.instrument = order.instrument;
  record.client_id = order.client_id;
  record.state = order_state::expired;
  record.code = absent_code;
  record.text = "absent: the venue never had it";
  record.at = now.market;
  write(std::move(record));
  after_change(t, now);
}

// --- trade lists
// ----------------------------------------------------------------------------------------

void executor_core::start_trades(market& m, instant now) {
  m.trades_running = true;
  m.trades_wanted = false;
  ++m.rounds_started;
  const auto& id = m.instrument.spec.id;
  act(fetch_trades{command(purpose::trades, {}, id, now), id, m.cursor});
}

void executor_core::on_trades(const trades_outcome& outcome, instant now) {
  const auto done = finished(outcome.command);
  if (!done) return;
  auto& m = *markets_.at(done->instrument);
  if (!outcome.fills) {
    m.trades_running = false;
    m.trades_wanted = true;
    m.next_trades =
        now.steady
        + backoff(options_.first_query, options_.last_query, m.trades_failures++, "trades");
    // The round did not happen: whoever waits for it waits for the next one.
    for (const auto& id : open_ids_)
      if (auto& t = *orders_.at(id); t.absence_round == m.rounds_started) ++t.absence_round;
    if (m.round_needed == m.rounds_started) ++m.round_needed;
    return;
  }
  const auto before = m.cursor;
  for (const auto& f : *outcome.fills) {
    take_trade(m, f, now);
    if (m.cursor.empty() || trade_id_before(m.cursor, f.trade_id)) m.cursor = f.trade_id;
  }
  if (outcome.more && m.cursor != before) {
    const auto& id = m.instrument.spec.id;
    act(fetch_trades{command(purpose::trades, {}, id, now), id, m.cursor});
    return;
  }
  m.trades_running = false;
  m.trades_failures = 0;
  m.next_trades = now.steady + options_.first_query;
  m.rounds_done = m.rounds_started;
  settle_orphans(m, now);
  if (m.orphans.empty() && m.cursor != m.journaled_cursor) {
    m.journaled_cursor = m.cursor;
    write(journal_cursor{m.instrument.spec.id, m.cursor, now.market});
  }
  const auto open = open_ids_;
  for (const auto& id : open)
    if (auto* t = find_tracked(id); t && t->machine.what().instrument == m.instrument.spec.id) {
      if (t->machine.cumulative() > t->machine.filled()) m.trades_wanted = true;
      if (t->absence_round != 0) judge_absence(*t, now);
    }
  continue_reconcile(now);
}

/// One row of the trade list: of an order of ours, of one that can't be named yet, or of somebody
/// else.
void executor_core::take_trade(market& m, const fill& f, instant now) {
  auto* t = find_tracked(f.client_id);
  if (t == nullptr) t = find_by_venue_id(f.venue_order_id);
  if (t != nullptr) {
    order_report report;
    report.client_id = t->machine.what().client_id;
    report.instrument = f.instrument;
    report.venue_order_id = f.venue_order_id;
    report.fills.push_back(f);
    report.at = f.at;
    return apply_report(*t, report, now);
  }
  if (ledger_.knows(f.instrument, f.trade_id)) return take_external_fill(m, f, now);
  // What was traded before this account was taken on is in the opening balances.
  if (opening_.empty() && intents_ == 0 && !accept_next_account_) return;
  const bool could_be_ours = std::any_of(open_ids_.begin(), open_ids_.end(), [&](const auto& id) {
    const auto& machine = orders_.at(id)->machine;
    const auto state = machine.state();
    return machine.what().instrument == f.instrument && machine.what().direction == f.direction
           && machine.venue_order_id().empty()
           && (state == order_state::sent || state == order_state::unknown);
  });
  if (could_be_ours) {
    m.orphans[f.trade_id] = f;
    return;
  }
  take_external_fill(m, f, now);
}

void executor_core::settle_orphans(market& m, instant now) {
  const auto waiting = std::exchange(m.orphans, {});
  for (const auto& [id, f] : waiting)
    take_trade(m, f, now);
}

/// An execution of an order that is not ours: the position is what it is, so it is booked; whether
/// trading goes on is the policy's to say.
void executor_core::take_external_fill(market& m, const fill& f, instant now) {
  const auto booked = ledger_.book(f);
  if (!booked) {
    alarm("ledger", booked.error().message());
    return quarantine(m, booked.error().text, now);
  }
  if (*booked == booking::duplicate) return;
  order_report record;
  record.account = options_.account;
  record.instrument = f.instrument;
  record.client_id = f.client_id;
  record.venue_order_id = f.venue_order_id;
  record.fills.push_back(f);
  record.text = "external";
  record.at = f.at;
  write(std::move(record));
  if (*booked == booking::fee_completed) return;
  if (options_.externals == external_policy::quarantine || is_our_client_id(f.client_id))
    quarantine(m, "the trade " + f.trade_id + " of an order that is not in the journal", now);
}

// --- time
// ---------------------------------------------------------------------------------------------------

/// The gateway owes every command an outcome. If it fails to give one, the command counts as
/// unknown.
void executor_core::expire_commands(instant now) {
  std::vector<std::pair<command_id, pending_command>> late;
  for (const auto& [id, pending] : commands_)
    if (now.steady >= pending.deadline) late.emplace_back(id, pending);
  const auto silence = [&] {
    return error{make_error_code(executor_errc::bad_input), "the gateway gave no answer in time"};
  };
  for (const auto& [id, pending] : late) {
    switch (pending.what) {
    case purpose::place:
      // Not released yet (the journal is slow): the gate will judge it by its expiry.
      if (const auto* o = find(pending.client_id); o && o->state() == order_state::journaled) {
        commands_[id].deadline = now.steady + options_.command_timeout;
        break;
      }
      [[fallthrough]];
    case purpose::cancel:
    case purpose::query: {
      command_outcome outcome;
      outcome.command = id;
      outcome.kind = command_result::unknown;
      on_outcome(outcome, now);
      break;
    }
    case purpose::open_orders:
      on_open_orders({id, silence()}, now);
      break;
    case purpose::trades:
      on_trades({id, silence(), false}, now);
      break;
    case purpose::account:
      on_account({id, silence(), now.market}, now);
      break;
    }
  }
}

void executor_core::on_tick(instant now) {
  if (!running_ || ended_early_) return;
  if (now.steady >= next_lease_) {
    next_lease_ = now.steady + options_.lease_renewal;
    act(ask_lease{{options_.account, epoch_}});
  }
  expire_commands(now);
  const auto open = open_ids_;
  for (const auto& id : open) {
    auto* t = find_tracked(id);
    if (t == nullptr || ended_early_) continue;
    if (t->machine.state() == order_state::created && now.steady >= t->risk_deadline) {
      on_risk_silent(id, now);
      continue;
    }
    if (session_up_ || t->ask || t->machine.state() == order_state::unknown)
      work_on_unknown(*t, now);
    if (t->cancel_wanted) want_cancel(*t, now);
  }
  for (auto& [id, m] : markets_)
    if (m->trades_wanted && !m->trades_running && now.steady >= m->next_trades && session_up_)
      start_trades(*m, now);
  if (reconciled_ && !run_ && now.steady >= next_audit_) {
    run_ = std::make_unique<reconcile_run>();
    run_->number = next_run_++;
    run_->audit = true;
    run_->at = reconcile_run::step::trades;
    for (auto& [id, m] : markets_)
      m->round_needed = 0;
  }
  continue_reconcile(now);
  plan_all(now);
}

} // namespace troupe
