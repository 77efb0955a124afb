#pragma once

/// `troupe bench journal`: append + fdatasync of one intent against writing and syncing the same bytes
/// without a journal, and intents per second with many callers sharing syncs.

#include <filesystem>
#include <iosfwd>

namespace troupe {

struct bench_journal_options {
  std::filesystem::path directory; ///< on the disk to measure; empty = the current folder
  unsigned runs = 15;              ///< alternating runs; the median counts
  unsigned appends = 100;          ///< intents a run, each synced
  unsigned callers = 256;          ///< actors that each wait for their answer before they send again
  unsigned seconds = 2;            ///< length of the measurement with many callers
  bool json = false;
};

/// Prints the figures on `out` and words on `err`. Exit code 0, or 1 when the disk refuses.
int bench_journal(const bench_journal_options& options, std::ostream& out, std::ostream& err);

} // namespace troupe
