#include "actors/feeds/bar_roller.hpp"

#include "actors/feeds/wide.hpp"

#include <algorithm>

namespace troupe {

std::optional<bar> bar_roller::add(const bar& b) {
  const bool divides = b.interval > nanoseconds{0} && interval_ % b.interval == nanoseconds{0};
  if (!divides || (any_ && b.open_time <= last_)) {
    ++refused_;
    return std::nullopt;
  }
  any_ = true;
  last_ = b.open_time;
  const auto start = floor_to(b.open_time, interval_);
  std::optional<bar> closed;
  if (open_ && open_->open_time != start) closed = finish();
  if (!open_) {
    open_ = b;
    open_->interval = interval_;
    open_->open_time = start;
    open_->closed = true;
    return closed;
  }
  open_->high = std::max(open_->high, b.high);
  open_->low = std::min(open_->low, b.low);
  open_->close = b.close;
  add_up(open_->volume.raw, b.volume.raw);
  add_up(open_->buy_volume.raw, b.buy_volume.raw);
  open_->trades += b.trades;
  return closed;
}

std::optional<bar> bar_roller::finish() {
  auto out = std::move(open_);
  open_.reset();
  return out;
}

std::vector<bar> roll_up(std::span<const bar> bars, nanoseconds interval) {
  bar_roller roller{interval};
  std::vector<bar> out;
  for (const auto& b : bars)
    if (auto closed = roller.add(b)) out.push_back(std::move(*closed));
  if (auto last = roller.finish()) out.push_back(std::move(*last));
  return out;
}

} // namespace troupe
