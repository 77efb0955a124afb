#pragma once

/// What an operator can order of every node. Docs: docs/introspection.md.

#include "runtime/cluster/node_actor.hpp"

#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// What the verbs act on.
struct verb_context {
  actor_environment env;
  node_name node;
  /// Ends the node in order; called inside the node actor, after the answer has had time to leave.
  std::function<void()> drain;
};

/// list, kill, restart, stop, start, suspend, resume, set, log-level, drain. Each answers in words, within 20 s.
std::map<std::string, admin_verb> builtin_verbs(const verb_context& context);

/// Whether an order is only taken with the argument `confirm`, the name once more: what ends a node, a
/// subtree, or an actor that orders and money depend on.
bool needs_confirmation(std::string_view verb, std::string_view target) noexcept;

} // namespace troupe
