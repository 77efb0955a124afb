#include "runtime/actor/supervisor_actor.hpp"

#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/slot_table.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// A child supervisor that does not answer within this is left out of the tree.
constexpr nanoseconds tree_timeout = std::chrono::milliseconds{500};

/// A child that takes longer to build its state has no time in its history.
constexpr nanoseconds answer_timeout = std::chrono::seconds{30};

/// An actor that opens files or fetches its state from others says so in its page until it has it.
bool is_whole(const std::string& page) {
  return page.find("\"ready\":false") == std::string::npos && page.find("\"open\":false") == std::string::npos;
}

error started_wrongly(const std::string& id, const std::string& what) {
  return {runtime_errc::start_failed, "start of '" + id + "': " + what};
}

/// More children are counted, not listed: a page stays small beside a heartbeat.
constexpr std::size_t most_children_shown = 500;

std::int64_t milliseconds_between(steady_time from, steady_time to) {
  return std::max<std::int64_t>(0, (to - from).count() / 1'000'000);
}

/// Opens the child's object and leaves it open.
void write_child(json_writer& out, const child_view& view, steady_time now) {
  out.begin_object().field("id", view.spec.id).field("state", to_text(view.state));
  out.field("kind", view.spec.kind == child_kind::supervisor ? "supervisor" : "worker");
  out.field("restart", to_text(view.spec.restart)).field("restarts", view.restarts);
  out.field("incarnation", view.incarnation).field("last_error", view.last_error);
  if (view.state == child_state::running) out.field("up_ms", milliseconds_between(view.up_since, now));
  if (view.state == child_state::backing_off)
    out.field("restart_in_ms", milliseconds_between(now, view.retry_at));
  out.key("history").begin_array();
  for (const auto& note : view.history) {
    out.begin_object()
        .field("ago_ms", milliseconds_between(note.at, now))
        .field("why", note.why);
    if (note.back_after) out.field("back_us", note.back_after->count() / 1000);
    out.end_object();
  }
  out.end_array();
}

/// Runs a start function; its exceptions become errors.
result<caf::strong_actor_ptr> run(const start_function& start, const child_start& how) {
  try {
    if (!start) return started_wrongly(how.name, "no start function");
    return start(how);
  } catch (const std::exception& e) {
    return started_wrongly(how.name, e.what());
  } catch (...) {
    return started_wrongly(how.name, "exception of an unknown type");
  }
}

} // namespace

std::string_view to_text(supervisor_event::kind what) noexcept {
  switch (what) {
  case supervisor_event::kind::started:
    return "started";
  case supervisor_event::kind::declined:
    return "declined";
  case supervisor_event::kind::start_failed:
    return "start_failed";
  case supervisor_event::kind::ended:
    return "ended";
  case supervisor_event::kind::stuck:
    return "stuck";
  case supervisor_event::kind::finished:
    return "finished";
  }
  return "unknown";
}

exit_class classify_exit(const error& reason) {
  const auto is = [&](runtime_errc code) { return reason.code == make_error_code(code); };
  const bool ordered =
      !reason.code || is(runtime_errc::shutdown) || is(runtime_errc::restart_intensity);
  return ordered ? exit_class::normal : exit_class::abnormal;
}

// --- start and end -------------------------------------------------------------------------------

supervisor_state::supervisor_state(actor_pointer<supervisor_actor> self, actor_environment env,
                                   supervisor_options options,
                                   std::vector<child_definition> children, caf::actor_addr parent)
    : self_{self}, env_{env}, options_{std::move(options)}, machine_{options_.rules,
                                                                     options_.seed} {
  self_->set_exit_handler([this](caf::exit_msg& x) {
    machine_.stop(from_caf(x.reason), now());
    perform();
  });
  if (const auto up = caf::actor_cast<caf::strong_actor_ptr>(parent))
    watch(self_, up, [this](const error&) {
      machine_.stop({runtime_errc::shutdown, "the supervisor above has ended"}, now());
      perform();
    });
  for (auto& child : children) {
    const auto id = child.spec.id;
    if (auto added = machine_.add(std::move(child.spec)); !added) {
      machine_.stop(added.error(), now());
      return;
    }
    children_.emplace(id, running_child{std::move(child.start), child.named, nullptr, 0});
    slot_table::instance().put(env_.names, id, options_.name);
  }
  machine_.start(now());
}

supervisor_state::~supervisor_state() {
  for (auto& [id, child] : children_) {
    drop_name(id, child);
    slot_table::instance().remove(env_.names, id, options_.name);
  }
}

