#include "runtime/cluster/member_actor.hpp"

#include "messages/json.hpp"
#include "runtime/actor/pending_asks.hpp"
#include "runtime/actor/timeline.hpp"
#include "runtime/cluster/restart_policy.hpp"
#include "runtime/cluster/tcp_probe.hpp"
#include "runtime/cluster/text.hpp"
#include "runtime/log.hpp"

#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor.hpp>

#include <unistd.h>

namespace troupe {
namespace {

/// A peer that does not answer so soon hears of the end by the lost connection.
constexpr auto farewell_deadline = std::chrono::milliseconds{300};

hello hello_of(const member_options& options) {
  hello out;
  out.node = options.self;
  out.incarnation = options.incarnation;
  out.schema = options.schema;
  out.build = options.build;
  out.configuration = options.conf.hash();
  if (const auto* spec = options.conf.find(options.self.text))
    for (const auto role : spec->roles) out.roles.emplace_back(to_string(role));
  return out;
}

std::vector<node_name> peers_of(const member_options& options, bool dialled_only) {
  std::vector<node_name> out;
  const auto own = options.conf.position(options.self.text);
  for (const auto& node : options.conf.nodes())
    if (node.name != options.self && (!dialled_only || options.conf.position(node.name.text) < own))
      out.push_back(node.name);
  return out;
}

constexpr nanoseconds probe_step = std::chrono::milliseconds{10};

} // namespace

bool stays_local(std::string_view name) noexcept {
  return name == "node" || name == "member" || name == "heartbeat" || name == "metrics" || name.starts_with("supervisor")
         || name.starts_with("local/");
}

member_state::member_state(self_pointer self, actor_environment env, member_options options)
    : self_{self}, env_{env}, options_{std::move(options)}, members_{hello_of(options_),
                                                                     peers_of(options_, false),
                                                                     peers_of(options_, true),
                                                                     options_.membership, env.seed},
      votes_{options_.self, voters_of(options_.conf), options_.membership.ping_interval * 4} {
  (void)members_.learn_dead(options_.dead, env.steady->now());
  kept_ = members_.declared();
  if (!options_.stays_local) options_.stays_local = stays_local;
}

member_state::~member_state() {
  if (listening_ != 0) env_.names->unlisten(listening_);
}

member_actor::behavior_type member_state::make_behavior() {
  // The directory changes on any thread; this actor is told once and then collects what changed.
  auto changes = changes_;
  auto whom = caf::actor_cast<caf::weak_actor_ptr>(member_actor{self_});
  listening_ = env_.names->listen([changes, whom](const directory_change& change) {
    if (!change.entry.node.text.empty()) return;
    {
      const std::lock_guard lock{changes->guard};
      changes->names.insert(change.name);
      if (std::exchange(changes->told, true)) return;
    }
    tell_anonymously(caf::actor_cast<member_actor>(whom.lock()), std::string{"names"});
  });
  tick();
  return {
      [this](const status_request&) -> reply<status_report> {
        if (farewells_open_ > 0) return farewells_told_.emplace_back(make_promise<status_report>(self_));
        return status_report{.name = self_->core().name(), .json = status_json()};
      },
      [this](const hello& from, const caf::strong_actor_ptr& node) -> reply<hello_reply> {
        return greeted(from, node);
      },
      [this](const ping& x) -> reply<pong> {
        // Somebody newer took its name: the old one can't know unless it is told.
        if (members_.is_outlived(x.node, x.incarnation))
          tell(self_, caf::actor_cast<member_actor>(self_->current_sender()),
               farewell{x.node, x.incarnation, true,
                        "a newer incarnation of '" + x.node.text + "' has joined"});
        carry_out(members_.heard(x.node, x.incarnation, std::nullopt, now()));
        hear_votes(x);
        return pong{options_.self, options_.incarnation, x.sequence};
      },
      [this](const directory_update& update, const std::vector<caf::strong_actor_ptr>& handles)
          -> reply<acknowledged> { return take_names(update, handles); },
      [this](const farewell& message) { take_farewell(message); },
      [this](const caf::strong_actor_ptr& node) { own_node_ = node; },
      [this](const std::string&) { names_changed(); },
  };
}

// --- events --------------------------------------------------------------------------------------

void member_state::tick() {
  // Nobody can be greeted before there is a published actor to hand over.
  if (own_node_) carry_out(members_.tick(now()));
  vote();
  keep_learned();
  show_view();
  schedule(self_, options_.tick, [this] { tick(); });
}

void member_state::carry_out(std::vector<member_event> events) {
  for (auto& event : events) carry_out(event);
}

void member_state::carry_out(member_event& event) {
  switch (event.what) {
  case member_event::kind::dial: return dial(event.peer);
  case member_event::kind::ping: return send_ping(event);
  case member_event::kind::up: return peer_up(event);
  case member_event::kind::down: return peer_down(event);
  case member_event::kind::warning:
    return log::warn("member", "peer is late", {{"peer", event.peer.text}, {"why", event.why}});
  case member_event::kind::settled:
    return log::warn("member", "peer stays away", {{"peer", event.peer.text}, {"why", event.why}});
  }
}

void member_state::peer_up(const member_event& event) {
  const auto i = links_.find(event.peer.text);
  if (i == links_.end()) return;
  i->second.counts = true;
  refusals_.erase(event.peer.text);
  for (const auto& [name, entry] : i->second.names) show_name(event.peer.text, name, entry);
  timeline::instance().add(timeline_event::link_up, event.peer.text, "incarnation " + std::to_string(event.incarnation));
  log::info("member", "peer is up",
            {{"peer", event.peer.text},
             {"incarnation", std::to_string(event.incarnation)},
             {"names", std::to_string(i->second.names.size())}});
}

void member_state::peer_down(const member_event& event) {
  votes_.forget(event.peer);
  const auto i = links_.find(event.peer.text);
  if (i == links_.end()) return;
  const bool counted = std::exchange(i->second.counts, false);
  // Names first: whoever looks again because of the failed ask must not find the lost actor.
  env_.names->remove_node(event.peer);
  for (const auto& [name, entry] : i->second.names) offer_name(name, event.peer.text);
  const auto failed = fail_pending(i->second.raw->node(), event.peer.text);
  asks_failed_ += failed;
  timeline::instance().add(timeline_event::link_down, event.peer.text, event.why);
  if (counted)
    log::warn("member", "peer is down",
              {{"peer", event.peer.text},
               {"incarnation", std::to_string(event.incarnation)},
               {"why", event.why},
               {"asks_failed", std::to_string(failed)}});
  if (event.drop_link) drop_link(event.peer.text);
}

void member_state::send_ping(const member_event& event) {
  const auto i = links_.find(event.peer.text);
  if (i == links_.end()) return;
  ask(self_, i->second.node, options_.answer_within,
      heartbeat(event.sequence))
      .then(
          [this, peer = event.peer](const pong& x) {
            if (x.node == peer) carry_out(members_.heard(peer, x.incarnation, x.sequence, now()));
          },
          [](const error&) {}); // silence is judged by the membership, not by one lost answer
}

// --- joining -------------------------------------------------------------------------------------

void member_state::dial(const node_name& peer) {
  const auto* spec = options_.conf.find(peer.text);
  if (spec == nullptr) return;
  // The front looks itself whether anybody is there.
  if (options_.front && spec->tls) return connect(peer, way_to(options_.front.get(), *spec));
  if (!options_.probe) return connect(peer, *spec);
  auto probe = std::make_shared<tcp_probe>();
  probes_[peer.text] = probe;
  const auto until = now() + options_.probe_within;
  auto outcome = probe->begin(spec->host, spec->port);
  auto look = std::make_shared<std::function<void(tcp_probe::outcome)>>();
  std::weak_ptr<std::function<void(tcp_probe::outcome)>> again = look;
  *look = [this, peer, spec, probe, until, again](tcp_probe::outcome how) {
    if (probes_[peer.text] != probe) return; // a later dial took over
    if (how == tcp_probe::outcome::connected) return connect(peer, *spec);
    if (how == tcp_probe::outcome::failed) return dial_failed(peer, probe->why());
    if (now() >= until)
      return dial_failed(peer, spec->host + ":" + std::to_string(spec->port) + " does not answer");
    schedule(self_, probe_step, [probe, step = again.lock()] {
      if (step) (*step)(probe->poll());
    });
  };
  (*look)(outcome);
}

void member_state::connect(const node_name& peer, const node_spec& spec) {
  probes_.erase(peer.text);
  ask(self_, self_->system().middleman().actor_handle(), options_.answer_within, caf::connect_atom::value,
      spec.host, spec.port)
      .then(
          [this, peer](const caf::node_id&, const caf::strong_actor_ptr& node,
                       const std::set<std::string>& interface) {
            connected(peer, {node, interface});
          },
          [this, peer](const error& why) {
            dial_failed(peer, dial_words(options_.front.get(), peer.text, why.message()));
          });
}

void member_state::connected(const node_name& peer, dialled_peer found) {
  if (!found.node) return dial_failed(peer, "the port belongs to a process without a published actor");
  if (!self_->system().assignable(found.interface, self_->system().message_types<node_actor>()))
    return dial_failed(peer, "its published actor speaks another interface; run the same version on both");
  // Right after a loss the middleman may hand out the dead proxy of the connection before; a question to
  // that one would only time out.
  const auto watched = watch(self_, found.node, [this, peer, node = found.node->node()](const error&) {
    fail_pending(node, peer.text);
  });
  ask(self_, caf::actor_cast<node_actor>(found.node), options_.answer_within, members_.self(), own_node_)
      .then(
          [this, peer, watched, node = found.node](const hello_reply& answer) {
            unwatch(self_, watched);
            answered(peer, node, answer);
          },
          [this, peer, watched](const error& why) {
            unwatch(self_, watched);
            dial_failed(peer, "hello: " + why.message());
          });
}

void member_state::dial_failed(const node_name& peer, const std::string& why) {
  probes_.erase(peer.text);
  members_.dial_failed(peer, why, now());
}

void member_state::refused(const node_name& peer, const std::string& why) {
  auto& last = refusals_[peer.text];
  if (last == why) return; // it is tried again and again; one line is enough
  last = why;
  log::error("member", "hello refused", {{"peer", peer.text}, {"why", why}});
}

hello_reply member_state::greeted(const hello& from, const caf::strong_actor_ptr& node) {
  hello_reply answer;
  answer.self = members_.self();
  if (!node || !own_node_ || ending_) {
    answer.refused = "'" + options_.self.text + "' is not ready to be joined";
    return answer;
  }
  if (node->node() == self_->node()) {
    answer.refused =
        "'" + from.node.text + "' and '" + options_.self.text
        + "' have one CAF node id; run them with different process ids or on the host's network";
    refused(from.node, answer.refused);
    return answer;
  }
  answer.refused = certificate_trouble(options_.front.get(), options_.conf.find(options_.self.text), from.node,
                                       node->node());
  if (!answer.refused.empty()) {
    refused(from.node, answer.refused);
    return answer;
  }
  if (options_.other_builds) members_.accept_other_builds(options_.other_builds());
  auto admitted = members_.admit(from, now());
  carry_out(std::move(admitted.events));
  answer.accepted = admitted.accepted;
  answer.refused = admitted.refused;
  answer.sender_is_dead = admitted.sender_is_dead;
  if (admitted.self_is_dead) declared_dead(admitted.refused);
  if (admitted.accepted)
    establish(from.node, from.incarnation, node, false);
  else
    refused(from.node, admitted.refused);
  return answer;
}

void member_state::answered(const node_name& peer, const caf::strong_actor_ptr& node,
                            const hello_reply& answer) {
  if (!answer.accepted) {
    refused(peer, answer.refused);
    dial_failed(peer, answer.refused);
    if (answer.sender_is_dead) declared_dead(answer.refused);
    return;
  }
  if (answer.self.node != peer) {
    const auto why = "at the address of '" + peer.text + "' there is '" + answer.self.node.text + "'";
    refused(peer, why);
    return dial_failed(peer, why);
  }
  if (options_.other_builds) members_.accept_other_builds(options_.other_builds());
  auto admitted = members_.admit(answer.self, now());
  carry_out(std::move(admitted.events));
  if (admitted.accepted) return establish(peer, answer.self.incarnation, node, true);
  refused(peer, admitted.refused);
  if (admitted.self_is_dead) return declared_dead(admitted.refused);
  if (admitted.sender_is_dead)
    tell(self_, caf::actor_cast<node_actor>(node),
         farewell{peer, answer.self.incarnation, true, admitted.refused});
}

void member_state::establish(const node_name& peer, std::uint64_t incarnation,
                             const caf::strong_actor_ptr& node, bool dialled) {
  drop_link(peer.text);
  auto& fresh = links_[peer.text];
  fresh.raw = node;
  fresh.node = caf::actor_cast<node_actor>(node);
  fresh.incarnation = incarnation;
  fresh.generation = ++last_generation_;
  fresh.watched =
      watch(self_, node, [this, peer, incarnation, generation = fresh.generation](const error& why) {
        const auto i = links_.find(peer.text);
        if (i == links_.end() || i->second.generation != generation) return;
        const auto text = why.text.empty() ? std::string{"connection lost"} : why.text;
        carry_out(members_.link_lost(peer, incarnation, text, now()));
      });
  // The side that was dialled waits for the other's names: only then has that one seen the answer to its
  // hello and takes ours.
  fresh.sending = !dialled;
  if (dialled) send_names(peer.text);
}

void member_state::drop_link(const std::string& peer) {
  const auto i = links_.find(peer);
  if (i == links_.end()) return;
  unwatch(self_, i->second.watched);
  links_.erase(i);
}

// --- names ---------------------------------------------------------------------------------------

bool member_state::shared(const std::string& name, const directory_entry& entry) const {
  return entry.node.text.empty() && entry.handle && !options_.stays_local(name);
}

void member_state::names_changed() {
  std::set<std::string> names;
  {
    const std::lock_guard lock{changes_->guard};
    names.swap(changes_->names);
    changes_->told = false;
  }
  std::vector<std::string> peers;
  for (auto& [peer, link] : links_) {
    for (const auto& name : names)
      if (!options_.stays_local(name)) link.changed.insert(name);
    peers.push_back(peer);
  }
  for (const auto& name : names) offer_name(name, {});
  for (const auto& peer : peers) send_names(peer);
}

void member_state::send_names(const std::string& peer) {
  const auto i = links_.find(peer);
  if (i == links_.end() || i->second.sending) return;
  auto& link = i->second;
  if (!link.send_all && link.changed.empty()) return;
  directory_update update;
  std::vector<caf::strong_actor_ptr> handles;
  update.node = options_.self;
  update.incarnation = options_.incarnation;
  update.version = ++link.sent;
  update.full = link.send_all;
  const auto add = [&](const std::string& name, const directory_entry& entry) {
    update.names.push_back(name);
    update.incarnations.push_back(entry.incarnation);
    handles.push_back(entry.handle);
  };
  if (link.send_all) {
    for (const auto& [name, entry] : env_.names->list())
      if (shared(name, entry)) add(name, entry);
  } else {
    for (const auto& name : link.changed) {
      const auto entry = env_.names->entry(name);
      if (entry && shared(name, *entry))
        add(name, *entry);
      else
        update.removed.push_back(name);
    }
  }
  link.changed.clear();
  link.send_all = false;
  link.sending = true;
  ask(self_, link.node, options_.answer_within, std::move(update), std::move(handles))
      .then(
          [this, peer, generation = link.generation, version = link.sent](const acknowledged& x) {
            names_sent(peer, generation, version, x.sequence);
          },
          [this, peer, generation = link.generation](const error&) { names_sent(peer, generation, 0, 0); });
}

void member_state::names_sent(const std::string& peer, std::uint64_t generation, std::uint64_t version,
                              std::uint64_t taken) {
  const auto i = links_.find(peer);
  if (i == links_.end() || i->second.generation != generation) return;
  auto& link = i->second;
  link.sending = false;
  if (version == 0 || taken != version) {
    // Lost or out of step: begin anew with everything, but not in a tight circle.
    link.send_all = true;
    schedule(self_, options_.membership.ping_interval, [this, peer, generation] {
      const auto again = links_.find(peer);
      if (again != links_.end() && again->second.generation == generation) send_names(peer);
    });
    return;
  }
  const auto incarnation = link.incarnation;
  send_names(peer);
  carry_out(members_.directory_taken(node_name{peer}, incarnation, now()));
}

acknowledged member_state::take_names(const directory_update& update,
                                      const std::vector<caf::strong_actor_ptr>& handles) {
  const auto i = links_.find(update.node.text);
  const bool fits =
      update.names.size() == handles.size() && update.names.size() == update.incarnations.size();
  if (i == links_.end() || i->second.incarnation != update.incarnation || !fits) return {0};
  auto& link = i->second;
  if (!update.full && update.version != link.taken + 1) return {0};
  carry_out(members_.heard(update.node, update.incarnation, std::nullopt, now()));
  if (update.full) {
    if (link.counts) env_.names->remove_node(update.node);
    link.names.clear();
  }
  link.taken = update.version;
  for (const auto& name : update.removed) {
    const auto old = link.names.find(name);
    if (old == link.names.end()) continue;
    if (link.counts) hide_name(update.node.text, name, old->second);
    link.names.erase(old);
  }
  for (std::size_t n = 0; n < update.names.size(); ++n) {
    if (!handles[n]) continue;
    auto& entry = link.names[update.names[n]];
    // The full list of a node replaces what was known: an older start of the name must not stay in the way.
    if (link.counts && entry.handle) hide_name(update.node.text, update.names[n], entry);
    entry = {handles[n], update.node, update.incarnations[n]};
    if (link.counts) show_name(update.node.text, update.names[n], entry);
  }
  if (!update.full) return {update.version};
  if (link.sent == 0) {
    link.sending = false;
    send_names(update.node.text);
  }
  carry_out(members_.directory_given(update.node, update.incarnation, now()));
  return {update.version};
}

void member_state::show_name(const std::string& peer, const std::string& name,
                             const directory_entry& entry) {
  const auto known = env_.names->entry(name);
  if (known && known->node.text != peer) {
    ++name_conflicts_;
    log::warn("member", "two nodes run one name; the one known first stays until it gives it up",
               {{"name", name},
                {"peer", peer},
                {"other", known->node.text.empty() ? options_.self.text : known->node.text}});
    return;
  }
  env_.names->put(name, entry);
}

void member_state::hide_name(const std::string& peer, const std::string& name,
                             const directory_entry& entry) {
  const auto known = env_.names->entry(name);
  if (known && known->node.text == peer) env_.names->remove(name, entry.incarnation, entry.handle);
  offer_name(name, peer);
}

/// A name that nobody shows any more leads to the next node that has it: when a thing moves, its new place may be
/// heard of before the old one has given it up.
void member_state::offer_name(const std::string& name, const std::string& not_from) {
  if (env_.names->entry(name)) return;
  for (auto& [peer, link] : links_) {
    const auto theirs = link.names.find(name);
    if (peer == not_from || !link.counts || theirs == link.names.end()) continue;
    env_.names->put(name, theirs->second);
    return;
  }
}

// --- leaving -------------------------------------------------------------------------------------

void member_state::take_farewell(const farewell& message) {
  if (message.node != options_.self) {
    if (!message.declared_dead) carry_out(members_.farewell(message.node, message.incarnation, now()));
    return;
  }
  if (message.incarnation != options_.incarnation) return;
  if (message.declared_dead) return declared_dead(message.why);
  // Our own node stops in order: tell everybody, and greet nobody any more. A question behind the farewell
  // tells when a peer has it: the process ends soon, and what the network still holds then is lost.
  ending_ = true;
  for (const auto& [peer, link] : links_) {
    tell(self_, link.node, message);
    ++farewells_open_;
    ask(self_, link.node, farewell_deadline, std::string{"member"})
        .then([this](const caf::strong_actor_ptr&) { farewell_taken(); }, [this] { farewell_taken(); });
  }
}

void member_state::farewell_taken() {
  if (--farewells_open_ > 0) return;
  for (auto& answer : std::exchange(farewells_told_, {}))
    answer.deliver(status_report{.name = self_->core().name(), .json = status_json()});
}

void member_state::declared_dead(const std::string& why) {
  log::error("member", "this incarnation was declared dead", {{"why", why}});
  if (options_.declared_dead) return options_.declared_dead(why);
  // Nothing is cleaned up and nothing is sent: others may already have taken over.
  ::_exit(exit_declared_dead);
}

// --- status --------------------------------------------------------------------------------------

std::string member_state::status_json() const {
  json_writer w;
  w.begin_object().field("node", options_.self.text).field("incarnation", options_.incarnation);
  w.field("quorum", shown_.quorum).field("coordinator", shown_.coordinator);
  w.field("voter", votes_.is_voter(options_.self)).field("declarations", declarations_);
  w.field("keep_trouble", keep_trouble_).key("declared_dead").begin_array();
  for (const auto& dead : members_.declared())
    w.begin_object().field("node", dead.node.text).field("incarnation", dead.incarnation).end_object();
  w.end_array();
  w.field("name_conflicts", name_conflicts_).field("asks_failed", asks_failed_).key("peers").begin_array();
  for (const auto& p : members_.view(now())) {
    const auto i = links_.find(p.name.text);
    w.begin_object()
        .field("node", p.name.text)
        .field("state", to_string(p.state))
        .field("incarnation", p.incarnation);
    w.field("suspicion", p.suspicion, 2).field("warning", p.warning).field("settled", p.settled);
    w.field("silence_ms", whole_millis(p.silence)).field("round_trip_us", p.round_trip.count() / 1000);
    w.field("in_state_ms", whole_millis(p.in_state)).field("joins", p.joins).field("build", p.build);
    w.field("names", i == links_.end() ? std::size_t{0} : i->second.names.size());
    w.field("last_trouble", p.last_trouble).end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
