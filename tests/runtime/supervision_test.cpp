#define CAF_SUITE supervision
#include "messages/operator_fault.hpp"
#include "tests/runtime/supervision_harness.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

harness three(restart_strategy strategy, restart_type type = restart_type::permanent) {
  supervisor_rules rules;
  rules.strategy = strategy;
  harness h{rules};
  h.add("a", type).add("b", type).add("c", type).start();
  h.took();
  return h;
}

child_spec spec(std::string id, restart_type restart = restart_type::permanent) {
  child_spec out;
  out.id = std::move(id);
  out.restart = restart;
  return out;
}

bool is(const std::optional<error>& e, runtime_errc code) {
  return e && e->code == make_error_code(code);
}

/// Ends one child of the given type and says what followed.
std::string one(restart_type type, exit_class how) {
  auto h = three(restart_strategy::one_for_one, type);
  h.end("b", how, how == exit_class::normal ? error{} : crash());
  return h.took();
}

} // namespace

// --- start and stop ------------------------------------------------------------------------------

CAF_TEST(children_start_left_to_right_and_stop_right_to_left) {
  harness h;
  h.add("a").add("b").add("c").start();
  CAF_CHECK_EQUAL(h.took(), "start a, start b, start c");
  h.stop();
  CAF_CHECK_EQUAL(h.took(), "stop c, stop b, stop a");
  CAF_CHECK(h.finished && !h.finished->code);
}

CAF_TEST(a_supervisor_without_children_runs) {
  harness h;
  h.start();
  CAF_CHECK(!h.finished);
  h.stop();
  CAF_CHECK(h.finished.has_value());
}

CAF_TEST(a_start_that_fails_stops_the_earlier_children_and_the_supervisor) {
  harness h;
  h.children.fails_to_start = {"c"};
  h.add("a").add("b").add("c").add("d").start();
  CAF_CHECK_EQUAL(h.took(), "start a, start b, start c, stop b, stop a");
  CAF_CHECK(is(h.finished, runtime_errc::start_failed));
  CAF_CHECK(h.finished->text.find("c: no start") != std::string::npos);
}

CAF_TEST(what_only_a_person_can_mend_is_not_started_again) {
  const auto fault = for_operator({runtime_errc::handler_failed, "x.journal:512: damaged; restore it"});
  for (const auto strategy :
       {restart_strategy::one_for_one, restart_strategy::rest_for_one, restart_strategy::one_for_all}) {
    auto h = three(strategy);
    h.end("b", exit_class::abnormal, fault);
    h.pass(1h);
    CAF_CHECK_EQUAL(h.took(), "end b, stop c, stop a");
    CAF_REQUIRE(h.finished);
    CAF_CHECK(is_for_operator(*h.finished));
    CAF_CHECK_EQUAL(h.finished->text, fault.text);
    // A child that is not to be restarted anyway takes nobody along.
    auto calm = three(strategy, restart_type::temporary);
    calm.end("b", exit_class::abnormal, fault);
    CAF_CHECK(!calm.finished);
  }
}

CAF_TEST(a_start_that_declines_keeps_the_spec_without_a_process) {
  harness h;
  h.children.declines = {"b"};
  h.add("a").add("b").add("c").start();
  CAF_CHECK_EQUAL(h.took(), "start a, start b, start c");
  CAF_CHECK(h.state("b") == child_state::stopped);
  CAF_CHECK_EQUAL(h.machine.count_children().specs, 3u);
  CAF_CHECK_EQUAL(h.machine.count_children().active, 2u);
  CAF_CHECK(!h.finished);
}

CAF_TEST(a_temporary_child_that_declines_is_forgotten) {
  harness h;
  h.children.declines = {"b"};
  h.add("a").add("b", restart_type::temporary).start();
  CAF_CHECK_EQUAL(h.took(), "start a, start b, forget b");
  CAF_CHECK_EQUAL(h.machine.count_children().specs, 1u);
}

// --- restart types: 9 cases ----------------------------------------------------------------------

