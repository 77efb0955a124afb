#pragma once

/// `troupe bench decoders`: each venue with at least 1,000 recorded frames, frames to books by the venue's
/// decoder and machine, against simdjson parse-only on the same bytes, and, where a folder with the npm
/// clients is named, against them in the same run.

#include <filesystem>
#include <iosfwd>

namespace troupe {

struct bench_decoders_options {
  std::filesystem::path data;    ///< empty: $TROUPE_DATA, else ../shared/data
  std::filesystem::path clients; ///< holds bench_decoders.mjs and node_modules; empty: without them
  unsigned runs = 15;
  bool json = false;
};

/// Exit code 1 when a recording is missing or a book does not end valid.
int bench_decoders(const bench_decoders_options& options, std::ostream& out, std::ostream& err);

} // namespace troupe
