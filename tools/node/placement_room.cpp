#include "tools/node/placement_room.hpp"

#include <algorithm>

namespace troupe::node {
namespace {

using namespace std::chrono_literals;

constexpr auto placed_supervisor = "supervisor/placed";

error bad_pin(const std::string& text) {
  return {make_error_code(config_errc::bad_value),
          "placement.pins: '" + text + "' must be written KEY=NODE, such as BTC-USDT@binance=ingest-2 or model/cnn=model-1"};
}

} // namespace

result<placement_wishes> wishes_of(const configuration& config) {
  placement_wishes out;
  const auto list = config.list("instruments");
  for (const auto& name : list) {
    const instrument_id id{name};
    // One without a venue is refused by the room that makes its feed.
    const auto label = id.venue().empty() ? std::string{} : config.text("venues." + std::string{id.venue()} + ".label");
    out.instruments.push_back({name, label});
  }
  const auto add_symbol = [&](const std::string& symbol) {
    const auto known = [&](const auto& item) { return item.name == symbol; };
    if (std::none_of(out.symbols.begin(), out.symbols.end(), known)) out.symbols.push_back({symbol});
  };
  for (const auto& word : config.list("consolidate")) {
    if (word == "none") continue;
    if (word != "auto") add_symbol(word);
    else
      for (const auto& name : list) add_symbol(std::string{instrument_id{name}.symbol()});
  }
  for (const auto& name : config.names("models"))
    out.models.push_back({name, config.text("models." + name + ".label")});
  for (const auto& text : config.list("placement.pins")) {
    const auto equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) return bad_pin(text);
    out.pins[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return out;
}

bool several(const room_context& context, node_role role) { return context.nodes.with(role).size() > 1; }

std::string own_name(const room_context& context, node_role role, const std::string& base) {
  return several(context, role) ? base + '/' + context.self.name.text : base;
}

std::vector<std::string> own_names(const room_context& context, node_role role, const std::string& base) {
  if (!several(context, role)) return {base};
  std::vector<std::string> out;
  for (const auto* spec : context.nodes.with(role)) out.push_back(base + '/' + spec->name.text);
  return out;
}

bool belongs_here(const room_context& context, node_role role, const std::string& key) {
  const auto here = keys_at(context.nodes, context.things, role, context.self.name.text);
  return std::find(here.begin(), here.end(), key) != here.end();
}

result<std::vector<placed_thing>> placed_things(const configuration& config, const nodes_conf& nodes) {
  auto wishes = wishes_of(config);
  if (!wishes) return std::move(wishes).error();
  auto things = desired_state(nodes, *wishes);
  if (!things) return std::move(things).error();
  for (auto& thing : *things) thing.movable = thing.movable && nodes.with(thing.role).size() > 1;
  return things;
}

std::vector<child_definition> placement_children(const room_context& context, std::uint64_t incarnation) {
  std::vector<child_definition> out;
  supervisor_options how;
  how.name = placed_supervisor;
  how.seed = context.env.seed + 29;
  how.on_event = log_supervision;
  out.push_back(child_supervisor(context.env, std::move(how), {}));
  placement_options options;
  options.conf = context.nodes;
  options.self = context.self.name;
  options.incarnation = incarnation;
  options.things = context.things;
  options.children = context.placed;
  options.supervisor = placed_supervisor;
  options.data = context.data;
  options.view = context.view;
  options.rules.settle = context.config.duration("placement.settle");
  options.rules.pause = context.config.duration("placement.pause");
  out.push_back(child<placement_state>(named_child(placement_name(context.self.name)),
                                       spawn_options{.detached = true}, context.env, options));
  return out;
}

void move_verb(const actor_environment& env, const node_name& self, actor_pointer<node_actor> node,
               const admin_command& command, const admin_answer& answer) {
  ask(node, env.names->find<placement_actor>(placement_name(self)), 3s, command)
      .then([answer](const admin_result& done) { answer(done); },
            [answer](const error& why) { answer({false, why.message()}); });
}

} // namespace troupe::node
