/// Kraken v2, public: /v2 with book (depth 10, 25, 100, 500, 1000), trade, heartbeats; REST
/// AssetPairs, Assets, Depth, OHLC, Time. After byte-exact recordings of its socket (August 2026)
/// and the venue's documents.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/iso_time.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <zlib.h>

namespace troupe::venue_sim {
namespace {

constexpr std::array<std::int64_t, 5> kraken_depths{10, 25, 100, 500, 1000};
constexpr int kraken_quantity_decimals = 8; ///< of every quantity on the wire, whatever the lot

/// Levels as bare JSON numbers.
void kraken_side(text_writer& w, std::string_view key, const std::vector<book_level>& levels,
                 const data_instrument& i) {
  w.name(key).open('[');
  for (const auto& l : levels) {
    w.open('{').name("price").raw(text_e8(l.price_e8, i.price_decimals));
    w.name("qty").raw(text_e8(l.quantity_e8, kraken_quantity_decimals)).close('}');
  }
  w.close(']');
}

/// Digits without point and leading zeros.
void append_digits(std::string& out, std::int64_t value_e8, int decimals) {
  auto text = text_e8(value_e8, decimals);
  std::erase(text, '.');
  out += text.substr(std::min(text.find_first_not_of('0'), text.size()));
}

/// CRC-32 of the best ten asks, then the best ten bids.
std::uint32_t kraken_checksum(const depth_window& window, const data_instrument& i) {
  std::string text;
  const auto add = [&](const std::vector<book_level>& side) {
    for (std::size_t n = 0; n < std::min<std::size_t>(side.size(), 10); ++n) {
      append_digits(text, side[n].price_e8, i.price_decimals);
      append_digits(text, side[n].quantity_e8, kraken_quantity_decimals);
    }
  };
  add(window.all_asks());
  add(window.all_bids());
  return static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const unsigned char*>(text.data()),
                                            static_cast<unsigned>(text.size())));
}

class kraken_dialect;

class kraken_connection final : public dialect_connection {
public:
  kraken_connection(kraken_dialect& of, dialect_port& port) : of_{of}, port_{port} {}
  void opened(std::int64_t steady_ns) override {
    next_beat_ns_ = steady_ns + 1'000'000'000;
    status("online");
  }
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  /// A heartbeat each second in which a subscription is held.
  void tick(std::int64_t steady_ns) override {
    if (steady_ns < next_beat_ns_) return;
    next_beat_ns_ = steady_ns + 1'000'000'000;
    if (!books_.empty() || !trades_.empty() || !tickers_.empty()) port_.send(R"({"channel":"heartbeat"})");
  }
  void announce_shutdown() override { status("maintenance"); }

private:
  void status(std::string_view system) {
    port_.send(R"({"channel":"status","type":"update","data":[{"version":"2.0.10","system":")"
               + std::string{system}
               + R"(","api_version":"v2","connection_id":2950167385101900187}]})");
  }
  void subscribe(const json_request& asked, bool on);
  void refuse(std::string_view method, std::string_view text, std::string_view symbol,
              const std::string& id);
  void send_book(const data_market& market, std::int64_t depth, bool whole,
                 const data_event* event);
  void send_trade(const data_market& market, const data_event& event);
  void send_ticker(const data_market& market, const data_event& event);

  kraken_dialect& of_;
  dialect_port& port_;
  std::map<std::string, std::int64_t, std::less<>> books_; ///< symbol → depth
  std::set<std::string, std::less<>> trades_;
  std::map<std::string, std::string, std::less<>> tickers_; ///< symbol → what was said last
  std::int64_t next_beat_ns_ = 0;
};

class kraken_dialect final : public venue_dialect {
public:
  explicit kraken_dialect(const data_world& world) : world_{world} {
    for (const auto depth : kraken_depths)
      windows_.emplace(depth, depth_windows{static_cast<std::size_t>(depth)});
  }
  [[nodiscard]] std::string_view venue() const noexcept override { return "kraken"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + "/" + i.quote;
  }
  void on_change(const data_market& market, const data_event& event) override {
    for (auto& [depth, windows] : windows_)
      changed_[depth] = windows.advance(market, *event.what);
  }
  /// The venue numbers nothing.
  [[nodiscard]] std::uint64_t sequence_of(const data_market&) const override { return 0; }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/v2") return nullptr;
    return std::make_unique<kraken_connection>(*this, port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }

