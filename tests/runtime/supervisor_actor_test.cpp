#define CAF_SUITE supervisor_actor
#include "runtime/actor/supervisor_actor.hpp"
#include "tests/runtime/actor_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

struct fixture : actor_fixture {
  ~fixture() override { end_all(); }

  child_definition worker(std::string id, restart_type restart = restart_type::permanent) {
    return child<subject_state>({.id = std::move(id), .restart = restart}, {}, &notes);
  }

  supervisor_options options(restart_strategy strategy = restart_strategy::one_for_one,
                             std::string name = "top") {
    supervisor_options out;
    out.name = std::move(name);
    out.rules.strategy = strategy;
    out.on_event = [this](const supervisor_event& e) { events.push_back(e); };
    return out;
  }

  supervisor_actor supervise(supervisor_options how, std::vector<child_definition> children) {
    auto h = keep(spawn_supervisor(sys, environment(), std::move(how), std::move(children)));
    watch_end(h);
    pass(5ms);
    return h;
  }

  /// Writes down how the supervisor ends.
  void watch_end(const supervisor_actor& h) {
    h->attach_functor([this](const caf::error& reason) { ended = from_caf(reason); });
  }

  subject_actor find(const std::string& id) { return names.find<subject_actor>(id); }

  void tell(const std::string& id, const std::string& verb) {
    anon_send(find(id), order(verb));
    settle();
  }

  /// An order from this process; true on success.
  std::error_code give(const supervisor_actor& top, child_order what) {
    std::error_code out = std::make_error_code(std::errc::operation_in_progress);
    auto t = keep(spawn_actor<tester_state>(sys, {}, [&](auto* me) {
      ask(me, top, 1h, what)
          .then([&](const acknowledged&) { out = {}; }, [&](const error& e) { out = e.code; });
    }));
    settle();
    return out;
  }

  std::string status(const supervisor_actor& top, std::uint8_t verbosity) {
    std::string out;
    auto t = keep(spawn_actor<tester_state>(sys, {}, [&](auto* me) {
      ask(me, top, 1s, status_request{verbosity})
          .then([&](const status_report& r) { out = r.json; },
                [&](const error& e) { out = e.message(); });
    }));
    settle();
    return out;
  }

  std::vector<supervisor_event> events;
  std::optional<error> ended;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_actor_tests, fixture)

CAF_TEST(children_start_in_order_are_found_by_name_and_stop_in_reverse) {
  auto top = supervise(options(), {worker("a"), worker("b"), worker("c")});
  CAF_CHECK_EQUAL(took(), "+a, +b, +c");
  CAF_CHECK(find("b"));
  CAF_CHECK_EQUAL(actor_table::instance().find("b").parent, "top");
  send_shutdown(top);
  settle();
  CAF_CHECK_EQUAL(took(), "-c, -b, -a");
  CAF_CHECK(ended && ended->code == runtime_errc::shutdown);
  CAF_CHECK_EQUAL(names.size(), 0u);
}

CAF_TEST(permanent_children_restart_after_every_end) {
  auto top = supervise(options(), {worker("a")});
  for (const auto* verb : {"quit", "shutdown", "fail"}) {
    const auto before = names.entry("a")->incarnation;
    tell("a", verb);
    pass(100ms);
    CAF_REQUIRE(find("a"));
    CAF_CHECK(names.entry("a")->incarnation > before);
    // Its supervisor has asked it meanwhile, and knows since when it answers.
    const auto page = status(top, 0);
    std::size_t times = 0;
    for (auto at = page.find("\"back_us\":"); at != std::string::npos; at = page.find("\"back_us\":", at + 1)) ++times;
    CAF_CHECK_EQUAL(times, actor_table::instance().find("a").restarts);
  }
  CAF_CHECK_EQUAL(took(), "+a, -a, +a, -a, +a, -a, +a");
  CAF_CHECK_EQUAL(actor_table::instance().find("a").restarts, 3u);
}

CAF_TEST(transient_children_restart_only_after_an_abnormal_end) {
  auto top = supervise(
      options(), {worker("n", restart_type::transient), worker("s", restart_type::transient),
                  worker("f", restart_type::transient), worker("k", restart_type::transient)});
  tell("n", "quit");
  tell("s", "shutdown");
  tell("f", "fail");
  send_kill(find("k"));
  settle();
  CAF_CHECK(!find("n"));
  CAF_CHECK(!find("s"));
  CAF_CHECK(find("f"));
  CAF_CHECK(find("k"));
}

