#pragma once

#include "messages/json.hpp"
#include "runtime/actor/pending_asks.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/member_actor.hpp"
#include "runtime/cluster/node_actor.hpp"

#include <caf/test/io_dsl.hpp>

#include <cstdlib>
#include <functional>
#include <optional>

/// Three nodes in one process and one thread, on CAF's simulated network: time and traffic move only when the
/// test says so, so every run is the same.
namespace troupe::planets {

using namespace std::chrono_literals;

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
    std::shared_ptr<view_board> view = std::make_shared<view_board>();
  };

  fixture() {
    char name[] = "/tmp/troupe-cluster-XXXXXX";
    data = ::mkdtemp(name);
    conf = parse_nodes_conf(conf_text, "test.conf").value();
  }

  ~fixture() {
    stopped = nullptr;
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
    options.view = n.view;
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
      if (&p == stopped) return false;
      return p.sched.try_run_once() || p.mpx.try_exec_runnable()
             || (network && (p.mpx.read_data() || p.mpx.try_accept_connection()));
    };
    while (step(earth) || step(mars) || step(jupiter)) {
    }
  }

  void pass(nanoseconds d, bool network = true) {
    for (auto left = d; left > 0ns; left -= 50ms) {
      steady.advance(50ms);
      for (auto* p : {&earth, &mars, &jupiter})
        if (p != stopped) p->sched.advance_time(50ms);
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

  /// What the node's view board shows.
  cluster_view view(node& n) { return n.view->get(); }

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

  planet* stopped = nullptr; ///< this one neither runs nor reads, as after SIGSTOP
  std::filesystem::path data;
  nodes_conf conf;
  manual_steady_clock steady{steady_time{1'000'000'000}};
  manual_market_clock market{market_time{0}};
  std::list<node> nodes;
  caf::io::connection_handle last_server_end;
  caf::io::connection_handle last_client_end;
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace troupe::planets
