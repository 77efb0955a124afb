#include "messages/json.hpp"
#include "runtime/config/credentials.hpp"
#include "tools/cli/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

/// Loads everything the folder holds, credentials included, and returns the settings.
result<configuration> check(const global_options& global) {
  auto loaded = load_configuration(global);
  if (!loaded) return loaded;
  if (auto keys = credentials::load(global.config / ".env"); !keys) return std::move(keys).error();
  return loaded;
}

int check_command(const global_options& global) {
  const auto loaded = check(global);
  if (!loaded) return fail(loaded.error());
  if (global.json) {
    json_writer w;
    w.begin_object().field("ok", true).field("settings", loaded->values().size()).end_object();
    std::cout << w.text() << '\n';
  } else {
    std::cout << "ok: " << loaded->values().size() << " settings in " << global.config.string() << '\n';
  }
  return 0;
}

int show_command(const global_options& global, bool origin) {
  const auto loaded = check(global);
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
  config->add_subcommand("check", "Check every file; the first error names file, line and remedy")
      ->callback(run(global, [&global] { return check_command(global); }));
  auto* show = config->add_subcommand("show", "Print every setting");
  auto origin = std::make_shared<bool>(false);
  show->add_flag("--origin", *origin, "Also print where each value comes from");
  show->callback(run(global, [&global, origin] { return show_command(global, *origin); }));
}

} // namespace troupe::cli
