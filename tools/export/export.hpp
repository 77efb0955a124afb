#pragma once

/// `troupe export`: bars and features of one instrument out of a store, a running node or a tape, as CSV with
/// a manifest beside it that holds the SHA-256 of the file.

#include "messages/history.hpp"
#include "messages/learning.hpp"

#include <filesystem>
#include <functional>
#include <iosfwd>

namespace troupe {

enum class export_kind : std::uint8_t { bars, features };

struct export_options {
  export_kind what = export_kind::bars;
  instrument_spec spec;                           ///< whose; with its scales
  nanoseconds interval = std::chrono::minutes{1}; ///< of bars
  market_time from{0};
  market_time to{INT64_MAX}; ///< exclusive for bars' open times, inclusive for features' seconds
  std::filesystem::path out; ///< "-": standard output, without a manifest
};

/// Where rows come from. A source that has no features (or no bars) leaves that function empty.
struct export_source {
  std::string name; ///< for the manifest: "store DIR", "node ingest", "tape FILE"
  std::function<result<bar_page>(const bar_range&)> bars;
  /// Calls back with each frame of the instrument in order of time.
  std::function<status(const std::function<void(const feature_frame&)>&)> frames;
};

struct export_figures {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t refused = 0; ///< frames that could not be read
  std::string sha256;
};

/// A store in a folder, opened read-only: DIR of a store, of a node, or of all nodes (then the first that has
/// one). Its frames are those that were predicted from and scored.
result<export_source> store_source(const std::filesystem::path& folder, const instrument_id& instrument);

/// A recording, played through the instrument's feed.
result<export_source> tape_source(const std::filesystem::path& tape, const instrument_spec& spec);

/// The rows of a source that hands out training batches: each frame once, in order.
status frames_of_training(const instrument_id& instrument,
                          const std::function<result<training_batch>(const training_pull&)>& pull,
                          const std::function<void(const feature_frame&)>& take);

/// Writes the CSV and, beside a file, FILE.manifest.json.
result<export_figures> export_csv(const export_options& options, const export_source& source,
                                  std::ostream& standard_output);

/// The SHA-256 of a file agrees with its manifest, or an error that says what differs.
status verify_export(const std::filesystem::path& file);

/// "2024-08-08", "2024-08-08T23:54:00Z" or nanoseconds since 1970.
result<market_time> parse_utc(std::string_view text);

} // namespace troupe
