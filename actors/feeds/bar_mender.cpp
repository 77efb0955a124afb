#include "actors/feeds/bar_mender.hpp"

#include "actors/feeds/wide.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t recent_trades = 4096;
constexpr std::size_t most_lost = 64; // remembered; older ones are behind all bars that still come
constexpr std::size_t most_holes = 64;
constexpr std::size_t most_patches = 100'000;
/// Venues' past and socket round times differently.
constexpr nanoseconds rounding = std::chrono::microseconds{1};

std::uint64_t mix(std::uint64_t h) noexcept {
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
  return h ^ (h >> 31);
}

std::uint64_t text_key(std::string_view id) noexcept {
  auto h = std::uint64_t{0xcbf29ce484222325};
  for (const auto c : id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mix(h);
}

std::uint64_t placed(std::uint64_t content, std::uint64_t place) noexcept { return mix(content + place); }

bar_builder parts_builder(const instrument_id& id, std::vector<bar>& out) {
  return {id, nanoseconds{0}, [&out](const bar& b) { out.push_back(b); }};
}

} // namespace

std::uint64_t content_key(market_time at, price at_price, size quantity, side taker) noexcept {
  auto h = mix(static_cast<std::uint64_t>(at.ns));
  h = mix(h ^ static_cast<std::uint64_t>(at_price.raw));
  h = mix(h ^ static_cast<std::uint64_t>(quantity.raw));
  return mix(h ^ static_cast<std::uint64_t>(taker));
}

bar_mender::bar_mender(bar_mender_options options, market_time now)
    : options_{std::move(options)}, begins_{options_.fetches ? now - options_.reach : now} {
  recent_.reserve(recent_trades);
  begin(begins_, false);
}

// --- the socket's trades -------------------------------------------------------------------------

std::uint64_t bar_mender::key_of(const trade_event& trade) const {
  if (options_.known_by == trade_identity::number) return mix(trade.id);
  if (options_.known_by == trade_identity::id)
    return trade.id_text.empty() ? mix(trade.id) : text_key(trade.id_text);
  const auto content = content_key(trade.at, trade.at_price, trade.quantity, trade.taker);
  std::uint64_t place = 0;
  // Equal trades stand close together: those of the same instant are looked through, newest first.
  for (std::size_t n = 0; n < recent_.size(); ++n) {
    const auto& other = recent_[(next_recent_ + recent_.size() - 1 - n) % recent_.size()];
    if (other.at != trade.at) break;
    if (other.key == placed(content, place)) ++place, n = static_cast<std::size_t>(-1);
  }
  return placed(content, place);
}

void bar_mender::on_trade(const trade_event& trade) {
  const seen_trade seen{key_of(trade), trade.at, trade.first_id, trade.last_id, trade.quantity};
  if (!holes_.empty() && !holes_.back().ended) end_hole(holes_.back(), trade);
  for (auto& h : holes_)
    if (h.ended && h.after.size() < recent_trades && trade.at <= h.to + std::chrono::seconds{1}) {
      h.after.push_back(seen);
      h.keys.insert(seen.key);
    }
  if (recent_.size() < recent_trades)
    recent_.push_back(seen), next_recent_ = recent_.size() % recent_trades;
  else
    recent_[next_recent_] = seen, next_recent_ = (next_recent_ + 1) % recent_trades;
  last_ = seen;
}

void bar_mender::on_break(market_time now) {
  if (!holes_.empty() && !holes_.back().ended) return;
  if (!last_) return begin(now, false);
  begin(last_->at, true);
}

void bar_mender::begin(market_time from, bool after_trade) {
  // So many breaks at once: the oldest is given up.
  if (holes_.size() >= most_holes) {
    lose(holes_.front(), holes_.front().to, "too many breaks");
    holes_.pop_front();
  }
  hole h;
  h.number = next_hole_++;
  h.from = from;
  h.after_trade = after_trade;
  if (after_trade) {
    h.first = last_->last != 0 ? last_->last + 1 : 0;
    h.before = recent_;
    for (const auto& t : h.before) h.keys.insert(t.key);
    for (const auto key : told_) h.keys.insert(key);
  }
  holes_.push_back(std::move(h));
  ++counts_.holes;
}

