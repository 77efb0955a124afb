#pragma once

/// The connector of one venue: holds its market-data sockets, hands raw frames to the feeds, and brings book
/// images by REST within the request budget, or in band by subscribing anew, as the venue has it. One actor
/// for all venues: what differs is in their `venue_description`. It works the same against the venue, a
/// simulator or anything else that speaks its protocol: only the addresses differ.
///
/// Threads: sockets live on an I/O thread of the actor's own. From there frames go to the feeds directly
/// (batched, in order), without a detour over the actor's mailbox. How far a feed has come is learned by
/// asking it for its status, which it answers after the frames before; a feed that lags too far pauses the
/// sockets, so that the venue's side is slowed and nothing is dropped.
///
/// Sessions: a feed's frames carry a number that changes whenever the socket of its book was replaced, and a
/// `session_event` of that number always comes before its first frame.

#include "actors/connectors/market_session.hpp"
#include "actors/connectors/venue.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/net/net.hpp"
#include "storage/instrument_rules.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>

namespace troupe {

class connector_driver;

/// How one connector works.
struct venue_connector_options {
  const venue_description* venue = nullptr; ///< required
  std::vector<instrument_spec> instruments;
  market_selection what;
  net::address rest;               ///< https://api.binance.com
  net::address sockets;            ///< wss://stream.binance.com:9443; of no use where a ticket names it
  std::optional<net::address> second_rest;    ///< of products with a host of their own; else as above
  std::optional<net::address> second_sockets;
  std::filesystem::path authority; ///< PEM; empty: the system's store
  int image_levels = 0;            ///< of a REST image; 0: the venue's largest
  market_session_options session;  ///< timings; plan, protocol, traits and seed are set by the actor
  std::optional<protocol_traits> traits; ///< instead of the venue's own
  rate_budget_options limits;            ///< empty: the venue's new connections and the weight below
  std::uint32_t weight = 6000;           ///< REST weight that the venue allows within `weight_window`
  nanoseconds weight_window = std::chrono::minutes{1};
  nanoseconds rest_deadline = std::chrono::seconds{10}; ///< of an image or a ticket
  std::optional<instrument_rules> known_rules; ///< as the venue stated them last
  /// Hears the venue's rules of the instruments above whenever they were fetched, on the I/O thread. May be
  /// empty. They hold for the books from the next start on.
  std::function<void(const instrument_rules&)> on_rules;
  nanoseconds rules_first = std::chrono::seconds{2}; ///< after the start; images go first
  nanoseconds rules_every = std::chrono::hours{6};
  nanoseconds rules_retry = std::chrono::minutes{5}; ///< after a failure
  std::size_t frames_per_batch = 256;
  std::size_t most_frames_in_flight = 50'000; ///< to one feed; beyond it the sockets pause
  /// Hears every data frame and image before anyone else, on the I/O thread; must be quick. May be empty.
  std::function<void(const instrument_id&, const raw_frame&)> recorder;
};

/// Actor state; the sockets live behind it.
class venue_connector_state {
public:
  using handle_type = connector_actor;
  using self_pointer = actor_pointer<connector_actor>;
  static inline const char* name = "connector";

  venue_connector_state(self_pointer self, actor_environment env, venue_connector_options options);
  ~venue_connector_state();
  connector_actor::behavior_type make_behavior();

private:
  void probe_feeds();
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  std::shared_ptr<connector_driver> driver_;
  std::set<std::string> probing_; ///< feeds whose progress is being asked for
};

} // namespace troupe
