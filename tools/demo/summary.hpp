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
  bool whole = true;        ///< it ran as long as --for asked; false: until ctrl-C, so the lower bars don't apply
  bool interrupted = false; ///< ended by a person before its time, or while it started
  bool started = true;      ///< false: interrupted before every actor ran
  std::string unsettled;    ///< why it did not come to rest at the end; empty when it did
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

/// What the run did not reach or broke; empty when it did all. A whole run on a tape or the generated market is
/// judged by fixed bars, also a short one. Live data runs at its own pace and may be quiet: there only what its
/// length makes certain is asked for. Nothing may be lost, doubled or unsettled, however a run ends.
std::vector<std::string> shortfalls(const run_summary& run);

} // namespace troupe::demo
