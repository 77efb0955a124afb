/// Deribit, JSON-RPC over /ws/api/v2 and REST below /api/v2: public/subscribe, unsubscribe,
/// set_heartbeat, test, hello, get_time, get_currencies, get_instruments, get_order_book,
/// get_tradingview_chart_data. Channels book.NAME.{100ms,agg2},
/// book.NAME.none.{1,10,20}.{100ms,agg2}, trades.NAME.{100ms,agg2}, quote.NAME. After a recording
/// of its socket of 2021-07-22 and the venue's documents; raw channels are refused, as they need a
/// key.

#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/data/dialects/dialects.hpp"
#include "tools/venue_sim/data/dialects/json_request.hpp"
#include "tools/venue_sim/data/dialects/past_trades.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>
#include <deque>
#include <set>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t deribit_second = 1'000'000'000;

/// Bare JSON numbers in the shortest form, with a fraction as the venue writes it: 61837.0.
std::string deribit_number(std::int64_t value_e8) {
  auto text = text_e8(value_e8);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text += '0';
  return text;
}

/// Parts of a channel's name.
struct deribit_channel {
  std::string kind; ///< "book", "trades", "quote"
  std::string instrument;
  std::size_t depth = 0; ///< of a grouped book, else 0
  bool fine = false;
};

deribit_channel parse_deribit_channel(std::string_view name) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= name.size();) {
    const auto dot = std::min(name.find('.', from), name.size());
    parts.emplace_back(name.substr(from, dot - from));
    from = dot + 1;
  }
  deribit_channel out;
  if (parts.size() < 2) return out;
  out.kind = parts[0];
  out.instrument = parts[1];
  const auto timed = [&](const std::string& p) { return p == "100ms" || p == "agg2"; };
  if (out.kind == "quote") out.fine = parts.size() == 2;
  if (out.kind == "trades") out.fine = parts.size() == 3 && timed(parts[2]);
  if (out.kind == "book" && parts.size() == 3) out.fine = timed(parts[2]);
  if (out.kind == "book" && parts.size() == 5 && parts[2] == "none" && timed(parts[4])) {
    out.depth = parts[3] == "1" ? 1 : parts[3] == "10" ? 10 : parts[3] == "20" ? 20 : 0;
    out.fine = out.depth != 0;
  }
  return out;
}

class deribit_dialect;

class deribit_connection final : public dialect_connection {
public:
  deribit_connection(deribit_dialect& of, dialect_port& port) : of_{of}, port_{port} {}
  void opened(std::int64_t) override {}
  void on_message(std::string_view text, std::int64_t steady_ns) override;
  void on_event(const data_market& market, const data_event& event) override;
  void tick(std::int64_t steady_ns) override;

private:
  void answer(const json_request& asked, std::string_view result);
  void refuse(const json_request& asked, int code, std::string_view text);
  bool within_credits(std::int64_t steady_ns, bool subscription);
  void subscribe(const json_request& asked, bool on);
  void notify(const std::string& channel, frame_kind kind, bool image, std::string_view data);
  void send_book(const std::string& channel, const data_market& market, bool whole,
                 const data_event* event);
  void send_grouped(const std::string& channel, std::size_t depth, const data_market& market,
                    const data_event& event);
  void send_trade(const std::string& channel, const data_market& market, const data_event& event);
  void send_quote(const std::string& channel, const data_market& market, const data_event& event);

  deribit_dialect& of_;
  dialect_port& port_;
  std::map<std::string, deribit_channel> channels_;
  std::map<std::string, std::int64_t> last_id_;
  std::deque<std::int64_t> subscriptions_; ///< times within three seconds
  std::int64_t beat_every_ns_ = 0;
  std::int64_t next_beat_ns_ = 0;
  std::int64_t test_asked_ns_ = 0; ///< 0: nothing is asked
};

