#include "actors/connectors/bybit/order_codec.hpp"

#include "actors/connectors/order_reading.hpp"

namespace troupe::bybit {
namespace {

using namespace order_reading;

/// "result" of an answer of the venue, or its refusal in words.
result<dom::element> result_of(const dom::element& root) {
  const auto code = integer_of(root, "retCode");
  if (!code) return {order_errc::missing_field, "retCode"};
  if (*code != 0) return {order_errc::bad_value, std::to_string(*code) + ' ' + text_or_empty(root, "retMsg")};
  dom::element out;
  if (root["result"].get(out) != simdjson::SUCCESS || !out.is_object())
    return {order_errc::missing_field, "result"};
  return out;
}

/// Amounts the venue leaves empty count as 0.
result<std::int64_t> decimal_or_zero(const dom::element& row, const char* key, int scale) {
  return text_or_empty(row, key).empty() ? result<std::int64_t>{0} : decimal_of(row, key, scale);
}

result<order_report> read_order(const dom::element& row, const instrument_spec& spec,
                                const account_id& account) {
  order_report out;
  out.account = account;
  out.instrument = spec.id;
  out.client_id = text_or_empty(row, "orderLinkId");
  auto order_id = text_of(row, "orderId");
  if (!order_id) return std::move(order_id).error();
  out.venue_order_id = std::move(*order_id);
  out.at = from_millis_text(text_or_empty(row, "updatedTime"));
  const auto word = text_or_empty(row, "orderStatus");
  const auto state = parse_order_state(word);
  if (!state) return {order_errc::bad_value, "orderStatus '" + word + "'"};
  out.state = *state;
  const auto filled = decimal_or_zero(row, "cumExecQty", spec.size_scale);
  if (!filled) return filled.error();
  out.filled = {*filled};
  // What was executed stays executed: only the rest of it was refused.
  if (out.state == order_state::rejected && out.filled.raw > 0) out.state = order_state::cancelled;
  if (const auto reason = text_or_empty(row, "rejectReason"); reason != "EC_NoError") out.text = reason;
  return out;
}

result<fill> read_execution(const dom::element& row, const instrument_spec& spec, const account_id& account) {
  fill out;
  out.account = account;
  out.instrument = spec.id;
  auto id = text_of(row, "execId");
  if (!id) return std::move(id).error();
  out.trade_id = std::move(*id);
  out.client_id = text_or_empty(row, "orderLinkId");
  out.venue_order_id = text_or_empty(row, "orderId");
  auto direction = side_of(row, "side");
  if (!direction) return std::move(direction).error();
  out.direction = *direction;
  const auto at = decimal_of(row, "execPrice", spec.price_scale);
  if (!at) return at.error();
  const auto quantity = decimal_of(row, "execQty", spec.size_scale);
  if (!quantity) return quantity.error();
  out.at_price = {*at};
  out.quantity = {*quantity};
  out.fee_asset = text_or_empty(row, "feeCurrency");
  if (const auto fee = text_or_empty(row, "execFee"); !fee.empty())
    if (auto read = read_fee(fee, out); !read) return std::move(read).error();
  out.maker = flag_or(row, "isMaker", false);
  out.at = from_millis_text(text_or_empty(row, "execTime"));
  return out;
}

/// Fills of the order book; funding, settlement and liquidation fees are no trades of ours.
bool is_trade(const dom::element& row) {
  const auto kind = text_or_empty(row, "execType");
  return kind.empty() || kind == "Trade" || kind == "BlockTrade" || kind == "AdlTrade" || kind == "BustTrade";
}

/// "list" of a result, row by row, without those of symbols that are not configured.
status each_row(const dom::element& object, const char* key, const order_context& context, auto&& use) {
  dom::array rows;
  if (object[key].get(rows) != simdjson::SUCCESS) return {order_errc::missing_field, key};
  for (const auto row : rows) {
    const auto* spec = context.find(text_or_empty(row, "symbol"));
    if (spec == nullptr) continue;
    if (auto done = use(row, *spec); !done) return done;
  }
  return ok;
}

/// What is locked is not told for every coin: then all of it is free.
result<asset_balance> read_coin(const dom::element& row) {
  asset_balance out;
  out.scale = money_scale;
  auto name = text_of(row, "coin");
  if (!name) return std::move(name).error();
  out.asset = std::move(*name);
  const auto whole = decimal_or_zero(row, "walletBalance", money_scale);
  if (!whole) return whole.error();
  const auto locked = decimal_or_zero(row, "locked", money_scale);
  if (!locked) return locked.error();
  out.locked_raw = *locked;
  out.free_raw = *whole - *locked;
  return out;
}

status read_coins(const dom::element& account, std::vector<asset_balance>& into) {
  dom::array coins;
  if (account["coin"].get(coins) != simdjson::SUCCESS) return {order_errc::missing_field, "coin"};
  for (const auto row : coins) {
    auto each = read_coin(row);
    if (!each) return std::move(each).error();
    into.push_back(std::move(*each));
  }
  return ok;
}

// --- private socket -------------------------------------------------------------------------------

using events = std::vector<user_event>;

result<events> read_order_events(const dom::element& root, const order_context& context) {
  events out;
  auto done =
      each_row(root, "data", context, [&](const dom::element& row, const instrument_spec& spec) -> status {
        auto report = read_order(row, spec, context.account);
        if (!report) return std::move(report).error();
        out.emplace_back(std::move(*report));
        return ok;
      });
  if (!done) return std::move(done).error();
  return out;
}

result<events> read_execution_events(const dom::element& root, const order_context& context) {
  events out;
  auto done =
      each_row(root, "data", context, [&](const dom::element& row, const instrument_spec& spec) -> status {
        if (!is_trade(row)) return ok;
        auto each = read_execution(row, spec, context.account);
        if (!each) return std::move(each).error();
        order_report report;
        report.account = context.account;
        report.instrument = spec.id;
        report.client_id = each->client_id;
        report.venue_order_id = each->venue_order_id;
        report.at = each->at;
        report.fills.push_back(std::move(*each));
        out.emplace_back(std::move(report));
        return ok;
      });
  if (!done) return std::move(done).error();
  return out;
}

result<events> read_wallet_events(const dom::element& root) {
  balances_event out;
  out.at = from_millis(integer_of(root, "creationTime"));
  dom::array accounts;
  if (root["data"].get(accounts) != simdjson::SUCCESS) return {order_errc::missing_field, "data of wallet"};
  for (const auto account : accounts)
    if (auto done = read_coins(account, out.changed); !done) return std::move(done).error();
  return events{user_event{std::move(out)}};
}

/// Answers to auth, subscribe and ping are spelled in two ways: retCode and ret_msg, success.
reply_event read_reply(const dom::element& root, std::string op) {
  reply_event out;
  out.id = text_or_empty(root, "req_id");
  if (out.id.empty()) out.id = std::move(op);
  const auto code = integer_of(root, "retCode");
  const bool fine = code ? *code == 0 : flag_or(root, "success", true);
  out.status = fine ? 200 : 400;
  if (fine) return out;
  auto words = text_or_empty(root, "retMsg");
  if (words.empty()) words = text_or_empty(root, "ret_msg");
  out.error = venue_error{static_cast<std::int32_t>(code.value_or(0)), std::move(words)};
  return out;
}

} // namespace

std::optional<order_state> parse_order_state(std::string_view word) noexcept {
  if (word == "New" || word == "Created" || word == "Untriggered" || word == "Triggered" || word == "Active")
    return order_state::acknowledged;
  if (word == "PartiallyFilled") return order_state::partially_filled;
  if (word == "Filled") return order_state::filled;
  if (word == "Cancelled" || word == "PartiallyFilledCanceled" || word == "Deactivated")
    return order_state::cancelled;
  if (word == "Rejected") return order_state::rejected;
  return std::nullopt;
}

std::optional<venue_error> parse_venue_error(std::string_view body) {
  return refusal_in(body, "retCode", "retMsg");
}

result<order_report> parse_ack(std::string_view body, const order_context& context,
                               const instrument_id& instrument) {
  return with_document<order_report>(body, "answer to an order",
                                     [&](const dom::element& root) -> result<order_report> {
                                       auto said = result_of(root);
                                       if (!said) return std::move(said).error();
                                       order_report out;
                                       out.account = context.account;
                                       out.instrument = instrument;
                                       out.client_id = text_or_empty(*said, "orderLinkId");
                                       auto order_id = text_of(*said, "orderId");
                                       if (!order_id) return std::move(order_id).error();
                                       out.venue_order_id = std::move(*order_id);
                                       out.at = from_millis(integer_of(root, "time"));
                                       return out;
                                     });
}

result<order_page> parse_orders(std::string_view body, const order_context& context) {
  return with_document<order_page>(body, "orders", [&](const dom::element& root) -> result<order_page> {
    auto said = result_of(root);
    if (!said) return std::move(said).error();
    order_page out;
    out.cursor = text_or_empty(*said, "nextPageCursor");
    auto done =
        each_row(*said, "list", context, [&](const dom::element& row, const instrument_spec& spec) -> status {
          auto each = read_order(row, spec, context.account);
          if (!each) return std::move(each).error();
          out.orders.push_back(std::move(*each));
          return ok;
        });
    if (!done) return std::move(done).error();
    return out;
  });
}

result<execution_page> parse_executions(std::string_view body, const order_context& context) {
  return with_document<execution_page>(
      body, "executions", [&](const dom::element& root) -> result<execution_page> {
        auto said = result_of(root);
        if (!said) return std::move(said).error();
        execution_page out;
        out.cursor = text_or_empty(*said, "nextPageCursor");
        auto done = each_row(*said, "list", context,
                             [&](const dom::element& row, const instrument_spec& spec) -> status {
                               if (!is_trade(row)) return ok;
                               auto each = read_execution(row, spec, context.account);
                               if (!each) return std::move(each).error();
                               out.fills.push_back(std::move(*each));
                               return ok;
                             });
        if (!done) return std::move(done).error();
        return out;
      });
}

result<account_state> parse_account(std::string_view body) {
  return with_document<account_state>(body, "wallet", [&](const dom::element& root) -> result<account_state> {
    auto said = result_of(root);
    if (!said) return std::move(said).error();
    dom::array accounts;
    if ((*said)["list"].get(accounts) != simdjson::SUCCESS) return {order_errc::missing_field, "list"};
    account_state out;
    out.updated = from_millis(integer_of(root, "time"));
    for (const auto account : accounts)
      if (auto done = read_coins(account, out.balances); !done) return std::move(done).error();
    return out;
  });
}

result<market_time> parse_server_time(std::string_view body) {
  return with_document<market_time>(body, "time", [&](const dom::element& root) -> result<market_time> {
    auto said = result_of(root);
    if (!said) return std::move(said).error();
    const auto ms = integer_of(root, "time");
    if (!ms || *ms <= 0) return {order_errc::missing_field, "time"};
    return from_millis(ms);
  });
}

result<std::vector<user_event>> parse_user_frame(std::string_view frame, const order_context& context) {
  return with_document<events>(frame, "private frame", [&](const dom::element& root) -> result<events> {
    if (!root.is_object()) return {order_errc::bad_value, "private frame is no object"};
    const auto topic = text_or_empty(root, "topic");
    if (topic == "order" || topic.starts_with("order.")) return read_order_events(root, context);
    // The fast variant has no fees: it is not subscribed, and not taken for a whole execution.
    if (topic == "execution.fast") return events{user_event{other_event{topic}}};
    if (topic == "execution" || topic.starts_with("execution.")) return read_execution_events(root, context);
    if (topic == "wallet") return read_wallet_events(root);
    if (auto op = text_or_empty(root, "op"); !op.empty())
      return events{user_event{read_reply(root, std::move(op))}};
    return events{user_event{other_event{topic.empty() ? "frame without topic" : topic}}};
  });
}

} // namespace troupe::bybit
