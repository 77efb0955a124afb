#pragma once

/// The counters of every live actor of this process, for the console, the metrics page and the
/// watchdog. Actors write without locks; readers see figures of slightly different instants.

#include "messages/cluster.hpp"
#include "runtime/actor/histogram.hpp"

#include <caf/actor_addr.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Counts per message type of one actor: the first 15 types it meets by name, the rest together.
/// One writer, any reader.
class type_counts {
public:
  static constexpr std::size_t capacity = 15;

  /// `key` identifies a type within the process and is never 0.
  void add(std::uintptr_t key) noexcept;

  struct entry {
    std::uintptr_t key; ///< 0: all types beyond the capacity
    std::uint64_t count;
  };
  [[nodiscard]] std::vector<entry> read() const;

private:
  struct slot {
    std::atomic<std::uintptr_t> key{0};
    std::atomic<std::uint64_t> count{0};
  };
  std::array<slot, capacity + 1> slots_{};
};

/// All counters of one actor. Fields written by senders lie apart from those the actor writes.
struct actor_stats {
  // Fixed after registration.
  std::string name;
  std::string parent;
  std::string kind;
  std::uint64_t id = 0;       ///< CAF's id
  std::uint64_t restarts = 0; ///< earlier incarnations of this name
  std::uint64_t serial = 0;   ///< unique in this process, also over several actor systems
  caf::actor_addr address;

  // Written by senders.
  alignas(64) std::atomic<std::uint64_t> enqueued{0};
  std::atomic<std::uint64_t> sample_at{0}; ///< number of the sampled waiting message, 0 = none
  std::atomic<std::int64_t> sample_ns{0};  ///< when it came

  // Written by the actor.
  alignas(64) std::atomic<std::uint64_t> consumed{0};
  std::atomic<std::int64_t> handler_since{
      0}; ///< steady ns at which the running handler began, 0 = none runs
  std::atomic<std::uintptr_t> handler_type{0};
  std::int64_t handler_ended =
      0; ///< actor only: end of the last handler of this resumption, 0 = none
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> unexpected{0};
  std::atomic<std::uint64_t> parked{0};  ///< messages held back while suspended
  std::atomic<std::uint64_t> refused{0}; ///< messages refused by a full parking lot
  std::atomic<std::uint64_t> asks_in_flight{0};
  std::atomic<bool> suspended{false};
  histogram handler_time;
  type_counts types;

  /// Waiting messages.
  [[nodiscard]] std::uint64_t mailbox() const noexcept;
  void set_last_error(std::string text);
  [[nodiscard]] std::string last_error() const;

private:
  mutable std::mutex guard_;
  std::string last_error_;
};

/// A handler that is running, as the watchdog sees it.
struct running_handler {
  std::string actor;
  std::uint64_t serial = 0;
  std::string message;    ///< type of the message being handled
  std::int64_t since = 0; ///< steady ns of the start
  nanoseconds running{};
};

/// Process-wide, sharded, thread-safe.
class actor_table {
public:
  /// The table of this process. Lives for ever.
  static actor_table& instance();

  void add(const std::shared_ptr<actor_stats>& stats);
  void remove(const actor_stats& stats);

  /// One report per live actor, ordered by name.
  [[nodiscard]] std::vector<actor_report> list() const;

  /// The report of the live actor of that name; an empty name when there is none.
  [[nodiscard]] actor_report find(const std::string& name) const;

  /// Handlers that have been running for longer than `limit`.
  [[nodiscard]] std::vector<running_handler> running_longer_than(nanoseconds limit) const;

  /// Suspends an actor (it parks ordinary messages, up to its bound) or lets it go on.
  /// False when no actor of that name lives.
  bool set_suspended(const std::string& name, bool suspended);

  /// Name of a live actor by CAF id; empty when unknown. For error texts.
  [[nodiscard]] std::string name_of(std::uint64_t id) const;

  [[nodiscard]] std::size_t size() const;

private:
  struct row {
    std::shared_ptr<actor_stats> stats;
    std::int64_t rate_since = 0;
    std::uint64_t rate_count = 0;
    std::uint64_t rate = 0;
  };
  struct shard {
    mutable std::mutex guard;
    mutable std::unordered_map<std::uint64_t, row> rows;
  };
  static constexpr std::size_t shard_count = 16;

  [[nodiscard]] actor_report report_of(row& r, std::int64_t now) const;
  [[nodiscard]] std::vector<std::shared_ptr<actor_stats>> snapshot() const;

  std::array<shard, shard_count> shards_;
};

/// Printable name of a message type by the key used in `type_counts`.
std::string type_name_of(std::uintptr_t key);

} // namespace troupe
