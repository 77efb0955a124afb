// The program `troupe-model`: the nodes that run LibTorch.

#include "tools/cli/version.hpp"
#include "tools/node/learning_rooms.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>

namespace {

using namespace troupe;

int run_program(int argc, char** argv) {
  CLI::App app{"troupe-model: the model and train nodes of Troupe. Started by `troupe up`.", "troupe-model"};
  app.require_subcommand(1);
  app.fallthrough();
  node::node_options options;
  options.config = "config";
  options.data = "data";
  options.build = cli::build_id();
  int exit_code = 0;
  app.add_option("--config", options.config, "Folder of the configuration files")->capture_default_str();
  app.add_option("--data", options.data, "Data folder of the nodes")->capture_default_str();
  app.add_option("--set", options.overrides, "Override a setting: --set section.key=value");
  auto* node = app.add_subcommand("node", "Run one node of nodes.conf in the foreground");
  node->add_option("NAME", options.name, "Name in nodes.conf")->required();
  node->callback([&] {
    exit_code = node::run_node(options, {{node_role::model, node::model_room}, {node_role::train, node::train_room}});
  });
  app.add_subcommand("version", "Print version, build id and schema hash")->callback([] {
    std::cout << cli::version_text() << '\n';
  });
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}

} // namespace

int main(int argc, char** argv) {
  // One thread a network: actors are what runs in parallel. Set before LibTorch's pools read it.
  ::setenv("OMP_NUM_THREADS", "1", 0);
  ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
  return run_program(argc, argv);
}
