#include "actors/executors/paper_venue.hpp"

#include "actors/executors/ledger.hpp"
#include "messages/json.hpp"
#include "messages/msgpack.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr int balance_scale = 8;
constexpr std::size_t page_rows = 500;
constexpr std::size_t kept_explanations = 2'000;

error unknown_instrument(const instrument_id& id) {
  return {make_error_code(executor_errc::bad_input), "the paper venue does not trade " + id.text};
}

/// price × size in the quote asset, × 10^-8, cut off as venues do.
std::int64_t quote_amount(price p, size q, const instrument_spec& spec) {
  const auto value =
      rescale(static_cast<int128>(p.raw) * q.raw, spec.price_scale + spec.size_scale, ledger_scale);
  if (!value) return INT64_MAX;
  int128 unit = 1;
  for (int i = balance_scale; i < ledger_scale; ++i)
    unit *= 10;
  return static_cast<std::int64_t>(*value / unit);
}

std::int64_t base_amount(size q, const instrument_spec& spec) {
  const auto value = rescale(q.raw, spec.size_scale, balance_scale);
  return value ? static_cast<std::int64_t>(*value) : INT64_MAX;
}

bool tradable(const quote& q) {
  return q.validity == book_validity::valid && q.bid.at.raw > 0 && q.ask.at > q.bid.at;
}

} // namespace

paper_venue::paper_venue(paper_options options) : options_{std::move(options)} {
  for (const auto& b : options_.opening)
    state_.balances.push_back({b.asset, b.free_raw + b.locked_raw});
}

void paper_venue::restore(paper_state state) {
  state_ = std::move(state);
}

const paper_instrument* paper_venue::instrument(const instrument_id& id) const {
  for (const auto& i : options_.instruments)
    if (i.spec.id == id) return &i;
  return nullptr;
}

std::int64_t& paper_venue::balance(const std::string& asset) {
  for (auto& b : state_.balances)
    if (b.asset == asset) return b.total;
  return state_.balances.emplace_back(paper_balance{asset, 0}).total;
}

const paper_order* paper_venue::find(const std::string& client_id) const {
  for (const auto& o : state_.live)
    if (o.what.client_id == client_id) return &o;
  for (auto o = state_.ended.rbegin(); o != state_.ended.rend(); ++o)
    if (o->what.client_id == client_id) return &*o;
  return nullptr;
}

const paper_explanation* paper_venue::explain(const std::string& trade_id) const {
  for (const auto& e : explanations_)
    if (e.trade_id == trade_id) return &e;
  return nullptr;
}

// --- time and messages
// ----------------------------------------------------------------------------------------

void paper_venue::arrive(market_time now, std::function<void(market_time)> what) {
  arrivals_.push_back({now + options_.entry_latency, next_number_++, std::move(what)});
}

void paper_venue::answer(market_time at, std::function<void(gateway_events&)> what) {
  events_.push_back({at + options_.response_latency, next_number_++, std::move(what)});
}

void paper_venue::advance(market_time venue_now) {
  while (!arrivals_.empty() && arrivals_.front().at <= venue_now) {
    auto next = std::move(arrivals_.front());
    arrivals_.pop_front();
    next.carry_out(next.at);
  }
}

std::vector<paper_event> paper_venue::take_due(market_time now) {
  std::vector<paper_event> out;
  std::deque<paper_event> later;
  for (auto& e : events_)
    (e.due <= now ? (void)out.push_back(std::move(e)) : later.push_back(std::move(e)));
  events_ = std::move(later);
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.due < b.due; });
  return out;
}

order_report paper_venue::report_of(const paper_order& o, market_time at) const {
  order_report r;
  r.account = options_.account;
  r.instrument = o.what.instrument;
  r.client_id = o.what.client_id;
  r.venue_order_id = o.venue_order_id;
  r.state = o.state;
  r.filled = o.filled;
  r.at = at;
  return r;
}

void paper_venue::tell(const paper_order& o, const fill* execution, market_time at) {
  auto report = report_of(o, at);
  if (execution != nullptr) report.fills.push_back(*execution);
  answer(at, [report](gateway_events& to) { to.on_report(report); });
}

// --- the market
// -------------------------------------------------------------------------------------------------

