// What comes over the sockets of a session, and how a stand-in takes over.

#include "actors/connectors/market_session.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t most_damaged_kept = 8;
constexpr std::size_t damaged_head_bytes = 200;
constexpr std::size_t most_words = 300;

} // namespace

// --- frames ---------------------------------------------------------------------------------------

void market_session::on_frame(std::uint64_t socket, std::string_view frame, market_time received,
                              steady_time now) {
  auto* c = stopped_ ? nullptr : find(socket);
  if (c == nullptr || c->at == phase::opening) return;
  ++counters_.frames;
  c->heard = now;
  const auto& said = c->speaks->take(frame);
  for (const auto& reply : said.replies) urgent(*c, reply);
  if (!said.replies.empty() && c->at >= phase::subscribing) {
    pump(*c, now);
    c = find(socket); // the stand-in may have taken over
  }
  switch (said.kind) {
  case inbound_kind::data: return on_data(*c, said, received, now);
  case inbound_kind::acknowledged:
    pass_on(*c, said, received, now);
    return find(socket) == nullptr ? void() : answered(*c, said, now);
  case inbound_kind::refused: return refused(*c, said, now);
  case inbound_kind::welcome:
    if (c->at == phase::greeting) subscribe_all(*c, now);
    return;
  case inbound_kind::shutdown: return on_shutdown(*c, now);
  case inbound_kind::broken: return on_sequence_break(*c, said.why, now);
  case inbound_kind::failure:
    ++counters_.failures;
    last_failure_ = std::string{said.why.substr(0, most_words)};
    break;
  case inbound_kind::unknown: ++counters_.unknown; break;
  case inbound_kind::damaged:
    ++counters_.damaged;
    keep_damaged(frame);
    break;
  case inbound_kind::alive: break;
  }
  pass_on(*c, said, received, now);
}

void market_session::keep_damaged(std::string_view frame) {
  if (damaged_.size() == most_damaged_kept) damaged_.pop_front();
  damaged_.emplace_back(frame.substr(0, damaged_head_bytes));
}

void market_session::on_data(connection& c, const inbound& said, market_time received, steady_time now) {
  const auto topic = topics_.find(said.topic);
  const bool known = topic != topics_.end();
  // The first data of a topic proves its subscription as well as an answer does.
  if (known && c.at == phase::subscribing && !c.waiting.empty()) {
    for (auto& each : c.waiting) std::erase(each.topics, topic->first);
    std::erase_if(c.waiting, [](const waiting_answer& each) { return each.topics.empty(); });
  }
  if (known && &c == &primary_) {
    auto& state = topic->second;
    state.seen = now;
    state.resubscribed = false;
    state.any_data = true;
    state.shown = false;
    state.delivered = said.sequence;
  }
  const bool stands_in = &c != &primary_;
  pass_on(c, said, received, now);
  if (stands_in && !standby_) return;
  check_live(c, now);
  if (standby_) try_promote(now);
}

void market_session::pass_on(const connection& c, const inbound& said, market_time received,
                             steady_time now) {
  if (said.symbols.empty()) return;
  if (&c != &primary_) return hold(said, received, now);
  port_.deliver(said, received);
}

void market_session::hold(const inbound& said, market_time received, steady_time now) {
  if (const auto topic = topics_.find(said.topic); topic != topics_.end() && !topic->second.held) {
    if (said.kind == inbound_kind::data) {
      topic->second.held = true;
      topic->second.first_held = said.sequence;
    }
  }
  held_bytes_ += said.text.size();
  held_.push_back({std::string{said.text}, std::string{said.topic},
                   {said.symbols.begin(), said.symbols.end()}, said.kind, said.sequence, received});
  if (held_bytes_ <= options_.overlap_bytes) return;
  drop_standby("overlap takes too much memory");
  next_rotation_ = now + options_.overlap_deadline;
}

// --- answers --------------------------------------------------------------------------------------

