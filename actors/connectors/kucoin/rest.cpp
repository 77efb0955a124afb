#include "actors/connectors/kucoin/rest.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/candle_rows.hpp"

#include <algorithm>
#include <array>

namespace troupe::kucoin {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t largest_body = 48 << 20;
constexpr int finest = 12; ///< decimals of a price or size that we keep

constexpr std::array intervals{interval_name{1min, "1min"},   interval_name{5min, "5min"},
                               interval_name{15min, "15min"}, interval_name{30min, "30min"},
                               interval_name{1h, "1hour"},    interval_name{4h, "4hour"},
                               interval_name{24h, "1day"}};

error bad_body(std::string_view what, std::string_view body) {
  return {make_error_code(rest_errc::bad_body),
          "kucoin " + std::string{what} + " can't be read: " + std::string{body.substr(0, 120)}};
}

error refused(std::string_view what, std::string_view body) {
  return {make_error_code(rest_errc::refused),
          "kucoin refuses " + std::string{what} + ": " + std::string{body.substr(0, 200)}};
}

/// Opens {"code":"200000","data":…}; `data` is the value behind it.
bool open_answer(json_frame& in, json_object& root, std::string_view body, bool& was_refused) {
  was_refused = false;
  if (!in.open(body, largest_body) || !in.is_object()) return false;
  root = in.object();
  const auto code = in.integer(root, "code");
  was_refused = in.fine() && code != 200000;
  return in.fine() && !was_refused;
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr auto digits = "0123456789ABCDEF"sv;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'
                       || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

bool plain_address(std::string_view url) noexcept {
  if (!url.starts_with("wss://"sv) && !url.starts_with("ws://"sv)) return false;
  return url.size() < 256 && std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f && c != '?'; });
}

void read_symbol(json_frame& in, json_object symbol, market_time now, std::vector<instrument_spec>& out) {
  instrument_spec spec;
  rule_texts texts;
  std::string_view base, quote;
  bool trades = false;
  in.each_member(symbol, [&](std::string_view key, json_value value) {
    if (key == "symbol"sv) spec.venue_symbol = in.text(value);
    else if (key == "enableTrading"sv) trades = in.flag(value);
    else if (key == "baseCurrency"sv) base = in.text(value);
    else if (key == "quoteCurrency"sv) quote = in.text(value);
    else if (key == "baseMinSize"sv) texts.min_size = in.token(value);
    else if (key == "baseMaxSize"sv) texts.max_size = in.token(value);
    else if (key == "baseIncrement"sv) texts.lot = in.token(value);
    else if (key == "priceIncrement"sv) texts.tick = in.token(value);
    else if (key == "minFunds"sv && !value.is_null()) texts.min_notional = in.token(value);
  });
  const auto id = instrument_of(base, quote, "", "kucoin");
  if (!in.fine() || !trades || !id) return;
  const auto price_decimals = decimal_places(texts.tick);
  const auto lot_decimals = decimal_places(texts.lot);
  if (price_decimals > finest || lot_decimals > finest) return;
  spec.id = *id;
  spec.price_scale = static_cast<std::uint8_t>(price_decimals);
  spec.size_scale = static_cast<std::uint8_t>(roomy_size_scale(lot_decimals, price_decimals));
  spec.valid_from = now;
  if (set_rules(texts, spec)) out.push_back(std::move(spec));
}

/// [time, open, close, high, low, volume, turnover]
constexpr candle_columns columns{.unit = time_unit::s, .high = 3, .low = 4, .close = 2};

} // namespace

rest_call ticket_call() {
  rest_call out;
  out.method = "POST";
  out.target = "/api/v1/bullet-public";
  out.weight = 10;
  return out;
}

result<std::string> ticket_url(std::string_view body) {
  json_frame in;
  json_object root;
  bool was_refused = false;
  if (!open_answer(in, root, body, was_refused))
    return was_refused ? refused("a ticket", body) : bad_body("ticket", body);
  json_object data = in.object(root, "data");
  std::string_view token, endpoint;
  in.each_member(data, [&](std::string_view key, json_value value) {
    if (key == "token"sv) token = in.text(value);
    if (key != "instanceServers"sv) return;
    in.each(in.array(value), [&](json_value server) {
      json_object one = in.object(server);
      json_value address;
      if (endpoint.empty() && in.find(one, "endpoint", address)) endpoint = in.text(address);
    });
  });
  if (!in.fine() || token.empty() || !plain_address(endpoint))
    return error{make_error_code(rest_errc::bad_body), "kucoin's ticket has no usable token and server"};
  std::string out{endpoint};
  out += "?token=";
  append_encoded(out, token);
  return out;
}

rest_call image_call(const instrument_spec& instrument, int levels) {
  rest_call out;
  out.target = levels > 0 && levels <= 20 ? "/api/v1/market/orderbook/level2_20?symbol="
                                          : "/api/v1/market/orderbook/level2_100?symbol=";
  out.target += instrument.venue_symbol;
  out.weight = levels > 0 && levels <= 20 ? 2 : 4;
  return out;
}

std::vector<rest_call> instrument_calls() {
  rest_call out;
  out.target = "/api/v2/symbols";
  out.weight = 4;
  return {out};
}

result<std::vector<instrument_spec>> read_instruments(std::string_view body, market_time now) {
  json_frame in;
  json_object root;
  bool was_refused = false;
  std::vector<instrument_spec> out;
  if (!open_answer(in, root, body, was_refused))
    return was_refused ? refused("its symbols", body) : bad_body("symbols", body);
  in.each(in.array(root, "data"), [&](json_value symbol) { read_symbol(in, in.object(symbol), now, out); });
  in.finish();
  if (!in.fine()) return bad_body("symbols", body);
  return out;
}

rest_call candle_call(const instrument_spec& instrument, nanoseconds interval, market_time from,
                      market_time to) {
  rest_call out;
  const auto name = name_of_interval(intervals, interval);
  if (name.empty()) return out;
  out.target = "/api/v1/market/candles?symbol=" + instrument.venue_symbol + "&type=" + std::string{name}
               + "&startAt=" + seconds_text(from) + "&endAt=" + seconds_text(to - 1s);
  out.weight = 3;
  return out;
}

result<candle_page> read_candles(const instrument_spec& instrument, nanoseconds interval,
                                 std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  in.round_sizes();
  json_object root;
  bool was_refused = false;
  if (!open_answer(in, root, body, was_refused))
    return was_refused ? refused("candles of " + instrument.venue_symbol, body) : bad_body("candles", body);
  std::vector<bar> rows;
  in.each(in.array(root, "data"),
          [&](json_value row) { rows.push_back(candle_of(in, in.array(row), instrument, columns)); });
  in.finish();
  if (!in.fine()) return bad_body("candles", body);
  return page_of(std::move(rows), interval);
}

} // namespace troupe::kucoin
