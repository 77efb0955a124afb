#include "runtime/net/http_client.hpp"

#include "runtime/net/connect.hpp"

#include <algorithm>

namespace troupe::net {

struct pending_call {
  http_request request;
  http_client::handler done;
  std::unique_ptr<asio::steady_timer> timer;
  bool written = false; ///< the first byte may have left
};
using call_pointer = std::shared_ptr<pending_call>;

struct http_client::impl : std::enable_shared_from_this<http_client::impl> {
  struct connection;
  using connection_pointer = std::shared_ptr<connection>;

  impl(io_runner::impl& io, http_client_options how)
      : options{std::move(how)}, strand{asio::make_strand(io.context)} {}

  void submit(call_pointer call, bool urgent);
  void pump();
  void connect();
  void on_deadline(const call_pointer& call);
  void finish(const call_pointer& call, result<http_response> outcome);
  void drop(const connection_pointer& broken);
  void close_all(bool silent);
  [[nodiscard]] std::string where() const {
    return options.server.host + ':' + std::to_string(options.server.port);
  }

  http_client_options options;
  asio::strand<asio::io_context::executor_type> strand;
  std::deque<call_pointer> waiting;
  std::vector<connection_pointer> connections;
  std::vector<std::shared_ptr<connector>> connecting;
  std::atomic<bool> silenced{false};
  std::atomic<std::uint64_t> requests{0}, responses{0}, failures{0}, connects{0}, queued{0}, in_flight{0};
};

/// One kept-alive connection. A read is always pending, so that a close by the server is noticed
/// while nothing is asked.
struct http_client::impl::connection : std::enable_shared_from_this<connection> {
  connection(std::shared_ptr<impl> of, std::unique_ptr<net_stream> connected)
      : owner{std::move(of)}, stream{std::move(connected)}, idle_timer{stream->get_executor()} {}

  void read();
  void on_read(const boost_error& ec);
  void start(call_pointer next);
  void end(net_errc code, const boost_error& ec);
  void wait_idle();

