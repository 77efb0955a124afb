#pragma once

/// `troupe bench ingest`: many venues with many instruments each, faster than they come: through
/// the pure feeds, through feed actors, and over TLS sockets from simulators in processes of their
/// own. Shows whether books grow old, and what 1,000 messages a second cost.

#include "tools/bench/ingest_figures.hpp"
#include "tools/bench/ingest_streams.hpp"

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace troupe {

struct bench_ingest_options {
  std::filesystem::path data; ///< folder of recordings; empty = $TROUPE_DATA, else ../shared/data
  std::vector<std::string> venues; ///< empty: all
  std::vector<std::string> ways;   ///< of "core", "actors", "sockets"; empty: all
  unsigned instruments = 50;       ///< a venue
  double speed = 20;               ///< times real time, in process
  double socket_speed = 5;         ///< times real time, over sockets
  unsigned seconds = 15;           ///< measured, each way
  unsigned warm_up = 3;            ///< seconds before that
  bool busy = false; ///< generated instruments at the rate of a recorded BTC-USDT; else at `recorded_rate`
  unsigned threads = 2;            ///< that feeds run on
  unsigned patience = 180;         ///< seconds until all books must have come over sockets
  std::uint64_t seed = 1;
  std::filesystem::path simulator; ///< program with `venue sim`; empty: this one
  bool json = false;
};

/// Prints the figures on `out` and words on `err`. Exit code 0; 1 when a stream can't be made, a
/// simulator does not start, or a feed did not publish what its stream holds (then the figures
/// would mean nothing).
int bench_ingest(const bench_ingest_options& options, std::ostream& out, std::ostream& err);

namespace bench {

/// The feeds alone: each frame on the thread that plays it.
ingest_figures ingest_cores(const bench_ingest_options& options,
                            const std::vector<venue_stream>& streams);
/// The feed actors, with frames in batches as a connector sends them.
ingest_figures ingest_actors(const bench_ingest_options& options,
                             const std::vector<venue_stream>& streams);
/// Simulators in processes of their own, connectors and feeds as a node runs them.
result<ingest_figures> ingest_sockets(const bench_ingest_options& options,
                                      const std::vector<const venue_description*>& venues);

} // namespace bench
} // namespace troupe
