#include "runtime/cluster/placement_actor.hpp"

#include "messages/json.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/log.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr nanoseconds answer_within = std::chrono::seconds{2};
constexpr auto pins_file = "PINS";
constexpr std::string_view pins_magic = "troupe-pins 1";

} // namespace

placement_state::placement_state(self_pointer self, actor_environment env, placement_options options)
    : self_{self}, env_{env}, options_{std::move(options)} {
  if (options_.data.empty()) return;
  auto kept = load_rows(options_.data, pins_file, pins_magic);
  if (!kept) {
    // Not for a person to mend before anything runs: the hash places everything all the same.
    trouble_ = kept.error().text;
    log::error("placement", trouble_ + "; nothing is pinned until then");
    return;
  }
  pins_version_ = kept->version;
  for (auto& [name, node] : kept->rows) pins_[name] = node;
}

placement_actor::behavior_type placement_state::make_behavior() {
  schedule(self_, nanoseconds{0}, [this] { tick(); });
  return {
      [this](const status_request&) -> reply<status_report> {
        return status_report{.name = self_->core().name(), .json = status_json()};
      },
      [this](const placement_table& what) -> reply<placement_report> { return take(what); },
      [this](const admin_command& order) { return command(order); },
  };
}

void placement_state::tick() {
  coordinate(options_.view->get());
  carry_out();
  schedule(self_, options_.tick, [this] { tick(); });
}

// --- deciding ------------------------------------------------------------------------------------

void placement_state::take_over() {
  log::info("placement", "this node places movable actors now", {{"node", options_.self.text}});
  mind_.emplace(options_.conf, options_.things, options_.rules);
  look_for_running();
  // Whoever coordinated before told where the rest is: what is on a node that is away is still that node's.
  for (const auto& row : newest_.rows) mind_->found(row.name, row.node.text);
  mind_->set_pins(pins_);
  readers_.clear();
  ++version_;
}

/// What has no place may run all the same, on a node that is reached only now.
bool placement_state::look_for_running() {
  bool news = false;
  for (const auto& thing : mind_->things())
    if (const auto at = seen_at(thing.name); !at.empty()) news = mind_->found(thing.name, at) || news;
  return news;
}

/// The node on which the directory has a name, "" for none.
std::string placement_state::seen_at(const std::string& name) const {
  const auto entry = env_.names->entry(name);
  if (!entry) return {};
  return entry->node.text.empty() ? options_.self.text : entry->node.text;
}

void placement_state::coordinate(const cluster_view& view) {
  if (view.coordinator != options_.self.text) {
    if (mind_) log::info("placement", "another node places movable actors", {{"node", view.coordinator}});
    mind_.reset();
    return;
  }
  if (!mind_) take_over();
  if (look_for_running()) ++version_;
  for (const auto& [name, node] : mind_->places()) mind_->runs(name, !node.empty() && seen_at(name) == node);
  const auto before = mind_->places();
  if (mind_->tick(now(), view.nodes)) {
    ++version_;
    for (const auto& [name, node] : mind_->places())
      if (before.at(name) != node)
        log::warn("placement", "an actor is placed", {{"name", name}, {"from", before.at(name)}, {"to", node}});
  }
  for (const auto& [node, health] : view.nodes) {
    if (health != node_health::up) {
      readers_.erase(node);
      continue;
    }
    if (node != options_.self.text) send_table(node);
  }
  if (newest_.version != version_ || newest_.coordinator != options_.self) (void)take(table());
}

placement_table placement_state::table() const {
  placement_table out;
  out.coordinator = options_.self;
  out.incarnation = options_.incarnation;
  out.version = version_;
  for (const auto& [name, node] : mind_->places()) out.rows.push_back({name, {node}});
  out.pins_version = pins_version_;
  for (const auto& [name, node] : pins_) out.pins.push_back({name, {node}});
  return out;
}

void placement_state::send_table(const std::string& node) {
  auto& r = readers_[node];
  // One that has it is told again all the same: it may have been started anew in between.
  const auto pause = r.version == version_ ? options_.repeat : options_.tick;
  if (r.asking || (r.asked.ns != 0 && now() - r.asked < pause)) return;
  const auto whom = env_.names->find<placement_actor>(placement_name({node}));
  if (!whom) return;
  r.asking = true;
  r.asked = now();
  ask(self_, whom, answer_within, table())
      .then(
          [this, node](const placement_report& report) {
            const auto i = readers_.find(node);
            if (i == readers_.end()) return;
            i->second.asking = false;
            i->second.version = report.version;
            i->second.trouble = report.trouble;
          },
          [this, node](const error& why) {
            const auto i = readers_.find(node);
            if (i == readers_.end()) return;
            i->second.asking = false;
            i->second.trouble = why.message();
          });
}

