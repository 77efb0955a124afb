#pragma once

/// `troupe console`: model, view, terminal and source put together.

#include "tools/console/console_source.hpp"

namespace troupe::console {

/// Runs until the person quits, a signal comes or the terminal is gone. Refused in words where there is no
/// terminal for a full screen.
status run_console(const nodes_conf& nodes, source_options options);

} // namespace troupe::console
