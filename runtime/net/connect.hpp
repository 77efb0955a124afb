#pragma once

/// Internal to troupe_net: resolve, connect and shake hands, shared by both clients.

#include "runtime/net/detail.hpp"

namespace troupe::net {

/// Opens one TCP (and TLS) connection, then calls `done` once on the executor's strand.
class connector : public std::enable_shared_from_this<connector> {
public:
  using handler = std::function<void(std::optional<error>, std::unique_ptr<net_stream>)>;

  connector(asio::any_io_executor executor, address server, tls_context tls, nanoseconds deadline)
      : executor_{std::move(executor)}, server_{std::move(server)}, tls_{std::move(tls)},
        resolver_{executor_}, timer_{executor_}, deadline_{deadline} {}

  void start(handler done);
  /// Ends the attempt; `done` is not called any more.
  void abandon();

private:
  void on_resolved(const boost_error& ec, const tcp::resolver::results_type& endpoints);
  void on_connected(const boost_error& ec);
  void on_shaken(const boost_error& ec);
  void fail(net_errc code, const boost_error& ec);
  void finish(std::optional<error> err);
  [[nodiscard]] std::string where() const;

  asio::any_io_executor executor_;
  address server_;
  tls_context tls_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  nanoseconds deadline_;
  std::unique_ptr<net_stream> stream_;
  handler done_;
};

} // namespace troupe::net
