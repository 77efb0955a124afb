#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"
#include "tools/json_view.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

result<std::unique_ptr<cluster_client>> client_of(const global_options& global) {
  auto config = load_configuration(global);
  if (!config) return std::move(config).error();
  auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return std::move(nodes).error();
  auto settings = client_settings(global);
  if (!settings) return std::move(settings).error();
  return std::make_unique<cluster_client>(std::move(*nodes), std::move(*settings));
}

/// The placement page of the first node that answers.
result<std::string> placement_page(cluster_client& client) {
  error last{make_error_code(cluster_errc::unreachable), "no node answers; is `troupe up` running?"};
  for (const auto& spec : client.conf().nodes()) {
    const auto page = client.status(spec.name.text);
    if (page) return json_view::parse(page->json).raw("placement");
    last = page.error();
  }
  return last;
}

int move_command(const global_options& global, const std::string& name, const std::string& node) {
  const auto made = client_of(global);
  if (!made) return fail(made.error());
  auto& client = **made;
  error last{make_error_code(cluster_errc::unreachable), "no node answers; is `troupe up` running?"};
  // Any node passes it on to the one that decides; one that is down is skipped.
  for (const auto& spec : client.conf().nodes()) {
    const auto done = client.command(spec.name.text, {"move", name, {{"node", node}}, operator_name()});
    if (!done && done.error().code != make_error_code(cluster_errc::refused)) {
      last = done.error();
      continue;
    }
    if (!done) return fail(done.error());
    std::fprintf(stderr, "troupe: %s\n", done->text.c_str());
    if (global.json) std::cout << "{\"done\":true}\n";
    return 0;
  }
  return fail(last);
}

void print_rows(const json_view& page, const char* key) {
  for (const auto& row : page.items(key))
    std::printf("%-40s %-12s %s\n", row.text("name").c_str(), row.text("node").empty() ? "nowhere" : row.text("node").c_str(),
                row.flag("running") ? "runs" : "does not run");
}

int places_command(const global_options& global) {
  const auto made = client_of(global);
  if (!made) return fail(made.error());
  auto& client = **made;
  const auto text = placement_page(client);
  if (!text) return fail(text.error());
  if (global.json) {
    std::cout << *text << '\n';
    return 0;
  }
  const auto page = json_view::parse(*text);
  print_rows(page, "movable");
  print_rows(page, "fixed");
  const auto coordinator = page.text("coordinator");
  std::fprintf(stderr, "troupe: %s\n", coordinator.empty() ? "no node decides yet what runs where" : (coordinator + " decides what runs where").c_str());
  return 0;
}

} // namespace

void add_placement_commands(CLI::App& app, global_options& global) {
  const auto known = app.get_subcommands([](const CLI::App* each) { return each->get_name() == "actor"; });
  auto* actor = known.empty() ? app.add_subcommand("actor", "Actors of the running cluster")->require_subcommand(1)
                              : known.front();
  auto name = std::make_shared<std::string>();
  auto node = std::make_shared<std::string>();
  auto* move = actor->add_subcommand("move", "Run an actor on a chosen node from now on; `auto` lets the system choose");
  move->add_option("NAME", *name, "Actor, such as model/cnn")->required();
  move->add_option("NODE", *node, "Node of nodes.conf, or auto")->required();
  move->callback(run(global, [&global, name, node] { return move_command(global, *name, *node); }));
  auto* places = actor->add_subcommand("places", "Which node runs what");
  places->callback(run(global, [&global] { return places_command(global); }));
}

} // namespace troupe::cli
