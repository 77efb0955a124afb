#include "actors/connectors/binance/description.hpp"

#include "actors/connectors/binance/codec.hpp"
#include "actors/connectors/binance/past_trades.hpp"
#include "actors/connectors/binance/protocol.hpp"
#include "actors/connectors/dom_reading.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <algorithm>
#include <array>

namespace troupe::binance {
namespace {

using namespace dom_reading;

template <market_kind Kind>
constexpr bool is_spot = Kind == market_kind::spot;

constexpr std::string_view perpetual = "-PERP";

// --- books ----------------------------------------------------------------------------------------

constexpr book_rules spot_rules{
    .family = book_family::ranged, .rule = sequence_rule::spot, .image_in_band = false, .image_levels = 5000};
constexpr book_rules usdm_rules{
    .family = book_family::ranged, .rule = sequence_rule::futures, .image_in_band = false, .image_levels = 1000};

constexpr std::array spot_books{book_channel{"depth@100ms", spot_rules}, book_channel{"depth", spot_rules}};
constexpr std::array usdm_books{book_channel{"depth@100ms", usdm_rules}, book_channel{"depth@0ms", usdm_rules},
                                book_channel{"depth@500ms", usdm_rules}};

template <market_kind Kind>
std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  return plan_sockets(Kind, instruments, what);
}

template <market_kind Kind>
std::unique_ptr<market_protocol> protocol() {
  return make_protocol(Kind);
}

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<decoder>(decoder_options{instrument.price_scale, instrument.size_scale});
}

template <market_kind Kind>
rest_call image(const instrument_spec& instrument, int levels) {
  rest_call out;
  const int most = is_spot<Kind> ? 5000 : 1000;
  const int count = levels > 0 ? std::min(levels, most) : most;
  out.target = (is_spot<Kind> ? "/api/v3/depth?symbol=" : "/fapi/v1/depth?symbol=") + instrument.venue_symbol
               + "&limit=" + std::to_string(count);
  if (is_spot<Kind>) out.weight = count <= 100 ? 5 : count <= 500 ? 25 : count <= 1000 ? 50 : 250;
  else out.weight = count <= 50 ? 2 : count <= 100 ? 5 : count <= 500 ? 10 : 20;
  return out;
}

// --- instruments ----------------------------------------------------------------------------------

template <market_kind Kind>
std::vector<rest_call> instrument_calls() {
  if (is_spot<Kind>) return {{.target = "/api/v3/exchangeInfo", .body = {}, .weight = 20}};
  return {{.target = "/fapi/v1/exchangeInfo", .body = {}, .weight = 1}};
}

/// What the filters of a symbol say. MARKET_LOT_SIZE may hold a step of 0 and is left out: LOT_SIZE holds for
/// market orders too.
rule_texts rules_of(const dom::array& filters) {
  rule_texts out{.tick = {}, .lot = {}, .max_size = {}, .min_notional = {}};
  for (const auto each : filters) {
    dom::object filter;
    if (each.get(filter) != simdjson::SUCCESS) continue;
    const auto type = text_at(filter, "filterType");
    if (type == "PRICE_FILTER") out.tick = text_at(filter, "tickSize");
    if (type == "LOT_SIZE") {
      out.lot = text_at(filter, "stepSize");
      out.min_size = text_at(filter, "minQty");
      out.max_size = text_at(filter, "maxQty");
    }
    if (type == "NOTIONAL") out.min_notional = text_at(filter, "minNotional");
    if (type != "MIN_NOTIONAL") continue;
    out.min_notional = text_at(filter, "minNotional");
    if (out.min_notional.empty()) out.min_notional = text_at(filter, "notional");
  }
  return out;
}

template <market_kind Kind>
std::optional<instrument_spec> read_instrument(const dom::object& row, market_time now) {
  dom::array filters;
  if (text_at(row, "status") != "TRADING" || !array_at(row, "filters", filters)) return {};
  if (!is_spot<Kind> && text_at(row, "contractType") != "PERPETUAL") return {};
  const auto venue = is_spot<Kind> ? "binance" : "binance-usdm";
  const auto id = instrument_of(text_at(row, "baseAsset"), text_at(row, "quoteAsset"),
                                is_spot<Kind> ? std::string_view{} : perpetual, venue);
  const auto texts = rules_of(filters);
  // A tick of 0 switches the filter off: such an instrument has no grid of prices.
  if (!id || texts.tick.empty() || texts.lot.empty()) return {};
  instrument_spec out;
  out.id = *id;
  out.venue_symbol = std::string{text_at(row, "symbol")};
  out.kind = is_spot<Kind> ? contract_kind::spot : contract_kind::linear;
  out.valid_from = now;
  const int tick = decimal_places(texts.tick);
  const int lot = decimal_places(texts.lot);
  // Futures print more decimals than the tick has; spot sizes are kept as finely as balances are.
  const auto printed = is_spot<Kind> ? tick : static_cast<int>(number_at(row, "pricePrecision").value_or(tick));
  out.price_scale = static_cast<std::uint8_t>(std::clamp(std::max(tick, printed), 0, 12));
  const int roomy = is_spot<Kind> ? roomy_size_scale(lot, out.price_scale) : lot;
  out.size_scale = static_cast<std::uint8_t>(std::clamp(std::max(lot, roomy), 0, 12));
  if (!set_rules(texts, out) || out.tick.raw <= 0 || out.lot.raw <= 0) return {};
  return out;
}

