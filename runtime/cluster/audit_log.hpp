#pragma once

/// Who ordered what: an append-only file of JSON lines in the node's data directory, each sealed with the
/// SHA-256 of the line before it, so that whoever changes, removes or inserts a line breaks the chain there.
/// What the chain can't show is that its newest lines were cut off: compare the newest hash with the one the
/// node wrote into its log, or with the one an operator noted.

#include "messages/cluster.hpp"
#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/errc.hpp"
#include "runtime/cluster/spawn_process.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace troupe {

/// How a chain stands.
struct audit_chain {
  std::uint64_t records = 0;
  std::string head; ///< hash of the newest record; of an empty file: 64 zeros
};

/// One line a command, written with one `write` to a file opened for appending, under a lock, so that lines
/// of several processes neither mix nor break the chain. Survives the end of the process; not synced. Not
/// thread-safe.
class audit_log {
public:
  /// Opens DATA/audit.log (created with mode 0600). A line that a crash left half written is closed and named
  /// by the next record. A file that is no chain is set aside as audit.log.unchained.
  static result<audit_log> open(const std::filesystem::path& data);

  /// `at`: wall-clock time. `outcome` is empty for the line that is written before the command runs.
  status write(market_time at, const node_name& node, const admin_command& command,
               const admin_result* outcome);

  /// As of the last record this process wrote or found.
  [[nodiscard]] const audit_chain& chain() const noexcept { return chain_; }

private:
  status append(std::string body);
  status catch_up();

  std::filesystem::path file_;
  owned_fd fd_;
  audit_chain chain_;
  std::int64_t size_ = 0; ///< of the file when the chain was read
};

/// Checks a whole file's text. The error names the first line that is not as it was written, counted from 1,
/// and what is wrong with it. `head`: the newest hash as known from elsewhere; empty = not compared.
result<audit_chain> verify_audit(std::string_view text, std::string_view head = {});

} // namespace troupe
