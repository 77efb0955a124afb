#pragma once

/// Carries out on its node which movable actors run there; on the coordinator's node it also decides that
/// (`placer`) and sends the table to every node that is up, again and again until it is answered. The
/// coordinator is the first voter up on the side with the quorum: no election, and none without a quorum.
///
/// A movable actor is run in one of two ways: it is started under a supervisor of this node and stopped when
/// it belongs elsewhere, or an actor that always runs here ("model/cnn/model-1", which keeps the checkpoints)
/// answers to the movable name ("model/cnn") while it is placed here. Either way the name is in the directory
/// of every node, and whoever looks it up again finds it where it is.
///
/// An operator's moves are pins, kept by every node in the file PINS of its data folder, so that whoever
/// coordinates next knows them. Spawn it detached: it syncs that file.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/supervisor_actor.hpp"
#include "runtime/cluster/cluster_view.hpp"
#include "runtime/cluster/small_file.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <set>

namespace troupe {

/// How this node runs one movable actor.
struct placed_child {
  std::string name;                          ///< the movable name
  std::string stands_in{};                   ///< an actor of this node that answers to it; empty: `start` is
  std::optional<child_definition> start{};   ///< started under `placement_options::supervisor`
};

struct placement_options {
  nodes_conf conf;
  node_name self;
  std::uint64_t incarnation = 0;
  std::vector<placed_thing> things;   ///< the desired state of the whole cluster
  std::vector<placed_child> children; ///< what this node can run of it
  std::string supervisor;             ///< under which `start` is started, by name
  std::filesystem::path data;         ///< PINS lies here; empty: pins are not kept
  std::shared_ptr<view_board> view;   ///< what membership thinks
  placer_options rules;
  nanoseconds tick = std::chrono::milliseconds{50};
  nanoseconds repeat = std::chrono::seconds{1}; ///< a node that has the table is sent it again after so long
};

/// The name of a node's placement actor.
inline std::string placement_name(const node_name& node) { return "placement/" + node.text; }

struct placement_state {
  using handle_type = placement_actor;
  using self_pointer = actor_pointer<placement_actor>;
  static inline const char* name = "placement";

  placement_state(self_pointer self, actor_environment env, placement_options options);
  placement_actor::behavior_type make_behavior();

private:
  /// How far a node has the newest table.
  struct reader {
    std::uint64_t version = 0; ///< answered
    bool asking = false;
    steady_time asked{};
    std::string trouble;
  };

  void tick();
  // Deciding.
  void coordinate(const cluster_view& view);
  void take_over();
  bool look_for_running();
  [[nodiscard]] std::string seen_at(const std::string& name) const;
  void send_table(const std::string& node);
  [[nodiscard]] placement_table table() const;
  reply<admin_result> command(const admin_command& order);
  admin_result move(const admin_command& order);
  [[nodiscard]] std::string refusal_of_move(const std::string& target, const std::string& node) const;
  // Carrying out.
  placement_report take(const placement_table& what);
  void learn_pins(const placement_table& what);
  status keep_pins();
  void carry_out();
  [[nodiscard]] bool wanted_here(const placed_child& child) const;
  void run_stand_in(const placed_child& child, bool wanted);
  void run_child(const placed_child& child, bool wanted);
  void order(child_order what);
  [[nodiscard]] bool runs_here(const std::string& name) const;
  [[nodiscard]] std::string status_json() const;
  [[nodiscard]] steady_time now() const { return env_.steady->now(); }

  self_pointer self_;
  actor_environment env_;
  placement_options options_;
  std::optional<placer> mind_; ///< while this node coordinates
  std::uint64_t version_ = 0;  ///< of its own tables
  std::map<std::string, reader> readers_;
  placement_table newest_;     ///< as carried out here
  std::map<std::string, std::string> pins_;
  std::uint64_t pins_version_ = 0;
  caf::strong_actor_ptr supervisor_;
  std::set<std::string> started_; ///< children that the supervisor has by our order
  std::set<std::string> ordered_; ///< children whose order is under way
  std::string trouble_;
  std::uint64_t tables_refused_ = 0;
};

} // namespace troupe
