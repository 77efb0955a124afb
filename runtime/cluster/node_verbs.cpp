#include "runtime/cluster/node_verbs.hpp"

#include "messages/json.hpp"
#include "runtime/actor/actor_table.hpp"
#include "runtime/actor/slot_table.hpp"
#include "runtime/actor/supervisor_actor.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/log.hpp"

#include <algorithm>
#include <array>

namespace troupe {
namespace {

using node_self = actor_pointer<node_actor>;

/// A child has five seconds to stop, is killed then, and may take as long again to start.
constexpr nanoseconds supervisor_within = std::chrono::seconds{20};
constexpr nanoseconds setting_within = std::chrono::seconds{2};
constexpr nanoseconds drain_after = std::chrono::milliseconds{200};

std::string argument(const admin_command& command, const std::string& key) {
  const auto i = command.arguments.find(key);
  return i == command.arguments.end() ? std::string{} : i->second;
}

admin_result unknown_actor(const verb_context& context, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [other, entry] : context.env.names->list())
    if (entry.node.text.empty()) known.push_back(other);
  return {false, "no actor '" + name + "' on node '" + context.node.text + "'" + did_you_mean(name, known)};
}

/// Without these there is no node to speak to.
bool is_permanent(std::string_view actor) {
  return actor == "node" || actor == "member" || actor == "heartbeat" || actor == "observer";
}

// --- slots of supervisors ------------------------------------------------------------------------

/// Hands an order to the supervisor that keeps the target.
void order_slot(const verb_context& context, node_self self, const std::string& verb,
                const admin_command& command, const admin_answer& answer) {
  const auto keeper = slot_table::instance().supervisor_of(context.env.names, command.target);
  const auto supervisor = context.env.names->find<supervisor_actor>(keeper);
  if (!supervisor) {
    if (!keeper.empty())
      return answer(
          {false, "supervisor '" + keeper + "' of '" + command.target + "' does not run; start it first"});
    if (actor_table::instance().find(command.target).name.empty())
      return answer(unknown_actor(context, command.target));
    return answer({false, "'" + command.target + "' has no supervisor: what started it decides over it"});
  }
  ask(self, supervisor, supervisor_within, admin_command{verb, command.target, {}, command.who})
      .then([answer](const admin_result& done) { answer(done); },
            [answer](const error& why) {
              answer({false, why.message()});
            });
}

void kill(const verb_context& context, node_self self, const admin_command& command,
          const admin_answer& answer) {
  const auto& name = command.target;
  if (is_permanent(name))
    return answer({false, "'" + name + "' is part of the node itself; `drain` ends the node in order"});
  // Through the supervisor, so that the kill does not count towards its limits.
  if (!slot_table::instance().supervisor_of(context.env.names, name).empty())
    return order_slot(context, self, "kill_child", command, answer);
  const auto entry = context.env.names->entry(name);
  const auto stats = entry ? nullptr : actor_table::instance().stats_of(name);
  auto whom = entry && entry->node.text.empty() ? entry->handle : nullptr;
  if (stats) whom = caf::actor_cast<caf::strong_actor_ptr>(stats->address);
  if (!whom) return answer(unknown_actor(context, name));
  send_kill(caf::actor_cast<caf::actor>(whom));
  answer(
      {true, "'" + name
                 + "' was killed; it has no supervisor, so what started it decides whether it comes back"});
}

// --- one actor -----------------------------------------------------------------------------------

void suspend(const verb_context& context, const admin_command& command, bool on,
             const admin_answer& answer) {
  if (on && is_permanent(command.target))
    return answer({false, "'" + command.target + "' is part of the node itself and can't be suspended"});
  if (!actor_table::instance().set_suspended(command.target, on))
    return answer(unknown_actor(context, command.target));
  answer({true, "'" + command.target + (on ? "' is suspended" : "' goes on")});
}

/// Waits for one actor's word on a setting: the actor answers on its own thread.
using setting_waiter = caf::typed_actor<rpc<admin_command>::to<admin_result>, on<admin_result>>;

struct setting_waiter_state {
  using handle_type = setting_waiter;
  using self_pointer = actor_pointer<setting_waiter>;
  static inline const char* name = "setting";
  explicit setting_waiter_state(self_pointer self) : self_{self} {}

  setting_waiter::behavior_type make_behavior() {
    return {[this](const admin_command& command) -> reply<admin_result> { return begin(command); },
            [this](const admin_result& outcome) {
              answer_.deliver(outcome);
              stop(self_);
            }};
  }

