#pragma once

/// `troupe up --rolling`: the nodes of a running parent are started anew one after another, with the programs
/// that lie on the disk now. And what `up` needs to know of hosts.

#include "runtime/cluster/client.hpp"

#include <filesystem>

namespace troupe::cli {

/// Starts the nodes of this host anew, one by one, each only when the one before runs, every node sees
/// again whom it saw, and every actor that ran runs again. Refused
/// before anything is touched when a node runs with another message schema: such versions don't understand each
/// other. `socket`: the parent's. Returns how many were started anew.
result<std::size_t> roll(cluster_client& client, const std::filesystem::path& socket,
                         const std::filesystem::path& data, const std::vector<std::string>& here);

/// The numeric addresses of this machine.
std::vector<std::string> own_addresses();

} // namespace troupe::cli
