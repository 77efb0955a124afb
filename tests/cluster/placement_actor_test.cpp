#define CAF_SUITE placement_actor
#include "runtime/cluster/placement_actor.hpp"
#include "tests/cluster/planets.hpp"

using namespace troupe;
using namespace troupe::planets;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view three_nodes = R"(
node earth   host=127.0.0.1 port=11 roles=ingest,gateway
node mars    host=127.0.0.1 port=12 roles=model
node jupiter host=127.0.0.1 port=13 roles=model
)";

/// A model that moves by its name, and a merged book that is started and stopped; both may run on mars and
/// jupiter. Earth coordinates.
struct placement_fixture : fixture {
  placement_fixture() {
    conf = parse_nodes_conf(three_nodes, "test.conf").value();
    things = {{"model/cnn", "model/cnn", node_role::model, true, {}, "mars"},
              {"book/x", "book/x", node_role::model, true, {}, "jupiter"},
              {"fixed", "fixed", node_role::ingest, false, {}, {}}};
    rules.start_grace = 3s;
    rules.settle = 2s;
    rules.pause = 1s;
    e = &add(earth, "earth");
    m = &add(mars, "mars");
    j = &add(jupiter, "jupiter");
    wire(earth, "earth", mars);
    wire(earth, "earth", jupiter);
    wire(mars, "mars", jupiter);
  }

  node& add(planet& where, const std::string& name) {
    auto& n = start(where, name);
    const actor_environment env{&market, &steady, n.names.get(), 7};
    placement_options options;
    options.conf = conf;
    options.self.text = name;
    options.incarnation = 1;
    options.things = things;
    options.view = n.view;
    options.rules = rules;
    options.supervisor = "supervisor/placed";
    std::filesystem::create_directories(data / name);
    options.data = data / name;
    if (name != "earth") {
      add_echo(n, "model/cnn/" + name);
      options.children.push_back({"model/cnn", "model/cnn/" + name, {}});
      child_spec spec;
      spec.id = "book/x";
      options.children.push_back({"book/x", {}, child<echo_state>(spec, spawn_options{}, false)});
      const auto top = spawn_supervisor(where.sys, env, {.name = "supervisor/placed"}, {});
      n.names->put("supervisor/placed", {caf::actor_cast<caf::strong_actor_ptr>(top), {}, 1});
      tops.push_back(top);
    }
    begin_placement(n, name, options);
    return n;
  }

  void begin_placement(node& n, const std::string& name, const placement_options& options) {
    const actor_environment env{&market, &steady, n.names.get(), 7};
    const auto place =
        spawn_actor<placement_state>(n.where->sys, spawn_options{.name = placement_name({name})}, env, options);
    n.names->put(placement_name({name}), {caf::actor_cast<caf::strong_actor_ptr>(place), {}, options.incarnation});
    places[name] = place;
    settings[name] = options;
    pump();
  }

  /// The mind of a coordinator that was started anew: it knows nothing of what it placed before.
  void forget_placement(node& n, const std::string& name) {
    caf::anon_send_exit(places.at(name), caf::exit_reason::kill);
    pump();
    auto options = settings.at(name);
    ++options.incarnation;
    begin_placement(n, name, options);
  }

  ~placement_fixture() {
    stopped = nullptr;
    for (auto& n : nodes) n.names->clear();
    for (auto& [name, place] : places) caf::anon_send_exit(place, caf::exit_reason::kill);
    for (auto& top : tops) caf::anon_send_exit(top, caf::exit_reason::kill);
  }

  /// Where a name leads to, seen from a node; "" for nowhere.
  std::string at(node& from, const std::string& name) {
    const auto entry = from.names->entry(name);
    if (!entry) return {};
    return entry->node.text.empty() ? (&from == e ? "earth" : &from == m ? "mars" : "jupiter") : entry->node.text;
  }

  bool everywhere(const std::string& name, const std::string& place) {
    bool same = true;
    for (auto* n : {e, m, j})
      if (n->where != stopped) same = same && at(*n, name) == place;
    return same;
  }

  result<admin_result> move(node& from, const std::string& asked, const std::string& name, const std::string& to) {
    return question<admin_result>(from, places.at(asked), admin_command{"move", name, {{"node", to}}, "test"});
  }

