#define CAF_SUITE conflating_edge
#include "runtime/cluster/conflating_edge.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>

using namespace troupe;

CAF_TEST(window_then_conflation) {
  conflating_edge<std::string, int> edge{{.window = 2, .max_keys = 2}};
  CAF_CHECK_EQUAL(edge.offer("a", 1).value_or(-1), 1);
  CAF_CHECK_EQUAL(edge.offer("a", 2).value_or(-1), 2);
  CAF_CHECK(!edge.offer("a", 3));
  CAF_CHECK(!edge.offer("b", 10));
  CAF_CHECK(!edge.offer("a", 4));  // replaces 3
  CAF_CHECK(!edge.offer("c", 20)); // a third waiting key is one too many
  CAF_CHECK_EQUAL(edge.acknowledged().value_or(-1), 4);
  CAF_CHECK_EQUAL(edge.acknowledged().value_or(-1), 10);
  CAF_CHECK(!edge.acknowledged());
  CAF_CHECK_EQUAL(edge.in_flight(), 1u);
  const edge_counters expected{.offered = 6, .sent = 4, .conflated = 1, .dropped = 1, .forgotten = 0};
  CAF_CHECK(edge.counters() == expected);
}

CAF_TEST(sums_lose_nothing) {
  conflating_edge<int, int, sum_up> edge{{.window = 1, .max_keys = 4}};
  CAF_CHECK_EQUAL(edge.offer(7, 1).value_or(-1), 1);
  CAF_CHECK(!edge.offer(7, 2));
  CAF_CHECK(!edge.offer(7, 3));
  CAF_CHECK_EQUAL(edge.acknowledged().value_or(-1), 5);
}

CAF_TEST(reset_sends_what_waits) {
  conflating_edge<int, int> edge{{.window = 1, .max_keys = 4}};
  CAF_CHECK(edge.offer(1, 1).has_value());
  CAF_CHECK(!edge.offer(2, 2));
  edge.reset();
  CAF_CHECK_EQUAL(edge.take_ready().value_or(-1), 2);
  CAF_CHECK(!edge.take_ready());
  CAF_CHECK_EQUAL(edge.counters().forgotten, 1u);
}

// Whatever happens, at most `window` are unacknowledged, sums are conserved but for counted drops,
// keys don't starve.
CAF_TEST(random_schedules_keep_the_bound_and_the_sum) {
  const char* text = std::getenv("TROUPE_SEED");
  const std::uint64_t seed = text ? std::strtoull(text, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random{seed};
  for (int round = 0; round < 100; ++round) {
    const edge_options options{.window = 1 + random() % 5, .max_keys = 1 + random() % 6};
    conflating_edge<int, long, sum_up> edge{options};
    long offered = 0;
    long received = 0;
    std::uint64_t on_the_way = 0;
    const auto take = [&](std::optional<long> x) {
      if (!x) return;
      received += *x;
      ++on_the_way;
    };
    for (int i = 0; i < 200; ++i) {
      const auto before = edge.counters().dropped;
      if (random() % 3 != 0) {
        const auto value = static_cast<long>(random() % 100);
        take(edge.offer(static_cast<int>(random() % 10), value));
        if (edge.counters().dropped == before) offered += value;
      } else if (on_the_way > 0) {
        --on_the_way;
        take(edge.acknowledged());
      }
      CAF_REQUIRE(on_the_way <= options.window);
      CAF_REQUIRE_EQUAL(edge.in_flight(), on_the_way);
      CAF_REQUIRE(edge.waiting() <= options.max_keys);
      CAF_REQUIRE(edge.waiting() == 0 || on_the_way == options.window);
    }
    while (on_the_way > 0) {
      --on_the_way;
      take(edge.acknowledged());
    }
    CAF_REQUIRE_EQUAL(offered, received);
    CAF_REQUIRE_EQUAL(edge.waiting(), 0u);
    const auto& c = edge.counters();
    CAF_REQUIRE_EQUAL(c.offered, c.sent + c.conflated + c.dropped);
  }
}
