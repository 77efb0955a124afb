#pragma once

/// What is placed where, out of the configuration: the same on every node, since all have the same files.

#include "tools/node/node.hpp"

namespace troupe::node {

/// Every instrument, merged book and model that is configured, with labels and pins. Errors: a pin that is
/// not written KEY=NODE.
result<placement_wishes> wishes_of(const configuration& config);

/// Whether more than one node plays the role: then what each of them has for itself is named after it.
bool several(const room_context& context, node_role role);

/// The name of something that every node of a role has for itself: "store", or with several nodes of the role
/// "store/ingest-2".
std::string own_name(const room_context& context, node_role role, const std::string& base);

/// The names of the same thing on all nodes of the role.
std::vector<std::string> own_names(const room_context& context, node_role role, const std::string& base);

/// Whether a key of this role belongs on this node while all nodes are there.
bool belongs_here(const room_context& context, node_role role, const std::string& key);

/// The desired state: what only one node has the role for is not movable, it is simply started there.
result<std::vector<placed_thing>> placed_things(const configuration& config, const nodes_conf& nodes);

/// The placement actor with what this node can run, and the supervisor of what is started by its order.
std::vector<child_definition> placement_children(const room_context& context, std::uint64_t incarnation);

/// Moves an actor for an operator; the argument `node` says where to.
void move_verb(const actor_environment& env, const node_name& self, actor_pointer<node_actor> node,
               const admin_command& command, const admin_answer& answer);

} // namespace troupe::node
