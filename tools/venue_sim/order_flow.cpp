#include "tools/venue_sim/order_flow.hpp"

#include "messages/json.hpp"
#include "tools/venue_sim/decimal.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t diff_interval_ns = 100 * ms;
constexpr double e8 = 1e8;
constexpr double usual_levels = 1000; // a side

/// Mean and standard deviation of what is added.
struct moments {
  double n = 0, sum = 0, squares = 0;
  void add(double x) { n += 1, sum += x, squares += x * x; }
  [[nodiscard]] double mean() const { return n > 0 ? sum / n : 0; }
  [[nodiscard]] double sd() const {
    return n > 1 ? std::sqrt(std::max(0.0, squares / n - mean() * mean())) : 1;
  }
};

} // namespace

flow_parameters fit_flow(const recording& from) {
  flow_parameters p;
  moments trade_sizes, level_sizes, moves;
  std::vector<double> distances;
  double sets = 0, deletes = 0, trades = 0, makers = 0;
  const auto tick = static_cast<double>(from.tick_e8);
  double mid = 0, mid_a_second_ago = 0;
  std::int64_t second = 0;
  for (const auto& f : from.frames) {
    if (f.kind == frame_kind::book_ticker)
      mid = static_cast<double>(f.one.price_e8 + f.two.price_e8) / 2 / tick;
    if (f.kind == frame_kind::trade) {
      trades += 1;
      makers += f.buyer_is_maker ? 1 : 0;
      trade_sizes.add(std::log(static_cast<double>(f.one.quantity_e8) / e8));
    }
    if (mid != 0 && f.received_ns / (1000 * ms) != second) {
      if (mid_a_second_ago != 0) moves.add(mid - mid_a_second_ago);
      second = f.received_ns / (1000 * ms);
      mid_a_second_ago = mid;
    }
    if (f.kind != frame_kind::depth || mid == 0) continue;
    for (std::uint32_t i = 0; i < f.bids + f.asks; ++i) {
      const auto& l = from.levels[f.bids_at + i];
      distances.push_back(std::abs(static_cast<double>(l.price_e8) / tick - mid));
      if (l.quantity_e8 == 0)
        deletes += 1;
      else
        sets += 1, level_sizes.add(std::log(static_cast<double>(l.quantity_e8) / e8));
    }
  }
  const auto seconds = std::max(1e-9, static_cast<double>(from.end_ns() - from.start_ns()) / 1e9);
  p.trades_per_s = trades / seconds;
  p.sets_per_s = sets / seconds;
  p.deletes_per_s = deletes / seconds;
  p.buyer_maker_share = trades > 0 ? makers / trades : 0.5;
  p.trade_log_mean = trade_sizes.mean(), p.trade_log_sd = trade_sizes.sd();
  p.level_log_mean = level_sizes.mean(), p.level_log_sd = level_sizes.sd();
  p.mid_sd_per_sqrt_s = moves.sd();
  p.start_price = static_cast<double>(from.image_bids.front().price_e8) / e8;
  std::sort(distances.begin(), distances.end());
  for (std::size_t i = 0; i < p.distance_quantiles.size() && !distances.empty(); ++i)
    p.distance_quantiles[i] = distances[i * (distances.size() - 1) / (p.distance_quantiles.size() - 1)];
  return p;
}

flow_parameters with_activity(flow_parameters p, double activity) {
  p.trades_per_s *= activity;
  p.sets_per_s *= activity;
  p.deletes_per_s *= activity;
  p.mid_sd_per_sqrt_s *= std::sqrt(activity);
  return p;
}

