#define CAF_SUITE votes
#include "tests/cluster/planets.hpp"

using namespace troupe;
using namespace troupe::planets;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view two_voters = R"(
node earth   host=127.0.0.1 port=11 roles=ingest
node mars    host=127.0.0.1 port=12 roles=execution accounts=main@binance
node jupiter host=127.0.0.1 port=13 roles=model
)";

constexpr std::string_view three_voters = R"(
node earth   host=127.0.0.1 port=11 roles=ingest
node mars    host=127.0.0.1 port=12 roles=ingest
node jupiter host=127.0.0.1 port=13 roles=execution accounts=main@binance
)";

/// The silence that is noticed and then settles, and the time a declaration takes at most beyond it.
constexpr auto settled_after = 1350ms + 5s;
constexpr auto slack = 1s;

struct votes_fixture : fixture {
  void join_three(std::string_view text) {
    conf = parse_nodes_conf(text, "test.conf").value();
    const auto keep = [this](const std::string& name) {
      return [this, name](member_options& o) {
        o.keep_dead = [this, name](const std::vector<node_start>& dead) -> troupe::status {
          ++keeps[name];
          if (disk_full.contains(name)) return error{make_error_code(cluster_errc::failed), "no space left"};
          kept[name] = dead;
          return ok;
        };
      };
    };
    e = &start(earth, "earth", 1, keep("earth"));
    m = &start(mars, "mars", 1, keep("mars"));
    j = &start(jupiter, "jupiter", 1, keep("jupiter"));
    wire(earth, "earth", mars);
    wire(earth, "earth", jupiter);
    wire(mars, "mars", jupiter);
    CAF_REQUIRE(pass_until(5s, [&] { return all_up(); }));
  }

  bool all_up() {
    bool up = true;
    for (auto* n : {e, m, j})
      for (const auto& [name, health] : view(*n).nodes) up = up && health == node_health::up;
    return up;
  }

  node_health health_of(node& n, const std::string& peer) { return view(n).nodes.at(peer); }
  bool quorum(node& n) { return view(n).quorum; }

