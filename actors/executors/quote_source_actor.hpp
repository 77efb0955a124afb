#pragma once

/// How an actor gets quotes: it subscribes at "feed/INSTRUMENT" under its own name, once for every
/// incarnation of the feed, and acknowledges each quote so that the next one is sent.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"

#include <map>

namespace troupe {

/// Subscriptions of one actor; use it inside that actor only.
class quote_source {
public:
  quote_source(actor_environment env, std::vector<instrument_id> instruments) : env_{env} {
    for (auto& id : instruments)
      feeds_[std::move(id)] = {};
  }

  /// Subscribes at feeds that are new. Call about once a second.
  template <class Self>
  void refresh(Self* self) {
    for (auto& [id, feed] : feeds_) {
      const auto entry = env_.names->entry("feed/" + id.text);
      if (!entry || !entry->handle) continue;
      if (entry->incarnation == feed.incarnation && entry->node == feed.node) continue;
      const auto seen = std::pair{entry->incarnation, entry->node};
      ask(self, caf::actor_cast<feed_actor>(entry->handle), std::chrono::seconds{1},
          caf::strong_actor_ptr{self->ctrl()}, self->core().name())
          .then(
              [this, id = id, seen](const acknowledged&) {
                feeds_[id] = {seen.first, seen.second};
              },
              [] {});
    }
  }

  /// Tells the feed that its quote has been taken.
  template <class Self>
  void acknowledge(Self* self, const quote& q) {
    tell(self, env_.names->find<feed_actor>("feed/" + q.instrument.text), acknowledged{q.sequence});
  }

private:
  struct feed {
    std::uint64_t incarnation = 0;
    node_name node;
  };
  actor_environment env_;
  std::map<instrument_id, feed> feeds_;
};

} // namespace troupe
