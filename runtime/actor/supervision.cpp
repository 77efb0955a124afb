#include "runtime/actor/supervision.hpp"

#include "messages/operator_fault.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t kept_causes = 8;

bool wants_restart(const child_spec& spec, exit_class how) {
  switch (spec.restart) {
  case restart_type::permanent:
    return true;
  case restart_type::transient:
    return how == exit_class::abnormal;
  case restart_type::temporary:
    return false;
  }
  return false;
}

error no_such(std::string_view child) {
  return {runtime_errc::not_found, "no child '" + std::string{child} + "'"};
}

std::string cause_of(const std::string& id, const error& why) {
  return id + ": " + (why.code || !why.text.empty() ? why.message() : "ended normally");
}

} // namespace

std::string_view to_text(child_state state) noexcept {
  switch (state) {
  case child_state::waiting:
    return "waiting";
  case child_state::starting:
    return "starting";
  case child_state::running:
    return "running";
  case child_state::backing_off:
    return "backing_off";
  case child_state::stopping:
    return "stopping";
  case child_state::stopped:
    return "stopped";
  case child_state::stuck:
    return "stuck";
  }
  return "unknown";
}

std::string_view to_text(restart_strategy strategy) noexcept {
  switch (strategy) {
  case restart_strategy::one_for_one:
    return "one_for_one";
  case restart_strategy::one_for_all:
    return "one_for_all";
  case restart_strategy::rest_for_one:
    return "rest_for_one";
  case restart_strategy::dynamic:
    return "dynamic";
  }
  return "unknown";
}

std::string_view to_text(restart_type type) noexcept {
  switch (type) {
  case restart_type::permanent:
    return "permanent";
  case restart_type::transient:
    return "transient";
  case restart_type::temporary:
    return "temporary";
  }
  return "unknown";
}

supervision::supervision(supervisor_rules rules, std::uint64_t seed)
    : rules_{rules}, random_state_{seed} {}

status supervision::check(const supervisor_rules& rules, const child_spec& spec) {
  const auto bad = [&](const std::string& what) -> status {
    return {runtime_errc::bad_spec, "child '" + spec.id + "': " + what};
  };
  if (spec.id.empty()) return {runtime_errc::bad_spec, "a child without an id"};
  if (spec.grace.count() < 0) return bad("negative grace");
  if (rules.period.count() <= 0) return bad("the supervisor's period must be positive");
  if (rules.backoff_first.count() < 0 || rules.backoff_most < rules.backoff_first)
    return bad("the supervisor's back-off must grow from backoff_first to backoff_most");
  if (rules.kill_wait.count() <= 0 || rules.longest_stop.count() <= 0)
    return bad("the supervisor's kill_wait and longest_stop must be positive");
  if (spec.significant && spec.restart == restart_type::permanent)
    return bad("a permanent child can't be significant: it never ends for good");
  if (spec.significant && rules.shutdown == auto_shutdown::never)
    return bad("significant, but the supervisor's auto_shutdown is never");
  return ok;
}

status supervision::add(child_spec spec) {
  if (auto checked = check(rules_, spec); !checked) return checked;
  if (find(spec.id))
    return {runtime_errc::already_present, "two children with the id '" + spec.id + "'"};
  if (children_.size() >= rules_.most_children)
    return {runtime_errc::bad_spec,
            "more than " + std::to_string(rules_.most_children) + " children"};
  record r;
  r.view.spec = std::move(spec);
  children_.push_back(std::move(r));
  return ok;
}

// --- small parts ---------------------------------------------------------------------------------

supervision::record* supervision::find(std::string_view id) {
  for (auto& r : children_)
    if (r.view.spec.id == id) return &r;
  return nullptr;
}

std::size_t supervision::index_of(const record& r) const {
  return static_cast<std::size_t>(&r - children_.data());
}

bool supervision::alive(const record& r) const {
  switch (r.view.state) {
  case child_state::starting:
  case child_state::running:
  case child_state::stopping:
  case child_state::stuck:
    return true;
  case child_state::waiting:
  case child_state::backing_off:
  case child_state::stopped:
    return false;
  }
  return false;
}

void supervision::emit(supervision_action::kind what, const record& r, error why) {
  actions_.push_back({what, r.view.spec.id, r.view.incarnation, 0, std::move(why)});
}

void supervision::reply(std::uint64_t order, error why) {
  if (order != 0)
    actions_.push_back({supervision_action::kind::reply, {}, 0, order, std::move(why)});
}

