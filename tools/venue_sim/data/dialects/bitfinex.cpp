/// Bitfinex v2, public: /ws/2 with book (P0, F0, lengths 25, 100, 250), trades, conf flags
/// TIMESTAMP, SEQ_ALL, OB_CHECKSUM; REST conf, book, candles, platform status. After recordings of
/// its socket of 2021-04-17 and 2025-08-15. A row a message.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <array>
#include <zlib.h>

namespace troupe::venue_sim {
namespace {

constexpr std::array<std::size_t, 3> bitfinex_lengths{25, 100, 250};
constexpr std::int64_t flag_timestamp = 32'768, flag_sequence = 65'536, flag_checksum = 131'072;
constexpr std::size_t channels_a_socket = 25;
constexpr std::int64_t bitfinex_beat_ns = 15'000'000'000;

/// Numbers in the shortest form.
std::string bitfinex_number(std::int64_t value_e8, bool negative = false) {
  auto text = text_e8(value_e8);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return negative ? "-" + text : text;
}

/// "price,count,amount"; amount below zero is an ask. A level without quantity is deleted by count
/// 0.
std::string bitfinex_row(const book_level& l, bool bid) {
  const bool gone = l.quantity_e8 == 0;
  return "[" + bitfinex_number(l.price_e8) + "," + (gone ? "0" : "1") + ","
         + bitfinex_number(gone ? one_e8 : l.quantity_e8, !bid) + "]";
}

/// Signed CRC-32 of the best 25 levels, bid and ask in turn, price:amount.
std::int32_t bitfinex_checksum(const depth_window& window) {
  std::string text;
  const auto add = [&](const std::vector<book_level>& side, std::size_t n, bool bid) {
    if (n >= side.size()) return;
    if (!text.empty()) text += ':';
    text += bitfinex_number(side[n].price_e8) + ":" + bitfinex_number(side[n].quantity_e8, !bid);
  };
  for (std::size_t n = 0; n < 25; ++n) {
    add(window.all_bids(), n, true);
    add(window.all_asks(), n, false);
  }
  return static_cast<std::int32_t>(::crc32(0, reinterpret_cast<const unsigned char*>(text.data()),
                                           static_cast<unsigned>(text.size())));
}

class bitfinex_dialect;

class bitfinex_connection final : public dialect_connection {
public:
  bitfinex_connection(bitfinex_dialect& of, dialect_port& port) : of_{of}, port_{port} {}
  void opened(std::int64_t) override { info(1); }
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override;
  void announce_shutdown() override {
    port_.send(
        R"-({"event":"info","code":20051,"msg":"Stop/Restart Websocket Server (please reconnect)"})-");
  }

private:
  struct channel {
    const data_market* market = nullptr;
    std::string name; ///< "book", "trades" or "ticker"
    std::size_t length = 25;
    std::int64_t quiet_since_ns = 0;
    std::string said; ///< of a ticker: what it said last
  };

  void info(int status) {
    port_.send(
        R"({"event":"info","version":2,"serverId":"083bd8d4-aca7-4690-a573-eabfc8103de8","platform":{"status":)"
        + std::to_string(status) + "}}");
  }
  void subscribe(const json_request& asked);
  void unsubscribe(const json_request& asked);
  void refuse(int code, std::string_view text, const json_request& asked);
  /// [id,body] and what the flags add.
  std::string array(std::int64_t id, std::string_view body, std::int64_t ms);
  void publish_row(std::int64_t id, channel& c, std::string_view row, std::int64_t ms);
  void send_changes(std::int64_t id, channel& c, const data_event& event);
  void send_trade(std::int64_t id, channel& c, const data_event& event);
  void send_ticker(std::int64_t id, channel& c, std::int64_t ms);

  bitfinex_dialect& of_;
  dialect_port& port_;
  std::map<std::int64_t, channel> channels_;
  std::int64_t flags_ = 0;
  std::int64_t sequence_ = 0;
  std::int64_t next_id_ = 225'100;
  std::int64_t now_ns_ = 0;
};

class bitfinex_dialect final : public venue_dialect {
public:
  explicit bitfinex_dialect(const data_world& world) : world_{world} {
    for (const auto length : bitfinex_lengths)
      windows_.emplace(length, depth_windows{length});
  }
  [[nodiscard]] std::string_view venue() const noexcept override { return "bitfinex"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  /// Tether is written UST; codes longer than three letters are parted by a colon.
  [[nodiscard]] static std::string pair_of(const data_instrument& i) {
    const auto code = [](const std::string& name) {
      return name == "USDT" ? std::string{"UST"} : name;
    };
    const auto base = code(i.base), quote = code(i.quote);
    return base.size() > 3 || quote.size() > 3 ? base + ":" + quote : base + quote;
  }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return "t" + pair_of(i);
  }
  void on_change(const data_market& market, const data_event& event) override {
    for (auto& [length, windows] : windows_)
      changed_[length] = windows.advance(market, *event.what);
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market&) const override { return 0; }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/ws/2") return nullptr;
    return std::make_unique<bitfinex_connection>(*this, port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }

