#include "actors/connectors/htx/codec.hpp"

#include "actors/connectors/layout_scan.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace troupe::htx {

using namespace std::string_view_literals;

channel_parts parts_of_channel(std::string_view channel) noexcept {
  if (!channel.starts_with("market."sv)) return {};
  channel.remove_prefix(7);
  const auto point = channel.find('.');
  if (point == std::string_view::npos) return {};
  return {channel.substr(0, point), channel.substr(point + 1)};
}

namespace {

/// Seconds of "1min", "60min", "4hour", "1day"; 0 for anything else.
std::int64_t seconds_of(std::string_view interval) noexcept {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> known{
      {{"1min", 60},
       {"5min", 300},
       {"15min", 900},
       {"30min", 1800},
       {"60min", 3600},
       {"4hour", 14400},
       {"1day", 86400},
       {"1week", 604800}}};
  for (const auto& [name, seconds] : known)
    if (name == interval) return seconds;
  return 0;
}

/// Contracts of linear swaps are read as whole numbers and multiplied; everything else as it is.
instrument_spec as_written(instrument_spec instrument) {
  if (instrument.kind == contract_kind::linear) instrument.size_scale = 0;
  return instrument;
}

} // namespace

class decoder::json_part final : public json_decoder {
public:
  json_part(const instrument_spec& instrument, const json_limits& limits)
      : json_decoder{as_written(instrument), limits},
        factor_{instrument.kind == contract_kind::linear ? instrument.lot.raw : 1} {
    in().round_sizes();
  }

private:
  struct known_book;

  bool read_layout(std::string_view frame) override;
  bool scan_tick(layout_scan& scan, known_book& out);
  bool rescale(side s);
  std::span<const level> rows_of(side s) noexcept;
  void add_image(std::uint64_t last, market_time sent, std::span<const level> bids,
                 std::span<const level> asks);
  void read_object(json_object root) override;
  void read_tick(json_object& root, const channel_parts& channel, market_time sent);
  void read_requested(json_object& root, std::string_view name);
  void read_failure(json_object& root);
  void read_book(json_object& tick, market_time sent, bool is_change);
  void read_mbp(json_object& tick, market_time sent);
  void read_high_freq(json_object& tick, market_time sent);
  void read_trades(json_object& tick, market_time sent);
  void read_trade(json_object one, market_time sent);
  void read_spot_best(json_object& tick, market_time sent);
  void read_swap_best(json_object& tick, market_time sent);
  void read_candle(json_object& tick, std::string_view interval, market_time sent);

  std::span<const level> side_of(json_object& tick, std::string_view key, side s);
  size in_base(size contracts) noexcept;

  std::int64_t factor_;
  std::array<std::vector<level>, 2> scaled_; // of swaps, in base units
  std::string_view symbol_;
};

// --- whole books in one pass ----------------------------------------------------------------------

/// What "tick" of a whole book held.
struct decoder::json_part::known_book {
  bool bids = false;
  bool asks = false;
  bool version = false;
  bool time = false;
  std::uint64_t last = 0;
};

