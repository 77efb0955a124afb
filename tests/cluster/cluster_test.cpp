#define CAF_SUITE cluster
#include "tests/cluster/planets.hpp"

using namespace troupe;
using namespace troupe::planets;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(cluster_tests, fixture)

CAF_TEST(three_nodes_join_and_find_each_other) {
  auto& e = start(earth, "earth");
  auto& m = start(mars, "mars");
  auto& j = start(jupiter, "jupiter");
  add_echo(e, "echo/earth");
  add_echo(m, "echo/mars");
  add_echo(j, "local/private");
  wire(earth, "earth", mars);
  wire(earth, "earth", jupiter);
  wire(mars, "mars", jupiter);
  CAF_REQUIRE(pass_until(5s, [&] {
    return sees(e, "mars", "up") && sees(e, "jupiter", "up") && sees(m, "earth", "up")
           && sees(m, "jupiter", "up") && sees(j, "earth", "up") && sees(j, "mars", "up");
  }));
  CAF_CHECK(answers(e, "echo/mars"));
  CAF_CHECK(answers(m, "echo/earth"));
  CAF_CHECK(answers(j, "echo/earth") && answers(j, "echo/mars"));
  CAF_CHECK(!e.names->handle("local/private"));
  const auto where = e.names->entry("echo/mars");
  CAF_CHECK_EQUAL(where->node.text, "mars");
  CAF_MESSAGE("names that come and go travel as changes");
  add_echo(m, "model/cnn");
  CAF_CHECK(answers(e, "model/cnn") && answers(j, "model/cnn"));
  const auto entry = *m.names->entry("model/cnn");
  m.names->remove("model/cnn", entry.incarnation, entry.handle);
  pump();
  CAF_CHECK(!e.names->handle("model/cnn") && !j.names->handle("model/cnn"));
  CAF_MESSAGE("a restart of the actor replaces the handle");
  add_echo(m, "echo/mars", false, 2);
  const auto replaced = e.names->entry("echo/mars");
  CAF_CHECK_EQUAL(replaced->incarnation, 2u);
  CAF_CHECK(answers(e, "echo/mars"));
}

CAF_TEST(partition_is_noticed_and_heals) {
  node *e, *m;
  join_two(e, m);
  pass(3s);
  const auto begin = steady.now();
  CAF_REQUIRE(pass_until(
      3s, [&] { return !e->names->handle("echo/mars"); }, false));
  CAF_CHECK(steady.now() - begin <= 1500ms);
  CAF_REQUIRE(pass_until(
      1s, [&] { return !m->names->handle("echo/earth"); }, false));
  pass(200ms); // the bytes that waited arrive
  CAF_REQUIRE(pass_until(2s, [&] { return answers(*e, "echo/mars") && answers(*m, "echo/earth"); }));
  CAF_CHECK(sees(*e, "mars", "up") && sees(*m, "earth", "up"));
}

CAF_TEST(pending_asks_fail_at_once_when_the_node_goes_down) {
  node *e, *m;
  join_two(e, m);
  add_echo(*m, "patient", true);
  pump();
  error why;
  e->actors.push_back(spawn_actor<asker_state>(earth.sys, spawn_options{.name = "asker"},
                                               e->names->find<observable_actor>("patient"), &why));
  pump();
  CAF_CHECK(why.text.empty());
  cut(earth, last_server_end, mars, last_client_end);
  pump(); // no time passes
  CAF_CHECK(why.code == make_error_code(runtime_errc::node_down));
  CAF_CHECK(has(why.text, "mars"));
  CAF_CHECK(!e->names->handle("patient"));
}

