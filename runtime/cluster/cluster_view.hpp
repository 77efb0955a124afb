#pragma once

/// What the membership of this node thinks at present, for whoever needs it without asking: risk's leases,
/// placement. Written by the member actor, read from any thread.

#include "runtime/cluster/placement.hpp"

#include <map>
#include <mutex>
#include <string>

namespace troupe {

/// How the cluster looks from this node.
struct cluster_view {
  std::map<std::string, node_health> nodes; ///< all of nodes.conf; this one is up
  bool quorum = false;                      ///< this node and those it reaches make the quorum
  std::string coordinator;                  ///< who places movable actors; empty without a quorum
  friend bool operator==(const cluster_view&, const cluster_view&) = default;
};

/// Thread-safe.
class view_board {
public:
  void set(cluster_view view) {
    const std::lock_guard lock{guard_};
    view_ = std::move(view);
  }
  [[nodiscard]] cluster_view get() const {
    const std::lock_guard lock{guard_};
    return view_;
  }
  [[nodiscard]] bool quorum() const {
    const std::lock_guard lock{guard_};
    return view_.quorum;
  }

private:
  mutable std::mutex guard_;
  cluster_view view_;
};

} // namespace troupe
