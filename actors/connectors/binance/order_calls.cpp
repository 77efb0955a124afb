// Requests, instrument rules and the classes of answers.

#include "actors/connectors/binance/order_codec.hpp"

#include <simdjson.h>

#include <algorithm>

namespace troupe::binance {
namespace {

const char* word(order_kind kind) noexcept {
  switch (kind) {
  case order_kind::market: return "MARKET";
  case order_kind::limit: return "LIMIT";
  case order_kind::limit_maker: return "LIMIT_MAKER";
  }
  return "LIMIT";
}

const char* word(time_in_force tif) noexcept {
  switch (tif) {
  case time_in_force::gtc: return "GTC";
  case time_in_force::ioc: return "IOC";
  case time_in_force::fok: return "FOK";
  }
  return "GTC";
}

/// Decimals that matter in "0.00100000": 3. Zero for "0".
int decimals_of(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos) return 0;
  auto end = text.size();
  while (end > point + 1 && text[end - 1] == '0') --end;
  return static_cast<int>(end - point - 1);
}

struct rule_texts {
  std::string tick = "0";
  std::string step = "0";
  std::string min_size = "0";
  std::string max_size = "0";
  std::string min_notional = "0";
};

rule_texts read_filters(const simdjson::dom::element& symbol) {
  rule_texts out;
  simdjson::dom::array filters;
  if (symbol["filters"].get(filters) != simdjson::SUCCESS) return out;
  const auto take = [](const simdjson::dom::element& from, const char* key, std::string& into) {
    if (std::string_view text; from[key].get(text) == simdjson::SUCCESS) into = text;
  };
  for (const auto filter : filters) {
    std::string kind;
    take(filter, "filterType", kind);
    if (kind == "PRICE_FILTER") take(filter, "tickSize", out.tick);
    else if (kind == "LOT_SIZE") {
      take(filter, "stepSize", out.step);
      take(filter, "minQty", out.min_size);
      take(filter, "maxQty", out.max_size);
    } else if (kind == "NOTIONAL" || kind == "MIN_NOTIONAL") take(filter, "minNotional", out.min_notional);
  }
  return out;
}

result<instrument_spec> build_spec(const rule_texts& texts, std::string_view venue_symbol,
                                   const instrument_id& id,
                                   const std::optional<std::pair<int, int>>& scales) {
  instrument_spec out;
  out.id = id;
  out.venue_symbol = venue_symbol;
  const int price_scale = scales ? scales->first : decimals_of(texts.tick);
  const int size_scale = scales ? scales->second : decimals_of(texts.step);
  out.price_scale = static_cast<std::uint8_t>(price_scale);
  out.size_scale = static_cast<std::uint8_t>(size_scale);
  const auto read = [&](const std::string& text, int scale, const char* what, std::int64_t& into) -> status {
    auto value = parse_decimal(text, scale);
    if (!value)
      return {order_errc::bad_value, std::string{venue_symbol} + ' ' + what + " '" + text + "' doesn't fit "
                                         + std::to_string(scale) + " decimals; configure finer scales"};
    into = *value;
    return ok;
  };
  if (auto done = read(texts.tick, price_scale, "tickSize", out.tick.raw); !done)
    return std::move(done).error();
  if (auto done = read(texts.step, size_scale, "stepSize", out.lot.raw); !done)
    return std::move(done).error();
  if (auto done = read(texts.min_size, size_scale, "minQty", out.min_size.raw); !done)
    return std::move(done).error();
  if (auto done =
          read(texts.min_notional, price_scale + size_scale, "minNotional", out.min_notional.raw);
      !done)
    return std::move(done).error();
  // The largest order may be beyond 64 bits at a fine scale: then it is no limit.
  const auto most = parse_decimal(texts.max_size, size_scale);
  out.max_size.raw = most && *most > 0 ? *most : INT64_MAX;
  out.tick.raw = std::max<std::int64_t>(out.tick.raw, 1);
  out.lot.raw = std::max<std::int64_t>(out.lot.raw, 1);
  return out;
}

} // namespace

result<api_call> place_call(const intent& order, const instrument_spec& spec) {
  if (auto fits = check_order(order, spec, ".:/_-", 36); !fits) return std::move(fits).error();
  const bool priced = order.kind != order_kind::market;
  api_call out{"POST", "/api/v3/order", {}, true, 1, true};
  auto& list = out.list;
  list.emplace_back("symbol", spec.venue_symbol);
  list.emplace_back("side", order.direction == side::buy ? "BUY" : "SELL");
  list.emplace_back("type", word(order.kind));
  if (order.kind == order_kind::limit) list.emplace_back("timeInForce", word(order.tif));
  list.emplace_back("quantity", format_decimal_short(order.quantity.raw, spec.size_scale));
  if (priced) list.emplace_back("price", format_decimal_short(order.limit.raw, spec.price_scale));
  list.emplace_back("newClientOrderId", order.client_id);
  list.emplace_back("newOrderRespType", "FULL");
  return out;
}

