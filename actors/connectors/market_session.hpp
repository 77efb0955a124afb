#pragma once

/// One market-data socket of a venue and its stand-in, without I/O: when to connect, subscribe, re-subscribe,
/// rotate and give up. What is said on the socket comes from a `market_protocol`; time, randomness (a seed)
/// and the outside world (a port) are handed in.
///
/// Rules kept for every venue, with the numbers of its `protocol_traits`: messages a second, pongs counted;
/// new connections within a window, shared by all sockets; heartbeats; a socket without a sound is replaced; a
/// topic without data is subscribed again, and a book that stays silent replaces the socket; a break of the
/// connection's own sequence taints the whole socket; an age limit or a notice of shutdown brings a second
/// socket before the first is closed.

#include "actors/connectors/market_protocol.hpp"
#include "actors/connectors/rate_budget.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

namespace troupe {

/// How one session works. All times are steady time.
struct market_session_options {
  market_socket_plan plan;
  std::function<std::unique_ptr<market_protocol>()> protocol; ///< one for each connection; required
  protocol_traits traits;
  const market_clock* clock = nullptr; ///< for venues whose messages carry the time; outlives the session
  nanoseconds open_deadline = std::chrono::seconds{30};    ///< ticket, connection and greeting together
  nanoseconds ack_deadline = std::chrono::seconds{5};      ///< an unanswered subscription replaces the socket
  nanoseconds overlap_deadline = std::chrono::seconds{30}; ///< a stand-in without proof is dropped
  nanoseconds backoff_least = std::chrono::milliseconds{250};
  nanoseconds backoff_most = std::chrono::seconds{30};
  nanoseconds settled_after = std::chrono::seconds{1}; ///< living so long resets the back-off
  std::uint32_t breaker_failures = 8;                  ///< failures in a row that open the breaker
  nanoseconds breaker_pause = std::chrono::seconds{60};
  std::uint32_t refusal_tries = 3; ///< a topic refused so often on one connection is given up and shown
  nanoseconds refusal_pause = std::chrono::seconds{2}; ///< until a refused topic is tried again; doubles
  nanoseconds resync_pause = std::chrono::seconds{1};  ///< between two new images of a topic; doubles behind
  std::uint32_t resync_burst = 5;                      ///< so many that came without a calm between them
  nanoseconds resync_most = std::chrono::seconds{60};  ///< up to here, and after such a calm it starts anew
  std::size_t overlap_bytes = 32u << 20;               ///< held frames of the stand-in
  std::size_t most_waiting = 4096;                     ///< messages of ours that wait for their turn
  std::uint64_t seed = 1;
};

/// What a session does to the world.
class market_session_port {
public:
  virtual ~market_session_port() = default;
  /// Opens a connection; the outcome comes as `on_open` or `on_closed`, exactly one.
  virtual void open(std::uint64_t socket, const std::string& target) = 0;
  virtual void close(std::uint64_t socket, const std::string& why) = 0;
  virtual void send(std::uint64_t socket, std::string text) = 0;
  /// A frame for the feeds of `frame.symbols`, in order, each event once. Views are valid during the call.
  virtual void deliver(const inbound& frame, market_time received) = 0;
  /// `connected`: all topics subscribed, or given up and shown. Frames may come before it. Whatever taints
  /// books (a break, a replacement without overlap) leads through `reconnecting` or `error` first; frames
  /// after it are of another connection than those before.
  virtual void changed(session_state state, const std::string& why) = 0;
};

/// Counts since construction; they only grow.
struct market_session_counters {
  std::uint64_t connects = 0;
  std::uint64_t breaks = 0;
  std::uint64_t rotations = 0;    ///< stand-ins that took over without a loss
  std::uint64_t replacements = 0; ///< stand-ins that took over, books begun anew
  std::uint64_t shutdowns = 0;    ///< notices of the venue
  std::uint64_t resubscriptions = 0; ///< of silent topics
  std::uint64_t resyncs = 0;         ///< new images asked for in band
  std::uint64_t refused_subscriptions = 0;
  std::uint64_t breaker_opens = 0;
  std::uint64_t sequence_breaks = 0; ///< of the connection's own sequence
  std::uint64_t frames = 0;
  std::uint64_t duplicates = 0; ///< frames of the stand-in that the old socket had delivered
  std::uint64_t unknown = 0;    ///< frames of no known kind, answers to nothing
  std::uint64_t damaged = 0;    ///< frames that can't be read
  std::uint64_t failures = 0;   ///< errors of the venue that belong to no subscription
  std::uint64_t messages = 0;   ///< sent by us
};

/// Not thread-safe; never blocks.
class market_session {
public:
  /// `connects` is shared by all sessions behind one address and counts the limit named "connects".
  market_session(market_session_options options, market_session_port& port, rate_budget& connects);
  ~market_session();
  market_session(const market_session&) = delete;
  market_session& operator=(const market_session&) = delete;

  void start(steady_time now);
  void stop();
  /// To be called at least every 100 ms.
  void tick(steady_time now);

  void on_open(std::uint64_t socket, steady_time now);
  void on_frame(std::uint64_t socket, std::string_view frame, market_time received, steady_time now);
  /// The server pinged and was answered: counts as a message of ours.
  void on_ping(std::uint64_t socket, steady_time now);
  /// `http_status`: of a refused upgrade or ticket, else 0.
  void on_closed(std::uint64_t socket, const std::string& why, unsigned http_status, steady_time now);

