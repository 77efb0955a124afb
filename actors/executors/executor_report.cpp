// What an executor tells people and programs about itself.

#include "actors/executors/executor_internal.hpp"
#include "messages/json.hpp"

namespace troupe {

std::string_view name_of(executor_state state) noexcept {
  switch (state) {
  case executor_state::starting:
    return "starting";
  case executor_state::reconciling:
    return "reconciling";
  case executor_state::live:
    return "live";
  case executor_state::halted:
    return "halted";
  case executor_state::without_lease:
    return "without_lease";
  case executor_state::fenced:
    return "fenced";
  }
  return "?";
}

executor_state executor_core::state(instant now) const {
  if (ended_early_) return executor_state::fenced;
  if (!running_) return executor_state::starting;
  if (!reconciled_) return executor_state::reconciling;
  if (!halt_ || halt_->state == trading_state::halted) return executor_state::halted;
  return now.steady < lease_until_ ? executor_state::live : executor_state::without_lease;
}

bool executor_core::settled() const {
  if (run_ || !actions_.empty()) return false;
  for (const auto& [id, m] : markets_)
    if (!m->orphans.empty() || m->trades_running) return false;
  for (const auto& id : open_ids_) {
    const auto& t = *orders_.at(id);
    const auto state = t.machine.state();
    const bool live = state == order_state::acknowledged || state == order_state::partially_filled;
    if (!live || t.machine.closing() || t.cancelling || t.ask) return false;
  }
  return true;
}

executor_report executor_core::report(instant now) const {
  executor_report out;
  out.account = options_.account;
  out.state = state(now);
  out.epoch = epoch_;
  out.intents = intents_;
  out.orders = confirmed_;
  out.fills = ledger_.fill_count();
  out.rejected = rejected_;
  out.denied = denied_;
  out.journal_records = records_;
  out.ready_after = ready_after_;
  for (const auto& id : open_ids_) {
    const auto& t = *orders_.at(id);
    const auto state = t.machine.state();
    if (state == order_state::acknowledged || state == order_state::partially_filled)
      ++out.live_orders;
    if (state != order_state::unknown) continue;
    ++out.unknown_orders;
    out.oldest_unknown = std::max(out.oldest_unknown, now.steady - t.unknown_since);
  }
  if (markets_.empty()) return out;

  // Equity of the first instrument's assets at the mid; what the venue held before we began
  // included.
  const auto& m = *markets_.begin()->second;
  const auto& spec = m.instrument.spec;
  const auto held = ledger_.position(spec.id);
  out.position = format_wide(held.quantity, held.base_scale, held.base_scale);
  auto quote_held = held.cash;
  auto base_held = rescale(held.quantity, held.base_scale, ledger_scale).value_or(0);
  if (const auto o = opening_.find(m.instrument.quote_asset); o != opening_.end())
    quote_held += o->second;
  if (const auto o = opening_.find(m.instrument.base_asset); o != opening_.end())
    base_held += o->second;
  if (m.newest && m.newest->bid.at.raw > 0) {
    // Twice the mid, so that half ticks stay exact.
    const auto twice = static_cast<std::uint64_t>(m.newest->bid.at.raw + m.newest->ask.at.raw);
    std::uint64_t unit = 2;
    for (int i = 0; i < spec.price_scale; ++i)
      unit *= 10;
    if (const auto value = multiply_divide(base_held, twice, unit)) quote_held += *value;
  }
  out.equity = format_wide(quote_held, ledger_scale, 8, 2);
  return out;
}

std::string executor_core::status_json(instant now) const {
  const auto figures = report(now);
  json_writer w;
  w.begin_object();
  for_each_field(figures, [&](std::string_view name, const auto& value) {
    w.key(name);
    detail::write_json(w, value);
  });
  w.field("state_name", name_of(figures.state))
      .field("ready", running_)
      .field("alarms", alarms_)
      .field("session_up", session_up_);
  w.field("halt", halt_ ? name_of(halt_->state) : std::string_view{"unknown"});
  w.field("end_reason", end_reason_);
  w.field("lease_left_ns", std::max<std::int64_t>(0, (lease_until_ - now.steady).count()));
  w.key("instruments").begin_array();
  for (const auto& [id, m] : markets_) {
    const auto held = ledger_.position(id);
    w.begin_object().field("instrument", id.text).field("quarantined", m->quarantined);
    w.field("position", format_wide(held.quantity, held.base_scale, held.base_scale));
    w.field("average_price", ledger_.average_price(id));
    w.field("realised", format_wide(held.realised, ledger_scale, 8));
    w.field("target",
            m->target ? format_decimal_short(m->target->target.raw, m->instrument.spec.size_scale)
                      : "");
    w.field("decision", m->target ? m->target->sequence : 0);
    w.field("orphan_trades", m->orphans.size());
    w.end_object();
  }
  w.end_array().key("open_orders").begin_array();
  for (const auto& id : open_ids_) {
    const auto& t = *orders_.at(id);
    const auto& order = t.machine.what();
    const auto scale = markets_.at(order.instrument)->instrument.spec;
    w.begin_object().field("client_id", id).field("venue_order_id", t.machine.venue_order_id());
    w.field("state", name_of(t.machine.state()))
        .field("side", order.direction == side::buy ? "buy" : "sell");
    w.field("limit", format_decimal_short(order.limit.raw, scale.price_scale));
    w.field("size", format_decimal_short(order.quantity.raw, scale.size_scale));
    w.field("filled", format_decimal_short(t.machine.filled().raw, scale.size_scale));
    w.field("queries", t.queries).field("cancel", t.cancel_reason).end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
