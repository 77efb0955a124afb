#define CAF_SUITE kept_books

// What is kept from change to change against what is computed of the whole book.

#include "actors/feeds/best_ten_checksum.hpp"
#include "actors/feeds/checksums.hpp"
#include "actors/feeds/image_difference.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace troupe;

namespace {

level random_row(std::mt19937_64& random, side which) {
  // Bids below 2,000, asks from there on; few prices, so that the best ten are hit often.
  const auto step = static_cast<std::int64_t>(random() % 40);
  const auto size = random() % 3 == 0 ? 0 : static_cast<std::int64_t>(random() >> (random() % 62 + 2));
  return {{which == side::buy ? 1999 - step : 2000 + step}, {size}};
}

std::vector<level> all_of(const order_book& book, side which) {
  std::vector<level> out;
  book.for_each(which, [&](const level& l) { return out.push_back(l), true; });
  return out;
}

/// Rows best first; at times with a fault: one twice, one without a size, two that changed places.
std::vector<level> random_side(std::mt19937_64& random, side which, std::vector<level> rows, bool faults) {
  for (int i = 0; i < 4; ++i) rows.push_back(random_row(random, which));
  std::erase_if(rows, [&](const level& l) { return l.quantity.raw == 0 || random() % 8 == 0; });
  std::ranges::stable_sort(rows, [which](const level& a, const level& b) {
    return which == side::buy ? a.at > b.at : a.at < b.at;
  });
  const auto same = [](const level& a, const level& b) { return a.at == b.at; };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());
  if (!faults || rows.size() < 2) return rows;
  if (random() % 2 == 0) std::swap(rows.front(), rows.back());
  else rows.push_back({rows[random() % rows.size()].at, {static_cast<std::int64_t>(random() % 2)}});
  return rows;
}

} // namespace

CAF_TEST(the_kept_checksum_is_that_of_the_whole_book) {
  if (!best_ten_checksum::available()) {
    std::cout << "skipped: the_kept_checksum_is_that_of_the_whole_book: no carry-less product" << std::endl;
    return;
  }
  std::mt19937_64 random{test::seed_of("kept checksum", 31)};
  order_book book{{price{1}, 256}};
  best_ten_checksum kept;
  CAF_CHECK_EQUAL(kept.of(book), kraken_book_checksum(book, 0, 0)); // an empty book
  for (int i = 0; i < 200'000; ++i) {
    const auto which = random() % 2 == 0 ? side::buy : side::sell;
    std::vector<level> rows(1 + random() % 3);
    for (auto& row : rows) row = random_row(random, which);
    book.apply(which, rows);
    kept.changed(which, rows);
    if (random() % 500 == 0) book.clear({2000}), kept.forget();
    if (random() % 4 == 0) book.cut(which, 10 + random() % 10);
    if (random() % 3 == 0) continue; // several changes, then a look
    if (kept.of(book) != kraken_book_checksum(book, 0, 0)) CAF_FAIL("another checksum at step " << i);
  }
}

CAF_TEST(the_difference_of_two_images_makes_one_of_the_other) {
  std::mt19937_64 random{test::seed_of("image difference", 32)};
  order_book book{{price{1}, 256}};
  order_book loaded{{price{1}, 256}};
  image_difference difference;
  std::vector<level> bids;
  std::vector<level> asks;
  std::size_t compared = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool faults = random() % 50 == 0;
    const bool forgotten = random() % 100 == 0; // as after a reset
    if (forgotten) book.clear();
    bids = random_side(random, side::buy, all_of(loaded, side::buy), faults);
    asks = random_side(random, side::sell, all_of(loaded, side::sell), faults && random() % 2 == 0);
    loaded.load(bids, asks);
    if (difference.take(bids, asks, i != 0 && !forgotten)) {
      ++compared;
      book.apply(side::buy, difference.bids());
      book.apply(side::sell, difference.asks());
    } else {
      book.load(bids, asks);
    }
    for (const auto which : {side::buy, side::sell})
      if (all_of(book, which) != all_of(loaded, which)) CAF_FAIL("another book at step " << i);
  }
  CAF_CHECK_GREATER(compared, 15'000u);
}
