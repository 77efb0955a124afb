/// KuCoin, spot: POST /api/v1/bullet-public for a ticket, /endpoint with level2, match, ticker,
/// pings; REST symbols, level2_100, level2_20, candles, timestamp. After a recording of its socket
/// of 2021-04-25 and the venue's documents. Each row of a change has its own number.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <set>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t kucoin_ping_within_ns =
    28'000'000'000; ///< interval and time-out of the ticket
constexpr std::size_t kucoin_symbols_a_topic = 100;
constexpr std::string_view kucoin_token = "simulated+token/of=this+venue==";

/// Numbers in the shortest form.
std::string kucoin_number(std::int64_t value_e8) {
  auto text = text_e8(value_e8);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::vector<std::string> kucoin_split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

class kucoin_dialect;

class kucoin_connection final : public dialect_connection {
public:
  kucoin_connection(kucoin_dialect& of, dialect_port& port, std::string id, bool admitted)
      : of_{of}, port_{port}, id_{std::move(id)}, admitted_{admitted} {}
  void opened(std::int64_t steady_ns) override;
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override {
    if (steady_ns - pinged_ns_ < kucoin_ping_within_ns) return;
    port_.violation("no ping within the ticket's interval");
    port_.close(1000, "ping timeout");
  }

private:
  void refuse(const json_request& asked, int code, std::string_view text);
  void message(std::string_view topic, std::string_view subject, frame_kind kind,
               std::string_view data);
  void send_change(const data_market& market, const data_event& event);
  void send_trade(const data_market& market, const data_event& event);
  void send_ticker(const data_market& market, const data_event& event);

  kucoin_dialect& of_;
  dialect_port& port_;
  std::string id_;
  bool admitted_;
  std::set<std::string, std::less<>> topics_; ///< "/market/level2:BTC-USDT"
  std::int64_t pinged_ns_ = 0;
};

class kucoin_dialect final : public venue_dialect {
public:
  explicit kucoin_dialect(const data_world& world) : world_{world} {}
  [[nodiscard]] std::string_view venue() const noexcept override { return "kucoin"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + "-" + i.quote;
  }
  void on_change(const data_market& market, const data_event& event) override {
    auto& window = all_.of(market);
    changed_ = window.advance(market.book(), *event.what);
    first_ = sequence_[&market] + 1;
    sequence_[&market] += static_cast<std::int64_t>(window.bids().size() + window.asks().size())
                          + (event.add_crossed ? 1 : 0);
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    const auto found = sequence_.find(&market);
    return base + static_cast<std::uint64_t>(found == sequence_.end() ? 0 : found->second);
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view query,
                                             dialect_port& port) override {
    if (path != "/endpoint" && path != "/") return nullptr;
    const auto asked = query_of(query);
    return std::make_unique<kucoin_connection>(*this, port, asked.get("connectId"),
                                               asked.get("token") == kucoin_token);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view server) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }
  [[nodiscard]] depth_window& window(const data_market& market) const { return all_.of(market); }
  [[nodiscard]] bool changed() const { return changed_; }
  /// Number of the first row of the change that is being shown.
  [[nodiscard]] std::int64_t first() const { return static_cast<std::int64_t>(base) + first_; }

  const data_world& world_;

private:
  static constexpr std::uint64_t base = 1'600'000'000;
  static data_reply wrap(std::string data) {
    return {200, R"({"code":"200000","data":)" + std::move(data) + "}", {}, false};
  }
  static data_reply refuse(std::string_view text) {
    return {200, R"({"code":"400100","msg":")" + std::string{text} + "\"}", {}, false};
  }
  data_reply ticket(std::string_view server) const;
  data_reply symbols() const;
  data_reply image(const parameters& asked, std::size_t depth) const;
  data_reply candles(const parameters& asked) const;

  mutable depth_windows all_{1'000'000};
  std::map<const data_market*, std::int64_t> sequence_;
  std::int64_t first_ = 0;
  bool changed_ = false;
  dialect_limits limits_{.messages_per_second = 0,
                         .connects = 30,
                         .connects_s = 60,
                         .requests = 2000,
                         .requests_s = 30};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

