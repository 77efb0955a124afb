#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/feed_table.hpp"
#include "tools/feed_verify/feed_verify.hpp"
#include "tools/feed_verify/verify_all.hpp"
#include "tools/tape_deck/recorded_tapes.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

struct running_feeds {
  std::vector<feed_row> rows;
  bool complete = true; ///< every ingest node could be asked
};

/// The feeds of all running ingest nodes; a node that does not answer is named on standard error.
result<running_feeds> ask_for_feeds(const global_options& global, const std::string& venue) {
  const auto config = load_configuration(global);
  if (!config) return config.error();
  const auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return nodes.error();
  const auto settings = client_settings(global);
  if (!settings) return settings.error();
  cluster_client client{*nodes, *settings};
  running_feeds out;
  for (const auto* node : nodes->with(node_role::ingest)) {
    const auto page = client.status(node->name.text, 2);
    if (!page) {
      out.complete = false;
      std::cerr << "troupe: node " << node->name.text << ": " << page.error().message() << '\n';
      continue;
    }
    for (auto& row : feed_rows(node->name.text, json_view::parse(page->json), venue)) out.rows.push_back(std::move(row));
  }
  return out;
}

int feed_list_command(const global_options& global, const std::string& venue) {
  const auto feeds = ask_for_feeds(global, venue);
  if (!feeds) return fail(feeds.error());
  if (global.json) std::cout << feed_list_json(feeds->rows) << '\n';
  else if (!feeds->rows.empty()) std::cout << feed_table(feeds->rows);
  if (feeds->rows.empty()) std::cerr << "troupe: no feed runs; start nodes with troupe up\n";
  return feeds->complete && !feeds->rows.empty() ? 0 : 1;
}

int feed_show_command(const global_options& global, const std::string& instrument) {
  const auto feeds = ask_for_feeds(global, {});
  if (!feeds) return fail(feeds.error());
  for (const auto& row : feeds->rows) {
    if (row.instrument != instrument) continue;
    if (global.json) std::cout << row.page.raw("") << '\n';
    else std::cout << feed_sheet(row);
    return 0;
  }
  std::cerr << "troupe: no running node has a feed of " << instrument << "; troupe feed list shows those there are\n";
  return 1;
}

} // namespace

void add_feed_commands(CLI::App& app, global_options& global) {
  auto* feed = app.add_subcommand("feed", "Feeds: how they are, and verify recordings through them");
  feed->require_subcommand(1);
  auto venue = std::make_shared<std::string>();
  auto* list = feed->add_subcommand("list", "Every feed of the running nodes: state, proof, age, lag, clock, resyncs");
  list->add_option("--venue", *venue, "Only this venue's");
  list->callback(run(global, [&global, venue] { return feed_list_command(global, *venue); }));
  auto instrument = std::make_shared<std::string>();
  auto* show = feed->add_subcommand("show", "All figures of one running feed, and the frames it put aside");
  show->add_option("INSTRUMENT", *instrument, "BTC-USDT@binance")->required();
  show->callback(run(global, [&global, instrument] { return feed_show_command(global, *instrument); }));
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
