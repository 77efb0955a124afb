#pragma once

/// `troupe torture cluster`: a cluster in a network of its own trades, predicts and learns while its nodes are killed,
/// stopped, cut off, slowed down and started again by a plan of one seed; then what is written down must agree.

#include "tools/cluster_torture/judgement.hpp"

#include <filesystem>
#include <string>

namespace troupe::cluster_torture {

struct cluster_torture_options {
  std::filesystem::path nodes; ///< nodes.conf of the cluster; hosts and ports are replaced. Empty: seven nodes
  std::filesystem::path folder;
  std::string recordings;
  std::uint64_t seed = 1;
  std::chrono::seconds length{120};
  bool plan_only = false; ///< print the plan and end
  torture_limits limits;
};

/// Prints the record as JSON on standard output, a line a fault on standard error. Exit code 0 when every promise held.
int torture_cluster(const cluster_torture_options& options);

} // namespace troupe::cluster_torture
