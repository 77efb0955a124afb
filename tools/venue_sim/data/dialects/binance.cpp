/// Binance's public market data, spot and USDⓈ-M: raw and combined sockets, routed below /public
/// and /market for futures; depth, trade, aggTrade, bookTicker; REST exchangeInfo, depth, klines,
/// time. Frames as the venue's recordings have them (payloads.hpp); orders live in venue_server.

#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/payloads.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace troupe::venue_sim {
namespace {

constexpr std::size_t binance_streams = 1024;

enum class binance_route : std::uint8_t { all, public_only, market_only };

std::string binance_lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// "btcusdt@depth@100ms" in parts.
struct binance_stream {
  std::string symbol; ///< lower case
  std::string kind;   ///< "depth", "trade", "aggTrade", "bookTicker"; empty: silent
};

binance_stream parse_binance_stream(std::string_view name) {
  const auto at = name.find('@');
  if (at == std::string_view::npos) return {};
  const auto kind = name.substr(at + 1);
  binance_stream out{std::string{name.substr(0, at)}, {}};
  if (kind == "depth" || kind.starts_with("depth@")) out.kind = "depth";
  if (kind == "trade" || kind == "aggTrade" || kind == "bookTicker") out.kind = kind;
  return out;
}

class binance_dialect;

class binance_connection final : public dialect_connection {
public:
  binance_connection(binance_dialect& of, binance_route route, bool combined,
                     std::vector<std::string> streams, dialect_port& port)
      : of_{of}, port_{port}, route_{route}, combined_{combined} {
    for (auto& name : streams)
      subscribe(name);
  }
  void opened(std::int64_t) override {}
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t) override {}
  void announce_shutdown() override;

private:
  /// The streams of one market, and how its frames are written.
  struct shown_market {
    market_shape shape;
    std::vector<std::pair<std::string, binance_stream>> streams;
  };
  void subscribe(const std::string& name) {
    streams_.emplace(name, parse_binance_stream(name));
    shown_.clear();
  }
  [[nodiscard]] const shown_market& shown(const data_market& market);
  [[nodiscard]] bool carries(std::string_view kind) const {
    const bool is_public = kind == "depth" || kind == "bookTicker";
    return route_ == binance_route::all || is_public == (route_ == binance_route::public_only);
  }
  void refuse(const std::string& id, int code, std::string_view text) {
    port_.send(R"({"error":{"code":)" + std::to_string(code) + R"(,"msg":")" + std::string{text}
               + R"("},"id":)" + id + "}");
  }

  binance_dialect& of_;
  dialect_port& port_;
  binance_route route_;
  bool combined_;
  std::map<std::string, binance_stream> streams_;
  std::unordered_map<const data_market*, shown_market> shown_; ///< made when a market is first heard of
};

class binance_dialect final : public venue_dialect {
public:
  binance_dialect(const data_world& world, bool futures) : world_{world}, futures_{futures} {
    if (futures)
      limits_ = {.messages_per_second = 10,
                 .connects = 300,
                 .connects_s = 300,
                 .requests = 2400,
                 .requests_s = 60,
                 .life_s = 86'400,
                 .ping_every_s = 180};
  }
  [[nodiscard]] std::string_view venue() const noexcept override {
    return futures_ ? "binance-usdm" : "binance";
  }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + i.quote;
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    return static_cast<std::uint64_t>(market.book().id());
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view query,
                                             dialect_port& port) override;
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;
  /// Images are weighed by their depth.
  [[nodiscard]] int weight_of(const data_request& request) const override {
    if (request.path.ends_with("/aggTrades")) return futures_ ? 20 : 4;
    if (!request.path.ends_with("/depth"))
      return request.path.ends_with("/exchangeInfo") && !futures_ ? 20 : 2;
    const auto limit = query_of(request.query).integer("limit").value_or(100);
    if (futures_) return limit <= 50 ? 2 : limit <= 100 ? 5 : limit <= 500 ? 10 : 20;
    return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250;
  }

  /// The shape under which the frame writers show a market.
  [[nodiscard]] market_shape shape_of(const data_market& market) const {
    auto out = market.shape();
    out.venue = futures_ ? venue_kind::binance_usdm : venue_kind::binance_spot;
    out.symbol = symbol_of(market.instrument());
    out.base = market.instrument().base;
    out.quote = market.instrument().quote;
    return out;
  }
  [[nodiscard]] bool shows(const data_market& market) const {
    return market.instrument().perpetual == futures_;
  }
  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (shows(*m) && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }

  const data_world& world_;

