#pragma once

/// Internal to troupe_net: the parts of the server.

#include "runtime/net/detail.hpp"
#include "runtime/net/http_server.hpp"

#include <set>

namespace troupe::net {

class server_connection;

/// Anything that `reset_all` can cut; may be called from any thread.
class resettable {
public:
  virtual ~resettable() = default;
  virtual void reset() = 0;
};

struct http_server::impl : std::enable_shared_from_this<http_server::impl> {
  impl(io_runner::impl& io, http_server_options how, request_handler requests, upgrade_handler upgrades)
      : options{std::move(how)}, on_request{std::move(requests)}, on_upgrade{std::move(upgrades)},
        context{io.context}, strand{asio::make_strand(io.context)}, acceptor{strand}, pause{strand} {}

  status listen();
  void accept();
  void on_accepted(const boost_error& ec, tcp::socket socket);
  /// Counts a connection in; false when a cap is reached.
  bool admit(const std::string& peer_host);
  void release(const std::string& peer_host);
  void shut();

  http_server_options options;
  request_handler on_request;
  upgrade_handler on_upgrade;
  asio::io_context& context;
  asio::strand<asio::io_context::executor_type> strand;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::uint16_t port = 0;
  std::mutex mutex; ///< guards the two below
  std::map<std::string, std::size_t> per_peer;
  std::set<std::weak_ptr<resettable>, std::owner_less<>> live; ///< what `reset_all` cuts
  std::atomic<std::size_t> open{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> next_session{1};
  std::atomic<bool> ignore_new{false};
  std::atomic<bool> stopped{false};
};

/// Keeps a connection counted for as long as it lives.
class admission {
public:
  admission(std::shared_ptr<http_server::impl> server, std::string peer_host)
      : server_{std::move(server)}, peer_host_{std::move(peer_host)} {}
  ~admission() { server_->release(peer_host_); }
  admission(const admission&) = delete;
  admission& operator=(const admission&) = delete;

private:
  std::shared_ptr<http_server::impl> server_;
  std::string peer_host_;
};

/// A frame that waits to be written.
struct outgoing_frame {
  std::shared_ptr<const std::string> payload;
  bool text = true;
};

struct ws_session::impl : resettable, std::enable_shared_from_this<ws_session::impl> {
  using socket_type = websocket::stream<net_stream, false>;

  explicit impl(std::shared_ptr<http_server::impl> of, std::uint64_t number)
      : server{std::move(of)}, id{number} {}

  /// Takes the connection over and answers the upgrade.
  void open(net_stream&& stream, const http::request<http::string_body>& request, ws_handlers calls,
            std::shared_ptr<admission> counted);
  bool push(std::shared_ptr<const std::string> payload, bool text);
  void reset() override;
  void ping(std::string payload);
  void close(std::uint16_t code, std::string reason);
  void black_hole();
  void stall(bool on);

  void read();
  void on_read(const boost_error& ec);
  void write();
  void watch_idle();
  void fail(error why, bool abrupt);
  /// Runs `job` on the session's strand; nothing before the upgrade or after the end.
  template <class Job>
  void later(Job job) {
    const std::lock_guard lock{mutex};
    if (executor) asio::post(*executor, [self = shared_from_this(), job = std::move(job)] { job(*self); });
  }

  std::shared_ptr<http_server::impl> server;
  std::uint64_t id;
  std::shared_ptr<admission> counted;
  ws_handlers handlers;
  std::optional<socket_type> socket;
  std::optional<asio::steady_timer> timer;
  beast::flat_buffer buffer;
  std::chrono::steady_clock::time_point heard;
  bool opened = false;
  bool ended = false;
  bool writing = false;
  bool pinging = false; ///< Beast carries one at a time
  bool closing = false;

  std::mutex mutex; ///< guards the queue and the executor
  std::optional<net_stream::executor_type> executor;
  std::deque<outgoing_frame> queue;
  std::atomic<std::size_t> queued{0};
  std::atomic<bool> over{false};
  std::atomic<bool> hole{false};
  std::atomic<bool> stalled{false};
};

/// One HTTP connection: reads a request, waits for its answer, writes it, reads the next.
class server_connection : public resettable, public std::enable_shared_from_this<server_connection> {
public:
  server_connection(std::shared_ptr<http_server::impl> server, tcp::socket socket, std::string peer,
                    std::shared_ptr<admission> counted);

  void start();
  void reset() override;
  [[nodiscard]] net_stream::executor_type executor() const { return executor_; }

  /// Answers the request that is being handled; with `cut_at` only that many bytes and a reset.
  void answer(http_response response, std::optional<std::size_t> cut_at);
  void abort_answer();
  void hold_answer();

private:
  void wait_for_request();
  void read_header();
  void read_body();
  void dispatch();
  void upgrade();
  void refuse(unsigned status, const std::string& why);
  void on_read_error(const boost_error& ec);
  void write(http_response response, bool keep);
  void linger();
  void arm(nanoseconds deadline);
  void drop(bool abrupt);

  std::shared_ptr<http_server::impl> server_;
  std::shared_ptr<admission> counted_;
  std::string peer_;
  std::optional<net_stream> stream_;
  net_stream::executor_type executor_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
  std::string raw_;
  bool answering_ = false;
  bool over_ = false;
};

struct http_responder::impl {
  std::shared_ptr<server_connection> connection;
  std::atomic<bool> answered{false};

  ~impl() {
    if (answered.exchange(true)) return;
    http_response nothing_said;
    nothing_said.status = 500;
    connection->answer(std::move(nothing_said), std::nullopt);
  }
};

/// Our response in Beast's form.
http::response<http::string_body> to_beast(http_response response, unsigned version, bool keep);

} // namespace troupe::net
