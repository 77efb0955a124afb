#pragma once

/// What `troupe doctor` looks at on this host. Blocks for up to a few seconds (the disk); for programs only.

#include "runtime/cluster/nodes_conf.hpp"
#include "runtime/config/configuration.hpp"
#include "tools/ops/doctor.hpp"

#include <filesystem>

namespace troupe::ops {

/// The kernel's clock, and which service keeps it.
clock_state read_clock();

/// Writes and syncs 4 KiB as often as fits into `within`, at most 200 times, in a file of its own that is
/// removed again. Errors: the folder can't be written.
result<sync_times> measure_sync(const std::filesystem::path& folder, nanoseconds within);

/// statfs's number of the file system's kind; nothing when the folder can't be looked at.
std::optional<std::uint64_t> file_system_of(const std::filesystem::path& folder);

/// Where the linker's libblas.so.3 leads to.
std::string find_blas();

/// Bytes of memory that can be had without swapping.
std::uint64_t available_memory();

/// Seconds until the first certificate of a PEM file ends. Errors: unreadable, no certificate.
result<std::int64_t> certificate_left(const std::filesystem::path& file);

/// Everything that is judged.
struct doctor_subject {
  std::filesystem::path config;
  std::filesystem::path data;              ///< need not exist yet: its nearest folder that does is looked at
  const configuration* settings = nullptr; ///< null when they could not be read
  const nodes_conf* nodes = nullptr;       ///< null when they could not be read
  std::filesystem::path programs;          ///< folder of troupe and troupe-model
  bool running = false;                    ///< the cluster of this folder runs: its ports are taken by itself
  nanoseconds sync_for = std::chrono::seconds{2}; ///< how long the disk is measured, at most
};

/// All checks of the host; the configuration's own were made by the caller.
std::vector<finding> examine_host(const doctor_subject& subject);

} // namespace troupe::ops
