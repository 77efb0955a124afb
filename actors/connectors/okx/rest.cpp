#include "actors/connectors/okx/rest.hpp"

#include "actors/connectors/candle_rows.hpp"
#include "actors/connectors/dom_reading.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace troupe::okx {
namespace {

using namespace dom_reading;
using namespace std::chrono_literals;

/// The rows within {"code":"0","msg":"","data":[…]}.
status read_data(dom::parser& parser, std::string_view body, dom::array& rows) {
  dom::element root;
  dom::object object;
  if (!parse(parser, body, root) || root.get(object) != simdjson::SUCCESS)
    return {rest_errc::bad_body, "okx's answer is no JSON object"};
  const auto code = text_at(object, "code");
  if (code != "0")
    return {rest_errc::refused,
            "okx says " + std::string{code} + ": " + std::string{text_at(object, "msg")}};
  if (!array_at(object, "data", rows)) return {rest_errc::bad_body, "okx's answer holds no data"};
  return ok;
}

std::optional<instrument_spec> read_instrument(const dom::object& row, market_time now) {
  if (text_at(row, "instType") != "SPOT" || text_at(row, "state") != "live") return {};
  const rule_texts texts{.tick = text_at(row, "tickSz"),
                         .lot = text_at(row, "lotSz"),
                         .min_size = text_at(row, "minSz"),
                         .max_size = text_at(row, "maxLmtSz"),
                         .min_notional = {}};
  const auto id = instrument_of(text_at(row, "baseCcy"), text_at(row, "quoteCcy"), "", "okx");
  if (!id || texts.tick.empty() || texts.lot.empty() || texts.min_size.empty()) return {};
  instrument_spec out;
  out.id = *id;
  out.venue_symbol = std::string{text_at(row, "instId")};
  out.valid_from = now;
  out.price_scale = static_cast<std::uint8_t>(std::clamp(decimal_places(texts.tick), 0, 12));
  out.size_scale = static_cast<std::uint8_t>(std::clamp(decimal_places(texts.lot), 0, 12));
  if (out.venue_symbol.empty() || !set_rules(texts, out)) return {};
  return out;
}

constexpr std::array intervals{
    interval_name{1s, "1s"},    interval_name{1min, "1m"},    interval_name{3min, "3m"},
    interval_name{5min, "5m"},  interval_name{15min, "15m"},  interval_name{30min, "30m"},
    interval_name{1h, "1H"},    interval_name{2h, "2H"},      interval_name{4h, "4H"},
    interval_name{6h, "6Hutc"}, interval_name{12h, "12Hutc"}, interval_name{24h, "1Dutc"}};

/// The most rows of a page of history-candles.
constexpr std::uint32_t page_rows = 300;

/// [ts, open, high, low, close, volume, volume in currency, volume in quote currency, confirm]
constexpr candle_columns columns{.complete = 8, .complete_word = "1"};

} // namespace

std::vector<rest_call> instrument_calls() {
  std::vector<rest_call> out(1);
  out[0].target = "/api/v5/public/instruments?instType=SPOT";
  return out;
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  dom::parser parser;
  dom::array rows;
  if (auto read = read_data(parser, body, rows); !read) return std::move(read).error();
  std::vector<instrument_spec> out;
  for (const auto each : rows) {
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
  out.target = "/api/v5/market/history-candles?instId=" + instrument.venue_symbol
               + "&bar=" + std::string{name} + "&after=" + milliseconds_text(to) + "&before="
               + milliseconds_text({from.ns - 1'000'000}) + "&limit=" + std::to_string(page_rows);
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  dom::parser parser;
  dom::array rows;
  if (auto read = read_data(parser, body, rows); !read) return std::move(read).error();
  std::vector<candle_row> candles;
  for (const auto each : rows) {
    auto read = candle_of(texts_of<9>(each), instrument, columns);
    if (!read) return {rest_errc::bad_body, "a candle of " + instrument.id.text + " can't be read"};
    candles.push_back(std::move(*read));
  }
  return page_of(std::move(candles), interval);
}

} // namespace troupe::okx
