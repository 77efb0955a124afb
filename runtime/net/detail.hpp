#pragma once

/// Internal to troupe_net: the only header of the project that includes Boost.Beast.

#include <utility> // Boost 1.74's awaitable.hpp needs it first

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>

#include "runtime/net/http.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace troupe::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost_error = boost::system::error_code;
using tcp = asio::ip::tcp;

struct tls_context::impl {
  asio::ssl::context context;
};

struct io_runner::impl {
  explicit impl(int threads) : context{threads}, work{asio::make_work_guard(context)} {}

  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::uint64_t next_token = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<asio::steady_timer>> timers;
};

/// Turns a library's code into ours; `fallback` where it says nothing better.
net_errc classify(const boost_error& ec, net_errc fallback) noexcept;

/// An error of ours with the library's words: "host:port: what (library's text)".
error net_error(net_errc code, const std::string& where, const boost_error& ec);

/// TCP with or without TLS as one Asio stream type, so that HTTP and WebSocket code is compiled once.
class net_stream {
public:
  using executor_type = beast::tcp_stream::executor_type;

  net_stream(beast::tcp_stream&& plain, asio::ssl::context* tls) {
    if (tls != nullptr) tls_.emplace(std::move(plain), *tls);
    else plain_.emplace(std::move(plain));
  }

  [[nodiscard]] bool is_tls() const noexcept { return tls_.has_value(); }
  beast::ssl_stream<beast::tcp_stream>& tls() { return *tls_; }
  beast::tcp_stream& lowest() { return tls_ ? tls_->next_layer() : *plain_; }
  tcp::socket& socket() { return lowest().socket(); }
  executor_type get_executor() { return lowest().get_executor(); }

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(boost_error, std::size_t)>(
        [this](auto&& h, const Buffers& b) {
          if (tls_) tls_->async_read_some(b, std::forward<decltype(h)>(h));
          else plain_->async_read_some(b, std::forward<decltype(h)>(h));
        },
        handler, buffers);
  }

  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(boost_error, std::size_t)>(
        [this](auto&& h, const Buffers& b) {
          if (held_ || !gathered_.empty()) gather(b, std::forward<decltype(h)>(h));
          else if (tls_) tls_->async_write_some(b, std::forward<decltype(h)>(h));
          else plain_->async_write_some(b, std::forward<decltype(h)>(h));
        },
        handler, buffers);
  }

  /// While held, what is written is kept and goes out with the first write behind it: many small frames as one
  /// TLS record and one system call. Whoever holds must write once more, or let go and write.
  void hold(bool on) noexcept { held_ = on; }
  [[nodiscard]] std::size_t gathered() const noexcept { return gathered_.size(); }

  /// Closes; with `abrupt` the peer gets an RST instead of a FIN.
  void close(bool abrupt = false) {
    boost_error ignored;
    if (abrupt) socket().set_option(asio::socket_base::linger{true, 0}, ignored);
    else socket().shutdown(tcp::socket::shutdown_both, ignored);
    lowest().close();
  }

private:
  template <class Buffers, class Handler>
  void gather(const Buffers& buffers, Handler&& handler) {
    const auto size = beast::buffer_bytes(buffers);
    const auto before = gathered_.size();
    gathered_.resize(before + size);
    asio::buffer_copy(asio::buffer(gathered_.data() + before, size), buffers);
    const auto executor = asio::get_associated_executor(handler, get_executor());
    if (held_) {
      asio::post(executor, beast::bind_front_handler(std::forward<Handler>(handler), boost_error{}, size));
      return;
    }
    auto done = asio::bind_executor(
        executor, [this, size, h = std::forward<Handler>(handler)](const boost_error& ec, std::size_t) mutable {
          gathered_.clear();
          h(ec, ec ? 0 : size);
        });
    if (tls_) asio::async_write(*tls_, asio::buffer(gathered_), std::move(done));
    else asio::async_write(*plain_, asio::buffer(gathered_), std::move(done));
  }

  bool held_ = false;
  std::string gathered_; ///< written by its owner, not yet by the connection
  std::optional<beast::tcp_stream> plain_;
  std::optional<beast::ssl_stream<beast::tcp_stream>> tls_;
};

/// Hooks of Beast's WebSocket close: after the closing handshake the socket is simply closed. A TLS
/// close_notify would wait for the peer once more and proves nothing after the close frames.
inline void teardown(beast::role_type, net_stream& stream, boost_error& ec) {
  stream.close();
  ec = {};
}
template <class Handler>
void async_teardown(beast::role_type, net_stream& stream, Handler&& handler) {
  stream.close();
  asio::post(stream.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), boost_error{}));
}

/// Beast's own timers close through this.
inline void beast_close_socket(net_stream& stream) { stream.close(); }

/// Prepares the client side of TLS: server name indication and host name verification.
status prepare_tls(net_stream& stream, const std::string& host);

/// "host", or "host:port" where the port is not the scheme's own.
std::string host_field(const address& server);

} // namespace troupe::net
