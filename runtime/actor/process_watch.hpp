#pragma once

/// What can go wrong with a process as a whole: it does not run, its clock jumps, its memory grows. Pure:
/// readings go in, findings come out.

#include "messages/time.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace troupe {

/// Sees steps of the wall clock and times in which the process did not run at all (stopped, or its host
/// suspended or overloaded).
class clock_watch {
public:
  struct options {
    nanoseconds jump = std::chrono::milliseconds{250}; ///< wall and steady time apart by more since the last look
    nanoseconds gap = std::chrono::seconds{1};         ///< later than this for a look: the process did not run
  };
  struct finding {
    nanoseconds jump{}; ///< of the wall clock; negative = backwards; 0 = none
    nanoseconds gap{};  ///< time without a look; 0 = none
  };
  clock_watch() : clock_watch(options{}) {}
  explicit clock_watch(options how) : options_{how} {}

  /// `every`: when the next look was due after the last.
  [[nodiscard]] finding look(std::int64_t steady, std::int64_t wall, nanoseconds every);

private:
  options options_;
  std::int64_t steady_ = 0;
  std::int64_t wall_ = 0;
};

/// Sees memory that grows for long: half as much again as the least of the last hour and more than that by
/// 256 MiB. After each finding that figure is the new least, so that it tells again when it grew again.
class memory_watch {
public:
  struct options {
    nanoseconds warm_up = std::chrono::minutes{1}; ///< starting up takes memory
    nanoseconds window = std::chrono::hours{1};
    std::uint64_t least_growth = std::uint64_t{256} << 20;
    std::uint32_t percent = 150;
  };
  memory_watch() : memory_watch(options{}) {}
  explicit memory_watch(options how) : options_{how} {}

  /// The least of the window when the finding is true. One reading a second or rarer.
  [[nodiscard]] std::optional<std::uint64_t> look(std::int64_t steady, std::uint64_t resident);

private:
  struct reading {
    std::int64_t at;
    std::uint64_t resident;
  };
  options options_;
  std::int64_t since_ = 0;
  std::deque<reading> rising_; ///< growing in both; the front is the least of the window
};

/// Sees a scheduler that does not get to its work: a poke must come back within `limit`.
class stall_watch {
public:
  explicit stall_watch(nanoseconds limit = std::chrono::seconds{1}) : limit_{limit} {}

  /// True: poke the scheduler now. `answered`: number of the newest poke that came back.
  [[nodiscard]] bool wants_poke(std::uint64_t answered) const noexcept { return answered == poked_; }
  /// A poke goes out; its number.
  std::uint64_t poke(std::int64_t steady) noexcept;
  /// How long the poke under way has been without an answer, told once per stall; nothing while all is well.
  [[nodiscard]] std::optional<nanoseconds> stalled(std::uint64_t answered, std::int64_t steady);

private:
  nanoseconds limit_;
  std::uint64_t poked_ = 0;
  std::uint64_t told_ = 0;
  std::int64_t since_ = 0;
};

} // namespace troupe
