#pragma once

/// The I/O side of a connector: sockets, sessions, batches on their way to the feeds, images and tickets.
/// Internal to the connector actor. Everything runs on one I/O thread but what says otherwise.

#include "actors/connectors/venue_connector_actor.hpp"
#include "runtime/net/http_client.hpp"
#include "runtime/net/ws_client.hpp"

#include <atomic>
#include <map>
#include <mutex>

namespace troupe {

class connector_driver;
class json_writer;
class socket_group;
struct rules_fetch;

/// One instrument on its way to its feed.
struct connected_instrument {
  instrument_spec spec;
  std::string feed;
  socket_group* book = nullptr; ///< the sockets of its book: their breaks are its breaks
  std::uint64_t session = 0;
  session_state state = session_state::disconnected;
  std::string reason;
  caf::actor_id told = 0; ///< feed handle that knows `state`
  frame_batch pending;
  bool paused = false;
  std::optional<std::uint64_t> image_for; ///< session that waits for an image
  bool image_running = false;
  std::uint32_t image_failures = 0;
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> reached{0};
};

/// A session and its sockets.
class socket_group final : public market_session_port {
public:
  socket_group(connector_driver& owner, market_session_options options, rate_budget& connects)
      : owner_{owner}, session_{std::move(options), *this, connects} {}

  void open(std::uint64_t socket, const std::string& target) override;
  void close(std::uint64_t socket, const std::string& why) override;
  void send(std::uint64_t socket, std::string text) override;
  void deliver(const inbound& frame, market_time received) override;
  void changed(session_state state, const std::string& why) override;

  void carry(const std::string& symbol, connected_instrument& whose) { by_symbol_.emplace(symbol, &whose); }
  [[nodiscard]] connected_instrument* instrument_of(std::string_view symbol) const;
  /// Connects to `at`; `target` is appended.
  void connect(std::uint64_t socket, const net::address& at, const std::string& target);
  void fail(std::uint64_t socket, const std::string& why, unsigned http_status);
  void pause(bool on);
  void forget_sockets();
  /// Sockets that were closed while one of their handlers ran.
  void bury() { leaving_.clear(); }
  [[nodiscard]] market_session& session() noexcept { return session_; }
  void write_status(json_writer& w) const;

private:
  connector_driver& owner_;
  std::map<std::string, connected_instrument*, std::less<>> by_symbol_;
  std::map<std::uint64_t, std::unique_ptr<net::ws_client>> sockets_;
  std::vector<std::unique_ptr<net::ws_client>> leaving_;
  std::set<std::uint64_t> awaiting_ticket_;
  session_state state_ = session_state::disconnected;
  market_session session_;
};

/// See above.
class connector_driver : public std::enable_shared_from_this<connector_driver> {
public:
  connector_driver(actor_environment env, venue_connector_options options, net::tls_context tls);

  // From any thread.
  void start();
  /// Ends the I/O thread; afterwards nothing of this object runs.
  void stop();
  void request_image(const image_request& request);
  [[nodiscard]] std::string status_json() const;
  /// Feeds whose progress is of interest: name and frames sent so far.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> lagging() const;
  void feed_reached(const std::string& feed, std::uint64_t frames);

private:
  friend class socket_group;

  [[nodiscard]] net::http_client& rest_of(std::string_view target);
  [[nodiscard]] const net::address& sockets_of(std::string_view target) const;
  void plan_sockets();
  void add_group(market_socket_plan plan, const std::vector<connected_instrument*>& instruments);
  void tick();
  void deliver(socket_group& group, const inbound& frame, market_time received);
  void on_state(socket_group& group, session_state state, const std::string& why);
  void begin_session(connected_instrument& instrument);
  void tell_state(connected_instrument& instrument);
  void flush(connected_instrument& instrument);
  void flush_all();
  void apply_pressure(connected_instrument& instrument);
  void ask_for_ticket(socket_group& group, std::uint64_t socket);
  void on_ticket(socket_group& group, std::uint64_t socket, result<net::http_response> reply);
  void ask_for_image(connected_instrument& instrument, const image_request& request);
  void fetch_image(connected_instrument& instrument);
  void on_image(connected_instrument& instrument, std::uint64_t session, result<net::http_response> reply);
  void retry_image(connected_instrument& instrument, nanoseconds least);
  void on_reply(const net::http_response& reply);
  void fetch_rules_in(nanoseconds delay);
  void fetch_rules(std::shared_ptr<rules_fetch> so_far);
  void on_rules_page(const std::shared_ptr<rules_fetch>& so_far, result<net::http_response> reply);
  void on_rules(std::vector<instrument_spec> listed);
  void rules_failed(const std::string& why);
  void write_rules(json_writer& w, const connected_instrument& instrument) const;
  void refresh_status();
  feed_actor feed_of(const connected_instrument& instrument);
  [[nodiscard]] steady_time now() const { return env_.steady->now(); }

  actor_environment env_;
  venue_connector_options options_;
  protocol_traits traits_;
  net::tls_context tls_;
  rate_budget budget_;
  std::vector<std::unique_ptr<socket_group>> groups_;
  std::vector<std::unique_ptr<connected_instrument>> instruments_;
  std::uint64_t last_session_;
  std::uint64_t next_seed_;
  bool flush_posted_ = false;
  std::size_t paused_feeds_ = 0;
  std::uint64_t pauses_ = 0;
  std::uint64_t undelivered_ = 0; ///< frames for which no feed was there
  std::uint64_t images_ = 0;
  std::uint64_t image_failures_ = 0;
  std::uint64_t ticket_failures_ = 0;
  std::uint64_t bytes_ = 0;
  nanoseconds lag_{};
  std::optional<instrument_rules> rules_;
  bool rules_cached_ = false; ///< of an earlier run
  std::uint64_t rules_failures_ = 0;
  mutable std::mutex mutex_; ///< guards the status text
  std::string status_ = "{}";
  // Last: destroyed first, so that no callback meets a half-destroyed driver.
  net::io_runner io_;
  std::unique_ptr<net::http_client> rest_;
  std::unique_ptr<net::http_client> second_rest_; ///< of products with a host of their own
};

} // namespace troupe
