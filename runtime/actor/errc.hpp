#pragma once

/// Error codes of the runtime, and errors that travel with CAF messages.
/// `to_caf` and `from_caf` keep code, category and text: an error that one actor returns arrives
/// as the same `troupe::error` at the other, also on another node.

#include "messages/error.hpp"

#include <caf/error.hpp>

#include <system_error>

namespace troupe {

enum class runtime_errc {
  timeout = 1,        ///< no answer within the time-out
  node_down,          ///< the node of the other side is gone
  receiver_down,      ///< the other side has exited
  no_receiver,        ///< empty handle
  too_many_asks,      ///< cap of unanswered asks of one actor
  handler_failed,     ///< an exception left a message handler
  unexpected_message, ///< no handler for this message
  suspended,          ///< the receiver is suspended and its parking lot full
  shutdown,           ///< ordered to stop
  killed,             ///< killed
  unreachable,        ///< nobody held a reference any more
  restart_intensity,  ///< supervisor: too many restarts
  start_failed,       ///< supervisor: a child did not start
  stuck,              ///< supervisor: a child does not end although killed
  not_found,          ///< no such name or child
  already_started,    ///< child runs already
  already_present,    ///< child is known already
  still_running,      ///< child must be stopped first
  restarting,         ///< child waits for its restart
  bad_spec,           ///< faulty child or supervisor specification
  busy,               ///< not possible while stopping
  remote_error,       ///< error of a module this process does not know
};

std::error_code make_error_code(runtime_errc code) noexcept;

/// An error as CAF carries it. Registers the code's category with this process.
caf::error to_caf(const error& err);

/// The way back. CAF's own errors and exit reasons become the matching `runtime_errc`.
/// An empty `caf::error` (a normal exit) gives an error without a code and without text.
error from_caf(const caf::error& err);

/// Makes a category known, so that errors of that module that come from other nodes keep their
/// code. Thread-safe. `category` must live for ever.
void register_error_category(const std::error_category& category);

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::runtime_errc> : std::true_type {};