CAF_TEST(permanent_normal) {
  CAF_CHECK_EQUAL(one(restart_type::permanent, exit_class::normal), "end b, start b");
}
CAF_TEST(permanent_abnormal) {
  CAF_CHECK_EQUAL(one(restart_type::permanent, exit_class::abnormal), "end b, start b");
}
CAF_TEST(transient_normal) {
  CAF_CHECK_EQUAL(one(restart_type::transient, exit_class::normal), "end b");
}
CAF_TEST(transient_abnormal) {
  CAF_CHECK_EQUAL(one(restart_type::transient, exit_class::abnormal), "end b, start b");
}
CAF_TEST(temporary_normal) {
  CAF_CHECK_EQUAL(one(restart_type::temporary, exit_class::normal), "end b, forget b");
}
CAF_TEST(temporary_abnormal) {
  CAF_CHECK_EQUAL(one(restart_type::temporary, exit_class::abnormal), "end b, forget b");
}

CAF_TEST(a_transient_child_that_ended_normally_keeps_its_spec) {
  auto h = three(restart_strategy::one_for_one, restart_type::transient);
  h.end("b", exit_class::normal, {});
  CAF_CHECK(h.state("b") == child_state::stopped);
  CAF_CHECK(!h.order(&supervision::restart_child, "b"));
  CAF_CHECK(h.state("b") == child_state::running);
}

// --- strategies ----------------------------------------------------------------------------------

CAF_TEST(one_for_one_restarts_only_the_child) {
  auto h = three(restart_strategy::one_for_one);
  h.end("a");
  CAF_CHECK_EQUAL(h.took(), "end a, start a");
  CAF_CHECK_EQUAL(h.live.size(), 3u);
}

CAF_TEST(one_for_all_restarts_all_in_order) {
  auto h = three(restart_strategy::one_for_all);
  h.end("b");
  CAF_CHECK_EQUAL(h.took(), "end b, stop c, stop a, start a, start b, start c");
}

CAF_TEST(rest_for_one_restarts_the_child_and_those_after_it) {
  auto h = three(restart_strategy::rest_for_one);
  h.end("b");
  CAF_CHECK_EQUAL(h.took(), "end b, stop c, start b, start c");
  h.end("c");
  CAF_CHECK_EQUAL(h.took(), "end c, start c");
}

CAF_TEST(one_for_one_escalation) {
  auto h = three(restart_strategy::one_for_one);
  for (int i = 0; i < 5; ++i) {
    h.end("b");
    h.pass(2s);
    CAF_REQUIRE(!h.finished);
  }
  h.took();
  h.end("b");
  CAF_CHECK_EQUAL(h.took(), "end b, stop c, stop a");
  CAF_CHECK(is(h.finished, runtime_errc::restart_intensity));
  CAF_CHECK(h.finished->text.find("b: boom") != std::string::npos);
}

CAF_TEST(one_for_all_escalation) {
  supervisor_rules rules;
  rules.strategy = restart_strategy::one_for_all;
  rules.intensity = 1;
  harness h{rules};
  h.add("a").add("b").start();
  h.end("a");
  h.took();
  h.end("a");
  CAF_CHECK_EQUAL(h.took(), "end a, stop b");
  CAF_CHECK(is(h.finished, runtime_errc::restart_intensity));
}

CAF_TEST(rest_for_one_escalation) {
  supervisor_rules rules;
  rules.strategy = restart_strategy::rest_for_one;
  rules.intensity = 0;
  harness h{rules};
  h.add("a").add("b").add("c").start();
  h.took();
  h.end("b");
  CAF_CHECK_EQUAL(h.took(), "end b, stop c, stop a");
  CAF_CHECK(is(h.finished, runtime_errc::restart_intensity));
}

CAF_TEST(one_for_all_other_child_fails_restart) {
  auto h = three(restart_strategy::one_for_all);
  h.children.fails_to_start = {"c"};
  h.end("a");
  // c does not come up: the others are stopped again and the next attempt waits for its back-off.
  CAF_CHECK_EQUAL(
      h.took(),
      "end a, stop c, stop b, start a, start b, start c, stop b, stop a, start a, start b, "
      "start c, stop b, stop a");
  h.children.fails_to_start.clear();
  h.pass(100ms);
  CAF_CHECK_EQUAL(h.took(), "start a, start b, start c");
  CAF_CHECK_EQUAL(h.live.size(), 3u);
}

