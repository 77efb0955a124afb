#include "actors/feeds/consolidated_book.hpp"

#include "actors/feeds/wide.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t most_segments = 8192; // 60 s of 12 venues at 10 Hz are 7,200
constexpr std::size_t most_arbitrages = 16;
constexpr nanoseconds longest_age = std::chrono::hours{24 * 365};
constexpr wide million = 1'000'000;
constexpr market_time end_of_time{std::numeric_limits<std::int64_t>::max()};

/// Share of `part` in `whole`, millionths, rounded down.
std::int32_t share(std::int64_t part, std::int64_t whole) noexcept {
  return whole <= 0 ? 0 : static_cast<std::int32_t>(wide{part} * million / whole);
}

std::int64_t total(const std::array<std::int64_t, bucket_count>& sums) noexcept {
  std::int64_t out = 0;
  for (const auto x : sums)
    add_up(out, x);
  return out;
}

bool sorted_side(const std::vector<level>& levels, bool bids) noexcept {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].at.raw <= 0 || levels[i].quantity.raw <= 0) return false;
    if (i > 0 && (bids ? levels[i].at >= levels[i - 1].at : levels[i].at <= levels[i - 1].at)) return false;
  }
  return true;
}

bool sound_sums(const std::vector<size>& sums, std::size_t reach) noexcept {
  return sums.size() <= std::min(reach, view_most_buckets)
         && std::all_of(sums.begin(), sums.end(), [](size s) { return s.raw >= 0; });
}

/// Nothing here that the rest can't work with.
bool sound(const book_view& v) noexcept {
  if (v.price_scale > 18 || v.size_scale > 18 || v.bucket_width.raw < 0) return false;
  if (v.bids.size() > view_max_levels || v.asks.size() > view_max_levels) return false;
  if (!sorted_side(v.bids, true) || !sorted_side(v.asks, false)) return false;
  if (!v.bids.empty() && !v.asks.empty() && v.bids.front().at >= v.asks.front().at) return false;
  constexpr std::int64_t far = std::int64_t{1} << 61;
  return sound_sums(v.bid_sums, v.reach) && sound_sums(v.ask_sums, v.reach) && std::abs(v.bid_bucket) < far
         && std::abs(v.ask_bucket) < far;
}

/// A whole number at one scale, told at another one; bids are rounded down, asks up.
std::optional<std::int64_t> rescale(std::optional<wide> top, wide bottom, int from, int to,
                                    bool down) noexcept {
  if (to >= from)
    top = top ? times(*top, power_of_ten(std::min(to - from, 18))) : top;
  else
    bottom *= power_of_ten(from - to);
  if (!top || bottom <= 0) return std::nullopt;
  return narrow(down ? floor_quotient(*top, bottom) : ceil_quotient(*top, bottom));
}

/// A venue's price in our currency and scale. `rate`: raw, at `rate_scale`; 0: none needed.
std::optional<std::int64_t> our_price(std::int64_t raw, int from, int to, std::int64_t rate, int rate_scale,
                                      bool divides, bool down) noexcept {
  if (rate == 0) return rescale(wide{raw}, 1, from, to, down);
  if (divides) return rescale(times(wide{raw}, power_of_ten(rate_scale)), rate, from, to, down);
  return rescale(times(wide{raw}, rate), power_of_ten(rate_scale), from, to, down);
}

} // namespace

consolidated_book::consolidated_book(consolidated_options options) : options_{std::move(options)} {
  for (const auto& venue : options_.venues) {
    auto& p = parts_.emplace_back();
    p.how = venue;
    p.view.instrument = venue.instrument;
    if (!venue.rate.text.empty()) rates_[venue.rate.text];
  }
}

// --- inputs --------------------------------------------------------------------------------------

void consolidated_book::on_view(const book_view& as_sent, market_time now) {
  advance(now);
  auto view = as_sent;
  // Taken later than now: another node's clock. It must not stay fresh longer for that.
  view.at = std::clamp(view.at, market_time{1}, std::max(time_, market_time{1}));
  view.age = std::clamp(view.age, nanoseconds{0}, longest_age);
  if (next_column_.ns == 0) next_column_ = floor_to(time_, options_.heat_every) + options_.heat_every;
  bool known = false;
  if (const auto r = rates_.find(view.instrument.text); r != rates_.end()) {
    known = true;
    if (view.at >= r->second.view.at)
      r->second.view = view;
    else
      ++reordered_;
  }
  for (auto& p : parts_) {
    if (p.how.instrument != view.instrument) continue;
    known = true;
    if (p.heard && view.at < p.view.at) {
      ++reordered_;
      continue;
    }
    p.view = view;
    p.heard = true;
    p.readable = false;
    ++p.views;
  }
  if (!known) {
    ++strangers_;
    return;
  }
  refresh();
}

