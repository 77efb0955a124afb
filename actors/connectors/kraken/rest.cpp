#include "actors/connectors/kraken/rest.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/kraken/symbols.hpp"
#include "actors/connectors/candle_rows.hpp"

namespace troupe::kraken {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t largest_body = 32 << 20;
constexpr int most_scale = 12; ///< decimals of a price or size we keep

constexpr interval_name intervals[] = {{1min, "1"}, {5min, "5"}, {15min, "15"}, {30min, "30"},
                                       {1h, "60"},  {4h, "240"}, {24h, "1440"}};

/// What both ways say of a pair.
struct pair_rules {
  std::string pair; ///< v2 spelling
  int price_scale = 0;
  int size_scale = 0;
  std::string_view tick, lot, least, worth, state;
};

void add_pair(const pair_rules& rules, market_time now, std::vector<instrument_spec>& out) {
  const auto parts = split_pair(rules.pair);
  const auto id = instrument_of(parts.base, parts.quote, "", "kraken");
  if (!id || (!rules.state.empty() && rules.state != "online")) return;
  if (rules.price_scale > most_scale || rules.size_scale > most_scale) return;
  instrument_spec spec;
  spec.id = *id;
  spec.venue_symbol = rules.pair;
  spec.price_scale = static_cast<std::uint8_t>(rules.price_scale);
  spec.size_scale = static_cast<std::uint8_t>(rules.size_scale);
  spec.valid_from = now;
  const auto tick = unit_of(rules.price_scale);
  const auto lot = unit_of(rules.size_scale);
  rule_texts texts;
  texts.tick = rules.tick.empty() ? std::string_view{tick} : rules.tick;
  texts.lot = rules.lot.empty() ? std::string_view{lot} : rules.lot;
  texts.min_size = rules.least.empty() ? std::string_view{"0"} : rules.least;
  texts.min_notional = rules.worth;
  if (set_rules(texts, spec)) out.push_back(std::move(spec));
}

/// Small numbers of decimals; -1 where there is none.
int scale_of(json_frame& in, json_object& from, std::string_view key) {
  json_value value;
  if (!in.find(from, key, value)) return -1;
  const auto count = in.id(value);
  return count <= 100 ? static_cast<int>(count) : -1;
}

std::string_view token_of(json_frame& in, json_object& from, std::string_view key) {
  json_value value;
  return in.find(from, key, value) ? in.token(value) : std::string_view{};
}

void read_pair(json_frame& in, json_object pair, market_time now,
               std::vector<instrument_spec>& out) {
  json_value value;
  pair_rules rules;
  if (!in.find(pair, "wsname", value)) return; // dark pools have none
  rules.pair = pair_of_v2(in.text(value));
  rules.price_scale = scale_of(in, pair, "pair_decimals");
  rules.size_scale = scale_of(in, pair, "lot_decimals");
  rules.least = token_of(in, pair, "ordermin");
  rules.worth = token_of(in, pair, "costmin");
  rules.tick = token_of(in, pair, "tick_size");
  rules.state = token_of(in, pair, "status");
  if (in.fine() && rules.price_scale >= 0 && rules.size_scale >= 0) add_pair(rules, now, out);
}

void read_channel_pair(json_frame& in, json_object pair, market_time now,
                       std::vector<instrument_spec>& out) {
  pair_rules rules;
  rules.pair = in.text(pair, "symbol");
  rules.state = token_of(in, pair, "status");
  rules.size_scale = scale_of(in, pair, "qty_precision");
  rules.lot = token_of(in, pair, "qty_increment");
  rules.price_scale = scale_of(in, pair, "price_precision");
  rules.tick = token_of(in, pair, "price_increment");
  rules.worth = token_of(in, pair, "cost_min");
  rules.least = token_of(in, pair, "qty_min");
  if (in.fine() && rules.price_scale >= 0 && rules.size_scale >= 0) add_pair(rules, now, out);
}

/// The first of the venue's errors; empty when there is none.
std::string refusal_of(json_frame& in, json_object& root) {
  json_value value;
  std::string out;
  if (!in.find(root, "error", value)) return out;
  in.each(in.array(value), [&](json_value text) {
    const auto words = in.text(text);
    if (out.empty()) out = words;
  });
  return out;
}

error bad_body(std::string_view what, frame_damage damage) {
  return {make_error_code(rest_errc::bad_body),
          "kraken " + std::string{what} + ": " + std::string{name_of(damage)}};
}

/// [time, open, high, low, close, vwap, volume, count]
constexpr candle_columns columns{.unit = time_unit::s, .volume = 6, .trades = 7};

} // namespace

std::vector<rest_call> instrument_calls() {
  return {{.target = "/0/public/AssetPairs", .body = {}}};
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  json_frame in;
  std::vector<instrument_spec> out;
  in.open(body, largest_body);
  auto root = in.object();
  json_value value;
  const bool channel = in.find(root, "channel", value);
  if (!channel) {
    if (auto why = refusal_of(in, root); in.fine() && !why.empty())
      return {rest_errc::refused, "kraken AssetPairs: " + why};
    in.each_member(in.object(root, "result"), [&](std::string_view, json_value pair) {
      const auto object = in.object(pair);
      if (in.fine()) read_pair(in, object, now, out);
    });
  } else {
    auto data = in.object(root, "data");
    if (in.fine())
      in.each(in.array(data, "pairs"), [&](json_value pair) {
        const auto object = in.object(pair);
        if (in.fine()) read_channel_pair(in, object, now, out);
      });
  }
  if (!in.fine()) return bad_body("AssetPairs", in.damage());
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time) {
  rest_call out;
  const auto name = name_of_interval(intervals, interval);
  const auto pair = pair_of_rest(instrument.venue_symbol);
  if (name.empty() || pair.empty()) return out;
  // `since` itself is left out by the venue.
  out.target = "/0/public/OHLC?pair=" + pair + "&interval=" + std::string{name}
               + "&since=" + seconds_text(from - 1s);
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  std::vector<bar> rows;
  in.open(body, largest_body);
  auto root = in.object();
  if (auto why = refusal_of(in, root); in.fine() && !why.empty())
    return {rest_errc::refused, "kraken OHLC of " + instrument.venue_symbol + ": " + why};
  // One member holds the rows, named after the pair in REST's own spelling; `last` is a number.
  in.each_member(in.object(root, "result"), [&](std::string_view key, json_value value) {
    if (key == "last") return;
    in.each(in.array(value),
            [&](json_value row) { rows.push_back(candle_of(in, in.array(row), instrument, columns)); });
  });
  if (!in.fine()) return bad_body("OHLC", in.damage());
  return page_of(std::move(rows), interval);
}

} // namespace troupe::kraken