/// {"ch":"market.ATOM-USD.depth.step0","ts":1645289387543,"tick":{"mrid":1,"id":2,"bids":[[26.56,190],…],
/// "asks":[…],"ts":1645289387542,"version":1645289387,"ch":"market.ATOM-USD.depth.step0"}}; spot has no mrid,
/// no id and no inner ch.
bool decoder::json_part::read_layout(std::string_view frame) {
  auto scan = layout_of(frame);
  std::string_view name;
  market_time sent;
  if (!scan.is(R"({"ch":")") || !scan.text(name)) return false;
  const auto channel = parts_of_channel(name);
  if (!ours(channel.symbol) || !channel.name.starts_with("depth.step"sv)) return false;
  if (!scan.is(R"(,"ts":)") || !scan.milliseconds(sent) || !scan.is(R"(,"tick":{)")) return false;
  known_book book;
  if (!scan_tick(scan, book) || !scan.is('}') || !scan.done()) return false;
  if (!rescale(side::buy) || !rescale(side::sell)) return false;
  symbol_ = channel.symbol;
  add_image(book.last, sent, rows_of(side::buy), rows_of(side::sell));
  return true;
}

/// From behind the opening brace up to the closing one.
bool decoder::json_part::scan_tick(layout_scan& scan, known_book& out) {
  const auto once = [](bool& seen) { return !std::exchange(seen, true); };
  do {
    std::string_view key;
    std::string_view left_out;
    std::uint64_t number = 0;
    market_time happened;
    if (!scan.is('"') || !scan.text(key) || !scan.is(':')) return false;
    bool taken = false;
    if (key == "bids"sv) taken = once(out.bids) && scan.is('[') && scan.bare_rows(in().lane(side::buy));
    else if (key == "asks"sv) taken = once(out.asks) && scan.is('[') && scan.bare_rows(in().lane(side::sell));
    else if (key == "version"sv) taken = once(out.version) && scan.integer(out.last);
    else if (key == "ts"sv) taken = once(out.time) && scan.milliseconds(happened);
    else if (key == "mrid"sv || key == "id"sv) taken = scan.integer(number);
    else if (key == "ch"sv) taken = scan.is('"') && scan.text(left_out);
    if (!taken) return false;
  } while (scan.is(','));
  return scan.is('}');
}

/// The rows of the lane in base units; false when one leaves 62 bits.
bool decoder::json_part::rescale(side s) {
  if (factor_ == 1) return true;
  auto& out = scaled_[s == side::sell ? 1 : 0];
  out.clear();
  for (const auto& l : in().lane(s).since(0)) {
    const auto product = static_cast<__int128>(l.quantity.raw) * factor_;
    if (product > std::int64_t{1} << 62) return false;
    out.push_back({l.at, {static_cast<std::int64_t>(product)}});
  }
  return true;
}

std::span<const level> decoder::json_part::rows_of(side s) noexcept {
  if (factor_ == 1) return in().lane(s).since(0);
  return scaled_[s == side::sell ? 1 : 0];
}

// --- what frame it is -----------------------------------------------------------------------------

void decoder::json_part::read_object(json_object root) {
  json_value value;
  if (in().find(root, "ch", value)) {
    const auto channel = parts_of_channel(in().text(value));
    if (!ours(channel.symbol)) return;
    symbol_ = channel.symbol;
    const auto sent = in().time(root, "ts", time_unit::ms);
    if (in().find(root, "tick", value)) return read_tick(root, channel, sent);
    return; // the answer to a REST request of candles carries the channel too
  }
  if (in().find(root, "rep", value)) return read_requested(root, in().text(value));
  if (in().find(root, "subbed", value)) {
    const auto stream = in().text(value);
    const auto id = in().find(root, "id", value) ? in().token(value) : ""sv;
    auto& event = add(event_kind::acknowledgement);
    event.request = id;
    event.stream = stream;
    return;
  }
  if (in().find(root, "status", value) && in().text(value) == "error"sv) read_failure(root);
}

void decoder::json_part::read_failure(json_object& root) {
  json_value value;
  const auto id = in().find(root, "id", value) ? in().token(value) : ""sv;
  const auto why = in().find(root, "err-msg", value) ? in().text(value) : ""sv;
  auto& event = add(event_kind::failure);
  event.request = id;
  event.text = why;
}

void decoder::json_part::read_requested(json_object& root, std::string_view name) {
  const auto channel = parts_of_channel(name);
  if (!ours(channel.symbol) || !channel.name.starts_with("mbp."sv)) return;
  symbol_ = channel.symbol;
  json_value value;
  market_time sent;
  if (in().find(root, "ts", value)) sent = in().time(value, time_unit::ms);
  if (!in().find(root, "data", value)) return;
  json_object data = in().object(value);
  const auto last = in().id(data, "seqNum");
  const auto bids = side_of(data, "bids", side::buy);
  const auto asks = side_of(data, "asks", side::sell);
  if (in().fine()) add_image(last, sent, bids, asks);
}

void decoder::json_part::add_image(std::uint64_t last, market_time sent, std::span<const level> bids,
                                   std::span<const level> asks) {
  auto& image = add(event_kind::image, symbol_).image;
  image.last = last;
  image.event = sent;
  image.bids = bids;
  image.asks = asks;
}

void decoder::json_part::read_tick(json_object& root, const channel_parts& channel, market_time sent) {
  const auto name = channel.name;
  json_value value;
  bool update = false;
  if (name.starts_with("depth.step"sv) && in().find(root, "update", value)) update = in().flag(value);
  json_object tick = in().object(root, "tick");
  if (!in().fine()) return;
  if (name.starts_with("depth.size_"sv)) read_high_freq(tick, sent);
  else if (name.starts_with("depth.step"sv)) read_book(tick, sent, update);
  else if (name.starts_with("mbp.refresh."sv)) read_book(tick, sent, false);
  else if (name.starts_with("mbp."sv)) read_mbp(tick, sent);
  else if (name == "trade.detail"sv) read_trades(tick, sent);
  else if (name == "bbo"sv && in().find(tick, "bidSize", value)) read_spot_best(tick, sent);
  else if (name == "bbo"sv) read_swap_best(tick, sent);
  else if (name.starts_with("kline."sv)) read_candle(tick, name.substr(6), sent);
}

// --- books ----------------------------------------------------------------------------------------

size decoder::json_part::in_base(size contracts) noexcept {
  if (factor_ == 1) return contracts;
  const auto product = static_cast<__int128>(contracts.raw) * factor_;
  if (product > std::int64_t{1} << 62) return in().fail(frame_damage::bad_number), size{};
  return {static_cast<std::int64_t>(product)};
}

std::span<const level> decoder::json_part::side_of(json_object& tick, std::string_view key, side s) {
  json_value rows;
  if (!in().find(tick, key, rows)) return {}; // an empty side may be absent
  const auto levels = in().levels(rows, s);
  if (factor_ == 1) return levels;
  auto& out = scaled_[s == side::sell ? 1 : 0];
  out.clear();
  for (const auto& l : levels) out.push_back({l.at, in_base(l.quantity)});
  return out;
}

void decoder::json_part::read_book(json_object& tick, market_time sent, bool is_change) {
  const auto bids = side_of(tick, "bids", side::buy);
  const auto asks = side_of(tick, "asks", side::sell);
  json_value value;
  std::uint64_t last = 0;
  if (in().find(tick, "version", value) || in().find(tick, "seqNum", value)) last = in().id(value);
  market_time happened;
  if (in().find(tick, "ts", value)) happened = in().time(value, time_unit::ms);
  if (!in().fine()) return;
  if (!is_change) return add_image(last, sent, bids, asks);
  auto& d = add(event_kind::depth, symbol_).depth;
  d.first = d.last = last;
  d.event = sent;
  d.transaction = happened.ns == 0 ? sent : happened;
  d.bids = bids;
  d.asks = asks;
}

void decoder::json_part::read_mbp(json_object& tick, market_time sent) {
  const auto last = in().id(tick, "seqNum");
  const auto previous = in().id(tick, "prevSeqNum");
  const auto bids = side_of(tick, "bids", side::buy);
  const auto asks = side_of(tick, "asks", side::sell);
  if (in().fine() && previous >= last) in().fail(frame_damage::bad_range);
  if (!in().fine()) return;
  auto& d = add(event_kind::depth, symbol_).depth;
  d.event = d.transaction = sent;
  d.first = previous + 1;
  d.last = last;
  d.previous = previous;
  d.has_previous = true;
  d.bids = bids;
  d.asks = asks;
}

void decoder::json_part::read_high_freq(json_object& tick, market_time sent) {
  const auto what = in().text(tick, "event");
  if (!in().fine()) return;
  if (what != "snapshot"sv && what != "update"sv) return in().fail(frame_damage::wrong_type);
  read_book(tick, sent, what == "update"sv);
}

// --- trades, best, candles ------------------------------------------------------------------------

void decoder::json_part::read_trades(json_object& tick, market_time sent) {
  in().each(in().array(tick, "data"), [&](json_value one) { read_trade(in().object(one), sent); });
}

void decoder::json_part::read_trade(json_object one, market_time sent) {
  trade_event t;
  json_value value;
  t.event = sent;
  t.at_price = in().price_of(one, "price");
  t.quantity = in_base(in().size_of(one, "amount"));
  const auto taker = in().text(one, "direction");
  t.at = in().time(one, "ts", time_unit::ms);
  // Spot's own number of the trade; the other id is a composition that may leave 64 bits.
  if (in().find(one, "tradeId", value) || in().find(one, "id", value)) t.id_text = in().token(value);
  else in().fail(frame_damage::missing_field);
  if (!in().fine()) return;
  if (taker != "buy"sv && taker != "sell"sv) return in().fail(frame_damage::wrong_type);
  t.taker = taker == "buy"sv ? side::buy : side::sell;
  t.numbered = false;
  const auto end = t.id_text.data() + t.id_text.size();
  const auto read = std::from_chars(t.id_text.data(), end, t.id);
  if (read.ec == std::errc{} && read.ptr == end) t.id_text = {};
  else t.id = 0;
  t.first_id = t.last_id = t.id;
  add(event_kind::trade, symbol_).trade = t;
}

void decoder::json_part::read_spot_best(json_object& tick, market_time sent) {
  best_event b;
  json_value value;
  b.bid.at = in().price_of(tick, "bid");
  b.bid.quantity = in().size_of(tick, "bidSize");
  b.ask.at = in().price_of(tick, "ask");
  b.ask.quantity = in().size_of(tick, "askSize");
  if (in().find(tick, "seqId", value)) b.sequence = in().id(value);
  b.event = sent;
  if (in().find(tick, "quoteTime", value)) b.event = in().time(value, time_unit::ms);
  if (in().fine()) add(event_kind::best, symbol_).best = b;
}

void decoder::json_part::read_swap_best(json_object& tick, market_time sent) {
  best_event b;
  json_value value;
  const auto pair = [&](std::string_view key, level& out) {
    if (!in().find(tick, key, value)) return; // an empty side
    int column = 0;
    in().each(in().array(value), [&](json_value cell) {
      if (column == 0) out.at = in().price_of(cell);
      if (column == 1) out.quantity = in_base(in().size_of(cell));
      ++column;
    });
    if (column < 2) in().fail(frame_damage::wrong_type);
  };
  pair("bid", b.bid);
  pair("ask", b.ask);
  if (in().find(tick, "version", value)) b.sequence = in().id(value);
  b.event = sent;
  if (in().fine()) add(event_kind::best, symbol_).best = b;
}

void decoder::json_part::read_candle(json_object& tick, std::string_view interval, market_time sent) {
  candle_event c;
  // The base volume is "amount" at spot and linear swaps; inverse swaps count contracts, "vol".
  const auto volume_key = instrument().kind == contract_kind::inverse ? "vol"sv : "amount"sv;
  c.event = sent;
  c.interval = interval;
  c.open_time = in().time(tick, "id", time_unit::s);
  c.open = in().price_of(tick, "open");
  c.close = in().price_of(tick, "close");
  c.low = in().price_of(tick, "low");
  c.high = in().price_of(tick, "high");
  if (factor_ == 1) c.volume = in().size_of(tick, volume_key);
  else c.volume = in_base(in().size_of(tick, "vol"));
  json_value value;
  if (in().find(tick, "count", value)) c.trades = in().id(value);
  if (!in().fine()) return;
  c.close_time = c.open_time + std::chrono::seconds{seconds_of(interval)};
  add(event_kind::candle, symbol_).candle = c;
}

// --- the decoder ----------------------------------------------------------------------------------

decoder::decoder(const instrument_spec& instrument, const json_limits& limits)
    : inflater_{limits.frame_bytes}, json_{std::make_unique<json_part>(instrument, limits)} {}

decoder::~decoder() = default;

const market_event& decoder::decode(std::string_view frame) noexcept {
  return decode(frame, false);
}

const market_event& decoder::decode_general(std::string_view frame) noexcept {
  return decode(frame, true);
}

bool decoder::took_layout() const noexcept {
  return !broken_ && json_->took_layout();
}

const market_event& decoder::decode(std::string_view frame, bool general) noexcept {
  frame_damage damage = frame_damage::none;
  const auto text = inflater_.text_of(frame, damage);
  broken_ = damage != frame_damage::none;
  if (!broken_) return general ? json_->decode_general(text) : json_->decode(text);
  damaged_ = {};
  damaged_.kind = event_kind::damaged;
  damaged_.damage = damage;
  return damaged_;
}

const market_event* decoder::next() noexcept { return broken_ ? nullptr : json_->next(); }

} // namespace troupe::htx
