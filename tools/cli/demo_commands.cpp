#include "runtime/config/configuration.hpp"
#include "tools/cli/cluster_torture_command.hpp"
#include "tools/cli/command.hpp"
#include "tools/demo/demo.hpp"
#include "tools/feed_torture/feed_torture.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdlib>
#include <memory>

namespace troupe::cli {
namespace {

struct demo_arguments {
  demo::demo_options options;
  std::string length;
  std::uint32_t kills = 25;
};

/// `$TROUPE_DATA`, else a folder beside the sources the program was built from.
std::string recordings_folder() {
  if (const char* named = std::getenv("TROUPE_DATA"); named != nullptr) return named;
  return TROUPE_SOURCE_DIR "/../shared/data";
}

status take_settings(const global_options& global, demo_arguments& arguments) {
  for (const auto& item : global.overrides) {
    const auto equals = item.find('=');
    if (equals == std::string::npos)
      return {config_errc::bad_syntax, "--set " + item + ": write --set section.key=value"};
    arguments.options.settings[item.substr(0, equals)] = item.substr(equals + 1);
  }
  arguments.options.json = global.json;
  if (arguments.length.empty()) return ok;
  const auto length = parse_duration(arguments.length);
  if (!length) return {config_errc::bad_value, "--for " + arguments.length + ": write a duration such as 90s or 5m"};
  if (*length < std::chrono::seconds{1})
    return {config_errc::bad_value, "--for " + arguments.length + ": the shortest run is 1s"};
  arguments.options.length = std::chrono::duration_cast<std::chrono::seconds>(*length);
  return ok;
}

void add_common(CLI::App& command, demo_arguments& arguments) {
  auto& options = arguments.options;
  command.add_option("--tape", options.tapes, "Tape or recording to play in a loop instead of the default market");
  command.add_flag("--generated", options.generated, "The generated market even where recordings are");
  command.add_option("--speed", options.speed, "Market time per wall time; 75 by default, 1 with --live");
  command.add_option("--folder", options.folder, "Folder of the run; it is kept. Default: a new one in the temporary folder");
  command.add_option("--seed", options.seed, "Seed of all random choices")->capture_default_str();
}

} // namespace

void add_demo_command(CLI::App& app, global_options& global) {
  auto arguments = std::make_shared<demo_arguments>();
  auto* command = app.add_subcommand(
      "demo", "The whole system on this machine: venue simulator, four nodes, paper account; no keys, no network");
  add_common(*command, *arguments);
  command->add_option("--for", arguments->length, "Length of the run, such as 90s; without it until ctrl-C");
  command->add_flag("--chaos", arguments->options.chaos, "Kill processes and actors all the while");
  command->add_flag("--live", arguments->options.live, "Real public streams of Binance (needs the network; no key)");
  command->callback(run(global, [&global, arguments] {
    if (auto done = take_settings(global, *arguments); !done) return fail(done.error());
    return demo::run_demo(arguments->options, recordings_folder());
  }));
}

void add_torture_commands(CLI::App& app, global_options& global) {
  auto* torture = app.add_subcommand("torture", "Tests that try to break the promises, with a report at the end");
  torture->require_subcommand(1);
  auto arguments = std::make_shared<demo_arguments>();
  auto* executor = torture->add_subcommand(
      "executor", "kill -9 of the exec process at random moments under load; journal and venue ledger must agree");
  add_common(*executor, *arguments);
  executor->add_option("--kills", arguments->kills, "Number of kills")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  executor->callback(run(global, [&global, arguments] {
    if (auto done = take_settings(global, *arguments); !done) return fail(done.error());
    return demo::torture_executor(arguments->options, recordings_folder(), arguments->kills);
  }));
  add_cluster_torture(*torture, global, recordings_folder());
  auto feeds = std::make_shared<feed_torture_options>();
  auto* torture_of_feeds = torture->add_subcommand(
      "feeds", "Connectors and feeds against simulators of the venues, with faults injected over TLS sockets");
  torture_of_feeds->add_option("--venue", feeds->venues, "Only these venues; without: all");
  torture_of_feeds->add_option("--seed", feeds->seed, "Seed of the faults and of the generated markets")->capture_default_str();
  torture_of_feeds->add_option("--seconds", feeds->seconds, "How long faults are injected")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  auto quiet = std::make_shared<std::int64_t>(4);
  torture_of_feeds->add_option("--quiet", *quiet, "Longest quiet time in seconds, the venues' own cut to it; 0 = as the venues have them")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  torture_of_feeds->callback(run(global, [feeds, quiet] {
    feeds->quiet = std::chrono::seconds{*quiet};
    return torture_feeds(*feeds);
  }));
}

} // namespace troupe::cli
