#include "actors/connectors/kraken/codec.hpp"

#include "actors/connectors/layout_scan.hpp"

namespace troupe::kraken {

using namespace std::string_view_literals;

namespace {

class v2_decoder final : public json_decoder {
public:
  explicit v2_decoder(const instrument_spec& instrument) : json_decoder{instrument} {}

private:
  /// What stands behind the sides.
  struct book_tail {
    bool has_checksum = false;
    std::uint32_t checksum = 0;
    market_time at;
  };

  bool read_layout(std::string_view frame) override;
  bool scan_side(layout_scan& scan, side s);
  void read_object(json_object root) override;
  void read_answer(json_object& root);
  void read_book(json_object item, bool image);
  void read_trade(json_object item);
  void read_ticker(json_object item);
  void read_candle(json_object item);
  void read_status(json_object item);
  std::span<const level> read_side(json_object& item, std::string_view key, side s);
  void add_book(bool image, std::string_view symbol, std::span<const level> bids, std::span<const level> asks,
                const book_tail& tail);

  iso_clock clock_;
};

/// Books as the venue writes them since 2022; images have no time at some ages of it.
/// {"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":63412.4,"qty":0.5},…],
/// "asks":[…],"checksum":1852619203,"timestamp":"2026-08-02T03:36:41.386179Z"}]}
bool v2_decoder::read_layout(std::string_view frame) {
  auto scan = layout_of(frame);
  if (!scan.is(R"({"channel":"book","type":")")) return false;
  const bool image = scan.is('s');
  if (image ? !scan.is("napshot\"") : !scan.is("update\"")) return false;
  const std::string_view symbol = instrument().venue_symbol;
  if (!scan.is(R"(,"data":[{"symbol":")") || !scan.is(symbol)) return false;
  if (!scan.is(R"(","bids":[)") || !scan_side(scan, side::buy)) return false;
  if (!scan.is(R"(,"asks":[)") || !scan_side(scan, side::sell)) return false;
  book_tail tail;
  tail.has_checksum = true;
  if (!scan.is(R"(,"checksum":)") || !scan.checksum(tail.checksum)) return false;
  std::string_view time;
  if (scan.is(R"(,"timestamp":")") && (!scan.text(time) || !clock_.read(time, tail.at))) return false;
  if (!scan.is("}]}") || !scan.done()) return false;
  add_book(image, symbol, in().lane(side::buy).since(0), in().lane(side::sell).since(0), tail);
  return true;
}

/// {"price":63412.4,"qty":0.00000000},…]
bool v2_decoder::scan_side(layout_scan& scan, side s) {
  return scan.rows(in().lane(s), [&](level& l) {
    return scan.is(R"({"price":)") && scan.bare_price(l.at) && scan.is(R"(,"qty":)")
           && scan.bare_size(l.quantity) && scan.is('}');
  });
}

void v2_decoder::read_object(json_object root) {
  json_value value;
  if (!in().find(root, "channel", value)) return read_answer(root);
  const auto channel = in().text(value);
  const auto type = in().find(root, "type", value) ? in().text(value) : ""sv;
  const bool known = channel == "book" || channel == "trade" || channel == "ticker"
                     || channel == "ohlc" || channel == "status";
  if (!known || !in().fine()) return;
  const bool image = type == "snapshot";
  in().each(in().array(root, "data"), [&](json_value element) {
    const auto item = in().object(element);
    if (!in().fine()) return;
    if (channel == "book")
      read_book(item, image);
    else if (channel == "ticker")
      read_ticker(item);
    else if (channel == "status")
      read_status(item);
    else if (image)
      return; // history
    else if (channel == "trade")
      read_trade(item);
    else
      read_candle(item);
  });
}

/// {"method":"subscribe","result":{…},"success":true,…} or
/// {"error":"…","method":"subscribe","success":false,…}
void v2_decoder::read_answer(json_object& root) {
  json_value value;
  if (!in().find(root, "method", value)) return;
  if (in().text(value) == "pong") return;
  const bool taken = in().find(root, "success", value) && in().flag(value);
  auto& event = add(taken ? event_kind::acknowledgement : event_kind::failure);
  if (in().find(root, "req_id", value)) event.request = in().token(value);
  if (!taken && in().find(root, "error", value)) event.text = in().text(value);
}

std::span<const level> v2_decoder::read_side(json_object& item, std::string_view key, side s) {
  json_value value;
  const auto mark = in().lane(s).mark();
  if (!in().find(item, key, value)) return {};
  in().each(in().array(value), [&](json_value row) {
    auto one = in().object(row);
    if (!in().fine()) return;
    const auto at = in().price_of(one, "price");
    const auto quantity = in().size_of(one, "qty");
    if (in().fine()) in().put(s, {at, quantity});
  });
  return in().lane(s).since(mark);
}

void v2_decoder::read_book(json_object item, bool image) {
  const auto symbol = in().text(item, "symbol");
  if (!in().fine() || !ours(symbol)) return;
  json_value value;
  const auto bids = read_side(item, "bids", side::buy);
  const auto asks = read_side(item, "asks", side::sell);
  book_tail tail;
  tail.has_checksum = in().find(item, "checksum", value);
  const auto checksum = tail.has_checksum ? in().id(value) : 0;
  if (checksum > UINT32_MAX) in().fail(frame_damage::bad_number);
  tail.checksum = static_cast<std::uint32_t>(checksum);
  if (in().find(item, "timestamp", value)) tail.at = in().iso_time(value);
  if (in().fine()) add_book(image, symbol, bids, asks, tail);
}

void v2_decoder::add_book(bool image, std::string_view symbol, std::span<const level> bids,
                          std::span<const level> asks, const book_tail& tail) {
  auto& event = add(image ? event_kind::image : event_kind::depth, symbol);
  const auto fill = [&](auto& out) {
    out.event = tail.at;
    out.has_checksum = tail.has_checksum;
    out.checksum = tail.checksum;
    out.bids = bids;
    out.asks = asks;
  };
  if (image) return fill(event.image);
  fill(event.depth);
  event.depth.transaction = tail.at;
}

void v2_decoder::read_trade(json_object item) {
  const auto symbol = in().text(item, "symbol");
  if (!in().fine() || !ours(symbol)) return;
  trade_event t;
  const auto taker = in().text(item, "side");
  if (taker != "buy" && taker != "sell") in().fail(frame_damage::wrong_type);
  t.taker = taker == "sell" ? side::sell : side::buy;
  t.at_price = in().price_of(item, "price");
  t.quantity = in().size_of(item, "qty");
  t.id = t.first_id = t.last_id = in().id(item, "trade_id");
  t.at = t.event = in().iso_time(item, "timestamp");
  if (in().fine()) add(event_kind::trade, symbol).trade = t;
}

void v2_decoder::read_ticker(json_object item) {
  const auto symbol = in().text(item, "symbol");
  if (!in().fine() || !ours(symbol)) return;
  json_value value;
  best_event b;
  // A side without orders is null or absent; then there is nothing to compare with.
  if (!in().find(item, "bid", value)) return;
  b.bid.at = in().price_of(value);
  if (!in().find(item, "bid_qty", value)) return;
  b.bid.quantity = in().size_of(value);
  if (!in().find(item, "ask", value)) return;
  b.ask.at = in().price_of(value);
  if (!in().find(item, "ask_qty", value)) return;
  b.ask.quantity = in().size_of(value);
  if (in().find(item, "timestamp", value)) b.event = in().iso_time(value);
  if (in().fine()) add(event_kind::best, symbol).best = b;
}

void v2_decoder::read_candle(json_object item) {
  const auto symbol = in().text(item, "symbol");
  if (!in().fine() || !ours(symbol)) return;
  candle_event c;
  // Minutes; `interval_begin` is the key, the frame's own `timestamp` member is deprecated.
  json_value value;
  if (!in().find(item, "interval", value)) return in().fail(frame_damage::missing_field);
  const auto minutes = in().id(value);
  if (minutes == 0 || minutes > 100'000) return in().fail(frame_damage::bad_range);
  c.interval = minutes == 1 ? "1m"sv : ""sv;
  c.open_time = in().iso_time(item, "interval_begin");
  c.close_time = c.open_time + std::chrono::minutes{minutes};
  c.event = c.open_time;
  c.open = in().price_of(item, "open");
  c.high = in().price_of(item, "high");
  c.low = in().price_of(item, "low");
  c.close = in().price_of(item, "close");
  c.volume = in().size_of(item, "volume");
  c.trades = in().id(item, "trades");
  if (in().fine()) add(event_kind::candle, symbol).candle = c;
}

void v2_decoder::read_status(json_object item) {
  json_value value;
  if (in().find(item, "system", value) && in().text(value) == "maintenance")
    add(event_kind::shutdown);
}

} // namespace

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<v2_decoder>(instrument);
}

} // namespace troupe::kraken
