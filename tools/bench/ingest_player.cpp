#include "tools/bench/ingest_player.hpp"

#include "runtime/clock.hpp"

#include <algorithm>
#include <ctime>
#include <queue>

namespace troupe::bench {
namespace {

constexpr std::size_t most_at_once = 256;        // then other feeds get their turn
constexpr std::int64_t pulse_every = 50'000'000; // the feed actor's own
constexpr std::int64_t nap = 250'000; // what falls due within it is handed over together, as by one read of a socket

struct due_place {
  std::int64_t due;
  std::uint32_t place;
  bool operator<(const due_place& other) const noexcept {
    return due > other.due;
  } // the earliest on top
};

/// Hands over what is due; returns when the next frame is.
std::int64_t hand_over(play_place& p, const play_schedule& schedule, std::int64_t now,
                       play_counts& counts) {
  const auto& stream = *p.stream;
  std::uint64_t bytes = 0;
  std::size_t frames = 0;
  auto due = schedule.due(stream, p.late, p.lap, p.next);
  while (due <= now && frames < most_at_once) {
    const auto received = schedule.market_at(stream, due);
    if (p.next == 0) p.feed->begin_session(p.lap + 1, received);
    const auto& frame = stream.frames[p.next];
    p.feed->take(frame, received, due);
    bytes += frame.text.size();
    ++frames;
    if (++p.next == stream.frames.size()) p.next = 0, ++p.lap;
    due = schedule.due(stream, p.late, p.lap, p.next);
  }
  p.feed->all_taken();
  if (now >= p.pulse_at) {
    p.feed->pulse(schedule.market_at(stream, now));
    p.pulse_at = now + pulse_every;
  }
  counts.frames.fetch_add(frames, std::memory_order_relaxed);
  counts.bytes.fetch_add(bytes, std::memory_order_relaxed);
  return due;
}

} // namespace

std::int64_t steady_ns() noexcept {
  return monotonic_ns();
}

void pace_until(std::int64_t at) noexcept {
  const timespec until{at / 1'000'000'000, at % 1'000'000'000};
  while (steady_ns() < at)
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

void play(std::vector<play_place>& places, const play_schedule& schedule, play_counts& counts) {
  std::priority_queue<due_place> queue;
  for (std::uint32_t n = 0; n < places.size(); ++n)
    queue.push({schedule.due(*places[n].stream, places[n].late, 0, 0), n});
  while (!queue.empty() && queue.top().due < schedule.end) {
    const auto next = queue.top();
    const auto now = steady_ns();
    if (next.due > now) {
      pace_until(std::max(next.due, now + nap));
      continue;
    }
    queue.pop();
    // What falls due behind the end is left out, however late this thread is.
    queue.push({hand_over(places[next.place], schedule, std::min(now, schedule.end - 1), counts),
                next.place});
  }
}

} // namespace troupe::bench