CAF_TEST(rest_for_one_other_child_fails_restart) {
  auto h = three(restart_strategy::rest_for_one);
  h.children.fails_to_start = {"c"};
  h.end("b");
  // Only c is tried again: b is up, and a failure of c concerns c and what follows it.
  CAF_CHECK_EQUAL(h.took(), "end b, stop c, start b, start c, start c");
  h.children.fails_to_start.clear();
  h.pass(100ms);
  CAF_CHECK_EQUAL(h.took(), "start c");
}

CAF_TEST(a_restart_that_fails_for_ever_ends_by_the_intensity) {
  auto h = three(restart_strategy::one_for_one);
  h.children.fails_to_start = {"b"};
  h.end("b");
  h.pass(60s);
  CAF_CHECK(is(h.finished, runtime_errc::restart_intensity));
  CAF_CHECK(h.live.empty());
  CAF_CHECK(h.machine.child("b")->restarts == 5);
}

CAF_TEST(restarts_spread_over_more_than_the_period_never_escalate) {
  auto h = three(restart_strategy::one_for_one);
  for (int i = 0; i < 100; ++i)
    h.end("b").pass(13s);
  CAF_CHECK(!h.finished);
  CAF_CHECK(h.machine.child("b")->restarts == 100);
}

CAF_TEST(exactly_the_intensity_is_allowed_within_the_period) {
  supervisor_rules rules;
  rules.intensity = 2;
  rules.backoff_first = rules.backoff_most = 0ns;
  harness h{rules};
  h.add("a").start();
  h.end("a").end("a");
  CAF_CHECK(!h.finished);
  h.pass(60s + 1ns).end("a").end("a");
  CAF_CHECK(!h.finished);
  h.end("a");
  CAF_CHECK(h.finished.has_value());
}

