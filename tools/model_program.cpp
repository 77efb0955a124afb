// The program `troupe-model`: the nodes that run LibTorch.

#include "tools/cli/version.hpp"
#include "tools/learning/learning_proof.hpp"
#include "tools/node/learning_rooms.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>

namespace {

using namespace troupe;

/// Prints one JSON object a case; 0 when the signal was learned and nothing was found where nothing is.
int prove_learning(std::uint64_t seed) {
  init_model_thread();
  struct learning_case {
    const char* name;
    learning_input input;
    bool learns;
  };
  bool proven = true;
  for (const auto& [name, input, learns] :
       {learning_case{"planted signal", learning_input::signal, true},
        learning_case{"planted signal, learning rate 0", learning_input::signal, false},
        learning_case{"random walk", learning_input::random_walk, true}}) {
    learning_options options;
    options.input = input;
    options.seed = seed;
    if (!learns) options.training.learning_rate = 0;
    const auto found = learning_proof(options);
    if (!found) {
      std::cerr << "troupe-model: " << found.error().text << '\n';
      return 1;
    }
    const bool expected = input == learning_input::signal && learns ? found->learned : found->at_chance;
    proven = proven && expected;
    std::cout << "{\"case\":\"" << name << "\",\"as_expected\":" << (expected ? "true" : "false")
              << ",\"result\":" << to_json(*found) << "}\n";
  }
  return proven ? 0 : 1;
}

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
  std::uint64_t seed = 1;
  auto* bench = app.add_subcommand("bench", "Benchmarks that need LibTorch");
  bench->require_subcommand(1);
  auto* learning = bench->add_subcommand(
      "learning", "Does it learn: skill ratio on a planted signal, with learning rate 0, and on a random walk");
  learning->add_option("--seed", seed, "Seed of inputs and weights")->capture_default_str();
  learning->callback([&] { exit_code = prove_learning(seed); });
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
