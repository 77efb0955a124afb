// The plan of a torture: repeatable, complete, within its bounds.

#define CAF_SUITE nemesis

#include "tools/cluster_torture/nemesis.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace troupe;
using namespace troupe::cluster_torture;
using namespace std::chrono_literals;

namespace {

const std::vector<victim> seven{{"ingest1", true}, {"ingest2", true}, {"exec", true},   {"model1", false},
                                {"model2", false}, {"train", false},  {"gate", false}};

nemesis_options options_of(std::uint64_t seed, nanoseconds length) {
  nemesis_options out;
  out.seed = seed;
  out.length = length;
  return out;
}

} // namespace

CAF_TEST(a_seed_is_a_plan) {
  CAF_CHECK(plan_faults(seven, options_of(4, 10min)) == plan_faults(seven, options_of(4, 10min)));
  CAF_CHECK(plan_faults(seven, options_of(4, 10min)) != plan_faults(seven, options_of(5, 10min)));
  CAF_CHECK_EQUAL(to_json(plan_faults(seven, options_of(4, 10min))), to_json(plan_faults(seven, options_of(4, 10min))));
}

CAF_TEST(each_kind_and_each_node_comes_before_any_comes_again) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const auto plan = plan_faults(seven, options_of(seed, 30min));
    CAF_REQUIRE(plan.size() > 2 * fault_kinds);
    for (std::size_t from = 0; from + fault_kinds <= plan.size(); from += fault_kinds) {
      std::set<fault_kind> kinds;
      for (std::size_t n = 0; n < fault_kinds; ++n) kinds.insert(plan[from + n].kind);
      CAF_CHECK_EQUAL(kinds.size(), fault_kinds);
    }
    for (std::size_t from = 0; from + seven.size() <= plan.size(); from += seven.size()) {
      std::set<std::string> nodes;
      for (std::size_t n = 0; n < seven.size(); ++n) nodes.insert(plan[from + n].node);
      CAF_CHECK_EQUAL(nodes.size(), seven.size());
    }
  }
}

CAF_TEST(faults_keep_their_distance_and_the_quiet_times) {
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    const auto options = options_of(seed, 2min);
    const auto plan = plan_faults(seven, options);
    CAF_REQUIRE(!plan.empty());
    auto free_at = options.quiet_start;
    for (const auto& fault : plan) {
      CAF_CHECK(fault.at >= free_at);
      CAF_CHECK(fault.at + fault.lasts <= options.length - options.quiet_end);
      CAF_CHECK(fault.lasts <= options.longest_pause);
      CAF_CHECK((fault.lasts > 0ns) == (fault.kind != fault_kind::kill && fault.kind != fault_kind::stop_start)
                || fault.at + fault.lasts == options.length - options.quiet_end);
      free_at = fault.at + fault.lasts + options.between;
    }
  }
}

CAF_TEST(a_torture_too_short_for_a_fault_plans_none) {
  CAF_CHECK(plan_faults(seven, options_of(1, 20s)).empty());
}
