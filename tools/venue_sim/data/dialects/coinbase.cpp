/// Coinbase Advanced Trade, public: the socket's root path with level2 (delivered as l2_data),
/// market_trades, ticker, heartbeats; REST products, product_book, candles, time. After the venue's
/// documents (state of July 2026). sequence_num counts all messages of a connection from 0.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/iso_time.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <set>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t coinbase_second = 1'000'000'000;
constexpr std::int64_t coinbase_subscribe_within = 5 * coinbase_second;

/// Ten digits behind the point of a second, as the venue writes them.
std::string coinbase_time(std::int64_t ms) {
  auto text = iso_time(ms, 6);
  text.insert(text.size() - 1, "000");
  return text;
}

class coinbase_dialect;

class coinbase_connection final : public dialect_connection {
public:
  coinbase_connection(coinbase_dialect& of, dialect_port& port) : of_{of}, port_{port} {}
  void opened(std::int64_t steady_ns) override { opened_ns_ = steady_ns; }
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override;

private:
  std::string frame(std::string_view channel, std::int64_t ms, std::string_view events);
  void subscribe(std::string_view channel, const std::vector<std::string>& products, bool on);
  void confirm();
  void send_book(const data_market& market, bool whole, const data_event* event);
  void send_trade(const data_market& market, const data_event& event);
  void send_ticker(const data_market& market, const data_event& event);

  coinbase_dialect& of_;
  dialect_port& port_;
  std::map<std::string, std::set<std::string>, std::less<>> channels_;
  std::uint64_t sequence_ = 0;
  std::uint64_t beats_ = 0;
  std::int64_t opened_ns_ = 0;
  std::int64_t next_beat_ns_ = 0;
};

class coinbase_dialect final : public venue_dialect {
public:
  explicit coinbase_dialect(const data_world& world) : world_{world} {}
  [[nodiscard]] std::string_view venue() const noexcept override { return "coinbase"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + "-" + i.quote;
  }
  void on_change(const data_market& market, const data_event& event) override {
    changed_ = all_.of(market).advance(market.book(), *event.what);
  }
  /// The venue numbers connections, not books.
  [[nodiscard]] std::uint64_t sequence_of(const data_market&) const override { return 0; }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/") return nullptr;
    return std::make_unique<coinbase_connection>(*this, port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (!m->instrument().perpetual && symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }
  [[nodiscard]] depth_window& window(const data_market& market) const { return all_.of(market); }
  [[nodiscard]] bool changed() const { return changed_; }

  const data_world& world_;

private:
  [[nodiscard]] std::string product(const data_market& market) const;
  data_reply products(const parameters& asked) const;
  data_reply book(const parameters& asked) const;
  data_reply candles(std::string_view product, const parameters& asked) const;
  static data_reply refuse() {
    return {
        404,
        R"({"error":"NOT_FOUND","error_details":"valid product_id is required","message":"valid product_id is required"})",
        {},
        false};
  }

  mutable depth_windows all_{1'000'000};
  bool changed_ = false;
  dialect_limits limits_{
      .messages_per_second = 8, .connects = 8, .connects_s = 1, .requests = 10, .requests_s = 1};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

std::string coinbase_connection::frame(std::string_view channel, std::int64_t ms,
                                       std::string_view events) {
  text_writer w;
  w.open('{').text("channel", channel).text("client_id", "").text("timestamp", coinbase_time(ms));
  w.number("sequence_num", static_cast<std::int64_t>(sequence_++)).name("events").raw(events);
  return w.close('}').take();
}

void coinbase_connection::on_message(std::string_view text, std::int64_t steady_ns) {
  const json_request asked{text};
  const auto type = asked.text("/type"), channel = asked.text("/channel");
  if (!asked.fine() || (type != "subscribe" && type != "unsubscribe") || channel.empty())
    return port_.send(R"({"type":"error","message":"failure to subscribe: malformed message"})");
  const bool known = channel == "level2" || channel == "market_trades" || channel == "ticker"
                     || channel == "heartbeats";
  if (!known)
    return port_.send(R"({"type":"error","message":"channel )" + std::string{channel}
                      + R"( is not supported"})");
  const auto products = asked.texts("/product_ids");
  for (const auto& p : products)
    if (of_.find(p) == nullptr)
      return port_.send(R"({"type":"error","message":"invalid product_id: )" + p + "\"}");
  if (products.empty() && channel != "heartbeats")
    return port_.send(R"({"type":"error","message":"product_ids must be named"})");
  if (channel == "heartbeats") next_beat_ns_ = steady_ns + coinbase_second;
  subscribe(channel, products, type == "subscribe");
}

