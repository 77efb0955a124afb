#pragma once

/// One process a node: a lock on the node's data directory.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"
#include "runtime/cluster/spawn_process.hpp"

#include <filesystem>

namespace troupe {

/// Holds flock on DATA/node.lock until it is destroyed or the process ends; programs started meanwhile
/// do not inherit it. The file keeps the holder's pid, for people; only the lock itself counts.
class data_lock {
public:
  /// Creates the file when missing. Refused with `cluster_errc::conflict` when another process holds it:
  /// the text names that process. Never waits. `node`: for the text.
  static result<data_lock> take(const std::filesystem::path& data, const std::string& node);

private:
  explicit data_lock(owned_fd fd) : fd_{std::move(fd)} {}
  owned_fd fd_;
};

} // namespace troupe
