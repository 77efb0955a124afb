#pragma once

/// A node process: reads the configuration, starts the runtime of a node and the actors of its roles
/// under one root supervisor, runs until it is told to stop, drains and ends.

#include "runtime/actor/supervisor_actor.hpp"
#include "runtime/cluster/node_runtime.hpp"
#include "runtime/cluster/placement_actor.hpp"
#include "runtime/config/configuration.hpp"
#include "runtime/config/credentials.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe::node {

/// What the command line says of a node.
struct node_options {
  std::string name;
  std::filesystem::path config;       ///< configuration folder
  std::filesystem::path data;         ///< data folder of all nodes; this node's own is data/NAME
  std::vector<std::string> overrides; ///< --set path=value
  std::string confirm;                ///< --confirm=ACCOUNT, needed for live trading
  std::string build;                  ///< build id, compared in the handshake
};

/// What a room (the actors of a role) is made from. Outlives all actors.
struct room_context {
  const configuration& config;
  const nodes_conf& nodes;
  const node_spec& self;
  const credentials& keys;      ///< empty but on execution nodes
  std::filesystem::path data;   ///< this node's own folder
  actor_environment env;
  std::uint64_t rate_permille;  ///< market time per steady time × 1000
  const std::vector<placed_thing>& things; ///< the desired state of the whole cluster
  std::vector<placed_child>& placed;       ///< receives what this node runs only while it is placed here
  std::shared_ptr<view_board> view;        ///< what membership thinks of the cluster at present
};

/// The children of one role; an error names what is wrong with configuration or disk.
using room = std::function<result<std::vector<child_definition>>(const room_context&)>;

/// Runs the node until SIGTERM or SIGINT. `rooms` says which roles this program can play; another role is an
/// error that names the program which can. Never returns to main after actors were started: it ends by _exit.
int run_node(const node_options& options, const std::map<node_role, room>& rooms);

/// Which modes of trading.mode this version has; the error says what to write instead.
status mode_is_offered(const std::string& mode);

/// Connector, feed, store, predictors.
result<std::vector<child_definition>> ingest_room(const room_context& context);

/// Orchestrator, risk, journal, executor.
result<std::vector<child_definition>> execution_room(const room_context& context);

/// A permanent child of that name, with the default rules.
inline child_spec named_child(std::string id) {
  child_spec out;
  out.id = std::move(id);
  return out;
}

/// A venue's connector with its instruments. Errors: a venue without a connector, a bad address.
result<child_definition> connector_child(const room_context& context, const std::string& venue,
                                         const std::vector<instrument_spec>& instruments);

/// Writes what a supervisor did to the log; a child that does not end although killed is told to the parent
/// process, which starts this one anew.
void log_supervision(const supervisor_event& event);

/// A configured instrument with the venue's rules as an earlier run of this node heard them; as configured
/// where there are none, or where they don't fit its scales.
instrument_spec with_known_rules(const room_context& context, const instrument_spec& configured);

/// The rules of a configured instrument, "BTC-USDT@binance".
result<instrument_spec> configured_instrument(const configuration& config, const std::string& instrument);

} // namespace troupe::node
