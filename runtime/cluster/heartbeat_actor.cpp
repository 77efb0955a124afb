#include "runtime/cluster/heartbeat_actor.hpp"

#include "messages/json.hpp"

namespace troupe {

heartbeat_state::heartbeat_state(self_pointer self, std::shared_ptr<stem_link> link, nanoseconds interval,
                                 std::function<bool()> fit)
    : self_{self}, link_{std::move(link)}, interval_{interval}, fit_{std::move(fit)} {}

observable_actor::behavior_type heartbeat_state::make_behavior() {
  beat();
  return {
      [this](const status_request&) -> reply<status_report> {
        json_writer w;
        w.begin_object().field("attached", link_->attached()).field("beats", beats_).end_object();
        return status_report{.name = self_->core().name(), .json = std::move(w).text()};
      },
  };
}

void heartbeat_state::beat() {
  if (!fit_ || fit_()) {
    link_->beat();
    ++beats_;
  }
  schedule(self_, interval_, [this] { beat(); });
}

} // namespace troupe
