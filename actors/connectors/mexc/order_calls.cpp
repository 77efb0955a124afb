// Requests, signatures and the classes of answers.

#include "actors/connectors/mexc/order_codec.hpp"
#include "actors/connectors/rest_reading.hpp"
#include "messages/json.hpp"

namespace troupe::mexc {
namespace {

const char* type_word(const intent& order) noexcept {
  if (order.kind == order_kind::market) return "MARKET";
  if (order.kind == order_kind::limit_maker) return "LIMIT_MAKER";
  switch (order.tif) {
  case time_in_force::gtc:
    return "LIMIT";
  case time_in_force::ioc:
    return "IMMEDIATE_OR_CANCEL";
  case time_in_force::fok:
    return "FILL_OR_KILL";
  }
  return "LIMIT";
}

api_call of_order(const char* method, const instrument_spec& spec, const std::string& client_id) {
  return {method, "/api/v3/order", {{"symbol", spec.venue_symbol}, {"origClientOrderId", client_id}}, true, 1,
          false};
}

} // namespace

std::string signed_target(const api_call& call, const api_keys& keys, market_time now,
                          nanoseconds recv_window) {
  if (!call.needs_signature) return call.list.empty() ? call.path : call.path + '?' + query_of(call.list);
  auto list = call.list;
  list.emplace_back("recvWindow", std::to_string(recv_window / std::chrono::milliseconds{1}));
  list.emplace_back("timestamp", milliseconds_text(now));
  const auto query = query_of(list);
  return call.path + '?' + query + "&signature=" + hmac_sha256_hex(keys.secret_key, query);
}

result<api_call> place_call(const intent& order, const instrument_spec& spec) {
  if (auto fits = check_order(order, spec, "-_", 32); !fits) return std::move(fits).error();
  // The venue counts a market buy in the quote asset: what a size in the base asset would cost is not ours to
  // guess.
  if (order.kind == order_kind::market && order.direction == side::buy)
    return {order_errc::bad_order,
            "order " + order.client_id + " in " + spec.id.text
                + ": MEXC takes market buys in the quote asset only; send a limit order with "
                  "time in force ioc"};
  api_call out{"POST", "/api/v3/order", {}, true, 1, true};
  auto& list = out.list;
  list.emplace_back("symbol", spec.venue_symbol);
  list.emplace_back("side", order.direction == side::buy ? "BUY" : "SELL");
  list.emplace_back("type", type_word(order));
  list.emplace_back("quantity", format_decimal_short(order.quantity.raw, spec.size_scale));
  if (order.kind != order_kind::market)
    list.emplace_back("price", format_decimal_short(order.limit.raw, spec.price_scale));
  list.emplace_back("newClientOrderId", order.client_id);
  return out;
}

api_call cancel_call(const instrument_spec& spec, const std::string& client_id) {
  return of_order("DELETE", spec, client_id);
}

api_call query_call(const instrument_spec& spec, const std::string& client_id) {
  auto out = of_order("GET", spec, client_id);
  out.weight = 2;
  return out;
}

api_call open_orders_call(const instrument_spec& spec) {
  return {"GET", "/api/v3/openOrders", {{"symbol", spec.venue_symbol}}, true, 3, false};
}

api_call trades_call(const instrument_spec& spec, market_time since) {
  return {"GET",
          "/api/v3/myTrades",
          {{"symbol", spec.venue_symbol}, {"startTime", milliseconds_text(since)}, {"limit", "1000"}},
          true,
          10,
          false};
}

api_call account_call() {
  return {"GET", "/api/v3/account", {}, true, 10, false};
}
api_call time_call() {
  return {"GET", "/api/v3/time", {}, false, 1, false};
}
api_call listen_key_call() {
  return {"POST", "/api/v3/userDataStream", {}, true, 1, false};
}

api_call extend_listen_key_call(const std::string& listen_key) {
  return {"PUT", "/api/v3/userDataStream", {{"listenKey", listen_key}}, true, 1, false};
}

std::string subscribe_request() {
  json_writer w;
  w.begin_object().field("method", "SUBSCRIPTION").key("params").begin_array();
  for (const char* topic : {"orders", "deals", "account"})
    w.string("spot@private." + std::string{topic} + ".v3.api.pb");
  w.end_array().end_object();
  return std::move(w).text();
}

std::string ping_request() {
  return R"({"method":"PING"})";
}

// --- classes of answers ---------------------------------------------------------------------------

namespace {

classified of_code(command_kind kind, std::int32_t code) {
  switch (code) {
  case 700003:
    return {command_result::rejected, refusal::clock, true};
  case 602:
  case 700001:
  case 700002:
    return refused(refusal::signature);
  case 700006:
  case 700007:
  case 700008:
  case 730000:
    return refused(refusal::permission);
  case 429:
  case 30029:
    return refused(refusal::rate);
  case 10101:
  case 30004:
  case 30005:
    return refused(refusal::funds);
  case 700004:
  case 700005:
  case 10007:
  case 30002:
  case 30003:
  case 30014:
  case 30016:
  case 30018:
  case 30019:
  case 30021:
    return refused(refusal::filter);
  case -2011:
    return refused(refusal::gone);
  case -2013:
    return kind == command_kind::query ? classified{command_result::absent, refusal::none, false}
                                       : refused(refusal::gone);
  default:
    return refused(refusal::other);
  }
}

} // namespace

classified classify_answer(command_kind kind, unsigned http_status, const std::optional<venue_error>& said) {
  if (http_status == 403 || http_status == 418 || http_status == 429) return refused(refusal::rate);
  if (http_status >= 500 || http_status < 200 || (http_status >= 300 && http_status < 400))
    return open_question();
  if (!said) return open_question();
  return of_code(kind, said->code);
}

} // namespace troupe::mexc
