#include "actors/connectors/binance_connector_actor.hpp"

#include "messages/json.hpp"
#include "messages/market.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"
#include "runtime/net/http_client.hpp"
#include "runtime/net/ws_client.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>

namespace troupe {

using namespace std::chrono_literals;

/// Everything on the I/O thread: sockets, sessions, batches on their way to the feeds.
class binance_connector_state::driver : public std::enable_shared_from_this<driver> {
public:
  driver(actor_environment env, binance_connector_options options, net::tls_context tls);

  void start();
  /// Ends the I/O thread; afterwards nothing of this object runs.
  void stop();
  /// From any thread.
  void request_image(const image_request& request);
  [[nodiscard]] std::string status_json() const;
  /// Feeds whose progress is of interest: name and frames sent so far.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> lagging() const;
  void feed_reached(const std::string& feed, std::uint64_t frames);

private:
  struct socket_group;
  struct instrument_state;

  void tick();
  void deliver(socket_group& group, std::string_view stream, std::string_view frame, market_time received);
  void on_state(socket_group& group, session_state state, const std::string& why);
  void tell_state(instrument_state& instrument);
  void flush(instrument_state& instrument);
  void flush_all();
  void apply_pressure(instrument_state& instrument);
  void fetch_image(instrument_state& instrument);
  void on_image(instrument_state& instrument, std::uint64_t session, result<net::http_response> reply);
  void retry_image(instrument_state& instrument, nanoseconds least);
  void refresh_status();
  feed_actor feed_of(instrument_state& instrument);
  [[nodiscard]] steady_time now() const { return env_.steady->now(); }

  actor_environment env_;
  binance_connector_options options_;
  net::tls_context tls_;
  binance::rate_budget budget_;
  std::vector<std::unique_ptr<socket_group>> groups_;
  std::vector<std::unique_ptr<instrument_state>> instruments_;
  std::map<std::string, instrument_state*, std::less<>> by_symbol_; ///< "btcusdt"
  std::uint64_t last_session_;
  bool flush_posted_ = false;
  std::size_t paused_feeds_ = 0;
  std::uint64_t pauses_ = 0;
  std::uint64_t undelivered_ = 0; ///< frames for which no feed was there
  std::uint64_t images_ = 0;
  std::uint64_t image_failures_ = 0;
  std::uint64_t bytes_ = 0;
  nanoseconds lag_{};
  mutable std::mutex mutex_; ///< guards the status text
  std::string status_ = "{}";
  // Last: destroyed first, so that no callback meets a half-destroyed driver.
  net::io_runner io_;
  std::unique_ptr<net::http_client> rest_;
};

struct binance_connector_state::driver::instrument_state {
  instrument_id id;
  std::string venue_symbol;
  std::string feed;
  std::vector<socket_group*> groups;
  std::uint64_t session = 0;
  session_state state = session_state::disconnected;
  std::string reason;
  caf::actor_id told = 0; ///< feed handle that knows `state`
  frame_batch pending;
  bool paused = false;
  std::optional<std::uint64_t> image_for; ///< session that waits for an image
  bool image_running = false;
  std::uint32_t image_failures = 0;
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> reached{0};
};

/// A session and its sockets.
struct binance_connector_state::driver::socket_group final : binance::session_port {
  socket_group(driver& of, binance::session_options options)
      : owner{of}, session{std::move(options), *this, of.budget_} {}

  void open(std::uint64_t socket, const std::string& target) override;
  void close(std::uint64_t socket, const std::string& why) override;
  void send(std::uint64_t socket, std::string text) override;
  void deliver(std::string_view stream, std::string_view frame, market_time received) override {
    owner.deliver(*this, stream, frame, received);
  }
  void changed(session_state state, const std::string& why) override { owner.on_state(*this, state, why); }
  void pause(bool on) {
    for (auto& [number, socket] : sockets) on ? socket->pause_reading() : socket->resume_reading();
  }