CAF_TEST(temporary_children_are_forgotten) {
  auto top = supervise(options(),
                       {worker("n", restart_type::temporary), worker("s", restart_type::temporary),
                        worker("f", restart_type::temporary), worker("x")});
  tell("n", "quit");
  tell("s", "shutdown");
  tell("f", "fail");
  pass(1s);
  CAF_CHECK_EQUAL(names.size(), 1u);
  CAF_CHECK(status(top, 0).find("\"counts\":{\"specs\":1,\"active\":1") != std::string::npos);
}

CAF_TEST(one_for_all_and_rest_for_one_on_actors) {
  auto all =
      supervise(options(restart_strategy::one_for_all), {worker("a"), worker("b"), worker("c")});
  took();
  tell("b", "throw");
  CAF_CHECK_EQUAL(took(), "-b, -c, -a, +a, +b, +c");
  auto rest = supervise(options(restart_strategy::rest_for_one, "rest"),
                        {worker("x"), worker("y"), worker("z")});
  took();
  tell("y", "throw");
  CAF_CHECK_EQUAL(took(), "-y, -z, +y, +z");
}

CAF_TEST(too_many_restarts_end_the_supervisor_with_the_causes) {
  auto how = options();
  how.rules.intensity = 2;
  auto top = supervise(how, {worker("a"), worker("b")});
  for (int i = 0; i < 3; ++i) {
    tell("a", "throw");
    pass(300ms);
  }
  CAF_REQUIRE(ended.has_value());
  CAF_CHECK(ended->code == runtime_errc::restart_intensity);
  CAF_CHECK(ended->text.find("a: a: handler of admin_command: out of luck") != std::string::npos);
  CAF_CHECK_EQUAL(names.size(), 0u);
}

CAF_TEST(what_only_a_person_can_mend_goes_up_at_once_and_with_its_words) {
  auto inner = options(restart_strategy::rest_for_one, "inner");
  auto middle = options(restart_strategy::one_for_one, "middle");
  auto top = supervise(
      options(), {child_supervisor(environment(), middle,
                                   {child_supervisor(environment(), inner, {worker("a"), worker("b")})}),
                  worker("c")});
  took();
  events.clear();
  tell("a", "mend");
  pass(1s);
  CAF_CHECK_EQUAL(took(), "-a, -b, -c");
  CAF_REQUIRE(ended.has_value());
  CAF_CHECK(is_for_operator(*ended));
  CAF_CHECK_EQUAL(ended->text, "file x is damaged; restore it");
  CAF_CHECK_EQUAL(names.size(), 0u);
  CAF_CHECK(std::ranges::none_of(
      events, [](const supervisor_event& e) { return e.what == supervisor_event::kind::started; }));
}

CAF_TEST(a_failure_below_goes_up_level_by_level) {
  auto inner = options(restart_strategy::one_for_one, "inner");
  inner.rules.intensity = 0;
  auto top = supervise(
      options(), {child_supervisor(environment(), inner, {worker("a"), worker("b")}), worker("c")});
  CAF_CHECK_EQUAL(took(), "+c, +a, +b");
  tell("a", "throw");
  pass(10ms);
  // The inner supervisor gives up and is restarted with its children by the one above.
  CAF_CHECK_EQUAL(took(), "-a, -b, +a, +b");
  CAF_CHECK(find("a") && find("b"));
  CAF_CHECK(!ended);
}

CAF_TEST(a_tree_stops_depth_first_from_the_right) {
  auto left = child_supervisor(environment(), options(restart_strategy::one_for_one, "left"),
                               {worker("a"), worker("b")});
  auto right = child_supervisor(environment(), options(restart_strategy::one_for_one, "right"),
                                {worker("c"), worker("d")});
  auto top = supervise(options(), {left, right});
  took();
  send_shutdown(top);
  settle();
  CAF_CHECK_EQUAL(took(), "-d, -c, -b, -a");
}

