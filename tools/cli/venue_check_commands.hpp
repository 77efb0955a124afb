#pragma once

/// `troupe venue list` and `troupe venue check VENUE`.

#include "tools/cli/command.hpp"

namespace troupe::cli {

/// Adds both below `troupe venue`.
void add_venue_check_commands(CLI::App& venue, global_options& global);

} // namespace troupe::cli
