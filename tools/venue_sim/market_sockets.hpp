#pragma once

/// The market-data sockets: paths, subscriptions, frames to whoever subscribed. On the I/O thread only.
///
/// Spot: /ws, /ws/NAME and /stream?streams=A/B. USDⓈ-M: the same below /public (depth, bookTicker) and
/// /market (trade, aggTrade); a socket on the unrouted path stays open and gets only what /market carries.
/// Known topics: SYMBOL@depth[@…ms] (the source's diffs, whatever cadence is asked for), @trade, @aggTrade,
/// @bookTicker. Any other name can be subscribed and stays silent, as at the venue.

#include "runtime/net/http_server.hpp"
#include "tools/venue_sim/exchange.hpp"
#include "tools/venue_sim/faults.hpp"

#include <set>

namespace troupe::venue_sim {

struct market_socket_settings {
  int messages_per_second = 5; ///< of a client, pings counted
  std::size_t streams_per_socket = 1024;
  std::int64_t life_ns = 86'400'000'000'000;
};

struct market_socket_counters {
  std::uint64_t opened = 0;
  std::uint64_t frames = 0;        ///< sent, all sockets
  std::uint64_t slow = 0;          ///< cut because they didn't read
  std::uint64_t flooded = 0;       ///< closed because they sent too much
  std::uint64_t subscriptions = 0; ///< now
};

class market_sockets {
public:
  market_sockets(const market_shape& shape, market_socket_settings settings, fault_plan& faults,
                 std::function<std::int64_t()> steady_ns);

  /// True for paths that belong here.
  [[nodiscard]] bool serves(std::string_view path) const;
  /// Accepts a socket.
  net::upgrade_answer accept(const net::http_request& request, net::ws_session ws);
  /// Sends an event to its subscribers.
  void publish(const market_event& event);
  /// True when an event of this kind would reach anyone.
  [[nodiscard]] std::size_t open() const noexcept { return sessions_.size(); }

  void ping_all(std::int64_t market_ms);
  void close_all(std::uint16_t code, const std::string& reason);
  void reset_all();
  /// Sends a text to every socket, wrapped for combined ones under this stream name.
  void announce(std::string_view stream, std::string_view data);
  /// Ends sockets older than their life.
  void retire();
  [[nodiscard]] market_socket_counters counters() const;

private:
  enum class topic_kind : std::uint8_t { depth, trade, aggregate, ticker, silent };
  enum class route_kind : std::uint8_t { all, public_only, market_only };
  struct session {
    net::ws_session ws;
    bool combined = false;
    route_kind route = route_kind::all;
    std::vector<std::string> streams;
    std::int64_t opened_ns = 0;
    std::int64_t second = 0;
    int messages = 0;
  };
  struct topic {
    topic_kind kind = topic_kind::silent;
    std::vector<std::uint64_t> subscribers;
    std::int64_t silent_until_ns = 0;
  };

  [[nodiscard]] topic_kind kind_of(std::string_view stream) const;
  [[nodiscard]] static bool carries(route_kind route, topic_kind kind) noexcept;
  void subscribe(std::uint64_t id, session& s, std::string_view stream);
  void unsubscribe(std::uint64_t id, session& s, std::string_view stream);
  void on_message(std::uint64_t id, std::string_view text);
  bool within_rate(session& s);
  void forget_ended();
  std::string answer(session& s, std::uint64_t id, std::string_view text);
  void deliver(topic_kind kind, const std::string& data);
  void send(session& s, const std::shared_ptr<const std::string>& frame);
  void publish_depth(const std::string& data);
  [[nodiscard]] bool wanted(topic_kind kind) const noexcept {
    return wanted_[static_cast<std::size_t>(kind)] > 0;
  }

  const market_shape& shape_;
  market_socket_settings settings_;
  fault_plan& faults_;
  std::function<std::int64_t()> steady_ns_;
  std::string symbol_; ///< lower case, as stream names have it
  std::map<std::uint64_t, session> sessions_;
  std::map<std::string, topic, std::less<>> topics_;
  std::array<std::size_t, 5> wanted_{};
  std::vector<std::uint64_t> ended_;
  std::string held_back_; ///< a diff that goes out after the next one
  market_socket_counters counters_;
};

} // namespace troupe::venue_sim
