#pragma once

/// The rules of supervision as a pure state machine, after Erlang/OTP's supervisor: which child is
/// started, stopped or restarted when, in what order, and when the supervisor gives up. It knows
/// no actors: events go in, actions come out, time is handed in. `supervisor_actor.hpp` is its
/// shell.
///
/// Beyond OTP: back-off with full jitter between restarts of one child (the first is immediate),
/// kills by an operator that don't count, and no wait without an end: a child that does not die
/// when killed is reported stuck.

#include "messages/time.hpp"
#include "runtime/actor/errc.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Who is restarted when a child ends abnormally.
enum class restart_strategy : std::uint8_t {
  one_for_one,  ///< only the child
  one_for_all,  ///< all children
  rest_for_one, ///< the child and those started after it
  dynamic, ///< only the child; children come and go, are forgotten when they end, stop in parallel
};

/// When a child is restarted.
enum class restart_type : std::uint8_t {
  permanent, ///< always
  transient, ///< only after an abnormal end
  temporary, ///< never, not even when a sibling's end takes it down
};

/// How a child is stopped.
enum class shutdown_kind : std::uint8_t {
  brutal_kill, ///< killed at once
  timeout,     ///< asked to stop, killed after the grace
  infinity, ///< asked to stop, killed only after `supervisor_rules::longest_stop`; for supervisors
};

enum class child_kind : std::uint8_t { worker, supervisor };

/// When the end of significant children ends the supervisor.
enum class auto_shutdown : std::uint8_t { never, any_significant, all_significant };

/// How a child ended.
enum class exit_class : std::uint8_t {
  normal,   ///< done, or shut down on order: no reason to restart a transient child
  abnormal, ///< failed or killed
};

/// What the rules need to know of a child.
struct child_spec {
  std::string id{}; ///< unique within the supervisor
  restart_type restart = restart_type::permanent;
  shutdown_kind shutdown = shutdown_kind::timeout;
  nanoseconds grace = std::chrono::seconds{5}; ///< for shutdown_kind::timeout
  child_kind kind = child_kind::worker;
  bool significant = false; ///< its end counts for auto_shutdown; not for permanent children
};

/// Symptom → knob: a child that flaps for a while but recovers: raise `intensity` or `period`;
/// restarts hammer a weak service: raise `backoff_first`.
struct supervisor_rules {
  restart_strategy strategy = restart_strategy::one_for_one;
  std::uint32_t intensity = 5;                   ///< more restarts than this …
  nanoseconds period = std::chrono::seconds{60}; ///< … within this: the supervisor gives up
  auto_shutdown shutdown = auto_shutdown::never;
  nanoseconds backoff_first =
      std::chrono::milliseconds{100}; ///< bound of the second restart's delay; doubles
  nanoseconds backoff_most = std::chrono::seconds{30};
  nanoseconds backoff_reset =
      std::chrono::seconds{10}; ///< a child that was up this long starts afresh
  nanoseconds kill_wait =
      std::chrono::seconds{5}; ///< after a kill, until the child is reported stuck
  nanoseconds longest_stop = std::chrono::minutes{10}; ///< end of `infinity`
  std::size_t most_children = 10'000;
};

/// Where a child is in its life.
enum class child_state : std::uint8_t {
  waiting,  ///< not started yet
  starting, ///< being started
  running,
  backing_off, ///< ended; to be restarted at an instant
  stopping,    ///< asked to stop or killed
  stopped,     ///< ended, or its start was declined; not to be restarted by itself
  stuck,       ///< killed, yet not ended
};

std::string_view to_text(child_state state) noexcept;
std::string_view to_text(restart_strategy strategy) noexcept;
std::string_view to_text(restart_type type) noexcept;

/// Why a child was started again, and how long it was away.
struct restart_note {
  steady_time at; ///< its end
  std::string why;
  steady_time gone{};            ///< its end, or the operator's order to kill it
  std::uint64_t incarnation = 0; ///< the first start after it
  /// From `gone` until that start answered its first question: its state was built by then. Empty until it has.
  std::optional<nanoseconds> back_after{};
};

/// One child as the outside sees it.
struct child_view {
  child_spec spec;
  child_state state = child_state::waiting;
  std::uint64_t incarnation = 0; ///< number of starts so far
  std::uint64_t restarts = 0;    ///< starts after the first, successful or not
  std::string last_error;        ///< why it ended last
  std::deque<restart_note> history{}; ///< its newest restarts, oldest first, at most 8
  steady_time up_since{};             ///< of a running one
  steady_time retry_at{};             ///< of one that backs off
};

/// OTP's count_children.
struct child_counts {
  std::size_t specs = 0;
  std::size_t active = 0; ///< with a live process
  std::size_t supervisors = 0;
  std::size_t workers = 0;
};

/// What the shell is to do. Actions are to be carried out in order.
struct supervision_action {
  enum class kind : std::uint8_t {
    start,    ///< start `child`, then report started, declined or start_failed
    ask_stop, ///< ask `child` to stop
    kill,     ///< kill `child`
    forget,   ///< `child` is gone for good: release what belongs to it
    stuck,    ///< `child` does not end although killed: tell somebody who can end the process
    reply,    ///< answer order number `order` with `why` (no code = done)
    finished, ///< end the supervisor with `why` (no code = ordered stop)
  };
  kind what = kind::start;
  std::string child;
  std::uint64_t incarnation = 0;
  std::uint64_t order = 0;
  error why;
};

