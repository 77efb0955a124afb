#pragma once

/// Reads nodes.conf from disk.

#include "runtime/cluster/nodes_conf.hpp"

#include <filesystem>

namespace troupe {

/// Reads and parses the file (at most 1 MiB).
result<nodes_conf> load_nodes_conf(const std::filesystem::path& file);

/// The nodes.conf of a configuration folder: `name` within it, else beside the folder (a checkout keeps it at its
/// root). An absolute name is taken as it is.
result<nodes_conf> load_nodes_conf_of(const std::filesystem::path& folder, const std::filesystem::path& name);

} // namespace troupe