  const data_world& world_;
  std::map<std::size_t, depth_windows> windows_;
  std::map<std::size_t, bool> changed_;

private:
  data_reply conf(std::string_view labels) const;
  data_reply tickers() const;
  data_reply book(std::string_view symbol, const parameters& asked);
  data_reply candles(std::string_view key, const parameters& asked) const;
  static data_reply refuse(std::string_view text) {
    return {500, R"(["error",10020,")" + std::string{text} + "\"]", {}, false};
  }

  dialect_limits limits_{.connects = 20, .connects_s = 60, .requests = 90, .requests_s = 60};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

void bitfinex_connection::refuse(int code, std::string_view text, const json_request& asked) {
  text_writer w;
  w.open('{')
      .text("event", "error")
      .text("msg", text)
      .number("code", code)
      .text("channel", asked.text("/channel"));
  port_.send(w.text("symbol", asked.text("/symbol")).close('}').take());
}

void bitfinex_connection::on_message(std::string_view text, std::int64_t steady_ns) {
  now_ns_ = steady_ns;
  const json_request asked{text};
  const auto event = asked.text("/event");
  if (!asked.fine()) return refuse(10000, "Unknown event", asked);
  if (event == "ping")
    return port_.send(R"({"event":"pong","ts":)" + std::to_string(of_.world_.now_ms) + "}");
  if (event == "conf") {
    const auto flags = asked.raw("/flags");
    flags_ = flags.empty() ? 0 : std::strtoll(flags.c_str(), nullptr, 10);
    return port_.send(R"({"event":"conf","status":"OK","flags":)" + std::to_string(flags_) + "}");
  }
  if (event == "subscribe") return subscribe(asked);
  if (event == "unsubscribe") return unsubscribe(asked);
  refuse(10000, "Unknown event", asked);
}

std::string bitfinex_connection::array(std::int64_t id, std::string_view body, std::int64_t ms) {
  auto out = "[" + std::to_string(id) + "," + std::string{body};
  if (flags_ & flag_sequence) out += "," + std::to_string(++sequence_);
  if (flags_ & flag_timestamp) out += "," + std::to_string(ms);
  return out + "]";
}

void bitfinex_connection::subscribe(const json_request& asked) {
  const auto name = asked.text("/channel"), symbol = asked.text("/symbol");
  const auto* market = of_.find(symbol);
  if (name != "book" && name != "trades" && name != "ticker")
    return refuse(10300, "Subscription failed (unknown channel)", asked);
  if (market == nullptr) return refuse(10300, "symbol: invalid", asked);
  if (channels_.size() >= channels_a_socket) {
    port_.violation("more than 25 channels on a socket");
    return refuse(10305, "Reached limit of open channels", asked);
  }
  for (const auto& [id, held] : channels_)
    if (held.market == market && held.name == name) return refuse(10301, "subscribe: dup", asked);
  auto length_text = asked.raw("/len");
  std::erase(length_text, '"');
  const auto length =
      length_text.empty()
          ? 25
          : static_cast<std::size_t>(std::strtoull(length_text.c_str(), nullptr, 10));
  if (std::find(bitfinex_lengths.begin(), bitfinex_lengths.end(), length) == bitfinex_lengths.end())
    return refuse(10300, "len: invalid", asked);
  const auto id = next_id_ += 17;
  auto& c = channels_[id] = {market, std::string{name}, length, now_ns_, {}};
  text_writer w;
  w.open('{')
      .text("event", "subscribed")
      .text("channel", name)
      .number("chanId", id)
      .text("symbol", symbol);
  if (name == "book") w.text("prec", "P0").text("freq", "F0").text("len", std::to_string(length));
  port_.send(w.text("pair", symbol.substr(1)).close('}').take());
  if (name == "ticker") return send_ticker(id, c, of_.world_.now_ms);
  std::string rows;
  if (name == "book") {
    const auto& window = of_.windows_.at(length).of(*market);
    for (const bool bid : {true, false})
      for (const auto& l : bid ? window.all_bids() : window.all_asks())
        rows += (rows.empty() ? "" : ",") + bitfinex_row(l, bid);
  } else
    for (const auto& t : market->history().newest(30))
      rows.insert(0, "[" + std::to_string(t.id) + "," + std::to_string(t.time_ms) + ","
                         + bitfinex_number(t.quantity_e8, t.buyer_is_maker) + ","
                         + bitfinex_number(t.price_e8) + "]" + (rows.empty() ? "" : ","));
  port_.publish({c.name == "book" ? frame_kind::depth : frame_kind::trade,
                 c.name + ":" + std::string{symbol}, true},
                array(id, "[" + rows + "]", of_.world_.now_ms));
}

void bitfinex_connection::unsubscribe(const json_request& asked) {
  const auto text = asked.raw("/chanId");
  const auto id = text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
  if (channels_.erase(id) == 0) return refuse(10400, "unsubscribe: invalid", asked);
  port_.send(R"({"event":"unsubscribed","status":"OK","chanId":)" + text + "}");
}

void bitfinex_connection::tick(std::int64_t steady_ns) {
  now_ns_ = steady_ns;
  for (auto& [id, c] : channels_)
    if (steady_ns - c.quiet_since_ns >= bitfinex_beat_ns) {
      c.quiet_since_ns = steady_ns;
      port_.send(array(id, "\"hb\"", of_.world_.now_ms));
    }
}

void bitfinex_connection::publish_row(std::int64_t id, channel& c, std::string_view row,
                                      std::int64_t ms) {
  c.quiet_since_ns = now_ns_;
  port_.publish({frame_kind::depth, "book:" + of_.symbol_of(c.market->instrument()), false},
                array(id, row, ms));
}

/// What leaves goes first, so that a book is never crossed between two rows.
void bitfinex_connection::send_changes(std::int64_t id, channel& c, const data_event& event) {
  const auto& window = of_.windows_.at(c.length).of(*c.market);
  for (const bool gone : {true, false})
    for (const bool bid : {true, false})
      for (const auto& l : bid ? window.bids() : window.asks())
        if ((l.quantity_e8 == 0) == gone) publish_row(id, c, bitfinex_row(l, bid), event.event_ms);
  if (event.add_crossed) publish_row(id, c, bitfinex_row(event.crossed, true), event.event_ms);
  if ((flags_ & flag_checksum) == 0) return;
  const auto sum = bitfinex_checksum(window) + (event.spoil_checksum ? 1 : 0);
  port_.send(array(id, "\"cs\"," + std::to_string(sum), event.event_ms));
}

void bitfinex_connection::send_trade(std::int64_t id, channel& c, const data_event& event) {
  const auto& t = *event.what;
  const auto body = "[" + std::to_string(t.last_id) + "," + std::to_string(t.transact_ms) + ","
                    + bitfinex_number(t.one.quantity_e8, t.buyer_is_maker) + ","
                    + bitfinex_number(t.one.price_e8) + "]";
  c.quiet_since_ns = now_ns_;
  const auto topic = "trades:" + of_.symbol_of(c.market->instrument());
  for (const std::string_view kind : {"\"te\",", "\"tu\","})
    port_.publish({frame_kind::trade, topic, false},
                  array(id, std::string{kind} + body, event.event_ms));
}

/// Bid, sum of the 25 best bids' sizes, ask, the same of the asks, change, relative change, last, volume, high, low.
void bitfinex_connection::send_ticker(std::int64_t id, channel& c, std::int64_t ms) {
  const auto& window = of_.windows_.at(25).of(*c.market);
  if (window.all_bids().empty() || window.all_asks().empty()) return;
  const auto side = [](const std::vector<book_level>& levels) {
    std::int64_t sum = 0;
    for (std::size_t n = 0; n < std::min<std::size_t>(25, levels.size()); ++n) sum += levels[n].quantity_e8;
    return bitfinex_number(levels.front().price_e8) + "," + bitfinex_number(sum);
  };
  auto body = "[" + side(window.all_bids()) + "," + side(window.all_asks()) + ",0,0,"
              + bitfinex_number(window.all_bids().front().price_e8) + ",0,0,0]";
  if (body == c.said) return;
  c.said = body;
  c.quiet_since_ns = now_ns_;
  port_.publish({frame_kind::book_ticker, "ticker:" + of_.symbol_of(c.market->instrument()), false},
                array(id, body, ms));
}

void bitfinex_connection::on_event(const data_market& market, const data_event& event) {
  for (auto& [id, c] : channels_) {
    if (c.market != &market) continue;
    if (c.name == "trades" && event.what->kind == frame_kind::trade) send_trade(id, c, event);
    if (c.name == "book" && event.what->kind == frame_kind::depth
        && (of_.changed_[c.length] || event.add_crossed))
      send_changes(id, c, event);
    // The venue's ticker comes every so often, not with each change.
    if (c.name == "ticker" && event.what->kind == frame_kind::trade) send_ticker(id, c, event.event_ms);
  }
}

// ---- REST
// ---------------------------------------------------------------------------------------------

/// /v2/conf/pub:info:pair,…: one list a label, in their order.
data_reply bitfinex_dialect::conf(std::string_view labels) const {
  std::string out = "[";
  while (!labels.empty()) {
    const auto comma = std::min(labels.find(','), labels.size());
    const auto label = labels.substr(0, comma);
    if (out.size() > 1) out += ',';
    std::string list;
    for (const auto& m : world_.markets) {
      if (m->instrument().perpetual) continue;
      const auto pair = pair_of(m->instrument());
      if (!list.empty()) list += ',';
      if (label == "pub:info:pair")
        list += R"([")" + pair + R"(",[null,null,null,")" + bitfinex_number(m->instrument().step_e8)
                + R"(","2000.0",null,null,null,null,null,null,null]])";
      if (label == "pub:list:pair:exchange") list += "\"" + pair + "\"";
    }
    const bool known = label == "pub:info:pair" || label == "pub:list:pair:exchange";
    out += "[" + (known ? list : std::string{}) + "]";
    labels.remove_prefix(std::min(comma + 1, labels.size()));
  }
  return {200, out + "]", {}, false};
}

