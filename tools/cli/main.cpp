// The program `troupe`: command line, and the nodes that need no LibTorch.

#include "runtime/config/suggest.hpp"
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

/// The command that was reached before the words stopped making sense.
const CLI::App& deepest(const CLI::App& app) {
  const auto below = app.get_subcommands();
  return below.empty() ? app : deepest(*below.back());
}

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

/// Every word that may stand behind a command: its subcommands, or the options it and its parents take.
std::vector<std::string> words_of(const CLI::App& app, bool options) {
  std::vector<std::string> out;
  if (!options)
    for (const auto* below : app.get_subcommands([](const CLI::App*) { return true; })) out.push_back(below->get_name());
  for (const auto* at = &app; options && at != nullptr; at = at->get_parent())
    for (const auto* option : at->get_options())
      for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  return out;
}

/// One line about a word that no command knows; empty when that is not what went wrong.
std::string unknown_word(const CLI::App& app) {
  const auto& at = deepest(app);
  for (const auto& word : app.remaining(true)) {
    if (word == "--") continue;
    const bool option = word.starts_with("-");
    const auto known = words_of(at, option);
    if (!option && known.empty()) return path_of(at) + " takes no '" + word + "'; see `" + path_of(at) + " --help`";
    return std::string{option ? "unknown option '" : "unknown command '"} + word + "'" + did_you_mean(word, known)
           + (closest_word(word, known).empty() ? "; `" + path_of(at) + " --help` lists what there is" : "");
  }
  return {};
}

/// Help goes to standard output; a mistake is told in one line on standard error, exit code 2.
int tell(const CLI::App& app, const CLI::ParseError& e) {
  if (e.get_exit_code() == 0) return app.exit(e, std::cout, std::cerr);
  auto text = unknown_word(app);
  if (text.empty()) text = std::string{e.what()} + "; see `" + path_of(deepest(app)) + " --help`";
  std::fprintf(stderr, "troupe: %s\n", text.c_str());
  return 2;
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
  cli::add_cluster_commands(app, global);
  cli::add_console_command(app, global);
  cli::add_actor_commands(app, global);
  cli::add_trading_commands(app, global);
  cli::add_feed_commands(app, global);
  cli::add_book_command(app, global);
  cli::add_tape_commands(app, global);
  cli::add_export_commands(app, global);
  cli::add_journal_commands(app, global);
  cli::add_venue_commands(app, global);
  cli::add_config_commands(app, global);
  cli::add_bench_commands(app, global);
  cli::add_torture_commands(app, global);
  cli::add_ops_commands(app, global);
  cli::add_help_commands(app, global);
  cli::add_placement_commands(app, global);
  add_version_command(app, global);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return tell(app, e);
  }
  return global.exit_code;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto code = run_program(argc, argv);
  std::cout.flush();
  if (std::cout.good() && std::fflush(stdout) == 0) return code;
  std::fprintf(stderr, "troupe: standard output can't be written; free its disk or name another place\n");
  return code != 0 ? code : 1;
}
