/// Gate v4, spot: /ws/v4/ with spot.obu (ob.SYMBOL.50, ob.SYMBOL.400), spot.order_book_update,
/// spot.trades, spot.book_ticker, spot.ping; REST currency_pairs, currencies, order_book,
/// candlesticks, time. After the venue's documents and a recording of its socket of 2021-04-22
/// (order_book_update, trades); obu frames after the documents' examples.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <set>

namespace troupe::venue_sim {
namespace {

/// Numbers without trailing zeros, as the venue writes them.
std::string gate_number(std::int64_t value_e8) {
  auto text = text_e8(value_e8);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

void gate_side(text_writer& w, std::string_view key, const std::vector<book_level>& levels) {
  w.name(key).open('[');
  for (const auto& l : levels)
    w.open('[').word(gate_number(l.price_e8)).word(gate_number(l.quantity_e8)).close(']');
  w.close(']');
}

class gate_dialect;

class gate_connection final : public dialect_connection {
public:
  gate_connection(gate_dialect& of, dialect_port& port) : of_{of}, port_{port} {}
  void opened(std::int64_t) override {}
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t) override {}

private:
  void answer(const json_request& asked, std::string_view event, std::string_view result, int code,
              std::string_view why);
  void subscribe_obu(const json_request& asked, const std::vector<std::string>& names);
  void subscribe_each(const json_request& asked, const std::vector<std::string>& symbols);
  void send_obu(const std::string& name, const data_market& market, bool full,
                const data_event* event);
  void send_update(const data_market& market, const data_event& event);
  void send_trade(const data_market& market, const data_event& event);
  void send_best(const data_market& market, const data_event& event);
  std::string wrap(std::string_view channel, std::int64_t ms, std::string_view result) const;

  gate_dialect& of_;
  dialect_port& port_;
  std::set<std::string> obu_;                                 ///< "ob.BTC_USDT.50"
  std::set<std::pair<std::string, std::string>> topics_;      ///< channel and symbol
  std::map<std::string, std::int64_t, std::less<>> obu_last_; ///< last u that was sent
};

class gate_dialect final : public venue_dialect {
public:
  explicit gate_dialect(const data_world& world) : world_{world} {}
  [[nodiscard]] std::string_view venue() const noexcept override { return "gate"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + "_" + i.quote;
  }
  void on_change(const data_market& market, const data_event& event) override {
    changed_[0] = shallow_.advance(market, *event.what);
    changed_[1] = deep_.advance(market, *event.what);
    changed_[2] = hundred_.advance(market, *event.what);
  }
  /// Ids count the book's changes; a message spans several.
  [[nodiscard]] static std::int64_t id_of(std::uint64_t number) {
    return 73'777'715'000 + static_cast<std::int64_t>(number) * 3;
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    return static_cast<std::uint64_t>(id_of(deep_.of(market).number()));
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/ws/v4/" && path != "/ws/v4") return nullptr;
    return std::make_unique<gate_connection>(*this, port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }
  [[nodiscard]] depth_window& window(std::string_view level, const data_market& market) const {
    return level == "50" ? shallow_.of(market) : deep_.of(market);
  }
  [[nodiscard]] bool changed(std::string_view level) const {
    return changed_[level == "50" ? 0 : 1];
  }
  [[nodiscard]] bool update_changed() const { return changed_[2]; }
  [[nodiscard]] depth_window& update_window(const data_market& market) const {
    return hundred_.of(market);
  }

  const data_world& world_;

private:
  data_reply pairs() const;
  data_reply currencies() const;
  data_reply order_book(const parameters& asked) const;
  data_reply candles(const parameters& asked) const;
  static data_reply refuse(std::string_view label, std::string_view text) {
    text_writer w;
    return {
        400, w.open('{').text("label", label).text("message", text).close('}').take(), {}, false};
  }

  mutable depth_windows shallow_{50}, deep_{400}, hundred_{1000};
  bool changed_[3] = {false, false, false};
  dialect_limits limits_{.messages_per_second = 50,
                         .connects = 300,
                         .connects_s = 300,
                         .requests = 200,
                         .requests_s = 10};
};

/// "ob.BTC_USDT.50" in parts: symbol and level; empty when it is something else.
std::pair<std::string, std::string> gate_obu_parts(std::string_view name) {
  if (!name.starts_with("ob.")) return {};
  const auto dot = name.rfind('.');
  const auto level = name.substr(dot + 1);
  if (dot < 3 || (level != "50" && level != "400")) return {};
  return {std::string{name.substr(3, dot - 3)}, std::string{level}};
}

// ---- sockets
// ------------------------------------------------------------------------------------------

void gate_connection::answer(const json_request& asked, std::string_view event,
                             std::string_view result, int code, std::string_view why) {
  const auto now = of_.world_.now_ms;
  text_writer w;
  w.open('{').number("time", now / 1000).number("time_ms", now);
  if (const auto id = asked.raw("/id"); !id.empty()) w.name("id").raw(id);
  w.text("conn_id", "5e74253e9c793974")
      .text("channel", asked.text("/channel"))
      .text("event", event);
  if (code != 0)
    w.name("error").open('{').number("code", code).text("message", why).close('}');
  else
    w.name("error").raw("null");
  w.name("result").raw(result);
  port_.send(w.close('}').take());
}

void gate_connection::on_message(std::string_view text, std::int64_t) {
  const json_request asked{text};
  const auto channel = asked.text("/channel");
  const auto event = asked.text("/event");
  if (channel == "spot.ping")
    return port_.send(R"({"time":)" + std::to_string(of_.world_.now_ms / 1000)
                      + R"(,"channel":"spot.pong","event":"","result":null})");
  if (!asked.fine() || asked.raw("/time").empty())
    return answer(asked, event, "null", 1, "invalid request body format");
  const auto payload = asked.texts("/payload");
  const bool each = channel == "spot.trades" || channel == "spot.book_ticker"
                    || channel == "spot.order_book_update";
  if (payload.empty() || (channel != "spot.obu" && !each))
    return answer(asked, event, "null", 2, "unknown channel or empty payload");
  if (event == "unsubscribe") {
    for (const auto& name : payload)
      obu_.erase(name), topics_.erase({std::string{channel}, name});
    return answer(asked, "unsubscribe", R"({"status":"success"})", 0, {});
  }
  if (event != "subscribe") return answer(asked, event, "null", 2, "unknown event");
  if (channel == "spot.obu") return subscribe_obu(asked, payload);
  subscribe_each(asked, payload);
}

void gate_connection::subscribe_obu(const json_request& asked, const std::vector<std::string>& names) {
  constexpr std::string_view failed = R"({"status":"fail"})";
  for (const auto& name : names) {
    if (of_.find(gate_obu_parts(name).first) == nullptr)
      return answer(asked, "subscribe", failed, 2, "unknown order book " + name);
    if (obu_.contains(name)) return answer(asked, "subscribe", failed, 2, "Alert sub " + name);
  }
  answer(asked, "subscribe", R"({"status":"success"})", 0, {});
  for (const auto& name : names) {
    obu_.insert(name);
    send_obu(name, *of_.find(gate_obu_parts(name).first), true, nullptr);
  }
}

void gate_connection::subscribe_each(const json_request& asked,
                                     const std::vector<std::string>& symbols) {
  const auto channel = asked.text("/channel");
  const bool book = channel == "spot.order_book_update";
  if (book && (symbols.size() != 2 || (symbols[1] != "100ms" && symbols[1] != "20ms")))
    return answer(asked, "subscribe", R"({"status":"fail"})", 2, "invalid argument");
  const auto count = book ? 1 : symbols.size();
  for (std::size_t n = 0; n < count; ++n)
    if (of_.find(symbols[n]) == nullptr)
      return answer(asked, "subscribe", R"({"status":"fail"})", 2,
                    "unknown currency pair: " + symbols[n]);
  for (std::size_t n = 0; n < count; ++n) {
    topics_.emplace(std::string{channel}, symbols[n]);
    // Windows are kept from their first use on: this one counts from here, that of the quotes' numbers, too.
    const auto& market = *of_.find(symbols[n]);
    if (book) (void)of_.update_window(market);
    else if (channel == "spot.book_ticker") (void)of_.sequence_of(market);
  }
  answer(asked, "subscribe", R"({"status":"success"})", 0, {});
}

std::string gate_connection::wrap(std::string_view channel, std::int64_t ms,
                                  std::string_view result) const {
  text_writer w;
  w.open('{')
      .number("time", ms / 1000)
      .number("time_ms", ms)
      .text("channel", channel)
      .text("event", "update");
  return w.name("result").raw(result).close('}').take();
}

void gate_connection::send_obu(const std::string& name, const data_market& market, bool full,
                               const data_event* event) {
  const auto level = gate_obu_parts(name).second;
  const auto& window = of_.window(level, market);
  const auto at = event != nullptr ? event->event_ms : of_.world_.now_ms;
  const auto last = gate_dialect::id_of(window.number());
  auto bids = full ? window.all_bids() : window.bids();
  if (event != nullptr && event->add_crossed) bids.push_back(event->crossed);
  text_writer w;
  w.open('{').number("t", at);
  if (full) w.flag("full", true);
  w.text("s", name);
  if (!full) w.number("U", obu_last_[name] + 1);
  w.number("u", last);
  gate_side(w, "b", bids);
  gate_side(w, "a", full ? window.all_asks() : window.asks());
  obu_last_[name] = last;
  // These come without the seconds in front.
  text_writer frame;
  frame.open('{')
      .text("channel", "spot.obu")
      .name("result")
      .raw(w.close('}').take())
      .number("time_ms", at)
      .text("event", "update");
  port_.publish({frame_kind::depth, name, full}, frame.close('}').take());
}

void gate_connection::send_update(const data_market& market, const data_event& event) {
  const auto& window = of_.update_window(market);
  const auto symbol = of_.symbol_of(market.instrument());
  auto bids = window.bids();
  if (event.add_crossed) bids.push_back(event.crossed);
  const auto last = gate_dialect::id_of(window.number());
  text_writer w;
  w.open('{')
      .number("t", event.event_ms)
      .text("e", "depthUpdate")
      .number("E", event.event_ms / 1000)
      .text("s", symbol);
  w.number("U", last - 2).number("u", last);
  gate_side(w, "b", bids);
  gate_side(w, "a", window.asks());
  port_.publish({frame_kind::depth, "spot.order_book_update:" + symbol, false},
                wrap("spot.order_book_update", event.event_ms, w.close('}').take()));
}

void gate_connection::send_trade(const data_market& market, const data_event& event) {
  const auto& t = *event.what;
  const auto symbol = of_.symbol_of(market.instrument());
  text_writer w;
  w.open('{').number("id", t.last_id).number("create_time", t.transact_ms / 1000);
  w.text("create_time_ms", std::to_string(t.transact_ms) + ".357200")
      .text("side", t.buyer_is_maker ? "sell" : "buy");
  w.text("currency_pair", symbol)
      .text("amount", gate_number(t.one.quantity_e8))
      .text("price", gate_number(t.one.price_e8));
  port_.publish({frame_kind::trade, "spot.trades:" + symbol, false},
                wrap("spot.trades", event.event_ms, w.close('}').take()));
}

void gate_connection::send_best(const data_market& market, const data_event& event) {
  const auto& book = market.book();
  const auto symbol = of_.symbol_of(market.instrument());
  if (book.bids().empty() || book.asks().empty()) return;
  const auto &bid = *book.bids().begin(), &ask = *book.asks().begin();
  text_writer w;
  w.open('{')
      .number("t", event.event_ms)
      .number("u", static_cast<std::int64_t>(of_.sequence_of(market)))
      .text("s", symbol);
  w.text("b", gate_number(bid.first))
      .text("B", gate_number(bid.second))
      .text("a", gate_number(ask.first));
  w.text("A", gate_number(ask.second));
  port_.publish({frame_kind::book_ticker, "spot.book_ticker:" + symbol, false},
                wrap("spot.book_ticker", event.event_ms, w.close('}').take()));
}

void gate_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual) return;
  const auto symbol = of_.symbol_of(market.instrument());
  const auto has = [&](const char* channel) { return topics_.contains({channel, symbol}); };
  if (event.what->kind == frame_kind::trade && has("spot.trades")) send_trade(market, event);
  if (event.what->kind != frame_kind::depth) return;
  for (const auto& name : obu_) {
    const auto [of, level] = gate_obu_parts(name);
    if (of == symbol && (of_.changed(level) || event.add_crossed))
      send_obu(name, market, false, &event);
  }
  if (has("spot.order_book_update") && (of_.update_changed() || event.add_crossed))
    send_update(market, event);
  if (has("spot.book_ticker") && of_.changed("400")) send_best(market, event);
}

// ---- REST
// ---------------------------------------------------------------------------------------------

data_reply gate_dialect::pairs() const {
  text_writer w;
  w.open('[');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (i.perpetual) continue;
    w.open('{')
        .text("id", symbol_of(i))
        .text("base", i.base)
        .text("base_name", i.base)
        .text("quote", i.quote);
    w.text("quote_name", i.quote)
        .text("fee", "0.2")
        .text("min_base_amount", gate_number(i.step_e8));
    w.text("min_quote_amount", "3")
        .text("max_quote_amount", "5000000")
        .number("amount_precision", i.quantity_decimals);
    w.number("precision", i.price_decimals)
        .text("trade_status", "tradable")
        .number("sell_start", 0);
    w.number("buy_start", 0).text("type", "normal").close('}');
  }
  return {200, w.close(']').take(), {}, false};
}