  driver& owner;
  std::map<std::uint64_t, std::unique_ptr<net::ws_client>> sockets;
  std::vector<std::unique_ptr<net::ws_client>> leaving; ///< closed while one of their handlers runs
  session_state state = session_state::disconnected;
  binance::session session;
};

namespace {

/// "…: HTTP 429" of a refused upgrade.
unsigned refused_status(const std::string& why) {
  const auto at = why.find(": HTTP ");
  if (at == std::string::npos) return 0;
  unsigned out = 0;
  std::from_chars(why.data() + at + 7, why.data() + why.size(), out);
  return out;
}

std::string feed_name(const instrument_id& id) { return "feed/" + id.text; }

} // namespace

// --- sockets --------------------------------------------------------------------------------------

void binance_connector_state::driver::socket_group::open(std::uint64_t socket, const std::string& target) {
  net::ws_client_options how;
  how.server = owner.options_.sockets;
  how.target = target;
  how.tls = owner.tls_;
  how.clock = owner.env_.market;
  how.idle = owner.options_.socket_idle;
  how.message_limit = 8u << 20;
  net::ws_handlers handlers;
  handlers.on_open = [this, socket] { session.on_open(socket, owner.now()); };
  handlers.on_frame = [this, socket](std::string_view frame, market_time received) {
    session.on_frame(socket, frame, received, owner.now());
  };
  handlers.on_ping = [this, socket] { session.on_ping(socket, owner.now()); };
  handlers.on_close = [this, socket](const error& why) {
    const auto text = why.message();
    close(socket, text);
    session.on_closed(socket, text, refused_status(text), owner.now());
  };
  sockets.emplace(socket, std::make_unique<net::ws_client>(owner.io_, std::move(how), std::move(handlers)));
  if (owner.paused_feeds_ > 0) sockets.at(socket)->pause_reading();
}

void binance_connector_state::driver::socket_group::close(std::uint64_t socket, const std::string&) {
  const auto place = sockets.find(socket);
  if (place == sockets.end()) return;
  leaving.push_back(std::move(place->second));
  sockets.erase(place);
}

void binance_connector_state::driver::socket_group::send(std::uint64_t socket, std::string text) {
  const auto place = sockets.find(socket);
  if (place != sockets.end()) static_cast<void>(place->second->send_text(std::move(text)));
}

// --- driver ---------------------------------------------------------------------------------------

binance_connector_state::driver::driver(actor_environment env, binance_connector_options options,
                                        net::tls_context tls)
    : env_{env}, options_{std::move(options)}, tls_{std::move(tls)}, budget_{options_.limits},
      // Above every number an earlier incarnation of this actor can have used on this host since
      // its boot.
      last_session_{static_cast<std::uint64_t>(env.steady->now().ns / 1'000'000)} {
  net::http_client_options how;
  how.server = options_.rest;
  how.tls = tls_;
  how.clock = env_.market;
  how.body_limit = 32u << 20;
  rest_ = std::make_unique<net::http_client>(io_, std::move(how));
  std::vector<std::string> symbols;
  for (const auto& each : options_.instruments) {
    auto state = std::make_unique<instrument_state>();
    state->id = each.id;
    state->venue_symbol = each.venue_symbol;
    state->feed = feed_name(each.id);
    std::string lower;
    for (const char c : each.venue_symbol)
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    by_symbol_.emplace(lower, state.get());
    symbols.push_back(each.venue_symbol);
    instruments_.push_back(std::move(state));
  }
  auto seed = env_.seed;
  for (auto& plan : binance::plan_sockets(options_.kind, symbols, options_.streams)) {
    auto session = options_.session;
    session.seed = ++seed;
    std::set<instrument_state*> carried;
    for (const auto& stream : plan.streams)
      if (const auto at = by_symbol_.find(stream.substr(0, stream.find('@'))); at != by_symbol_.end())
        carried.insert(at->second);
    session.plan = std::move(plan);
    groups_.push_back(std::make_unique<socket_group>(*this, std::move(session)));
    for (auto* each : carried) each->groups.push_back(groups_.back().get());
  }
}

void binance_connector_state::driver::start() {
  io_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    for (auto& group : self->groups_) group->session.start(self->now());
    self->tick();
  });
}

