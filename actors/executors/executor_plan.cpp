// From target position to orders: one working order an instrument and layer; what is missing to the target is
// split over the layers. A new order comes only once one before it has ended and every execution of it is booked,
// and all working ones together never ask for more than what is missing.

#include "actors/executors/client_id.hpp"
#include "actors/executors/executor_internal.hpp"

#include <algorithm>

namespace troupe {
namespace {

__extension__ typedef __int128 wide;

/// Towards zero, to a multiple of the step.
std::int64_t floor_step(std::int64_t value, std::int64_t step) {
  return step > 0 ? value - value % step : value;
}

} // namespace

/// Working orders of an instrument, in the order of their ids: the same after a restart.
std::vector<executor_core::tracked*> executor_core::working_orders(const market& m) {
  std::vector<tracked*> out;
  for (const auto& id : open_ids_) {
    auto& t = *orders_.at(id);
    if (t.machine.what().instrument == m.instrument.spec.id) out.push_back(&t);
  }
  return out;
}

void executor_core::hold(market& m, instant now) {
  const auto pause =
      backoff(options_.first_hold, options_.last_hold, m.holds++, m.instrument.spec.id.text);
  m.hold_until = std::max(m.hold_until, now.steady + pause);
}

bool executor_core::can_open(const market& m, instant now) const {
  if (!running_ || ended_early_ || !reconciled_ || !session_up_ || !m.quarantined.empty())
    return false;
  if (!halt_ || halt_->state == trading_state::halted || now.steady >= lease_until_) return false;
  if (!m.target || now.market - m.target->at > options_.policy.decision_life) return false;
  if (!m.newest || m.newest->validity != book_validity::valid) return false;
  if (now.market - m.newest->at > options_.policy.max_quote_age) return false;
  if (m.newest->bid.at.raw <= 0 || m.newest->ask.at <= m.newest->bid.at) return false;
  return m.orphans.empty() && now.steady >= m.hold_until;
}

/// What is missing to the target, signed, in the instrument's size scale.
size executor_core::wanted(const market& m) const {
  return {m.target->target.raw - ledger_.position_size(m.instrument.spec.id).raw};
}

price executor_core::passive_price(const market& m, side direction) const {
  return direction == side::buy ? m.newest->bid.at : m.newest->ask.at;
}

void executor_core::plan_all(instant now) {
  for (auto& [id, m] : markets_)
    plan(*m, now);
}

void executor_core::plan(market& m, instant now) {
  if (!running_ || ended_early_) return;
  const auto working = working_orders(m);
  // What is left for each of them, when all before it have what they ask for.
  auto room = m.target ? std::abs(wanted(m).raw) : std::int64_t{0};
  for (auto* t : working) {
    manage(m, *t, room, now);
    room = std::max<std::int64_t>(room - t->machine.remaining().raw, 0);
  }
  if (working.size() < options_.policy.layers && can_open(m, now)) plan_layer(m, working, now);
}

/// One more order, where something is missing to the target that no working one asks for.
void executor_core::plan_layer(market& m, const std::vector<tracked*>& working, instant now) {
  const auto& spec = m.instrument.spec;
  const auto want = wanted(m);
  const auto direction = want.raw > 0 ? side::buy : side::sell;
  const auto missing = floor_step(std::abs(want.raw), spec.lot.raw);
  if (working.empty() && (missing <= 0 || missing < spec.min_size.raw)) return m.wanted_since.reset();
  auto room = missing;
  for (const auto* t : working) {
    // One that goes the other way, or for what the target no longer wants, has to end first.
    if (t->machine.what().direction != direction || t->crossing) return;
    room -= t->machine.remaining().raw;
  }
  if (!m.wanted_since || m.wanted_side != direction) m.wanted_since = now.market;
  m.wanted_side = direction;
  const auto& cross_after = options_.policy.cross_after;
  const bool crossing = cross_after && now.market - *m.wanted_since >= *cross_after;
  if (crossing && !working.empty()) return;
  const auto limit = crossing ? crossing_price(m, direction) : free_layer(m, direction, working);
  const auto quantity = share_of(m, room, crossing ? 1 : options_.policy.layers - working.size(), limit);
  if (quantity <= 0 || quantity < spec.min_size.raw) return;
  create_order(m, direction, {quantity}, crossing, limit, now);
}

price executor_core::crossing_price(const market& m, side direction) const {
  const auto beyond = price{options_.policy.cross_ticks * m.instrument.spec.tick.raw};
  return direction == side::buy ? m.newest->ask.at + beyond : m.newest->bid.at - beyond;
}

/// The price of the nearest layer at which no working order lies.
price executor_core::free_layer(const market& m, side direction, const std::vector<tracked*>& working) const {
  const auto step = options_.policy.layer_ticks * m.instrument.spec.tick.raw;
  auto at = passive_price(m, direction);
  for (std::uint32_t layer = 1; layer < options_.policy.layers; ++layer) {
    const bool taken = std::any_of(working.begin(), working.end(), [&](const tracked* t) {
      return 2 * std::abs(t->machine.what().limit.raw - at.raw) <= step;
    });
    if (!taken) break;
    at.raw += direction == side::buy ? -step : step;
  }
  return at;
}

/// What of `room` one of `free` more orders asks for: its share, but no less than the venue takes.
std::int64_t executor_core::share_of(const market& m, std::int64_t room, std::size_t free, price limit) const {
  const auto& spec = m.instrument.spec;
  auto out = room / static_cast<std::int64_t>(std::max<std::size_t>(free, 1));
  if (free > 1 && limit.raw > 0) {
    const auto least = spec.min_notional.raw / limit.raw + spec.lot.raw;
    out = std::max({out, spec.min_size.raw, least + spec.lot.raw});
    // What would be left for the next one is too little to be an order: this one takes it.
    if (room - out < std::max(spec.min_size.raw, least)) out = room;
  }
  if (options_.policy.max_slice.raw > 0) out = std::min(out, options_.policy.max_slice.raw);
  return floor_step(std::min(out, room), spec.lot.raw);
}

void executor_core::create_order(market& m, side direction, size quantity, bool crossing,
                                 price limit, instant now) {
  const auto& spec = m.instrument.spec;
  limit.raw = floor_step(limit.raw, spec.tick.raw);
  if (limit.raw <= 0 || static_cast<wide>(limit.raw) * quantity.raw < spec.min_notional.raw) return;

  intent order;
  order.account = options_.account;
  order.decision_sequence = m.target->sequence;
  order.leg = m.next_leg++;
  order.instrument = spec.id;
  order.direction = direction;
  order.kind = !crossing && options_.policy.post_only ? order_kind::limit_maker : order_kind::limit;
  order.tif = crossing ? time_in_force::ioc : time_in_force::gtc;
  order.limit = limit;
  order.quantity = quantity;
  order.created = now.market;
  order.expires = now.market + options_.policy.intent_expiry;
  order.client_id = client_id_of(order);
  if (orders_.contains(order.client_id))
    return; // the same intent again: the next leg gets its own id

  auto t = std::make_unique<tracked>(order);
  t->crossing = crossing;
  t->since = now;
  t->risk_deadline = now.steady + options_.risk_timeout;
  orders_[order.client_id] = std::move(t);
  open_ids_.insert(order.client_id);
  act(ask_risk{request_for(order)});
}

/// Looks after a working order, to which `room` of what is missing is left: leaves it, or has it cancelled; its
/// successor comes once it has ended.
void executor_core::manage(market& m, tracked& t, std::int64_t room, instant now) {
  const auto state = t.machine.state();
  const bool live = state == order_state::acknowledged || state == order_state::partially_filled;
  if (!live || t.machine.closing() || t.cancel_wanted) return;
  std::string why;
  if (!should_cancel(m, t, room, now, why)) return;
  t.cancel_wanted = true;
  t.cancel_reason = why;
  want_cancel(t, now);
}

bool executor_core::should_cancel(const market& m, const tracked& t, std::int64_t room, instant now,
                                  std::string& why) const {
  const auto& order = t.machine.what();
  const auto& policy = options_.policy;
  const auto yes = [&](const char* reason) {
    why = reason;
    return true;
  };
  if (halt_ && halt_->state == trading_state::halted) return yes("halted");
  if (halt_ && halt_->state == trading_state::reducing && !shrinks_position(request_for(order)))
    return yes("reducing");
  if (!m.quarantined.empty()) return yes("quarantine");
  if (!m.target || now.market - m.target->at > policy.decision_life) return yes("no decision");
  if (now.market - order.created > policy.time_to_live) return yes("time to live");
  const auto want = wanted(m);
  const auto direction = want.raw > 0 ? side::buy : side::sell;
  const auto least = std::max<std::int64_t>(m.instrument.spec.min_size.raw, 1);
  if (direction != order.direction || t.machine.remaining().raw > room) return yes("target");
  const bool alone = policy.max_slice.raw == 0 && policy.layers == 1;
  if (alone && room - t.machine.remaining().raw >= least)
    return yes("target");
  if (!m.newest || m.newest->validity != book_validity::valid
      || now.market - m.newest->at > policy.max_quote_age)
    return yes("book");
  if (t.crossing) return false;
  if (policy.cross_after && m.wanted_since && now.market - *m.wanted_since >= *policy.cross_after)
    return yes("cross");
  const auto away = order.direction == side::buy ? m.newest->bid.at - order.limit
                                                 : order.limit - m.newest->ask.at;
  const auto furthest = policy.reprice_ticks + (policy.layers - 1) * policy.layer_ticks;
  return away.raw > furthest * m.instrument.spec.tick.raw ? yes("price") : false;
}

void executor_core::want_cancel(tracked& t, instant now) {
  const auto state = t.machine.state();
  const bool live = state == order_state::acknowledged || state == order_state::partially_filled;
  if (!live || t.machine.closing() || t.cancelling || t.ask || now.steady < t.next_cancel) return;
  const auto& order = t.machine.what();
  t.cancelling = true;
  ++t.cancels;
  act(cancel_order{command(purpose::cancel, order.client_id, order.instrument, now),
                   order.instrument, order.client_id});
}

} // namespace troupe