std::string to_json(const flow_parameters& p) {
  json_writer w;
  w.begin_object().field("trades_per_s", p.trades_per_s).field("sets_per_s", p.sets_per_s);
  w.field("deletes_per_s", p.deletes_per_s).field("buyer_maker_share", p.buyer_maker_share);
  w.field("trade_log_mean", p.trade_log_mean).field("trade_log_sd", p.trade_log_sd);
  w.field("level_log_mean", p.level_log_mean).field("level_log_sd", p.level_log_sd);
  w.field("mid_sd_per_sqrt_s", p.mid_sd_per_sqrt_s).field("start_price", p.start_price);
  w.key("distance_quantiles").begin_array();
  for (const auto q : p.distance_quantiles)
    w.number(q);
  return std::move(w.end_array().end_object()).text();
}

result<std::string> fit_generated_market(const std::vector<std::filesystem::path>& tapes) {
  const auto loaded = load_recording(tapes);
  if (!loaded) return loaded.error();
  return to_json(fit_flow(*loaded));
}

flow_market::flow_market(const flow_parameters& p, std::uint64_t seed, std::int64_t start_ns,
                         venue_kind venue)
    : p_{p}, state_{seed} {
  const bool spot = venue == venue_kind::binance_spot;
  shape_.venue = venue;
  shape_.generated = true;
  shape_.symbol = "BTCUSDT";
  shape_.base = "BTC";
  shape_.quote = "USDT";
  shape_.price_decimals = spot ? 8 : 2;
  shape_.quantity_decimals = spot ? 8 : 3;
  shape_.tick_e8 = spot ? 1'000'000 : 10'000'000;
  shape_.step_e8 = spot ? 1'000 : 100'000;
  shape_.start_ns = start_ns;
  const auto tick = static_cast<double>(shape_.tick_e8) / e8;
  const auto scale = 0.01 / tick; // the parameters were fitted with ticks of a cent
  p_.mid_sd_per_sqrt_s *= scale;
  for (auto& q : p_.distance_quantiles)
    q *= scale;
  fair_ = p_.start_price / tick;
  now_ns_ = start_ns;
  fill_book();
  diffed_id_ = update_id_;
  book_.set_id(update_id_);
  for (const auto& [ticks, steps] : bids_)
    book_.set_bid(level(ticks, steps));
  for (const auto& [ticks, steps] : asks_)
    book_.set_ask(level(ticks, steps));
  changed_bids_.clear();
  changed_asks_.clear();
  waiting_.clear();
  next_diff_ns_ = start_ns + diff_interval_ns;
  plan_next();
  note_top();
}

