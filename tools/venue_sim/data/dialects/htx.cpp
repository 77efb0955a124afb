/// HTX, spot: /ws with depth.step0, trade.detail, bbo and /feed with mbp.{5,20,150,400}, requests
/// on the same socket, gzip frames, pings; REST symbols, depth, kline, timestamp. After recordings
/// of its sockets of 2021-04-17 (step0, trades) and the venue's documents.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <zlib.h>

namespace troupe::venue_sim {
namespace {

constexpr std::array<std::size_t, 4> htx_depths{5, 20, 150, 400};
constexpr std::int64_t htx_second = 1'000'000'000;
constexpr std::int64_t htx_image_every_ms = 1000;
constexpr std::int64_t htx_image_patience_ms = 500; ///< then it goes out though nothing has changed
constexpr int htx_missed_pongs = 2; ///< then the socket is cut

/// Texts as gzip frames; its tables are kept from frame to frame.
class gzip_writer {
public:
  gzip_writer() {
    constexpr int gzip_window = 15 + 16, small_tables = 5;
    ready_ = ::deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, gzip_window, small_tables, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~gzip_writer() {
    if (ready_) ::deflateEnd(&stream_);
  }
  gzip_writer(const gzip_writer&) = delete;
  gzip_writer& operator=(const gzip_writer&) = delete;

  std::string frame(std::string_view text) {
    if (!ready_ || ::deflateReset(&stream_) != Z_OK) return {};
    std::string out(::deflateBound(&stream_, static_cast<uLong>(text.size())) + 32, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const bool done = ::deflate(&stream_, Z_FINISH) == Z_STREAM_END;
    out.resize(done ? stream_.total_out : 0);
    return out;
  }

private:
  z_stream stream_{};
  bool ready_ = false;
};

void append_htx_number(std::string& out, std::int64_t value_e8) {
  append_e8(out, value_e8, 8);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out += '0';
}

std::string htx_number(std::int64_t value_e8) {
  std::string out;
  append_htx_number(out, value_e8);
  return out;
}

void htx_side(text_writer& w, std::string_view key, const std::vector<book_level>& levels) {
  w.name(key).open('[');
  for (const auto& l : levels) {
    w.open('[').raw({});
    append_htx_number(w.buffer(), l.price_e8);
    w.raw({});
    append_htx_number(w.buffer(), l.quantity_e8);
    w.close(']');
  }
  w.close(']');
}

/// "market.btcusdt.mbp.150" in parts.
struct htx_topic {
  std::string symbol;
  std::string channel;   ///< "mbp", "depth.step0", "trade.detail", "bbo"
  std::size_t depth = 0; ///< of mbp
  std::int64_t next_image_ms = 0; ///< of depth.step0, market time

  /// Its image is due; one too far ahead was planned before the venue's clock was set back.
  [[nodiscard]] bool wants_image(std::int64_t ms) const {
    return ms >= next_image_ms || ms + 3 * htx_image_every_ms < next_image_ms;
  }
};

htx_topic parse_htx_topic(std::string_view name) {
  htx_topic out;
  if (!name.starts_with("market.")) return out;
  name.remove_prefix(7);
  const auto dot = std::min(name.find('.'), name.size());
  out.symbol = name.substr(0, dot);
  const auto rest = dot < name.size() ? name.substr(dot + 1) : std::string_view{};
  for (const auto depth : htx_depths)
    if (rest == "mbp." + std::to_string(depth)) out.channel = "mbp", out.depth = depth;
  if (rest == "depth.step0" || rest == "trade.detail" || rest == "bbo") out.channel = rest;
  return out;
}

class htx_dialect;

class htx_connection final : public dialect_connection {
public:
  htx_connection(htx_dialect& of, bool feed, dialect_port& port)
      : of_{of}, feed_{feed}, port_{port} {}
  void opened(std::int64_t steady_ns) override { next_ping_ns_ = steady_ns + 5 * htx_second; }
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override;

private:
  void say(std::string_view text) { port_.send_binary(gzip_.frame(text)); }
  void refuse(const json_request& asked, std::string_view topic);
  void send_step0(const std::string& name, htx_topic& topic, const data_market& market, std::int64_t ms);
  void publish(const std::string& name, frame_kind kind, bool image, std::int64_t ms,
               std::string_view tick);
  void send_trade(const std::string& name, const data_event& event);
  void send_best(const std::string& name, const data_market& market, const data_event& event);
  void send_change(const std::string& name, std::size_t depth, const data_market& market,
                   const data_event& event);

  htx_dialect& of_;
  bool feed_;
  dialect_port& port_;
  std::map<std::string, htx_topic> topics_;
  gzip_writer gzip_;
  std::int64_t images_begun_ = 0;
  std::int64_t next_ping_ns_ = 0;
  int unanswered_ = 0;
};

class htx_dialect final : public venue_dialect {
public:
  explicit htx_dialect(const data_world& world) : world_{world} {
    for (const auto depth : htx_depths)
      windows_.emplace(depth, depth_windows{depth});
  }
  [[nodiscard]] std::string_view venue() const noexcept override { return "htx"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    auto out = i.base + i.quote;
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  }
  void on_change(const data_market& market, const data_event& event) override {
    for (auto& [depth, windows] : windows_)
      changed_[depth] = windows.advance(market, *event.what);
  }
  [[nodiscard]] static std::int64_t id_of(std::uint64_t number) {
    return 100'020'000'000 + static_cast<std::int64_t>(number) * 11;
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    return static_cast<std::uint64_t>(id_of(windows_.at(150).of(market).number()));
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/ws" && path != "/feed") return nullptr;
    return std::make_unique<htx_connection>(*this, path == "/feed", port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }
  [[nodiscard]] depth_window& window(std::size_t depth, const data_market& market) const {
    return windows_.at(depth).of(market);
  }
  [[nodiscard]] bool changed(std::size_t depth) const { return changed_.at(depth); }

  const data_world& world_;

private:
  data_reply symbols(bool settings) const;
  data_reply depth(const parameters& asked) const;
  data_reply candles(const parameters& asked) const;
  data_reply wrap(std::string data) const {
    return {200,
            R"({"status":"ok","data":)" + std::move(data) + R"(,"ts":)"
                + std::to_string(world_.now_ms) + "}",
            {},
            false};
  }
  static data_reply refuse(std::string_view code, std::string_view text) {
    text_writer w;
    return {200,
            w.open('{')
                .text("status", "error")
                .text("err-code", code)
                .text("err-msg", text)
                .name("data")
                .raw("null")
                .close('}')
                .take(),
            {},
            false};
  }

  mutable std::map<std::size_t, depth_windows> windows_;
  std::map<std::size_t, bool> changed_;
  dialect_limits limits_{.messages_per_second = 100,
                         .connects = 100,
                         .connects_s = 60,
                         .requests = 800,
                         .requests_s = 60};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

void htx_connection::refuse(const json_request& asked, std::string_view topic) {
  text_writer w;
  w.open('{').text("status", "error").number("ts", of_.world_.now_ms).text("id", asked.text("/id"));
  say(w.text("err-code", "bad-request")
          .text("err-msg", "invalid topic " + std::string{topic})
          .close('}')
          .take());
}

void htx_connection::on_message(std::string_view text, std::int64_t) {
  const json_request asked{text};
  const auto now = of_.world_.now_ms;
  if (!asked.raw("/pong").empty()) {
    unanswered_ = 0;
    return;
  }
  if (const auto ping = asked.raw("/ping"); !ping.empty()) return say(R"({"pong":)" + ping + "}");
  const auto sub = asked.text("/sub"), unsub = asked.text("/unsub"), req = asked.text("/req");
  const auto name = std::string{!sub.empty() ? sub : !unsub.empty() ? unsub : req};
  auto topic = parse_htx_topic(name);
  const auto* market = of_.find(topic.symbol);
  const bool here = (topic.channel == "mbp") == feed_; // increments live on /feed, the rest on /ws
  if (market == nullptr || topic.channel.empty() || !here) return refuse(asked, name);
  text_writer w;
  w.open('{').text("id", asked.text("/id")).text("status", "ok");
  if (!sub.empty()) {
    topics_[name] = topic;
    return say(w.text("subbed", name).number("ts", now).close('}').take());
  }
  if (!unsub.empty()) {
    topics_.erase(name);
    return say(w.text("unsubbed", name).number("ts", now).close('}').take());
  }
  if (topic.channel != "mbp") return refuse(asked, name);
  const auto& window = of_.window(topic.depth, *market);
  w.text("rep", name)
      .number("ts", now)
      .name("data")
      .open('{')
      .number("seqNum", htx_dialect::id_of(window.number()));
  htx_side(w, "bids", window.all_bids());
  htx_side(w, "asks", window.all_asks());
  port_.publish({frame_kind::depth, name, true}, gzip_.frame(w.close('}').close('}').take()), true);
}

void htx_connection::tick(std::int64_t steady_ns) {
  if (steady_ns >= next_ping_ns_) {
    next_ping_ns_ = steady_ns + 5 * htx_second;
    if (unanswered_++ >= htx_missed_pongs) {
      port_.violation("two pings were not answered");
      return port_.close(1000, "ping timeout");
    }
    say(R"({"ping":)" + std::to_string(of_.world_.now_ms) + "}");
  }
  const auto now = of_.world_.now_ms;
  for (auto& [name, topic] : topics_)
    if (topic.channel == "depth.step0" && topic.wants_image(now - htx_image_patience_ms))
      send_step0(name, topic, *of_.find(topic.symbol), now);
}

void htx_connection::publish(const std::string& name, frame_kind kind, bool image, std::int64_t ms,
                             std::string_view tick) {
  text_writer w;
  w.open('{').text("ch", name).number("ts", ms).name("tick").raw(tick);
  port_.publish({kind, name, image}, gzip_.frame(w.close('}').take()), true);
}

/// One a second and instrument, behind a change where there is one. In the recordings each instrument has its own
/// instant within the second, which is drawn with its first image here: steps of the golden section.
void htx_connection::send_step0(const std::string& name, htx_topic& topic, const data_market& market,
                                std::int64_t ms) {
  const bool first = topic.next_image_ms == 0;
  topic.next_image_ms += htx_image_every_ms;
  if (topic.next_image_ms <= ms || topic.wants_image(ms)) topic.next_image_ms = ms + htx_image_every_ms;
  if (first) topic.next_image_ms += images_begun_++ * 618 % htx_image_every_ms;
  const auto& window = of_.window(150, market);
  text_writer w;
  w.open('{');
  htx_side(w, "bids", window.all_bids());
  htx_side(w, "asks", window.all_asks());
  w.number("version", htx_dialect::id_of(window.number()))
      .number("ts", ms)
      .close('}');
  publish(name, frame_kind::depth, true, ms, w.take());
}

void htx_connection::send_change(const std::string& name, std::size_t depth,
                                 const data_market& market, const data_event& event) {
  const auto& window = of_.window(depth, market);
  auto bids = window.bids();
  if (event.add_crossed) bids.push_back(event.crossed);
  const auto number = htx_dialect::id_of(window.number());
  text_writer w;
  w.open('{').number("seqNum", number).number("prevSeqNum", number - 11);
  htx_side(w, "bids", bids);
  htx_side(w, "asks", window.asks());
  publish(name, frame_kind::depth, false, event.event_ms, w.close('}').take());
}

void htx_connection::send_trade(const std::string& name, const data_event& event) {
  const auto& t = *event.what;
  text_writer w;
  w.open('{')
      .number("id", t.last_id + 124'000'000'000)
      .number("ts", t.transact_ms)
      .name("data")
      .open('[')
      .open('{');
  w.name("id")
      .raw("12400000000" + std::to_string(100'000'000'000 + t.last_id))
      .number("ts", t.transact_ms);
  w.number("tradeId", t.last_id)
      .name("amount")
      .raw(htx_number(t.one.quantity_e8))
      .name("price")
      .raw(htx_number(t.one.price_e8));
  w.text("direction", t.buyer_is_maker ? "sell" : "buy").close('}').close(']').close('}');
  publish(name, frame_kind::trade, false, event.event_ms, w.take());
}

void htx_connection::send_best(const std::string& name, const data_market& market,
                               const data_event& event) {
  const auto& window = of_.window(150, market);
  if (window.all_bids().empty() || window.all_asks().empty()) return;
  const auto &bid = window.all_bids().front(), &ask = window.all_asks().front();
  text_writer w;
  w.open('{')
      .number("seqId", htx_dialect::id_of(window.number()))
      .name("ask")
      .raw(htx_number(ask.price_e8));
  w.name("askSize").raw(htx_number(ask.quantity_e8)).name("bid").raw(htx_number(bid.price_e8));
  w.name("bidSize").raw(htx_number(bid.quantity_e8)).number("quoteTime", event.event_ms);
  publish(name, frame_kind::book_ticker, false, event.event_ms,
          w.text("symbol", of_.symbol_of(market.instrument())).close('}').take());
}

void htx_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual) return;
  const auto symbol = of_.symbol_of(market.instrument());
  for (auto& [name, topic] : topics_) {
    if (topic.symbol != symbol) continue;
    if (event.what->kind == frame_kind::trade && topic.channel == "trade.detail")
      send_trade(name, event);
    if (event.what->kind != frame_kind::depth) continue;
    if (topic.channel == "depth.step0" && topic.wants_image(event.event_ms))
      send_step0(name, topic, market, event.event_ms);
    if (topic.channel == "bbo" && of_.changed(150)) send_best(name, market, event);
    if (topic.channel != "mbp") continue;
    // A change that is only scripted still has its own number: it follows no change of the window.
    if (of_.changed(topic.depth)) send_change(name, topic.depth, market, event);
  }
}

// ---- REST
// ---------------------------------------------------------------------------------------------

data_reply htx_dialect::symbols(bool settings) const {
  text_writer w;
  w.open('[');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (i.perpetual) continue;
    auto base = i.base, quote = i.quote;
    for (auto* text : {&base, &quote})
      std::transform(text->begin(), text->end(), text->begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    w.open('{');
    if (settings) {
      w.text("symbol", symbol_of(i))
          .text("state", "online")
          .text("bc", base)
          .text("qc", quote)
          .number("pp", i.price_decimals);
      w.number("ap", i.quantity_decimals)
          .text("sp", "main")
          .number("vp", 8)
          .name("minoa")
          .raw(htx_number(i.step_e8));
      w.name("maxoa")
          .raw("1000.0")
          .name("minov")
          .raw("10.0")
          .name("lominoa")
          .raw(htx_number(i.step_e8))
          .name("lomaxoa")
          .raw("1000.0");
      w.text("at", "enabled").text("te", "true");
    } else {
      w.text("base-currency", base)
          .text("quote-currency", quote)
          .number("price-precision", i.price_decimals);
      w.number("amount-precision", i.quantity_decimals)
          .text("symbol-partition", "main")
          .text("symbol", symbol_of(i));
      w.text("state", "online")
          .number("value-precision", 8)
          .name("min-order-amt")
          .raw(htx_number(i.step_e8));
      w.name("max-order-amt")
          .raw("1000.0")
          .name("min-order-value")
          .raw("10.0")
          .text("api-trading", "enabled");
    }
    w.close('}');
  }
  return wrap(w.close(']').take());
}

data_reply htx_dialect::depth(const parameters& asked) const {
  const auto* market = find(asked.get("symbol"));
  if (market == nullptr) return refuse("invalid-parameter", "invalid symbol");
  const auto& window = windows_.at(150).of(*market);
  text_writer w;
  w.open('{')
      .text("ch", "market." + asked.get("symbol") + ".depth.step0")
      .text("status", "ok")
      .number("ts", world_.now_ms);
  w.name("tick").open('{');
  htx_side(w, "bids", window.all_bids());
  htx_side(w, "asks", window.all_asks());
  w.number("version", id_of(window.number())).number("ts", world_.now_ms).close('}').close('}');
  return {200, w.take(), {}, true};
}

/// Newest first; "amount" is base volume, "vol" quote volume.
data_reply htx_dialect::candles(const parameters& asked) const {
  const auto* market = find(asked.get("symbol"));
  if (market == nullptr) return refuse("invalid-parameter", "invalid symbol");
  auto period = asked.get("period");
  if (period.ends_with("min")) period.resize(period.size() - 2);
  if (period == "60m") period = "1h";
  if (period == "4hour") period = "4h";
  if (period == "1day") period = "1d";
  const auto step = market_history::interval_ms(period);
  if (!step) return refuse("invalid-parameter", "invalid period");
  const auto size = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("size").value_or(150), 1, 2000));
  const auto rows = market->history().candles(*step, 0, world_.now_ms, size, true);
  text_writer w;
  w.open('[');
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    w.open('{')
        .number("id", row->open_ms / 1000)
        .name("open")
        .raw(htx_number(row->open_e8))
        .name("close")
        .raw(htx_number(row->close_e8));
    w.name("low")
        .raw(htx_number(row->low_e8))
        .name("high")
        .raw(htx_number(row->high_e8))
        .name("amount")
        .raw(htx_number(row->volume_e8));
    w.name("vol").raw(htx_number(row->quote_e8)).number("count", row->trades).close('}');
  }
  return {200,
          R"({"ch":"market.)" + asked.get("symbol") + ".kline." + asked.get("period")
              + R"(","status":"ok","ts":)" + std::to_string(world_.now_ms) + R"(,"data":)"
              + w.close(']').take() + "}",
          {},
          false};
}

std::optional<data_reply> htx_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  if (request.path == "/v1/common/timestamp") return wrap(std::to_string(world_.now_ms));
  if (request.path == "/v1/common/symbols") return symbols(false);
  if (request.path == "/v1/settings/common/market-symbols") return symbols(true);
  if (request.path.ends_with("/swap_contract_info")) return wrap("[]"); // no swaps here
  if (request.path == "/market/depth") return depth(asked);
  if (request.path == "/market/history/kline") return candles(asked);
  if (request.path == "/market/history/trade") {
    const auto* market = find(asked.get("symbol"));
    if (market == nullptr) return refuse("invalid-parameter", "invalid symbol");
    return data_reply{200, htx_past_trades(*market, asked.get("symbol"), asked, 0, world_.now_ms), {}, false};
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_htx_dialect(const data_world& world) {
  return std::make_unique<htx_dialect>(world);
}

} // namespace troupe::venue_sim
