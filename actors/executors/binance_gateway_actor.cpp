#include "actors/executors/binance_gateway_actor.hpp"

#include "runtime/log.hpp"
#include "runtime/net/http_client.hpp"
#include "runtime/net/ws_client.hpp"

#include <charconv>
#include <future>
#include <mutex>
#include <utility>

namespace troupe {

/// The transport of the core, and the core itself. Everything but `post` runs on the I/O thread.
struct binance_spot_gateway::impl final : binance::gateway_transport, std::enable_shared_from_this<impl> {
  impl(net::io_runner& runner, binance_gateway_options how, api_keys keys,
       net::tls_context trust, const market_clock& market_source, const steady_clock& steady_source)
      : io{runner}, options{std::move(how)}, tls{std::move(trust)}, market{market_source},
        steady{steady_source}, client{std::make_unique<net::http_client>(runner, client_options())},
        core{options.gateway, std::move(keys), *this} {}

  net::http_client_options client_options() const {
    net::http_client_options out;
    out.server = options.rest;
    out.tls = tls;
    out.clock = &market;
    out.connections = options.connections;
    return out;
  }

  template <class Job>
  void post(Job job) {
    io.post([self = shared_from_this(), job = std::move(job)]() mutable {
      if (!self->stopped) job(self->core);
    });
  }

  void http(const std::string& method, const std::string& target, nanoseconds deadline, bool urgent,
            std::function<void(binance::transport_reply)> done) override;
  void open_socket(std::uint64_t number) override;
  void close_socket(std::uint64_t number) override;
  bool send(std::uint64_t number, std::string text) override;
  void after(nanoseconds delay, std::function<void()> job) override;
  [[nodiscard]] market_time market_now() const override { return market.now(); }
  [[nodiscard]] steady_time steady_now() const override { return steady.now(); }
  void refresh_status();

