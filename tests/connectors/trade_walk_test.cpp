#define CAF_SUITE trade_walk

#include "actors/connectors/trade_walk.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr market_time origin{1'700'000'000'000'000'000};

/// A venue that pages as its rules say, and tells trades only once they are `lag` old.
struct paging_venue {
  trade_rules rules;
  std::vector<past_trade> trades; // ascending
  bool numbers_ordered = true;

  [[nodiscard]] trade_page answer(const trade_cursor& at, market_time newest) const {
    trade_page out;
    for (const auto& t : trades) {
      if (t.at > newest) break;
      const bool by_number = rules.by_number && at.number != 0;
      if (rules.paging == trade_paging::onwards && t.at < at.from) continue;
      if (rules.paging == trade_paging::backwards && (by_number ? t.number >= at.number : t.at > at.to)) continue;
      out.trades.push_back(t);
    }
    if (out.trades.size() > rules.per_page) {
      if (rules.paging == trade_paging::onwards) out.trades.resize(rules.per_page);
      else out.trades.erase(out.trades.begin(), out.trades.end() - rules.per_page);
    }
    if (rules.paging != trade_paging::onwards) std::reverse(out.trades.begin(), out.trades.end());
    return out;
  }
};

paging_venue venue_of(trade_rules rules, bool ordered, std::mt19937_64& random, std::size_t count) {
  paging_venue out{rules, {}, ordered};
  auto at = origin;
  for (std::size_t n = 0; n < count; ++n) {
    at = at + std::chrono::milliseconds{random() % 3 == 0 ? 0 : random() % 400};
    past_trade t;
    t.number = 1000 + n;
    if (ordered) t.first = t.last = t.number;
    t.at = at;
    t.at_price = t.at_price;
    t.quantity = {1};
    out.trades.push_back(t);
  }
  return out;
}

struct walked {
  std::set<std::uint64_t> told;
  past_trades end;
  int pages = 0;
};

walked walk_to_the_end(trade_walk& walk, const paging_venue& venue, market_time newest, nanoseconds lag) {
  walked out;
  steady_time now{1'000'000'000};
  for (int turns = 0; !walk.done() && turns < 2000; ++turns) {
    const auto cursor = walk.next(now);
    now = now + 500ms;
    if (!cursor) continue;
    CAF_CHECK(!walk.next(now).has_value()); // one at a time
    ++out.pages;
    const auto seen = newest - std::max(nanoseconds{0}, lag - nanoseconds{now.ns - 1'000'000'000});
    auto told = walk.on_page(venue.answer(*cursor, seen), now);
    for (const auto& t : told.trades) out.told.insert(t.number);
    if (told.done) out.end = std::move(told);
  }
  CAF_CHECK(walk.done());
  return out;
}

trade_hole hole_in(const paging_venue& venue, std::size_t first, std::size_t end, bool numbers) {
  trade_hole hole{{"ABC-USDT@venue"}, 3, venue.trades[first - 1].at, venue.trades[end].at, 0, 0};
  if (numbers) hole.first = venue.trades[first].number, hole.end = venue.trades[end].number;
  return hole;
}

constexpr trade_rules onwards{.paging = trade_paging::onwards, .per_page = 40};
constexpr trade_rules by_time{.paging = trade_paging::backwards, .per_page = 40};
constexpr trade_rules by_number{.paging = trade_paging::backwards, .per_page = 40, .by_number = true};
constexpr trade_rules newest_only{.paging = trade_paging::newest, .per_page = 40};

} // namespace

CAF_TEST(whatever_the_paging_all_trades_of_a_hole_are_told) {
  const auto seed = test::seed_of("trade_walk", 7);
  std::mt19937_64 random{seed};
  for (const auto& rules : {onwards, by_time, by_number})
    for (const bool ordered : {true, false}) {
      if (rules.by_number && !ordered) continue;
      for (int round = 0; round < 60; ++round) {
        const auto venue = venue_of(rules, ordered, random, 400);
        const auto first = 1 + random() % 200;
        const auto end = first + random() % 180;
        trade_walk walk{{.hole = hole_in(venue, first, end, ordered), .rules = rules}};
        const auto newest = venue.trades.back().at;
        const auto seen = walk_to_the_end(walk, venue, newest, round % 2 == 0 ? 0s : 3s);
        CAF_CHECK(seen.end.whole);
        for (auto n = first; n < end; ++n) CAF_REQUIRE(seen.told.contains(venue.trades[n].number));
        CAF_CHECK_LESS(seen.pages, 40);
      }
    }
}

CAF_TEST(a_venue_of_newest_trades_says_from_when_on_it_knows) {
  std::mt19937_64 random{test::seed_of("trade_walk", 8)};
  int whole = 0;
  int cut = 0;
  for (int round = 0; round < 200; ++round) {
    const auto venue = venue_of(newest_only, round % 2 == 0, random, 200);
    const auto first = 100 + random() % 80;
    const auto end = first + random() % (199 - first);
    trade_walk walk{{.hole = hole_in(venue, first, end, round % 2 == 0), .rules = newest_only}};
    const auto seen = walk_to_the_end(walk, venue, venue.trades.back().at, 0s);
    seen.end.whole ? ++whole : ++cut;
    for (auto n = first; n < end; ++n)
      if (seen.end.whole || venue.trades[n].at > seen.end.known_from)
        CAF_REQUIRE(seen.told.contains(venue.trades[n].number));
    if (!seen.end.whole) CAF_CHECK(!seen.end.why.empty());
  }
  CAF_CHECK_GREATER(whole, 10);
  CAF_CHECK_GREATER(cut, 10);
}

CAF_TEST(failures_pause_longer_each_time_and_end) {
  trade_walk walk{{.hole = {{"ABC-USDT@venue"}, 1, origin, origin + 1s, 0, 0}, .rules = onwards}};
  steady_time now{0};
  std::vector<nanoseconds> pauses;
  for (int n = 0; n < 4; ++n) {
    CAF_REQUIRE(walk.next(now).has_value());
    const auto told = walk.on_failure(now, "HTTP 500");
    CAF_CHECK_EQUAL(told.has_value(), n == 3);
    if (told) CAF_CHECK(told->done && !told->whole && told->why == "HTTP 500");
    const auto failed = now;
    while (!walk.done() && !walk.next(now)) now = now + 100ms;
    if (!walk.done()) {
      pauses.push_back(now - failed);
      CAF_CHECK(!walk.on_failure(now, "again").has_value() || n >= 1);
    }
    if (walk.done()) break;
    now = now + 1min;
  }
  CAF_CHECK(walk.done());
  CAF_REQUIRE(!pauses.empty());
  CAF_CHECK(pauses[0] >= 2s);
}

CAF_TEST(an_instant_fuller_than_a_page_is_not_called_whole) {
  paging_venue venue{by_time, {}, true};
  for (std::uint64_t n = 0; n < 100; ++n) {
    past_trade t;
    t.number = t.first = t.last = 1 + n;
    t.at = origin + (n == 0 ? 0s : n == 99 ? 2s : 1s);
    venue.trades.push_back(t);
  }
  trade_walk walk{{.hole = hole_in(venue, 1, 99, true), .rules = by_time}};
  const auto seen = walk_to_the_end(walk, venue, origin + 10s, 0s);
  CAF_CHECK(!seen.end.whole);
  CAF_CHECK(seen.end.known_from >= origin + 1s);
}
