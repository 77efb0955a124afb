#pragma once

/// The chaos of `demo --chaos`: kills processes in turn and random actors, waits for each recovery and
/// remembers the longest of each kind. Random choices come from one seed.

#include "tools/demo/observation.hpp"

#include <random>

namespace troupe::demo {

/// What was killed and how long it took to come back.
struct chaos_figures {
  std::int64_t kills = 0;
  std::int64_t process_kills = 0;
  std::int64_t actor_kills = 0;
  std::int64_t with_orders_in_flight = 0;
  std::int64_t not_recovered = 0;
  std::map<std::string, std::int64_t> longest_recovery_ms; ///< by kind: exec, model, train, ingest, actor
  std::vector<std::string> log;                            ///< one line a kill
};

/// True when another incarnation than `before` answers to an actor's name and does its work: a killed one may go on
/// answering for a moment. Pure.
bool works_anew(std::string_view actor, const std::string& before, const actor_answer& now);

class chaos {
public:
  chaos(rig& system, observation& seen, std::uint64_t seed) : system_{system}, seen_{seen}, random_{seed} {}

  /// The next kill of the schedule, then waits for its recovery. Blocks a few seconds at most.
  void strike();

  [[nodiscard]] const chaos_figures& figures() const noexcept { return figures_; }

private:
  void kill_process(const std::string& node);
  void kill_random_actor();
  [[nodiscard]] bool works_again(const std::string& node);
  /// How long a recovery may take: real venues take their time to be connected to again.
  [[nodiscard]] std::chrono::seconds patience() const;
  void recovered(const std::string& kind, const std::string& what, std::optional<std::chrono::milliseconds> after);

  rig& system_;
  observation& seen_;
  std::mt19937_64 random_;
  std::size_t turn_ = 0;
  chaos_figures figures_;
};

} // namespace troupe::demo
