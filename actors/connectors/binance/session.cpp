#include "actors/connectors/binance/session.hpp"

#include "actors/connectors/binance/codec.hpp"
#include "messages/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace troupe::binance {

using namespace std::chrono_literals;

// --- plan -----------------------------------------------------------------------------------------

std::vector<socket_plan> plan_sockets(market_kind kind, const std::vector<std::string>& symbols,
                                      const stream_selection& what, std::size_t streams_per_socket) {
  std::vector<std::string> books, trades;
  for (const auto& symbol : symbols) {
    std::string lower;
    for (const char c : symbol) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (what.depth) books.push_back(lower + "@depth" + what.depth_speed);
    if (what.book_ticker) books.push_back(lower + "@bookTicker");
    if (what.trades) trades.push_back(lower + "@trade");
  }
  std::vector<socket_plan> out;
  const auto spread = [&](const std::string& path, const std::vector<std::string>& streams) {
    const auto most = std::clamp<std::size_t>(streams_per_socket, 1, 1024);
    for (std::size_t i = 0; i < streams.size(); i += most) {
      const auto end = std::min(streams.size(), i + most);
      out.push_back({path, {streams.begin() + static_cast<std::ptrdiff_t>(i),
                            streams.begin() + static_cast<std::ptrdiff_t>(end)}});
    }
  };
  if (kind == market_kind::usdm) {
    spread("/public/stream", books);
    spread("/market/stream", trades);
    return out;
  }
  books.insert(books.end(), trades.begin(), trades.end());
  spread("/stream", books);
  return out;
}

std::uint64_t sequence_of(std::string_view stream, std::string_view frame) noexcept {
  const auto key = stream.find("@trade") != std::string_view::npos ? std::string_view{"\"t\":"} : "\"u\":";
  const auto at = frame.find(key);
  if (at == std::string_view::npos) return 0;
  std::uint64_t out = 0;
  const auto* from = frame.data() + at + key.size();
  std::from_chars(from, frame.data() + frame.size(), out);
  return out;
}

// --- life -----------------------------------------------------------------------------------------

session::session(session_options options, session_port& port, rate_budget& connects)
    : options_{std::move(options)}, port_{port}, connects_{connects}, random_{options_.seed} {
  for (const auto& stream : options_.plan.streams) {
    topic_state topic;
    topic.limit = silence_of(stream);
    topic.needs_proof = stream.find("@depth") != std::string::npos;
    topics_.emplace(stream, topic);
  }
}

nanoseconds session::silence_of(std::string_view stream) const {
  if (stream.find("@depth") != std::string_view::npos) return options_.depth_silence;
  if (stream.find("@bookTicker") != std::string_view::npos) return options_.ticker_silence;
  return options_.trade_silence;
}

void session::start(steady_time now) {
  stopped_ = false;
  connect(now);
}

void session::stop() {
  stopped_ = true;
  if (standby_) drop_standby("stopped");
  if (primary_.at != phase::idle) port_.close(primary_.socket, "stopped");
  primary_ = {};
  next_attempt_.reset();
  set_state(session_state::disconnected, "stopped");
}

void session::set_state(session_state state, const std::string& why) {
  if (state == state_ && state != session_state::reconnecting) return;
  state_ = state;
  port_.changed(state, why);
}

nanoseconds session::backoff() {
  const auto doublings = std::min(failures_in_row_ > 0 ? failures_in_row_ - 1 : 0u, 12u);
  const auto whole = std::min<nanoseconds>(options_.backoff_least * (1 << doublings), options_.backoff_most);
  random_ += 0x9e3779b97f4a7c15ULL;
  auto x = random_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  x ^= x >> 31;
  return whole / 2
         + nanoseconds{
             static_cast<std::int64_t>(x % static_cast<std::uint64_t>(whole.count() / 2 + 1))};
}

void session::connect(steady_time now) {
  const auto wait = connects_.admit(now, {{"connects", 1}});
  if (wait > nanoseconds::zero()) {
    next_attempt_ = now + wait;
    return;
  }
  next_attempt_.reset();
  if (state_ != session_state::reconnecting) set_state(session_state::connecting, "");
  begin(primary_, now);
}

void session::begin(connection& into, steady_time now) {
  into = {};
  into.socket = next_socket_++;
  into.at = phase::opening;
  into.since = now;
  ++counters_.connects;
  auto target = options_.plan.path;
  if (options_.plan.streams.size() <= options_.streams_in_url) {
    target += "?streams=";
    for (std::size_t i = 0; i < options_.plan.streams.size(); ++i)
      target += (i == 0 ? "" : "/") + options_.plan.streams[i];
  }
  port_.open(into.socket, target);
}

