#pragma once

/// Error codes of the cluster: nodes.conf, joining, links, the parent process and its clients.

#include <system_error>

namespace troupe {

enum class cluster_errc {
  bad_syntax = 1, ///< nodes.conf: a line that can't be read
  unknown_word,   ///< nodes.conf: unknown key, role or device
  bad_value,      ///< nodes.conf: a value out of its range
  conflict,       ///< nodes.conf: two lines that contradict each other
  unreadable,     ///< a file can't be read or written
  unknown_node,   ///< no node of that name in nodes.conf
  refused,        ///< a peer or a command was refused
  unreachable,    ///< nobody answers at that address
  timed_out,      ///< no answer within the time allowed
  not_found,      ///< no actor of that name
  port_in_use,    ///< the node's port is taken by another process
  damaged,        ///< a durable file fails its checksum
  failed,         ///< the operating system or a library refused
};

std::error_code make_error_code(cluster_errc code) noexcept;

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::cluster_errc> : std::true_type {};