  /// The book of that symbol needs a new image in band. Rate limited; a connection that is not live yet
  /// brings one by itself.
  void resync(std::string_view symbol);

  /// Reading was paused by us or goes on: the silence of the pause is ours.
  void pause(bool on, steady_time now);

  [[nodiscard]] session_state state() const noexcept { return state_; }
  [[nodiscard]] const market_session_counters& counters() const noexcept { return counters_; }

  /// Topics that the venue refuses, with its words.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> refused() const;
  /// The newest error of the venue that belonged to no subscription.
  [[nodiscard]] const std::string& last_failure() const noexcept { return last_failure_; }
  /// Heads of the newest frames that could not be read, at most eight.
  [[nodiscard]] const std::deque<std::string>& damaged() const noexcept { return damaged_; }

private:
  enum class phase : std::uint8_t { idle, opening, greeting, subscribing, live };
  struct waiting_answer {
    std::vector<std::string> topics;
    steady_time sent;
  };
  struct outgoing {
    std::string text;
    std::vector<std::string> topics;
  };
  struct held_frame {
    std::string text, topic;
    std::vector<std::string> symbols;
    inbound_kind kind;
    std::uint64_t sequence;
    market_time received;
  };
  /// One connection: the one that delivers, or the stand-in.
  struct connection {
    std::uint64_t socket = 0;
    phase at = phase::idle;
    steady_time since{};
    steady_time heard{};
    steady_time beat{};
    std::unique_ptr<market_protocol> speaks;
    std::deque<waiting_answer> waiting;
    std::deque<outgoing> outbox;     ///< bounded by `most_waiting`
    std::vector<steady_time> sends;  ///< within the last second
  };
  struct topic_state {
    const market_topic* what = nullptr;
    nanoseconds limit{};
    steady_time seen{};
    bool any_data = false; ///< on this connection
    bool resubscribed = false;
    steady_time resubscribed_at{};
    std::uint64_t delivered = 0;  ///< the venue's number delivered last; 0: it has none
    bool held = false;            ///< the stand-in has brought something
    std::uint64_t first_held = 0; ///< oldest number of the stand-in
    std::uint32_t refusals = 0;
    std::optional<steady_time> retry_at;
    bool given_up = false; ///< on this connection
    bool shown = false;    ///< was given up, and nothing has shown since that the venue takes it
    std::string why;
    bool resync_wanted = false;
    std::optional<steady_time> resynced_at;
    nanoseconds resync_wait{};
    std::uint32_t resyncs_in_row = 0;
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  // Connecting.
  void connect(steady_time now);
  void begin(connection& into, steady_time now);
  [[nodiscard]] market_protocol& speaker(const connection& c) const;
  void subscribe_all(connection& c, steady_time now);
  void check_live(connection& c, steady_time now);
  // Our messages.
  void queue(connection& c, std::vector<market_command> commands);
  void urgent(connection& c, std::string text);
  void subscribe_anew(const std::vector<market_topic>& topics);
  void pump(connection& c, steady_time now);
  // Frames.
  [[nodiscard]] connection* find(std::uint64_t socket) noexcept;
  void on_data(connection& c, const inbound& said, market_time received, steady_time now);
  void pass_on(const connection& c, const inbound& said, market_time received, steady_time now);
  void hold(const inbound& said, market_time received, steady_time now);
  void answered(connection& c, const inbound& said, steady_time now);
  void refused(connection& c, const inbound& said, steady_time now);
  void refuse_topic(const std::string& name, std::string_view why, steady_time now);
  void on_shutdown(const connection& c, steady_time now);
  void on_sequence_break(const connection& c, std::string_view why, steady_time now);
  void keep_damaged(std::string_view frame);
  [[nodiscard]] static std::vector<std::string> topics_of_answer(connection& c, const inbound& said);
  // The stand-in.
  void rotate(steady_time now);
  void try_promote(steady_time now);
  void promote(bool seamless, steady_time now);
  void drop_standby(const std::string& why);
  void deliver_held();
  // Breaks.
  void lost(const std::string& why, steady_time now);
  void replace(const std::string& why, steady_time now);
  void watch_topics(steady_time now);
  void serve_topics(steady_time now);
  void watch_deadlines(steady_time now);
  void beat(connection& c, steady_time now);
  [[nodiscard]] std::string trouble_of(const connection& c, steady_time now) const;
  void set_state(session_state state, const std::string& why);
  void quiet_again(steady_time now);
  std::uint64_t draw();
  nanoseconds backoff();
  [[nodiscard]] nanoseconds quiet_limit(topic_kind kind) const noexcept;

  market_session_options options_;
  market_session_port& port_;
  rate_budget& connects_;
  session_state state_ = session_state::disconnected;
  connection primary_;
  std::optional<connection> standby_;
  bool overlapping_ = false; ///< the stand-in can prove that nothing is missing
  std::deque<held_frame> held_;
  std::size_t held_bytes_ = 0;
  std::unordered_map<std::string, topic_state, text_hash, std::equal_to<>> topics_;
  std::uint64_t next_socket_ = 1;
  std::optional<steady_time> next_attempt_;
  std::optional<steady_time> next_rotation_;
  std::uint32_t failures_in_row_ = 0;
  std::uint64_t random_;
  bool stopped_ = true;
  bool paused_ = false;
  std::string last_failure_;
  std::deque<std::string> damaged_;
  market_session_counters counters_;
};

} // namespace troupe