void session::on_open(std::uint64_t socket, steady_time now) {
  const bool stands_in = standby_ && standby_->socket == socket;
  if (stopped_ || (!stands_in && primary_.socket != socket)) return;
  auto& c = stands_in ? *standby_ : primary_;
  c.since = now;
  if (!stands_in)
    for (auto& [stream, topic] : topics_) {
      topic.seen = now;
      topic.resubscribed = false;
    }
  if (options_.plan.streams.size() <= options_.streams_in_url) return became_live(c, now);
  c.at = phase::subscribing;
  subscribe_all(c, now);
}

void session::became_live(connection& c, steady_time now) {
  c.at = phase::live;
  if (&c != &primary_) return;
  next_rotation_ = now + options_.rotation;
  set_state(session_state::connected, "");
}

// --- our messages ---------------------------------------------------------------------------------

void session::subscribe_all(connection& c, steady_time now) {
  const auto& all = options_.plan.streams;
  for (std::size_t i = 0; i < all.size(); i += options_.streams_per_message) {
    const auto end = std::min(all.size(), i + options_.streams_per_message);
    queue(c, "SUBSCRIBE",
          {all.begin() + static_cast<std::ptrdiff_t>(i),
           all.begin() + static_cast<std::ptrdiff_t>(end)});
  }
  pump(c, now);
}

void session::queue(connection& c, const char* method, const std::vector<std::string>& streams) {
  json_writer w;
  w.begin_object().field("method", method).key("params").begin_array();
  for (const auto& stream : streams) w.string(stream);
  w.end_array().field("id", next_id_++).end_object();
  c.outbox.push_back(std::move(w).text());
}

void session::pump(connection& c, steady_time now) {
  std::erase_if(c.sends, [&](steady_time at) { return now - at >= 1s; });
  while (c.next_out < c.outbox.size() && c.sends.size() < options_.messages_per_second) {
    const auto& text = c.outbox[c.next_out++];
    // The id is the last number of the message we wrote ourselves.
    std::uint64_t id = 0;
    const auto at = text.rfind(':') + 1;
    std::from_chars(text.data() + at, text.data() + text.size(), id);
    c.acks.push_back({id, now});
    c.sends.push_back(now);
    ++counters_.messages;
    port_.send(c.socket, text);
  }
  if (c.next_out == c.outbox.size()) {
    c.outbox.clear();
    c.next_out = 0;
  }
}

void session::on_ping(std::uint64_t socket, steady_time now) {
  if (socket == primary_.socket) primary_.sends.push_back(now);
  else if (standby_ && socket == standby_->socket) standby_->sends.push_back(now);
}

// --- frames ---------------------------------------------------------------------------------------

void session::on_frame(std::uint64_t socket, std::string_view frame, market_time received, steady_time now) {
  if (stopped_) return;
  const bool from_primary = socket == primary_.socket && primary_.at != phase::idle;
  const bool stands_in = !from_primary && standby_ && standby_->socket == socket;
  if (!from_primary && !stands_in) return;
  ++counters_.frames;
  const auto stream = stream_of(frame);
  if (stream == "!serverShutdown"
      || (stream.empty() && frame.find("\"serverShutdown\"") != std::string_view::npos)) {
    if (!from_primary) return drop_standby("server goes down");
    ++counters_.shutdowns;
    return rotate(now);
  }
  if (stream.empty()) return on_control(from_primary ? primary_ : *standby_, frame, now);
  if (from_primary) on_data(stream, frame, received, now);
  else hold(stream, frame, received, now);
}

void session::on_data(std::string_view stream, std::string_view frame, market_time received,
                      steady_time now) {
  const auto topic = topics_.find(stream);
  if (topic != topics_.end()) {
    topic->second.seen = now;
    topic->second.resubscribed = false;
    if (standby_) topic->second.delivered = std::max(topic->second.delivered, sequence_of(stream, frame));
  }
  port_.deliver(stream, frame, received);
  if (standby_) try_promote();
}

void session::hold(std::string_view stream, std::string_view frame, market_time received, steady_time now) {
  const auto sequence = sequence_of(stream, frame);
  const auto topic = topics_.find(stream);
  if (topic != topics_.end() && topic->second.first_held == 0)
    topic->second.first_held = std::max<std::uint64_t>(sequence, 1);
  held_bytes_ += frame.size();
  held_.push_back({std::string{stream}, std::string{frame}, received, sequence});
  if (held_bytes_ > options_.overlap_bytes) {
    drop_standby("overlap takes too much memory");
    next_rotation_ = now + options_.overlap_deadline;
    return;
  }
  try_promote();
}

void session::on_control(connection& c, std::string_view frame, steady_time now) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, said;
  std::int64_t id = 0;
  if (frame.size() > 65'536 || parser.parse(frame.data(), frame.size()).get(root) != simdjson::SUCCESS
      || root["id"].get(id) != simdjson::SUCCESS) {
    ++counters_.unknown;
    return;
  }
  const auto ack = std::find_if(c.acks.begin(), c.acks.end(), [&](const auto& x) {
    return x.id == static_cast<std::uint64_t>(id);
  });
  if (ack == c.acks.end()) {
    ++counters_.unknown;
    return;
  }
  c.acks.erase(ack);
  const bool refused =
      root["error"].get(said) == simdjson::SUCCESS || root["code"].get(said) == simdjson::SUCCESS;
  if (refused) {
    ++counters_.refused_subscriptions;
    const auto words = "subscription refused: " + std::string{frame.substr(0, 200)};
    if (&c == &primary_) return replace(words, now);
    return drop_standby(words);
  }
  if (c.at == phase::subscribing && c.acks.empty() && c.outbox.empty()) became_live(c, now);
}

