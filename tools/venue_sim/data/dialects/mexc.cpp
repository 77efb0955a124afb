/// MEXC, spot: /ws with protobuf frames (aggre.depth, aggre.deals, aggre.bookTicker) and JSON
/// control frames; REST exchangeInfo, depth, klines, time. After frames recorded off its socket in
/// 2026, its published schema and documents. Names without "aggre" are refused.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/data/dialects/wire_format.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <set>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t mexc_second = 1'000'000'000;
constexpr std::size_t mexc_subscriptions = 30;

std::string mexc_number(std::int64_t value_e8) {
  auto text = text_e8(value_e8);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT" in parts; empty kind when the venue has no
/// such channel.
struct mexc_channel {
  std::string kind; ///< "depth", "deals", "bookTicker"
  std::string symbol;
};

mexc_channel parse_mexc_channel(std::string_view name) {
  constexpr std::string_view root = "spot@public.aggre.";
  constexpr std::string_view tail = ".v3.api.pb@";
  mexc_channel out;
  if (!name.starts_with(root)) return out;
  name.remove_prefix(root.size());
  const auto at = name.find(tail);
  if (at == std::string_view::npos) return out;
  const auto kind = name.substr(0, at);
  const auto rest = name.substr(at + tail.size());
  if (kind != "depth" && kind != "deals" && kind != "bookTicker") return out;
  if (!rest.starts_with("100ms@") && !rest.starts_with("10ms@")) return out;
  out.kind = kind;
  out.symbol = rest.substr(rest.find('@') + 1);
  return out;
}

class mexc_dialect;

class mexc_connection final : public dialect_connection {
public:
  mexc_connection(mexc_dialect& of, dialect_port& port) : of_{of}, port_{port} {}
  void opened(std::int64_t steady_ns) override { heard_ns_ = bare_since_ns_ = steady_ns; }
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override;

private:
  void answer(std::string_view id, std::string_view message);
  void subscribe(const json_request& asked, bool on, std::int64_t steady_ns);
  void publish(const std::string& channel, const std::string& symbol, frame_kind kind, int field,
               const wire_writer& body, std::int64_t ms);
  void send_depth(const std::string& channel, const mexc_channel& parts, const data_market& market,
                  const data_event& event);
  void send_deal(const std::string& channel, const mexc_channel& parts, const data_event& event);
  void send_best(const std::string& channel, const mexc_channel& parts, const data_market& market,
                 const data_event& event);

  mexc_dialect& of_;
  dialect_port& port_;
  std::map<std::string, mexc_channel> channels_;
  std::int64_t heard_ns_ = 0;
  std::int64_t bare_since_ns_ = 0; ///< without a subscription
};

class mexc_dialect final : public venue_dialect {
public:
  explicit mexc_dialect(const data_world& world) : world_{world} {}
  [[nodiscard]] std::string_view venue() const noexcept override { return "mexc"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + i.quote;
  }
  void on_change(const data_market& market, const data_event& event) override {
    changed_ = all_.of(market).advance(market.book(), *event.what);
  }
  /// A change covers four versions.
  [[nodiscard]] static std::int64_t version_of(std::uint64_t number) {
    return 36'900'000'000 + static_cast<std::int64_t>(number) * 4;
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    return static_cast<std::uint64_t>(version_of(all_.of(market).number()));
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/ws") return nullptr;
    return std::make_unique<mexc_connection>(*this, port);
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
  data_reply exchange_info() const;
  data_reply depth(const parameters& asked) const;
  data_reply candles(const parameters& asked) const;
  static data_reply refuse(int code, std::string_view text) {
    text_writer w;
    return {400, w.open('{').text("msg", text).number("code", code).close('}').take(), {}, false};
  }

  mutable depth_windows all_{1'000'000};
  bool changed_ = false;
  dialect_limits limits_{.messages_per_second = 100,
                         .connects = 100,
                         .connects_s = 60,
                         .requests = 500,
                         .requests_s = 10,
                         .life_s = 86'400};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

void mexc_connection::answer(std::string_view id, std::string_view message) {
  text_writer w;
  port_.send(w.open('{')
                 .name("id")
                 .raw(id.empty() ? "0" : id)
                 .number("code", 0)
                 .text("msg", message)
                 .close('}')
                 .take());
}

void mexc_connection::on_message(std::string_view text, std::int64_t steady_ns) {
  heard_ns_ = steady_ns;
  const json_request asked{text};
  const auto method = asked.text("/method");
  if (method == "PING" || method == "ping") return answer("0", "PONG");
  if (method == "SUBSCRIPTION" || method == "UNSUBSCRIPTION")
    return subscribe(asked, method == "SUBSCRIPTION", steady_ns);
  answer(asked.raw("/id"), "Invalid method");
}

void mexc_connection::subscribe(const json_request& asked, bool on, std::int64_t steady_ns) {
  std::string taken, refused;
  const auto add = [](std::string& list, const std::string& name) {
    list += (list.empty() ? "" : ",") + name;
  };
  for (const auto& name : asked.texts("/params")) {
    const auto parts = parse_mexc_channel(name);
    if (parts.kind.empty() || of_.find(parts.symbol) == nullptr)
      add(refused, name);
    else if (!on)
      channels_.erase(name), add(taken, name);
    else if (channels_.size() >= mexc_subscriptions) {
      port_.violation("more than 30 subscriptions on a socket");
      add(refused, name);
    } else
      channels_.emplace(name, parts), add(taken, name);
  }
  if (channels_.empty()) bare_since_ns_ = steady_ns;
  // A refusal looks like an answer: the text alone tells.
  if (!refused.empty())
    return answer(asked.raw("/id"),
                  "Not Subscribed successfully! [" + refused + "].  Reason: Blocked! ");
  answer(asked.raw("/id"), taken);
}

void mexc_connection::tick(std::int64_t steady_ns) {
  if (channels_.empty() && steady_ns - bare_since_ns_ > 30 * mexc_second) {
    port_.violation("no subscription for 30 s");
    return port_.close(1005, "");
  }
  if (steady_ns - heard_ns_ > 60 * mexc_second) {
    port_.violation("no ping for 60 s");
    port_.close(1005, "");
  }
}

void mexc_connection::publish(const std::string& channel, const std::string& symbol,
                              frame_kind kind, int field, const wire_writer& body,
                              std::int64_t ms) {
  wire_writer w;
  w.text(1, channel).text(3, symbol).number(6, ms).message(field, body);
  port_.publish({kind, channel, false}, w.take(), true);
}

void mexc_connection::send_depth(const std::string& channel, const mexc_channel& parts,
                                 const data_market& market, const data_event& event) {
  const auto& window = of_.window(market);
  wire_writer body;
  const auto rows = [&](int field, const std::vector<book_level>& levels) {
    for (const auto& l : levels) {
      wire_writer row;
      row.text(1, mexc_number(l.price_e8)).text(2, mexc_number(l.quantity_e8));
      body.message(field, row);
    }
  };
  auto bids = window.bids();
  if (event.add_crossed) bids.push_back(event.crossed);
  rows(1, window.asks());
  rows(2, bids);
  const auto version = mexc_dialect::version_of(window.number());
  body.text(3, "spot@public.aggre.depth.v3.api.pb@100ms")
      .text(4, std::to_string(version - 3))
      .text(5, std::to_string(version));
  publish(channel, parts.symbol, frame_kind::depth, 313, body, event.event_ms);
}

void mexc_connection::send_deal(const std::string& channel, const mexc_channel& parts,
                                const data_event& event) {
  const auto& t = *event.what;
  wire_writer deal, body;
  deal.text(1, mexc_number(t.one.price_e8))
      .text(2, mexc_number(t.one.quantity_e8))
      .number(3, t.buyer_is_maker ? 2 : 1);
  deal.number(4, t.transact_ms).text(5, std::to_string(t.last_id) + "X1");
  body.message(1, deal).text(2, "spot@public.aggre.deals.v3.api.pb@100ms");
  publish(channel, parts.symbol, frame_kind::trade, 314, body, event.event_ms);
}

void mexc_connection::send_best(const std::string& channel, const mexc_channel& parts,
                                const data_market& market, const data_event& event) {
  const auto& window = of_.window(market);
  if (window.all_bids().empty() || window.all_asks().empty()) return;
  const auto &bid = window.all_bids().front(), &ask = window.all_asks().front();
  wire_writer body;
  body.text(1, mexc_number(bid.price_e8))
      .text(2, mexc_number(bid.quantity_e8))
      .text(3, mexc_number(ask.price_e8));
  body.text(4, mexc_number(ask.quantity_e8))
      .text(5, std::to_string(mexc_dialect::version_of(window.number())));
  publish(channel, parts.symbol, frame_kind::book_ticker, 315, body, event.event_ms);
}

void mexc_connection::on_event(const data_market& market, const data_event& event) {
  if (market.instrument().perpetual) return;
  const auto symbol = of_.symbol_of(market.instrument());
  for (const auto& [name, parts] : channels_) {
    if (parts.symbol != symbol) continue;
    if (event.what->kind == frame_kind::trade && parts.kind == "deals")
      send_deal(name, parts, event);
    if (event.what->kind != frame_kind::depth || !of_.changed()) continue;
    if (parts.kind == "depth") send_depth(name, parts, market, event);
    if (parts.kind == "bookTicker") send_best(name, parts, market, event);
  }
}

// ---- REST
// ---------------------------------------------------------------------------------------------

data_reply mexc_dialect::exchange_info() const {
  text_writer w;
  w.open('{')
      .text("timezone", "CST")
      .number("serverTime", world_.now_ms)
      .name("rateLimits")
      .raw("[]");
  w.name("exchangeFilters").raw("[]").name("symbols").open('[');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (i.perpetual) continue;
    w.open('{')
        .text("symbol", symbol_of(i))
        .text("status", "1")
        .text("baseAsset", i.base)
        .number("baseAssetPrecision", i.quantity_decimals);
    w.text("quoteAsset", i.quote)
        .number("quotePrecision", i.price_decimals)
        .number("quoteAssetPrecision", i.price_decimals);
    w.number("baseCommissionPrecision", i.quantity_decimals)
        .number("quoteCommissionPrecision", i.price_decimals);
    w.name("orderTypes")
        .raw(R"(["LIMIT","MARKET","LIMIT_MAKER"])")
        .flag("isSpotTradingAllowed", true);
    w.flag("isMarginTradingAllowed", false)
        .text("quoteAmountPrecision", "1")
        .text("baseSizePrecision", mexc_number(i.step_e8));
    w.name("permissions")
        .raw(R"(["SPOT"])")
        .name("filters")
        .raw("[]")
        .text("maxQuoteAmount", "4000000");
    w.text("makerCommission", "0")
        .text("takerCommission", "0.0005")
        .text("quoteAmountPrecisionMarket", "1");
    w.text("maxQuoteAmountMarket", "2000000")
        .text("fullName", i.base)
        .number("tradeSideType", 1)
        .flag("st", false)
        .close('}');
  }
  return {200, w.close(']').close('}').take(), {}, false};
}

data_reply mexc_dialect::depth(const parameters& asked) const {
  const auto* market = find(asked.get("symbol"));
  if (market == nullptr) return refuse(-1121, "Invalid symbol.");
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(100), 1, 5000));
  const auto& window = all_.of(*market);
  text_writer w;
  w.open('{').number("lastUpdateId", version_of(window.number()));
  const auto rows = [&](std::string_view key, const std::vector<book_level>& levels) {
    w.name(key).open('[');
    for (std::size_t n = 0; n < std::min(limit, levels.size()); ++n)
      w.open('[')
          .word(mexc_number(levels[n].price_e8))
          .word(mexc_number(levels[n].quantity_e8))
          .close(']');
    w.close(']');
  };
  rows("bids", window.all_bids());
  rows("asks", window.all_asks());
  return {200, w.number("timestamp", world_.now_ms).close('}').take(), {}, true};
}

data_reply mexc_dialect::candles(const parameters& asked) const {
  const auto* market = find(asked.get("symbol"));
  if (market == nullptr) return refuse(-1121, "Invalid symbol.");
  auto interval = asked.get("interval");
  if (interval == "60m") interval = "1h";
  const auto step = market_history::interval_ms(interval);
  if (!step) return refuse(-1121, "Invalid interval.");
  const auto limit = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("limit").value_or(500), 1, 1000));
  const auto from = asked.integer("startTime").value_or(0);
  const auto rows =
      market->history().candles(*step, from, asked.integer("endTime").value_or(world_.now_ms),
                                limit, !asked.has("startTime"));
  text_writer w;
  w.open('[');
  for (const auto& row : rows) {
    w.open('[')
        .integer(row.open_ms)
        .word(mexc_number(row.open_e8))
        .word(mexc_number(row.high_e8))
        .word(mexc_number(row.low_e8));
    w.word(mexc_number(row.close_e8))
        .word(mexc_number(row.volume_e8))
        .integer(row.close_ms + 1)
        .word(mexc_number(row.quote_e8))
        .close(']');
  }
  return {200, w.close(']').take(), {}, false};
}

std::optional<data_reply> mexc_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  if (request.path == "/api/v3/time")
    return data_reply{200, R"({"serverTime":)" + std::to_string(world_.now_ms) + "}", {}, false};
  if (request.path == "/api/v3/ping") return data_reply{200, "{}", {}, false};
  if (request.path == "/api/v1/contract/detail")
    return data_reply{200, R"({"success":true,"code":0,"data":[]})", {}, false};
  if (request.path == "/api/v3/exchangeInfo") return exchange_info();
  if (request.path == "/api/v3/depth") return depth(asked);
  if (request.path == "/api/v3/klines") return candles(asked);
  if (request.path == "/api/v3/trades") {
    const auto* market = find(asked.get("symbol"));
    if (market == nullptr) return refuse(-1121, "Invalid symbol.");
    return data_reply{200, mexc_past_trades(*market, asked), {}, false};
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_mexc_dialect(const data_world& world) {
  return std::make_unique<mexc_dialect>(world);
}

} // namespace troupe::venue_sim
