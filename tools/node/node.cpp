#include "tools/node/node.hpp"

#include "runtime/actor/actor_table.hpp"
#include "messages/operator_fault.hpp"
#include "runtime/actor/watchdog.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/restart_policy.hpp"
#include "runtime/cluster/text.hpp"
#include "runtime/config/process_configuration.hpp"
#include "runtime/log.hpp"
#include "tools/json_view.hpp"
#include "tools/node/front_settings.hpp"
#include "tools/node/metrics_actor.hpp"
#include "tools/node/placement_room.hpp"

#include <caf/actor_system.hpp>
#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>

#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <mutex>

namespace troupe::node {
namespace {

using namespace std::chrono_literals;

constexpr int exit_failure = 1;

constexpr auto root_name = "supervisor/root";
constexpr auto drain_patience = 8s;

int refuse(const error& what, int code) {
  std::fprintf(stderr, "troupe: %s\n", what.text.c_str());
  return code;
}

log::severity severity_of(const std::string& word) {
  if (word == "debug") return log::severity::debug;
  if (word == "warn") return log::severity::warn;
  if (word == "error") return log::severity::error;
  return log::severity::info;
}

/// Market time: the wall clock with real venues, a scaled clock with tapes.
std::unique_ptr<market_clock> make_market_clock(const configuration& config) {
  const auto origin = config.integer("clock.market.origin");
  if (origin == 0) return std::make_unique<wall_clock>();
  return std::make_unique<scaled_market_clock>(market_scale{config.decimal("clock.market.rate", 3),
                                                            steady_time{config.integer("clock.market.steady")},
                                                            market_time{origin}});
}

/// Live trading needs the word of a person, not only a line in a file; this version has no live gateway.
status check_mode(const configuration& config, const node_spec& self, const std::string& confirm) {
  const auto mode = config.text("trading.mode");
  if (mode == "paper") return ok;
  if (mode != "testnet" && mode != "live")
    return {config_errc::bad_value, "trading.mode must be paper, testnet or live, not '" + mode + "'"};
  if (!self.has(node_role::execution)) return ok;
  if (confirm != config.text("trading.account"))
    return {config_errc::bad_value, "trading.mode is " + mode + ": say --confirm=" + config.text("trading.account")
                                        + " at the start, or set trading.mode to paper"};
  return mode_is_offered(mode);
}

/// Why the first actor of this process failed: what an operator wants to read when a node does not start.
/// Something only a person can mend goes before everything else.
class first_failure {
public:
  static first_failure& instance() {
    static first_failure it;
    return it;
  }
  /// False: the same was noted before; the supervisors above hand it on.
  bool note(const error& why) {
    const std::lock_guard lock{guard_};
    const bool final = is_for_operator(why);
    if (final && for_operator_) return false;
    if (text_.empty() || final) text_ = why.text;
    for_operator_ = for_operator_ || final;
    return true;
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock{guard_};
    return text_;
  }
  /// What a person has to mend; empty when it is nothing of that kind.
  [[nodiscard]] std::string for_operator() const {
    const std::lock_guard lock{guard_};
    return for_operator_ ? text_ : std::string{};
  }

private:
  mutable std::mutex guard_;
  std::string text_;
  bool for_operator_ = false;
};

/// Code and, as its last line, words of a process that ends because its actors could not go on.
int refuse_failed(const std::string& otherwise) {
  const auto lasting = first_failure::instance().for_operator();
  if (!lasting.empty()) return refuse({operator_errc::must_mend, lasting}, exit_data);
  return refuse({std::make_error_code(std::errc::timed_out), otherwise}, exit_failure);
}

/// Kills an actor through its supervisor, so that the kill does not count towards restart limits.
void kill_verb(const actor_environment& env, actor_pointer<node_actor> self, const admin_command& command,
               const admin_answer& answer) {
  const auto row = actor_table::instance().find(command.target);
  if (row.name.empty()) {
    answer({false, "no actor '" + command.target + "' runs on this node; `troupe status` lists the names"});
    return;
  }
  const auto supervisor = env.names->find<supervisor_actor>(row.parent);
  if (!supervisor) {
    answer({false, "'" + command.target + "' has no supervisor here; it can't be killed by name"});
    return;
  }
  admin_command order{"kill_child", command.target, {}, command.who};
  ask(self, supervisor, 2s, order)
      .then([answer](const admin_result& done) { answer(done); },
            [answer](const error& why) { answer({false, why.message()}); });
}

/// Why an actor that answers does not count as running: its page says that what it keeps is not open.
std::string not_open(const std::string& page) {
  if (page.find("\"open\":false") == std::string::npos) return {};
  const auto why = json_view::parse(page).text("failure");
  return why.empty() ? "not open" : why;
}

/// Waits until every child of the supervisors runs; an error says why the first that failed could not.
status wait_until_running(caf::actor_system& system, const directory& names, const std::vector<std::string>& expected,
                          const std::atomic<bool>& gave_up) {
  caf::scoped_actor self{system};
  const auto deadline = monotonic_ns() + nanoseconds{30s}.count();
  for (const auto& name : expected) {
    std::string trouble = "no answer; the node's log may say more";
    while (true) {
      const auto handle = names.find<observable_actor>(name);
      if (handle)
        self->request(handle, 5s, status_request{})
            .receive([&](const status_report& page) { trouble = not_open(page.json); }, [](const caf::error&) {});
      if (trouble.empty()) break;
      if (gave_up || monotonic_ns() > deadline) {
        const auto first = first_failure::instance().text();
        return error{std::make_error_code(std::errc::timed_out),
                     name + " did not start: " + (first.empty() ? trouble : first)};
      }
      self->receive(caf::after(std::chrono::milliseconds{2}) >> [] {});
    }
  }
  return ok;
}

struct running_node {
  std::unique_ptr<market_clock> market;
  monotonic_clock steady;
  directory names;
  actor_environment env;
};

result<std::vector<child_definition>> make_children(const room_context& context, const std::map<node_role, room>& rooms,
                                                    std::vector<std::string>& expected) {
  std::vector<child_definition> children;
  for (const auto role : context.self.roles) {
    const auto found = rooms.find(role);
    if (found == rooms.end())
      return error{make_error_code(config_errc::bad_value),
                   "node " + context.self.name.text + ": this program can't play the role " + std::string{to_string(role)}
                       + "; model and train nodes are run by troupe-model, the others by troupe"};
    if (!found->second) continue;
    auto made = found->second(context);
    if (!made) return std::move(made).error();
    for (const auto& child : *made) expected.push_back(child.spec.id);
    supervisor_options how;
    how.name = "supervisor/" + std::string{to_string(role)};
    how.seed = context.env.seed + static_cast<std::uint64_t>(role);
    how.on_event = log_supervision;
    children.push_back(child_supervisor(context.env, std::move(how), std::move(*made)));
  }
  return children;
}

/// The node's own figures, served beside whatever else it does; nothing when metrics.port is 0.
status add_metrics(const room_context& context, const std::string& build, std::vector<child_definition>& children) {
  const auto port = metrics_port_of(context.config.integer("metrics.port"), context.nodes, context.self.name.text);
  if (!port) return port.error();
  if (*port == 0) return ok;
  static wall_clock wall; // the server stamps requests in the host's time, whatever the market's is
  metrics_options how;
  how.port = *port;
  how.who = {context.self.name.text, build, hex_text(cluster_schema_hash())};
  how.data = context.data;
  how.clock = &wall;
  children.push_back(child<metrics_state>(named_child("metrics"), spawn_options{}, context.env, std::move(how)));
  return ok;
}

/// Who can end this process when an actor in it can't be ended; set before there are actors.
std::atomic<stem_link*> parent_process{nullptr};

} // namespace

status mode_is_offered(const std::string& mode) {
  if (mode == "paper") return ok;
  return {config_errc::bad_value, "trading.mode " + mode + " is not part of this version; set trading.mode to paper"};
}

void log_supervision(const supervisor_event& event) {
  // Its thread and its name are lost until its handler returns: only a new process brings them back.
  if (event.what == supervisor_event::kind::stuck)
    if (auto* parent = parent_process.load()) parent->stuck();
  const bool expected = event.what == supervisor_event::kind::started || event.what == supervisor_event::kind::finished
                        || (event.what == supervisor_event::kind::ended && classify_exit(event.why) == exit_class::normal);
  if (!expected && event.why.code && !first_failure::instance().note(event.why)) return;
  log::write(expected ? log::severity::info : log::severity::warn, "supervisor",
             (event.child.empty() ? event.supervisor : event.child) + " " + std::string{to_text(event.what)},
             {{"supervisor", event.supervisor},
              {"incarnation", std::to_string(event.incarnation)},
              {"why", event.why.code ? event.why.message() : std::string{}}});
}

int run_node(const node_options& options, const std::map<node_role, room>& rooms) {
  block_stop_signals();
  auto stem = std::make_shared<stem_link>(stem_link::from_environment());
  parent_process = stem.get(); // this function ends with the process

  const auto config = load_process_configuration(options.config, options.overrides);
  if (!config) return refuse(config.error(), exit_configuration);
  const auto nodes = load_nodes_conf_of(options.config, config->text("cluster.nodes"));
  if (!nodes) return refuse(nodes.error(), exit_configuration);
  const auto self = nodes->at(options.name);
  if (!self) return refuse(self.error(), exit_configuration);
  if (auto mode = check_mode(*config, *self, options.confirm); !mode) return refuse(mode.error(), exit_configuration);
  // Only the node that signs orders reads the keys.
  credentials keys;
  if (self->has(node_role::execution)) {
    auto read = credentials::load(options.config / ".env");
    if (!read) return refuse(read.error(), exit_configuration);
    keys = std::move(*read);
  }
  const auto data = options.data / options.name;
  std::error_code failed;
  std::filesystem::create_directories(data, failed);
  if (failed) return refuse({failed, data.string() + " can't be made; choose another --data"}, exit_configuration);
  ::chmod(data.c_str(), 0700);
  if (auto opened = log::open({.node = options.name, .file = {}, .least = severity_of(config->text("log.level"))}); !opened)
    return refuse(opened.error(), exit_configuration);

  // Lives until _exit: actors hold pointers into it.
  static running_node state;
  state.market = make_market_clock(*config);
  state.env = {.market = state.market.get(), .steady = &state.steady, .names = &state.names,
               .seed = static_cast<std::uint64_t>(monotonic_ns())};

  const auto things = placed_things(*config, *nodes);
  if (!things) return refuse(things.error(), exit_configuration);
  std::vector<placed_child> placed;
  const room_context context{*config, *nodes, *self, keys, data, state.env,
                             static_cast<std::uint64_t>(config->decimal("clock.market.rate", 3)),
                             *things, placed, std::make_shared<view_board>()};
  std::vector<std::string> expected;
  auto children = make_children(context, rooms, expected);
  if (!children) return refuse(children.error(), exit_configuration);
  if (auto added = add_metrics(context, options.build, *children); !added) return refuse(added.error(), exit_configuration);
  // Below the account's own supervisor: the node runs only when its journal could be opened.
  if (self->has(node_role::execution))
    for (const auto& account : self->accounts)
      for (const auto* kind : {"journal/", "executor/"}) expected.push_back(kind + account);

  system_config system_settings{{.threads = self->threads}};
  auto& system = *new caf::actor_system{system_settings}; // ended by _exit: its destructor may wait for ever
  node_runtime_options runtime;
  runtime.conf = *nodes;
  runtime.name = options.name;
  runtime.data = data;
  runtime.build = options.build;
  runtime.stem = stem;
  runtime.front = front_settings(*config, options.config);
  runtime.view = context.view;
  runtime.node.verbs["move"] = [env = state.env, name = self->name](actor_pointer<node_actor> node,
                                                                    const admin_command& command,
                                                                    const admin_answer& answer) {
    move_verb(env, name, node, command, answer);
  };
  runtime.node.section_actors["placement"] = placement_name(self->name);
  runtime.node.verbs["kill"] = [env = state.env](actor_pointer<node_actor> node, const admin_command& command,
                                                 const admin_answer& answer) { kill_verb(env, node, command, answer); };
  runtime.node.section_actors["tree"] = root_name;
  runtime.node.sections["source"] = [kind = config->text("source.kind")] { return "\"" + kind + "\""; };
  auto node = start_node(system, state.env, std::move(runtime));
  if (!node) end_process(refuse(node.error(), exit_failure));
  for (auto& child : placement_children(context, node->incarnation)) {
    if (child.spec.id != "supervisor/placed") expected.push_back(child.spec.id);
    children->push_back(std::move(child));
  }

  supervisor_options root;
  root.name = root_name;
  root.seed = state.env.seed;
  root.on_event = log_supervision;
  const auto top = spawn_supervisor(system, state.env, root, std::move(*children));
  state.names.put(root_name, {caf::actor_cast<caf::strong_actor_ptr>(top), {}, 1});
  // The last resort: the root gave up. The parent starts the process anew.
  std::atomic<bool> gave_up{false};
  top->attach_functor([&gave_up](const caf::error&) {
    gave_up = true;
    request_stop();
  });
  if (auto running = wait_until_running(system, state.names, expected, gave_up); !running) {
    log::close();
    end_process(refuse_failed(running.error().text));
  }
  node->ready();
  log::info("node", "all actors run", {{"node", options.name}, {"actors", std::to_string(expected.size())}});

  wait_for_stop();
  const bool failed_upward = gave_up;
  stem->stopping();
  log::info("node", failed_upward ? "the root supervisor gave up" : "stopping");
  shutdown_plan{}
      .step("farewell", 1s, [&] { node->leave(system); })
      .step("actors", drain_patience,
            [&] {
              if (gave_up) return;
              caf::scoped_actor waiter{system};
              waiter->monitor(top);
              send_shutdown(top);
              waiter->receive([](const caf::down_msg&) {});
            })
      .step("log", 1s, [] { log::close(); })
      .step("reason", 1s,
            [&] {
              if (failed_upward) end_process(refuse_failed("the actors of this node failed again and again; its log says why"));
            })
      .run(0);
}

} // namespace troupe::node
