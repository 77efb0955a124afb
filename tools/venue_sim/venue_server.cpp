#include "tools/venue_sim/venue_server.hpp"

#include "messages/json.hpp"
#include "tools/venue_sim/decimal.hpp"
#include "tools/venue_sim/market_sockets.hpp"
#include "tools/venue_sim/order_flow.hpp"
#include "tools/venue_sim/server_parts.hpp"
#include "tools/venue_sim/user_sockets.hpp"

#include <algorithm>
#include <future>
#include <unistd.h>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t shortest_nap_ns = ms; // frames of one millisecond go out together
constexpr std::int64_t longest_nap_ns = 50 * ms;
constexpr std::size_t frames_at_once = 2000;             // then others get their turn
constexpr std::int64_t remembered_ns = 15 * 60 * second; // public history rebuilt after a restart
constexpr std::int64_t generated_start_ns = 1'723'161'255 * second;

error bad_option(std::string text) {
  return {make_error_code(venue_sim_errc::bad_option), std::move(text)};
}

result<std::unique_ptr<market_source>> make_source(const venue_sim_options& options) {
  if (options.tapes.empty()) {
    const auto start =
        options.clock.origin_market_ns != 0 ? options.clock.origin_market_ns : generated_start_ns;
    return std::unique_ptr<market_source>{
        std::make_unique<flow_market>(btcusdt_flow(), options.seed, start, options.venue)};
  }
  auto loaded = load_recording(options.tapes);
  if (!loaded) return loaded.error();
  if (loaded->venue != options.venue)
    return bad_option(options.tapes.front().string()
                      + ": holds frames of another Binance market than the one asked for");
  return std::unique_ptr<market_source>{std::make_unique<tape_market>(std::move(*loaded), options.loop)};
}

bool is_order_entry(const net::http_request& request) {
  return (request.method == "POST" || request.method == "DELETE") && request.path() == "/api/v3/order";
}

net::http_response to_http(api_reply reply) {
  net::http_response out;
  out.status = reply.status;
  out.body = std::move(reply.body);
  out.fields.add("Content-Type", "application/json;charset=UTF-8");
  for (auto& [name, value] : reply.fields)
    out.fields.add(std::move(name), std::move(value));
  return out;
}

} // namespace

struct venue_server::impl {
  impl(venue_sim_options asked, std::function<void(status)> ended)
      : options{std::move(asked)}, on_end{std::move(ended)}, clock{options.clock}, faults{options.seed} {}

  status open();
  status open_ports();
  void catch_up();
  void begin();

  [[nodiscard]] instant now() const {
    const auto steady = steady_now_ns();
    return {options.clock.market_at(steady), steady};
  }

  void pump();
  void play_due();
  bool sync();
  void tell();
  bool settle();
  void end(status why);
  void shut();
  void strike_market();
  void house_keeping(std::int64_t steady_ns);

  void on_request(const net::http_request& request, const net::http_responder& answer);
  void on_order(const net::http_request& request, const net::http_responder& answer);
  api_reply run(const net::http_request& request);
  net::upgrade_answer on_upgrade(const net::http_request& request, net::ws_session ws);
  void on_control(const net::http_request& request, const net::http_responder& answer);
  [[nodiscard]] std::string state() const;
  [[nodiscard]] std::string ready_line() const;

  venue_sim_options options;
  std::function<void(status)> on_end;
  net::io_runner io{1}; // before all that holds sockets, which must not outlive it
  shared_market_clock clock;
  fault_plan faults;
  std::unique_ptr<market_source> source;
  std::unique_ptr<exchange> venue;
  std::unique_ptr<market_sockets> market;
  std::unique_ptr<user_sockets> users;
  net::certificate_files files;
  std::unique_ptr<net::http_server> server;
  std::unique_ptr<net::http_server> control;

  bool over = false;
  std::vector<std::string> untold; ///< synced private events that nobody heard yet
  std::uint64_t events = 0;
  std::uint64_t levels = 0;
  std::int64_t next_ping_ns = 0;
  std::int64_t next_check_ns = 0;
  std::int64_t shutdown_at_ns = 0;
};

