#include "actors/connectors/deribit/codec.hpp"

#include "actors/connectors/json_frame.hpp"

namespace troupe::deribit {
namespace {

class decoder final : public json_decoder {
public:
  explicit decoder(const instrument_spec& instrument) : json_decoder{instrument} {
    in().round_sizes(); // amounts of combos' legs come with the noise of binary fractions
  }

private:
  void read_object(json_object root) override;
  void read_answer(json_object& root);
  void read_book(json_object data, std::string_view symbol);
  void read_quote(json_object data, std::string_view symbol);
  void read_trade(json_object row, std::string_view symbol);
  void read_candle(json_object data, std::string_view symbol, std::string_view resolution);
  std::span<const level> read_side(json_value rows, side s);
};

/// {"jsonrpc":"2.0","method":"subscription","params":{"channel":"…","data":…}}
void decoder::read_object(json_object root) {
  json_value found;
  if (!in().find(root, "method", found)) return read_answer(root);
  if (in().text(found) != "subscription" || !in().find(root, "params", found)) return;
  auto params = in().object(found);
  const auto channel = in().text(params, "channel");
  const auto symbol = instrument_of_channel(channel);
  if (!in().fine() || !ours(symbol)) return;
  if (channel.starts_with("book.")) return read_book(in().object(params, "data"), symbol);
  if (channel.starts_with("quote.") || channel.starts_with("ticker.")) return read_quote(in().object(params, "data"), symbol);
  if (channel.starts_with("chart."))
    return read_candle(in().object(params, "data"), symbol, channel.substr(channel.rfind('.') + 1));
  if (!channel.starts_with("trades.")) return;
  in().each(in().array(params, "data"),
            [&](json_value row) { read_trade(in().object(row), symbol); });
}

void decoder::read_answer(json_object& root) {
  json_value found;
  std::string_view request;
  if (in().find(root, "id", found)) request = in().token(found);
  if (in().find(root, "error", found)) {
    auto failure = in().object(found);
    auto& event = add(event_kind::failure);
    event.request = request;
    event.code = in().integer(failure, "code");
    event.text = in().text(failure, "message");
  } else if (in().find(root, "result", found)) {
    add(event_kind::acknowledgement).request = request;
  }
}

/// Rows [action, price, amount], or [price, amount] in grouped books.
std::span<const level> decoder::read_side(json_value rows, side s) {
  const auto mark = in().lane(s).mark();
  in().each(in().array(rows), [&](json_value row) {
    level l;
    int number = 0;
    bool deletes = false;
    in().each(in().array(row), [&](json_value cell) {
      const auto raw = cell.raw_json_token();
      if (number == 0 && raw[0] == '"')
        deletes = in().text(cell) == "delete";
      else if (number == 0)
        l.at = in().price_of(cell), ++number;
      else if (number == 1)
        l.quantity = in().size_of(cell), ++number;
    });
    if (number != 2) in().fail(frame_damage::wrong_type);
    if (deletes) l.quantity = {};
    in().put(s, l);
  });
  return in().lane(s).since(mark);
}

void decoder::read_book(json_object data, std::string_view symbol) {
  depth_event d;
  std::string_view type; // grouped books have none
  bool numbered = false;
  int sides = 0;
  in().each_member(data, [&](std::string_view key, json_value value) {
    if (key == "bids")
      d.bids = read_side(value, side::buy), ++sides;
    else if (key == "asks")
      d.asks = read_side(value, side::sell), ++sides;
    else if (key == "timestamp")
      d.event = in().time(value, time_unit::ms);
    else if (key == "change_id")
      d.last = in().id(value), numbered = true;
    else if (key == "prev_change_id" && value.raw_json_token()[0] != 'n') {
      d.previous = in().id(value);
      d.has_previous = true;
    } else if (key == "type")
      type = in().text(value);
  });
  if (!in().fine()) return;
  if (sides != 2 || !numbered || d.event.ns == 0) return in().fail(frame_damage::missing_field);
  // What follows nothing begins the book anew, whatever its type.
  const bool first = d.has_previous ? d.previous == 0 : type.empty();
  if (first || type == "snapshot") {
    auto& i = add(event_kind::image, symbol).image;
    i.last = d.last;
    i.event = d.event;
    i.bids = d.bids;
    i.asks = d.asks;
    return;
  }
  if (!d.has_previous) return in().fail(frame_damage::missing_field);
  d.first = d.last;
  d.transaction = d.event;
  add(event_kind::depth, symbol).depth = d;
}

/// A side without orders has price null or 0: then there is no best bid and ask to give.
void decoder::read_quote(json_object data, std::string_view symbol) {
  best_event b;
  in().each_member(data, [&](std::string_view key, json_value value) {
    if (value.raw_json_token()[0] == 'n') return;
    if (key == "timestamp")
      b.event = in().time(value, time_unit::ms);
    else if (key == "best_bid_price")
      b.bid.at = in().price_of(value);
    else if (key == "best_ask_price")
      b.ask.at = in().price_of(value);
    else if (key == "best_bid_amount")
      b.bid.quantity = in().size_of(value);
    else if (key == "best_ask_amount")
      b.ask.quantity = in().size_of(value);
  });
  if (!in().fine() || b.bid.quantity.raw == 0 || b.ask.quantity.raw == 0) return;
  add(event_kind::best, symbol).best = b;
}

void decoder::read_trade(json_object row, std::string_view symbol) {
  trade_event t;
  int found = 0;
  in().each_member(row, [&](std::string_view key, json_value value) {
    if (key == "trade_seq")
      t.id = in().id(value), ++found;
    else if (key == "trade_id")
      t.id_text = in().text(value), ++found;
    else if (key == "timestamp")
      t.at = in().time(value, time_unit::ms), ++found;
    else if (key == "price")
      t.at_price = in().price_of(value), ++found;
    else if (key == "amount")
      t.quantity = in().size_of(value), ++found;
    else if (key == "direction") {
      const auto taker = in().text(value);
      if (taker != "buy" && taker != "sell") in().fail(frame_damage::wrong_type);
      t.taker = taker == "sell" ? side::sell : side::buy;
      ++found;
    } else if (key == "block_trade_id")
      t.on_market = value.raw_json_token()[0] == 'n';
  });
  if (!in().fine()) return;
  if (found < 6) return in().fail(frame_damage::missing_field);
  t.first_id = t.last_id = t.id;
  t.event = t.at;
  add(event_kind::trade, symbol).trade = t;
}

/// The volume of an inverse contract is in coins, its sizes in USD: `cost` is what fits them.
void decoder::read_candle(json_object data, std::string_view symbol, std::string_view resolution) {
  candle_event c;
  c.interval = resolution;
  const bool inverse = instrument().kind == contract_kind::inverse;
  int found = 0;
  in().each_member(data, [&](std::string_view key, json_value value) {
    ++found;
    if (key == "tick")
      c.open_time = in().time(value, time_unit::ms);
    else if (key == "open")
      c.open = in().price_of(value);
    else if (key == "high")
      c.high = in().price_of(value);
    else if (key == "low")
      c.low = in().price_of(value);
    else if (key == "close")
      c.close = in().price_of(value);
    else if (key == (inverse ? "cost" : "volume"))
      c.volume = in().size_of(value);
    else
      --found;
  });
  if (!in().fine()) return;
  if (found < 6) return in().fail(frame_damage::missing_field);
  add(event_kind::candle, symbol).candle = c;
}

} // namespace

std::string_view instrument_of_channel(std::string_view channel) noexcept {
  constexpr std::string_view chart = "chart.trades.";
  if (channel.starts_with(chart))
    channel.remove_prefix(chart.size());
  else if (const auto point = channel.find('.'); point != std::string_view::npos)
    channel.remove_prefix(point + 1);
  else
    return {};
  return channel.substr(0, channel.find('.'));
}

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<decoder>(instrument);
}

} // namespace troupe::deribit