void paper_venue::on_quote(const quote& q) {
  advance(q.at); // what had arrived before this change met the book before it
  quotes_[q.instrument] = q;
  if (!tradable(q)) return;
  for (auto& o : state_.live)
    if (o.what.instrument == q.instrument) match_quote(o, q);
  sweep_filled();
}

void paper_venue::on_trade(const trade& t) {
  advance(t.at);
  for (auto& o : state_.live)
    if (o.what.instrument == t.instrument) match_trade(o, t);
  sweep_filled();
}

void paper_venue::match_quote(paper_order& o, const quote& q) {
  const bool buy = o.what.direction == side::buy;
  const auto& ours = buy ? q.bid : q.ask;
  const auto& theirs = buy ? q.ask : q.bid;
  const bool through = buy ? theirs.at <= o.what.limit : theirs.at >= o.what.limit;
  if (through) {
    execute(o, o.what.quantity - o.filled, o.what.limit, true, q.at, "through",
            "quote " + std::to_string(q.sequence) + (buy ? " ask " : " bid ")
                + std::to_string(theirs.at.raw));
    return;
  }
  if (ours.at != o.what.limit) {
    // Best price of our side is worse than ours: we stand alone in front.
    const bool in_front = buy ? ours.at < o.what.limit : ours.at > o.what.limit;
    if (in_front) o.queue_ahead = {}, o.queue_known = true;
    return;
  }
  if (!o.queue_known) o.queue_ahead = ours.quantity, o.queue_known = true;
  o.queue_ahead = std::min(o.queue_ahead, ours.quantity);
}

void paper_venue::match_trade(paper_order& o, const trade& t) {
  const bool buy = o.what.direction == side::buy;
  if (t.taker == o.what.direction) return; // takers of our side don't reach us
  const bool beyond = buy ? t.at_price < o.what.limit : t.at_price > o.what.limit;
  const auto open = o.what.quantity - o.filled;
  if (beyond) return execute(o, open, o.what.limit, true, t.at, "through", "trade " + t.id);
  if (t.at_price != o.what.limit || !o.queue_known) return;
  const auto left = t.quantity.raw - o.queue_ahead.raw;
  const auto ahead = o.queue_ahead;
  if (left > 0)
    execute(o, {std::min(left, open.raw)}, o.what.limit, true, t.at, "queue", "trade " + t.id);
  o.queue_ahead.raw = std::max<std::int64_t>(0, ahead.raw - t.quantity.raw);
}

void paper_venue::execute(paper_order& o, size quantity, price at_price, bool maker, market_time at,
                          std::string rule, std::string cause) {
  if (quantity.raw <= 0) return;
  const auto& i = *instrument(o.what.instrument);
  const bool buy = o.what.direction == side::buy;
  fill f;
  f.account = options_.account;
  f.instrument = o.what.instrument;
  f.trade_id = std::to_string(state_.next_trade++);
  f.client_id = o.what.client_id;
  f.venue_order_id = o.venue_order_id;
  f.direction = o.what.direction;
  f.at_price = at_price;
  f.quantity = quantity;
  f.maker = maker;
  f.at = at;
  const auto base = base_amount(quantity, i.spec);
  const auto value = quote_amount(at_price, quantity, i.spec);
  const auto received = buy ? base : value;
  f.fee_scale = balance_scale;
  f.fee_asset = buy ? i.base_asset : i.quote_asset;
  f.fee_raw = static_cast<std::int64_t>(static_cast<int128>(received)
                                        * (maker ? options_.maker_fee_ppm : options_.taker_fee_ppm)
                                        / 1'000'000);
  balance(i.base_asset) += buy ? base - f.fee_raw : -base;
  balance(i.quote_asset) += buy ? -value : value - f.fee_raw;
  explanations_.push_back(
      {f.trade_id, f.client_id, std::move(rule), o.queue_ahead, std::move(cause)});
  if (explanations_.size() > kept_explanations) explanations_.pop_front();
  o.filled = o.filled + quantity;
  o.state = o.filled == o.what.quantity ? order_state::filled : order_state::partially_filled;
  state_.trades.push_back(f);
  if (state_.trades.size() > options_.kept_trades) state_.trades.erase(state_.trades.begin());
  changed_ = true;
  tell(o, &f, at);
}

