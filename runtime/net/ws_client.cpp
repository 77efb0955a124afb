#include "runtime/net/ws_client.hpp"

#include "runtime/net/connect.hpp"

#include <algorithm>

namespace troupe::net {

struct outgoing {
  std::string payload;
  bool text = true;
};

struct ws_client::impl : std::enable_shared_from_this<ws_client::impl> {
  using socket_type = websocket::stream<net_stream, false>;

  impl(io_runner::impl& io, ws_client_options how, ws_handlers calls)
      : options{std::move(how)}, handlers{std::move(calls)}, strand{asio::make_strand(io.context)},
        timer{strand} {}

  void start();
  void upgrade(std::unique_ptr<net_stream> stream);
  void read();
  void on_read(const boost_error& ec);
  void watch_idle();
  void write();
  bool push(std::string payload, bool text);
  void begin_close(std::uint16_t code, std::string reason);
  void fail(error why);
  [[nodiscard]] std::string where() const {
    return options.server.host + ':' + std::to_string(options.server.port);
  }

  ws_client_options options;
  ws_handlers handlers;
  asio::strand<asio::io_context::executor_type> strand;
  asio::steady_timer timer;
  std::shared_ptr<connector> attempt;
  std::optional<socket_type> socket;
  websocket::response_type response;
  beast::flat_buffer buffer;
  std::deque<outgoing> queue;
  std::chrono::steady_clock::time_point heard;
  bool opened = false;
  bool reading = false;
  bool writing = false;
  bool paused = false;
  bool closing = false;
  bool ended = false;
  std::atomic<bool> silenced{false};
  std::atomic<bool> over{false};
  std::atomic<std::size_t> queued_bytes{0};
  std::atomic<std::uint64_t> frames{0}, bytes{0};
};

void ws_client::impl::start() {
  if (ended) return;
  attempt = std::make_shared<connector>(strand, options.server, options.tls, options.connect_deadline);
  attempt->start([self = shared_from_this()](std::optional<error> err, std::unique_ptr<net_stream> stream) {
    self->attempt.reset();
    if (err) return self->fail(std::move(*err));
    self->upgrade(std::move(stream));
  });
}

void ws_client::impl::upgrade(std::unique_ptr<net_stream> stream) {
  socket.emplace(std::move(*stream));
  websocket::stream_base::timeout timeouts{};
  timeouts.handshake_timeout = options.connect_deadline;
  timeouts.idle_timeout = websocket::stream_base::none();
  timeouts.keep_alive_pings = false;
  socket->set_option(timeouts);
  socket->read_message_max(options.message_limit);
  socket->auto_fragment(false);
  socket->set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
    request.set(http::field::user_agent, options.user_agent);
    for (const auto& [name, value] : options.fields.items) request.insert(name, value);
  }));
  socket->control_callback([this](websocket::frame_type kind, beast::string_view) {
    heard = std::chrono::steady_clock::now();
    if (kind == websocket::frame_type::ping && handlers.on_ping && !silenced) handlers.on_ping();
  });
  auto target = options.server.path + options.target;
  if (target.empty()) target = "/";
  socket->async_handshake(
      response, host_field(options.server), target, [self = shared_from_this()](const boost_error& ec) {
        if (self->ended) return;
        if (ec == websocket::error::upgrade_declined)
          return self->fail({make_error_code(net_errc::handshake_refused),
                             self->where() + ": HTTP " + std::to_string(self->response.result_int())});
        if (ec == beast::error::timeout)
          return self->fail(net_error(net_errc::connect_deadline, self->where(), ec));
        if (ec) return self->fail(net_error(net_errc::handshake_refused, self->where(), ec));
        self->opened = true;
        self->heard = std::chrono::steady_clock::now();
        self->watch_idle();
        if (self->handlers.on_open && !self->silenced) self->handlers.on_open();
        self->read();
        self->write();
      });
}

void ws_client::impl::read() {
  if (ended || reading || paused) return;
  reading = true;
  socket->async_read(buffer, [self = shared_from_this()](const boost_error& ec, std::size_t) {
    self->reading = false;
    self->on_read(ec);
  });
}

void ws_client::impl::on_read(const boost_error& ec) {
  if (ended) return;
  if (ec) {
    auto why = net_error(classify(ec, net_errc::broken), where(), ec);
    if (ec == websocket::error::closed) {
      const auto& reason = socket->reason();
      why.text = where() + ": closed with " + std::to_string(reason.code) + ' '
                 + std::string{reason.reason.data(), reason.reason.size()};
    }
    return fail(std::move(why));
  }
  heard = std::chrono::steady_clock::now();
  const auto received = options.clock->now();
  const auto data = buffer.cdata();
  ++frames;
  bytes += data.size();
  if (handlers.on_frame && !silenced)
    handlers.on_frame({static_cast<const char*>(data.data()), data.size()}, received);
  buffer.consume(buffer.size());
  read();
}

