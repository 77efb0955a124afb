/// Bybit v5, public: /v5/public/{spot,linear}, orderbook.{1,50,200,1000}, publicTrade, REST
/// instruments-info, orderbook, kline, time. After the venue's docs/v5 (state of July 2026) and
/// frames recorded off its socket on 2026-09-20.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <array>
#include <set>

namespace troupe::venue_sim {
namespace {

constexpr std::array<std::size_t, 4> bybit_depths{1, 50, 200, 1000};
constexpr std::int64_t bybit_idle_ns =
    60'000'000'000; ///< twenty seconds between pings are asked for
constexpr std::size_t bybit_args_length = 21'000;
constexpr std::size_t bybit_spot_args = 10;

void bybit_side(text_writer& w, std::string_view key, const std::vector<book_level>& levels,
                const data_instrument& i) {
  w.name(key).open('[');
  for (const auto& l : levels)
    w.open('[')
        .figure(l.price_e8, i.price_decimals)
        .figure(l.quantity_e8, l.quantity_e8 == 0 ? 0 : i.quantity_decimals)
        .close(']');
  w.close(']');
}

class bybit_dialect;

class bybit_connection final : public dialect_connection {
public:
  bybit_connection(bybit_dialect& of, bool linear, dialect_port& port)
      : of_{of}, linear_{linear}, port_{port} {}
  void opened(std::int64_t steady_ns) override { heard_ns_ = steady_ns; }
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override {
    if (steady_ns - heard_ns_ < bybit_idle_ns) return;
    port_.violation("no ping for a minute");
    port_.close(1006, "idle");
  }

private:
  void subscribe(const std::vector<std::string>& topics, std::string_view request);
  void answer(bool success, std::string_view message, std::string_view op,
              std::string_view request);
  void send_book(const std::string& topic, const data_market& market, depth_window& window,
                 std::string_view type, const data_event* event);
  void send_trade(const std::string& topic, const data_market& market, const data_event& event);

