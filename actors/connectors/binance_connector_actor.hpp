#pragma once

/// The connector of one Binance venue (spot or USDⓈ-M): holds its market-data sockets, hands raw frames to
/// the feeds, fetches book images within the request budget. The same actor works against the venue, a
/// simulator or anything else that speaks its protocol: only the addresses differ.
///
/// Threads: sockets live on an I/O thread of the actor's own. From there frames go to the feeds directly
/// (batched, in order), without a detour over the actor's mailbox. How far a feed has come is learned by
/// asking it for its status, which it answers after the frames before; a feed that lags too far pauses the
/// sockets, so that the venue's side is slowed and nothing is dropped.

#include "actors/connectors/binance/session.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/net/net.hpp"

#include <functional>
#include <memory>
#include <set>

namespace troupe {

/// One instrument of the venue.
struct connector_instrument {
  instrument_id id;
  std::string venue_symbol; ///< "BTCUSDT"
};

struct binance_connector_options {
  binance::market_kind kind = binance::market_kind::spot;
  std::vector<connector_instrument> instruments;
  binance::stream_selection streams;
  net::address rest;                       ///< https://api.binance.com, https://fapi.binance.com
  net::address sockets;                    ///< wss://stream.binance.com:9443, wss://fstream.binance.com
  std::filesystem::path authority;         ///< PEM; empty: the system's store
  int image_levels = 0;                    ///< 0: the venue's largest (5000 spot, 1000 USDⓈ-M)
  binance::session_options session;        ///< timings; `plan` and `seed` are set by the actor
  binance::rate_budget_options limits;     ///< empty: the venue's documented ones
  nanoseconds image_deadline = std::chrono::seconds{10};
  nanoseconds socket_idle =
      std::chrono::seconds{60}; ///< the venue pings every 20 s (spot), 3 min (USDⓈ-M: 240 s)
  std::size_t frames_per_batch = 256;
  std::size_t most_frames_in_flight = 50'000; ///< to one feed; beyond it the sockets pause
  /// Hears every data frame and image before anyone else, on the I/O thread; must be quick. May be empty.
  std::function<void(const instrument_id&, const raw_frame&)> recorder;
};

class binance_connector_state {
public:
  using handle_type = connector_actor;
  using self_pointer = actor_pointer<connector_actor>;
  static inline const char* name = "connector";

  binance_connector_state(self_pointer self, actor_environment env, binance_connector_options options);
  ~binance_connector_state();
  connector_actor::behavior_type make_behavior();

private:
  class driver;
  void probe_feeds();
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  std::shared_ptr<driver> driver_;
  std::set<std::string> probing_; ///< feeds whose progress is being asked for
};

} // namespace troupe
