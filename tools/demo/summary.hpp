#pragma once

/// The end of a run in one JSON object, and the judgement on it. Pure.

#include "tools/demo/chaos.hpp"

namespace troupe::demo {

/// Everything the summary is made from.
struct run_summary {
  std::string source;
  double speed = 1;
  std::uint64_t seed = 0;
  std::string folder;
  std::int64_t seconds = 0;
  bool chaos = false;
  run_figures figures;
  chaos_figures kills;
  std::int64_t restarts = 0;
  std::string lost_node; ///< ended the run early
  std::optional<venue_sim::ledger_comparison> ledger; ///< none on the paper venue
  std::string ledger_error;                           ///< why there is none although there should be
  std::int64_t trained_twice = 0;
  std::int64_t training_gaps = 0;
  std::string training_error;                         ///< why the chain of checkpoints could not be checked
};

std::string summary_json(const run_summary& run);

/// What the run did not reach; empty when it did all. Short runs are judged by the same bars.
std::vector<std::string> shortfalls(const run_summary& run);

} // namespace troupe::demo
