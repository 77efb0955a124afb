#pragma once

/// Reads the nodes' JSON pages (docs/introspection.md) into values. Pure: text in, values out. What a
/// page does not say stays absent; a page that is no JSON gives values without figures.

#include "messages/introspection.hpp"
#include "tools/console/sample.hpp"

#include <string_view>

namespace troupe::console {

/// A node's own status: identity, membership, supervision tree where it is part of the page.
void read_node(node_sample& out, std::string_view json);

/// A supervisor and everything below it, depth first.
std::vector<tree_row> read_tree(std::string_view json);

/// The page of one actor, put where it belongs: feeds, models, accounts or the trading state. Names that
/// the home page does not show are left out.
void read_report(node_sample& out, const std::string& actor, std::string_view json);

/// Whether the home page shows the report of an actor of that name.
bool is_reported(std::string_view actor);

/// The page `node`: what the process uses.
void read_process(node_sample& out, std::string_view json);

/// The page `actor`: its figures, state, children, watchers, errors and restarts.
void read_actor(actor_detail& out, std::string_view json);

/// A page of the actor table.
void read_rows(node_sample& out, troupe::actor_page&& told, bool all_wanted);

tap_answer read_tap(const std::string& node, troupe::tap_page&& told);

/// What of a time line is worth a line in the log: restarts, links, stalls and clocks; not every spawn.
struct timeline_note {
  nanoseconds ago{};
  std::string actor;
  std::string text;
  bool bad = false;
};
std::vector<timeline_note> read_timeline(const troupe::timeline_page& told);

/// "12:34:56.789" UTC.
std::string clock_text(market_time at);

} // namespace troupe::console
