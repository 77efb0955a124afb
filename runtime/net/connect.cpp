#include "runtime/net/connect.hpp"

namespace troupe::net {

std::string connector::where() const { return server_.host + ':' + std::to_string(server_.port); }

void connector::start(handler done) {
  done_ = std::move(done);
  timer_.expires_after(deadline_);
  timer_.async_wait([self = shared_from_this()](const boost_error& ec) {
    if (ec || !self->done_) return;
    self->finish(net_error(net_errc::connect_deadline, self->where(), {}));
  });
  resolver_.async_resolve(server_.host, std::to_string(server_.port),
                          [self = shared_from_this()](const boost_error& ec, const auto& endpoints) {
                            self->on_resolved(ec, endpoints);
                          });
}

void connector::abandon() {
  done_ = nullptr;
  timer_.cancel();
  resolver_.cancel();
  if (stream_) stream_->close();
}

void connector::on_resolved(const boost_error& ec, const tcp::resolver::results_type& endpoints) {
  if (!done_) return;
  if (ec) return fail(net_errc::resolve_failed, ec);
  if (server_.tls && !tls_.internals()) return fail(net_errc::tls_failed, {});
  stream_ = std::make_unique<net_stream>(beast::tcp_stream{executor_},
                                         server_.tls ? &tls_.internals()->context : nullptr);
  stream_->lowest().async_connect(
      endpoints, [self = shared_from_this()](const boost_error& code, const auto&) {
        self->on_connected(code);
      });
}

void connector::on_connected(const boost_error& ec) {
  if (!done_) return;
  if (ec) return fail(net_errc::connect_failed, ec);
  boost_error ignored;
  stream_->socket().set_option(tcp::no_delay{true}, ignored);
  if (!stream_->is_tls()) return finish(std::nullopt);
  if (auto prepared = prepare_tls(*stream_, server_.host); !prepared)
    return finish(std::move(prepared).error());
  stream_->tls().async_handshake(
      asio::ssl::stream_base::client,
      [self = shared_from_this()](const boost_error& code) { self->on_shaken(code); });
}

void connector::on_shaken(const boost_error& ec) {
  if (!done_) return;
  if (ec) {
    // The library's first error may be a detail of the signature check, so its verdict is asked for.
    const auto verdict = SSL_get_verify_result(stream_->tls().native_handle());
    const bool refused =
        verdict != X509_V_OK || classify(ec, net_errc::tls_failed) == net_errc::certificate_refused;
    return fail(refused ? net_errc::certificate_refused : net_errc::tls_failed, ec);
  }
  finish(std::nullopt);
}

void connector::fail(net_errc code, const boost_error& ec) { finish(net_error(code, where(), ec)); }

void connector::finish(std::optional<error> err) {
  timer_.cancel();
  resolver_.cancel();
  auto done = std::exchange(done_, nullptr);
  if (err) {
    // The stream stays alive here until its cancelled operations have come back to this object.
    if (stream_) stream_->close();
    return done(std::move(err), nullptr);
  }
  done(std::nullopt, std::move(stream_));
}

} // namespace troupe::net
