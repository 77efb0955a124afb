#include "tests/executors/simulation.hpp"

#include <algorithm>

namespace troupe::sim {
namespace {

constexpr std::int64_t max_position = 5'000; // 0.05 BTC at 10^-5

risk_options limits(double market_rate) {
  risk_options r;
  risk_limits l;
  l.spec = btc_spec();
  l.max_long = {max_position};
  l.max_short = {max_position};
  l.max_order_size = {2 * max_position};
  l.max_book_age = nanoseconds{static_cast<std::int64_t>(5e9 * market_rate)};
  l.max_order_notional = {1'000'000'0000000};
  r.instruments.push_back(l);
  r.max_orders_in_window = 50;
  return r;
}

constexpr nanoseconds tick_length = milliseconds{25};
constexpr nanoseconds halt_bound = milliseconds{50};
const account_id account{"main@binance"};

} // namespace

world::world(world_options options)
    : options_{std::move(options)}, dice_{options_.seed}, risk_{limits(options_.market_rate)} {
  options_.executor.account = account;
  options_.executor.instruments = {{btc_spec(), "BTC", "USDT"}};
  move_market();
  start_process();
}

instant world::now() const {
  const auto ns = static_cast<double>(clock_.now().ns) * options_.market_rate;
  return {{1'723'160'000'000'000'000 + static_cast<std::int64_t>(ns)}, clock_.now()};
}

// --- the process
// ------------------------------------------------------------------------------------------

void world::start_process() {
  auto l = std::make_unique<life>();
  l->number = ++lives_;
  l->epoch = ++epoch_;
  l->born = clock_.now();
  l->core = std::make_unique<executor_core>(options_.executor, gateway_traits{});
  if (!l->core->open()) violate("the executor refuses its options");
  for (const auto& record : durable_)
    if (auto done = l->core->replay(record, now()); !done)
      violate("replay: " + done.error().message());
  l->core->start(l->epoch, durable_.size(), now());
  life_ = std::move(l);
  pump(*life_);
  const auto number = lives_;
  open_session(*life_);
  tick(number);
  if (options_.crash_every.count() > 0)
    clock_.after(dice_.span(options_.crash_every / 10, options_.crash_every * 2), [this, number] {
      if (turning_ && life_ && life_->number == number) kill_process();
    });
}

void world::open_session(life& l) {
  const auto session = ++l.session_number;
  deliver(l.number, dice_.span(milliseconds{20}, milliseconds{120}), [this, session](life& alive) {
    if (alive.session_number != session) return;
    alive.session = true;
    alive.core->on_session({{instrument_name}, session, session_state::connected, {}}, now());
  });
}

void world::break_session() {
  if (!life_ || !life_->session) return;
  life_->session = false;
  life_->core->on_session(
      {{instrument_name}, life_->session_number, session_state::reconnecting, "cut"}, now());
  pump(*life_);
  if (life_) open_session(*life_);
}

void world::kill_process() {
  if (!life_) return;
  ++kills;
  for (const auto& [client_id, venue_id] : venue_.live)
    if (!client_id.empty()) {
      ++kills_in_flight;
      break;
    }
  // What was written but not synced may or may not have reached the disk: a prefix of it has.
  const auto& lost = life_->unsynced;
  const auto kept =
      static_cast<std::size_t>(dice_.between(0, static_cast<std::int64_t>(lost.size())));
  durable_.insert(durable_.end(), lost.begin(), lost.begin() + static_cast<std::ptrdiff_t>(kept));
  life_.reset();
  clock_.after(dice_.span(milliseconds{50}, milliseconds{400}), [this] {
    if (!life_) start_process();
  });
}

void world::pause_process(nanoseconds span) {
  if (!life_) return;
  life_->paused = true;
  clock_.after(span, [this, number = life_->number] {
    auto* l = find_life(number);
    if (l == nullptr) return;
    l->paused = false;
    // What piled up is handled first, in order, as a mailbox would be.
    const auto waiting = std::exchange(l->waiting, {});
    for (const auto& what : waiting)
      what();
  });
}

void world::take_over() {
  if (!life_) return;
  old_life_ = std::move(life_);
  start_process();
}

world::life* world::find_life(std::uint64_t number) {
  if (life_ && life_->number == number) return life_.get();
  if (old_life_ && old_life_->number == number) return old_life_.get();
  return nullptr;
}

void world::deliver(std::uint64_t number, nanoseconds delay, std::function<void(life&)> what) {
  clock_.after(delay, [this, number, what = std::move(what)] {
    const auto handle = [this, number, what] {
      if (auto* l = find_life(number)) {
        what(*l);
        if (auto* still = find_life(number)) pump(*still);
      }
    };
    auto* l = find_life(number);
    if (l == nullptr) return;
    if (l->paused)
      l->waiting.push_back(handle);
    else
      handle();
  });
}

void world::tick(std::uint64_t number) {
  auto* l = find_life(number);
  if (l == nullptr) return;
  if (!l->paused) {
    l->core->on_tick(now());
    pump(*l);
    l = find_life(number);
    if (l == nullptr) return;
    if (l->core->reconciled() && !l->was_ready) {
      l->was_ready = true;
      longest_recovery = std::max(longest_recovery, clock_.now() - l->born);
    }
  }
  clock_.after(tick_length, [this, number] { tick(number); });
}

void world::pump(life& l) {
  const auto number = l.number;
  while (true) {
    const auto actions = l.core->take_actions();
    if (actions.empty()) return;
    for (const auto& action : actions) {
      perform(l, action);
      if (find_life(number) == nullptr) return; // died at a kill point
    }
  }
}

bool world::passes(life& l, kill_point where) {
  if (options_.kill_at != where || where == kill_point::none) return true;
  if (--options_.kill_count > 0) return true;
  options_.kill_at = kill_point::none;
  if (life_ && life_->number == l.number) kill_process();
  return false;
}

void world::perform(life& l, const executor_action& action) {
  const auto number = l.number;
  if (const auto* ask = std::get_if<ask_risk>(&action)) {
    if (!risk_up_) return;
    clock_.after(milliseconds{1}, [this, number, request = ask->request] {
      const auto verdict = risk_.check(request, now());
      deliver(number, milliseconds{1},
              [this, verdict](life& alive) { alive.core->on_verdict(verdict, now()); });
    });
  } else if (const auto* append = std::get_if<append_records>(&action)) {
    do_append(l, *append);
  } else if (const auto* place = std::get_if<place_order>(&action)) {
    do_place(l, *place);
  } else if (const auto* gone = std::get_if<cancel_order>(&action)) {
    wire_cancel(l, *gone);
  } else if (const auto* lease = std::get_if<ask_lease>(&action)) {
    if (!risk_up_) return;
    const auto asked = clock_.now();
    clock_.after(milliseconds{1}, [this, number, asked, request = lease->request] {
      const auto grant = risk_.grant(request, now());
      deliver(number, milliseconds{1}, [this, grant, asked](life& alive) {
        if (grant.granted) alive.lease_end = std::max(alive.lease_end, asked + grant.length);
        alive.core->on_lease(grant, asked, now());
        if (!alive.told || alive.told->state != risk_.state().state) {
          alive.told = risk_.state();
          alive.core->on_halt(risk_.state(), now());
        }
      });
    });
  } else if (const auto* told = std::get_if<raise_alarm>(&action)) {
    alarms.push_back(told->what + ": " + told->text);
  } else if (std::get_if<end_executor>(&action)) {
    if (old_life_ && old_life_->number == number) {
      clock_.after(nanoseconds{0}, [this, number] {
        if (old_life_ && old_life_->number == number) old_life_.reset();
      });
    }
  } else {
    do_read(l, action);
  }
}

void world::do_append(life& l, const append_records& append) {
  const auto holds_intent =
      std::any_of(append.records.begin(), append.records.end(),
                  [](const auto& r) { return std::holds_alternative<intent>(r); });
  l.unsynced.insert(l.unsynced.end(), append.records.begin(), append.records.end());
  if (holds_intent && !passes(l, kill_point::before_sync)) return;
  const auto number = l.number;
  if (options_.bugs.send_before_sync && append.token != 0) {
    l.core->on_committed(append.token, now()); // planted: does not wait for the disk
  }
  clock_.after(dice_.span(nanoseconds{100'000}, milliseconds{6}),
               [this, number, token = append.token] {
                 auto* alive = find_life(number);
                 if (alive == nullptr) return;
                 if (alive->epoch < epoch_) {
                   // The journal reads EPOCH before each append: a newer owner fences the older
                   // one.
                   return deliver(number, nanoseconds{0},
                                  [](life& old) { old.core->on_journal_failed("fenced"); });
                 }
                 durable_.insert(durable_.end(), alive->unsynced.begin(), alive->unsynced.end());
                 alive->unsynced.clear();
                 if (token == 0 || options_.bugs.send_before_sync) return;
                 deliver(number, nanoseconds{20'000}, [this, token](life& still) {
                   if (!passes(still, kill_point::after_sync_before_send)) return;
                   still.core->on_committed(token, now());
                 });
               });
}

void world::do_place(life& l, const place_order& action) {
  const auto* order = l.core->release(action.client_id, now());
  if (order == nullptr) return;
  const auto copy = *order;
  check_wire(l, copy);
  wire_place(l, action.command, copy);
  passes(l, kill_point::after_send_before_ack);
}

bool world::is_durable(const std::string& client_id) const {
  return std::any_of(durable_.rbegin(), durable_.rend(), [&](const auto& record) {
    const auto* what = std::get_if<intent>(&record);
    return what != nullptr && what->client_id == client_id;
  });
}

/// Every order passes here the moment it leaves the process.
void world::check_wire(life& l, const intent& order) {
  ++sent;
  last_sent = clock_.now();
  const auto id = order.client_id;
  if (!is_durable(id)) {
    ++sent_while_unsynced;
    violate("P1: " + id + " left before its intent was synced");
  }
  if (order.approval != approval_hash(order)) violate("P1: " + id + " is not what risk approved");
  if (l.epoch < epoch_)
    violate("P2: epoch " + std::to_string(l.epoch) + " sent after " + std::to_string(epoch_));
  if (clock_.now() >= l.lease_end) violate("P8: " + id + " left without a lease");
  if (halted_at_ && risk_.state().state == trading_state::halted
      && clock_.now() - *halted_at_ > halt_bound)
    violate("P8: " + id + " left while halted");
  if (!l.read_open_orders || !l.read_account || !l.session)
    violate("P4: " + id + " left before reconciliation");
  if (now().market >= order.expires) violate(id + " left after its expiry");
}

// --- the wire
// -----------------------------------------------------------------------------------------------

void world::answer(std::uint64_t number, nanoseconds delay, command_outcome outcome) {
  if (options_.bugs.unknown_is_rejected && outcome.kind == command_result::unknown) {
    outcome.kind = command_result::rejected; // planted: silence taken for a no
    outcome.report.state = order_state::rejected;
  }
  deliver(number, delay, [this, outcome](life& alive) { alive.core->on_outcome(outcome, now()); });
}

void world::wire_place(life& l, command_id command, const intent& order) {
  const auto& odds = options_.odds;
  const auto number = l.number;
  command_outcome silence;
  silence.command = command;
  silence.kind = command_result::unknown;
  silence.report.client_id = order.client_id;
  const auto entry = dice_.span(milliseconds{1}, milliseconds{30});
  const auto roll = static_cast<double>(dice_.between(0, 999'999)) / 1e6;
  const auto cut = odds.drop_before_accept;
  const auto taken = cut + odds.accept_then_drop;
  const auto late = taken + odds.late_accept;
  if (roll < late)
    answer(number, entry + dice_.span(milliseconds{50}, milliseconds{1500}), silence);
  if (options_.bugs.blind_resend && roll < late) {
    // planted: no answer, so it is sent again under a new id
    auto again = order;
    again.leg += 1'000;
    again.client_id = client_id_of(again);
    clock_.after(seconds{1}, [this, again, number] { venue_place(again, 0, number, false); });
  }
  if (roll < cut) return;
  const bool answered = roll >= late;
  const auto delay = roll < taken || answered ? entry : dice_.span(milliseconds{500}, seconds{8});
  clock_.after(delay, [this, order, command, number, answered] {
    venue_place(order, command, number, answered);
  });
}

void world::wire_cancel(life& l, const cancel_order& action) {
  const auto number = l.number;
  const auto lost = dice_.chance(options_.odds.drop_before_accept + options_.odds.accept_then_drop);
  const auto refused = dice_.chance(options_.odds.refused_cancel);
  clock_.after(dice_.span(milliseconds{1}, milliseconds{30}), [=, this] {
    command_outcome out;
    out.command = action.command;
    out.report.client_id = action.client_id;
    const auto found = venue_.live.find(action.client_id);
    if (found == venue_.live.end() || refused) {
      out.kind = command_result::rejected;
      out.why = refusal::gone;
    } else {
      auto& r = venue_.orders.at(found->second);
      venue_end(r, order_state::cancelled);
      out.kind = command_result::confirmed;
      out.report = report_of(r);
    }
    if (lost) out.kind = command_result::unknown;
    answer(number, dice_.span(milliseconds{1}, milliseconds{40}), out);
  });
}

void world::do_read(life& l, const executor_action& action) {
  const auto number = l.number;
  const auto failed = dice_.chance(options_.odds.failed_read);
  const auto there = dice_.span(milliseconds{1}, milliseconds{30});
  const auto back = dice_.span(milliseconds{1}, milliseconds{30});
  const auto broken = [] { return error{make_error_code(executor_errc::bad_input), "cut"}; };
  if (const auto* q = std::get_if<query_order>(&action)) {
    clock_.after(there, [=, this, asked = *q] {
      command_outcome out;
      out.command = asked.command;
      out.kind = failed ? command_result::unknown : command_result::absent;
      out.report.client_id = asked.client_id;
      if (const auto* r = venue_.by_client(asked.client_id); r && !failed) {
        out.kind = command_result::confirmed;
        out.report = report_of(*r);
      }
      deliver(number, back, [this, out](life& alive) { alive.core->on_outcome(out, now()); });
    });
  } else if (const auto* o = std::get_if<fetch_open_orders>(&action)) {
    clock_.after(there, [=, this, command = o->command] {
      std::vector<order_report> rows;
      for (const auto& [client_id, venue_id] : venue_.live)
        rows.push_back(report_of(venue_.orders.at(venue_id)));
      open_orders_outcome out{command, std::move(rows)};
      if (failed) out.orders = broken();
      deliver(number, back, [this, out, failed](life& alive) {
        alive.read_open_orders = alive.read_open_orders || !failed;
        alive.core->on_open_orders(out, now());
      });
    });
  } else if (const auto* t = std::get_if<fetch_trades>(&action)) {
    clock_.after(there, [=, this, command = t->command, from = t->trade_id] {
      trades_outcome out{command, std::vector<fill>{}, false};
      std::vector<fill> rows;
      for (auto f : venue_.trades) {
        if (!from.empty() && trade_id_before(f.trade_id, from)) continue;
        if (rows.size() == 50) {
          out.more = true;
          break;
        }
        f.client_id.clear(); // the trade list names the venue's order id only
        rows.push_back(std::move(f));
      }
      out.fills = std::move(rows);
      if (failed) out.fills = broken();
      deliver(number, back, [this, out](life& alive) { alive.core->on_trades(out, now()); });
    });
  } else if (const auto* a = std::get_if<fetch_account>(&action)) {
    clock_.after(there, [=, this, command = a->command] {
      std::vector<asset_balance> rows{{"BTC", venue_.base, 0, 8}, {"USDT", venue_.quote, 0, 8}};
      account_outcome out{command, std::move(rows), now().market};
      if (failed) out.balances = broken();
      deliver(number, back, [this, out, failed](life& alive) {
        alive.read_account = alive.read_account || !failed;
        alive.core->on_account(out, now());
      });
    });
  }
}

// --- the venue
// ------------------------------------------------------------------------------------------------

order_report world::report_of(const venue::row& r) const {
  order_report out;
  out.account = account;
  out.instrument = r.what.instrument;
  out.client_id = r.what.client_id;
  out.venue_order_id = r.venue_id;
  out.state = r.state;
  out.filled = r.filled;
  out.at = now().market;
  return out;
}

void world::venue_place(const intent& order, command_id command, std::uint64_t number,
                        bool answered) {
  command_outcome out;
  out.command = command;
  out.report.client_id = order.client_id;
  const auto ack = dice_.span(milliseconds{1}, milliseconds{40} + options_.odds.slow_ack);
  if (venue_.live.contains(order.client_id)) {
    out.kind = command_result::rejected;
    out.why = refusal::duplicate;
    if (answered) answer(number, ack, out);
    return;
  }
  if (dice_.chance(options_.odds.reject)) {
    out.kind = command_result::rejected;
    out.why = refusal::would_take;
    out.report.state = order_state::rejected;
    if (answered) answer(number, ack, out);
    return;
  }
  if (++venue_.placed[order.client_id] > 1) violate("I1: two venue orders of " + order.client_id);
  if (!is_durable(order.client_id))
    violate("lost: the venue has " + order.client_id + " without a journal row");
  // The executor's own rule: one working order an instrument and layer. More at once is more exposure than wanted.
  if (venue_.live.size() >= options_.executor.policy.layers)
    violate("more live orders at once than layers: " + venue_.live.begin()->first + " and " + order.client_id);
  venue::row r;
  r.what = order;
  r.venue_id = std::to_string(venue_.next_order++);
  venue_.live[order.client_id] = r.venue_id;
  auto& placed = venue_.orders[r.venue_id] = r;
  out.kind = command_result::confirmed;
  out.report = report_of(placed);
  private_event(placed, nullptr);
  if (order.tif == time_in_force::ioc) {
    const auto part = options_.fills ? dice_.between(0, order.quantity.raw) : 0;
    if (part > 0) venue_fill(placed, part);
    if (placed.filled < order.quantity) venue_end(placed, order_state::expired);
    out.report = report_of(placed);
  } else if (options_.fills && dice_.chance(0.15)) {
    venue_fill(placed, dice_.between(1, order.quantity.raw));
  }
  if (answered) answer(number, ack, out);
}

void world::venue_fill(venue::row& r, std::int64_t quantity) {
  quantity = std::min(quantity, r.what.quantity.raw - r.filled.raw);
  if (quantity <= 0) return;
  fill f;
  f.account = account;
  f.instrument = r.what.instrument;
  f.trade_id = std::to_string(venue_.next_trade++);
  f.client_id = r.what.client_id;
  f.venue_order_id = r.venue_id;
  f.direction = r.what.direction;
  f.at_price = r.what.limit;
  f.quantity = {quantity};
  f.at = now().market;
  f.fee_scale = 8;
  const auto base = quantity * 1000;                   // 10^-5 → 10^-8
  const auto quote = r.what.limit.raw * quantity * 10; // 10^-7 → 10^-8
  const bool buy = f.direction == side::buy;
  f.fee_asset = buy ? "BTC" : "USDT";
  f.fee_raw = (buy ? base : quote) / 1000;
  venue_.base += (buy ? base : -base) - (buy ? f.fee_raw : 0);
  venue_.quote += (buy ? -quote : quote) - (buy ? 0 : f.fee_raw);
  r.filled = r.filled + f.quantity;
  r.fills.push_back(f);
  venue_.trades.push_back(f);
  r.state = r.filled == r.what.quantity ? order_state::filled : order_state::partially_filled;
  if (r.state == order_state::filled) venue_.live.erase(r.what.client_id);
  private_event(r, &f);
}

void world::venue_end(venue::row& r, order_state state) {
  r.state = state;
  venue_.live.erase(r.what.client_id);
  private_event(r, nullptr);
}

void world::private_event(const venue::row& r, const fill* execution) {
  if (!life_ || !life_->session) return;
  auto report = report_of(r);
  if (execution != nullptr) {
    auto f = *execution;
    if (dice_.chance(options_.odds.late_fee)) {
      f.fee_asset.clear();
      f.fee_raw = 0;
    }
    report.fills.push_back(f);
  }
  if (dice_.chance(options_.odds.lost_event)) return;
  const auto copies = dice_.chance(options_.odds.duplicate_event) ? 2 : 1;
  const auto session = life_->session_number;
  for (int i = 0; i < copies; ++i)
    deliver(life_->number, dice_.span(milliseconds{1}, milliseconds{80}),
            [this, report, session](life& alive) {
              if (alive.session && alive.session_number == session)
                alive.core->on_report(report, now());
            });
}

void world::fill_some(double chance) {
  const auto live = venue_.live;
  for (const auto& [client_id, venue_id] : live) {
    if (!dice_.chance(chance)) continue;
    auto& r = venue_.orders.at(venue_id);
    venue_fill(r, dice_.chance(0.4) ? r.what.quantity.raw : dice_.between(1, r.what.quantity.raw));
  }
}

void world::foreign_trade(side direction, std::int64_t quantity, bool our_client_id) {
  venue::row r;
  r.what.account = account;
  r.what.instrument = {instrument_name};
  r.what.direction = direction;
  r.what.limit = newest_.bid.at;
  r.what.quantity = {quantity};
  r.what.client_id = our_client_id ? "t-abcdefghijklmnopqrstuvwxyz" : "by-hand-1";
  r.venue_id = std::to_string(venue_.next_order++);
  auto& placed = venue_.orders[r.venue_id] = r;
  venue_fill(placed, quantity);
}

// --- what goes on around
// ----------------------------------------------------------------------------------------

void world::move_market() {
  mid_ += dice_.between(-300, 300);
  newest_.instrument = {instrument_name};
  newest_.at = now().market;
  newest_.sequence = ++quotes_;
  newest_.validity = dice_.chance(0.01) && turning_ ? book_validity::gap : book_validity::valid;
  newest_.bid = {{mid_ - 5}, {100'000}};
  newest_.ask = {{mid_ + 5}, {100'000}};
  risk_.on_quote(newest_);
  if (life_)
    deliver(life_->number, milliseconds{2},
            [this, q = newest_](life& l) { l.core->on_quote(q, now()); });
  if (options_.fills) fill_some(0.08);
  if (turning_ && dice_.chance(options_.odds.session_break / 5)) break_session();
  if (deciding_ && turning_
      && dice_.chance(0.2 / (static_cast<double>(options_.decide_every.count()) / 1e9)))
    decide(dice_.between(-max_position, max_position));
  clock_.after(milliseconds{200}, [this] { move_market(); });
}

void world::decide(std::int64_t target) {
  decision d;
  d.sequence = static_cast<std::uint64_t>(now().market.ns / 1000) + (++decisions_ & 7);
  d.instrument = {instrument_name};
  d.at = now().market;
  d.target = {target};
  if (life_)
    deliver(life_->number, milliseconds{1}, [this, d](life& l) { l.core->on_decision(d, now()); });
}

void world::halt(trading_state state) {
  if (!risk_.set_state({state, "test", "because"})) violate("the halt was refused");
  halted_at_.reset();
  if (state == trading_state::halted) halted_at_ = clock_.now();
  if (!life_) return;
  deliver(life_->number, dice_.span(milliseconds{1}, milliseconds{20}), [this](life& l) {
    l.told = risk_.state();
    l.core->on_halt(risk_.state(), now());
  });
}

bool world::settle(nanoseconds at_most) {
  turning_ = false;
  deciding_ = false;
  options_.odds = {};
  options_.kill_at = kill_point::none;
  options_.fills = false;
  const auto until = clock_.now() + at_most;
  run(seconds{1});
  while (clock_.now() < until) {
    if (life_ && life_->core->reconciled() && life_->core->settled()
        && life_->core->report(now()).unknown_orders == 0)
      return true;
    run(milliseconds{100});
  }
  return false;
}

void world::check_end() {
  if (!life_) return violate("nobody lives at the end");
  auto& core = *life_->core;
  // The target is what is held, so that nothing is worked for any more; and one more audit.
  run(milliseconds{200});
  decide(core.position({instrument_name}).raw);
  run(seconds{20});
  for (int i = 0; i < 5'000 && !core.settled(); ++i)
    run(milliseconds{3});
  if (!core.settled()) violate("the executor does not come to rest");
  std::set<std::string> ours;
  for (const auto& f : core.books().fills({instrument_name}))
    ours.insert(f.trade_id);
  std::set<std::string> theirs;
  for (const auto& f : venue_.trades)
    theirs.insert(f.trade_id);
  if (ours != theirs)
    violate("P5: the ledger has " + std::to_string(ours.size()) + " trades, the venue "
            + std::to_string(theirs.size()));
  if (auto sound = core.books().check(); !sound) violate("P5: " + sound.error().message());
  const auto changes = core.books().balance_changes();
  const auto base = changes.contains("BTC") ? changes.at("BTC") : 0;
  if (base != *rescale(venue_.base - 100'00000000, 8, ledger_scale))
    violate("P5: base balance differs");
  const auto quote = changes.contains("USDT") ? changes.at("USDT") : 0;
  if (quote != *rescale(venue_.quote - 10'000'000'00000000, 8, ledger_scale))
    violate("P5: cash is not conserved");
  std::set<std::string> journaled;
  for (const auto& record : durable_)
    if (const auto* what = std::get_if<intent>(&record)) {
      if (!journaled.insert(what->client_id).second)
        violate("I1: " + what->client_id + " was journaled twice");
      const auto* mine = core.find(what->client_id);
      const auto* row = venue_.by_client(what->client_id);
      if (mine == nullptr) {
        violate("lost: " + what->client_id + " is in the journal and forgotten");
        continue;
      }
      const auto state = mine->state();
      if (row == nullptr) {
        if (!is_final(state))
          violate("lost: " + what->client_id + " has no end (" + std::string{name_of(state)} + ")");
        if (mine->known_to_venue())
          violate(what->client_id + " is thought to be at the venue and is not");
      } else if (row->state != state) {
        violate(what->client_id + " is " + std::string{name_of(state)} + " here and "
                + std::string{name_of(row->state)} + " at the venue");
      }
    }
  for (const auto& [client_id, count] : venue_.placed)
    if (!journaled.contains(client_id))
      violate("lost: " + client_id + " is at the venue and not in the journal");
}

} // namespace troupe::sim
