#include "tools/cli/cluster_torture_command.hpp"

#include "runtime/config/configuration.hpp"
#include "tools/cluster_torture/cluster_torture.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <memory>

namespace troupe::cli {
namespace {

struct cluster_torture_arguments {
  cluster_torture::cluster_torture_options options;
  std::string length = "2m";
};

int torture_command(cluster_torture_arguments& arguments) {
  const auto length = parse_duration(arguments.length);
  if (!length || *length < std::chrono::seconds{30})
    return fail({config_errc::bad_value, "--for " + arguments.length + ": write a duration of at least 30s, such as 2m"});
  arguments.options.length = std::chrono::duration_cast<std::chrono::seconds>(*length);
  return cluster_torture::torture_cluster(arguments.options);
}

} // namespace

void add_cluster_torture(CLI::App& torture, global_options& global, const std::string& recordings) {
  auto arguments = std::make_shared<cluster_torture_arguments>();
  auto& options = arguments->options;
  options.recordings = recordings;
  auto* command = torture.add_subcommand(
      "cluster", "A cluster in a network of its own, its nodes killed, stopped, cut off and slowed down; needs root");
  command->add_option("NODES", options.nodes, "nodes.conf of the cluster; hosts and ports are replaced by the laboratory's. "
                                               "Default: seven nodes, two of ingest, two of model, one of each other role")
      ->check(CLI::ExistingFile);
  command->add_option("--seed", options.seed, "Seed of the plan and of the market")->capture_default_str();
  command->add_option("--for", arguments->length, "How long, such as 2m")->capture_default_str();
  command->add_option("--folder", options.folder, "Folder of the run; it is kept. Default: a new one in the temporary folder");
  command->add_flag("--plan", options.plan_only, "Print the plan of faults and end");
  command->callback(run(global, [arguments] { return torture_command(*arguments); }));
}

} // namespace troupe::cli
