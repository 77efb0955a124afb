// The account's side of the exchange: orders, queries, fills, balances.

#include "tools/venue_sim/decimal.hpp"
#include "tools/venue_sim/exchange.hpp"

#include <algorithm>

namespace troupe::venue_sim {
namespace {

constexpr std::string_view legal_id = "^[\\.A-Z\\:/a-z0-9_-]{1,36}$";
constexpr std::string_view legal_amount = "^([0-9]{1,20})(\\.[0-9]{1,20})?$";

bool is_legal_id(std::string_view id) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || std::string_view{".:/_-"}.find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= 36 && std::all_of(id.begin(), id.end(), legal);
}

std::string illegal(std::string_view name, std::string_view range) {
  return "Illegal characters found in parameter '" + std::string{name} + "'; legal range is '"
         + std::string{range} + "'.";
}

answer_detail detail_of(const parameters& p, order_type type) {
  const auto asked = p.get("newOrderRespType");
  if (asked == "ACK") return answer_detail::ack;
  if (asked == "RESULT") return answer_detail::result;
  if (asked == "FULL") return answer_detail::full;
  return type == order_type::limit_maker ? answer_detail::ack : answer_detail::full;
}

/// Rows joined to a JSON array.
class row_list {
public:
  void add(std::string_view row) {
    if (text_.size() > 1) text_ += ',';
    text_ += row;
  }
  api_reply reply() && { return {200, std::move(text_) + ']', {}}; }

private:
  std::string text_ = "[";
};

} // namespace

/// An amount in units of 10^-8; an absent one stays 0.
std::optional<api_reply> exchange::read_amount(const parameters& p, std::string_view name,
                                               std::int64_t& out) {
  const auto* text = p.find(name);
  if (text == nullptr) return std::nullopt;
  const auto number = parse_decimal_text(*text);
  if (!number) return refuse(400, -1100, illegal(name, legal_amount));
  if (!number->precise)
    return refuse(400, -1111, "Parameter '" + std::string{name} + "' has too much precision.");
  if (number->value_e8 == 0) return refuse(400, -1013, "Invalid " + std::string{name} + ".");
  out = number->value_e8;
  return std::nullopt;
}

std::variant<order_request, api_reply> exchange::read_order(const parameters& p) {
  order_request o;
  for (const auto* name : {"side", "type"})
    if (!p.has(name) || p.get(name).empty()) return missing(name);
  const auto side = p.get("side"), type = p.get("type"), tif = p.get("timeInForce");
  if (side != "BUY" && side != "SELL") return refuse(400, -1117, "Invalid side.");
  o.side = side == "BUY" ? order_side::buy : order_side::sell;
  if (type == "LIMIT")
    o.type = order_type::limit;
  else if (type == "MARKET")
    o.type = order_type::market;
  else if (type == "LIMIT_MAKER")
    o.type = order_type::limit_maker;
  else
    return refuse(400, -1116, "Invalid orderType.");
  if (!tif.empty() && o.type != order_type::limit)
    return refuse(400, -1106, "Parameter 'timeInForce' sent when not required.");
  if (o.type == order_type::limit) {
    if (tif.empty()) return missing("timeInForce");
    if (tif != "GTC" && tif != "IOC" && tif != "FOK") return refuse(400, -1115, "Invalid timeInForce.");
    o.tif = tif == "GTC" ? time_in_force::gtc : tif == "IOC" ? time_in_force::ioc : time_in_force::fok;
  }
  const bool by_money = o.type == order_type::market && p.has("quoteOrderQty");
  if (by_money == p.has("quantity"))
    return by_money ? refuse(400, -1128, "Combination of optional parameters invalid.") : missing("quantity");
  if (o.type == order_type::market && p.has("price"))
    return refuse(400, -1106, "Parameter 'price' sent when not required.");
  if (o.type != order_type::market && !p.has("price")) return missing("price");
  if (auto bad = read_amount(p, "price", o.price_e8)) return *bad;
  if (auto bad = read_amount(p, by_money ? "quoteOrderQty" : "quantity",
                             by_money ? o.quote_quantity_e8 : o.quantity_e8))
    return *bad;
  if (const auto* id = p.find("newClientOrderId")) {
    if (!is_legal_id(*id)) return refuse(400, -1100, illegal("newClientOrderId", legal_id));
    o.client_order_id = *id;
  }
  return o;
}

api_reply exchange::place(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  auto asked = read_order(c.p);
  if (auto* bad = std::get_if<api_reply>(&asked)) return std::move(*bad);
  if (auto over = limits_.charge_order(c.now.steady_ns)) return refuse(*over);
  auto& request = std::get<order_request>(asked);
  const auto detail = detail_of(c.p, request.type);
  const auto client_id = request.client_order_id;
  const auto newest_before = engine_.fills().empty() ? 0 : engine_.fills().rbegin()->first;
  const auto placed = engine_.place(std::move(request), market_.book(), c.now.market_ns);
  if (const auto* no = std::get_if<refusal>(&placed)) {
    ledger_.add(ledger_refusal{client_id, no->code, c.now.market_ns});
    limits_.order_filled(); // a refused order holds no place
    return refuse(400, no->code, no->text);
  }
  std::vector<fill> fills;
  for (auto at = engine_.fills().upper_bound(newest_before); at != engine_.fills().end(); ++at)
    fills.push_back(at->second);
  const auto* o = engine_.find(std::get<std::int64_t>(placed));
  return {200, placed_body(*o, fills, detail, engine_.rules()), {}};
}

