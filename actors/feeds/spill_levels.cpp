#include "actors/feeds/spill_levels.hpp"

#include <algorithm>

namespace troupe {

// --- one chunk -----------------------------------------------------------------------------------

std::size_t spill_levels::chunk::lower_bound(std::int64_t price) const noexcept {
  const auto* base = prices;
  auto left = count;
  while (left > 1) { // branch-free: compiles to conditional moves
    const auto half = left / 2;
    base += base[half - 1] < price ? half : 0;
    left -= half;
  }
  return static_cast<std::size_t>(base - prices) + (left == 1 && *base < price ? 1 : 0);
}

void spill_levels::chunk::insert(std::size_t slot, std::int64_t price, std::int64_t size) noexcept {
  std::copy_backward(prices + slot, prices + count, prices + count + 1);
  std::copy_backward(sizes + slot, sizes + count, sizes + count + 1);
  prices[slot] = price;
  sizes[slot] = size;
  ++count;
}

void spill_levels::chunk::erase(std::size_t slot) noexcept {
  std::copy(prices + slot + 1, prices + count, prices + slot);
  std::copy(sizes + slot + 1, sizes + count, sizes + slot);
  --count;
}

// --- all chunks ----------------------------------------------------------------------------------

/// The chunk that holds or would hold a price. @pre !empty()
std::size_t spill_levels::chunk_of(std::int64_t price) const noexcept {
  const auto* base = firsts_.data();
  auto left = firsts_.size();
  while (left > 1) {
    const auto half = left / 2;
    base += base[half] <= price ? half : 0;
    left -= half;
  }
  return static_cast<std::size_t>(base - firsts_.data());
}

std::int64_t spill_levels::find(std::int64_t price) const noexcept {
  if (chunks_.empty()) return 0;
  const auto& c = *chunks_[chunk_of(price)];
  const auto slot = c.lower_bound(price);
  return slot < c.count && c.prices[slot] == price ? c.sizes[slot] : 0;
}

std::int64_t spill_levels::set(std::int64_t price, std::int64_t size) {
  if (chunks_.empty()) {
    if (size != 0) insert(0, 0, price, size);
    return 0;
  }
  const auto place = chunk_of(price);
  auto& c = *chunks_[place];
  const auto slot = c.lower_bound(price);
  if (slot == c.count || c.prices[slot] != price) {
    if (size != 0) insert(place, slot, price, size);
    return 0;
  }
  const auto before = c.sizes[slot];
  if (size == 0) erase(place, slot);
  else c.sizes[slot] = size;
  return before;
}

void spill_levels::insert(std::size_t place, std::size_t slot, std::int64_t price, std::int64_t size) {
  ++count_;
  if (chunks_.empty()) {
    chunks_.push_back(std::make_unique<chunk>());
    firsts_.push_back(price);
  }
  if (chunks_[place]->count == chunk_capacity) {
    auto& full = *chunks_[place];
    auto upper = std::make_unique<chunk>();
    constexpr auto half = chunk_capacity / 2;
    std::copy(full.prices + half, full.prices + chunk_capacity, upper->prices);
    std::copy(full.sizes + half, full.sizes + chunk_capacity, upper->sizes);
    upper->count = chunk_capacity - half;
    full.count = half;
    const auto next = static_cast<std::ptrdiff_t>(place) + 1;
    firsts_.insert(firsts_.begin() + next, upper->prices[0]);
    chunks_.insert(chunks_.begin() + next, std::move(upper));
    if (slot > half) {
      ++place;
      slot -= half;
    }
  }
  chunks_[place]->insert(slot, price, size);
  firsts_[place] = chunks_[place]->prices[0];
}

void spill_levels::erase(std::size_t place, std::size_t slot) {
  --count_;
  auto& c = *chunks_[place];
  c.erase(slot);
  if (c.count != 0) {
    firsts_[place] = c.prices[0];
    return;
  }
  chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(place));
  firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(place));
}

void spill_levels::clear() noexcept {
  chunks_.clear();
  firsts_.clear();
  count_ = 0;
}

// --- cursor --------------------------------------------------------------------------------------

spill_levels::cursor::cursor(const spill_levels& owner, bool from_highest) noexcept : owner_{&owner} {
  if (!from_highest || owner.chunks_.empty()) return;
  chunk_ = owner.chunks_.size() - 1;
  slot_ = owner.chunks_[chunk_]->count - 1;
}

void spill_levels::cursor::up() noexcept {
  if (++slot_ < owner_->chunks_[chunk_]->count) return;
  ++chunk_;
  slot_ = 0;
}

void spill_levels::cursor::down() noexcept {
  if (slot_ > 0) {
    --slot_;
    return;
  }
  // Below the first chunk the index wraps around to "done".
  if (chunk_-- > 0) slot_ = owner_->chunks_[chunk_]->count - 1;
}

} // namespace troupe
