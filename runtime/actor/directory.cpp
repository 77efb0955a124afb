#include "runtime/actor/directory.hpp"

namespace troupe {

caf::strong_actor_ptr directory::handle(std::string_view name) const {
  const std::shared_lock lock{guard_};
  const auto i = entries_.find(name);
  return i == entries_.end() ? nullptr : i->second.handle;
}

std::optional<directory_entry> directory::entry(std::string_view name) const {
  const std::shared_lock lock{guard_};
  const auto i = entries_.find(name);
  if (i == entries_.end()) return std::nullopt;
  return i->second;
}

bool directory::put(const std::string& name, directory_entry entry) {
  // Handles are released outside the lock: the last reference may run an actor's destructor.
  directory_entry replaced;
  {
    const std::unique_lock lock{guard_};
    auto& current = entries_[name];
    if (current.handle && current.node == entry.node && current.incarnation > entry.incarnation)
      return false;
    replaced = std::exchange(current, entry);
  }
  announce({directory_change::kind::put, name, std::move(entry)});
  return true;
}

bool directory::remove(std::string_view name, std::uint64_t incarnation,
                       const caf::strong_actor_ptr& handle) {
  directory_change change{directory_change::kind::removed, std::string{name}, {}};
  {
    const std::unique_lock lock{guard_};
    const auto i = entries_.find(name);
    if (i == entries_.end() || i->second.incarnation != incarnation || i->second.handle != handle)
      return false;
    change.entry = std::move(i->second);
    entries_.erase(i);
  }
  announce(change);
  return true;
}

std::size_t directory::remove_node(const node_name& node) {
  std::vector<directory_change> changes;
  {
    const std::unique_lock lock{guard_};
    for (auto i = entries_.begin(); i != entries_.end();) {
      if (i->second.node != node) {
        ++i;
        continue;
      }
      changes.push_back({directory_change::kind::removed, i->first, std::move(i->second)});
      i = entries_.erase(i);
    }
  }
  for (const auto& change : changes)
    announce(change);
  return changes.size();
}

void directory::clear() {
  std::map<std::string, directory_entry, std::less<>> gone;
  {
    const std::unique_lock lock{guard_};
    gone.swap(entries_);
  }
  for (auto& [name, entry] : gone)
    announce({directory_change::kind::removed, name, std::move(entry)});
}

std::vector<std::pair<std::string, directory_entry>>
directory::list(std::string_view prefix) const {
  std::vector<std::pair<std::string, directory_entry>> out;
  const std::shared_lock lock{guard_};
  for (auto i = entries_.lower_bound(prefix); i != entries_.end() && i->first.starts_with(prefix);
       ++i)
    out.emplace_back(i->first, i->second);
  return out;
}

std::size_t directory::size() const {
  const std::shared_lock lock{guard_};
  return entries_.size();
}

std::uint64_t directory::listen(listener callback) {
  const std::lock_guard lock{listeners_guard_};
  listeners_.emplace(++last_token_, std::make_shared<listener>(std::move(callback)));
  return last_token_;
}

void directory::unlisten(std::uint64_t token) {
  const std::lock_guard lock{listeners_guard_};
  listeners_.erase(token);
}

void directory::announce(const directory_change& change) const {
  std::vector<std::shared_ptr<listener>> targets;
  {
    const std::lock_guard lock{listeners_guard_};
    targets.reserve(listeners_.size());
    for (const auto& [token, callback] : listeners_)
      targets.push_back(callback);
  }
  for (const auto& callback : targets)
    (*callback)(change);
}

} // namespace troupe
