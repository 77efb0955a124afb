#pragma once

/// Risk as an actor: approves or denies exact orders, keeps the latched trading state, grants
/// leases. A halt takes effect in memory and at the executors at once and is answered when it is on
/// the disk; a resume is on the disk before it takes effect. At start the latch file decides; a
/// damaged one halts. Each change stands in the audit log beside the latch file, before and after; a
/// resume that can't be audited is refused, a halt is not. Spawn detached: a change of the trading
/// state waits for the disk.
/// ```
/// spawn_actor<risk_state>(system, {.name = "risk", .detached = true}, env,
/// risk_actor_options{limits, dir / "halt"});
/// ```

#include "actors/executors/quote_source_actor.hpp"
#include "actors/executors/risk.hpp"
#include "runtime/cluster/audit_log.hpp"

#include <filesystem>
#include <functional>

namespace troupe {

struct risk_actor_options {
  risk_options limits;
  std::filesystem::path latch_file; ///< required; its folder must exist, audit.log is kept there too
  node_name node;                   ///< named in the audit log
  std::function<bool()> quorum;     ///< false: this node is in a minority, leases are not renewed; empty: always true
};

struct risk_state {
  using handle_type = risk_actor;
  using self_pointer = actor_pointer<risk_actor>;
  static inline const char* name = "risk";

  risk_state(self_pointer self, actor_environment env, risk_actor_options options);
  risk_actor::behavior_type make_behavior();

private:
  /// What an executor has been told.
  struct executor_view {
    std::uint64_t epoch = 0;
    caf::actor_addr who;
    std::optional<trading_state> told;
  };

  void read_latch();
  status write_latch(const halt_state& state);
  reply<halt_state> on_halt(const halt_command& command);
  result<halt_state> change(const halt_command& command);
  status note(const halt_command& command, const admin_result* outcome);
  lease_grant on_lease(const lease_request& request);
  risk_verdict on_request(const risk_request& request);
  void tell_executors();
  void refresh();
  [[nodiscard]] instant now() const { return {env_.market->now(), env_.steady->now()}; }
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  risk_actor_options options_;
  risk_core core_;
  quote_source quotes_;
  std::map<account_id, executor_view> executors_;
  std::optional<error> latch_failure_;
  std::optional<audit_log> audit_;
};

} // namespace troupe