api_call cancel_call(const instrument_spec& spec, const std::string& client_id) {
  return {"DELETE",
          "/api/v3/order",
          {{"symbol", spec.venue_symbol}, {"origClientOrderId", client_id}},
          true,
          1,
          false};
}

api_call query_call(const instrument_spec& spec, const std::string& client_id) {
  return {"GET",
          "/api/v3/order",
          {{"symbol", spec.venue_symbol}, {"origClientOrderId", client_id}},
          true,
          4,
          false};
}

api_call open_orders_call(const instrument_spec& spec) {
  return {"GET", "/api/v3/openOrders", {{"symbol", spec.venue_symbol}}, true, 6, false};
}

api_call trades_call(const instrument_spec& spec, const std::string& from_id, int limit) {
  return {"GET",
          "/api/v3/myTrades",
          {{"symbol", spec.venue_symbol},
           {"fromId", from_id.empty() ? "0" : from_id},
           {"limit", std::to_string(limit)}},
          true,
          20,
          false};
}

api_call account_call() {
  return {"GET", "/api/v3/account", {{"omitZeroBalances", "true"}}, true, 20, false};
}
api_call time_call() { return {"GET", "/api/v3/time", {}, false, 1, false}; }

api_call rules_call(const std::string& venue_symbol) {
  return {"GET", "/api/v3/exchangeInfo", {{"symbol", venue_symbol}}, false, 20, false};
}

result<instrument_spec> parse_rules(std::string_view body, std::string_view venue_symbol,
                                    const instrument_id& id,
                                    std::optional<std::pair<int, int>> scales) {
  simdjson::dom::parser parser;
  simdjson::dom::array symbols;
  if (parser.parse(body.data(), body.size())["symbols"].get(symbols) != simdjson::SUCCESS)
    return {order_errc::not_json, "exchangeInfo without symbols"};
  for (const auto symbol : symbols) {
    std::string_view name;
    if (symbol["symbol"].get(name) != simdjson::SUCCESS || name != venue_symbol) continue;
    return build_spec(read_filters(symbol), venue_symbol, id, scales);
  }
  return {order_errc::unknown_symbol, "exchangeInfo doesn't list '" + std::string{venue_symbol} + "'"};
}

// --- classes of answers ---------------------------------------------------------------------------

namespace {

bool contains(std::string_view text, std::string_view part) noexcept {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

/// -2010 tells its reason only in words.
classified of_new_order_rejected(std::string_view text) {
  // Proves that the first attempt arrived: to be asked for and adopted.
  if (contains(text, "duplicate")) return open_question(refusal::duplicate);
  if (contains(text, "insufficient balance")) return refused(refusal::funds);
  if (contains(text, "immediately match")) return refused(refusal::would_take);
  return refused(refusal::other);
}

classified of_code(command_kind kind, const venue_error& said) {
  switch (said.code) {
  case -1000: case -1001: case -1006: case -1007: case -1016:
    return open_question();
  case -1021: return {command_result::rejected, refusal::clock, true};
  case -1022: case -2014: case -1099:
    return refused(refusal::signature);
  case -1002: case -2015: case -2018: return refused(refusal::permission);
  case -1003: case -1015: case -1034: return refused(refusal::rate);
  case -1008: return refused(refusal::overload);
  case -1013: case -1111: case -1100: case -1101: case -1102: case -1103: case -1104: case -1105: case -1106:
  case -1112: case -1115: case -1116: case -1117: case -1121: case -1128: case -1130:
    return refused(refusal::filter);
  case -2010: return kind == command_kind::place ? of_new_order_rejected(said.text) : refused(refusal::other);
  case -2011: return refused(refusal::gone);
  case -2013: return kind == command_kind::query ? classified{command_result::absent, refusal::none, false}
                                                 : refused(refusal::gone);
  case -2026: return refused(refusal::gone); // archived: ended long ago without a fill
  default: return refused(refusal::other);
  }
}

} // namespace

classified classify_answer(command_kind kind, unsigned http_status, const std::optional<venue_error>& said) {
  if (http_status >= 500 || http_status < 200 || (http_status >= 300 && http_status < 400))
    return open_question(said && said->code == -1008 ? refusal::overload : refusal::none);
  if (http_status == 429 || http_status == 418 || http_status == 403) return refused(refusal::rate);
  // Success that can't be read, or an error without a code: the venue said something, we don't know what.
  if (!said) return open_question();
  if (http_status == 409) return open_question();
  return of_code(kind, *said);
}

} // namespace troupe::binance