class deribit_dialect final : public venue_dialect {
public:
  explicit deribit_dialect(const data_world& world) : world_{world} {}
  [[nodiscard]] std::string_view venue() const noexcept override { return "deribit"; }
  [[nodiscard]] const dialect_limits& limits() const noexcept override { return limits_; }
  [[nodiscard]] std::string symbol_of(const data_instrument& i) const override {
    return i.base + "_" + i.quote + (i.perpetual ? "-PERPETUAL" : "");
  }
  void on_change(const data_market& market, const data_event& event) override {
    changed_ = all_.of(market).advance(market.book(), *event.what);
  }
  [[nodiscard]] static std::int64_t id_of(std::uint64_t number) {
    return 34'500'000'000 + static_cast<std::int64_t>(number) * 5;
  }
  [[nodiscard]] std::uint64_t sequence_of(const data_market& market) const override {
    return static_cast<std::uint64_t>(id_of(all_.of(market).number()));
  }
  std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view,
                                             dialect_port& port) override {
    if (path != "/ws/api/v2") return nullptr;
    return std::make_unique<deribit_connection>(*this, port);
  }
  std::optional<data_reply> rest(const data_request& request, std::string_view base) override;

  [[nodiscard]] const data_market* find(std::string_view symbol) const {
    for (const auto& m : world_.markets)
      if (symbol_of(m->instrument()) == symbol) return m.get();
    return nullptr;
  }
  [[nodiscard]] depth_window& window(const data_market& market) const { return all_.of(market); }
  [[nodiscard]] bool changed() const { return changed_; }
  [[nodiscard]] std::string instruments(std::string_view currency) const;
  [[nodiscard]] std::string currencies() const;

  const data_world& world_;

private:
  data_reply wrap(std::string result) const {
    const auto now = std::to_string(world_.now_ms);
    return {200,
            R"({"jsonrpc":"2.0","result":)" + std::move(result) + R"(,"usIn":)" + now
                + R"(123,"usOut":)" + now + R"(456,"usDiff":333,"testnet":false})",
            {},
            false};
  }
  data_reply order_book(const parameters& asked) const;
  data_reply chart(const parameters& asked) const;

  mutable depth_windows all_{1'000'000};
  bool changed_ = false;
  dialect_limits limits_{.messages_per_second = 100,
                         .connects = 32,
                         .connects_s = 10,
                         .requests = 100,
                         .requests_s = 5};
};

// ---- sockets
// ------------------------------------------------------------------------------------------

void deribit_connection::answer(const json_request& asked, std::string_view result) {
  text_writer w;
  w.open('{').text("jsonrpc", "2.0");
  if (const auto id = asked.raw("/id"); !id.empty()) w.name("id").raw(id);
  w.name("result")
      .raw(result)
      .number("usIn", of_.world_.now_ms * 1000)
      .number("usOut", of_.world_.now_ms * 1000 + 40);
  port_.send(w.number("usDiff", 40).flag("testnet", false).close('}').take());
}

void deribit_connection::refuse(const json_request& asked, int code, std::string_view text) {
  text_writer w;
  w.open('{').text("jsonrpc", "2.0");
  if (const auto id = asked.raw("/id"); !id.empty()) w.name("id").raw(id);
  w.name("error").open('{').number("code", code).text("message", text).close('}');
  port_.send(w.flag("testnet", false).close('}').take());
}

/// Subscriptions: a burst of 10, then 3.3 a second. Who runs over is told so and loses the session.
bool deribit_connection::within_credits(std::int64_t steady_ns, bool subscription) {
  if (!subscription) return true;
  while (!subscriptions_.empty() && steady_ns - subscriptions_.front() > 3 * deribit_second)
    subscriptions_.pop_front();
  subscriptions_.push_back(steady_ns);
  return subscriptions_.size() <= 20;
}

void deribit_connection::on_message(std::string_view text, std::int64_t steady_ns) {
  const json_request asked{text};
  const auto method = asked.text("/method");
  if (!asked.fine() || asked.text("/jsonrpc") != "2.0")
    return refuse(asked, -32600, "Request does not contain a valid method");
  const bool subscription = method == "public/subscribe" || method == "public/unsubscribe";
  if (!within_credits(steady_ns, subscription)) {
    port_.violation("more subscriptions than the venue's credits allow");
    refuse(asked, 10028, "too_many_requests");
    return port_.close(1008, "too many requests");
  }
  if (subscription) return subscribe(asked, method == "public/subscribe");
  if (method == "public/set_heartbeat") {
    const auto interval = asked.raw("/params/interval");
    const auto seconds = interval.empty() ? 0 : std::strtoll(interval.c_str(), nullptr, 10);
    if (seconds < 10) return refuse(asked, -32602, "Invalid params");
    beat_every_ns_ = seconds * deribit_second;
    next_beat_ns_ = steady_ns + beat_every_ns_;
    return answer(asked, "\"ok\"");
  }
  if (method == "public/test") {
    test_asked_ns_ = 0;
    return answer(asked, R"({"version":"1.2.26"})");
  }
  if (method == "public/get_time") return answer(asked, std::to_string(of_.world_.now_ms));
  if (method == "public/get_instruments")
    return answer(asked, of_.instruments(asked.text("/params/currency")));
  if (method == "public/get_currencies") return answer(asked, of_.currencies());
  refuse(asked, -32601, "Method not found");
}

