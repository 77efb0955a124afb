#include "runtime/cluster/front_core.hpp"

#include <algorithm>

namespace troupe {

std::string endpoint_text(const tcp::endpoint& endpoint) {
  const auto host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

void front_core::warn(const std::string& key, const std::string& what, const std::string& where,
                      const std::string& why) {
  if (options.node.empty()) return;
  const auto verdict = throttle.ask(key, {monotonic_ns()});
  if (!verdict.write) return;
  if (verdict.left_out == 0) return log::warn("front", what, {{"address", where}, {"why", why}});
  log::warn("front", what,
            {{"address", where}, {"why", why}, {"left_out", std::to_string(verdict.left_out)}});
}

void front_core::note(const std::string& what, std::initializer_list<log::attribute> attributes) const {
  if (!options.node.empty()) log::info("front", what, attributes);
}

// --- ledger --------------------------------------------------------------------------------------

std::shared_ptr<link_figures> front_ledger::open(const std::string& peer, bool dialled,
                                                 const std::string& address) {
  auto link = std::make_shared<link_figures>();
  link->peer = peer;
  link->dialled = dialled;
  link->address = address;
  link->opened = {monotonic_ns()};
  link->heard = link->opened.ns;
  const std::lock_guard lock{guard_};
  links_.push_back(link);
  auto& counts = peers_[peer].counts;
  counts.peer = peer;
  ++counts.opened;
  return link;
}

void front_ledger::close(const std::shared_ptr<link_figures>& link) {
  const std::lock_guard lock{guard_};
  auto& counts = peers_[link->peer].counts;
  counts.bytes_in += link->bytes_in;
  counts.bytes_out += link->bytes_out;
  links_.remove(link);
}

void front_ledger::trouble(const std::string& peer, const std::string& words) {
  const std::lock_guard lock{guard_};
  auto& entry = peers_[peer];
  entry.counts.peer = peer;
  ++entry.counts.faults;
  entry.counts.last_trouble = words;
  entry.troubled = {monotonic_ns()};
}

void front_ledger::refused(const std::string& kind) {
  const std::lock_guard lock{guard_};
  ++refused_[kind];
}

void front_ledger::accepted() {
  const std::lock_guard lock{guard_};
  ++accepted_;
}

void front_ledger::set_waiting(std::size_t n) {
  const std::lock_guard lock{guard_};
  waiting_ = n;
}

void front_ledger::set_faults(bool on) {
  const std::lock_guard lock{guard_};
  faults_on_ = on;
}

void front_ledger::set_node_id(link_figures& link, const std::string& bytes) {
  const std::lock_guard lock{guard_};
  link.node_id = bytes;
}

std::set<std::string> front_ledger::certified_as(std::string_view node_id) const {
  std::set<std::string> out;
  if (node_id.empty()) return out;
  const std::lock_guard lock{guard_};
  for (const auto& link : links_)
    if (!link->dialled && std::string_view{link->node_id}.starts_with(node_id)) out.insert(link->peer);
  return out;
}

std::string front_ledger::last_trouble(const std::string& peer) const {
  constexpr nanoseconds fresh = std::chrono::seconds{10};
  const std::lock_guard lock{guard_};
  const auto i = peers_.find(peer);
  if (i == peers_.end() || steady_time{monotonic_ns()} - i->second.troubled > fresh) return {};
  return i->second.counts.last_trouble;
}

void front_ledger::report(front_report& out) const {
  const steady_time now{monotonic_ns()};
  const std::lock_guard lock{guard_};
  out.accepted = accepted_;
  out.waiting = waiting_;
  out.refused = refused_;
  out.faults_on = faults_on_;
  std::map<std::string, front_peer> peers;
  for (const auto& [name, entry] : peers_) {
    peers[name] = entry.counts;
    if (entry.troubled.ns != 0) peers[name].trouble_ago = now - entry.troubled;
  }
  for (const auto& link : links_) {
    front_link row;
    row.peer = link->peer;
    row.dialled = link->dialled;
    row.address = link->address;
    row.open_for = now - link->opened;
    row.silent_for = std::max(nanoseconds{}, now - steady_time{link->heard});
    row.bytes_in = link->bytes_in;
    row.bytes_out = link->bytes_out;
    row.frames_in = link->frames_in;
    row.frames_out = link->frames_out;
    row.round_trip = nanoseconds{link->round_trip};
    row.retransmits = link->retransmits;
    row.credit = link->credit;
    peers[row.peer].bytes_in += row.bytes_in;
    peers[row.peer].bytes_out += row.bytes_out;
    out.links.push_back(std::move(row));
  }
  for (auto& [name, peer] : peers)
    out.peers.push_back(std::move(peer));
}

} // namespace troupe