CAF_TEST(temporary_bystander) {
  for (const auto strategy : {restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    supervisor_rules rules;
    rules.strategy = strategy;
    harness h{rules};
    h.add("a").add("t", restart_type::temporary).add("c").start();
    h.took();
    h.end("a");
    CAF_CHECK_EQUAL(h.took(), "end a, stop c, stop t, forget t, start a, start c");
    CAF_CHECK_EQUAL(h.machine.count_children().specs, 2u);
  }
}

CAF_TEST(a_group_restart_also_starts_what_was_stopped_by_order_before) {
  auto h = three(restart_strategy::one_for_all);
  CAF_CHECK(!h.order(&supervision::terminate_child, "b"));
  h.took();
  h.end("c");
  CAF_CHECK_EQUAL(h.took(), "end c, stop a, start a, start b, start c");
}

CAF_TEST(multiple_restarts_at_the_same_time) {
  auto h = three(restart_strategy::one_for_all);
  h.children.silent = true;
  h.end("b");
  CAF_CHECK_EQUAL(h.took(), "end b, stop c");
  // c and a fall by themselves meanwhile; that is one restart of the group, not three.
  h.end("a").end("c");
  CAF_CHECK_EQUAL(h.took(), "end a, end c, start a, start b, start c");
  CAF_CHECK_EQUAL(h.machine.causes().size(), 1u);
}

CAF_TEST(an_earlier_child_that_falls_during_a_restart_widens_it) {
  auto h = three(restart_strategy::rest_for_one);
  h.children.silent = true;
  h.end("b");
  CAF_CHECK_EQUAL(h.took(), "end b, stop c");
  h.end("a");
  CAF_CHECK_EQUAL(h.took(), "end a");
  h.end("c", exit_class::normal, {});
  CAF_CHECK_EQUAL(h.took(), "end c, start a, start b, start c");
  CAF_CHECK(!h.doubled);
}

CAF_TEST(scale_many_temporary) {
  constexpr int many = 2'000;
  supervisor_rules rules;
  rules.most_children = many;
  harness h{rules};
  h.start();
  for (int i = 0; i < many; ++i)
    CAF_REQUIRE(!h.order(&supervision::start_child,
                         spec("t" + std::to_string(i), restart_type::temporary)));
  CAF_CHECK(h.order(&supervision::start_child, spec("one more")) == runtime_errc::bad_spec);
  CAF_CHECK(h.machine.count_children().active == many);
  for (int i = many - 1; i >= 0; --i)
    h.end("t" + std::to_string(i));
  CAF_CHECK(h.machine.count_children().specs == 0);
  CAF_CHECK(!h.finished);
}

// --- dynamic children ----------------------------------------------------------------------------

CAF_TEST(dynamic_children_come_and_go) {
  supervisor_rules rules;
  rules.strategy = restart_strategy::dynamic;
  harness h{rules};
  h.start();
  CAF_CHECK(!h.order(&supervision::start_child, spec("x", restart_type::transient)));
  CAF_CHECK(!h.order(&supervision::start_child, spec("y", restart_type::transient)));
  h.took();
  h.end("x");
  CAF_CHECK_EQUAL(h.took(), "end x, start x");
  h.end("y", exit_class::normal, {});
  CAF_CHECK_EQUAL(h.took(), "end y, forget y");
  CAF_CHECK(!h.order(&supervision::terminate_child, "x"));
  CAF_CHECK_EQUAL(h.took(), "stop x, forget x");
  CAF_CHECK_EQUAL(h.machine.count_children().specs, 0u);
}

CAF_TEST(dynamic_children_stop_in_parallel) {
  supervisor_rules rules;
  rules.strategy = restart_strategy::dynamic;
  harness h{rules};
  h.start();
  for (const auto* id : {"x", "y", "z"})
    h.order(&supervision::start_child, spec(id));
  h.took();
  h.children.silent = true;
  h.stop();
  CAF_CHECK_EQUAL(h.took(), "stop z, stop y, stop x");
  h.end("y", exit_class::normal, {}).end("x", exit_class::normal, {});
  CAF_CHECK(!h.finished);
  h.end("z", exit_class::normal, {});
  CAF_CHECK(h.finished.has_value());
}

CAF_TEST(dynamic_escalation) {
  supervisor_rules rules;
  rules.strategy = restart_strategy::dynamic;
  rules.intensity = 1;
  harness h{rules};
  h.start();
  h.order(&supervision::start_child, spec("x"));
  h.end("x").end("x").pass(1s);
  CAF_CHECK(is(h.finished, runtime_errc::restart_intensity));
}

// --- stopping ------------------------------------------------------------------------------------

CAF_TEST(sup_stop_timeout_kills_what_ignores_the_stop) {
  harness h;
  h.children.ignores_stop = {"b"};
  h.add("a").add("b").start();
  h.stop();
  CAF_CHECK_EQUAL(h.took(), "start a, start b, stop b");
  h.pass(4999ms);
  CAF_CHECK_EQUAL(h.took(), "");
  h.pass(1ms);
  CAF_CHECK_EQUAL(h.took(), "kill b, stop a");
  CAF_CHECK(h.finished.has_value());
}

CAF_TEST(sup_stop_brutal_kill_does_not_ask) {
  harness h;
  h.add("a", restart_type::permanent, shutdown_kind::brutal_kill).start().stop();
  CAF_CHECK_EQUAL(h.took(), "start a, kill a");
}

CAF_TEST(sup_stop_infinity_waits_but_not_for_ever) {
  harness h;
  h.children.ignores_stop = {"a"};
  h.add("a", restart_type::permanent, shutdown_kind::infinity).start().stop();
  h.pass(599s);
  CAF_CHECK_EQUAL(h.took(), "start a, stop a");
  h.pass(1s);
  CAF_CHECK_EQUAL(h.took(), "kill a");
}

CAF_TEST(a_child_that_survives_its_kill_is_reported_stuck_and_not_waited_for) {
  harness h;
  h.children.immortal = {"b"};
  h.add("a").add("b", restart_type::permanent, shutdown_kind::brutal_kill).start().stop();
  CAF_CHECK(h.stuck.empty());
  h.pass(5s);
  CAF_CHECK(h.stuck == std::vector<std::string>{"b"});
  CAF_CHECK_EQUAL(h.took(), "start a, start b, kill b, stop a");
  CAF_CHECK(is(h.finished, runtime_errc::stuck));
}

CAF_TEST(a_stuck_child_is_never_started_a_second_time) {
  auto h = three(restart_strategy::one_for_all);
  h.children.immortal = {"c"};
  h.end("a");
  h.pass(1h);
  CAF_CHECK(h.stuck == std::vector<std::string>{"c"});
  CAF_CHECK(is(h.finished, runtime_errc::stuck));
  CAF_CHECK(!h.doubled);
  CAF_CHECK_EQUAL(h.took(), "end a, stop c, kill c, stop b");
}

CAF_TEST(a_stuck_child_that_ends_after_all_may_be_restarted_by_order) {
  auto h = three(restart_strategy::one_for_one);
  h.children.immortal = {"b"};
  h.order(&supervision::terminate_child, "b");
  h.pass(10s);
  CAF_CHECK(h.replies.at(1).code == runtime_errc::stuck);
  CAF_CHECK(h.order(&supervision::restart_child, "b") == runtime_errc::stuck);
  h.end("b");
  CAF_CHECK(!h.order(&supervision::restart_child, "b"));
}

CAF_TEST(the_end_of_an_older_incarnation_is_ignored) {
  auto h = three(restart_strategy::one_for_one);
  h.end("b");
  h.took();
  h.machine.ended("b", 1, exit_class::abnormal, crash(), h.now);
  h.settle();
  CAF_CHECK_EQUAL(h.took(), "");
  CAF_CHECK(h.state("b") == child_state::running);
}

CAF_TEST(a_child_that_ends_before_its_turn_to_be_stopped_is_not_restarted) {
  harness h;
  h.add("a").add("b").start();
  h.children.silent = true;
  h.stop().end("a").end("b", exit_class::normal, {});
  CAF_CHECK_EQUAL(h.took(), "start a, start b, stop b, end a, end b");
  CAF_CHECK(h.finished.has_value());
}

// --- back-off ------------------------------------------------------------------------------------

CAF_TEST(the_first_restart_is_immediate_and_later_ones_wait_with_full_jitter) {
  supervisor_rules rules;
  rules.intensity = 1000;
  rules.backoff_first = 100ms;
  rules.backoff_most = 800ms;
  nanoseconds bounds[] = {0ms, 100ms, 200ms, 400ms, 800ms, 800ms};
  nanoseconds longest[6] = {};
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    harness h{rules, seed};
    h.add("a").start();
    for (int i = 0; i < 6; ++i) {
      h.end("a");
      const auto due = h.machine.next_deadline();
      const auto delay = due ? *due - h.now : 0ns;
      CAF_REQUIRE(delay >= 0ns && delay <= bounds[i]);
      longest[i] = std::max(longest[i], delay);
      h.pass(delay);
      CAF_REQUIRE(h.live.contains("a"));
    }
  }
  // The jitter uses the whole range.
  for (int i = 1; i < 6; ++i)
    CAF_CHECK(longest[i] > bounds[i] * 9 / 10);
}

