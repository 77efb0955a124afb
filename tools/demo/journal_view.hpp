#pragma once

/// An executor's journal as the ledger comparison wants it: intents with their ends, fills. Reads without
/// lock, beside a running executor.

#include "messages/error.hpp"
#include "tools/venue_sim/ledger_check.hpp"

#include <filesystem>
#include <vector>

namespace troupe::demo {

struct journal_view {
  std::vector<venue_sim::journaled_intent> intents;
  std::vector<venue_sim::journaled_fill> fills;
};

/// @errors damage of the journal, naming file and offset
result<journal_view> read_journal_view(const std::filesystem::path& folder);

} // namespace troupe::demo
