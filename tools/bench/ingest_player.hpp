#pragma once

/// Plays streams into many feeds at their real spacing, so many times as fast: one thread carries a
/// share of the feeds, each with its own place in its venue's stream. A stream that ends begins
/// anew with a new session.

#include "tools/bench/ingest_streams.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace troupe::bench {

/// When things happen. Steady times in ns.
struct play_schedule {
  std::int64_t begin = 0;
  std::int64_t measured_from = 0;
  std::int64_t end = 0;
  std::int64_t rate_permille = 20'000;

  /// When a frame is due of a feed that begins `late` ns after the others.
  [[nodiscard]] std::int64_t due(const venue_stream& stream, std::int64_t late, std::uint64_t lap,
                                 std::size_t frame) const noexcept {
    const auto market =
        static_cast<std::int64_t>(lap) * stream.length.count() + stream.frames[frame].at.count();
    return begin + late + market / rate_permille * 1000
           + market % rate_permille * 1000 / rate_permille;
  }
  [[nodiscard]] market_time market_at(const venue_stream& stream,
                                      std::int64_t steady) const noexcept {
    return {stream.start.ns + (steady - begin) / 1000 * rate_permille
            + (steady - begin) % 1000 * rate_permille / 1000};
  }
  /// Third of the measured time; beyond 2 for what is not measured.
  [[nodiscard]] std::size_t window(std::int64_t due_at) const noexcept {
    if (due_at < measured_from || due_at >= end) return 3;
    return static_cast<std::size_t>((due_at - measured_from) * 3 / (end - measured_from));
  }
};

/// Steady time in ns.
std::int64_t steady_ns() noexcept;

/// The pace of what is played: returns at a steady time in ns; at once when that is over.
void pace_until(std::int64_t at) noexcept;

/// Where frames go. Called by one thread.
class played_feed {
public:
  virtual ~played_feed() = default;
  virtual void begin_session(std::uint64_t number, market_time now) = 0;
  virtual void take(const stream_frame& frame, market_time received, std::int64_t due) = 0;
  virtual void all_taken() {}                ///< nothing more is due at the moment
  virtual void pulse(market_time /*now*/) {} ///< each 50 ms
};

/// One feed's place in its stream.
struct play_place {
  const venue_stream* stream = nullptr;
  played_feed* feed = nullptr;
  std::int64_t late = 0; ///< ns after the schedule's begin; spreads the feeds of a stream
  std::uint64_t lap = 0;
  std::size_t next = 0;
  std::int64_t pulse_at = 0;
};

/// What has been handed over so far; may be read at any time.
struct play_counts {
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> bytes{0};
};

/// Plays until the schedule's end. One thread; `places` are of this thread alone.
void play(std::vector<play_place>& places, const play_schedule& schedule, play_counts& counts);

} // namespace troupe::bench