/// The order a request names by orderId or origClientOrderId; null when there is none.
const order* exchange::find_order(const parameters& p, bool& mismatch) const {
  mismatch = false;
  const auto id = p.integer("orderId");
  const auto client = p.get("origClientOrderId");
  const auto* found = id ? engine_.find(*id) : engine_.find(std::string_view{client});
  if (id && !client.empty() && found != nullptr && found->asked.client_order_id != client) mismatch = true;
  return found;
}

api_reply exchange::cancel(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  if (!c.p.has("orderId") && !c.p.has("origClientOrderId"))
    return refuse(400, -1102,
                  "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!");
  const auto request_id = c.p.get("newClientOrderId");
  if (c.p.has("newClientOrderId") && !is_legal_id(request_id))
    return refuse(400, -1100, illegal("newClientOrderId", legal_id));
  const auto done = engine_.cancel(c.p.integer("orderId").value_or(0), c.p.get("origClientOrderId"),
                                   request_id, c.now.market_ns);
  if (const auto* no = std::get_if<refusal>(&done)) return refuse(400, no->code, no->text);
  const auto* o = engine_.find(std::get<std::int64_t>(done));
  const auto shown = request_id.empty() ? "cancel" + std::to_string(o->id) : request_id;
  return {200, canceled_body(*o, shown, engine_.rules()), {}};
}

api_reply exchange::cancel_all(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  const auto open = engine_.open_orders();
  if (open.empty()) return refuse(400, -2011, "Unknown order sent.");
  std::vector<std::int64_t> ids;
  for (const auto* o : open)
    ids.push_back(o->id);
  row_list rows;
  for (const auto id : ids) {
    (void)engine_.cancel(id, {}, {}, c.now.market_ns);
    rows.add(canceled_body(*engine_.find(id), "cancel" + std::to_string(id), engine_.rules()));
  }
  return std::move(rows).reply();
}

api_reply exchange::query(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  if (!c.p.has("orderId") && !c.p.has("origClientOrderId"))
    return refuse(400, -1102,
                  "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!");
  bool mismatch = false;
  const auto* o = find_order(c.p, mismatch);
  if (o == nullptr) return refuse(400, -2013, "Order does not exist.");
  if (mismatch) return refuse(400, -2039, "Client order ID and order ID do not belong to the same order.");
  return {200, order_body(*o, engine_.rules()), {}};
}

api_reply exchange::open_orders(const context& c) {
  if (c.p.has("symbol"))
    if (auto refused = check_symbol(c.p)) return *refused;
  row_list rows;
  for (const auto* o : engine_.open_orders())
    rows.add(order_body(*o, engine_.rules()));
  return std::move(rows).reply();
}

api_reply exchange::all_orders(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  const auto& orders = engine_.orders();
  const auto limit = limit_of(c.p, 500, 1000);
  const auto from = c.p.integer("orderId");
  const auto skip = !from && orders.size() > limit ? static_cast<std::ptrdiff_t>(orders.size() - limit) : 0;
  auto at = from ? orders.lower_bound(*from) : std::next(orders.begin(), skip);
  row_list rows;
  for (std::size_t n = 0; at != orders.end() && n < limit; ++at, ++n)
    rows.add(order_body(at->second, engine_.rules()));
  return std::move(rows).reply();
}

api_reply exchange::my_trades(const context& c) {
  if (auto refused = check_symbol(c.p)) return *refused;
  const auto limit = limit_of(c.p, 500, 1000);
  const auto from = c.p.integer("fromId");
  const auto of_order = c.p.integer("orderId");
  const auto since = c.p.integer("startTime").value_or(0), until = c.p.integer("endTime").value_or(never_ns);
  std::vector<const fill*> chosen;
  for (const auto& [id, f] : engine_.fills()) {
    const auto time_ms = f.time_ns / 1'000'000;
    const bool wanted = (!from || id >= *from) && (!of_order || f.order_id == *of_order) && time_ms >= since
                        && time_ms <= until;
    if (wanted) chosen.push_back(&f);
  }
  const bool oldest_first = from || c.p.has("startTime");
  if (chosen.size() > limit) {
    const auto extra = static_cast<std::ptrdiff_t>(chosen.size() - limit);
    if (oldest_first)
      chosen.resize(limit);
    else
      chosen.erase(chosen.begin(), chosen.begin() + extra);
  }
  row_list rows;
  for (const auto* f : chosen)
    rows.add(my_trade_body(*f, *engine_.find(f->order_id), engine_.rules()));
  return std::move(rows).reply();
}

api_reply exchange::account(const context&) {
  return {200, account_body(engine_, account_updated_ms_), {}};
}

} // namespace troupe::venue_sim
