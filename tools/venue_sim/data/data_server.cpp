#include "tools/venue_sim/data/data_server.hpp"

#include "messages/json.hpp"
#include "runtime/net/http_server.hpp"
#include "tools/venue_sim/data/client_outlet.hpp"
#include "tools/venue_sim/data/dialect.hpp"
#include "tools/venue_sim/data/lateness.hpp"
#include "tools/venue_sim/data/truth.hpp"
#include "tools/venue_sim/faults.hpp"
#include "tools/venue_sim/order_flow.hpp"
#include "tools/venue_sim/server_parts.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <unistd.h>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t data_ms = 1'000'000;
constexpr std::int64_t data_second = 1'000'000'000;
constexpr std::int64_t data_start_ns = 1'723'161'255 * data_second; // of generated markets
constexpr std::size_t events_at_once = 4000;                        // then others get their turn
constexpr std::int64_t tick_every_ns = 100 * data_ms;

error wrong_option(std::string text) {
  return {make_error_code(venue_sim_errc::bad_option), std::move(text)};
}

/// "BTC-USDT-PERP" in parts.
result<data_instrument> parse_symbol(std::string_view text) {
  data_instrument out;
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == text.size())
    return wrong_option("symbol '" + std::string{text}
                        + "' must be written BASE-QUOTE or BASE-QUOTE-PERP");
  out.base = text.substr(0, dash);
  auto quote = text.substr(dash + 1);
  if (quote.ends_with("-PERP")) {
    out.perpetual = true;
    quote.remove_suffix(5);
  }
  out.quote = quote;
  return out;
}

/// Counts what happens within a window of steady time.
class rate_window {
public:
  rate_window(int most, std::int64_t length_ns) : most_{most}, length_ns_{length_ns} {}
  bool take(std::int64_t now, int weight = 1) {
    if (most_ == 0) return true;
    while (!taken_.empty() && now - taken_.front().first >= length_ns_) {
      used_ -= taken_.front().second;
      taken_.pop_front();
    }
    taken_.emplace_back(now, weight);
    used_ += weight;
    while (taken_.size() > static_cast<std::size_t>(most_) + 1) {
      used_ -= taken_.front().second;
      taken_.pop_front();
    }
    return used_ <= most_;
  }

private:
  int most_;
  std::int64_t length_ns_;
  int used_ = 0;
  std::deque<std::pair<std::int64_t, int>> taken_;
};

} // namespace

struct data_server::impl {
  /// A client's socket: carries out faults, keeps the venue's rate.
  struct client final : dialect_port {
    client(impl& of, net::ws_session session)
        : owner{of}, ws{std::move(session)}, opened_ns{steady_now_ns()},
          messages{of.dialect->limits().messages_per_second, data_second},
          outlet{of.faults, [this](std::string frame, bool binary) { write(std::move(frame), binary); }} {}

    void send(std::string frame) override {
      outlet.control(std::move(frame), false, steady_now_ns());
    }
    void send_binary(std::string frame) override {
      outlet.control(std::move(frame), true, steady_now_ns());
    }
    void publish(const frame_topic& topic, std::string frame, bool binary) override {
      outlet.publish(topic, std::move(frame), binary, steady_now_ns());
    }
    void close(std::uint16_t code, std::string reason) override {
      ws.close(code, std::move(reason));
    }
    void violation(std::string_view fact) override { owner.violated(fact); }
    void write(std::string frame, bool binary) {
      auto shared = std::make_shared<const std::string>(std::move(frame));
      if (binary ? ws.send_binary(std::move(shared)) : ws.send(std::move(shared))) ++owner.frames_sent;
    }
    [[nodiscard]] bool listens() const { return !ended && !swallowed && !outlet.muted(); }
    /// Nothing reaches it any more, nor comes from it.
    void swallow() {
      ws.black_hole();
      swallowed = true;
    }

    impl& owner;
    net::ws_session ws;
    std::unique_ptr<dialect_connection> speaks;
    std::int64_t opened_ns;
    rate_window messages;
    client_outlet outlet;
    bool open = false; ///< the upgrade is answered
    bool swallowed = false;
    bool ended = false;
  };

  impl(data_server_options asked, std::function<void(status)> ended)
      : options{std::move(asked)}, on_end{std::move(ended)}, clock{options.clock},
        faults{options.seed} {}

