// A small node for tests: cluster_test_node NODES_CONF NAME DATA [CERTIFICATES [FAULTS]]
// Runs what every node runs and one actor "echo/NAME". The verb `wedge` blocks every worker of the
// scheduler, `exit` ends the process with the code in the argument `code`, `blob` answers with as many bytes as the
// argument `bytes` says.

#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/node_runtime.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/restart_policy.hpp"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace {

using namespace troupe;

struct echo_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "echo";
  explicit echo_state(self_pointer self) : self_{self} {}
  observable_actor::behavior_type make_behavior() {
    return {[this](const status_request&) -> reply<status_report> {
      json_writer w;
      w.begin_object().field("pid", ::getpid()).end_object();
      return status_report{.name = self_->core().name(), .json = std::move(w).text()};
    }};
  }
  self_pointer self_;
};

/// Blocks the worker it runs on for ever.
struct blocker_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "blocker";
  explicit blocker_state(self_pointer) {}
  observable_actor::behavior_type make_behavior() {
    for (;;) ::pause();
  }
};

int run(const char* file, const char* name, const char* data, const char* certificates, const char* faults) {
  block_stop_signals();
  auto stem = std::make_shared<stem_link>(stem_link::from_environment());
  auto conf = load_nodes_conf(file);
  if (!conf) {
    std::fprintf(stderr, "%s\n", conf.error().text.c_str());
    return exit_configuration;
  }
  static monotonic_clock steady;
  static wall_clock market;
  static directory names;
  const actor_environment env{&market, &steady, &names, static_cast<std::uint64_t>(::getpid())};
  static system_config config{{.threads = 2}};
  static caf::actor_system system{config};
  static std::vector<observable_actor> kept;
  node_runtime_options options;
  options.conf = std::move(conf).value();
  options.name = name;
  options.data = data;
  options.build = "test";
  options.stem = stem;
  options.front.directory = certificates;
  options.front.faults = faults;
  options.node.verbs["exit"] = [](auto, const admin_command& c, const admin_answer&) {
    ::_exit(std::atoi(c.arguments.at("code").c_str()));
  };
  options.node.verbs["blob"] = [](auto, const admin_command& c, const admin_answer& answer) {
    std::string out(std::strtoull(c.arguments.at("bytes").c_str(), nullptr, 10), '\0');
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(i * 31 + i / 251);
    answer({true, std::move(out)});
  };
  options.node.verbs["wedge"] = [](auto, const admin_command&, const admin_answer& answer) {
    for (int i = 0; i < 8; ++i)
      kept.push_back(spawn_actor<blocker_state>(system, spawn_options{.name = "local/blocker"}));
    answer({true, "wedged"});
  };
  static auto node = start_node(system, env, std::move(options));
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().text.c_str());
    end_process(1);
  }
  const auto echo = std::string{"echo/"} + name;
  kept.push_back(spawn_actor<echo_state>(system, spawn_options{.name = echo}));
  names.put(echo, {caf::actor_cast<caf::strong_actor_ptr>(kept.back()), {}, 1});
  node->ready();
  wait_for_stop();
  shutdown_plan{}.step("farewell", std::chrono::seconds{1}, [] { node->leave(system); }).run(0);
}

} // namespace

int main(int argc, char** argv) {
  const auto given = [&](int at) { return at < argc ? argv[at] : ""; };
  return argc >= 4 && argc <= 6 ? run(argv[1], argv[2], argv[3], given(4), given(5)) : 2;
}