/// What an answer speaks of, taken off what is waited for.
std::vector<std::string> market_session::topics_of_answer(connection& c, const inbound& said) {
  std::vector<std::string> out{said.topics.begin(), said.topics.end()};
  if (out.empty() && !said.topic.empty()) out.emplace_back(said.topic);
  if (out.empty()) {
    if (c.waiting.empty()) return out;
    out = std::move(c.waiting.front().topics);
    c.waiting.pop_front();
    return out;
  }
  for (const auto& name : out) {
    const auto at = std::find_if(c.waiting.begin(), c.waiting.end(), [&](const waiting_answer& each) {
      return std::find(each.topics.begin(), each.topics.end(), name) != each.topics.end();
    });
    if (at == c.waiting.end()) continue;
    std::erase(at->topics, name);
    if (at->topics.empty()) c.waiting.erase(at);
  }
  return out;
}

void market_session::answered(connection& c, const inbound& said, steady_time now) {
  const auto names = topics_of_answer(c, said);
  if (names.empty()) ++counters_.unknown;
  if (&c == &primary_)
    for (const auto& name : names)
      if (const auto topic = topics_.find(name); topic != topics_.end())
        topic->second.refusals = 0, topic->second.shown = false;
  check_live(c, now);
}

void market_session::refused(connection& c, const inbound& said, steady_time now) {
  const auto names = topics_of_answer(c, said);
  const std::string why{said.why.substr(0, most_words)};
  counters_.refused_subscriptions += std::max<std::size_t>(names.size(), 1);
  if (&c != &primary_) return drop_standby("subscription refused: " + why);
  const auto socket = c.socket;
  for (const auto& name : names) {
    refuse_topic(name, why, now);
    if (primary_.socket != socket) return; // replaced
  }
  const bool all = std::all_of(topics_.begin(), topics_.end(),
                               [](const auto& each) { return each.second.given_up; });
  if (all) return replace("every subscription is refused: " + why, now);
  check_live(c, now);
}

void market_session::refuse_topic(const std::string& name, std::string_view why, steady_time now) {
  const auto at = topics_.find(name);
  if (at == topics_.end()) return;
  auto& topic = at->second;
  topic.why = std::string{why};
  if (++topic.refusals < options_.refusal_tries) {
    topic.retry_at = now + options_.refusal_pause * (1 << (topic.refusals - 1));
    return;
  }
  topic.given_up = topic.shown = true;
  // What worked before on this connection is no matter of a wrong name.
  if (topic.any_data) replace("subscription of " + name + " refused: " + topic.why, now);
}

std::vector<std::pair<std::string, std::string>> market_session::refused() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& topic : options_.plan.topics)
    if (const auto at = topics_.find(topic.name); at != topics_.end() && at->second.shown)
      out.emplace_back(topic.name, at->second.why);
  return out;
}

// --- the stand-in ---------------------------------------------------------------------------------

void market_session::on_shutdown(const connection& c, steady_time now) {
  if (&c != &primary_) return drop_standby("server goes down");
  ++counters_.shutdowns;
  rotate(now);
}

void market_session::rotate(steady_time now) {
  if (standby_) return;
  const auto wait = connects_.admit(now, {{"connects", 1}});
  if (wait > nanoseconds::zero()) {
    next_rotation_ = now + wait;
    return;
  }
  overlapping_ = true;
  for (auto& [name, topic] : topics_) {
    topic.held = false;
    topic.first_held = 0;
    if (topic.what->kind == topic_kind::book && !topic.given_up && topic.delivered == 0)
      overlapping_ = false;
  }
  standby_ = connection{};
  next_rotation_ = now + options_.overlap_deadline;
  begin(*standby_, now);
}