  status open();
  status make_markets();
  [[nodiscard]] std::int64_t phase_of(std::size_t market) const;
  status open_ports();
  void pump();
  void play_due();
  void show(std::size_t at, data_event event);
  void plan();
  void strike_sockets();
  void house_keeping(std::int64_t steady);
  void violated(std::string_view fact) { ++violations[std::string{fact}]; }
  net::upgrade_answer on_upgrade(const net::http_request& request, net::ws_session ws);
  void on_request(const net::http_request& request, const net::http_responder& answer);
  void on_control(const net::http_request& request, const net::http_responder& answer);
  [[nodiscard]] std::string truth_answer(const net::http_request& request) const;
  [[nodiscard]] std::string state() const;
  [[nodiscard]] std::string ready_line() const;
  [[nodiscard]] std::string_view source_word() const {
    return options.tapes.empty() ? "GENERATED" : options.symbols.size() > 1 ? "CLONED" : "tape";
  }
  void forget_ended();
  void shut();

  data_server_options options;
  std::function<void(status)> on_end;
  net::io_runner io{1}; // before all that holds sockets, which must not outlive it
  shared_market_clock clock;
  fault_plan faults;
  data_world world;
  std::unique_ptr<venue_dialect> dialect;
  std::vector<truth_log> truths;
  std::map<std::uint64_t, std::unique_ptr<client>> clients;
  std::optional<rate_window> connects;
  std::optional<rate_window> requests;
  std::map<std::string, std::uint64_t> violations;
  net::certificate_files files;
  std::unique_ptr<net::http_server> server;
  std::unique_ptr<net::http_server> control;
  std::int64_t skew_ms = 0;
  std::int64_t banned_until_ns = 0;
  std::int64_t refused_until_ns = 0;
  std::int64_t shutdown_at_ns = 0;
  std::int64_t next_ping_ns = 0;
  std::int64_t next_tick_ns = 0;
  /// Which market comes next, and when; the earliest in front. In its order, a heap.
  std::vector<std::pair<std::int64_t, std::size_t>> agenda;
  std::vector<std::int64_t> shown; ///< when that was due which goes out now
  lateness behind;
  std::uint64_t events = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t sockets_opened = 0;
  std::int64_t paused_ns = 0; ///< market time at which the markets stand still; 0: they move
  bool over = false;
};

// ---- start
// --------------------------------------------------------------------------------------------

status data_server::impl::make_markets() {
  world.seed = options.seed;
  if (options.symbols.empty()) return wrong_option("at least one symbol must be named");
  const auto start =
      options.clock.origin_market_ns != 0 ? options.clock.origin_market_ns : data_start_ns;
  auto flow = with_activity(btcusdt_flow(), options.activity);
  flow.mid_sd_per_sqrt_s *= options.volatility;
  std::optional<recording> tape;
  if (!options.tapes.empty()) {
    auto loaded = load_recording(options.tapes);
    if (!loaded) return loaded.error();
    tape = std::move(*loaded);
  }
  for (std::size_t n = 0; n < options.symbols.size(); ++n) {
    auto instrument = parse_symbol(options.symbols[n]);
    if (!instrument) return instrument.error();
    std::unique_ptr<market_source> source;
    if (tape)
      source = std::make_unique<tape_market>(*tape, true);
    else
      source = std::make_unique<flow_market>(flow, options.seed + n, start + phase_of(n), venue_kind::binance_spot);
    const auto& shape = source->shape();
    instrument->tick_e8 = shape.tick_e8;
    instrument->step_e8 = shape.step_e8;
    const auto decimals = [](std::int64_t step) {
      int out = 8;
      for (; out > 0 && step % 10 == 0; step /= 10)
        --out;
      return out;
    };
    instrument->price_decimals = decimals(shape.tick_e8);
    instrument->quantity_decimals = decimals(shape.step_e8);
    world.markets.push_back(
        std::make_unique<data_market>(std::move(*instrument), std::move(source), options.history));
    truths.emplace_back(options.truth_changes);
  }
  return ok;
}