CAF_TEST(the_tree_is_told_as_json) {
  auto inner = child_supervisor(environment(), options(restart_strategy::rest_for_one, "inner"),
                                {worker("a")});
  auto top = supervise(options(), {inner, worker("b")});
  const auto brief = status(top, 0);
  CAF_CHECK(brief.find("\"counts\":{\"specs\":2,\"active\":2,\"supervisors\":1,\"workers\":1}")
            != std::string::npos);
  CAF_CHECK(brief.find("\"tree\"") == std::string::npos);
  const auto deep = status(top, 1);
  CAF_CHECK(deep.find("\"tree\":{\"name\":\"inner\",\"strategy\":\"rest_for_one\"")
            != std::string::npos);
  CAF_CHECK(deep.find("\"id\":\"a\",\"state\":\"running\"") != std::string::npos);
}

CAF_TEST(children_end_when_their_supervisor_is_killed) {
  auto top = supervise(options(), {worker("a"), worker("b")});
  took();
  send_kill(top);
  settle();
  CAF_CHECK_EQUAL(actor_table::instance().find("a").name, "");
  CAF_CHECK_EQUAL(actor_table::instance().find("b").name, "");
  CAF_CHECK_EQUAL(names.size(), 0u);
}

CAF_TEST(a_child_that_no_longer_watches_its_supervisor_is_still_supervised) {
  auto definition = child<subject_state>({.id = "a"}, {.watch_parent = false}, &notes);
  auto top = supervise(options(), {definition});
  took();
  tell("a", "throw");
  CAF_CHECK_EQUAL(took(), "-a, +a");
  CAF_CHECK(!give(top, {child_order::verb::terminate, "a", nullptr}));
  CAF_CHECK_EQUAL(took(), "-a");
}

CAF_TEST(a_child_that_ignores_its_exit_comes_back_killed) {
  auto definition = worker("a");
  definition.spec.grace = 200ms;
  auto top = supervise(options(), {definition});
  tell("a", "stubborn");
  took();
  send_shutdown(top);
  pass(195ms);
  CAF_CHECK_EQUAL(took(), "");
  pass(10ms);
  CAF_CHECK_EQUAL(took(), "-a");
  const auto end = std::find_if(events.begin(), events.end(), [](const auto& e) {
    return e.what == supervisor_event::kind::ended;
  });
  CAF_REQUIRE(end != events.end());
  CAF_CHECK(end->why.code == runtime_errc::killed);
}

CAF_TEST(brutal_kill_does_not_ask) {
  auto definition = worker("a");
  definition.spec.shutdown = shutdown_kind::brutal_kill;
  auto top = supervise(options(), {definition});
  tell("a", "stubborn");
  took();
  send_shutdown(top);
  settle();
  CAF_CHECK_EQUAL(took(), "-a");
}

CAF_TEST(start_functions_may_decline_or_fail) {
  auto declines = worker("none");
  declines.start = [](const child_start&) -> result<caf::strong_actor_ptr> {
    return caf::strong_actor_ptr{};
  };
  auto top = supervise(options(), {worker("a"), declines});
  CAF_CHECK(!ended);
  CAF_CHECK(!find("none"));
  auto fails = worker("bad");
  fails.start = [](const child_start& how) -> result<caf::strong_actor_ptr> {
    return {runtime_errc::busy, how.name + " can't open its file"};
  };
  auto second = supervise(options(restart_strategy::one_for_one, "second"), {worker("b"), fails});
  CAF_REQUIRE(ended.has_value());
  CAF_CHECK(ended->code == runtime_errc::start_failed);
  CAF_CHECK(ended->text.find("bad can't open its file") != std::string::npos);
  auto throws = worker("worse");
  throws.start = [](const child_start&) -> result<caf::strong_actor_ptr> {
    throw std::runtime_error("no luck");
  };
  ended.reset();
  auto third = supervise(options(restart_strategy::one_for_one, "third"), {throws});
  CAF_REQUIRE(ended.has_value());
  CAF_CHECK(ended->text.find("no luck") != std::string::npos);
}

CAF_TEST(faulty_children_end_the_supervisor_with_a_precise_error) {
  auto top = supervise(options(), {worker("a"), worker("a")});
  CAF_REQUIRE(ended.has_value());
  CAF_CHECK(ended->code == runtime_errc::already_present);
  CAF_CHECK_EQUAL(ended->text, "two children with the id 'a'");
  CAF_CHECK_EQUAL(took(), "");
}