CAF_TEST(a_child_that_was_up_for_a_while_starts_afresh) {
  auto h = three(restart_strategy::one_for_one);
  h.end("b").end("b");
  CAF_CHECK(h.state("b") == child_state::backing_off);
  h.pass(1s).pass(10s);
  h.end("b");
  CAF_CHECK(h.state("b") == child_state::running);
}

CAF_TEST(kills_by_an_operator_count_neither_for_the_intensity_nor_for_the_back_off) {
  auto h = three(restart_strategy::one_for_one);
  for (int i = 0; i < 50; ++i) {
    CAF_REQUIRE(!h.order(&supervision::kill_child, "b"));
    CAF_REQUIRE(h.state("b") == child_state::running);
  }
  CAF_CHECK(!h.finished);
  CAF_CHECK(h.machine.child("b")->restarts == 50);
  CAF_CHECK(h.machine.causes().empty());
}

CAF_TEST(a_restart_is_timed_from_its_cause_to_the_first_answer_of_the_new_start) {
  auto h = three(restart_strategy::one_for_one);
  const auto newest = [&] { return h.machine.child("b")->history.back(); };
  const auto answer = [&](std::uint64_t incarnation) { h.machine.answered("b", incarnation, h.now); };
  answer(1);
  CAF_CHECK(h.machine.child("b")->history.empty());
  h.end("b");
  CAF_CHECK(!newest().back_after);
  h.pass(3ms);
  answer(1); // of the one that ended
  CAF_CHECK(!newest().back_after);
  answer(2);
  CAF_CHECK(newest().back_after == nanoseconds{3ms});
  h.pass(1s);
  answer(2);
  CAF_CHECK(newest().back_after == nanoseconds{3ms});
  // A kill by order counts from the order, however long the handler that runs goes on.
  h.children.immortal = {"b"};
  h.order(&supervision::kill_child, "b");
  h.pass(20ms);
  h.children.immortal.clear();
  h.end("b");
  h.pass(4ms);
  answer(3);
  CAF_CHECK(newest().back_after == nanoseconds{24ms});
}

