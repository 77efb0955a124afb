#include "actors/connectors/okx/codec.hpp"

#include "actors/connectors/json_frame.hpp"

namespace troupe::okx {
namespace {

class decoder final : public json_decoder {
public:
  explicit decoder(const instrument_spec& instrument) : json_decoder{instrument} {}

private:
  [[nodiscard]] bool known_text(std::string_view frame) const noexcept override {
    return frame == "pong";
  }
  void read_object(json_object root) override;
  void read_answer(json_object& root);
  void read_book(json_object row, std::string_view symbol, bool image);
  void read_best(json_object& row, std::string_view symbol);
  void read_trade(json_object& row, std::string_view symbol);
  void read_candle(json_value row, std::string_view symbol, std::string_view interval);
};

void decoder::read_object(json_object root) {
  json_value found;
  if (!in().find(root, "arg", found)) return read_answer(root);
  auto arg = in().object(found);
  const auto channel = in().text(arg, "channel");
  if (!in().find(arg, "instId", found)) return;
  const auto symbol = in().text(found);
  if (!in().fine() || !ours(symbol)) return;
  const bool chained =
      channel == "books" || channel == "books-l2-tbt" || channel == "books50-l2-tbt";
  bool image = channel == "books5";
  if (chained) {
    if (!in().find(root, "action", found)) return read_answer(root);
    const auto action = in().text(found);
    if (action != "snapshot" && action != "update") return in().fail(frame_damage::wrong_type);
    image = action == "snapshot";
  }
  const bool candles = channel.starts_with("candle");
  const bool trades = channel == "trades" || channel == "trades-all";
  if (!chained && !image && !candles && !trades && channel != "bbo-tbt") return;
  if (!in().find(root, "data", found)) return read_answer(root);
  in().each(in().array(found), [&](json_value row) {
    if (candles) return read_candle(row, symbol, channel.substr(6));
    auto one = in().object(row);
    if (trades)
      read_trade(one, symbol);
    else if (chained || image)
      read_book(one, symbol, image);
    else
      read_best(one, symbol);
  });
}

/// {"event":"subscribe","arg":{…},"connId":"…"}, {"event":"error","code":"60012","msg":"…"}
void decoder::read_answer(json_object& root) {
  json_value found;
  if (!in().find(root, "event", found)) return;
  const auto event = in().text(found);
  if (event == "subscribe") add(event_kind::acknowledgement);
  if (event == "notice") add(event_kind::shutdown);
  if (event != "error") return;
  auto& e = add(event_kind::failure);
  if (in().find(root, "msg", found)) e.text = in().text(found);
  if (in().find(root, "code", found)) e.code = in().integer(found);
}

/// In one walk: the venue's order of seqId and prevSeqId is not always the same.
void decoder::read_book(json_object row, std::string_view symbol, bool image) {
  depth_event d;
  bool timed = false;
  bool numbered = false;
  int sides = 0;
  in().each_member(row, [&](std::string_view key, json_value value) {
    if (key == "asks")
      d.asks = in().levels(value, side::sell), ++sides;
    else if (key == "bids")
      d.bids = in().levels(value, side::buy), ++sides;
    else if (key == "ts")
      d.event = in().time(value, time_unit::ms), timed = true;
    else if (key == "seqId")
      d.last = in().id(value), numbered = true;
    else if (key == "prevSeqId") {
      const auto previous = in().integer(value);
      d.has_previous = previous >= 0; // -1: nothing came before, which images say
      if (d.has_previous) d.previous = static_cast<std::uint64_t>(previous);
    } else if (key == "checksum") {
      const auto sum = in().integer(value); // written as a signed number of 32 bits
      if (sum < INT32_MIN || sum > UINT32_MAX) in().fail(frame_damage::bad_number);
      d.has_checksum = true;
      d.checksum = static_cast<std::uint32_t>(sum);
    }
  });
  if (!in().fine()) return;
  if (sides != 2 || !timed) return in().fail(frame_damage::missing_field);
  if (image) {
    auto& i = add(event_kind::image, symbol).image;
    i.last = d.last;
    i.event = d.event;
    i.has_checksum = d.has_checksum;
    i.checksum = d.checksum;
    i.bids = d.bids;
    i.asks = d.asks;
    return;
  }
  // A numbered change must say what it follows.
  if (numbered && !d.has_previous) return in().fail(frame_damage::bad_range);
  d.first = d.last;
  d.transaction = d.event;
  add(event_kind::depth, symbol).depth = d;
}

void decoder::read_best(json_object& row, std::string_view symbol) {
  const auto asks = in().levels(row, "asks", side::sell);
  const auto bids = in().levels(row, "bids", side::buy);
  best_event b;
  b.event = in().time(row, "ts", time_unit::ms);
  json_value found;
  if (in().find(row, "seqId", found)) b.sequence = in().id(found);
  if (asks.empty() || bids.empty()) return;
  b.bid = bids[0];
  b.ask = asks[0];
  add(event_kind::best, symbol).best = b;
}

/// One message may stand for several trades at one price: `tradeId` is the last of them, `count` how many.
void decoder::read_trade(json_object& row, std::string_view symbol) {
  trade_event t;
  t.id = t.first_id = t.last_id = in().id(row, "tradeId");
  t.numbered = false;
  t.at_price = in().price_of(row, "px");
  t.quantity = in().size_of(row, "sz");
  const auto taker = in().text(row, "side");
  if (taker != "buy" && taker != "sell") return in().fail(frame_damage::wrong_type);
  t.taker = taker == "buy" ? side::buy : side::sell;
  t.at = t.event = in().time(row, "ts", time_unit::ms);
  json_value found;
  if (in().find(row, "count", found))
    if (const auto count = in().id(found); count > 1) {
      if (count > t.last_id) return in().fail(frame_damage::bad_range);
      t.first_id = t.last_id - count + 1;
    }
  add(event_kind::trade, symbol).trade = t;
}

/// [ts, open, high, low, close, volume, volume in currency, volume in quote currency, confirm]
void decoder::read_candle(json_value row, std::string_view symbol, std::string_view interval) {
  auto& c = add(event_kind::candle, symbol).candle;
  c.interval = interval;
  int column = 0;
  in().each(in().array(row), [&](json_value cell) {
    switch (column++) {
    case 0:
      c.open_time = in().time(cell, time_unit::ms);
      break;
    case 1:
      c.open = in().price_of(cell);
      break;
    case 2:
      c.high = in().price_of(cell);
      break;
    case 3:
      c.low = in().price_of(cell);
      break;
    case 4:
      c.close = in().price_of(cell);
      break;
    case 5:
      c.volume = in().size_of(cell);
      break;
    case 8:
      c.closed = in().token(cell) == "1";
      break;
    default:
      break;
    }
  });
  if (column < 9) in().fail(frame_damage::missing_field);
}

} // namespace

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<decoder>(instrument);
}

} // namespace troupe::okx
