#include "actors/connectors/coinbase/codec.hpp"

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <algorithm>

namespace troupe::coinbase {

using namespace std::string_view_literals;

namespace {

constexpr json_limits frame_limits{.frame_bytes = 48 << 20};
constexpr nanoseconds candle_length = std::chrono::minutes{5}; // the only one the socket has

class advanced_decoder final : public json_decoder {
public:
  explicit advanced_decoder(const instrument_spec& instrument)
      : json_decoder{instrument, frame_limits} {}

private:
  /// What the frame says around its events.
  struct envelope {
    market_time sent;
    std::uint64_t number = 0;
  };

  void read_object(json_object root) override;
  void read_levels(json_object event, const envelope& frame);
  bool read_level(json_object row, bool image, market_time& newest);
  void read_trades(json_object event, const envelope& frame);
  void read_tickers(json_object event, const envelope& frame);
  void read_candles(json_object event, const envelope& frame);
  std::span<const level> sorted(side s, std::span<const level> levels);
  bool loose(json_object& from, std::string_view key, bool is_price, std::int64_t& out);

  std::vector<trade_event> trades_;
  std::array<std::vector<level>, 2> sorted_;
};

/// "1970-…" and the year 1 stand for a time the venue doesn't know: 0.
market_time time_of(json_frame& in, json_value value) {
  const auto text = in.text(value);
  market_time out;
  if (!in.fine() || parse_iso_time(text, out)) return out;
  if (text.size() < 4 || text.substr(0, 4) >= "1970"sv) in.fail(frame_damage::bad_range);
  return {};
}

void advanced_decoder::read_object(json_object root) {
  json_value value;
  if (!in().find(root, "channel", value)) {
    // {"type":"error","message":"…"}
    if (!in().find(root, "type", value) || in().text(value) != "error") return;
    const auto why = in().find(root, "message", value) ? in().text(value) : ""sv;
    add(event_kind::failure).text = why;
    return;
  }
  const auto channel = in().text(value);
  if (channel == "subscriptions") add(event_kind::acknowledgement);
  const bool known = channel == "l2_data" || channel == "market_trades" || channel == "ticker"
                     || channel == "candles" || channel == "ticker_batch";
  if (!known || !in().fine()) return;
  envelope frame;
  if (in().find(root, "timestamp", value)) frame.sent = time_of(in(), value);
  if (in().find(root, "sequence_num", value)) frame.number = in().id(value);
  in().each(in().array(root, "events"), [&](json_value element) {
    const auto event = in().object(element);
    if (!in().fine()) return;
    if (channel == "l2_data")
      read_levels(event, frame);
    else if (channel == "market_trades")
      read_trades(event, frame);
    else if (channel == "candles")
      read_candles(event, frame);
    else
      read_tickers(event, frame);
  });
}

/// {"side":"bid","event_time":"…","price_level":"…","new_quantity":"…"}
bool advanced_decoder::read_level(json_object row, bool image, market_time& newest) {
  const auto which = in().text(row, "side");
  const auto s = which == "bid" ? side::buy : side::sell;
  if (which != "bid" && which != "offer" && which != "ask") in().fail(frame_damage::wrong_type);
  json_value value;
  if (!image && in().find(row, "event_time", value))
    newest = std::max(newest, time_of(in(), value));
  const auto at = in().price_of(row, "price_level");
  const auto quantity = in().size_of(row, "new_quantity");
  if (in().fine()) in().put(s, {at, quantity});
  return in().fine();
}

void advanced_decoder::read_levels(json_object event, const envelope& frame) {
  const auto type = in().text(event, "type");
  const auto product = in().text(event, "product_id");
  if (!in().fine() || !ours(product)) return;
  const bool image = type == "snapshot";
  const auto bids = in().lane(side::buy).mark();
  const auto asks = in().lane(side::sell).mark();
  market_time newest;
  in().each(in().array(event, "updates"), [&](json_value element) {
    const auto row = in().object(element);
    if (in().fine()) read_level(row, image, newest);
  });
  if (!in().fine()) return;
  auto& out = add(image ? event_kind::image : event_kind::depth, product);
  if (image) {
    out.image.last = frame.number;
    out.image.event = frame.sent;
    out.image.bids = sorted(side::buy, in().lane(side::buy).since(bids));
    out.image.asks = sorted(side::sell, in().lane(side::sell).since(asks));
    return;
  }
  out.depth.first = out.depth.last = frame.number;
  out.depth.event = frame.sent;
  out.depth.transaction = newest.ns == 0 ? frame.sent : newest;
  out.depth.bids = in().lane(side::buy).since(bids);
  out.depth.asks = in().lane(side::sell).since(asks);
}

/// Images are best first; the venue writes them so, but promises it nowhere.
std::span<const level> advanced_decoder::sorted(side s, std::span<const level> levels) {
  const auto better = [s](const level& a, const level& b) {
    return s == side::buy ? a.at > b.at : a.at < b.at;
  };
  if (std::ranges::is_sorted(levels, better)) return levels;
  auto& out = sorted_[s == side::sell ? 1 : 0];
  out.assign(levels.begin(), levels.end());
  std::ranges::stable_sort(out, better);
  return out;
}

void advanced_decoder::read_trades(json_object event, const envelope& frame) {
  if (in().text(event, "type") != "update") return; // a snapshot is history
  trades_.clear();
  in().each(in().array(event, "trades"), [&](json_value element) {
    auto row = in().object(element);
    if (!in().fine()) return;
    trade_event t;
    json_value value;
    t.id = t.first_id = t.last_id = in().id(row, "trade_id");
    const auto product = in().text(row, "product_id");
    if (!in().fine() || !ours(product)) return;
    t.at_price = in().price_of(row, "price");
    t.quantity = in().size_of(row, "size");
    const auto maker = in().text(row, "side");
    if (maker != "BUY" && maker != "SELL") in().fail(frame_damage::wrong_type);
    t.taker = maker == "BUY" ? side::sell : side::buy;
    if (in().find(row, "time", value)) t.at = time_of(in(), value);
    t.event = frame.sent.ns == 0 ? t.at : frame.sent;
    trades_.push_back(t);
  });
  if (!in().fine()) return;
  // One frame holds a quarter of a second of trades, newest first.
  std::ranges::stable_sort(trades_, {}, &trade_event::id);
  for (const auto& t : trades_)
    add(event_kind::trade, instrument().venue_symbol).trade = t;
}

/// A number that may be absent, empty or finer than the scale; then false and no harm done.
bool advanced_decoder::loose(json_object& from, std::string_view key, bool is_price,
                             std::int64_t& out) {
  json_value value;
  if (!in().find(from, key, value)) return false;
  const auto text = in().token(value);
  if (!in().fine()) return false;
  const auto number =
      is_price ? parse_price(text, in().price_scale()) : parse_size(text, in().size_scale());
  out = number.value_or(0);
  return number.has_value();
}

void advanced_decoder::read_tickers(json_object event, const envelope& frame) {
  in().each(in().array(event, "tickers"), [&](json_value element) {
    auto row = in().object(element);
    const auto product = in().text(row, "product_id");
    if (!in().fine() || !ours(product)) return;
    best_event b;
    b.event = frame.sent;
    const bool whole = loose(row, "best_bid", true, b.bid.at.raw)
                       && loose(row, "best_bid_quantity", false, b.bid.quantity.raw)
                       && loose(row, "best_ask", true, b.ask.at.raw)
                       && loose(row, "best_ask_quantity", false, b.ask.quantity.raw);
    if (whole && in().fine()) add(event_kind::best, product).best = b;
  });
}

void advanced_decoder::read_candles(json_object event, const envelope& frame) {
  if (in().text(event, "type") != "update") return; // a snapshot is history
  in().each(in().array(event, "candles"), [&](json_value element) {
    auto row = in().object(element);
    if (!in().fine()) return;
    candle_event c;
    c.interval = "5m";
    c.event = frame.sent;
    c.open_time = in().time(row, "start", time_unit::s);
    c.close_time = c.open_time + candle_length;
    c.high = in().price_of(row, "high");
    c.low = in().price_of(row, "low");
    c.open = in().price_of(row, "open");
    c.close = in().price_of(row, "close");
    const bool whole = loose(row, "volume", false, c.volume.raw);
    const auto product = in().text(row, "product_id");
    if (in().fine() && whole && ours(product)) add(event_kind::candle, product).candle = c;
  });
}

} // namespace

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<advanced_decoder>(instrument);
}

} // namespace troupe::coinbase
