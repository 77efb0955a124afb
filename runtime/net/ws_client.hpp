#pragma once

/// One WebSocket connection as a client. An object lives for one connection: to reconnect, make another.
/// Pings are answered with the same payload by the stream itself as long as reading is not paused.
/// permessage-deflate is never offered.

#include "runtime/net/http.hpp"

namespace troupe::net {

struct ws_client_options {
  address server;
  std::string target;                      ///< appended to the address's path, "/stream?streams=…"
  http_fields fields;                      ///< extra fields of the upgrade request
  tls_context tls;
  const market_clock* clock = nullptr;     ///< receive times; must outlive the client; required
  nanoseconds connect_deadline = std::chrono::seconds{10};
  nanoseconds idle = std::chrono::seconds{60}; ///< nothing heard, pings included: closed with `idle`
  std::size_t message_limit = 8 * 1024 * 1024;
  std::size_t queue_bytes = 1024 * 1024;   ///< of frames waiting to be written
  std::string user_agent = "troupe";
};

/// Called on the I/O thread, never concurrently; `on_close` exactly once and last, also when the
/// connection never opened. Views are valid during the call only.
struct ws_handlers {
  std::function<void()> on_open;
  std::function<void(std::string_view payload, market_time received)> on_frame;
  std::function<void(const error& why)> on_close;
  std::function<void()> on_ping; ///< may be empty
};

class ws_client {
public:
  /// Connects at once. Handlers may run before the constructor has returned, unless it is called on
  /// the I/O thread; one that uses the object itself must be made there.
  ws_client(io_runner& io, ws_client_options options, ws_handlers handlers);
  /// Closes without waiting; no handler runs after the destructor when it is called on the I/O
  /// thread; otherwise one that is just running may finish meanwhile.
  ~ws_client();
  ws_client(const ws_client&) = delete;
  ws_client& operator=(const ws_client&) = delete;

  /// Queues one frame; false when the bounded queue is full or the connection is over.
  bool send_text(std::string payload);
  bool send_binary(std::string payload);
  /// Starts an orderly close; `on_close` follows within 2 s.
  void close(std::uint16_t code = 1000, std::string reason = {});

  /// Back-pressure: after the frame that is being delivered no more are read, so that TCP slows the
  /// sender. Pings are not answered meanwhile: keep pauses well under the venue's limit.
  void pause_reading();
  void resume_reading();

  /// Bytes of payload and frames read so far.
  [[nodiscard]] std::uint64_t frames_read() const noexcept;
  [[nodiscard]] std::uint64_t bytes_read() const noexcept;

  struct impl;

private:
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::net