  const data_world& world_;
  std::map<std::int64_t, depth_windows> windows_;
  std::map<std::int64_t, bool> changed_; ///< by the change that is being shown

private:
  /// By a name REST knows: "BTCUSDT", "XBTUSDT" or "BTC/USDT".
  [[nodiscard]] const data_market* find_pair(std::string_view asked) const {
    std::string pair{asked};
    std::erase(pair, '/');
    if (pair.starts_with("XBT")) pair.replace(0, 3, "BTC");
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && m->instrument().base + m->instrument().quote == pair) return m.get();
    return nullptr;
  }
  data_reply pairs() const;
  data_reply assets() const;
  data_reply depth(const parameters& asked);
  data_reply candles(const parameters& asked) const;
  static data_reply wrap(std::string result) {
    return {200, R"({"error":[],"result":)" + std::move(result) + "}", {}, false};
  }
  static data_reply refuse(std::string_view text) {
    return {200, R"({"error":[")" + std::string{text} + "\"]}", {}, false};
  }

  dialect_limits limits_{.connects = 150, .connects_s = 600, .requests = 15, .requests_s = 15};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

void kraken_connection::refuse(std::string_view method, std::string_view text,
                               std::string_view symbol, const std::string& id) {
  text_writer w;
  w.open('{').text("error", text).text("method", method);
  if (!id.empty()) w.name("req_id").raw(id);
  w.flag("success", false);
  if (!symbol.empty()) w.text("symbol", symbol);
  const auto now = iso_micros(of_.world_.now_ms);
  port_.send(w.text("time_in", now).text("time_out", now).close('}').take());
}

void kraken_connection::on_message(std::string_view text, std::int64_t) {
  const json_request asked{text};
  const auto method = asked.text("/method");
  const auto now = iso_micros(of_.world_.now_ms);
  if (method == "ping") {
    const auto id = asked.raw("/req_id");
    return port_.send(R"({"method":"pong",)" + (id.empty() ? "" : "\"req_id\":" + id + ",")
                      + R"("time_in":")" + now + R"(","time_out":")" + now + "\"}");
  }
  if (!asked.fine() || (method != "subscribe" && method != "unsubscribe"))
    return refuse("", "Malformed request", "", "");
  subscribe(asked, method == "subscribe");
}

void kraken_connection::subscribe(const json_request& asked, bool on) {
  const auto method = asked.text("/method"), channel = asked.text("/params/channel");
  const auto id = asked.raw("/req_id");
  const auto depth_text = asked.raw("/params/depth");
  const auto depth = depth_text.empty() ? 10 : std::strtoll(depth_text.c_str(), nullptr, 10);
  if (channel != "book" && channel != "trade" && channel != "ticker") return refuse(method, "Unknown channel", "", id);
  // Refused, while the socket goes on with its heartbeats.
  if (channel == "book"
      && std::find(kraken_depths.begin(), kraken_depths.end(), depth) == kraken_depths.end())
    return refuse(method, "Subscription depth not supported", "", id);
  for (const auto& symbol : asked.texts("/params/symbol")) {
    const auto* market = of_.find(symbol);
    if (market == nullptr) {
      refuse(method, "Currency pair not supported " + symbol, symbol, id);
      continue;
    }
    text_writer w;
    w.open('{').text("method", method);
    if (!id.empty()) w.name("req_id").raw(id);
    w.name("result").open('{').text("channel", channel);
    if (channel == "book") w.number("depth", depth);
    if (on) w.flag("snapshot", true);
    const auto now = iso_micros(of_.world_.now_ms);
    w.text("symbol", symbol)
        .close('}')
        .flag("success", true)
        .text("time_in", now)
        .text("time_out", now);
    port_.send(w.close('}').take());
    if (channel == "ticker") {
      if (on)
        tickers_[symbol];
      else
        tickers_.erase(symbol);
    } else if (channel == "trade") {
      if (on)
        trades_.insert(symbol);
      else
        trades_.erase(symbol);
    } else if (on) {
      books_[symbol] = depth;
      send_book(*market, depth, true, nullptr);
    } else
      books_.erase(symbol);
  }
}

