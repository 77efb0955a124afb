#pragma once

/// What the kernel says of this process and of its disk. Reads /proc; takes well under a millisecond.

#include "runtime/telemetry/metrics_text.hpp"

#include <filesystem>

namespace troupe {

/// Of this process, in base units; a figure that can't be read is 0.
struct process_figures {
  double cpu_seconds = 0; ///< user and system time, all threads
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t most_files = 0; ///< soft limit of descriptors
  std::uint64_t threads = 0;
  double started_seconds = 0; ///< since 1970
};

/// From any thread.
process_figures read_process_figures();

/// Of the file system a folder lies on.
struct disk_figures {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0; ///< for this user
};

/// Zeros when the folder can't be looked at.
disk_figures read_disk_figures(const std::filesystem::path& folder);

/// The families of both, in the names that all Prometheus clients give them (`process_…`) and ours for the
/// disk.
void append_process_metrics(std::string& out, const process_figures& process, const disk_figures& disk,
                            const std::vector<metric_label>& labels);

} // namespace troupe