void ws_client::impl::watch_idle() {
  if (ended || options.idle <= nanoseconds::zero()) return;
  timer.expires_after(std::max<nanoseconds>(options.idle / 4, std::chrono::milliseconds{1}));
  timer.async_wait([self = shared_from_this()](const boost_error& ec) {
    if (ec || self->ended) return;
    const auto silence = std::chrono::steady_clock::now() - self->heard;
    // While we don't read ourselves, silence says nothing about the other side.
    if (!self->paused && silence >= self->options.idle)
      return self->fail(
          {make_error_code(net_errc::idle),
           self->where() + ": silent for "
               + std::to_string(
                   std::chrono::duration_cast<std::chrono::milliseconds>(silence).count())
               + " ms"});
    self->watch_idle();
  });
}

bool ws_client::impl::push(std::string payload, bool text) {
  const auto size = payload.size();
  if (over || queued_bytes + size > options.queue_bytes) return false;
  queued_bytes += size;
  asio::dispatch(strand, [self = shared_from_this(), item = outgoing{std::move(payload), text}]() mutable {
    self->queue.push_back(std::move(item));
    self->write();
  });
  return true;
}

void ws_client::impl::write() {
  if (ended || !opened || closing || writing || queue.empty()) return;
  writing = true;
  socket->text(queue.front().text);
  socket->async_write(asio::buffer(queue.front().payload),
                      [self = shared_from_this()](const boost_error& ec, std::size_t) {
                        self->writing = false;
                        if (self->ended) return;
                        if (ec)
                          return self->fail(
                              net_error(classify(ec, net_errc::broken), self->where(), ec));
                        self->queued_bytes -= self->queue.front().payload.size();
                        self->queue.pop_front();
                        self->write();
                      });
}

void ws_client::impl::begin_close(std::uint16_t code, std::string reason) {
  if (ended || closing) return;
  if (!opened) return fail({make_error_code(net_errc::stopped), where()});
  closing = true;
  paused = false;
  timer.expires_after(std::chrono::seconds{2});
  timer.async_wait([self = shared_from_this()](const boost_error& ec) {
    if (!ec && !self->ended)
      self->fail({make_error_code(net_errc::closed), self->where() + ": closed by us"});
  });
  websocket::close_reason why{code};
  why.reason.assign(reason.data(), std::min<std::size_t>(reason.size(), 120));
  socket->async_close(why, [self = shared_from_this()](const boost_error&) {
    if (!self->ended) self->fail({make_error_code(net_errc::closed), self->where() + ": closed by us"});
  });
}

void ws_client::impl::fail(error why) {
  if (std::exchange(ended, true)) return;
  over = true;
  timer.cancel();
  if (attempt) std::exchange(attempt, nullptr)->abandon();
  if (socket) socket->next_layer().close();
  if (handlers.on_close && !silenced) handlers.on_close(why);
}

ws_client::ws_client(io_runner& io, ws_client_options options, ws_handlers handlers)
    : impl_{std::make_shared<impl>(io.internals(), std::move(options), std::move(handlers))} {
  asio::post(impl_->strand, [self = impl_] { self->start(); });
}

ws_client::~ws_client() {
  impl_->silenced = true;
  asio::dispatch(impl_->strand, [self = impl_] {
    self->fail({make_error_code(net_errc::stopped), self->where()});
  });
}

bool ws_client::send_text(std::string payload) { return impl_->push(std::move(payload), true); }
bool ws_client::send_binary(std::string payload) { return impl_->push(std::move(payload), false); }

void ws_client::close(std::uint16_t code, std::string reason) {
  asio::dispatch(impl_->strand, [self = impl_, code, reason = std::move(reason)]() mutable {
    self->begin_close(code, std::move(reason));
  });
}

void ws_client::pause_reading() {
  asio::dispatch(impl_->strand, [self = impl_] { self->paused = true; });
}

void ws_client::resume_reading() {
  asio::dispatch(impl_->strand, [self = impl_] {
    if (!std::exchange(self->paused, false)) return;
    self->heard = std::chrono::steady_clock::now();
    if (self->opened) self->read();
  });
}

std::uint64_t ws_client::frames_read() const noexcept { return impl_->frames; }
std::uint64_t ws_client::bytes_read() const noexcept { return impl_->bytes; }

} // namespace troupe::net
