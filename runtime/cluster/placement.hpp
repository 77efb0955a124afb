#pragma once

/// Where things run. The desired state (which things there are, which role they need, what binds them) is
/// computed from nodes.conf and the configuration, so that every node derives the same; `placer` then says,
/// as nodes come, go and die, which node runs each movable one. Pure: no clock, no CAF.
///
/// A key (an instrument, a model) is hashed over the nodes that may run it by rendezvous (highest random
/// weight, Thaler and Ravishankar 1998): each node gets a weight from key and name, the heaviest wins. A node
/// that is added or taken away moves only the keys that it gains or loses. A pin goes before the hash.

#include "messages/error.hpp"
#include "runtime/cluster/nodes_conf.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// One actor that runs once in the cluster.
struct placed_thing {
  std::string name; ///< of the actor: "model/cnn"
  std::string key;  ///< what is hashed; things of one key and role are together
  node_role role = node_role::ingest;
  bool movable = false; ///< false: it stays where it is placed, and is missed while that node is away
  std::string label{};  ///< a label the node must have; empty: any node of the role
  std::string pin{};    ///< the node that was chosen for it; empty: the hash chooses
  friend bool operator==(const placed_thing&, const placed_thing&) = default;
};

/// What the configuration wants.
struct placement_wishes {
  struct item {
    std::string name;    ///< "BTC-USDT@binance", "BTC-USDT", "cnn"
    std::string label{}; ///< only nodes that have it
  };
  std::vector<item> instruments;
  std::vector<item> symbols; ///< of merged books
  std::vector<item> models;
  std::map<std::string, std::string> pins; ///< key → node: an instrument, "consolidator/…", "model/…", "trainer/…"
};

/// Every feed, predictor, merged book, model and trainer with its role and what binds it, in the order
/// given. Errors: a pin of something that does not exist, or to a node that is unknown, lacks the role or the
/// label; a label that no node of the role has. A role that no node of the file plays has no things.
result<std::vector<placed_thing>> desired_state(const nodes_conf& conf, const placement_wishes& wishes);

/// The weight of a key on a node; the same on every machine and in every version.
std::uint64_t rendezvous_weight(std::string_view key, std::string_view node) noexcept;

/// Nodes that may run it, the best first: the pinned one, then by weight.
std::vector<const node_spec*> candidates(const nodes_conf& conf, const placed_thing& thing);

/// Where it belongs while every node is there: the first candidate, or nullptr.
const node_spec* home_of(const nodes_conf& conf, const placed_thing& thing);

/// Of these keys, in their order, those whose things of `role` belong on `node`.
std::vector<std::string> keys_at(const nodes_conf& conf, const std::vector<placed_thing>& things, node_role role,
                                 std::string_view node);

/// Name → node with these nodes alive: movable things on their best living candidate, the others at home or,
/// while that is not alive, nowhere ("").
std::map<std::string, std::string> assign(const nodes_conf& conf, const std::vector<placed_thing>& things,
                                          const std::vector<std::string>& alive);

/// How a node counts for placement.
enum class node_health : std::uint8_t {
  away, ///< not connected, or suspected: what it ran is still its own
  up,
  dead, ///< declared dead, or gone in order: what it ran may start elsewhere
};

std::string_view to_string(node_health health) noexcept;

struct placer_options {
  nanoseconds start_grace = std::chrono::seconds{10}; ///< a home that never came up is waited for so long
  nanoseconds look = std::chrono::seconds{2};         ///< what may run on a node not yet reached is looked for so long
  nanoseconds settle = std::chrono::seconds{30};      ///< a node that came back is up for so long before things
                                                      ///< go home, ...
  nanoseconds pause = std::chrono::seconds{5};        ///< ... one by one, this far apart
};

/// The coordinator's mind: keeps which node runs each movable thing and changes it only for a reason.
/// It begins by looking: what has no place yet may run on a node that is not reached yet, and is placed anew only when
/// every node that may run it is reached or dead, or `look` is over.
/// Only what ran on a dead node moves at once; what merely belongs elsewhere goes there when its home has
/// been up for `settle`, one thing in each `pause`, and only while everything else runs.
class placer {
public:
  placer(nodes_conf conf, std::vector<placed_thing> things, placer_options options = {});

  /// Learns where a thing without a place runs already; for a coordinator that takes over, at any time. Returns
  /// whether that was news.
  bool found(const std::string& name, const std::string& node);

  /// An operator's pins, by name of the thing; without one the configured pin or the hash decides. What
  /// they change is followed at once, where the node is up.
  void set_pins(const std::map<std::string, std::string>& pins);

  /// A thing runs, or no longer runs, where it is placed.
  void runs(const std::string& name, bool running);

  /// Time passes. `health` of every node of nodes.conf; one that is missing counts as away.
  /// Returns whether anything was placed anew.
  bool tick(steady_time now, const std::map<std::string, node_health>& health);

  /// Movable things → node, "" while none may run it.
  [[nodiscard]] const std::map<std::string, std::string>& places() const noexcept { return places_; }
  [[nodiscard]] const std::vector<placed_thing>& things() const noexcept { return things_; }
  /// Things moved so far, first placements not counted.
  [[nodiscard]] std::uint64_t moves() const noexcept { return moves_; }

private:
  struct seen_node {
    node_health health = node_health::away;
    bool ever_up = false;
    steady_time up_since{};
  };

  [[nodiscard]] const seen_node& node(const std::string& name) const;
  [[nodiscard]] bool is_up(const std::string& name) const { return node(name).health == node_health::up; }
  void see(steady_time now, const std::map<std::string, node_health>& health);
  [[nodiscard]] std::string place_anew(const placed_thing& thing, steady_time now) const;
  [[nodiscard]] bool may_go_home(const placed_thing& thing, steady_time now) const;
  bool put(const std::string& name, const std::string& node);

  nodes_conf conf_;
  std::vector<placed_thing> things_;
  placer_options options_;
  std::map<std::string, seen_node> nodes_;
  std::map<std::string, std::string> places_;
  std::map<std::string, bool> running_;
  std::map<std::string, std::string> configured_pins_;
  std::set<std::string> placed_;  // had a place since this mind began
  std::set<std::string> ordered_; // pinned anew by an operator, not there yet
  steady_time begun_{};
  steady_time last_return_{};
  std::uint64_t moves_ = 0;
};

} // namespace troupe