// --- an operator's moves -------------------------------------------------------------------------

reply<admin_result> placement_state::command(const admin_command& order) {
  if (order.verb != "move") return admin_result{false, "unknown command '" + order.verb + "' (there is move)"};
  if (mind_) return move(order);
  const auto coordinator = options_.view->get().coordinator;
  if (coordinator.empty())
    return admin_result{false, "nothing is moved without a quorum of the ingest and execution nodes; `troupe status` "
                               "shows who is missing"};
  const auto whom = env_.names->find<placement_actor>(placement_name({coordinator}));
  if (coordinator == options_.self.text || !whom)
    return admin_result{false, "node '" + coordinator + "' does not coordinate yet; try again in a moment"};
  return self_->delegate(whom, order);
}

/// Why a thing can't be moved there; empty when it can.
std::string placement_state::refusal_of_move(const std::string& target, const std::string& node) const {
  const auto& movable = mind_->things();
  const auto thing = std::find_if(movable.begin(), movable.end(), [&](const auto& t) { return t.name == target; });
  if (thing == movable.end()) {
    std::vector<std::string> known;
    for (const auto& t : movable) known.push_back(t.name);
    for (const auto& t : options_.things)
      if (t.name == target)
        return "'" + target + "' stays on its node, where its data is; placement.pins says which one that is, from the "
                              "next start on";
    return "nothing movable is called '" + target + "'" + did_you_mean(target, known);
  }
  if (node == "auto") return {};
  const auto spec = options_.conf.at(node);
  if (!spec) return spec.error().text;
  const auto fit = candidates(options_.conf, *thing);
  if (std::none_of(fit.begin(), fit.end(), [&](const auto* n) { return n->name.text == node; }))
    return "node '" + node + "' can't run '" + target + "': it lacks the role " + std::string{to_string(thing->role)}
           + (thing->label.empty() ? std::string{} : " or the label " + thing->label);
  const auto view = options_.view->get();
  const auto health = view.nodes.find(node);
  if (health == view.nodes.end() || health->second != node_health::up)
    return "node '" + node + "' is not up; nothing was changed";
  return {};
}

admin_result placement_state::move(const admin_command& order) {
  const auto given = order.arguments.find("node");
  if (given == order.arguments.end() || given->second.empty())
    return {false, "say where to: a node's name, or auto to let the system choose again"};
  const auto& node = given->second;
  if (auto no = refusal_of_move(order.target, node); !no.empty()) return {false, std::move(no)};
  const auto before = pins_;
  if (node == "auto") pins_.erase(order.target);
  else pins_[order.target] = node;
  ++pins_version_;
  if (auto kept = keep_pins(); !kept) {
    pins_ = before;
    return {false, "not moved, because it can't be kept: " + kept.error().text};
  }
  mind_->set_pins(pins_);
  ++version_;
  log::warn("placement", "moved by an operator", {{"name", order.target}, {"to", node}, {"who", order.who}});
  if (node == "auto") return {true, "the system chooses again where '" + order.target + "' runs"};
  return {true, "'" + order.target + "' runs on '" + node + "' from now on, also after restarts"};
}

status placement_state::keep_pins() {
  if (options_.data.empty()) return ok;
  kept_rows rows;
  rows.version = pins_version_;
  for (const auto& [name, node] : pins_) rows.rows.emplace_back(name, node);
  return save_rows(options_.data, pins_file, pins_magic, rows);
}

// --- carrying out --------------------------------------------------------------------------------

placement_report placement_state::take(const placement_table& what) {
  placement_report out;
  out.node = options_.self;
  const auto expected = options_.view->get().coordinator;
  const bool older = what.coordinator == newest_.coordinator && what.incarnation == newest_.incarnation
                     && what.version < newest_.version;
  if (what.coordinator.text != expected || older) {
    ++tables_refused_;
    out.trouble = older ? "an older table than the one at hand"
                        : "'" + expected + "' coordinates for this node, not '" + what.coordinator.text + "'";
    return out;
  }
  newest_ = what;
  learn_pins(what);
  carry_out();
  out.version = what.version;
  for (const auto& child : options_.children)
    if (runs_here(child.name)) out.runs.push_back(child.name);
  out.trouble = trouble_;
  return out;
}

/// Newer pins than ours come from another coordinator's operator.
void placement_state::learn_pins(const placement_table& what) {
  if (what.pins_version <= pins_version_) return;
  pins_version_ = what.pins_version;
  pins_.clear();
  for (const auto& row : what.pins) pins_[row.name] = row.node.text;
  if (auto kept = keep_pins(); !kept) trouble_ = kept.error().text;
}

bool placement_state::runs_here(const std::string& name) const {
  const auto entry = env_.names->entry(name);
  return entry && entry->node.text.empty() && entry->handle;
}

