#include "actors/connectors/connector_driver_actor.hpp"

#include "messages/json.hpp"
#include "messages/market.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t largest_image = 32u << 20;

rate_budget_options limits_of(const venue_connector_options& options, const protocol_traits& traits) {
  if (!options.limits.limits.empty()) return options.limits;
  return {.limits = {{"weight", options.weight_window, options.weight},
                     {"connects", traits.connects_within, traits.connects}}};
}

std::uint32_t number_of(std::string_view text) {
  std::uint32_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

} // namespace

// --- life -----------------------------------------------------------------------------------------

connector_driver::connector_driver(actor_environment env, venue_connector_options options,
                                   net::tls_context tls)
    : env_{env},
      options_{std::move(options)},
      traits_{options_.traits.value_or(options_.venue->traits)},
      tls_{std::move(tls)},
      budget_{limits_of(options_, traits_)},
      // Above every number an earlier incarnation of this actor can have used on this host since its boot.
      last_session_{static_cast<std::uint64_t>(env.steady->now().ns / 1'000'000)},
      next_seed_{env.seed},
      rules_{options_.known_rules},
      rules_cached_{options_.known_rules.has_value()} {
  net::http_client_options how;
  how.server = options_.rest;
  how.tls = tls_;
  how.clock = env_.market;
  how.body_limit = largest_image;
  if (options_.second_rest) {
    auto other = how;
    other.server = *options_.second_rest;
    second_rest_ = std::make_unique<net::http_client>(io_, std::move(other));
  }
  rest_ = std::make_unique<net::http_client>(io_, std::move(how));
  for (const auto& spec : options_.instruments) {
    auto& each = *instruments_.emplace_back(std::make_unique<connected_instrument>());
    each.spec = spec;
    each.feed = "feed/" + spec.id.text;
  }
  plan_sockets();
}

net::http_client& connector_driver::rest_of(std::string_view target) {
  return second_rest_ && options_.venue->at_second_host(target) ? *second_rest_ : *rest_;
}

const net::address& connector_driver::sockets_of(std::string_view target) const {
  return options_.second_sockets && options_.venue->at_second_host(target) ? *options_.second_sockets
                                                                           : options_.sockets;
}

/// Instruments that share a spelling (Bybit's BTCUSDT of spot and linear) never share a socket: frames are
/// told apart by their symbols.
void connector_driver::plan_sockets() {
  std::vector<std::vector<connected_instrument*>> parts;
  for (const auto& each : instruments_) {
    const auto fits = [&](const std::vector<connected_instrument*>& part) {
      return std::none_of(part.begin(), part.end(), [&](const auto* other) {
        return other->spec.venue_symbol == each->spec.venue_symbol;
      });
    };
    const auto part = std::find_if(parts.begin(), parts.end(), fits);
    (part == parts.end() ? parts.emplace_back() : *part).push_back(each.get());
  }
  for (const auto& part : parts) {
    std::vector<instrument_spec> specs;
    for (const auto* each : part) specs.push_back(each->spec);
    for (auto& plan : options_.venue->plan(specs, options_.what)) add_group(std::move(plan), part);
  }
}

void connector_driver::add_group(market_socket_plan plan,
                                 const std::vector<connected_instrument*>& instruments) {
  auto how = options_.session;
  how.plan = std::move(plan);
  how.protocol = options_.venue->protocol;
  how.traits = traits_;
  how.clock = env_.market;
  how.seed = ++next_seed_;
  const auto topics = how.plan.topics;
  auto& group = *groups_.emplace_back(std::make_unique<socket_group>(*this, std::move(how), budget_));
  for (auto* each : instruments)
    for (const auto& topic : topics) {
      if (topic.symbol != each->spec.venue_symbol) continue;
      group.carry(topic.symbol, *each);
      if (topic.kind == topic_kind::book || each->book == nullptr) each->book = &group;
    }
}

void connector_driver::start() {
  io_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    for (auto& group : self->groups_) group->session().start(self->now());
    self->fetch_rules_in(self->options_.rules_first);
    self->tick();
  });
}

void connector_driver::stop() {
  io_.stop();
  for (auto& group : groups_) group->forget_sockets();
  rest_.reset();
  second_rest_.reset();
}