void kraken_connection::send_book(const data_market& market, std::int64_t depth, bool whole,
                                  const data_event* event) {
  const auto& i = market.instrument();
  const auto symbol = of_.symbol_of(i);
  const auto& window = of_.windows_.at(depth).of(market);
  auto bids = whole ? window.all_bids() : window.bids();
  auto asks = whole ? window.all_asks() : window.asks();
  if (!whole) {
    // Levels that fall out of the window are not deleted on the wire: the client cuts them itself.
    const auto fell_out = [&](const std::vector<book_level>& all, bool bid) {
      return [&all, bid, depth](const book_level& l) {
        if (l.quantity_e8 != 0 || all.size() < static_cast<std::size_t>(depth)) return false;
        return bid ? l.price_e8 < all.back().price_e8 : l.price_e8 > all.back().price_e8;
      };
    };
    std::erase_if(bids, fell_out(window.all_bids(), true));
    std::erase_if(asks, fell_out(window.all_asks(), false));
  }
  if (event != nullptr && event->add_crossed) bids.push_back(event->crossed);
  auto checksum = kraken_checksum(window, i);
  if (event != nullptr && event->spoil_checksum) ++checksum;
  text_writer w;
  w.open('{')
      .text("channel", "book")
      .text("type", whole ? "snapshot" : "update")
      .name("data")
      .open('[')
      .open('{');
  w.text("symbol", symbol);
  kraken_side(w, "bids", bids, i);
  kraken_side(w, "asks", asks, i);
  w.number("checksum", checksum);
  w.text("timestamp", iso_micros(event != nullptr ? event->event_ms : of_.world_.now_ms));
  port_.publish({frame_kind::depth, "book:" + symbol, whole},
                w.close('}').close(']').close('}').take());
}

void kraken_connection::send_trade(const data_market& market, const data_event& event) {
  const auto& t = *event.what;
  const auto& i = market.instrument();
  const auto symbol = of_.symbol_of(i);
  text_writer w;
  w.open('{')
      .text("channel", "trade")
      .text("type", "update")
      .name("data")
      .open('[')
      .open('{')
      .text("symbol", symbol);
  w.text("side", t.buyer_is_maker ? "sell" : "buy")
      .name("price")
      .raw(text_e8(t.one.price_e8, i.price_decimals));
  w.name("qty").raw(text_e8(t.one.quantity_e8, kraken_quantity_decimals)).text("ord_type", "limit");
  w.number("trade_id", t.last_id).text("timestamp", iso_micros(t.transact_ms));
  port_.publish({frame_kind::trade, "trade:" + symbol, false},
                w.close('}').close(']').close('}').take());
}

/// With the trigger "bbo": a message with each new best bid or ask, price or size.
void kraken_connection::send_ticker(const data_market& market, const data_event& event) {
  const auto& i = market.instrument();
  const auto symbol = of_.symbol_of(i);
  const auto bid = market.book().best_bid(), ask = market.book().best_ask();
  if (!bid || !ask) return;
  const auto price = [&](std::int64_t e8) { return text_e8(e8, i.price_decimals); };
  const auto size = [](std::int64_t e8) { return text_e8(e8, kraken_quantity_decimals); };
  text_writer top;
  top.open('{').text("symbol", symbol).name("bid").raw(price(bid->price_e8)).name("bid_qty").raw(size(bid->quantity_e8));
  top.name("ask").raw(price(ask->price_e8)).name("ask_qty").raw(size(ask->quantity_e8));
  auto text = top.take();
  auto& last = tickers_.find(symbol)->second;
  if (last == text) return;
  last = text;
  text += R"(,"last":)" + price(bid->price_e8) + R"(,"volume":0,"vwap":0,"low":0,"high":0,"change":0,"change_pct":0)"
          + R"(,"timestamp":")" + iso_micros(event.event_ms) + "\"}";
  port_.publish({frame_kind::book_ticker, "ticker:" + symbol, false},
                R"({"channel":"ticker","type":"update","data":[)" + text + "]}");
}

void kraken_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual) return;
  const auto symbol = of_.symbol_of(market.instrument());
  if (event.what->kind == frame_kind::trade && trades_.contains(symbol))
    return send_trade(market, event);
  if (event.what->kind == frame_kind::depth && tickers_.contains(symbol)) send_ticker(market, event);
  const auto book = books_.find(symbol);
  if (event.what->kind != frame_kind::depth || book == books_.end()) return;
  if (of_.changed_[book->second] || event.add_crossed)
    send_book(market, book->second, false, &event);
}

// ---- REST
// ---------------------------------------------------------------------------------------------

