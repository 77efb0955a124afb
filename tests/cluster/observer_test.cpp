#define CAF_SUITE observer
#include "messages/introspection.hpp"
#include "messages/trading.hpp"
#include "runtime/actor/actor_table.hpp"
#include "runtime/actor/supervisor_actor.hpp"
#include "runtime/cluster/node_verbs.hpp"
#include "tests/cluster/planets.hpp"

#include <fstream>
#include <sstream>

// What operators and consoles ask of a node, over the simulated network.

using namespace troupe;
using namespace troupe::planets;

namespace {

/// Takes orders of trading and has a setting.
using worker_interface = caf::typed_actor<rpc<status_request>::to<status_report>, on<intent>>;

struct worker_state {
  using handle_type = worker_interface;
  static inline const char* name = "worker";
  worker_state(actor_pointer<worker_interface> self, int* starts) {
    ++*starts;
    declare_setting(self, whole_setting(
                              "limit", "orders at a time", 1, 9, [this] { return limit; },
                              [this](std::int64_t x) { limit = x; }));
  }
  worker_interface::behavior_type make_behavior() {
    return {[](const status_request&) {
              return status_report{"worker", R"({"open":true})"};
            },
            [](const intent&) {}};
  }
  std::int64_t limit = 3;
};

struct observed : fixture {
  /// A node with supervisor/x over `main/worker` and `executor/a`.
  node& observed_node(planet& where, const std::string& name) {
    auto& n = start(where, name);
    const actor_environment env{&market, &steady, n.names.get(), 7};
    std::vector<child_definition> children;
    for (const auto* id : {"main/worker", "executor/a"}) {
      child_spec spec;
      spec.id = id;
      children.push_back({spec, [this](const child_start& how) -> result<caf::strong_actor_ptr> {
                            auto h = spawn_actor<worker_state>(
                                how.self, {.name = how.name, .restarts = how.restarts}, &starts);
                            return caf::actor_cast<caf::strong_actor_ptr>(h);
                          }});
    }
    auto top = spawn_supervisor(where.sys, env, {.name = "supervisor/root"}, std::move(children));
    n.actors.push_back(caf::actor_cast<observable_actor>(top));
    n.names->put("supervisor/root", {caf::actor_cast<caf::strong_actor_ptr>(top), {}, 1});
    pump();
    return n;
  }

  admin_result order(node& n, const std::string& verb, const std::string& target,
                     std::map<std::string, std::string> arguments = {}) {
    auto answer =
        n.where->self->request(n.door, 30s, admin_command{verb, target, std::move(arguments), "tester"});
    pump();
    pass(100ms);
    admin_result out{false, "nothing came"};
    answer.receive([&](admin_result& x) { out = std::move(x); },
                   [&](const caf::error& e) { out.text = from_caf(e).message(); });
    return out;
  }

  std::string page(node& n, const std::string& what, const std::string& name = {}) {
    auto r = question<status_report>(n, n.door, inspect_request{what, name});
    return r ? r->json : "error: " + r.error().message();
  }