void supervision::begin_start(record& r) {
  if (++r.view.incarnation > 1) ++r.view.restarts;
  r.view.state = child_state::starting;
  r.killed_by_operator = false;
  r.kill_sent = false;
  emit(supervision_action::kind::start, r);
}

void supervision::begin_stop(record& r, steady_time now) {
  r.view.state = child_state::stopping;
  r.killed_by_operator = false;
  if (r.kill_sent) return;
  if (r.view.spec.shutdown == shutdown_kind::brutal_kill) return send_kill(r, now);
  const auto patience =
      r.view.spec.shutdown == shutdown_kind::timeout ? r.view.spec.grace : rules_.longest_stop;
  r.deadline = now + patience;
  emit(supervision_action::kind::ask_stop, r);
}

void supervision::send_kill(record& r, steady_time now) {
  r.kill_sent = true;
  r.deadline = now + rules_.kill_wait;
  emit(supervision_action::kind::kill, r);
}

void supervision::erase(std::size_t index) {
  emit(supervision_action::kind::forget, children_[index]);
  children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
  if (!group_) return;
  if (index < group_->first) --group_->first;
  if (index < group_->next) --group_->next;
}

std::uint64_t supervision::random() {
  // splitmix64 (Steele, Lea, Flood 2014): one state word, the same on every machine.
  auto z = (random_state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

nanoseconds supervision::backoff(record& r) {
  const auto earlier = r.failures++;
  if (earlier == 0) return nanoseconds{0};
  auto bound = rules_.backoff_first.count();
  for (std::uint32_t i = 1; i < earlier && bound < rules_.backoff_most.count(); ++i)
    bound *= 2;
  bound = std::min<std::int64_t>(bound, rules_.backoff_most.count());
  // Full jitter: children that failed together don't come back together.
  return nanoseconds{static_cast<std::int64_t>(random() % (static_cast<std::uint64_t>(bound) + 1))};
}

bool supervision::count_restart(const record& r, const error& why, steady_time now) {
  causes_.push_back(cause_of(r.view.spec.id, why));
  if (causes_.size() > kept_causes) causes_.pop_front();
  restarts_.push_back(now);
  while (restarts_.front() < now - rules_.period)
    restarts_.pop_front();
  return restarts_.size() <= rules_.intensity;
}

void supervision::give_up(error why) {
  if (stopping_) return;
  stopping_ = true;
  stop_reason_ = std::move(why);
  group_.reset();
}

// --- events --------------------------------------------------------------------------------------

void supervision::start(steady_time now) {
  group_ = group_restart{};
  group_->at = group_restart::phase::starting;
  advance(now);
}

void supervision::started(std::string_view child, std::uint64_t incarnation, steady_time now) {
  auto* r = find(child);
  if (!r || r->view.incarnation != incarnation || r->view.state != child_state::starting) return;
  r->view.state = child_state::running;
  r->up_since = now;
  r->once_started = true;
  reply(std::exchange(r->order, 0));
  advance(now);
}

void supervision::answered(std::string_view child, std::uint64_t incarnation, steady_time now) {
  auto* r = find(child);
  if (!r || r->view.incarnation != incarnation || r->view.state != child_state::running) return;
  if (r->view.history.empty()) return;
  auto& newest = r->view.history.back();
  if (newest.incarnation == incarnation && !newest.back_after) newest.back_after = now - newest.gone;
}

void supervision::declined(std::string_view child, std::uint64_t incarnation, steady_time now) {
  auto* r = find(child);
  if (!r || r->view.incarnation != incarnation || r->view.state != child_state::starting) return;
  r->view.state = child_state::stopped;
  r->once_started = true;
  reply(std::exchange(r->order, 0));
  if (r->view.spec.restart == restart_type::temporary
      || rules_.strategy == restart_strategy::dynamic)
    erase(index_of(*r));
  advance(now);
}

void supervision::start_failed(std::string_view child, std::uint64_t incarnation, const error& why,
                               steady_time now) {
  auto* r = find(child);
  if (!r || r->view.incarnation != incarnation || r->view.state != child_state::starting) return;
  r->view.state = child_state::stopped;
  r->view.last_error = why.message();
  if (r->order != 0) {
    // Started by order: the order fails, not the supervisor.
    reply(std::exchange(r->order, 0), {runtime_errc::start_failed, cause_of(r->view.spec.id, why)});
    r->held = true;
    if (!r->once_started) erase(index_of(*r));
  } else if (is_for_operator(why)) {
    give_up(why);
  } else if (initial_) {
    causes_.push_back(cause_of(r->view.spec.id, why));
    give_up({runtime_errc::start_failed, "child did not start: " + cause_of(r->view.spec.id, why)});
  } else if (!stopping_) {
    restart(*r, true, why, now);
  }
  advance(now);
}

void supervision::ended(std::string_view child, std::uint64_t incarnation, exit_class how,
                        const error& why, steady_time now) {
  auto* r = find(child);
  if (!r || r->view.incarnation != incarnation || !alive(*r)) return;
  child_gone(*r, how, why, now);
  advance(now);
}

void supervision::child_gone(record& r, exit_class how, const error& why, steady_time now) {
  const auto& spec = r.view.spec;
  const bool on_order =
      (r.view.state == child_state::stopping || r.view.state == child_state::stuck)
      && !r.killed_by_operator;
  const bool counts = !r.killed_by_operator;
  r.view.state = child_state::stopped;
  r.kill_sent = false;
  r.killed_by_operator = false;
  if (why.code) r.view.last_error = why.message();
  if (on_order) {
    reply(std::exchange(r.order, 0));
    if (r.leave) erase(index_of(r));
    return;
  }
  // One that ends before its turn to be stopped has only saved us the trouble.
  if (stopping_) return;
  if (group_ && group_->at == group_restart::phase::stopping && index_of(r) >= group_->first)
    return;
  if (now - r.up_since >= rules_.backoff_reset) r.failures = 0;
  if (wants_restart(spec, how)) {
    if (is_for_operator(why)) return give_up(why);
    return restart(r, counts, why, now);
  }
  const bool significant = spec.significant;
  const auto id = spec.id;
  if (spec.restart == restart_type::temporary || rules_.strategy == restart_strategy::dynamic)
    erase(index_of(r));
  if (significant) significant_ended(id);
}

void supervision::restart(record& r, bool counts, const error& why, steady_time now) {
  r.view.state = child_state::stopped;
  r.view.history.push_back({now, !counts                         ? "killed by an operator"
                                 : why.code || !why.text.empty() ? why.message()
                                                                 : "ended normally",
                            counts ? now : r.kill_ordered, r.view.incarnation + 1, {}});
  if (r.view.history.size() > kept_causes) r.view.history.pop_front();
  if (counts && !count_restart(r, why, now)) {
    std::string text = "more than " + std::to_string(rules_.intensity) + " restarts within "
                       + std::to_string(rules_.period.count() / 1'000'000) + " ms; last causes:";
    for (const auto& cause : causes_)
      text += "\n  " + cause;
    return give_up({runtime_errc::restart_intensity, std::move(text)});
  }
  const auto delay = counts ? backoff(r) : nanoseconds{0};
  if (rules_.strategy == restart_strategy::one_for_one
      || rules_.strategy == restart_strategy::dynamic) {
    r.view.state = child_state::backing_off;
    r.deadline = now + delay;
    if (delay.count() == 0) begin_start(r);
    return;
  }
  auto first = rules_.strategy == restart_strategy::one_for_all ? 0 : index_of(r);
  // A second failure while others are still being stopped or waited for widens that restart.
  if (group_ && group_->at != group_restart::phase::starting)
    first = std::min(first, group_->first);
  for (auto& child : children_)
    child.held = false;
  group_ = group_restart{};
  group_->first = first;
  group_->delay = delay;
}

void supervision::significant_ended(const std::string& id) {
  const bool others = std::any_of(children_.begin(), children_.end(), [&](const record& r) {
    return r.view.spec.significant && (alive(r) || r.view.state == child_state::backing_off);
  });
  if (rules_.shutdown == auto_shutdown::never
      || (rules_.shutdown == auto_shutdown::all_significant && others))
    return;
  give_up({runtime_errc::shutdown, "significant child '" + id + "' has ended"});
}

void supervision::tick(steady_time now) {
  for (auto& r : children_) {
    const bool due = r.deadline <= now;
    if (r.view.state == child_state::backing_off && due && !stopping_)
      begin_start(r);
    else if (r.view.state == child_state::stopping && due && !r.kill_sent)
      send_kill(r, now);
    else if ((r.view.state == child_state::stopping || r.view.state == child_state::running)
             && r.kill_sent && due) {
      r.view.state = child_state::stuck;
      const error why{runtime_errc::stuck,
                      "child '" + r.view.spec.id + "' does not end although killed"};
      emit(supervision_action::kind::stuck, r, why);
      reply(std::exchange(r.order, 0), why);
    }
  }
  advance(now);
}

// --- sequences -----------------------------------------------------------------------------------

void supervision::advance(steady_time now) {
  if (finished_) return;
  if (group_ && !stopping_) advance_group(now);
  if (stopping_) advance_stop(now);
}

/// Stops the group from the right, one at a time. True when none of it is alive any more.
bool supervision::group_stopped(steady_time now) {
  for (auto i = children_.size(); i-- > group_->first;) {
    auto& r = children_[i];
    switch (r.view.state) {
    case child_state::starting:
    case child_state::stopping:
      return false;
    case child_state::stuck:
      // A second incarnation beside a live first one is what supervision must never do.
      give_up({runtime_errc::stuck,
               "child '" + r.view.spec.id + "' does not end, so its group can't be restarted"});
      return false;
    case child_state::running:
      begin_stop(r, now);
      return false;
    case child_state::backing_off:
      r.view.state = child_state::stopped;
      break;
    case child_state::waiting:
    case child_state::stopped:
      break;
    }
  }
  return true;
}

void supervision::advance_group(steady_time now) {
  using phase = group_restart::phase;
  if (group_->at == phase::stopping) {
    if (!group_stopped(now)) return;
    for (auto i = children_.size(); i-- > group_->first;)
      if (children_[i].view.spec.restart == restart_type::temporary && children_[i].once_started)
        erase(i);
    group_->at = phase::waiting;
    group_->until = now + group_->delay;
  }
  if (group_->at == phase::waiting) {
    if (now < group_->until) return;
    group_->at = phase::starting;
    group_->next = group_->first;
  }
  for (; group_->next < children_.size(); ++group_->next) {
    auto& r = children_[group_->next];
    if (r.view.state == child_state::starting || r.view.state == child_state::stopping) return;
    const bool idle = r.view.state == child_state::waiting || r.view.state == child_state::stopped;
    if (!idle || r.held) continue;
    ++group_->next;
    return begin_start(r);
  }
  group_.reset();
  initial_ = false;
}

void supervision::advance_stop(steady_time now) {
  const bool parallel = rules_.strategy == restart_strategy::dynamic;
  bool waiting = false;
  for (auto i = children_.size(); i-- > 0;) {
    auto& r = children_[i];
    switch (r.view.state) {
    case child_state::running:
      begin_stop(r, now);
      [[fallthrough]];
    case child_state::starting:
    case child_state::stopping:
      waiting = true;
      break;
    case child_state::waiting:
    case child_state::backing_off:
      r.view.state = child_state::stopped;
      reply(std::exchange(r.order, 0), {runtime_errc::busy, "the supervisor is stopping"});
      break;
    case child_state::stopped:
    case child_state::stuck:
      break;
    }
    if (waiting && !parallel) return;
  }
  if (waiting) return;
  finished_ = true;
  error why = stop_reason_;
  for (const auto& r : children_)
    if (r.view.state == child_state::stuck && !why.code)
      why = {runtime_errc::stuck, "child '" + r.view.spec.id + "' does not end although killed"};
  actions_.push_back({supervision_action::kind::finished, {}, 0, 0, std::move(why)});
}

// --- orders --------------------------------------------------------------------------------------

void supervision::start_child(child_spec spec, std::uint64_t order, steady_time now) {
  if (stopping_) return reply(order, {runtime_errc::busy, "the supervisor is stopping"});
  if (auto* r = find(spec.id)) {
    const auto code = alive(*r) ? runtime_errc::already_started : runtime_errc::already_present;
    return reply(
        order, {code, "child '" + spec.id + "' is there, " + std::string{to_text(r->view.state)}});
  }
  if (auto added = add(std::move(spec)); !added) return reply(order, std::move(added).error());
  children_.back().order = order;
  // During a restart of the group the newcomer, the last of it, is started in its turn.
  if (!group_) begin_start(children_.back());
  advance(now);
}

void supervision::terminate_child(std::string_view child, std::uint64_t order, steady_time now) {
  auto* r = find(child);
  if (!r) return reply(order, no_such(child));
  if (r->order != 0)
    return reply(order, {runtime_errc::busy, "another order to this child is under way"});
  const bool leaves = r->view.spec.restart == restart_type::temporary
                      || rules_.strategy == restart_strategy::dynamic;
  r->held = true;
  switch (r->view.state) {
  case child_state::starting:
    return reply(order, {runtime_errc::busy, "the child is being started"});
  case child_state::stuck:
    return reply(order, {runtime_errc::stuck,
                         "child '" + std::string{child} + "' does not end although killed"});
  case child_state::running:
    begin_stop(*r, now);
    [[fallthrough]];
  case child_state::stopping:
    r->order = order;
    r->leave = leaves;
    break;
  case child_state::waiting:
  case child_state::backing_off:
  case child_state::stopped:
    r->view.state = child_state::stopped;
    reply(order);
    if (leaves) erase(index_of(*r));
  }
  advance(now);
}

void supervision::restart_child(std::string_view child, std::uint64_t order, steady_time now) {
  auto* r = find(child);
  if (!r) return reply(order, no_such(child));
  if (stopping_) return reply(order, {runtime_errc::busy, "the supervisor is stopping"});
  if (r->view.state == child_state::stuck)
    return reply(order, {runtime_errc::stuck,
                         "child '" + std::string{child} + "' does not end although killed"});
  if (alive(*r))
    return reply(order,
                 {runtime_errc::still_running, "child '" + std::string{child} + "' is running"});
  const bool due = group_ && !r->held && index_of(*r) >= group_->first;
  if (r->view.state == child_state::backing_off || due)
    return reply(order, {runtime_errc::restarting,
                         "child '" + std::string{child} + "' is about to be restarted"});
  r->order = order;
  r->held = false;
  r->failures = 0;
  // During a restart of its group it is started in its turn.
  const bool in_turn = group_ && index_of(*r) >= std::max(group_->first, group_->next);
  if (!in_turn) begin_start(*r);
  advance(now);
}

void supervision::delete_child(std::string_view child, std::uint64_t order, steady_time now) {
  auto* r = find(child);
  if (!r) return reply(order, no_such(child));
  if (alive(*r))
    return reply(order, {runtime_errc::still_running,
                         "child '" + std::string{child} + "' must be terminated first"});
  const bool due = group_ && !r->held && index_of(*r) >= group_->first;
  if (r->view.state == child_state::backing_off || due)
    return reply(order, {runtime_errc::restarting,
                         "child '" + std::string{child} + "' is about to be restarted"});
  erase(index_of(*r));
  reply(order);
  advance(now);
}

void supervision::kill_child(std::string_view child, std::uint64_t order, steady_time now) {
  auto* r = find(child);
  if (!r) return reply(order, no_such(child));
  if (r->view.state != child_state::running)
    return reply(order, {runtime_errc::not_found, "child '" + std::string{child}
                                                      + "' is not running, it is "
                                                      + std::string{to_text(r->view.state)}});
  if (!r->kill_sent) {
    r->killed_by_operator = true;
    r->kill_ordered = now;
    send_kill(*r, now);
  }
  reply(order);
}

void supervision::stop(const error& why, steady_time now) {
  give_up(why);
  advance(now);
}

// --- views ---------------------------------------------------------------------------------------

std::vector<supervision_action> supervision::take_actions() {
  return std::exchange(actions_, {});
}

std::optional<steady_time> supervision::next_deadline() const {
  std::optional<steady_time> first;
  const auto consider = [&](steady_time t) {
    if (!first || t < *first) first = t;
  };
  if (finished_) return first;
  for (const auto& r : children_) {
    const auto state = r.view.state;
    if ((state == child_state::backing_off && !stopping_) || state == child_state::stopping
        || (state == child_state::running && r.kill_sent))
      consider(r.deadline);
  }
  if (group_ && group_->at == group_restart::phase::waiting) consider(group_->until);
  return first;
}

std::vector<child_view> supervision::which_children() const {
  std::vector<child_view> out;
  out.reserve(children_.size());
  for (const auto& r : children_) {
    out.push_back(r.view);
    out.back().up_since = r.up_since;
    out.back().retry_at = r.deadline;
  }
  return out;
}

std::size_t supervision::recent_restarts(steady_time now) const {
  return static_cast<std::size_t>(std::count_if(restarts_.begin(), restarts_.end(),
                                                [&](steady_time t) { return t >= now - rules_.period; }));
}

std::optional<child_view> supervision::child(std::string_view id) const {
  for (const auto& r : children_)
    if (r.view.spec.id == id) return r.view;
  return std::nullopt;
}

child_counts supervision::count_children() const {
  child_counts out;
  out.specs = children_.size();
  for (const auto& r : children_) {
    out.active += alive(r) ? 1 : 0;
    (r.view.spec.kind == child_kind::supervisor ? out.supervisors : out.workers) += 1;
  }
  return out;
}

} // namespace troupe
