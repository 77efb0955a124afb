#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"
#include "tools/console/console.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <memory>

namespace troupe::cli {
namespace {

int console_command(const global_options& global) {
  const auto config = load_configuration(global);
  if (!config) return fail(config.error());
  const auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return fail(nodes.error());
  console::source_options options;
  options.who = operator_name();
  options.socket = global.data / "up.sock";
  auto settings = client_settings(global);
  if (!settings) return fail(settings.error());
  settings->connect_within = std::chrono::seconds{1};
  settings->answer_within = std::chrono::seconds{1};
  options.connect = [conf = *nodes, limits = *settings] { return std::make_unique<cluster_client>(conf, limits); };
  const auto ended = console::run_console(*nodes, std::move(options));
  return ended ? 0 : fail(ended.error());
}

} // namespace

void add_console_command(CLI::App& app, global_options& global) {
  auto* console = app.add_subcommand("console", "Full-screen window into every actor of the cluster; ? shows its keys");
  console->callback(run(global, [&global] { return console_command(global); }));
}

} // namespace troupe::cli
