#pragma once

/// Who may declare a node dead. Voters are the nodes of nodes.conf with the role ingest or execution: the loss
/// of a machine that only computes never costs the quorum. The quorum is static: more than half of the voters
/// in the file, whoever is there; if they split evenly, the side with the first voter of the file has it, so
/// two sides never have it both. Pure.

#include "messages/cluster.hpp"
#include "runtime/cluster/nodes_conf.hpp"

#include <map>
#include <vector>

namespace troupe {

/// The voters, in the file's order.
std::vector<node_name> voters_of(const nodes_conf& conf);

/// Whether these nodes make the quorum; nodes without a vote don't count.
bool make_quorum(const std::vector<node_name>& voters, const std::vector<node_name>& nodes);

/// What a voter says in its heartbeat.
struct vote_statement {
  std::vector<node_name> reaches;
  std::vector<node_start> suspects;
};

/// The votes on who is dead. A start of a node is dead when voters that have all suspected it long enough,
/// and that all reach each other, make the quorum. Each voter of them finds that out for itself.
class ballot {
public:
  /// `within`: a statement counts for so long after it was heard.
  ballot(node_name self, std::vector<node_name> voters, nanoseconds within);

  /// Heard from a node that counts as up.
  void heard(const node_name& voter, vote_statement what, steady_time now);
  /// A node went down: what it said counts no more.
  void forget(const node_name& voter);

  /// What this node thinks itself, and which starts are dead by the votes as they stand.
  [[nodiscard]] std::vector<node_start> dead(const vote_statement& own, steady_time now) const;

  /// Whether this node and those it reaches make the quorum.
  [[nodiscard]] bool quorate(const std::vector<node_name>& reached) const;
  [[nodiscard]] bool is_voter(const node_name& node) const;
  /// The first voter of the file among this node and those it reaches: it places movable actors. Empty
  /// without a quorum.
  [[nodiscard]] node_name coordinator(const std::vector<node_name>& reached) const;

private:
  struct said {
    vote_statement what;
    steady_time at{};
  };

  [[nodiscard]] bool agreed(const node_start& on, const vote_statement& own, steady_time now) const;

  node_name self_;
  std::vector<node_name> voters_;
  nanoseconds within_;
  std::map<node_name, said> said_;
};

} // namespace troupe
