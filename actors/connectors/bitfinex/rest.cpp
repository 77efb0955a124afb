#include "actors/connectors/bitfinex/rest.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/candle_rows.hpp"

#include <algorithm>

namespace troupe::bitfinex {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using simdjson::ondemand::json_type;

namespace {

constexpr std::size_t largest_body = 32 << 20;
constexpr int scale = 8;

constexpr interval_name intervals[] = {{1min, "1m"},   {5min, "5m"}, {15min, "15m"},
                                       {30min, "30m"}, {1h, "1h"},   {3h, "3h"},
                                       {6h, "6h"},     {12h, "12h"}, {24h, "1D"}};

struct renamed {
  std::string_view venue;
  std::string_view world;
};

constexpr renamed names[] = {{"UST", "USDT"},   {"UDC", "USDC"},  {"TSD", "TUSD"},  {"EUT", "EURT"},
                             {"EUS", "EURS"},   {"DSH", "DASH"},  {"IOT", "IOTA"},  {"QTM", "QTUM"},
                             {"ALG", "ALGO"},   {"ATO", "ATOM"},  {"MNA", "MANA"},  {"DAT", "DATA"},
                             {"AMP", "AMPL"},   {"STJ", "STORJ"}, {"YYW", "YOYOW"}, {"BCHN", "BCH"},
                             {"LUNA2", "LUNA"}, {"LUNA", "LUNC"}, {"XCH", "XCHF"}};

struct pair_name {
  std::string_view base;
  std::string_view quote; ///< empty: no pair
  bool perpetual = false;
};

/// "BTCUSD", "AVAX:USD", "BTCF0:USTF0"
pair_name split_pair(std::string_view pair) noexcept {
  const auto colon = pair.find(':');
  pair_name out;
  if (colon != std::string_view::npos)
    out = {pair.substr(0, colon), pair.substr(colon + 1)};
  else if (pair.size() == 6)
    out = {pair.substr(0, 3), pair.substr(3)};
  out.perpetual = out.base.ends_with("F0") && out.quote.ends_with("F0");
  if (out.perpetual) {
    out.base.remove_suffix(2);
    out.quote.remove_suffix(2);
  }
  return out;
}

/// The step of five significant digits; at least 1.
std::int64_t tick_of(std::int64_t price) noexcept {
  std::int64_t step = 1;
  for (; price >= 100'000; price /= 10)
    step *= 10;
  return step;
}

std::optional<instrument_spec> spec_of(std::string_view symbol, market_time now) {
  if (symbol.size() < 7 || symbol.front() != 't') return std::nullopt;
  const auto pair = split_pair(symbol.substr(1));
  const auto id = instrument_of(asset_of(pair.base), asset_of(pair.quote),
                                pair.perpetual ? "-PERP"sv : ""sv, "bitfinex");
  if (!id) return std::nullopt;
  instrument_spec out;
  out.id = *id;
  out.venue_symbol = symbol;
  out.kind = pair.perpetual ? contract_kind::linear : contract_kind::spot;
  out.price_scale = out.size_scale = scale;
  out.tick = {1};
  out.lot = {1};
  out.max_size = {INT64_MAX};
  out.valid_from = now;
  return out;
}

/// ["tBTCUSD", bid, bid size, ask, ask size, change, change %, last price, …]
void read_ticker(json_frame& in, json_array row, market_time now,
                 std::vector<instrument_spec>& out) {
  constexpr std::size_t last_price = 7;
  std::size_t column = 0;
  std::optional<instrument_spec> spec;
  std::int64_t price = 0;
  in.each(row, [&](json_value cell) {
    json_type type{};
    if (!in.taken(cell.type().get(type))) return;
    if (column == 0 && type == json_type::string) spec = spec_of(in.text(cell), now);
    const bool a_price = column == 1 || column == 3 || column == last_price;
    if (spec && a_price && type == json_type::number)
      price = std::max(price, parse_price(in.token(cell), scale).value_or(0));
    ++column;
  });
  if (!in.fine() || !spec || column <= last_price) return;
  spec->tick = {tick_of(price)};
  out.push_back(std::move(*spec));
}

/// [[["1INCH:USD",[null,null,null,"4.0","100000.0",…]],…]]: smallest and largest order
void read_pair_info(json_frame& in, json_array entry, market_time now,
                    std::vector<instrument_spec>& out) {
  std::optional<instrument_spec> spec;
  std::size_t place = 0;
  in.each(entry, [&](json_value part) {
    if (place++ == 0) {
      spec = spec_of(std::string{"t"} + std::string{in.text(part)}, now);
      return;
    }
    if (place != 2) return;
    std::size_t column = 0;
    in.each(in.array(part), [&](json_value cell) {
      json_type type{};
      if (!in.taken(cell.type().get(type))) return;
      const auto at = column++;
      if (!spec || type != json_type::string || (at != 3 && at != 4)) return;
      const auto found = parse_size(in.token(cell), scale);
      if (found && at == 3) spec->min_size = {*found};
      if (found && at == 4 && *found > 0) spec->max_size = {*found};
    });
  });
  if (in.fine() && spec) out.push_back(std::move(*spec));
}

error bad_body(std::string_view what, frame_damage damage) {
  return {make_error_code(rest_errc::bad_body),
          "bitfinex " + std::string{what} + ": " + std::string{name_of(damage)}};
}

/// ["error", 10020, "start: invalid"] → "start: invalid (10020)"
std::string refusal_of(std::string_view body) {
  json_frame in;
  std::string out;
  std::size_t place = 0;
  bool is_error = false;
  std::string_view code;
  if (!in.open(body, 4096) || !in.is_array()) return out;
  in.each(in.array(), [&](json_value value) {
    const auto at = place++;
    json_type type{};
    if (!in.taken(value.type().get(type))) return;
    if (at == 0)
      is_error = type == json_type::string && in.text(value) == "error";
    else if (is_error && at == 1 && type == json_type::number)
      code = in.token(value);
    else if (is_error && at == 2 && type == json_type::string)
      out = in.text(value);
  });
  if (!is_error) return {};
  return out + " (" + std::string{code} + ')';
}

/// [time, open, close, high, low, volume]
constexpr candle_columns columns{.high = 3, .low = 4, .close = 2};

} // namespace

std::string_view asset_of(std::string_view venue_name) noexcept {
  const auto found = std::ranges::find(names, venue_name, &renamed::venue);
  return found == std::end(names) ? venue_name : found->world;
}

std::vector<rest_call> instrument_calls() {
  return {{.target = "/v2/tickers?symbols=ALL", .body = {}}};
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  if (auto why = refusal_of(body); !why.empty())
    return {rest_errc::refused, "bitfinex tickers: " + why};
  json_frame in;
  std::vector<instrument_spec> out;
  in.open(body, largest_body);
  const auto is_text = [&](json_value value) {
    json_type type{};
    return in.taken(value.type().get(type)) && type == json_type::string;
  };
  // Tickers are rows that begin with a symbol; the configuration holds one array of such pairs.
  in.each(in.array(), [&](json_value element) {
    auto row = in.array(element);
    bool ticker = false;
    bool looked = false;
    in.each(row, [&](json_value first) {
      if (looked) return;
      looked = true;
      ticker = is_text(first);
    });
    if (!in.fine() || !in.taken(row.reset().error())) return;
    if (ticker) return read_ticker(in, row, now, out);
    in.each(row, [&](json_value pair) { read_pair_info(in, in.array(pair), now, out); });
  });
  if (!in.fine()) return bad_body("instruments", in.damage());
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  rest_call out;
  const auto name = name_of_interval(intervals, interval);
  if (name.empty()) return out;
  // Both ends are inclusive.
  out.target = "/v2/candles/trade:" + std::string{name} + ':' + instrument.venue_symbol
               + "/hist?start=" + milliseconds_text(from) + "&end=" + milliseconds_text(to - 1ms)
               + "&limit=10000&sort=1";
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  if (auto why = refusal_of(body); !why.empty())
    return {rest_errc::refused, "bitfinex candles of " + instrument.venue_symbol + ": " + why};
  json_frame in{instrument.price_scale, instrument.size_scale};
  std::vector<bar> rows;
  in.open(body, largest_body);
  in.each(in.array(),
          [&](json_value row) { rows.push_back(candle_of(in, in.array(row), instrument, columns)); });
  if (!in.fine()) return bad_body("candles", in.damage());
  return page_of(std::move(rows), interval);
}

} // namespace troupe::bitfinex
