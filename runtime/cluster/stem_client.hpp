#pragma once

/// Talks to the parent process over its unix socket, also while nodes are wedged. Blocking, with
/// time-outs; for command-line programs, never from an actor.

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/errc.hpp"

#include <filesystem>
#include <string>

namespace troupe {

/// Sends one command line, returns the answer (one JSON object). Commands:
/// `status` · `kill NAME [SIGNAL]` · `restart NAME` · `stop`. A refused command is an error with the
/// reason.
///
/// `status` answers
/// `{"pid":…,"stopping":…,"ready":…,"nodes":[{"node","pid","state","ready","restarts","kills",
/// "silent_ms","since_ms","last_exit"}…]}`; `state` is starting, running, waiting, stopping, stopped or
/// failed.
/// `kill` counts as an operator's act: no limit, back-off begins anew. SIGNAL is a number or a name such as
/// KILL, STOP, CONT, TERM, ABRT; KILL when absent.
result<std::string> ask_stem(const std::filesystem::path& socket, const std::string& command,
                             nanoseconds timeout = std::chrono::seconds{2});

} // namespace troupe
