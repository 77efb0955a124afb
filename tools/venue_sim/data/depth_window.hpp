#pragma once

/// The best levels of a book as venues publish them on channels of limited depth: what leaves the
/// window is deleted, what enters it is sent. Shared by all connections of a dialect. Pure.

#include "tools/venue_sim/data/data_market.hpp"

#include <algorithm>
#include <unordered_map>

namespace troupe::venue_sim {

class depth_window {
public:
  explicit depth_window(std::size_t depth) : depth_{depth} {}

  /// Takes over what `change` did to the book, which holds it already. True when the window changed: `bids` and
  /// `asks` are the changes then, best first, quantity 0 deletes, and `number` has grown by one.
  /// @pre called for every change since the window was `show`n the book
  bool advance(const market_book& book, const market_event& change) {
    const bool bid = follow(book.bids(), change.bids, shown_bids_, bids_);
    const bool ask = follow(book.asks(), change.asks, shown_asks_, asks_);
    if (bid || ask) ++number_;
    return bid || ask;
  }

  /// Takes the book as it stands.
  void show(const market_book& book) {
    fill(book.bids(), shown_bids_);
    fill(book.asks(), shown_asks_);
  }

  [[nodiscard]] const std::vector<book_level>& bids() const noexcept { return bids_; }
  [[nodiscard]] const std::vector<book_level>& asks() const noexcept { return asks_; }
  /// Whole sides, best first.
  [[nodiscard]] const std::vector<book_level>& all_bids() const noexcept { return shown_bids_; }
  [[nodiscard]] const std::vector<book_level>& all_asks() const noexcept { return shown_asks_; }
  /// Changes so far.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

private:
  /// Adds the side's levels behind the last one shown, as many as the window has room for.
  template <class Side>
  void fill(const Side& side, std::vector<book_level>& shown) {
    if (shown.size() >= std::min(depth_, side.size())) return;
    auto next = shown.empty() ? side.begin() : side.upper_bound(shown.back().price_e8);
    for (; next != side.end() && shown.size() < depth_; ++next)
      shown.push_back({next->first, next->second});
  }

  template <class Side>
  static auto place(const Side& side, std::vector<book_level>& shown, std::int64_t price) {
    return std::lower_bound(shown.begin(), shown.end(), price, [better = side.key_comp()](const auto& level, auto at) {
      return better(level.price_e8, at);
    });
  }

  static void note(std::vector<book_level>& before, book_level level) {
    for (const auto& known : before)
      if (known.price_e8 == level.price_e8) return;
    before.push_back(level);
  }

  /// The event only says where to look: what counts is the book, which may have refused an old change.
  template <class Side, class Levels>
  bool follow(const Side& side, const Levels& changed, std::vector<book_level>& shown, std::vector<book_level>& changes) {
    const auto better = side.key_comp();
    changes.clear();
    before_.clear();
    for (const auto& level : changed) {
      const auto price = level.price_e8;
      // Behind the last one shown others may stand that are not: those come in order, below.
      if (shown.empty() || better(shown.back().price_e8, price)) continue;
      const auto now = side.find(price);
      auto at = place(side, shown, price);
      const bool was = at != shown.end() && at->price_e8 == price;
      note(before_, {price, was ? at->quantity_e8 : 0});
      if (now == side.end() && was) shown.erase(at);
      if (now == side.end()) continue;
      if (was)
        at->quantity_e8 = now->second;
      else
        shown.insert(at, {price, now->second});
    }
    for (; shown.size() > depth_; shown.pop_back())
      note(before_, shown.back());
    const auto kept = shown.size();
    fill(side, shown);
    for (auto n = kept; n < shown.size(); ++n)
      note(before_, {shown[n].price_e8, 0});
    std::sort(before_.begin(), before_.end(),
              [&](const auto& a, const auto& b) { return better(a.price_e8, b.price_e8); });
    for (const auto& old : before_) {
      const auto at = place(side, shown, old.price_e8);
      const auto now = at != shown.end() && at->price_e8 == old.price_e8 ? at->quantity_e8 : 0;
      if (now != old.quantity_e8) changes.push_back({old.price_e8, now});
    }
    return !changes.empty();
  }

  std::size_t depth_;
  std::uint64_t number_ = 0;
  std::vector<book_level> shown_bids_, shown_asks_, bids_, asks_;
  std::vector<book_level> before_; ///< what the touched levels were, 0: not shown
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
    made.show(market.book());
    return made;
  }
  /// Takes a change over into the market's window; false where that was never asked for: windows of depths that
  /// nobody looks at cost nothing.
  bool advance(const data_market& market, const market_event& change) {
    const auto found = windows_.find(&market);
    return found != windows_.end() && found->second.advance(market.book(), change);
  }

private:
  std::size_t depth_;
  std::unordered_map<const data_market*, depth_window> windows_;
};

} // namespace troupe::venue_sim
