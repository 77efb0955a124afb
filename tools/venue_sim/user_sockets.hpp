#pragma once

/// The sockets of the WebSocket API: calls in, answers out, private events to whoever subscribed to them.
/// On the I/O thread only.

#include "runtime/net/http_server.hpp"
#include "tools/venue_sim/exchange.hpp"
#include "tools/venue_sim/faults.hpp"

namespace troupe::venue_sim {

class user_sockets {
public:
  /// `settle` syncs what a call changed and sends its events; false: the simulator is ending.
  user_sockets(exchange& venue, fault_plan& faults, std::function<instant()> now,
               std::function<bool()> settle);

  net::upgrade_answer accept(net::ws_session ws);
  /// Sends a private event to every subscription; faults of private events apply.
  void broadcast(const std::string& event);
  /// Tells every subscription that its stream ends, and ends it.
  void terminate(std::int64_t market_ms);
  void reset_all();
  void ping_all(std::int64_t market_ms);
  [[nodiscard]] std::size_t open() const noexcept { return sessions_.size(); }
  [[nodiscard]] std::size_t subscriptions() const noexcept;

private:
  struct session {
    net::ws_session ws;
    std::int64_t next_subscription = 0;
    std::vector<std::int64_t> subscriptions;
  };
  void on_message(std::uint64_t id, std::string_view text);
  [[nodiscard]] std::string complete(session& s, const exchange::call_result& call) const;
  void forget_ended();

  exchange& venue_;
  fault_plan& faults_;
  std::function<instant()> now_;
  std::function<bool()> settle_;
  std::map<std::uint64_t, session> sessions_;
  std::vector<std::uint64_t> ended_;
};

} // namespace troupe::venue_sim
