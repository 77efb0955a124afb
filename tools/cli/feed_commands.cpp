#include "tools/cli/command.hpp"
#include "tools/feed_verify/feed_verify.hpp"
#include "tools/feed_verify/verify_all.hpp"
#include "tools/tape_deck/recorded_tapes.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <memory>

namespace troupe::cli {

void add_feed_commands(CLI::App& app, global_options& global) {
  auto* feed = app.add_subcommand("feed", "Feeds: verify recordings through them");
  feed->require_subcommand(1);
  auto options = std::make_shared<feed_verify_options>();
  auto* verify = feed->add_subcommand(
      "verify", "Replay one recording through the feed: gaps, end state, agreement with the venue's own best bid and ask");
  auto* files = verify->add_option("FILE", options->inputs, "Tape, or the recorded files of one stream in order of time")
                    ->check(CLI::ExistingFile);
  auto all = std::make_shared<std::filesystem::path>();
  verify->add_option("--all", *all, "Instead of files: every recording of every venue below this folder, compared with what is known of it")
      ->check(CLI::ExistingDirectory)
      ->excludes(files);
  verify->add_option("--expect", options->expect, "Expectations to compare with; exit code 1 on any difference")
      ->check(CLI::ExistingFile);
  verify->add_flag("--line-order", options->line_order, "Replay the deliberately wrong way, which must be caught (exit code 1)");
  verify->add_flag("--allow-unfinished", options->allow_unfinished,
                   "A tape that was never finished or is cut off is replayed as far as it goes, without exit code 1");
  verify->callback(run(global, [&global, options, all] {
    if (!all->empty()) return verify_all_command(*all, global.json, std::cout, std::cerr);
    if (options->inputs.empty())
      return fail({std::make_error_code(std::errc::invalid_argument), "feed verify: name files, or a folder with --all"});
    options->json = global.json;
    if (!options->line_order && is_own_recording(options->inputs.front())) options->figures = own_recording_figures;
    return feed_verify(*options, std::cout, std::cerr);
  }));
}

} // namespace troupe::cli
