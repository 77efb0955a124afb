#include "runtime/actor/pending_asks.hpp"

#include "runtime/actor/compat.hpp"
#include "runtime/actor/errc.hpp"

namespace troupe {

pending_asks& pending_asks::instance() {
  // Never destroyed: actors that end late still take their asks out.
  static auto* registry = new pending_asks;
  return *registry;
}

void pending_asks::add(const caf::node_id& node, caf::actor_control_block* asker,
                       caf::message_id response) {
  const std::lock_guard lock{guard_};
  by_node_[node].emplace(key{asker, response.integer_value()}, caf::weak_actor_ptr{asker});
}

void pending_asks::remove(const caf::node_id& node, const caf::actor_control_block* asker,
                          caf::message_id response) {
  const std::lock_guard lock{guard_};
  const auto i = by_node_.find(node);
  if (i == by_node_.end()) return;
  i->second.erase({asker, response.integer_value()});
  if (i->second.empty()) by_node_.erase(i);
}

std::size_t pending_asks::fail(const caf::node_id& node, const error& why) {
  std::map<key, caf::weak_actor_ptr> gone;
  {
    const std::lock_guard lock{guard_};
    const auto i = by_node_.find(node);
    if (i == by_node_.end()) return 0;
    gone.swap(i->second);
    by_node_.erase(i);
  }
  for (const auto& [k, weak] : gone)
    if (const auto asker = weak.lock())
      compat::deliver_error(asker, caf::message_id{k.second}, to_caf(why));
  return gone.size();
}

std::size_t pending_asks::size() const {
  const std::lock_guard lock{guard_};
  std::size_t n = 0;
  for (const auto& [node, asks] : by_node_)
    n += asks.size();
  return n;
}

std::size_t fail_pending(const caf::node_id& node, const std::string& node_text) {
  return pending_asks::instance().fail(node,
                                       {runtime_errc::node_down, "node " + node_text + " is down"});
}

} // namespace troupe