void consolidated_book::advance(market_time now) {
  if (time_.ns == 0) {
    time_ = now;
    return;
  }
  now = std::max(now, time_);
  // After a long silence only the columns that are kept are drawn.
  const auto kept = options_.heat_every * static_cast<std::int64_t>(options_.heat_columns);
  for (auto next = next_change(); next <= now; next = next_change()) {
    time_ = next;
    refresh();
    if (next_column_ == time_) {
      add_column();
      next_column_ = std::max(next_column_, floor_to(now - kept, options_.heat_every));
    }
  }
  time_ = now;
}

/// The next instant at which something changes by itself; after `time_`, or a column that is due.
market_time consolidated_book::next_change() const {
  auto out = next_column_.ns == 0 ? end_of_time : next_column_;
  const auto ends = [&](const book_view& v) {
    if (v.at.ns == 0 || !fresh(v)) return;
    out = std::min(out, v.at - v.age + options_.old_after + nanoseconds{1});
  };
  for (const auto& p : parts_)
    if (p.heard) ends(p.view);
  for (const auto& [name, r] : rates_)
    ends(r.view);
  return out;
}

bool consolidated_book::fresh(const book_view& view) const noexcept {
  return time_ - (view.at - view.age) <= options_.old_after;
}

// --- venues --------------------------------------------------------------------------------------

void consolidated_book::refresh() {
  judge_rates();
  for (auto& p : parts_) {
    const bool was = p.standing == venue_standing::joined;
    judge(p);
    if (was && p.standing != venue_standing::joined) ++p.dropouts;
  }
  sum_buckets();
  note_imbalance();
}

void consolidated_book::judge_rates() {
  for (auto& [name, r] : rates_) {
    const auto& v = r.view;
    r.usable = v.at.ns != 0 && v.validity == book_validity::valid && fresh(v) && sound(v) && !v.bids.empty()
               && !v.asks.empty();
  }
}

const consolidated_book::rate_state* consolidated_book::rate_of(const part& p) const {
  if (p.how.rate.text.empty()) return nullptr;
  return &rates_.at(p.how.rate.text);
}

void consolidated_book::judge(part& p) {
  p.standing = [&] {
    if (!p.heard) return venue_standing::waiting;
    if (p.view.validity != book_validity::valid) return venue_standing::invalid;
    const auto* rate = rate_of(p);
    if (rate != nullptr && !rate->usable) return venue_standing::no_rate;
    // With a rate each change of it moves all prices.
    if (!p.readable || rate != nullptr) p.readable = read(p);
    if (!p.readable) return venue_standing::damaged;
    return fresh(p.view) ? venue_standing::joined : venue_standing::old;
  }();
}

bool consolidated_book::read(part& p) const {
  if (!sound(p.view) || p.view.size_scale > options_.size_scale) return false;
  const auto* rate = rate_of(p);
  if (rate == nullptr && p.view.price_scale > options_.price_scale) return false;
  if (!read_side(p, rate, side::buy) || !read_side(p, rate, side::sell)) return false;
  return read_run(p, rate, side::buy) && read_run(p, rate, side::sell);
}

bool consolidated_book::read_side(part& p, const rate_state* rate, side which) const {
  const bool bids = which == side::buy;
  auto& out = bids ? p.bids : p.asks;
  out.clear();
  // Who sells for their currency buys ours at its ask, and the other way round: never better than possible.
  const bool at_ask = bids == p.how.rate_divides;
  const auto factor = rate == nullptr ? 0 : (at_ask ? rate->view.asks : rate->view.bids).front().at.raw;
  const auto factor_scale = rate == nullptr ? 0 : rate->view.price_scale;
  const auto unit = power_of_ten(options_.size_scale - p.view.size_scale);
  for (const auto& l : bids ? p.view.bids : p.view.asks) {
    const auto at = our_price(l.at.raw, p.view.price_scale, options_.price_scale, factor, factor_scale,
                              p.how.rate_divides, bids);
    const auto quantity = narrow(times(wide{l.quantity.raw}, unit));
    if (!at || !quantity || *at <= 0) return false;
    // Prices may meet after a conversion.
    if (!out.empty() && out.back().at.raw == *at)
      add_up(out.back().quantity.raw, *quantity);
    else
      out.push_back({{*at}, {*quantity}});
  }
  return true;
}

