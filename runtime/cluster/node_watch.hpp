#pragma once

/// Watches over the process of a node: handlers that take long or don't return, a scheduler that stalls, a
/// clock that jumps, memory that grows. Findings go to the log, to the time line and into the status.
/// A handler that has blocked a scheduler thread for ten seconds is told to the parent process, which ends this
/// one and starts it anew, and silences the heartbeat; one on a thread of its own is only reported.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/process_watch.hpp"
#include "runtime/actor/watchdog.hpp"
#include "runtime/clock.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace troupe {

struct node_watch_options {
  nanoseconds slow = std::chrono::milliseconds{100};
  nanoseconds stuck = std::chrono::seconds{10};
  nanoseconds every = std::chrono::milliseconds{50};
  nanoseconds stall = std::chrono::seconds{1};
  memory_watch::options memory{};
  nanoseconds memory_every = std::chrono::seconds{10}; ///< between two readings
  const market_clock* wall = nullptr;                  ///< read for jumps; null: the host's
  /// A handler has blocked a scheduler thread for `stuck`: this process is to be started anew. On the watch's thread.
  std::function<void()> on_stuck{};
};

/// Thread-safe; a thread of its own from construction to destruction.
class node_watch {
public:
  explicit node_watch(caf::actor_system& system, node_watch_options options = {});
  ~node_watch();
  node_watch(const node_watch&) = delete;
  node_watch& operator=(const node_watch&) = delete;

  /// Counters and the newest findings as one JSON object.
  [[nodiscard]] std::string json() const;

  /// A handler has been stuck on a scheduler thread for longer than the limit: no heartbeat now.
  [[nodiscard]] bool stuck() const noexcept { return stuck_.load(std::memory_order_relaxed); }

private:
  struct finding {
    std::int64_t at;
    std::string text;
  };
  void look(bool stuck);
  void found(std::uint64_t& counter, std::string text, bool grave);

  node_watch_options options_;
  caf::actor pulse_;
  std::shared_ptr<std::atomic<std::uint64_t>> answered_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::atomic<bool> stuck_{false};
  wall_clock host_;
  clock_watch clock_;
  memory_watch memory_;
  stall_watch stall_;
  std::int64_t memory_looked_ = 0;
  mutable std::mutex guard_;
  std::deque<finding> newest_; // at most 8
  std::uint64_t slow_ = 0;
  std::uint64_t stuck_count_ = 0;
  std::uint64_t stalls_ = 0;
  std::uint64_t jumps_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t growths_ = 0;
  std::unique_ptr<watchdog> dog_; // last: its thread uses all of the above
};

/// Bytes of memory this process occupies; 0 when it can't be read.
std::uint64_t resident_bytes();

} // namespace troupe