void kucoin_connection::opened(std::int64_t steady_ns) {
  pinged_ns_ = steady_ns;
  if (!admitted_) {
    port_.violation("a socket without a valid token");
    port_.send(R"({"id":")" + id_ + R"(","type":"error","code":401,"data":"token is invalid"})");
    return port_.close(1000, "token");
  }
  port_.send(R"({"id":")" + id_ + R"(","type":"welcome"})");
}

void kucoin_connection::refuse(const json_request& asked, int code, std::string_view text) {
  text_writer w;
  port_.send(w.open('{')
                 .text("id", asked.text("/id"))
                 .text("type", "error")
                 .number("code", code)
                 .text("data", text)
                 .close('}')
                 .take());
}

void kucoin_connection::on_message(std::string_view text, std::int64_t steady_ns) {
  if (!admitted_) return;
  const json_request asked{text};
  const auto type = asked.text("/type");
  auto id = asked.raw("/id");
  if (!id.empty() && id.front() != '"') id = "\"" + id + "\"";
  if (!asked.fine()) return refuse(asked, 406, "invalid json");
  if (type == "ping") {
    pinged_ns_ = steady_ns;
    return port_.send(R"({"id":)" + id + R"(,"type":"pong","timestamp":)"
                      + std::to_string(of_.world_.now_ms) + "000}");
  }
  if (type != "subscribe" && type != "unsubscribe") return refuse(asked, 404, "unknown type");
  const auto topic = asked.text("/topic");
  const auto colon = topic.find(':');
  const auto channel = topic.substr(0, colon);
  const bool known =
      channel == "/market/level2" || channel == "/market/match" || channel == "/market/ticker";
  if (!known || colon == std::string_view::npos)
    return refuse(asked, 404, "topic " + std::string{topic} + " is not found");
  const auto symbols = kucoin_split(topic.substr(colon + 1));
  if (symbols.size() > kucoin_symbols_a_topic) {
    port_.violation("more than 100 symbols in a topic");
    return refuse(asked, 509, "exceed max subscription count limitation of 100 per time");
  }
  for (const auto& s : symbols)
    if (of_.find(s) == nullptr)
      return refuse(asked, 404, "topic " + std::string{topic} + " is not found");
  for (const auto& s : symbols) {
    const auto name = std::string{channel} + ":" + s;
    if (type == "subscribe")
      topics_.insert(name);
    else
      topics_.erase(name);
  }
  if (asked.raw("/response") == "true") port_.send(R"({"id":)" + id + R"(,"type":"ack"})");
}

void kucoin_connection::message(std::string_view topic, std::string_view subject, frame_kind kind,
                                std::string_view data) {
  text_writer w;
  w.open('{')
      .text("type", "message")
      .text("topic", topic)
      .text("subject", subject)
      .name("data")
      .raw(data)
      .close('}');
  port_.publish({kind, topic, false}, w.take());
}

void kucoin_connection::send_change(const data_market& market, const data_event& event) {
  const auto& window = of_.window(market);
  const auto symbol = of_.symbol_of(market.instrument());
  auto bids = window.bids();
  if (event.add_crossed) bids.push_back(event.crossed);
  auto number = of_.first();
  const auto rows = [&](text_writer& w, std::string_view key,
                        const std::vector<book_level>& levels) {
    w.name(key).open('[');
    for (const auto& l : levels)
      w.open('[')
          .word(kucoin_number(l.price_e8))
          .word(kucoin_number(l.quantity_e8))
          .word(std::to_string(number++))
          .close(']');
    w.close(']');
  };
  text_writer w;
  w.open('{').name("changes").open('{');
  rows(w, "asks", window.asks());
  rows(w, "bids", bids);
  w.close('}')
      .number("sequenceEnd", number - 1)
      .number("sequenceStart", of_.first())
      .text("symbol", symbol);
  message("/market/level2:" + symbol, "trade.l2update", frame_kind::depth,
          w.number("time", event.event_ms).close('}').take());
}