data_reply kraken_dialect::pairs() const {
  text_writer w;
  w.open('{');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (i.perpetual) continue;
    w.name(i.base + i.quote)
        .open('{')
        .text("altname", i.base + i.quote)
        .text("wsname", symbol_of(i));
    w.text("aclass_base", "currency")
        .text("base", i.base)
        .text("aclass_quote", "currency")
        .text("quote", i.quote);
    w.text("lot", "unit").number("cost_decimals", 5).number("pair_decimals", i.price_decimals);
    w.number("lot_decimals", kraken_quantity_decimals)
        .number("lot_multiplier", 1)
        .name("leverage_buy")
        .raw("[]");
    w.name("leverage_sell")
        .raw("[]")
        .name("fees")
        .raw("[[0,0.4]]")
        .name("fees_maker")
        .raw("[[0,0.25]]");
    w.text("fee_volume_currency", "ZUSD").number("margin_call", 80).number("margin_stop", 40);
    w.amount("ordermin", i.step_e8, i.quantity_decimals).text("costmin", "0.5");
    w.amount("tick_size", i.tick_e8, i.price_decimals).text("status", "online").close('}');
  }
  return wrap(w.close('}').take());
}

data_reply kraken_dialect::assets() const {
  std::set<std::string> names;
  for (const auto& m : world_.markets)
    names.insert({m->instrument().base, m->instrument().quote});
  text_writer w;
  w.open('{');
  for (const auto& name : names) {
    w.name(name).open('{').text("aclass", "currency").text("altname", name).number("decimals", 8);
    w.number("display_decimals", 5).text("status", "enabled").close('}');
  }
  return wrap(w.close('}').take());
}

data_reply kraken_dialect::depth(const parameters& asked) {
  const auto* market = find_pair(asked.get("pair"));
  if (market == nullptr) return refuse("EQuery:Unknown asset pair");
  const auto count = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("count").value_or(100), 1, 500));
  const auto& window = windows_.at(500).of(*market);
  const auto& i = market->instrument();
  text_writer w;
  w.open('{').name(i.base + i.quote).open('{');
  const auto side = [&](std::string_view key, const std::vector<book_level>& levels) {
    w.name(key).open('[');
    for (std::size_t n = 0; n < std::min(levels.size(), count); ++n) {
      w.open('[').figure(levels[n].price_e8, i.price_decimals).figure(levels[n].quantity_e8, 3);
      w.integer(world_.now_ms / 1000).close(']');
    }
    w.close(']');
  };
  side("asks", window.all_asks());
  side("bids", window.all_bids());
  auto out = wrap(w.close('}').close('}').take());
  out.image = true;
  return out;
}

/// The newest 720 rows, whatever is asked for.
data_reply kraken_dialect::candles(const parameters& asked) const {
  const auto* market = find_pair(asked.get("pair"));
  if (market == nullptr) return refuse("EQuery:Unknown asset pair");
  const auto minutes = asked.integer("interval").value_or(1);
  if (minutes <= 0) return refuse("EGeneral:Invalid arguments");
  const auto since_ms = asked.integer("since").value_or(0) * 1000;
  const auto& i = market->instrument();
  text_writer w;
  w.open('{').name(i.base + i.quote).open('[');
  for (const auto& row :
       market->history().candles(minutes * 60'000, since_ms, world_.now_ms, 720, true)) {
    const auto vwap = row.volume_e8 == 0
                          ? 0
                          : static_cast<std::int64_t>(static_cast<wide_int>(row.quote_e8) * one_e8
                                                      / row.volume_e8);
    w.open('[')
        .integer(row.open_ms / 1000)
        .figure(row.open_e8, i.price_decimals)
        .figure(row.high_e8, i.price_decimals);
    w.figure(row.low_e8, i.price_decimals)
        .figure(row.close_e8, i.price_decimals)
        .figure(vwap, i.price_decimals);
    w.figure(row.volume_e8, kraken_quantity_decimals).integer(row.trades).close(']');
  }
  return wrap(w.close(']').number("last", world_.now_ms / 1000).close('}').take());
}

std::optional<data_reply> kraken_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  if (request.path == "/0/public/Time")
    return wrap(R"({"unixtime":)" + std::to_string(world_.now_ms / 1000) + R"(})");
  if (request.path == "/0/public/AssetPairs") return pairs();
  if (request.path == "/0/public/Assets") return assets();
  if (request.path == "/0/public/Depth") return depth(asked);
  if (request.path == "/0/public/OHLC") return candles(asked);
  if (request.path == "/0/public/Trades") {
    const auto* market = find_pair(asked.get("pair"));
    if (market == nullptr) return refuse("EQuery:Unknown asset pair");
    return wrap(kraken_past_trades(*market, market->instrument().base + market->instrument().quote, asked));
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_kraken_dialect(const data_world& world) {
  return std::make_unique<kraken_dialect>(world);
}

} // namespace troupe::venue_sim
