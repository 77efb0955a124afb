#pragma once

/// When a node process that ended is started again: back-off and a limit. Pure; times are handed in.

#include "messages/time.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace troupe {

struct restart_options {
  nanoseconds least = std::chrono::milliseconds{200}; ///< first pause, doubled with each failure ...
  nanoseconds most = std::chrono::seconds{30};        ///< ... up to this
  nanoseconds proven_after = std::chrono::seconds{1}; ///< ready for so long: the back-off begins anew
  std::uint32_t limit = 5;                            ///< more counted failures than this ...
  nanoseconds period = std::chrono::seconds{60};      ///< ... within this time: give up
};

/// Why a process ended, as far as restarting it is concerned.
enum class process_end : std::uint8_t {
  failure,  ///< its own fault: counted
  outside,  ///< killed by an operator, the fault rig or somebody's SIGKILL or SIGTERM: not counted
  declared, ///< exit code 75: it learned that it was declared dead; started at once, not counted
  finished, ///< exit code 0: it was drained; not started again
  hopeless, ///< exit code 78 or 65: its configuration or its files are wrong; starting it again can't help
};

/// Exit codes of a node that the parent understands (sysexits' EX_DATAERR, EX_TEMPFAIL, EX_CONFIG).
inline constexpr int exit_data = 65;
inline constexpr int exit_declared_dead = 75;
inline constexpr int exit_configuration = 78;

/// Reads a wait status (see waitpid). `we_killed`: the parent sent the signal on an operator's behalf.
/// `stuck`: the parent killed it because its heartbeat fell silent.
process_end classify_end(int wait_status, bool we_killed, bool stuck) noexcept;

/// One process's history of ends.
class restart_policy {
public:
  explicit restart_policy(restart_options options) : options_{options} {}

  /// The process ended. `ready_for`: how long it had been ready (nothing: it never was).
  /// Returns the pause until the next start, or nothing when it is not to be started again.
  [[nodiscard]] std::optional<nanoseconds> ended(process_end how, std::optional<nanoseconds> ready_for,
                                                 steady_time now);

  /// Forgets the history; an operator asked for a start.
  void forgive() noexcept;

  [[nodiscard]] std::uint32_t failures_in_a_row() const noexcept { return failures_; }

private:
  restart_options options_;
  std::uint32_t failures_ = 0;      // ends in a row without having been proven
  std::deque<steady_time> counted_; // counted failures within the period
};

} // namespace troupe
