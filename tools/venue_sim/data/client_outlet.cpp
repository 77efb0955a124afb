#include "tools/venue_sim/data/client_outlet.hpp"

#include <algorithm>

namespace troupe::venue_sim {

void client_outlet::leave(std::string frame, bool binary, std::int64_t steady_ns) {
  if (mute_) return;
  flush(steady_ns);
  if (stalled_until_ == 0) return out_(std::move(frame), binary);
  stalled_.emplace_back(std::move(frame), binary);
  if (stalled_.size() >= most_stalled) flush(stalled_until_);
}

void client_outlet::flush(std::int64_t steady_ns) {
  if (stalled_until_ == 0 || steady_ns < stalled_until_) return;
  stalled_until_ = 0;
  for (auto& [frame, binary] : std::exchange(stalled_, {})) out_(std::move(frame), binary);
}

void client_outlet::heard(std::string_view text) {
  const bool subscribes = text.find("sub") != std::string_view::npos || text.find("SUB") != std::string_view::npos;
  if (subscribes) std::erase_if(silent_until_, [](const auto& each) { return each.second == until_subscribed; });
}

bool client_outlet::silent(const frame_topic& topic, std::int64_t steady_ns) {
  const bool change = topic.kind == frame_kind::depth && !topic.image;
  const auto falls = [&](fault which) {
    const auto& asked = faults_.setting(which).stream;
    return (asked.empty() ? change : asked == topic.name) && faults_.strikes(which);
  };
  const std::string name{topic.name};
  if (falls(fault::silent_topic)) silent_until_[name] = steady_ns + faults_.setting(fault::silent_topic).ms * ms_ns;
  if (falls(fault::muted_topic)) silent_until_[name] = until_subscribed;
  const auto until = silent_until_.find(name);
  if (until == silent_until_.end()) return false;
  if (steady_ns < until->second) return true;
  silent_until_.erase(until);
  return false;
}

void client_outlet::publish(const frame_topic& topic, std::string frame, bool binary, std::int64_t steady_ns) {
  if (mute_ || silent(topic, steady_ns)) return;
  if (topic.kind == frame_kind::depth && !topic.image) return change(topic, std::move(frame), binary, steady_ns);
  // A slow image holds back all behind it: what a socket carries keeps its order.
  if (topic.kind == frame_kind::depth && faults_.strikes(fault::slow_image))
    stalled_until_ = steady_ns + faults_.setting(fault::slow_image).ms * ms_ns;
  leave(std::move(frame), binary, steady_ns);
}

void client_outlet::change(const frame_topic& topic, std::string frame, bool binary, std::int64_t steady_ns) {
  if (faults_.strikes(fault::drop_diff)) return;
  const auto held = held_back_.find(topic.name);
  if (held == held_back_.end() && faults_.strikes(fault::reorder_diff)) {
    held_back_.emplace(topic.name, std::pair{std::move(frame), binary});
    return;
  }
  if (faults_.strikes(fault::wrong_frame)) frame.resize(frame.size() / 2);
  const bool twice = faults_.strikes(fault::duplicate_diff);
  if (twice) leave(frame, binary, steady_ns);
  leave(std::move(frame), binary, steady_ns);
  if (held == held_back_.end()) return;
  auto late = std::move(held->second);
  held_back_.erase(held);
  leave(std::move(late.first), late.second, steady_ns);
}

} // namespace troupe::venue_sim