supervisor_actor::behavior_type supervisor_state::make_behavior() {
  // The first actions are carried out from the mailbox: an actor can't end before it has begun.
  schedule(self_, nanoseconds{0}, [this] { perform(); });
  return {
      [this](const status_request& request) { return report(request); },
      [this](const admin_command& command) { return execute(command); },
      [this](const child_order& order) { return execute(order); },
  };
}

steady_time supervisor_state::now() const {
  return {std::chrono::duration_cast<nanoseconds>(self_->clock().now().time_since_epoch()).count()};
}

// --- actions -------------------------------------------------------------------------------------

void supervisor_state::perform() {
  for (auto actions = machine_.take_actions(); !actions.empty(); actions = machine_.take_actions())
    for (auto& action : actions)
      carry_out(action);
  arm();
}

void supervisor_state::carry_out(supervision_action& action) {
  using kind = supervision_action::kind;
  const auto i = children_.find(action.child);
  switch (action.what) {
  case kind::start:
    start(action);
    break;
  case kind::ask_stop:
    if (i != children_.end())
      compat::send_exit_urgent(*self_, i->second.handle, caf::exit_reason::user_shutdown);
    break;
  case kind::kill:
    if (i != children_.end())
      compat::send_exit_urgent(*self_, i->second.handle, caf::exit_reason::kill);
    break;
  case kind::forget:
    if (i == children_.end()) break;
    drop_name(action.child, i->second);
    children_.erase(i);
    slot_table::instance().remove(env_.names, action.child, options_.name);
    break;
  case kind::stuck:
    event(supervisor_event::kind::stuck, action, action.why);
    break;
  case kind::reply:
    if (auto order = orders_.extract(action.order)) order.mapped()(action.why);
    break;
  case kind::finished:
    event(supervisor_event::kind::finished, action, action.why);
    self_->quit(to_caf(action.why));
  }
}

void supervisor_state::start(const supervision_action& action) {
  const auto i = children_.find(action.child);
  if (i == children_.end()) return;
  auto& child = i->second;
  const auto entry = env_.names ? env_.names->next_incarnation() : action.incarnation;
  auto started = run(child.start, {self_, action.child, entry, action.incarnation - 1});
  if (!started) {
    event(supervisor_event::kind::start_failed, action, started.error());
    return machine_.start_failed(action.child, action.incarnation, started.error(), now());
  }
  if (!*started) {
    event(supervisor_event::kind::declined, action, {});
    return machine_.declined(action.child, action.incarnation, now());
  }
  child.handle = std::move(*started);
  child.entry = entry;
  watch(self_, child.handle,
        [this, id = action.child, incarnation = action.incarnation](const error& why) {
          ended(id, incarnation, why);
        });
  if (child.named && env_.names) env_.names->put(action.child, {child.handle, {}, entry});
  event(supervisor_event::kind::started, action, {});
  machine_.started(action.child, action.incarnation, now());
  if (action.incarnation > 1) expect_answer(action.child, action.incarnation, now());
}

/// An actor takes up messages once its state is built; that it does not know the question is an answer, too. One
/// that is not whole yet is asked again.
void supervisor_state::expect_answer(const std::string& id, std::uint64_t incarnation, steady_time begun) {
  const auto i = children_.find(id);
  const auto view = machine_.child(id);
  if (i == children_.end() || !view || view->incarnation != incarnation || !i->second.handle) return;
  const auto note = [this, id, incarnation] { machine_.answered(id, incarnation, now()); };
  const auto again = [this, id, incarnation, begun] {
    const auto waited = now() - begun;
    if (waited > answer_timeout) return;
    schedule(self_, std::clamp<nanoseconds>(waited / 8, std::chrono::milliseconds{1}, std::chrono::seconds{1}),
             [this, id, incarnation, begun] { expect_answer(id, incarnation, begun); });
  };
  ask(self_, caf::actor_cast<observable_actor>(i->second.handle), answer_timeout, status_request{0})
      .then(
          [note, again](const status_report& page) {
            if (is_whole(page.json)) note();
            else again();
          },
          [note](const error& why) {
            if (why.code == make_error_code(runtime_errc::unexpected_message)) note();
          });
}

void supervisor_state::ended(const std::string& id, std::uint64_t incarnation, const error& why) {
  supervision_action about;
  about.child = id;
  about.incarnation = incarnation;
  if (const auto i = children_.find(id); i != children_.end()) drop_name(id, i->second);
  event(supervisor_event::kind::ended, about, why);
  machine_.ended(id, incarnation, classify_exit(why), why, now());
  perform();
}