status venue_server::impl::open() {
  if (options.folder.empty()) return bad_option("a folder for ledger and certificate must be named");
  if (options.clock.rate_permille <= 0) return bad_option("the market's speed must be above 0");
  if (!options.faults.empty())
    if (auto set = faults.configure(options.faults); !set) return set;
  const auto base = parse_decimal_text(options.base_balance),
             quote = parse_decimal_text(options.quote_balance);
  if (!base || !quote) return bad_option("opening balances must be decimal numbers without sign or exponent");
  std::error_code code;
  std::filesystem::create_directories(options.folder, code);
  if (code) return bad_option(options.folder.string() + ": can't be made: " + code.message());
  auto made = make_source(options);
  if (!made) return made.error();
  source = std::move(*made);
  ledger_content history;
  auto ledger = ledger_writer::open(options.folder / "ledger.log", base->value_e8, quote->value_e8, history);
  if (!ledger) return ledger.error();
  exchange_settings settings;
  settings.api_key = options.api_key;
  settings.api_secret = options.api_secret;
  settings.recv_window_factor =
      options.recv_window_factor > 0
          ? options.recv_window_factor
          : static_cast<int>(std::max<std::int64_t>(1, options.clock.rate_permille / 1000));
  settings.limits.weight_per_minute = options.weight_per_minute;
  settings.limits.orders_per_10s = options.orders_per_10s;
  trading_rules rules;
  rules.maker_fee_ppm = options.maker_fee_ppm;
  rules.taker_fee_ppm = options.taker_fee_ppm;
  begin();
  catch_up();
  venue = std::make_unique<exchange>(std::move(settings), *source, rules, std::move(*ledger), history);
  return open_ports();
}

/// Fixes what the clock leaves open.
void venue_server::impl::begin() {
  if (options.clock.origin_market_ns == 0) options.clock.origin_market_ns = source->shape().start_ns;
  if (options.clock.origin_steady_ns == 0) options.clock.origin_steady_ns = steady_now_ns();
}

/// A restarted simulator stands where the clock stands.
void venue_server::impl::catch_up() {
  source->seek(now().market_ns - remembered_ns);
}

status venue_server::impl::open_ports() {
  auto certificate = kept_certificates(options.folder, options.address);
  if (!certificate) return certificate.error();
  files = *certificate;
  auto context = net::tls_context::server(files.certificate, files.key);
  if (!context) return context.error();
  const auto steady = [] { return steady_now_ns(); };
  market_socket_settings sockets;
  if (options.venue == venue_kind::binance_usdm) sockets.messages_per_second = 10;
  market = std::make_unique<market_sockets>(source->shape(), sockets, faults, steady);
  users = std::make_unique<user_sockets>(
      *venue, faults, [this] { return now(); }, [this] { return settle(); });
  while (source->next_time() <= now().market_ns)
    venue->learn(source->advance());
  if (auto finished = venue->finish_restart(now()); !finished) return finished;
  net::http_server_options web;
  web.bind = options.address;
  web.port = options.port;
  web.tls = true;
  web.certificate = *context;
  web.clock = &clock;
  web.ws_queue_bytes = options.client_queue_bytes;
  web.ws_idle = std::chrono::milliseconds{options.ping_interval_ms} * 3; // a missed pong ends the socket
  web.connections_per_peer = web.connections;                            // all clients live on this host
  auto opened = net::http_server::start(
      io, web, [this](const net::http_request& r, net::http_responder a) { on_request(r, a); },
      [this](const net::http_request& r, net::ws_session ws) { return on_upgrade(r, std::move(ws)); });
  if (!opened) return opened.error();
  server = std::move(*opened);
  net::http_server_options plain;
  plain.port = options.control_port;
  plain.clock = &clock;
  auto controlled = net::http_server::start(
      io, plain, [this](const net::http_request& r, net::http_responder a) { on_control(r, a); });
  if (!controlled) return controlled.error();
  control = std::move(*controlled);
  io.post([this] { pump(); });
  return ok;
}

// ---- the market ---------------------------------------------------------------------------------------

void venue_server::impl::strike_market() {
  if (faults.strikes(fault::close_1000)) market->close_all(1000, "scripted");
  if (faults.strikes(fault::close_1006)) market->reset_all();
  if (faults.strikes(fault::tcp_reset)) server->reset_all();
  if (faults.strikes(fault::private_reset)) users->reset_all();
  if (shutdown_at_ns == 0 && faults.strikes(fault::server_shutdown)) {
    market->announce("!serverShutdown",
                     R"({"e":"serverShutdown","E":)" + std::to_string(now().market_ms()) + "}");
    shutdown_at_ns = steady_now_ns() + second;
  }
}

/// Plays what is due; at most a bounded number of events, so that a late simulator still answers.
void venue_server::impl::play_due() {
  const auto due = now().market_ns;
  for (std::size_t n = 0; n < frames_at_once && source->next_time() <= due; ++n) {
    const auto& event = source->advance();
    ++events;
    levels += event.bids.size() + event.asks.size();
    venue->on_market(event);
    market->publish(event);
    strike_market();
  }
  (void)settle();
}

