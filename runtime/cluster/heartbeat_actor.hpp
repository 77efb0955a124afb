#pragma once

/// Tells the parent process once a second that the scheduler makes progress. It is an ordinary
/// scheduled actor on purpose: when all workers are stuck, it is stuck as well, and the parent acts.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/cluster/stem_link.hpp"

#include <functional>
#include <memory>

namespace troupe {

struct heartbeat_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "heartbeat";

  /// `link` may be unattached: then nothing is written. While `fit` says no, no beat is sent.
  heartbeat_state(self_pointer self, std::shared_ptr<stem_link> link,
                  nanoseconds interval = std::chrono::seconds{1}, std::function<bool()> fit = {});
  observable_actor::behavior_type make_behavior();

private:
  void beat();

  self_pointer self_;
  std::shared_ptr<stem_link> link_;
  nanoseconds interval_;
  std::function<bool()> fit_;
  std::uint64_t beats_ = 0;
};

} // namespace troupe
