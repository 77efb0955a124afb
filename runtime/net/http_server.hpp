#pragma once

/// HTTP/1.1 and WebSocket server for loopback: venue simulator, tests, later the gateway's pages.
/// Limits are set explicitly (header and body sizes and deadlines per request, idle time, connection
/// caps); pipelining depth is one. Requests with both Content-Length and Transfer-Encoding are refused.

#include "runtime/net/http.hpp"
#include "runtime/net/ws_client.hpp"

namespace troupe::net {

struct http_server_options {
  std::string bind = "127.0.0.1";
  std::uint16_t port = 0;                  ///< 0: any free one, see `port()`
  bool tls = false;
  tls_context certificate;                 ///< used when tls
  const market_clock* clock = nullptr;     ///< receive times of frames; required
  std::size_t header_limit = 8 * 1024;
  std::size_t body_limit = 64 * 1024;
  nanoseconds header_deadline = std::chrono::seconds{5};  ///< from the request's first byte
  nanoseconds body_deadline = std::chrono::seconds{15};
  nanoseconds idle = std::chrono::seconds{60};            ///< between requests
  nanoseconds answer_deadline = std::chrono::seconds{60}; ///< a handler that never answers: 503
  std::size_t connections = 512;
  std::size_t connections_per_peer = 64;
  std::size_t message_limit = 64 * 1024;   ///< of an inbound WebSocket message
  std::size_t ws_queue_bytes =
      4 * 1024 * 1024; ///< of a session's unsent frames; beyond it the session is cut
  nanoseconds ws_idle = std::chrono::seconds{0};  ///< 0: never; else nothing heard for so long: cut
};

/// The right to answer one request, once. Copies share it; may be used from any thread and later
/// than the handler. When all copies are gone without an answer the server answers 500.
class http_responder {
public:
  /// Sends the response; Content-Length and Connection are added. False: answered already.
  bool respond(http_response response) const;
  /// Fault injection: sends only the first `bytes` bytes of the response, then resets.
  bool respond_truncated(http_response response, std::size_t bytes) const;
  /// Fault injection: closes the connection abruptly (RST) without an answer.
  bool reset() const;
  /// Fault injection: never answers and keeps the connection open until the peer gives up.
  bool hold() const;

  struct impl;
  explicit http_responder(std::shared_ptr<impl> state) : impl_{std::move(state)} {}

private:
  std::shared_ptr<impl> impl_;
};

/// One WebSocket connection at the server. Copies share it; all functions may be called from any thread.
class ws_session {
public:
  /// Queues a text frame; false when the session is over or its queue overran (it is cut then: a
  /// reader that slow must reconnect and take a new book image).
  bool send(std::string payload) const;
  /// The same for frames shared between many sessions.
  bool send(std::shared_ptr<const std::string> payload) const;
  /// The same as a binary frame.
  bool send_binary(std::shared_ptr<const std::string> payload) const;
  bool ping(std::string payload = {}) const;
  void close(std::uint16_t code = 1000, std::string reason = {}) const;
  /// Fault injection: RST.
  void reset() const;
  /// Fault injection, for good: the connection stays open, but nothing is read, written or answered
  /// any more, pings included; frames sent from now on are dropped.
  void black_hole() const;
  /// Fault injection: while on, queued frames are not written (pings are still answered).
  void stall(bool on) const;

  [[nodiscard]] std::uint64_t id() const noexcept;
  [[nodiscard]] std::size_t queued_bytes() const noexcept;
  [[nodiscard]] bool open() const noexcept;
  friend bool operator==(const ws_session& a, const ws_session& b) noexcept { return a.impl_ == b.impl_; }

  struct impl;
  ws_session() = default;
  explicit ws_session(std::shared_ptr<impl> state) : impl_{std::move(state)} {}

private:
  std::shared_ptr<impl> impl_;
};

/// The answer to an upgrade request: handlers of the new session, or a refusal.
struct upgrade_answer {
  bool accept = true;
  http_response refusal;  ///< sent when not accepted
  ws_handlers handlers;   ///< on_open once the 101 is out; on_close always last
};

class http_server {
public:
  using request_handler = std::function<void(const http_request&, http_responder)>;
  using upgrade_handler = std::function<upgrade_answer(const http_request&, ws_session)>;

  /// Binds and listens. Handlers run on the I/O thread (different connections concurrently when the
  /// runner has several threads). Without an upgrade handler upgrades are answered 404.
  static result<std::unique_ptr<http_server>> start(io_runner& io, http_server_options options,
                                                    request_handler on_request,
                                                    upgrade_handler on_upgrade = {});
  /// Stops accepting and cuts all connections.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::size_t connections() const noexcept;
  /// Connections refused because a cap was reached.
  [[nodiscard]] std::uint64_t refused() const noexcept;
  /// Fault injection: resets every open connection now.
  void reset_all();
  /// Fault injection: while on, new connections are accepted and then ignored.
  void black_hole_new(bool on);

  struct impl;

private:
  explicit http_server(std::shared_ptr<impl> state) : impl_{std::move(state)} {}
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::net
