#include "actors/feeds/features.hpp"

#include "messages/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace troupe {
namespace {

constexpr double five_bp = 5e-4;
constexpr double one_bp = 1e-4;
constexpr double notional_unit = 10'000;
constexpr double limit = 8;

float clipped(double x) noexcept { return static_cast<float>(std::clamp(x, -limit, limit)); }

double ratio(double a, double b) noexcept { return b == 0 ? 0 : a / b; }

double power_of_ten(int exponent) noexcept {
  double out = 1;
  for (int i = 0; i < exponent; ++i) out /= 10;
  return out;
}

/// Sizes and notional of the best levels of one side.
struct depth_sums {
  double best = 0;
  double five = 0;
  double twenty = 0;
  double notional = 0;
};

depth_sums sum_depth(const order_book& book, side which) {
  depth_sums out;
  std::size_t seen = 0;
  book.for_each(which, [&](const level& l) {
    const auto size = static_cast<double>(l.quantity.raw);
    if (seen == 0) out.best = size;
    if (seen < 5) out.five += size;
    out.twenty += size;
    out.notional += size * static_cast<double>(l.at.raw);
    return ++seen < 20;
  });
  return out;
}

} // namespace

std::uint64_t feature_schema_hash() {
  static const auto hash = [] {
    auto text = std::to_string(feature_schema_version) + '/' + std::to_string(feature_channels) + '/'
                + std::to_string(feature_steps) + '/' + std::to_string(feature_step.count());
    for (const auto& channel : feature_list) {
      text += '\n';
      text += channel.name;
      text += ':';
      text += channel.doc;
    }
    return stable_hash(text);
  }();
  return hash;
}

feature_builder::feature_builder(const feature_scales& scales)
    : price_unit_{power_of_ten(scales.price_scale)}, size_unit_{power_of_ten(scales.size_scale)} {}

double feature_builder::mid_of(const order_book& book) const noexcept {
  const auto bid = book.bid();
  const auto ask = book.ask();
  if (bid.quantity.raw == 0 || ask.quantity.raw == 0) return 0;
  return (static_cast<double>(bid.at.raw) + static_cast<double>(ask.at.raw)) / 2 * price_unit_;
}

void feature_builder::start_from(const order_book& book, bool book_valid) {
  open_ = {};
  mid_ = book_valid ? mid_of(book) : 0;
  open_.broken = mid_ == 0;
  open_.high = open_.low = mid_;
}

void feature_builder::advance(market_time now, const order_book& book, bool book_valid) {
  if (now < open_until_) [[likely]]
    return;
  if (open_until_.ns == 0) {
    open_until_ = floor_to(now, feature_step) + feature_step;
    start_from(book, book_valid);
    open_.broken = true; // the first step is seen in part only
    return;
  }
  // After a long silence all steps are forgotten at once; none of them was seen.
  const auto all_steps = feature_step * static_cast<std::int64_t>(feature_steps);
  if (now - open_until_ > all_steps + feature_step) {
    ring_ = {};
    previous_mid_ = 0;
    open_until_ = floor_to(now, feature_step) + feature_step;
    start_from(book, book_valid);
    open_.broken = true;
    return;
  }
  while (now >= open_until_) {
    close(book, book_valid);
    open_until_ = open_until_ + feature_step;
  }
}

void feature_builder::close(const order_book& book, bool book_valid) {
  const bool known = book_valid && !open_.broken && mid_ > 0;
  ring_[next_] = known ? measure(book) : column{};
  next_ = (next_ + 1) % feature_steps;
  previous_mid_ = known ? mid_ : 0;
  start_from(book, book_valid);
}

void feature_builder::on_book(const order_book& book, std::size_t changed) {
  open_.changed += changed;
  const auto mid = mid_of(book);
  if (mid == mid_) return;
  if (mid > 0 && mid_ > 0) {
    const auto moved = std::log(mid / mid_);
    open_.variance += moved * moved;
    open_.high = std::max(open_.high, mid);
    open_.low = std::min(open_.low, mid);
  }
  if (mid == 0) open_.broken = true;
  mid_ = mid;
}

void feature_builder::on_trade(const trade_event& trade) noexcept {
  const auto volume = static_cast<double>(trade.quantity.raw) * size_unit_;
  const auto notional = volume * static_cast<double>(trade.at_price.raw) * price_unit_;
  const auto count = trade.last_id - trade.first_id + 1;
  open_.volume += volume;
  if (trade.taker == side::buy) {
    open_.bought += notional;
    open_.buys += count;
  } else {
    open_.sold += notional;
    open_.sells += count;
  }
}

feature_builder::column feature_builder::measure(const order_book& book) const {
  const auto bid = book.bid();
  const auto ask = book.ask();
  const auto bids = sum_depth(book, side::buy);
  const auto asks = sum_depth(book, side::sell);
  const auto mid = mid_;
  const auto bid_price = static_cast<double>(bid.at.raw) * price_unit_;
  const auto ask_price = static_cast<double>(ask.at.raw) * price_unit_;
  const auto micro = ratio(ask_price * bids.best + bid_price * asks.best, bids.best + asks.best);
  const auto traded = open_.bought + open_.sold;
  const auto trades = static_cast<double>(open_.buys + open_.sells);
  const auto vwap = ratio(traded, open_.volume);
  const auto depth = (bids.notional + asks.notional) * price_unit_ * size_unit_;
  return {
      clipped(previous_mid_ > 0 ? std::log(mid / previous_mid_) / five_bp : 0),
      clipped((ask_price - bid_price) / mid / five_bp),
      clipped(ratio(bids.best - asks.best, bids.best + asks.best)),
      clipped(ratio(bids.five - asks.five, bids.five + asks.five)),
      clipped(ratio(bids.twenty - asks.twenty, bids.twenty + asks.twenty)),
      clipped((micro - mid) / mid / one_bp),
      clipped(std::asinh((open_.bought - open_.sold) / notional_unit) / 4),
      clipped(std::asinh(traded / notional_unit) / 4),
      clipped(std::log1p(trades) / 4),
      clipped(ratio(static_cast<double>(open_.buys) - static_cast<double>(open_.sells), trades)),
      clipped(trades == 0 ? 0 : (vwap - mid) / mid / five_bp),
      clipped((open_.high - open_.low) / mid / five_bp),
      clipped(std::sqrt(open_.variance) / five_bp),
      clipped(std::log10(1 + depth) / 8),
      clipped(std::log1p(static_cast<double>(open_.changed)) / 8),
      1.0F,
  };
}

packed_tensor feature_builder::tensor() const {
  std::vector<float> values(feature_channels * feature_steps);
  for (std::size_t s = 0; s < feature_steps; ++s) {
    const auto& column = ring_[(next_ + s) % feature_steps];
    for (std::size_t c = 0; c < feature_channels; ++c) values[c * feature_steps + s] = column[c];
  }
  return pack_f32(values,
                  {static_cast<std::int64_t>(feature_channels), static_cast<std::int64_t>(feature_steps)});
}

} // namespace troupe
