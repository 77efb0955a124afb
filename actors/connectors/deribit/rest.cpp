#include "actors/connectors/deribit/rest.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace troupe::deribit {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest_body = 48 << 20;

/// What one instrument's object says; numbers as text.
struct instrument_texts {
  std::string_view name, kind, type, base, quote, counter, period;
  std::string_view tick, block_tick, least;
  market_time expires;
  bool active = true;
};

instrument_texts read_texts(json_frame& in, json_object object) {
  instrument_texts out;
  in.each_member(object, [&](std::string_view key, json_value value) {
    if (value.raw_json_token()[0] == 'n') return;
    if (key == "instrument_name")
      out.name = in.text(value);
    else if (key == "kind")
      out.kind = in.text(value);
    else if (key == "instrument_type")
      out.type = in.text(value);
    else if (key == "base_currency")
      out.base = in.text(value);
    else if (key == "quote_currency")
      out.quote = in.text(value);
    else if (key == "counter_currency")
      out.counter = in.text(value);
    else if (key == "settlement_period")
      out.period = in.text(value);
    else if (key == "tick_size")
      out.tick = in.token(value);
    else if (key == "block_trade_tick_size")
      out.block_tick = in.token(value);
    else if (key == "min_trade_amount")
      out.least = in.token(value);
    else if (key == "is_active")
      out.active = in.flag(value);
    else if (key == "expiration_timestamp"
             && !parse_time(in.token(value), time_unit::ms, out.expires))
      out.expires = {}; // a perpetual's end is in the year 3000, beyond any time of ours
  });
  return out;
}

/// "-241227" for the day on which a contract ends.
std::string day_suffix(market_time at) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<nanoseconds>{nanoseconds{at.ns}})};
  const auto two = [](unsigned n) {
    return std::string{static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)};
  };
  return "-" + two(static_cast<unsigned>(static_cast<int>(day.year()) % 100))
         + two(static_cast<unsigned>(day.month())) + two(static_cast<unsigned>(day.day()));
}

/// What stands behind base and quote in our id; nothing for what is left out.
std::optional<std::string> suffix_of(const instrument_texts& t) {
  if (t.kind == "spot") return "";
  if (t.kind == "future" && t.period == "perpetual") return "-PERP";
  if ((t.kind != "future" && t.kind != "option") || t.expires.ns == 0) return {};
  if (t.kind == "future") return day_suffix(t.expires);
  // BTC-27DEC24-100000-C: strike and right are the last two parts.
  const auto right = t.name.rfind('-');
  if (right == std::string_view::npos || right == 0) return {};
  const auto strike = t.name.rfind('-', right - 1);
  if (strike == std::string_view::npos) return {};
  return day_suffix(t.expires) + std::string{t.name.substr(strike)};
}

std::optional<instrument_spec> make_instrument(const instrument_texts& t, market_time now) {
  const auto suffix = suffix_of(t);
  if (!suffix || !t.active || t.tick.empty() || t.least.empty() || t.name.empty()) return {};
  const auto quote = t.kind == "option" && !t.counter.empty() ? t.counter : t.quote;
  const auto id = instrument_of(t.base, quote, *suffix, "deribit");
  if (!id) return {};
  instrument_spec out;
  out.id = *id;
  out.venue_symbol = std::string{t.name};
  if (t.kind == "future")
    out.kind = t.type == "reversed" ? contract_kind::inverse : contract_kind::linear;
  if (t.kind == "option") out.kind = contract_kind::linear;
  out.valid_from = now;
  // Block trades, which come among the trades, have finer prices than the book.
  const auto decimals =
      std::max(decimal_places(t.tick), t.block_tick.empty() ? 0 : decimal_places(t.block_tick));
  out.price_scale = static_cast<std::uint8_t>(std::clamp(decimals, 0, 12));
  out.size_scale = static_cast<std::uint8_t>(std::clamp(decimal_places(t.least), 0, 12));
  const rule_texts texts{
      .tick = t.tick, .lot = t.least, .min_size = t.least, .max_size = {}, .min_notional = {}};
  if (!set_rules(texts, out)) return {};
  return out;
}

