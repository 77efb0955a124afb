#pragma once

/// The one permanent published actor of a node: the door through which peers and programs come in.
/// It finds actors by name, passes what concerns membership on to the member actor, gathers status, and
/// carries out operators' commands, each written to the audit log before and after.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/cluster/audit_log.hpp"
#include "runtime/cluster/nodes_conf.hpp"
#include "runtime/cluster/observer_actor.hpp"

#include <functional>
#include <map>
#include <memory>

namespace troupe {

/// Gives the result of a command; to be called once, inside the node actor (from the verb itself, or
/// from a callback of `ask(self, …).then(…)`).
using admin_answer = std::function<void(admin_result)>;

/// What a verb does. Runs inside the node actor: it may ask others, it may not block.
using admin_verb =
    std::function<void(actor_pointer<node_actor> self, const admin_command& command, admin_answer answer)>;

struct node_options {
  node_spec spec;
  std::uint64_t incarnation = 0;
  std::string build;
  std::filesystem::path data; ///< audit.log goes here
  /// Verbs beside the built-in ones of node_verbs.hpp. An entry of the same name replaces a built-in one.
  std::map<std::string, admin_verb> verbs;
  /// Parts of the status that are ready at once: key → JSON. Called inside the node actor.
  std::map<std::string, std::function<std::string()>> sections;
  /// Parts of the status that an actor of this node answers: key → name, such as {"tree",
  /// "supervisor/root"}.
  std::map<std::string, std::string> section_actors;
  nanoseconds answer_within = std::chrono::seconds{1};
  /// Parts of the observer's page `node`: key → JSON. Called inside the observer.
  std::map<std::string, std::function<std::string()>> observed;
  bool observer_thread = false; ///< the observer gets a thread of its own: no console slows a worker down
};

/// Status, by verbosity: 0 node, membership, sections; 1 also `actors` (counters of every actor of this
/// process); 2 also `reports` (each local name's own status).
struct node_state {
  using handle_type = node_actor;
  using self_pointer = actor_pointer<node_actor>;
  static inline const char* name = "node";

  node_state(self_pointer self, actor_environment env, node_options options, member_actor member,
             std::shared_ptr<audit_log> audit);
  node_actor::behavior_type make_behavior();

private:
  struct gathering {
    promise<status_report> answer;
    std::map<std::string, std::string> sections;
    std::map<std::string, std::string> reports;
    std::size_t open = 0;
    std::uint8_t verbosity = 0;
  };

  reply<status_report> gather_status(const status_request& request);
  void ask_section(const std::shared_ptr<gathering>& all, bool report, const std::string& key,
                   const observable_actor& whom, std::uint8_t verbosity);
  [[nodiscard]] std::string status_json(const gathering& all) const;
  reply<admin_result> command(const admin_command& command);
  void run_verb(const admin_command& command, admin_answer answer);
  reply<tap_page> start_tap(const tap_start& what, const caf::strong_actor_ptr& watcher);
  void add_builtin_verbs();

  self_pointer self_;
  actor_environment env_;
  node_options options_;
  member_actor member_;
  observer_actor observer_;
  std::shared_ptr<audit_log> audit_;
  steady_time started_{};
};

} // namespace troupe
