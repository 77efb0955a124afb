#define CAF_SUITE runtime_parts
#include "runtime/actor/histogram.hpp"
#include "runtime/clock.hpp"
#include "tests/runtime/actor_fixture.hpp"
#include "tests/support/seeds.hpp"

#include <atomic>
#include <random>
#include <thread>

using namespace troupe;
using namespace troupe::test;

// --- histogram -----------------------------------------------------------------------------------

CAF_TEST(quantiles_are_within_one_percent_of_the_exact_ones) {
  std::mt19937_64 random{seed_of("quantiles", 11)};
  for (int round = 0; round < 40; ++round) {
    histogram h;
    std::vector<std::int64_t> values;
    const double spread = 1.0 + static_cast<double>(random() % 20);
    std::lognormal_distribution<double> draw{spread / 2.0, spread / 6.0};
    const auto n = 1 + random() % 5'000;
    for (std::uint64_t i = 0; i < n; ++i) {
      values.push_back(std::min(static_cast<std::int64_t>(draw(random)), std::int64_t{1} << 40));
      h.record(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank =
          std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(q * static_cast<double>(n))));
      const auto exact = values[rank - 1];
      const auto off = std::abs(h.quantile(q) - exact);
      CAF_REQUIRE(static_cast<double>(off) <= 0.01 * static_cast<double>(exact));
    }
    CAF_REQUIRE_EQUAL(h.max(), values.back());
  }
}

CAF_TEST(every_bucket_holds_what_it_says) {
  for (std::uint64_t v = 0; v < 1'000'000; v += 1 + v / 97) {
    const auto middle = static_cast<double>(histogram::middle_of(histogram::index_of(v)));
    CAF_REQUIRE(std::abs(middle - static_cast<double>(v)) <= 0.008 * static_cast<double>(v));
  }
  CAF_CHECK_EQUAL(histogram::index_of(histogram::largest) + 1, histogram::bucket_count);
}

CAF_TEST(histogram_edges) {
  histogram h;
  CAF_CHECK_EQUAL(h.quantile(0.5), 0);
  h.record(-5);
  CAF_CHECK_EQUAL(h.quantile(0.5), 0);
  h.record(std::numeric_limits<std::int64_t>::max());
  CAF_CHECK_EQUAL(h.max(), std::int64_t{1} << 40);
  CAF_CHECK_EQUAL(h.count(), 2u);
}

CAF_TEST(merged_histograms_equal_one_that_saw_all) {
  std::mt19937_64 random{seed_of("merged_histograms", 12)};
  histogram parts[3];
  histogram whole;
  for (int i = 0; i < 30'000; ++i) {
    const auto v = static_cast<std::int64_t>(random() >> (24 + random() % 39));
    parts[i % 3].record(v);
    whole.record(v);
  }
  histogram merged;
  for (const auto& p : parts)
    merged.merge(p);
  CAF_CHECK_EQUAL(merged.count(), whole.count());
  for (const double q : {0.1, 0.5, 0.99, 1.0})
    CAF_CHECK_EQUAL(merged.quantile(q), whole.quantile(q));
}

// --- clocks --------------------------------------------------------------------------------------

