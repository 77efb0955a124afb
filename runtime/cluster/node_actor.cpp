#include "runtime/cluster/node_actor.hpp"

#include "messages/json.hpp"
#include "runtime/actor/actor_table.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/node_verbs.hpp"
#include "runtime/cluster/text.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/log.hpp"

#include <unistd.h>

namespace troupe {
namespace {

std::string error_json(const error& why) {
  json_writer w;
  w.begin_object().field("error", why.message()).end_object();
  return std::move(w).text();
}

} // namespace

node_state::node_state(self_pointer self, actor_environment env, node_options options, member_actor member,
                       std::shared_ptr<audit_log> audit)
    : self_{self}, env_{env}, options_{std::move(options)}, member_{std::move(member)},
      audit_{std::move(audit)}, started_{env.steady->now()} {
  add_builtin_verbs();
  observer_options look;
  look.node = options_.spec.name;
  look.incarnation = options_.incarnation;
  look.sections = options_.observed;
  look.answer_within = options_.answer_within;
  spawn_options how{.name = "observer"};
  how.detached = options_.observer_thread;
  observer_ = spawn_actor<observer_state>(self_, std::move(how), env_, std::move(look));
}

node_actor::behavior_type node_state::make_behavior() {
  return {
      [this](const status_request& request) { return gather_status(request); },
      [this](const hello& from, const caf::strong_actor_ptr& node) {
        return self_->delegate(member_, from, node);
      },
      [this](const ping& x) { return self_->delegate(member_, x); },
      [this](const directory_update& update, const std::vector<caf::strong_actor_ptr>& handles) {
        return self_->delegate(member_, update, handles);
      },
      [this](const farewell& message) { tell(self_, member_, message); },
      [this](const admin_command& x) { return command(x); },
      [this](const std::string& name) -> reply<caf::strong_actor_ptr> { return env_.names->handle(name); },
      [this](const actor_query& x) { return self_->delegate(observer_, x); },
      [this](const inspect_request& x) { return self_->delegate(observer_, x); },
      [this](const tap_start& x, const caf::strong_actor_ptr& watcher) { return start_tap(x, watcher); },
      [this](const tap_pull& x) { return self_->delegate(observer_, x); },
      [this](const tap_stop& x) { return self_->delegate(observer_, x); },
      [this](const timeline_query& x) { return self_->delegate(observer_, x); },
  };
}

// --- status --------------------------------------------------------------------------------------

reply<status_report> node_state::gather_status(const status_request& request) {
  auto all = std::make_shared<gathering>();
  all->answer = make_promise<status_report>(self_);
  all->verbosity = request.verbosity;
  for (const auto& [key, make] : options_.sections) all->sections[key] = make();
  all->open = 1; // held until everybody has been asked
  ask_section(all, false, "membership", caf::actor_cast<observable_actor>(member_), request.verbosity);
  for (const auto& [key, whom] : options_.section_actors)
    ask_section(all, false, key, env_.names->find<observable_actor>(whom), request.verbosity);
  if (request.verbosity >= 2)
    for (const auto& [name, entry] : env_.names->list())
      if (entry.node.text.empty() && entry.handle != self_->ctrl())
        ask_section(all, true, name, caf::actor_cast<observable_actor>(entry.handle), request.verbosity);
  if (--all->open == 0)
    all->answer.deliver(status_report{.name = options_.spec.name.text, .json = status_json(*all)});
  return all->answer;
}

void node_state::ask_section(const std::shared_ptr<gathering>& all, bool report, const std::string& key,
                             const observable_actor& whom, std::uint8_t verbosity) {
  ++all->open;
  const auto take = [this, all, report, key](std::string json) {
    (report ? all->reports : all->sections)[key] = std::move(json);
    if (--all->open == 0)
      all->answer.deliver(status_report{.name = options_.spec.name.text, .json = status_json(*all)});
  };
  ask(self_, whom, options_.answer_within, status_request{verbosity})
      .then([take](const status_report& x) { take(x.json.empty() ? "{}" : x.json); },
            [take](const error& why) { take(error_json(why)); });
}

std::string node_state::status_json(const gathering& all) const {
  const auto up = std::chrono::duration_cast<std::chrono::milliseconds>(env_.steady->now() - started_);
  json_writer w;
  w.begin_object().field("node", options_.spec.name.text).field("incarnation", options_.incarnation);
  w.field("build", options_.build)
      .field("schema", hex_text(cluster_schema_hash()))
      .field("pid", ::getpid());
  w.field("uptime_ms", up.count())
      .field("port", options_.spec.port)
      .field("threads", options_.spec.threads);
  w.key("roles").begin_array();
  for (const auto role : options_.spec.roles) w.string(to_string(role));
  w.end_array();
  for (const auto& [key, json] : all.sections) w.key(key).raw(json);
  if (all.verbosity >= 1) {
    w.key("actors").begin_array();
    for (const auto& actor : actor_table::instance().list()) w.raw(to_json(actor));
    w.end_array();
  }
  if (all.verbosity >= 2) {
    w.key("reports").begin_object();
    for (const auto& [name, json] : all.reports) w.key(name).raw(json);
    w.end_object();
  }
  w.end_object();
  return std::move(w).text();
}

// --- commands ------------------------------------------------------------------------------------

void node_state::add_builtin_verbs() {
  for (auto& [verb, run] : builtin_verbs({env_, options_.spec.name, {}})) options_.verbs.try_emplace(verb, std::move(run));
}

reply<admin_result> node_state::command(const admin_command& command) {
  auto answer = make_promise<admin_result>(self_);
  const auto written = audit_->write(wall_clock{}.now(), options_.spec.name, command, nullptr);
  if (!written) {
    answer.deliver(admin_result{false, "refused, because it can't be audited: " + written.error().text});
    return answer;
  }
  const auto confirmed = command.arguments.find("confirm");
  const auto& name = command.verb == "drain" ? options_.spec.name.text : command.target;
  const bool missing = confirmed == command.arguments.end() || confirmed->second != name;
  const auto done = [this, command, answer](admin_result outcome) mutable {
    if (auto noted = audit_->write(wall_clock{}.now(), options_.spec.name, command, &outcome); !noted)
      log::error("node", "audit line not written", {{"why", noted.error().text}});
    answer.deliver(std::move(outcome));
  };
  if (missing && needs_confirmation(command.verb, command.target))
    admin_answer{done}({false, "refused: " + command.verb + " of '" + name + "' is severe; say the name once more: --confirm=" + name});
  else
    run_verb(command, done);
  return answer;
}

/// Who saw which messages is part of the audit.
reply<tap_page> node_state::start_tap(const tap_start& what, const caf::strong_actor_ptr& watcher) {
  auto answer = make_promise<tap_page>(self_);
  const admin_command row{"tap", what.actor, {{"id", what.id}, {"type", what.type}}, what.who};
  const auto written = audit_->write(wall_clock{}.now(), options_.spec.name, row, nullptr);
  if (!written) {
    fail(answer, written.error());
    return answer;
  }
  const auto note = [this, row](bool done, const std::string& text) {
    const admin_result outcome{done, text};
    if (auto noted = audit_->write(wall_clock{}.now(), options_.spec.name, row, &outcome); !noted)
      log::error("node", "audit line not written", {{"why", noted.error().text}});
  };
  ask(self_, observer_, options_.answer_within, what, watcher)
      .then(
          [answer, note](const tap_page& page) mutable {
            note(true, "tap " + std::to_string(page.tap));
            answer.deliver(page);
          },
          [answer, note](const error& why) mutable {
            note(false, why.message());
            fail(answer, why);
          });
  return answer;
}

void node_state::run_verb(const admin_command& command, admin_answer answer) {
  const auto i = options_.verbs.find(command.verb);
  if (i != options_.verbs.end()) return i->second(self_, command, std::move(answer));
  std::vector<std::string> known;
  std::string list;
  for (const auto& [verb, run] : options_.verbs) {
    known.push_back(verb);
    list += (list.empty() ? "" : ", ") + verb;
  }
  answer({false, "unknown command '" + command.verb + "'" + did_you_mean(command.verb, known)
                     + " (there are " + list + ")"});
}

} // namespace troupe
