#define CAF_SUITE cluster
#include "messages/json.hpp"
#include "runtime/actor/pending_asks.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/member_actor.hpp"
#include "runtime/cluster/node_actor.hpp"

#include <caf/test/io_dsl.hpp>

#include <cstdlib>
#include <functional>
#include <optional>

// Three nodes in one process and one thread, on CAF's simulated network: time and traffic move only
// when the
// test says so, so every run is the same.

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct planet_config : caf::actor_system_config {
  planet_config() {
    load<caf::io::middleman>();
    register_message_types(*this);
  }
};

using belt = belt_fixture<test_coordinator_fixture<planet_config>>;

constexpr std::string_view conf_text = R"(
node earth   host=127.0.0.1 port=11 roles=ingest
node mars    host=127.0.0.1 port=12 roles=model
node jupiter host=127.0.0.1 port=13 roles=train
)";

/// Answers status; `patient` never answers.
struct echo_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "echo";
  echo_state(self_pointer self, bool patient) : self_{self}, patient_{patient} {}
  observable_actor::behavior_type make_behavior() {
    return {[this](const status_request&) -> reply<status_report> {
      if (patient_) {
        kept_.push_back(make_promise<status_report>(self_));
        return kept_.back();
      }
      return status_report{.name = self_->core().name(), .json = "{}"};
    }};
  }
  self_pointer self_;
  bool patient_;
  std::vector<promise<status_report>> kept_;
};

/// Asks once, with a time-out far beyond the test.
struct asker_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "asker";
  asker_state(self_pointer self, observable_actor whom, error* why)
      : self_{self}, whom_{std::move(whom)}, why_{why} {}
  observable_actor::behavior_type make_behavior() {
    ask(self_, whom_, 1h, status_request{})
        .then([](const status_report&) {}, [this](const error& e) { *why_ = e; });
    return {[](const status_request&) -> reply<status_report> { return status_report{}; }};
  }
  self_pointer self_;
  observable_actor whom_;
  error* why_;
};

struct fixture : belt {
  using planet = planet_type;

  /// One node on one planet.
  struct node {
    planet* where = nullptr;
    std::unique_ptr<directory> names = std::make_unique<directory>();
    member_actor member;
    node_actor door;
    std::vector<observable_actor> actors;
    std::vector<std::string> declared_dead;
  };

  fixture() {
    char name[] = "/tmp/troupe-cluster-XXXXXX";
    data = ::mkdtemp(name);
    conf = parse_nodes_conf(conf_text, "test.conf").value();
  }

  ~fixture() {
    // The members' ticks would keep the fixture's own clean-up busy for ever.
    for (auto& n : nodes) {
      n.names->clear();
      for (auto& a : n.actors) caf::anon_send_exit(a, caf::exit_reason::kill);
      caf::anon_send_exit(n.door, caf::exit_reason::kill);
      caf::anon_send_exit(n.member, caf::exit_reason::kill);
      n.actors.clear();
      n.door = node_actor{};
      n.member = member_actor{};
    }
    pump();
    std::filesystem::remove_all(data);
  }

  using setup = std::function<void(member_options&)>;

  /// Starts a node and publishes it; `port` is that of `name` in nodes.conf.
  node& start(planet& where, const std::string& name, std::uint64_t incarnation = 1,
              const setup& change = {}) {
    auto& n = nodes.emplace_back();
    n.where = &where;
    const actor_environment env{&market, &steady, n.names.get(), 7};
    member_options options;
    options.conf = conf;
    options.self.text = name;
    options.incarnation = incarnation;
    options.build = "b1";
    options.probe = false;
    options.declared_dead = [&n](const std::string& why) { n.declared_dead.push_back(why); };
    if (change) change(options);
    n.member = spawn_actor<member_state>(where.sys, spawn_options{.name = name + "/member"}, env, options);
    node_options door;
    door.spec = *conf.find(name);
    door.incarnation = incarnation;
    door.build = "b1";
    auto audit = std::make_shared<audit_log>(std::move(audit_log::open(data)).value());
    n.door = spawn_actor<node_state>(where.sys, spawn_options{.name = name + "/node"}, env, door, n.member,
                                     audit);
    pump();
    const auto port = conf.find(name)->port;
    where.mpx.provide_acceptor(port, acceptor(where));
    where.publish(n.door, port);
    tell_anonymously(n.member, caf::actor_cast<caf::strong_actor_ptr>(n.door));
    pump();
    return n;
  }

