#pragma once

/// The supervisor: starts, watches, restarts and stops its children by the rules of
/// supervision.hpp.
///
/// ```
/// auto top = spawn_supervisor(system, env, {.name = "ingest", .rules = {.strategy =
/// restart_strategy::one_for_one}},
///                             {child<store_state>({.id = "store"}, {.detached = true}, env,
///                             store_options),
///                              child<feed_state>({.id = "feed/BTC-USDT@binance"}, {}, env,
///                              feed_options)});
/// ```
/// A child's id is its name in the directory (`env.names`): the entry follows each restart and is
/// gone while nothing runs. Each child watches its supervisor and ends when it ends.

#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "messages/json.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/supervision.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

struct child_order;

/// What a supervisor understands.
using supervisor_actor = caf::typed_actor<
    // Its tree as JSON: with verbosity 1 and more also what is below child supervisors.
    rpc<status_request>::to<status_report>,
    // terminate_child, restart_child, delete_child, kill_child, renew_child (stop in order, then start; its
    // siblings and the restart intensity are left alone) with the child's id as target; stop.
    rpc<admin_command>::to<admin_result>,
    // The same and start_child, from this process, with error codes.
    rpc<child_order>::to<acknowledged>>;

/// What a start function is told.
struct child_start {
  actor_pointer<supervisor_actor> self; ///< the supervisor, to spawn from
  std::string name;                     ///< the child's name
  std::uint64_t incarnation = 0;        ///< of this name in this process, growing
  std::uint64_t restarts = 0;           ///< earlier starts under this supervisor
};

/// Starts one child. A null handle declines (the child is kept without a process); an error fails
/// the start. Runs on the supervisor's thread and must not block.
using start_function = std::function<result<caf::strong_actor_ptr>(const child_start&)>;

/// A child: its rules and how to start it.
struct child_definition {
  child_spec spec;
  start_function start;
  bool named = true; ///< entered in the directory under its id
};

/// An order from this process; see `supervisor_actor`. Not sent to other nodes.
struct child_order {
  enum class verb : std::uint8_t { start, terminate, restart, remove, kill };
  verb what = verb::start;
  std::string child;                                  ///< id; unused by start
  std::shared_ptr<const child_definition> definition; ///< of start
};

/// Something worth a line in the log.
struct supervisor_event {
  enum class kind : std::uint8_t { started, declined, start_failed, ended, stuck, finished };
  kind what = kind::started;
  std::string supervisor;
  std::string child;
  std::uint64_t incarnation = 0;
  error why;
};

std::string_view to_text(supervisor_event::kind what) noexcept;

struct supervisor_options {
  std::string name = "supervisor";
  supervisor_rules rules{};
  std::uint64_t seed = 1; ///< of the jitter between restarts
  /// Called on the supervisor's thread. `stuck` is for whoever can end the process.
  std::function<void(const supervisor_event&)> on_event{};
};

/// How the end of an actor counts: ordered ends (also of a supervisor that gave up, which in OTP
/// exits with `shutdown`) are normal.
exit_class classify_exit(const error& reason);

/// The actor's state; see `spawn_supervisor`.
class supervisor_state {
public:
  using handle_type = supervisor_actor;
  static inline const char* name = "supervisor";

  supervisor_state(actor_pointer<supervisor_actor> self, actor_environment env,
                   supervisor_options options, std::vector<child_definition> children,
                   caf::actor_addr parent);
  ~supervisor_state();

  supervisor_actor::behavior_type make_behavior();

private:
  struct running_child {
    start_function start;
    bool named = true;
    caf::strong_actor_ptr handle;
    std::uint64_t entry = 0; ///< incarnation in the directory
  };
  struct gathering;

  [[nodiscard]] steady_time now() const;
  void perform();
  void carry_out(supervision_action& action);
  void start(const supervision_action& action);
  void expect_answer(const std::string& id, std::uint64_t incarnation, steady_time begun);
  void ended(const std::string& id, std::uint64_t incarnation, const error& why);
  void drop_name(const std::string& id, running_child& child);
  void event(supervisor_event::kind what, const supervision_action& action, const error& why) const;
  void arm();
  std::uint64_t new_order(std::function<void(const error&)> answer);
  reply<acknowledged> execute(const child_order& order);
  void start_by_order(const child_definition& definition, std::uint64_t number);
  reply<admin_result> execute(const admin_command& command);
  reply<admin_result> renew(const admin_command& command);
  reply<status_report> report(const status_request& request);
  void write(json_writer& out, const std::map<std::string, std::string>& below) const;

  actor_pointer<supervisor_actor> self_;
  actor_environment env_;
  supervisor_options options_;
  supervision machine_;
  std::unordered_map<std::string, running_child> children_;
  std::unordered_map<std::uint64_t, std::function<void(const error&)>> orders_;
  std::uint64_t last_order_ = 0;
  timer_token timer_;
  std::int64_t armed_for_ = 0;
};

/// Starts a supervisor without a parent; whoever spawned it watches it: its end is the process's
/// last resort.
supervisor_actor spawn_supervisor(caf::actor_system& system, actor_environment env,
                                  supervisor_options options,
                                  std::vector<child_definition> children);

/// A supervisor as a child of another one: permanent, stopped without a time limit of its own.
child_definition child_supervisor(actor_environment env, supervisor_options options,
                                  std::vector<child_definition> children);

/// A child around a state; `args` are copied at each start. `spawn.name`, `.restarts` and `.parent`
/// are filled in.
template <class State, class... Args>
child_definition child(child_spec spec, spawn_options spawn, Args... args) {
  auto start = [spawn = std::move(spawn),
                args...](const child_start& how) -> result<caf::strong_actor_ptr> {
    auto options = spawn;
    options.name = how.name;
    options.restarts = how.restarts;
    return caf::actor_cast<caf::strong_actor_ptr>(
        spawn_actor<State>(how.self, std::move(options), args...));
  };
  return {std::move(spec), std::move(start), true};
}

/// Orders a child to be started; the answer comes when its start function has run.
inline child_order start_order(child_definition definition) {
  return {child_order::verb::start, definition.spec.id,
          std::make_shared<const child_definition>(std::move(definition))};
}

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::child_order)
