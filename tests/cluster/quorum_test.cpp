#define CAF_SUITE quorum
#include "runtime/cluster/quorum.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

std::vector<node_name> some(const std::vector<int>& numbers) {
  std::vector<node_name> out;
  for (const auto n : numbers) out.push_back({"v" + std::to_string(n)});
  return out;
}

std::vector<node_name> first(int count) {
  std::vector<int> numbers;
  for (int i = 1; i <= count; ++i) numbers.push_back(i);
  return some(numbers);
}

constexpr steady_time now{1'000'000'000};
const node_start lost{{"x"}, 7};

/// Whether v1 finds `lost` dead, when every voter of `links` says what it says there.
struct hearing {
  int voter;
  std::vector<int> reaches;
  bool suspects = true;
};

bool dead_for_first(int voters, const std::vector<hearing>& all, nanoseconds age = 0s) {
  ballot votes{{"v1"}, first(voters), 2s};
  vote_statement own;
  for (const auto& h : all) {
    vote_statement says{some(h.reaches), {}};
    if (h.suspects) says.suspects = {lost};
    if (h.voter == 1) own = says;
    else votes.heard({"v" + std::to_string(h.voter)}, says, now);
  }
  return votes.dead(own, now + age) == std::vector<node_start>{lost};
}

} // namespace

CAF_TEST(voters_are_ingest_and_execution_nodes) {
  const auto conf = parse_nodes_conf("node a host=127.0.0.1 port=1 roles=model\n"
                                     "node b host=127.0.0.1 port=2 roles=execution accounts=x@y\n"
                                     "node c host=127.0.0.1 port=3 roles=gateway\n"
                                     "node d host=127.0.0.1 port=4 roles=ingest,gateway\n"
                                     "node e host=127.0.0.1 port=5 roles=train\n",
                                     "test.conf")
                        .value();
  CAF_CHECK(voters_of(conf) == (std::vector<node_name>{{"b"}, {"d"}}));
}

CAF_TEST(quorum_of_one_to_six_voters) {
  // Smallest number of voters that is a quorum, with and without the first one.
  const int least_with[] = {0, 1, 1, 2, 2, 3, 3};
  const int least_without[] = {0, 1, 2, 2, 3, 3, 4};
  for (int n = 1; n <= 6; ++n) {
    const auto all = first(n);
    int quorums = 0;
    for (int mask = 0; mask < 1 << n; ++mask) {
      std::vector<node_name> side;
      std::vector<node_name> other;
      for (int i = 0; i < n; ++i) (mask >> i & 1 ? side : other).push_back(all[static_cast<std::size_t>(i)]);
      const auto size = static_cast<int>(side.size());
      const bool with_first = mask & 1;
      const bool expected = size > 0 && size >= (with_first ? least_with[n] : least_without[n]);
      CAF_CHECK_EQUAL(make_quorum(all, side), expected);
      // However the voters split, exactly one side has it.
      CAF_CHECK(make_quorum(all, side) != make_quorum(all, other));
      quorums += expected ? 1 : 0;
    }
    CAF_CHECK_EQUAL(quorums, 1 << (n - 1));
  }
  CAF_CHECK(!make_quorum(first(3), {{"stranger"}, {"other"}}));
  CAF_CHECK(!make_quorum({}, first(3)));
}

CAF_TEST(the_first_voter_there_coordinates) {
  const ballot votes{{"v2"}, first(3), 2s};
  CAF_CHECK_EQUAL(votes.coordinator(some({1, 3})).text, "v1");
  CAF_CHECK_EQUAL(votes.coordinator(some({3})).text, "v2");
  CAF_CHECK_EQUAL(votes.coordinator({}).text, "");
  CAF_CHECK(!votes.quorate({}));
  CAF_CHECK(votes.quorate(some({3})));
  const ballot without_vote{{"m"}, first(3), 2s};
  CAF_CHECK_EQUAL(without_vote.coordinator(some({2, 3})).text, "v2");
  CAF_CHECK(!without_vote.quorate(some({2})));
}

CAF_TEST(death_takes_a_quorum_of_suspicions) {
  CAF_CHECK(dead_for_first(1, {{1, {}}}));
  CAF_CHECK(dead_for_first(2, {{1, {}}})); // the tie goes to the first voter
  CAF_CHECK(!dead_for_first(3, {{1, {}}}));
  CAF_CHECK(!dead_for_first(3, {{1, {2, 3}}, {2, {1, 3}, false}, {3, {1, 2}, false}}));
  CAF_CHECK(dead_for_first(3, {{1, {2, 3}}, {2, {1, 3}}, {3, {1, 2}, false}}));
  CAF_CHECK(!dead_for_first(3, {{1, {2}, false}, {2, {1}}})); // who does not suspect it itself declares nothing
}

CAF_TEST(suspicions_count_only_among_voters_that_reach_each_other) {
  CAF_CHECK(!dead_for_first(3, {{1, {}}, {2, {1}}}));  // 1 does not reach 2
  CAF_CHECK(!dead_for_first(3, {{1, {2}}, {2, {}}}));  // and the other way round
  CAF_CHECK(!dead_for_first(5, {{1, {2, 3}}, {2, {1}}, {3, {1}}})); // 2 and 3 don't reach each other
  CAF_CHECK(dead_for_first(5, {{1, {2, 3}}, {2, {1, 3}}, {3, {1, 2}}}));
  // 2 is cut off from 3 and 4, which are enough without it.
  CAF_CHECK(dead_for_first(5, {{1, {2, 3, 4}}, {2, {1}}, {3, {1, 4}}, {4, {1, 3}}}));
}

CAF_TEST(old_statements_and_those_of_lost_nodes_do_not_count) {
  const std::vector<hearing> both{{1, {2}}, {2, {1}}};
  CAF_CHECK(dead_for_first(3, both, 2s));
  CAF_CHECK(!dead_for_first(3, both, 2s + 1ns));
  ballot votes{{"v1"}, first(3), 2s};
  votes.heard({"v2"}, {some({1}), {lost}}, now);
  votes.heard({"stranger"}, {some({1}), {lost}}, now);
  const vote_statement own{{{"v2"}, {"stranger"}}, {lost}};
  CAF_CHECK(!votes.dead(own, now).empty());
  votes.forget({"v2"});
  CAF_CHECK(votes.dead(own, now).empty());
}

CAF_TEST(a_node_without_a_vote_declares_nobody) {
  ballot votes{{"m"}, first(1), 2s};
  CAF_CHECK(votes.dead({some({1}), {lost}}, now).empty());
}