/// splitmix64 (Steele, Lea, Flood 2014): the same numbers with every library.
std::uint64_t flow_market::draw() {
  state_ += 0x9e3779b97f4a7c15ULL;
  auto z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

double flow_market::uniform() {
  return (static_cast<double>(draw() >> 11) + 0.5) * 0x1.0p-53;
}

double flow_market::normal() { // Box and Muller
  return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
}

std::int64_t flow_market::draw_size(double log_mean, double log_sd) {
  const auto base = std::min(50.0, std::exp(log_mean + log_sd * normal()));
  return std::max<std::int64_t>(1, std::llround(base * e8 / static_cast<double>(shape_.step_e8)));
}

std::int64_t flow_market::draw_distance() {
  const auto at = uniform() * static_cast<double>(p_.distance_quantiles.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const auto high = std::min(low + 1, p_.distance_quantiles.size() - 1);
  const auto part = at - static_cast<double>(low);
  return std::llround(p_.distance_quantiles[low] * (1 - part) + p_.distance_quantiles[high] * part);
}

void flow_market::set_level(bool bid, std::int64_t ticks, std::int64_t steps) {
  const auto set = [&](auto& side) {
    if (steps == 0)
      side.erase(ticks);
    else
      side[ticks] = steps;
  };
  bid ? set(bids_) : set(asks_);
  (bid ? changed_bids_ : changed_asks_).emplace_back(ticks, steps);
  ++update_id_;
}

/// A book deep enough to start with.
void flow_market::fill_book() {
  const auto fair = std::llround(fair_);
  bids_[fair - 1] = draw_size(p_.level_log_mean, p_.level_log_sd);
  asks_[fair + 1] = draw_size(p_.level_log_mean, p_.level_log_sd);
  for (int i = 0; i < 6000; ++i)
    limit_order();
}

void flow_market::limit_order() {
  const std::int64_t fair = std::llround(fair_);
  bool bid = (draw() & 1) != 0;
  auto away = std::max<std::int64_t>(1, draw_distance());
  // Makers follow the fair price: an open spread attracts every other order to the side that lags.
  const auto bid_lag = fair - best_bid(), ask_lag = best_ask() - fair;
  if (bid_lag + ask_lag > 2 && (draw() & 1) != 0) {
    bid = bid_lag > ask_lag;
    away = 1;
  }
  std::int64_t ticks = fair + (bid ? -away : away);
  ticks = bid ? std::min(ticks, best_ask() - 1) : std::max(ticks, best_bid() + 1);
  if (ticks > 0) set_level(bid, ticks, draw_size(p_.level_log_mean, p_.level_log_sd));
}

void flow_market::cancel_order() {
  const bool bid = (draw() & 1) != 0;
  const auto levels = bid ? bids_.size() : asks_.size();
  // The more levels stand, the more are deleted: the book finds its size by itself.
  if (levels < 200 || uniform() * usual_levels > static_cast<double>(levels)) return;
  const auto wanted = std::llround(fair_) + (bid ? -draw_distance() : draw_distance());
  // The lowest level at or above that price, else the highest.
  if (bid) {
    const auto below = bids_.upper_bound(wanted);
    set_level(bid, (below == bids_.begin() ? below : below - 1)->first, 0);
  } else {
    const auto at = asks_.lower_bound(wanted);
    set_level(bid, (at == asks_.end() ? at - 1 : at)->first, 0);
  }
}

void flow_market::market_order(bool buy, std::int64_t steps) {
  while (steps > 0 && (buy ? asks_.size() : bids_.size()) > 100) {
    const auto [ticks, there] = buy ? *asks_.begin() : *bids_.begin();
    const auto part = std::min(steps, there);
    steps -= part;
    set_level(!buy, ticks, there - part);
    pending trade;
    trade.event.kind = frame_kind::trade;
    trade.event.time_ns = now_ns_;
    trade.event.event_ms = trade.event.transact_ms = now_ns_ / ms;
    trade.event.last_id = ++trade_id_;
    trade.event.buyer_is_maker = !buy;
    trade.event.one = level(ticks, part);
    waiting_.push_back(std::move(trade));
  }
}

/// Far levels go, so that the book keeps its size; a thin side gets levels behind its last one.
void flow_market::keep_filled() {
  const auto reach = static_cast<std::int64_t>(p_.distance_quantiles.back()) + 1;
  const auto fair = std::llround(fair_);
  while (bids_.size() > 1000 && bids_.worst().first < fair - reach)
    set_level(true, bids_.worst().first, 0);
  while (asks_.size() > 1000 && asks_.worst().first > fair + reach)
    set_level(false, asks_.worst().first, 0);
  while (bids_.size() < 300)
    set_level(true, bids_.worst().first - 1, draw_size(p_.level_log_mean, p_.level_log_sd));
  while (asks_.size() < 300)
    set_level(false, asks_.worst().first + 1, draw_size(p_.level_log_mean, p_.level_log_sd));
}

void flow_market::note_top() {
  const std::int64_t top[4] = {best_bid(), bids_.begin()->second, best_ask(), asks_.begin()->second};
  if (std::equal(top, top + 4, top_)) return;
  std::copy(top, top + 4, top_);
  pending ticker;
  ticker.event.kind = frame_kind::book_ticker;
  ticker.event.time_ns = now_ns_;
  ticker.event.event_ms = ticker.event.transact_ms = now_ns_ / ms;
  ticker.event.last_id = update_id_;
  ticker.event.one = level(top[0], top[1]);
  ticker.event.two = level(top[2], top[3]);
  waiting_.push_back(std::move(ticker));
}

void flow_market::plan_next() {
  const auto rate = p_.trades_per_s + p_.sets_per_s + p_.deletes_per_s;
  next_step_ns_ = now_ns_ + 1 + std::llround(-std::log(uniform()) / rate * 1e9);
}

void flow_market::step() {
  const auto passed = static_cast<double>(next_step_ns_ - now_ns_) / 1e9;
  now_ns_ = next_step_ns_;
  fair_ = std::max(1000.0, fair_ + p_.mid_sd_per_sqrt_s * std::sqrt(passed) * normal());
  const auto fair = std::llround(fair_);
  // The fair price has passed a side: its best level is taken or, more often, withdrawn, one a step.
  const bool up = fair >= best_ask(), down = fair <= best_bid();
  const bool taken = uniform() * (p_.trades_per_s + p_.deletes_per_s) < p_.trades_per_s;
  if ((up || down) && taken)
    market_order(up, up ? asks_.begin()->second : bids_.begin()->second);
  else if ((up || down) && (up ? asks_.size() : bids_.size()) > 100)
    set_level(down, up ? best_ask() : best_bid(), 0);
  else {
    const auto pick = uniform() * (p_.trades_per_s + p_.sets_per_s + p_.deletes_per_s);
    if (pick < p_.trades_per_s)
      market_order(uniform() >= p_.buyer_maker_share, draw_size(p_.trade_log_mean, p_.trade_log_sd));
    else if (pick < p_.trades_per_s + p_.sets_per_s)
      limit_order();
    else
      cancel_order();
  }
  note_top();
  plan_next();
}

void flow_market::emit_diff(std::int64_t at_ns) {
  now_ns_ = std::max(now_ns_, at_ns);
  keep_filled();
  note_top();
  if (changed_bids_.empty() && changed_asks_.empty()) return;
  pending diff;
  diff.event.kind = frame_kind::depth;
  diff.event.time_ns = at_ns;
  diff.event.event_ms = diff.event.transact_ms = at_ns / ms;
  diff.event.first_id = diffed_id_ + 1;
  diff.event.last_id = update_id_;
  diff.event.previous_id = diffed_id_;
  // Of each price what was set last, best first.
  const auto gather = [&](changes& from, auto better, std::vector<book_level>& out) {
    std::stable_sort(from.begin(), from.end(),
                     [&](const auto& a, const auto& b) { return better(a.first, b.first); });
    out.reserve(from.size());
    for (std::size_t n = 0; n < from.size(); ++n)
      if (n + 1 == from.size() || from[n + 1].first != from[n].first)
        out.push_back(level(from[n].first, from[n].second));
  };
  gather(changed_bids_, std::greater<>{}, diff.bids);
  gather(changed_asks_, std::less<>{}, diff.asks);
  changed_bids_.clear();
  changed_asks_.clear();
  diffed_id_ = update_id_;
  waiting_.push_back(std::move(diff));
}

std::int64_t flow_market::next_time() const {
  return waiting_.empty() ? std::min(next_step_ns_, next_diff_ns_) : waiting_.front().event.time_ns;
}

const market_event& flow_market::advance() {
  while (waiting_.empty()) {
    if (next_diff_ns_ <= next_step_ns_) {
      emit_diff(next_diff_ns_);
      next_diff_ns_ += diff_interval_ns;
    } else {
      step();
    }
  }
  current_ = std::move(waiting_.front());
  waiting_.pop_front();
  auto& e = current_.event;
  e.bids = current_.bids;
  e.asks = current_.asks;
  if (e.kind == frame_kind::book_ticker) book_.set_ticker(e.last_id, e.one, e.two);
  if (e.kind == frame_kind::depth) {
    for (const auto& l : e.bids)
      book_.set_bid(l);
    for (const auto& l : e.asks)
      book_.set_ask(l);
    book_.set_id(e.last_id);
  }
  return e;
}

void flow_market::seek(std::int64_t market_ns) {
  while (next_time() <= market_ns)
    (void)advance();
}

} // namespace troupe::venue_sim