CAF_TEST(an_operators_kill_that_does_not_work_is_reported_stuck_and_restarts_when_it_does) {
  auto h = three(restart_strategy::one_for_one);
  h.children.immortal = {"b"};
  h.order(&supervision::kill_child, "b");
  h.pass(5s);
  CAF_CHECK(h.stuck == std::vector<std::string>{"b"});
  h.children.immortal.clear();
  h.end("b");
  CAF_CHECK(h.state("b") == child_state::running);
  CAF_CHECK(!h.doubled);
}

// --- orders --------------------------------------------------------------------------------------

CAF_TEST(start_child) {
  auto h = three(restart_strategy::one_for_one);
  CAF_CHECK(!h.order(&supervision::start_child, spec("d")));
  CAF_CHECK(h.order(&supervision::start_child, spec("d")) == runtime_errc::already_started);
  h.order(&supervision::terminate_child, "d");
  CAF_CHECK(h.order(&supervision::start_child, spec("d")) == runtime_errc::already_present);
  h.children.fails_to_start = {"e"};
  CAF_CHECK(h.order(&supervision::start_child, spec("e")) == runtime_errc::start_failed);
  CAF_CHECK(!h.machine.child("e"));
  h.children.declines = {"f"};
  CAF_CHECK(!h.order(&supervision::start_child, spec("f")));
  CAF_CHECK(h.state("f") == child_state::stopped);
  CAF_CHECK(!h.finished);
}

CAF_TEST(terminate_child) {
  auto h = three(restart_strategy::one_for_one);
  CAF_CHECK(h.order(&supervision::terminate_child, "nobody") == runtime_errc::not_found);
  CAF_CHECK(!h.order(&supervision::terminate_child, "b"));
  CAF_CHECK_EQUAL(h.took(), "stop b");
  CAF_CHECK(h.state("b") == child_state::stopped);
  CAF_CHECK(!h.order(&supervision::terminate_child, "b"));
  h.pass(1h);
  CAF_CHECK_EQUAL(h.took(), "");
}

CAF_TEST(terminate_child_while_it_backs_off) {
  auto h = three(restart_strategy::one_for_one);
  h.end("b").end("b");
  CAF_REQUIRE(h.state("b") == child_state::backing_off);
  CAF_CHECK(h.order(&supervision::restart_child, "b") == runtime_errc::restarting);
  CAF_CHECK(h.order(&supervision::delete_child, "b") == runtime_errc::restarting);
  CAF_CHECK(!h.order(&supervision::terminate_child, "b"));
  h.took();
  h.pass(1h);
  CAF_CHECK_EQUAL(h.took(), "");
}

CAF_TEST(restart_child_and_delete_child) {
  auto h = three(restart_strategy::one_for_one);
  CAF_CHECK(h.order(&supervision::restart_child, "b") == runtime_errc::still_running);
  CAF_CHECK(h.order(&supervision::delete_child, "b") == runtime_errc::still_running);
  CAF_CHECK(h.order(&supervision::restart_child, "nobody") == runtime_errc::not_found);
  CAF_CHECK(h.order(&supervision::delete_child, "nobody") == runtime_errc::not_found);
  h.order(&supervision::terminate_child, "b");
  h.children.fails_to_start = {"b"};
  CAF_CHECK(h.order(&supervision::restart_child, "b") == runtime_errc::start_failed);
  CAF_CHECK(h.state("b") == child_state::stopped);
  h.children.fails_to_start.clear();
  CAF_CHECK(!h.order(&supervision::restart_child, "b"));
  h.order(&supervision::terminate_child, "b");
  h.took();
  CAF_CHECK(!h.order(&supervision::delete_child, "b"));
  CAF_CHECK_EQUAL(h.took(), "forget b");
  CAF_CHECK(!h.machine.child("b"));
}

