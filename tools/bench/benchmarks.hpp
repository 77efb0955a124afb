#pragma once

/// All benchmarks as the command line calls them: with default settings, figures on `out` (as JSON when
/// asked), words on standard error, exit code 0 when they ran.

#include "tools/bench/bench_feed.hpp"
#include "tools/bench/bench_ingest.hpp"
#include "tools/bench/bench_journal.hpp"

#include <iostream>

namespace troupe {

inline int bench_feed(std::ostream& out, bool json) {
  bench_feed_options options;
  options.json = json;
  return bench_feed(options, out, std::cerr);
}

inline int bench_journal(std::ostream& out, bool json) {
  bench_journal_options options;
  options.json = json;
  return bench_journal(options, out, std::cerr);
}

/// Hop and ask with introspection on, against bare CAF.
int bench_actors(std::ostream& out, bool json);

} // namespace troupe
