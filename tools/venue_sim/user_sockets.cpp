#include "tools/venue_sim/user_sockets.hpp"

#include <algorithm>

namespace troupe::venue_sim {

user_sockets::user_sockets(exchange& venue, fault_plan& faults, std::function<instant()> now,
                           std::function<bool()> settle)
    : venue_{venue}, faults_{faults}, now_{std::move(now)}, settle_{std::move(settle)} {}

net::upgrade_answer user_sockets::accept(net::ws_session ws) {
  forget_ended();
  const auto id = ws.id();
  sessions_[id].ws = std::move(ws);
  net::upgrade_answer answer;
  answer.handlers.on_frame = [this, id](std::string_view text, market_time) { on_message(id, text); };
  answer.handlers.on_close = [this, id](const error&) { ended_.push_back(id); };
  return answer;
}

void user_sockets::forget_ended() {
  for (const auto id : std::exchange(ended_, {}))
    sessions_.erase(id);
}

std::size_t user_sockets::subscriptions() const noexcept {
  std::size_t sum = 0;
  for (const auto& [id, s] : sessions_)
    sum += s.subscriptions.size();
  return sum;
}

/// Answers what concerns the socket itself.
std::string user_sockets::complete(session& s, const exchange::call_result& call) const {
  if (call.subscribe) {
    const auto number = s.next_subscription++;
    s.subscriptions.push_back(number);
    return venue_.call_answer(call.id, R"({"subscriptionId":)" + std::to_string(number) + "}");
  }
  if (call.unsubscribe) {
    if (call.subscription < 0)
      s.subscriptions.clear();
    else
      std::erase(s.subscriptions, call.subscription);
    return venue_.call_answer(call.id, "{}");
  }
  std::string rows = "[";
  for (const auto number : s.subscriptions) {
    if (rows.size() > 1) rows += ',';
    rows += R"({"subscriptionId":)" + std::to_string(number) + "}";
  }
  return venue_.call_answer(call.id, rows + "]");
}

void user_sockets::on_message(std::uint64_t id, std::string_view text) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  auto& s = found->second;
  const bool is_order = text.find("\"order.place\"") != text.npos;
  if (is_order && faults_.strikes(fault::drop_before_accept)) return s.ws.reset();
  const auto call = venue_.call(text, now_());
  if (!settle_()) return;
  if (call.order_entry && faults_.strikes(fault::accept_then_drop)) return s.ws.reset();
  const bool own = call.subscribe || call.unsubscribe || call.list_subscriptions;
  s.ws.send(own ? complete(s, call) : call.text);
}

void user_sockets::broadcast(const std::string& event) {
  forget_ended();
  if (faults_.strikes(fault::missing_event)) return;
  const int times = faults_.strikes(fault::duplicate_event) ? 2 : 1;
  for (auto& [id, s] : sessions_)
    for (const auto number : s.subscriptions)
      for (int i = 0; i < times; ++i)
        s.ws.send(subscribed_event(number, event));
}

void user_sockets::terminate(std::int64_t market_ms) {
  for (auto& [id, s] : sessions_) {
    for (const auto number : s.subscriptions)
      s.ws.send(subscribed_event(number, stream_terminated(market_ms)));
    s.subscriptions.clear();
  }
}

void user_sockets::reset_all() {
  for (auto& [id, s] : sessions_)
    s.ws.reset();
}

void user_sockets::ping_all(std::int64_t market_ms) {
  for (auto& [id, s] : sessions_)
    s.ws.ping(std::to_string(market_ms));
}

} // namespace troupe::venue_sim