  reply<admin_result> begin(const admin_command& command) {
    answer_ = make_promise<admin_result>(self_);
    const auto key = argument(command, "key");
    const auto value = argument(command, "value");
    const auto done = "'" + command.target + "': " + key + " is " + value + " until its next start";
    const auto me = caf::actor_cast<setting_waiter>(self_);
    auto told = [me, done](const error& why) {
      tell_anonymously(me, why.code ? admin_result{false, why.text.empty() ? why.message() : why.text}
                                    : admin_result{true, done});
    };
    if (!actor_table::instance().order_setting(command.target, {key, value, std::move(told)})) {
      answer_.deliver(admin_result{false, "'" + command.target + "' takes no orders: too many wait"});
      stop(self_);
    }
    return answer_;
  }

  self_pointer self_;
  promise<admin_result> answer_;
};

std::string list_of(const std::vector<setting_view>& settings) {
  std::string out;
  for (const auto& s : settings) out += (out.empty() ? "" : ", ") + s.key + " (" + s.allowed + ")";
  return out.empty() ? "it has none" : "there are " + out;
}

void set(const verb_context& context, node_self self, const admin_command& command,
         const admin_answer& answer) {
  const auto stats = actor_table::instance().stats_of(command.target);
  if (!stats) return answer(unknown_actor(context, command.target));
  const auto key = argument(command, "key");
  const auto settings = stats->settings();
  const bool there =
      std::any_of(settings.begin(), settings.end(), [&](const setting_view& s) { return s.key == key; });
  if (!there)
    return answer({false, "'" + command.target + "' has no setting '" + key
                              + "' that can be changed while it runs; " + list_of(settings)});
  const auto waiter =
      spawn_actor<setting_waiter_state>(self, spawn_options{.name = "setting/" + command.target});
  ask(self, waiter, setting_within, command)
      .then([answer](const admin_result& done) { answer(done); },
            [answer, waiter, name = command.target](const error& why) {
              send_shutdown(waiter);
              answer({false, "'" + name + "' gave no answer (" + why.message()
                                 + "); it may still take the value"});
            });
}

// --- the node ------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 4> level_words{"debug", "info", "warn", "error"};

void log_level(const admin_command& command, const admin_answer& answer) {
  const auto word = argument(command, "level");
  const auto component = argument(command, "component");
  const auto i = std::find(level_words.begin(), level_words.end(), word);
  if (i == level_words.end())
    return answer({false, "a log level is debug, info, warn or error, not '" + word + "'"});
  if (component.size() > 60) return answer({false, "a component's name has at most 60 characters"});
  const auto level = static_cast<log::severity>(i - level_words.begin());
  if (!log::set_least(level, component))
    return answer({false, "levels for 100 components are set already"});
  answer({true, (component.empty() ? "everything" : "'" + component + "'") + " is logged from " + word
                    + " on, until the node starts again"});
}

void drain(const verb_context& context, node_self self, const admin_answer& answer) {
  answer({true, "node '" + context.node.text + "' stops in order"});
  schedule(
      self, drain_after, context.drain ? context.drain : [] { request_stop(); });
}

} // namespace

bool needs_confirmation(std::string_view verb, std::string_view target) noexcept {
  if (verb == "drain") return true;
  if (verb != "kill" && verb != "restart" && verb != "stop") return false;
  return target.starts_with("executor/") || target.starts_with("journal/")
         || target.starts_with("supervisor/") || target.starts_with("account/") || target == "risk"
         || target == "orchestrator";
}

std::map<std::string, admin_verb> builtin_verbs(const verb_context& context) {
  std::map<std::string, admin_verb> out;
  out["list"] = [context](node_self, const admin_command&, const admin_answer& answer) {
    json_writer w;
    w.begin_array();
    for (const auto& [name, entry] : context.env.names->list())
      if (entry.node.text.empty()) w.string(name);
    w.end_array();
    answer({true, std::move(w).text()});
  };
  out["kill"] = [context](node_self self, const admin_command& c, const admin_answer& answer) {
    kill(context, self, c, answer);
  };
  for (const auto& [verb, order] :
       {std::pair{"restart", "renew_child"}, {"stop", "terminate_child"}, {"start", "restart_child"}})
    out[verb] = [context, order = std::string{order}](node_self self, const admin_command& c,
                                                      const admin_answer& answer) {
      order_slot(context, self, order, c, answer);
    };
  for (const bool on : {true, false})
    out[on ? "suspend" : "resume"] = [context, on](node_self, const admin_command& c,
                                                   const admin_answer& answer) {
      suspend(context, c, on, answer);
    };
  out["set"] = [context](node_self self, const admin_command& c, const admin_answer& answer) {
    set(context, self, c, answer);
  };
  out["log-level"] = [](node_self, const admin_command& c, const admin_answer& answer) {
    log_level(c, answer);
  };
  out["drain"] = [context](node_self self, const admin_command&, const admin_answer& answer) {
    drain(context, self, answer);
  };
  return out;
}

} // namespace troupe
