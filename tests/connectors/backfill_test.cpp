#define CAF_SUITE backfill

#include "actors/connectors/backfill.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <random>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr market_time page_day{1'699'999'200'000'000'000}; // 2023-11-14 22:00 UTC

market_time minute(std::int64_t n) {
  return page_day + 1min * n;
}

bar bar_at(market_time at) {
  bar b;
  b.open_time = at;
  b.open = b.high = b.low = b.close = {100};
  b.volume = {1};
  return b;
}

/// A venue's history of one-minute bars and how it pages it.
struct history {
  std::set<std::int64_t> minutes;
  std::size_t page = 1000; ///< rows it really gives
  bool newest_first = false;
  bool newest_only = false;
  std::int64_t newest = 0; ///< its unfinished bar

  [[nodiscard]] candle_page answer(const backfill_request& r) const {
    const auto from = newest_only ? -1'000'000 : (r.from - page_day) / 1min;
    const auto to = newest_only ? newest : (r.to - page_day) / 1min; // inclusive, as Binance
    std::vector<std::int64_t> rows;
    for (const auto m : minutes)
      if (m >= from && m <= to) rows.push_back(m);
    const auto cut = rows.size() - std::min(page, rows.size());
    if (newest_first || newest_only)
      rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(cut));
    else
      rows.resize(rows.size() - cut);
    candle_page out;
    for (const auto m : rows)
      out.bars.push_back(bar_at(minute(m)));
    return out;
  }
};

} // namespace

CAF_TEST(asks page by page and leaves holes and the unfinished bar alone) {
  backfill_series s{{.instrument = {"BTC-USDT@x"}, .rules = {.per_page = 100}}};
  history h;
  for (int m = 0; m <= 250; ++m)
    if (m != 130 && m != 131) h.minutes.insert(m);
  const auto now = minute(250) + 30s;
  s.want(minute(0), now, {}, now);
  CAF_CHECK_EQUAL(s.missing(), 250u);
  std::vector<bar> got;
  int requests = 0;
  while (const auto r = s.next({})) {
    ++requests;
    CAF_CHECK(r->to - r->from <= 100min);
    CAF_CHECK(!s.next({})); // one at a time
    for (auto& b : s.on_page(h.answer(*r), now, {}))
      got.push_back(b);
  }
  CAF_CHECK_EQUAL(requests, 3);
  CAF_CHECK_EQUAL(got.size(), 248u);
  CAF_CHECK(got.back().open_time == minute(249));
  CAF_CHECK(got.back().closed);
  CAF_CHECK_EQUAL(s.counts().holes, 2u);
  // Known holes are not asked for again; a bar that vanished from the store is.
  std::vector<market_time> have;
  for (const auto& b : got)
    if (b.open_time != minute(17)) have.push_back(b.open_time);
  s.want(minute(0), now, have, now);
  const auto again = s.next({});
  CAF_REQUIRE(again.has_value());
  CAF_CHECK((*again == backfill_request{minute(17), minute(18)}));
  CAF_CHECK_EQUAL(s.on_page(h.answer(*again), now, {}).size(), 1u);
  CAF_CHECK(!s.next({}));
}

CAF_TEST(a bar just ended is not yet a hole) {
  backfill_series s{{.instrument = {"BTC-USDT@x"}, .rules = {}}};
  const auto now = minute(10) + 15s;
  s.want(minute(9), minute(10), {}, now);
  CAF_REQUIRE(s.next({}));
  CAF_CHECK(s.on_page({}, now, {}).empty());
  CAF_CHECK_EQUAL(s.counts().holes, 0u);
  CAF_CHECK(!s.next({}));
  s.want(minute(9), minute(10), {}, now + 5min);
  CAF_CHECK(s.next({}).has_value());
}

