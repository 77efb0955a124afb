#include "tools/bench/bench_consolidate.hpp"

#include "actors/feeds/book_view.hpp"
#include "actors/feeds/consolidated_book.hpp"
#include "messages/json.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <random>

namespace troupe {
namespace {

constexpr int venues = 12;
constexpr int views = 60'000;
constexpr market_time bench_start{1'700'000'000'000'000'000};

std::int64_t now_ns() {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t quantile(std::vector<std::int64_t>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

/// GENERATED books: 400 levels a side around a walking middle.
void move_book(order_book& book, std::mt19937_64& random, std::int64_t middle) {
  std::vector<level> bids;
  std::vector<level> asks;
  for (int i = 0; i < 400; ++i) {
    bids.push_back({{middle - 1 - static_cast<std::int64_t>(random() % 20'000)},
                    {static_cast<std::int64_t>(1 + random() % 1'000'000)}});
    asks.push_back({{middle + 1 + static_cast<std::int64_t>(random() % 20'000)},
                    {static_cast<std::int64_t>(1 + random() % 1'000'000)}});
  }
  book.load(bids, asks);
}

} // namespace

int bench_consolidate(std::ostream& out, bool json) {
  std::mt19937_64 random{1};
  consolidated_options options;
  options.symbol = "BTC-USDT";
  options.price_scale = 2;
  options.bucket_width = {10'00};
  std::vector<order_book> books;
  std::vector<view_options> how;
  for (int v = 0; v < venues; ++v) {
    options.venues.push_back({.instrument = {"BTC-USDT@venue" + std::to_string(v)}, .rate = {}});
    books.emplace_back(book_options{{1}, 65536});
    how.push_back({.instrument = options.venues.back().instrument,
                   .price_scale = 2,
                   .size_scale = 8,
                   .bucket_width = {10'00}});
  }
  consolidated_book merged{options};
  std::vector<std::int64_t> making, taking, telling;
  auto now = bench_start;
  std::int64_t middle = 60'000'00;
  for (int i = 0; i < views; ++i) {
    const auto v = static_cast<std::size_t>(i % venues);
    middle += static_cast<std::int64_t>(random() % 201) - 100;
    if (i % 50 == 0)
      for (auto& book : books)
        move_book(book, random, middle);
    now = now + std::chrono::milliseconds{8};
    const auto a = now_ns();
    const auto view = make_book_view(
        how[v], {now, now, nanoseconds{0}, static_cast<std::uint64_t>(i), book_validity::valid}, books[v]);
    const auto b = now_ns();
    merged.on_view(view, now);
    const auto c = now_ns();
    making.push_back(b - a);
    taking.push_back(c - b);
    if (i % 12 != 0) continue;
    const auto page = merged.page({});
    telling.push_back(now_ns() - c);
    if (page.venues.size() != venues) return 1;
  }
  for (auto* each : {&making, &taking, &telling})
    std::sort(each->begin(), each->end());
  const struct {
    const char* name;
    std::vector<std::int64_t>& ns;
  } rows[] = {{"view of a book", making}, {"view taken", taking}, {"page told", telling}};
  json_writer w;
  w.begin_object().field("venues", venues).field("data", "GENERATED").key("rows").begin_array();
  if (!json) out << "consolidated book, " << venues << " venues, 50 levels a side, GENERATED, one thread\n";
  for (const auto& row : rows) {
    w.begin_object()
        .field("what", row.name)
        .field("p50_ns", quantile(row.ns, .5))
        .field("p99_ns", quantile(row.ns, .99))
        .end_object();
    if (!json)
      out << "  " << row.name << ": p50 " << quantile(row.ns, .5) << " ns, p99 " << quantile(row.ns, .99)
          << " ns\n";
  }
  w.end_array().end_object();
  if (json) out << w.text() << '\n';
  return 0;
}

} // namespace troupe
