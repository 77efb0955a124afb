#pragma once

/// The simulator's own picture of the venue's book: ordered levels, simple enough to be right at a glance.
/// Prices and quantities in units of 10^-8. Pure; one owner.

#include "tools/venue_sim/level_map.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace troupe::venue_sim {

struct book_level {
  std::int64_t price_e8 = 0;
  std::int64_t quantity_e8 = 0;
  friend bool operator==(const book_level&, const book_level&) = default;
};

/// The book as of the last depth diff, and above it the newest best bid and ask, which the venue publishes
/// more often than diffs. Images served to clients are of the former, matching looks at both.
class market_book {
public:
  using bid_map = level_map<std::greater<>>;
  using ask_map = level_map<std::less<>>;

  void clear() {
    bids_.clear();
    asks_.clear();
    id_ = 0;
    ticker_id_ = 0;
  }
  /// Sets a level's absolute quantity; 0 removes it.
  void set_bid(book_level l) { set(bids_, l); }
  void set_ask(book_level l) { set(asks_, l); }
  void set_id(std::int64_t id) noexcept { id_ = id; }
  void set_ticker(std::int64_t id, book_level bid, book_level ask) noexcept {
    if (id <= ticker_id_) return;
    ticker_id_ = id;
    ticker_bid_ = bid;
    ticker_ask_ = ask;
  }

  [[nodiscard]] std::int64_t id() const noexcept { return id_; }
  [[nodiscard]] const bid_map& bids() const noexcept { return bids_; }
  [[nodiscard]] const ask_map& asks() const noexcept { return asks_; }

  /// Best bid and ask as matching sees them.
  [[nodiscard]] std::optional<book_level> best_bid() const { return best(bids_, ticker_bid_); }
  [[nodiscard]] std::optional<book_level> best_ask() const { return best(asks_, ticker_ask_); }

  /// Calls `f(level)` from the best outwards until it returns false, as matching sees the side.
  template <class F>
  void visit_bids(F&& f) const {
    visit(bids_, ticker_bid_, std::greater<>{}, f);
  }
  template <class F>
  void visit_asks(F&& f) const {
    visit(asks_, ticker_ask_, std::less<>{}, f);
  }

  /// Displayed quantity at a price as matching sees it.
  [[nodiscard]] std::int64_t bid_at(std::int64_t price) const {
    return at(bids_, ticker_bid_, price, std::greater<>{});
  }
  [[nodiscard]] std::int64_t ask_at(std::int64_t price) const {
    return at(asks_, ticker_ask_, price, std::less<>{});
  }

private:
  [[nodiscard]] bool ticker_newer() const noexcept { return ticker_id_ > id_; }

  template <class Map>
  static void set(Map& side, book_level l) {
    if (l.quantity_e8 == 0)
      side.erase(l.price_e8);
    else
      side[l.price_e8] = l.quantity_e8;
  }
  template <class Map>
  std::optional<book_level> best(const Map& side, const book_level& ticker) const {
    if (ticker_newer()) return ticker;
    if (side.empty()) return std::nullopt;
    return book_level{side.begin()->first, side.begin()->second};
  }
  template <class Map, class Better, class F>
  void visit(const Map& side, const book_level& ticker, Better better, F& f) const {
    if (!ticker_newer()) {
      for (const auto& [price, quantity] : side)
        if (!f(book_level{price, quantity})) return;
      return;
    }
    if (!f(ticker)) return;
    for (const auto& [price, quantity] : side) {
      if (price == ticker.price_e8 || better(price, ticker.price_e8)) continue;
      if (!f(book_level{price, quantity})) return;
    }
  }
  template <class Map, class Better>
  std::int64_t at(const Map& side, const book_level& ticker, std::int64_t price, Better better) const {
    if (ticker_newer() && price == ticker.price_e8) return ticker.quantity_e8;
    if (ticker_newer() && better(price, ticker.price_e8)) return 0;
    const auto found = side.find(price);
    return found == side.end() ? 0 : found->second;
  }

  bid_map bids_;
  ask_map asks_;
  std::int64_t id_ = 0;
  std::int64_t ticker_id_ = 0;
  book_level ticker_bid_;
  book_level ticker_ask_;
};

} // namespace troupe::venue_sim
