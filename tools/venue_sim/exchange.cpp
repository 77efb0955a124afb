#include "tools/venue_sim/exchange.hpp"

#include "messages/json.hpp"
#include "tools/venue_sim/decimal.hpp"

#include <algorithm>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t ms = 1'000'000;

trading_rules rules_for(const market_shape& shape, trading_rules rules) {
  rules.symbol = shape.symbol;
  rules.base = shape.base;
  rules.quote = shape.quote;
  rules.tick_e8 = shape.tick_e8;
  rules.min_price_e8 = shape.tick_e8;
  rules.step_e8 = shape.step_e8;
  rules.min_quantity_e8 = shape.step_e8;
  return rules;
}

std::string_view prefix_of(venue_kind venue) {
  return venue == venue_kind::binance_spot ? "/api/v3/" : "/fapi/v1/";
}

api_reply body(std::string text) {
  return {200, std::move(text), {}};
}

order restored(const ledger_order& from) {
  order o;
  o.id = from.order_id;
  o.asked.client_order_id = from.client_order_id;
  o.asked.side = from.side == ledger_side::buy ? order_side::buy : order_side::sell;
  o.asked.type = from.type == "MARKET"        ? order_type::market
                 : from.type == "LIMIT_MAKER" ? order_type::limit_maker
                                              : order_type::limit;
  o.asked.tif = from.time_in_force == "IOC"   ? time_in_force::ioc
                : from.time_in_force == "FOK" ? time_in_force::fok
                                              : time_in_force::gtc;
  o.asked.price_e8 = from.price_e8;
  o.asked.quantity_e8 = from.quantity_e8;
  o.asked.quote_quantity_e8 = from.quote_quantity_e8;
  o.created_ns = o.updated_ns = from.market_ns;
  return o;
}

fill restored(const ledger_fill& from) {
  fill f;
  f.trade_id = from.trade_id;
  f.order_id = from.order_id;
  f.price_e8 = from.price_e8;
  f.quantity_e8 = from.quantity_e8;
  f.quote_e8 = from.quote_e8;
  f.commission_e8 = from.commission_e8;
  f.commission_in_base = from.side == ledger_side::buy;
  f.maker = from.maker;
  for (const auto rule : {fill_rule::take, fill_rule::queue, fill_rule::trade_through, fill_rule::crossed})
    if (text_of(rule) == from.rule) f.rule = rule;
  f.time_ns = from.market_ns;
  return f;
}

} // namespace

exchange::exchange(exchange_settings settings, const market_source& market, trading_rules rules,
                   ledger_writer ledger, const ledger_content& history)
    : settings_{std::move(settings)}, market_{market}, engine_{rules_for(market.shape(), std::move(rules)),
                                                               history.opening_base_e8,
                                                               history.opening_quote_e8},
      ledger_{std::move(ledger)}, limits_{settings_.limits} {
  for (const auto& o : history.orders) {
    engine_.restore_order(restored(o));
    if (++accepted_by_client_[o.client_order_id] > 1) ++duplicates_;
  }
  for (const auto& f : history.fills)
    engine_.restore_fill(restored(f));
  for (const auto& e : history.ends) {
    const bool canceled = e.how == "cancel";
    engine_.restore_end(e.order_id, canceled ? order_status::canceled : order_status::expired, e.market_ns);
    ++(canceled ? canceled_ : expired_);
  }
  accepted_ = history.orders.size();
  fills_ = history.fills.size();
  for (const auto& r : history.refusals)
    ++refusals_by_code_[r.code];
}

status exchange::finish_restart(instant now) {
  engine_.requeue(market_.book());
  for (const auto* o : engine_.open_orders()) {
    if (o->asked.type == order_type::limit_maker) continue;
    if (o->asked.type == order_type::limit && o->asked.tif == time_in_force::gtc) continue;
    ledger_.add(ledger_end{o->id, o->asked.client_order_id, "expire", {}, now.market_ns});
    engine_.restore_end(o->id, order_status::expired, now.market_ns);
    ++expired_;
  }
  return ledger_.commit();
}

// ---- access -------------------------------------------------------------------------------------------