void connector_driver::tick() {
  for (auto& group : groups_) {
    group->bury();
    group->session().tick(now());
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

feed_actor connector_driver::feed_of(const connected_instrument& instrument) {
  return env_.names->find<feed_actor>(instrument.feed);
}

void connector_driver::tell_state(connected_instrument& instrument) {
  const auto feed = feed_of(instrument);
  if (!feed) return;
  if (feed.id() != instrument.told) instrument.reached = instrument.sent.load();
  instrument.told = feed.id();
  tell_anonymously(feed, session_event{instrument.spec.id, instrument.session, instrument.state,
                                       instrument.reason});
}

/// Frames of a new connection are about to come: whatever the feed holds is of the old one.
void connector_driver::begin_session(connected_instrument& instrument) {
  if (instrument.state == session_state::connected) return;
  flush(instrument);
  instrument.session = ++last_session_;
  instrument.state = session_state::connected;
  instrument.reason.clear();
  tell_state(instrument);
}

void connector_driver::on_state(socket_group& group, session_state state, const std::string& why) {
  if (!why.empty())
    log::info("connector",
              state == session_state::error ? "market-data session in error"
                                            : "market-data session changes",
              {{"venue", std::string{options_.venue->name}}, {"host", options_.sockets.host}, {"why", why}});
  for (auto& each : instruments_) {
    if (each->book != &group) continue;
    if (state == session_state::connected) {
      begin_session(*each);
      continue;
    }
    flush(*each);
    each->state = state;
    each->reason = why;
    tell_state(*each);
  }
}

void connector_driver::deliver(socket_group& group, const inbound& frame, market_time received) {
  for (const auto symbol : frame.symbols) {
    auto* const instrument = group.instrument_of(symbol);
    if (instrument == nullptr) continue;
    if (instrument->book == &group) begin_session(*instrument);
    bytes_ += frame.text.size();
    auto& pending = instrument->pending.frames;
    pending.push_back({received, 0, std::string{frame.text}});
    if (options_.recorder) options_.recorder(instrument->spec.id, pending.back());
    if (pending.size() >= options_.frames_per_batch) flush(*instrument);
  }
  // Frames that are read in one go leave in one go.
  if (std::exchange(flush_posted_, true)) return;
  io_.post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->flush_all();
  });
}

void connector_driver::flush_all() {
  flush_posted_ = false;
  for (auto& each : instruments_) flush(*each);
}

void connector_driver::flush(connected_instrument& instrument) {
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
  batch.instrument = instrument.spec.id;
  batch.session = instrument.session;
  instrument.sent += count;
  tell_anonymously(feed, std::exchange(batch, {}));
  apply_pressure(instrument);
}

void connector_driver::apply_pressure(connected_instrument& instrument) {
  const auto in_flight = instrument.sent - std::min(instrument.sent.load(), instrument.reached.load());
  const bool pause = instrument.paused ? in_flight > options_.most_frames_in_flight / 2
                                       : in_flight >= options_.most_frames_in_flight;
  if (pause == instrument.paused) return;
  instrument.paused = pause;
  const auto before = paused_feeds_;
  pause ? ++paused_feeds_ : --paused_feeds_;
  if (pause) ++pauses_;
  if ((before == 0) == (paused_feeds_ == 0)) return;
  for (auto& group : groups_) group->pause(paused_feeds_ > 0);
}

std::vector<std::pair<std::string, std::uint64_t>> connector_driver::lagging() const {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (const auto& each : instruments_)
    if (each->sent - std::min(each->sent.load(), each->reached.load()) >= options_.most_frames_in_flight / 8)
      out.emplace_back(each->feed, each->sent.load());
  return out;
}

void connector_driver::feed_reached(const std::string& feed, std::uint64_t frames) {
  for (auto& each : instruments_)
    if (each->feed == feed && each->reached < frames) each->reached = frames;
}

// --- tickets --------------------------------------------------------------------------------------

void connector_driver::ask_for_ticket(socket_group& group, std::uint64_t socket) {
  auto call = options_.venue->ticket();
  if (budget_.admit(now(), {{"weight", call.weight}}) > nanoseconds::zero()) {
    io_.post([weak = weak_from_this(), &group, socket] {
      if (const auto self = weak.lock()) group.fail(socket, "the budget of requests has no room for a ticket", 0);
    });
    return;
  }
  net::http_request request;
  request.method = std::move(call.method);
  request.target = std::move(call.target);
  request.body = std::move(call.body);
  auto& client = rest_of(request.target);
  client.send(std::move(request), options_.rest_deadline,
              [weak = weak_from_this(), &group, socket](result<net::http_response> reply) {
                if (auto self = weak.lock()) self->on_ticket(group, socket, std::move(reply));
              });
}

void connector_driver::on_ticket(socket_group& group, std::uint64_t socket,
                                 result<net::http_response> reply) {
  const auto refuse = [&](const std::string& why, unsigned status) {
    ++ticket_failures_;
    group.fail(socket, "ticket: " + why, status);
  };
  if (!reply) return refuse(reply.error().message(), 0);
  on_reply(*reply);
  if (reply->status != 200) return refuse("HTTP " + std::to_string(reply->status), reply->status);
  const auto url = options_.venue->ticket_url(reply->body);
  if (!url) return refuse(url.error().message(), 0);
  const auto at = net::parse_url(*url);
  if (!at) return refuse(at.error().message(), 0);
  group.connect(socket, *at, {});
}

// --- images ---------------------------------------------------------------------------------------

void connector_driver::request_image(const image_request& request) {
  io_.post([weak = weak_from_this(), request] {
    const auto self = weak.lock();
    if (!self) return;
    for (auto& each : self->instruments_)
      if (each->spec.id == request.instrument) self->ask_for_image(*each, request);
  });
}

