#pragma once

/// HTTP/1.1 client to one host with kept-alive connections and a bounded queue.
///
/// A request is written at most once: a connection that breaks under it ends it with an error, and
/// `surely_unsent` says whether the server can have seen it. Idle connections that the server closed
/// are noticed (a read is always pending) and replaced before the next request is written.

#include "runtime/net/http.hpp"

namespace troupe::net {

struct http_client_options {
  address server;
  tls_context tls;                         ///< used when server.tls
  const market_clock* clock = nullptr;     ///< stamps responses; must outlive the client; required
  int connections = 2;                     ///< at most this many; opened on demand
  std::size_t queue = 256;                 ///< requests waiting, in all
  nanoseconds connect_deadline = std::chrono::seconds{5};
  nanoseconds idle_close = std::chrono::seconds{30}; ///< unused connections are closed after this
  std::size_t header_limit = 16 * 1024;
  std::size_t body_limit = 16 * 1024 * 1024;
  std::string user_agent = "troupe";
};

struct http_client_counters {
  std::uint64_t requests = 0;
  std::uint64_t responses = 0;
  std::uint64_t failures = 0;
  std::uint64_t connects = 0;
  std::uint64_t queued = 0; ///< now
  std::uint64_t in_flight = 0; ///< now
};

/// See above. The destructor drops all requests: no handler runs after it when it is called on the
/// I/O thread. Call `close()` first to hear how they ended. The runner must outlive the client.
class http_client {
public:
  using handler = std::function<void(result<http_response>)>;

  http_client(io_runner& io, http_client_options options);
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Sends `request`; `done` is called exactly once, on the I/O thread, with the response (whatever
  /// its status) or an error. `deadline` counts from now, in steady time, waiting included.
  /// `urgent` requests (cancels) go before those that wait. Host, Content-Length and User-Agent are
  /// added; the target is prefixed with the address's path.
  void send(http_request request, nanoseconds deadline, handler done, bool urgent = false);

  /// Ends all requests: waiting ones with `stopped`, written ones with `broken`.
  void close();

  [[nodiscard]] http_client_counters counters() const;

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::net