bool consolidated_book::read_run(part& p, const rate_state* rate, side which) const {
  const bool bids = which == side::buy;
  const auto& sums = bids ? p.view.bid_sums : p.view.ask_sums;
  auto& out = bids ? p.bid_run : p.ask_run;
  out = {};
  out.whole = sums.size() < p.view.reach;
  const auto width = options_.bucket_width.raw;
  const auto theirs =
      our_price(p.view.bucket_width.raw, p.view.price_scale, options_.price_scale, 0, 0, true, true);
  // A grid that does not divide ours: its sums can't be laid over.
  if (width <= 0 || !theirs || *theirs <= 0 || width % *theirs != 0) {
    out.whole = false;
    return true;
  }
  const auto parts = width / *theirs;
  out.finer = parts > 1;
  const bool at_ask = bids == p.how.rate_divides;
  const auto factor = rate == nullptr ? 0 : (at_ask ? rate->view.asks : rate->view.bids).front().at.raw;
  const auto unit = power_of_ten(options_.size_scale - p.view.size_scale);
  const auto edge = bids ? p.view.bid_bucket - static_cast<std::int64_t>(sums.size()) + 1 : p.view.ask_bucket;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto& sum = bids ? sums[sums.size() - 1 - i] : sums[i];
    const auto quantity = narrow(times(wide{sum.raw}, unit));
    if (!quantity) return false;
    const auto their_number = edge + static_cast<std::int64_t>(i);
    auto number = static_cast<std::int64_t>(floor_quotient(their_number, parts));
    if (rate != nullptr) {
      // The middle of their bucket says which of ours it belongs to.
      const auto middle = narrow(wide{their_number} * p.view.bucket_width.raw + p.view.bucket_width.raw / 2);
      const auto ours = !middle ? middle
                                : our_price(*middle, p.view.price_scale, options_.price_scale, factor,
                                            rate->view.price_scale, p.how.rate_divides, bids);
      if (!ours) return false;
      number = static_cast<std::int64_t>(floor_quotient(*ours, width));
    }
    if (i == 0) out.first = number;
    const auto place = number - out.first;
    if (place < 0 || place >= 4 * static_cast<std::int64_t>(view_max_buckets)) return false;
    if (out.sums.size() <= static_cast<std::size_t>(place))
      out.sums.resize(static_cast<std::size_t>(place) + 1);
    add_up(out.sums[static_cast<std::size_t>(place)], *quantity);
  }
  return true;
}

std::size_t consolidated_book::joined() const noexcept {
  return static_cast<std::size_t>(std::count_if(
      parts_.begin(), parts_.end(), [](const part& p) { return p.standing == venue_standing::joined; }));
}

// --- what is summed ------------------------------------------------------------------------------

void consolidated_book::sum_buckets() {
  bid_ = ask_ = {};
  for (const auto& p : parts_) {
    if (p.standing != venue_standing::joined) continue;
    const auto take = [](level& best, const std::vector<level>& levels, bool bids) {
      if (levels.empty()) return;
      const auto& l = levels.front();
      const bool better = best.quantity.raw == 0 || (bids ? l.at > best.at : l.at < best.at);
      if (better)
        best = l;
      else if (l.at == best.at)
        add_up(best.quantity.raw, l.quantity.raw);
    };
    take(bid_, p.bids, true);
    take(ask_, p.asks, false);
  }
  has_mid_ = bid_.quantity.raw > 0 && ask_.quantity.raw > 0;
  bid_sums_.fill(0);
  ask_sums_.fill(0);
  buckets_whole_ = has_mid_ && options_.bucket_width.raw > 0;
  if (!buckets_whole_) return;
  centre_ = static_cast<std::int64_t>(
      floor_quotient(wide{bid_.at.raw} + ask_.at.raw, wide{2} * options_.bucket_width.raw));
  const auto lowest = centre_ - buckets_around;
  for (auto& p : parts_) {
    p.bid_sum = p.ask_sum = 0;
    if (p.standing != venue_standing::joined) continue;
    const auto lay = [&](const run& r, std::array<std::int64_t, bucket_count>& sums, std::int64_t& mine) {
      for (std::size_t i = 0; i < r.sums.size(); ++i) {
        const auto place = r.first + static_cast<std::int64_t>(i) - lowest;
        if (place < 0 || place >= static_cast<std::int64_t>(bucket_count)) continue;
        add_up(sums[static_cast<std::size_t>(place)], r.sums[i]);
        add_up(mine, r.sums[i]);
      }
    };
    lay(p.bid_run, bid_sums_, p.bid_sum);
    lay(p.ask_run, ask_sums_, p.ask_sum);
    const auto last_ask = p.ask_run.first + static_cast<std::int64_t>(p.ask_run.sums.size()) - 1;
    const auto first_bid = p.bid_run.first + (p.bid_run.finer ? 1 : 0);
    if (!p.bid_run.whole && (p.bid_run.sums.empty() || first_bid > lowest)) buckets_whole_ = false;
    if (!p.ask_run.whole
        && (p.ask_run.sums.empty() || last_ask - (p.ask_run.finer ? 1 : 0) < centre_ + buckets_around))
      buckets_whole_ = false;
  }
}