  /// The next dial of `client` to `server` finds a wire.
  void wire(planet& server, const std::string& name, planet& client) {
    const auto ends = std::make_pair(next_connection_handle(), next_connection_handle());
    server.mpx.prepare_connection(acceptor(server), ends.first, client.mpx, "127.0.0.1",
                                  conf.find(name)->port, ends.second);
    last_server_end = ends.first;
    last_client_end = ends.second;
  }

  caf::io::accept_handle acceptor(planet& where) {
    return caf::io::accept_handle::from_int(where.mm.system().node() == earth.sys.node()  ? 101
                                            : where.mm.system().node() == mars.sys.node() ? 102
                                                                                          : 103);
  }

  /// Cuts a wire the way the kernel reports it, on both ends.
  void cut(planet& server, caf::io::connection_handle server_end, planet& client,
           caf::io::connection_handle client_end) {
    const auto tell_broker = [](planet& where, caf::io::connection_handle end) {
      auto broker = where.mm.named_broker<caf::io::basp_broker>(caf::atom("BASP"));
      caf::anon_send(caf::actor_cast<caf::actor>(broker), caf::io::connection_closed_msg{end});
    };
    tell_broker(server, server_end);
    tell_broker(client, client_end);
  }

  /// Runs everything that can run now. Without `network` no byte moves: a partition.
  void pump(bool network = true) {
    const auto step = [&](planet& p) {
      return p.sched.try_run_once() || p.mpx.try_exec_runnable()
             || (network && (p.mpx.read_data() || p.mpx.try_accept_connection()));
    };
    while (step(earth) || step(mars) || step(jupiter)) {
    }
  }

  void pass(nanoseconds d, bool network = true) {
    for (auto left = d; left > 0ns; left -= 50ms) {
      steady.advance(50ms);
      for (auto* p : {&earth, &mars, &jupiter}) p->sched.advance_time(50ms);
      pump(network);
    }
  }

  bool pass_until(nanoseconds most, const std::function<bool()>& condition, bool network = true) {
    const auto until = steady.now() + most;
    while (!condition() && steady.now() < until) pass(50ms, network);
    return condition();
  }

  void add_echo(node& n, const std::string& name, bool patient = false, std::uint64_t incarnation = 1) {
    n.actors.push_back(spawn_actor<echo_state>(n.where->sys, spawn_options{.name = name}, patient));
    pump();
    n.names->put(name, {caf::actor_cast<caf::strong_actor_ptr>(n.actors.back()), {}, incarnation});
    pump();
  }

  std::string status(node& n) {
    return question<status_report>(n, n.member, status_request{}).value().json;
  }

  template <class Reply, class Handle, class... Ts>
  result<Reply> question(node& n, const Handle& whom, Ts&&... message) {
    auto answer = n.where->self->request(whom, 10s, std::forward<Ts>(message)...);
    pump();
    result<Reply> out{error{make_error_code(runtime_errc::timeout), "nothing came"}};
    answer.receive([&](Reply& x) { out = std::move(x); },
                   [&](const caf::error& why) { out = from_caf(why); });
    return out;
  }

  bool sees(node& n, const std::string& peer, const std::string& state) {
    return status(n).find("{\"node\":\"" + peer + "\",\"state\":\"" + state + "\"") != std::string::npos;
  }

  bool answers(node& n, const std::string& name) {
    const auto whom = n.names->find<observable_actor>(name);
    return whom && question<status_report>(n, whom, status_request{}).has_value();
  }

  /// Earth and mars up, with the actors echo/earth and echo/mars.
  void join_two(node*& a, node*& b) {
    a = &start(earth, "earth");
    b = &start(mars, "mars");
    add_echo(*a, "echo/earth");
    add_echo(*b, "echo/mars");
    wire(earth, "earth", mars);
    CAF_REQUIRE(pass_until(5s, [&] { return sees(*a, "mars", "up") && sees(*b, "earth", "up"); }));
  }

  std::filesystem::path data;
  nodes_conf conf;
  manual_steady_clock steady{steady_time{1'000'000'000}};
  manual_market_clock market{market_time{0}};
  std::list<node> nodes;
  caf::io::connection_handle last_server_end;
  caf::io::connection_handle last_client_end;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

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
