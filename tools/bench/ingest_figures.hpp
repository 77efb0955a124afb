#pragma once

/// What `troupe bench ingest` measures: ages of published books over three windows of time,
/// processor time, memory.

#include "messages/json.hpp"
#include "messages/time.hpp"
#include "tools/bench/simulator_control.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace troupe::bench {

/// Ages in microseconds, within 6 %, in thirds of the measured time: growing lag shows in the last.
/// One owner.
class age_table {
public:
  static constexpr std::size_t windows = 3;

  void add(std::size_t window, nanoseconds age) noexcept {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, age.count()) / 1000);
    ++counts_[std::min(window, windows - 1)][place_of(us)];
    most_us_ = std::max(most_us_, us);
  }
  void add(const age_table& other) noexcept {
    for (std::size_t w = 0; w < windows; ++w)
      for (std::size_t i = 0; i < places; ++i)
        counts_[w][i] += other.counts_[w][i];
    most_us_ = std::max(most_us_, other.most_us_);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_of(0, windows); }
  [[nodiscard]] double most_ms() const noexcept { return static_cast<double>(most_us_) / 1000; }
  /// Of one window. 0 where nothing was measured.
  [[nodiscard]] double window_ms(std::size_t window, double share) const noexcept {
    return percentile(window, window + 1, share);
  }
  [[nodiscard]] double ms(double share) const noexcept { return percentile(0, windows, share); }

private:
  static constexpr std::size_t places = 320; // eight to each power of two, up to 2^40 us

  static std::size_t place_of(std::uint64_t us) noexcept {
    if (us < 8) return us;
    const auto high = static_cast<std::size_t>(std::bit_width(us)) - 4;
    return std::min(places - 1, high * 8 + (us >> high));
  }
  static std::uint64_t middle_of(std::size_t place) noexcept {
    if (place < 16) return place;
    const auto high = place / 8 - 1;
    return ((place % 8 + 8) << high) + (1ULL << high) / 2;
  }
  [[nodiscard]] std::uint64_t count_of(std::size_t from, std::size_t to) const noexcept {
    std::uint64_t out = 0;
    for (auto w = from; w < to; ++w)
      for (const auto n : counts_[w])
        out += n;
    return out;
  }
  [[nodiscard]] double percentile(std::size_t from, std::size_t to, double share) const noexcept {
    const auto wanted = static_cast<double>(count_of(from, to)) * share;
    if (wanted == 0) return 0;
    double seen = 0;
    for (std::size_t i = 0; i < places; ++i) {
      for (auto w = from; w < to; ++w)
        seen += static_cast<double>(counts_[w][i]);
      if (seen >= wanted) return static_cast<double>(middle_of(i)) / 1000;
    }
    return most_ms();
  }

  std::array<std::array<std::uint32_t, places>, windows> counts_{};
  std::uint64_t most_us_ = 0;
};

/// Figures of one way of running.
struct ingest_figures {
  std::string way; ///< "core", "actors", "sockets"
  double speed = 0;
  double seconds = 0; ///< measured, behind the warm-up
  std::size_t feeds = 0;
  std::size_t valid = 0; ///< at the end
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  double cpu_seconds = 0;       ///< of this process
  double other_cpu_seconds = 0; ///< of the simulators' processes
  std::int64_t resident = 0;    ///< bytes that the feeds, and what carries frames to them, brought
  std::uint64_t gaps = 0;
  std::uint64_t damaged = 0;
  std::uint64_t differing = 0; ///< feeds that did not publish what the stream holds
  std::uint64_t undelivered = 0;
  double load_before = 0;
  double load_after = 0;
  age_table ages;
  std::map<std::string, age_table> venues;
  std::map<std::string, simulator_lag> simulators; ///< by venue; part of the ages above
  std::string note;

  [[nodiscard]] double rate() const noexcept {
    return seconds > 0 ? static_cast<double>(messages) / seconds : 0;
  }
  /// No gap, no damage, no difference. A feed may be waiting for its next image at the end.
  [[nodiscard]] bool sound() const noexcept {
    return valid > 0 && gaps == 0 && damaged == 0 && differing == 0 && undelivered == 0;
  }
};

/// Processor time of this process in seconds.
double cpu_seconds();
/// Of another one, from /proc; 0 when it is gone.
double cpu_seconds_of(pid_t process);
/// Resident bytes of this process.
std::int64_t resident_bytes();
/// Processes that ran or wanted to within the last minute; other work on the machine shows here.
double load_average();

void print(std::ostream& out, const ingest_figures& figures);
void write(json_writer& out, const ingest_figures& figures);

} // namespace troupe::bench
