#include "runtime/cluster/membership.hpp"

#include "runtime/cluster/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace troupe {
namespace {

constexpr std::size_t interval_window = 100;
constexpr nanoseconds least_deviation = std::chrono::milliseconds{100};
constexpr nanoseconds own_pause = std::chrono::seconds{1};
constexpr double most_suspicion = 40;

} // namespace

std::string_view to_string(peer_state state) noexcept {
  switch (state) {
  case peer_state::joining: return "joining";
  case peer_state::up: return "up";
  case peer_state::suspected: return "suspected";
  case peer_state::leaving: return "leaving";
  case peer_state::dead: return "dead";
  }
  return "unknown";
}

double suspicion_value(nanoseconds silence, nanoseconds mean, nanoseconds deviation) noexcept {
  const auto sigma = static_cast<double>(std::max(deviation, nanoseconds{1}).count());
  const double y = static_cast<double>((silence - mean).count()) / sigma;
  const double tail = std::exp(-y * (1.5976 + 0.070566 * y * y));
  // For y > 0 the tail is small and tail/(1+tail) keeps its digits; for y <= 0 it may overflow to infinity.
  const double later = std::isinf(tail) ? 1.0 : tail / (1.0 + tail);
  if (later <= 0) return most_suspicion;
  return std::clamp(-std::log10(later), 0.0, most_suspicion);
}

membership::membership(hello self, std::vector<node_name> peers, std::vector<node_name> dialled,
                       membership_options options, std::uint64_t seed)
    : self_{std::move(self)}, options_{options}, random_{seed} {
  for (auto& name : peers) {
    peer p;
    p.dialled = std::find(dialled.begin(), dialled.end(), name) != dialled.end();
    p.name = std::move(name);
    peers_.push_back(std::move(p));
  }
}

membership::peer* membership::find(const node_name& name) noexcept {
  const auto i = std::find_if(peers_.begin(), peers_.end(), [&](const peer& p) { return p.name == name; });
  return i == peers_.end() ? nullptr : &*i;
}

const membership::peer* membership::find(const node_name& name) const noexcept {
  return const_cast<membership*>(this)->find(name);
}

void membership::set_state(peer& p, peer_state next, steady_time now) {
  if (p.state == next) return;
  p.state = next;
  p.since = now;
  p.settled = false;
}

void membership::schedule_dial(peer& p, steady_time now) {
  const auto doublings = std::min<std::uint32_t>(p.failures, 8);
  const auto pause = std::min(options_.retry_least * (std::int64_t{1} << doublings), options_.retry_most);
  const auto jitter =
      static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(pause.count() / 4 + 1));
  p.dialling = false;
  p.next_dial = now + pause + nanoseconds{jitter};
}

void membership::drop(peer& p, peer_state next, std::string why, steady_time now,
                      std::vector<member_event>& out) {
  const bool counted = p.state == peer_state::up || p.linked;
  p.linked = p.given = p.taken = p.answered = false;
  p.warned = false;
  p.last_trouble = why;
  set_state(p, next, now);
  schedule_dial(p, now);
  if (!counted) return;
  out.push_back({.what = member_event::kind::down,
                 .peer = p.name,
                 .incarnation = p.incarnation,
                 .drop_link = true,
                 .why = std::move(why)});
}

// --- time ----------------------------------------------------------------------------------------

double membership::suspicion(const peer& p, steady_time now) const {
  if (!p.linked || p.last_heard.ns == 0) return 0;
  auto mean = options_.ping_interval;
  auto deviation = least_deviation;
  if (p.intervals.size() >= 10) {
    double sum = 0;
    double squares = 0;
    for (const auto ns : p.intervals) {
      const auto x = static_cast<double>(ns);
      sum += x;
      squares += x * x;
    }
    const auto n = static_cast<double>(p.intervals.size());
    const double average = sum / n;
    // A chatty peer must not shorten the patience: never below the agreed heartbeat.
    mean = std::max(mean, nanoseconds{static_cast<std::int64_t>(average)});
    const double variance = std::max(0.0, squares / n - average * average);
    deviation = std::max(deviation, nanoseconds{static_cast<std::int64_t>(std::sqrt(variance))});
  }
  return suspicion_value(now - p.last_heard, mean, deviation);
}

