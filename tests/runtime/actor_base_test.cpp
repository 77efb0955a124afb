#define CAF_SUITE actor_base
#include "tests/runtime/actor_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

struct fixture : actor_fixture {
  subject_actor subject(std::string name = "subject/1") {
    return keep(spawn_actor<subject_state>(sys, {.name = std::move(name)}, &notes));
  }

  /// Keeps a tester alive for the test.
  tester_actor inside(tester_state::body body, spawn_options options = {}) {
    auto h = keep(spawn_actor<tester_state>(sys, std::move(options), std::move(body)));
    settle();
    return h;
  }

  auto written() {
    return [this](const auto& answer) { notes.push_back("ok " + describe(answer)); };
  }
  auto failed() {
    return [this](const error& e) { notes.push_back("error " + e.message()); };
  }
  static std::string describe(const status_report& r) { return r.name; }
  static std::string describe(const admin_result& r) { return r.text; }

  actor_report report(const std::string& name) { return actor_table::instance().find(name); }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(actor_base_tests, fixture)

// --- ask -----------------------------------------------------------------------------------------

CAF_TEST(ask_brings_the_answer_or_the_others_error) {
  auto s = subject();
  auto t = inside([&](auto* self) {
    ask(self, s, 1s, status_request{}).then(written(), failed());
    ask(self, s, 1s, status_request{200}).then(written(), failed());
  });
  CAF_CHECK_EQUAL(took(), "+subject/1, ok subject/1, error not now (runtime: busy)");
  pass(2s);
  CAF_CHECK_EQUAL(took(), "");
}

CAF_TEST(ask_times_out_with_the_name_of_who_did_not_answer) {
  auto s = subject();
  auto t =
      inside([&](auto* self) { ask(self, s, 250ms, order("never")).then(written(), failed()); });
  pass(245ms);
  CAF_CHECK_EQUAL(took(), "+subject/1");
  pass(5ms);
  CAF_CHECK_EQUAL(took(),
                  "error no answer from subject/1 within 250 ms (runtime: no answer in time)");
}

CAF_TEST(ask_of_an_empty_handle_fails) {
  auto t = inside([&](auto* self) {
    ask(self, subject_actor{}, 1s, status_request{}).then(written(), failed());
  });
  CAF_CHECK_EQUAL(took(), "error asked an actor that is not there (runtime: no receiver)");
}

CAF_TEST(ask_of_a_dead_actor_fails_at_once) {
  auto s = subject();
  settle();
  send_kill(s);
  settle();
  took();
  auto t =
      inside([&](auto* self) { ask(self, s, 1s, status_request{}).then(written(), failed()); });
  CAF_CHECK(took().find("(runtime: receiver has exited)") != std::string::npos);
}

CAF_TEST(more_asks_than_allowed_fail_at_once_and_room_comes_back) {
  auto s = subject();
  actor_pointer<tester_actor> self = nullptr;
  auto t = inside(
      [&](auto* me) {
        self = me;
        for (int i = 0; i < 3; ++i)
          ask(me, s, 1s, order("never")).then(written(), failed());
      },
      {.asks_in_flight = 2});
  CAF_CHECK_EQUAL(took(), "+subject/1, error more than 2 questions are unanswered (runtime: too "
                          "many unanswered questions)");
  CAF_CHECK_EQUAL(self->core().asks_open(), 2u);
  pass(1s);
  CAF_CHECK_EQUAL(self->core().asks_open(), 0u);
}

CAF_TEST(answers_after_the_time_out_are_ignored) {
  int answers = 0;
  auto slow = spawn_actor<tester_state>(sys, {.name = "slow"}, [](auto*) {});
  auto t = inside([&](auto* self) {
    ask(self, slow, 10ms, status_request{})
        .then([&](const status_report&) { ++answers; }, [&](const error&) { ++answers; });
  });
  CAF_CHECK_EQUAL(answers, 1);
  pass(1s);
  CAF_CHECK_EQUAL(answers, 1);
}

CAF_TEST(many_answered_asks_leave_no_timers_behind) {
  // With CAF's own time-outs each of these would stay in the clock for an hour.
  auto s = subject();
  int left = 2000;
  std::function<void(actor_pointer<tester_actor>)> next = [&](actor_pointer<tester_actor> self) {
    if (--left > 0)
      ask(self, s, 1h, status_request{})
          .then([&, self](const status_report&) { next(self); }, failed());
  };
  auto t = inside(next);
  CAF_CHECK_EQUAL(left, 0);
  CAF_CHECK(sched.clock().schedule().size() <= 2);
}

// --- tell ----------------------------------------------------------------------------------------

CAF_TEST(tell_reaches_typed_and_untyped_handles_and_says_when_there_is_none) {
  auto s = subject();
  auto t = inside([&](auto* self) {
    CAF_CHECK(tell(self, s, order("note", "typed")));
    CAF_CHECK(tell(self, caf::actor_cast<caf::strong_actor_ptr>(s), order("note", "untyped")));
    CAF_CHECK(!tell(self, subject_actor{}, order("note", "x")));
    CAF_CHECK(!tell(self, caf::strong_actor_ptr{}, order("note", "x")));
  });
  CAF_CHECK_EQUAL(took(), "+subject/1, typed, untyped");
  // The untyped one could not know that its receiver answers; that answer is counted, nobody is
  // hurt.
  CAF_CHECK_EQUAL(report("tester").unexpected, 1u);
}

CAF_TEST(an_answer_that_is_an_error_does_not_end_who_only_told) {
  auto s = subject();
  auto t = inside([&](auto* self) {
    tell(self, caf::actor_cast<caf::strong_actor_ptr>(s), status_request{200});
  });
  CAF_CHECK_EQUAL(report("tester").errors, 1u);
  CAF_CHECK_EQUAL(report("tester").last_error, "not now (runtime: busy)");
}

CAF_TEST(urgent_messages_pass_ordinary_ones) {
  auto s = subject();
  settle();
  took();
  anon_send(s, order("note", "first"));
  anon_send(s, order("note", "second"));
  auto t = spawn_actor<tester_state>(
      sys, {}, [&](auto* self) { tell_urgent(self, s, order("note", "urgent")); });
  sched.prioritize(t);
  sched.run_once();
  settle();
  CAF_CHECK_EQUAL(took(), "urgent, first, second");
}

// --- schedule ------------------------------------------------------------------------------------

CAF_TEST(callbacks_run_in_order_of_time_and_can_be_cancelled) {
  auto t = inside([&](auto* self) {
    schedule(self, 30ms, [&] { notes.push_back("30"); });
    schedule(self, 10ms, [&, self] {
      notes.push_back("10");
      schedule(self, 10ms, [&] { notes.push_back("10+10"); });
    });
    const auto token = schedule(self, 15ms, [&] { notes.push_back("never"); });
    CAF_CHECK(cancel(self, token));
    CAF_CHECK(!cancel(self, token));
  });
  pass(1s);
  CAF_CHECK_EQUAL(took(), "10, 10+10, 30");
}

CAF_TEST(callbacks_die_with_their_actor) {
  auto t = inside([&](auto* self) {
    schedule(self, 10ms, [self] { stop(self); });
    schedule(self, 10ms, [&] { notes.push_back("after the end"); });
    schedule(self, 20ms, [&] { notes.push_back("long after the end"); });
  });
  pass(1s);
  CAF_CHECK_EQUAL(took(), "");
}

CAF_TEST(a_periodic_short_timer_does_not_pile_up_wakes_for_a_long_one) {
  int ticks = 0;
  std::function<void(actor_pointer<tester_actor>)> tick = [&](actor_pointer<tester_actor> self) {
    if (++ticks < 200) schedule(self, 5ms, [&, self] { tick(self); });
  };
  auto t = inside([&](auto* self) {
    schedule(self, 1h, [] {});
    tick(self);
  });
  pass(2s);
  CAF_CHECK_EQUAL(ticks, 200);
  CAF_CHECK(sched.clock().schedule().size() <= 2);
}

// --- watch ---------------------------------------------------------------------------------------

CAF_TEST(watch_tells_the_reason_once_per_watch) {
  auto s = subject();
  auto t = inside([&](auto* self) {
    watch(self, s, [&](const error& e) { notes.push_back("one " + e.message()); });
    watch(self, s, [&](const error& e) { notes.push_back("two " + e.message()); });
    const auto off = watch(self, s, [&](const error&) { notes.push_back("never"); });
    CAF_CHECK(unwatch(self, off));
    CAF_CHECK(!unwatch(self, off));
  });
  took();
  anon_send(s, order("fail"));
  settle();
  CAF_CHECK_EQUAL(took(),
                  "-subject/1, one had enough (runtime: busy), two had enough (runtime: busy)");
}

CAF_TEST(watching_the_dead_or_nobody_calls_back) {
  auto s = subject();
  settle();
  send_shutdown(s);
  settle();
  took();
  int calls = 0;
  auto t = inside([&](auto* self) {
    watch(self, s, [&](const error&) { ++calls; });
    watch(self, subject_actor{},
          [&](const error& e) { calls += e.code == runtime_errc::no_receiver ? 1 : 0; });
  });
  pass(5ms);
  CAF_CHECK_EQUAL(calls, 2);
}

CAF_TEST(a_normal_end_has_no_code_and_a_kill_is_told) {
  auto a = subject("a");
  auto b = subject("b");
  std::vector<error> reasons;
  auto t = inside([&](auto* self) {
    watch(self, a, [&](const error& e) { reasons.push_back(e); });
    watch(self, b, [&](const error& e) { reasons.push_back(e); });
  });
  anon_send(a, order("quit"));
  send_kill(b);
  settle();
  CAF_REQUIRE_EQUAL(reasons.size(), 2u);
  CAF_CHECK(!reasons[0].code);
  CAF_CHECK(reasons[1].code == runtime_errc::killed);
}

CAF_TEST(a_child_ends_with_its_parent) {
  subject_actor child;
  auto parent = inside(
      [&](auto* self) { child = spawn_actor<subject_state>(self, {.name = "child"}, &notes); },
      {.name = "parent"});
  CAF_CHECK_EQUAL(report("child").parent, "parent");
  took();
  send_kill(parent);
  settle();
  CAF_CHECK_EQUAL(took(), "-child");
}

// --- errors and counters -------------------------------------------------------------------------

CAF_TEST(an_exception_ends_the_actor_and_its_text_reaches_asker_and_watcher) {
  auto s = subject();
  auto t = inside([&](auto* self) {
    watch(self, s, [&](const error& e) { notes.push_back("down " + e.text); });
    ask(self, s, 1s, order("throw")).then(written(), [&](const error& e) {
      notes.push_back("error " + e.text);
    });
  });
  const auto text = took();
  CAF_CHECK(text.find("error subject/1: handler of admin_command: out of luck")
            != std::string::npos);
  CAF_CHECK(text.find("down subject/1: handler of admin_command: out of luck")
            != std::string::npos);
}

CAF_TEST(counters_count) {
  auto s = subject();
  for (int i = 0; i < 5; ++i)
    anon_send(s, order("note", "x"));
  anon_send(s, status_request{});
  CAF_CHECK_EQUAL(report("subject/1").mailbox, 6u);
  settle();
  auto r = report("subject/1");
  CAF_CHECK_EQUAL(r.kind, "subject");
  CAF_CHECK_EQUAL(r.mailbox, 0u);
  CAF_CHECK_EQUAL(r.messages, 6u);
  CAF_REQUIRE_EQUAL(r.types.size(), 2u);
  CAF_CHECK_EQUAL(r.types[0].type, "admin_command");
  CAF_CHECK_EQUAL(r.types[0].count, 5u);
  CAF_CHECK(r.types[0].p50 > 0ns && r.types[0].p99 >= r.types[0].p50);
  CAF_CHECK_EQUAL(r.types[1].type, "status_request");
  CAF_CHECK_EQUAL(r.types[1].count, 1u);
  CAF_CHECK(r.handler_p50 > 0ns && r.handler_p99 >= r.handler_p50);
  // Nobody has a handler for a quote here: counted, not printed.
  self->send(caf::actor_cast<caf::actor>(s), acknowledged{7});
  settle();
  r = report("subject/1");
  CAF_CHECK_EQUAL(r.unexpected, 1u);
  send_kill(s);
  settle();
  CAF_CHECK(report("subject/1").name.empty());
}

CAF_TEST(types_beyond_the_table_are_counted_together) {
  type_counts counts;
  for (std::uintptr_t key = 1; key <= 40; ++key)
    counts.add(key);
  counts.add(3);
  const auto all = counts.read();
  CAF_CHECK_EQUAL(all.size(), type_counts::capacity + 1);
  std::uint64_t sum = 0;
  for (const auto& e : all)
    sum += e.count;
  CAF_CHECK_EQUAL(sum, 41u);
  CAF_CHECK_EQUAL(all.back().key, 0u);
  CAF_CHECK_EQUAL(all.back().count, 25u);
}

CAF_TEST(errors_keep_code_category_and_text_through_caf) {
  const error own{runtime_errc::not_found, "no such thing"};
  const auto back = from_caf(to_caf(own));
  CAF_CHECK(back.code == own.code);
  CAF_CHECK_EQUAL(back.text, own.text);
  const error module{money_errc::out_of_range, "too much"};
  CAF_CHECK(from_caf(to_caf(module)).code == money_errc::out_of_range);
  CAF_CHECK(!to_caf({}));
  CAF_CHECK(!from_caf({}).code);
  CAF_CHECK(from_caf(caf::sec::request_timeout).code == runtime_errc::timeout);
  CAF_CHECK(from_caf(caf::exit_reason::kill).code == runtime_errc::killed);
  CAF_CHECK(from_caf(caf::exit_reason::user_shutdown).code == runtime_errc::shutdown);
  CAF_CHECK(from_caf(caf::exit_reason::remote_link_unreachable).code == runtime_errc::node_down);
}

// --- suspension ----------------------------------------------------------------------------------

CAF_TEST(a_suspended_actor_parks_ordinary_messages_and_handles_them_in_order_later) {
  auto s = subject();
  settle();
  took();
  CAF_REQUIRE(actor_table::instance().set_suspended("subject/1", true));
  for (const auto* text : {"1", "2", "3"})
    anon_send(s, order("note", text));
  settle();
  CAF_CHECK_EQUAL(took(), "");
  CAF_CHECK_EQUAL(report("subject/1").parked, 3u);
  auto t = inside([&](auto* self) {
    tell_urgent(self, s, order("note", "urgent"));
    ask(self, s, 1s, status_request{}).then(written(), failed());
  });
  CAF_CHECK_EQUAL(took(), "urgent");
  CAF_REQUIRE(actor_table::instance().set_suspended("subject/1", false));
  anon_send(s, order("note", "4"));
  settle();
  CAF_CHECK_EQUAL(took(), "1, 2, 3, 4, ok subject/1");
  CAF_CHECK(!actor_table::instance().set_suspended("nobody", true));
}

CAF_TEST(a_full_parking_lot_refuses_and_counts) {
  auto s = keep(spawn_actor<subject_state>(sys, {.name = "small", .parking_places = 2}, &notes));
  settle();
  took();
  actor_table::instance().set_suspended("small", true);
  auto t = inside([&](auto* self) {
    for (int i = 0; i < 3; ++i)
      ask(self, s, 1s, status_request{}).then(written(), failed());
  });
  CAF_CHECK_EQUAL(took(),
                  "error small is suspended and holds 2 messages (runtime: actor is suspended)");
  send_kill(s);
  settle();
  // What was parked is answered when the actor ends.
  CAF_CHECK(took().find("receiver has exited") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
