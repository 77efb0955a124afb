#include "actors/connectors/binance/order_codec.hpp"

#include "actors/connectors/order_reading.hpp"

#include <algorithm>

namespace troupe::binance {
namespace {

using namespace order_reading;

/// One row of "fills" in a FULL answer.
result<fill> read_answer_fill(const dom::element& row, const instrument_spec& spec) {
  fill out;
  const auto at = decimal_of(row, "price", spec.price_scale);
  if (!at) return at.error();
  const auto quantity = decimal_of(row, "qty", spec.size_scale);
  if (!quantity) return quantity.error();
  const auto id = integer_of(row, "tradeId");
  if (!id) return {order_errc::missing_field, "tradeId of a fill"};
  out.at_price = {*at};
  out.quantity = {*quantity};
  out.trade_id = std::to_string(*id);
  out.fee_asset = text_or_empty(row, "commissionAsset");
  if (const auto fee = text_or_empty(row, "commission"); !fee.empty())
    if (auto read = read_fee(fee, out); !read) return std::move(read).error();
  return out;
}

result<order_report> read_order(const dom::element& object, const order_context& context) {
  auto spec = spec_in(object, "symbol", context);
  if (!spec) return std::move(spec).error();
  order_report out;
  out.account = context.account;
  out.instrument = (*spec)->id;
  // The answer to a cancel names the cancel request in clientOrderId and the order in origClientOrderId.
  out.client_id = text_or_empty(object, "origClientOrderId");
  if (out.client_id.empty()) out.client_id = text_or_empty(object, "clientOrderId");
  const auto order_id = integer_of(object, "orderId");
  if (!order_id) return {order_errc::missing_field, "orderId"};
  out.venue_order_id = std::to_string(*order_id);
  for (const char* key : {"updateTime", "transactTime", "time"})
    if (const auto ms = integer_of(object, key)) {
      out.at = from_millis(ms);
      break;
    }
  const auto status = text_or_empty(object, "status");
  if (status.empty()) {
    out.state = order_state::acknowledged; // an ACK says no more than that the order was taken
    return out;
  }
  const auto state = parse_order_state(status);
  if (!state) return {order_errc::bad_value, "status '" + status + "'"};
  out.state = *state;
  auto filled = decimal_of(object, "executedQty", (*spec)->size_scale);
  if (!filled) return std::move(filled).error();
  out.filled = {*filled};
  dom::array fills;
  if (object["fills"].get(fills) != simdjson::SUCCESS) return out;
  auto direction = side_of(object, "side");
  if (!direction) return std::move(direction).error();
  for (const auto row : fills) {
    auto each = read_answer_fill(row, **spec);
    if (!each) return std::move(each).error();
    each->account = context.account;
    each->instrument = out.instrument;
    each->client_id = out.client_id;
    each->venue_order_id = out.venue_order_id;
    each->direction = *direction;
    each->at = out.at;
    out.fills.push_back(std::move(*each));
  }
  return out;
}

result<fill> read_trade(const dom::element& row, const order_context& context) {
  auto spec = spec_in(row, "symbol", context);
  if (!spec) return std::move(spec).error();
  const auto id = integer_of(row, "id");
  const auto order_id = integer_of(row, "orderId");
  if (!id || !order_id) return {order_errc::missing_field, "id or orderId of a trade"};
  const auto at = decimal_of(row, "price", (*spec)->price_scale);
  if (!at) return at.error();
  const auto quantity = decimal_of(row, "qty", (*spec)->size_scale);
  if (!quantity) return quantity.error();
  bool buyer = false;
  if (row["isBuyer"].get(buyer) != simdjson::SUCCESS)
    return {order_errc::missing_field, "isBuyer of a trade"};
  fill out;
  out.account = context.account;
  out.instrument = (*spec)->id;
  out.trade_id = std::to_string(*id);
  out.venue_order_id = std::to_string(*order_id);
  out.direction = buyer ? side::buy : side::sell;
  out.at_price = {*at};
  out.quantity = {*quantity};
  out.fee_asset = text_or_empty(row, "commissionAsset");
  if (auto read = read_fee(text_or_empty(row, "commission"), out); !read) return std::move(read).error();
  out.maker = flag_or(row, "isMaker", false);
  out.at = from_millis(integer_of(row, "time"));
  return out;
}

// --- private stream -------------------------------------------------------------------------------

result<fill> read_report_fill(const dom::element& event, const instrument_spec& spec, const order_report& of,
                              std::int64_t trade_id) {
  fill out;
  const auto at = decimal_of(event, "L", spec.price_scale);
  if (!at) return at.error();
  const auto quantity = decimal_of(event, "l", spec.size_scale);
  if (!quantity) return quantity.error();
  auto direction = side_of(event, "S");
  if (!direction) return std::move(direction).error();
  out.account = of.account;
  out.instrument = of.instrument;
  out.trade_id = std::to_string(trade_id);
  out.client_id = of.client_id;
  out.venue_order_id = of.venue_order_id;
  out.direction = *direction;
  out.at_price = {*at};
  out.quantity = {*quantity};
  out.at = of.at;
  out.fee_asset = text_or_empty(event, "N"); // null when there is no fee
  if (const auto fee = text_or_empty(event, "n"); !fee.empty())
    if (auto read = read_fee(fee, out); !read) return std::move(read).error();
  out.maker = flag_or(event, "m", false);
  return out;
}

result<user_event> read_execution(const dom::element& event, const order_context& context) {
  const auto* spec = context.find(text_or_empty(event, "s"));
  if (spec == nullptr) return user_event{other_event{"executionReport of " + text_or_empty(event, "s")}};
  order_report out;
  out.account = context.account;
  out.instrument = spec->id;
  // c names the request, which is the cancel's own on a cancel or replace; C is then the order's.
  out.client_id = text_or_empty(event, "C");
  if (out.client_id.empty()) out.client_id = text_or_empty(event, "c");
  const auto order_id = integer_of(event, "i");
  if (!order_id) return {order_errc::missing_field, "i of an executionReport"};
  out.venue_order_id = std::to_string(*order_id);
  out.at = from_millis(integer_of(event, "T"));
  const auto word = text_or_empty(event, "X");
  const auto state = parse_order_state(word);
  if (!state) return {order_errc::bad_value, "X '" + word + "' of an executionReport"};
  out.state = *state;
  const auto filled = decimal_of(event, "z", spec->size_scale);
  if (!filled) return filled.error();
  out.filled = {*filled};
  const auto what = text_or_empty(event, "x");
  if (const auto reason = text_or_empty(event, "r"); reason != "NONE") out.text = reason;
  if (what != "TRADE") return user_event{std::move(out)};
  const auto trade_id = integer_of(event, "t");
  if (!trade_id || *trade_id < 0) return {order_errc::missing_field, "t of a TRADE"};
  auto each = read_report_fill(event, *spec, out, *trade_id);
  if (!each) return std::move(each).error();
  out.fills.push_back(std::move(*each));
  return user_event{std::move(out)};
}

result<user_event> read_positions(const dom::element& event) {
  balances_event out;
  out.at = from_millis(integer_of(event, "u"));
  dom::array rows;
  if (event["B"].get(rows) != simdjson::SUCCESS)
    return {order_errc::missing_field, "B of outboundAccountPosition"};
  for (const auto row : rows) {
    auto each = read_balance(row, "a", "f", "l");
    if (!each) return std::move(each).error();
    out.changed.push_back(std::move(*each));
  }
  return user_event{std::move(out)};
}

result<user_event> read_event(const dom::element& event, const order_context& context) {
  const auto what = text_or_empty(event, "e");
  if (what == "executionReport") return read_execution(event, context);
  if (what == "outboundAccountPosition") return read_positions(event);
  if (what == "eventStreamTerminated" || what == "serverShutdown") return user_event{stream_end_event{what}};
  return user_event{other_event{what}};
}

std::optional<venue_error> read_venue_error(const dom::element& object) {
  const auto code = integer_of(object, "code");
  if (!code || *code < INT32_MIN || *code > INT32_MAX) return std::nullopt;
  return venue_error{static_cast<std::int32_t>(*code), text_or_empty(object, "msg")};
}

reply_event read_reply(const dom::element& root) {
  reply_event out;
  std::int64_t number = 0;
  out.id = text_or_empty(root, "id");
  if (out.id.empty() && root["id"].get(number) == simdjson::SUCCESS) out.id = std::to_string(number);
  out.status = static_cast<unsigned>(
      std::clamp<std::int64_t>(integer_of(root, "status").value_or(0), 0, 999));
  dom::element said;
  if (root["error"].get(said) == simdjson::SUCCESS) out.error = read_venue_error(said);
  return out;
}

} // namespace

std::optional<order_state> parse_order_state(std::string_view word) noexcept {
  if (word == "NEW" || word == "PENDING_NEW" || word == "PENDING_CANCEL") return order_state::acknowledged;
  if (word == "PARTIALLY_FILLED") return order_state::partially_filled;
  if (word == "FILLED") return order_state::filled;
  if (word == "CANCELED") return order_state::cancelled;
  if (word == "REJECTED") return order_state::rejected;
  if (word == "EXPIRED" || word == "EXPIRED_IN_MATCH") return order_state::expired;
  return std::nullopt;
}

result<order_report> parse_order(std::string_view body, const order_context& context) {
  return with_document<order_report>(
      body, "order", [&](const dom::element& root) { return read_order(root, context); });
}

result<std::vector<order_report>> parse_open_orders(std::string_view body, const order_context& context) {
  return read_list<order_report>(body, "open orders",
                                 [&](const dom::element& row) { return read_order(row, context); });
}

result<std::vector<fill>> parse_trades(std::string_view body, const order_context& context) {
  using list = std::vector<fill>;
  return with_document<list>(body, "trades", [&](const dom::element& root) -> result<list> {
    dom::array rows;
    if (root.get(rows) != simdjson::SUCCESS) return {order_errc::bad_value, "trades are no list"};
    std::vector<std::pair<std::int64_t, fill>> numbered;
    for (const auto row : rows) {
      auto each = read_trade(row, context);
      if (!each) return std::move(each).error();
      numbered.emplace_back(integer_of(row, "id").value_or(0), std::move(*each));
    }
    std::stable_sort(numbered.begin(), numbered.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    list out;
    for (auto& entry : numbered) out.push_back(std::move(entry.second));
    return out;
  });
}

result<account_state> parse_account(std::string_view body) {
  return with_document<account_state>(body, "account", read_spot_account);
}

result<market_time> parse_server_time(std::string_view body) {
  return with_document<market_time>(body, "time", read_spot_time);
}

std::optional<venue_error> parse_venue_error(std::string_view body) {
  if (body.size() > 65'536) return std::nullopt;
  dom::parser parser;
  dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS || !root.is_object())
    return std::nullopt;
  return read_venue_error(root);
}

result<user_event> parse_user_frame(std::string_view frame, const order_context& context) {
  return with_document<user_event>(frame, "user frame", [&](const dom::element& root) -> result<user_event> {
    if (!root.is_object()) return {order_errc::bad_value, "user frame is no object"};
    dom::element event;
    if (root["event"].get(event) == simdjson::SUCCESS && event.is_object()) return read_event(event, context);
    if (!text_or_empty(root, "e").empty()) return read_event(root, context);
    if (integer_of(root, "status")) return user_event{read_reply(root)};
    return user_event{other_event{"frame without event"}};
  });
}

} // namespace troupe::binance
