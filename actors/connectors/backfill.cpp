#include "actors/connectors/backfill.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr nanoseconds longest_pause = std::chrono::minutes{5};
constexpr nanoseconds settle_time = std::chrono::minutes{5};
constexpr std::size_t most_hole_ranges = 65536; // beyond, the oldest are forgotten and asked for again

} // namespace

backfill_series::backfill_series(backfill_options options) : options_{std::move(options)} {
  options_.rules.per_page = std::max(options_.rules.per_page, 1u);
}

void backfill_series::add(ranges& to, std::int64_t from, std::int64_t until) {
  if (from >= until) return;
  auto at = to.upper_bound(from);
  if (at != to.begin() && std::prev(at)->second >= from) --at;
  while (at != to.end() && at->first <= until) {
    from = std::min(from, at->first);
    until = std::max(until, at->second);
    at = to.erase(at);
  }
  to.emplace(from, until);
}

void backfill_series::cut(ranges& of, std::int64_t from, std::int64_t until) {
  if (from >= until) return;
  auto at = of.upper_bound(from);
  if (at != of.begin() && std::prev(at)->second > from) --at;
  while (at != of.end() && at->first < until) {
    const auto [first, last] = *at;
    at = of.erase(at);
    if (first < from) of.emplace(first, from);
    if (last > until) of.emplace(until, last);
  }
}

void backfill_series::want(market_time from, market_time to, std::span<const market_time> have,
                           market_time now) {
  const auto step = options_.interval;
  missing_.clear();
  failures_ = 0;
  const auto first = floor_to(from + step - nanoseconds{1}, step);
  const auto end = std::min(floor_to(to, step), floor_to(now - options_.grace, step));
  add(missing_, first.ns, end.ns);
  for (const auto at : have)
    cut(missing_, at.ns, at.ns + step.count());
  for (const auto& [a, b] : holes_)
    cut(missing_, a, b);
}

std::optional<backfill_request> backfill_series::next(steady_time now) {
  if (asked_ || missing_.empty() || now < pause_until_) return std::nullopt;
  // One page takes in all that is missing within its reach.
  const auto from = missing_.begin()->first;
  const auto reach = from + options_.interval.count() * static_cast<std::int64_t>(options_.rules.per_page);
  const auto last = std::prev(missing_.lower_bound(reach));
  asked_ = backfill_request{{from}, {std::min(last->second, reach)}};
  ++counts_.requests;
  return asked_;
}

/// A row on the grid whose numbers can be those of a bar.
bool backfill_series::sound(const bar& b) const {
  return b.open_time == floor_to(b.open_time, options_.interval) && b.low <= b.open && b.low <= b.close
         && b.high >= b.open && b.high >= b.close && b.volume.raw >= 0 && b.buy_volume.raw >= 0;
}

/// The venue has answered for this range: what is missing in it, it does not have. What ended just now it may
/// not have yet: the next review asks again.
void backfill_series::close(std::int64_t from, std::int64_t until, market_time now) {
  const auto settled = floor_to(now - settle_time, options_.interval).ns;
  ranges inside;
  for (const auto& [a, b] : missing_)
    if (a < until && b > from) inside.emplace(std::max(a, from), std::min(b, until));
  for (const auto& [a, end] : inside) {
    const auto b = std::min(end, settled);
    if (b <= a) continue;
    counts_.holes += static_cast<std::uint64_t>((b - a) / options_.interval.count());
    add(holes_, a, b);
  }
  cut(missing_, from, until);
  while (holes_.size() > most_hole_ranges)
    holes_.erase(holes_.begin());
}

std::vector<bar> backfill_series::on_page(const candle_page& page, market_time now, steady_time steady) {
  std::vector<bar> out;
  if (!asked_) return out;
  const auto [from, to] = *asked_;
  const auto step = options_.interval.count();
  market_time first = to;
  market_time last{from.ns - step};
  bool before = false; // rows from before the range
  bool after = false;
  for (const auto& row : page.bars) {
    before = before || row.open_time < from;
    after = after || row.open_time >= to;
    if (row.open_time < from || row.open_time >= to) continue;
    const bool final = row.open_time + options_.interval + options_.grace <= now;
    if (!sound(row) || !final || row.open_time <= last) {
      ++counts_.refused;
      continue;
    }
    first = std::min(first, row.open_time);
    last = row.open_time;
    out.push_back(row);
    out.back().instrument = options_.instrument;
    out.back().interval = options_.interval;
    out.back().closed = true;
  }
  // The venue speaks of another time than it was asked for. Kraken's newest page is that by nature.
  if (out.empty() && before && !after && !options_.rules.newest_only) {
    on_failure(steady);
    return out;
  }
  asked_.reset();
  failures_ = 0;
  for (const auto& b : out)
    cut(missing_, b.open_time.ns, b.open_time.ns + step);
  counts_.bars += out.size();
  // A page may be shorter than the venue's documents say: what lies beyond its last row is asked for
  // again; only an answer without any row there makes it a hole.
  if (out.empty() || options_.rules.newest_only)
    close(from.ns, to.ns, now);
  else if (options_.rules.newest_first)
    close(first.ns, to.ns, now);
  else
    close(from.ns, last.ns + step, now);
  return out;
}

void backfill_series::on_failure(steady_time now) {
  if (!asked_) return;
  const auto request = *asked_;
  asked_.reset();
  ++counts_.failures;
  auto pause = options_.first_pause;
  for (int i = 0; i < failures_ && pause < longest_pause; ++i)
    pause *= 2;
  pause_until_ = now + std::min(pause, longest_pause);
  if (++failures_ < options_.attempts) return;
  cut(missing_, request.from.ns, request.to.ns);
  ++counts_.given_up;
  failures_ = 0;
}

std::uint64_t backfill_series::missing() const noexcept {
  std::int64_t out = 0;
  for (const auto& [a, b] : missing_)
    out += b - a;
  return static_cast<std::uint64_t>(out / options_.interval.count());
}

} // namespace troupe