  node *e = nullptr, *m = nullptr, *j = nullptr;
  std::map<std::string, std::vector<node_start>> kept;
  std::map<std::string, int> keeps;
  std::set<std::string> disk_full;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(vote_tests, votes_fixture)

CAF_TEST(a_silent_voter_is_dead_when_the_others_have_agreed_and_not_before) {
  join_three(three_voters);
  CAF_CHECK_EQUAL(view(*j).coordinator, "earth");
  stopped = &mars;
  pass(settled_after - 500ms);
  CAF_CHECK(health_of(*e, "mars") == node_health::away && health_of(*j, "mars") == node_health::away);
  CAF_REQUIRE(pass_until(500ms + slack, [&] { return health_of(*e, "mars") == node_health::dead; }));
  CAF_REQUIRE(pass_until(slack, [&] { return health_of(*j, "mars") == node_health::dead; }));
  CAF_CHECK(quorum(*e) && quorum(*j));
  CAF_MESSAGE("the declaration was kept");
  CAF_CHECK(kept["earth"] == (std::vector<node_start>{{{"mars"}, 1}}));
  CAF_MESSAGE("it goes on and is told");
  stopped = nullptr;
  CAF_REQUIRE(pass_until(3s, [&] { return !m->declared_dead.empty(); }));
  CAF_CHECK(health_of(*e, "mars") == node_health::dead);
}

CAF_TEST(a_coordinator_that_is_lost_is_followed_by_the_next_voter) {
  join_three(three_voters);
  stopped = &earth;
  CAF_REQUIRE(pass_until(3s, [&] { return view(*m).coordinator == "mars" && view(*j).coordinator == "mars"; }));
  stopped = nullptr;
  CAF_REQUIRE(pass_until(3s, [&] { return view(*m).coordinator == "earth" && view(*j).coordinator == "earth"; }));
  CAF_CHECK(e->declared_dead.empty());
}

CAF_TEST(nobody_without_a_quorum_declares_anything) {
  join_three(three_voters);
  CAF_CHECK(quorum(*e) && quorum(*m) && quorum(*j));
  pass(settled_after + 10s, false); // every node alone
  for (auto* n : {e, m, j}) {
    CAF_CHECK(!quorum(*n));
    CAF_CHECK_EQUAL(view(*n).coordinator, "");
    for (const auto& [name, health] : view(*n).nodes) CAF_CHECK(health != node_health::dead);
  }
  CAF_CHECK(keeps.empty());
  CAF_MESSAGE("it heals and everything is as before");
  pass(200ms);
  CAF_REQUIRE(pass_until(8s, [&] { return all_up() && quorum(*e) && quorum(*m) && quorum(*j); }));
  CAF_CHECK(e->declared_dead.empty() && m->declared_dead.empty() && j->declared_dead.empty());
}

CAF_TEST(an_even_split_is_decided_by_the_first_voter) {
  join_three(two_voters);
  stopped = &jupiter; // without a vote
  pass(settled_after + slack, false);
  CAF_CHECK(quorum(*e) && !quorum(*m));
  CAF_CHECK(health_of(*e, "mars") == node_health::dead && health_of(*e, "jupiter") == node_health::dead);
  CAF_CHECK(health_of(*m, "earth") == node_health::away && health_of(*m, "jupiter") == node_health::away);
  CAF_CHECK(kept["earth"].size() == 2 && kept.count("mars") == 0);
}

CAF_TEST(who_has_no_vote_learns_it_from_heartbeats) {
  join_three(two_voters);
  stopped = &mars;
  CAF_REQUIRE(pass_until(settled_after + 2 * slack, [&] { return health_of(*j, "mars") == node_health::dead; }));
  CAF_CHECK(has(status(*j), "\"voter\":false") && has(status(*j), "\"declarations\":0"));
  CAF_CHECK(kept["jupiter"] == (std::vector<node_start>{{{"mars"}, 1}}));
}

CAF_TEST(a_declaration_that_cannot_be_kept_is_not_made) {
  join_three(two_voters);
  disk_full = {"earth"};
  stopped = &mars;
  pass(settled_after + 3s);
  CAF_CHECK(keeps["earth"] > 1);
  CAF_CHECK(health_of(*e, "mars") == node_health::away && health_of(*j, "mars") == node_health::away);
  CAF_CHECK(has(status(*e), "no space left"));
  disk_full.clear();
  CAF_REQUIRE(pass_until(1s, [&] { return health_of(*e, "mars") == node_health::dead; }));
}

CAF_TEST(dead_stays_dead_over_a_restart_of_the_declarer_and_a_new_start_is_welcome) {
  conf = parse_nodes_conf(two_voters, "test.conf").value();
  // Earth was started anew and remembers from its files; mars never heard of it.
  auto& declarer = start(earth, "earth", 5, [](member_options& o) { o.dead = {{{"mars"}, 3}}; });
  auto& dead = start(mars, "mars", 3);
  wire(earth, "earth", mars);
  CAF_REQUIRE(pass_until(5s, [&] { return !dead.declared_dead.empty(); }));
  CAF_CHECK(health_of(declarer, "mars") != node_health::up);
  auto& fresh = start(jupiter, "mars", 4);
  wire(earth, "earth", jupiter);
  CAF_REQUIRE(pass_until(5s, [&] { return view(fresh).nodes["earth"] == node_health::up; }));
  CAF_CHECK(health_of(declarer, "mars") == node_health::up && quorum(fresh));
  CAF_CHECK(fresh.declared_dead.empty());
}

CAF_TEST(the_dead_one_reads_it_in_the_hello_of_whoever_dials_it) {
  conf = parse_nodes_conf(three_voters, "test.conf").value();
  // Jupiter stands last and dials; it knows what earth does not.
  auto& dead = start(earth, "earth", 3);
  auto& witness = start(jupiter, "jupiter", 1, [](member_options& o) { o.dead = {{{"earth"}, 3}}; });
  wire(earth, "earth", jupiter);
  CAF_REQUIRE(pass_until(5s, [&] { return !dead.declared_dead.empty(); }));
  CAF_CHECK(has(dead.declared_dead.front(), "incarnation 3 of 'earth' was declared dead, says 'jupiter'"));
  CAF_CHECK(witness.declared_dead.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
