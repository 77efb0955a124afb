#pragma once

/// One market-data socket of Binance and its stand-in, without I/O: when to connect, subscribe, rotate and
/// give up. Time, randomness (a seed) and the outside world (a port) are handed in.
///
/// Rules kept (binance-spot-api-docs web-socket-streams.md; USDⓈ-M "Websocket Market Streams"): at most 5
/// frames a second from us, pongs counted; 1024 streams a socket; 300 connections in 5 minutes an address;
/// a socket lives 24 h, so it is replaced before by one that overlaps with it; `serverShutdown` means the
/// same at once; a stream that stays silent is subscribed again, then the socket is replaced.

#include "actors/connectors/binance/rate_budget.hpp"
#include "messages/market.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::binance {

/// The two kinds of market whose sockets differ in their paths.
enum class market_kind : std::uint8_t { spot, usdm };

/// What to subscribe to for each symbol.
struct stream_selection {
  bool depth = true;
  bool trades = true;
  bool book_ticker = true;
  std::string depth_speed = "@100ms"; ///< "", "@100ms"; USDⓈ-M also "@0ms" and "@500ms"
};

/// One socket to hold: its path and streams.
struct socket_plan {
  std::string path; ///< "/stream", "/public/stream", "/market/stream"
  std::vector<std::string> streams;
};

/// Distributes the streams of all symbols ("BTCUSDT") over sockets. USDⓈ-M: depth and bookTicker go to
/// /public, trades to /market; a socket of the wrong class would silently carry only part of them.
std::vector<socket_plan> plan_sockets(market_kind kind, const std::vector<std::string>& symbols,
                                      const stream_selection& what, std::size_t streams_per_socket = 300);

/// All times are steady time.
struct session_options {
  socket_plan plan;
  nanoseconds ack_deadline = std::chrono::seconds{5};
  nanoseconds rotation = std::chrono::hours{23};
  nanoseconds overlap_deadline =
      std::chrono::seconds{30}; ///< a stand-in that doesn't prove itself is dropped
  nanoseconds depth_silence = std::chrono::seconds{5};     ///< depth streams push every 100 ms
  nanoseconds ticker_silence = std::chrono::seconds{30};
  nanoseconds trade_silence = std::chrono::minutes{10};    ///< quiet instruments trade rarely
  nanoseconds backoff_least = std::chrono::milliseconds{250};
  nanoseconds backoff_most = std::chrono::seconds{30};
  nanoseconds settled_after =
      std::chrono::seconds{1}; ///< a connection that lived so long resets the back-off
  std::uint32_t breaker_failures = 8;                      ///< failures in a row that open the breaker
  nanoseconds breaker_pause = std::chrono::seconds{60};
  std::uint32_t messages_per_second = 4;                   ///< the venue cuts at more than 5
  std::size_t streams_in_url = 150; ///< more are subscribed by message and acknowledged
  std::size_t streams_per_message = 100;
  std::size_t overlap_bytes = 32u << 20;                   ///< held frames of the stand-in
  std::uint64_t seed = 1;
};

/// What a session does to the world.
class session_port {
public:
  virtual ~session_port() = default;
  virtual void open(std::uint64_t socket, const std::string& target) = 0;
  virtual void close(std::uint64_t socket, const std::string& why) = 0;
  virtual void send(std::uint64_t socket, std::string text) = 0;
  /// A data frame, in order, each event once; `stream` is its name.
  virtual void deliver(std::string_view stream, std::string_view frame, market_time received) = 0;
  /// `connected`: all streams subscribed. Every break leads through `reconnecting` or `error` (breaker open).
  virtual void changed(session_state state, const std::string& why) = 0;
};

struct session_counters {
  std::uint64_t connects = 0;
  std::uint64_t breaks = 0;
  std::uint64_t rotations = 0;
  std::uint64_t shutdowns = 0;
  std::uint64_t resubscriptions = 0;
  std::uint64_t refused_subscriptions = 0;
  std::uint64_t breaker_opens = 0;
  std::uint64_t frames = 0;
  std::uint64_t duplicates = 0; ///< frames of the stand-in that the old socket had delivered
  std::uint64_t unknown = 0;    ///< frames that are neither data nor answers
  std::uint64_t messages = 0;   ///< sent by us
};

