#pragma once

/// `troupe feed list` and `feed show`: what the feeds of running nodes say of themselves, as rows and as words. Pure:
/// the nodes' pages go in, text comes out.

#include "tools/json_view.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

/// One feed of a node.
struct feed_row {
  std::string node;
  std::string instrument;
  json_view page; ///< the feed's own status
};

/// The feeds in a node's page of verbosity 2, by name; of one venue only where `venue` is not empty.
std::vector<feed_row> feed_rows(const std::string& node, const json_view& page, std::string_view venue = {});

/// A table, one line a feed, headed.
std::string feed_table(const std::vector<feed_row>& rows);

/// All there is of one feed, one figure a line.
std::string feed_sheet(const feed_row& row);

/// [{"node":…,"feed":…,…}]: the figures of the table, times in ns.
std::string feed_list_json(const std::vector<feed_row>& rows);

} // namespace troupe::cli
