/// OKX v5, public: /ws/v5/public with books (400 levels), books5, bbo-tbt, trades; /ws/v5/business
/// stays quiet; REST instruments, books, candles, time. After the venue's documents (state of July
/// 2026: the checksum is constant 0) and a recording of its socket of 2022-05-13. Spot only.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <set>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t okx_idle_ns = 30'000'000'000; ///< a socket on which nothing moved is closed
constexpr std::size_t okx_args_bytes = 64 * 1024;
constexpr int okx_operations_an_hour = 480;

void okx_side(text_writer& w, std::string_view key, const std::vector<book_level>& levels,
              const data_instrument& i) {
  w.name(key).open('[');
  for (const auto& l : levels) {
    w.open('[').figure(l.price_e8, i.price_decimals);
    w.figure(l.quantity_e8, l.quantity_e8 == 0 ? 0 : i.quantity_decimals).word("0");
    w.word(l.quantity_e8 == 0 ? "0" : "1").close(']');
  }
  w.close(']');
}

/// What a client subscribed to.
struct okx_topic {
  std::string channel;
  std::string symbol;
  auto operator<=>(const okx_topic&) const = default;
  [[nodiscard]] std::string arg() const {
    return R"({"channel":")" + channel + R"(","instId":")" + symbol + "\"}";
  }
  [[nodiscard]] std::string name() const { return channel + ":" + symbol; }
};

class okx_dialect;

class okx_connection final : public dialect_connection {
public:
  okx_connection(okx_dialect& of, dialect_port& port) : of_{of}, port_{port} {}
  void opened(std::int64_t steady_ns) override { moved_ns_ = steady_ns; }
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override {
    now_ns_ = steady_ns;
    if (steady_ns - moved_ns_ < okx_idle_ns) return;
    port_.violation("nothing said for 30 s on a quiet socket");
    port_.close(4004, "No data received in 30s");
  }
  void announce_shutdown() override {
    port_.send(
        R"({"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. )"
        R"(Please reconnect.","connId":"a4d3ae55"})");
  }

private:
  void subscribe(simdjson::dom::element arg, bool on);
  void refuse(std::string_view code, const std::string& text);
  void send_book(const okx_topic& topic, const data_market& market, bool whole,
                 const data_event* event);
  void send_trade(const okx_topic& topic, const data_market& market, const data_event& event);
  void publish(const frame_topic& topic, std::string frame) {
    moved_ns_ = now_ns_;
    port_.publish(topic, std::move(frame));
  }

  okx_dialect& of_;
  dialect_port& port_;
  std::set<okx_topic> topics_;
  std::map<okx_topic, std::int64_t> sent_; ///< sequence number of the last book message
  std::int64_t moved_ns_ = 0;
  std::int64_t now_ns_ = 0;
  int operations_ = 0;
};

class okx_dialect final : public venue_dialect {
public:
  explicit okx_dialect(const data_world& world) : world_{world} {}
  [[nodiscard]] std::string_view venue() const noexcept override { return "okx"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + "-" + i.quote;
  }
  void on_change(const data_market& market, const data_event& event) override {
    changed_ = deep_.advance(market, *event.what);
    changed_five_ = five_.advance(market, *event.what);
    changed_one_ = one_.advance(market, *event.what);
  }
  /// Steps are not one: the number counts more than this channel.
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    return 10'000'000 + deep_.of(market).number() * 7;
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/ws/v5/public" && path != "/ws/v5/business") return nullptr;
    return std::make_unique<okx_connection>(*this, port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }
  [[nodiscard]] depth_window& window(std::string_view channel, const data_market& market) const {
    return channel == "books"    ? deep_.of(market)
           : channel == "books5" ? five_.of(market)
                                 : one_.of(market);
  }
  [[nodiscard]] bool changed(std::string_view channel) const {
    return channel == "books" ? changed_ : channel == "books5" ? changed_five_ : changed_one_;
  }

  const data_world& world_;

private:
  data_reply instruments() const;
  data_reply order_book(const parameters& asked);
  data_reply candles(const parameters& asked) const;
  static data_reply wrap(std::string data) {
    return {200, R"({"code":"0","data":)" + std::move(data) + R"(,"msg":""})", {}, false};
  }
  static data_reply refuse(std::string_view code, std::string_view text) {
    text_writer w;
    w.open('{').text("code", code).name("data").raw("[]").text("msg", text).close('}');
    return {200, w.take(), {}, false};
  }