  net::io_runner& io;
  binance_gateway_options options;
  net::tls_context tls;
  const market_clock& market;
  const steady_clock& steady;
  std::unique_ptr<net::http_client> client;
  std::unique_ptr<net::ws_client> socket;
  std::uint64_t socket_number = 0;
  binance::spot_gateway core;
  bool stopped = false;
  std::atomic<bool> stop_asked{false};
  mutable std::mutex mutex;
  std::string status = "{}";
};

namespace {

template <class T>
T number_or(std::string_view text, T fallback) {
  T out = fallback;
  const auto [stop, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && stop == text.data() + text.size() ? out : fallback;
}

binance::transport_reply to_reply(result<net::http_response> outcome) {
  binance::transport_reply out;
  if (!outcome) {
    out.sent = !net::surely_unsent(outcome.error());
    out.error = outcome.error().message();
    return out;
  }
  out.status = outcome->status;
  out.retry_after = std::chrono::seconds{number_or<std::uint32_t>(outcome->fields.find("Retry-After"), 0)};
  out.used_weight = number_or<std::uint32_t>(outcome->fields.find("X-MBX-USED-WEIGHT-1M"), 0);
  out.body = std::move(outcome->body);
  return out;
}

} // namespace

void binance_spot_gateway::impl::http(const std::string& method, const std::string& target,
                                      nanoseconds deadline, bool urgent,
                                      std::function<void(binance::transport_reply)> done) {
  net::http_request request;
  request.method = method;
  request.target = target;
  request.fields.add("X-MBX-APIKEY", std::string{core.api_key().expose_to_signer()});
  client->send(std::move(request), deadline, [done = std::move(done)](result<net::http_response> outcome) {
    done(to_reply(std::move(outcome)));
  }, urgent);
}

void binance_spot_gateway::impl::open_socket(std::uint64_t number) {
  net::ws_client_options how;
  how.server = options.ws_api;
  how.target = "/ws-api/v3";
  how.tls = tls;
  how.clock = &market;
  how.idle = options.socket_idle;
  const std::weak_ptr<impl> weak = shared_from_this();
  net::ws_handlers handlers;
  handlers.on_open = [weak, number] {
    if (auto self = weak.lock()) self->core.on_socket_open(number);
  };
  handlers.on_frame = [weak, number](std::string_view frame, market_time) {
    if (auto self = weak.lock()) self->core.on_socket_frame(number, frame);
  };
  handlers.on_close = [weak, number](const error& why) {
    if (auto self = weak.lock()) self->core.on_socket_closed(number, why.message());
  };
  socket_number = number;
  socket = std::make_unique<net::ws_client>(io, std::move(how), std::move(handlers));
}

void binance_spot_gateway::impl::close_socket(std::uint64_t number) {
  if (number == socket_number) socket.reset();
}

bool binance_spot_gateway::impl::send(std::uint64_t number, std::string text) {
  return number == socket_number && socket && socket->send_text(std::move(text));
}

void binance_spot_gateway::impl::after(nanoseconds delay, std::function<void()> job) {
  io.after(delay, [weak = weak_from_this(), job = std::move(job)] {
    const auto self = weak.lock();
    if (self && !self->stopped) job();
  });
}

void binance_spot_gateway::impl::refresh_status() {
  {
    const std::lock_guard lock{mutex};
    status = core.status_json();
  }
  after(std::chrono::milliseconds{500}, [this] { refresh_status(); });
}

result<std::unique_ptr<binance_spot_gateway>> binance_spot_gateway::make(
    net::io_runner& io, binance_gateway_options options, api_keys keys, const market_clock& market,
    const steady_clock& steady) {
  if (keys.key.empty() || keys.secret_key.empty())
    return {order_errc::bad_order, "account " + options.gateway.account.text
                                                + ": API key or secret is empty; set both in .env"};
  auto trust = net::tls_context::client(options.authority);
  if (!trust) return std::move(trust).error();
  log::register_secret(std::string{keys.key.expose_to_signer()});
  log::register_secret(std::string{keys.secret_key.expose_to_signer()});
  auto state = std::make_shared<impl>(io, std::move(options), std::move(keys), std::move(*trust),
                                      market, steady);
  return std::unique_ptr<binance_spot_gateway>{new binance_spot_gateway{std::move(state)}};
}

result<std::unique_ptr<binance_spot_gateway>> binance_spot_gateway::make(
    binance_gateway_options options, api_keys keys, const market_clock& market,
    const steady_clock& steady) {
  auto io = std::make_unique<net::io_runner>();
  auto made = make(*io, std::move(options), std::move(keys), market, steady);
  if (made) (*made)->own_io_ = std::move(io);
  return made;
}

binance_spot_gateway::~binance_spot_gateway() { stop(); }

gateway_traits binance_spot_gateway::traits() const { return impl_->core.traits(); }

void binance_spot_gateway::start(gateway_events& events) {
  impl_->post([self = impl_.get(), &events](binance::spot_gateway& core) {
    core.start(events);
    self->refresh_status();
  });
}

void binance_spot_gateway::stop() {
  if (impl_->stop_asked.exchange(true)) return;
  const auto finish = [self = impl_] {
    self->core.stop();
    self->stopped = true;
    self->socket.reset();
    self->client.reset();
  };
  if (impl_->io.on_io_thread()) return finish();
  auto done = std::make_shared<std::promise<void>>();
  auto finished = done->get_future();
  impl_->io.post([finish, done] {
    finish();
    done->set_value();
  });
  // A runner that was stopped before can't run it any more, but then nothing runs at all.
  finished.wait_for(std::chrono::seconds{2});
}

void binance_spot_gateway::place(command_id command, const intent& order) {
  impl_->post([command, order](binance::spot_gateway& core) { core.place(command, order); });
}

void binance_spot_gateway::cancel(command_id command, const instrument_id& instrument,
                                  const std::string& client_id) {
  impl_->post([=](binance::spot_gateway& core) { core.cancel(command, instrument, client_id); });
}

void binance_spot_gateway::query(command_id command, const instrument_id& instrument,
                                 const std::string& client_id) {
  impl_->post([=](binance::spot_gateway& core) { core.query(command, instrument, client_id); });
}

void binance_spot_gateway::open_orders(command_id command, const instrument_id& instrument) {
  impl_->post([=](binance::spot_gateway& core) { core.open_orders(command, instrument); });
}

void binance_spot_gateway::trades_since(command_id command, const instrument_id& instrument,
                                        const std::string& trade_id) {
  impl_->post([=](binance::spot_gateway& core) { core.trades_since(command, instrument, trade_id); });
}

void binance_spot_gateway::account(command_id command) {
  impl_->post([=](binance::spot_gateway& core) { core.account(command); });
}

void binance_spot_gateway::rules(command_id command, const instrument_id& instrument) {
  impl_->post([=](binance::spot_gateway& core) { core.rules(command, instrument); });
}

std::string binance_spot_gateway::status_json() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->status;
}

} // namespace troupe
