#include "runtime/cluster/placement.hpp"

#include "messages/learning.hpp"
#include "runtime/config/suggest.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// The finalizer of SplitMix64: spreads the hash of two similar texts over all bits.
std::uint64_t spread(std::uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

bool fits(const node_spec& node, const placed_thing& thing) {
  return node.has(thing.role) && (thing.label.empty() || node.has_label(thing.label));
}

error refused(cluster_errc code, std::string text) {
  return {make_error_code(code), std::move(text)};
}

/// The pin's node is there and may run the thing.
status check_pin(const nodes_conf& conf, const placed_thing& thing) {
  if (thing.pin.empty()) return ok;
  const auto node = conf.at(thing.pin);
  if (!node) return refused(cluster_errc::unknown_node, "the pin of " + thing.key + ": " + node.error().text);
  if (fits(*node, thing)) return ok;
  return refused(cluster_errc::conflict, "the pin of " + thing.key + ": node '" + thing.pin + "' lacks the "
                                             + (node->has(thing.role)
                                                    ? "label " + thing.label
                                                    : "role " + std::string{to_string(thing.role)}));
}

status check_thing(const nodes_conf& conf, const placed_thing& thing) {
  if (auto pinned = check_pin(conf, thing); !pinned) return pinned;
  if (!candidates(conf, thing).empty()) return ok;
  return refused(cluster_errc::conflict, thing.key + " needs a node with the role "
                                             + std::string{to_string(thing.role)} + " and the label '" + thing.label
                                             + "'; no line of nodes.conf has both");
}

/// Every pin must mean something.
status check_pins(const std::vector<placed_thing>& things, const std::map<std::string, std::string>& pins) {
  std::vector<std::string> keys;
  for (const auto& thing : things) keys.push_back(thing.key);
  for (const auto& [key, node] : pins)
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      return refused(cluster_errc::unknown_word, "placement.pins: nothing is called '" + key + "'"
                                                     + did_you_mean(key, keys)
                                                     + " (an instrument, consolidator/SYMBOL, model/NAME, trainer/NAME)");
  return ok;
}

} // namespace

std::string_view to_string(node_health health) noexcept {
  switch (health) {
  case node_health::away: return "away";
  case node_health::up: return "up";
  case node_health::dead: return "dead";
  }
  return "unknown";
}

result<std::vector<placed_thing>> desired_state(const nodes_conf& conf, const placement_wishes& wishes) {
  std::vector<placed_thing> out;
  const auto add = [&](std::string name, const std::string& key, node_role role, bool movable, const std::string& label) {
    if (conf.with(role).empty()) return;
    const auto pin = wishes.pins.find(key);
    out.push_back({std::move(name), key, role, movable, label, pin == wishes.pins.end() ? std::string{} : pin->second});
  };
  for (const auto& [name, label] : wishes.instruments) {
    add("feed/" + name, name, node_role::ingest, false, label);
    for (const auto over : all_horizons)
      add("predictor/" + name + '/' + std::string{name_of(over)}, name, node_role::ingest, false, label);
  }
  for (const auto& [name, label] : wishes.symbols)
    add("consolidator/" + name, "consolidator/" + name, node_role::ingest, true, label);
  for (const auto& [name, label] : wishes.models) {
    add("model/" + name, "model/" + name, node_role::model, true, label);
    add("trainer/" + name, "trainer/" + name, node_role::train, false, {});
  }
  if (auto known = check_pins(out, wishes.pins); !known) return std::move(known).error();
  for (const auto& thing : out)
    if (auto fit = check_thing(conf, thing); !fit) return std::move(fit).error();
  return out;
}

std::uint64_t rendezvous_weight(std::string_view key, std::string_view node) noexcept {
  return spread(stable_hash(key) + 0x9e3779b97f4a7c15ULL * spread(stable_hash(node)));
}

std::vector<const node_spec*> candidates(const nodes_conf& conf, const placed_thing& thing) {
  std::vector<const node_spec*> out;
  for (const auto& node : conf.nodes())
    if (fits(node, thing)) out.push_back(&node);
  const auto rank = [&](const node_spec* n) {
    return std::tuple{n->name.text == thing.pin, rendezvous_weight(thing.key, n->name.text)};
  };
  // Stable: two nodes of one weight stay in the file's order.
  std::stable_sort(out.begin(), out.end(), [&](const auto* a, const auto* b) { return rank(a) > rank(b); });
  return out;
}

const node_spec* home_of(const nodes_conf& conf, const placed_thing& thing) {
  const auto all = candidates(conf, thing);
  return all.empty() ? nullptr : all.front();
}

std::vector<std::string> keys_at(const nodes_conf& conf, const std::vector<placed_thing>& things, node_role role,
                                 std::string_view node) {
  std::vector<std::string> out;
  for (const auto& thing : things) {
    if (thing.role != role || std::find(out.begin(), out.end(), thing.key) != out.end()) continue;
    const auto* home = home_of(conf, thing);
    if (home != nullptr && home->name.text == node) out.push_back(thing.key);
  }
  return out;
}

