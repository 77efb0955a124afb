#include "actors/connectors/order_reading.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::order_reading {

result<std::string> text_of(const dom::element& object, const char* key) {
  std::string_view out;
  if (object[key].get(out) != simdjson::SUCCESS)
    return {order_errc::missing_field, std::string{"text field '"} + key + "'"};
  return std::string{out};
}

std::string text_or_empty(const dom::element& object, const char* key) {
  std::string_view out;
  return object[key].get(out) == simdjson::SUCCESS ? std::string{out} : std::string{};
}

bool flag_or(const dom::element& object, const char* key, bool fallback) {
  bool out = false;
  return object[key].get(out) == simdjson::SUCCESS ? out : fallback;
}

std::optional<std::int64_t> integer_of(const dom::element& object, const char* key) {
  std::int64_t out = 0;
  if (object[key].get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

result<std::int64_t> decimal_of(const dom::element& object, const char* key, int scale) {
  auto text = text_of(object, key);
  if (!text) return std::move(text).error();
  auto value = parse_decimal(*text, scale);
  if (!value) return {order_errc::bad_value, std::string{"field '"} + key + "': " + value.error().text};
  return *value;
}

market_time from_millis(std::optional<std::int64_t> ms) {
  constexpr std::int64_t most = INT64_MAX / 1'000'000;
  return {std::clamp<std::int64_t>(ms.value_or(0), 0, most) * 1'000'000};
}

/// Fees have up to eight decimals, some assets more: the rest is kept by a finer scale.
status read_fee(std::string_view text, fill& out) {
  for (const std::uint8_t scale : {money_scale, std::uint8_t{12}, std::uint8_t{18}}) {
    const auto value = parse_decimal(text, scale);
    if (!value) continue;
    out.fee_raw = *value;
    out.fee_scale = scale;
    return ok;
  }
  return {order_errc::bad_value, "fee '" + std::string{text} + "'"};
}

market_time from_millis_text(std::string_view ms) {
  std::int64_t value = 0;
  const auto [stop, ec] = std::from_chars(ms.data(), ms.data() + ms.size(), value);
  if (ec != std::errc{} || stop != ms.data() + ms.size()) return {};
  return from_millis(value);
}

result<side> side_of(const dom::element& object, const char* key) {
  const auto word = text_or_empty(object, key);
  if (word == "BUY" || word == "Buy" || word == "buy") return side::buy;
  if (word == "SELL" || word == "Sell" || word == "sell") return side::sell;
  return {order_errc::bad_value, "side '" + word + "'"};
}

result<const instrument_spec*> spec_in(const dom::element& object, const char* key,
                                       const order_context& context) {
  auto symbol = text_of(object, key);
  if (!symbol) return std::move(symbol).error();
  const auto* spec = context.find(*symbol);
  if (spec == nullptr) return {order_errc::unknown_symbol, "symbol '" + *symbol + "'"};
  return spec;
}

result<asset_balance> read_balance(const dom::element& row, const char* asset, const char* free,
                                   const char* locked) {
  asset_balance out;
  out.scale = money_scale;
  auto name = text_of(row, asset);
  if (!name) return std::move(name).error();
  out.asset = std::move(*name);
  const auto free_raw = decimal_of(row, free, money_scale);
  if (!free_raw) return free_raw.error();
  const auto locked_raw = decimal_of(row, locked, money_scale);
  if (!locked_raw) return locked_raw.error();
  out.free_raw = *free_raw;
  out.locked_raw = *locked_raw;
  return out;
}

result<account_state> read_spot_account(const dom::element& root) {
  dom::array rows;
  if (root["balances"].get(rows) != simdjson::SUCCESS) return {order_errc::missing_field, "balances"};
  account_state out;
  for (const auto row : rows) {
    auto each = read_balance(row, "asset", "free", "locked");
    if (!each) return std::move(each).error();
    out.balances.push_back(std::move(*each));
  }
  out.updated = from_millis(integer_of(root, "updateTime"));
  out.can_trade = flag_or(root, "canTrade", true);
  if (bool withdraw = false; root["canWithdraw"].get(withdraw) == simdjson::SUCCESS) out.can_withdraw = withdraw;
  return out;
}

result<market_time> read_spot_time(const dom::element& root) {
  const auto ms = integer_of(root, "serverTime");
  if (!ms || *ms <= 0) return {order_errc::missing_field, "serverTime"};
  return from_millis(ms);
}

std::optional<venue_error> refusal_in(std::string_view body, const char* code, const char* words) {
  if (body.size() > 65'536) return std::nullopt;
  dom::parser parser;
  dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  const auto number = integer_of(root, code);
  if (!number || *number == 0 || *number < INT32_MIN || *number > INT32_MAX) return std::nullopt;
  return venue_error{static_cast<std::int32_t>(*number), text_or_empty(root, words)};
}

} // namespace troupe::order_reading