void paper_venue::sweep_filled() {
  for (auto o = state_.live.begin(); o != state_.live.end();) {
    if (o->state != order_state::filled) {
      ++o;
      continue;
    }
    state_.ended.push_back(*o);
    o = state_.live.erase(o);
  }
  if (state_.ended.size() > options_.kept_orders)
    state_.ended.erase(state_.ended.begin(),
                       state_.ended.end() - static_cast<std::ptrdiff_t>(options_.kept_orders));
}

void paper_venue::end(const std::string& client_id, order_state state, market_time at) {
  const auto found = std::find_if(state_.live.begin(), state_.live.end(),
                                  [&](const auto& o) { return o.what.client_id == client_id; });
  if (found == state_.live.end()) return;
  found->state = state;
  tell(*found, nullptr, at);
  state_.ended.push_back(*found);
  state_.live.erase(found);
  changed_ = true;
}

// --- commands
// -----------------------------------------------------------------------------------------------------

bool paper_venue::affords(const intent& order) const {
  const auto& i = *instrument(order.instrument);
  const bool buy = order.direction == side::buy;
  const auto need =
      buy ? quote_amount(order.limit, order.quantity, i.spec) : base_amount(order.quantity, i.spec);
  int128 locked = need;
  for (const auto& o : state_.live) {
    const auto* other = instrument(o.what.instrument);
    if (other == nullptr || o.what.direction != order.direction) continue;
    const auto open = o.what.quantity - o.filled;
    if (buy && other->quote_asset == i.quote_asset)
      locked += quote_amount(o.what.limit, open, other->spec);
    if (!buy && other->base_asset == i.base_asset) locked += base_amount(open, other->spec);
  }
  for (const auto& b : state_.balances)
    if (b.asset == (buy ? i.quote_asset : i.base_asset)) return b.total >= locked;
  return false;
}

/// Why the venue would refuse the order; empty when it takes it.
std::string paper_venue::refusal_of(const intent& order, refusal& why) const {
  const auto* i = instrument(order.instrument);
  const auto refuse = [&](refusal kind, const char* text) {
    why = kind;
    return std::string{text};
  };
  if (i == nullptr) return refuse(refusal::permission, "unknown instrument");
  const auto& spec = i->spec;
  if (order.quantity < spec.min_size
      || (spec.lot.raw > 0 && order.quantity.raw % spec.lot.raw != 0))
    return refuse(refusal::filter, "Filter failure: LOT_SIZE");
  if (order.kind != order_kind::market
      && (order.limit.raw <= 0 || (spec.tick.raw > 0 && order.limit.raw % spec.tick.raw != 0)))
    return refuse(refusal::filter, "Filter failure: PRICE_FILTER");
  if (order.kind != order_kind::market
      && static_cast<int128>(order.limit.raw) * order.quantity.raw < spec.min_notional.raw)
    return refuse(refusal::filter, "Filter failure: NOTIONAL");
  for (const auto& o : state_.live)
    if (o.what.client_id == order.client_id)
      return refuse(refusal::duplicate, "Duplicate order sent.");
  const auto q = quotes_.find(order.instrument);
  if (q == quotes_.end() || !tradable(q->second))
    return refuse(refusal::overload, "no book to trade on");
  if (!affords(order))
    return refuse(refusal::funds, "Account has insufficient balance for requested action.");
  const bool buy = order.direction == side::buy;
  const bool crosses = buy ? order.limit >= q->second.ask.at : order.limit <= q->second.bid.at;
  if (order.kind == order_kind::limit_maker && crosses)
    return refuse(refusal::would_take, "Order would immediately match and take.");
  return {};
}

void paper_venue::place(command_id command, const intent& order, market_time now) {
  arrive(now, [=, this](market_time at) { place_now(command, order, at); });
}

