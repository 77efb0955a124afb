#pragma once

/// How `troupe up` starts the nodes of other hosts: through ssh it runs `troupe up --host HOST` there, a parent
/// process of that host's own, which refuses when it is of another build. ssh only starts and ends it; no data
/// of the cluster passes through. When the connection is lost, that parent stops its nodes in order. Pure.

#include "runtime/cluster/nodes_conf.hpp"

#include <string>
#include <vector>

namespace troupe {

/// What is started on one host. Paths are those of that host: the same installation, configuration and data
/// folder as here.
struct remote_start {
  std::string host;                   ///< as in nodes.conf
  std::string program;                ///< `troupe` there
  std::string config;                 ///< configuration folder there
  std::string data;                   ///< data folder there
  std::string nodes_file;             ///< nodes.conf there; empty: as configured
  std::vector<std::string> overrides; ///< --set
  std::string build;                  ///< this program's build id
};

/// One word for a POSIX shell, whatever stands in it.
std::string shell_word(std::string_view text);

/// The command to run here. `ssh`: the program with its options, in words parted by blanks, such as
/// "ssh -o BatchMode=yes -i /etc/troupe/id". Only options of the connection are added: a terminal, so that the
/// end of the connection reaches the other side, and signs of life, so that a dead one is noticed in 15 s.
/// An error when `ssh` is empty or the host begins with '-'.
result<std::vector<std::string>> ssh_command(std::string_view ssh, const remote_start& what);

/// Hosts of nodes.conf that are not among `here` (this machine's addresses), in the file's order.
std::vector<std::string> other_hosts(const nodes_conf& conf, const std::vector<std::string>& here);

/// True for 127.0.0.1 and localhost, which are every machine's own, and for those of `here`.
bool is_this_host(std::string_view host, const std::vector<std::string>& here);

/// In which order nodes are replaced in a rolling upgrade: what only computes first, executors last.
std::vector<std::string> rolling_order(const nodes_conf& conf);

} // namespace troupe