void coinbase_connection::subscribe(std::string_view channel,
                                    const std::vector<std::string>& products, bool on) {
  auto& held = channels_[std::string{channel}];
  if (channel == "heartbeats" && on) held.insert("heartbeats");
  for (const auto& p : products) {
    if (!on)
      held.erase(p);
    else if (held.insert(p).second && channel == "level2")
      send_book(*of_.find(p), true, nullptr);
  }
  if (held.empty()) channels_.erase(std::string{channel});
  confirm();
}

void coinbase_connection::confirm() {
  text_writer w;
  w.open('[').open('{').name("subscriptions").open('{');
  for (const auto& [channel, products] : channels_) {
    w.name(channel).open('[');
    for (const auto& p : products)
      w.word(p);
    w.close(']');
  }
  port_.send(frame("subscriptions", of_.world_.now_ms, w.close('}').close('}').close(']').take()));
}

void coinbase_connection::tick(std::int64_t steady_ns) {
  if (channels_.empty() && steady_ns - opened_ns_ > coinbase_subscribe_within) {
    port_.violation("no subscription within 5 s");
    return port_.close(1008, "no subscription");
  }
  if (next_beat_ns_ == 0 || steady_ns < next_beat_ns_ || !channels_.contains("heartbeats")) return;
  next_beat_ns_ = steady_ns + coinbase_second;
  port_.send(frame("heartbeats", of_.world_.now_ms,
                   R"([{"current_time":")" + coinbase_time(of_.world_.now_ms)
                       + R"(","heartbeat_counter":")" + std::to_string(++beats_) + "\"}]"));
}

void coinbase_connection::send_book(const data_market& market, bool whole,
                                    const data_event* event) {
  const auto& i = market.instrument();
  const auto& window = of_.window(market);
  const auto at = event != nullptr ? event->event_ms : of_.world_.now_ms;
  const auto time = whole ? std::string{"1970-01-01T00:00:00Z"} : iso_micros(at);
  text_writer w;
  w.open('[')
      .open('{')
      .text("type", whole ? "snapshot" : "update")
      .text("product_id", of_.symbol_of(i));
  w.name("updates").open('[');
  const auto rows = [&](std::string_view side, const std::vector<book_level>& levels) {
    for (const auto& l : levels) {
      w.open('{')
          .text("side", side)
          .text("event_time", time)
          .amount("price_level", l.price_e8, i.price_decimals);
      w.amount("new_quantity", l.quantity_e8, l.quantity_e8 == 0 ? 0 : i.quantity_decimals)
          .close('}');
    }
  };
  rows("bid", whole ? window.all_bids() : window.bids());
  if (event != nullptr && event->add_crossed) rows("bid", {event->crossed});
  rows("offer", whole ? window.all_asks() : window.asks());
  w.close(']').close('}').close(']');
  port_.publish({frame_kind::depth, "level2:" + of_.symbol_of(i), whole},
                frame("l2_data", at, w.take()));
}

void coinbase_connection::send_trade(const data_market& market, const data_event& event) {
  const auto& t = *event.what;
  const auto& i = market.instrument();
  text_writer w;
  w.open('[').open('{').text("type", "update").name("trades").open('[').open('{');
  w.text("product_id", of_.symbol_of(i))
      .text("trade_id", std::to_string(t.last_id))
      .amount("price", t.one.price_e8, i.price_decimals);
  w.amount("size", t.one.quantity_e8, i.quantity_decimals).text("time", iso_micros(t.transact_ms));
  w.text("side", t.buyer_is_maker ? "BUY" : "SELL").close('}').close(']').close('}').close(']');
  port_.publish({frame_kind::trade, "market_trades:" + of_.symbol_of(i), false},
                frame("market_trades", event.event_ms, w.take()));
}

