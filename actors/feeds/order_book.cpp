#include "actors/feeds/order_book.hpp"

#include <algorithm>
#include <bit>
#include <zlib.h>

namespace troupe {
namespace {

constexpr std::uint32_t least_window = 256;
constexpr std::uint32_t largest_window = 1U << 20;
constexpr std::int64_t centre_limit = std::int64_t{1} << 60; // keeps base ± span within 64 bits

__extension__ using wide = unsigned __int128;

constexpr std::uint64_t high_product(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::uint64_t>((static_cast<wide>(a) * b) >> 64);
}

/// ceil(2^64 / tick). offset × that >> 64 is offset / tick as long as offset × tick < 2^64; 0 = use a
/// division.
std::uint64_t reciprocal_of(std::uint64_t tick, std::uint64_t span) noexcept {
  if (tick == 1 || (static_cast<wide>(span) * tick) >> 64 != 0) return 0;
  return ~std::uint64_t{0} / tick + 1;
}

std::size_t window_of(const book_options& options) noexcept {
  return std::bit_ceil(std::clamp(options.window_ticks, least_window, largest_window));
}

} // namespace

order_book::order_book(const book_options& options)
    : tick_{std::clamp<std::int64_t>(options.tick.raw, 1, std::int64_t{1} << 36)},
      window_{static_cast<std::int64_t>(window_of(options))},
      span_{static_cast<std::uint64_t>(window_) * static_cast<std::uint64_t>(tick_)},
      reciprocal_{reciprocal_of(static_cast<std::uint64_t>(tick_), span_)},
      halves_{half{window_of(options)}, half{window_of(options)}} {
  if (!halves_[0].sizes.data || !halves_[1].sizes.data)
    span_ = 0; // no memory for the window: the spill holds all
  centre(0);
}

void order_book::centre(std::int64_t around) noexcept {
  around = std::clamp(around, -centre_limit, centre_limit);
  around -= around % tick_;
  base_ = around - window_ / 2 * tick_;
}

void order_book::clear(price around) noexcept {
  for (auto& h : halves_) {
    // Only occupied slots are written, so that pages without levels stay untouched.
    for (auto i = next_up(h, 0); i >= 0; i = next_up(h, i + 1)) h.sizes[static_cast<std::size_t>(i)] = 0;
    if (h.count != 0) {
      std::fill(h.occupied.begin(), h.occupied.end(), 0);
      std::fill(h.summary.begin(), h.summary.end(), 0);
    }
    h.best = -1;
    h.count = 0;
    h.spill.clear();
  }
  centre(around.raw);
}

// --- the bitmap ----------------------------------------------------------------------------------

std::int64_t order_book::next_up(const half& h, std::int64_t from) const noexcept {
  if (from >= window_) return -1;
  auto word = static_cast<std::size_t>(from / 64);
  const auto here = h.occupied[word] & (~std::uint64_t{0} << (from & 63));
  if (here != 0) return static_cast<std::int64_t>(word) * 64 + std::countr_zero(here);
  if (++word >= h.occupied.size()) return -1;
  auto group = word / 64;
  auto words = h.summary[group] & (~std::uint64_t{0} << (word & 63));
  while (words == 0) {
    if (++group >= h.summary.size()) return -1;
    words = h.summary[group];
  }
  word = group * 64 + static_cast<std::size_t>(std::countr_zero(words));
  return static_cast<std::int64_t>(word) * 64 + std::countr_zero(h.occupied[word]);
}

std::int64_t order_book::next_down(const half& h, std::int64_t from) const noexcept {
  if (from < 0) return -1;
  auto word = static_cast<std::size_t>(from / 64);
  const auto here = h.occupied[word] & (~std::uint64_t{0} >> (63 - (from & 63)));
  if (here != 0) return static_cast<std::int64_t>(word) * 64 + 63 - std::countl_zero(here);
  if (word == 0) return -1;
  --word;
  auto group = word / 64;
  auto words = h.summary[group] & (~std::uint64_t{0} >> (63 - (word & 63)));
  while (words == 0) {
    if (group == 0) return -1;
    words = h.summary[--group];
  }
  word = group * 64 + 63 - static_cast<std::size_t>(std::countl_zero(words));
  return static_cast<std::int64_t>(word) * 64 + 63 - std::countl_zero(h.occupied[word]);
}

/// The best of a side was set or deleted, or a price beyond it was set.
template <side S>
void order_book::move_best(half& h, std::int64_t index, bool occupied) noexcept {
  if (occupied) h.best = index;
  else if (index == h.best) h.best = S == side::buy ? next_down(h, index - 1) : next_up(h, index + 1);
}

/// Whether a change fills or empties a tick can't be foretold, so nothing here branches on it but the best.
template <side S>
inline void order_book::set_tick(half& h, std::uint64_t index, std::int64_t size) noexcept {
  auto& slot = h.sizes[index];
  const bool was = slot != 0;
  const bool now = size != 0;
  slot = size;
  const auto word = index / 64;
  auto& bits = h.occupied[word];
  bits = (bits & ~(std::uint64_t{1} << (index & 63))) | (std::uint64_t{now} << (index & 63));
  auto& words = h.summary[word / 64];
  words = (words & ~(std::uint64_t{1} << (word & 63))) | (std::uint64_t{bits != 0} << (word & 63));
  h.count += std::size_t{now} - std::size_t{was};
  // No best is -1: below every bid, and above every ask once taken as unsigned.
  const bool at_best = S == side::buy ? static_cast<std::int64_t>(index) >= h.best
                                      : index <= static_cast<std::uint64_t>(h.best);
  if (at_best) [[unlikely]]
    move_best<S>(h, static_cast<std::int64_t>(index), now);
}

// --- changes -------------------------------------------------------------------------------------

template <side S>
inline void order_book::apply_one(half& h, std::int64_t price, std::int64_t size) {
  // Unsigned: a price below the window wraps around to a large offset.
  const auto offset = static_cast<std::uint64_t>(price) - static_cast<std::uint64_t>(base_);
  if (offset < span_) {
    const auto tick = static_cast<std::uint64_t>(tick_);
    const auto index = reciprocal_ != 0 ? high_product(offset, reciprocal_)
                       : tick == 1      ? offset
                                        : offset / tick;
    if (index * tick == offset) {
      set_tick<S>(h, index, size);
      return;
    }
  }
  h.spill.set(price, size);
}

template <side S>
void order_book::apply_levels(std::span<const level> levels) {
  auto& h = halves_[S == side::sell];
  for (const auto& l : levels) apply_one<S>(h, l.at.raw, l.quantity.raw);
}

void order_book::apply(side which, std::span<const level> levels) {
  if (which == side::buy) apply_levels<side::buy>(levels);
  else apply_levels<side::sell>(levels);
  follow_touch();
}

void order_book::apply(std::span<const level> bids, std::span<const level> asks) {
  if (!bids.empty()) apply_levels<side::buy>(bids);
  if (!asks.empty()) apply_levels<side::sell>(asks);
  follow_touch();
}

void order_book::apply(side which, price at, size quantity) {
  const level one{at, quantity};
  apply(which, std::span{&one, 1});
}

void order_book::load(std::span<const level> bids, std::span<const level> asks) {
  std::int64_t around = 0;
  if (!bids.empty() && !asks.empty()) around = bids[0].at.raw / 2 + asks[0].at.raw / 2;
  else if (!bids.empty()) around = bids[0].at.raw;
  else if (!asks.empty()) around = asks[0].at.raw;
  clear({around});
  apply_levels<side::buy>(bids);
  apply_levels<side::sell>(asks);
  follow_touch();
}

/// @pre the side has a level
price order_book::worst(side which) const noexcept {
  const auto& h = half_of(which);
  const bool bids = which == side::buy;
  if (h.count == 0) return bids ? h.spill.lowest().at : h.spill.highest().at;
  const auto inside = price_of(bids ? next_up(h, 0) : next_down(h, window_ - 1));
  if (h.spill.empty()) return inside;
  return bids ? std::min(inside, h.spill.lowest().at) : std::max(inside, h.spill.highest().at);
}

void order_book::cut(side which, std::size_t depth) {
  while (levels(which) > depth) apply(which, worst(which), {});
}

/// Moves the window when the touch has come near its edge, so that it is rarely moved.
void order_book::follow_touch() {
  const auto margin = window_ / 8;
  bool near_edge = false;
  for (const auto& h : halves_)
    near_edge |= h.best < 0 ? !h.spill.empty() : (h.best < margin || h.best >= window_ - margin);
  if (!near_edge) [[likely]]
    return;
  const auto bid = best(side::buy);
  const auto ask = best(side::sell);
  if (bid.quantity.raw == 0 && ask.quantity.raw == 0) return;
  auto around = bid.at.raw / 2 + ask.at.raw / 2;
  if (bid.quantity.raw == 0) around = ask.at.raw;
  if (ask.quantity.raw == 0) around = bid.at.raw;
  around = std::clamp(around, -centre_limit, centre_limit);
  const auto now = base_ + window_ / 2 * tick_;
  const auto drift = around > now ? around - now : now - around;
  if (drift >= window_ / 8 * tick_) move_window(around);
}

void order_book::move_window(std::int64_t around) {
  // Both sides share the base, so both are lifted out before it moves.
  moved_.clear();
  moved_.reserve(levels(side::buy) + levels(side::sell));
  const auto lift = [&](const level& l) {
    moved_.push_back(l);
    return true;
  };
  for_each(side::buy, lift);
  const auto bids = moved_.size();
  for_each(side::sell, lift);
  clear({around});
  apply_levels<side::buy>(std::span{moved_}.first(bids));
  apply_levels<side::sell>(std::span{moved_}.subspan(bids));
}

// --- reading -------------------------------------------------------------------------------------

std::optional<level> order_book::window_best(side which) const noexcept {
  const auto& h = half_of(which);
  if (h.best < 0) return std::nullopt;
  return level{price_of(h.best), {h.sizes[static_cast<std::size_t>(h.best)]}};
}

level order_book::best(side which) const noexcept {
  const auto& h = half_of(which);
  if (h.spill.empty()) [[unlikely]]
    return window_best(which).value_or(level{});
  const auto outside = which == side::buy ? h.spill.highest() : h.spill.lowest();
  const auto inside = window_best(which);
  if (!inside) return outside;
  const bool inside_better = which == side::buy ? inside->at > outside.at : inside->at < outside.at;
  return inside_better ? *inside : outside;
}

bool order_book::crossed() const noexcept {
  const auto& bids = halves_[0];
  const auto& asks = halves_[1];
  if (bids.spill.empty() && asks.spill.empty())
    return bids.best >= asks.best && asks.best >= 0; // a side without levels has -1
  const auto b = bid();
  const auto a = ask();
  return b.quantity.raw != 0 && a.quantity.raw != 0 && b.at >= a.at;
}

std::size_t order_book::levels(side which) const noexcept {
  const auto& h = half_of(which);
  return h.count + h.spill.count();
}

size order_book::at(side which, price where) const noexcept {
  const auto& h = half_of(which);
  const auto offset = static_cast<std::uint64_t>(where.raw) - static_cast<std::uint64_t>(base_);
  if (offset < span_ && offset % static_cast<std::uint64_t>(tick_) == 0)
    return {h.sizes[offset / static_cast<std::uint64_t>(tick_)]};
  return {h.spill.find(where.raw)};
}

std::size_t order_book::top(side which, std::span<level> out) const {
  std::size_t count = 0;
  if (out.empty()) return 0;
  for_each(which, [&](const level& l) {
    out[count++] = l;
    return count < out.size();
  });
  return count;
}

std::uint32_t order_book::top_checksum(int price_scale, int size_scale, std::size_t depth) const {
  std::string text;
  for (const auto which : {side::buy, side::sell}) {
    std::size_t left = depth;
    if (left == 0) break;
    for_each(which, [&](const level& l) {
      if (!text.empty()) text += '|';
      text += format_decimal_short(l.at.raw, price_scale);
      text += ',';
      text += format_decimal_short(l.quantity.raw, size_scale);
      return --left != 0;
    });
  }
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

} // namespace troupe