  std::shared_ptr<impl> owner;
  std::unique_ptr<net_stream> stream;
  asio::steady_timer idle_timer;
  beast::flat_buffer buffer;
  std::optional<http::response_parser<http::string_body>> parser;
  http::request<http::string_body> message;
  call_pointer call;
  bool writing = false;
  bool answered = false; ///< the response is complete while the request is still being written
  bool over = false;
};

void http_client::impl::connection::wait_idle() {
  idle_timer.expires_after(owner->options.idle_close);
  idle_timer.async_wait([self = shared_from_this()](const boost_error& ec) {
    if (!ec && !self->call) self->end(net_errc::idle, {});
  });
}

void http_client::impl::connection::read() {
  parser.emplace();
  parser->header_limit(static_cast<std::uint32_t>(owner->options.header_limit));
  parser->body_limit(owner->options.body_limit);
  // Header first: Beast 1.74 forgets its body limit when header and body come in one piece and are
  // parsed in one go.
  http::async_read_header(
      *stream, buffer, *parser, [self = shared_from_this()](const boost_error& ec, std::size_t) {
        if (ec || self->over) return self->on_read(ec);
        http::async_read(*self->stream, self->buffer, *self->parser,
                         [self](const boost_error& code, std::size_t) { self->on_read(code); });
      });
}

void http_client::impl::connection::on_read(const boost_error& ec) {
  if (over) return;
  if (ec) return end(classify(ec, net_errc::broken), ec);
  if (!call) return end(net_errc::bad_message, {}); // an answer without a question, a 408 for instance
  auto message_in = parser->release();
  const bool keep = message_in.keep_alive() && !writing;
  http_response response;
  response.status = message_in.result_int();
  for (const auto& entry : message_in)
    response.fields.add(std::string{entry.name_string()}, std::string{entry.value()});
  response.body = std::move(message_in.body());
  response.received = owner->options.clock->now();
  const auto finished = std::exchange(call, nullptr);
  if (keep) {
    read();
    wait_idle();
  } else {
    over = true;
    idle_timer.cancel();
    stream->close();
    owner->drop(shared_from_this());
  }
  owner->finish(finished, std::move(response));
  owner->pump();
}

void http_client::impl::connection::start(call_pointer next) {
  idle_timer.cancel();
  call = std::move(next);
  call->written = true;
  writing = true;
  message = {};
  message.method_string(call->request.method);
  message.target(owner->options.server.path + call->request.target);
  message.version(11);
  for (const auto& [name, value] : call->request.fields.items) message.insert(name, value);
  message.set(http::field::host, host_field(owner->options.server));
  message.set(http::field::user_agent, owner->options.user_agent);
  message.body() = std::move(call->request.body);
  message.prepare_payload();
  http::async_write(*stream, message, [self = shared_from_this()](const boost_error& ec, std::size_t) {
    self->writing = false;
    // A failed write doesn't end the call: the server may have answered early (413) and the answer
    // may be on its way; the pending read ends it.
    if (ec && !self->over && self->call && ec != asio::error::operation_aborted
        && ec != asio::error::broken_pipe && ec != asio::error::connection_reset)
      self->end(net_errc::broken, ec);
  });
}

void http_client::impl::connection::end(net_errc code, const boost_error& ec) {
  if (std::exchange(over, true)) return;
  idle_timer.cancel();
  stream->close();
  owner->drop(shared_from_this());
  if (auto lost = std::exchange(call, nullptr)) owner->finish(lost, net_error(code, owner->where(), ec));
  owner->pump();
}

// --- the client ---------------------------------------------------------------------------------

void http_client::impl::submit(call_pointer call, bool urgent) {
  if (waiting.size() >= options.queue)
    return finish(call, error{make_error_code(net_errc::queue_full), where()});
  call->timer->async_wait([self = shared_from_this(), call](const boost_error& ec) {
    if (!ec) self->on_deadline(call);
  });
  if (urgent) waiting.push_front(std::move(call));
  else waiting.push_back(std::move(call));
  queued = waiting.size();
  pump();
}

void http_client::impl::pump() {
  for (const auto& candidate : connections) {
    if (waiting.empty()) break;
    if (candidate->call || candidate->over || candidate->writing) continue;
    auto next = std::move(waiting.front());
    waiting.pop_front();
    ++in_flight;
    candidate->start(std::move(next));
  }
  queued = waiting.size();
  const auto opening = connecting.size();
  if (waiting.size() > opening
      && connections.size() + opening < static_cast<std::size_t>(options.connections))
    connect();
}

void http_client::impl::connect() {
  ++connects;
  auto attempt = std::make_shared<connector>(strand, options.server, options.tls, options.connect_deadline);
  connecting.push_back(attempt);
  attempt->start([self = shared_from_this(), key = attempt.get()](std::optional<error> err,
                                                                   std::unique_ptr<net_stream> stream) {
    std::erase_if(self->connecting, [&](const auto& x) { return x.get() == key; });
    if (!err) {
      auto fresh = std::make_shared<connection>(self, std::move(stream));
      self->connections.push_back(fresh);
      fresh->read();
      fresh->wait_idle();
      return self->pump();
    }
    // Nothing else may serve what waits: it ends here, not sent, and the caller decides.
    if (self->connections.empty() && self->connecting.empty()) {
      auto lost = std::exchange(self->waiting, {});
      self->queued = 0;
      for (const auto& call : lost) self->finish(call, *err);
    }
  });
}

void http_client::impl::on_deadline(const call_pointer& call) {
  if (!call->done) return;
  const auto place = std::find(waiting.begin(), waiting.end(), call);
  if (place != waiting.end()) {
    waiting.erase(place);
    queued = waiting.size();
    return finish(call, error{make_error_code(net_errc::deadline_unsent),
                              where() + std::string{call->request.path()}});
  }
  for (const auto& candidate : connections)
    if (candidate->call == call) return candidate->end(net_errc::deadline, {});
}

void http_client::impl::finish(const call_pointer& call, result<http_response> outcome) {
  if (!call->done) return;
  if (call->written) --in_flight;
  call->timer->cancel();
  outcome ? ++responses : ++failures;
  const auto done = std::exchange(call->done, nullptr);
  if (!silenced) done(std::move(outcome));
}

void http_client::impl::drop(const connection_pointer& broken) { std::erase(connections, broken); }

void http_client::impl::close_all(bool silent) {
  for (const auto& attempt : std::exchange(connecting, {})) attempt->abandon();
  auto lost = std::exchange(waiting, {});
  queued = 0;
  for (const auto& call : lost) {
    if (silent) call->timer->cancel();
    finish(call, error{make_error_code(net_errc::stopped), where()});
  }
  for (const auto& open : std::vector{connections}) open->end(net_errc::broken, {});
}

http_client::http_client(io_runner& io, http_client_options options)
    : impl_{std::make_shared<impl>(io.internals(), std::move(options))} {}

http_client::~http_client() {
  impl_->silenced = true;
  asio::dispatch(impl_->strand, [self = impl_] { self->close_all(true); });
}

void http_client::close() {
  asio::dispatch(impl_->strand, [self = impl_] { self->close_all(false); });
}

void http_client::send(http_request request, nanoseconds deadline, handler done, bool urgent) {
  ++impl_->requests;
  auto call = std::make_shared<pending_call>();
  call->request = std::move(request);
  call->done = std::move(done);
  call->timer = std::make_unique<asio::steady_timer>(impl_->strand, deadline);
  asio::dispatch(impl_->strand, [self = impl_, call = std::move(call), urgent]() mutable {
    self->submit(std::move(call), urgent);
  });
}

http_client_counters http_client::counters() const {
  return {.requests = impl_->requests, .responses = impl_->responses, .failures = impl_->failures,
          .connects = impl_->connects, .queued = impl_->queued, .in_flight = impl_->in_flight};
}

} // namespace troupe::net