void coinbase_connection::send_ticker(const data_market& market, const data_event& event) {
  const auto& i = market.instrument();
  const auto& window = of_.window(market);
  if (window.all_bids().empty() || window.all_asks().empty()) return;
  const auto &bid = window.all_bids().front(), &ask = window.all_asks().front();
  text_writer w;
  w.open('[')
      .open('{')
      .text("type", "update")
      .name("tickers")
      .open('[')
      .open('{')
      .text("type", "ticker");
  w.text("product_id", of_.symbol_of(i))
      .amount("price", event.what->one.price_e8, i.price_decimals);
  w.amount("best_bid", bid.price_e8, i.price_decimals)
      .amount("best_bid_quantity", bid.quantity_e8, i.quantity_decimals);
  w.amount("best_ask", ask.price_e8, i.price_decimals)
      .amount("best_ask_quantity", ask.quantity_e8, i.quantity_decimals);
  w.close('}').close(']').close('}').close(']');
  port_.publish({frame_kind::book_ticker, "ticker:" + of_.symbol_of(i), false},
                frame("ticker", event.event_ms, w.take()));
}

void coinbase_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual) return;
  const auto symbol = of_.symbol_of(market.instrument());
  const auto has = [&](std::string_view channel) {
    const auto held = channels_.find(channel);
    return held != channels_.end() && held->second.contains(symbol);
  };
  if (event.what->kind == frame_kind::trade) {
    if (has("market_trades")) send_trade(market, event);
    if (has("ticker")) send_ticker(market, event); // the venue's ticker moves with trades
    return;
  }
  if (event.what->kind == frame_kind::depth && has("level2")
      && (of_.changed() || event.add_crossed))
    send_book(market, false, &event);
}

// ---- REST
// ---------------------------------------------------------------------------------------------

std::string coinbase_dialect::product(const data_market& market) const {
  const auto& i = market.instrument();
  const auto last = market.book().best_bid();
  text_writer w;
  w.open('{')
      .text("product_id", symbol_of(i))
      .amount("price", last ? last->price_e8 : 0, i.price_decimals);
  w.text("base_increment", text_e8(i.step_e8, i.quantity_decimals))
      .amount("quote_increment", i.tick_e8, i.price_decimals);
  w.text("quote_min_size", "1")
      .text("quote_max_size", "150000000")
      .text("base_min_size", text_e8(i.step_e8, i.quantity_decimals));
  w.text("base_max_size", "3400")
      .text("base_name", i.base)
      .text("quote_name", i.quote)
      .flag("watched", false);
  w.flag("is_disabled", false)
      .flag("new", false)
      .text("status", "online")
      .flag("cancel_only", false);
  w.flag("limit_only", false)
      .flag("post_only", false)
      .flag("trading_disabled", false)
      .flag("auction_mode", false);
  w.text("product_type", "SPOT")
      .text("quote_currency_id", i.quote)
      .text("base_currency_id", i.base);
  w.text("price_increment", text_e8(i.tick_e8, i.price_decimals))
      .text("display_name", symbol_of(i))
      .flag("view_only", false);
  return w.text("alias", "").name("alias_to").raw("[]").close('}').take();
}

data_reply coinbase_dialect::products(const parameters& asked) const {
  std::string list;
  int count = 0;
  if (!asked.has("product_type") || asked.get("product_type") == "SPOT")
    for (const auto& m : world_.markets) {
      if (m->instrument().perpetual) continue;
      if (count++ != 0) list += ',';
      list += product(*m);
    }
  return {200,
          R"({"products":[)" + list + R"(],"num_products":)" + std::to_string(count) + "}",
          {},
          false};
}

