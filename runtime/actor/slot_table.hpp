#pragma once

/// Which supervisor keeps which child, also while the child does not run: what an operator's restart, stop
/// and start go by. Process-wide; nodes that share a process (in tests) are told apart by their directory.

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

class directory;

/// Thread-safe. Supervisors write, the node reads.
class slot_table {
public:
  static slot_table& instance();

  /// `names`: the directory of the supervisor's node.
  void put(const directory* names, const std::string& child, const std::string& supervisor);
  /// Nothing happens when another supervisor took the name over.
  void remove(const directory* names, const std::string& child, const std::string& supervisor);

  /// Name of the supervisor that has a slot for the child; empty when there is none.
  [[nodiscard]] std::string supervisor_of(const directory* names, const std::string& child) const;

private:
  mutable std::mutex guard_;
  std::map<std::pair<const directory*, std::string>, std::string> supervisors_;
};

} // namespace troupe