private:
  data_reply exchange_info() const;
  static data_reply refuse(int code, std::string_view text) {
    return {400, error_body(code, text), {}, false};
  }

  bool futures_;
  dialect_limits limits_{.messages_per_second = 5,
                         .connects = 300,
                         .connects_s = 300,
                         .requests = 6000,
                         .requests_s = 60,
                         .life_s = 86'400,
                         .ping_every_s = 20};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

std::unique_ptr<dialect_connection>
binance_dialect::accept(std::string_view path, std::string_view query, dialect_port& port) {
  auto route = binance_route::all;
  if (futures_) {
    // A socket on the unrouted path stays open and gets only what /market carries.
    route = path.starts_with("/public") ? binance_route::public_only : binance_route::market_only;
    if (path.starts_with("/public") || path.starts_with("/market")) path.remove_prefix(7);
  }
  const bool combined = path == "/stream" || path == "/stream/";
  if (!combined && path != "/ws" && !path.starts_with("/ws/")) return nullptr;
  auto names = combined ? query_of(query).get("streams")
                        : std::string{path.substr(std::min<std::size_t>(path.size(), 4))};
  std::vector<std::string> streams;
  for (std::size_t from = 0; from < names.size();) {
    const auto end = std::min(names.find('/', from), names.size());
    if (end > from) streams.push_back(names.substr(from, end - from));
    from = end + 1;
  }
  if (streams.size() > binance_streams) return nullptr;
  return std::make_unique<binance_connection>(*this, route, combined, std::move(streams), port);
}

void binance_connection::on_message(std::string_view text, std::int64_t) {
  const json_request asked{text};
  const auto method = asked.text("/method");
  auto id = asked.raw("/id");
  if (id.empty()) id = "null";
  if (!asked.fine()) return refuse(id, 3, "Invalid JSON: expected value");
  if (method != "SUBSCRIBE" && method != "UNSUBSCRIBE" && method != "LIST_SUBSCRIPTIONS")
    return refuse(id, 2, "Invalid request: unknown variant");
  if (method == "LIST_SUBSCRIPTIONS") {
    std::string list;
    for (const auto& [name, stream] : streams_)
      list += (list.empty() ? "\"" : ",\"") + name + "\"";
    return port_.send(R"({"result":[)" + list + R"(],"id":)" + id + "}");
  }
  for (const auto& name : asked.texts("/params")) {
    if (method == "UNSUBSCRIBE") {
      streams_.erase(name);
      shown_.clear();
    } else
      subscribe(name);
  }
  if (streams_.size() > binance_streams) {
    port_.violation("more than 1024 streams on a socket");
    return port_.close(1008, "too many streams");
  }
  port_.send(R"({"result":null,"id":)" + id + "}");
}

const binance_connection::shown_market& binance_connection::shown(const data_market& market) {
  const auto [at, fresh] = shown_.try_emplace(&market);
  if (!fresh) return at->second;
  at->second.shape = of_.shape_of(market);
  const auto symbol = binance_lower(at->second.shape.symbol);
  for (const auto& stream : streams_)
    if (stream.second.symbol == symbol && carries(stream.second.kind)) at->second.streams.push_back(stream);
  return at->second;
}