CAF_TEST(reconnect_sends_everything_again_and_no_stale_handle_survives) {
  node *e, *m;
  join_two(e, m);
  const auto stale = e->names->find<observable_actor>("echo/mars");
  cut(earth, last_server_end, mars, last_client_end);
  pump();
  CAF_CHECK(!e->names->handle("echo/mars"));
  CAF_CHECK(!m->names->handle("echo/earth"));
  CAF_CHECK(sees(*e, "mars", "suspected"));
  add_echo(*m, "late");
  wire(earth, "earth", mars);
  CAF_REQUIRE(pass_until(5s, [&] { return sees(*e, "mars", "up") && sees(*m, "earth", "up"); }));
  CAF_CHECK(answers(*e, "echo/mars") && answers(*e, "late") && answers(*m, "echo/earth"));
  // Old and new proxy compare equal; only the one that the directory holds is alive.
  const auto fresh = e->names->find<observable_actor>("echo/mars");
  CAF_CHECK(fresh == stale);
  CAF_CHECK(caf::actor_cast<caf::actor_control_block*>(fresh)
            != caf::actor_cast<caf::actor_control_block*>(stale));
}

CAF_TEST(another_schema_is_refused_with_both_values) {
  auto& e = start(earth, "earth", 1, [](member_options& o) { o.schema = 0xaaa1; });
  auto& m = start(mars, "mars", 1, [](member_options& o) { o.schema = 0xbbb2; });
  wire(earth, "earth", mars);
  pass(3s);
  for (auto* n : {&e, &m}) {
    const auto text = status(*n);
    CAF_CHECK(has(text, "message schema differs"));
    CAF_CHECK(has(text, "000000000000aaa1") && has(text, "000000000000bbb2"));
    CAF_CHECK(has(text, "\"state\":\"joining\"") && !has(text, "\"state\":\"up\""));
  }
  CAF_CHECK(e.declared_dead.empty() && m.declared_dead.empty());
}

CAF_TEST(another_nodes_conf_and_another_build_are_refused) {
  auto& e = start(earth, "earth");
  auto& m = start(mars, "mars", 1, [](member_options& o) { o.build = "b2"; });
  const auto other = to_text(conf) + "node pluto host=127.0.0.1 port=14 roles=gateway\n";
  auto& j = start(jupiter, "jupiter", 1,
                  [&](member_options& o) { o.conf = parse_nodes_conf(other, "other").value(); });
  wire(earth, "earth", mars);
  wire(earth, "earth", jupiter);
  pass(3s);
  CAF_CHECK(has(status(m), "build differs: b2 at 'mars', b1 at 'earth'"));
  CAF_CHECK(has(status(j), "nodes.conf differs"));
  CAF_CHECK(!has(status(e), "\"state\":\"up\""));
}

CAF_TEST(two_processes_of_one_name_the_newer_one_stays) {
  node *e, *m;
  join_two(e, m);
  // Jupiter calls itself mars, started later.
  auto& second = start(jupiter, "mars", 2);
  add_echo(second, "echo/mars");
  wire(earth, "earth", jupiter);
  CAF_REQUIRE(pass_until(5s, [&] { return sees(second, "earth", "up"); }));
  pass(1s);
  CAF_CHECK(has(status(*e), R"({"node":"mars","state":"up","incarnation":2)"));
  CAF_CHECK(!m->declared_dead.empty());
  CAF_CHECK(second.declared_dead.empty());
  CAF_CHECK_EQUAL(e->names->handle("echo/mars")->node(), jupiter.sys.node());
  CAF_CHECK(answers(*e, "echo/mars"));
}

CAF_TEST(an_older_incarnation_is_refused_and_told) {
  auto& e = start(earth, "earth");
  auto& newer = start(jupiter, "mars", 9);
  wire(earth, "earth", jupiter);
  CAF_REQUIRE(pass_until(5s, [&] { return sees(e, "mars", "up") && sees(newer, "earth", "up"); }));
  auto& older = start(mars, "mars", 8);
  wire(earth, "earth", mars);
  pass(2s);
  CAF_CHECK(!older.declared_dead.empty());
  CAF_CHECK(has(older.declared_dead.front(), "incarnation 8 of 'mars' is dead"));
  CAF_CHECK(has(status(e), R"({"node":"mars","state":"up","incarnation":9)"));
}

CAF_TEST(farewell_is_leaving_not_suspicion) {
  node *e, *m;
  join_two(e, m);
  tell_anonymously(m->member, farewell{{"mars"}, 1, false, "ordered stop"});
  pump();
  CAF_CHECK(sees(*e, "mars", "leaving"));
  CAF_CHECK(!e->names->handle("echo/mars"));
}

