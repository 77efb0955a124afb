#pragma once

/// The orchestrator as an actor: hears predictions and quotes, sends each decision to the executor
/// of its instrument's account. One decision of an instrument is on its way at a time; a newer one
/// replaces the one that waits (an old target is worth nothing), so no queue can grow.
/// ```
/// orchestrator_options o;
/// o.instruments.push_back({.account = {"main@binance"}, .decide = {.spec = spec, …}});
/// spawn_actor<orchestrator_state>(system, {.name = "orchestrator"}, env, o);
/// ```

#include "actors/executors/quote_source_actor.hpp"
#include "actors/orchestrator/decider_memory.hpp"

#include <filesystem>

namespace troupe {

struct orchestrated_instrument {
  account_id account; ///< its executor is "executor/ACCOUNT"
  decider_options decide;
};

struct orchestrator_options {
  std::vector<orchestrated_instrument> instruments;
  nanoseconds tick = std::chrono::milliseconds{20};       ///< steady
  nanoseconds executor_timeout = std::chrono::seconds{1}; ///< steady
  /// Folder with a file for each instrument: what was learned goes on after a restart. Empty: nothing is kept.
  /// It is written now and then, and when the actor ends, on its own thread.
  std::filesystem::path memory;
  nanoseconds keep_every = std::chrono::seconds{10}; ///< steady; so much learning a crash of the process may cost
};

struct orchestrator_state {
  using handle_type = orchestrator_actor;
  using self_pointer = actor_pointer<orchestrator_actor>;
  static inline const char* name = "orchestrator";

  orchestrator_state(self_pointer self, actor_environment env, orchestrator_options options);
  ~orchestrator_state();
  orchestrator_actor::behavior_type make_behavior();

private:
  struct line {
    account_id account;
    decider decide;
    std::optional<decision> waiting; ///< newest not yet sent
    bool on_its_way = false;
    std::uint64_t sent = 0;
    std::uint64_t replaced = 0; ///< waited and was overtaken by a newer one
    std::uint64_t failed = 0;
    decider_memory kept{}; ///< as it stands in the file
  };

  void tick();
  void recall(const instrument_id& id, line& l);
  void keep();
  void keep_again();
  void refresh();
  void consider(line& l);
  void send(line& l);
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  orchestrator_options options_;
  quote_source quotes_;
  std::map<instrument_id, line> lines_;
  decision_numbers numbers_;
  std::uint64_t predictions_ = 0;
  std::uint64_t not_kept_ = 0;  ///< writes of the memory that failed
  std::uint64_t strangers_ = 0; ///< predictions of instruments that are not decided on
};

} // namespace troupe
