#pragma once

/// How one venue speaks: its sockets' messages and its REST answers about public market data. Each
/// dialect is written after recordings and the venue's published examples (named in its file),
/// shares nothing with our decoders, and enforces the venue's own rules: what a client does against
/// them is a violation, counted and answered as the venue would.
///
/// Pure: a dialect gets texts and times and hands out texts. On the I/O thread only.

#include "tools/venue_sim/data/data_market.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::venue_sim {

/// What a frame of market data is about: faults strike these, never control frames.
struct frame_topic {
  frame_kind kind = frame_kind::depth;
  std::string_view name; ///< the venue's own name of the subscription
  bool image = false;    ///< a whole book: left out by the faults that strike changes
};

/// One client's socket, as a dialect sees it.
class dialect_port {
public:
  virtual ~dialect_port() = default;
  /// A control frame: answers, heartbeats, status.
  virtual void send(std::string frame) = 0;
  virtual void send_binary(std::string frame) = 0;
  /// Market data: faults may drop, double, reorder or damage it.
  virtual void publish(const frame_topic& topic, std::string frame, bool binary = false) = 0;
  virtual void close(std::uint16_t code, std::string reason) = 0;
  /// The client broke a rule of the venue; `fact` names it in words.
  virtual void violation(std::string_view fact) = 0;
};

/// One client's socket. Times are the simulator's steady clock in ns.
class dialect_connection {
public:
  virtual ~dialect_connection() = default;
  virtual void opened(std::int64_t steady_ns) = 0;
  virtual void on_message(std::string_view text, std::int64_t steady_ns) = 0;
  /// A change, trade or best bid/ask of a market of the world; the market's book is the one behind
  /// it.
  virtual void on_event(const data_market& market, const data_event& event) = 0;
  /// Each 100 ms: heartbeats of the venue, deadlines of the client.
  virtual void tick(std::int64_t steady_ns) = 0;
  /// The venue is about to restart: what it says in front of closing its sockets; may say nothing.
  virtual void announce_shutdown() {}
};

/// A REST answer.
struct data_reply {
  unsigned status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;
  bool image = false; ///< of a book: the fault slow_image strikes it
};

/// A REST request.
struct data_request {
  std::string_view method, path, query, body;
};

/// Rules that all venues have in some form; the server enforces them.
struct dialect_limits {
  int messages_per_second = 0; ///< of one client's socket; 0: none
  int connects = 0;            ///< new sockets within `connects_s`; 0: none
  int connects_s = 60;
  int requests = 0; ///< weight of REST requests within `requests_s`; 0: none
  int requests_s = 60;
  std::int64_t life_s = 0; ///< a socket is closed at this age; 0: never
  int ping_every_s = 0;    ///< protocol pings of the server; 0: none
};

/// A venue's whole manner of speaking.
class venue_dialect {
public:
  virtual ~venue_dialect() = default;
  [[nodiscard]] virtual std::string_view venue() const noexcept = 0;
  [[nodiscard]] virtual const dialect_limits& limits() const noexcept = 0;
  /// The venue's spelling of an instrument, as subscriptions and REST have it.
  [[nodiscard]] virtual std::string symbol_of(const data_instrument& instrument) const = 0;
  /// A market changed: called once, before the connections hear of it; for what they share
  /// (windows).
  virtual void on_change(const data_market&, const data_event&) {}
  /// The sequence number of a client's book as the market stands (0 where the venue gives none); of
  /// the channel that our connector takes by default.
  [[nodiscard]] virtual std::uint64_t sequence_of(const data_market& market) const {
    return market.number();
  }
  /// A new socket; null when the path is no socket of the venue.
  virtual std::unique_ptr<dialect_connection> accept(std::string_view path, std::string_view query,
                                                     dialect_port& port) = 0;
  /// Answers a request; nothing when the venue has no such path. `base` is the server's own
  /// address, "localhost:1234", for answers that name one.
  virtual std::optional<data_reply> rest(const data_request& request, std::string_view base) = 0;
  /// Weight of a request in the venue's budget.
  [[nodiscard]] virtual int weight_of(const data_request&) const { return 1; }
};

/// The dialect of a venue of ours ("bybit", …) over this world, which outlives it; null for unknown
/// names.
std::unique_ptr<venue_dialect> make_dialect(std::string_view venue, const data_world& world);

/// Names of all dialects.
std::vector<std::string_view> dialect_names();

} // namespace troupe::venue_sim
