#include "actors/feeds/bars.hpp"

#include <algorithm>
#include <limits>

namespace troupe {
namespace {

/// Sizes are checked one by one, their sum is not: it stops at the largest number there is.
void add(size& sum, size quantity) noexcept {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  if (__builtin_add_overflow(sum.raw, quantity.raw, &sum.raw)) sum.raw = most;
}

} // namespace

bar_builder::bar_builder(instrument_id instrument, nanoseconds grace, sink closed)
    : grace_{grace}, closed_{std::move(closed)} {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    open_[i].instrument = instrument;
    open_[i].interval = bar_intervals[i];
  }
}

void bar_builder::start(bar& b, const trade_event& trade) {
  b.open_time = floor_to(trade.at, b.interval);
  b.open = b.high = b.low = trade.at_price;
  b.volume = b.buy_volume = {};
  b.trades = 0;
  b.closed = false;
}

void bar_builder::close(bar& b) {
  const auto place = static_cast<std::size_t>(&b - open_.data());
  done_[place] = b.open_time + b.interval;
  b.closed = true;
  closed_(b);
  b.trades = 0;
}

void bar_builder::on_trade(const trade_event& trade) {
  bool late = false;
  for (std::size_t i = 0; i < open_.size(); ++i) {
    auto& b = open_[i];
    if (b.trades != 0 && trade.at >= b.open_time + b.interval) close(b);
    if (b.trades == 0) {
      if (trade.at < done_[i]) {
        late = true;
        continue;
      }
      start(b, trade);
    } else if (trade.at < b.open_time) {
      late = true;
      continue;
    }
    b.high = std::max(b.high, trade.at_price);
    b.low = std::min(b.low, trade.at_price);
    b.close = trade.at_price;
    add(b.volume, trade.quantity);
    if (trade.taker == side::buy) add(b.buy_volume, trade.quantity);
    b.trades += trade.last_id - trade.first_id + 1;
  }
  if (late) ++late_;
}

void bar_builder::advance(market_time venue_now) {
  for (auto& b : open_)
    if (b.trades != 0 && b.open_time + b.interval + grace_ <= venue_now) close(b);
}

void bar_builder::flush() {
  for (auto& b : open_)
    if (b.trades != 0) close(b);
}

} // namespace troupe
