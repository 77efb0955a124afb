#include "runtime/net/server_impl.hpp"

#include <algorithm>
#include <sstream>

namespace troupe::net {

http::response<http::string_body> to_beast(http_response response, unsigned version, bool keep) {
  http::response<http::string_body> out{http::int_to_status(response.status), version};
  if (out.result() == http::status::unknown) out.result(response.status);
  for (const auto& [name, value] : response.fields.items) out.insert(name, value);
  out.keep_alive(keep);
  out.body() = std::move(response.body);
  out.prepare_payload();
  return out;
}

// --- one connection -----------------------------------------------------------------------------

server_connection::server_connection(std::shared_ptr<http_server::impl> server, tcp::socket socket,
                                     std::string peer, std::shared_ptr<admission> counted)
    : server_{std::move(server)}, counted_{std::move(counted)}, peer_{std::move(peer)},
      stream_{std::in_place, beast::tcp_stream{std::move(socket)},
              server_->options.tls ? &server_->options.certificate.internals()->context : nullptr},
      executor_{stream_->get_executor()}, timer_{executor_} {}

void server_connection::arm(nanoseconds deadline) {
  timer_.expires_after(deadline);
  timer_.async_wait([self = shared_from_this()](const boost_error& ec) {
    if (ec || self->over_) return;
    if (!self->answering_) return self->drop(false);
    http_response late;
    late.status = 503;
    self->write(std::move(late), false);
  });
}

void server_connection::start() {
  if (!stream_->is_tls()) return wait_for_request();
  arm(server_->options.header_deadline);
  stream_->tls().async_handshake(asio::ssl::stream_base::server,
                                 [self = shared_from_this()](const boost_error& ec) {
                                   if (self->over_) return;
                                   if (ec) return self->drop(false);
                                   self->wait_for_request();
                                 });
}

void server_connection::wait_for_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(server_->options.header_limit));
  parser_->body_limit(server_->options.body_limit);
  if (buffer_.size() > 0) return read_header();
  arm(server_->options.idle);
  stream_->async_read_some(buffer_.prepare(4096),
                           [self = shared_from_this()](const boost_error& ec, std::size_t n) {
                             if (self->over_) return;
                             if (ec) return self->drop(false);
                             self->buffer_.commit(n);
                             self->read_header();
                           });
}

// The deadlines run from the request's first byte and are not extended by further bytes.
void server_connection::read_header() {
  arm(server_->options.header_deadline);
  http::async_read_header(*stream_, buffer_, *parser_,
                          [self = shared_from_this()](const boost_error& ec, std::size_t) {
                            if (self->over_) return;
                            if (ec) return self->on_read_error(ec);
                            self->read_body();
                          });
}

void server_connection::read_body() {
  arm(server_->options.body_deadline);
  http::async_read(*stream_, buffer_, *parser_,
                   [self = shared_from_this()](const boost_error& ec, std::size_t) {
                     if (self->over_) return;
                     if (ec) return self->on_read_error(ec);
                     self->dispatch();
                   });
}

void server_connection::on_read_error(const boost_error& ec) {
  switch (classify(ec, net_errc::broken)) {
  case net_errc::body_too_large: return refuse(413, "body too large");
  case net_errc::header_too_large: return refuse(431, "header too large");
  case net_errc::bad_message: return refuse(400, "not HTTP/1.1");
  default: return drop(false);
  }
}

void server_connection::refuse(unsigned status, const std::string& why) {
  http_response response;
  response.status = status;
  response.fields.add("Content-Type", "text/plain");
  response.body = why;
  answering_ = true;
  write(std::move(response), false);
}

void server_connection::dispatch() {
  request_ = parser_->release();
  if (request_.target().empty() || request_.target().front() != '/')
    return refuse(400, "target must be a path");
  if (websocket::is_upgrade(request_)) return upgrade();
  arm(server_->options.answer_deadline);
  answering_ = true;
  http_request request;
  request.method = std::string{request_.method_string()};
  request.target = std::string{request_.target()};
  for (const auto& entry : request_)
    request.fields.add(std::string{entry.name_string()}, std::string{entry.value()});
  request.body = std::move(request_.body());
  request.peer = peer_;
  auto state = std::make_shared<http_responder::impl>();
  state->connection = shared_from_this();
  server_->on_request(request, http_responder{std::move(state)});
}

