#pragma once

/// `troupe tape record`: connectors and feeds as in a node, several venues at once, each venue's raw frames
/// into tapes of its own. Feeds run along because images by REST are asked for by them; what they see is the
/// proof that what is on the tape makes true books.

#include "tools/tape_deck/tape_file_series.hpp"
#include "tools/venue_check/venue_check.hpp"

#include <functional>

namespace troupe {

struct tape_record_options {
  std::vector<venue_check_options> venues; ///< whom to contact and which instruments
  std::filesystem::path folder;            ///< is made when it is not there
  nanoseconds length{0};                   ///< steady time; 0: until `stopped`
  std::function<bool()> stopped;           ///< asked every 100 ms; empty: never
  std::uint64_t file_bytes = 1U << 30;
  nanoseconds file_time = std::chrono::hours{1};
  std::size_t queue_bytes = 64U << 20;                  ///< a venue, between its sockets and its tape
  nanoseconds longest_wait = std::chrono::seconds{10};  ///< of the sockets for the tape
};

struct recorded_feed {
  std::string instrument;
  std::string validity; ///< of its book at the end
  std::int64_t gaps = 0;
  std::int64_t trades = 0;
};

/// What one venue's recording came to.
struct venue_recording {
  std::string venue;
  std::vector<std::filesystem::path> files;
  std::uint64_t frames = 0, bytes = 0;
  std::uint64_t waits = 0;   ///< times the sockets waited for the tape
  std::uint64_t dropped = 0; ///< frames lost because the tape stood still; an error
  std::string failure;       ///< why the recording is no good; empty when it is
  std::vector<recorded_feed> feeds;
};

/// Records and returns when the time is over. An error when the folder can't be made.
result<std::vector<venue_recording>> record_tapes(const tape_record_options& options);

} // namespace troupe
