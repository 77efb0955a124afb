#pragma once

/// What the configuration says of the TLS front, for nodes and for programs that ask them.

#include "runtime/cluster/front.hpp"
#include "runtime/config/configuration.hpp"

namespace troupe::node {

/// The settings cluster.tls.* and cluster.rig.*; names are relative to the configuration folder. Nodes of
/// nodes.conf and the own name are filled in by who uses it.
front_options front_settings(const configuration& config, const std::filesystem::path& folder);

} // namespace troupe::node