status data_server::impl::open() {
  if (options.folder.empty()) return wrong_option("a folder for the certificate must be named");
  if (options.clock.rate_permille <= 0) return wrong_option("the market's speed must be above 0");
  if (!options.faults.empty())
    if (auto set = faults.configure(options.faults); !set) return set;
  std::error_code code;
  std::filesystem::create_directories(options.folder, code);
  if (code) return wrong_option(options.folder.string() + ": can't be made: " + code.message());
  if (auto made = make_markets(); !made) return made;
  dialect = make_dialect(options.venue, world);
  if (!dialect) return wrong_option("no venue is named '" + options.venue + "'");
  const auto& limits = dialect->limits();
  connects.emplace(limits.connects, limits.connects_s * data_second);
  requests.emplace(limits.requests, limits.requests_s * data_second);
  if (options.clock.origin_market_ns == 0)
    options.clock.origin_market_ns = world.markets.front()->next_time();
  if (options.clock.origin_steady_ns == 0) options.clock.origin_steady_ns = steady_now_ns();
  const auto now = options.clock.market_at(steady_now_ns());
  for (auto& market : world.markets)
    market->seek(now);
  plan();
  world.now_ms = now / data_ms;
  return open_ports();
}

/// When, within its interval, a generated market publishes its changes. In the recordings of Binance's spot socket
/// all instruments keep one beat, within 25 ms; at the other venues each has its own, spread over the interval.
std::int64_t data_server::impl::phase_of(std::size_t market) const {
  constexpr std::int64_t interval_ms = 100, one_beat_ms = 25;
  const auto spread = options.venue == "binance" ? one_beat_ms : interval_ms;
  const auto beat = static_cast<std::int64_t>(options.seed % interval_ms);
  // Steps of the golden section, so that as few as three lie apart.
  return (beat + static_cast<std::int64_t>(market) * 618 * spread / 1000 % spread) % interval_ms * data_ms;
}

void data_server::impl::plan() {
  agenda.clear();
  for (std::size_t n = 0; n < world.markets.size(); ++n)
    agenda.emplace_back(world.markets[n]->next_time(), n);
  std::make_heap(agenda.begin(), agenda.end(), std::greater<>{});
}