void binance_connector_state::driver::stop() {
  io_.stop();
  for (auto& group : groups_) {
    group->sockets.clear();
    group->leaving.clear();
  }
  rest_.reset();
}

void binance_connector_state::driver::tick() {
  for (auto& group : groups_) {
    group->leaving.clear();
    if (paused_feeds_ == 0) group->session.tick(now());
  }
  for (auto& each : instruments_) {
    apply_pressure(*each);
    // A feed that was started again knows nothing of the session yet.
    const auto feed = feed_of(*each);
    if (feed && feed.id() != each->told) tell_state(*each);
  }
  refresh_status();
  io_.after(100ms, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->tick();
  });
}

// --- to the feeds ---------------------------------------------------------------------------------

feed_actor binance_connector_state::driver::feed_of(instrument_state& instrument) {
  return env_.names->find<feed_actor>(instrument.feed);
}

void binance_connector_state::driver::tell_state(instrument_state& instrument) {
  const auto feed = feed_of(instrument);
  if (!feed) return;
  if (feed.id() != instrument.told) instrument.reached = instrument.sent.load();
  instrument.told = feed.id();
  tell_anonymously(
      feed, session_event{instrument.id, instrument.session, instrument.state, instrument.reason});
}

void binance_connector_state::driver::on_state(socket_group& group, session_state state,
                                               const std::string& why) {
  group.state = state;
  if (!why.empty())
    log::info("connector",
              state == session_state::error ? "market-data session in error"
                                            : "market-data session changes",
              {{"path", options_.sockets.host}, {"why", why}});
  for (auto& each : instruments_) {
    if (std::find(each->groups.begin(), each->groups.end(), &group) == each->groups.end()) continue;
    const bool whole = std::all_of(each->groups.begin(), each->groups.end(),
                                   [](const auto* g) { return g->state == session_state::connected; });
    const auto before = each->state;
    flush(*each);
    each->state = whole ? session_state::connected : state;
    if (each->state == session_state::connected && !whole) each->state = session_state::connecting;
    each->reason = why;
    if (whole && before != session_state::connected) each->session = ++last_session_;
    tell_state(*each);
  }
}

void binance_connector_state::driver::deliver(socket_group&, std::string_view stream, std::string_view frame,
                                              market_time received) {
  const auto place = by_symbol_.find(stream.substr(0, stream.find('@')));
  if (place == by_symbol_.end()) return;
  auto& instrument = *place->second;
  bytes_ += frame.size();
  if (instrument.state != session_state::connected)
    return; // the other half of the instrument is not there yet
  instrument.pending.frames.push_back({received, 0, std::string{frame}});
  if (options_.recorder) options_.recorder(instrument.id, instrument.pending.frames.back());
  if (instrument.pending.frames.size() >= options_.frames_per_batch) return flush(instrument);
  // Frames that are read in one go leave in one go.
  if (std::exchange(flush_posted_, true)) return;
  io_.post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->flush_all();
  });
}

void binance_connector_state::driver::flush_all() {
  flush_posted_ = false;
  for (auto& each : instruments_) flush(*each);
}

void binance_connector_state::driver::flush(instrument_state& instrument) {
  auto& batch = instrument.pending;
  if (batch.frames.empty()) return;
  const auto count = batch.frames.size();
  const auto feed = feed_of(instrument);
  if (!feed) {
    // It will be told of the session when it is there again, and ask for an image.
    undelivered_ += count;
    batch.frames.clear();
    instrument.told = 0;
    return;
  }
  if (feed.id() != instrument.told) tell_state(instrument);
  lag_ = env_.market->now() - batch.frames.front().received;
  batch.instrument = instrument.id;
  batch.session = instrument.session;
  instrument.sent += count;
  tell_anonymously(feed, std::exchange(batch, {}));
  apply_pressure(instrument);
}

void binance_connector_state::driver::apply_pressure(instrument_state& instrument) {
  const auto in_flight = instrument.sent - std::min(instrument.sent.load(), instrument.reached.load());
  const bool pause = instrument.paused ? in_flight > options_.most_frames_in_flight / 2
                                       : in_flight >= options_.most_frames_in_flight;
  if (pause == instrument.paused) return;
  instrument.paused = pause;
  const auto before = paused_feeds_;
  pause ? ++paused_feeds_ : --paused_feeds_;
  if (pause) ++pauses_;
  if ((before == 0) == (paused_feeds_ == 0)) return;
  for (auto& group : groups_) {
    if (paused_feeds_ == 0) group->session.resumed(now());
    group->pause(paused_feeds_ > 0);
  }
}