  std::vector<placed_thing> things;
  placer_options rules;
  node *e = nullptr, *m = nullptr, *j = nullptr;
  std::map<std::string, placement_actor> places;
  std::map<std::string, placement_options> settings;
  std::vector<supervisor_actor> tops;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(placement_tests, placement_fixture)

CAF_TEST(every_movable_name_leads_to_its_place_from_everywhere) {
  CAF_REQUIRE(pass_until(5s, [&] { return everywhere("model/cnn", "mars") && everywhere("book/x", "jupiter"); }));
  CAF_CHECK(answers(*e, "model/cnn") && answers(*m, "book/x"));
  CAF_MESSAGE("a restart of the actor that stands in is followed");
  const auto before = e->names->handle("model/cnn");
  const auto old = *m->names->entry("model/cnn/mars");
  m->names->remove("model/cnn/mars", old.incarnation, old.handle);
  pass(100ms);
  CAF_CHECK(!e->names->handle("model/cnn"));
  add_echo(*m, "model/cnn/mars", false, 2);
  pass(200ms);
  CAF_CHECK(answers(*e, "model/cnn"));
  CAF_CHECK(e->names->handle("model/cnn") != before);
}

CAF_TEST(what_a_dead_node_ran_starts_on_the_other_and_goes_home_later) {
  CAF_REQUIRE(pass_until(5s, [&] { return everywhere("model/cnn", "mars") && everywhere("book/x", "jupiter"); }));
  stopped = &mars;
  pass(5s);
  CAF_CHECK_EQUAL(at(*e, "model/cnn"), ""); // silent, not yet dead: nobody else takes it
  CAF_REQUIRE(pass_until(3s, [&] { return everywhere("model/cnn", "jupiter"); }));
  CAF_CHECK(answers(*e, "model/cnn") && everywhere("book/x", "jupiter"));
  CAF_MESSAGE("the dead one is told and ends; nothing moves back meanwhile");
  stopped = nullptr;
  CAF_REQUIRE(pass_until(3s, [&] { return !m->declared_dead.empty(); }));
  CAF_CHECK_EQUAL(at(*e, "model/cnn"), "jupiter");
}

CAF_TEST(a_coordinator_started_anew_leaves_what_runs_where_it_runs) {
  CAF_REQUIRE(pass_until(5s, [&] { return everywhere("model/cnn", "mars") && everywhere("book/x", "jupiter"); }));
  CAF_REQUIRE(move(*e, "earth", "model/cnn", "jupiter")->done);
  CAF_REQUIRE(pass_until(2s, [&] { return everywhere("model/cnn", "jupiter"); }));
  const auto model = j->names->handle("model/cnn");
  CAF_MESSAGE("the coordinator starts anew, without its pins, while it does not reach jupiter");
  stopped = &jupiter;
  CAF_REQUIRE(pass_until(3s, [&] { return at(*e, "model/cnn").empty(); }));
  settings["earth"].data.clear();
  settings["earth"].rules.settle = 1h; // it has its home on mars
  forget_placement(*e, "earth");
  pass(1s);
  CAF_CHECK_EQUAL(at(*e, "model/cnn"), "");
  CAF_MESSAGE("jupiter is reached: the coordinator hears of it, and nobody takes anything from anybody");
  stopped = nullptr;
  CAF_REQUIRE(pass_until(1500ms, [&] { return everywhere("model/cnn", "jupiter") && everywhere("book/x", "jupiter"); }));
  for (int step = 0; step < 20; ++step) {
    pass(50ms);
    CAF_CHECK_EQUAL(at(*j, "model/cnn"), "jupiter");
  }
  CAF_CHECK(j->names->handle("model/cnn") == model);
  CAF_CHECK(answers(*e, "model/cnn") && answers(*m, "book/x"));
}

CAF_TEST(an_operator_moves_and_the_word_outlives_the_coordinator) {
  CAF_REQUIRE(pass_until(5s, [&] { return everywhere("model/cnn", "mars") && everywhere("book/x", "jupiter"); }));
  CAF_MESSAGE("asked at a node that does not decide");
  const auto moved = move(*j, "jupiter", "book/x", "mars");
  CAF_REQUIRE(moved && moved->done);
  CAF_REQUIRE(pass_until(2s, [&] { return everywhere("book/x", "mars"); }));
  CAF_CHECK(answers(*j, "book/x"));
  pass(10s);
  CAF_CHECK(everywhere("book/x", "mars"));
  CAF_MESSAGE("every node keeps it");
  for (const std::string name : {"earth", "mars", "jupiter"}) {
    const auto kept = load_rows(data / name, "PINS", "troupe-pins 1");
    CAF_REQUIRE(kept);
    CAF_CHECK(kept->rows == (std::vector<std::pair<std::string, std::string>>{{"book/x", "mars"}}));
  }
  CAF_CHECK(move(*e, "earth", "book/x", "auto")->done);
  CAF_REQUIRE(pass_until(10s, [&] { return everywhere("book/x", "jupiter"); }));
}

CAF_TEST(moves_that_make_no_sense_are_refused_in_words) {
  CAF_REQUIRE(pass_until(5s, [&] { return everywhere("model/cnn", "mars"); }));
  const auto why = [&](const std::string& name, const std::string& to) {
    const auto answer = move(*e, "earth", name, to);
    return answer && !answer->done ? answer->text : std::string{};
  };
  CAF_CHECK(has(why("model/cnn", "earth"), "lacks the role model"));
  CAF_CHECK(has(why("model/cnn", "pluto"), "no node 'pluto'"));
  CAF_CHECK(has(why("model/cnm", "mars"), "did you mean"));
  CAF_CHECK(has(why("fixed", "mars"), "stays on its node"));
  CAF_CHECK(has(why("model/cnn", ""), "say where to"));
  stopped = &jupiter;
  pass(2s);
  CAF_CHECK(has(why("model/cnn", "jupiter"), "is not up"));
}

CAF_TEST(without_a_quorum_everything_stays_and_nothing_is_moved) {
  CAF_REQUIRE(pass_until(5s, [&] { return everywhere("model/cnn", "mars") && everywhere("book/x", "jupiter"); }));
  stopped = &earth; // the only voter
  pass(20s);
  CAF_CHECK_EQUAL(at(*m, "model/cnn"), "mars");
  CAF_CHECK_EQUAL(at(*j, "book/x"), "jupiter");
  const auto refused = move(*m, "mars", "model/cnn", "jupiter");
  CAF_CHECK(refused && !refused->done && has(refused->text, "without a quorum"));
}

CAF_TEST_FIXTURE_SCOPE_END()
