#pragma once

/// `troupe tape record` and `replay`.

#include "tools/cli/command.hpp"

namespace troupe::cli {

/// Adds them below `troupe tape`.
void add_tape_deck_commands(CLI::App& tape, global_options& global);

} // namespace troupe::cli
