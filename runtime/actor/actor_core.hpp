#pragma once

/// What every actor carries beside its state: counters, timers, asks and watches. Used through the
/// free functions of actor_base.hpp. All members run on the actor's own thread unless said
/// otherwise.

#include "runtime/actor/actor_table.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/errc.hpp"
#include "runtime/actor/hot_setting.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// How an actor is started.
struct spawn_options {
  std::string name{};                ///< stable name, shown everywhere; default: the kind of actor
  bool detached = false;             ///< own thread: for actors that may block
  std::string parent{};              ///< supervisor's name; set when spawned from an actor
  std::uint64_t restarts = 0;        ///< earlier incarnations of this name
  std::size_t asks_in_flight = 1000; ///< more unanswered asks than this fail at once
  std::size_t parking_places =
      10000;                ///< messages held while suspended; more are refused and counted
  bool watch_parent = true; ///< ends (shutdown) when the actor that spawned it ends
};

/// Names a scheduled callback; cancelling one that has run does nothing.
struct timer_token {
  std::uint64_t value = 0;
};

/// Names a watch; see `unwatch`.
struct watch_token {
  std::uint64_t value = 0;
};

/// See the head of this file. Not thread-safe but where said.
class actor_core {
public:
  struct start_info {
    spawn_options options;
    const char* kind = "actor";
    caf::actor_addr parent;
  };
  using consume_function = caf::mailbox_element&;

  actor_core(caf::scheduled_actor& self, const start_info& start);
  actor_core(const actor_core&) = delete;
  actor_core& operator=(const actor_core&) = delete;
  ~actor_core();

  // --- hooks called by compat::hooked ------------------------------------------------------------

  /// Any thread: a message goes into the mailbox.
  void enqueued() noexcept;

  /// The actor begins to work off its mailbox.
  void resumed() noexcept;

  /// Counts and times one handler run; also when an exception leaves it.
  class handler_scope {
  public:
    handler_scope(actor_core& core, const caf::mailbox_element& x) noexcept;
    handler_scope(const handler_scope&) = delete;
    handler_scope& operator=(const handler_scope&) = delete;
    ~handler_scope();
    void skipped() noexcept { skipped_ = true; }
    void done() noexcept {}

  private:
    actor_stats& stats_;
    std::uintptr_t type_;
    std::int64_t since_;
    bool skipped_ = false;
  };

  /// Handles our own messages and parks others while suspended. True: nothing left to do.
  template <class Consume>
  bool intercept(compat::control kind, caf::mailbox_element& x, Consume consume) {
    if (x.mid.is_response()) {
      answered(x.mid);
      return false;
    }
    if (kind == compat::control::none) {
      if (!stats_->suspended.load(std::memory_order_relaxed) && parked_.empty()) [[likely]]
        return false;
      return park(x);
    }
    if (kind == compat::control::wake)
      run_due(consume);
    else if (kind == compat::control::go_on)
      run_parked(consume);
    else
      apply_settings();
    return true;
  }

  void started();
  void finished(const caf::error& reason);
  [[nodiscard]] const char* name() const noexcept { return stats_->name.c_str(); }

  // --- used by the free functions ----------------------------------------------------------------

  [[nodiscard]] actor_stats& stats() noexcept { return *stats_; }
  [[nodiscard]] const std::shared_ptr<actor_stats>& shared_stats() const noexcept { return stats_; }

  /// Room for one more ask?
  [[nodiscard]] bool may_ask() const noexcept { return asks_open_ < options_.asks_in_flight; }
  [[nodiscard]] std::size_t ask_limit() const noexcept { return options_.asks_in_flight; }
  [[nodiscard]] std::size_t asks_open() const noexcept { return asks_open_; }

  /// Watches over the answer to `response`: fails it when `timeout` is over or the node goes down.
  void track_ask(caf::message_id response, const caf::actor_control_block* dst,
                 nanoseconds timeout);

  timer_token schedule(nanoseconds delay, std::function<void()> callback);
  bool cancel(timer_token token);

  watch_token watch(const caf::strong_actor_ptr& whom, std::function<void(const error&)> callback);
  bool unwatch(watch_token token);

  /// Makes a value changeable while the actor runs. A second one of the same key replaces the first.
  void declare(hot_setting setting);

private:
  struct ask_entry {
    std::uint64_t number; ///< of the request
    caf::message_id response;
    bool open;
    bool remote;
    caf::actor_id dst;
    caf::node_id node; ///< set for remote ones only
    std::int64_t deadline;
    std::int64_t timeout;
  };
  struct timer_entry {
    std::int64_t due;
    std::uint64_t number; ///< odd: callback; even: ask
  };
  struct watch_entry {
    caf::actor_addr whom;
    std::function<void(const error&)> callback;
  };

  [[nodiscard]] bool alive() const noexcept;
  [[nodiscard]] std::int64_t now() const;
  void answered(caf::message_id response);
  ask_entry* find_ask(std::uint64_t number);
  void close_ask(ask_entry& entry);
  void push_timer(timer_entry entry);
  void arm();
  void compact_timers();
  bool park(caf::mailbox_element& x);
  void down(caf::down_msg& x);
  void apply_settings();
  void show_settings();
  void failed(std::exception_ptr& x, caf::error& out);

  /// Next due entry that still means something, removed from the heap.
  bool next_due(std::int64_t now, timer_entry& out);
  std::function<void()> take_callback(std::uint64_t number);
  caf::mailbox_element_ptr timeout_of(std::uint64_t number);

  template <class Consume>
  void run_due(Consume consume) {
    const auto at = now();
    woke(at);
    timer_entry entry{};
    while (alive() && next_due(at, entry)) {
      if (entry.number & 1) {
        if (auto callback = take_callback(entry.number)) callback();
      } else if (auto element = timeout_of(entry.number))
        consume(*element);
    }
    if (alive()) arm();
  }

  template <class Consume>
  void run_parked(Consume consume) {
    while (alive() && !parked_.empty() && !stats_->suspended.load(std::memory_order_relaxed)) {
      auto element = std::move(parked_.front());
      parked_.pop_front();
      stats_->parked.store(parked_.size(), std::memory_order_relaxed);
      consume(*element);
    }
  }

  void woke(std::int64_t now);

  caf::scheduled_actor& self_;
  spawn_options options_;
  caf::actor_addr parent_;
  std::shared_ptr<actor_stats> stats_;

  std::deque<ask_entry> asks_; // by growing number; closed ones leave at the front
  std::size_t asks_open_ = 0;

  std::vector<timer_entry> timers_; // min-heap by due time, with entries that mean nothing any more
  std::size_t stale_timers_ = 0;
  std::map<std::uint64_t, std::function<void()>> callbacks_;
  std::uint64_t last_timer_ = 1;
  std::vector<std::int64_t> wakes_; // wake-ups under way, latest first

  std::map<std::uint64_t, watch_entry> watches_;
  std::uint64_t last_watch_ = 0;

  std::deque<caf::mailbox_element_ptr> parked_;
  std::vector<hot_setting> settings_;
};

} // namespace troupe
