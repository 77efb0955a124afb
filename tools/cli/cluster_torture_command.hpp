#pragma once

#include "tools/cli/command.hpp"

#include <string>

namespace troupe::cli {

/// Adds `cluster` below `troupe torture`.
/// @param recordings folder of recordings; where none is, the market is generated
void add_cluster_torture(CLI::App& torture, global_options& global, const std::string& recordings);

} // namespace troupe::cli