  std::string audit() const {
    std::ifstream in{data / "audit.log"};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

  static tap_start tap_of(std::string actor, std::string id = {}) {
    tap_start out;
    out.actor = std::move(actor);
    out.id = std::move(id);
    out.who = "tester";
    return out;
  }

  result<tap_page> start_tap(node& n, const tap_start& what, const caf::strong_actor_ptr& watcher) {
    return question<tap_page>(n, n.door, what, watcher);
  }

  static intent order_of(const std::string& id) {
    intent x;
    x.client_id = id;
    return x;
  }

  int starts = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(observer_tests, observed)

// --- verbs ---------------------------------------------------------------------------------------

CAF_TEST(restart_stop_and_start_go_through_the_supervisors_slot) {
  auto& n = observed_node(earth, "earth");
  CAF_CHECK_EQUAL(starts, 2);
  auto done = order(n, "restart", "main/worker");
  CAF_CHECK(done.done);
  CAF_CHECK_EQUAL(starts, 3);
  CAF_CHECK(order(n, "stop", "main/worker").done);
  CAF_CHECK(!answers(n, "main/worker"));
  CAF_CHECK(has(page(n, "actor", "main/worker"), R"("actor":null)"));
  CAF_CHECK(has(page(n, "actor", "main/worker"), R"("state":"stopped")"));
  CAF_CHECK(order(n, "start", "main/worker").done);
  CAF_CHECK(answers(n, "main/worker"));
  CAF_CHECK_EQUAL(starts, 4);
  done = order(n, "kill", "main/worker");
  CAF_CHECK(done.done);
  CAF_CHECK_EQUAL(starts, 5);
  CAF_CHECK(has(page(n, "tree"), "killed by an operator"));
  CAF_CHECK(has(page(n, "tree"), R"("restarts_in_period":0)"));
  done = order(n, "restart", "main/wroker");
  CAF_CHECK(!done.done);
  CAF_CHECK(has(done.text, "did you mean"));
  CAF_CHECK(!order(n, "kill", "node").done);
}

CAF_TEST(severe_orders_need_the_name_once_more_and_are_audited_either_way) {
  auto& n = observed_node(earth, "earth");
  for (const auto* verb : {"kill", "restart", "stop"}) {
    const auto refused = order(n, verb, "executor/a");
    CAF_CHECK(!refused.done);
    CAF_CHECK(has(refused.text, "--confirm=executor/a"));
    CAF_CHECK(!order(n, verb, "executor/a", {{"confirm", "executor/b"}}).done);
  }
  CAF_CHECK_EQUAL(starts, 2);
  CAF_CHECK(order(n, "restart", "executor/a", {{"confirm", "executor/a"}}).done);
  CAF_CHECK_EQUAL(starts, 3);
  CAF_CHECK(!order(n, "drain", "").done);
  const auto chain = verify_audit(audit());
  CAF_REQUIRE(chain);
  CAF_CHECK_EQUAL(chain->records, 16u); // eight orders, each before and after
  CAF_CHECK(has(
      audit(),
      R"("event":"outcome","who":"tester","verb":"stop","target":"executor/a","arguments":{},"done":false)"));
}

CAF_TEST(settings_are_listed_checked_and_changed) {
  auto& n = observed_node(earth, "earth");
  CAF_CHECK(has(page(n, "actor", "main/worker"),
                R"({"key":"limit","value":"3","allowed":"1 to 9","meaning":"orders at a time"})"));
  CAF_CHECK(order(n, "set", "main/worker", {{"key", "limit"}, {"value", "7"}}).done);
  CAF_CHECK(has(page(n, "actor", "main/worker"), R"("value":"7")"));
  auto refused = order(n, "set", "main/worker", {{"key", "limit"}, {"value", "70"}});
  CAF_CHECK(!refused.done);
  CAF_CHECK_EQUAL(refused.text, "limit: '70' is not a whole number from 1 to 9");
  refused = order(n, "set", "main/worker", {{"key", "size"}, {"value", "7"}});
  CAF_CHECK(has(refused.text, "there are limit (1 to 9)"));
  refused = order(n, "set", "supervisor/root", {{"key", "size"}, {"value", "7"}});
  CAF_CHECK(has(refused.text, "it has none"));
  CAF_CHECK(!order(n, "set", "nobody", {{"key", "size"}, {"value", "7"}}).done);
}

CAF_TEST(log_levels_are_checked) {
  auto& n = observed_node(earth, "earth");
  CAF_CHECK(order(n, "log-level", "", {{"level", "info"}}).done);
  CAF_CHECK(order(n, "log-level", "", {{"level", "warn"}, {"component", "feed"}}).done);
  CAF_CHECK(has(order(n, "log-level", "", {{"level", "loud"}}).text, "not 'loud'"));
}

CAF_TEST(drain_answers_first_and_ends_the_node_then) {
  int drained = 0;
  auto verbs = builtin_verbs({{&market, &steady, nullptr, 1}, {"earth"}, [&] { ++drained; }});
  auto& n = observed_node(earth, "earth");
  std::string text;
  auto asker = spawn_actor<node_state>(
      earth.sys, spawn_options{.name = "other"}, actor_environment{&market, &steady, n.names.get(), 7},
      [&] {
        node_options o;
        o.spec = *conf.find("earth");
        o.verbs["drain"] = verbs["drain"];
        return o;
      }(),
      n.member, std::make_shared<audit_log>(audit_log::open(data).value()));
  const auto answer =
      question<admin_result>(n, asker, admin_command{"drain", "", {{"confirm", "earth"}}, "tester"});
  CAF_CHECK(answer.value().done);
  CAF_CHECK_EQUAL(drained, 0);
  pass(300ms);
  CAF_CHECK_EQUAL(drained, 1);
  caf::anon_send_exit(asker, caf::exit_reason::kill);
  pump();
}

// --- pages ---------------------------------------------------------------------------------------

CAF_TEST(pages_tell_of_actors_and_of_the_node) {
  auto& n = observed_node(earth, "earth");
  actor_query query;
  query.match = "main/";
  const auto list = question<actor_page>(n, n.door, query);
  CAF_REQUIRE(list);
  CAF_REQUIRE_EQUAL(list->rows.size(), 1u);
  CAF_CHECK_EQUAL(list->rows[0].parent, "supervisor/root");
  CAF_CHECK_EQUAL(list->node.text, "earth");
  CAF_CHECK_EQUAL(list->incarnation, 1u);
  const auto actor = page(n, "actor", "main/worker");
  CAF_CHECK(has(actor, R"("state":{"open":true})"));
  CAF_CHECK(has(actor, R"("watchers":["supervisor/root"])"));
  CAF_CHECK(has(actor,
                R"("slot":{"supervisor":"supervisor/root","child":{"id":"main/worker","state":"running")"));
  CAF_CHECK(has(page(n, "node"), R"("process":{"pid":)"));
  CAF_CHECK(has(page(n, "actor", "nobody"), "no actor 'nobody'"));
  CAF_CHECK(has(page(n, "soup"), "not 'soup'"));
  CAF_CHECK(has(page(n, "tree", "supervisor/y"), "no supervisor 'supervisor/y'"));
  const auto events = question<timeline_page>(n, n.door, timeline_query{0, 1000});
  CAF_REQUIRE(events);
  CAF_CHECK(!events->rows.empty());
}

CAF_TEST(an_actor_that_does_not_answer_has_a_page_all_the_same) {
  auto& n = observed_node(earth, "earth");
  add_echo(n, "echo/patient", true);
  auto answer = n.where->self->request(n.door, 10s, inspect_request{"actor", "echo/patient"});
  pass(1500ms);
  std::string text;
  answer.receive([&](status_report& x) { text = x.json; },
                 [&](const caf::error& e) { text = from_caf(e).message(); });
  CAF_CHECK(has(text, R"("state":{"error":"no answer from echo/patient)"));
  CAF_CHECK(has(text, R"("kind":"echo")"));
}

// --- taps ----------------------------------------------------------------------------------------

CAF_TEST(a_tap_works_from_another_node_and_ends_with_its_watcher) {
  auto& a = observed_node(earth, "earth");
  auto& b = start(mars, "mars");
  wire(earth, "earth", mars);
  CAF_REQUIRE(pass_until(5s, [&] { return sees(a, "mars", "up") && sees(b, "earth", "up"); }));
  add_echo(b, "console");
  add_echo(a, "local");
  const auto watcher = caf::actor_cast<caf::strong_actor_ptr>(b.actors.back());
  const auto begun = start_tap(a, tap_of("main/worker"), watcher);
  CAF_REQUIRE(begun);
  CAF_CHECK(actor_table::instance().find("main/worker").tapped);
  caf::anon_send(a.names->find<worker_interface>("main/worker"), order_of("o-1"));
  pump();
  auto page = question<tap_page>(a, a.door, tap_pull{begun->tap, 10});
  CAF_REQUIRE(page);
  CAF_REQUIRE_EQUAL(page->rows.size(), 1u);
  CAF_CHECK_EQUAL(page->rows[0].type, "intent");
  CAF_CHECK_EQUAL(page->node.text, "earth");
  caf::anon_send_exit(watcher, caf::exit_reason::kill);
  pump();
  CAF_CHECK(!actor_table::instance().find("main/worker").tapped);
  CAF_CHECK(!question<tap_page>(a, a.door, tap_pull{begun->tap, 10}).has_value());
  CAF_CHECK(has(audit(), R"("verb":"tap","target":"main/worker")"));
}

CAF_TEST(a_tap_ends_with_the_link_to_its_watcher) {
  auto& a = observed_node(earth, "earth");
  auto& b = start(mars, "mars");
  wire(earth, "earth", mars);
  CAF_REQUIRE(pass_until(5s, [&] { return sees(a, "mars", "up") && sees(b, "earth", "up"); }));
  add_echo(b, "console");
  // As earth knows it: the handle came over the wire.
  CAF_REQUIRE(pass_until(3s, [&] { return a.names->handle("console") != nullptr; }));
  const auto begun = start_tap(a, tap_of({}, "o-1"), a.names->handle("console"));
  CAF_REQUIRE(begun);
  CAF_CHECK(actor_table::instance().find("main/worker").tapped);
  cut(earth, last_server_end, mars, last_client_end);
  pump();
  pass(1s);
  CAF_CHECK(!actor_table::instance().find("main/worker").tapped);
}

CAF_TEST(a_stopped_tap_can_be_fetched_for_a_while_and_then_is_forgotten) {
  auto& n = observed_node(earth, "earth");
  add_echo(n, "console");
  const auto watcher = caf::actor_cast<caf::strong_actor_ptr>(n.actors.back());
  auto what = tap_of("main/worker");
  what.duration = 2s;
  const auto begun = start_tap(n, what, watcher);
  CAF_REQUIRE(begun);
  caf::anon_send(n.names->find<worker_interface>("main/worker"), order_of("o-1"));
  pump();
  pass(2500ms);
  CAF_CHECK(!actor_table::instance().find("main/worker").tapped);
  const auto page = question<tap_page>(n, n.door, tap_pull{begun->tap, 10});
  CAF_REQUIRE(page);
  CAF_CHECK_EQUAL(page->rows.size(), 1u);
  CAF_CHECK(page->ended);
  pass(11s);
  CAF_CHECK(!question<tap_page>(n, n.door, tap_pull{begun->tap, 10}).has_value());
  CAF_CHECK(!start_tap(n, tap_of("main/worker"), nullptr).has_value());
  CAF_CHECK(!start_tap(n, tap_of({}), watcher).has_value());
}

CAF_TEST_FIXTURE_SCOPE_END()