void paper_venue::place_now(command_id command, const intent& order, market_time at) {
  command_outcome out;
  out.command = command;
  out.report.client_id = order.client_id;
  out.report.instrument = order.instrument;
  out.report.text = refusal_of(order, out.why);
  if (!out.report.text.empty()) {
    out.kind = command_result::rejected;
    out.report.state = order_state::rejected;
    out.report.at = at;
    return answer(at, [out](gateway_events& to) { to.on_outcome(out); });
  }
  paper_order o;
  o.what = order;
  o.venue_order_id = std::to_string(state_.next_order++);
  changed_ = true;
  tell(o, nullptr, at);
  take(o, at);
  const bool rests = o.what.kind != order_kind::market && o.what.tif == time_in_force::gtc;
  if (o.state != order_state::filled && rests) {
    rest(o);
    state_.live.push_back(o);
  } else {
    if (o.state != order_state::filled) {
      o.state = order_state::expired;
      tell(o, nullptr, at);
    }
    state_.ended.push_back(o);
  }
  out.kind = command_result::confirmed;
  out.report = report_of(o, at);
  answer(at, [out](gateway_events& to) { to.on_outcome(out); });
}

/// The part that meets the other side at once.
void paper_venue::take(paper_order& o, market_time at) {
  const auto& q = quotes_.at(o.what.instrument);
  const bool buy = o.what.direction == side::buy;
  const auto& theirs = buy ? q.ask : q.bid;
  const bool crosses = o.what.kind == order_kind::market
                       || (buy ? o.what.limit >= theirs.at : o.what.limit <= theirs.at);
  if (!crosses) return;
  const auto part = std::min(o.what.quantity, theirs.quantity);
  if (o.what.tif == time_in_force::fok && part < o.what.quantity) return;
  execute(o, part, theirs.at, false, at, "take",
          "quote " + std::to_string(q.sequence) + (buy ? " ask " : " bid ")
              + std::to_string(theirs.at.raw));
}

/// Joins the queue at its price.
void paper_venue::rest(paper_order& o) const {
  const auto& q = quotes_.at(o.what.instrument);
  const auto& ours = o.what.direction == side::buy ? q.bid : q.ask;
  const bool in_front =
      o.what.direction == side::buy ? o.what.limit > ours.at : o.what.limit < ours.at;
  o.queue_known = in_front || ours.at == o.what.limit;
  o.queue_ahead = ours.at == o.what.limit ? ours.quantity : size{};
}

void paper_venue::cancel(command_id command, const instrument_id&, const std::string& client_id,
                         market_time now) {
  arrive(now, [=, this](market_time at) { cancel_now(command, client_id, at); });
}

void paper_venue::cancel_now(command_id command, const std::string& client_id, market_time at) {
  command_outcome out;
  out.command = command;
  out.report.client_id = client_id;
  const bool live = std::any_of(state_.live.begin(), state_.live.end(),
                                [&](const auto& o) { return o.what.client_id == client_id; });
  if (!live) {
    out.kind = command_result::rejected;
    out.why = refusal::gone;
    out.report.text = "Unknown order sent.";
  } else {
    end(client_id, order_state::cancelled, at);
    out.kind = command_result::confirmed;
    out.report = report_of(*find(client_id), at);
  }
  answer(at, [out](gateway_events& to) { to.on_outcome(out); });
}

void paper_venue::query(command_id command, const instrument_id&, const std::string& client_id,
                        market_time now) {
  arrive(now, [=, this](market_time at) {
    command_outcome out;
    out.command = command;
    out.report.client_id = client_id;
    const auto* o = find(client_id);
    out.kind = o == nullptr ? command_result::absent : command_result::confirmed;
    if (o != nullptr) out.report = report_of(*o, at);
    out.report.at = at;
    answer(at, [out](gateway_events& to) { to.on_outcome(out); });
  });
}

void paper_venue::open_orders(command_id command, const instrument_id& id, market_time now) {
  arrive(now, [=, this](market_time at) {
    std::vector<order_report> rows;
    for (const auto& o : state_.live)
      if (o.what.instrument == id) rows.push_back(report_of(o, at));
    answer(at, [command, rows](gateway_events& to) { to.on_open_orders({command, rows}); });
  });
}

void paper_venue::trades_since(command_id command, const instrument_id& id,
                               const std::string& trade_id, market_time now) {
  arrive(now, [=, this](market_time at) {
    std::vector<fill> rows;
    bool more = false;
    for (const auto& f : state_.trades) {
      if (f.instrument != id || (!trade_id.empty() && trade_id_before(f.trade_id, trade_id)))
        continue;
      more = rows.size() == page_rows;
      if (more) break;
      rows.push_back(f);
    }
    answer(at, [command, rows, more](gateway_events& to) { to.on_trades({command, rows, more}); });
  });
}