void supervisor_state::drop_name(const std::string& id, running_child& child) {
  if (child.named && env_.names && child.handle) env_.names->remove(id, child.entry, child.handle);
  child.handle = nullptr;
}

void supervisor_state::event(supervisor_event::kind what, const supervision_action& action,
                             const error& why) const {
  if (options_.on_event)
    options_.on_event({what, options_.name, action.child, action.incarnation, why});
}

void supervisor_state::arm() {
  const auto next = machine_.next_deadline();
  const auto due = next ? next->ns : 0;
  if (due == armed_for_) return;
  cancel(self_, timer_);
  armed_for_ = due;
  if (!next) return;
  timer_ = schedule(self_, *next - now(), [this] {
    armed_for_ = 0;
    machine_.tick(now());
    perform();
  });
}

// --- orders --------------------------------------------------------------------------------------

std::uint64_t supervisor_state::new_order(std::function<void(const error&)> answer) {
  orders_.emplace(++last_order_, std::move(answer));
  return last_order_;
}

reply<acknowledged> supervisor_state::execute(const child_order& order) {
  // From the promise on, only the promise can answer.
  if (order.what == child_order::verb::start && !order.definition)
    return to_caf({runtime_errc::bad_spec, "an order to start a child without its definition"});
  auto answer = make_promise<acknowledged>(self_);
  const auto number = new_order([answer](const error& why) mutable {
    if (why.code)
      fail(answer, why);
    else
      answer.deliver(acknowledged{});
  });
  switch (order.what) {
  case child_order::verb::start:
    start_by_order(*order.definition, number);
    break;
  case child_order::verb::terminate:
    machine_.terminate_child(order.child, number, now());
    break;
  case child_order::verb::restart:
    machine_.restart_child(order.child, number, now());
    break;
  case child_order::verb::remove:
    machine_.delete_child(order.child, number, now());
    break;
  case child_order::verb::kill:
    machine_.kill_child(order.child, number, now());
    break;
  }
  perform();
  return answer;
}

void supervisor_state::start_by_order(const child_definition& definition, std::uint64_t number) {
  const auto& id = definition.spec.id;
  // An id that is taken is refused and must not touch the child that has it.
  children_.try_emplace(id, running_child{definition.start, definition.named, nullptr, 0});
  machine_.start_child(definition.spec, number, now());
  if (machine_.child(id))
    slot_table::instance().put(env_.names, id, options_.name);
  else
    children_.erase(id);
}

reply<admin_result> supervisor_state::execute(const admin_command& command) {
  using order = void (supervision::*)(std::string_view, std::uint64_t, steady_time);
  static const std::map<std::string, order, std::less<>> verbs{
      {"terminate_child", &supervision::terminate_child},
      {"restart_child", &supervision::restart_child},
      {"delete_child", &supervision::delete_child},
      {"kill_child", &supervision::kill_child},
  };
  if (command.verb == "renew_child") return renew(command);
  if (command.verb == "stop") {
    machine_.stop({runtime_errc::shutdown, "stopped by " + command.who}, now());
    schedule(self_, nanoseconds{0}, [this] { perform(); });
    return admin_result{true, options_.name + " is stopping"};
  }
  const auto verb = verbs.find(command.verb);
  if (verb == verbs.end())
    return admin_result{false, "a supervisor knows terminate_child, restart_child, delete_child, "
                               "kill_child, renew_child and stop, not '"
                                   + command.verb + "'"};
  auto answer = make_promise<admin_result>(self_);
  const auto number = new_order([answer, command](const error& why) mutable {
    const auto what = command.verb + " " + command.target + ": ";
    answer.deliver(why.code ? admin_result{false, what + why.message()}
                            : admin_result{true, what + "done"});
  });
  (machine_.*verb->second)(command.target, number, now());
  perform();
  return answer;
}

