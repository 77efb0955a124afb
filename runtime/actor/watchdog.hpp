#pragma once

/// Finds handlers that don't return. CAF can't end them: whoever hears of one that is stuck for
/// long lets the process be restarted. Also calls whoever looks after the process as a whole.

#include "runtime/actor/actor_table.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace troupe {

struct watchdog_options {
  nanoseconds slow = std::chrono::milliseconds{100}; ///< reported to `on_slow`
  nanoseconds stuck = std::chrono::seconds{10};      ///< reported to `on_stuck`
  nanoseconds every = std::chrono::milliseconds{50}; ///< between two looks
  /// Both are called at most once per run of a handler, on the watchdog's thread.
  std::function<void(const running_handler&)> on_slow{};
  std::function<void(const running_handler&)> on_stuck{};
  /// Called after each look, on the watchdog's thread. `stuck`: a handler of a scheduler thread is stuck now.
  std::function<void(bool stuck)> on_look{};
};

/// A thread from construction to destruction.
class watchdog {
public:
  explicit watchdog(watchdog_options options);
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  ~watchdog();

private:
  struct told {
    std::int64_t since = 0; ///< start of the run that was reported
    bool stuck = false;
  };

  void run();
  void look();

  watchdog_options options_;
  std::unordered_map<std::uint64_t, told> told_;
  std::mutex guard_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace troupe
