#pragma once

/// The best levels of a book as venues publish them on channels of limited depth: what leaves the
/// window is deleted, what enters it is sent. Shared by all connections of a dialect. Pure.

#include "tools/venue_sim/data/data_market.hpp"

#include <map>

namespace troupe::venue_sim {

class depth_window {
public:
  explicit depth_window(std::size_t depth) : depth_{depth} {}

  /// Looks at the book anew. True when the window changed: `bids` and `asks` are the changes then,
  /// quantity 0 deletes, and `number` has grown by one.
  bool advance(const market_book& book) {
    bids_.clear();
    asks_.clear();
    const bool bid = move(book.bids(), shown_bids_, bids_);
    const bool ask = move(book.asks(), shown_asks_, asks_);
    if (bid || ask) ++number_;
    return bid || ask;
  }

  [[nodiscard]] const std::vector<book_level>& bids() const noexcept { return bids_; }
  [[nodiscard]] const std::vector<book_level>& asks() const noexcept { return asks_; }
  /// Whole sides, best first.
  [[nodiscard]] const std::vector<book_level>& all_bids() const noexcept { return shown_bids_; }
  [[nodiscard]] const std::vector<book_level>& all_asks() const noexcept { return shown_asks_; }
  /// Changes so far.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

private:
  template <class Side>
  bool move(const Side& side, std::vector<book_level>& shown, std::vector<book_level>& changes) {
    next_.clear();
    for (const auto& [price, quantity] : side) {
      if (next_.size() == depth_) break;
      next_.push_back({price, quantity});
    }
    const auto better = side.key_comp();
    auto old = shown.begin();
    auto now = next_.begin();
    while (old != shown.end() || now != next_.end()) {
      if (now == next_.end() || (old != shown.end() && better(old->price_e8, now->price_e8)))
        changes.push_back({(old++)->price_e8, 0});
      else if (old == shown.end() || better(now->price_e8, old->price_e8))
        changes.push_back(*now++);
      else {
        if (old->quantity_e8 != now->quantity_e8) changes.push_back(*now);
        ++old, ++now;
      }
    }
    shown.swap(next_);
    return !changes.empty();
  }

  std::size_t depth_;
  std::uint64_t number_ = 0;
  std::vector<book_level> shown_bids_, shown_asks_, bids_, asks_, next_;
};

/// Windows of one depth over all markets.
class depth_windows {
public:
  explicit depth_windows(std::size_t depth) : depth_{depth} {}
  /// The market's window; made, and brought to the book as it stands, when it is first asked for.
  depth_window& of(const data_market& market) {
    const auto found = windows_.find(&market);
    if (found != windows_.end()) return found->second;
    auto& made = windows_.emplace(&market, depth_window{depth_}).first->second;
    made.advance(market.book());
    return made;
  }

private:
  std::size_t depth_;
  std::map<const data_market*, depth_window> windows_;
};

} // namespace troupe::venue_sim