void membership::suspect_silent(peer& p, steady_time now, std::vector<member_event>& out) {
  const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(now - p.last_heard);
  p.last_trouble = "silent for " + std::to_string(silence.count()) + " ms";
  p.answered = false;
  set_state(p, peer_state::suspected, now);
  out.push_back({.what = member_event::kind::down,
                 .peer = p.name,
                 .incarnation = p.incarnation,
                 .drop_link = false,
                 .why = p.last_trouble});
}

void membership::tick_peer(peer& p, steady_time now, std::vector<member_event>& out) {
  if (p.linked) {
    const auto silence = now - p.last_heard;
    const double phi = suspicion(p, now);
    if (phi >= options_.suspicion_warning && !p.warned) {
      p.warned = true;
      out.push_back({.what = member_event::kind::warning,
                     .peer = p.name,
                     .incarnation = p.incarnation,
                     .why = "suspicion " + std::to_string(phi).substr(0, 4)});
    }
    const bool too_silent =
        silence >= options_.silent_after
        || (phi >= options_.suspicion_threshold && silence >= options_.ping_interval * 2);
    if (too_silent && p.state == peer_state::up) suspect_silent(p, now, out);
    if (now - p.last_ping >= options_.ping_interval) {
      p.last_ping = now;
      out.push_back({.what = member_event::kind::ping,
                     .peer = p.name,
                     .incarnation = p.incarnation,
                     .sequence = ++p.ping_sequence});
    }
    // A hello that never led to a complete exchange is given up, and so is a link that stays silent.
    const bool too_long = p.state != peer_state::up && silence >= options_.abandon_after;
    const bool half_done = p.state != peer_state::up && !(p.given && p.taken) && now >= p.attempt_until;
    if (too_long || half_done) {
      ++p.failures;
      const auto next = p.state == peer_state::suspected ? peer_state::suspected : peer_state::joining;
      drop(p, next, half_done ? "the directory exchange did not end in time" : "the link stays silent", now,
           out);
    }
  } else if (p.dialling) {
    if (now >= p.attempt_until) dial_failed(p.name, "no answer to the hello", now);
  } else if (p.dialled && now >= p.next_dial) {
    p.dialling = true;
    p.attempt_until = now + options_.join_timeout;
    out.push_back({.what = member_event::kind::dial, .peer = p.name});
  }
  if (p.state == peer_state::suspected && !p.settled && now - p.since >= options_.stable_after) {
    p.settled = true;
    out.push_back({.what = member_event::kind::settled,
                   .peer = p.name,
                   .incarnation = p.incarnation,
                   .why = p.last_trouble});
  }
}

std::vector<member_event> membership::tick(steady_time now) {
  std::vector<member_event> out;
  if (last_tick_ && now - *last_tick_ > own_pause) {
    // This node stood still (stopped, or starved of the processor). What the peers sent meanwhile still
    // waits in our mailbox; judging their silence by our own pause would suspect all of them at once.
    const auto pause = now - *last_tick_;
    for (auto& p : peers_) {
      p.last_heard = p.last_heard + pause;
      p.attempt_until = p.attempt_until + pause;
    }
  }
  last_tick_ = now;
  for (auto& p : peers_) tick_peer(p, now, out);
  return out;
}

void membership::dial_failed(const node_name& peer, std::string why, steady_time now) {
  auto* p = find(peer);
  if (p == nullptr || p->linked) return;
  ++p->failures;
  p->last_trouble = std::move(why);
  schedule_dial(*p, now);
}

// --- joining -------------------------------------------------------------------------------------

std::string membership::refusal(const hello& other, const peer* known, bool& sender_is_dead) const {
  const auto& us = self_.node.text;
  const auto& them = other.node.text;
  if (other.node == self_.node)
    return "two nodes call themselves '" + us + "': incarnation " + std::to_string(self_.incarnation)
           + " here and " + std::to_string(other.incarnation) + " there; stop one of them";
  if (other.configuration != self_.configuration)
    return "nodes.conf differs: hash " + hex_text(other.configuration) + " at '" + them + "', "
           + hex_text(self_.configuration) + " at '" + us
           + "'; give all nodes the same file and restart them";
  if (known == nullptr)
    return "'" + them + "' is not in the nodes.conf of '" + us + "'; add it on every node";
  if (other.schema != self_.schema)
    return "message schema differs: " + hex_text(other.schema) + " (build " + other.build + ") at '" + them
           + "', " + hex_text(self_.schema) + " (build " + self_.build + ") at '" + us
           + "'; run the same version on both";
  if (other.build != self_.build && !options_.accept_other_builds)
    return "build differs: " + other.build + " at '" + them + "', " + self_.build + " at '" + us
           + "'; run the same build on both, or allow another one for a rolling upgrade";
  if (other.incarnation <= known->dead_up_to || other.incarnation < known->incarnation) {
    sender_is_dead = true;
    return "incarnation " + std::to_string(other.incarnation) + " of '" + them + "' is dead for '" + us
           + "', which knows " + std::to_string(std::max(known->incarnation, known->dead_up_to))
           + "; it has to start anew";
  }
  return {};
}