data_reply coinbase_dialect::book(const parameters& asked) const {
  const auto* market = find(asked.get("product_id"));
  if (market == nullptr) return refuse();
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(50), 1, 5000));
  const auto& window = all_.of(*market);
  const auto& i = market->instrument();
  text_writer w;
  w.open('{').name("pricebook").open('{').text("product_id", symbol_of(i));
  const auto rows = [&](std::string_view key, const std::vector<book_level>& levels) {
    w.name(key).open('[');
    for (std::size_t n = 0; n < std::min(limit, levels.size()); ++n)
      w.open('{')
          .amount("price", levels[n].price_e8, i.price_decimals)
          .amount("size", levels[n].quantity_e8, i.quantity_decimals)
          .close('}');
    w.close(']');
  };
  rows("bids", window.all_bids());
  rows("asks", window.all_asks());
  return {200, w.text("time", iso_micros(world_.now_ms)).close('}').close('}').take(), {}, true};
}

/// Newest first, at most 350 rows; start and end in seconds.
data_reply coinbase_dialect::candles(std::string_view product, const parameters& asked) const {
  const auto* market = find(product);
  if (market == nullptr) return refuse();
  const auto name = asked.get("granularity");
  const auto minutes = name == "ONE_MINUTE"       ? 1
                       : name == "FIVE_MINUTE"    ? 5
                       : name == "FIFTEEN_MINUTE" ? 15
                       : name == "ONE_HOUR"       ? 60
                       : name == "ONE_DAY"        ? 1440
                                                  : 0;
  if (minutes == 0)
    return {400,
            R"({"error":"INVALID_ARGUMENT","message":"granularity argument is invalid"})",
            {},
            false};
  const auto rows = market->history().candles(
      minutes * 60'000, asked.integer("start").value_or(0) * 1000,
      asked.integer("end").value_or(world_.now_ms / 1000) * 1000, 350, true);
  const auto& i = market->instrument();
  text_writer w;
  w.open('{').name("candles").open('[');
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    w.open('{')
        .text("start", std::to_string(row->open_ms / 1000))
        .amount("low", row->low_e8, i.price_decimals);
    w.amount("high", row->high_e8, i.price_decimals).amount("open", row->open_e8, i.price_decimals);
    w.amount("close", row->close_e8, i.price_decimals)
        .amount("volume", row->volume_e8, i.quantity_decimals)
        .close('}');
  }
  return {200, w.close(']').close('}').take(), {}, false};
}

std::optional<data_reply> coinbase_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  constexpr std::string_view root = "/api/v3/brokerage/";
  if (request.path == "/v2/currencies" || request.path == "/v2/currencies/crypto")
    return data_reply{200, R"({"data":[]})", {}, false};
  if (!request.path.starts_with(root)) return std::nullopt;
  auto path = request.path.substr(root.size());
  if (path == "time")
    return data_reply{200,
                      R"({"iso":")" + iso_time(world_.now_ms, 0) + R"(","epochSeconds":")"
                          + std::to_string(world_.now_ms / 1000) + R"(","epochMillis":")"
                          + std::to_string(world_.now_ms) + "\"}",
                      {},
                      false};
  if (path == "market/products") return products(asked);
  if (path == "market/product_book") return book(asked);
  if (!path.starts_with("market/products/")) return std::nullopt;
  path.remove_prefix(16);
  if (path.ends_with("/candles")) return candles(path.substr(0, path.size() - 8), asked);
  const bool ticker = path.ends_with("/ticker");
  if (ticker) path.remove_suffix(7);
  const auto* market = find(path);
  if (market == nullptr) return refuse();
  if (ticker) return data_reply{200, coinbase_past_trades(*market, path, asked), {}, false};
  return data_reply{200, product(*market), {}, false};
}

} // namespace

std::unique_ptr<venue_dialect> make_coinbase_dialect(const data_world& world) {
  return std::make_unique<coinbase_dialect>(world);
}

} // namespace troupe::venue_sim
