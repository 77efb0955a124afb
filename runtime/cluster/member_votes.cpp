#include "runtime/cluster/member_actor.hpp"
#include "runtime/log.hpp"

namespace troupe {

ping member_state::heartbeat(std::uint64_t sequence) const {
  return {options_.self,       options_.incarnation, sequence,
          members_.reached(), members_.suspects(),  members_.declared()};
}

void member_state::hear_votes(const ping& from) {
  if (!members_.is_current(from.node, from.incarnation)) return;
  if (members_.names_self(from.dead))
    return declared_dead("'" + from.node.text + "' says that the quorum declared this incarnation dead");
  carry_out(members_.learn_dead(from.dead, now()));
  if (members_.is_up(from.node, from.incarnation)) votes_.heard(from.node, {from.reaches, from.suspects}, now());
}

/// What was learned of others: whoever declared it has synced that before; this copy serves the next hellos.
void member_state::keep_learned() {
  if (!options_.keep_dead || kept_ == members_.declared()) return;
  kept_ = members_.declared();
  if (auto done = options_.keep_dead(kept_); !done) keep_trouble_ = done.error().text;
}

void member_state::vote() {
  auto dead = votes_.dead({members_.reached(), members_.suspects()}, now());
  if (!dead.empty()) declare(std::move(dead));
}

/// Durable first: a declaration that a crash of the declarer could undo would let a dead one trade again.
void member_state::declare(std::vector<node_start> dead) {
  auto all = members_.declared();
  all.insert(all.end(), dead.begin(), dead.end());
  if (options_.keep_dead) {
    if (auto kept = options_.keep_dead(all); !kept) {
      if (keep_trouble_ != kept.error().text)
        log::error("member", "a node can't be declared dead, because that can't be kept",
                   {{"node", dead.front().node.text}, {"why", kept.error().text}});
      keep_trouble_ = kept.error().text;
      return; // tried again at the next tick
    }
    keep_trouble_.clear();
  }
  for (const auto& what : dead) {
    ++declarations_;
    log::error("member", "node declared dead by the quorum",
               {{"peer", what.node.text}, {"incarnation", std::to_string(what.incarnation)}});
    carry_out(members_.declare_dead(what.node, what.incarnation, "declared dead by the quorum", now()));
  }
  kept_ = members_.declared();
}

void member_state::show_view() {
  cluster_view view;
  for (const auto& p : members_.view(now()))
    view.nodes[p.name.text] = p.state == peer_state::up ? node_health::up
                              : p.state == peer_state::dead || p.state == peer_state::leaving
                                  ? node_health::dead
                                  : node_health::away;
  view.nodes[options_.self.text] = ending_ ? node_health::dead : node_health::up;
  const auto reached = members_.reached();
  view.quorum = votes_.quorate(reached) && !ending_;
  view.coordinator = ending_ ? std::string{} : votes_.coordinator(reached).text;
  if (view == shown_) return;
  if (view.quorum != shown_.quorum)
    log::write(view.quorum ? log::severity::info : log::severity::warn, "member",
              view.quorum ? "this node and those it reaches make the quorum"
                                    : "without quorum: no leases are renewed and nobody is declared dead",
              {{"reached", std::to_string(reached.size())}});
  shown_ = view;
  if (options_.view) options_.view->set(std::move(view));
}

} // namespace troupe
