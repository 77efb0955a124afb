#include "actors/connectors/mexc/codec.hpp"

#include "actors/connectors/loose_decimal.hpp"
#include "actors/connectors/mexc/wire.hpp"
#include "actors/connectors/trade_hash.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::mexc {

using namespace std::string_view_literals;

// --- values ---------------------------------------------------------------------------------------

namespace {

frame_damage read_price(std::string_view text, int scale, price& out) noexcept {
  const auto value = parse_price(text, scale);
  if (value) out = {*value};
  else return parse_size(text, scale) ? frame_damage::too_many_decimals : frame_damage::bad_number;
  return frame_damage::none;
}

frame_damage read_size(std::string_view text, int scale, size& out) noexcept {
  const auto value = parse_size(text, scale);
  if (value) out = {*value};
  return value ? frame_damage::none : frame_damage::bad_number;
}

frame_damage read_number(std::string_view text, std::uint64_t& out) noexcept {
  if (text.empty()) return frame_damage::missing_field;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? frame_damage::none
                                                                         : frame_damage::bad_number;
}

/// A time of the venue; 0 stays 0.
frame_damage read_time(std::int64_t value, std::int64_t nanoseconds_each, market_time& out) noexcept {
  constexpr std::int64_t latest = 7'258'118'400'000'000'000; // 2200-01-01
  if (value < 0 || value > latest / nanoseconds_each) return frame_damage::bad_range;
  out.ns = value * nanoseconds_each;
  return frame_damage::none;
}

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t seconds = 1'000'000'000;

bool printable(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool same_deal(const trade_event& a, const trade_event& b) noexcept {
  return a.at == b.at && a.at_price == b.at_price && a.quantity == b.quantity && a.taker == b.taker;
}

} // namespace

// --- JSON -----------------------------------------------------------------------------------------

/// Control answers and the REST image.
class decoder::json_part final : public json_decoder {
public:
  json_part(const instrument_spec& instrument, const json_limits& limits)
      : json_decoder{instrument, limits} {
    in().round_sizes();
  }

private:
  void read_object(json_object root) override {
    json_value value;
    if (in().find(root, "lastUpdateId", value)) return read_image(root, value);
    if (!in().find(root, "msg", value)) return;
    const auto words = in().text(value);
    const auto code = in().find(root, "code", value) ? in().integer(value) : 0;
    const bool refused = code != 0 || words.find("Not Subscribed"sv) != std::string_view::npos;
    auto& event = add(refused ? event_kind::failure : event_kind::acknowledgement);
    event.code = code;
    event.text = words;
    if (words == "PONG"sv) event.kind = event_kind::other;
  }

