#include "tools/venue_sim/market_sockets.hpp"

#include "messages/json.hpp"

#include <simdjson.h>

#include <algorithm>

namespace troupe::venue_sim {
namespace {

/// Splits "a/b/c".
std::vector<std::string> split_streams(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('/'), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The path behind a futures route, and the route.
std::string_view strip(std::string_view path, std::string_view route) {
  return path.starts_with(route) ? path.substr(route.size()) : std::string_view{};
}

bool is_socket_path(std::string_view path) {
  return path == "/ws" || path.starts_with("/ws/") || path == "/stream" || path == "/stream/";
}

std::string error_answer(std::string_view id, int code, std::string_view text) {
  json_writer w;
  w.begin_object().key("error").begin_object().field("code", code).field("msg", text).end_object();
  w.key("id").raw(id).end_object();
  return std::move(w).text();
}

} // namespace

market_sockets::market_sockets(const market_shape& shape, market_socket_settings settings, fault_plan& faults,
                               std::function<std::int64_t()> steady_ns)
    : shape_{shape}, settings_{settings}, faults_{faults},
      steady_ns_{std::move(steady_ns)}, symbol_{lower(shape.symbol)} {}

bool market_sockets::serves(std::string_view path) const {
  if (is_socket_path(path)) return true;
  return shape_.venue == venue_kind::binance_usdm
         && (is_socket_path(strip(path, "/public")) || is_socket_path(strip(path, "/market")));
}

market_sockets::topic_kind market_sockets::kind_of(std::string_view stream) const {
  if (!stream.starts_with(symbol_) || stream.size() <= symbol_.size() + 1 || stream[symbol_.size()] != '@')
    return topic_kind::silent;
  const auto name = stream.substr(symbol_.size() + 1);
  if (name == "depth" || name.starts_with("depth@")) return topic_kind::depth;
  if (name == "trade") return topic_kind::trade;
  if (name == "aggTrade") return topic_kind::aggregate;
  if (name == "bookTicker") return topic_kind::ticker;
  return topic_kind::silent;
}

bool market_sockets::carries(route_kind route, topic_kind kind) noexcept {
  const bool is_public = kind == topic_kind::depth || kind == topic_kind::ticker;
  return route == route_kind::all || is_public == (route == route_kind::public_only);
}

net::upgrade_answer market_sockets::accept(const net::http_request& request, net::ws_session ws) {
  forget_ended();
  auto path = request.path();
  session s;
  s.ws = ws;
  s.opened_ns = steady_ns_();
  if (shape_.venue == venue_kind::binance_usdm) {
    s.route = path.starts_with("/public") ? route_kind::public_only : route_kind::market_only;
    if (path.starts_with("/public") || path.starts_with("/market")) path.remove_prefix(7);
  }
  s.combined = path.starts_with("/stream");
  std::vector<std::string> streams;
  if (path.starts_with("/ws/")) streams = split_streams(path.substr(4));
  bool fine = false;
  if (const auto p = parameters::from_form(request.query(), {}, fine); p.has("streams"))
    streams = split_streams(p.get("streams"));
  net::upgrade_answer answer;
  if (streams.size() > settings_.streams_per_socket) {
    answer.accept = false;
    answer.refusal = {400, {}, error_body(-1101, "Too many streams."), {}};
    return answer;
  }
  const auto id = ws.id();
  auto& kept = sessions_[id] = std::move(s);
  ++counters_.opened;
  for (const auto& stream : streams)
    subscribe(id, kept, stream);
  answer.handlers.on_frame = [this, id](std::string_view text, market_time) { on_message(id, text); };
  answer.handlers.on_ping = [this, id] {
    const auto found = sessions_.find(id);
    if (found != sessions_.end()) (void)within_rate(found->second);
  };
  answer.handlers.on_close = [this, id](const error& why) {
    if (why.code == make_error_code(net::net_errc::queue_full)) ++counters_.slow;
    ended_.push_back(id);
  };
  return answer;
}

void market_sockets::subscribe(std::uint64_t id, session& s, std::string_view stream) {
  if (std::find(s.streams.begin(), s.streams.end(), stream) != s.streams.end()) return;
  s.streams.emplace_back(stream);
  ++counters_.subscriptions;
  const auto kind = kind_of(stream);
  if (kind == topic_kind::silent || !carries(s.route, kind)) return;
  auto& t = topics_.try_emplace(std::string{stream}).first->second;
  t.kind = kind;
  t.subscribers.push_back(id);
  ++wanted_[static_cast<std::size_t>(kind)];
}

void market_sockets::unsubscribe(std::uint64_t id, session& s, std::string_view stream) {
  const auto at = std::find(s.streams.begin(), s.streams.end(), stream);
  if (at == s.streams.end()) return;
  --counters_.subscriptions;
  if (const auto t = topics_.find(stream); t != topics_.end()) {
    const auto removed = std::erase(t->second.subscribers, id);
    wanted_[static_cast<std::size_t>(t->second.kind)] -= removed;
    if (t->second.subscribers.empty()) topics_.erase(t);
  }
  s.streams.erase(at);
}

/// Sockets end while frames are being delivered; their entries go at a quiet moment.
void market_sockets::forget_ended() {
  for (const auto id : std::exchange(ended_, {})) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) continue;
    const auto streams = found->second.streams;
    for (const auto& stream : streams)
      unsubscribe(id, found->second, stream);
    sessions_.erase(found);
  }
}

