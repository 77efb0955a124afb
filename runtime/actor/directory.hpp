#pragma once

/// Name → current handle. Actors are addressed by stable names; a restart or a reconnect replaces
/// the handle behind the name. Never key anything by a handle: CAF's old and new proxy of a
/// reconnected node compare equal.

#include "messages/cluster.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Where a name leads at present.
struct directory_entry {
  caf::strong_actor_ptr handle;
  node_name node;                ///< node that runs it; empty = this one
  std::uint64_t incarnation = 0; ///< counts the starts of this name on its node
};

/// What happened to a name. `entry` is the new one after a put, the last one after a removal.
struct directory_change {
  enum class kind { put, removed };
  kind what = kind::put;
  std::string name;
  directory_entry entry;
};

/// Thread-safe. Listeners are called without a lock held, on the thread that made the change, so
/// changes of one name made by different threads may be heard out of order: look the name up.
class directory {
public:
  using listener = std::function<void(const directory_change&)>;

  /// The typed handle behind a name; empty when there is none. The caller names the interface
  /// that belongs to the name; it is not checked against the actor.
  template <class Handle>
  [[nodiscard]] Handle find(std::string_view name) const {
    return caf::actor_cast<Handle>(handle(name));
  }

  /// The untyped handle behind a name; null when there is none.
  [[nodiscard]] caf::strong_actor_ptr handle(std::string_view name) const;

  [[nodiscard]] std::optional<directory_entry> entry(std::string_view name) const;

  /// Sets the entry of a name. An older incarnation of the same node does not replace a newer one.
  /// Returns whether it was taken.
  bool put(const std::string& name, directory_entry entry);

  /// Removes a name if its entry still is of this incarnation and handle. Returns whether it was.
  bool remove(std::string_view name, std::uint64_t incarnation,
              const caf::strong_actor_ptr& handle);

  /// Removes all names of a node (it went down). Returns how many.
  std::size_t remove_node(const node_name& node);

  /// Removes everything. First step of a process's shutdown: a named detached actor that is
  /// still referenced would keep the actor system from ending.
  void clear();

  /// A number that grows with each call: the incarnation of a name that is being started here.
  std::uint64_t next_incarnation() noexcept { return ++last_incarnation_; }

  /// Names that start with `prefix`, in order, with their entries.
  [[nodiscard]] std::vector<std::pair<std::string, directory_entry>>
  list(std::string_view prefix = {}) const;

  [[nodiscard]] std::size_t size() const;

  /// Adds a listener of all changes; the token removes it again. A call that is under way on
  /// another thread may still end after `unlisten` returned.
  std::uint64_t listen(listener callback);
  void unlisten(std::uint64_t token);

private:
  void announce(const directory_change& change) const;

  std::atomic<std::uint64_t> last_incarnation_{0};
  mutable std::shared_mutex guard_;
  std::map<std::string, directory_entry, std::less<>> entries_;
  mutable std::mutex listeners_guard_;
  std::map<std::uint64_t, std::shared_ptr<listener>> listeners_;
  std::uint64_t last_token_ = 0;
};

} // namespace troupe
