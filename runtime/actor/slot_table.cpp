#include "runtime/actor/slot_table.hpp"

namespace troupe {

slot_table& slot_table::instance() {
  // Never destroyed: supervisors of a system that ends late still take themselves out.
  static auto* table = new slot_table;
  return *table;
}

void slot_table::put(const directory* names, const std::string& child, const std::string& supervisor) {
  const std::lock_guard lock{guard_};
  supervisors_[{names, child}] = supervisor;
}

void slot_table::remove(const directory* names, const std::string& child, const std::string& supervisor) {
  const std::lock_guard lock{guard_};
  const auto i = supervisors_.find({names, child});
  if (i != supervisors_.end() && i->second == supervisor) supervisors_.erase(i);
}

std::string slot_table::supervisor_of(const directory* names, const std::string& child) const {
  const std::lock_guard lock{guard_};
  const auto i = supervisors_.find({names, child});
  return i == supervisors_.end() ? std::string{} : i->second;
}

} // namespace troupe