  mutable depth_windows deep_{400}, five_{5}, one_{1};
  bool changed_ = false, changed_five_ = false, changed_one_ = false;
  dialect_limits limits_{.connects = 3, .connects_s = 1, .requests = 40, .requests_s = 2};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

void okx_connection::refuse(std::string_view code, const std::string& text) {
  text_writer w;
  port_.send(w.open('{')
                 .text("event", "error")
                 .text("code", code)
                 .text("msg", text)
                 .text("connId", "a4d3ae55")
                 .close('}')
                 .take());
}

void okx_connection::on_message(std::string_view text, std::int64_t steady_ns) {
  moved_ns_ = now_ns_ = steady_ns;
  if (text == "ping") return port_.send("pong");
  const json_request asked{text};
  const auto op = asked.text("/op");
  simdjson::dom::array args;
  if (!asked.fine() || asked.root()["args"].get(args) != simdjson::SUCCESS
      || (op != "subscribe" && op != "unsubscribe"))
    return refuse("60012", "Illegal request: " + std::string{text.substr(0, 200)});
  if (text.size() > okx_args_bytes) port_.violation("subscription longer than 64 KB");
  if (++operations_ > okx_operations_an_hour) {
    port_.violation("more than 480 subscriptions an hour on one socket");
    return refuse("60014", "Requests too frequent");
  }
  for (const auto arg : args)
    subscribe(arg, op == "subscribe");
}

void okx_connection::subscribe(simdjson::dom::element arg, bool on) {
  const auto channel = text_of(arg, "channel"), symbol = text_of(arg, "instId");
  const okx_topic topic{std::string{channel}, std::string{symbol}};
  const bool book = channel == "books" || channel == "books5" || channel == "bbo-tbt";
  const auto* market = of_.find(symbol);
  if ((!book && channel != "trades") || market == nullptr)
    return refuse("60018",
                  "Wrong URL or " + simdjson::minify(arg)
                      + " doesn't exist. Please use the correct URL, channel and parameters.");
  port_.send(R"({"event":")" + std::string{on ? "subscribe" : "unsubscribe"} + R"(","arg":)"
             + topic.arg() + R"(,"connId":"a4d3ae55"})");
  sent_.erase(topic);
  if (!on) {
    topics_.erase(topic);
    return;
  }
  topics_.insert(topic);
  if (book) send_book(topic, *market, true, nullptr);
}

void okx_connection::send_book(const okx_topic& topic, const data_market& market, bool whole,
                               const data_event* event) {
  const auto& i = market.instrument();
  const bool deep = topic.channel == "books";
  auto& window = of_.window(topic.channel, market);
  auto bids = whole || !deep ? window.all_bids() : window.bids();
  if (event != nullptr && event->add_crossed) {
    if (deep)
      bids.push_back(event->crossed);
    else
      bids.front() = event->crossed;
  }
  const auto sequence = static_cast<std::int64_t>(of_.sequence_of(market));
  text_writer w;
  w.open('{').name("arg").raw(topic.arg());
  if (deep) w.text("action", whole ? "snapshot" : "update");
  w.name("data").open('[').open('{');
  okx_side(w, "asks", whole || !deep ? window.all_asks() : window.asks(), i);
  okx_side(w, "bids", bids, i);
  if (!deep) w.text("instId", topic.symbol);
  w.text("ts", std::to_string(event != nullptr ? event->event_ms : of_.world_.now_ms));
  if (deep) w.number("checksum", 0).number("prevSeqId", whole ? -1 : sent_[topic]);
  w.number("seqId", sequence).close('}').close(']').close('}');
  sent_[topic] = sequence;
  publish({frame_kind::depth, topic.name(), whole || !deep}, w.take());
}

void okx_connection::send_trade(const okx_topic& topic, const data_market& market,
                                const data_event& event) {
  const auto& t = *event.what;
  const auto& i = market.instrument();
  text_writer w;
  w.open('{')
      .name("arg")
      .raw(topic.arg())
      .name("data")
      .open('[')
      .open('{')
      .text("instId", topic.symbol);
  w.text("tradeId", std::to_string(t.last_id)).amount("px", t.one.price_e8, i.price_decimals);
  w.amount("sz", t.one.quantity_e8, i.quantity_decimals)
      .text("side", t.buyer_is_maker ? "sell" : "buy");
  w.text("ts", std::to_string(t.transact_ms)).text("count", "1").text("source", "0");
  w.number("seqId", static_cast<std::int64_t>(of_.sequence_of(market)))
      .close('}')
      .close(']')
      .close('}');
  publish({frame_kind::trade, topic.name(), false}, w.take());
}

void okx_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual) return;
  const auto symbol = of_.symbol_of(market.instrument());
  for (const auto& topic : topics_) {
    if (topic.symbol != symbol) continue;
    if (topic.channel == "trades") {
      if (event.what->kind == frame_kind::trade) send_trade(topic, market, event);
    } else if (event.what->kind == frame_kind::depth
               && (of_.changed(topic.channel) || event.add_crossed))
      send_book(topic, market, false, &event);
  }
}

