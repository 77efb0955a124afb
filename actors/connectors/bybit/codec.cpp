#include "actors/connectors/bybit/codec.hpp"

#include "actors/connectors/json_frame.hpp"

namespace troupe::bybit {
namespace {

/// "BTCUSDT" out of "orderbook.50.BTCUSDT"; symbols have no point.
std::string_view symbol_of(std::string_view topic) noexcept {
  const auto point = topic.rfind('.');
  return point == std::string_view::npos ? std::string_view{} : topic.substr(point + 1);
}

/// "orderbook.rpi." and "orderbook.full." are other books under the same name.
bool is_plain_book(std::string_view topic) noexcept {
  constexpr std::string_view head = "orderbook.";
  return topic.starts_with(head) && topic.size() > head.size() && topic[head.size()] >= '0'
         && topic[head.size()] <= '9';
}

class decoder final : public json_decoder {
public:
  explicit decoder(const instrument_spec& instrument) : json_decoder{instrument} {
    if (instrument.kind == contract_kind::spot) in().round_sizes();
  }

private:
  void read_object(json_object root) override;
  void read_answer(json_object& root);
  void read_book(json_object& root, std::string_view symbol, bool best);
  void read_trades(json_object& root, std::string_view symbol);
  void read_candles(json_object& root, std::string_view symbol);
  void give_book(json_object& data, bool image, market_time sent, std::string_view symbol);
  void give_best(json_object& data, bool image, market_time sent, std::string_view symbol);

  best_event best_; ///< of the level-1 topic; deltas of it change one side
};

void decoder::read_object(json_object root) {
  json_value found;
  if (!in().find(root, "topic", found)) return read_answer(root);
  const auto topic = in().text(found);
  const auto symbol = symbol_of(topic);
  if (!in().fine() || !ours(symbol)) return;
  if (is_plain_book(topic))
    read_book(root, symbol, topic.starts_with("orderbook.1."));
  else if (topic.starts_with("publicTrade."))
    read_trades(root, symbol);
  else if (topic.starts_with("kline."))
    read_candles(root, symbol);
}

/// {"success":true,"ret_msg":"","conn_id":"…","req_id":"…","op":"subscribe"}
void decoder::read_answer(json_object& root) {
  json_value found;
  if (!in().find(root, "op", found)) return;
  const auto op = in().text(found);
  if (op != "subscribe" && op != "unsubscribe") return;
  const bool taken = in().flag(root, "success");
  auto& event = add(taken ? event_kind::acknowledgement : event_kind::failure);
  if (in().find(root, "req_id", found)) event.request = in().text(found);
  if (in().find(root, "ret_msg", found)) event.text = in().text(found);
}

void decoder::read_book(json_object& root, std::string_view symbol, bool best) {
  // Spot writes ts before type, derivatives after it.
  const auto sent = in().time(root, "ts", time_unit::ms);
  const auto type = in().text(root, "type");
  auto data = in().object(root, "data");
  if (type != "snapshot" && type != "delta") return in().fail(frame_damage::wrong_type);
  if (!in().fine()) return;
  if (best) return give_best(data, type == "snapshot", sent, symbol);
  give_book(data, type == "snapshot", sent, symbol);
  json_value matched;
  if (!in().fine() || !in().find(root, "cts", matched)) return;
  auto& event = last();
  if (event.kind == event_kind::depth) event.depth.transaction = in().time(matched, time_unit::ms);
}

void decoder::give_book(json_object& data, bool image, market_time sent, std::string_view symbol) {
  const auto bids = in().levels(data, "b", side::buy);
  const auto asks = in().levels(data, "a", side::sell);
  const auto update = in().id(data, "u");
  if (image || update == 1) {
    auto& i = add(event_kind::image, symbol).image;
    i.last = update;
    i.event = sent;
    i.bids = bids;
    i.asks = asks;
    return;
  }
  auto& d = add(event_kind::depth, symbol).depth;
  d.first = d.last = update;
  d.event = d.transaction = sent;
  d.bids = bids;
  d.asks = asks;
}

/// `u` numbers the changes of each topic by itself, so this one is not the book's: it is left out, and best bid
/// and ask are compared by time.
void decoder::give_best(json_object& data, bool image, market_time sent, std::string_view symbol) {
  const auto bids = in().levels(data, "b", side::buy);
  const auto asks = in().levels(data, "a", side::sell);
  if (!in().fine()) return;
  if (image) best_ = {};
  for (const auto& l : bids)
    if (l.quantity.raw != 0) best_.bid = l;
  for (const auto& l : asks)
    if (l.quantity.raw != 0) best_.ask = l;
  best_.event = sent;
  const bool both = best_.bid.quantity.raw != 0 && best_.ask.quantity.raw != 0;
  if (both) add(event_kind::best, symbol).best = best_;
}

void decoder::read_trades(json_object& root, std::string_view symbol) {
  const auto sent = in().time(root, "ts", time_unit::ms);
  in().each(in().array(root, "data"), [&](json_value item) {
    auto one = in().object(item);
    trade_event t;
    t.event = sent;
    t.at = in().time(one, "T", time_unit::ms);
    if (!ours(in().text(one, "s"))) return;
    const auto taker = in().text(one, "S");
    if (taker != "Buy" && taker != "Sell") return in().fail(frame_damage::wrong_type);
    t.taker = taker == "Buy" ? side::buy : side::sell;
    t.quantity = in().size_of(one, "v");
    t.at_price = in().price_of(one, "p");
    t.id_text = in().text(one, "i");
    t.numbered = false;
    json_value block;
    t.on_market = !in().find(one, "BT", block) || !in().flag(block);
    add(event_kind::trade, symbol).trade = t;
  });
}

void decoder::read_candles(json_object& root, std::string_view symbol) {
  in().each(in().array(root, "data"), [&](json_value item) {
    auto one = in().object(item);
    auto& c = add(event_kind::candle, symbol).candle;
    c.open_time = in().time(one, "start", time_unit::ms);
    c.close_time = in().time(one, "end", time_unit::ms);
    c.interval = in().text(one, "interval");
    c.open = in().price_of(one, "open");
    c.close = in().price_of(one, "close");
    c.high = in().price_of(one, "high");
    c.low = in().price_of(one, "low");
    c.volume = in().size_of(one, "volume");
    c.closed = in().flag(one, "confirm");
    c.event = in().time(one, "timestamp", time_unit::ms);
  });
}

} // namespace

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<decoder>(instrument);
}

} // namespace troupe::bybit
