#pragma once

/// Who ordered what: an append-only file of JSON lines in the node's data directory.

#include "messages/cluster.hpp"
#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/errc.hpp"
#include "runtime/cluster/spawn_process.hpp"

#include <filesystem>

namespace troupe {

/// One line a command, written with one `write` to a file opened for appending, so that lines of
/// several processes never mix. Survives the end of the process; not synced. Not thread-safe.
class audit_log {
public:
  /// Opens DATA/audit.log (created with mode 0600).
  static result<audit_log> open(const std::filesystem::path& data);

  /// `at`: wall-clock time. `outcome` is empty for the line that is written before the command runs.
  status write(market_time at, const node_name& node, const admin_command& command,
               const admin_result* outcome);

private:
  owned_fd fd_;
};

} // namespace troupe
