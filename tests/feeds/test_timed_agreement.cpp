#define CAF_SUITE timed_agreement

#include "actors/feeds/integrity.hpp"
#include "actors/feeds/timed_agreement.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <optional>
#include <random>
#include <vector>

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr market_time begin{1'700'000'000'000'000'000};

level at(std::int64_t price, std::int64_t quantity = 1) { return {{price}, {quantity}}; }

/// A venue whose best prices walk each millisecond, seen by us in steps of `step`; its readings tell the truth.
struct walking_venue {
  explicit walking_venue(std::uint64_t seed) : random{seed} {}

  void tick() {
    now = now + milliseconds{1};
    const auto draw = random() % 20;
    if (draw == 0) bid.at.raw += static_cast<std::int64_t>(random() % 7) - 3;
    if (draw == 1) ask.at.raw += static_cast<std::int64_t>(random() % 7) - 3;
    ask.at.raw = std::max(ask.at.raw, bid.at.raw + 1);
    if (draw < 4) bid.quantity.raw = 1 + static_cast<std::int64_t>(random() % 50);
    if (draw < 4) ask.quantity.raw = 1 + static_cast<std::int64_t>(random() % 50);
  }

  std::mt19937_64 random;
  market_time now = begin;
  level bid = at(10'000), ask = at(10'001);
};

/// Plays `length`; from `breaks` on our book keeps a bid that the venue took away. Returns when a fault was told.
std::optional<market_time> play(timed_agreement& meter, std::uint64_t seed, nanoseconds length, nanoseconds breaks) {
  walking_venue venue{seed};
  level stuck;
  level ours_bid = venue.bid, ours_ask = venue.ask;
  while (venue.now - begin < length) {
    venue.tick();
    const auto since = venue.now - begin;
    if (since % milliseconds{100} == nanoseconds{0}) {
      ours_bid = venue.bid;
      ours_ask = venue.ask;
      if (since >= breaks) {
        // The deletion of the best bid was lost: the market goes down, the bid stays.
        if (stuck.at.raw == 0) stuck = ours_bid, venue.bid.at.raw -= 400, venue.ask.at.raw -= 390;
        if (stuck.at > ours_bid.at) ours_bid = stuck;
      }
      meter.on_top(venue.now, ours_bid, ours_ask);
    }
    if (venue.random() % 150 == 0) meter.on_best(venue.now, venue.bid, venue.ask, ours_bid, ours_ask);
    if (since % milliseconds{50} == nanoseconds{0} && meter.advance(venue.now)) return venue.now;
  }
  return std::nullopt;
}

} // namespace