CAF_TEST(the_scaled_clock_follows_its_line_exactly) {
  const market_scale scale{75'000, {1'000}, {1'700'000'000'000'000'000}};
  CAF_CHECK(scale.at({1'000}) == market_time{1'700'000'000'000'000'000});
  CAF_CHECK(scale.at({2'000}) == market_time{1'700'000'000'000'075'000});
  CAF_CHECK(scale.at({0}) == market_time{1'699'999'999'999'925'000});
  // A hundred years of steady time don't overflow on the way.
  const market_scale double_speed{2'000, {0}, {0}};
  CAF_CHECK(double_speed.at({4'000'000'000'000'000'000}) == market_time{8'000'000'000'000'000'000});
  CAF_CHECK(scale.when(scale.at({123'456'789})) == steady_time{123'456'789});
  const market_scale slow{500, {0}, {0}};
  CAF_CHECK(slow.at({3}) == market_time{1});
}

CAF_TEST(clocks_of_the_process_move_on) {
  const monotonic_clock steady;
  const auto a = steady.now();
  const scaled_market_clock fast{market_scale{100'000, a, {0}}};
  const auto before = fast.now();
  while (steady.now() - a < 1ms)
    std::this_thread::yield();
  CAF_CHECK(fast.now() - before >= 90ms);
  const wall_clock wall;
  CAF_CHECK(wall.now().ns > 1'600'000'000'000'000'000);
}

CAF_TEST(manual_clocks_stand_still) {
  manual_steady_clock steady{{5}};
  manual_market_clock market{{7}};
  steady.advance(10ns);
  market.set({100});
  market.advance(-1ns);
  CAF_CHECK(steady.now() == steady_time{15});
  CAF_CHECK(market.now() == market_time{99});
}

// --- directory -----------------------------------------------------------------------------------

CAF_TEST_FIXTURE_SCOPE(directory_tests, actor_fixture)

CAF_TEST(names_lead_to_the_newest_incarnation) {
  auto a = caf::actor_cast<caf::strong_actor_ptr>(
      spawn_actor<subject_state>(sys, {.name = "a"}, &notes));
  auto b = caf::actor_cast<caf::strong_actor_ptr>(
      spawn_actor<subject_state>(sys, {.name = "b"}, &notes));
  CAF_CHECK(names.put("model/cnn", {a, {"model"}, 1}));
  CAF_CHECK(names.put("model/cnn", {b, {"model"}, 2}));
  CAF_CHECK(!names.put("model/cnn", {a, {"model"}, 1}));
  CAF_CHECK(names.find<subject_actor>("model/cnn") == b);
  CAF_CHECK(!names.find<subject_actor>("model/lstm"));
  CAF_CHECK(!names.remove("model/cnn", 1, a));
  CAF_CHECK(!names.remove("model/cnn", 2, a));
  CAF_CHECK(names.remove("model/cnn", 2, b));
  CAF_CHECK(!names.handle("model/cnn"));
  settle();
}

CAF_TEST(names_are_listed_by_prefix_and_removed_by_node) {
  auto a = caf::actor_cast<caf::strong_actor_ptr>(
      spawn_actor<subject_state>(sys, {.name = "a"}, &notes));
  for (const auto* name : {"feed/A", "feed/B", "feeder", "store"})
    names.put(name, {a, {"ingest"}, 1});
  names.put("feed/C", {a, {"other"}, 1});
  const auto listed = names.list("feed/");
  CAF_REQUIRE_EQUAL(listed.size(), 3u);
  CAF_CHECK_EQUAL(listed[0].first, "feed/A");
  CAF_CHECK_EQUAL(listed[2].first, "feed/C");
  CAF_CHECK_EQUAL(names.remove_node({"ingest"}), 4u);
  CAF_CHECK_EQUAL(names.size(), 1u);
  names.clear();
  CAF_CHECK_EQUAL(names.size(), 0u);
  settle();
}

CAF_TEST(listeners_hear_changes_and_may_use_the_directory) {
  auto a = caf::actor_cast<caf::strong_actor_ptr>(
      spawn_actor<subject_state>(sys, {.name = "a"}, &notes));
  const auto token = names.listen([this](const directory_change& c) {
    notes.push_back((c.what == directory_change::kind::put ? "put " : "removed ") + c.name + " of "
                    + std::to_string(names.size()));
  });
  names.put("x", {a, {}, 1});
  names.remove("x", 1, a);
  names.unlisten(token);
  names.put("y", {a, {}, 1});
  CAF_CHECK_EQUAL(took(), "put x of 1, removed x of 0");
  names.clear();
  settle();
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(the_directory_stands_many_threads) {
  directory names;
  std::atomic<std::uint64_t> heard{0};
  std::atomic<int> found{0};
  names.listen([&](const directory_change&) { ++heard; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      int seen = 0;
      for (int i = 0; i < 2'000; ++i) {
        const auto name = "n" + std::to_string((i + t) % 50);
        names.put(name, {nullptr, {"x"}, names.next_incarnation()});
        seen += names.handle(name) ? 1 : 0;
        if (i % 7 == 0) seen += static_cast<int>(names.list("n1").size());
        names.remove_node({"nobody"});
      }
      found += seen;
    });
  for (auto& t : threads)
    t.join();
  CAF_CHECK_EQUAL(names.size(), 50u);
  CAF_CHECK_EQUAL(heard.load(), 8'000u);
  CAF_CHECK(found > 0);
}