std::vector<std::pair<std::string, std::uint64_t>> binance_connector_state::driver::lagging() const {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (const auto& each : instruments_)
    if (each->sent - std::min(each->sent.load(), each->reached.load()) >= options_.most_frames_in_flight / 8)
      out.emplace_back(each->feed, each->sent.load());
  return out;
}

void binance_connector_state::driver::feed_reached(const std::string& feed, std::uint64_t frames) {
  for (auto& each : instruments_)
    if (each->feed == feed && each->reached < frames) each->reached = frames;
}

// --- images ---------------------------------------------------------------------------------------

void binance_connector_state::driver::request_image(const image_request& request) {
  io_.post([weak = weak_from_this(), request] {
    const auto self = weak.lock();
    if (!self) return;
    for (auto& each : self->instruments_) {
      if (each->id != request.instrument) continue;
      each->image_for = each->session;
      if (!each->image_running) self->fetch_image(*each);
    }
  });
}

void binance_connector_state::driver::fetch_image(instrument_state& instrument) {
  if (instrument.state != session_state::connected || !instrument.image_for) return;
  const bool spot = options_.kind == binance::market_kind::spot;
  const int levels = options_.image_levels > 0 ? options_.image_levels : spot ? 5000 : 1000;
  const std::uint32_t weight = spot ? (levels <= 100 ? 5 : levels <= 500 ? 25 : levels <= 1000 ? 50 : 250)
                                    : (levels <= 50 ? 2 : levels <= 100 ? 5 : levels <= 500 ? 10 : 20);
  const auto wait = budget_.admit(now(), {{"weight", weight}, {"requests", 1}});
  if (wait > nanoseconds::zero()) return retry_image(instrument, wait);
  instrument.image_running = true;
  net::http_request request;
  request.target = (spot ? "/api/v3/depth?symbol=" : "/fapi/v1/depth?symbol=") + instrument.venue_symbol
                   + "&limit=" + std::to_string(levels);
  rest_->send(std::move(request), options_.image_deadline,
              [weak = weak_from_this(), &instrument,
               session = instrument.session](result<net::http_response> reply) {
                if (auto self = weak.lock()) self->on_image(instrument, session, std::move(reply));
              });
}

void binance_connector_state::driver::retry_image(instrument_state& instrument, nanoseconds least) {
  const auto doublings = std::min(instrument.image_failures, 6u);
  const auto delay = std::max<nanoseconds>(least, 250ms * (1 << doublings));
  io_.after(delay, [weak = weak_from_this(), &instrument] {
    const auto self = weak.lock();
    if (self && !instrument.image_running) self->fetch_image(instrument);
  });
}

void binance_connector_state::driver::on_image(instrument_state& instrument, std::uint64_t session,
                                               result<net::http_response> reply) {
  instrument.image_running = false;
  if (reply) {
    std::uint32_t used = 0, retry_after = 0;
    const auto used_text = reply->fields.find("X-MBX-USED-WEIGHT-1M");
    const auto retry_text = reply->fields.find("Retry-After");
    std::from_chars(used_text.data(), used_text.data() + used_text.size(), used);
    std::from_chars(retry_text.data(), retry_text.data() + retry_text.size(), retry_after);
    budget_.on_status(now(), reply->status, std::chrono::seconds{retry_after});
    if (used > 0) budget_.on_used(now(), "weight", used);
  }
  if (session != instrument.session) return fetch_image(instrument); // of a session that is gone
  if (!reply || reply->status != 200) {
    ++image_failures_;
    ++instrument.image_failures;
    log::warn("connector", "book image failed",
              {{"instrument", instrument.id.text},
               {"why", reply ? "HTTP " + std::to_string(reply->status) : reply.error().message()}});
    return retry_image(instrument, nanoseconds::zero());
  }
  instrument.image_failures = 0;
  instrument.image_for.reset();
  ++images_;
  book_image image{instrument.id, session, {reply->received, 0, std::move(reply->body)}};
  if (options_.recorder) options_.recorder(instrument.id, image.reply);
  flush(instrument); // the image must not overtake frames that were received before it
  if (const auto feed = feed_of(instrument)) tell_anonymously(feed, std::move(image));
}

