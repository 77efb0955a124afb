// The WebSocket API's side of the exchange: the same handlers behind another envelope.

#include "messages/json.hpp"
#include "tools/venue_sim/exchange.hpp"

#include <simdjson.h>

namespace troupe::venue_sim {
namespace {

std::string value_text(simdjson::dom::element value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string{text};
  return simdjson::minify(value);
}

void write_limit(json_writer& w, const char* type, const char* interval, int length, int limit, int count) {
  w.begin_object().field("rateLimitType", type).field("interval", interval).field("intervalNum", length);
  w.field("limit", limit).field("count", count).end_object();
}

} // namespace

std::string exchange::limits_array(bool order) const {
  const auto& s = limits_.settings();
  json_writer w;
  w.begin_array();
  if (order) {
    write_limit(w, "ORDERS", "SECOND", 10, s.orders_per_10s, limits_.orders_10s());
    write_limit(w, "ORDERS", "DAY", 1, s.orders_per_day, limits_.orders_day());
  }
  write_limit(w, "REQUEST_WEIGHT", "MINUTE", 1, s.weight_per_minute, limits_.used_weight());
  w.end_array();
  return std::move(w).text();
}

std::string exchange::wrapped(std::string_view id, const api_reply& reply, bool order) const {
  json_writer w;
  w.begin_object().key("id").raw(id).field("status", reply.status);
  w.key(reply.status == 200 ? "result" : "error").raw(reply.body);
  w.key("rateLimits").raw(limits_array(order)).end_object();
  return std::move(w).text();
}

std::string exchange::call_answer(std::string_view id, std::string_view result) const {
  return wrapped(id, {200, std::string{result}, {}}, false);
}

exchange::call_result exchange::call(std::string_view text, instant now) {
  call_result out;
  out.id = "null";
  simdjson::dom::parser parser;
  simdjson::dom::element doc, id;
  std::string_view method;
  const bool parsed = parser.parse(text.data(), text.size()).get(doc) == simdjson::SUCCESS;
  if (parsed && doc["id"].get(id) == simdjson::SUCCESS) out.id = simdjson::minify(id);
  if (!parsed || doc["method"].get(method) != simdjson::SUCCESS) {
    out.text = wrapped(out.id, refuse(400, -1135, "Invalid JSON Request"), false);
    return out;
  }
  ++requests_by_path_["WS " + std::string{method}];
  parameters p;
  simdjson::dom::object members;
  if (doc["params"].get(members) == simdjson::SUCCESS)
    for (const auto [name, value] : members)
      p.add(std::string{name}, value_text(value));
  const auto api_key = p.get("apiKey");
  const context c{p, now, p.sorted_text(), api_key};
  if (method == "userDataStream.subscribe.signature") {
    std::optional<api_reply> refused;
    if (auto over = limits_.charge(2, now.steady_ns))
      refused = refuse(*over);
    else
      refused = check_access(c);
    out.subscribe = !refused;
    if (refused) out.text = wrapped(out.id, *refused, false);
    return out;
  }
  if (method == "userDataStream.unsubscribe") {
    out.unsubscribe = true;
    out.subscription = p.integer("subscriptionId").value_or(-1);
    return out;
  }
  if (method == "session.subscriptions") {
    out.list_subscriptions = true;
    return out;
  }
  for (const auto& r : routes()) {
    if (r.call != method || !serves(r)) continue;
    out.order_entry = method == "order.place";
    const auto reply = run(r, c);
    out.text = wrapped(out.id, reply, out.order_entry);
    return out;
  }
  out.text = wrapped(out.id, refuse(400, -1000, "Unknown method '" + std::string{method} + "'."), false);
  return out;
}

} // namespace troupe::venue_sim
