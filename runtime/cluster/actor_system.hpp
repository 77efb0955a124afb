#pragma once

/// The actor system of a node process, and how such a process ends.

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/errc.hpp"

#include <caf/actor_system_config.hpp>

#include <functional>
#include <string>
#include <vector>

namespace troupe {

struct system_options {
  std::size_t threads = 2; ///< workers of the actor scheduler
  bool network = true;     ///< false: no middleman
  nanoseconds heartbeat =
      std::chrono::milliseconds{500}; ///< of CAF's links; the backstop behind `membership`
  nanoseconds connection_timeout = std::chrono::seconds{3}; ///< CAF gives a silent link up
};

/// Configuration of CAF: sharing scheduler, bounded runs, link heartbeats, our message types and
/// thread names. CAF's own command line and files are not read.
/// ```
/// system_config config{{.threads = spec.threads}};
/// caf::actor_system system{config};
/// ```
/// Never make the system `static` and return from main: CAF 0.17.6 keeps a thread-local reference to
/// its logger, which dies before static objects do, and frees it twice. End with `shutdown_plan` or
/// `end_process`.
class system_config : public caf::actor_system_config {
public:
  explicit system_config(const system_options& options);
};

/// Blocks SIGTERM and SIGINT for the process and ignores SIGPIPE. To be called first in main, before
/// any thread exists: threads inherit the mask, and `wait_for_stop` then is the one place that sees them.
void block_stop_signals();

/// Waits until SIGTERM or SIGINT comes, or `request_stop` is called. Returns the signal.
/// @pre block_stop_signals() was called
int wait_for_stop();

/// Makes `wait_for_stop` return; from any thread.
void request_stop();

/// Steps of an ordered end, each with its deadline.
///
/// A process of ours never waits for `~actor_system`: an actor that is stuck, or a detached one that is
/// still referenced, would keep it for ever. The steps run in order on the calling thread under a
/// watchdog; when one overruns its deadline, what remains is skipped. Either way the process ends by
/// `_exit`.
class shutdown_plan {
public:
  /// `what`: for the log line when the step overruns.
  shutdown_plan& step(std::string what, nanoseconds within, std::function<void()> run);

  /// Runs the steps and ends the process with `exit_code`; with 70 when a step overran its deadline.
  [[noreturn]] void run(int exit_code);

private:
  struct entry {
    std::string what;
    nanoseconds within;
    std::function<void()> run;
  };
  std::vector<entry> steps_;
};

/// Flushes standard output and error and ends the process without running destructors.
[[noreturn]] void end_process(int exit_code);

/// Exit code of a process whose ordered end hung and was cut short (sysexits' EX_SOFTWARE).
inline constexpr int exit_shutdown_hung = 70;

} // namespace troupe