void kucoin_connection::send_trade(const data_market& market, const data_event& event) {
  const auto& t = *event.what;
  const auto symbol = of_.symbol_of(market.instrument());
  text_writer w;
  w.open('{').text("makerOrderId",
                   "60840e9e4a6aa40006" + std::to_string(100'000 + t.last_id % 899'999));
  w.text("price", kucoin_number(t.one.price_e8))
      .text("sequence", std::to_string(t.last_id))
      .text("side", t.buyer_is_maker ? "sell" : "buy");
  w.text("size", kucoin_number(t.one.quantity_e8)).text("symbol", symbol);
  w.text("takerOrderId", "60840e9e4a6aa40007" + std::to_string(100'000 + t.last_id % 899'999));
  w.text("time", std::to_string(t.transact_ms) + "000000")
      .text("tradeId", std::to_string(t.last_id))
      .text("type", "match")
      .close('}');
  message("/market/match:" + symbol, "trade.l3match", frame_kind::trade, w.take());
}

void kucoin_connection::send_ticker(const data_market& market, const data_event& event) {
  const auto& window = of_.window(market);
  const auto symbol = of_.symbol_of(market.instrument());
  if (window.all_bids().empty() || window.all_asks().empty()) return;
  const auto &bid = window.all_bids().front(), &ask = window.all_asks().front();
  text_writer w;
  w.open('{')
      .text("bestAsk", kucoin_number(ask.price_e8))
      .text("bestAskSize", kucoin_number(ask.quantity_e8));
  w.text("bestBid", kucoin_number(bid.price_e8))
      .text("bestBidSize", kucoin_number(bid.quantity_e8));
  w.text("price", kucoin_number(bid.price_e8))
      .text("sequence", std::to_string(of_.sequence_of(market)));
  w.text("size", kucoin_number(bid.quantity_e8)).number("time", event.event_ms).close('}');
  message("/market/ticker:" + symbol, "trade.ticker", frame_kind::book_ticker, w.take());
}

void kucoin_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual) return;
  const auto symbol = of_.symbol_of(market.instrument());
  if (event.what->kind == frame_kind::trade && topics_.contains("/market/match:" + symbol))
    send_trade(market, event);
  if (event.what->kind != frame_kind::depth || (!of_.changed() && !event.add_crossed)) return;
  if (topics_.contains("/market/level2:" + symbol)) send_change(market, event);
  if (topics_.contains("/market/ticker:" + symbol)) send_ticker(market, event);
}

// ---- REST
// ---------------------------------------------------------------------------------------------

