// Requests, signatures and the classes of answers.

#include "actors/connectors/bybit/order_codec.hpp"
#include "actors/connectors/rest_reading.hpp"
#include "messages/json.hpp"

namespace troupe::bybit {
namespace {

const char* category_of(const instrument_spec& spec) noexcept {
  switch (spec.kind) {
  case contract_kind::spot:
    return "spot";
  case contract_kind::linear:
    return "linear";
  case contract_kind::inverse:
    return "inverse";
  }
  return "spot";
}

const char* tif_word(const intent& order) noexcept {
  if (order.kind == order_kind::limit_maker) return "PostOnly";
  if (order.kind == order_kind::market) return "IOC"; // what the venue makes of it in any case
  switch (order.tif) {
  case time_in_force::gtc:
    return "GTC";
  case time_in_force::ioc:
    return "IOC";
  case time_in_force::fok:
    return "FOK";
  }
  return "GTC";
}

std::string body_of(const parameters& list) {
  json_writer w;
  w.begin_object();
  for (const auto& [name, value] : list) {
    w.key(name);
    if (name == "reduceOnly")
      w.raw(value);
    else
      w.string(value);
  }
  w.end_object();
  return std::move(w).text();
}

api_call get(std::string path, parameters list) {
  return {"GET", std::move(path), std::move(list), true, 1, false};
}

} // namespace

signed_call sign(const api_call& call, const api_keys& keys, market_time now, nanoseconds recv_window) {
  signed_call out;
  out.method = call.method;
  out.target = call.path;
  const bool posted = call.method == "POST";
  auto payload = posted ? body_of(call.list) : query_of(call.list);
  if (posted) {
    out.fields.emplace_back("Content-Type", "application/json");
    out.body = payload;
  } else if (!payload.empty()) {
    out.target += '?' + payload;
  }
  if (!call.needs_signature) return out;
  const auto time = milliseconds_text(now);
  const auto window = std::to_string(recv_window / std::chrono::milliseconds{1});
  const std::string key{keys.key.expose_to_signer()};
  out.fields.emplace_back("X-BAPI-API-KEY", key);
  out.fields.emplace_back("X-BAPI-TIMESTAMP", time);
  out.fields.emplace_back("X-BAPI-RECV-WINDOW", window);
  out.fields.emplace_back("X-BAPI-SIGN", hmac_sha256_hex(keys.secret_key, time + key + window + payload));
  return out;
}

std::string auth_request(const api_keys& keys, market_time expires) {
  const auto time = milliseconds_text(expires);
  json_writer w;
  w.begin_object().field("op", "auth").key("args").begin_array();
  w.string(keys.key.expose_to_signer())
      .raw(time)
      .string(hmac_sha256_hex(keys.secret_key, "GET/realtime" + time));
  w.end_array().end_object();
  return std::move(w).text();
}

std::string subscribe_request(std::string_view request_id) {
  json_writer w;
  w.begin_object().field("op", "subscribe").field("req_id", request_id).key("args").begin_array();
  for (const char* topic : {"order", "execution", "wallet"})
    w.string(topic);
  w.end_array().end_object();
  return std::move(w).text();
}

std::string ping_request(std::string_view request_id) {
  json_writer w;
  w.begin_object().field("op", "ping").field("req_id", request_id).end_object();
  return std::move(w).text();
}

result<api_call> place_call(const intent& order, const instrument_spec& spec) {
  if (auto fits = check_order(order, spec, "-_", 36); !fits) return std::move(fits).error();
  const bool market = order.kind == order_kind::market;
  api_call out{"POST", "/v5/order/create", {}, true, 1, true};
  auto& list = out.list;
  list.emplace_back("category", category_of(spec));
  list.emplace_back("symbol", spec.venue_symbol);
  list.emplace_back("side", order.direction == side::buy ? "Buy" : "Sell");
  list.emplace_back("orderType", market ? "Market" : "Limit");
  list.emplace_back("qty", format_decimal_short(order.quantity.raw, spec.size_scale));
  if (!market) list.emplace_back("price", format_decimal_short(order.limit.raw, spec.price_scale));
  // A spot market buy is counted in the quote asset unless this is said.
  if (market && spec.kind == contract_kind::spot) list.emplace_back("marketUnit", "baseCoin");
  list.emplace_back("timeInForce", tif_word(order));
  list.emplace_back("orderLinkId", order.client_id);
  if (order.reduce_only && spec.kind != contract_kind::spot) list.emplace_back("reduceOnly", "true");
  return out;
}

api_call cancel_call(const instrument_spec& spec, const std::string& client_id) {
  return {"POST",
          "/v5/order/cancel",
          {{"category", category_of(spec)}, {"symbol", spec.venue_symbol}, {"orderLinkId", client_id}},
          true,
          1,
          false};
}

api_call query_call(const instrument_spec& spec, const std::string& client_id) {
  return get("/v5/order/realtime",
             {{"category", category_of(spec)}, {"symbol", spec.venue_symbol}, {"orderLinkId", client_id}});
}

api_call history_call(const instrument_spec& spec, const std::string& client_id) {
  return get("/v5/order/history",
             {{"category", category_of(spec)}, {"symbol", spec.venue_symbol}, {"orderLinkId", client_id}});
}

api_call open_orders_call(const instrument_spec& spec, const std::string& cursor) {
  auto out = get(
      "/v5/order/realtime",
      {{"category", category_of(spec)}, {"symbol", spec.venue_symbol}, {"openOnly", "0"}, {"limit", "50"}});
  if (!cursor.empty()) out.list.emplace_back("cursor", cursor);
  return out;
}

api_call executions_call(const instrument_spec& spec, market_time since, const std::string& cursor) {
  auto out = get("/v5/execution/list", {{"category", category_of(spec)},
                                        {"symbol", spec.venue_symbol},
                                        {"startTime", milliseconds_text(since)},
                                        {"limit", "100"}});
  if (!cursor.empty()) out.list.emplace_back("cursor", cursor);
  return out;
}

api_call account_call() {
  return get("/v5/account/wallet-balance", {{"accountType", "UNIFIED"}});
}
api_call time_call() {
  return {"GET", "/v5/market/time", {}, false, 1, false};
}

// --- classes of answers ---------------------------------------------------------------------------

namespace {

classified of_code(command_kind kind, std::int32_t code) {
  switch (code) {
  case 10016:
  case 170007:
  case 110079: // no word on what became of it; the last: still being processed
    return open_question();
  case 10014:
  case 110072:
  case 170141: // the first attempt arrived: to be asked for and adopted
    return open_question(refusal::duplicate);
  case 10002:
    return {command_result::rejected, refusal::clock, true};
  case 10003:
  case 10004:
  case 33004:
    return refused(refusal::signature);
  case 10005:
  case 10010:
  case 10024:
  case 10029:
    return refused(refusal::permission);
  case 10006:
  case 10018:
  case 10429:
  case 10403:
  case 170810:
    return refused(refusal::rate);
  case 10019:
    return refused(refusal::overload);
  case 110007:
  case 110012:
  case 170131:
    return refused(refusal::funds);
  case 10001:
  case 110003:
  case 110094:
  case 170121:
  case 170134:
  case 170136:
  case 170137:
  case 170140:
  case 170193:
  case 170194:
    return refused(refusal::filter);
  case 110001:
  case 170210:
  case 170213:
    return kind == command_kind::query ? classified{command_result::absent, refusal::none, false}
                                       : refused(refusal::gone);
  default:
    return refused(refusal::other);
  }
}

} // namespace

classified classify_answer(command_kind kind, unsigned http_status, const std::optional<venue_error>& said) {
  if (http_status == 403 || http_status == 429) return refused(refusal::rate);
  if (http_status >= 500 || http_status < 200 || (http_status >= 300 && http_status < 400))
    return open_question();
  if (!said) return open_question();
  return of_code(kind, said->code);
}

} // namespace troupe::bybit
