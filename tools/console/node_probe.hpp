#pragma once

/// One node as the console asks it. Blocking, with finite time-outs; belongs to the node's thread.

#include "messages/introspection.hpp"
#include "runtime/cluster/client.hpp"
#include "tools/console/console_model.hpp"

#include <memory>

namespace troupe::console {

class node_probe {
public:
  node_probe(std::string name, std::string place, std::unique_ptr<cluster_client> client, std::string who);

  /// One round: the node's figures and what `wanted` names.
  node_sample round(const wishes& wanted);
  /// The page of one actor of this node.
  actor_detail detail(const std::string& actor);
  /// What happened since the last time.
  std::vector<log_entry> events();
  command_outcome run(const command& what);

  /// Starts or ends the tap so that it is what is wished; fetches what it caught. Nothing where this node
  /// has no part in it.
  std::optional<tap_answer> tap(const tap_wish& wished);

private:
  struct reported {
    observable_actor handle;
    steady_time not_before{};
  };

  void ask_rows(node_sample& out, const node_actor& node, const wishes& wanted);
  void ask_reports(node_sample& out, const node_actor& node);
  void find_reported(const node_actor& node);
  void end_tap(const node_actor& node);

  std::string name_;
  std::string place_;
  std::unique_ptr<cluster_client> client_;
  std::string who_;
  std::map<std::string, reported> reported_;
  steady_time looked_for_reported_{};
  steady_time tree_at_{};
  std::uint64_t newest_event_ = 0;
  bool events_known_ = false;
  tap_wish tap_;
  std::uint64_t tap_number_ = 0; ///< as the node counts; 0 = none runs
};

} // namespace troupe::console
