#pragma once

/// What every node process has: incarnation, membership, the published node actor, the heartbeat to
/// the parent. The assembly of a node starts this first, then its own actors, then calls `ready`.
///
/// ```
/// block_stop_signals();                                    // before any thread
/// auto stem = std::make_shared<stem_link>(stem_link::from_environment());
/// system_config config{{.threads = spec.threads}};
/// caf::actor_system system{config};
/// auto node = start_node(system, env, {.conf = conf, .name = "exec", .data = data, .build = build,
///                                      .stem = stem});
/// if (!node) → print node.error().text, exit 1
/// …start supervisors and actors; put their names into env.names…
/// node->ready();
/// wait_for_stop();
/// shutdown_plan{}.step("farewell", 1s, [&] { node->leave(system); }).step("actors", 8s, …).run(0);
/// ```

#include "runtime/cluster/actor_system.hpp"
#include "runtime/cluster/data_lock.hpp"
#include "runtime/cluster/heartbeat_actor.hpp"
#include "runtime/cluster/incarnation.hpp"
#include "runtime/cluster/member_actor.hpp"
#include "runtime/cluster/node_actor.hpp"
#include "runtime/cluster/node_watch.hpp"

namespace troupe {

struct node_runtime_options {
  nodes_conf conf;
  std::string name;                ///< of this node
  std::filesystem::path data;      ///< this node's own directory; created when missing
  std::string build;               ///< same text on all nodes of one build
  std::shared_ptr<stem_link> stem; ///< null: no parent
  membership_options membership;
  node_options node; ///< verbs and sections; the rest is filled in
  std::function<void(const std::string&)> declared_dead;
  front_options front; ///< where certificates are; used when a node of `conf` is behind TLS
  std::shared_ptr<view_board> view; ///< null: one is made
};

/// The running parts. Keep it until the end of the process: it owns the handles.
struct node_runtime {
  node_actor node;
  member_actor member;
  observable_actor heartbeat;
  node_spec spec;
  std::uint64_t incarnation = 0;
  std::shared_ptr<stem_link> stem;
  std::shared_ptr<audit_log> audit;
  std::shared_ptr<node_watch> watch; ///< handlers, scheduler, clock and memory of this process
  std::shared_ptr<cluster_front> front; ///< null where no node is behind TLS
  std::shared_ptr<data_lock> lock; ///< no second process on the same data directory
  std::shared_ptr<view_board> view; ///< what this node thinks of the cluster at present

  /// Tells the parent that all actors run.
  void ready() const {
    if (stem) stem->ready();
  }

  /// Says farewell to the peers and gives the messages a moment to leave (bounded by `within`).
  /// Blocks; from the main thread.
  void leave(caf::actor_system& system, nanoseconds within = std::chrono::milliseconds{500}) const;
};

/// Locks the data directory, starts the parts and publishes the node actor on 127.0.0.1, behind the TLS front
/// where nodes.conf says tls=on (no certificate, no start). Errors: unknown
/// node, data directory not writable or in use, port in use (the text names the remedy). Blocks shortly; from the main thread.
/// `env.names` receives "node", "member" and "heartbeat".
result<node_runtime> start_node(caf::actor_system& system, const actor_environment& env,
                                node_runtime_options options);

} // namespace troupe