std::map<std::string, std::string> assign(const nodes_conf& conf, const std::vector<placed_thing>& things,
                                          const std::vector<std::string>& alive) {
  std::map<std::string, std::string> out;
  for (const auto& thing : things) {
    auto& place = out[thing.name];
    for (const auto* node : candidates(conf, thing)) {
      const bool lives = std::find(alive.begin(), alive.end(), node->name.text) != alive.end();
      if (lives) place = node->name.text;
      if (lives || !thing.movable) break;
    }
  }
  return out;
}

// --- placer --------------------------------------------------------------------------------------

placer::placer(nodes_conf conf, std::vector<placed_thing> things, placer_options options)
    : conf_{std::move(conf)}, options_{options} {
  std::copy_if(things.begin(), things.end(), std::back_inserter(things_), [](const auto& t) { return t.movable; });
  for (const auto& spec : conf_.nodes()) nodes_[spec.name.text];
  for (const auto& thing : things_) {
    places_[thing.name];
    configured_pins_[thing.name] = thing.pin;
  }
}

bool placer::found(const std::string& name, const std::string& node) {
  const auto place = places_.find(name);
  if (place == places_.end() || !place->second.empty() || conf_.find(node) == nullptr) return false;
  place->second = node;
  running_[name] = true;
  placed_.insert(name);
  return true;
}

void placer::set_pins(const std::map<std::string, std::string>& pins) {
  for (auto& thing : things_) {
    const auto pin = pins.find(thing.name);
    const auto next = pin == pins.end() ? configured_pins_[thing.name] : pin->second;
    if (next == thing.pin) continue;
    thing.pin = next;
    ordered_.insert(thing.name);
  }
}

void placer::runs(const std::string& name, bool running) { running_[name] = running; }

const placer::seen_node& placer::node(const std::string& name) const {
  static const seen_node unknown;
  const auto i = nodes_.find(name);
  return i == nodes_.end() ? unknown : i->second;
}

void placer::see(steady_time now, const std::map<std::string, node_health>& health) {
  if (begun_.ns == 0) begun_ = now;
  for (auto& [name, seen] : nodes_) {
    const auto i = health.find(name);
    const auto next = i == health.end() ? node_health::away : i->second;
    if (next == node_health::up && seen.health != node_health::up) seen.up_since = now;
    seen.ever_up = seen.ever_up || next == node_health::up;
    seen.health = next;
  }
}

/// The node for a thing that runs nowhere, "" while none may take it.
std::string placer::place_anew(const placed_thing& thing, steady_time now) const {
  const auto fit = candidates(conf_, thing);
  const auto unheard = [&](const node_spec* spec) { return node(spec->name.text).health == node_health::away; };
  // Nobody told yet where it runs: one that is still to be heard may say so.
  if (!placed_.contains(thing.name) && now - begun_ < options_.look && std::any_of(fit.begin(), fit.end(), unheard))
    return {};
  for (const auto* spec : fit) {
    const auto& seen = node(spec->name.text);
    if (seen.health == node_health::up) return spec->name.text;
    // Everybody is still starting: the better node is waited for.
    if (seen.health == node_health::away && now - begun_ < options_.start_grace) return {};
  }
  return {};
}

bool placer::may_go_home(const placed_thing& thing, steady_time now) const {
  const auto* home = home_of(conf_, thing);
  if (home == nullptr || home->name.text == places_.at(thing.name) || !is_up(home->name.text)) return false;
  if (ordered_.contains(thing.name)) return true;
  if (now - node(home->name.text).up_since < options_.settle) return false;
  if (last_return_.ns != 0 && now - last_return_ < options_.pause) return false;
  return std::all_of(places_.begin(), places_.end(), [&](const auto& place) {
    const auto i = running_.find(place.first);
    return i != running_.end() && i->second;
  });
}

bool placer::put(const std::string& name, const std::string& node) {
  auto& place = places_[name];
  if (place == node) return false;
  if (!place.empty()) ++moves_;
  if (!node.empty()) placed_.insert(name);
  place = node;
  running_[name] = false;
  return true;
}

bool placer::tick(steady_time now, const std::map<std::string, node_health>& health) {
  see(now, health);
  bool changed = false;
  for (const auto& thing : things_) {
    const auto& place = places_[thing.name];
    if (place.empty() || node(place).health == node_health::dead) {
      changed = put(thing.name, place_anew(thing, now)) || changed;
      continue;
    }
    // While its node is away it still is that node's: it may only be silent.
    if (!is_up(place) || !may_go_home(thing, now)) continue;
    if (ordered_.erase(thing.name) == 0) last_return_ = now;
    changed = put(thing.name, home_of(conf_, thing)->name.text) || changed;
  }
  return changed;
}

} // namespace troupe
