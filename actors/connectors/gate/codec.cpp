#include "actors/connectors/gate/codec.hpp"

#include "actors/connectors/json_frame.hpp"

namespace troupe::gate {
namespace {

class decoder final : public json_decoder {
public:
  explicit decoder(const instrument_spec& instrument) : json_decoder{instrument} {
    in().round_sizes(); // books hold sizes finer than amount_precision
  }

private:
  void read_object(json_object root) override;
  void read_answer(json_object& root);
  void read_image(json_object& root);
  void read_book(json_object result);
  void read_best(json_object result);
  void read_trade(json_object result, market_time sent);
  void read_candle(json_object result, market_time sent);
};

/// {"time":…,"time_ms":…,"channel":"…","event":"update","result":{…}}, in any order; seconds only
/// in 2021.
void decoder::read_object(json_object root) {
  json_value found;
  market_time sent;
  if (!in().find(root, "channel", found)) return read_image(root);
  const auto channel = in().text(found);
  if (!in().find(root, "event", found)) return;
  if (in().text(found) != "update") return read_answer(root);
  if (in().find(root, "time_ms", found)) sent = in().time(found, time_unit::ms);
  if (!in().find(root, "result", found)) return;
  if (channel == "spot.obu" || channel == "spot.order_book_update")
    read_book(in().object(found));
  else if (channel == "spot.book_ticker")
    read_best(in().object(found));
  else if (channel == "spot.trades")
    read_trade(in().object(found), sent);
  else if (channel == "spot.candlesticks")
    read_candle(in().object(found), sent);
}

/// {"channel":"…","event":"subscribe","result":{"status":"success"}} or with
/// {"error":{"code":2,"message":…}}
void decoder::read_answer(json_object& root) {
  json_value found;
  if (in().find(root, "error", found)) {
    auto failure = in().object(found);
    auto& event = add(event_kind::failure);
    event.code = in().integer(failure, "code");
    event.text = in().text(failure, "message");
    return;
  }
  if (in().find(root, "result", found) && found.raw_json_token()[0] == '{')
    add(event_kind::acknowledgement);
}

/// The REST image names neither channel nor pair: it is our instrument's.
void decoder::read_image(json_object& root) {
  image_event i;
  bool numbered = false;
  int sides = 0;
  in().each_member(root, [&](std::string_view key, json_value value) {
    if (key == "id")
      i.last = in().id(value), numbered = true;
    else if (key == "update")
      i.event = in().time(value, time_unit::ms);
    else if (key == "asks")
      i.asks = in().levels(value, side::sell), ++sides;
    else if (key == "bids")
      i.bids = in().levels(value, side::buy), ++sides;
  });
  if (!in().fine() || sides == 0) return;
  if (sides != 2 || !numbered) return in().fail(frame_damage::missing_field);
  add(event_kind::image, instrument().venue_symbol).image = i;
}

void decoder::read_book(json_object result) {
  depth_event d;
  std::string_view symbol;
  bool full = false;
  bool ranged = false;
  int sides = 0;
  in().each_member(result, [&](std::string_view key, json_value value) {
    if (key == "b")
      d.bids = in().levels(value, side::buy), ++sides;
    else if (key == "a")
      d.asks = in().levels(value, side::sell), ++sides;
    else if (key == "u")
      d.last = in().id(value);
    else if (key == "U")
      d.first = in().id(value), ranged = true;
    else if (key == "t")
      d.transaction = in().time(value, time_unit::ms);
    else if (key == "full")
      full = in().flag(value);
    else if (key == "s")
      symbol = symbol_of_book(in().text(value));
  });
  if (!in().fine() || !ours(symbol)) return;
  // A side without changes may be left out of a change, and an empty one out of an image.
  if (d.last == 0 || d.transaction.ns == 0 || (sides == 0 && !full && !ranged))
    return in().fail(frame_damage::missing_field);
  d.event = d.transaction;
  if (full) {
    auto& i = add(event_kind::image, symbol).image;
    i.last = d.last;
    i.event = d.event;
    i.bids = d.bids;
    i.asks = d.asks;
    return;
  }
  if (!ranged) return in().fail(frame_damage::missing_field);
  if (d.first > d.last) return in().fail(frame_damage::bad_range);
  add(event_kind::depth, symbol).depth = d;
}

/// A side without orders has an empty price.
void decoder::read_best(json_object result) {
  best_event b;
  std::string_view symbol;
  bool empty = false;
  const auto number = [&](json_value value) {
    const bool none = value.raw_json_token().starts_with("\"\"");
    empty = empty || none;
    return !none;
  };
  in().each_member(result, [&](std::string_view key, json_value value) {
    if (key == "t")
      b.event = in().time(value, time_unit::ms);
    else if (key == "u")
      b.sequence = in().id(value);
    else if (key == "s")
      symbol = in().text(value);
    else if (key == "b" && number(value))
      b.bid.at = in().price_of(value);
    else if (key == "B" && number(value))
      b.bid.quantity = in().size_of(value);
    else if (key == "a" && number(value))
      b.ask.at = in().price_of(value);
    else if (key == "A" && number(value))
      b.ask.quantity = in().size_of(value);
  });
  if (!in().fine() || !ours(symbol) || empty || b.bid.at.raw == 0 || b.ask.at.raw == 0) return;
  add(event_kind::best, symbol).best = b;
}

void decoder::read_trade(json_object result, market_time sent) {
  trade_event t;
  std::string_view symbol;
  int found = 0;
  in().each_member(result, [&](std::string_view key, json_value value) {
    if (key == "id")
      t.id = in().id(value), ++found;
    else if (key == "create_time_ms")
      t.at = in().time(value, time_unit::ms), ++found;
    else if (key == "currency_pair")
      symbol = in().text(value), ++found;
    else if (key == "amount")
      t.quantity = in().size_of(value), ++found;
    else if (key == "price")
      t.at_price = in().price_of(value), ++found;
    else if (key == "side") {
      const auto taker = in().text(value);
      if (taker != "buy" && taker != "sell") in().fail(frame_damage::wrong_type);
      t.taker = taker == "sell" ? side::sell : side::buy;
      ++found;
    }
  });
  if (!in().fine()) return;
  if (found < 6) return in().fail(frame_damage::missing_field);
  if (!ours(symbol)) return;
  t.first_id = t.last_id = t.id;
  t.numbered = false;
  t.event = sent.ns != 0 ? sent : t.at;
  add(event_kind::trade, symbol).trade = t;
}

/// `v` is the volume in the quote asset, `a` that in the base asset.
void decoder::read_candle(json_object result, market_time sent) {
  candle_event c;
  std::string_view name;
  int found = 0;
  c.event = sent;
  in().each_member(result, [&](std::string_view key, json_value value) {
    if (key == "n")
      name = in().text(value), ++found;
    else if (key == "t")
      c.open_time = in().time(value, time_unit::s), ++found;
    else if (key == "o")
      c.open = in().price_of(value), ++found;
    else if (key == "h")
      c.high = in().price_of(value), ++found;
    else if (key == "l")
      c.low = in().price_of(value), ++found;
    else if (key == "c")
      c.close = in().price_of(value), ++found;
    else if (key == "a")
      c.volume = in().size_of(value);
    else if (key == "w")
      c.closed = in().flag(value);
  });
  if (!in().fine()) return;
  if (found < 6) return in().fail(frame_damage::missing_field);
  const auto symbol = symbol_of_candle(name);
  if (!ours(symbol)) return;
  c.interval = name.substr(0, name.size() - symbol.size() - 1);
  add(event_kind::candle, symbol).candle = c;
}

} // namespace

std::string_view symbol_of_book(std::string_view name) noexcept {
  if (!name.starts_with("ob.")) return name;
  name.remove_prefix(3);
  return name.substr(0, name.find('.'));
}

std::string_view symbol_of_candle(std::string_view name) noexcept {
  const auto line = name.find('_');
  return line == std::string_view::npos ? std::string_view{} : name.substr(line + 1);
}

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<decoder>(instrument);
}

} // namespace troupe::gate