void bar_mender::end_hole(hole& h, const trade_event& trade) {
  h.ended = true;
  h.to = std::max(trade.at, h.from);
  h.end = trade.first_id;
  if (options_.fetches) return;
  resolve(h.to, false, "trades of the past are not asked for");
}

// --- the venue's past ----------------------------------------------------------------------------

std::optional<trade_hole> bar_mender::due(market_time now, steady_time steady) {
  if (holes_.empty() || !holes_.front().ended) return std::nullopt;
  auto& h = holes_.front();
  if (h.asked && steady - *h.asked < options_.answer_within) return std::nullopt;
  if (h.asks >= options_.asks) {
    resolve(h.to, false, "nobody answered");
    return std::nullopt;
  }
  if (h.asks == 0) cut(h, now - options_.reach);
  ++h.asks;
  h.asked = steady;
  return trade_hole{options_.instrument, h.number, h.from, h.to, h.first, h.end};
}

/// What lies further back than the reach is not asked for.
void bar_mender::cut(hole& h, market_time reach) {
  if (h.from >= reach) return;
  reach = std::min(reach, h.to);
  if (h.after_trade)
    lose(h, reach, "further back than trades are asked for");
  else
    begins_ = std::max(begins_, reach);
  h.cut = h.after_trade;
  h.from = reach;
  h.after_trade = false;
  h.first = 0;
}

void bar_mender::on_past(const past_trades& told, steady_time now) {
  if (holes_.empty() || !holes_.front().ended || told.hole != holes_.front().number) return;
  auto& h = holes_.front();
  h.asked = now;
  h.asks = 1; // somebody answers
  for (const auto& t : told.trades) take(h, t);
  if (h.came.size() > options_.most_trades) return resolve(h.to, false, "more trades than can be kept");
  if (told.done) resolve(told.known_from, told.whole, told.why);
}

/// Each trade once, and only those that lie between the two trades around the hole.
void bar_mender::take(hole& h, const past_trade& t) {
  const auto from = h.after_trade ? h.from - rounding : h.from;
  if (t.at < from || t.at > h.to + rounding || t.quantity.raw <= 0 || t.at_price.raw <= 0) return;
  const bool ranged = t.last != 0 && h.end != 0;
  if (ranged && (t.last < h.first || t.first >= h.end)) {
    ++counts_.known;
    return;
  }
  std::uint64_t key = t.id.empty() ? mix(ranged ? t.last : t.number) : text_key(t.id);
  if (options_.known_by == trade_identity::number) key = mix(t.number);
  if (options_.known_by == trade_identity::content) {
    const auto content = content_key(t.at, t.at_price, t.quantity, t.taker);
    key = placed(content, h.places[content]++);
  }
  if (ranged && t.first != t.last) {
    if (!h.keys.insert(mix(key)).second || !take_part(h, t)) ++counts_.known;
    return;
  }
  if (!h.keys.insert(key).second) {
    ++counts_.known;
    return;
  }
  // Holes that touch within an instant are told the same trade.
  for (auto& other : holes_) other.keys.insert(key);
  told_.push_back(key);
  if (told_.size() > recent_trades) told_.pop_front();
  h.came.push_back(t);
  ++counts_.trades;
}

/// An aggregate that reaches over an end of the hole: what the socket told of it is taken off.
bool bar_mender::take_part(hole& h, const past_trade& t) {
  auto rest = t;
  rest.first = std::max(t.first, h.first);
  rest.last = std::min(t.last, h.end - 1);
  if (rest.first > rest.last) return false;
  const auto take_off = [&](const std::vector<seen_trade>& from) {
    for (const auto& s : from)
      if (s.first >= t.first && s.last <= t.last) rest.quantity.raw -= s.quantity.raw;
  };
  take_off(h.before);
  take_off(h.after);
  if (rest.quantity.raw <= 0) return false;
  counts_.trades += rest.last - rest.first + 1;
  h.came.push_back(rest);
  return true;
}

