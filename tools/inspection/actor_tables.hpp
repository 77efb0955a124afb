#pragma once

/// Actors as tables for a terminal. Pure.

#include "messages/introspection.hpp"
#include "tools/json_view.hpp"

#include <string>
#include <vector>

namespace troupe::inspection {

/// A row and the node it is of.
struct placed_row {
  std::string node;
  actor_report row;
};

/// "1.5 ms", "12 s": three digits, the largest unit that fits.
std::string duration_text(nanoseconds x);

/// Head line and one line per actor.
std::string actor_table_text(const std::vector<placed_row>& rows);

/// A supervisor's page as an indented tree: children with state, restarts and why; a supervisor with its rules.
std::string tree_text(const json_view& page);

/// The page `actor`: figures, settings, message types, errors, watchers, restarts, state.
std::string actor_text(const std::string& node, const json_view& page);

} // namespace troupe::inspection
