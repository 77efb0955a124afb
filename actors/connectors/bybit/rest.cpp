#include "actors/connectors/bybit/rest.hpp"

#include "actors/connectors/bybit/protocol.hpp"
#include "actors/connectors/candle_rows.hpp"
#include "actors/connectors/dom_reading.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace troupe::bybit {
namespace {

using namespace dom_reading;
using namespace std::chrono_literals;

/// The list within {"retCode":0,"retMsg":"OK","result":{…,"list":[…]}}.
status read_list(dom::parser& parser, std::string_view body, dom::object& result_of,
                 dom::array& list) {
  dom::element root;
  dom::object object;
  if (!parse(parser, body, root) || root.get(object) != simdjson::SUCCESS)
    return {rest_errc::bad_body, "bybit's answer is no JSON object"};
  if (number_at(object, "retCode") != 0)
    return {rest_errc::refused, "bybit says "
                                    + std::to_string(number_at(object, "retCode").value_or(-1))
                                    + ": " + std::string{text_at(object, "retMsg")}};
  if (!object_at(object, "result", result_of) || !array_at(result_of, "list", list))
    return {rest_errc::bad_body, "bybit's answer holds no list"};
  return ok;
}

/// "-PERP", "-270326" for a contract that ends, "" for spot.
std::optional<std::string> suffix_of(const dom::object& row) {
  const auto type = text_at(row, "contractType");
  if (type.empty()) return "";
  if (type.ends_with("Perpetual")) return "-PERP";
  const auto text = text_at(row, "deliveryTime");
  std::int64_t ms = 0;
  std::from_chars(text.data(), text.data() + text.size(), ms);
  if (!type.ends_with("Futures") || ms <= 0 || ms > 7'258'118'400'000) return {};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>{1ms * ms})};
  const auto number = static_cast<unsigned>(static_cast<int>(day.year()) % 100) * 10000
                      + static_cast<unsigned>(day.month()) * 100 + static_cast<unsigned>(day.day());
  auto digits = std::to_string(number);
  return "-" + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

/// Spot writes basePrecision and minOrderAmt where contracts write qtyStep and minNotionalValue.
rule_texts rules_of(const dom::object& row) {
  dom::object prices;
  dom::object sizes;
  rule_texts out{.tick = {}, .lot = {}, .min_size = {}, .max_size = {}, .min_notional = {}};
  if (!object_at(row, "priceFilter", prices) || !object_at(row, "lotSizeFilter", sizes)) return out;
  const auto first_of = [&](std::string_view a, std::string_view b) {
    const auto found = text_at(sizes, a);
    return found.empty() ? text_at(sizes, b) : found;
  };
  out.tick = text_at(prices, "tickSize");
  out.lot = first_of("qtyStep", "basePrecision");
  out.min_size = text_at(sizes, "minOrderQty");
  out.max_size = first_of("maxLimitOrderQty", "maxOrderQty");
  out.min_notional = first_of("minNotionalValue", "minOrderAmt");
  return out;
}

std::optional<instrument_spec> read_instrument(const dom::object& row, market_time now) {
  if (text_at(row, "status") != "Trading") return {};
  const auto suffix = suffix_of(row);
  const auto texts = rules_of(row);
  if (!suffix || texts.tick.empty() || texts.lot.empty() || texts.min_size.empty()) return {};
  const auto id =
      instrument_of(text_at(row, "baseCoin"), text_at(row, "quoteCoin"), *suffix, "bybit");
  const auto symbol = text_at(row, "symbol");
  if (!id || symbol.empty()) return {};
  instrument_spec out;
  out.id = *id;
  out.venue_symbol = std::string{symbol};
  const bool inverse = text_at(row, "contractType").starts_with("Inverse");
  if (!suffix->empty()) out.kind = inverse ? contract_kind::inverse : contract_kind::linear;
  out.valid_from = now;
  const auto prices = decimal_places(texts.tick);
  const auto sizes = decimal_places(texts.lot);
  out.price_scale = static_cast<std::uint8_t>(std::clamp(prices, 0, 12));
  const int roomy = suffix->empty() ? roomy_size_scale(sizes, prices) : sizes;
  out.size_scale = static_cast<std::uint8_t>(std::clamp(roomy, 0, 12));
  if (!set_rules(texts, out)) return {};
  return out;
}

constexpr std::array intervals{
    interval_name{1min, "1"},   interval_name{3min, "3"},   interval_name{5min, "5"},
    interval_name{15min, "15"}, interval_name{30min, "30"}, interval_name{1h, "60"},
    interval_name{2h, "120"},   interval_name{4h, "240"},   interval_name{6h, "360"},
    interval_name{12h, "720"},  interval_name{24h, "D"}};

constexpr std::uint32_t page_rows = 1000;

/// [start, open, high, low, close, volume, turnover], all texts. An inverse contract's volume is in
/// USD, as its sizes are.
constexpr candle_columns columns;

} // namespace

std::vector<rest_call> instrument_calls() {
  std::vector<rest_call> out;
  for (const auto kind : {contract_kind::spot, contract_kind::linear, contract_kind::inverse}) {
    auto& call = out.emplace_back();
    call.target =
        "/v5/market/instruments-info?category=" + std::string{category_of(kind)} + "&limit=1000";
  }
  return out;
}

rest_call more_instruments(const rest_call& asked, std::string_view body) {
  dom::parser parser;
  dom::object result_of;
  dom::array list;
  if (!read_list(parser, body, result_of, list)) return {};
  const auto cursor = text_at(result_of, "nextPageCursor");
  if (cursor.empty()) return {};
  rest_call out;
  out.target = asked.target.substr(0, asked.target.find("&cursor=")) + "&cursor=";
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : cursor) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-'
                       || c == '.' || c == '_' || c == '~';
    if (plain) out.target += c;
    else out.target.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  // The same cursor again would go on for ever.
  if (out.target == asked.target) return {};
  return out;
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  dom::parser parser;
  dom::object result_of;
  dom::array list;
  if (auto read = read_list(parser, body, result_of, list); !read) return std::move(read).error();
  std::vector<instrument_spec> out;
  for (const auto each : list) {
    dom::object row;
    if (each.get(row) != simdjson::SUCCESS) continue;
    if (auto spec = read_instrument(row, now)) out.push_back(std::move(*spec));
  }
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  const auto name = name_of_interval(intervals, interval);
  if (name.empty() || to.ns <= from.ns) return {};
  rest_call out;
  out.target = "/v5/market/kline?category=" + std::string{category_of(instrument.kind)}
               + "&symbol=" + instrument.venue_symbol + "&interval=" + std::string{name} + "&start="
               + milliseconds_text(from) + "&end=" + milliseconds_text({to.ns - 1'000'000})
               + "&limit=" + std::to_string(page_rows);
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  dom::parser parser;
  dom::object result_of;
  dom::array list;
  if (auto read = read_list(parser, body, result_of, list); !read) return std::move(read).error();
  std::vector<bar> rows;
  for (const auto each : list) {
    auto read = candle_of(texts_of<6>(each), instrument, columns);
    if (!read) return {rest_errc::bad_body, "a candle of " + instrument.id.text + " can't be read"};
    rows.push_back(std::move(read->candle));
  }
  return page_of(std::move(rows), interval);
}

} // namespace troupe::bybit
