#pragma once

/// Runs the pure supervision rules against scripted children, with a clock of its own.

#include "runtime/actor/supervision.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

inline error crash(std::string text = "boom") {
  return {runtime_errc::handler_failed, std::move(text)};
}

/// What children do when asked.
struct script {
  std::set<std::string> fails_to_start;
  std::set<std::string> declines;
  std::set<std::string> ignores_stop; ///< ends only when killed
  std::set<std::string> immortal;     ///< does not even end when killed
  bool silent = false;                ///< ends of children are not reported by themselves
};

/// Carries out actions at once and writes down what happened, such as "start a", "stop a", "end a".
class harness {
public:
  explicit harness(supervisor_rules rules = {}, std::uint64_t seed = 1) : machine{rules, seed} {}

  harness& add(std::string id, restart_type restart = restart_type::permanent,
               shutdown_kind shutdown = shutdown_kind::timeout) {
    child_spec spec;
    spec.id = std::move(id);
    spec.restart = restart;
    spec.shutdown = shutdown;
    added = machine.add(std::move(spec)).has_value();
    return *this;
  }

  harness& start() {
    machine.start(now);
    return settle();
  }

  /// A child ends by itself.
  harness& end(const std::string& id, exit_class how = exit_class::abnormal, error why = crash()) {
    const auto incarnation = live.at(id);
    live.erase(id);
    log.push_back("end " + id);
    machine.ended(id, incarnation, how, why, now);
    return settle();
  }

  harness& pass(nanoseconds d) {
    const auto until = now + d;
    for (auto next = machine.next_deadline(); next && *next <= until;
         next = machine.next_deadline()) {
      now = std::max(now, *next);
      machine.tick(now);
      settle();
    }
    now = until;
    return *this;
  }

  harness& stop() {
    machine.stop({}, now);
    return settle();
  }

  template <class Member, class Arg>
  std::error_code order(Member member, Arg arg) {
    const auto number = ++last_order;
    by_order = true;
    (machine.*member)(std::move(arg), number, now);
    settle();
    by_order = false;
    const auto i = replies.find(number);
    return i == replies.end() ? std::make_error_code(std::errc::operation_in_progress)
                              : i->second.code;
  }

  harness& settle() {
    for (auto actions = machine.take_actions(); !actions.empty(); actions = machine.take_actions())
      for (const auto& action : actions)
        carry_out(action);
    return *this;
  }

  /// The log since the last call, joined with commas.
  std::string took() {
    std::string out;
    for (const auto& line : std::exchange(log, {}))
      out += (out.empty() ? "" : ", ") + line;
    return out;
  }

  [[nodiscard]] child_state state(const std::string& id) const { return machine.child(id)->state; }

  supervision machine;
  script children;
  steady_time now{1'000'000'000};
  std::map<std::string, std::uint64_t> live; ///< id → incarnation
  std::vector<std::string> log;
  std::map<std::uint64_t, error> replies;
  std::vector<std::string> stuck;
  std::optional<error> finished;
  bool added = false;
  bool by_order = false; ///< what happens now happens because somebody ordered it
  std::string
      disordered; ///< first start or stop, not by order, that passed over a live child to its right
  bool doubled = false; ///< a child was started while an earlier incarnation of it lived
  std::uint64_t last_order = 0;

private:
  /// Starts go to the right and stops to the left: nothing to the right of `id` may be alive then.
  void check_order(const std::string& line, const std::string& id) {
    if (machine.rules().strategy == restart_strategy::dynamic || by_order || !disordered.empty())
      return;
    const bool alone = machine.rules().strategy == restart_strategy::one_for_one;
    if (line.starts_with("start") && alone) return;
    bool right = false;
    for (const auto& view : machine.which_children()) {
      if (right && live.contains(view.spec.id) && view.state != child_state::stuck)
        disordered = line + " while " + view.spec.id + " is alive";
      right = right || view.spec.id == id;
    }
  }

  void carry_out(const supervision_action& action) {
    using kind = supervision_action::kind;
    const auto& id = action.child;
    switch (action.what) {
    case kind::start:
      log.push_back("start " + id);
      check_order(log.back(), id);
      doubled = doubled || live.contains(id);
      if (children.fails_to_start.contains(id))
        return machine.start_failed(id, action.incarnation, crash("no start"), now);
      if (children.declines.contains(id)) return machine.declined(id, action.incarnation, now);
      live[id] = action.incarnation;
      return machine.started(id, action.incarnation, now);
    case kind::ask_stop:
      log.push_back("stop " + id);
      check_order(log.back(), id);
      if (!children.ignores_stop.contains(id) && !children.immortal.contains(id))
        gone(id, exit_class::normal, {runtime_errc::shutdown, ""});
      return;
    case kind::kill:
      log.push_back("kill " + id);
      if (!children.immortal.contains(id))
        gone(id, exit_class::abnormal, {runtime_errc::killed, ""});
      return;
    case kind::forget:
      return log.push_back("forget " + id);
    case kind::stuck:
      return stuck.push_back(id);
    case kind::reply:
      replies[action.order] = action.why;
      return;
    case kind::finished:
      finished = action.why;
      return;
    }
  }

  void gone(const std::string& id, exit_class how, const error& why) {
    if (children.silent) return;
    const auto incarnation = live.at(id);
    live.erase(id);
    machine.ended(id, incarnation, how, why, now);
  }
};

} // namespace troupe::test
