#pragma once

/// `troupe torture feeds`: the connectors and feeds of a node against simulators of the venues, over TLS sockets, with faults
/// injected one after the other. What a venue's sequence or checksum can prove must be detected, no wrong book may be
/// published, and the venues' own limits, which the simulators enforce, must never be broken.

#include "messages/time.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace troupe {

struct feed_torture_options {
  std::vector<std::string> venues; ///< empty: all twelve
  std::uint64_t seed = 1;
  std::int64_t seconds = 60;       ///< how long faults are injected
  /// Quiet times of the venues are cut to this, so that silence is noticed within a run; 0: as the venues have them.
  nanoseconds quiet = std::chrono::seconds{4};
  std::filesystem::path folder;    ///< certificates of the simulators; empty: a temporary one
  bool json = false;
};

/// Runs it and prints the report. Exit code 0 only when nothing was missed, no book was wrong, no limit was
/// broken, and books were valid again in time.
int torture_feeds(const feed_torture_options& options);

} // namespace troupe
