#pragma once

/// Reads nodes.conf from disk.

#include "runtime/cluster/nodes_conf.hpp"

#include <filesystem>

namespace troupe {

/// Reads and parses the file (at most 1 MiB).
result<nodes_conf> load_nodes_conf(const std::filesystem::path& file);

} // namespace troupe