data_reply kucoin_dialect::ticket(std::string_view server) const {
  text_writer w;
  w.open('{').text("token", kucoin_token).name("instanceServers").open('[').open('{');
  w.text("endpoint", "wss://" + std::string{server} + "/endpoint")
      .flag("encrypt", true)
      .text("protocol", "websocket");
  return wrap(w.number("pingInterval", 18'000)
                  .number("pingTimeout", 10'000)
                  .close('}')
                  .close(']')
                  .close('}')
                  .take());
}

data_reply kucoin_dialect::symbols() const {
  text_writer w;
  w.open('[');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (i.perpetual) continue;
    w.open('{')
        .text("symbol", symbol_of(i))
        .text("name", symbol_of(i))
        .text("baseCurrency", i.base)
        .text("quoteCurrency", i.quote);
    w.text("feeCurrency", i.quote)
        .text("market", "USDS")
        .text("baseMinSize", kucoin_number(i.step_e8))
        .text("quoteMinSize", "0.1");
    w.text("baseMaxSize", "10000000000")
        .text("quoteMaxSize", "99999999")
        .text("baseIncrement", kucoin_number(i.step_e8));
    w.text("quoteIncrement", "0.000001")
        .text("priceIncrement", kucoin_number(i.tick_e8))
        .text("priceLimitRate", "0.1");
    w.text("minFunds", "0.1").flag("isMarginEnabled", false).flag("enableTrading", true).close('}');
  }
  return wrap(w.close(']').take());
}

data_reply kucoin_dialect::image(const parameters& asked, std::size_t depth) const {
  const auto* market = find(asked.get("symbol"));
  if (market == nullptr) return refuse("symbol not exists");
  const auto& window = all_.of(*market);
  text_writer w;
  w.open('{').number("time", world_.now_ms).text("sequence", std::to_string(sequence_of(*market)));
  const auto rows = [&](std::string_view key, const std::vector<book_level>& levels) {
    w.name(key).open('[');
    for (std::size_t n = 0; n < std::min(depth, levels.size()); ++n)
      w.open('[')
          .word(kucoin_number(levels[n].price_e8))
          .word(kucoin_number(levels[n].quantity_e8))
          .close(']');
    w.close(']');
  };
  rows("bids", window.all_bids());
  rows("asks", window.all_asks());
  auto out = wrap(w.close('}').take());
  out.image = true;
  return out;
}

/// Newest first; rows of time, open, close, high, low, volume, turnover; times in seconds.
data_reply kucoin_dialect::candles(const parameters& asked) const {
  const auto* market = find(asked.get("symbol"));
  if (market == nullptr) return refuse("symbol not exists");
  auto name = asked.get("type");
  const auto count = name.find_first_not_of("0123456789");
  if (count == std::string::npos || count == 0) return refuse("type is invalid");
  const auto step = market_history::interval_ms(name.substr(0, count) + name[count]);
  if (!step) return refuse("type is invalid");
  const auto from = asked.integer("startAt").value_or(0) * 1000;
  const auto end = asked.integer("endAt").value_or(0);
  const auto rows =
      market->history().candles(*step, from, end == 0 ? world_.now_ms : end * 1000 - 1, 1500, true);
  text_writer w;
  w.open('[');
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    w.open('[').word(std::to_string(row->open_ms / 1000));
    for (const auto figure :
         {row->open_e8, row->close_e8, row->high_e8, row->low_e8, row->volume_e8, row->quote_e8})
      w.word(kucoin_number(figure));
    w.close(']');
  }
  return wrap(w.close(']').take());
}

std::optional<data_reply> kucoin_dialect::rest(const data_request& request,
                                               std::string_view server) {
  const auto asked = query_of(request.query);
  if (request.path == "/api/v1/bullet-public")
    return request.method == "POST" ? ticket(server) : refuse("POST is asked for");
  if (request.path == "/api/v1/timestamp") return wrap(std::to_string(world_.now_ms));
  if (request.path == "/api/v2/symbols" || request.path == "/api/v1/symbols") return symbols();
  if (request.path == "/api/v1/market/orderbook/level2_20") return image(asked, 20);
  if (request.path == "/api/v1/market/orderbook/level2_100") return image(asked, 100);
  if (request.path == "/api/v3/market/orderbook/level2")
    return data_reply{
        401,
        R"({"code":"400001","msg":"Please check the header of your request for KC-API-KEY"})",
        {},
        false};
  if (request.path == "/api/v1/market/candles") return candles(asked);
  if (request.path == "/api/v1/market/histories") {
    const auto* market = find(asked.get("symbol"));
    return market == nullptr ? refuse("symbol not exists") : wrap(kucoin_past_trades(*market));
  }
  if (request.path == "/api/v1/market/allTickers")
    return wrap(R"({"time":)" + std::to_string(world_.now_ms) + R"(,"ticker":[]})");
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_kucoin_dialect(const data_world& world) {
  return std::make_unique<kucoin_dialect>(world);
}

} // namespace troupe::venue_sim