admission membership::admit(const hello& other, steady_time now) {
  admission answer;
  auto* p = find(other.node);
  answer.refused = refusal(other, p, answer.sender_is_dead);
  if (!answer.refused.empty()) {
    if (p != nullptr) {
      p->last_trouble = answer.refused;
      if (!p->linked) dial_failed(p->name, answer.refused, now);
    }
    return answer;
  }
  if (names_self(other.dead)) {
    answer.self_is_dead = true;
    answer.refused = "incarnation " + std::to_string(self_.incarnation) + " of '" + self_.node.text
                     + "' was declared dead, says '" + other.node.text + "'; it has to start anew";
    return answer;
  }
  answer.events = learn_dead(other.dead, now);
  if (other.incarnation > p->incarnation && p->incarnation != 0) {
    const auto old = p->incarnation;
    p->dead_up_to = std::max(p->dead_up_to, old);
    drop(*p, peer_state::joining, "replaced by incarnation " + std::to_string(other.incarnation), now,
         answer.events);
  } else if (p->linked) {
    drop(*p, peer_state::suspected, "reconnected", now, answer.events);
  }
  if (p->state == peer_state::leaving || p->state == peer_state::dead)
    set_state(*p, peer_state::joining, now);
  p->incarnation = other.incarnation;
  p->build = other.build;
  p->linked = true;
  p->dialling = false;
  p->attempt_until = now + options_.join_timeout;
  p->last_heard = now;
  p->last_ping = {};
  p->intervals.clear();
  answer.accepted = true;
  return answer;
}

void membership::try_up(peer& p, steady_time now, std::vector<member_event>& out) {
  if (p.state == peer_state::up || !p.linked || !p.given || !p.taken || !p.answered) return;
  if (p.state == peer_state::leaving || p.state == peer_state::dead) return;
  set_state(p, peer_state::up, now);
  p.failures = 0;
  p.warned = false;
  ++p.joins;
  out.push_back({.what = member_event::kind::up, .peer = p.name, .incarnation = p.incarnation});
}

std::vector<member_event> membership::directory_taken(const node_name& peer, std::uint64_t incarnation,
                                                      steady_time now) {
  std::vector<member_event> out;
  auto* p = find(peer);
  if (p == nullptr || !p->linked || p->incarnation != incarnation) return out;
  p->taken = true;
  try_up(*p, now, out);
  return out;
}

std::vector<member_event> membership::directory_given(const node_name& peer, std::uint64_t incarnation,
                                                      steady_time now) {
  std::vector<member_event> out;
  auto* p = find(peer);
  if (p == nullptr || !p->linked || p->incarnation != incarnation) return out;
  p->given = true;
  try_up(*p, now, out);
  return out;
}

std::vector<member_event> membership::heard(const node_name& peer, std::uint64_t incarnation,
                                            std::optional<std::uint64_t> answered, steady_time now) {
  std::vector<member_event> out;
  auto* p = find(peer);
  if (p == nullptr || !p->linked || p->incarnation != incarnation) return out;
  // Several messages of one moment count as one: the detector measures heartbeats, not traffic.
  if (const auto gap = now - p->last_heard; gap >= options_.ping_interval / 4) {
    p->intervals.push_back(gap.count());
    if (p->intervals.size() > interval_window) p->intervals.pop_front();
  }
  p->last_heard = std::max(p->last_heard, now);
  if (suspicion(*p, now) < options_.suspicion_warning) p->warned = false;
  if (answered && *answered == p->ping_sequence) p->round_trip = now - p->last_ping;
  if (answered) p->answered = true;
  try_up(*p, now, out);
  return out;
}

// --- leaving -------------------------------------------------------------------------------------

std::vector<member_event> membership::link_lost(const node_name& peer, std::uint64_t incarnation,
                                                std::string why, steady_time now) {
  std::vector<member_event> out;
  auto* p = find(peer);
  if (p == nullptr || !p->linked || p->incarnation != incarnation) return out;
  auto next = peer_state::suspected;
  if (p->state == peer_state::leaving)
    next = peer_state::leaving;
  else if (p->state == peer_state::joining)
    next = peer_state::joining;
  drop(*p, next, std::move(why), now, out);
  return out;
}

