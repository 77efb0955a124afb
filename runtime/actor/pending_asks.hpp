#pragma once

/// Asks of this process that wait for another node. CAF never fails a request whose node is gone,
/// so whoever learns that a node went down fails them here, all at once.

#include "messages/error.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/message_id.hpp>
#include <caf/node_id.hpp>

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace troupe {

/// Process-wide and thread-safe.
class pending_asks {
public:
  static pending_asks& instance();

  void add(const caf::node_id& node, caf::actor_control_block* asker, caf::message_id response);
  void remove(const caf::node_id& node, const caf::actor_control_block* asker,
              caf::message_id response);

  /// Fails all asks to that node with `why`. Returns how many there were.
  std::size_t fail(const caf::node_id& node, const error& why);

  [[nodiscard]] std::size_t size() const;

private:
  using key = std::pair<const caf::actor_control_block*, std::uint64_t>;

  mutable std::mutex guard_;
  std::unordered_map<caf::node_id, std::map<key, caf::weak_actor_ptr>> by_node_;
};

/// Fails all asks of this process to a node with runtime_errc::node_down. Returns how many.
std::size_t fail_pending(const caf::node_id& node, const std::string& node_text);

} // namespace troupe
