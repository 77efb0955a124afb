#include "actors/connectors/deribit/order_codec.hpp"

#include "actors/connectors/json_frame.hpp"

namespace troupe::deribit {
namespace {

constexpr std::uint8_t money_scale =
    12; // balances and fees of coins have up to eight decimals, computed ones more
constexpr std::size_t longest_frame = 32u << 20;

error damaged(const char* what, std::string_view frame) {
  return {make_error_code(order_errc::not_json),
          std::string{what} + " can't be read: " + std::string{frame.substr(0, 120)}};
}

/// A bare number's text as scaled integer; what is missing counts as 0.
result<std::int64_t> amount_of(std::string_view token, int scale, const char* what) {
  if (token.empty()) return std::int64_t{0};
  auto value = parse_decimal(token, scale);
  if (!value)
    return {order_errc::bad_value,
            std::string{what} + " '" + std::string{token} + "': " + value.error().text};
  return *value;
}

/// The members of one order or trade, as text. Views into the frame.
struct texts {
  std::string_view instrument, label, order_id, trade_id, state, direction, reason, liquidity, fee_asset;
  std::string_view filled, price, amount, fee;
  market_time updated, at;
};

texts read_texts(json_frame& in, json_object object) {
  texts out;
  in.each_member(object, [&](std::string_view key, json_value value) {
    if (value.raw_json_token()[0] == 'n') return; // null
    if (key == "instrument_name")
      out.instrument = in.text(value);
    else if (key == "label")
      out.label = in.text(value);
    else if (key == "order_id")
      out.order_id = in.text(value);
    else if (key == "trade_id")
      out.trade_id = in.text(value);
    else if (key == "order_state" || key == "state")
      out.state = in.text(value);
    else if (key == "direction")
      out.direction = in.text(value);
    else if (key == "cancel_reason" || key == "reject_reason")
      out.reason = in.text(value);
    else if (key == "liquidity")
      out.liquidity = in.text(value);
    else if (key == "fee_currency")
      out.fee_asset = in.text(value);
    else if (key == "filled_amount")
      out.filled = in.token(value);
    else if (key == "price")
      out.price = in.token(value); // a trigger order's may be a word
    else if (key == "amount")
      out.amount = in.token(value);
    else if (key == "fee")
      out.fee = in.token(value);
    else if (key == "last_update_timestamp")
      out.updated = in.time(value, time_unit::ms);
    else if (key == "timestamp")
      out.at = in.time(value, time_unit::ms);
  });
  return out;
}

result<order_report> order_of(const texts& said, const instrument_spec& spec, const account_id& account) {
  order_report out;
  out.account = account;
  out.instrument = spec.id;
  out.client_id = said.label;
  out.venue_order_id = said.order_id;
  if (said.order_id.empty()) return {order_errc::missing_field, "order_id"};
  const auto filled = amount_of(said.filled, spec.size_scale, "filled_amount");
  if (!filled) return filled.error();
  out.filled = {*filled};
  const auto state = parse_order_state(said.state, *filled > 0);
  if (!state) return {order_errc::bad_value, "order_state '" + std::string{said.state} + "'"};
  out.state = *state;
  out.text = said.reason;
  out.at = said.updated;
  return out;
}

result<fill> fill_of(const texts& said, const instrument_spec& spec, const account_id& account) {
  fill out;
  out.account = account;
  out.instrument = spec.id;
  out.trade_id = said.trade_id;
  out.client_id = said.label;
  out.venue_order_id = said.order_id;
  if (said.trade_id.empty() || said.order_id.empty())
    return {order_errc::missing_field, "trade_id or order_id of a trade"};
  if (said.direction != "buy" && said.direction != "sell")
    return {order_errc::bad_value, "direction '" + std::string{said.direction} + "'"};
  out.direction = said.direction == "buy" ? side::buy : side::sell;
  const auto at_price = amount_of(said.price, spec.price_scale, "price");
  if (!at_price) return at_price.error();
  const auto quantity = amount_of(said.amount, spec.size_scale, "amount");
  if (!quantity) return quantity.error();
  const auto fee = amount_of(said.fee, money_scale, "fee");
  if (!fee) return fee.error();
  out.at_price = {*at_price};
  out.quantity = {*quantity};
  out.fee_raw = *fee;
  out.fee_scale = money_scale;
  out.fee_asset = said.fee_asset;
  out.maker = said.liquidity == "M";
  out.at = said.at;
  return out;
}

/// Calls `take` with "result" of a frame; a refusal of the venue is an error in its words.
template <class T>
result<T> with_result(const char* what, std::string_view frame, auto&& take) {
  json_frame in;
  if (!in.open(frame, longest_frame) || !in.is_object()) return damaged(what, frame);
  auto root = in.object();
  json_value value;
  if (in.find(root, "error", value)) {
    auto refusal_text = in.object(value);
    const auto code = in.integer(refusal_text, "code");
    const std::string words{in.text(refusal_text, "message")};
    if (!in.fine()) return damaged(what, frame);
    return {order_errc::bad_value, std::string{what} + ": " + std::to_string(code) + ' ' + words};
  }
  if (!in.find(root, "result", value)) return {order_errc::missing_field, std::string{what} + ": result"};
  result<T> out = take(in, value);
  if (!in.fine()) return damaged(what, frame);
  return out;
}

/// One object or a list of them; instruments that are not configured are left out.
status each_object(json_frame& in, json_value value, const order_context& context, auto&& take) {
  status done = ok;
  const auto one = [&](json_value v) {
    if (!done) return;
    const auto said = read_texts(in, in.object(v));
    if (!in.fine()) return;
    if (const auto* spec = context.find(said.instrument)) done = take(said, *spec);
  };
  if (!in.fine()) return {order_errc::missing_field, "an order or trade"}; // then `value` is none
  if (value.raw_json_token()[0] == '{')
    one(value);
  else
    in.each(in.array(value), one);
  return done;
}

result<std::vector<order_report>> orders_in(json_frame& in, json_value value, const order_context& context) {
  std::vector<order_report> out;
  auto done = each_object(in, value, context, [&](const texts& said, const instrument_spec& spec) -> status {
    auto each = order_of(said, spec, context.account);
    if (!each) return std::move(each).error();
    out.push_back(std::move(*each));
    return ok;
  });
  if (!done) return std::move(done).error();
  return out;
}

result<std::vector<fill>> fills_in(json_frame& in, json_value value, const order_context& context) {
  std::vector<fill> out;
  auto done = each_object(in, value, context, [&](const texts& said, const instrument_spec& spec) -> status {
    auto each = fill_of(said, spec, context.account);
    if (!each) return std::move(each).error();
    out.push_back(std::move(*each));
    return ok;
  });
  if (!done) return std::move(done).error();
  return out;
}

/// A currency's balance; what margins hold is not free.
result<asset_balance> balance_in(json_frame& in, json_value value) {
  std::string_view asset, whole, free;
  in.each_member(in.object(value), [&](std::string_view key, json_value v) {
    if (v.raw_json_token()[0] == 'n') return;
    if (key == "currency")
      asset = in.text(v);
    else if (key == "balance")
      whole = in.token(v);
    else if (key == "available_funds")
      free = in.token(v);
  });
  if (asset.empty()) return {order_errc::missing_field, "currency"};
  const auto whole_raw = amount_of(whole, money_scale, "balance");
  if (!whole_raw) return whole_raw.error();
  const auto free_raw = amount_of(free, money_scale, "available_funds");
  if (!free_raw) return free_raw.error();
  asset_balance out;
  out.asset = asset;
  out.scale = money_scale;
  out.free_raw = *free_raw;
  out.locked_raw = std::max<std::int64_t>(0, *whole_raw - *free_raw);
  return out;
}

using events = std::vector<user_event>;

result<events> portfolio_events(json_frame& in, json_value data) {
  auto each = balance_in(in, data);
  if (!each) return std::move(each).error();
  balances_event out;
  out.changed.push_back(std::move(*each));
  return events{user_event{std::move(out)}};
}

result<events> trade_events(json_frame& in, json_value data, const order_context& context) {
  auto fills = fills_in(in, data, context);
  if (!fills) return std::move(fills).error();
  events out;
  for (auto& each : *fills) {
    order_report report;
    report.account = each.account;
    report.instrument = each.instrument;
    report.client_id = each.client_id;
    report.venue_order_id = each.venue_order_id;
    report.at = each.at;
    report.fills.push_back(std::move(each));
    out.emplace_back(std::move(report));
  }
  return out;
}

result<events> order_events(json_frame& in, json_value data, const order_context& context) {
  auto orders = orders_in(in, data, context);
  if (!orders) return std::move(orders).error();
  events out;
  for (auto& each : *orders)
    out.emplace_back(std::move(each));
  return out;
}

result<events> subscription_events(json_frame& in, json_object& params, const order_context& context) {
  const std::string channel{in.text(params, "channel")};
  const auto data = in.need(params, "data");
  if (!in.fine()) return {order_errc::missing_field, "channel or data of a subscription"};
  if (channel.starts_with("user.orders.")) return order_events(in, data, context);
  if (channel.starts_with("user.trades.")) return trade_events(in, data, context);
  if (channel.starts_with("user.portfolio.")) return portfolio_events(in, data);
  return events{user_event{other_event{channel}}};
}

} // namespace

std::optional<order_state> parse_order_state(std::string_view word, bool filled) noexcept {
  if (word == "open") return filled ? order_state::partially_filled : order_state::acknowledged;
  if (word == "untriggered" || word == "triggered") return order_state::acknowledged;
  if (word == "filled") return order_state::filled;
  if (word == "cancelled") return order_state::cancelled;
  if (word == "rejected") return order_state::rejected;
  return std::nullopt;
}

result<std::optional<rpc_reply>> parse_reply(std::string_view frame) {
  json_frame in;
  if (!in.open(frame, longest_frame) || !in.is_object()) return damaged("frame", frame);
  auto root = in.object();
  json_value value;
  if (in.find(root, "method", value)) return std::optional<rpc_reply>{};
  rpc_reply out;
  out.id = in.id(root, "id");
  if (in.find(root, "error", value)) {
    auto said = in.object(value);
    venue_error why;
    why.code = static_cast<std::int32_t>(in.integer(said, "code"));
    why.text = in.text(said, "message");
    out.error = std::move(why);
  }
  if (!in.fine()) return damaged("answer", frame);
  return std::optional{std::move(out)};
}

result<order_report> parse_placed(std::string_view frame, const order_context& context) {
  return with_result<order_report>(
      "answer to an order", frame, [&](json_frame& in, json_value value) -> result<order_report> {
        auto said = in.object(value);
        auto orders = orders_in(in, in.need(said, "order"), context);
        if (!orders) return std::move(orders).error();
        if (orders->empty())
          return {order_errc::unknown_symbol, "answer to an order in an instrument that is not configured"};
        json_value trades;
        if (in.find(said, "trades", trades)) {
          auto fills = fills_in(in, trades, context);
          if (!fills) return std::move(fills).error();
          for (auto& each : *fills)
            each.client_id = orders->front().client_id;
          orders->front().fills = std::move(*fills);
        }
        return std::move(orders->front());
      });
}

result<std::uint64_t> parse_cancelled(std::string_view frame) {
  return with_result<std::uint64_t>(
      "answer to a cancel", frame,
      [](json_frame& in, json_value value) -> result<std::uint64_t> { return in.id(value); });
}

result<std::vector<order_report>> parse_orders(std::string_view frame, const order_context& context) {
  return with_result<std::vector<order_report>>(
      "orders", frame, [&](json_frame& in, json_value value) { return orders_in(in, value, context); });
}

result<trade_page> parse_trades(std::string_view frame, const order_context& context) {
  return with_result<trade_page>("trades", frame,
                                 [&](json_frame& in, json_value value) -> result<trade_page> {
                                   trade_page out;
                                   const bool paged = value.raw_json_token()[0] == '{';
                                   json_value rows = value;
                                   json_object page;
                                   if (paged) {
                                     page = in.object(value);
                                     rows = in.need(page, "trades");
                                     if (!in.fine()) return {order_errc::missing_field, "trades"};
                                   }
                                   auto fills = fills_in(in, rows, context);
                                   if (!fills) return std::move(fills).error();
                                   out.fills = std::move(*fills);
                                   json_value more;
                                   if (paged && in.find(page, "has_more", more)) out.more = in.flag(more);
                                   return out;
                                 });
}

result<account_state> parse_account(std::string_view frame) {
  return with_result<account_state>("account", frame,
                                    [](json_frame& in, json_value value) -> result<account_state> {
                                      auto said = in.object(value);
                                      account_state out;
                                      status done = ok;
                                      in.each(in.array(said, "summaries"), [&](json_value row) {
                                        if (!done) return;
                                        auto each = balance_in(in, row);
                                        if (each)
                                          out.balances.push_back(std::move(*each));
                                        else
                                          done = std::move(each).error();
                                      });
                                      if (!done) return std::move(done).error();
                                      return out;
                                    });
}

result<market_time> parse_server_time(std::string_view frame) {
  return with_result<market_time>("time", frame, [](json_frame& in, json_value value) -> result<market_time> {
    return in.time(value, time_unit::ms);
  });
}

result<std::vector<user_event>> parse_user_frame(std::string_view frame, const order_context& context) {
  json_frame in;
  if (!in.open(frame, longest_frame) || !in.is_object()) return damaged("private frame", frame);
  auto root = in.object();
  json_value value;
  if (!in.find(root, "method", value)) return events{user_event{other_event{"answer"}}};
  const std::string method{in.text(value)};
  auto params = in.object(root, "params");
  if (!in.fine()) return damaged("private frame", frame);
  if (method == "heartbeat") {
    const std::string kind{in.text(params, "type")};
    if (!in.fine()) return damaged("heartbeat", frame);
    return events{user_event{other_event{kind}}};
  }
  if (method != "subscription") return events{user_event{other_event{method}}};
  auto out = subscription_events(in, params, context);
  if (!in.fine()) return damaged("private frame", frame);
  return out;
}

} // namespace troupe::deribit
