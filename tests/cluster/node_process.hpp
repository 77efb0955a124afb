#pragma once

/// What the node programs of the tests share: a process that runs what every node runs, and some
/// actors more.

#include "runtime/clock.hpp"
#include "runtime/cluster/node_runtime.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/restart_policy.hpp"

#include <cstdio>
#include <functional>
#include <unistd.h>

namespace troupe::test {

/// Blocks the worker it runs on for ever.
struct blocker_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "blocker";
  explicit blocker_state(self_pointer) {}
  observable_actor::behavior_type make_behavior() {
    for (;;)
      ::pause();
  }
};

/// Lives until _exit: actors hold pointers into it.
struct node_process {
  monotonic_clock steady;
  wall_clock market;
  directory names;
  actor_environment env{&market, &steady, &names, static_cast<std::uint64_t>(::getpid())};
  system_config config{{.threads = 2}};
  caf::actor_system system{config};
  std::vector<observable_actor> kept;

  void keep(const std::string& name, observable_actor actor) {
    names.put(name, {caf::actor_cast<caf::strong_actor_ptr>(actor), {}, 1});
    kept.push_back(std::move(actor));
  }

  /// The verb that blocks every worker of the scheduler.
  admin_verb wedge() {
    return [this](auto, const admin_command&, const admin_answer& answer) {
      for (int i = 0; i < 8; ++i)
        kept.push_back(spawn_actor<blocker_state>(system, spawn_options{.name = "local/blocker"}));
      answer({true, "wedged"});
    };
  }
};

/// Runs node `name` of `file` until it is told to stop; returns only when that file can't be read.
/// `prepare` adds to the options, `start` runs when the node does, before it is called ready.
inline int
run_node_process(const char* file, const char* name, const char* data,
                 const std::function<void(node_process&, node_runtime_options&)>& prepare,
                 const std::function<void(node_process&)>& start) {
  block_stop_signals();
  node_runtime_options options;
  options.stem = std::make_shared<stem_link>(stem_link::from_environment());
  auto conf = load_nodes_conf(file);
  if (!conf) {
    std::fprintf(stderr, "%s\n", conf.error().text.c_str());
    return exit_configuration;
  }
  auto& process = *new node_process;
  options.conf = std::move(conf).value();
  options.name = name;
  options.data = data;
  options.build = "test";
  options.node.verbs["wedge"] = process.wedge();
  prepare(process, options);
  auto node = start_node(process.system, process.env, std::move(options));
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().text.c_str());
    end_process(1);
  }
  start(process);
  node->ready();
  wait_for_stop();
  shutdown_plan{}
      .step("farewell", std::chrono::seconds{1}, [&] { node->leave(process.system); })
      .run(0);
}

} // namespace troupe::test
