#pragma once

/// Keeps one symbol's merged book inside the actor system: views come from the feeds of its venues and rates,
/// each is acknowledged so that the feed sends the next one; the book is told when asked for.
/// Restarted, it is whole again within the feeds' pulse: it has no state worth keeping.

#include "actors/feeds/consolidated_book.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"

namespace troupe {

struct consolidator_options {
  consolidated_options book;
  nanoseconds tick = std::chrono::milliseconds{100}; ///< steady time between looks at the clock
};

/// Actor state; lives on the actor's own thread.
class consolidator_state {
public:
  using handle_type = consolidator_actor;
  using self_pointer = actor_pointer<consolidator_actor>;
  static inline const char* name = "consolidator";

  consolidator_state(self_pointer self, actor_environment env, consolidator_options options);
  consolidator_actor::behavior_type make_behavior();

private:
  void on_tick();
  [[nodiscard]] std::string status_json();

  self_pointer self_;
  actor_environment env_;
  nanoseconds tick_;
  consolidated_book book_;
  std::uint64_t views_ = 0;
  std::uint64_t queries_ = 0;
};

} // namespace troupe