void deribit_connection::subscribe(const json_request& asked, bool on) {
  text_writer taken;
  taken.open('[');
  std::vector<std::pair<std::string, const data_market*>> begun;
  for (const auto& name : asked.texts("/params/channels")) {
    auto channel = parse_deribit_channel(name);
    const auto* market = channel.fine ? of_.find(channel.instrument) : nullptr;
    if (name.ends_with(".raw"))
      return refuse(asked, 13778, "raw_subscriptions_not_available_for_unauthorized");
    if (market == nullptr) continue; // left out of the answer: the client must look
    taken.word(name);
    last_id_.erase(name);
    if (!on) {
      channels_.erase(name);
      continue;
    }
    const bool whole = channel.kind == "book" && channel.depth == 0;
    channels_[name] = std::move(channel);
    if (whole) begun.emplace_back(name, market);
  }
  answer(asked, taken.close(']').take());
  for (const auto& [name, market] : begun)
    send_book(name, *market, true, nullptr);
}

/// A test request each interval; who doesn't answer by the next one is cut.
void deribit_connection::tick(std::int64_t steady_ns) {
  if (beat_every_ns_ == 0 || steady_ns < next_beat_ns_) return;
  if (test_asked_ns_ != 0) {
    port_.violation("a test request was not answered");
    return port_.close(1000, "heartbeat");
  }
  next_beat_ns_ = steady_ns + beat_every_ns_;
  test_asked_ns_ = steady_ns;
  port_.send(R"({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}})");
  port_.send(R"({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}})");
}

void deribit_connection::notify(const std::string& channel, frame_kind kind, bool image,
                                std::string_view data) {
  text_writer w;
  w.open('{')
      .text("jsonrpc", "2.0")
      .text("method", "subscription")
      .name("params")
      .open('{')
      .text("channel", channel);
  port_.publish({kind, channel, image}, w.name("data").raw(data).close('}').close('}').take());
}

void deribit_connection::send_book(const std::string& channel, const data_market& market,
                                   bool whole, const data_event* event) {
  auto& window = of_.window(market);
  const auto id = deribit_dialect::id_of(window.number());
  const auto rows = [&](text_writer& w, std::string_view key, std::vector<book_level> levels) {
    w.name(key).open('[');
    for (const auto& l : levels) {
      w.open('[')
          .word(whole                ? "new"
                : l.quantity_e8 == 0 ? "delete"
                                     : "change")
          .raw(deribit_number(l.price_e8));
      w.raw(deribit_number(l.quantity_e8)).close(']');
    }
    w.close(']');
  };
  auto bids = whole ? window.all_bids() : window.bids();
  if (event != nullptr && event->add_crossed) bids.push_back(event->crossed);
  text_writer w;
  w.open('{').text("type", whole ? "snapshot" : "change");
  w.number("timestamp", event != nullptr ? event->event_ms : of_.world_.now_ms);
  if (!whole) w.number("prev_change_id", last_id_[channel]);
  w.text("instrument_name", channels_.at(channel).instrument).number("change_id", id);
  rows(w, "bids", std::move(bids));
  rows(w, "asks", whole ? window.all_asks() : window.asks());
  last_id_[channel] = id;
  notify(channel, frame_kind::depth, whole, w.close('}').take());
}

void deribit_connection::send_grouped(const std::string& channel, std::size_t depth,
                                      const data_market& market, const data_event& event) {
  const auto& window = of_.window(market);
  const auto rows = [&](text_writer& w, std::string_view key,
                        const std::vector<book_level>& levels) {
    w.name(key).open('[');
    for (std::size_t n = 0; n < std::min(depth, levels.size()); ++n)
      w.open('[')
          .raw(deribit_number(levels[n].price_e8))
          .raw(deribit_number(levels[n].quantity_e8))
          .close(']');
    w.close(']');
  };
  text_writer w;
  w.open('{')
      .number("timestamp", event.event_ms)
      .text("instrument_name", channels_.at(channel).instrument);
  w.number("change_id", deribit_dialect::id_of(window.number()));
  auto bids = window.all_bids();
  if (event.add_crossed && !bids.empty()) bids.front() = event.crossed;
  rows(w, "bids", bids);
  rows(w, "asks", window.all_asks());
  notify(channel, frame_kind::depth, true, w.close('}').take());
}