std::span<const exchange::route> exchange::routes() {
  using x = exchange;
  static constexpr route table[]{
      {"GET", "ping", "ping", false, 1, &x::ping},
      {"GET", "time", "time", false, 1, &x::time},
      {"GET", "exchangeInfo", "exchangeInfo", false, 20, &x::info},
      {"GET", "depth", "depth", false, 0, &x::depth},
      {"GET", "trades", "trades.recent", false, 25, &x::trades},
      {"GET", "historicalTrades", "trades.historical", false, 25, &x::old_trades},
      {"GET", "aggTrades", "trades.aggregate", false, 4, &x::aggregate_trades},
      {"GET", "klines", "klines", false, 2, &x::klines},
      {"GET", "ticker/bookTicker", "ticker.book", false, 2, &x::best_prices},
      {"POST", "order", "order.place", true, 1, &x::place},
      {"DELETE", "order", "order.cancel", true, 1, &x::cancel},
      {"GET", "order", "order.status", true, 4, &x::query},
      {"GET", "openOrders", "openOrders.status", true, 6, &x::open_orders},
      {"DELETE", "openOrders", "openOrders.cancelAll", true, 1, &x::cancel_all},
      {"GET", "allOrders", "allOrders", true, 20, &x::all_orders},
      {"GET", "myTrades", "myTrades", true, 20, &x::my_trades},
      {"GET", "account", "account.status", true, 20, &x::account},
  };
  return table;
}

/// Trading on the futures venue is not simulated: its paths answer 404.
bool exchange::serves(const route& r) const noexcept {
  return !r.is_signed || market_.shape().venue == venue_kind::binance_spot;
}

api_reply exchange::refuse(unsigned http, int code, std::string_view text) {
  ++refusals_by_code_[code];
  return {http, error_body(code, text), {}};
}

api_reply exchange::refuse(const limit_refusal& why) {
  auto reply = refuse(why.status, why.code, why.text);
  reply.fields.emplace_back("Retry-After", std::to_string(why.retry_after_s));
  return reply;
}

api_reply exchange::missing(std::string_view parameter) {
  return refuse(400, -1102,
                "Mandatory parameter '" + std::string{parameter}
                    + "' was not sent, was empty/null, or malformed.");
}

/// Key first, then the time, then the signature: a late request is told so even when it is badly signed.
std::optional<api_reply> exchange::check_access(const context& c) {
  const auto denied = [&](api_reply reply) {
    ++unsigned_refusals_;
    return reply;
  };
  if (c.api_key.empty()) return denied(refuse(401, -2014, "API-key format invalid."));
  if (c.api_key != settings_.api_key)
    return denied(refuse(401, -2015, "Invalid API-key, IP, or permissions for action."));
  const auto* signature = c.p.find("signature");
  if (signature == nullptr || signature->empty()) return denied(missing("signature"));
  if (auto late = check_time(c)) return late;
  if (!same_signature(*signature, hmac_hex(settings_.api_secret, c.to_sign)))
    return denied(refuse(400, -1022, "Signature for this request is not valid."));
  return std::nullopt;
}