  bybit_dialect& of_;
  bool linear_;
  dialect_port& port_;
  std::set<std::string, std::less<>> topics_;
  std::int64_t heard_ns_ = 0;
};

class bybit_dialect final : public venue_dialect {
public:
  explicit bybit_dialect(const data_world& world) : world_{world} {
    for (const auto depth : bybit_depths)
      windows_.emplace(depth, depth_windows{depth});
  }
  [[nodiscard]] std::string_view venue() const noexcept override { return "bybit"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + i.quote;
  }
  void on_change(const data_market& market, const data_event& event) override {
    for (auto& [depth, windows] : windows_)
      changed_[depth] = windows.advance(market, *event.what);
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    return first_u + windows_.at(50).of(market).number();
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/v5/public/spot" && path != "/v5/public/linear") return nullptr;
    return std::make_unique<bybit_connection>(*this, path == "/v5/public/linear", port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  static constexpr std::uint64_t first_u =
      219'167'000; ///< ids of a running service are never small

  const data_world& world_;
  mutable std::map<std::size_t, depth_windows> windows_;
  std::map<std::size_t, bool> changed_; ///< by the change that is being shown

  [[nodiscard]] const data_market* find(std::string_view symbol, bool linear) const {
    for (const auto& m : world_.markets)
      if (m->instrument().perpetual == linear && symbol_of(m->instrument()) == symbol)
        return m.get();
    return nullptr;
  }

private:
  data_reply instruments(bool linear) const;
  data_reply order_book(const parameters& asked, bool linear);
  data_reply candles(const parameters& asked, bool linear) const;
  [[nodiscard]] data_reply wrap(std::string result) const {
    return {200,
            R"({"retCode":0,"retMsg":"OK","result":)" + std::move(result)
                + R"(,"retExtInfo":{},"time":)" + std::to_string(world_.now_ms) + "}",
            {},
            false};
  }
  static data_reply refuse(int code, std::string_view text) {
    text_writer w;
    w.open('{').number("retCode", code).text("retMsg", text).name("result").raw("{}").close('}');
    return {200, w.take(), {}, false};
  }

  dialect_limits limits_{.connects = 500, .connects_s = 300, .requests = 600, .requests_s = 5};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

/// "orderbook.50.BTCUSDT" → 50; 0 when it is no book topic of the venue.
std::size_t bybit_depth_of(std::string_view topic) {
  for (const auto depth : bybit_depths)
    if (topic.starts_with("orderbook." + std::to_string(depth) + ".")) return depth;
  return 0;
}

std::string_view bybit_symbol_of(std::string_view topic) {
  return topic.substr(topic.rfind('.') + 1);
}

void bybit_connection::answer(bool success, std::string_view message, std::string_view op,
                              std::string_view request) {
  text_writer w;
  w.open('{')
      .flag("success", success)
      .text("ret_msg", message)
      .text("conn_id", "d9avt8sb86tr31f6ej90-d0qm8");
  if (!request.empty()) w.text("req_id", request);
  port_.send(w.text("op", op).close('}').take());
}

void bybit_connection::on_message(std::string_view text, std::int64_t steady_ns) {
  heard_ns_ = steady_ns;
  const json_request asked{text};
  const auto op = asked.text("/op");
  const auto request = asked.text("/req_id");
  if (!asked.fine() || op.empty()) return answer(false, "error:Params Error", "", request);
  if (op == "ping") return answer(true, "pong", "pong", request);
  if (text.size() > bybit_args_length) {
    port_.violation("subscription longer than 21,000 characters");
    return answer(false, "error:Params Error", op, request);
  }
  if (op == "unsubscribe") {
    for (const auto& topic : asked.texts("/args"))
      topics_.erase(topic);
    return answer(true, "", "unsubscribe", request);
  }
  if (op != "subscribe") return answer(false, "error:Params Error", op, request);
  subscribe(asked.texts("/args"), request);
}

void bybit_connection::subscribe(const std::vector<std::string>& topics, std::string_view request) {
  if (!linear_ && topics.size() > bybit_spot_args) {
    port_.violation("more than 10 topics in one spot subscription");
    return answer(false, "error:args size >10", "subscribe", request);
  }
  for (const auto& topic : topics) {
    const bool known = bybit_depth_of(topic) != 0 || topic.starts_with("publicTrade.");
    if (!known || of_.find(bybit_symbol_of(topic), linear_) == nullptr)
      return answer(false, "error:handler not found,topic:" + topic, "subscribe", request);
  }
  answer(true, "subscribe", "subscribe", request);
  for (const auto& topic : topics) {
    topics_.insert(topic);
    const auto depth = bybit_depth_of(topic);
    if (depth == 0) continue;
    const auto& market = *of_.find(bybit_symbol_of(topic), linear_);
    send_book(topic, market, of_.windows_.at(depth).of(market), "snapshot", nullptr);
  }
}

void bybit_connection::send_book(const std::string& topic, const data_market& market,
                                 depth_window& window, std::string_view type,
                                 const data_event* event) {
  const bool whole = type == "snapshot";
  const auto& i = market.instrument();
  auto bids = whole ? window.all_bids() : window.bids();
  if (event != nullptr && event->add_crossed) bids.push_back(event->crossed);
  const auto at = event != nullptr ? event->event_ms : of_.world_.now_ms;
  text_writer w;
  w.open('{').text("topic", topic).number("ts", at).text("type", type).name("data").open('{');
  w.text("s", of_.symbol_of(i));
  bybit_side(w, "b", bids, i);
  bybit_side(w, "a", whole ? window.all_asks() : window.asks(), i);
  w.number("u", static_cast<std::int64_t>(bybit_dialect::first_u + window.number()));
  w.number("seq", static_cast<std::int64_t>(181'840'388'000 + market.number() * 140)).close('}');
  if (linear_) w.number("cts", at);
  port_.publish({frame_kind::depth, topic, whole}, w.close('}').take());
}

void bybit_connection::send_trade(const std::string& topic, const data_market& market,
                                  const data_event& event) {
  const auto& t = *event.what;
  const auto& i = market.instrument();
  text_writer w;
  w.open('{')
      .text("topic", topic)
      .text("type", "snapshot")
      .number("ts", event.event_ms)
      .name("data")
      .open('[')
      .open('{');
  w.number("T", t.transact_ms)
      .text("s", of_.symbol_of(i))
      .text("S", t.buyer_is_maker ? "Sell" : "Buy");
  w.amount("v", t.one.quantity_e8, i.quantity_decimals)
      .amount("p", t.one.price_e8, i.price_decimals);
  if (linear_) w.text("L", "PlusTick");
  w.text("i", "2290000000" + std::to_string(t.last_id)).flag("BT", false);
  w.number("seq", static_cast<std::int64_t>(181'840'388'000 + market.number() * 140))
      .close('}')
      .close(']')
      .close('}');
  port_.publish({frame_kind::trade, topic, false}, w.take());
}

void bybit_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual != linear_) return;
  const auto symbol = of_.symbol_of(market.instrument());
  for (const auto& topic : topics_) {
    if (bybit_symbol_of(topic) != symbol) continue;
    const auto depth = bybit_depth_of(topic);
    if (depth == 0 && event.what->kind == frame_kind::trade) send_trade(topic, market, event);
    if (depth == 0 || event.what->kind != frame_kind::depth) continue;
    if (!of_.changed_[depth] && !event.add_crossed) continue;
    // The first level alone always comes whole.
    send_book(topic, market, of_.windows_.at(depth).of(market), depth == 1 ? "snapshot" : "delta",
              &event);
  }
}

// ---- REST
// ---------------------------------------------------------------------------------------------

data_reply bybit_dialect::instruments(bool linear) const {
  text_writer w;
  w.open('{').text("category", linear ? "linear" : "spot").name("list").open('[');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (i.perpetual != linear) continue;
    w.open('{').text("symbol", symbol_of(i));
    if (linear) w.text("contractType", "LinearPerpetual");
    w.text("status", "Trading").text("baseCoin", i.base).text("quoteCoin", i.quote);
    if (linear)
      w.text("settleCoin", i.quote).text("launchTime", "1585526400000").text("deliveryTime", "0");
    else
      w.text("innovation", "0").text("marginTrading", "none");
    w.name("lotSizeFilter").open('{');
    if (linear)
      w.amount("qtyStep", i.step_e8, i.quantity_decimals).text("minNotionalValue", "5");
    else
      w.amount("basePrecision", i.step_e8, i.quantity_decimals)
          .text("quotePrecision", "0.0000001")
          .text("minOrderAmt", "5");
    w.amount("minOrderQty", i.step_e8, i.quantity_decimals).text("maxOrderQty", "1000").close('}');
    w.name("priceFilter")
        .open('{')
        .amount("tickSize", i.tick_e8, i.price_decimals)
        .close('}')
        .close('}');
  }
  w.close(']').text("nextPageCursor", "").close('}');
  return wrap(w.take());
}

data_reply bybit_dialect::order_book(const parameters& asked, bool linear) {
  const auto* market = find(asked.get("symbol"), linear);
  if (market == nullptr) return refuse(10001, "params error: symbol invalid");
  auto& window = windows_.at(200).of(*market);
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(1), 1, 200));
  auto bids = window.all_bids(), asks = window.all_asks();
  bids.resize(std::min(bids.size(), limit));
  asks.resize(std::min(asks.size(), limit));
  text_writer w;
  w.open('{').text("s", symbol_of(market->instrument()));
  bybit_side(w, "a", asks, market->instrument());
  bybit_side(w, "b", bids, market->instrument());
  w.number("ts", world_.now_ms).number("u", static_cast<std::int64_t>(first_u + window.number()));
  w.number("seq", static_cast<std::int64_t>(181'840'388'000 + market->number() * 140))
      .number("cts", world_.now_ms)
      .close('}');
  auto out = wrap(w.take());
  out.image = true;
  return out;
}

data_reply bybit_dialect::candles(const parameters& asked, bool linear) const {
  const auto* market = find(asked.get("symbol"), linear);
  if (market == nullptr) return refuse(10001, "params error: symbol invalid");
  const auto interval = asked.get("interval");
  const auto minutes = interval == "D" ? 1440 : asked.integer("interval").value_or(0);
  if (minutes <= 0) return refuse(10001, "Invalid period!");
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(200), 1, 1000));
  const auto rows =
      market->history().candles(minutes * 60'000, asked.integer("start").value_or(0),
                                asked.integer("end").value_or(world_.now_ms), limit, true);
  const auto& i = market->instrument();
  text_writer w;
  w.open('{')
      .text("category", linear ? "linear" : "spot")
      .text("symbol", symbol_of(i))
      .name("list")
      .open('[');
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    w.open('[')
        .word(std::to_string(row->open_ms))
        .figure(row->open_e8, i.price_decimals)
        .figure(row->high_e8, i.price_decimals);
    w.figure(row->low_e8, i.price_decimals).figure(row->close_e8, i.price_decimals);
    w.figure(row->volume_e8, i.quantity_decimals).figure(row->quote_e8, 8).close(']');
  }
  w.close(']').close('}');
  return wrap(w.take());
}

std::optional<data_reply> bybit_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  const auto category = asked.get("category");
  const bool linear = category == "linear";
  if (request.path == "/v5/market/time")
    return wrap(R"({"timeSecond":")" + std::to_string(world_.now_ms / 1000) + R"(","timeNano":")"
                + std::to_string(world_.now_ms) + "000000\"}");
  if (!request.path.starts_with("/v5/market/")) return std::nullopt;
  if (category != "spot" && category != "linear")
    return wrap(R"({"category":")" + category + R"(","list":[],"nextPageCursor":""})");
  if (request.path == "/v5/market/instruments-info") return instruments(linear);
  if (request.path == "/v5/market/orderbook") return order_book(asked, linear);
  if (request.path == "/v5/market/kline") return candles(asked, linear);
  if (request.path == "/v5/market/recent-trade") {
    const auto* market = find(asked.get("symbol"), linear);
    if (market == nullptr) return refuse(10001, "params error: symbol invalid");
    return wrap(bybit_past_trades(*market, asked.get("symbol"), asked));
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_bybit_dialect(const data_world& world) {
  return std::make_unique<bybit_dialect>(world);
}

} // namespace troupe::venue_sim
