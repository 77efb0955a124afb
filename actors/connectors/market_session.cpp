#include "actors/connectors/market_session.hpp"

#include <algorithm>

namespace troupe {

using namespace std::chrono_literals;

// --- life -----------------------------------------------------------------------------------------

market_session::market_session(market_session_options options, market_session_port& port,
                               rate_budget& connects)
    : options_{std::move(options)}, port_{port}, connects_{connects}, random_{options_.seed} {
  for (const auto& topic : options_.plan.topics) {
    auto& state = topics_[topic.name];
    state.what = &topic;
    state.limit = quiet_limit(topic.kind);
  }
}

market_session::~market_session() = default;

nanoseconds market_session::quiet_limit(topic_kind kind) const noexcept {
  switch (kind) {
  case topic_kind::book: return options_.traits.book_quiet;
  case topic_kind::best: return options_.traits.best_quiet;
  case topic_kind::trades:
  case topic_kind::candles: return options_.traits.trades_quiet;
  }
  return options_.traits.trades_quiet;
}

void market_session::start(steady_time now) {
  stopped_ = false;
  connect(now);
}

void market_session::stop() {
  stopped_ = true;
  drop_standby("stopped");
  if (primary_.at != phase::idle) port_.close(primary_.socket, "stopped");
  primary_ = {};
  next_attempt_.reset();
  set_state(session_state::disconnected, "stopped");
}

void market_session::set_state(session_state state, const std::string& why) {
  if (state == state_ && state != session_state::reconnecting) return;
  state_ = state;
  port_.changed(state, why);
}

/// SplitMix64.
std::uint64_t market_session::draw() {
  random_ += 0x9e3779b97f4a7c15ULL;
  auto x = random_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

nanoseconds market_session::backoff() {
  const auto doublings = std::min(failures_in_row_ > 0 ? failures_in_row_ - 1 : 0u, 12u);
  const auto whole = std::min<nanoseconds>(options_.backoff_least * (1 << doublings), options_.backoff_most);
  const auto part = draw() % static_cast<std::uint64_t>(whole.count() / 2 + 1);
  return whole / 2 + nanoseconds{static_cast<std::int64_t>(part)};
}

// --- connecting -----------------------------------------------------------------------------------

void market_session::connect(steady_time now) {
  const auto wait = connects_.admit(now, {{"connects", 1}});
  if (wait > nanoseconds::zero()) {
    next_attempt_ = now + wait;
    return;
  }
  next_attempt_.reset();
  if (state_ != session_state::reconnecting) set_state(session_state::connecting, "");
  begin(primary_, now);
}

void market_session::begin(connection& into, steady_time now) {
  into = {};
  into.socket = next_socket_++;
  into.at = phase::opening;
  into.since = into.heard = now;
  into.speaks = options_.protocol();
  ++counters_.connects;
  port_.open(into.socket, options_.plan.target);
}

market_session::connection* market_session::find(std::uint64_t socket) noexcept {
  if (primary_.at != phase::idle && primary_.socket == socket) return &primary_;
  if (standby_ && standby_->socket == socket) return &*standby_;
  return nullptr;
}

void market_session::quiet_again(steady_time now) {
  for (auto& [name, topic] : topics_) {
    topic.seen = now;
    topic.resubscribed = false;
  }
}

void market_session::on_open(std::uint64_t socket, steady_time now) {
  auto* const c = stopped_ ? nullptr : find(socket);
  if (c == nullptr || c->at != phase::opening) return;
  connects_.on_status(now, 101, {}); // the venue takes us again: the next refusal is a first one
  c->since = c->heard = c->beat = now;
  if (c == &primary_) {
    quiet_again(now);
    for (auto& [name, topic] : topics_) {
      topic.any_data = topic.given_up = topic.resync_wanted = false;
      topic.refusals = 0;
      topic.retry_at.reset();
    }
  }
  for (auto& text : speaker(*c).begin()) c->outbox.push_back({std::move(text), {}});
  c->at = phase::greeting;
  if (!options_.traits.waits_for_welcome) subscribe_all(*c, now);
}

market_protocol& market_session::speaker(const connection& c) const {
  if (options_.clock != nullptr) c.speaks->at(options_.clock->now());
  return *c.speaks;
}

void market_session::subscribe_all(connection& c, steady_time now) {
  c.at = phase::subscribing;
  if (!options_.plan.subscribed) queue(c, speaker(c).subscribe(options_.plan.topics));
  pump(c, now);
}

void market_session::check_live(connection& c, steady_time now) {
  if (c.at != phase::subscribing || !c.waiting.empty() || !c.outbox.empty()) return;
  c.at = phase::live;
  if (&c != &primary_) return try_promote(now);
  const auto age = options_.traits.rotation;
  next_rotation_.reset();
  // Not all sockets of a venue at the same instant.
  const auto spread = nanoseconds{static_cast<std::int64_t>(
      age.count() > 50 ? draw() % static_cast<std::uint64_t>(age.count() / 50) : 0)};
  if (age > nanoseconds::zero()) next_rotation_ = now + age + spread;
  set_state(session_state::connected, "");
}

// --- our messages ---------------------------------------------------------------------------------

void market_session::queue(connection& c, std::vector<market_command> commands) {
  for (auto& each : commands) c.outbox.push_back({std::move(each.text), std::move(each.topics)});
}

/// Before everything that waits: pongs and answers to tests have a deadline of the venue's.
void market_session::urgent(connection& c, std::string text) {
  c.outbox.push_front({std::move(text), {}});
}

void market_session::subscribe_anew(const std::vector<market_topic>& topics) {
  queue(primary_, speaker(primary_).unsubscribe(topics));
  queue(primary_, speaker(primary_).subscribe(topics));
}

void market_session::pump(connection& c, steady_time now) {
  std::erase_if(c.sends, [&](steady_time at) { return now - at >= 1s; });
  while (!c.outbox.empty() && c.sends.size() < options_.traits.messages_per_second) {
    auto next = std::move(c.outbox.front());
    c.outbox.pop_front();
    if (options_.traits.acknowledges && !next.topics.empty())
      c.waiting.push_back({std::move(next.topics), now});
    c.sends.push_back(now);
    ++counters_.messages;
    port_.send(c.socket, std::move(next.text));
  }
  check_live(c, now);
}

void market_session::on_ping(std::uint64_t socket, steady_time now) {
  auto* const c = find(socket);
  if (c == nullptr) return;
  c->heard = now;
  c->sends.push_back(now);
}

void market_session::beat(connection& c, steady_time now) {
  const auto every = options_.traits.heartbeat_every;
  if (every <= nanoseconds::zero() || now - c.beat < every) return;
  c.beat = now;
  if (auto text = speaker(c).heartbeat(); !text.empty()) urgent(c, std::move(text));
}

// --- time -----------------------------------------------------------------------------------------

void market_session::resync(std::string_view symbol) {
  if (primary_.at != phase::live) return; // what is being subscribed brings an image
  for (auto& [name, topic] : topics_)
    if (topic.what->kind == topic_kind::book && topic.what->symbol == symbol && !topic.given_up)
      topic.resync_wanted = true;
}

/// Refused topics whose pause is over, and books that need a new image.
void market_session::serve_topics(steady_time now) {
  std::vector<market_topic> again, anew;
  for (auto& [name, topic] : topics_) {
    if (topic.retry_at && now >= *topic.retry_at) {
      topic.retry_at.reset();
      again.push_back(*topic.what);
    }
    if (!topic.resync_wanted) continue;
    const auto calm_after = options_.resync_pause * 10;
    const bool calm = !topic.resynced_at || now - *topic.resynced_at >= std::max(calm_after, topic.resync_wait * 2);
    if (!calm && now - *topic.resynced_at < topic.resync_wait) continue;
    // A venue whose every image is wrong is asked less and less often; a few breaks in a row are served at once.
    topic.resyncs_in_row = calm ? 1 : topic.resyncs_in_row + 1;
    const bool storm = topic.resyncs_in_row > options_.resync_burst;
    topic.resync_wait = storm ? std::min(topic.resync_wait * 2, options_.resync_most) : options_.resync_pause;
    topic.resync_wanted = false;
    topic.resynced_at = now;
    anew.push_back(*topic.what);
  }
  counters_.resyncs += anew.size();
  if (!again.empty()) queue(primary_, speaker(primary_).subscribe(again));
  if (!anew.empty()) subscribe_anew(anew);
}

/// A silent topic is subscribed again. If a book is silent still, the socket is dead to us; trades and best
/// prices of a quiet market may be silent for long, and the venue has just confirmed the subscription.
void market_session::watch_topics(steady_time now) {
  std::vector<market_topic> silent;
  for (auto& [name, topic] : topics_) {
    const bool watched = topic.limit > nanoseconds::zero() && !topic.given_up && !topic.retry_at;
    if (!watched || now - topic.seen < topic.limit) continue;
    if (!topic.resubscribed) {
      silent.push_back(*topic.what);
      topic.resubscribed = true;
      topic.resubscribed_at = now;
      continue;
    }
    if (now - topic.resubscribed_at < topic.limit) continue;
    if (topic.what->kind == topic_kind::book)
      return replace("topic " + name + " stays silent after it was subscribed again", now);
    topic.seen = now;
    topic.resubscribed = false;
  }
  if (silent.empty()) return;
  counters_.resubscriptions += silent.size();
  subscribe_anew(silent);
}

/// Why a connection can't be kept; empty when it can.
std::string market_session::trouble_of(const connection& c, steady_time now) const {
  if (c.at == phase::opening || c.at == phase::greeting)
    return now - c.since >= options_.open_deadline ? "the connection did not come up in time" : "";
  if (now - c.heard >= options_.traits.silence_limit) return "nothing heard from the venue";
  if (c.outbox.size() > options_.most_waiting) return "our messages pile up";
  const bool late = std::any_of(c.waiting.begin(), c.waiting.end(), [&](const waiting_answer& each) {
    return now - each.sent >= options_.ack_deadline;
  });
  return late ? "subscription not answered" : "";
}

void market_session::watch_deadlines(steady_time now) {
  if (const auto why = trouble_of(primary_, now); !why.empty()) return replace(why, now);
  if (!standby_) return;
  if (const auto why = trouble_of(*standby_, now); !why.empty()) drop_standby(why);
}

void market_session::pause(bool on, steady_time now) {
  paused_ = on;
  if (on) return;
  quiet_again(now);
  const auto forgive = [now](connection& c) {
    c.heard = now;
    for (auto& each : c.waiting) each.sent = now;
  };
  forgive(primary_);
  if (standby_) forgive(*standby_);
}

void market_session::tick(steady_time now) {
  if (stopped_) return;
  if (next_attempt_ && now >= *next_attempt_) return connect(now);
  if (primary_.at == phase::idle) return;
  if (!paused_) {
    if (standby_ && next_rotation_ && now >= *next_rotation_) {
      drop_standby("didn't prove itself in time");
      next_rotation_ = now + options_.overlap_deadline;
    } else if (!standby_ && primary_.at == phase::live && next_rotation_ && now >= *next_rotation_)
      rotate(now);
    if (primary_.at == phase::live) watch_topics(now);
    if (primary_.at == phase::live) serve_topics(now);
    if (primary_.at != phase::idle) watch_deadlines(now);
  }
  for (auto* const c : {&primary_, standby_ ? &*standby_ : nullptr}) {
    if (c == nullptr || c->at < phase::subscribing) continue;
    beat(*c, now);
    const auto socket = c->socket;
    pump(*c, now);
    if (primary_.socket == socket && c != &primary_) return; // the stand-in took over
  }
}

} // namespace troupe