void venue_server::impl::pump() {
  if (over) return;
  play_due();
  if (over) return;
  const auto steady = steady_now_ns();
  house_keeping(steady);
  const auto next = source->next_time();
  auto nap = longest_nap_ns;
  if (next != never_ns)
    nap = std::clamp(options.clock.steady_at(next) - steady, shortest_nap_ns, longest_nap_ns);
  io.after(nanoseconds{nap}, [this] { pump(); });
}

void venue_server::impl::house_keeping(std::int64_t steady_ns) {
  if (shutdown_at_ns != 0 && steady_ns >= shutdown_at_ns) {
    shutdown_at_ns = 0;
    market->close_all(1000, "server shutdown");
  }
  if (steady_ns >= next_check_ns) {
    next_check_ns = steady_ns + second;
    market->retire();
  }
  if (steady_ns < next_ping_ns) return;
  if (next_ping_ns != 0) {
    market->ping_all(now().market_ms());
    users->ping_all(now().market_ms());
  }
  next_ping_ns = steady_ns + options.ping_interval_ms * ms;
}

/// Writes what happened to the ledger. False: the simulator is ending, nothing may be told.
bool venue_server::impl::sync() {
  if (over) return false;
  auto synced = venue->settle(untold, now());
  if (!synced) end(std::move(synced));
  return !over;
}

void venue_server::impl::tell() {
  for (const auto& event : std::exchange(untold, {}))
    users->broadcast(event);
}

bool venue_server::impl::settle() {
  if (!sync()) return false;
  tell();
  return true;
}

void venue_server::impl::end(status why) {
  if (over) return;
  over = true;
  users->terminate(now().market_ms());
  if (on_end) on_end(std::move(why));
}

/// From outside the I/O thread: nothing of ours runs on it afterwards. The ports go while it still turns, so
/// that their connections end in order.
void venue_server::impl::shut() {
  auto quiet = std::make_shared<std::promise<void>>();
  auto done = quiet->get_future();
  io.post([this, quiet] {
    over = true;
    quiet->set_value();
  });
  done.wait_for(std::chrono::seconds{5});
  server.reset();
  control.reset();
  io.stop();
}

// ---- clients ------------------------------------------------------------------------------------------

api_reply venue_server::impl::run(const net::http_request& request) {
  play_due();
  const auto key = request.fields.find("X-MBX-APIKEY");
  return venue->handle({request.method, request.path(), request.query(), request.body, key}, now());
}

void venue_server::impl::on_request(const net::http_request& request, const net::http_responder& answer) {
  if (over) return;
  if (is_order_entry(request)) return on_order(request, answer);
  auto reply = run(request);
  if (settle()) answer.respond(to_http(std::move(reply)));
}

void venue_server::impl::on_order(const net::http_request& request, const net::http_responder& answer) {
  if (faults.strikes(fault::drop_before_accept)) {
    answer.reset();
    return;
  }
  if (faults.strikes(fault::too_many_requests)) {
    api_reply reply{429, error_body(-1003, "Too many requests queued."), {}};
    reply.fields.emplace_back("Retry-After",
                              std::to_string(faults.setting(fault::too_many_requests).ms / 1000 + 1));
    answer.respond(to_http(std::move(reply)));
    return;
  }
  const bool unknown = faults.strikes(fault::error_unknown);
  const api_reply unknown_reply{504,
                                error_body(-1007,
                                           "Timeout waiting for response from backend server. Send status "
                                           "unknown; execution status unknown."),
                                {}};
  if (unknown && faults.coin()) {
    answer.respond(to_http(unknown_reply));
    return;
  }
  auto reply = run(request);
  if (!sync()) return;
  if (unknown) reply = unknown_reply;
  // The venue promises no order between an answer and its events: both occur.
  const bool events_first = faults.coin();
  if (events_first) tell();
  if (faults.strikes(fault::accept_then_drop)) {
    answer.reset();
  } else if (faults.strikes(fault::slow_ack)) {
    const auto later = nanoseconds{faults.setting(fault::slow_ack).ms * ms};
    io.after(later, [answer, reply = std::move(reply)] { answer.respond(to_http(reply)); });
  } else {
    answer.respond(to_http(std::move(reply)));
  }
  tell();
}