status data_server::impl::open_ports() {
  auto certificate = kept_certificates(options.folder, options.address);
  if (!certificate) return certificate.error();
  files = *certificate;
  auto context = net::tls_context::server(files.certificate, files.key);
  if (!context) return context.error();
  net::http_server_options web;
  web.bind = options.address;
  web.port = options.port;
  web.tls = true;
  web.certificate = *context;
  web.clock = &clock;
  web.ws_queue_bytes = options.client_queue_bytes;
  web.connections_per_peer = web.connections; // all clients live on this host
  auto opened = net::http_server::start(
      io, web, [this](const net::http_request& r, net::http_responder a) { on_request(r, a); },
      [this](const net::http_request& r, net::ws_session ws) {
        return on_upgrade(r, std::move(ws));
      });
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

// ---- the markets
// --------------------------------------------------------------------------------------

void data_server::impl::show(std::size_t at, data_event event) {
  auto& market = *world.markets[at];
  event.event_ms += skew_ms;
  if (event.what->kind != frame_kind::depth) {
    for (auto& [id, c] : clients)
      if (c->listens()) c->speaks->on_event(market, event);
    return;
  }
  event.spoil_checksum = faults.strikes(fault::wrong_checksum);
  if (const auto ask = market.book().best_ask(); ask && faults.strikes(fault::crossed_book)) {
    event.add_crossed = true;
    event.crossed = {ask->price_e8 + market.instrument().tick_e8, market.instrument().step_e8};
  }
  dialect->on_change(market, event);
  if (options.truth_changes > 0) {
    const auto sequence = dialect->sequence_of(market);
    const auto crc = truths[at].add(event.number, sequence, event.event_ms, market.book());
    if (options.on_change) options.on_change(dialect->symbol_of(market.instrument()), sequence, event.event_ms, crc);
  }
  for (auto& [id, c] : clients)
    if (c->listens()) c->speaks->on_event(market, event);
}

void data_server::impl::play_due() {
  const auto now = options.clock.market_at(steady_now_ns());
  const auto due = paused_ns != 0 ? paused_ns : now;
  world.now_ms = now / data_ms + skew_ms;
  shown.clear();
  for (std::size_t n = 0; n < events_at_once && agenda.front().first <= due; ++n) {
    std::pop_heap(agenda.begin(), agenda.end(), std::greater<>{});
    auto& [at, next] = agenda.back();
    shown.push_back(at);
    ++events;
    show(next, world.markets[next]->advance());
    at = world.markets[next]->next_time();
    std::push_heap(agenda.begin(), agenda.end(), std::greater<>{});
    strike_sockets();
  }
  // Sockets get what is due at once when all of it is written.
  const auto written = options.clock.market_at(steady_now_ns());
  for (const auto at : shown)
    behind.add((written - at) * 1000 / options.clock.rate_permille);
}

void data_server::impl::pump() {
  if (over) return;
  play_due();
  forget_ended();
  const auto steady = steady_now_ns();
  house_keeping(steady);
  const auto next = agenda.front().first;
  for (auto& [id, c] : clients)
    c->outlet.flush(steady);
  auto nap = 50 * data_ms;
  if (next != never_ns) nap = std::clamp(options.clock.steady_at(next) - steady, data_ms, nap);
  io.after(nanoseconds{nap}, [this] { pump(); });
}

void data_server::impl::house_keeping(std::int64_t steady) {
  const auto& limits = dialect->limits();
  if (shutdown_at_ns != 0 && steady >= shutdown_at_ns) {
    shutdown_at_ns = 0;
    for (auto& [id, c] : clients)
      c->ws.close(1012, "service restart");
  }
  if (steady >= next_tick_ns) {
    next_tick_ns = steady + tick_every_ns;
    for (auto& [id, c] : clients) {
      if (!c->open || !c->listens()) continue; // what it owes counts from its opening
      if (limits.life_s != 0 && steady - c->opened_ns >= limits.life_s * data_second)
        c->ws.close(1000, "life is over");
      else
        c->speaks->tick(steady);
    }
  }
  if (limits.ping_every_s == 0 || steady < next_ping_ns) return;
  if (next_ping_ns != 0)
    for (auto& [id, c] : clients)
      if (!c->outlet.muted()) c->ws.ping(std::to_string(world.now_ms));
  next_ping_ns = steady + limits.ping_every_s * data_second;
}

// ---- faults
// -------------------------------------------------------------------------------------------

void data_server::impl::strike_sockets() {
  if (clients.empty()) return;
  const auto every = [this](auto&& what) {
    for (auto& [id, c] : clients)
      if (c->listens()) what(*c);
  };
  if (faults.strikes(fault::close_1000)) every([](client& c) { c.ws.close(1000, "scripted"); });
  if (faults.strikes(fault::close_1006)) every([](client& c) { c.ws.reset(); });
  if (faults.strikes(fault::tcp_reset)) server->reset_all();
  if (faults.strikes(fault::black_hole)) every([](client& c) { c.swallow(); });
  if (faults.strikes(fault::silent_socket)) every([](client& c) { c.outlet.mute(); });
  if (faults.strikes(fault::skewed_clock)) skew_ms = faults.setting(fault::skewed_clock).ms;
  if (shutdown_at_ns == 0 && faults.strikes(fault::server_shutdown)) {
    every([](client& c) { c.speaks->announce_shutdown(); });
    shutdown_at_ns = steady_now_ns() + data_second;
  }
}

// ---- clients
// ------------------------------------------------------------------------------------------

void data_server::impl::forget_ended() {
  std::erase_if(clients, [](const auto& entry) { return entry.second->ended; });
}

net::upgrade_answer data_server::impl::on_upgrade(const net::http_request& request,
                                                  net::ws_session ws) {
  net::upgrade_answer answer;
  const auto id = ws.id();
  const auto refuse = [&](unsigned status, std::string_view fact) {
    answer.accept = false;
    answer.refusal.status = status;
    if (!fact.empty()) violated(fact);
    return answer;
  };
  if (over) return refuse(503, {});
  auto c = std::make_unique<client>(*this, std::move(ws));
  c->speaks = dialect->accept(request.path(), request.query(), *c);
  if (!c->speaks) return refuse(404, {});
  if (faults.strikes(fault::refused_connect))
    refused_until_ns = steady_now_ns() + faults.setting(fault::refused_connect).ms * data_ms;
  if (steady_now_ns() < refused_until_ns) return refuse(429, {});
  if (!connects->take(steady_now_ns()))
    return refuse(429, "more new sockets than the venue allows");
  ++sockets_opened;
  auto* raw = c.get();
  clients[id] = std::move(c);
  answer.handlers.on_open = [raw] {
    raw->open = true;
    raw->speaks->opened(steady_now_ns());
  };
  answer.handlers.on_frame = [this, raw](std::string_view text, market_time) {
    if (raw->ended) return;
    const auto steady = steady_now_ns();
    if (!raw->messages.take(steady)) {
      violated("more messages a second than the venue allows");
      return raw->ws.close(1008, "too many messages");
    }
    raw->outlet.heard(text);
    raw->speaks->on_message(text, steady);
  };
  answer.handlers.on_close = [raw](const error&) { raw->ended = true; };
  return answer;
}

void data_server::impl::on_request(const net::http_request& request,
                                   const net::http_responder& answer) {
  if (over) return;
  play_due();
  const auto steady = steady_now_ns();
  const data_request asked{request.method, request.path(), request.query(), request.body};
  const auto refuse = [&](unsigned status, std::int64_t wait_ms) {
    net::http_response reply;
    reply.status = status;
    reply.fields.add("Retry-After", std::to_string(wait_ms / 1000 + 1));
    reply.fields.add("Content-Type", "application/json");
    reply.body = R"({"code":-1003,"msg":"Too many requests."})";
    answer.respond(std::move(reply));
  };
  if (faults.strikes(fault::banned))
    banned_until_ns = steady + faults.setting(fault::banned).ms * data_ms;
  if (steady < banned_until_ns) return refuse(418, (banned_until_ns - steady) / data_ms);
  if (faults.strikes(fault::refused_request))
    return refuse(429, faults.setting(fault::refused_request).ms);
  if (!requests->take(steady, dialect->weight_of(asked))) {
    violated("more REST requests than the venue allows");
    return refuse(429, dialect->limits().requests_s * 1000);
  }
  auto said = dialect->rest(asked, "localhost:" + std::to_string(server->port()));
  if (!said) said = data_reply{404, R"({"error":"not found"})", {}, false};
  net::http_response reply;
  reply.status = said->status;
  reply.body = std::move(said->body);
  reply.fields.add("Content-Type", "application/json");
  for (auto& [name, value] : said->fields)
    reply.fields.add(std::move(name), std::move(value));
  if (said->image && faults.strikes(fault::slow_image)) {
    io.after(nanoseconds{faults.setting(fault::slow_image).ms * data_ms},
             [answer, reply = std::move(reply)] { answer.respond(reply); });
    return;
  }
  answer.respond(std::move(reply));
}

// ---- control
// ------------------------------------------------------------------------------------------

std::string data_server::impl::state() const {
  json_writer w;
  w.begin_object().field("venue", dialect->venue()).field("source", source_word());
  w.field("market_ns", options.clock.market_at(steady_now_ns())).field("events", events);
  w.field("sockets", clients.size())
      .field("sockets_opened", sockets_opened)
      .field("frames_sent", frames_sent);
  w.key("behind").begin_object().field("events", behind.count()).field("p50_ms", behind.ms(0.5), 1);
  w.field("p99_ms", behind.ms(0.99), 1).field("most_ms", behind.most_ms(), 1).end_object();
  w.key("violations").begin_object();
  for (const auto& [fact, count] : violations)
    w.field(fact, count);
  w.end_object().key("faults").raw(faults.to_json()).key("markets").begin_array();
  for (const auto& m : world.markets)
    w.begin_object()
        .field("symbol", dialect->symbol_of(m->instrument()))
        .field("changes", m->number())
        .end_object();
  w.end_array().end_object();
  return std::move(w).text();
}

std::string data_server::impl::truth_answer(const net::http_request& request) const {
  const auto asked = net::parse_query(request.query());
  std::string symbol;
  std::uint64_t from = 0;
  std::uint64_t newest = 0;
  if (asked)
    for (const auto& [name, value] : *asked) {
      if (name == "symbol") symbol = value;
      if (name == "from") from = std::strtoull(value.c_str(), nullptr, 10);
      if (name == "newest") newest = std::strtoull(value.c_str(), nullptr, 10);
    }
  for (std::size_t n = 0; n < world.markets.size(); ++n)
    if (dialect->symbol_of(world.markets[n]->instrument()) == symbol) {
      const auto last = world.markets[n]->number();
      return truths[n].to_json(symbol, newest != 0 && newest <= last ? last - newest + 1 : from);
    }
  return {};
}

void data_server::impl::on_control(const net::http_request& request,
                                   const net::http_responder& answer) {
  net::http_response reply;
  reply.fields.add("Content-Type", "application/json");
  const auto path = request.path();
  const bool stop = path == "/stop" && request.method == "POST";
  if (over)
    reply.status = 503, reply.body = R"({"error":"ending"})";
  else if (path == "/state")
    reply.body = state();
  else if (path == "/truth") {
    reply.body = truth_answer(request);
    if (reply.body.empty()) reply.status = 404, reply.body = R"({"error":"no such symbol"})";
  } else if (path == "/faults") {
    auto set = request.method == "POST" ? faults.configure(request.body) : status{ok};
    reply.status = set ? 200 : 400;
    reply.body = set ? faults.to_json()
                     : json_writer{}
                           .begin_object()
                           .field("error", set.error().message())
                           .end_object()
                           .text();
  } else if (path == "/pause" && request.method == "POST") {
    if (paused_ns == 0) paused_ns = options.clock.market_at(steady_now_ns());
    reply.body = state();
  } else if (path == "/measure" && request.method == "POST") {
    behind = {};
    reply.body = state();
  } else if (stop)
    reply.body = R"({"stopping":true})";
  else
    reply.status = 404,
    reply.body = R"({"error":"known: GET /state, GET and POST /faults, GET /truth, POST /measure, POST /pause, POST /stop"})";
  answer.respond(std::move(reply));
  // After a moment, so that the answer is out.
  if (stop && !over)
    io.after(std::chrono::milliseconds{50}, [this] {
      over = true;
      if (on_end) on_end(ok);
    });
}

std::string data_server::impl::ready_line() const {
  json_writer w;
  w.begin_object()
      .field("ready", true)
      .field("venue", dialect->venue())
      .field("source", source_word());
  w.field("port", server->port())
      .field("control_port", control->port())
      .field("ca", files.authority.string());
  w.key("symbols").begin_object();
  for (std::size_t n = 0; n < world.markets.size(); ++n)
    w.field(options.symbols[n], dialect->symbol_of(world.markets[n]->instrument()));
  w.end_object().field("rate_permille", options.clock.rate_permille);
  w.field("origin_market_ns", options.clock.origin_market_ns)
      .field("origin_steady_ns", options.clock.origin_steady_ns);
  w.field("pid", static_cast<std::int64_t>(::getpid())).end_object();
  return std::move(w).text();
}

/// From outside the I/O thread: nothing of ours runs on it afterwards.
void data_server::impl::shut() {
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

// ---- the object
// ---------------------------------------------------------------------------------------

data_server::data_server(std::unique_ptr<impl> state) : impl_{std::move(state)} {}

data_server::~data_server() {
  impl_->shut();
}

result<std::unique_ptr<data_server>> data_server::start(data_server_options options,
                                                        std::function<void(status)> on_end) {
  auto state = std::make_unique<impl>(std::move(options), std::move(on_end));
  if (auto opened = state->open(); !opened) {
    state->shut();
    return opened.error();
  }
  return std::unique_ptr<data_server>{new data_server{std::move(state)}};
}

std::uint16_t data_server::port() const noexcept {
  return impl_->server->port();
}
std::uint16_t data_server::control_port() const noexcept {
  return impl_->control->port();
}
std::filesystem::path data_server::authority() const {
  return impl_->files.authority;
}
std::string data_server::ready_line() const {
  return impl_->ready_line();
}

void data_server::set_faults(std::string json) {
  impl_->io.post([state = impl_.get(), json = std::move(json)] { (void)state->faults.configure(json); });
}

std::string data_server::state() const {
  auto asked = std::make_shared<std::promise<std::string>>();
  auto answer = asked->get_future();
  impl_->io.post([state = impl_.get(), asked] { asked->set_value(state->state()); });
  return answer.wait_for(std::chrono::seconds{5}) == std::future_status::ready ? answer.get() : std::string{};
}

int data_server_main(const data_server_options& options) {
  return run_until_told<data_server>(options);
}

} // namespace troupe::venue_sim
