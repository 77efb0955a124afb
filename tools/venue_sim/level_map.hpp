#pragma once

/// Levels of one side of a book by price, the best one first. A sorted array with its best level at the end, where
/// most changes are: a thousand markets of a thousand levels stay in the processor's caches, as trees do not. Pure.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace troupe::venue_sim {

/// `Better` puts a better price in front. Any change ends all iterators.
template <class Better>
class level_map {
public:
  using value_type = std::pair<std::int64_t, std::int64_t>; ///< price, quantity
  using const_iterator = std::vector<value_type>::const_reverse_iterator;

  [[nodiscard]] const_iterator begin() const noexcept { return levels_.rbegin(); }
  [[nodiscard]] const_iterator end() const noexcept { return levels_.rend(); }
  [[nodiscard]] bool empty() const noexcept { return levels_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return levels_.size(); }
  [[nodiscard]] Better key_comp() const noexcept { return {}; }
  /// The level farthest from the middle. @pre !empty()
  [[nodiscard]] const value_type& worst() const noexcept { return levels_.front(); }

  /// The first level that is not better than `price`.
  [[nodiscard]] const_iterator lower_bound(std::int64_t price) const noexcept {
    return std::lower_bound(begin(), end(), price, [](const auto& l, auto p) { return Better{}(l.first, p); });
  }
  /// The first level that is worse.
  [[nodiscard]] const_iterator upper_bound(std::int64_t price) const noexcept {
    return std::upper_bound(begin(), end(), price, [](auto p, const auto& l) { return Better{}(p, l.first); });
  }
  [[nodiscard]] const_iterator find(std::int64_t price) const noexcept {
    const auto at = lower_bound(price);
    return at != end() && at->first == price ? at : end();
  }

  void clear() noexcept { levels_.clear(); }
  void erase(std::int64_t price) {
    const auto at = find(price);
    if (at != end()) levels_.erase(at.base() - 1);
  }
  /// The quantity at a price, 0 where the level is new.
  std::int64_t& operator[](std::int64_t price) {
    const auto at = lower_bound(price);
    if (at != end() && at->first == price) return levels_[static_cast<std::size_t>(end() - at) - 1].second;
    return levels_.insert(at.base(), {price, 0})->second;
  }
  friend bool operator==(const level_map&, const level_map&) = default;

private:
  std::vector<value_type> levels_; ///< worst first
};

} // namespace troupe::venue_sim