data_reply gate_dialect::currencies() const {
  std::set<std::string> names;
  for (const auto& m : world_.markets)
    names.insert({m->instrument().base, m->instrument().quote});
  text_writer w;
  w.open('[');
  for (const auto& name : names) {
    w.open('{')
        .text("currency", name)
        .text("name", name)
        .flag("delisted", false)
        .flag("withdraw_disabled", false);
    w.flag("withdraw_delayed", false)
        .flag("deposit_disabled", false)
        .flag("trade_disabled", false)
        .text("chain", name);
    w.name("chains").raw("[]").close('}');
  }
  return {200, w.close(']').take(), {}, false};
}

data_reply gate_dialect::order_book(const parameters& asked) const {
  const auto* market = find(asked.get("currency_pair"));
  if (market == nullptr) return refuse("INVALID_CURRENCY_PAIR", "Invalid currency pair");
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(10), 1, 1000));
  const auto& window = hundred_.of(*market);
  auto bids = window.all_bids(), asks = window.all_asks();
  bids.resize(std::min(bids.size(), limit));
  asks.resize(std::min(asks.size(), limit));
  text_writer w;
  w.open('{');
  if (asked.get("with_id") == "true") w.number("id", id_of(window.number()));
  w.number("current", world_.now_ms).number("update", world_.now_ms);
  gate_side(w, "asks", asks);
  gate_side(w, "bids", bids);
  return {200, w.close('}').take(), {}, true};
}

