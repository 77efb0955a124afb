#define CAF_SUITE membership
#include "runtime/cluster/membership.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using kind = member_event::kind;

hello hello_of(const std::string& name, std::uint64_t incarnation) {
  hello x;
  x.node.text = name;
  x.incarnation = incarnation;
  x.schema = 0xabc;
  x.build = "b1";
  x.configuration = 0xdef;
  return x;
}

/// "mars" is dialled by us, "venus" dials us.
struct fixture {
  membership m{hello_of("earth", 10), {{"mars"}, {"venus"}}, {{"mars"}}, {}, 1};
  steady_time now{1'000'000'000};

  std::vector<kind> run_for(nanoseconds d, bool mars_answers = false) {
    std::vector<kind> out;
    for (const auto until = now + d; now < until;) {
      now = now + 100ms;
      for (const auto& e : m.tick(now)) {
        out.push_back(e.what);
        if (mars_answers && e.what == kind::ping && e.peer.text == "mars")
          note(m.heard(e.peer, e.incarnation, e.sequence, now), out);
      }
    }
    return out;
  }
  static void note(const std::vector<member_event>& events, std::vector<kind>& out) {
    for (const auto& e : events) out.push_back(e.what);
  }
  void bring_up(std::uint64_t incarnation = 5) {
    CAF_REQUIRE(m.admit(hello_of("mars", incarnation), now).accepted);
    CAF_CHECK(m.directory_given({"mars"}, incarnation, now).empty());
    CAF_CHECK(m.directory_taken({"mars"}, incarnation, now).empty());
    const auto events = m.heard({"mars"}, incarnation, 1, now);
    CAF_REQUIRE_EQUAL(events.size(), 1u);
    CAF_CHECK(events[0].what == kind::up);
  }
  peer_state state(const std::string& name) { return m.view_of({name}, now)->state; }
};

std::size_t count(const std::vector<kind>& events, kind what) {
  return static_cast<std::size_t>(std::count(events.begin(), events.end(), what));
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(membership_tests, fixture)

CAF_TEST(only_the_later_one_dials) {
  const auto events = m.tick(now);
  CAF_REQUIRE_EQUAL(events.size(), 1u);
  CAF_CHECK(events[0].what == kind::dial);
  CAF_CHECK_EQUAL(events[0].peer.text, "mars");
}

CAF_TEST(dials_back_off_and_never_faster_than_the_least_pause) {
  std::vector<steady_time> dials;
  for (int i = 0; i < 300; ++i) {
    now = now + 100ms;
    for (const auto& e : m.tick(now))
      if (e.what == kind::dial) {
        dials.push_back(now);
        m.dial_failed(e.peer, "refused", now);
      }
  }
  CAF_REQUIRE(dials.size() > 8);
  for (std::size_t i = 1; i < dials.size(); ++i) {
    CAF_CHECK(dials[i] - dials[i - 1] >= 250ms);
    CAF_CHECK(dials[i] - dials[i - 1] <= 1350ms);
  }
}

CAF_TEST(up_needs_both_directories_and_an_answer) {
  bring_up();
  CAF_CHECK(state("mars") == peer_state::up);
  CAF_CHECK(m.is_up({"mars"}, 5));
  CAF_CHECK(!m.is_up({"mars"}, 4));
  CAF_CHECK(state("venus") == peer_state::joining);
  // Venus is greeted, but its directory never comes: after the time for joining it is dropped.
  CAF_REQUIRE(m.admit(hello_of("venus", 1), now).accepted);
  for (int i = 0; i < 40; ++i) {
    now = now + 100ms;
    (void)m.heard({"venus"}, 1, i, now);
    (void)m.heard({"mars"}, 5, i, now);
    (void)m.tick(now);
  }
  CAF_CHECK(state("venus") == peer_state::joining);
  CAF_CHECK(m.directory_given({"venus"}, 1, now).empty());
  CAF_CHECK(state("mars") == peer_state::up);
}

CAF_TEST(silent_peer_is_noticed_within_its_time) {
  bring_up();
  CAF_CHECK_EQUAL(count(run_for(5s, true), kind::down), 0u);
  const auto silent_from = now - m.view_of({"mars"}, now)->silence;
  bool warned = false;
  steady_time noticed{};
  while (noticed.ns == 0) {
    now = now + 100ms;
    for (const auto& e : m.tick(now)) {
      warned = warned || e.what == kind::warning;
      if (e.what != kind::down) continue;
      CAF_CHECK(!e.drop_link);
      noticed = now;
    }
    CAF_REQUIRE(now - silent_from < 10s);
  }
  CAF_CHECK(warned);
  CAF_CHECK(noticed - silent_from <= 1500ms);
  CAF_CHECK(noticed - silent_from >= 900ms);
  CAF_CHECK(state("mars") == peer_state::suspected);
  CAF_CHECK(m.view_of({"mars"}, now)->suspicion > 8);
  // One word from it and it counts again; it needs no new connection until the link is given up.
  run_for(1s);
  const auto events = m.heard({"mars"}, 5, 99, now);
  CAF_REQUIRE_EQUAL(events.size(), 1u);
  CAF_CHECK(events[0].what == kind::up);
  run_for(10s);
  CAF_CHECK(m.heard({"mars"}, 5, 100, now).empty()); // too late: it has to say hello again
}

CAF_TEST(own_pause_suspects_nobody) {
  bring_up();
  CAF_CHECK_EQUAL(count(run_for(2s, true), kind::down), 0u);
  now = now + 20s; // this node was stopped
  CAF_CHECK_EQUAL(count(run_for(1s, true), kind::down), 0u);
  CAF_CHECK(state("mars") == peer_state::up);
}

CAF_TEST(lost_link_is_down_at_once_and_settles_later) {
  bring_up();
  auto events = m.link_lost({"mars"}, 5, "reset", now);
  CAF_REQUIRE_EQUAL(events.size(), 1u);
  CAF_CHECK(events[0].what == kind::down);
  CAF_CHECK(events[0].drop_link);
  CAF_CHECK(m.link_lost({"mars"}, 5, "again", now).empty());
  CAF_CHECK_EQUAL(count(run_for(4900ms), kind::settled), 0u);
  CAF_CHECK_EQUAL(count(run_for(10s), kind::settled), 1u);
  CAF_CHECK(state("mars") == peer_state::suspected);
}

CAF_TEST(newer_incarnation_replaces_older_is_refused_for_ever) {
  bring_up(5);
  auto newer = m.admit(hello_of("mars", 6), now);
  CAF_CHECK(newer.accepted);
  CAF_REQUIRE_EQUAL(newer.events.size(), 1u);
  CAF_CHECK(newer.events[0].what == kind::down);
  CAF_CHECK_EQUAL(newer.events[0].incarnation, 5u);
  for (const std::uint64_t old : {1, 4, 5}) {
    auto refused = m.admit(hello_of("mars", old), now);
    CAF_CHECK(!refused.accepted);
    CAF_CHECK(refused.sender_is_dead);
    CAF_CHECK(refused.refused.find("incarnation " + std::to_string(old)) != std::string::npos);
    CAF_CHECK(refused.refused.find('6') != std::string::npos);
  }
  CAF_CHECK(m.heard({"mars"}, 5, 1, now).empty());
  CAF_CHECK(m.link_lost({"mars"}, 5, "late news", now).empty());
  CAF_CHECK(m.is_current({"mars"}, 6));
}

CAF_TEST(same_incarnation_may_reconnect_until_declared_dead) {
  bring_up(5);
  auto again = m.admit(hello_of("mars", 5), now);
  CAF_CHECK(again.accepted);
  CAF_CHECK_EQUAL(again.events.size(), 1u); // the old link's down
  auto dead = m.declare_dead({"mars"}, 5, "voted", now);
  CAF_CHECK_EQUAL(dead.size(), 1u);
  CAF_CHECK(state("mars") == peer_state::dead);
  CAF_CHECK(!m.admit(hello_of("mars", 5), now).accepted);
  CAF_CHECK(m.admit(hello_of("mars", 6), now).accepted);
}

CAF_TEST(farewell_is_no_suspicion) {
  bring_up(5);
  CAF_CHECK_EQUAL(m.farewell({"mars"}, 5, now).size(), 1u);
  CAF_CHECK(state("mars") == peer_state::leaving);
  CAF_CHECK_EQUAL(count(run_for(10s), kind::settled), 0u);
  CAF_CHECK(m.admit(hello_of("mars", 6), now).accepted);
  CAF_CHECK(state("mars") == peer_state::joining);
}

CAF_TEST(refusals_name_both_values) {
  const auto text_of = [&](const hello& x) {
    auto a = m.admit(x, now);
    CAF_CHECK(!a.accepted);
    return a.refused;
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  auto other = hello_of("mars", 1);
  other.schema = 0x123;
  CAF_CHECK(has(text_of(other), "0000000000000123") && has(text_of(other), "0000000000000abc"));
  other = hello_of("mars", 1);
  other.configuration = 0x77;
  CAF_CHECK(has(text_of(other), "0000000000000077") && has(text_of(other), "0000000000000def"));
  other = hello_of("mars", 1);
  other.build = "b2";
  CAF_CHECK(has(text_of(other), "b2 at 'mars'") && has(text_of(other), "b1 at 'earth'"));
  CAF_CHECK(has(text_of(hello_of("pluto", 1)), "'pluto' is not in the nodes.conf"));
  CAF_CHECK(has(text_of(hello_of("earth", 3)), "two nodes call themselves 'earth'"));
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(suspicion_follows_the_normal_tail) {
  // Exact values of -log10(1 - Phi(y)): y=0 0.3010, y=1 0.7995, y=2 1.6430, y=3 2.8697.
  const auto phi = [](double y) {
    return suspicion_value(nanoseconds{static_cast<std::int64_t>(500e6 + y * 100e6)}, 500ms, 100ms);
  };
  CAF_CHECK(std::abs(phi(0) - 0.3010) < 0.001);
  CAF_CHECK(std::abs(phi(1) - 0.7995) < 0.002);
  CAF_CHECK(std::abs(phi(2) - 1.6430) < 0.01);
  CAF_CHECK(std::abs(phi(3) - 2.8697) < 0.05);
  CAF_CHECK_EQUAL(phi(1000), 40.0);
  CAF_CHECK(phi(-1000) >= 0 && phi(-1000) < 0.01);
}

// Two machines, a lossy wire between them and restarts at random moments. Whatever the schedule: `up`
// and `down`
// alternate per incarnation, incarnations of `up` never fall, dead ones never come up, and once the
// wire is good
// again both are up within the time a join may take.
CAF_TEST(random_schedules) {
  const char* text = std::getenv("TROUPE_SEED");
  const std::uint64_t seed = text ? std::strtoull(text, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << '\n';
  for (std::uint64_t round = 0; round < 60; ++round) {
    std::mt19937_64 random{seed + round};
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    struct side {
      std::optional<membership> m;
      std::uint64_t incarnation = 1;
      std::uint64_t up = 0; // incarnation of the peer that is up now
      std::uint64_t last_up = 0;
    };
    side a, b;
    const auto start = [&](side& s, const char* own, const char* other, bool dials) {
      std::vector<node_name> dialled;
      if (dials) dialled.push_back({other});
      s.m.emplace(hello_of(own, s.incarnation), std::vector<node_name>{{other}}, dialled,
                  membership_options{}, random());
      s.up = s.last_up = 0; // a new process knows nothing
    };
    start(a, "a", "b", false);
    start(b, "b", "a", true);
    steady_time now{1'000'000'000};
    bool wire = true;
    const auto note = [&](side& s, const std::vector<member_event>& events) {
      for (const auto& e : events) {
        if (e.what == kind::up) {
          CAF_REQUIRE_EQUAL(s.up, 0u);
          CAF_REQUIRE(e.incarnation >= s.last_up);
          s.up = s.last_up = e.incarnation;
        } else if (e.what == kind::down) {
          CAF_REQUIRE(s.up == 0 || s.up == e.incarnation);
          s.up = 0;
        }
      }
    };
    const auto step = [&](bool lossy) {
      now = now + 50ms;
      note(a, a.m->tick(now));
      const auto ours = b.m->tick(now);
      note(b, ours);
      const auto passes = [&] { return wire && !(lossy && chance(10)); };
      for (const auto& e : ours) {
        if (e.what != kind::dial) continue;
        if (!passes()) {
          b.m->dial_failed({"a"}, "lost", now);
          continue;
        }
        auto theirs = a.m->admit(b.m->self(), now);
        note(a, theirs.events);
        if (!theirs.accepted || !passes()) continue;
        auto mine = b.m->admit(a.m->self(), now);
        note(b, mine.events);
      }
      // Heartbeats and directories in both directions.
      const auto exchange = [&](side& x, side& y, const char* xn) {
        if (!passes()) return;
        note(y, y.m->directory_given({xn}, x.incarnation, now));
        note(y, y.m->directory_taken({xn}, x.incarnation, now));
        note(y, y.m->heard({xn}, x.incarnation, 1, now));
      };
      exchange(a, b, "a");
      exchange(b, a, "b");
    };
    for (int i = 0; i < 600; ++i) {
      if (chance(2)) wire = !wire;
      if (chance(1)) {
        ++a.incarnation;
        start(a, "a", "b", false);
        note(b, b.m->link_lost({"a"}, a.incarnation - 1, "reset", now));
      }
      if (chance(1)) {
        ++b.incarnation;
        start(b, "b", "a", true);
        note(a, a.m->link_lost({"b"}, b.incarnation - 1, "reset", now));
      }
      step(true);
    }
    wire = true;
    for (int i = 0; i < 200; ++i) step(false);
    CAF_REQUIRE_EQUAL(a.up, b.incarnation);
    CAF_REQUIRE_EQUAL(b.up, a.incarnation);
  }
}
