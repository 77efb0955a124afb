#pragma once

/// The order journal as an actor with group commit: appends that wait in its mailbox are written
/// together and share one fdatasync; each is answered when that has returned.
/// Fail-stop: after a failed write or sync, and when a newer epoch has taken over, everything that waits
/// is answered with the error and the actor ends with it. Its supervisor starts it anew together with
/// the executor, which replays what is really there.
/// Spawn detached: it waits for the disk.
/// ```
/// spawn_actor<journal_state>(system, {.name = "journal/main@binance", .detached = true}, env,
///                            journal_options{.directory = …, .identity = {node, machine, account}});
/// ```

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "storage/order_journal.hpp"

namespace troupe {

struct journal_state {
  using handle_type = journal_actor;
  using self_pointer = actor_pointer<journal_actor>;
  static inline const char* name = "journal";

  journal_state(self_pointer self, actor_environment env, journal_options options);
  journal_actor::behavior_type make_behavior();

private:
  struct waiting {
    std::size_t entries = 0;
    promise<journal_committed> answer;
  };

  promise<journal_committed> append(journal_append& what);
  reply<journal_page> read(const journal_read& what);
  void commit();
  void give_up(const error& why);
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  journal_options options_;
  std::optional<order_journal> journal_;
  std::optional<error> failure_;
  std::vector<journal_entry> batch_;
  std::vector<waiting> waiting_;
  std::size_t batch_bytes_ = 0;
  bool marked_ = false; ///< a marker behind the messages that wait is on its way
  std::uint64_t commits_ = 0;
  std::uint64_t largest_group_ = 0;
  nanoseconds slowest_commit_{};
  nanoseconds commit_time_{};
};

} // namespace troupe
