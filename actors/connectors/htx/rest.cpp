#include "actors/connectors/htx/rest.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <array>

namespace troupe::htx {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t largest_body = 48 << 20;
constexpr int finest = 12; ///< decimals of a price or size that we keep

constexpr std::array intervals{interval_name{1min, "1min"},   interval_name{5min, "5min"},
                               interval_name{15min, "15min"}, interval_name{30min, "30min"},
                               interval_name{1h, "60min"},    interval_name{4h, "4hour"}};

error bad_body(std::string_view what, std::string_view body) {
  return {make_error_code(rest_errc::bad_body),
          "htx " + std::string{what} + " can't be read: " + std::string{body.substr(0, 120)}};
}

error refused(std::string_view what, std::string_view body) {
  return {make_error_code(rest_errc::refused),
          "htx refuses " + std::string{what} + ": " + std::string{body.substr(0, 200)}};
}

/// What the three lists of instruments say of one.
struct row_texts {
  std::string_view symbol, base, quote, state; // spot
  std::string_view contract, contract_size, tick;
  std::string_view least, most, notional;
  int price_decimals = -1;
  int size_decimals = -1;
  int contract_status = -1;
};

row_texts read_texts(json_frame& in, json_object row) {
  row_texts out;
  in.each_member(row, [&](std::string_view key, json_value value) {
    if (value.is_null()) return;
    if (key == "symbol"sv) out.symbol = in.text(value);
    else if (key == "bc"sv) out.base = in.text(value);
    else if (key == "qc"sv) out.quote = in.text(value);
    else if (key == "state"sv) out.state = in.text(value);
    else if (key == "pp"sv) out.price_decimals = static_cast<int>(in.integer(value));
    else if (key == "ap"sv) out.size_decimals = static_cast<int>(in.integer(value));
    else if (key == "minoa"sv) out.least = in.token(value);
    else if (key == "maxoa"sv) out.most = in.token(value);
    else if (key == "minov"sv) out.notional = in.token(value);
    else if (key == "contract_code"sv) out.contract = in.text(value);
    else if (key == "contract_size"sv) out.contract_size = in.token(value);
    else if (key == "price_tick"sv) out.tick = in.token(value);
    else if (key == "contract_status"sv) out.contract_status = static_cast<int>(in.integer(value));
  });
  return out;
}

void take_spot(const row_texts& row, market_time now, std::vector<instrument_spec>& out) {
  const auto id = instrument_of(row.base, row.quote, "", "htx");
  if (row.state != "online"sv || !id) return;
  if (row.price_decimals < 0 || row.price_decimals > finest) return;
  if (row.size_decimals < 0 || row.size_decimals > finest) return;
  instrument_spec spec;
  spec.id = *id;
  spec.venue_symbol = row.symbol;
  spec.price_scale = static_cast<std::uint8_t>(row.price_decimals);
  spec.size_scale = static_cast<std::uint8_t>(roomy_size_scale(row.size_decimals, row.price_decimals));
  spec.valid_from = now;
  const auto tick = unit_of(row.price_decimals);
  const auto lot = unit_of(row.size_decimals);
  rule_texts texts{.tick = tick, .lot = lot, .max_size = row.most, .min_notional = row.notional};
  if (!row.least.empty()) texts.min_size = row.least;
  if (set_rules(texts, spec)) out.push_back(std::move(spec));
}

void take_swap(const row_texts& row, market_time now, std::vector<instrument_spec>& out) {
  const auto dash = row.contract.find('-');
  if (dash == std::string_view::npos || row.contract_status != 1) return; // 1: listed
  const auto base = row.contract.substr(0, dash);
  const auto quote = row.contract.substr(dash + 1);
  const auto id = instrument_of(base, quote, "-PERP", "htx"); // dated futures have a third part
  const bool linear = quote == "USDT"sv;
  if (!id || (!linear && quote != "USD"sv)) return;
  const auto price_decimals = decimal_places(row.tick);
  const auto size_decimals = linear ? decimal_places(row.contract_size) : 0;
  if (price_decimals > finest || size_decimals > finest) return;
  instrument_spec spec;
  spec.id = *id;
  spec.venue_symbol = row.contract;
  spec.kind = linear ? contract_kind::linear : contract_kind::inverse;
  spec.price_scale = static_cast<std::uint8_t>(price_decimals);
  spec.size_scale = static_cast<std::uint8_t>(size_decimals);
  spec.valid_from = now;
  rule_texts texts;
  texts.tick = row.tick;
  if (linear) texts.lot = row.contract_size;
  texts.min_size = texts.lot;
  if (set_rules(texts, spec)) out.push_back(std::move(spec));
}

bar read_row(json_frame& in, const instrument_spec& instrument, json_object row) {
  bar out;
  out.instrument = instrument.id;
  const bool contracts = instrument.kind == contract_kind::inverse;
  in.each_member(row, [&](std::string_view key, json_value value) {
    if (key == "id"sv) out.open_time = in.time(value, time_unit::s);
    else if (key == "open"sv) out.open = in.price_of(value);
    else if (key == "close"sv) out.close = in.price_of(value);
    else if (key == "low"sv) out.low = in.price_of(value);
    else if (key == "high"sv) out.high = in.price_of(value);
    else if (key == "count"sv) out.trades = in.id(value);
    else if (key == (contracts ? "vol"sv : "amount"sv)) out.volume = in.size_of(value);
  });
  if (out.open_time.ns == 0 || out.open.raw == 0) in.fail(frame_damage::missing_field);
  return out;
}

rest_call get(std::string target) {
  rest_call out;
  out.target = std::move(target);
  return out;
}

} // namespace

std::vector<rest_call> instrument_calls() {
  return {get("/v1/settings/common/market-symbols"), get("/linear-swap-api/v1/swap_contract_info"),
          get("/swap-api/v1/swap_contract_info")};
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  json_frame in;
  json_value value;
  std::vector<instrument_spec> out;
  if (!in.open(body, largest_body) || !in.is_object()) return bad_body("instruments", body);
  auto root = in.object();
  if (in.find(root, "status", value) && in.text(value) != "ok"sv) return refused("its instruments", body);
  in.each(in.array(root, "data"), [&](json_value row) {
    const auto texts = read_texts(in, in.object(row));
    if (!in.fine()) return;
    if (texts.contract.empty()) take_spot(texts, now, out);
    else take_swap(texts, now, out);
  });
  in.finish();
  if (!in.fine()) return bad_body("instruments", body);
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  const auto name = name_of_interval(intervals, interval);
  if (name.empty()) return {};
  const auto period = "&period=" + std::string{name};
  if (instrument.kind == contract_kind::spot)
    return get("/market/history/kline?symbol=" + instrument.venue_symbol + period + "&size=2000");
  const auto* const path = instrument.kind == contract_kind::linear ? "/linear-swap-ex" : "/swap-ex";
  return get(path + std::string{"/market/history/kline?contract_code="} + instrument.venue_symbol + period
             + "&from=" + seconds_text(from) + "&to=" + seconds_text(to - 1s));
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  in.round_sizes();
  json_value value;
  if (!in.open(body, largest_body) || !in.is_object()) return bad_body("candles", body);
  auto root = in.object();
  if (in.find(root, "status", value) && in.text(value) != "ok"sv)
    return refused("candles of " + instrument.venue_symbol, body);
  std::vector<bar> rows;
  in.each(in.array(root, "data"),
          [&](json_value row) { rows.push_back(read_row(in, instrument, in.object(row))); });
  in.finish();
  if (!in.fine()) return bad_body("candles", body);
  return page_of(std::move(rows), interval);
}

} // namespace troupe::htx