void placement_state::carry_out() {
  // A supervisor that was started anew has none of the children that were ordered from the one before.
  const auto supervisor = env_.names->handle(options_.supervisor);
  if (supervisor != supervisor_) {
    supervisor_ = supervisor;
    started_.clear();
    ordered_.clear();
  }
  for (const auto& child : options_.children) {
    const bool wanted = wanted_here(child);
    if (child.start) run_child(child, wanted);
    else run_stand_in(child, wanted);
  }
}

/// Placed here; or running here and placed nowhere, because a coordinator that was just started has not heard of it
/// yet: it would be taken from those who use it for no reason.
bool placement_state::wanted_here(const placed_child& child) const {
  const auto row = std::find_if(newest_.rows.begin(), newest_.rows.end(),
                                [&](const auto& r) { return r.name == child.name; });
  if (row == newest_.rows.end()) return false;
  if (!row->node.text.empty()) return row->node == options_.self;
  return started_.contains(child.name) || (!child.start && runs_here(child.name));
}

/// Gives the movable name to the actor that stands in for it, and takes it back; follows its restarts.
void placement_state::run_stand_in(const placed_child& child, bool wanted) {
  const auto actor = env_.names->entry(child.stands_in);
  const auto held = env_.names->entry(child.name);
  const bool ours = held && held->node.text.empty();
  const bool alive = wanted && actor && actor->node.text.empty() && actor->handle;
  if (ours && (!alive || held->handle != actor->handle)) env_.names->remove(child.name, held->incarnation, held->handle);
  if (!alive || (ours && held->handle == actor->handle)) return;
  // Another node still shows it: it learns of the same table, and its name vanishes.
  if (held && !ours) return;
  env_.names->put(child.name, {actor->handle, {}, env_.names->next_incarnation()});
}

void placement_state::run_child(const placed_child& child, bool wanted) {
  const auto held = env_.names->entry(child.name);
  const bool ours = held && held->node.text.empty();
  if (ordered_.contains(child.name)) return;
  const bool started = started_.contains(child.name);
  if (wanted == started) return;
  if (wanted && held && !ours) return;
  if (wanted) {
    started_.insert(child.name);
    return order(start_order(*child.start));
  }
  started_.erase(child.name);
  order({child_order::verb::remove, child.name, nullptr});
}

/// Tells the supervisor. To remove a child that runs it has to be ended first.
void placement_state::order(child_order what) {
  const auto supervisor = env_.names->find<supervisor_actor>(options_.supervisor);
  const auto child = what.child;
  ordered_.insert(child);
  const auto done = [this, child](const acknowledged&) { ordered_.erase(child); };
  const auto failed = [this, child, what](const error& why) {
    ordered_.erase(child);
    trouble_ = child + ": " + why.message();
    log::error("placement", "order refused by the supervisor", {{"child", child}, {"why", why.message()}});
    // Tried again at the next tick.
    if (what.what == child_order::verb::start) started_.erase(child);
    else started_.insert(child);
  };
  if (what.what == child_order::verb::start) {
    ask(self_, supervisor, answer_within, std::move(what)).then(done, failed);
    return;
  }
  ask(self_, supervisor, answer_within, child_order{child_order::verb::terminate, child, nullptr})
      .then(
          [this, supervisor, what, done, failed](const acknowledged&) {
            ask(self_, supervisor, answer_within, child_order{what}).then(done, failed);
          },
          failed);
}

// --- status --------------------------------------------------------------------------------------

std::string placement_state::status_json() const {
  json_writer w;
  w.begin_object().field("coordinator", newest_.coordinator.text).field("version", newest_.version);
  w.field("coordinates", mind_.has_value()).field("moves", mind_ ? mind_->moves() : 0);
  w.field("tables_refused", tables_refused_).field("trouble", trouble_);
  w.key("movable").begin_array();
  for (const auto& row : newest_.rows) {
    const auto at = seen_at(row.name);
    w.begin_object().field("name", row.name).field("node", row.node.text);
    w.field("running", !at.empty() && at == row.node.text).end_object();
  }
  w.end_array().key("fixed").begin_array();
  for (const auto& thing : options_.things) {
    const auto* home = thing.movable ? nullptr : home_of(options_.conf, thing);
    if (home == nullptr) continue;
    w.begin_object().field("name", thing.name).field("node", home->name.text);
    w.field("running", env_.names->entry(thing.name).has_value()).end_object();
  }
  w.end_array().key("pins").begin_object();
  for (const auto& [name, node] : pins_) w.field(name, node);
  w.end_object().key("readers").begin_array();
  if (mind_)
    for (const auto& [node, r] : readers_)
      w.begin_object().field("node", node).field("version", r.version).field("trouble", r.trouble).end_object();
  return std::move(w.end_array().end_object()).text();
}

} // namespace troupe