CAF_TEST(a_right_book_is_never_dropped_and_a_wrong_one_soon) {
  const auto seed = test::seed_of("timed_agreement", 20261122);
  std::uint64_t agreed = 0, disagreed = 0, equal = 0;
  nanoseconds longest{0};
  for (std::uint64_t n = 0; n < test::scaled(40); ++n) {
    timed_agreement right;
    CAF_CHECK(!play(right, seed + n, seconds{60}, seconds{3600}));
    agreed += right.figures().agreed;
    equal += right.figures().equal;
    disagreed += right.figures().disagreed;
    timed_agreement wrong;
    const auto told = play(wrong, seed + n, seconds{60}, seconds{10});
    CAF_REQUIRE(told);
    longest = std::max(longest, *told - begin - nanoseconds{seconds{10}});
  }
  CAF_MESSAGE("agreed " << agreed << ", equal " << equal << ", disagreed " << disagreed << "; noticed within "
                        << longest / milliseconds{1} << " ms");
  CAF_CHECK(agreed > 10'000u * test::scaled(1));
  CAF_CHECK(equal > agreed / 100);
  CAF_CHECK(disagreed * 10 < agreed); // what a step of 100 ms hides
  CAF_CHECK(longest <= seconds{4});
}

CAF_TEST(readings_are_compared_through_the_whole_window) {
  timed_agreement meter;
  meter.on_best(begin, at(100), at(101), at(100), at(101)); // from here on it listens
  meter.on_top(begin + seconds{3}, at(110), at(111));
  meter.on_best(begin + seconds{3}, at(100, 9), at(101), at(110), at(111)); // stood until now
  meter.on_best(begin + milliseconds{3500}, at(120), at(121), at(110), at(111));
  meter.on_top(begin + milliseconds{4400}, at(120), at(121)); // comes later
  meter.on_best(begin + seconds{6}, at(110), at(121), at(120), at(121)); // too late
  CAF_CHECK(!meter.advance(begin + seconds{8}));
  CAF_CHECK_EQUAL(meter.figures().agreed, 3u);
  CAF_CHECK_EQUAL(meter.figures().equal, 2u); // one had another size
  CAF_CHECK_EQUAL(meter.figures().disagreed, 1u);
}

CAF_TEST(sizes_that_are_not_told_are_not_compared) {
  timed_agreement meter;
  meter.on_best(begin, at(100, 0), at(101, 0), at(100, 7), at(101, 8));
  CAF_CHECK(!meter.advance(begin + seconds{2}));
  CAF_CHECK_EQUAL(meter.figures().equal, 1u);
}

CAF_TEST(a_price_that_was_passed_agrees_but_a_book_that_stands_still_does_not) {
  timed_agreement meter;
  meter.on_best(begin, at(100), at(101), at(100), at(101));
  meter.on_top(begin + seconds{2}, at(110), at(111));
  meter.on_best(begin + seconds{2}, at(105), at(106), at(110), at(111));
  CAF_CHECK(!meter.advance(begin + seconds{4}));
  CAF_CHECK_EQUAL(meter.figures().agreed, 2u);
  CAF_CHECK_EQUAL(meter.figures().equal, 1u);
  meter.on_best(begin + seconds{5}, at(109), at(111), at(110), at(111));
  CAF_CHECK(!meter.advance(begin + seconds{7}));
  CAF_CHECK_EQUAL(meter.figures().disagreed, 1u);
}

CAF_TEST(a_burst_is_one_sign_and_agreement_ends_a_row) {
  timed_agreement meter;
  const auto ours = [&](market_time when, bool right) {
    meter.on_best(when, right ? at(100) : at(90), at(101), at(100), at(101));
  };
  ours(begin, true);
  for (int i = 0; i < 100; ++i) ours(begin + seconds{2} + milliseconds{i}, false);
  CAF_CHECK(!meter.advance(begin + seconds{4}));
  CAF_CHECK_EQUAL(meter.figures().disagreed, 100u);
  ours(begin + seconds{5}, true);
  for (int i = 0; i < 4; ++i) ours(begin + seconds{6 + i}, false);
  CAF_CHECK(!meter.advance(begin + seconds{12}));
  ours(begin + seconds{13}, false);
  CAF_CHECK(!meter.advance(begin + seconds{14})); // its window is not over
  CAF_CHECK(meter.advance(begin + seconds{15}));
}

CAF_TEST(without_a_whole_book_nothing_is_decided) {
  timed_agreement meter;
  meter.without_book();
  for (int i = 0; i < 9; ++i) {
    meter.on_best(begin + seconds{4 * i}, at(90), at(91), at(100), at(101));
    meter.on_top(begin + seconds{4 * i} + milliseconds{500}, at(100), at(101));
    meter.reset(); // dropped within the window
    CAF_CHECK(!meter.advance(begin + seconds{4 * i + 3}));
  }
  CAF_CHECK_EQUAL(meter.figures().undecided, 10u);
  CAF_CHECK_EQUAL(meter.figures().disagreed, 0u);
}

CAF_TEST(readings_that_wait_are_bounded) {
  timed_agreement meter{{.most_waiting = 10}};
  for (int i = 0; i < 100; ++i) meter.on_best(begin + milliseconds{i}, at(90), at(91), at(100), at(101));
  CAF_CHECK_EQUAL(meter.figures().undecided, 90u);
}

CAF_TEST(the_least_offset_of_ten_minutes_counts) {
  offset_floor floor;
  CAF_CHECK(floor.least() == nanoseconds{0});
  CAF_CHECK(floor.take(begin, milliseconds{40}) == nanoseconds{0});
  CAF_CHECK(floor.take(begin + seconds{1}, milliseconds{25}) == nanoseconds{0});
  CAF_CHECK(floor.take(begin + seconds{2}, milliseconds{32}) == milliseconds{7});
  CAF_CHECK(floor.least() == milliseconds{25});
  // Our clock was set back by three seconds: seen at once.
  CAF_CHECK(floor.take(begin + seconds{3}, milliseconds{-2970}) == nanoseconds{0});
  CAF_CHECK(floor.least() == milliseconds{-2970});
  // It was set forward again: seen once the old minutes no longer count.
  for (int m = 0; m < 10; ++m) floor.take(begin + minutes{m} + seconds{4}, milliseconds{30});
  CAF_CHECK(floor.least() == milliseconds{-2970} || floor.least() == milliseconds{30});
  floor.take(begin + minutes{11}, milliseconds{31});
  CAF_CHECK(floor.least() == milliseconds{30});
  floor.take(begin + minutes{200}, milliseconds{90});
  CAF_CHECK(floor.least() == milliseconds{90});
}

CAF_TEST(the_least_offset_equals_that_of_the_samples_kept) {
  const auto seed = test::seed_of("offset_floor", 7);
  std::mt19937_64 random{seed};
  offset_floor floor;
  std::vector<std::pair<market_time, nanoseconds>> samples;
  auto now = floor_to(begin, minutes{1});
  for (int i = 0; i < 20'000; ++i) {
    now = now + milliseconds{static_cast<std::int64_t>(random() % 500)};
    const nanoseconds offset = milliseconds{static_cast<std::int64_t>(random() % 9000) - 3000};
    samples.emplace_back(now, offset);
    const auto above = floor.take(now, offset);
    const auto oldest = floor_to(now, minutes{1}) - minutes{9};
    auto least = nanoseconds::max();
    for (auto s = samples.rbegin(); s != samples.rend() && s->first >= oldest; ++s) least = std::min(least, s->second);
    CAF_REQUIRE(floor.least() == least);
    CAF_REQUIRE(above == offset - least);
  }
}