/// The state machine. Not thread-safe. Each event takes the present steady time; after each, carry
/// out `take_actions()` and arm a timer for `next_deadline()`.
class supervision {
public:
  /// `seed` starts the jitter of the back-off.
  supervision(supervisor_rules rules, std::uint64_t seed);

  /// Errors of a specification, with the reason in words.
  [[nodiscard]] static status check(const supervisor_rules& rules, const child_spec& spec);

  /// Adds a child before `start`. Errors: bad_spec, already_present.
  status add(child_spec spec);

  // --- events ------------------------------------------------------------------------------------

  /// Starts the children from left to right. The first that fails stops those before it and the
  /// supervisor.
  void start(steady_time now);

  void started(std::string_view child, std::uint64_t incarnation, steady_time now);
  /// A child has answered a question, so its state is built; the first answer of a start counts.
  void answered(std::string_view child, std::uint64_t incarnation, steady_time now);
  /// The start function declined: the child is kept without a process (a temporary one is dropped).
  void declined(std::string_view child, std::uint64_t incarnation, steady_time now);
  void start_failed(std::string_view child, std::uint64_t incarnation, const error& why,
                    steady_time now);

  /// A child ended; events of older incarnations are ignored.
  void ended(std::string_view child, std::uint64_t incarnation, exit_class how, const error& why,
             steady_time now);

  /// Time has come to `next_deadline()`, or any time later.
  void tick(steady_time now);

  // --- orders; each is answered by one `reply` action with its number
  // --------------------------------

  void start_child(child_spec spec, std::uint64_t order, steady_time now);
  void terminate_child(std::string_view child, std::uint64_t order, steady_time now);
  void restart_child(std::string_view child, std::uint64_t order, steady_time now);
  void delete_child(std::string_view child, std::uint64_t order, steady_time now);
  /// Kills a running child for an operator or a test rig: it restarts by its strategy, but the
  /// kill neither counts towards the intensity nor towards the back-off.
  void kill_child(std::string_view child, std::uint64_t order, steady_time now);

  /// Stops all children from right to left, then the supervisor, with `why` (no code: on order).
  void stop(const error& why, steady_time now);

  // --- views -----------------------------------------------------------------------------------

  [[nodiscard]] std::vector<supervision_action> take_actions();
  [[nodiscard]] std::optional<steady_time> next_deadline() const;
  [[nodiscard]] std::vector<child_view> which_children() const;
  [[nodiscard]] std::optional<child_view> child(std::string_view id) const;
  [[nodiscard]] child_counts count_children() const;
  /// Restarts that count towards the intensity at present.
  [[nodiscard]] std::size_t recent_restarts(steady_time now) const;
  [[nodiscard]] const supervisor_rules& rules() const noexcept { return rules_; }
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  [[nodiscard]] bool stopping() const noexcept { return stopping_; }
  /// The newest causes of restarts, oldest first, at most 8.
  [[nodiscard]] const std::deque<std::string>& causes() const noexcept { return causes_; }

private:
  struct record {
    child_view view;
    bool once_started = false; ///< the supervisor's first start is behind it
    bool killed_by_operator = false;
    bool kill_sent = false;
    bool held = false;          ///< stopped by order: left alone by the group restart under way
    bool leave = false;         ///< to be forgotten once it has ended
    std::uint64_t order = 0;    ///< order to answer when it has started or ended
    std::uint32_t failures = 0; ///< in a row, for the back-off
    steady_time up_since{};
    steady_time kill_ordered{}; ///< of the newest order to kill it
    steady_time deadline{}; ///< of backing_off or stopping
  };

  /// A restart of several children: stop from the right, wait, start from the left.
  struct group_restart {
    std::size_t first = 0;
    enum class phase : std::uint8_t { stopping, waiting, starting } at = phase::stopping;
    std::size_t next = 0; ///< child to look at next when starting
    steady_time until{};
    nanoseconds delay{};
  };

  [[nodiscard]] record* find(std::string_view id);
  [[nodiscard]] std::size_t index_of(const record& r) const;
  void emit(supervision_action::kind what, const record& r, error why = {});
  void reply(std::uint64_t order, error why = {});
  void begin_start(record& r);
  void begin_stop(record& r, steady_time now);
  void send_kill(record& r, steady_time now);
  void erase(std::size_t index);
  [[nodiscard]] bool alive(const record& r) const;

  void child_gone(record& r, exit_class how, const error& why, steady_time now);
  void restart(record& r, bool counts, const error& why, steady_time now);
  [[nodiscard]] bool count_restart(const record& r, const error& why, steady_time now);
  [[nodiscard]] nanoseconds backoff(record& r);
  void significant_ended(const std::string& id);
  void give_up(error why);

  void advance(steady_time now);
  void advance_stop(steady_time now);
  [[nodiscard]] bool group_stopped(steady_time now);
  void advance_group(steady_time now);
  [[nodiscard]] std::uint64_t random();

  supervisor_rules rules_;
  std::uint64_t random_state_;
  std::vector<record> children_;
  std::vector<supervision_action> actions_;
  std::deque<steady_time> restarts_;
  std::deque<std::string> causes_;
  std::optional<group_restart> group_;
  bool initial_ = true; ///< the first start from left to right is under way
  bool stopping_ = false;
  bool finished_ = false;
  error stop_reason_;
};

} // namespace troupe
