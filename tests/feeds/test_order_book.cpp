#define CAF_SUITE order_book

#include "tests/feeds/book_oracle.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;

namespace {

/// One kind of random market.
struct market {
  const char* name;
  std::int64_t tick;
  std::uint32_t window;
  std::int64_t start;
  std::int64_t walk;  ///< largest step of the middle, in ticks
  std::int64_t reach; ///< distance of most levels from the middle, in ticks
  unsigned off_tick;  ///< one in so many prices is off the tick; 0 = none
  unsigned far;       ///< one in so many prices is anywhere
  bool may_cross;
};

std::int64_t random_price(const market& m, std::int64_t middle, side which, std::mt19937_64& random) {
  const auto ticks = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(m.reach));
  const auto below = which == side::buy;
  auto at = below ? middle - (ticks + 1) * m.tick : middle + (ticks + 1) * m.tick;
  if (m.may_cross && random() % 50 == 0) at = middle + (below ? 1 : -1) * ticks * m.tick;
  if (m.far != 0 && random() % m.far == 0) {
    const auto far = static_cast<std::int64_t>(random() % 1'000'000) * m.tick;
    at = below ? middle - far - m.tick : middle + far + m.tick;
  }
  if (m.off_tick != 0 && random() % m.off_tick == 0)
    at += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(m.tick));
  return at;
}

void drive(const market& m, std::uint64_t operations, std::uint64_t seed) {
  CAF_MESSAGE(m.name);
  std::mt19937_64 random{seed};
  order_book book{{price{m.tick}, m.window}};
  test::map_book oracle;
  auto middle = m.start;
  std::vector<level> batch;
  for (std::uint64_t i = 0; i < operations;) {
    if (m.walk != 0 && random() % 4 == 0)
      middle += (static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * m.walk + 1)) - m.walk)
                * m.tick;
    const auto which = random() % 2 == 0 ? side::buy : side::sell;
    batch.clear();
    for (auto n = 1 + random() % 12; n > 0; --n) {
      const auto at = random_price(m, middle, which, random);
      const auto quantity = random() % 3 == 0 ? 0 : 1 + static_cast<std::int64_t>(random() % 100'000);
      batch.push_back({{at}, {quantity}});
    }
    // What the middle has walked through is taken out, as a venue does.
    if (!m.may_cross) {
      while (!oracle.bids.empty() && oracle.bids.begin()->first >= middle && batch.size() < 64) {
        book.apply(side::buy, {oracle.bids.begin()->first}, {0});
        oracle.apply(side::buy, {oracle.bids.begin()->first}, {0});
      }
      while (!oracle.asks.empty() && oracle.asks.begin()->first <= middle) {
        book.apply(side::sell, {oracle.asks.begin()->first}, {0});
        oracle.apply(side::sell, {oracle.asks.begin()->first}, {0});
      }
    }
    book.apply(which, batch);
    for (const auto& l : batch) oracle.apply(which, l.at, l.quantity);
    i += batch.size();
    if (const auto why = test::top_difference(book, oracle); !why.empty())
      CAF_FAIL("after " << i << ": " << why);
    if (random() % 2000 == 0) {
      if (const auto why = test::whole_difference(book, oracle); !why.empty())
        CAF_FAIL("after " << i << ": " << why);
    }
    if (random() % 50'000 == 0) {
      book.clear({middle});
      oracle.clear();
    }
  }
  const auto why = test::whole_difference(book, oracle);
  if (!why.empty()) CAF_FAIL(why);
  CAF_CHECK(book.levels(side::buy) + book.levels(side::sell) > 0);
}

} // namespace

