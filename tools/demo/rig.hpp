#pragma once

/// A whole system on this machine under observation: simulator, parent and nodes as processes. The
/// demonstration, the chaos run and `troupe torture` drive it. Blocking; not thread-safe.

#include "runtime/cluster/client.hpp"
#include "tools/demo/plan.hpp"
#include "tools/json_view.hpp"
#include "tools/venue_sim/ledger_check.hpp"

#include <memory>
#include <optional>

namespace troupe::demo {

/// Time a wait may take before the run counts as failed.
inline constexpr std::chrono::seconds start_patience{60};

/// What an actor said of itself, and which incarnation of it said so.
struct actor_answer {
  json_view page;       ///< empty when it can't be had just now
  std::string identity; ///< differs between incarnations of a name; empty with the page
};

class rig {
public:
  /// Checks the inputs, makes the folder, starts simulator, parent and nodes and waits until every actor runs. On an
  /// error everything is stopped; before the first process ran, nothing is left on the disk either.
  /// @param recordings folder of recordings, may be empty
  static result<std::unique_ptr<rig>> start(const demo_options& options, const std::string& recordings);
  ~rig();

  [[nodiscard]] const workspace& files() const noexcept { return files_; }
  [[nodiscard]] const market_source& source() const noexcept { return source_; }
  [[nodiscard]] double speed() const noexcept;

  /// What the parent says: nodes, restarts, kills.
  [[nodiscard]] json_view parent_status() const;
  /// An actor's own state by name, wherever it runs; an empty view when it can't be had just now.
  [[nodiscard]] json_view actor_status(const std::string& name) { return ask_actor(name).page; }
  /// The same with the incarnation that answered.
  [[nodiscard]] actor_answer ask_actor(const std::string& name);

  /// kill -9 of a node's process, through the parent.
  status kill_node(const std::string& node);
  /// Kills an actor by name; its supervisor brings it back.
  status kill_actor(const std::string& name);
  /// Asks `done` until it is true; nothing when the time runs out, else the time it took.
  static std::optional<std::chrono::milliseconds> wait_until(const std::function<bool()>& done,
                                                             std::chrono::milliseconds patience);
  /// True once the node is ready in the parent's eyes.
  [[nodiscard]] bool node_ready(const std::string& node) const;
  /// A node that is not started again, and why; empty while there is none.
  [[nodiscard]] std::string lost_node() const;
  [[nodiscard]] pid_t node_pid(const std::string& node) const;

  /// Stops nodes and parent in order, then the simulator. Idempotent.
  status stop();
  /// Latches a trading state at risk: "active", "reducing" or "halted".
  status set_trading(const std::string& state, const std::string& reason);

  /// Journal against the simulator's ledger, as both stand now. While orders are on their way a comparison may show
  /// one that the older reading lacks; what is really wrong stays wrong.
  [[nodiscard]] result<venue_sim::ledger_comparison> compare() const;
  [[nodiscard]] std::filesystem::path journal_folder() const;

private:
  rig() = default;
  status start_processes();
  status start_nodes();
  cluster_client& connection();

  demo_options options_;
  workspace files_;
  market_source source_;
  simulator_ready ready_;
  std::optional<child_process> simulator_;
  std::optional<child_process> parent_;
  std::unique_ptr<cluster_client> client_;
  bool stopped_ = false;
};

} // namespace troupe::demo