void server_connection::upgrade() {
  if (!server_->on_upgrade) return refuse(404, "no WebSocket here");
  http_request request;
  request.target = std::string{request_.target()};
  for (const auto& entry : request_)
    request.fields.add(std::string{entry.name_string()}, std::string{entry.value()});
  request.peer = peer_;
  auto session = std::make_shared<ws_session::impl>(server_, server_->next_session++);
  auto answer = server_->on_upgrade(request, ws_session{session});
  if (over_) return;
  if (!answer.accept) {
    answering_ = true;
    return write(std::move(answer.refusal), false);
  }
  over_ = true;
  timer_.cancel();
  {
    const std::lock_guard lock{server_->mutex};
    server_->live.insert(std::weak_ptr<resettable>{session});
  }
  session->open(std::move(*stream_), request_, std::move(answer.handlers), std::move(counted_));
}

void server_connection::answer(http_response response, std::optional<std::size_t> cut_at) {
  asio::dispatch(executor_, [self = shared_from_this(), response = std::move(response), cut_at]() mutable {
    if (self->over_ || !self->answering_) return;
    if (!cut_at) {
      const bool keep = self->request_.keep_alive() && !self->server_->stopped;
      return self->write(std::move(response), keep);
    }
    std::ostringstream text;
    text << to_beast(std::move(response), 11, true);
    self->raw_ = text.str().substr(0, *cut_at);
    asio::async_write(*self->stream_, asio::buffer(self->raw_), [self](const boost_error&, std::size_t) {
      self->drop(true);
    });
  });
}

void server_connection::abort_answer() {
  asio::dispatch(executor_, [self = shared_from_this()] { self->drop(true); });
}

void server_connection::hold_answer() {
  asio::dispatch(executor_, [self = shared_from_this()] {
    if (self->over_) return;
    self->timer_.cancel();
    // Only the peer ends this now; what it still sends is thrown away.
    self->answering_ = false;
    self->linger();
  });
}

void server_connection::write(http_response response, bool keep) {
  arm(server_->options.body_deadline);
  answering_ = false;
  response_ = to_beast(std::move(response), 11, keep);
  http::async_write(*stream_, response_,
                    [self = shared_from_this(), keep](const boost_error& ec, std::size_t) {
                      if (self->over_) return;
                      if (ec) return self->drop(false);
                      if (keep) return self->wait_for_request();
                      // A close with unread input would be a reset and could swallow the answer on
                      // its way.
                      boost_error ignored;
                      self->stream_->socket().shutdown(tcp::socket::shutdown_send, ignored);
                      self->arm(std::chrono::seconds{1});
                      self->linger();
                    });
}

void server_connection::linger() {
  buffer_.clear();
  stream_->socket().async_read_some(
      buffer_.prepare(16384), [self = shared_from_this()](const boost_error& ec, std::size_t) {
        if (self->over_) return;
        if (ec) return self->drop(false);
        self->linger();
      });
}

void server_connection::reset() { abort_answer(); }

void server_connection::drop(bool abrupt) {
  if (std::exchange(over_, true)) return;
  timer_.cancel();
  stream_->close(abrupt);
  counted_.reset();
}

// --- responder ----------------------------------------------------------------------------------

bool http_responder::respond(http_response response) const {
  if (impl_->answered.exchange(true)) return false;
  impl_->connection->answer(std::move(response), std::nullopt);
  return true;
}

bool http_responder::respond_truncated(http_response response, std::size_t bytes) const {
  if (impl_->answered.exchange(true)) return false;
  impl_->connection->answer(std::move(response), bytes);
  return true;
}

bool http_responder::reset() const {
  if (impl_->answered.exchange(true)) return false;
  impl_->connection->abort_answer();
  return true;
}

bool http_responder::hold() const {
  if (impl_->answered.exchange(true)) return false;
  impl_->connection->hold_answer();
  return true;
}

// --- the server ---------------------------------------------------------------------------------