// --- status ---------------------------------------------------------------------------------------

void binance_connector_state::driver::refresh_status() {
  json_writer w;
  w.begin_object().field("host", options_.sockets.host).field("rest", options_.rest.host);
  w.field("used_weight", budget_.used(now(), "weight")).field("budget_refusals", budget_.refusals());
  w.field("bans", budget_.bans()).field("images", images_).field("image_failures", image_failures_);
  w.field("undelivered_frames", undelivered_).field("pauses", pauses_).field("paused", paused_feeds_ > 0);
  w.field("bytes", bytes_).field("lag_ns", std::int64_t{lag_.count()});
  w.key("sessions").begin_array();
  for (const auto& group : groups_) {
    const auto& c = group->session.counters();
    w.begin_object().field("state", static_cast<int>(group->state)).field("connects", c.connects);
    w.field("reconnects", c.breaks).field("rotations", c.rotations).field("shutdowns", c.shutdowns);
    w.field("resubscriptions", c.resubscriptions).field("refused_subscriptions", c.refused_subscriptions);
    w.field("breaker_opens", c.breaker_opens).field("messages", c.frames).field("duplicates", c.duplicates);
    w.field("unknown", c.unknown).field("messages_sent", c.messages).end_object();
  }
  w.end_array().key("instruments").begin_array();
  for (const auto& each : instruments_) {
    w.begin_object().field("instrument", each->id.text).field("session", each->session);
    w.field("connected", each->state == session_state::connected).field("frames", each->sent.load());
    w.field("in_flight", each->sent - std::min(each->sent.load(), each->reached.load())).end_object();
  }
  w.end_array().end_object();
  const std::lock_guard lock{mutex_};
  status_ = std::move(w).text();
}

std::string binance_connector_state::driver::status_json() const {
  const std::lock_guard lock{mutex_};
  return status_;
}

// --- the actor ------------------------------------------------------------------------------------

binance_connector_state::binance_connector_state(self_pointer self, actor_environment env,
                                                 binance_connector_options options)
    : self_{self}, env_{env} {
  if (options.limits.limits.empty())
    options.limits = options.kind == binance::market_kind::spot ? binance::spot_limits()
                                                                : binance::usdm_limits();
  auto tls = net::tls_context::client(options.authority);
  if (!tls) {
    log::error("connector", "can't start", {{"why", tls.error().message()}});
    troupe::stop(self_, tls.error());
    return;
  }
  driver_ = std::make_shared<driver>(env_, std::move(options), std::move(*tls));
  driver_->start();
}

binance_connector_state::~binance_connector_state() {
  if (driver_) driver_->stop();
}

connector_actor::behavior_type binance_connector_state::make_behavior() {
  probe_feeds();
  return {
      [this](const status_request&) { return status_report{self_->core().name(), status_json()}; },
      [this](const image_request& request) {
        if (driver_) driver_->request_image(request);
      },
  };
}

/// A feed answers after it has worked off what was sent to it before.
void binance_connector_state::probe_feeds() {
  if (!driver_) return;
  for (const auto& [feed, sent] : driver_->lagging()) {
    if (!probing_.insert(feed).second) continue; // one question at a time to each
    ask(self_, env_.names->find<feed_actor>(feed), 5s, status_request{})
        .then(
            [this, feed = feed, sent = sent](const status_report&) {
              probing_.erase(feed);
              driver_->feed_reached(feed, sent);
            },
            [this, feed = feed](const error&) { probing_.erase(feed); });
  }
  schedule(self_, 20ms, [this] { probe_feeds(); });
}

std::string binance_connector_state::status_json() const { return driver_ ? driver_->status_json() : "{}"; }

} // namespace troupe
