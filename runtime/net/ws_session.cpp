#include "runtime/net/server_impl.hpp"

#include <algorithm>

namespace troupe::net {
namespace {

constexpr std::size_t gathered_most = 16 * 1024; // of frames that go out at once: what one TLS record holds

} // namespace

void ws_session::impl::open(net_stream&& stream, const http::request<http::string_body>& request,
                            ws_handlers calls, std::shared_ptr<admission> count) {
  handlers = std::move(calls);
  counted = std::move(count);
  socket.emplace(std::move(stream));
  timer.emplace(socket->get_executor());
  {
    const std::lock_guard lock{mutex};
    executor = socket->get_executor();
  }
  websocket::stream_base::timeout timeouts{};
  timeouts.handshake_timeout = server->options.header_deadline;
  timeouts.idle_timeout = websocket::stream_base::none();
  timeouts.keep_alive_pings = false;
  socket->set_option(timeouts);
  socket->read_message_max(server->options.message_limit);
  socket->auto_fragment(false);
  socket->text(true);
  socket->control_callback([this](websocket::frame_type kind, beast::string_view) {
    heard = std::chrono::steady_clock::now();
    if (kind == websocket::frame_type::ping && handlers.on_ping && !hole) handlers.on_ping();
  });
  socket->async_accept(request, [self = shared_from_this()](const boost_error& ec) {
    if (self->ended) return;
    if (ec) return self->fail(net_error(net_errc::bad_message, "upgrade", ec), false);
    self->opened = true;
    self->heard = std::chrono::steady_clock::now();
    if (self->handlers.on_open) self->handlers.on_open();
    self->watch_idle();
    self->read();
    self->write();
  });
}

bool ws_session::impl::push(std::shared_ptr<const std::string> payload, bool text) {
  if (over) return false;
  if (hole) return true; // dropped, as the network would
  const auto size = payload->size();
  if (queued + size > server->options.ws_queue_bytes) {
    over = true;
    later([](impl& self) {
      self.fail({make_error_code(net_errc::queue_full), "reader too slow: " + std::to_string(self.queued)
                 + " bytes unsent"}, true);
    });
    return false;
  }
  const std::lock_guard lock{mutex};
  queued += size;
  queue.push_back({std::move(payload), text});
  // One wake-up for a burst: whoever finds the queue empty posts, the writer drains the rest.
  if (queue.size() == 1 && executor)
    asio::post(*executor, [self = shared_from_this()] { self->write(); });
  return true;
}

void ws_session::impl::write() {
  if (ended || !opened || writing) return;
  auto& stream = socket->next_layer();
  stream.hold(false);
  if (closing || stalled || hole) return;
  outgoing_frame next;
  {
    const std::lock_guard lock{mutex};
    if (queue.empty()) return;
    next = queue.front();
    // A frame with others behind it travels with them.
    stream.hold(queue.size() > 1 && stream.gathered() + next.payload->size() < gathered_most);
  }
  writing = true;
  const auto bytes = asio::buffer(*next.payload);
  socket->text(next.text);
  socket->async_write(bytes, [self = shared_from_this(), next](const boost_error& ec, std::size_t) {
    self->writing = false;
    if (self->ended || self->hole) return;
    if (ec) return self->fail(net_error(classify(ec, net_errc::broken), "session", ec), false);
    {
      const std::lock_guard lock{self->mutex};
      self->queued -= next.payload->size();
      self->queue.pop_front();
    }
    self->write();
  });
}

void ws_session::impl::read() {
  if (ended || hole) return;
  socket->async_read(buffer, [self = shared_from_this()](const boost_error& ec, std::size_t) {
    self->on_read(ec);
  });
}

void ws_session::impl::on_read(const boost_error& ec) {
  if (ended || hole) return;
  if (ec) {
    auto why = net_error(classify(ec, net_errc::broken), "session", ec);
    if (ec == websocket::error::closed)
      why.text = "session: closed with " + std::to_string(socket->reason().code);
    return fail(std::move(why), false);
  }
  heard = std::chrono::steady_clock::now();
  const auto data = buffer.cdata();
  if (handlers.on_frame)
    handlers.on_frame({static_cast<const char*>(data.data()), data.size()}, server->options.clock->now());
  buffer.consume(buffer.size());
  read();
}

void ws_session::impl::watch_idle() {
  const auto limit = server->options.ws_idle;
  if (ended || limit <= nanoseconds::zero()) return;
  timer->expires_after(limit / 4);
  timer->async_wait([self = shared_from_this(), limit](const boost_error& ec) {
    if (ec || self->ended) return;
    if (std::chrono::steady_clock::now() - self->heard >= limit)
      return self->fail({make_error_code(net_errc::idle), "session"}, false);
    self->watch_idle();
  });
}

void ws_session::impl::ping(std::string payload) {
  // A ping that still waits says as much as a second one.
  if (!opened || ended || hole || closing || std::exchange(pinging, true)) return;
  websocket::ping_data data;
  data.assign(payload.data(), std::min<std::size_t>(payload.size(), 125));
  socket->async_ping(data, [self = shared_from_this()](const boost_error&) { self->pinging = false; });
}

void ws_session::impl::close(std::uint16_t code, std::string reason) {
  if (ended || closing || hole) return;
  if (!opened) return fail({make_error_code(net_errc::closed), "session: closed by us"}, false);
  closing = true;
  over = true;
  socket->next_layer().hold(false);
  websocket::close_reason why{code};
  why.reason.assign(reason.data(), std::min<std::size_t>(reason.size(), 120));
  timer->expires_after(std::chrono::seconds{2});
  timer->async_wait([self = shared_from_this()](const boost_error& ec) {
    if (!ec) self->fail({make_error_code(net_errc::closed), "session: closed by us"}, false);
  });
  socket->async_close(why, [self = shared_from_this()](const boost_error&) {
    self->fail({make_error_code(net_errc::closed), "session: closed by us"}, false);
  });
}

void ws_session::impl::black_hole() {
  if (ended) return;
  // Cancelled, not closed: the peer sees a connection that has gone silent.
  timer->cancel();
  boost_error ignored;
  socket->next_layer().socket().cancel(ignored);
}

void ws_session::impl::stall(bool on) {
  stalled = on;
  if (!on) write();
}

void ws_session::impl::reset() {
  over = true;
  later([](impl& self) { self.fail({make_error_code(net_errc::reset), "session: reset by us"}, true); });
}

void ws_session::impl::fail(error why, bool abrupt) {
  if (std::exchange(ended, true)) return;
  over = true;
  timer->cancel();
  socket->next_layer().close(abrupt);
  {
    const std::lock_guard lock{mutex};
    queue.clear();
    queued = 0;
  }
  counted.reset();
  if (handlers.on_close) handlers.on_close(why);
}

bool ws_session::send(std::string payload) const {
  return impl_->push(std::make_shared<const std::string>(std::move(payload)), true);
}
bool ws_session::send(std::shared_ptr<const std::string> payload) const {
  return impl_->push(std::move(payload), true);
}
bool ws_session::send_binary(std::shared_ptr<const std::string> payload) const {
  return impl_->push(std::move(payload), false);
}
bool ws_session::ping(std::string payload) const {
  impl_->later([payload = std::move(payload)](impl& self) { self.ping(payload); });
  return !impl_->over;
}
void ws_session::close(std::uint16_t code, std::string reason) const {
  impl_->later([code, reason = std::move(reason)](impl& self) { self.close(code, reason); });
}
void ws_session::reset() const { impl_->reset(); }
void ws_session::black_hole() const {
  if (impl_->hole.exchange(true)) return;
  impl_->later([](impl& self) { self.black_hole(); });
}
void ws_session::stall(bool on) const {
  impl_->later([on](impl& self) { self.stall(on); });
}
std::uint64_t ws_session::id() const noexcept { return impl_ ? impl_->id : 0; }
std::size_t ws_session::queued_bytes() const noexcept { return impl_ ? impl_->queued.load() : 0; }
bool ws_session::open() const noexcept { return impl_ && !impl_->over; }

} // namespace troupe::net