void deribit_connection::send_trade(const std::string& channel, const data_market& market,
                                    const data_event& event) {
  const auto& t = *event.what;
  text_writer w;
  w.open('[')
      .open('{')
      .number("trade_seq", t.last_id)
      .text("trade_id", std::to_string(t.last_id + 170'000'000));
  w.number("timestamp", t.transact_ms)
      .number("tick_direction", 0)
      .name("price")
      .raw(deribit_number(t.one.price_e8));
  w.name("mark_price")
      .raw(deribit_number(t.one.price_e8))
      .text("instrument_name", of_.symbol_of(market.instrument()));
  w.name("index_price")
      .raw(deribit_number(t.one.price_e8))
      .text("direction", t.buyer_is_maker ? "sell" : "buy");
  w.name("amount").raw(deribit_number(t.one.quantity_e8)).close('}').close(']');
  notify(channel, frame_kind::trade, false, w.take());
}

void deribit_connection::send_quote(const std::string& channel, const data_market& market,
                                    const data_event& event) {
  const auto& book = market.book();
  if (book.bids().empty() || book.asks().empty()) return;
  const auto &bid = *book.bids().begin(), &ask = *book.asks().begin();
  text_writer w;
  w.open('{')
      .number("timestamp", event.event_ms)
      .text("instrument_name", of_.symbol_of(market.instrument()));
  w.name("best_bid_price")
      .raw(deribit_number(bid.first))
      .name("best_bid_amount")
      .raw(deribit_number(bid.second));
  w.name("best_ask_price")
      .raw(deribit_number(ask.first))
      .name("best_ask_amount")
      .raw(deribit_number(ask.second));
  notify(channel, frame_kind::book_ticker, false, w.close('}').take());
}

void deribit_connection::on_event(const data_market& market, const data_event& event) {
  const auto symbol = of_.symbol_of(market.instrument());
  const bool change = event.what->kind == frame_kind::depth && (of_.changed() || event.add_crossed);
  for (const auto& [name, channel] : channels_) {
    if (channel.instrument != symbol) continue;
    if (channel.kind == "trades" && event.what->kind == frame_kind::trade)
      send_trade(name, market, event);
    if (!change) continue;
    if (channel.kind == "quote")
      send_quote(name, market, event);
    else if (channel.kind == "book" && channel.depth != 0)
      send_grouped(name, channel.depth, market, event);
    else if (channel.kind == "book")
      send_book(name, market, false, &event);
  }
}

// ---- REST
// ---------------------------------------------------------------------------------------------

std::string deribit_dialect::instruments(std::string_view currency) const {
  text_writer w;
  w.open('[');
  for (const auto& m : world_.markets) {
    const auto& i = m->instrument();
    if (currency != "any" && !currency.empty() && currency != i.quote && currency != i.base)
      continue;
    w.open('{')
        .name("tick_size_steps")
        .raw("[]")
        .text("quote_currency", i.quote)
        .text("price_index", "btc_usd");
    w.text("kind", i.perpetual ? "future" : "spot")
        .text("instrument_name", symbol_of(i))
        .number("instrument_id", 124972);
    w.name("min_trade_amount")
        .raw(deribit_number(i.step_e8))
        .name("tick_size")
        .raw(deribit_number(i.tick_e8));
    w.name("contract_size")
        .raw(deribit_number(i.step_e8))
        .text("counter_currency", i.quote)
        .text("base_currency", i.base);
    if (i.perpetual)
      w.text("settlement_period", "perpetual")
          .text("settlement_currency", i.quote)
          .text("future_type", "linear");
    if (i.perpetual)
      w.text("instrument_type", "linear").number("expiration_timestamp", 32'503'708'800'000);
    w.flag("is_active", true)
        .name("maker_commission")
        .raw("0.0")
        .name("taker_commission")
        .raw("0.0005");
    w.number("creation_timestamp", 1'650'000'000'000).flag("rfq", false).close('}');
  }
  return w.close(']').take();
}

