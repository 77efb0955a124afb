#define CAF_SUITE supervision_property
#include "tests/runtime/supervision_harness.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;
using namespace troupe::test;

namespace {

struct outcome {
  std::string disordered;
  bool doubled = false;
  bool settled = true;
};

outcome run(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  const auto pick = [&](std::uint64_t n) { return random() % n; };
  supervisor_rules rules;
  rules.strategy = static_cast<restart_strategy>(pick(4));
  rules.intensity = static_cast<std::uint32_t>(pick(6));
  rules.period = std::chrono::milliseconds{1 + pick(20'000)};
  harness h{rules, seed};
  const auto n = 1 + pick(8);
  for (std::uint64_t i = 0; i < n; ++i)
    h.add("n" + std::to_string(i), static_cast<restart_type>(pick(3)),
          static_cast<shutdown_kind>(pick(3)));
  h.start();
  outcome out;
  for (int step = 0; step < 200 && !h.finished; ++step) {
    h.log.clear();
    switch (pick(10)) {
    case 0:
      h.pass(std::chrono::milliseconds{pick(5'000)});
      break;
    case 1:
      h.children.fails_to_start = {"n" + std::to_string(pick(n))};
      break;
    case 2:
      h.children.fails_to_start.clear();
      break;
    case 3:
      h.children.ignores_stop = {"n" + std::to_string(pick(n))};
      break;
    case 4:
      h.order(&supervision::terminate_child, "n" + std::to_string(pick(n)));
      break;
    case 5:
      h.order(&supervision::restart_child, "n" + std::to_string(pick(n)));
      break;
    case 6:
      h.order(&supervision::kill_child, "n" + std::to_string(pick(n)));
      break;
    case 7:
      if (pick(20) == 0) h.children.immortal.insert("n" + std::to_string(pick(n)));
      break;
    default:
      if (h.live.empty()) break;
      auto victim = h.live.begin();
      std::advance(victim, static_cast<std::ptrdiff_t>(pick(h.live.size())));
      h.end(std::string{victim->first}, pick(3) == 0 ? exit_class::normal : exit_class::abnormal);
    }
  }
  // However it stands, an ordered stop comes to an end, with all dead but the immortal.
  h.children.fails_to_start.clear();
  h.stop().pass(std::chrono::hours{3});
  out.doubled = h.doubled;
  out.disordered = h.disordered;
  out.settled = h.finished.has_value();
  for (const auto& [id, incarnation] : h.live)
    out.settled = out.settled && h.children.immortal.contains(id);
  return out;
}

/// Restarts that count within any window of `period` never exceed the intensity while it lives.
bool intensity_holds(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  supervisor_rules rules;
  rules.intensity = static_cast<std::uint32_t>(random() % 5);
  rules.period = std::chrono::milliseconds{1 + random() % 1'000};
  rules.backoff_first = rules.backoff_most = 0ns;
  harness h{rules, seed};
  h.add("n0").add("n1").start();
  std::vector<std::int64_t> crashes;
  for (int i = 0; i < 100; ++i) {
    h.pass(std::chrono::milliseconds{random() % 400});
    h.end(random() % 2 ? "n0" : "n1");
    crashes.push_back(h.now.ns);
    std::size_t within = 0;
    for (const auto at : crashes)
      within += at >= h.now.ns - rules.period.count() ? 1 : 0;
    const bool gave_up = h.finished.has_value();
    if (gave_up != (within > rules.intensity)) return false;
    if (gave_up) break;
  }
  return true;
}

} // namespace

CAF_TEST(random_crash_schedules_keep_the_invariants) {
  const auto base = seed_of("random_crash_schedules", 20'000);
  for (std::uint64_t i = 0; i < scaled(1'000); ++i) {
    const auto out = run(base + i);
    if (out.disordered.empty() && !out.doubled && out.settled) continue;
    CAF_ERROR("seed " << base + i << ": " << out.disordered << " doubled " << out.doubled
                      << " settled " << out.settled);
    return;
  }
  CAF_CHECK(true);
}

CAF_TEST(the_intensity_is_exact_under_random_crashes) {
  const auto base = seed_of("exact_intensity", 50'000);
  for (std::uint64_t i = 0; i < scaled(1'000); ++i)
    if (!intensity_holds(base + i)) {
      CAF_ERROR("seed " << base + i);
      return;
    }
  CAF_CHECK(true);
}