void connector_driver::ask_for_image(connected_instrument& instrument, const image_request& request) {
  if (options_.venue->rules_of(options_.what.book_channel).image_in_band) {
    // A session that began meanwhile has brought its own image.
    if (request.session >= instrument.session && instrument.book != nullptr)
      instrument.book->session().resync(instrument.spec.venue_symbol);
    return;
  }
  instrument.image_for = instrument.session;
  if (!instrument.image_running) fetch_image(instrument);
}

void connector_driver::fetch_image(connected_instrument& instrument) {
  if (instrument.state != session_state::connected || !instrument.image_for) return;
  if (options_.venue->image == nullptr) return;
  auto call = options_.venue->image(instrument.spec, options_.image_levels);
  const auto wait = budget_.admit(now(), {{"weight", call.weight}, {"requests", 1}});
  if (wait > nanoseconds::zero()) return retry_image(instrument, wait);
  instrument.image_running = true;
  net::http_request request;
  request.method = std::move(call.method);
  request.target = std::move(call.target);
  request.body = std::move(call.body);
  auto& client = rest_of(request.target);
  client.send(std::move(request), options_.rest_deadline,
              [weak = weak_from_this(), &instrument,
               session = instrument.session](result<net::http_response> reply) {
                if (auto self = weak.lock()) self->on_image(instrument, session, std::move(reply));
              });
}

void connector_driver::retry_image(connected_instrument& instrument, nanoseconds least) {
  const auto doublings = std::min(instrument.image_failures, 6u);
  const auto delay = std::max<nanoseconds>(least, 250ms * (1 << doublings));
  io_.after(delay, [weak = weak_from_this(), &instrument] {
    const auto self = weak.lock();
    if (self && !instrument.image_running) self->fetch_image(instrument);
  });
}

/// The venue's own count of our weight (Binance), and its refusals.
void connector_driver::on_reply(const net::http_response& reply) {
  const auto used = number_of(reply.fields.find("X-MBX-USED-WEIGHT-1M"));
  const auto retry_after = number_of(reply.fields.find("Retry-After"));
  budget_.on_status(now(), reply.status, std::chrono::seconds{retry_after});
  if (used > 0) budget_.on_used(now(), "weight", used);
}

void connector_driver::on_image(connected_instrument& instrument, std::uint64_t session,
                                result<net::http_response> reply) {
  instrument.image_running = false;
  if (reply) on_reply(*reply);
  if (session != instrument.session) return fetch_image(instrument); // of a session that is gone
  if (!reply || reply->status != 200) {
    ++image_failures_;
    ++instrument.image_failures;
    log::warn("connector", "book image failed",
              {{"instrument", instrument.spec.id.text},
               {"why", reply ? "HTTP " + std::to_string(reply->status) : reply.error().message()}});
    return retry_image(instrument, nanoseconds::zero());
  }
  instrument.image_failures = 0;
  instrument.image_for.reset();
  ++images_;
  book_image image{instrument.spec.id, session, {reply->received, 0, std::move(reply->body)}};
  if (options_.recorder) options_.recorder(instrument.spec.id, image.reply);
  flush(instrument); // the image must not overtake frames that were received before it
  if (const auto feed = feed_of(instrument)) tell_anonymously(feed, std::move(image));
}

// --- status ---------------------------------------------------------------------------------------

void connector_driver::refresh_status() {
  json_writer w;
  w.begin_object().field("venue", options_.venue->name);
  w.field("host", options_.sockets.host).field("rest", options_.rest.host);
  if (options_.second_sockets) w.field("second_host", options_.second_sockets->host);
  w.field("used_weight", budget_.used(now(), "weight")).field("budget_refusals", budget_.refusals());
  w.field("bans", budget_.bans()).field("images", images_).field("image_failures", image_failures_);
  w.field("ticket_failures", ticket_failures_).field("rules_failures", rules_failures_);
  w.field("undelivered_frames", undelivered_).field("pauses", pauses_).field("paused", paused_feeds_ > 0);
  w.field("bytes", bytes_).field("lag_ns", std::int64_t{lag_.count()});
  w.key("sessions").begin_array();
  for (const auto& group : groups_) group->write_status(w);
  w.end_array().key("instruments").begin_array();
  for (const auto& each : instruments_) {
    w.begin_object().field("instrument", each->spec.id.text).field("session", each->session);
    w.field("connected", each->state == session_state::connected).field("frames", each->sent.load());
    w.field("in_flight", each->sent - std::min(each->sent.load(), each->reached.load()));
    write_rules(w, *each);
    w.end_object();
  }
  w.end_array().end_object();
  const std::lock_guard lock{mutex_};
  status_ = std::move(w).text();
}

std::string connector_driver::status_json() const {
  const std::lock_guard lock{mutex_};
  return status_;
}

} // namespace troupe
