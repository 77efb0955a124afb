#include "actors/connectors/kucoin/codec.hpp"

#include "actors/connectors/layout_scan.hpp"
#include "actors/connectors/trade_hash.hpp"

namespace troupe::kucoin {

using namespace std::string_view_literals;

topic_parts parts_of_topic(std::string_view topic) noexcept {
  topic_parts out;
  const auto colon = topic.find(':');
  if (colon == std::string_view::npos) return out;
  const auto channel = topic.substr(0, colon);
  out.symbol = topic.substr(colon + 1);
  if (channel == "/market/level2"sv) out.kind = topic_class::level2;
  else if (channel == "/market/match"sv) out.kind = topic_class::match;
  else if (channel == "/market/ticker"sv) out.kind = topic_class::ticker;
  else if (channel == "/market/candles"sv) out.kind = topic_class::candles;
  else if (channel.starts_with("/spotMarket/level2Depth"sv) || channel == "/market/level2Snapshot"sv)
    out.kind = topic_class::whole_book;
  if (out.kind != topic_class::candles) return out;
  const auto line = out.symbol.rfind('_');
  if (line == std::string_view::npos) return out;
  out.interval = out.symbol.substr(line + 1);
  out.symbol = out.symbol.substr(0, line);
  return out;
}

decoder::decoder(const instrument_spec& instrument, const json_limits& limits)
    : json_decoder{instrument, limits} {
  in().round_sizes();
}

void decoder::read_object(json_object root) {
  json_value value;
  if (!in().find(root, "type", value)) { // an answer of the REST interface
    if (!in().find(root, "code", value)) return;
    const auto code = in().integer(value);
    if (code != 200000) {
      const auto why = in().find(root, "msg", value) ? in().text(value) : ""sv;
      auto& event = add(event_kind::failure);
      event.code = code;
      event.text = why;
      return;
    }
    if (!in().find(root, "data", value)) return;
    json_object data = in().object(value);
    return read_image(data, {});
  }
  const auto type = in().text(value);
  if (type != "message"sv) return read_answer(root, type);
  read_message(root, in().text(root, "topic"));
}

void decoder::read_answer(json_object& root, std::string_view type) {
  if (type != "ack"sv && type != "error"sv) return;
  json_value value;
  const auto id = in().find(root, "id", value) ? in().token(value) : ""sv;
  const bool refused = type == "error"sv;
  const auto code = refused && in().find(root, "code", value) ? in().integer(value) : 0;
  const auto why = refused && in().find(root, "data", value) ? in().text(value) : ""sv;
  auto& event = add(refused ? event_kind::failure : event_kind::acknowledgement);
  event.request = id;
  event.code = code;
  event.text = why;
}

void decoder::read_message(json_object& root, std::string_view name) {
  auto topic = parts_of_topic(name);
  if (topic.symbol == "all"sv) topic.symbol = in().text(root, "subject"); // "/market/ticker:all"
  if (!in().fine() || topic.kind == topic_class::other || !ours(topic.symbol)) return;
  json_object data = in().object(root, "data");
  if (!in().fine()) return;
  switch (topic.kind) {
  case topic_class::level2: return read_level2(data, topic.symbol);
  case topic_class::match: return read_match(data, topic.symbol);
  case topic_class::ticker: return read_ticker(data, topic.symbol);
  case topic_class::candles: return read_candle(data, topic);
  case topic_class::whole_book: return read_image(data, topic.symbol);
  case topic_class::other: return;
  }
}

// --- changes and tickers in one pass --------------------------------------------------------------

/// What "data" held. The venue has changed the order of members more than once, so they are taken in any.
struct decoder::known_data {
  enum member : unsigned {
    first = 1, last = 2, symbol = 4, changes = 8, time = 16,                      // of changes
    bids = 32, asks = 64,                                                         // within
    number = 128, bid = 256, bid_size = 512, ask = 1024, ask_size = 2048,         // of tickers
    price = 4096, size = 8192
  };
  static constexpr unsigned of_change = first | last | changes;
  static constexpr unsigned of_ticker = number | bid | bid_size | ask | ask_size;

  unsigned seen = 0;
  std::uint64_t first_number = 0;
  std::uint64_t last_number = 0;
  market_time at;
  best_event best;