class session {
public:
  /// `connects` is shared by all sessions behind one address and counts the limit named "connects".
  session(session_options options, session_port& port, rate_budget& connects);

  void start(steady_time now);
  void stop();
  /// To be called at least every 100 ms.
  void tick(steady_time now);

  void on_open(std::uint64_t socket, steady_time now);
  void on_frame(std::uint64_t socket, std::string_view frame, market_time received, steady_time now);
  /// The server pinged and was answered: counts as a message of ours.
  void on_ping(std::uint64_t socket, steady_time now);
  /// `http_status`: of a refused upgrade, else 0.
  void on_closed(std::uint64_t socket, const std::string& why, unsigned http_status, steady_time now);

  /// Reading was paused by us and goes on: the silence of the pause was ours.
  void resumed(steady_time now);

  [[nodiscard]] session_state state() const noexcept { return state_; }
  [[nodiscard]] const session_counters& counters() const noexcept { return counters_; }

private:
  enum class phase : std::uint8_t { idle, opening, subscribing, live };
  struct pending_ack {
    std::uint64_t id;
    steady_time sent;
  };
  struct held_frame {
    std::string stream;
    std::string frame;
    market_time received;
    std::uint64_t sequence;
  };
  /// One connection: the one that delivers, or the stand-in.
  struct connection {
    std::uint64_t socket = 0;
    phase at = phase::idle;
    steady_time since{};
    std::vector<pending_ack> acks;
    std::vector<std::string> outbox; ///< bounded by the number of streams
    std::size_t next_out = 0;
    std::vector<steady_time> sends;  ///< within the last second
  };
  struct topic_state {
    steady_time seen{};
    nanoseconds limit{};
    bool needs_proof = false; ///< depth: the stand-in must overlap in it
    bool resubscribed = false;
    steady_time resubscribed_at{};
    std::uint64_t delivered = 0;  ///< newest sequence delivered while a stand-in exists
    std::uint64_t first_held = 0; ///< oldest sequence of the stand-in
  };

  void connect(steady_time now);
  void begin(connection& into, steady_time now);
  void subscribe_all(connection& c, steady_time now);
  void queue(connection& c, const char* method, const std::vector<std::string>& streams);
  void pump(connection& c, steady_time now);
  void became_live(connection& c, steady_time now);
  void on_control(connection& c, std::string_view frame, steady_time now);
  void on_data(std::string_view stream, std::string_view frame, market_time received, steady_time now);
  void hold(std::string_view stream, std::string_view frame, market_time received, steady_time now);
  void rotate(steady_time now);
  void try_promote();
  void promote();
  void drop_standby(const std::string& why);
  void lost(const std::string& why, steady_time now);
  void replace(const std::string& why, steady_time now);
  void watch_topics(steady_time now);
  void set_state(session_state state, const std::string& why);
  nanoseconds backoff();
  [[nodiscard]] nanoseconds silence_of(std::string_view stream) const;

  session_options options_;
  session_port& port_;
  rate_budget& connects_;
  session_state state_ = session_state::disconnected;
  connection primary_;
  std::optional<connection> standby_;
  std::vector<held_frame> held_;
  std::size_t held_bytes_ = 0;
  std::map<std::string, topic_state, std::less<>> topics_;
  std::uint64_t next_socket_ = 1;
  std::uint64_t next_id_ = 1;
  std::optional<steady_time> next_attempt_;
  std::optional<steady_time> next_rotation_;
  std::uint32_t failures_in_row_ = 0;
  std::uint64_t random_;
  bool stopped_ = true;
  session_counters counters_;
};

/// The venue's number in a data frame: update id of depth and bookTicker, trade id of trades; 0 when absent.
std::uint64_t sequence_of(std::string_view stream, std::string_view frame) noexcept;

} // namespace troupe::binance
