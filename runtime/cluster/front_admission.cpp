#include "runtime/cluster/front_admission.hpp"

namespace troupe {
namespace {

constexpr std::size_t most_keys = 256;

error full(std::string text) {
  return {make_error_code(cluster_errc::refused), std::move(text)};
}

void decrease(std::map<std::string, std::size_t>& counts, const std::string& key) {
  const auto i = counts.find(key);
  if (i != counts.end() && --i->second == 0) counts.erase(i);
}

} // namespace

status front_admission::arrive(const std::string& address) {
  const bool known = known_.contains(address);
  const auto i = by_address_.find(address);
  if (i != by_address_.end() && i->second >= limits_.waiting_per_address)
    return full(std::to_string(i->second) + " connections of this address have not proven who they are");
  if (waiting_ >= limits_.waiting)
    return full(std::to_string(waiting_) + " connections have not proven who they are");
  if (!known && strangers_ >= limits_.waiting_strangers)
    return full(std::to_string(strangers_) + " connections of addresses outside nodes.conf wait already");
  ++by_address_[address];
  ++waiting_;
  if (!known) ++strangers_;
  return ok;
}

status front_admission::prove(const std::string& address, const std::string& peer) {
  const auto i = by_peer_.find(peer);
  if (i != by_peer_.end() && i->second >= limits_.proven_per_peer)
    return full("'" + peer + "' has " + std::to_string(i->second) + " connections open already");
  if (proven_ >= limits_.proven) return full(std::to_string(proven_) + " connections are open already");
  gone(address);
  ++by_peer_[peer];
  ++proven_;
  return ok;
}

void front_admission::gone(const std::string& address) {
  decrease(by_address_, address);
  --waiting_;
  if (!known_.contains(address)) --strangers_;
}

void front_admission::left(const std::string& peer) {
  decrease(by_peer_, peer);
  --proven_;
}

bool front_admission::may_accept(steady_time now, nanoseconds& again) {
  constexpr nanoseconds window = std::chrono::seconds{1};
  if (accepted_ == 0 || now - second_ >= window) {
    second_ = now;
    accepted_ = 0;
  }
  if (accepted_ < limits_.accepts_per_second) {
    ++accepted_;
    return true;
  }
  again = window - (now - second_);
  return false;
}

line_throttle::verdict line_throttle::ask(const std::string& key, steady_time now) {
  static const std::string others = "others";
  if (entries_.size() >= most_keys)
    std::erase_if(entries_,
                  [&](const auto& e) { return e.second.left_out == 0 && now - e.second.written >= every; });
  const bool room = entries_.contains(key) || entries_.size() < most_keys;
  const auto [i, fresh] = entries_.try_emplace(room ? key : others, entry{now, 0});
  auto& it = i->second;
  if (!fresh && now - it.written < every) {
    ++it.left_out;
    return {};
  }
  it.written = now;
  return {true, std::exchange(it.left_out, 0)};
}

} // namespace troupe