CAF_TEST(one_name_on_two_nodes_the_known_one_stays) {
  node *e, *m;
  join_two(e, m);
  add_echo(*e, "twice");
  add_echo(*m, "twice");
  pump();
  CAF_CHECK(e->names->entry("twice")->node.text.empty());
  CAF_CHECK(m->names->entry("twice")->node.text.empty());
  CAF_CHECK(has(status(*e), "\"name_conflicts\":1"));
  CAF_MESSAGE("given up here, it leads to the other node");
  const auto ours = *e->names->entry("twice");
  e->names->remove("twice", ours.incarnation, ours.handle);
  pump();
  CAF_REQUIRE(e->names->entry("twice").has_value());
  CAF_CHECK_EQUAL(e->names->entry("twice")->node.text, "mars");
  CAF_CHECK(answers(*e, "twice"));
}

CAF_TEST(a_name_that_moves_is_found_whichever_word_comes_first) {
  auto& e = start(earth, "earth");
  auto& m = start(mars, "mars");
  auto& j = start(jupiter, "jupiter");
  wire(earth, "earth", mars);
  wire(earth, "earth", jupiter);
  wire(mars, "mars", jupiter);
  CAF_REQUIRE(pass_until(5s, [&] { return sees(e, "mars", "up") && sees(e, "jupiter", "up") && sees(m, "jupiter", "up"); }));
  add_echo(m, "moving");
  CAF_CHECK_EQUAL(e.names->entry("moving")->node.text, "mars");
  add_echo(j, "moving"); // earth hears of the new place first ...
  CAF_CHECK_EQUAL(e.names->entry("moving")->node.text, "mars");
  const auto old = *m.names->entry("moving");
  m.names->remove("moving", old.incarnation, old.handle); // ... and then that the old one is given up
  pump();
  CAF_REQUIRE(e.names->entry("moving").has_value());
  CAF_CHECK_EQUAL(e.names->entry("moving")->node.text, "jupiter");
  CAF_CHECK(answers(e, "moving") && answers(m, "moving"));
  CAF_MESSAGE("the same when the old place is lost");
  add_echo(m, "other");
  add_echo(j, "other");
  CAF_CHECK_EQUAL(e.names->entry("other")->node.text, "mars");
  stopped = &mars;
  CAF_REQUIRE(pass_until(3s, [&] { return e.names->entry("other") && e.names->entry("other")->node.text == "jupiter"; }));
}

CAF_TEST(the_published_actor_answers_programs) {
  node *e, *m;
  join_two(e, m);
  auto report = question<status_report>(*e, e->door, status_request{2});
  CAF_REQUIRE(report.has_value());
  for (const auto* part : {R"("node":"earth")", R"("incarnation":1)", R"("schema":")",
                           R"("roles":["ingest"])", R"("membership":{)", R"({"node":"mars","state":"up")",
                           R"("actors":[)", R"("reports":{"echo/earth":{}})"})
    CAF_CHECK(has(report->json, part));
  auto found = question<caf::strong_actor_ptr>(*m, m->door, std::string{"echo/earth"});
  CAF_CHECK(found && found.value());
  auto missing = question<caf::strong_actor_ptr>(*m, m->door, std::string{"nobody"});
  CAF_CHECK(missing && !missing.value());
  const auto order = [&](const std::string& verb, const std::string& target) {
    return question<admin_result>(*e, e->door, admin_command{verb, target, {}, "tester"}).value();
  };
  CAF_CHECK(has(order("list", "").text, "\"echo/earth\""));
  CAF_CHECK(!order("kill", "nobody").done);
  CAF_CHECK(!order("kill", "echo/mars").done); // not of this node
  CAF_CHECK(has(order("klil", "x").text, "did you mean 'kill'?"));
  CAF_CHECK(order("suspend", "echo/earth").done && order("resume", "echo/earth").done);
  CAF_CHECK(order("kill", "echo/earth").done);
  pump();
  CAF_CHECK(!answers(*e, "echo/earth"));
}

CAF_TEST_FIXTURE_SCOPE_END()
