#pragma once

/// The book as one would write it without a thought for speed, and comparison with ours.

#include "actors/feeds/order_book.hpp"

#include <map>
#include <string>

namespace troupe::test {

/// Two std::maps: what the order book is checked against.
class map_book {
public:
  void clear() { bids.clear(), asks.clear(); }

  void apply(side which, price at, size quantity) {
    if (which == side::buy) set(bids, at.raw, quantity.raw);
    else set(asks, at.raw, quantity.raw);
  }

  [[nodiscard]] level bid() const {
    return bids.empty() ? level{} : level{{bids.begin()->first}, {bids.begin()->second}};
  }
  [[nodiscard]] level ask() const {
    return asks.empty() ? level{} : level{{asks.begin()->first}, {asks.begin()->second}};
  }
  [[nodiscard]] bool crossed() const {
    return !bids.empty() && !asks.empty() && bids.begin()->first >= asks.begin()->first;
  }

  std::map<std::int64_t, std::int64_t, std::greater<>> bids;
  std::map<std::int64_t, std::int64_t> asks;

private:
  template <class Map>
  static void set(Map& levels, std::int64_t at, std::int64_t quantity) {
    if (quantity == 0) levels.erase(at);
    else levels[at] = quantity;
  }
};

/// What differs between a book and the oracle at the top; empty when nothing does. Cheap: for every step.
inline std::string top_difference(const order_book& book, const map_book& oracle) {
  const auto show = [](const level& l) {
    return std::to_string(l.at.raw) + "x" + std::to_string(l.quantity.raw);
  };
  if (!(book.bid() == oracle.bid())) return "bid " + show(book.bid()) + ", expected " + show(oracle.bid());
  if (!(book.ask() == oracle.ask())) return "ask " + show(book.ask()) + ", expected " + show(oracle.ask());
  if (book.levels(side::buy) != oracle.bids.size())
    return "bid levels " + std::to_string(book.levels(side::buy)) + ", expected "
           + std::to_string(oracle.bids.size());
  if (book.levels(side::sell) != oracle.asks.size())
    return "ask levels " + std::to_string(book.levels(side::sell)) + ", expected "
           + std::to_string(oracle.asks.size());
  if (book.crossed() != oracle.crossed()) return "crossed differs";
  return {};
}

/// The same for every level, in order.
inline std::string whole_difference(const order_book& book, const map_book& oracle) {
  if (auto top = top_difference(book, oracle); !top.empty()) return top;
  const auto walk = [&](side which, const auto& expected) -> std::string {
    auto next = expected.begin();
    std::string out;
    book.for_each(which, [&](const level& l) {
      if (next == expected.end() || next->first != l.at.raw || next->second != l.quantity.raw) {
        out = "level " + std::to_string(l.at.raw) + " out of place";
        return false;
      }
      if (book.at(which, l.at) != l.quantity) out = "at(" + std::to_string(l.at.raw) + ") differs";
      ++next;
      return out.empty();
    });
    if (out.empty() && next != expected.end()) out = "level " + std::to_string(next->first) + " missing";
    return out;
  };
  if (auto out = walk(side::buy, oracle.bids); !out.empty()) return "bids: " + out;
  if (auto out = walk(side::sell, oracle.asks); !out.empty()) return "asks: " + out;
  return {};
}

} // namespace troupe::test