net::upgrade_answer venue_server::impl::on_upgrade(const net::http_request& request, net::ws_session ws) {
  net::upgrade_answer refused;
  refused.accept = false;
  refused.refusal.status = 404;
  if (over) return refused;
  if (market->serves(request.path())) return market->accept(request, std::move(ws));
  const bool calls = options.venue == venue_kind::binance_spot && request.path() == "/ws-api/v3";
  return calls ? users->accept(std::move(ws)) : refused;
}

// ---- control ------------------------------------------------------------------------------------------

std::string venue_server::impl::state() const {
  const auto& shape = source->shape();
  const auto sockets = market->counters();
  json_writer w;
  w.begin_object().field("source", shape.generated ? "GENERATED" : "tape").field("symbol", shape.symbol);
  w.field("looped", shape.lap_ns != 0).field("lap", source->lap()).field("market_ns", now().market_ns);
  w.field("lag_ns",
          std::max<std::int64_t>(0, now().market_ns - std::min(source->next_time(), now().market_ns)));
  w.field("frames", events).field("levels", levels).field("last_update_id", source->book().id());
  w.field("market_sockets", market->open()).field("subscriptions", sockets.subscriptions);
  w.field("frames_sent", sockets.frames)
      .field("slow_disconnected", sockets.slow)
      .field("flooded", sockets.flooded);
  w.field("user_sockets", users->open()).field("user_subscriptions", users->subscriptions());
  w.field("connections", server->connections()).field("ledger", (options.folder / "ledger.log").string());
  w.key("exchange").raw(venue->summary()).key("faults").raw(faults.to_json()).end_object();
  return std::move(w).text();
}

void venue_server::impl::on_control(const net::http_request& request, const net::http_responder& answer) {
  net::http_response reply;
  reply.fields.add("Content-Type", "application/json");
  const auto path = request.path();
  if (over)
    reply.status = 503, reply.body = R"({"error":"ending"})";
  else if (path == "/state")
    reply.body = state();
  else if (path == "/faults" && request.method == "POST") {
    auto set = faults.configure(request.body);
    if (!set) {
      json_writer w;
      w.begin_object().field("error", set.error().message()).end_object();
      reply.status = 400, reply.body = std::move(w).text();
    } else
      reply.body = faults.to_json();
  } else if (path == "/faults")
    reply.body = faults.to_json();
  else if (path == "/stop" && request.method == "POST")
    reply.body = R"({"stopping":true})";
  else
    reply.status = 404, reply.body = R"({"error":"known: GET /state, GET and POST /faults, POST /stop"})";
  const bool stop = path == "/stop" && reply.status == 200;
  answer.respond(std::move(reply));
  // After a moment, so that the answer is out.
  if (stop) io.after(std::chrono::milliseconds{50}, [this] { end(ok); });
}

std::string venue_server::impl::ready_line() const {
  const auto& shape = source->shape();
  json_writer w;
  w.begin_object().field("ready", true).field("source", shape.generated ? "generated" : "tape");
  w.field("venue", options.venue == venue_kind::binance_spot ? "binance" : "binance-usdm")
      .field("symbol", shape.symbol);
  w.field("port", server->port())
      .field("control_port", control->port())
      .field("ca", files.authority.string());
  w.field("rate_permille", options.clock.rate_permille)
      .field("origin_market_ns", options.clock.origin_market_ns);
  w.field("origin_steady_ns", options.clock.origin_steady_ns).field("lap_start_ns", shape.start_ns);
  w.field("lap_ns", shape.lap_ns).field("ledger", (options.folder / "ledger.log").string());
  w.field("pid", static_cast<std::int64_t>(::getpid())).end_object();
  return std::move(w).text();
}

// ---- the object ---------------------------------------------------------------------------------------

venue_server::venue_server(std::unique_ptr<impl> state) : impl_{std::move(state)} {}

venue_server::~venue_server() {
  impl_->shut();
}

result<std::unique_ptr<venue_server>> venue_server::start(venue_sim_options options,
                                                          std::function<void(status)> on_end) {
  auto state = std::make_unique<impl>(std::move(options), std::move(on_end));
  if (auto opened = state->open(); !opened) {
    state->shut();
    return opened.error();
  }
  return std::unique_ptr<venue_server>{new venue_server{std::move(state)}};
}

std::uint16_t venue_server::port() const noexcept {
  return impl_->server->port();
}
std::uint16_t venue_server::control_port() const noexcept {
  return impl_->control->port();
}
std::filesystem::path venue_server::authority() const {
  return impl_->files.authority;
}
std::string venue_server::ready_line() const {
  return impl_->ready_line();
}

} // namespace troupe::venue_sim
