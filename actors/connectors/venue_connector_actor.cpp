#include "actors/connectors/venue_connector_actor.hpp"

#include "actors/connectors/connector_driver_actor.hpp"
#include "messages/market.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"

#include <stdexcept>

namespace troupe {

using namespace std::chrono_literals;

venue_connector_state::venue_connector_state(self_pointer self, actor_environment env,
                                             venue_connector_options options)
    : self_{self}, env_{env} {
  // Nobody can go on without a known venue: the supervisor learns it as this actor's end.
  if (options.venue == nullptr) throw std::invalid_argument{"a connector needs a venue"};
  auto tls = net::tls_context::client(options.authority);
  if (!tls) {
    log::error("connector", "can't start",
               {{"venue", std::string{options.venue->name}}, {"why", tls.error().message()}});
    troupe::stop(self_, tls.error());
    return;
  }
  driver_ = std::make_shared<connector_driver>(env_, std::move(options), std::move(*tls));
  driver_->start();
}

venue_connector_state::~venue_connector_state() {
  if (driver_) driver_->stop();
}

connector_actor::behavior_type venue_connector_state::make_behavior() {
  probe_feeds();
  return {
      [this](const status_request&) { return status_report{self_->core().name(), status_json()}; },
      [this](const image_request& request) {
        if (driver_) driver_->request_image(request);
      },
  };
}

/// A feed answers after it has worked off what was sent to it before.
void venue_connector_state::probe_feeds() {
  if (!driver_) return;
  for (const auto& [feed, sent] : driver_->lagging()) {
    if (!probing_.insert(feed).second) continue; // one question at a time to each
    ask(self_, env_.names->find<feed_actor>(feed), 5s, status_request{})
        .then(
            [this, feed = feed, sent = sent](const status_report&) {
              probing_.erase(feed);
              driver_->feed_reached(feed, sent);
            },
            [this, feed = feed](const error&) { probing_.erase(feed); });
  }
  schedule(self_, 20ms, [this] { probe_feeds(); });
}

std::string venue_connector_state::status_json() const { return driver_ ? driver_->status_json() : "{}"; }

} // namespace troupe