CAF_TEST(random_operations_equal_the_map) {
  const auto seed = test::seed_of("order book", 4711);
  const auto operations = test::scaled(400'000);
  for (const auto& m : {
           market{"dense near the touch", 1, 16384, 600'000, 3, 400, 0, 0, false},
           market{"tick 10, off-tick prices", 10, 16384, 6'000'000, 5, 3000, 20, 100, false},
           market{"window much too small", 1, 256, 100'000, 20, 2000, 0, 50, false},
           market{"touch runs away", 100, 1024, 5'000'000, 400, 500, 200, 0, false},
           market{"huge tick", 1'000'000'000, 4096, 1'000'000'000'000'000, 10, 900, 10, 1000, false},
           market{"crossing", 1, 4096, 50'000, 10, 300, 0, 500, true},
           market{"around zero and below", 7, 512, 0, 30, 200, 30, 0, true},
       })
    drive(m, operations, seed);
}

CAF_TEST(a_wrong_oracle_is_noticed) {
  order_book book;
  test::map_book oracle;
  for (std::int64_t i = 1; i <= 100; ++i) {
    book.apply(side::buy, {i}, {i});
    oracle.apply(side::buy, {i}, {i});
  }
  CAF_CHECK(test::whole_difference(book, oracle).empty());
  oracle.bids[50] += 1;
  CAF_CHECK(!test::whole_difference(book, oracle).empty());
  oracle.bids[50] -= 1;
  oracle.bids.erase(7);
  CAF_CHECK(!test::top_difference(book, oracle).empty());
}

CAF_TEST(single_cases) {
  order_book book{{price{10}, 256}};
  CAF_CHECK_EQUAL(book.bid().quantity.raw, 0);
  CAF_CHECK(!book.crossed());
  CAF_CHECK_EQUAL(book.top_checksum(2, 3), 0u);
  book.apply(side::buy, {1000}, {0}); // deleting what is not there
  CAF_CHECK_EQUAL(book.levels(side::buy), 0u);
  book.apply(side::buy, {1000}, {5});
  book.apply(side::sell, {1010}, {6});
  CAF_CHECK_EQUAL(book.bid().at.raw, 1000);
  CAF_CHECK_EQUAL(book.at(side::sell, {1010}).raw, 6);
  CAF_CHECK_EQUAL(book.at(side::sell, {1011}).raw, 0);
  book.apply(side::buy, {1010}, {1});
  CAF_CHECK(book.crossed()); // locked counts as crossed
  book.apply(side::buy, {1010}, {0});
  CAF_CHECK(!book.crossed());
  book.apply(side::buy, {1003}, {9}); // off the tick
  CAF_CHECK_EQUAL(book.bid().at.raw, 1003);
  CAF_CHECK_EQUAL(book.spilled(side::buy), 1u);
  level best[4];
  CAF_CHECK_EQUAL(book.top(side::buy, best), 2u);
  CAF_CHECK_EQUAL(best[1].at.raw, 1000);
  const std::vector<level> bids{{{500}, {1}}, {{490}, {2}}};
  const std::vector<level> asks{{{510}, {3}}};
  book.load(bids, asks);
  CAF_CHECK_EQUAL(book.levels(side::buy), 2u);
  CAF_CHECK_EQUAL(book.ask().at.raw, 510);
  CAF_CHECK_EQUAL(book.at(side::buy, {1003}).raw, 0);
}

CAF_TEST(checksum_is_of_plain_text) {
  // "100.5,1.25|100,2|101,3" by the rule of the header; CRC-32 (IEEE) computed outside of this program.
  order_book book{{price{50}, 256}};
  book.apply(side::buy, {10050}, {1250});
  book.apply(side::buy, {10000}, {2000});
  book.apply(side::sell, {10100}, {3000});
  const auto crc = book.top_checksum(2, 3);
  order_book same{{price{1}, 256}}; // other scales, same numbers
  same.apply(side::buy, {1005}, {125});
  same.apply(side::buy, {1000}, {200});
  same.apply(side::sell, {1010}, {300});
  CAF_CHECK_EQUAL(same.top_checksum(1, 2), crc);
  CAF_CHECK_EQUAL(crc, 3767249649u);
  same.apply(side::sell, {1010}, {301});
  CAF_CHECK(same.top_checksum(1, 2) != crc);
}

CAF_TEST(spill_keeps_order_through_splits) {
  std::mt19937_64 random{test::seed_of("spill levels", 99)};
  spill_levels spill;
  std::map<std::int64_t, std::int64_t> oracle;
  for (int i = 0; i < 200'000; ++i) {
    const auto at = static_cast<std::int64_t>(random() % 5000) - 2500;
    const auto quantity = random() % 2 == 0 ? 0 : 1 + static_cast<std::int64_t>(random() % 1000);
    const auto known = oracle.find(at);
    const auto before = known == oracle.end() ? 0 : known->second;
    CAF_REQUIRE_EQUAL(spill.set(at, quantity), before);
    if (quantity == 0) oracle.erase(at);
    else oracle[at] = quantity;
    CAF_REQUIRE_EQUAL(spill.count(), oracle.size());
  }
  auto next = oracle.begin();
  for (spill_levels::cursor c{spill, false}; !c.done(); c.up(), ++next) {
    CAF_REQUIRE_EQUAL(c.value().at.raw, next->first);
    CAF_REQUIRE_EQUAL(c.value().quantity.raw, next->second);
  }
  auto back = oracle.rbegin();
  for (spill_levels::cursor c{spill, true}; !c.done(); c.down(), ++back)
    CAF_REQUIRE_EQUAL(c.value().at.raw, back->first);
  CAF_CHECK(back == oracle.rend());
}
