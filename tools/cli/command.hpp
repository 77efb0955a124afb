#pragma once

/// What the commands of `troupe` share: options that stand before every command, and how results and
/// errors are told. Data goes to standard output, words to standard error; exit code 0 only on success.

#include "messages/error.hpp"
#include "runtime/config/configuration.hpp"

#include <CLI/App.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace troupe {
struct client_options;
} // namespace troupe

namespace troupe::cli {

/// Options every command understands.
struct global_options {
  std::filesystem::path config = "config"; ///< folder of the configuration files
  std::filesystem::path data = "data";     ///< data folder of the nodes
  std::vector<std::string> overrides;      ///< --set path=value
  bool json = false;
  int exit_code = 0; ///< set by the command that ran
};

/// Adds one family of commands to the program.
void add_config_commands(CLI::App& app, global_options& global);
void add_tape_commands(CLI::App& app, global_options& global);
void add_journal_commands(CLI::App& app, global_options& global);
void add_feed_commands(CLI::App& app, global_options& global);
void add_book_command(CLI::App& app, global_options& global);
void add_export_commands(CLI::App& app, global_options& global);
void add_venue_commands(CLI::App& app, global_options& global);
void add_node_commands(CLI::App& app, global_options& global);
void add_placement_commands(CLI::App& app, global_options& global);
void add_console_command(CLI::App& app, global_options& global);
void add_cluster_commands(CLI::App& app, global_options& global);
void add_actor_commands(CLI::App& app, global_options& global);
void add_trading_commands(CLI::App& app, global_options& global);
void add_demo_command(CLI::App& app, global_options& global);
void add_bench_commands(CLI::App& app, global_options& global);
void add_torture_commands(CLI::App& app, global_options& global);
void add_ops_commands(CLI::App& app, global_options& global);
void add_help_commands(CLI::App& app, global_options& global);

/// Reads the configuration folder, the process environment and --set.
result<configuration> load_configuration(const global_options& global);

/// How this program reaches nodes: where its certificate is, for those behind TLS.
result<client_options> client_settings(const global_options& global);

/// Who gives an order, for the audit: the login name of the user.
std::string operator_name();

/// Prints "troupe: text" on standard error and returns exit code 1.
int fail(const error& what);

/// Runs a command's body and keeps its exit code; the callback CLI11 wants.
std::function<void()> run(global_options& global, std::function<int()> body);

} // namespace troupe::cli
