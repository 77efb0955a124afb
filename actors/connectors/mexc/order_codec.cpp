#include "actors/connectors/mexc/order_codec.hpp"

#include "actors/connectors/mexc/wire.hpp"
#include "actors/connectors/order_reading.hpp"

#include <algorithm>

namespace troupe::mexc {
namespace {

using namespace order_reading;

/// Ids are texts now and were numbers once.
std::string id_of(const dom::element& object, const char* key) {
  if (const auto number = integer_of(object, key)) return std::to_string(*number);
  return text_or_empty(object, key);
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
  out.venue_order_id = id_of(object, "orderId");
  if (out.venue_order_id.empty()) return {order_errc::missing_field, "orderId"};
  for (const char* key : {"updateTime", "time"})
    if (const auto ms = integer_of(object, key)) {
      out.at = from_millis(ms);
      break;
    }
  const auto word = text_or_empty(object, "status");
  const auto state = parse_order_state(word);
  if (!state) return {order_errc::bad_value, "status '" + word + "'"};
  out.state = *state;
  const auto filled = decimal_of(object, "executedQty", (*spec)->size_scale);
  if (!filled) return filled.error();
  out.filled = {*filled};
  return out;
}

result<fill> read_trade(const dom::element& row, const order_context& context) {
  auto spec = spec_in(row, "symbol", context);
  if (!spec) return std::move(spec).error();
  fill out;
  out.account = context.account;
  out.instrument = (*spec)->id;
  out.trade_id = id_of(row, "id");
  out.venue_order_id = id_of(row, "orderId");
  if (out.trade_id.empty() || out.venue_order_id.empty())
    return {order_errc::missing_field, "id or orderId of a trade"};
  out.client_id = text_or_empty(row, "clientOrderId");
  const auto at = decimal_of(row, "price", (*spec)->price_scale);
  if (!at) return at.error();
  const auto quantity = decimal_of(row, "qty", (*spec)->size_scale);
  if (!quantity) return quantity.error();
  bool buyer = false;
  if (row["isBuyer"].get(buyer) != simdjson::SUCCESS)
    return {order_errc::missing_field, "isBuyer of a trade"};
  out.direction = buyer ? side::buy : side::sell;
  out.at_price = {*at};
  out.quantity = {*quantity};
  out.fee_asset = text_or_empty(row, "commissionAsset");
  if (const auto fee = text_or_empty(row, "commission"); !fee.empty())
    if (auto read = read_fee(fee, out); !read) return std::move(read).error();
  out.maker = flag_or(row, "isMaker", false);
  out.at = from_millis(integer_of(row, "time"));
  return out;
}

// --- private stream -------------------------------------------------------------------------------

/// Fields of one protobuf message by number; the last of a number counts.
class wire_fields {
public:
  explicit wire_fields(std::string_view message) {
    wire_reader in{message};
    wire_field f;
    while (in.next(f))
      if (f.is_bytes || f.is_integer) found_[f.number] = f;
    fine_ = in.fine();
  }
  [[nodiscard]] bool fine() const noexcept { return fine_; }
  [[nodiscard]] std::string_view text(int number) const {
    const auto at = found_.find(number);
    return at == found_.end() ? std::string_view{} : at->second.bytes;
  }
  [[nodiscard]] std::int64_t integer(int number) const {
    const auto at = found_.find(number);
    return at == found_.end() ? 0 : static_cast<std::int64_t>(at->second.value);
  }

private:
  std::map<int, wire_field> found_;
  bool fine_ = false;
};

/// PrivateOrdersV3Api, PrivateDealsV3Api and PrivateAccountV3Api within the wrapper.
constexpr int body_orders = 304;
constexpr int body_deals = 306;
constexpr int body_account = 307;

result<std::int64_t> decimal_in(const wire_fields& from, int number, int scale, const char* what) {
  const auto text = from.text(number);
  if (text.empty()) return std::int64_t{0}; // what is 0 may be left out
  auto value = parse_decimal(text, scale);
  if (!value) return {order_errc::bad_value, std::string{what} + " '" + std::string{text} + "'"};
  return *value;
}

std::optional<order_state> state_of(std::int64_t status) noexcept {
  switch (status) {
  case 1:
    return order_state::acknowledged;
  case 2:
    return order_state::filled;
  case 3:
    return order_state::partially_filled;
  case 4:
  case 5:
    return order_state::cancelled;
  default:
    return std::nullopt;
  }
}

result<user_event> read_order_push(const wire_fields& body, const instrument_spec& spec,
                                   const order_context& context, market_time at) {
  order_report out;
  out.account = context.account;
  out.instrument = spec.id;
  out.venue_order_id = body.text(1);
  out.client_id = body.text(2);
  if (out.venue_order_id.empty()) return {order_errc::missing_field, "id of a private order"};
  const auto state = state_of(body.integer(15));
  if (!state)
    return {order_errc::bad_value, "status " + std::to_string(body.integer(15)) + " of a private order"};
  out.state = *state;
  const auto filled = decimal_in(body, 13, spec.size_scale, "cumulative quantity");
  if (!filled) return filled.error();
  out.filled = {*filled};
  out.at = at;
  return user_event{std::move(out)};
}

result<user_event> read_deal_push(const wire_fields& body, const instrument_spec& spec,
                                  const order_context& context) {
  fill each;
  each.account = context.account;
  each.instrument = spec.id;
  each.trade_id = body.text(7);
  each.client_id = body.text(8);
  each.venue_order_id = body.text(9);
  const auto taker_or_maker_side = body.integer(4);
  if (each.trade_id.empty() || (taker_or_maker_side != 1 && taker_or_maker_side != 2))
    return {order_errc::missing_field, "id or side of a private deal"};
  each.direction = taker_or_maker_side == 1 ? side::buy : side::sell;
  const auto price_raw = decimal_in(body, 1, spec.price_scale, "price");
  if (!price_raw) return price_raw.error();
  const auto size_raw = decimal_in(body, 2, spec.size_scale, "quantity");
  if (!size_raw) return size_raw.error();
  each.at_price = {*price_raw};
  each.quantity = {*size_raw};
  each.maker = body.integer(5) != 0;
  each.fee_asset = body.text(11);
  if (const auto fee = body.text(10); !fee.empty())
    if (auto read = read_fee(fee, each); !read) return std::move(read).error();
  each.at = from_millis(body.integer(12));
  order_report out;
  out.account = each.account;
  out.instrument = each.instrument;
  out.client_id = each.client_id;
  out.venue_order_id = each.venue_order_id;
  out.at = each.at;
  out.fills.push_back(std::move(each));
  return user_event{std::move(out)};
}

result<user_event> read_account_push(const wire_fields& body) {
  asset_balance each;
  each.asset = body.text(1);
  each.scale = money_scale;
  if (each.asset.empty()) return {order_errc::missing_field, "asset of a private account"};
  const auto free_raw = decimal_in(body, 3, money_scale, "balance");
  if (!free_raw) return free_raw.error();
  const auto locked_raw = decimal_in(body, 5, money_scale, "frozen");
  if (!locked_raw) return locked_raw.error();
  each.free_raw = *free_raw;
  each.locked_raw = *locked_raw;
  balances_event out;
  out.at = from_millis(body.integer(8));
  out.changed.push_back(std::move(each));
  return user_event{std::move(out)};
}

result<user_event> read_push_frame(std::string_view frame, const order_context& context) {
  const wire_fields outer{frame};
  const std::string channel{outer.text(1)};
  if (!outer.fine() || channel.empty())
    return {order_errc::bad_value, "private frame is neither protobuf nor JSON"};
  for (const int number : {body_orders, body_deals, body_account}) {
    const auto bytes = outer.text(number);
    if (bytes.empty()) continue;
    const wire_fields body{bytes};
    if (!body.fine()) return {order_errc::bad_value, "body of " + channel};
    if (number == body_account) return read_account_push(body);
    const auto* spec = context.find(outer.text(3));
    if (spec == nullptr) return user_event{other_event{channel + " of " + std::string{outer.text(3)}}};
    return number == body_orders ? read_order_push(body, *spec, context, from_millis(outer.integer(6)))
                                 : read_deal_push(body, *spec, context);
  }
  return user_event{other_event{channel}};
}

/// A refusal to subscribe is an answer with code 0, too: only its words tell.
result<user_event> read_control(const dom::element& root) {
  reply_event out;
  const auto words = text_or_empty(root, "msg");
  const auto code = integer_of(root, "code").value_or(0);
  out.id = words == "PONG" ? "ping" : "subscribe";
  const bool fine = code == 0 && words.find("Not Subscribed") == std::string::npos;
  out.status = fine ? 200 : 400;
  if (!fine) out.error = venue_error{static_cast<std::int32_t>(code), words};
  return user_event{std::move(out)};
}

} // namespace

std::optional<order_state> parse_order_state(std::string_view word) noexcept {
  if (word == "NEW") return order_state::acknowledged;
  if (word == "PARTIALLY_FILLED") return order_state::partially_filled;
  if (word == "FILLED") return order_state::filled;
  if (word == "CANCELED" || word == "PARTIALLY_CANCELED") return order_state::cancelled;
  return std::nullopt;
}

std::optional<venue_error> parse_venue_error(std::string_view body) {
  auto said = refusal_in(body, "code", "msg");
  return said && said->code != 200 ? said : std::nullopt; // 200 is a success there
}

result<order_report> parse_placed(std::string_view body, const order_context& context,
                                  const std::string& client_id) {
  return with_document<order_report>(body, "answer to an order",
                                     [&](const dom::element& root) -> result<order_report> {
                                       auto spec = spec_in(root, "symbol", context);
                                       if (!spec) return std::move(spec).error();
                                       order_report out;
                                       out.account = context.account;
                                       out.instrument = (*spec)->id;
                                       out.client_id = client_id;
                                       out.venue_order_id = id_of(root, "orderId");
                                       if (out.venue_order_id.empty())
                                         return {order_errc::missing_field, "orderId"};
                                       out.state = order_state::acknowledged;
                                       out.at = from_millis(integer_of(root, "transactTime"));
                                       return out;
                                     });
}

result<order_report> parse_order(std::string_view body, const order_context& context) {
  return with_document<order_report>(body, "order",
                                     [&](const dom::element& root) { return read_order(root, context); });
}

result<std::vector<order_report>> parse_open_orders(std::string_view body, const order_context& context) {
  return read_list<order_report>(body, "open orders",
                                 [&](const dom::element& row) { return read_order(row, context); });
}

result<std::vector<fill>> parse_trades(std::string_view body, const order_context& context) {
  auto out =
      read_list<fill>(body, "trades", [&](const dom::element& row) { return read_trade(row, context); });
  if (out)
    std::stable_sort(out->begin(), out->end(), [](const fill& a, const fill& b) {
      return a.at.ns != b.at.ns ? a.at.ns < b.at.ns : a.trade_id < b.trade_id;
    });
  return out;
}

result<account_state> parse_account(std::string_view body) {
  return with_document<account_state>(body, "account", read_spot_account);
}

result<market_time> parse_server_time(std::string_view body) {
  return with_document<market_time>(body, "time", read_spot_time);
}

result<std::string> parse_listen_key(std::string_view body) {
  return with_document<std::string>(body, "listen key",
                                    [&](const dom::element& root) { return text_of(root, "listenKey"); });
}

result<user_event> parse_user_frame(std::string_view frame, const order_context& context) {
  if (!is_json(frame)) return read_push_frame(frame, context);
  return with_document<user_event>(frame, "private frame",
                                   [&](const dom::element& root) { return read_control(root); });
}

} // namespace troupe::mexc
