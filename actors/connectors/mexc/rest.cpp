#include "actors/connectors/mexc/rest.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/candle_rows.hpp"

#include <algorithm>
#include <array>

namespace troupe::mexc {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t largest_body = 48 << 20;
constexpr int finest = 12; ///< decimals of a price or size that we keep

constexpr std::array intervals{interval_name{1min, "1m"},   interval_name{5min, "5m"},
                               interval_name{15min, "15m"}, interval_name{30min, "30m"},
                               interval_name{1h, "60m"},    interval_name{4h, "4h"},
                               interval_name{24h, "1d"}};

error bad_body(std::string_view what, std::string_view body) {
  return {make_error_code(rest_errc::bad_body),
          "mexc " + std::string{what} + " can't be read: " + std::string{body.substr(0, 120)}};
}

/// One member of the list of symbols; nothing where it can't be used.
void read_symbol(json_frame& in, json_object symbol, market_time now, std::vector<instrument_spec>& out) {
  instrument_spec spec;
  rule_texts texts;
  std::string_view base, quote, status;
  int price_decimals = -1;
  int size_decimals = -1;
  in.each_member(symbol, [&](std::string_view key, json_value value) {
    if (key == "symbol"sv) spec.venue_symbol = in.text(value);
    else if (key == "status"sv) status = in.token(value);
    else if (key == "baseAsset"sv) base = in.text(value);
    else if (key == "quoteAsset"sv) quote = in.text(value);
    else if (key == "quotePrecision"sv) price_decimals = static_cast<int>(in.integer(value));
    else if (key == "baseAssetPrecision"sv) size_decimals = static_cast<int>(in.integer(value));
    else if (key == "baseSizePrecision"sv) texts.min_size = in.token(value);
    else if (key == "quoteAmountPrecision"sv) texts.min_notional = in.token(value);
  });
  const auto id = instrument_of(base, quote, "", "mexc");
  const bool online = status == "1"sv || status == "ENABLED"sv; // older and newer spelling
  if (!in.fine() || !online || !id) return;
  if (price_decimals < 0 || price_decimals > finest || size_decimals < 0 || size_decimals > finest) return;
  spec.id = *id;
  spec.price_scale = static_cast<std::uint8_t>(price_decimals);
  spec.size_scale = static_cast<std::uint8_t>(size_decimals);
  spec.valid_from = now;
  const auto tick = unit_of(price_decimals);
  const auto lot = unit_of(size_decimals);
  texts.tick = tick;
  texts.lot = lot;
  if (set_rules(texts, spec)) out.push_back(std::move(spec));
}

/// [time, open, high, low, close, volume, …]
constexpr candle_columns columns;

} // namespace

rest_call image_call(const instrument_spec& instrument, int levels) {
  rest_call out;
  out.target = "/api/v3/depth?symbol=" + instrument.venue_symbol
               + "&limit=" + std::to_string(levels > 0 ? std::clamp(levels, 5, 5000) : 5000);
  return out;
}

std::vector<rest_call> instrument_calls() {
  rest_call out;
  out.target = "/api/v3/exchangeInfo";
  out.weight = 10;
  return {out};
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  json_frame in;
  std::vector<instrument_spec> out;
  if (!in.open(body, largest_body) || !in.is_object()) return bad_body("exchangeInfo", body);
  auto root = in.object();
  in.each(in.array(root, "symbols"),
          [&](json_value symbol) { read_symbol(in, in.object(symbol), now, out); });
  in.finish();
  if (!in.fine()) return bad_body("exchangeInfo", body);
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  rest_call out;
  const auto name = name_of_interval(intervals, interval);
  if (name.empty()) return out;
  // Both ends are inclusive at the venue.
  out.target = "/api/v3/klines?symbol=" + instrument.venue_symbol + "&interval=" + std::string{name}
               + "&startTime=" + milliseconds_text(from) + "&endTime=" + milliseconds_text(to - 1ms)
               + "&limit=1000";
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  in.round_sizes();
  if (!in.open(body, largest_body)) return bad_body("candles", body);
  if (!in.is_array())
    return {rest_errc::refused,
            "mexc gives no candles of " + instrument.venue_symbol + ": " + std::string{body.substr(0, 200)}};
  std::vector<bar> rows;
  in.each(in.array(), [&](json_value row) { rows.push_back(candle_of(in, in.array(row), instrument, columns)); });
  in.finish();
  if (!in.fine()) return bad_body("candles", body);
  return page_of(std::move(rows), interval);
}

} // namespace troupe::mexc