CAF_TEST(orders_are_refused_while_the_supervisor_stops) {
  auto h = three(restart_strategy::one_for_one);
  h.children.ignores_stop = {"c"};
  h.stop();
  CAF_CHECK(h.order(&supervision::start_child, spec("d")) == runtime_errc::busy);
  CAF_CHECK(h.order(&supervision::restart_child, "a") == runtime_errc::busy);
  h.pass(5s);
  CAF_CHECK(h.finished.has_value());
}

CAF_TEST(a_child_stopped_by_order_during_a_restart_of_its_group_stays_down) {
  auto h = three(restart_strategy::one_for_all);
  h.children.silent = true;
  h.end("a");
  CAF_CHECK(h.order(&supervision::terminate_child, "b") == std::errc::operation_in_progress);
  CAF_CHECK_EQUAL(h.took(), "end a, stop c, stop b");
  h.end("c", exit_class::normal, {}).end("b", exit_class::normal, {});
  CAF_CHECK_EQUAL(h.took(), "end c, end b, start a, start c");
  CAF_CHECK(!h.replies.at(1).code);
}

CAF_TEST(count_children_counts_kinds) {
  harness h;
  auto s = spec("s");
  s.kind = child_kind::supervisor;
  CAF_CHECK(h.machine.add(s).has_value());
  h.add("w").start();
  const auto counts = h.machine.count_children();
  CAF_CHECK_EQUAL(counts.specs, 2u);
  CAF_CHECK_EQUAL(counts.active, 2u);
  CAF_CHECK_EQUAL(counts.supervisors, 1u);
  CAF_CHECK_EQUAL(counts.workers, 1u);
}

// --- significant children ------------------------------------------------------------------------

namespace {

harness significant(auto_shutdown when) {
  supervisor_rules rules;
  rules.shutdown = when;
  harness h{rules};
  for (const auto* id : {"s", "t"}) {
    auto child = spec(id, restart_type::transient);
    child.significant = true;
    CAF_CHECK(h.machine.add(child).has_value());
  }
  h.add("w").start();
  h.took();
  return h;
}

} // namespace

CAF_TEST(auto_shutdown_any) {
  auto h = significant(auto_shutdown::any_significant);
  h.end("s");
  CAF_CHECK(!h.finished);
  h.end("s", exit_class::normal, {});
  CAF_CHECK_EQUAL(h.took(), "end s, start s, end s, stop w, stop t");
  CAF_CHECK(is(h.finished, runtime_errc::shutdown));
}

CAF_TEST(auto_shutdown_all) {
  auto h = significant(auto_shutdown::all_significant);
  h.end("s", exit_class::normal, {});
  CAF_CHECK(!h.finished);
  h.end("t", exit_class::normal, {});
  CAF_CHECK(is(h.finished, runtime_errc::shutdown));
}

CAF_TEST(an_ordered_stop_of_a_significant_child_does_not_count) {
  auto h = significant(auto_shutdown::any_significant);
  h.order(&supervision::terminate_child, "s");
  CAF_CHECK(!h.finished);
}

// --- faulty specifications -----------------------------------------------------------------------

CAF_TEST(faulty_specs_give_precise_errors) {
  const auto text = [](const supervisor_rules& rules, const child_spec& s) {
    const auto checked = supervision::check(rules, s);
    return checked ? std::string{} : checked.error().text;
  };
  supervisor_rules rules;
  CAF_CHECK_EQUAL(text(rules, spec("")), "a child without an id");
  auto child = spec("x");
  child.significant = true;
  CAF_CHECK_EQUAL(text(rules, child),
                  "child 'x': a permanent child can't be significant: it never ends for good");
  child.restart = restart_type::transient;
  CAF_CHECK_EQUAL(text(rules, child),
                  "child 'x': significant, but the supervisor's auto_shutdown is never");
  child.significant = false;
  child.grace = -1ns;
  CAF_CHECK_EQUAL(text(rules, child), "child 'x': negative grace");
  child.grace = 0ns;
  CAF_CHECK_EQUAL(text(rules, child), "");
  rules.period = 0ns;
  CAF_CHECK_EQUAL(text(rules, child), "child 'x': the supervisor's period must be positive");
  harness h;
  CAF_CHECK(h.add("a").added);
  CAF_CHECK(!h.add("a").added);
}