/// The member `result` of an answer; an error where the venue sends one.
result<json_value> open_result(json_frame& in, std::string_view body, json_object& root) {
  if (!in.open(body, largest_body) || !in.is_object())
    return {rest_errc::bad_body, "deribit's answer is no JSON object"};
  root = in.object();
  json_value found;
  if (in.find(root, "error", found)) {
    auto failure = in.object(found);
    const auto text = in.text(failure, "message");
    return {rest_errc::refused, "deribit says: " + std::string{text}};
  }
  if (!in.find(root, "result", found))
    return {rest_errc::bad_body, "deribit's answer holds no result"};
  return found;
}

constexpr std::array intervals{
    interval_name{1min, "1"},   interval_name{3min, "3"},   interval_name{5min, "5"},
    interval_name{10min, "10"}, interval_name{15min, "15"}, interval_name{30min, "30"},
    interval_name{1h, "60"},    interval_name{2h, "120"},   interval_name{3h, "180"},
    interval_name{6h, "360"},   interval_name{12h, "720"},  interval_name{24h, "1D"}};

/// One column into the bars, growing them where it is the first.
template <class Put>
void read_column(json_frame& in, json_value column, std::vector<bar>& bars, std::size_t& rows,
                 Put put) {
  std::size_t i = 0;
  in.each(in.array(column), [&](json_value cell) {
    if (i == bars.size()) bars.emplace_back();
    put(bars[i++], cell);
  });
  if (rows != SIZE_MAX && rows != i) in.fail(frame_damage::wrong_type);
  rows = i;
}

} // namespace

std::vector<rest_call> instrument_calls() {
  std::vector<rest_call> out;
  for (const std::string kind : {"future", "spot", "option"}) {
    auto& call = out.emplace_back();
    call.target = "/api/v2/public/get_instruments?currency=any&kind=" + kind + "&expired=false";
    call.weight = 10; // one a second
  }
  return out;
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  json_frame in;
  json_object root;
  auto list = open_result(in, body, root);
  if (!list) return std::move(list).error();
  std::vector<instrument_spec> out;
  in.each(in.array(*list), [&](json_value row) {
    const auto texts = read_texts(in, in.object(row));
    if (!in.fine()) return;
    if (auto spec = make_instrument(texts, now)) out.push_back(std::move(*spec));
  });
  if (!in.fine())
    return {rest_errc::bad_body, "deribit's instruments: " + std::string{name_of(in.damage())}};
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  const auto name = name_of_interval(intervals, interval);
  if (name.empty() || to.ns <= from.ns) return {};
  rest_call out;
  out.target = "/api/v2/public/get_tradingview_chart_data?instrument_name="
               + instrument.venue_symbol + "&start_timestamp=" + milliseconds_text(from)
               + "&end_timestamp=" + milliseconds_text({to.ns - 1'000'000})
               + "&resolution=" + std::string{name};
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  in.round_sizes();
  json_object root;
  auto columns = open_result(in, body, root);
  if (!columns) return std::move(columns).error();
  std::vector<bar> bars;
  std::size_t rows = SIZE_MAX;
  // The volume of an inverse contract is in coins; `cost` is in USD, as its sizes are.
  const std::string_view volume = instrument.kind == contract_kind::inverse ? "cost" : "volume";
  in.each_member(in.object(*columns), [&](std::string_view key, json_value column) {
    const auto read = [&](auto put) { read_column(in, column, bars, rows, put); };
    if (key == "ticks")
      read([&](bar& b, json_value v) { b.open_time = in.time(v, time_unit::ms); });
    else if (key == "open")
      read([&](bar& b, json_value v) { b.open = in.price_of(v); });
    else if (key == "high")
      read([&](bar& b, json_value v) { b.high = in.price_of(v); });
    else if (key == "low")
      read([&](bar& b, json_value v) { b.low = in.price_of(v); });
    else if (key == "close")
      read([&](bar& b, json_value v) { b.close = in.price_of(v); });
    else if (key == volume)
      read([&](bar& b, json_value v) { b.volume = in.size_of(v); });
  });
  in.finish();
  if (!in.fine())
    return {rest_errc::bad_body,
            "candles of " + instrument.id.text + ": " + std::string{name_of(in.damage())}};
  for (auto& b : bars)
    b.instrument = instrument.id;
  return page_of(std::move(bars), interval);
}

} // namespace troupe::deribit
