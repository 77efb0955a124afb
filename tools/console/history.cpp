#include "tools/console/history.hpp"

#include <algorithm>

namespace troupe::console {

namespace {

/// What a growing counter gained; a new incarnation begins at zero.
std::int64_t gained(std::int64_t now, std::int64_t before) { return now >= before ? now - before : now; }

} // namespace

void actor_history::record::add(const history_point& told) {
  history_point point = told;
  if (count > 0) {
    point.messages = newest.messages + gained(told.messages, raw.messages);
    point.errors = newest.errors + gained(told.errors, raw.errors);
    point.restarts = newest.restarts + gained(told.restarts, raw.restarts);
  }
  raw = told;
  newest = point;
  const auto& last = points[(next + kept - 1) % kept];
  if (count > 0 && point.at - last.at < spacing) return;
  points[next] = point;
  next = (next + 1) % kept;
  count = std::min(count + 1, kept);
}

/// The newest point that is as old as `t`; where all are younger, the oldest.
const history_point* actor_history::record::at_or_before(steady_time t) const {
  const history_point* best = nullptr;
  const history_point* oldest = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& p = points[(next + kept - 1 - i) % kept];
    oldest = &p;
    if (best == nullptr && p.at <= t) best = &p;
  }
  return best != nullptr ? best : oldest;
}

void actor_history::take(const std::string& node, steady_time at, const std::vector<actor_row>& rows) {
  auto& known = nodes_[node];
  for (const auto& row : rows) {
    auto i = known.find(std::string_view{row.name});
    if (i == known.end()) i = known.emplace(row.name, record{}).first;
    i->second.add({at, row.messages.value_or(0), row.mailbox.value_or(0), row.restarts.value_or(0),
                   row.errors.value_or(0)});
  }
}

change actor_history::over(const std::string& node, const std::string& name, nanoseconds window) const {
  change out;
  const auto n = nodes_.find(node);
  if (n == nodes_.end()) return out;
  const auto i = n->second.find(std::string_view{name});
  if (i == n->second.end()) return out;
  const auto& record = i->second;
  const auto* before = record.at_or_before(record.newest.at - window);
  if (before == nullptr || before->at >= record.newest.at) return out;
  out.over = record.newest.at - before->at;
  out.messages = record.newest.messages - before->messages;
  out.mailbox = record.newest.mailbox - before->mailbox;
  out.restarts = record.newest.restarts - before->restarts;
  out.errors = record.newest.errors - before->errors;
  out.rate = static_cast<std::int64_t>(static_cast<double>(*out.messages) * 1e9
                                       / static_cast<double>(out.over.count()));
  return out;
}

void actor_history::forget(steady_time now) {
  for (auto& [node, known] : nodes_)
    std::erase_if(known, [&](const auto& entry) { return now - entry.second.newest.at > forgets_after; });
}

std::size_t actor_history::size() const {
  std::size_t out = 0;
  for (const auto& [node, known] : nodes_) out += known.size();
  return out;
}

} // namespace troupe::console
