#pragma once

/// The counters of every live actor of this process, for the console, the metrics page and the
/// watchdog. Actors write without locks; readers see figures of slightly different instants.

#include "messages/introspection.hpp"
#include "runtime/actor/histogram.hpp"
#include "runtime/actor/hot_setting.hpp"

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

/// Handler times per message type of one actor: the first 15 types it meets by name, the rest
/// together. One writer, any reader. Room for a type is made when it is first met.
class type_counts {
public:
  static constexpr std::size_t capacity = 15;

  type_counts() = default;
  type_counts(const type_counts&) = delete;
  type_counts& operator=(const type_counts&) = delete;
  ~type_counts();

  /// `key` identifies a type within the process and is never 0; `took` in ns.
  void add(std::uintptr_t key, std::int64_t took = 0) noexcept {
    auto* target = &slots_[capacity];
    for (std::size_t i = 0; i < capacity; ++i) {
      const auto present = slots_[i].key.load(std::memory_order_relaxed);
      if (present != key && present != 0) continue;
      if (present == 0) slots_[i].key.store(key, std::memory_order_relaxed);
      target = &slots_[i];
      break;
    }
    auto* times = target->times.load(std::memory_order_relaxed);
    if (times == nullptr) [[unlikely]]
      times = make(*target);
    if (times != nullptr) times->record(took);
  }

  struct entry {
    std::uintptr_t key; ///< 0: all types beyond the capacity
    std::uint64_t count;
    std::int64_t p50;
    std::int64_t p99;
  };
  [[nodiscard]] std::vector<entry> read() const;

  /// Over all types.
  [[nodiscard]] std::int64_t quantile(double q) const noexcept;

private:
  struct slot {
    std::atomic<std::uintptr_t> key{0};
    std::atomic<handler_histogram*> times{nullptr};
  };
  static handler_histogram* make(slot& s) noexcept;

  std::array<slot, capacity + 1> slots_{};
};

/// An error an actor had.
struct noted_error {
  std::int64_t at = 0; ///< steady ns
  std::string text;
};

/// Somebody an actor watches.
struct watched_actor {
  std::uint64_t id = 0;
  bool remote = false;
  friend bool operator==(const watched_actor&, const watched_actor&) = default;
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
  std::int64_t spawned_ns = 0; ///< steady
  bool detached = false;       ///< has a thread of its own
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
  std::atomic<std::uint32_t> taps{0}; ///< taps that see its messages, one bit each; written by anybody
  std::int64_t handler_ended =
      0; ///< actor only: end of the last handler of this resumption, 0 = none
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> unexpected{0};
  std::atomic<std::uint64_t> parked{0};  ///< messages held back while suspended
  std::atomic<std::uint64_t> refused{0}; ///< messages refused by a full parking lot
  std::atomic<std::uint64_t> asks_in_flight{0};
  std::atomic<bool> suspended{false};
  type_counts types;

  // Written by readers: what the rate is computed from.
  alignas(64) std::atomic<std::int64_t> rate_since{0};
  std::atomic<std::uint64_t> rate_count{0};
  std::atomic<std::uint64_t> rate{0};

  /// Waiting messages.
  [[nodiscard]] std::uint64_t mailbox() const noexcept;
  void set_last_error(std::string text);
  [[nodiscard]] std::string last_error() const;

  /// The newest errors, oldest first, at most 8.
  [[nodiscard]] std::vector<noted_error> errors_seen() const;

  /// Age of the oldest sampled waiting message, 0 = none waits.
  [[nodiscard]] std::int64_t mailbox_age(std::int64_t now) const noexcept;

  /// Messages per second over the last second or more; brings it up to date.
  std::uint64_t rate_at(std::int64_t now) noexcept;

  void note_watch(std::uint64_t id, bool remote, bool begins);
  [[nodiscard]] std::vector<watched_actor> watching() const;

  void show_settings(std::vector<setting_view> settings);
  [[nodiscard]] std::vector<setting_view> settings() const;

  /// Puts an order down for the actor; false (and not taken) when 16 wait already.
  bool put_setting_order(setting_order order);
  [[nodiscard]] std::vector<setting_order> take_setting_orders();

private:
  mutable std::mutex guard_;
  std::vector<noted_error> errors_;
  std::vector<watched_actor> watching_;
  std::vector<setting_view> settings_;
  std::vector<setting_order> orders_;
};

/// A handler that is running, as the watchdog sees it.
struct running_handler {
  std::string actor;
  std::uint64_t serial = 0;
  std::string message;    ///< type of the message being handled
  std::int64_t since = 0; ///< steady ns of the start
  nanoseconds running{};
  bool detached = false; ///< on a thread of its own: nobody else waits
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

  /// One page, sorted here. Fills everything but node, incarnation and at. Errors: unknown order.
  /// 10,000 actors take a few milliseconds; no lock is held longer than it takes to copy a shard's pointers.
  [[nodiscard]] result<actor_page> page(const actor_query& query) const;

  /// The report of the live actor of that name; an empty name when there is none.
  [[nodiscard]] actor_report find(const std::string& name) const;

  /// The counters of the live actor of that name; null when there is none.
  [[nodiscard]] std::shared_ptr<actor_stats> stats_of(const std::string& name) const;

  /// Names of the actors of this process that watch actor `id`.
  [[nodiscard]] std::vector<std::string> watchers_of(std::uint64_t id) const;

  /// Messages handled by all actors that live or lived.
  [[nodiscard]] std::uint64_t messages() const;

  /// Sets or clears bits in `taps` of the actors of that name; empty = all.
  void mark_tapped(const std::string& name, std::uint32_t bits, bool on);

  /// Orders a setting of an actor; the actor itself answers. False when there is no such actor or too many
  /// orders wait: then nobody answers.
  bool order_setting(const std::string& name, setting_order order);

  /// Handlers that have been running for longer than `limit`.
  [[nodiscard]] std::vector<running_handler> running_longer_than(nanoseconds limit) const;

  /// Suspends an actor (it parks ordinary messages, up to its bound) or lets it go on.
  /// False when no actor of that name lives.
  bool set_suspended(const std::string& name, bool suspended);

  /// Name of a live actor by CAF id; empty when unknown. For error texts.
  [[nodiscard]] std::string name_of(std::uint64_t id) const;

  [[nodiscard]] std::size_t size() const;

private:
  struct shard {
    mutable std::mutex guard;
    std::unordered_map<std::uint64_t, std::shared_ptr<actor_stats>> rows;
    std::uint64_t messages_of_gone = 0;
  };
  static constexpr std::size_t shard_count = 16;

  [[nodiscard]] std::vector<std::shared_ptr<actor_stats>> snapshot() const;

  std::array<shard, shard_count> shards_;
};

/// One actor's figures. `types`: with those by message type.
actor_report report_of(actor_stats& stats, std::int64_t now, bool types);

/// Printable name of a message type by the key used in `type_counts`.
std::string type_name_of(std::uintptr_t key);

} // namespace troupe