std::optional<api_reply> exchange::check_time(const context& c) {
  constexpr std::int64_t default_window_ms = 5000, longest_window_ms = 60000, ahead_ms = 1000;
  auto sent = c.p.integer("timestamp");
  if (!sent) return missing("timestamp");
  if (*sent > 1'000'000'000'000'000) *sent /= 1000; // microseconds are accepted too
  const auto window = c.p.integer("recvWindow").value_or(default_window_ms);
  if (window < 0 || window > longest_window_ms)
    return refuse(400, -1131, "recvWindow must be less than 60000.");
  const auto late = c.now.market_ms() - *sent;
  if (late < -ahead_ms * settings_.recv_window_factor)
    return refuse(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.");
  if (late > window * settings_.recv_window_factor)
    return refuse(400, -1021, "Timestamp for this request is outside of the recvWindow.");
  return std::nullopt;
}

std::optional<api_reply> exchange::check_symbol(const parameters& p) {
  const auto* symbol = p.find("symbol");
  if (symbol == nullptr || symbol->empty()) return missing("symbol");
  if (*symbol != market_.shape().symbol) return refuse(400, -1121, "Invalid symbol.");
  return std::nullopt;
}

api_reply exchange::run(const route& r, const context& c) {
  const int weight = r.weight == 0 ? depth_weight(c.p) : r.weight;
  if (auto over = limits_.charge(weight, c.now.steady_ns)) return refuse(*over);
  if (r.is_signed)
    if (auto refused = check_access(c)) return *refused;
  auto reply = (this->*r.run)(c);
  const bool changes_orders = r.is_signed && r.method != "GET";
  if (changes_orders && reply.status == 200) limits_.refund(weight); // accepted places and cancels are free
  return reply;
}

api_reply exchange::handle(const api_request& request, instant now) {
  const auto prefix = prefix_of(market_.shape().venue);
  ++requests_by_path_[std::string{request.method} + " " + std::string{request.path}];
  const auto all = routes();
  const route* found = nullptr;
  if (request.path.starts_with(prefix)) {
    const auto name = request.path.substr(prefix.size());
    for (const auto& r : all)
      if (r.path == name && r.method == request.method && serves(r)) found = &r;
  }
  if (found == nullptr) return {404, R"({"code":-1000,"msg":"This path or method is not served."})", {}};
  bool fine = false;
  const auto p = parameters::from_form(request.query, request.body, fine);
  api_reply reply;
  if (!fine)
    reply = refuse(400, -1101, "Too many parameters; or a damaged percent escape.");
  else
    reply = run(*found, {p, now, signed_text(request.query, request.body), request.api_key});
  add_limit_fields(reply, found->path == "order" && found->method == "POST");
  return reply;
}

void exchange::add_limit_fields(api_reply& reply, bool order) const {
  const auto weight = std::to_string(limits_.used_weight());
  reply.fields.emplace_back("X-MBX-USED-WEIGHT", weight);
  reply.fields.emplace_back("X-MBX-USED-WEIGHT-1M", weight);
  if (!order) return;
  reply.fields.emplace_back("X-MBX-ORDER-COUNT-10S", std::to_string(limits_.orders_10s()));
  reply.fields.emplace_back("X-MBX-ORDER-COUNT-1D", std::to_string(limits_.orders_day()));
}

// ---- market data --------------------------------------------------------------------------------------

std::size_t exchange::limit_of(const parameters& p, std::size_t otherwise, std::size_t most) const {
  const auto asked = p.integer("limit").value_or(static_cast<std::int64_t>(otherwise));
  return static_cast<std::size_t>(std::clamp<std::int64_t>(asked, 1, static_cast<std::int64_t>(most)));
}

int exchange::depth_weight(const parameters& p) const {
  const auto limit = p.integer("limit").value_or(100);
  if (market_.shape().venue == venue_kind::binance_usdm)
    return limit <= 50 ? 2 : limit <= 100 ? 5 : limit <= 500 ? 10 : 20;
  return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250;
}

api_reply exchange::ping(const context&) {
  return body("{}");
}

api_reply exchange::time(const context& c) {
  std::string out = R"({"serverTime":)";
  append_integer(out, c.now.market_ms());
  return body(out + '}');
}

api_reply exchange::info(const context& c) {
  if (c.p.has("symbol"))
    if (auto refused = check_symbol(c.p)) return *refused;
  const auto& limits = limits_.settings();
  return body(exchange_info_body(market_.shape(), engine_.rules(), c.now.market_ms(),
                                 limits.weight_per_minute, limits.orders_per_10s, limits.orders_per_day));
}

api_reply exchange::depth(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  const std::size_t most = market_.shape().venue == venue_kind::binance_spot ? 5000 : 1000;
  return body(depth_body(market_.book(), market_.shape(), limit_of(c.p, 100, most), c.now.market_ms()));
}

api_reply exchange::trades(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  return body(trades_body(history_.newest(limit_of(c.p, 500, 1000)), market_.shape()));
}

api_reply exchange::old_trades(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  const auto limit = limit_of(c.p, 500, 1000);
  const auto from = c.p.integer("fromId");
  return body(trades_body(from ? history_.from_id(*from, limit) : history_.newest(limit), market_.shape()));
}

api_reply exchange::aggregate_trades(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  const auto limit = limit_of(c.p, 500, 1000);
  std::vector<public_trade> found;
  if (const auto from = c.p.integer("fromId"))
    found = history_.from_id(*from, limit);
  else if (c.p.has("startTime") || c.p.has("endTime"))
    found = history_.between(c.p.integer("startTime").value_or(0), c.p.integer("endTime").value_or(never_ns),
                             limit);
  else
    found = history_.newest(limit);
  return body(aggregate_trades_body(found, market_.shape()));
}

api_reply exchange::klines(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  if (!c.p.has("interval")) return missing("interval");
  const auto step = market_history::interval_ms(c.p.get("interval"));
  if (!step) return refuse(400, -1120, "Invalid interval.");
  const auto start = c.p.integer("startTime");
  const auto found = history_.candles(*step, start.value_or(0), c.p.integer("endTime").value_or(never_ns),
                                      limit_of(c.p, 500, 1000), !start);
  return body(candles_body(found, market_.shape()));
}

api_reply exchange::best_prices(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  return body(book_ticker_body(market_.book(), market_.shape(), c.now.market_ms()));
}

void exchange::learn(const market_event& event) {
  if (event.kind == frame_kind::trade) history_.add(event);
}

void exchange::on_market(const market_event& event) {
  learn(event);
  engine_.on_market(event, market_.book());
}

// ---- what happened ------------------------------------------------------------------------------------

void exchange::record(const order_report& r, instant now) {
  const auto& o = r.now;
  const auto& rules = engine_.rules();
  const auto side = o.asked.side == order_side::buy ? ledger_side::buy : ledger_side::sell;
  switch (r.kind) {
  case order_report::kind_type::accepted: {
    const auto asked_quantity = o.asked.quote_quantity_e8 != 0 ? 0 : o.asked.quantity_e8;
    ledger_.add(ledger_order{o.id, o.asked.client_order_id, rules.symbol, side,
                             std::string{text_of(o.asked.type)}, std::string{text_of(o.asked.tif)},
                             o.asked.price_e8, asked_quantity, o.asked.quote_quantity_e8, r.time_ns,
                             now.steady_ns});
    ++accepted_;
    if (++accepted_by_client_[o.asked.client_order_id] > 1) ++duplicates_;
    return;
  }
  case order_report::kind_type::trade: {
    const auto& f = *r.execution;
    ledger_.add(ledger_fill{f.trade_id, o.id, o.asked.client_order_id, rules.symbol, side, f.price_e8,
                            f.quantity_e8, f.quote_e8, f.commission_e8,
                            f.commission_in_base ? rules.base : rules.quote, f.maker,
                            std::string{text_of(f.rule)}, f.time_ns});
    ++fills_;
    if (o.filled_e8 == f.quantity_e8) limits_.order_filled();
    return;
  }
  case order_report::kind_type::canceled:
    ledger_.add(ledger_end{o.id, o.asked.client_order_id, "cancel", r.request_client_id, r.time_ns});
    ++canceled_;
    return;
  case order_report::kind_type::expired:
    ledger_.add(ledger_end{o.id, o.asked.client_order_id, "expire", {}, r.time_ns});
    ++expired_;
    return;
  }
}

status exchange::settle(std::vector<std::string>& events, instant now) {
  if (!engine_.has_reports()) return ok; // refusals wait for the next batch: they promise nothing
  const auto reports = engine_.take_reports();
  for (const auto& r : reports)
    record(r, now);
  if (auto synced = ledger_.commit(); !synced) return synced;
  for (const auto& r : reports)
    events.push_back(execution_report(r, next_execution_++, engine_.rules(), now.market_ms()));
  events.push_back(account_position(engine_, now.market_ms()));
  account_updated_ms_ = now.market_ms();
  return ok;
}

std::string exchange::summary() const {
  json_writer w;
  w.begin_object().field("orders", accepted_).field("fills", fills_).field("canceled", canceled_);
  w.field("expired", expired_).field("open", engine_.open_orders().size()).field("duplicates", duplicates_);
  w.field("unsigned_refusals", unsigned_refusals_).field("ledger_records", ledger_.records());
  w.field("used_weight", limits_.used_weight());
  w.key("balances").begin_object();
  const auto& rules = engine_.rules();
  for (const auto& [asset, b] :
       {std::pair{&rules.base, &engine_.base()}, std::pair{&rules.quote, &engine_.quote()}})
    w.key(*asset)
        .begin_object()
        .field("free", text_e8(b->free_e8))
        .field("locked", text_e8(b->locked_e8))
        .end_object();
  w.end_object().key("refusals").begin_object();
  for (const auto& [code, count] : refusals_by_code_)
    w.field(std::to_string(code), count);
  w.end_object().key("requests").begin_object();
  for (const auto& [path, count] : requests_by_path_)
    w.field(path, count);
  w.end_object().end_object();
  return std::move(w).text();
}

} // namespace troupe::venue_sim
