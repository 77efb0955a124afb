#include "messages/json.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/config/credentials.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/wiring_check.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

/// Loads the settings and reads the credentials, which must be readable for nobody else.
result<configuration> load_all(const global_options& global) {
  auto loaded = load_configuration(global);
  if (!loaded) return loaded;
  if (auto keys = credentials::load(global.config / ".env"); !keys) return std::move(keys).error();
  return loaded;
}

int check_command(const global_options& global) {
  const auto loaded = load_all(global);
  if (!loaded) return fail(loaded.error());
  const auto nodes = load_nodes_conf_of(global.config, loaded->text("cluster.nodes"));
  if (!nodes) return fail(nodes.error());
  if (auto fits = check_wiring(*loaded, *nodes); !fits) return fail(fits.error());
  const auto instruments = loaded->list("instruments").size();
  if (global.json) {
    json_writer w;
    w.begin_object().field("ok", true).field("settings", loaded->values().size());
    w.field("nodes", nodes->nodes().size()).field("instruments", instruments).end_object();
    std::cout << w.text() << '\n';
  } else {
    std::cout << "ok: " << loaded->values().size() << " settings in " << global.config.string() << ", " << nodes->nodes().size()
              << " nodes, " << instruments << " instruments\n";
  }
  return 0;
}

int show_command(const global_options& global, bool origin) {
  const auto loaded = load_all(global);
  if (!loaded) return fail(loaded.error());
  if (global.json) {
    json_writer w;
    w.begin_object();
    for (const auto& [path, value] : loaded->values()) {
      w.key(path);
      if (origin) w.begin_object().field("value", value.text).field("origin", value.origin).end_object();
      else w.string(value.text);
    }
    w.end_object();
    std::cout << w.text() << '\n';
    return 0;
  }
  for (const auto& [path, value] : loaded->values()) {
    std::cout << path << " = " << value.text;
    if (origin) std::cout << "    # " << value.origin;
    std::cout << '\n';
  }
  return 0;
}

} // namespace

void add_config_commands(CLI::App& app, global_options& global) {
  auto* config = app.add_subcommand("config", "Check and show the configuration");
  config->require_subcommand(1);
  config->add_subcommand("check", "Check every file, nodes.conf too, and that they fit each other; the first error names file, line and remedy")
      ->callback(run(global, [&global] { return check_command(global); }));
  auto* show = config->add_subcommand("show", "Print every setting");
  auto origin = std::make_shared<bool>(false);
  show->add_flag("--origin", *origin, "Also print where each value comes from");
  show->callback(run(global, [&global, origin] { return show_command(global, *origin); }));
}

} // namespace troupe::cli
