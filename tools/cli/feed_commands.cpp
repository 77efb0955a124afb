#include "tools/cli/command.hpp"
#include "tools/feed_verify/feed_verify.hpp"

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
  verify->add_option("FILE", options->inputs, "Tape, or the recorded files of one stream in order of time")
      ->required()
      ->check(CLI::ExistingFile);
  verify->add_option("--expect", options->expect, "Expectations to compare with; exit code 1 on any difference")
      ->check(CLI::ExistingFile);
  verify->add_flag("--line-order", options->line_order, "Replay the deliberately wrong way, which must be caught (exit code 1)");
  verify->add_flag("--allow-unfinished", options->allow_unfinished,
                   "A tape that was never finished or is cut off is replayed as far as it goes, without exit code 1");
  verify->callback(run(global, [&global, options] {
    options->json = global.json;
    return feed_verify(*options, std::cout, std::cerr);
  }));
}

} // namespace troupe::cli