CAF_TEST(failures pause with growing pauses and end) {
  backfill_series s{
      {.instrument = {"BTC-USDT@x"}, .rules = {.per_page = 10}, .attempts = 3, .first_pause = 2s}};
  const auto now = minute(100);
  s.want(minute(0), minute(20), {}, now);
  steady_time at{1'000'000'000};
  CAF_REQUIRE(s.next(at));
  s.on_failure(at);
  CAF_CHECK(!s.next(at + 1s));
  CAF_REQUIRE(s.next(at + 2s));
  s.on_failure(at + 2s);
  CAF_CHECK(!s.next(at + 5s));
  const auto third = s.next(at + 6s);
  CAF_REQUIRE(third.has_value());
  CAF_CHECK(third->from == minute(0));
  s.on_failure(at + 6s);
  CAF_CHECK_EQUAL(s.counts().given_up, 1u);
  const auto after = s.next(at + 60s);
  CAF_REQUIRE(after.has_value());
  CAF_CHECK(after->from == minute(10)); // goes on with the next page
}

CAF_TEST(rows that make no sense are refused and a venue off the point has failed) {
  backfill_series s{{.instrument = {"BTC-USDT@x"}, .rules = {}}};
  const auto now = minute(100);
  s.want(minute(0), minute(3), {}, now);
  CAF_REQUIRE(s.next({}));
  candle_page page;
  page.bars = {bar_at(minute(0)), bar_at(minute(0)), bar_at(minute(1)), bar_at(minute(1) + 1s),
               bar_at(minute(2))};
  page.bars[2].low = {101};
  page.bars[4].volume = {-1};
  CAF_CHECK_EQUAL(s.on_page(page, now, {}).size(), 1u);
  CAF_CHECK_EQUAL(s.counts().refused, 4u);
  s.want(minute(50), minute(60), {}, now);
  CAF_REQUIRE(s.next({}));
  CAF_CHECK(s.on_page(page, now, {}).empty()); // rows of another hour
  CAF_CHECK_EQUAL(s.counts().failures, 1u);
}

CAF_TEST(random histories are filled to the last bar the venue has) {
  const auto seed = test::seed_of("backfill", 7);
  std::uint64_t bars = 0;
  for (std::uint64_t round = 0; round < 200; ++round) {
    std::mt19937_64 random{seed + round};
    const auto any = [&](std::int64_t low, std::int64_t high) {
      return std::uniform_int_distribution<std::int64_t>{low, high}(random);
    };
    history h;
    h.newest_first = any(0, 1) == 1;
    h.newest_only = any(0, 4) == 0;
    h.page = static_cast<std::size_t>(any(20, 120));
    h.newest = any(50, 900);
    const auto density = any(1, 20);
    for (std::int64_t m = 0; m <= h.newest; ++m)
      if (any(0, density) != 0) h.minutes.insert(m);
    // What the documents say of the page may be more than what comes, but for venues that list the newest
    // only.
    const auto told = h.newest_only ? h.page : h.page + static_cast<std::size_t>(any(0, 60));
    backfill_series s{{.instrument = {"BTC-USDT@x"},
                       .rules = {.per_page = static_cast<std::uint32_t>(told),
                                 .newest_first = h.newest_first,
                                 .newest_only = h.newest_only}}};
    const auto now = minute(h.newest) + 30s;
    std::set<std::int64_t> have;
    for (const auto m : h.minutes)
      if (any(0, 3) == 0 && m < h.newest) have.insert(m);
    const auto had = have;
    steady_time at{0};
    int requests = 0;
    for (int review = 0; review < 3; ++review) {
      std::vector<market_time> open_times;
      for (const auto m : have)
        open_times.push_back(minute(m));
      s.want(minute(0), now, open_times, now);
      while (s.missing() > 0 && requests < 2000) {
        at = at + 10min;
        const auto r = s.next(at);
        CAF_REQUIRE(r.has_value());
        ++requests;
        if (any(0, 9) == 0) {
          s.on_failure(at);
          continue;
        }
        for (const auto& b : s.on_page(h.answer(*r), now, at)) {
          const auto m = (b.open_time - page_day) / 1min;
          CAF_REQUIRE(h.minutes.count(m) == 1 && m < h.newest);
          have.insert(m);
        }
      }
      CAF_REQUIRE_EQUAL(s.missing(), 0u);
    }
    auto expected = h.minutes;
    expected.erase(h.newest);
    if (h.newest_only) {
      const auto reached = h.answer({minute(0), minute(0)}).bars.front().open_time;
      for (auto m = expected.begin(); m != expected.end();)
        m = minute(*m) < reached && had.count(*m) == 0 ? expected.erase(m) : std::next(m);
    }
    CAF_REQUIRE(have == expected);
    bars += have.size();
    CAF_CHECK(requests < 1200);
  }
  CAF_MESSAGE(bars << " bars");
}