reply<admin_result> supervisor_state::renew(const admin_command& command) {
  const auto child = machine_.child(command.target);
  const bool leaves = child && (child->spec.restart == restart_type::temporary
                                || machine_.rules().strategy == restart_strategy::dynamic);
  if (leaves)
    return admin_result{
        false, "'" + command.target
                   + "' is forgotten once it has stopped and can't be restarted on order; kill it, "
                     "if its supervisor is to decide"};
  auto answer = make_promise<admin_result>(self_);
  const std::function<void(const error&)> done = [answer, command](const error& why) mutable {
    answer.deliver(
        why.code ? admin_result{false, why.message()}
                 : admin_result{true, "'" + command.target + "' was stopped in order and started again"});
  };
  const auto stopped = new_order([this, command, done](const error& why) mutable {
    if (why.code) return done(why);
    machine_.restart_child(command.target, new_order(done), now());
  });
  machine_.terminate_child(command.target, stopped, now());
  perform();
  return answer;
}

// --- status --------------------------------------------------------------------------------------

/// Answers of child supervisors on their way into one tree.
struct supervisor_state::gathering {
  promise<status_report> answer;
  std::map<std::string, std::string> below;
  std::size_t missing = 0;
};

reply<status_report> supervisor_state::report(const status_request& request) {
  std::vector<std::string> supervisors;
  if (request.verbosity > 0)
    for (const auto& view : machine_.which_children())
      if (view.spec.kind == child_kind::supervisor && view.state == child_state::running)
        supervisors.push_back(view.spec.id);
  const auto finish = [this](const std::map<std::string, std::string>& below) {
    json_writer out;
    write(out, below);
    return status_report{options_.name, std::move(out).text()};
  };
  if (supervisors.empty()) return finish({});
  auto all = std::make_shared<gathering>();
  all->answer = make_promise<status_report>(self_);
  all->missing = supervisors.size();
  for (const auto& id : supervisors) {
    const auto take = [all, id, finish](std::string json) {
      if (!json.empty()) all->below.emplace(id, std::move(json));
      if (--all->missing == 0) all->answer.deliver(finish(all->below));
    };
    ask(self_, caf::actor_cast<observable_actor>(children_.at(id).handle), tree_timeout, request)
        .then([take](const status_report& r) { take(r.json); }, [take](const error&) { take({}); });
  }
  return all->answer;
}

void supervisor_state::write(json_writer& out,
                             const std::map<std::string, std::string>& below) const {
  const auto counts = machine_.count_children();
  const auto& rules = machine_.rules();
  out.begin_object().field("name", options_.name).field("strategy", to_text(rules.strategy));
  out.field("intensity", rules.intensity).field("period_ms", rules.period.count() / 1'000'000);
  out.field("restarts_in_period", machine_.recent_restarts(now()));
  out.field("backoff_first_ms", rules.backoff_first.count() / 1'000'000);
  out.field("backoff_most_ms", rules.backoff_most.count() / 1'000'000);
  out.field("stopping", machine_.stopping());
  out.key("counts").begin_object().field("specs", counts.specs).field("active", counts.active);
  out.field("supervisors", counts.supervisors).field("workers", counts.workers).end_object();
  out.key("causes").begin_array();
  for (const auto& cause : machine_.causes())
    out.string(cause);
  out.end_array().key("children").begin_array();
  std::size_t shown = 0;
  for (const auto& view : machine_.which_children()) {
    if (shown++ == most_children_shown) break;
    write_child(out, view, now());
    if (const auto i = below.find(view.spec.id); i != below.end()) out.key("tree").raw(i->second);
    out.end_object();
  }
  out.end_array().field("children_left_out", counts.specs - std::min(counts.specs, most_children_shown));
  out.end_object();
}

// --- spawning ------------------------------------------------------------------------------------

supervisor_actor spawn_supervisor(caf::actor_system& system, actor_environment env,
                                  supervisor_options options,
                                  std::vector<child_definition> children) {
  spawn_options how{.name = options.name};
  return spawn_actor<supervisor_state>(system, std::move(how), env, std::move(options),
                                       std::move(children), caf::actor_addr{});
}

child_definition child_supervisor(actor_environment env, supervisor_options options,
                                  std::vector<child_definition> children) {
  child_spec spec{
      .id = options.name, .shutdown = shutdown_kind::infinity, .kind = child_kind::supervisor};
  auto start = [env, options = std::move(options), children = std::move(children)](
                   const child_start& how) -> result<caf::strong_actor_ptr> {
    // It watches the supervisor above by itself, to stop its children in order.
    spawn_options spawn{.name = how.name, .restarts = how.restarts, .watch_parent = false};
    auto handle = spawn_actor<supervisor_state>(how.self, std::move(spawn), env, options, children,
                                                how.self->address());
    return caf::actor_cast<caf::strong_actor_ptr>(handle);
  };
  return {std::move(spec), std::move(start), true};
}

} // namespace troupe
