#include "messages/json.hpp"
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

std::string_view word(trading_state state) {
  switch (state) {
  case trading_state::active: return "active";
  case trading_state::reducing: return "reducing";
  case trading_state::halted: return "halted";
  }
  return "?";
}

int latch(const global_options& global, trading_state state, const std::string& reason) {
  const auto config = load_configuration(global);
  if (!config) return fail(config.error());
  const auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return fail(nodes.error());
  cluster_client client{*nodes};
  const auto now = client.halt({state, operator_name(), reason});
  if (!now) return fail(now.error());
  if (global.json) {
    json_writer w;
    w.begin_object()
        .field("state", word(now->state))
        .field("who", std::string_view{now->who})
        .field("reason", std::string_view{now->reason})
        .end_object();
    std::cout << w.text() << '\n';
  } else std::cout << "trading is " << word(now->state) << ", set by " << now->who << ": " << now->reason << '\n';
  return now->state == state ? 0 : 1;
}

} // namespace

void add_trading_commands(CLI::App& app, global_options& global) {
  auto reason = std::make_shared<std::string>();
  auto entries = std::make_shared<bool>(false);
  auto* halt = app.add_subcommand("halt", "Stop trading until a person resumes it; cancels still go out");
  halt->add_flag("--entries", *entries, "Stop only what would enlarge a position");
  halt->add_option("--reason", *reason, "Why; kept with the latch")->required();
  halt->callback(run(global, [&global, entries, reason] {
    return latch(global, *entries ? trading_state::reducing : trading_state::halted, *reason);
  }));
  auto* resume = app.add_subcommand("resume", "Lift a halt");
  resume->add_option("--reason", *reason, "Why; kept with the latch")->required();
  resume->callback(run(global, [&global, reason] { return latch(global, trading_state::active, *reason); }));
}

} // namespace troupe::cli
