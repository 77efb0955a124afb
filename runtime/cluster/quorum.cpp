#include "runtime/cluster/quorum.hpp"

#include <algorithm>

namespace troupe {
namespace {

template <class T>
bool holds(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

} // namespace

std::vector<node_name> voters_of(const nodes_conf& conf) {
  std::vector<node_name> out;
  for (const auto& node : conf.nodes())
    if (node.has(node_role::ingest) || node.has(node_role::execution)) out.push_back(node.name);
  return out;
}

bool make_quorum(const std::vector<node_name>& voters, const std::vector<node_name>& nodes) {
  const auto there = static_cast<std::size_t>(
      std::count_if(voters.begin(), voters.end(), [&](const node_name& v) { return holds(nodes, v); }));
  if (there == 0) return false;
  return there * 2 > voters.size() || (there * 2 == voters.size() && holds(nodes, voters.front()));
}

ballot::ballot(node_name self, std::vector<node_name> voters, nanoseconds within)
    : self_{std::move(self)}, voters_{std::move(voters)}, within_{within} {}

void ballot::heard(const node_name& voter, vote_statement what, steady_time now) {
  if (is_voter(voter)) said_[voter] = {std::move(what), now};
}

void ballot::forget(const node_name& voter) { said_.erase(voter); }

bool ballot::is_voter(const node_name& node) const { return holds(voters_, node); }

bool ballot::quorate(const std::vector<node_name>& reached) const {
  auto all = reached;
  all.push_back(self_);
  return make_quorum(voters_, all);
}

node_name ballot::coordinator(const std::vector<node_name>& reached) const {
  if (!quorate(reached)) return {};
  for (const auto& voter : voters_)
    if (voter == self_ || holds(reached, voter)) return voter;
  return {};
}

std::vector<node_start> ballot::dead(const vote_statement& own, steady_time now) const {
  std::vector<node_start> out;
  if (!is_voter(self_)) return out;
  for (const auto& suspect : own.suspects)
    if (agreed(suspect, own, now)) out.push_back(suspect);
  return out;
}

bool ballot::agreed(const node_start& on, const vote_statement& own, steady_time now) const {
  // Who suspects it, is reached from here and reaches back.
  std::vector<std::pair<node_name, const vote_statement*>> side{{self_, &own}};
  for (const auto& [voter, s] : said_)
    if (now - s.at <= within_ && holds(s.what.suspects, on) && holds(own.reaches, voter) && holds(s.what.reaches, self_))
      side.emplace_back(voter, &s.what);
  // Among them a set that all reach each other. With at most 16 nodes and this one always in it, each other
  // is taken in when it and all taken before reach each other; where that leaves a choice, the most first.
  std::stable_sort(side.begin() + 1, side.end(), [&](const auto& a, const auto& b) {
    const auto reached = [&](const auto& of) {
      return std::count_if(side.begin(), side.end(), [&](const auto& x) { return holds(of.second->reaches, x.first); });
    };
    return reached(a) > reached(b);
  });
  std::vector<node_name> together;
  std::vector<const vote_statement*> statements;
  for (const auto& [voter, says] : side) {
    bool fits = true;
    for (std::size_t i = 0; i < together.size(); ++i)
      fits = fits && holds(says->reaches, together[i]) && holds(statements[i]->reaches, voter);
    if (!fits) continue;
    together.push_back(voter);
    statements.push_back(says);
  }
  return make_quorum(voters_, together);
}

} // namespace troupe