/// Rows of symbol, bid, its size, ask, its size, change, relative change, last, volume, high, low.
data_reply bitfinex_dialect::tickers() const {
  std::string out;
  for (const auto& m : world_.markets) {
    const auto bid = m->book().best_bid(), ask = m->book().best_ask();
    if (m->instrument().perpetual || !bid || !ask) continue;
    out += (out.empty() ? "[\"" : ",[\"") + symbol_of(m->instrument()) + "\"";
    for (const auto figure : {bid->price_e8, bid->quantity_e8, ask->price_e8, ask->quantity_e8})
      out += "," + bitfinex_number(figure);
    out += ",0,0," + bitfinex_number(bid->price_e8) + ",1," + bitfinex_number(ask->price_e8) + ","
           + bitfinex_number(bid->price_e8) + "]";
  }
  return {200, "[" + out + "]", {}, false};
}

data_reply bitfinex_dialect::book(std::string_view symbol, const parameters& asked) {
  const auto* market = find(symbol);
  if (market == nullptr) return refuse("symbol: invalid");
  const auto length = static_cast<std::size_t>(asked.integer("len").value_or(25));
  const auto& window = windows_.at(length == 100 ? 100 : 25).of(*market);
  std::string rows;
  for (const bool bid : {true, false})
    for (const auto& l : bid ? window.all_bids() : window.all_asks())
      rows += (rows.empty() ? "" : ",") + bitfinex_row(l, bid);
  return {200, "[" + rows + "]", {}, true};
}

