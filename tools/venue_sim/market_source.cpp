#include "tools/venue_sim/market_source.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t pause_between_laps_ms = 100; // the cadence of diffs
constexpr std::int64_t largest_move_percent = 40;

/// "BTCUSDT" into base and quote, by the quotes Binance trades against.
void split_symbol(market_shape& shape) {
  static constexpr std::array<std::string_view, 8> quotes{"USDT", "USDC", "FDUSD", "BUSD",
                                                          "EUR",  "BTC",  "ETH",   "BNB"};
  for (const auto quote : quotes) {
    if (!shape.symbol.ends_with(quote) || shape.symbol.size() == quote.size()) continue;
    shape.base = shape.symbol.substr(0, shape.symbol.size() - quote.size());
    shape.quote = quote;
    return;
  }
  shape.base = shape.symbol;
  shape.quote = "USDT";
}

std::int64_t whole_ticks(std::int64_t amount, std::int64_t tick) {
  const auto half = tick / 2;
  return (amount >= 0 ? (amount + half) / tick : (amount - half) / tick) * tick;
}

} // namespace

tape_market::tape_market(recording tape, bool loop) : tape_{std::move(tape)}, loop_{loop} {
  shape_.venue = tape_.venue;
  shape_.symbol = tape_.symbol;
  split_symbol(shape_);
  shape_.price_decimals = tape_.price_decimals;
  shape_.quantity_decimals = tape_.quantity_decimals;
  shape_.tick_e8 = tape_.tick_e8;
  shape_.step_e8 = tape_.step_e8;
  shape_.start_ns = tape_.start_ns();
  load_image();
  start_sum_ = book_.best_bid()->price_e8 + book_.best_ask()->price_e8;
  find_end_of_lap();
  if (loop_) shape_.lap_ns = lap_ms_ * ms;
  start_lap(0);
  load_image();
}

/// Plays the recording through once to learn what the next lap must join.
void tape_market::find_end_of_lap() {
  std::int64_t last_update = tape_.image_id;
  std::int64_t first_trade = 0;
  std::int64_t last_trade = 0;
  for (const auto& f : tape_.frames) {
    if (f.kind == frame_kind::trade) {
      if (first_trade == 0) first_trade = f.last_id;
      last_trade = f.last_id;
      continue;
    }
    last_update = std::max(last_update, f.last_id);
    if (f.kind != frame_kind::depth || f.last_id <= tape_.image_id) continue;
    if (bridge_first_id_ == 0) bridge_first_id_ = f.first_id;
    make_frame(f);
    apply();
  }
  id_span_ = last_update + 1 - tape_.image_id;
  trade_span_ = last_trade == 0 ? 0 : last_trade - first_trade + 1;
  lap_ms_ = (tape_.end_ns() - tape_.start_ns() + ms - 1) / ms + pause_between_laps_ms;
  const auto bid = book_.best_bid();
  const auto ask = book_.best_ask();
  const auto end_sum = bid && ask ? bid->price_e8 + ask->price_e8 : start_sum_;
  drift_ = whole_ticks((end_sum - start_sum_) / 2, tape_.tick_e8);
  if (drift_ == 0) return;
  laps_one_way_ = std::max<std::int64_t>(1, start_sum_ / 2 * largest_move_percent / 100 / std::abs(drift_));
}

tape_market::lap_shift tape_market::shift_of(std::int64_t lap) const {
  lap_shift s;
  s.time_ms = lap * lap_ms_;
  s.ids = lap * id_span_;
  s.trades = lap * trade_span_;
  if (drift_ == 0) return s;
  const auto there_and_back = 2 * laps_one_way_;
  const auto at = lap % there_and_back;
  s.mirrored = at >= laps_one_way_;
  s.price = s.mirrored ? start_sum_ + (there_and_back - at) * drift_ : at * drift_;
  return s;
}

bool tape_market::left_out(const recorded_frame& f) const noexcept {
  return lap_ > 0 && f.kind != frame_kind::trade && f.last_id <= tape_.image_id;
}

void tape_market::skip_left_out() {
  while (next_ < tape_.frames.size() && left_out(tape_.frames[next_]))
    ++next_;
}

void tape_market::start_lap(std::int64_t lap) {
  lap_ = lap;
  now_ = shift_of(lap);
  next_ = 0;
  skip_left_out();
  seam_ = lap == 0 ? seam_step::none : seam_step::ticker;
}

void tape_market::shift_levels(std::span<const book_level> from, std::vector<book_level>& out) const {
  for (const auto& l : from) {
    const auto price = shifted_price(l.price_e8);
    if (price > 0) out.push_back({price, l.quantity_e8});
  }
}

void tape_market::image_of_lap(std::vector<book_level>& bids, std::vector<book_level>& asks) const {
  shift_levels(now_.mirrored ? tape_.image_asks : tape_.image_bids, bids);
  shift_levels(now_.mirrored ? tape_.image_bids : tape_.image_asks, asks);
}

void tape_market::load_image() {
  bids_.clear();
  asks_.clear();
  image_of_lap(bids_, asks_);
  book_.clear();
  for (const auto& l : bids_)
    book_.set_bid(l);
  for (const auto& l : asks_)
    book_.set_ask(l);
  book_.set_id(tape_.image_id + now_.ids);
}

