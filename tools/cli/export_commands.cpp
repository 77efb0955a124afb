#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"
#include "tools/export/export.hpp"
#include "tools/export/market_csv.hpp"
#include "tools/node/node.hpp"
#include "tools/node/placement_room.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

using namespace std::chrono_literals;

struct export_words {
  std::string instrument;
  std::string interval = "1m";
  std::string from = "0";
  std::string to;
  std::filesystem::path out = "-";
  std::filesystem::path tape;
};

/// The store of the instrument's ingest node, when that runs.
result<export_source> node_source(cluster_client& client, const nodes_conf& nodes, const configuration& config,
                                  const instrument_id& instrument) {
  const auto things = node::placed_things(config, nodes);
  if (!things) return things.error();
  const auto here = [&](const node_spec& node) {
    const auto keys = keys_at(nodes, *things, node_role::ingest, node.name.text);
    return std::find(keys.begin(), keys.end(), instrument.text) != keys.end();
  };
  const auto ingest = nodes.with(node_role::ingest);
  result<store_actor> found{error{make_error_code(cluster_errc::not_found), "nodes.conf has no ingest node"}};
  std::string name;
  for (const auto* node : ingest) {
    if (ingest.size() > 1 && !here(*node)) continue;
    name = node->name.text;
    found = client.find<store_actor>(name, ingest.size() > 1 ? "store/" + name : "store");
    if (found) break;
  }
  if (!found) return found.error();
  export_source out;
  out.name = "node " + name;
  out.bars = [&client, whom = *found](const bar_range& what) {
    return client.ask<bar_page>(whom, 10s, what);
  };
  out.frames = [&client, whom = *found, instrument](const std::function<void(const feature_frame&)>& take) {
    return frames_of_training(
        instrument, [&](const training_pull& what) { return client.ask<training_batch>(whom, 10s, what); },
        take);
  };
  return out;
}

/// A tape where one is named, else the running node, else the data folder.
result<export_source> source_of(const global_options& global, const configuration& config,
                                const export_words& words, const instrument_spec& spec,
                                std::unique_ptr<cluster_client>& client) {
  if (!words.tape.empty()) return tape_source(words.tape, spec);
  error why{make_error_code(cluster_errc::not_found), "no nodes.conf"};
  if (const auto nodes = load_nodes_conf_of(global.config, config.text("cluster.nodes"))) {
    const auto settings = client_settings(global);
    if (!settings) return settings.error();
    client = std::make_unique<cluster_client>(*nodes, *settings);
    auto node = node_source(*client, *nodes, config, spec.id);
    if (node) return node;
    why = node.error();
  }
  auto stored = store_source(global.data, spec.id);
  if (!stored)
    return error{stored.error().code, "no running node (" + why.text + "), and " + stored.error().text};
  return stored;
}

int export_command(const global_options& global, export_kind what, const export_words& words) {
  const auto config = load_configuration(global);
  if (!config) return fail(config.error());
  export_options options;
  options.what = what;
  const auto spec = node::configured_instrument(*config, words.instrument);
  if (!spec) return fail(spec.error());
  options.spec = *spec;
  options.interval = csv::interval_of(words.interval);
  if (options.interval.count() == 0)
    return fail({make_error_code(config_errc::bad_value),
                 "--interval: '" + words.interval + "' is none of 1s, 1m, 5m, 15m, 1h, 4h, 1d"});
  const auto from = parse_utc(words.from);
  if (!from) return fail(from.error());
  options.from = *from;
  if (!words.to.empty()) {
    const auto to = parse_utc(words.to);
    if (!to) return fail(to.error());
    options.to = *to;
  }
  options.out = words.out;
  std::unique_ptr<cluster_client> client; // outlives the source, which asks through it
  const auto source = source_of(global, *config, words, options.spec, client);
  if (!source) return fail(source.error());
  const auto done = export_csv(options, *source, std::cout);
  if (!done) return fail(done.error());
  std::cout.flush();
  std::fprintf(stderr, "troupe: %llu rows, %llu bytes, sha256 %s, from %s\n",
               static_cast<unsigned long long>(done->rows), static_cast<unsigned long long>(done->bytes),
               done->sha256.c_str(), source->name.c_str());
  return std::cout ? 0 : 1;
}

void add_common(CLI::App& command, const std::shared_ptr<export_words>& words) {
  command.add_option("--instrument", words->instrument, "SYMBOL@venue, as configured")->required();
  command.add_option("--from", words->from,
                     "Start, inclusive: 2024-08-08, 2024-08-08T23:54:00Z or ns since 1970");
  command.add_option("--to", words->to, "End, exclusive; default: all there is");
  command
      .add_option("--out", words->out,
                  "File to write, with FILE.manifest.json beside it; - = standard output")
      ->capture_default_str();
  command
      .add_option("--tape", words->tape,
                  "Play this recording through the feed instead of asking node or store")
      ->check(CLI::ExistingFile);
}

} // namespace

void add_export_commands(CLI::App& app, global_options& global) {
  auto* all = app.add_subcommand(
      "export", "Bars and features as CSV, from the running node, the data folder or a tape");
  all->require_subcommand(1);
  auto words = std::make_shared<export_words>();
  auto* bars = all->add_subcommand("bars", "Closed bars; missing ones stay missing");
  add_common(*bars, words);
  bars->add_option("--interval", words->interval, "1s, 1m, 5m, 15m, 1h, 4h or 1d")->capture_default_str();
  bars->callback(run(global, [&global, words] { return export_command(global, export_kind::bars, *words); }));
  auto* features = all->add_subcommand("features", "What models see, a row for each second of market time");
  add_common(*features, words);
  features->callback(
      run(global, [&global, words] { return export_command(global, export_kind::features, *words); }));
  auto file = std::make_shared<std::filesystem::path>();
  auto* verify =
      all->add_subcommand("verify", "Compare an export with its manifest; exit code 1 when they differ");
  verify->add_option("FILE", *file, "The CSV")->required()->check(CLI::ExistingFile);
  verify->callback(run(global, [file] {
    const auto checked = verify_export(*file);
    if (!checked) return fail(checked.error());
    std::cout << file->string() << ": as its manifest says\n";
    return 0;
  }));
}

} // namespace troupe::cli
