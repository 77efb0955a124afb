#pragma once

/// `troupe bench feed`: time from raw frame to sequence-checked book on recorded streams, against
/// simdjson on-demand that only parses the same bytes, and against simdjson with a plain std::map book.

#include <filesystem>
#include <iosfwd>

namespace troupe {

struct bench_feed_options {
  std::filesystem::path data; ///< folder of recordings; empty = $TROUPE_DATA, else ../shared/data
  unsigned runs = 15;         ///< alternating runs; the median counts
  bool depth_sweep = true;    ///< also measure books of 10 to 5,000 levels
  bool json = false;
};

/// Prints the figures on `out` and words on `err`. Exit code 0; 1 when a recording is missing or when the
/// ways disagree about the book (then the figures would mean nothing).
int bench_feed(const bench_feed_options& options, std::ostream& out, std::ostream& err);

} // namespace troupe