bool market_sockets::within_rate(session& s) {
  const auto second = steady_ns_() / 1'000'000'000;
  if (second != s.second) {
    s.second = second;
    s.messages = 0;
  }
  if (++s.messages <= settings_.messages_per_second) return true;
  if (s.messages == settings_.messages_per_second + 1) {
    ++counters_.flooded;
    s.ws.close(1008, "Too many requests");
  }
  return false;
}

void market_sockets::on_message(std::uint64_t id, std::string_view text) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || !within_rate(found->second)) return;
  found->second.ws.send(answer(found->second, id, text));
}

std::string market_sockets::answer(session& s, std::uint64_t id, std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element doc, request;
  std::string_view method;
  std::string echo = "null";
  if (parser.parse(text.data(), text.size()).get(doc) != simdjson::SUCCESS)
    return error_answer(echo, 3, "Invalid JSON: expected value");
  if (doc["id"].get(request) == simdjson::SUCCESS) echo = simdjson::minify(request);
  if (doc["method"].get(method) != simdjson::SUCCESS)
    return error_answer(echo, 2, "Invalid request: missing field `method`");
  simdjson::dom::array wanted;
  const bool has_streams = doc["params"].get(wanted) == simdjson::SUCCESS;
  const auto done = [&](std::string_view value) {
    return R"({"result":)" + std::string{value} + R"(,"id":)" + echo + "}";
  };
  if (method == "LIST_SUBSCRIPTIONS") {
    json_writer w;
    w.begin_array();
    for (const auto& name : s.streams)
      w.string(name);
    w.end_array();
    return done(w.text());
  }
  if (method == "GET_PROPERTY") return done(s.combined ? "true" : "false");
  if (method == "SET_PROPERTY" && has_streams) {
    bool combined = false;
    if (wanted.at(1).get(combined) != simdjson::SUCCESS)
      return error_answer(echo, 2, "Invalid request: unknown property");
    s.combined = combined;
    return done("null");
  }
  if ((method != "SUBSCRIBE" && method != "UNSUBSCRIBE") || !has_streams)
    return error_answer(echo, 2, "Invalid request: unknown variant or missing params");
  for (const auto item : wanted) {
    std::string_view name;
    if (item.get(name) != simdjson::SUCCESS)
      return error_answer(echo, 2, "Invalid request: params must be strings");
    if (method == "UNSUBSCRIBE")
      unsubscribe(id, s, name);
    else if (s.streams.size() >= settings_.streams_per_socket)
      return error_answer(echo, 2, "Invalid request: too many streams");
    else
      subscribe(id, s, name);
  }
  return done("null");
}

