#pragma once

/// Whether the files of a configuration folder fit each other. Pure.

#include "runtime/cluster/nodes_conf.hpp"
#include "runtime/config/configuration.hpp"

namespace troupe::cli {

/// Checks what no single file shows: every instrument's venue and rules stand in venues.yaml, the trading account
/// has a node and a venue. The first error names file and line of the value (or where it was set from) and what
/// to write.
status check_wiring(const configuration& config, const nodes_conf& nodes);

} // namespace troupe::cli