std::vector<member_event> membership::farewell(const node_name& peer, std::uint64_t incarnation,
                                               steady_time now) {
  std::vector<member_event> out;
  auto* p = find(peer);
  if (p == nullptr || p->incarnation != incarnation || p->state == peer_state::dead) return out;
  // A node that said farewell does not come back under the same incarnation.
  p->dead_up_to = std::max(p->dead_up_to, incarnation);
  drop(*p, peer_state::leaving, "left in order", now, out);
  return out;
}

std::vector<member_event> membership::declare_dead(const node_name& peer, std::uint64_t incarnation,
                                                   std::string why, steady_time now) {
  std::vector<member_event> out;
  auto* p = find(peer);
  if (p == nullptr) return out;
  p->dead_up_to = std::max(p->dead_up_to, incarnation);
  remember_declared({peer, incarnation});
  if (p->incarnation <= incarnation && p->state != peer_state::dead)
    drop(*p, peer_state::dead, std::move(why), now, out);
  return out;
}

void membership::remember_declared(const node_start& what) {
  for (auto& known : self_.dead)
    if (known.node == what.node) {
      known.incarnation = std::max(known.incarnation, what.incarnation);
      return;
    }
  self_.dead.push_back(what); // at most one entry a node: an older start is dead with a newer one
}

std::vector<member_event> membership::learn_dead(const std::vector<node_start>& dead, steady_time now) {
  std::vector<member_event> out;
  for (const auto& what : dead) {
    const auto* p = find(what.node);
    if (p == nullptr) continue;
    const bool known = std::any_of(self_.dead.begin(), self_.dead.end(), [&](const node_start& d) {
      return d.node == what.node && d.incarnation >= what.incarnation;
    });
    if (known) continue;
    auto events = declare_dead(what.node, what.incarnation, "declared dead by the quorum", now);
    std::move(events.begin(), events.end(), std::back_inserter(out));
  }
  return out;
}

bool membership::names_self(const std::vector<node_start>& dead) const noexcept {
  return std::any_of(dead.begin(), dead.end(), [&](const node_start& d) {
    return d.node == self_.node && d.incarnation >= self_.incarnation;
  });
}

std::vector<node_start> membership::suspects() const {
  std::vector<node_start> out;
  for (const auto& p : peers_)
    if (p.state == peer_state::suspected && p.settled) out.push_back({p.name, p.incarnation});
  return out;
}

std::vector<node_name> membership::reached() const {
  std::vector<node_name> out;
  for (const auto& p : peers_)
    if (p.state == peer_state::up) out.push_back(p.name);
  return out;
}

// --- views ---------------------------------------------------------------------------------------

std::optional<peer_view> membership::view_of(const node_name& peer, steady_time now) const {
  const auto* p = find(peer);
  if (p == nullptr) return std::nullopt;
  peer_view v;
  v.name = p->name;
  v.state = p->state;
  v.incarnation = p->incarnation;
  v.suspicion = suspicion(*p, now);
  v.warning = v.suspicion >= options_.suspicion_warning;
  v.settled = p->settled;
  v.silence = p->last_heard.ns == 0 ? nanoseconds{} : now - p->last_heard;
  v.round_trip = p->round_trip;
  v.in_state = p->since.ns == 0 ? nanoseconds{} : now - p->since;
  v.joins = p->joins;
  v.build = p->build;
  v.last_trouble = p->last_trouble;
  return v;
}

std::vector<peer_view> membership::view(steady_time now) const {
  std::vector<peer_view> out;
  out.reserve(peers_.size());
  for (const auto& p : peers_) out.push_back(*view_of(p.name, now));
  return out;
}

bool membership::is_up(const node_name& peer, std::uint64_t incarnation) const noexcept {
  const auto* p = find(peer);
  return p != nullptr && p->state == peer_state::up && p->incarnation == incarnation;
}

bool membership::is_outlived(const node_name& peer, std::uint64_t incarnation) const noexcept {
  const auto* p = find(peer);
  return p != nullptr && (incarnation <= p->dead_up_to || incarnation < p->incarnation);
}

bool membership::is_current(const node_name& peer, std::uint64_t incarnation) const noexcept {
  const auto* p = find(peer);
  return p != nullptr && p->incarnation == incarnation && incarnation > p->dead_up_to;
}

} // namespace troupe