/// trade:1m:tBTCUSD; rows of time, open, close, high, low, volume.
data_reply bitfinex_dialect::candles(std::string_view key, const parameters& asked) const {
  const auto first = key.find(':'), second = key.find(':', first + 1);
  if (second == std::string_view::npos) return refuse("key: invalid");
  auto interval = std::string{key.substr(first + 1, second - first - 1)};
  if (interval == "1D") interval = "1d";
  const auto* market = find(key.substr(second + 1));
  const auto step = market_history::interval_ms(interval);
  if (market == nullptr || !step) return refuse("key: invalid");
  const bool oldest_first = asked.get("sort") == "1";
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(100), 1, 10'000));
  auto rows =
      market->history().candles(*step, asked.integer("start").value_or(0),
                                asked.integer("end").value_or(world_.now_ms), limit, !oldest_first);
  if (!oldest_first) std::reverse(rows.begin(), rows.end());
  std::string out;
  for (const auto& row : rows) {
    out += (out.empty() ? "[" : ",[") + std::to_string(row.open_ms);
    for (const auto figure : {row.open_e8, row.close_e8, row.high_e8, row.low_e8, row.volume_e8})
      out += "," + bitfinex_number(figure);
    out += "]";
  }
  return {200, "[" + out + "]", {}, false};
}

std::optional<data_reply> bitfinex_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  auto path = request.path;
  const auto below = [&](std::string_view root) {
    if (!path.starts_with(root)) return false;
    path.remove_prefix(root.size());
    return true;
  };
  if (path == "/v2/platform/status") return data_reply{200, "[1]", {}, false};
  if (path == "/v2/tickers") return tickers();
  if (below("/v2/conf/")) return conf(path);
  if (below("/v2/book/")) return book(path.substr(0, path.find('/')), asked);
  if (below("/v2/candles/") && path.ends_with("/hist"))
    return candles(path.substr(0, path.size() - 5), asked);
  if (below("/v2/trades/") && path.ends_with("/hist")) {
    const auto* market = find(path.substr(0, path.size() - 5));
    if (market == nullptr) return refuse("symbol: invalid");
    return data_reply{200, bitfinex_past_trades(*market, asked), {}, false};
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_bitfinex_dialect(const data_world& world) {
  return std::make_unique<bitfinex_dialect>(world);
}

} // namespace troupe::venue_sim