status http_server::impl::listen() {
  const auto where = options.bind + ':' + std::to_string(options.port);
  boost_error ec;
  const auto ip = asio::ip::make_address(options.bind, ec);
  if (ec) return {net_errc::listen_failed, where + ": not an IP address"};
  const tcp::endpoint endpoint{ip, options.port};
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address{true}, ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec)
    return {net_errc::listen_failed,
            where + ": " + ec.message() + "; choose another port or stop its owner"};
  port = acceptor.local_endpoint(ec).port();
  return ok;
}

void http_server::impl::accept() {
  if (stopped) return;
  acceptor.async_accept(asio::make_strand(context),
                        [self = shared_from_this()](const boost_error& ec, tcp::socket socket) {
                          self->on_accepted(ec, std::move(socket));
                        });
}

void http_server::impl::on_accepted(const boost_error& ec, tcp::socket socket) {
  if (stopped) return;
  if (ec) {
    // Out of descriptors, for instance: wait a little instead of spinning.
    pause.expires_after(std::chrono::milliseconds{100});
    pause.async_wait([self = shared_from_this()](const boost_error& code) {
      if (!code) self->accept();
    });
    return;
  }
  boost_error ignored;
  const auto remote = socket.remote_endpoint(ignored);
  const auto host = remote.address().to_string();
  if (!admit(host)) {
    ++refused;
    socket.close(ignored);
    return accept();
  }
  auto counted = std::make_shared<admission>(shared_from_this(), host);
  socket.set_option(tcp::no_delay{true}, ignored);
  auto fresh = std::make_shared<server_connection>(shared_from_this(), std::move(socket),
                                                   host + ':' + std::to_string(remote.port()),
                                                   std::move(counted));
  {
    const std::lock_guard lock{mutex};
    std::erase_if(live, [](const auto& x) { return x.expired(); });
    live.insert(std::weak_ptr<resettable>{fresh});
  }
  if (ignore_new) fresh->hold_answer();
  else asio::dispatch(fresh->executor(), [fresh] { fresh->start(); });
  accept();
}

bool http_server::impl::admit(const std::string& peer_host) {
  const std::lock_guard lock{mutex};
  auto& count = per_peer[peer_host];
  if (open >= options.connections || count >= options.connections_per_peer) return false;
  ++count;
  ++open;
  return true;
}

void http_server::impl::release(const std::string& peer_host) {
  const std::lock_guard lock{mutex};
  const auto place = per_peer.find(peer_host);
  if (place != per_peer.end() && --place->second == 0) per_peer.erase(place);
  --open;
}

void http_server::impl::shut() {
  stopped = true;
  asio::dispatch(strand, [self = shared_from_this()] {
    boost_error ignored;
    self->acceptor.close(ignored);
    self->pause.cancel();
  });
}

result<std::unique_ptr<http_server>> http_server::start(io_runner& io, http_server_options options,
                                                        request_handler on_request,
                                                        upgrade_handler on_upgrade) {
  if (options.tls && !options.certificate.internals())
    return {net_errc::bad_certificate_file, "server " + options.bind + ": TLS without a certificate"};
  auto state = std::make_shared<impl>(io.internals(), std::move(options), std::move(on_request),
                                      std::move(on_upgrade));
  if (auto listening = state->listen(); !listening) return std::move(listening).error();
  asio::dispatch(state->strand, [state] { state->accept(); });
  return std::unique_ptr<http_server>{new http_server{std::move(state)}};
}

http_server::~http_server() {
  impl_->shut();
  reset_all();
}

std::uint16_t http_server::port() const noexcept { return impl_->port; }
std::size_t http_server::connections() const noexcept { return impl_->open; }
std::uint64_t http_server::refused() const noexcept { return impl_->refused; }
void http_server::black_hole_new(bool on) { impl_->ignore_new = on; }

void http_server::reset_all() {
  std::vector<std::shared_ptr<resettable>> open;
  {
    const std::lock_guard lock{impl_->mutex};
    for (const auto& entry : impl_->live)
      if (auto alive = entry.lock()) open.push_back(std::move(alive));
  }
  for (const auto& each : open) each->reset();
}

} // namespace troupe::net