/// With numbers, the stand-in takes over once each book overlaps: its first frame has been delivered already.
/// Without, once each book has begun on it.
void market_session::try_promote(steady_time now) {
  if (!standby_ || standby_->at != phase::live) return;
  for (const auto& [name, topic] : topics_) {
    if (topic.what->kind != topic_kind::book || topic.given_up) continue;
    if (!topic.held || (overlapping_ && topic.first_held > topic.delivered)) return;
  }
  promote(overlapping_, now);
}

void market_session::promote(bool seamless, steady_time now) {
  ++(seamless ? counters_.rotations : counters_.replacements);
  const auto old = primary_.at == phase::idle ? 0 : primary_.socket;
  primary_ = std::move(*standby_);
  standby_.reset();
  const auto age = options_.traits.rotation;
  next_rotation_.reset();
  if (age > nanoseconds::zero()) next_rotation_ = primary_.since + age;
  failures_in_row_ = 0;
  if (old != 0) port_.close(old, "rotated");
  if (!seamless) {
    set_state(session_state::reconnecting, "a fresh connection takes over");
    for (auto& [name, topic] : topics_) topic.delivered = 0;
  }
  quiet_again(now);
  deliver_held();
  set_state(session_state::connected, "");
}

void market_session::deliver_held() {
  held_bytes_ = 0;
  std::vector<std::string_view> symbols;
  for (auto& each : std::exchange(held_, {})) {
    const auto topic = topics_.find(each.topic);
    const bool data = each.kind == inbound_kind::data && topic != topics_.end();
    if (data && each.sequence != 0 && each.sequence <= topic->second.delivered) {
      ++counters_.duplicates;
      continue;
    }
    if (data) topic->second.delivered = each.sequence;
    symbols.assign(each.symbols.begin(), each.symbols.end());
    inbound frame;
    frame.kind = each.kind;
    frame.text = each.text;
    frame.topic = each.topic;
    frame.symbols = symbols;
    frame.sequence = each.sequence;
    port_.deliver(frame, each.received);
  }
}

void market_session::drop_standby(const std::string& why) {
  if (!standby_) return;
  const auto socket = standby_->socket;
  standby_.reset();
  held_.clear();
  held_bytes_ = 0;
  port_.close(socket, why);
}

// --- breaks ---------------------------------------------------------------------------------------

void market_session::on_closed(std::uint64_t socket, const std::string& why, unsigned http_status,
                               steady_time now) {
  if (stopped_) return;
  if (http_status != 0) connects_.on_status(now, http_status, {});
  const auto* const c = find(socket);
  if (c == nullptr) return;
  if (c == &primary_) return lost(why, now);
  drop_standby(why);
  next_rotation_ = now + options_.overlap_deadline;
}

void market_session::on_sequence_break(const connection& c, std::string_view why, steady_time now) {
  ++counters_.sequence_breaks;
  const auto words = "the connection's sequence broke: " + std::string{why.substr(0, most_words)};
  if (&c != &primary_) return drop_standby(words);
  replace(words, now);
}

void market_session::replace(const std::string& why, steady_time now) {
  const auto socket = primary_.socket;
  port_.close(socket, why);
  if (primary_.socket == socket && primary_.at != phase::idle) lost(why, now);
}

void market_session::lost(const std::string& why, steady_time now) {
  ++counters_.breaks;
  if (standby_ && standby_->at == phase::live) {
    primary_ = {};
    return promote(false, now);
  }
  drop_standby("the socket it stood in for is gone");
  const bool settled = primary_.at == phase::live && now - primary_.since >= options_.settled_after;
  primary_ = {};
  failures_in_row_ = settled ? 1 : failures_in_row_ + 1;
  next_rotation_.reset();
  if (failures_in_row_ >= options_.breaker_failures) {
    ++counters_.breaker_opens;
    failures_in_row_ = options_.breaker_failures - 1; // one more failure opens it again
    next_attempt_ = now + options_.breaker_pause;
    return set_state(session_state::error, "gave up for a while after repeated failures; last: " + why);
  }
  next_attempt_ = now + backoff();
  set_state(session_state::reconnecting, why);
}

} // namespace troupe
