#pragma once

/// Every metric that is read from an actor's own status page: one row a metric. The page of `/metrics`, the
/// reference in docs/operations.md and the checks of alert rules and dashboards are made from this table.

#include "runtime/telemetry/metrics_text.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace troupe::node {

/// Where one metric stands in a report and what its lines are told apart by.
struct metric_row {
  std::string_view name;
  metric_type type;
  std::string_view help;
  std::string_view report; ///< first part of the actor's name: feed, connector, executor …
  std::string_view path;   ///< of the value within the report, or within each item
  double scale = 1;        ///< 1e-9 makes seconds of nanoseconds
  std::string_view each =
      {}; ///< an array, or an object whose members are the values; empty = the report itself
  std::string_view label = {}; ///< label of each item: "peer=node" takes the item's field, "code=@" its key
  std::string_view word = {};  ///< not empty: the value is 1 where the text at `path` is this word, else 0
};

/// All rows; those of one name stand together and share type and help.
std::span<const metric_row> metric_rows();

/// Name, type, help and labels of everything a node can show; for references and checks. No samples.
struct metric_description {
  std::string name;
  metric_type type;
  std::string help;
  std::vector<std::string> labels;
};

/// The rows and what the page adds to them (actors, process, page).
std::vector<metric_description> all_metrics();

/// The family of that name without samples, for what no actor reports. @pre the table has it
metric_family empty_family(std::string_view name);

/// Labels that an actor's name says: "feed/BTC-USDT@binance" → instrument and venue.
std::vector<metric_label> labels_of_actor(std::string_view actor);

} // namespace troupe::node
