#include "actors/feeds/trades.hpp"

namespace troupe {
namespace {

/// Never 0, which marks a free slot.
std::uint64_t key_of(const trade_event& trade) noexcept {
  auto h = std::uint64_t{0xcbf29ce484222325};
  if (trade.id_text.empty()) h ^= trade.id;
  for (const auto c : trade.id_text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
  h ^= h >> 31;
  return h != 0 ? h : 1;
}

} // namespace

/// Where the key lies, or the free slot where it would.
std::size_t trade_window::slot_of(std::uint64_t key) const noexcept {
  auto slot = key % slots;
  while (table_[slot] != 0 && table_[slot] != key) slot = (slot + 1) % slots;
  return slot;
}

/// Keys behind the hole that no longer could be found are moved up.
void trade_window::forget(std::uint64_t key) noexcept {
  auto hole = slot_of(key);
  table_[hole] = 0;
  for (auto slot = (hole + 1) % slots; table_[slot] != 0; slot = (slot + 1) % slots) {
    const auto home = table_[slot] % slots;
    const bool reachable = hole < slot ? hole < home && home <= slot : hole < home || home <= slot;
    if (reachable) continue;
    table_[hole] = table_[slot];
    table_[slot] = 0;
    hole = slot;
  }
}

bool trade_window::take(const trade_event& trade) {
  if (trade.id_text.empty() && trade.id == 0) return ++count_, true;
  if (ring_.empty()) ring_.resize(length), table_.resize(slots);
  const auto key = key_of(trade);
  if (table_[slot_of(key)] == key) return ++replayed_, false;
  if (ring_[next_] != 0) forget(ring_[next_]);
  ring_[next_] = key;
  next_ = (next_ + 1) % length;
  table_[slot_of(key)] = key;
  return ++count_, true;
}

} // namespace troupe