void market_sockets::send(session& s, const std::shared_ptr<const std::string>& frame) {
  if (s.ws.send(frame)) ++counters_.frames;
}

void market_sockets::deliver(topic_kind kind, const std::string& data) {
  const bool cut = faults_.strikes(fault::wrong_frame);
  const auto shown = cut ? data.substr(0, data.size() / 2) : data;
  std::shared_ptr<const std::string> raw;
  for (auto& [name, t] : topics_) {
    if (t.kind != kind || (t.silent_until_ns != 0 && steady_ns_() < t.silent_until_ns)) continue;
    std::shared_ptr<const std::string> wrapped;
    for (const auto id : t.subscribers) {
      auto& s = sessions_.at(id);
      auto& frame = s.combined ? wrapped : raw;
      if (!frame) {
        auto text = s.combined ? combined_frame(name, shown) : shown;
        if (cut && s.combined) text.pop_back();
        frame = std::make_shared<const std::string>(std::move(text));
      }
      send(s, frame);
    }
  }
}

void market_sockets::publish_depth(const std::string& data) {
  if (faults_.strikes(fault::drop_diff)) return;
  if (held_back_.empty() && faults_.strikes(fault::reorder_diff)) {
    held_back_ = data;
    return;
  }
  deliver(topic_kind::depth, data);
  if (faults_.strikes(fault::duplicate_diff)) deliver(topic_kind::depth, data);
  if (!held_back_.empty()) deliver(topic_kind::depth, std::exchange(held_back_, {}));
}

void market_sockets::publish(const market_event& event) {
  if (!ended_.empty()) forget_ended();
  if (faults_.strikes(fault::silent_topic)) {
    const auto& how = faults_.setting(fault::silent_topic);
    for (auto& [name, t] : topics_)
      if (how.stream.empty() ? t.kind == topic_kind::depth : how.stream == name)
        t.silent_until_ns = steady_ns_() + how.ms * 1'000'000;
  }
  switch (event.kind) {
  case frame_kind::depth:
    if (wanted(topic_kind::depth)) publish_depth(market_frame(event, shape_));
    return;
  case frame_kind::book_ticker:
    if (wanted(topic_kind::ticker)) deliver(topic_kind::ticker, market_frame(event, shape_));
    return;
  case frame_kind::trade:
    if (wanted(topic_kind::trade)) deliver(topic_kind::trade, market_frame(event, shape_));
    if (wanted(topic_kind::aggregate)) deliver(topic_kind::aggregate, aggregate_trade_frame(event, shape_));
    return;
  }
}

void market_sockets::ping_all(std::int64_t market_ms) {
  for (const auto& [id, s] : sessions_)
    s.ws.ping(std::to_string(market_ms));
}

void market_sockets::close_all(std::uint16_t code, const std::string& reason) {
  for (const auto& [id, s] : sessions_)
    s.ws.close(code, reason);
}

void market_sockets::reset_all() {
  for (const auto& [id, s] : sessions_)
    s.ws.reset();
}

void market_sockets::announce(std::string_view stream, std::string_view data) {
  for (auto& [id, s] : sessions_)
    send(s,
         std::make_shared<const std::string>(s.combined ? combined_frame(stream, data) : std::string{data}));
}

void market_sockets::retire() {
  forget_ended();
  for (const auto& [id, s] : sessions_)
    if (steady_ns_() - s.opened_ns >= settings_.life_ns) s.ws.close(1000, "24 hours");
}

market_socket_counters market_sockets::counters() const {
  return counters_;
}

} // namespace troupe::venue_sim