void consolidated_book::note_imbalance() {
  const wide bids = total(bid_sums_);
  const wide asks = total(ask_sums_);
  segment now{time_, 0, has_mid_ && bids + asks > 0};
  if (now.known) now.ppm = static_cast<std::int32_t>((bids - asks) * million / (bids + asks));
  const bool same = !segments_.empty() && now.known == now_.known && now.ppm == now_.ppm;
  now_ = now;
  if (same) return;
  if (!segments_.empty() && segments_.back().from == time_)
    segments_.back() = now;
  else
    segments_.push_back(now);
  while (segments_.size() > most_segments
         || (segments_.size() > 1 && segments_[1].from <= time_ - imbalance_windows.back()))
    segments_.pop_front();
}

imbalance_average consolidated_book::average(nanoseconds window) const {
  const auto from = time_ - window;
  wide sum = 0;
  nanoseconds covered{0};
  auto until = time_;
  for (auto s = segments_.rbegin(); s != segments_.rend() && until > from; ++s) {
    const auto part = until - std::max(s->from, from);
    until = s->from;
    if (!s->known || part <= nanoseconds{0}) continue;
    sum += wide{s->ppm} * part.count();
    covered += part;
  }
  const auto ppm = covered.count() == 0 ? wide{0} : sum / covered.count();
  return {window, covered, static_cast<std::int32_t>(ppm)};
}

void consolidated_book::add_column() {
  heat_column column{time_, centre_ - buckets_around, {}, {}};
  if (has_mid_ && options_.bucket_width.raw > 0) {
    for (const auto x : bid_sums_)
      column.bids.push_back({x});
    for (const auto x : ask_sums_)
      column.asks.push_back({x});
  }
  columns_.push_back(std::move(column));
  while (columns_.size() > options_.heat_columns)
    columns_.pop_front();
  next_column_ = time_ + options_.heat_every;
}

// --- what is shown -------------------------------------------------------------------------------

std::vector<merged_level> consolidated_book::merge(side which, const book_query& what) const {
  const bool bids = which == side::buy;
  struct entry {
    std::int64_t at;
    std::size_t venue;
    std::int64_t quantity;
  };
  std::vector<entry> all;
  for (std::size_t v = 0; v < parts_.size(); ++v) {
    const auto& p = parts_[v];
    if (p.standing != venue_standing::joined) continue;
    if (!what.only.text.empty() && what.only != p.how.instrument) continue;
    for (const auto& l : bids ? p.bids : p.asks)
      all.push_back({l.at.raw, v, l.quantity.raw});
  }
  std::stable_sort(all.begin(), all.end(),
                   [bids](const entry& a, const entry& b) { return bids ? a.at > b.at : a.at < b.at; });
  std::vector<merged_level> out;
  for (const auto& e : all) {
    if (out.empty() || out.back().at.raw != e.at) {
      if (what.depth != 0 && out.size() == what.depth) break;
      out.push_back({{e.at}, {}, std::vector<size>(parts_.size())});
    }
    add_up(out.back().quantity.raw, e.quantity);
    out.back().by_venue[e.venue].raw = e.quantity;
  }
  return out;
}

