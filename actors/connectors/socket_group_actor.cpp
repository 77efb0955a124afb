// The sockets of one session of a connector.

#include "actors/connectors/connector_driver_actor.hpp"
#include "messages/json.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {
namespace {

constexpr std::size_t largest_frame = 32u << 20; // Coinbase's image of a book takes several MB

/// "…: HTTP 429" of a refused upgrade.
unsigned refused_status(const std::string& why) {
  const auto at = why.find(": HTTP ");
  if (at == std::string::npos) return 0;
  unsigned out = 0;
  std::from_chars(why.data() + at + 7, why.data() + why.size(), out);
  return out;
}

/// Bytes that a page can show; the rest as dots.
std::string printable(std::string_view bytes) {
  std::string out{bytes};
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '.');
  return out;
}

} // namespace

void socket_group::open(std::uint64_t socket, const std::string& target) {
  if (owner_.options_.venue->ticket == nullptr) return connect(socket, owner_.sockets_of(target), target);
  awaiting_ticket_.insert(socket);
  owner_.ask_for_ticket(*this, socket);
}

void socket_group::fail(std::uint64_t socket, const std::string& why, unsigned http_status) {
  if (awaiting_ticket_.erase(socket) == 0) return; // closed meanwhile
  session_.on_closed(socket, why, http_status, owner_.now());
}

void socket_group::connect(std::uint64_t socket, const net::address& at, const std::string& target) {
  if (owner_.options_.venue->ticket != nullptr && awaiting_ticket_.erase(socket) == 0) return;
  net::ws_client_options how;
  how.server = at;
  how.target = target;
  how.tls = owner_.tls_;
  how.clock = owner_.env_.market;
  how.idle = owner_.traits_.silence_limit;
  how.message_limit = largest_frame;
  net::ws_handlers handlers;
  handlers.on_open = [this, socket] { session_.on_open(socket, owner_.now()); };
  handlers.on_frame = [this, socket](std::string_view frame, market_time received) {
    session_.on_frame(socket, frame, received, owner_.now());
  };
  handlers.on_ping = [this, socket] { session_.on_ping(socket, owner_.now()); };
  handlers.on_close = [this, socket](const error& why) {
    const auto text = why.message();
    close(socket, text);
    session_.on_closed(socket, text, refused_status(text), owner_.now());
  };
  auto& made = *sockets_
                    .emplace(socket, std::make_unique<net::ws_client>(owner_.io_, std::move(how),
                                                                      std::move(handlers)))
                    .first->second;
  if (owner_.paused_feeds_ > 0) made.pause_reading();
}

void socket_group::close(std::uint64_t socket, const std::string&) {
  awaiting_ticket_.erase(socket);
  const auto place = sockets_.find(socket);
  if (place == sockets_.end()) return;
  leaving_.push_back(std::move(place->second));
  sockets_.erase(place);
}

void socket_group::send(std::uint64_t socket, std::string text) {
  const auto place = sockets_.find(socket);
  if (place != sockets_.end()) static_cast<void>(place->second->send_text(std::move(text)));
}

void socket_group::deliver(const inbound& frame, market_time received) {
  owner_.deliver(*this, frame, received);
}

void socket_group::changed(session_state state, const std::string& why) {
  state_ = state;
  owner_.on_state(*this, state, why);
}

connected_instrument* socket_group::instrument_of(std::string_view symbol) const {
  const auto place = by_symbol_.find(symbol);
  return place == by_symbol_.end() ? nullptr : place->second;
}

void socket_group::pause(bool on) {
  session_.pause(on, owner_.now());
  for (auto& [number, socket] : sockets_) on ? socket->pause_reading() : socket->resume_reading();
}

void socket_group::forget_sockets() {
  sockets_.clear();
  leaving_.clear();
}

void socket_group::write_status(json_writer& w) const {
  const auto& c = session_.counters();
  w.begin_object().field("state", static_cast<int>(state_)).field("connects", c.connects);
  w.field("reconnects", c.breaks).field("rotations", c.rotations).field("replacements", c.replacements);
  w.field("shutdowns", c.shutdowns).field("resubscriptions", c.resubscriptions).field("resyncs", c.resyncs);
  w.field("refused_subscriptions", c.refused_subscriptions).field("breaker_opens", c.breaker_opens);
  w.field("sequence_breaks", c.sequence_breaks).field("messages", c.frames);
  w.field("duplicates", c.duplicates).field("unknown", c.unknown).field("damaged", c.damaged);
  w.field("failures", c.failures).field("last_failure", printable(session_.last_failure()));
  w.field("messages_sent", c.messages);
  w.key("refused").begin_array();
  for (const auto& [topic, why] : session_.refused())
    w.begin_object().field("topic", topic).field("why", printable(why)).end_object();
  w.end_array().key("damaged_heads").begin_array();
  for (const auto& head : session_.damaged()) w.string(printable(head));
  w.end_array().end_object();
}

} // namespace troupe