  void read_image(json_object& root, json_value last) {
    const auto id = in().id(last);
    const auto bids = in().levels(root, "bids", side::buy);
    const auto asks = in().levels(root, "asks", side::sell);
    json_value sent;
    market_time at;
    if (in().find(root, "timestamp", sent)) at = in().time(sent, time_unit::ms);
    auto& event = add(event_kind::image);
    event.image.last = id;
    event.image.event = at;
    event.image.bids = bids;
    event.image.asks = asks;
  }
};

// --- frames ---------------------------------------------------------------------------------------

decoder::decoder(const instrument_spec& instrument, const json_limits& limits)
    : instrument_{instrument}, limits_{limits}, json_{std::make_unique<json_part>(instrument, limits)},
      events_(1) {}

decoder::~decoder() = default;

const market_event& decoder::only(event_kind kind, frame_damage damage) noexcept {
  count_ = given_ = 1;
  events_[0] = market_event{};
  events_[0].kind = kind;
  events_[0].damage = damage;
  return events_[0];
}

market_event& decoder::add(event_kind kind, const push& from) {
  if (count_ == events_.size()) events_.resize(count_ * 2);
  auto& event = events_[count_++];
  event = market_event{};
  event.kind = kind;
  event.symbol = from.symbol;
  event.stream = from.channel;
  return event;
}

const market_event& decoder::decode(std::string_view frame) noexcept {
  from_json_ = is_json(frame);
  if (from_json_) return json_->decode(frame);
  count_ = given_ = 0;
  if (frame.size() > limits_.frame_bytes) return only(event_kind::damaged, frame_damage::too_large);
  push from;
  if (frame.empty() || !read_push(frame, from)) return only(event_kind::damaged, frame_damage::not_json);
  if (from.symbol != instrument_.venue_symbol) return only(event_kind::other, frame_damage::none);
  if (const auto damage = read(from); damage != frame_damage::none)
    return only(event_kind::damaged, damage);
  if (count_ == 0) return only(event_kind::other, frame_damage::none);
  given_ = 1;
  return events_[0];
}

const market_event* decoder::next() noexcept {
  if (from_json_) return json_->next();
  return given_ < count_ ? &events_[given_++] : nullptr;
}

frame_damage decoder::read(const push& from) noexcept {
  switch (from.kind) {
  case body_kind::aggre_depths: return read_depth(from);
  case body_kind::limit_depths: return read_limited(from);
  case body_kind::aggre_book_ticker: return read_best(from);
  case body_kind::aggre_deals: return read_deals(from);
  case body_kind::spot_kline: return read_candle(from);
  case body_kind::none: break;
  }
  return frame_damage::none;
}

// --- books ----------------------------------------------------------------------------------------

frame_damage decoder::read_amounts(std::string_view at, std::string_view quantity, price& p,
                                   size& q) const noexcept {
  if (const auto bad = read_price(at, instrument_.price_scale, p); bad != frame_damage::none) return bad;
  return read_size(quantity, instrument_.size_scale, q);
}

frame_damage decoder::read_level(std::string_view message, level& out) const noexcept {
  wire_reader in{message};
  wire_field f;
  std::string_view at;
  std::string_view quantity;
  while (in.next(f)) {
    if (f.number == 1) at = f.bytes;
    if (f.number == 2) quantity = f.bytes;
  }
  if (!in.fine()) return frame_damage::not_json;
  if (at.empty() || quantity.empty()) return frame_damage::missing_field;
  return read_amounts(at, quantity, out.at, out.quantity);
}

namespace {

/// What stands in a depth body besides levels.
struct depth_texts {
  std::string_view third, fourth, fifth; // eventType and versions
  std::int64_t sixth = 0;
};

/// Fills both lanes with the levels of fields 1 (asks) and 2 (bids).
template <class Level>
frame_damage walk_depth(std::string_view body, level_lane& bids, level_lane& asks, depth_texts& texts,
                               Level read_one) noexcept {
  // A level takes at least 8 bytes of the frame.
  bids.start(body.size() / 8 + 1);
  asks.start(body.size() / 8 + 1);
  wire_reader in{body};
  wire_field f;
  while (in.next(f)) {
    if (f.number == 1 || f.number == 2) {
      level l;
      if (!f.is_bytes) return frame_damage::wrong_type;
      if (const auto bad = read_one(f.bytes, l); bad != frame_damage::none) return bad;
      if (!(f.number == 1 ? asks : bids).add(l)) return frame_damage::too_large;
    }
    if (f.number == 3) texts.third = f.bytes;
    if (f.number == 4) texts.fourth = f.bytes;
    if (f.number == 5) texts.fifth = f.bytes;
    if (f.number == 6 && f.is_integer) texts.sixth = static_cast<std::int64_t>(f.value);
  }
  return in.fine() ? frame_damage::none : frame_damage::not_json;
}

} // namespace

frame_damage decoder::read_depth(const push& from) noexcept {
  depth_texts texts;
  const auto one = [this](std::string_view message, level& l) { return read_level(message, l); };
  if (const auto bad = walk_depth(from.body, bids_, asks_, texts, one); bad != frame_damage::none) return bad;
  auto& d = add(event_kind::depth, from).depth;
  if (const auto bad = read_number(texts.fourth, d.first); bad != frame_damage::none) return bad;
  if (const auto bad = read_number(texts.fifth, d.last); bad != frame_damage::none) return bad;
  if (d.first > d.last) return frame_damage::bad_range;
  const auto sent = from.send_time != 0 ? from.send_time : from.create_time;
  if (const auto bad = read_time(sent, ms, d.event); bad != frame_damage::none) return bad;
  if (const auto bad = read_time(texts.sixth, ms, d.transaction); bad != frame_damage::none) return bad;
  if (d.transaction.ns == 0) d.transaction = d.event;
  d.bids = bids_.since(0);
  d.asks = asks_.since(0);
  return frame_damage::none;
}

frame_damage decoder::read_limited(const push& from) noexcept {
  depth_texts texts;
  const auto one = [this](std::string_view message, level& l) { return read_level(message, l); };
  if (const auto bad = walk_depth(from.body, bids_, asks_, texts, one); bad != frame_damage::none) return bad;
  auto& image = add(event_kind::image, from).image;
  if (const auto bad = read_number(texts.fourth, image.last); bad != frame_damage::none) return bad;
  image.bids = bids_.since(0);
  image.asks = asks_.since(0);
  return read_time(from.send_time != 0 ? from.send_time : from.create_time, ms, image.event);
}

frame_damage decoder::read_best(const push& from) noexcept {
  std::string_view texts[5];
  wire_reader in{from.body};
  wire_field f;
  while (in.next(f))
    if (f.number >= 1 && f.number <= 5 && f.is_bytes) texts[f.number - 1] = f.bytes;
  if (!in.fine()) return frame_damage::not_json;
  auto& b = add(event_kind::best, from).best;
  const auto side_of = [&](std::string_view at, std::string_view quantity, level& out) {
    if (at.empty() && quantity.empty()) return frame_damage::none; // an empty side is simply absent
    return read_amounts(at, quantity, out.at, out.quantity);
  };
  if (const auto bad = side_of(texts[0], texts[1], b.bid); bad != frame_damage::none) return bad;
  if (const auto bad = side_of(texts[2], texts[3], b.ask); bad != frame_damage::none) return bad;
  if (!texts[4].empty())
    if (const auto bad = read_number(texts[4], b.sequence); bad != frame_damage::none) return bad;
  return read_time(from.send_time != 0 ? from.send_time : from.create_time, ms, b.event);
}

// --- deals and candles ----------------------------------------------------------------------------

frame_damage decoder::read_deals(const push& from) noexcept {
  wire_reader in{from.body};
  wire_field f;
  while (in.next(f)) {
    if (f.number != 1) continue;
    if (!f.is_bytes) return frame_damage::wrong_type;
    if (count_ >= limits_.events) return frame_damage::too_large;
    if (const auto bad = read_deal(f.bytes, from); bad != frame_damage::none) return bad;
  }
  return in.fine() ? frame_damage::none : frame_damage::not_json;
}

frame_damage decoder::read_deal(std::string_view message, const push& from) noexcept {
  std::string_view at;
  std::string_view quantity;
  std::string_view id;
  std::uint64_t kind = 0;
  std::int64_t time = 0;
  wire_reader in{message};
  wire_field f;
  while (in.next(f)) {
    if (f.number == 1) at = f.bytes;
    if (f.number == 2) quantity = f.bytes;
    if (f.number == 3) kind = f.value;
    if (f.number == 4) time = static_cast<std::int64_t>(f.value);
    if (f.number == 5) id = f.bytes;
  }
  if (!in.fine()) return frame_damage::not_json;
  if (at.empty() || quantity.empty() || time == 0) return frame_damage::missing_field;
  if ((kind != 1 && kind != 2) || !printable(id)) return frame_damage::wrong_type;
  auto& t = add(event_kind::trade, from).trade;
  if (const auto bad = read_amounts(at, quantity, t.at_price, t.quantity); bad != frame_damage::none)
    return bad;
  if (const auto bad = read_time(time, ms, t.at); bad != frame_damage::none) return bad;
  if (const auto bad = read_time(from.send_time, ms, t.event); bad != frame_damage::none) return bad;
  t.taker = kind == 1 ? side::buy : side::sell;
  t.numbered = false;
  t.id_text = id;
  if (!id.empty()) return frame_damage::none;
  std::uint64_t place = 0;
  for (std::size_t i = 0; i + 1 < count_; ++i) place += same_deal(events_[i].trade, t) ? 1 : 0;
  t.id = t.first_id = t.last_id = hash_of_trade(t, place);
  return frame_damage::none;
}

frame_damage decoder::read_candle(const push& from) noexcept {
  std::string_view texts[8];
  std::int64_t start = 0;
  std::int64_t end = 0;
  wire_reader in{from.body};
  wire_field f;
  while (in.next(f)) {
    if (f.number >= 1 && f.number <= 7 && f.is_bytes) texts[f.number] = f.bytes;
    if (f.number == 2 && f.is_integer) start = static_cast<std::int64_t>(f.value);
    if (f.number == 9 && f.is_integer) end = static_cast<std::int64_t>(f.value);
  }
  if (!in.fine()) return frame_damage::not_json;
  for (const int i : {1, 3, 4, 5, 6, 7})
    if (texts[i].empty()) return frame_damage::missing_field;
  if (!printable(texts[1])) return frame_damage::wrong_type;
  auto& c = add(event_kind::candle, from).candle;
  c.interval = texts[1];
  const auto scale = instrument_.price_scale;
  auto bad = read_time(start, seconds, c.open_time);
  const auto then = [&](frame_damage found) {
    if (bad == frame_damage::none) bad = found;
  };
  then(read_time(end, seconds, c.close_time));
  then(read_price(texts[3], scale, c.open));
  then(read_price(texts[4], scale, c.close));
  then(read_price(texts[5], scale, c.high));
  then(read_price(texts[6], scale, c.low));
  then(read_size(texts[7], instrument_.size_scale, c.volume));
  then(read_time(from.send_time != 0 ? from.send_time : from.create_time, ms, c.event));
  return bad;
}

} // namespace troupe::mexc
