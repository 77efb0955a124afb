#include "actors/connectors/gate/rest.hpp"

#include "actors/connectors/candle_rows.hpp"
#include "actors/connectors/dom_reading.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace troupe::gate {
namespace {

using namespace dom_reading;
using namespace std::chrono_literals;

/// A list of rows; an object is an error, {"label":"INVALID_CURRENCY_PAIR","message":"…"}.
status read_rows(dom::parser& parser, std::string_view body, dom::array& rows) {
  dom::element root;
  dom::object object;
  if (!parse(parser, body, root)) return {rest_errc::bad_body, "gate's answer is no JSON"};
  if (root.get(rows) == simdjson::SUCCESS) return ok;
  if (root.get(object) != simdjson::SUCCESS)
    return {rest_errc::bad_body, "gate's answer is no list"};
  return {rest_errc::refused, "gate says " + std::string{text_at(object, "label")} + ": "
                                  + std::string{text_at(object, "message")}};
}

std::optional<instrument_spec> read_instrument(const dom::object& row, market_time now) {
  if (text_at(row, "trade_status") != "tradable") return {};
  const auto prices = number_at(row, "precision");
  const auto sizes = number_at(row, "amount_precision");
  if (!prices || !sizes || *prices < 0 || *prices > 12 || *sizes < 0 || *sizes > 12) return {};
  const auto id = instrument_of(text_at(row, "base"), text_at(row, "quote"), "", "gate");
  const auto symbol = text_at(row, "id");
  if (!id || symbol.empty()) return {};
  instrument_spec out;
  out.id = *id;
  out.venue_symbol = std::string{symbol};
  out.valid_from = now;
  out.price_scale = static_cast<std::uint8_t>(*prices);
  const auto roomy = roomy_size_scale(static_cast<int>(*sizes), out.price_scale);
  out.size_scale = static_cast<std::uint8_t>(std::clamp(roomy, 0, 12));
  const auto tick = unit_of(static_cast<int>(*prices));
  const auto lot = unit_of(static_cast<int>(*sizes));
  const auto least = text_at(row, "min_base_amount");
  const rule_texts texts{.tick = tick,
                         .lot = lot,
                         .min_size = least.empty() ? std::string_view{lot} : least,
                         .max_size = text_at(row, "max_base_amount"),
                         .min_notional = text_at(row, "min_quote_amount")};
  if (!set_rules(texts, out)) return {};
  return out;
}

constexpr std::array intervals{interval_name{1s, "1s"},     interval_name{10s, "10s"},
                               interval_name{1min, "1m"},   interval_name{5min, "5m"},
                               interval_name{15min, "15m"}, interval_name{30min, "30m"},
                               interval_name{1h, "1h"},     interval_name{4h, "4h"},
                               interval_name{8h, "8h"},     interval_name{24h, "1d"}};

/// [ts, quote volume, close, high, low, open, base volume, closed]
constexpr candle_columns columns{.unit = time_unit::s, .open = 5, .high = 3, .low = 4, .close = 2, .volume = 6,
                                 .complete = 7, .complete_word = "true"};

} // namespace

std::vector<rest_call> instrument_calls() {
  std::vector<rest_call> out(1);
  out[0].target = "/api/v4/spot/currency_pairs";
  return out;
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  dom::parser parser;
  dom::array rows;
  if (auto read = read_rows(parser, body, rows); !read) return std::move(read).error();
  std::vector<instrument_spec> out;
  for (const auto each : rows) {
    dom::object row;
    if (each.get(row) != simdjson::SUCCESS) continue;
    if (auto spec = read_instrument(row, now)) out.push_back(std::move(*spec));
  }
  return out;
}

rest_call image_call(const instrument_spec& instrument, int levels) {
  constexpr int most = 100;
  rest_call out;
  out.target = "/api/v4/spot/order_book?currency_pair=" + instrument.venue_symbol + "&limit="
               + std::to_string(levels > 0 ? std::min(levels, most) : most) + "&with_id=true";
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  const auto name = name_of_interval(intervals, interval);
  if (name.empty() || to.ns <= from.ns) return {};
  rest_call out;
  out.target = "/api/v4/spot/candlesticks?currency_pair=" + instrument.venue_symbol
               + "&interval=" + std::string{name} + "&from=" + seconds_text(from)
               + "&to=" + seconds_text({to.ns - 1'000'000'000});
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  dom::parser parser;
  dom::array rows;
  if (auto read = read_rows(parser, body, rows); !read) return std::move(read).error();
  std::vector<candle_row> candles;
  for (const auto each : rows) {
    auto read = candle_of(texts_of<8>(each), instrument, columns);
    if (!read) return {rest_errc::bad_body, "a candle of " + instrument.id.text + " can't be read"};
    candles.push_back(std::move(*read));
  }
  return page_of(std::move(candles), interval);
}

} // namespace troupe::gate