// ---- REST
// ---------------------------------------------------------------------------------------------

data_reply okx_dialect::instruments() const {
  text_writer w;
  w.open('[');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (i.perpetual) continue;
    w.open('{')
        .text("alias", "")
        .text("baseCcy", i.base)
        .text("category", "1")
        .text("ctMult", "")
        .text("ctType", "");
    w.text("ctVal", "")
        .text("ctValCcy", "")
        .text("expTime", "")
        .text("instId", symbol_of(i))
        .text("instType", "SPOT");
    w.text("lever", "10")
        .text("listTime", "1548133413000")
        .amount("lotSz", i.step_e8, i.quantity_decimals);
    w.text("maxLmtSz", "9999999999")
        .text("maxMktSz", "1000000")
        .amount("minSz", i.step_e8, i.quantity_decimals);
    w.text("optType", "")
        .text("quoteCcy", i.quote)
        .text("settleCcy", "")
        .text("state", "live")
        .text("stk", "");
    w.amount("tickSz", i.tick_e8, i.price_decimals)
        .text("uly", "")
        .text("instFamily", "")
        .close('}');
  }
  return wrap(w.close(']').take());
}

data_reply okx_dialect::order_book(const parameters& asked) {
  const auto* market = find(asked.get("instId"));
  if (market == nullptr) return refuse("51001", "Instrument ID doesn't exist");
  const auto& window = deep_.of(*market);
  const auto size =
      static_cast<std::size_t>(std::clamp<std::int64_t>(asked.integer("sz").value_or(1), 1, 400));
  auto bids = window.all_bids(), asks = window.all_asks();
  bids.resize(std::min(bids.size(), size));
  asks.resize(std::min(asks.size(), size));
  text_writer w;
  w.open('[').open('{');
  okx_side(w, "asks", asks, market->instrument());
  okx_side(w, "bids", bids, market->instrument());
  w.text("ts", std::to_string(world_.now_ms))
      .number("seqId", static_cast<std::int64_t>(sequence_of(*market)));
  auto out = wrap(w.close('}').close(']').take());
  out.image = true;
  return out;
}

data_reply okx_dialect::candles(const parameters& asked) const {
  const auto* market = find(asked.get("instId"));
  if (market == nullptr) return refuse("51001", "Instrument ID doesn't exist");
  auto bar = asked.has("bar") ? asked.get("bar") : std::string{"1m"};
  if (bar.ends_with('H')) bar.back() = 'h';
  if (bar.ends_with("Dutc")) bar = "1d";
  const auto step = market_history::interval_ms(bar);
  if (!step) return refuse("51000", "Parameter bar error");
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(100), 1, 300));
  // "after" asks for older rows than its time, "before" for newer ones; both exclusive.
  const auto from = asked.has("before") ? asked.integer("before").value_or(0) + 1 : 0;
  const auto to = asked.has("after") ? asked.integer("after").value_or(0) - 1 : world_.now_ms;
  const auto rows = market->history().candles(*step, from, to, limit, true);
  const auto& i = market->instrument();
  text_writer w;
  w.open('[');
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    w.open('[').word(std::to_string(row->open_ms)).figure(row->open_e8, i.price_decimals);
    w.figure(row->high_e8, i.price_decimals)
        .figure(row->low_e8, i.price_decimals)
        .figure(row->close_e8, i.price_decimals);
    w.figure(row->volume_e8, i.quantity_decimals).figure(row->quote_e8, 8).figure(row->quote_e8, 8);
    w.word(row->close_ms < world_.now_ms ? "1" : "0").close(']');
  }
  return wrap(w.close(']').take());
}

std::optional<data_reply> okx_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  if (request.path == "/api/v5/public/time")
    return wrap(R"([{"ts":")" + std::to_string(world_.now_ms) + "\"}]");
  if (request.path == "/api/v5/public/instruments")
    return asked.get("instType") == "SPOT" ? instruments() : wrap("[]");
  if (request.path == "/api/v5/market/books") return order_book(asked);
  if (request.path == "/api/v5/market/candles" || request.path == "/api/v5/market/history-candles")
    return candles(asked);
  if (request.path == "/api/v5/market/history-trades") {
    const auto* market = find(asked.get("instId"));
    if (market == nullptr) return refuse("51001", "Instrument ID doesn't exist");
    return wrap(okx_past_trades(*market, asked.get("instId"), asked));
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_okx_dialect(const data_world& world) {
  return std::make_unique<okx_dialect>(world);
}

} // namespace troupe::venue_sim