std::string deribit_dialect::currencies() const {
  std::set<std::string> names;
  for (const auto& m : world_.markets)
    names.insert({m->instrument().base, m->instrument().quote});
  text_writer w;
  w.open('[');
  for (const auto& name : names) {
    w.open('{')
        .text("currency", name)
        .text("currency_long", name)
        .text("coin_type", name)
        .number("min_confirmations", 1);
    w.number("fee_precision", 8).name("withdrawal_fee").raw("0.0001").close('}');
  }
  return w.close(']').take();
}

data_reply deribit_dialect::order_book(const parameters& asked) const {
  const auto* market = find(asked.get("instrument_name"));
  if (market == nullptr)
    return {
        400, R"({"jsonrpc":"2.0","error":{"message":"Invalid params","code":-32602}})", {}, false};
  const auto depth = static_cast<std::size_t>(
      std::clamp<std::int64_t>(asked.integer("depth").value_or(20), 1, 10'000));
  const auto& window = all_.of(*market);
  text_writer w;
  w.open('{')
      .number("timestamp", world_.now_ms)
      .text("state", "open")
      .text("instrument_name", asked.get("instrument_name"));
  w.number("change_id", id_of(window.number()));
  const auto rows = [&](std::string_view key, const std::vector<book_level>& levels) {
    w.name(key).open('[');
    for (std::size_t n = 0; n < std::min(depth, levels.size()); ++n)
      w.open('[')
          .raw(deribit_number(levels[n].price_e8))
          .raw(deribit_number(levels[n].quantity_e8))
          .close(']');
    w.close(']');
  };
  rows("bids", window.all_bids());
  rows("asks", window.all_asks());
  auto out = wrap(w.close('}').take());
  out.image = true;
  return out;
}

data_reply deribit_dialect::chart(const parameters& asked) const {
  const auto* market = find(asked.get("instrument_name"));
  const auto minutes =
      asked.get("resolution") == "1D" ? 1440 : asked.integer("resolution").value_or(0);
  if (market == nullptr || minutes <= 0)
    return {
        400, R"({"jsonrpc":"2.0","error":{"message":"Invalid params","code":-32602}})", {}, false};
  const auto rows =
      market->history().candles(minutes * 60'000, asked.integer("start_timestamp").value_or(0),
                                asked.integer("end_timestamp").value_or(world_.now_ms), 5000, true);
  text_writer w;
  w.open('{').text("status", rows.empty() ? "no_data" : "ok");
  const auto column = [&](std::string_view key, std::int64_t candle::*figure) {
    w.name(key).open('[');
    for (const auto& row : rows)
      w.raw(deribit_number(row.*figure));
    w.close(']');
  };
  w.name("ticks").open('[');
  for (const auto& row : rows)
    w.integer(row.open_ms);
  w.close(']');
  column("open", &candle::open_e8);
  column("high", &candle::high_e8);
  column("low", &candle::low_e8);
  column("close", &candle::close_e8);
  column("volume", &candle::volume_e8);
  column("cost", &candle::quote_e8);
  return wrap(w.close('}').take());
}

std::optional<data_reply> deribit_dialect::rest(const data_request& request, std::string_view) {
  const auto asked = query_of(request.query);
  if (!request.path.starts_with("/api/v2/public/")) return std::nullopt;
  const auto method = request.path.substr(15);
  if (method == "get_time") return wrap(std::to_string(world_.now_ms));
  if (method == "get_currencies") return wrap(currencies());
  if (method == "get_instruments") return wrap(instruments(asked.get("currency")));
  if (method == "get_order_book") return order_book(asked);
  if (method == "get_tradingview_chart_data") return chart(asked);
  if (method == "get_last_trades_by_instrument_and_time") {
    const auto name = asked.get("instrument_name");
    const auto* market = find(name);
    if (market == nullptr)
      return data_reply{
          400, R"({"jsonrpc":"2.0","error":{"message":"Invalid params","code":-32602}})", {}, false};
    return wrap(deribit_past_trades(*market, name, asked));
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<venue_dialect> make_deribit_dialect(const data_world& world) {
  return std::make_unique<deribit_dialect>(world);
}

} // namespace troupe::venue_sim