void binance_connection::on_event(const data_market& market, const data_event& event) {
  if (!of_.shows(market)) return;
  const auto& [shape, streams] = shown(market);
  for (const auto& [name, stream] : streams) {
    const auto kind = event.what->kind;
    const bool wanted = kind == frame_kind::depth ? stream.kind == "depth"
                        : kind == frame_kind::book_ticker
                            ? stream.kind == "bookTicker"
                            : stream.kind == "trade" || stream.kind == "aggTrade";
    if (!wanted) continue;
    auto shown = *event.what;
    shown.event_ms = event.event_ms;
    std::vector<book_level> bids;
    if (event.add_crossed && kind == frame_kind::depth) {
      bids.assign(shown.bids.begin(), shown.bids.end());
      bids.push_back(event.crossed);
      shown.bids = bids;
    }
    auto frame = stream.kind == "aggTrade" ? aggregate_trade_frame(shown, shape)
                                           : market_frame(shown, shape);
    if (combined_) frame = combined_frame(name, frame);
    port_.publish({kind, name, false}, std::move(frame));
  }
}

void binance_connection::announce_shutdown() {
  const auto data = R"({"e":"serverShutdown","E":)" + std::to_string(of_.world_.now_ms) + "}";
  port_.send(combined_ ? combined_frame("!serverShutdown", data) : data);
}

// ---- REST
// ---------------------------------------------------------------------------------------------

/// The documents of all markets, joined: the writer makes one of one symbol.
data_reply binance_dialect::exchange_info() const {
  std::string out;
  std::string_view mark = R"("symbols":[)";
  for (const auto& m : world_.markets) {
    if (!shows(*m)) continue;
    const auto one =
        exchange_info_body(shape_of(*m), {}, world_.now_ms, limits_.requests, 100, 200'000);
    const auto from = one.find(mark);
    if (out.empty()) {
      out = one;
      continue;
    }
    const auto begin = from + mark.size();
    const auto tail =
        out.rfind(R"(],"sors")") != std::string::npos ? out.rfind(R"(],"sors")") : out.rfind(']');
    const auto one_tail =
        one.rfind(R"(],"sors")") != std::string::npos ? one.rfind(R"(],"sors")") : one.rfind(']');
    out.insert(tail, "," + one.substr(begin, one_tail - begin));
  }
  return {200, out, {}, false};
}

std::optional<data_reply> binance_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  const std::string_view root = futures_ ? "/fapi/v1/" : "/api/v3/";
  if (!request.path.starts_with(root)) return std::nullopt;
  const auto call = request.path.substr(root.size());
  if (call == "ping") return data_reply{200, "{}", {}, false};
  if (call == "time")
    return data_reply{200, R"({"serverTime":)" + std::to_string(world_.now_ms) + "}", {}, false};
  if (call == "exchangeInfo") return exchange_info();
  if (call != "depth" && call != "klines" && call != "aggTrades") return std::nullopt;
  const auto* market = find(asked.get("symbol"));
  if (market == nullptr) return refuse(-1121, "Invalid symbol.");
  if (call == "depth") {
    const auto most = futures_ ? 1000 : 5000;
    const auto limit = std::clamp<std::int64_t>(asked.integer("limit").value_or(100), 1, most);
    return data_reply{200,
                      depth_body(market->book(), shape_of(*market), static_cast<std::size_t>(limit),
                                 world_.now_ms),
                      {},
                      true};
  }
  if (call == "aggTrades") {
    const auto trades = binance_past_trades(*market, asked);
    return data_reply{200, aggregate_trades_body(trades, shape_of(*market)), {}, false};
  }
  const auto step = market_history::interval_ms(asked.get("interval"));
  if (!step) return refuse(-1120, "Invalid interval.");
  const auto limit =
      std::clamp<std::int64_t>(asked.integer("limit").value_or(500), 1, futures_ ? 1500 : 1000);
  const auto rows =
      market->history().candles(*step, asked.integer("startTime").value_or(0),
                                asked.integer("endTime").value_or(world_.now_ms),
                                static_cast<std::size_t>(limit), !asked.has("startTime"));
  return data_reply{200, candles_body(rows, shape_of(*market)), {}, false};
}

} // namespace

std::unique_ptr<venue_dialect> make_binance_dialect(const data_world& world) {
  return std::make_unique<binance_dialect>(world, false);
}

std::unique_ptr<venue_dialect> make_binance_usdm_dialect(const data_world& world) {
  return std::make_unique<binance_dialect>(world, true);
}

} // namespace troupe::venue_sim
