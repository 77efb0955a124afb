#pragma once

/// What `troupe bench ingest` plays: one stream of frames a venue, recorded or generated, as the
/// venue's connector would hand it to a feed. Every feed gets a decoder of its own over the same
/// frames.

#include "actors/connectors/venue.hpp"
#include "actors/feeds/feed_core.hpp"
#include "messages/error.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::bench {

/// One frame at its market time behind the stream's begin.
struct stream_frame {
  nanoseconds at{0};
  bool image = false; ///< body of a REST image
  std::string text;
};

/// The frames of one instrument of one venue.
struct venue_stream {
  static constexpr std::uint32_t no_frame = 0xffffffff;

  const venue_description* venue = nullptr;
  std::string channel;     ///< of the book; empty: the venue's default
  std::string_view source; ///< "CLONED": recorded, shown under other names; "GENERATED"
  instrument_spec spec;
  market_time start;
  nanoseconds length{0}; ///< of one lap, market time
  std::size_t bytes = 0;
  std::vector<stream_frame> frames;
  /// What a feed makes of one lap: the frame behind each quote, `no_frame` for those of the
  /// session's begin.
  std::vector<std::uint32_t> quote_frames;

  /// Frames a second of market time.
  [[nodiscard]] double rate() const noexcept {
    return static_cast<double>(frames.size()) * 1e9 / static_cast<double>(length.count());
  }
};

/// Settings of a feed of this stream. Nothing depends on the clock, so that all feeds of a stream
/// publish the same quotes in the same order.
feed_core_options core_options(const venue_stream& stream);

/// How active the simulator's market must be (venue sim --activity) for an instrument to be as busy as the
/// venue's recordings were; 1 when that is not known.
double activity_of(const venue_description& venue, std::uint64_t seed);

/// The venue's stream: its recording where one of at least 50 s lies in `data`, else what the
/// simulator's dialect says over `length` of market time at that activity. An error when no valid book comes out of
/// 20 s at least.
result<venue_stream> make_stream(const venue_description& venue, const std::filesystem::path& data,
                                 nanoseconds length, std::uint64_t seed, double activity);

} // namespace troupe::bench