template <market_kind Kind>
result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  dom::parser parser;
  dom::element root;
  dom::object object;
  dom::array symbols;
  if (!parse(parser, body, root) || root.get(object) != simdjson::SUCCESS)
    return {rest_errc::bad_body, "exchangeInfo is no JSON object"};
  if (!array_at(object, "symbols", symbols))
    return {rest_errc::refused, "exchangeInfo without symbols: " + std::string{body.substr(0, 200)}};
  std::vector<instrument_spec> out;
  for (const auto each : symbols) {
    dom::object row;
    if (each.get(row) != simdjson::SUCCESS) continue;
    if (auto spec = read_instrument<Kind>(row, now)) out.push_back(std::move(*spec));
  }
  return out;
}

// --- candles --------------------------------------------------------------------------------------

constexpr std::array intervals{
    interval_name{std::chrono::seconds{1}, "1s"}, interval_name{std::chrono::minutes{1}, "1m"},
    interval_name{std::chrono::minutes{5}, "5m"}, interval_name{std::chrono::minutes{15}, "15m"},
    interval_name{std::chrono::hours{1}, "1h"},   interval_name{std::chrono::hours{4}, "4h"},
    interval_name{std::chrono::hours{24}, "1d"}};

/// USDⓈ-M has no candles of a second.
template <market_kind Kind>
std::string_view interval_text(nanoseconds interval) {
  const std::span<const interval_name> all{intervals};
  return name_of_interval(is_spot<Kind> ? all : all.subspan(1), interval);
}

template <market_kind Kind>
constexpr std::uint32_t page_rows = is_spot<Kind> ? 1000 : 1500;

/// Both ends are inclusive on the open time.
template <market_kind Kind>
rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  const auto name = interval_text<Kind>(interval);
  if (name.empty() || to.ns <= from.ns) return {};
  rest_call out;
  out.target = std::string{is_spot<Kind> ? "/api/v3/klines?symbol=" : "/fapi/v1/klines?symbol="}
               + instrument.venue_symbol + "&interval=" + std::string{name}
               + "&startTime=" + milliseconds_text(from) + "&endTime=" + milliseconds_text({to.ns - 1'000'000})
               + "&limit=" + std::to_string(page_rows<Kind>);
  out.weight = is_spot<Kind> ? 2 : 10;
  return out;
}

/// Open time, open, high, low, close, volume, close time, quote volume, trades, taker's base volume, …
std::optional<bar> read_candle(const dom::array& row, const instrument_spec& instrument, nanoseconds interval) {
  std::array<dom::element, 10> cells;
  std::size_t count = 0;
  for (const auto cell : row)
    if (count < cells.size()) cells[count++] = cell;
  std::int64_t open_ms = 0, trades = 0;
  if (count < cells.size() || cells[0].get(open_ms) != simdjson::SUCCESS
      || cells[8].get(trades) != simdjson::SUCCESS || open_ms < 0 || trades < 0)
    return {};
  const auto price_at = [&](std::size_t i) { return parse_price(text_of(cells[i]), instrument.price_scale); };
  const auto size_at = [&](std::size_t i) { return parse_size(text_of(cells[i]), instrument.size_scale); };
  const auto open = price_at(1), high = price_at(2), low = price_at(3), close = price_at(4);
  const auto volume = size_at(5), bought = size_at(9);
  if (!open || !high || !low || !close || !volume || !bought) return {};
  bar out;
  out.instrument = instrument.id;
  out.interval = interval;
  out.open_time = {open_ms * 1'000'000};
  out.open = {*open};
  out.high = {*high};
  out.low = {*low};
  out.close = {*close};
  out.volume = {*volume};
  out.buy_volume = {*bought};
  out.trades = static_cast<std::uint64_t>(trades);
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  dom::parser parser;
  dom::element root;
  dom::array rows;
  if (!parse(parser, body, root)) return {rest_errc::bad_body, "candles of " + instrument.id.text + " are no JSON"};
  if (root.get(rows) != simdjson::SUCCESS)
    return {rest_errc::refused, "no candles of " + instrument.id.text + ": " + std::string{body.substr(0, 200)}};
  std::vector<bar> out;
  for (const auto each : rows) {
    dom::array row;
    std::optional<bar> read;
    if (each.get(row) == simdjson::SUCCESS) read = read_candle(row, instrument, interval);
    if (!read) return {rest_errc::bad_body, "a candle of " + instrument.id.text + " can't be read"};
    out.push_back(std::move(*read));
  }
  return page_of(std::move(out), interval);
}

template <market_kind Kind>
venue_description make_description(std::string_view name, std::span<const book_channel> books) {
  venue_description out;
  out.name = name;
  out.books = books;
  out.traits = traits_of(Kind);
  out.plan = plan<Kind>;
  out.protocol = protocol<Kind>;
  out.decoder = make_decoder;
  out.image = image<Kind>;
  out.instruments = instrument_calls<Kind>;
  out.read_instruments = read_instruments<Kind>;
  out.candles = {.per_page = page_rows<Kind>};
  out.candle_call = candle_call<Kind>;
  out.read_candles = read_candles;
  out.trades = is_spot<Kind> ? spot_trades : usdm_trades;
  out.trade_call = is_spot<Kind> ? spot_trade_call : usdm_trade_call;
  out.read_trades = read_trades;
  return out;
}

} // namespace

const venue_description& description() {
  static const auto out = make_description<market_kind::spot>("binance", spot_books);
  return out;
}

const venue_description& usdm_description() {
  static const auto out = make_description<market_kind::usdm>("binance-usdm", usdm_books);
  return out;
}

} // namespace troupe::binance