/// Rows of time, quote volume, close, high, low, open, base volume, closed; oldest first.
data_reply gate_dialect::candles(const parameters& asked) const {
  const auto* market = find(asked.get("currency_pair"));
  if (market == nullptr) return refuse("INVALID_CURRENCY_PAIR", "Invalid currency pair");
  const auto step =
      market_history::interval_ms(asked.has("interval") ? asked.get("interval") : "30m");
  if (!step) return refuse("INVALID_PARAM_VALUE", "Invalid interval");
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(100), 1, 1000));
  const auto from = asked.integer("from").value_or(0) * 1000;
  const auto to = asked.has("to") ? asked.integer("to").value_or(0) * 1000 : world_.now_ms;
  text_writer w;
  w.open('[');
  for (const auto& row : market->history().candles(*step, from, to, limit, !asked.has("from"))) {
    w.open('[')
        .word(std::to_string(row.open_ms / 1000))
        .word(gate_number(row.quote_e8))
        .word(gate_number(row.close_e8));
    w.word(gate_number(row.high_e8)).word(gate_number(row.low_e8)).word(gate_number(row.open_e8));
    w.word(gate_number(row.volume_e8))
        .word(row.close_ms < world_.now_ms ? "true" : "false")
        .close(']');
  }
  return {200, w.close(']').take(), {}, false};
}

std::optional<data_reply> gate_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  if (request.path == "/api/v4/spot/time")
    return data_reply{200, R"({"server_time":)" + std::to_string(world_.now_ms) + "}", {}, false};
  if (request.path == "/api/v4/spot/currency_pairs") return pairs();
  if (request.path == "/api/v4/spot/currencies") return currencies();
  if (request.path == "/api/v4/margin/currency_pairs") return data_reply{200, "[]", {}, false};
  if (request.path == "/api/v4/spot/order_book") return order_book(asked);
  if (request.path == "/api/v4/spot/candlesticks") return candles(asked);
  if (request.path == "/api/v4/spot/trades") {
    const auto* market = find(asked.get("currency_pair"));
    if (market == nullptr) return refuse("INVALID_CURRENCY_PAIR", "Invalid currency pair");
    return data_reply{200, gate_past_trades(*market, asked.get("currency_pair"), asked), {}, false};
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_gate_dialect(const data_world& world) {
  return std::make_unique<gate_dialect>(world);
}

} // namespace troupe::venue_sim