void bar_mender::lose(hole& h, market_time until, const std::string& why) {
  lost_.push_back({h.from, until, why});
  if (lost_.size() > most_lost) {
    begins_ = std::max(begins_, lost_.front().to);
    lost_.pop_front();
  }
}

/// The front hole has ended for good.
void bar_mender::resolve(market_time known_from, bool whole, const std::string& why) {
  auto h = std::move(holes_.front());
  holes_.pop_front();
  whole && !h.cut ? ++counts_.filled : ++counts_.lost;
  if (!whole) {
    const auto until = std::clamp(known_from, h.from, h.to);
    lose(h, until, why);
    std::erase_if(h.came, [&](const past_trade& t) { return t.at < until; });
    h.from = until;
    h.after_trade = false;
  }
  add_parts(h);
  release();
}

// --- bars ----------------------------------------------------------------------------------------

void bar_mender::add_parts(hole& h) {
  std::stable_sort(h.came.begin(), h.came.end(), [](const past_trade& a, const past_trade& b) {
    return a.at != b.at ? a.at < b.at : a.number < b.number;
  });
  std::vector<bar> parts;
  auto builder = parts_builder(options_.instrument, parts);
  trade_event t;
  for (const auto& past : h.came) {
    t.id = past.number;
    t.first_id = past.last != 0 ? past.first : 1;
    t.last_id = past.last != 0 ? past.last : 1;
    t.at = std::clamp(past.at, h.from, h.to);
    t.at_price = past.at_price;
    t.quantity = past.quantity;
    t.taker = past.taker;
    builder.on_trade(t);
  }
  builder.flush();
  for (const auto& part : parts) add_part(h, part);
}

void bar_mender::add_part(const hole& h, const bar& part) {
  const bar_key key{part.interval.count(), part.open_time.ns};
  const auto end = part.open_time + part.interval;
  const bool before = h.after_trade && h.from >= part.open_time;
  const bool after = h.to < end;
  if (after || before || held_.contains(key)) {
    patches_[key].push_back({part, before, after});
    if (patches_.size() > most_patches) patches_.erase(patches_.begin());
    return;
  }
  // The whole bar lies in the hole: nothing of it ever came over the socket.
  held_.emplace(key, part);
  patches_[key];
}

void bar_mender::on_bar(const bar& b) {
  const bar_key key{b.interval.count(), b.open_time.ns};
  held_.insert_or_assign(key, b);
  if (held_.size() > options_.most_waiting && !holes_.empty() && holes_.front().ended)
    return resolve(holes_.front().to, false, "too many bars wait for it");
  release();
}

bool bar_mender::waits(const bar& b) const {
  const auto end = b.open_time + b.interval;
  return std::any_of(holes_.begin(), holes_.end(), [&](const hole& h) {
    return end > h.from && (!h.ended || b.open_time <= h.to);
  });
}

bool bar_mender::lacks(const bar& b) const {
  const auto end = b.open_time + b.interval;
  return b.open_time < begins_ || std::any_of(lost_.begin(), lost_.end(), [&](const lost_trades& l) {
           return end > l.from && b.open_time <= l.to;
         });
}

void bar_mender::release() {
  for (auto at = held_.begin(); at != held_.end();) {
    if (waits(at->second)) {
      ++at;
      continue;
    }
    auto patches = patches_.extract(at->first);
    if (lacks(at->second)) {
      ++counts_.partial;
    } else {
      auto& b = at->second;
      if (!patches.empty()) {
        ++counts_.mended;
        for (const auto& p : patches.mapped()) {
          if (!p.keep_open) b.open = p.part.open;
          if (!p.keep_close) b.close = p.part.close;
          b.high = std::max(b.high, p.part.high);
          b.low = std::min(b.low, p.part.low);
          add_up(b.volume.raw, p.part.volume.raw);
          add_up(b.buy_volume.raw, p.part.buy_volume.raw);
          b.trades += p.part.trades;
        }
      }
      b.closed = true;
      ready_.push_back(std::move(b));
    }
    at = held_.erase(at);
  }
}

std::vector<bar> bar_mender::take_ready() { return std::exchange(ready_, {}); }

} // namespace troupe
