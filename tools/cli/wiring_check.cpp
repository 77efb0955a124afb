#include "tools/cli/wiring_check.hpp"

#include "runtime/config/suggest.hpp"
#include "tools/node/metrics_actor.hpp"
#include "tools/node/node.hpp"

#include <algorithm>

namespace troupe::cli {
namespace {

/// Where a value was set: "config/troupe.yaml:4", "default", "--set", "environment …".
std::string place_of(const configuration& config, std::string_view path) {
  const auto found = config.values().find(path);
  const auto origin = found == config.values().end() ? std::string{"default"} : found->second.origin;
  return origin == "default" ? "default of " + std::string{path} : origin;
}

status bad(const configuration& config, std::string_view path, const std::string& text) {
  return {config_errc::bad_value, place_of(config, path) + ": " + text};
}

status check_venue(const configuration& config, std::string_view from, const std::string& what, const std::string& venue) {
  const auto known = config.names("venues");
  if (std::find(known.begin(), known.end(), venue) != known.end()) return ok;
  return bad(config, from, what + ": venues.yaml has no venue '" + venue + "'" + did_you_mean(venue, known)
                               + (known.empty() ? "; add it below venues:" : ""));
}

status check_instrument(const configuration& config, const std::string& name) {
  const auto what = "instruments: " + name;
  const instrument_id id{name};
  if (id.venue().empty() || id.symbol().empty() || name.find('.') != std::string::npos)
    return bad(config, "instruments", what + ": write SYMBOL@venue, such as BTC-USDT@binance");
  const std::string venue{id.venue()};
  const std::string symbol{id.symbol()};
  if (auto done = check_venue(config, "instruments", what, venue); !done) return done;
  const auto rules = config.names("venues." + venue + ".instruments");
  if (std::find(rules.begin(), rules.end(), symbol) == rules.end())
    return bad(config, "instruments",
               what + ": venues.yaml has no rules venues." + venue + ".instruments." + symbol + did_you_mean(symbol, rules));
  if (auto spec = node::configured_instrument(config, name); !spec) return bad(config, "instruments", spec.error().text);
  if (config.text("venues." + venue + ".stream").empty())
    return {config_errc::missing_value, "venues.yaml: venues." + venue + ".stream is needed for " + name};
  return ok;
}

status check_instruments(const configuration& config) {
  const auto names = config.list("instruments");
  if (names.empty()) return bad(config, "instruments", "instruments: none; write at least one, such as BTC-USDT@binance");
  for (auto it = names.begin(); it != names.end(); ++it) {
    if (std::find(names.begin(), it, *it) != it) return bad(config, "instruments", "instruments: " + *it + " stands twice; keep one");
    if (auto done = check_instrument(config, *it); !done) return done;
  }
  return ok;
}

/// Whatever asks a model or runs one needs it to be configured.
status check_model(const configuration& config, const nodes_conf& nodes) {
  bool wanted = false;
  for (const auto role : {node_role::ingest, node_role::model, node_role::train}) wanted = wanted || !nodes.with(role).empty();
  if (!wanted) return ok;
  const auto model = config.text("predictor.model");
  const auto known = config.names("models");
  if (std::find(known.begin(), known.end(), model) != known.end()) return ok;
  return bad(config, "predictor.model", "predictor.model: models.yaml has no model '" + model + "'" + did_you_mean(model, known)
                                            + (known.empty() ? "; add it below models:" : ""));
}

status check_mode(const configuration& config, const nodes_conf& nodes) {
  if (nodes.with(node_role::execution).empty()) return ok; // nothing trades here
  const auto fits = node::mode_is_offered(config.text("trading.mode"));
  return fits ? ok : bad(config, "trading.mode", fits.error().text);
}

status check_metrics(const configuration& config, const nodes_conf& nodes) {
  for (const auto& each : nodes.nodes())
    if (const auto port = node::metrics_port_of(config.integer("metrics.port"), nodes, each.name.text); !port)
      return bad(config, "metrics.port", port.error().text);
  return ok;
}

status check_account(const configuration& config, const nodes_conf& nodes) {
  if (nodes.with(node_role::execution).empty()) return ok; // nothing trades here
  const auto account = config.text("trading.account");
  if (nodes.node_of(account) == nullptr) {
    std::vector<std::string> known;
    for (const auto& node : nodes.nodes()) known.insert(known.end(), node.accounts.begin(), node.accounts.end());
    return bad(config, "trading.account", "trading.account " + account + " is an account of no node of nodes.conf"
                                              + did_you_mean(account, known));
  }
  const auto venue = account.substr(account.find('@') + 1);
  if (auto done = check_venue(config, "trading.account", "trading.account " + account, venue); !done) return done;
  if (config.text("trading.gateway") != "venue") return ok;
  for (const auto* key : {"rest", "api"})
    if (config.text("venues." + venue + "." + key).empty())
      return {config_errc::missing_value, "venues.yaml: venues." + venue + "." + key
                                              + " is needed, because trading.gateway is venue ("
                                              + place_of(config, "trading.gateway") + ")"};
  return ok;
}

} // namespace

status check_wiring(const configuration& config, const nodes_conf& nodes) {
  if (auto done = check_instruments(config); !done) return done;
  if (auto done = check_model(config, nodes); !done) return done;
  if (auto done = check_mode(config, nodes); !done) return done;
  if (auto done = check_metrics(config, nodes); !done) return done;
  return check_account(config, nodes);
}

} // namespace troupe::cli
