#pragma once

/// `troupe up`'s parent process: starts the node processes, sees them end or fall silent, starts them
/// again, answers questions on a unix socket, stops them in order. It has no threads, no actor
/// system and opens none of the nodes' files; everything happens in one poll loop.
///
/// A node gets a pipe in the environment variable TROUPE_STEM_FD (`stem_link.hpp` is its side): one byte a
/// second while its scheduler makes progress, 'R' once all its actors run, and 'S' when something in it does not
/// return. That one and a silent one get SIGABRT, two seconds later SIGKILL. Nodes die with the parent (PR_SET_PDEATHSIG, SIGKILL).
///
/// Exit codes of a node: 0 drained, not started again; 75 declared dead, started at once with a new
/// incarnation; 78 wrong configuration or 65 files that a person has to mend, not started again; else a
/// failure, counted by `restart_policy`.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"
#include "runtime/cluster/restart_policy.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace troupe {

/// One node process.
struct stem_process {
  std::string name;                 ///< the node's name
  std::vector<std::string> command; ///< program and arguments; a program without '/' is searched in PATH
  std::filesystem::path log_file; ///< its standard output and error are appended here (created, mode 0600)
  bool heartbeat = true;          ///< false: a helper without a pipe; it counts as ready when it runs
};

struct stem_options {
  std::vector<stem_process> processes; ///< started in this order, stopped in reverse
  std::filesystem::path socket;        ///< unix socket for status and commands (mode 0600); empty: none
  restart_options restart;
  nanoseconds silence = std::chrono::seconds{10};     ///< heartbeat silence that means wedged
  nanoseconds first_beat = std::chrono::seconds{60};  ///< time until the first heartbeat of a start
  nanoseconds abort_grace = std::chrono::seconds{2};  ///< SIGABRT to SIGKILL
  nanoseconds stop_within = std::chrono::seconds{10}; ///< ordered stop of all nodes
  /// Receives one line a happening ("node model (pid 7) was killed by signal 9; starting it again").
  std::function<void(const std::string&)> say;
  /// Called once, when every process is ready for the first time.
  std::function<void()> all_ready;
  /// Called in each turn of the loop, at least once a second: the parent itself makes progress.
  std::function<void()> turn;
  /// Called once, when the ordered stop begins.
  std::function<void()> stopping;
};

/// Runs the parent until it is stopped: by SIGTERM, SIGINT or the command `stop`, or because nothing is
/// left to run. A second SIGINT or SIGTERM kills at once. A node that was never ready and is given up on
/// stops everything: the cluster can't start as configured.
/// Blocks the caller; takes over SIGCHLD, SIGTERM, SIGINT and SIGHUP of the process.
/// @pre the process has no other thread
/// Returns the exit code for the program: 0 after an ordered stop, 1 when a node failed for good.
result<int> run_stem(const stem_options& options);

} // namespace troupe
