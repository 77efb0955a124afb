// Calls and the classes of answers.

#include "actors/connectors/deribit/order_codec.hpp"
#include "actors/connectors/rest_reading.hpp"
#include "messages/json.hpp"

namespace troupe::deribit {
namespace {

/// A text as JSON.
std::string quoted(std::string_view text) {
  json_writer w;
  w.string(text);
  return std::move(w).text();
}

const char* tif_word(time_in_force tif) noexcept {
  switch (tif) {
  case time_in_force::gtc:
    return "good_til_cancelled";
  case time_in_force::ioc:
    return "immediate_or_cancel";
  case time_in_force::fok:
    return "fill_or_kill";
  }
  return "good_til_cancelled";
}

} // namespace

std::string request_text(const rpc_call& call, std::uint64_t id) {
  json_writer w;
  w.begin_object()
      .field("jsonrpc", "2.0")
      .field("id", id)
      .field("method", call.method)
      .key("params")
      .begin_object();
  for (const auto& [name, value] : call.params)
    w.key(name).raw(value);
  w.end_object().end_object();
  return std::move(w).text();
}

rpc_call auth_call(const api_keys& keys, market_time now, std::string_view nonce) {
  const auto time = milliseconds_text(now);
  const auto text = time + '\n' + std::string{nonce} + '\n';
  return {"public/auth",
          {{"grant_type", quoted("client_signature")},
           {"client_id", quoted(keys.key.expose_to_signer())},
           {"timestamp", time},
           {"nonce", quoted(nonce)},
           {"data", quoted("")},
           {"signature", quoted(hmac_sha256_hex(keys.secret_key, text))}},
          false};
}

rpc_call subscribe_call(const std::vector<instrument_spec>& instruments) {
  json_writer w;
  w.begin_array();
  for (const auto& spec : instruments) {
    w.string("user.orders." + spec.venue_symbol + ".raw");
    w.string("user.trades." + spec.venue_symbol + ".raw");
  }
  w.string("user.portfolio.any").end_array();
  return {"private/subscribe", {{"channels", std::move(w).text()}}, false};
}

rpc_call heartbeat_call(std::chrono::seconds interval) {
  return {"public/set_heartbeat", {{"interval", std::to_string(interval.count())}}, false};
}

rpc_call test_call() {
  return {"public/test", {}, false};
}
rpc_call time_call() {
  return {"public/get_time", {}, false};
}

result<rpc_call> place_call(const intent& order, const instrument_spec& spec) {
  if (auto fits = check_order(order, spec, "-_.:/", 64); !fits) return std::move(fits).error();
  const bool market = order.kind == order_kind::market;
  rpc_call out{order.direction == side::buy ? "private/buy" : "private/sell", {}, true};
  auto& params = out.params;
  params.emplace_back("instrument_name", quoted(spec.venue_symbol));
  params.emplace_back("amount", format_decimal_short(order.quantity.raw, spec.size_scale));
  params.emplace_back("type", quoted(market ? "market" : "limit"));
  params.emplace_back("label", quoted(order.client_id));
  if (!market) {
    params.emplace_back("price", format_decimal_short(order.limit.raw, spec.price_scale));
    params.emplace_back("time_in_force", quoted(tif_word(order.tif)));
  }
  if (order.kind == order_kind::limit_maker) {
    params.emplace_back("post_only", "true");
    params.emplace_back("reject_post_only", "true");
  }
  if (order.reduce_only) params.emplace_back("reduce_only", "true");
  if (order.expires.ns > 0) params.emplace_back("valid_until", milliseconds_text(order.expires));
  return out;
}

rpc_call cancel_call(const std::string& client_id) {
  return {"private/cancel_by_label", {{"label", quoted(client_id)}}, true};
}

rpc_call query_call(const std::string& currency, const std::string& client_id) {
  return {"private/get_order_state_by_label",
          {{"currency", quoted(currency)}, {"label", quoted(client_id)}},
          false};
}

rpc_call open_orders_call(const instrument_spec& spec) {
  return {"private/get_open_orders_by_instrument", {{"instrument_name", quoted(spec.venue_symbol)}}, false};
}

rpc_call trades_call(const std::string& currency, const std::string& from_id) {
  rpc_call out{"private/get_user_trades_by_currency",
               {{"currency", quoted(currency)}, {"count", "1000"}, {"sorting", quoted("asc")}},
               false};
  if (!from_id.empty()) out.params.emplace_back("start_id", quoted(from_id));
  return out;
}

rpc_call account_call() {
  return {"private/get_account_summaries", {}, false};
}

classified classify_answer(command_kind kind, const venue_error& said) {
  switch (said.code) {
  // Not done now, and perhaps never looked at: but only the book tells.
  case 10040:
  case 10041:
  case 10047:
  case 10066:
  case 11051:
  case 11094:
  case 13028:
    return kind == command_kind::place ? open_question(refusal::overload) : refused(refusal::overload);
  case 10028:
    return kind == command_kind::place ? open_question(refusal::rate) : refused(refusal::rate);
  case 13004:
  case 13009:
    return refused(refusal::signature);
  case 10000:
  case 13020:
  case 13021:
  case 11029:
  case 10020:
  case 10029:
    return refused(refusal::permission);
  case 10009:
    return refused(refusal::funds);
  case 10010:
  case 10043:
  case 11050:
  case -32602:
  case -32601:
    return refused(refusal::filter);
  case 11054:
    return refused(refusal::would_take);
  case 10004:
  case 11044:
    return kind == command_kind::query ? classified{command_result::absent, refusal::none, false}
                                       : refused(refusal::gone);
  default:
    return refused(refusal::other);
  }
}

} // namespace troupe::deribit
