#pragma once

/// Time lines of several nodes in the Trace Event Format of Chrome ("Trace Event Format", JSON object form):
/// chrome://tracing and ui.perfetto.dev show it. A node is a process, an actor a thread of it. Pure.

#include "messages/introspection.hpp"

#include <string>
#include <vector>

namespace troupe::inspection {

/// Long handlers become complete events ("X"), everything else instants ("i"); times in microseconds of UTC.
/// The nodes' clocks are taken as they are.
std::string chrome_trace(const std::vector<timeline_page>& nodes);

} // namespace troupe::inspection