  /// False when it comes a second time.
  bool once(member m) noexcept {
    const bool fresh = (seen & m) == 0;
    seen |= m;
    return fresh;
  }
};

bool decoder::read_layout(std::string_view frame) {
  auto scan = layout_of(frame);
  known_data data;
  std::string_view topic;
  std::string_view type;
  std::string_view subject;
  if (!scan.is('{')) return false;
  do {
    if (scan.is(R"("data":{)")) {
      if (data.seen != 0 || !scan_data(scan, data)) return false;
      continue;
    }
    auto& text = scan.is(R"("topic":")") ? topic : scan.is(R"("type":")") ? type : subject;
    if (text.data() != nullptr || (&text == &subject && !scan.is(R"("subject":")")) || !scan.text(text)) return false;
  } while (scan.is(','));
  if (!scan.is('}') || !scan.done() || type != "message"sv) return false;
  const auto parts = parts_of_topic(topic);
  const auto needed = parts.kind == topic_class::level2 ? known_data::of_change : known_data::of_ticker;
  if (parts.kind != topic_class::level2 && parts.kind != topic_class::ticker) return false;
  if (!ours(parts.symbol) || (data.seen & needed) != needed) return false;
  if (data.first_number > data.last_number) return false;
  add_known(data, parts.kind, parts.symbol);
  return true;
}

/// From behind the opening brace up to the closing one.
bool decoder::scan_data(layout_scan& scan, known_data& out) {
  using m = known_data;
  do {
    std::string_view key;
    std::string_view left_out;
    if (!scan.is('"') || !scan.text(key) || !scan.is(':')) return false;
    const auto text = [&](known_data::member which, auto take) {
      return out.once(which) && scan.is('"') && take();
    };
    auto& best = out.best;
    auto& bid_size = best.bid.quantity;
    auto& ask_size = best.ask.quantity;
    bool taken = false;
    if (key == "changes"sv) taken = out.once(m::changes) && scan.is('{') && scan_changes(scan, out);
    else if (key == "sequenceStart"sv) taken = out.once(m::first) && scan.integer(out.first_number);
    else if (key == "sequenceEnd"sv) taken = out.once(m::last) && scan.integer(out.last_number);
    else if (key == "symbol"sv) taken = text(m::symbol, [&] { return scan.text(left_out); });
    else if (key == "time"sv) taken = out.once(m::time) && scan.milliseconds(out.at);
    else if (key == "sequence"sv)
      taken = text(m::number, [&] { return scan.integer(best.sequence) && scan.is('"'); });
    else if (key == "bestBid"sv) taken = text(m::bid, [&] { return scan.quoted_price(best.bid.at); });
    else if (key == "bestBidSize"sv) taken = text(m::bid_size, [&] { return scan.quoted_size(bid_size); });
    else if (key == "bestAsk"sv) taken = text(m::ask, [&] { return scan.quoted_price(best.ask.at); });
    else if (key == "bestAskSize"sv) taken = text(m::ask_size, [&] { return scan.quoted_size(ask_size); });
    else if (key == "price"sv) taken = text(m::price, [&] { return scan.text(left_out); });
    else if (key == "size"sv) taken = text(m::size, [&] { return scan.text(left_out); });
    if (!taken) return false;
  } while (scan.is(','));
  return scan.is('}');
}

bool decoder::scan_changes(layout_scan& scan, known_data& out) {
  rows_[0].clear();
  rows_[1].clear();
  do {
    const bool bids = scan.is(R"("bids":[)");
    if (!bids && !scan.is(R"("asks":[)")) return false;
    if (!out.once(bids ? known_data::bids : known_data::asks)) return false;
    if (!scan_rows(scan, bids ? side::buy : side::sell)) return false;
  } while (scan.is(','));
  return scan.is('}');
}

/// ["242.795","5.68148185","1613277184734"]
bool decoder::scan_rows(layout_scan& scan, side s) {
  auto& numbers = rows_[s == side::sell ? 1 : 0];
  return scan.rows(in().lane(s), [&](level& l) {
    std::uint64_t number = 0;
    if (!scan.is("[\"") || !scan.quoted_price(l.at)) return false;
    if (!scan.is(",\"") || !scan.quoted_size(l.quantity)) return false;
    if (!scan.is(",\"") || !scan.integer(number) || !scan.is("\"]")) return false;
    numbers.push_back(number);
    return true;
  });
}

void decoder::add_known(const known_data& data, topic_class kind, std::string_view symbol) {
  if (kind == topic_class::level2) return add_level2(symbol, data.first_number, data.last_number, data.at);
  auto& best = add(event_kind::best, symbol).best;
  best = data.best;
  best.event = data.at;
}

// --- books ----------------------------------------------------------------------------------------

void decoder::read_rows(json_object& changes, side s) {
  auto& numbers = rows_[s == side::sell ? 1 : 0];
  numbers.clear();
  json_value rows;
  if (!in().find(changes, s == side::buy ? "bids" : "asks", rows)) return;
  in().each(in().array(rows), [&](json_value row) {
    level l;
    std::uint64_t number = 0;
    int column = 0;
    in().each(in().array(row), [&](json_value cell) {
      switch (column++) {
      case 0: l.at = in().price_of(cell); break;
      case 1: l.quantity = in().size_of(cell); break;
      case 2: number = in().id(cell); break;
      default: break;
      }
    });
    if (column < 3) return in().fail(frame_damage::missing_field);
    in().put(s, l);
    numbers.push_back(number);
  });
}

void decoder::read_level2(json_object& data, std::string_view symbol) {
  const auto first = in().id(data, "sequenceStart");
  json_object changes = in().object(data, "changes");
  if (!in().fine()) return;
  read_rows(changes, side::buy);
  read_rows(changes, side::sell);
  const auto last = in().id(data, "sequenceEnd");
  json_value sent;
  market_time at;
  if (in().find(data, "time", sent)) at = in().time(sent, time_unit::ms);
  if (first > last) in().fail(frame_damage::bad_range);
  if (in().fine()) add_level2(symbol, first, last, at);
}

void decoder::add_level2(std::string_view symbol, std::uint64_t first, std::uint64_t last, market_time at) {
  auto& d = add(event_kind::depth, symbol).depth;
  d.event = d.transaction = at;
  d.first = first;
  d.last = last;
  d.bids = in().lane(side::buy).since(0);
  d.asks = in().lane(side::sell).since(0);
  d.bid_rows = rows_[0];
  d.ask_rows = rows_[1];
}

void decoder::read_image(json_object& data, std::string_view symbol) {
  json_value value;
  // The small whole books of the socket have a time of another name and no number.
  const auto last = in().find(data, "sequence", value) ? in().id(value) : 0;
  market_time at;
  if (in().find(data, "time", value) || in().find(data, "timestamp", value))
    at = in().time(value, time_unit::ms);
  const auto bids = in().levels(data, "bids", side::buy);
  const auto asks = in().levels(data, "asks", side::sell);
  if (!in().fine()) return;
  auto& image = add(event_kind::image, symbol).image;
  image.last = last;
  image.event = at;
  image.bids = bids;
  image.asks = asks;
}

void decoder::read_ticker(json_object& data, std::string_view symbol) {
  best_event best;
  json_value value;
  // A side without orders is absent, null or empty.
  const auto side_of = [&](std::string_view price_key, std::string_view size_key, level& out) {
    if (!in().find(data, price_key, value)) return;
    const auto raw = value.raw_json_token();
    if (raw.starts_with("\"\""sv)) return;
    out.at = in().price_of(value);
    out.quantity = in().size_of(data, size_key);
  };
  side_of("bestBid", "bestBidSize", best.bid);
  side_of("bestAsk", "bestAskSize", best.ask);
  best.sequence = in().id(data, "sequence");
  if (in().find(data, "time", value)) best.event = in().time(value, time_unit::ms);
  if (in().fine()) add(event_kind::best, symbol).best = best;
}

// --- trades and candles ---------------------------------------------------------------------------

void decoder::read_match(json_object& data, std::string_view symbol) {
  trade_event t;
  json_value value;
  t.at_price = in().price_of(data, "price");
  t.quantity = in().size_of(data, "size");
  const auto taker = in().text(data, "side");
  t.at = t.event = in().time(data, "time", time_unit::ns);
  if (in().find(data, "tradeId", value)) t.id_text = in().token(value);
  if (in().find(data, "sequence", value)) t.id = in().id(value);
  if (!in().fine()) return;
  if (taker != "buy"sv && taker != "sell"sv) return in().fail(frame_damage::wrong_type);
  t.taker = taker == "buy"sv ? side::buy : side::sell;
  t.numbered = false;
  if (t.id == 0 && t.id_text.empty()) t.id = hash_of_trade(t, 0);
  t.first_id = t.last_id = t.id;
  add(event_kind::trade, symbol).trade = t;
}

namespace {

/// Seconds of "1min", "1hour", "1day", "1week"; 0 for anything else.
std::int64_t seconds_of(std::string_view interval) noexcept {
  std::int64_t count = 0;
  while (!interval.empty() && interval[0] >= '0' && interval[0] <= '9' && count < 1000) {
    count = count * 10 + (interval[0] - '0');
    interval.remove_prefix(1);
  }
  if (interval == "min"sv) return count * 60;
  if (interval == "hour"sv) return count * 3600;
  if (interval == "day"sv) return count * 86400;
  return interval == "week"sv ? count * 604800 : 0;
}

} // namespace

void decoder::read_candle(json_object& data, const topic_parts& topic) {
  candle_event c;
  int column = 0;
  in().each(in().array(data, "candles"), [&](json_value cell) {
    switch (column++) {
    case 0: c.open_time = in().time(cell, time_unit::s); break;
    case 1: c.open = in().price_of(cell); break;
    case 2: c.close = in().price_of(cell); break;
    case 3: c.high = in().price_of(cell); break;
    case 4: c.low = in().price_of(cell); break;
    case 5: c.volume = in().size_of(cell); break;
    default: break;
    }
  });
  if (column < 6) in().fail(frame_damage::missing_field);
  json_value sent;
  if (in().find(data, "time", sent)) c.event = in().time(sent, time_unit::ns);
  if (!in().fine()) return;
  c.interval = topic.interval;
  c.close_time = c.open_time + std::chrono::seconds{seconds_of(topic.interval)};
  add(event_kind::candle, topic.symbol).candle = c;
}

} // namespace troupe::kucoin