// --- rotation -------------------------------------------------------------------------------------

void session::rotate(steady_time now) {
  if (standby_) return;
  const auto wait = connects_.admit(now, {{"connects", 1}});
  if (wait > nanoseconds::zero()) {
    next_rotation_ = now + wait;
    return;
  }
  for (auto& [stream, topic] : topics_) topic.delivered = topic.first_held = 0;
  standby_.emplace();
  next_rotation_ = now + options_.overlap_deadline;
  begin(*standby_, now);
}

/// The stand-in takes over once each depth stream overlaps: its first frame has been delivered already.
void session::try_promote() {
  if (!standby_ || standby_->at != phase::live) return;
  for (const auto& [stream, topic] : topics_)
    if (topic.needs_proof && (topic.first_held == 0 || topic.first_held > topic.delivered)) return;
  promote();
}

void session::promote() {
  ++counters_.rotations;
  const auto old = primary_.socket;
  primary_ = std::move(*standby_);
  standby_.reset();
  next_rotation_ = primary_.since + options_.rotation;
  failures_in_row_ = 0;
  port_.close(old, "rotated");
  held_bytes_ = 0;
  for (auto& each : std::exchange(held_, {})) {
    const auto topic = topics_.find(each.stream);
    if (topic != topics_.end()) {
      if (each.sequence != 0 && each.sequence <= topic->second.delivered) {
        ++counters_.duplicates;
        continue;
      }
      topic->second.resubscribed = false;
    }
    port_.deliver(each.stream, each.frame, each.received);
  }
}

void session::drop_standby(const std::string& why) {
  if (!standby_) return;
  const auto socket = standby_->socket;
  standby_.reset();
  held_.clear();
  held_bytes_ = 0;
  port_.close(socket, why);
}

// --- breaks ---------------------------------------------------------------------------------------

void session::on_closed(std::uint64_t socket, const std::string& why, unsigned http_status, steady_time now) {
  if (stopped_) return;
  if (http_status != 0) connects_.on_status(now, http_status, {});
  if (standby_ && standby_->socket == socket) {
    standby_.reset();
    held_.clear();
    held_bytes_ = 0;
    next_rotation_ = now + options_.overlap_deadline;
    return;
  }
  if (socket == primary_.socket && primary_.at != phase::idle) lost(why, now);
}

void session::replace(const std::string& why, steady_time now) {
  const auto socket = primary_.socket;
  port_.close(socket, why);
  if (primary_.socket == socket && primary_.at != phase::idle) lost(why, now);
}

void session::lost(const std::string& why, steady_time now) {
  ++counters_.breaks;
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

void session::watch_topics(steady_time now) {
  if (primary_.at != phase::live) return;
  std::vector<std::string> silent;
  for (auto& [stream, topic] : topics_) {
    if (now - topic.seen < topic.limit) continue;
    if (!topic.resubscribed) {
      silent.push_back(stream);
      topic.resubscribed = true;
      topic.resubscribed_at = now;
    } else if (now - topic.resubscribed_at >= topic.limit)
      return replace("stream " + stream + " stays silent after it was subscribed again", now);
  }
  if (silent.empty()) return;
  counters_.resubscriptions += silent.size();
  queue(primary_, "UNSUBSCRIBE", silent);
  queue(primary_, "SUBSCRIBE", silent);
}

void session::resumed(steady_time now) {
  for (auto& [stream, topic] : topics_) {
    topic.seen = now;
    topic.resubscribed = false;
  }
}

void session::tick(steady_time now) {
  if (stopped_) return;
  if (next_attempt_ && now >= *next_attempt_) return connect(now);
  if (primary_.at == phase::idle) return;
  if (standby_ && next_rotation_ && now >= *next_rotation_) {
    drop_standby("didn't prove itself in time");
    next_rotation_ = now + options_.overlap_deadline;
  } else if (!standby_ && primary_.at == phase::live && next_rotation_ && now >= *next_rotation_) rotate(now);
  watch_topics(now);
  if (primary_.at == phase::idle) return;
  pump(primary_, now);
  if (standby_) pump(*standby_, now);
  for (const auto& ack : primary_.acks)
    if (now - ack.sent >= options_.ack_deadline) return replace("subscription not answered", now);
  if (!standby_) return;
  for (const auto& ack : standby_->acks)
    if (now - ack.sent >= options_.ack_deadline) return drop_standby("subscription not answered");
}

} // namespace troupe::binance
