#pragma once

/// A cluster whose nodes are hosts of the laboratory: each node in a network namespace of its own with its own parent,
/// all links behind TLS, the venue simulator on one more host. Blocking; not thread-safe.

#include "tools/cluster_torture/history_check.hpp"
#include "tools/cluster_torture/nemesis.hpp"
#include "tools/cluster_torture/node_watcher.hpp"
#include "tools/demo/child_process.hpp"
#include "tools/demo/plan.hpp"
#include "tools/json_view.hpp"
#include "tools/venue_sim/ledger_check.hpp"

#include <memory>
#include <optional>

namespace troupe::cluster_torture {

struct cluster_rig_options {
  nodes_conf nodes;             ///< hosts and ports are replaced by the laboratory's
  std::filesystem::path folder; ///< kept; empty: a new one below the temporary folder
  std::string recordings;       ///< folder of recordings, may be empty
  std::string speed = "75";
  std::uint64_t seed = 1;
  std::map<std::string, std::string> settings; ///< further settings of the nodes
};

class cluster_rig {
public:
  /// Laboratory, certificates, simulator, parents; waits until every node is ready and sees all others.
  static result<std::unique_ptr<cluster_rig>> start(const cluster_rig_options& options);
  ~cluster_rig();

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return files_.folder; }
  [[nodiscard]] const nodes_conf& conf() const noexcept { return conf_; }
  [[nodiscard]] netlab::network_lab& lab() noexcept { return *lab_; }
  [[nodiscard]] std::size_t host_of(const std::string& node) const { return conf_.position(node); }
  [[nodiscard]] const node_watcher& watcher(const std::string& node) const { return *watchers_[host_of(node)]; }
  [[nodiscard]] std::chrono::milliseconds ready_after() const noexcept { return ready_after_; }

  /// What a node's parent says of it.
  [[nodiscard]] json_view parent_row(const std::string& node) const;
  [[nodiscard]] bool node_ready(const std::string& node) const;
  [[nodiscard]] pid_t node_pid(const std::string& node) const;
  /// "kill NODE KILL", "restart NODE": the parent's answer.
  status tell_parent(const std::string& node, const std::string& words) const;

  /// An actor's report in the newest picture of its node; empty when it was not there.
  [[nodiscard]] json_view report(const std::string& node, const std::string& actor) const;
  /// Names of all actors that the nodes reported last.
  [[nodiscard]] std::vector<std::string> actors() const;
  /// Resident bytes of a node's process; 0: it does not run.
  [[nodiscard]] std::uint64_t resident(const std::string& node) const;

  /// The execution node's journal against the simulator's ledger.
  [[nodiscard]] result<venue_sim::ledger_comparison> compare() const;
  /// All records of the execution node's journal, in their order.
  [[nodiscard]] result<history_findings> history() const;
  /// Sets the latched trading state, as an operator does.
  status set_trading(trading_state state, const std::string& reason);
  /// Parents first, each in order, then the simulator. Idempotent.
  status stop();

private:
  cluster_rig() = default;
  status make_conf(const cluster_rig_options& options);
  status make_certificates();
  status start_simulator(const cluster_rig_options& options);
  result<std::map<std::string, std::string>> start_data_venue(const cluster_rig_options& options);
  status start_parents();
  status wait_until_whole();
  [[nodiscard]] std::filesystem::path data_of(const std::string& node) const { return files_.data / node; }
  [[nodiscard]] std::string execution_node() const;
  [[nodiscard]] std::filesystem::path journal() const;

  demo::workspace files_;
  demo::market_source source_;
  demo::simulator_ready ready_;
  nodes_conf conf_;
  std::unique_ptr<netlab::network_lab> lab_;
  std::vector<demo::child_process> simulators_; ///< the venue with orders first
  std::vector<demo::child_process> parents_;
  std::vector<std::unique_ptr<node_watcher>> watchers_;
  std::chrono::milliseconds ready_after_{0};
  bool stopped_ = false;
};

/// Asks `done` until it is true; the time it took, or nothing when the patience is over.
std::optional<std::chrono::milliseconds> wait_until(const std::function<bool()>& done, std::chrono::milliseconds patience);

} // namespace troupe::cluster_torture