std::vector<arbitrage> consolidated_book::arbitrages() const {
  std::vector<arbitrage> out;
  for (std::size_t s = 0; s < parts_.size(); ++s) {
    for (std::size_t b = 0; b < parts_.size(); ++b) {
      const auto& seller = parts_[s];
      const auto& buyer = parts_[b];
      if (s == b || seller.standing != venue_standing::joined || buyer.standing != venue_standing::joined)
        continue;
      if (seller.bids.empty() || buyer.asks.empty()) continue;
      const auto& bid = seller.bids.front();
      const auto& ask = buyer.asks.front();
      const auto earned = wide{bid.at.raw} * (million - seller.how.fee_ppm);
      const auto paid = wide{ask.at.raw} * (million + buyer.how.fee_ppm);
      if (earned <= paid) continue;
      const auto ppm =
          std::min<wide>((earned - paid) * million / paid, std::numeric_limits<std::int32_t>::max());
      out.push_back({static_cast<std::uint32_t>(s),
                     static_cast<std::uint32_t>(b),
                     std::min(bid.quantity, ask.quantity),
                     {static_cast<std::int64_t>((earned - paid) / million)},
                     static_cast<std::int32_t>(ppm)});
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const arbitrage& x, const arbitrage& y) { return x.gain > y.gain; });
  if (out.size() > most_arbitrages) out.resize(most_arbitrages);
  return out;
}

venue_part consolidated_book::describe(const part& p) const {
  venue_part out;
  out.instrument = p.how.instrument;
  out.standing = p.standing;
  out.validity = p.view.validity;
  out.sequence = p.view.sequence;
  out.age = p.heard ? std::max(nanoseconds{0}, time_ - p.view.at) + p.view.age : nanoseconds{0};
  out.fee_ppm = p.how.fee_ppm;
  out.views = p.views;
  out.dropouts = p.dropouts;
  out.rate = p.how.rate;
  if (const auto* rate = rate_of(p); rate != nullptr && rate->usable) {
    out.rate_bid = rate->view.bids.front().at;
    out.rate_ask = rate->view.asks.front().at;
    out.rate_scale = rate->view.price_scale;
  }
  if (p.standing != venue_standing::joined) return out;
  if (!p.bids.empty()) out.bid = p.bids.front();
  if (!p.asks.empty()) out.ask = p.asks.front();
  if (!p.bids.empty() && !p.asks.empty()) out.spread = out.ask.at - out.bid.at;
  out.bid_share_ppm = share(p.bid_sum, total(bid_sums_));
  out.ask_share_ppm = share(p.ask_sum, total(ask_sums_));
  return out;
}

consolidated_page consolidated_book::page(const book_query& what) const {
  consolidated_page out;
  out.symbol = options_.symbol;
  out.at = time_;
  out.price_scale = static_cast<std::uint8_t>(options_.price_scale);
  out.size_scale = static_cast<std::uint8_t>(options_.size_scale);
  for (const auto& p : parts_) {
    out.venues.push_back(describe(p));
    if (p.standing != venue_standing::joined) continue;
    if (!what.only.text.empty() && what.only != p.how.instrument) continue;
    if (p.view.more_bids && !p.bids.empty())
      out.bids_whole_to = std::max(out.bids_whole_to, p.bids.back().at);
    if (p.view.more_asks && !p.asks.empty())
      out.asks_whole_to =
          out.asks_whole_to.raw == 0 ? p.asks.back().at : std::min(out.asks_whole_to, p.asks.back().at);
  }
  out.bids = merge(side::buy, what);
  out.asks = merge(side::sell, what);
  if (has_mid_) {
    const wide both = wide{bid_.quantity.raw} + ask_.quantity.raw;
    out.mid_e3 = narrow((wide{bid_.at.raw} + ask_.at.raw) * 500).value_or(0);
    const auto weighted = wide{bid_.at.raw} * ask_.quantity.raw + wide{ask_.at.raw} * bid_.quantity.raw;
    const auto fine = times(weighted, 1000);
    out.micro_e3 = fine ? narrow(floor_quotient(*fine, both)).value_or(0) : 0;
  }
  out.bucket_width = options_.bucket_width;
  out.buckets_whole = buckets_whole_;
  if (has_mid_ && options_.bucket_width.raw > 0)
    for (std::size_t i = 0; i < bucket_count; ++i)
      out.buckets.push_back(
          {centre_ - buckets_around + static_cast<std::int64_t>(i), {bid_sums_[i]}, {ask_sums_[i]}});
  out.imbalance_known = now_.known;
  out.imbalance_ppm = now_.ppm;
  for (const auto window : imbalance_windows)
    out.averages.push_back(average(window));
  out.arbitrages = arbitrages();
  const auto columns = std::min<std::size_t>(what.columns, columns_.size());
  out.columns.assign(columns_.end() - static_cast<std::ptrdiff_t>(columns), columns_.end());
  return out;
}

} // namespace troupe