void paper_venue::account(command_id command, market_time now) {
  arrive(now, [=, this](market_time at) {
    std::vector<asset_balance> rows;
    for (const auto& b : state_.balances)
      rows.push_back({b.asset, b.total, 0, balance_scale});
    answer(at, [command, rows, at](gateway_events& to) { to.on_account({command, rows, at}); });
  });
}

void paper_venue::rules(command_id command, const instrument_id& id, market_time now) {
  arrive(now, [=, this](market_time at) {
    const auto* i = instrument(id);
    auto spec = i != nullptr ? result<instrument_spec>{i->spec}
                             : result<instrument_spec>{unknown_instrument(id)};
    answer(at, [command, spec](gateway_events& to) { to.on_rules({command, spec}); });
  });
}

// --- gateway
// --------------------------------------------------------------------------------------------------------

paper_gateway::paper_gateway(paper_options options, const market_clock& clock,
                             std::function<void(const std::string&)> save, const std::string& saved)
    : venue_{std::move(options)}, clock_{clock}, save_{std::move(save)} {
  if (saved.empty()) return;
  if (auto state = from_msgpack<paper_state>(saved)) venue_.restore(std::move(*state));
}

gateway_traits paper_gateway::traits() const {
  gateway_traits t;
  // Nothing is slower here than the entry; twice that is beyond doubt.
  t.processing_horizon = 2 * venue_.options().entry_latency + std::chrono::milliseconds{100};
  return t;
}

void paper_gateway::start(gateway_events& events) {
  events_ = &events;
  const auto& instruments = venue_.options().instruments;
  const auto id = instruments.empty() ? instrument_id{} : instruments.front().spec.id;
  events.on_session({id, 1, session_state::connected, "paper"});
}

void paper_gateway::stop() {
  events_ = nullptr;
}

void paper_gateway::place(command_id command, const intent& order) {
  venue_.place(command, order, clock_.now());
}
void paper_gateway::cancel(command_id command, const instrument_id& instrument,
                           const std::string& client_id) {
  venue_.cancel(command, instrument, client_id, clock_.now());
}
void paper_gateway::query(command_id command, const instrument_id& instrument,
                          const std::string& client_id) {
  venue_.query(command, instrument, client_id, clock_.now());
}
void paper_gateway::open_orders(command_id command, const instrument_id& instrument) {
  venue_.open_orders(command, instrument, clock_.now());
}
void paper_gateway::trades_since(command_id command, const instrument_id& instrument,
                                 const std::string& trade_id) {
  venue_.trades_since(command, instrument, trade_id, clock_.now());
}
void paper_gateway::account(command_id command) {
  venue_.account(command, clock_.now());
}
void paper_gateway::rules(command_id command, const instrument_id& instrument) {
  venue_.rules(command, instrument, clock_.now());
}

void paper_gateway::on_quote(const quote& q, market_time now) {
  venue_.on_quote(q);
  deliver(now);
}

void paper_gateway::on_trade(const trade& t, market_time now) {
  venue_.on_trade(t);
  deliver(now);
}

void paper_gateway::on_time(market_time now) {
  venue_.advance(now - venue_.options().feed_latency);
  deliver(now);
}

void paper_gateway::deliver(market_time now) {
  if (venue_.take_changed() && save_) save_(to_msgpack(venue_.state()));
  if (events_ == nullptr) return;
  for (const auto& event : venue_.take_due(now))
    if (events_ != nullptr) event.deliver(*events_);
}

std::string paper_gateway::status_json() const {
  const auto& state = venue_.state();
  json_writer w;
  w.begin_object().field("kind", "paper").field("live_orders", state.live.size());
  w.field("trades", state.next_trade - 1).field("orders", state.next_order - 1);
  w.key("balances").begin_object();
  for (const auto& b : state.balances)
    w.field(b.asset, format_decimal_short(b.total, balance_scale));
  w.end_object();
  if (!state.trades.empty())
    if (const auto* why = venue_.explain(state.trades.back().trade_id))
      w.key("last_fill").raw(to_json(*why));
  w.end_object();
  return std::move(w).text();
}

} // namespace troupe