CAF_TEST(children_come_and_go_by_order) {
  auto top = supervise(options(restart_strategy::dynamic), {});
  CAF_CHECK(!give(top, start_order(worker("p/1"))));
  CAF_CHECK(!give(top, start_order(worker("p/2"))));
  CAF_CHECK(give(top, start_order(worker("p/2"))) == runtime_errc::already_started);
  CAF_CHECK_EQUAL(took(), "+p/1, +p/2");
  tell("p/2", "throw");
  CAF_CHECK_EQUAL(took(), "-p/2, +p/2");
  CAF_CHECK(!give(top, {child_order::verb::terminate, "p/1", nullptr}));
  CAF_CHECK(!find("p/1"));
  CAF_CHECK(give(top, {child_order::verb::terminate, "p/1", nullptr}) == runtime_errc::not_found);
  CAF_CHECK(give(top, {child_order::verb::start, "", nullptr}) == runtime_errc::bad_spec);
}

CAF_TEST(an_operators_commands_are_answered_in_words) {
  auto top = supervise(options(), {worker("a")});
  std::vector<std::string> said;
  const auto command = [&](const std::string& verb, const std::string& target) {
    auto t = keep(spawn_actor<tester_state>(sys, {}, [&](auto* me) {
      ask(me, top, 1s, order(verb, target))
          .then([&](const admin_result& r) { said.push_back((r.done ? "+" : "-") + r.text); },
                [&](const error& e) { said.push_back(e.message()); });
    }));
    settle();
    return std::exchange(said, {}).at(0);
  };
  took();
  for (int i = 0; i < 20; ++i)
    CAF_REQUIRE_EQUAL(command("kill_child", "a"), "+kill_child a: done");
  CAF_CHECK(find("a"));
  CAF_CHECK_EQUAL(command("terminate_child", "a"), "+terminate_child a: done");
  CAF_CHECK_EQUAL(command("restart_child", "a"), "+restart_child a: done");
  CAF_CHECK_EQUAL(command("delete_child", "a"),
                  "-delete_child a: child 'a' must be terminated first (runtime: still running)");
  CAF_CHECK(command("dance", "a").starts_with("-a supervisor knows"));
  CAF_CHECK_EQUAL(command("stop", ""), "+top is stopping");
  pass(5ms);
  CAF_CHECK(ended.has_value());
}

CAF_TEST(a_name_leads_to_the_new_incarnation_within_the_same_instant) {
  auto top = supervise(options(), {worker("a")});
  const auto old = find("a");
  std::vector<std::string> changes;
  const auto token = names.listen([&](const directory_change& c) {
    changes.push_back(c.what == directory_change::kind::put ? "put" : "removed");
  });
  send_kill(old);
  settle();
  CAF_CHECK(find("a") && find("a") != old);
  CAF_CHECK_EQUAL(changes.size(), 2u);
  names.unlisten(token);
}

CAF_TEST_FIXTURE_SCOPE_END()

// --- a child that blocks
// -----------------------------------------------------------------------------

CAF_TEST(a_child_blocked_in_a_handler_is_reported_stuck_and_not_waited_for) {
  real_config config;
  caf::actor_system system{config};
  directory names;
  std::promise<void> release;
  std::promise<std::string> reported;
  std::promise<error> over;
  supervisor_options how;
  how.rules.kill_wait = 30ms;
  how.on_event = [&](const supervisor_event& e) {
    if (e.what == supervisor_event::kind::stuck) reported.set_value(e.child);
  };
  auto definition = child<blocking_state>({.id = "blocked", .grace = 20ms}, {.detached = true},
                                       release.get_future().share());
  auto top = spawn_supervisor(system, {nullptr, nullptr, &names, 1}, how, {definition});
  top->attach_functor([&](const caf::error& reason) { over.set_value(from_caf(reason)); });
  subject_actor blocked;
  while (!(blocked = names.find<subject_actor>("blocked")))
    std::this_thread::yield();
  tell_anonymously(blocked, order("block"));
  while (actor_table::instance().find("blocked").handler_running == 0ns)
    std::this_thread::yield();
  send_shutdown(top);
  auto who = reported.get_future();
  CAF_REQUIRE(who.wait_for(10s) == std::future_status::ready);
  CAF_CHECK_EQUAL(who.get(), "blocked");
  auto end = over.get_future();
  CAF_REQUIRE(end.wait_for(10s) == std::future_status::ready);
  CAF_CHECK(end.get().code == runtime_errc::shutdown);
  release.set_value();
}
