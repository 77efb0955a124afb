#include "actors/connectors/coinbase/rest.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/rest_reading.hpp"

namespace troupe::coinbase {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t largest_body = 32 << 20;
constexpr int most_scale = 12; ///< decimals of a price or size we keep

constexpr interval_name intervals[] = {{1min, "ONE_MINUTE"},      {5min, "FIVE_MINUTE"},
                                       {15min, "FIFTEEN_MINUTE"}, {30min, "THIRTY_MINUTE"},
                                       {1h, "ONE_HOUR"},          {2h, "TWO_HOUR"},
                                       {6h, "SIX_HOUR"},          {24h, "ONE_DAY"}};

error bad_body(std::string_view what, frame_damage damage) {
  return {make_error_code(rest_errc::bad_body),
          "coinbase " + std::string{what} + ": " + std::string{name_of(damage)}};
}

std::string_view token_of(json_frame& in, json_object& from, std::string_view key) {
  json_value value;
  return in.find(from, key, value) ? in.token(value) : std::string_view{};
}

bool flag_of(json_frame& in, json_object& from, std::string_view key) {
  json_value value;
  return in.find(from, key, value) && in.flag(value);
}

/// One product of either interface.
void read_product(json_frame& in, json_object product, market_time now,
                  std::vector<instrument_spec>& out) {
  auto symbol = token_of(in, product, "product_id");
  if (symbol.empty()) symbol = token_of(in, product, "id");
  const auto type = token_of(in, product, "product_type");
  const auto state = token_of(in, product, "status");
  const bool off = flag_of(in, product, "is_disabled") || flag_of(in, product, "view_only");
  const auto alias = token_of(in, product, "alias");
  auto tick = token_of(in, product, "price_increment");
  if (tick.empty()) tick = token_of(in, product, "quote_increment");
  const auto lot = token_of(in, product, "base_increment");
  const auto least = token_of(in, product, "base_min_size");
  const auto most = token_of(in, product, "base_max_size");
  auto worth = token_of(in, product, "quote_min_size");
  if (worth.empty()) worth = token_of(in, product, "min_market_funds");
  if (!in.fine()) return;
  const auto dash = symbol.find('-');
  if (dash == std::string_view::npos || (!type.empty() && type != "SPOT")) return;
  if ((!state.empty() && state != "online") || off) return;
  if (!alias.empty() && alias != symbol) return;
  const auto id = instrument_of(symbol.substr(0, dash), symbol.substr(dash + 1), "", "coinbase");
  // The oldest answers have no base_increment; their sizes have up to eight decimals.
  const int price_scale = decimal_places(tick);
  const int size_scale = roomy_size_scale(lot.empty() ? 8 : decimal_places(lot), price_scale);
  if (!id || tick.empty() || price_scale > most_scale || size_scale > most_scale) return;
  instrument_spec spec;
  spec.id = *id;
  spec.venue_symbol = symbol;
  spec.price_scale = static_cast<std::uint8_t>(price_scale);
  spec.size_scale = static_cast<std::uint8_t>(size_scale);
  spec.valid_from = now;
  rule_texts texts;
  texts.tick = tick;
  texts.lot = lot.empty() ? "0.00000001"sv : lot;
  texts.min_size = least.empty() ? "0"sv : least;
  texts.max_size = most;
  texts.min_notional = worth;
  if (set_rules(texts, spec)) out.push_back(std::move(spec));
}

/// The venue's error of an answer; empty when there is none. {"message":"…"},
/// {"error":"…","message":"…"}
std::string refusal_of(json_frame& in, json_object& root) {
  return std::string{token_of(in, root, "message")};
}

} // namespace

std::vector<rest_call> instrument_calls() {
  return {{.target = "/api/v3/brokerage/market/products?product_type=SPOT", .body = {}}};
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  json_frame in;
  std::vector<instrument_spec> out;
  in.open(body, largest_body);
  const auto each_product = [&](json_value value) {
    const auto product = in.object(value);
    if (in.fine()) read_product(in, product, now, out);
  };
  if (in.is_array()) {
    in.each(in.array(), each_product);
  } else {
    auto root = in.object();
    json_value products;
    if (in.find(root, "products", products))
      in.each(in.array(products), each_product);
    else if (auto why = refusal_of(in, root); in.fine())
      return {rest_errc::refused, "coinbase products: " + why};
  }
  if (!in.fine()) return bad_body("products", in.damage());
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  rest_call out;
  const auto name = name_of_interval(intervals, interval);
  if (name.empty()) return out;
  // Both ends are inclusive, and a page of more than 350 candles is refused.
  const auto last = std::min(to, from + interval * 350) - 1s;
  out.target = "/api/v3/brokerage/market/products/" + instrument.venue_symbol
               + "/candles?start=" + seconds_text(from) + "&end=" + seconds_text(last)
               + "&granularity=" + std::string{name} + "&limit=350";
  return out;
}

namespace {

bar read_object_row(json_frame& in, json_object row, const instrument_spec& spec) {
  bar out;
  out.instrument = spec.id;
  out.open_time = in.time(row, "start", time_unit::s);
  out.low = in.price_of(row, "low");
  out.high = in.price_of(row, "high");
  out.open = in.price_of(row, "open");
  out.close = in.price_of(row, "close");
  const auto volume = parse_size(in.token(row, "volume"), spec.size_scale);
  if (in.fine() && !volume) in.fail(frame_damage::bad_number);
  out.volume = {volume.value_or(0)};
  return out;
}

/// [time, low, high, open, close, volume], bare numbers; volumes are sums of floating point.
bar read_array_row(json_frame& in, json_array row, const instrument_spec& spec) {
  bar out;
  out.instrument = spec.id;
  int column = 0;
  in.each(row, [&](json_value cell) {
    switch (column++) {
    case 0:
      out.open_time = in.time(cell, time_unit::s);
      break;
    case 1:
      out.low = in.price_of(cell);
      break;
    case 2:
      out.high = in.price_of(cell);
      break;
    case 3:
      out.open = in.price_of(cell);
      break;
    case 4:
      out.close = in.price_of(cell);
      break;
    case 5: {
      const auto volume = parse_size(in.token(cell), spec.size_scale);
      if (in.fine() && !volume) in.fail(frame_damage::bad_number);
      out.volume = {volume.value_or(0)};
      break;
    }
    default:
      break;
    }
  });
  if (column < 6) in.fail(frame_damage::missing_field);
  return out;
}

} // namespace

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  std::vector<bar> rows;
  in.open(body, largest_body);
  if (in.is_array()) {
    in.each(in.array(),
            [&](json_value row) { rows.push_back(read_array_row(in, in.array(row), instrument)); });
  } else {
    auto root = in.object();
    json_value candles;
    if (in.find(root, "candles", candles))
      in.each(in.array(candles), [&](json_value row) {
        const auto object = in.object(row);
        if (in.fine()) rows.push_back(read_object_row(in, object, instrument));
      });
    else if (auto why = refusal_of(in, root); in.fine())
      return {rest_errc::refused, "coinbase candles of " + instrument.venue_symbol + ": " + why};
  }
  if (!in.fine()) return bad_body("candles", in.damage());
  return page_of(std::move(rows), interval);
}

} // namespace troupe::coinbase
