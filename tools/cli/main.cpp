// The program `troupe`: command line, and the nodes that need no LibTorch.

#include "tools/cli/command.hpp"
#include "tools/cli/version.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <iostream>

namespace {

using namespace troupe;

void add_version_command(CLI::App& app, cli::global_options& global) {
  auto* command = app.add_subcommand("version", "Print version, build id and schema hash");
  command->callback(cli::run(global, [&global] {
    std::cout << (global.json ? cli::version_json() : cli::version_text()) << '\n';
    return 0;
  }));
}

int run_program(int argc, char** argv) {
  CLI::App app{"Troupe: an actor-model distributed trading system.\n\n"
               "First steps:\n"
               "  troupe demo                     the whole system on this machine, no keys, no network\n"
               "  troupe demo --chaos --for 90s   the same, with processes killed all the time\n"
               "  troupe config show --origin     every setting, its value and where it comes from\n",
               "troupe"};
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(1);
  app.fallthrough();
  cli::global_options global;
  app.add_option("--config", global.config, "Folder of the configuration files")->capture_default_str();
  app.add_option("--data", global.data, "Data folder")->capture_default_str();
  app.add_option("--set", global.overrides, "Override a setting: --set section.key=value");
  app.add_flag("--json", global.json, "Print JSON on standard output");

  cli::add_demo_command(app, global);
  cli::add_node_commands(app, global);
  cli::add_trading_commands(app, global);
  cli::add_feed_commands(app, global);
  cli::add_tape_commands(app, global);
  cli::add_journal_commands(app, global);
  cli::add_venue_commands(app, global);
  cli::add_config_commands(app, global);
  cli::add_bench_commands(app, global);
  cli::add_torture_commands(app, global);
  add_version_command(app, global);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
  }
  return global.exit_code;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return run_program(argc, argv);
}