std::int64_t tape_market::next_time() const {
  const auto shifted_start = shape_.start_ns + now_.time_ms * ms;
  if (seam_ != seam_step::none) return shifted_start;
  if (next_ < tape_.frames.size())
    return tape_.frames[next_].received_ns + tape_.clock_offset_ns + now_.time_ms * ms;
  return loop_ ? shifted_start + lap_ms_ * ms : never_ns;
}

const market_event& tape_market::advance() {
  if (seam_ == seam_step::none && next_ >= tape_.frames.size()) start_lap(lap_ + 1);
  if (seam_ != seam_step::none) {
    make_seam();
  } else {
    make_frame(tape_.frames[next_++]);
    skip_left_out();
  }
  apply();
  return event_;
}

/// The new lap's book image as a change of the old lap's book; before it the new best bid and ask, which
/// the venue too publishes no later than the diff that holds them.
void tape_market::make_seam() {
  const auto time = shape_.start_ns + now_.time_ms * ms;
  const auto id = tape_.image_id + now_.ids;
  std::vector<book_level> bids, asks;
  image_of_lap(bids, asks);
  event_ = {};
  event_.time_ns = time;
  event_.event_ms = event_.transact_ms = time / ms - 1; // before the lap's first frame, after the last lap's
  event_.last_id = id;
  if (seam_ == seam_step::ticker) {
    event_.kind = frame_kind::book_ticker;
    event_.one = bids.front();
    event_.two = asks.front();
    seam_ = seam_step::diff;
    return;
  }
  seam_ = seam_step::none;
  event_.kind = frame_kind::depth;
  event_.seam = true;
  event_.first_id = last_depth_id_ + 1;
  event_.previous_id = last_depth_id_;
  const auto change = [](const auto& old, std::vector<book_level>& fresh, std::vector<book_level>& out) {
    out.clear();
    std::sort(fresh.begin(), fresh.end(), [](auto& a, auto& b) { return a.price_e8 < b.price_e8; });
    for (const auto& [price, quantity] : old) {
      const book_level key{price, 0};
      const bool stays = std::binary_search(fresh.begin(), fresh.end(), key,
                                            [](auto& a, auto& b) { return a.price_e8 < b.price_e8; });
      if (!stays) out.push_back(key);
    }
    for (const auto& l : fresh) {
      const auto found = old.find(l.price_e8);
      if (found == old.end() || found->second != l.quantity_e8) out.push_back(l);
    }
  };
  change(book_.bids(), bids, bids_);
  change(book_.asks(), asks, asks_);
  event_.bids = bids_;
  event_.asks = asks_;
}

void tape_market::make_frame(const recorded_frame& f) {
  event_ = {};
  event_.kind = f.kind;
  event_.time_ns = f.received_ns + tape_.clock_offset_ns + now_.time_ms * ms;
  event_.event_ms = f.event_ms == 0 ? 0 : f.event_ms + now_.time_ms;
  event_.transact_ms = f.transact_ms == 0 ? 0 : f.transact_ms + now_.time_ms;
  if (f.kind == frame_kind::trade) {
    event_.last_id = f.last_id + now_.trades;
    event_.buyer_is_maker = f.buyer_is_maker != now_.mirrored;
    event_.one = {shifted_price(f.one.price_e8), f.one.quantity_e8};
    return;
  }
  event_.last_id = f.last_id + now_.ids;
  if (f.kind == frame_kind::book_ticker) {
    const auto& bid = now_.mirrored ? f.two : f.one;
    const auto& ask = now_.mirrored ? f.one : f.two;
    event_.one = {shifted_price(bid.price_e8), bid.quantity_e8};
    event_.two = {shifted_price(ask.price_e8), ask.quantity_e8};
    return;
  }
  const bool bridge = lap_ > 0 && f.first_id == bridge_first_id_;
  event_.first_id = bridge ? last_depth_id_ + 1 : f.first_id + now_.ids;
  event_.previous_id = bridge ? last_depth_id_ : f.previous_id + now_.ids;
  const std::span all{tape_.levels};
  const auto bids = all.subspan(f.bids_at, f.bids);
  const auto asks = all.subspan(f.bids_at + f.bids, f.asks);
  bids_.clear();
  asks_.clear();
  shift_levels(now_.mirrored ? asks : bids, bids_);
  shift_levels(now_.mirrored ? bids : asks, asks_);
  event_.bids = bids_;
  event_.asks = asks_;
}

void tape_market::apply() {
  if (event_.kind == frame_kind::book_ticker) book_.set_ticker(event_.last_id, event_.one, event_.two);
  if (event_.kind != frame_kind::depth) return;
  last_depth_id_ = event_.last_id;
  if (event_.last_id <= book_.id()) return; // older than the image the book started from
  for (const auto& l : event_.bids)
    book_.set_bid(l);
  for (const auto& l : event_.asks)
    book_.set_ask(l);
  book_.set_id(event_.last_id);
}

void tape_market::seek(std::int64_t market_ns) {
  if (loop_ && market_ns >= shape_.start_ns) {
    const auto target = (market_ns - shape_.start_ns) / (lap_ms_ * ms);
    if (target > lap_) {
      start_lap(target);
      load_image();
      seam_ = seam_step::none;
      last_depth_id_ = book_.id();
    }
  }
  while (next_time() <= market_ns)
    (void)advance();
}

} // namespace troupe::venue_sim
