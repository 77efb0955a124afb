#include "messages/json.hpp"
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "tools/cli/command.hpp"
#include "tools/json_view.hpp"

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

/// What the parent process knows of the execution nodes' processes, and what to do; it answers while they are stuck.
std::string advice(const global_options& global, const nodes_conf& nodes, trading_state wanted) {
  const auto answer = ask_stem(global.data / "up.sock", "status");
  if (!answer)
    return "; no `troupe up` runs on " + global.data.string()
           + " (see --data), so end a stuck process yourself: kill -9 PID. Without it nothing is sent; what rests at the"
             " venue stays there";
  std::string out;
  const auto parent = json_view::parse(*answer);
  for (const auto& row : parent.items("nodes")) {
    const auto* spec = nodes.find(row.text("node"));
    if (spec == nullptr || !spec->has(node_role::execution)) continue;
    out += "; its process " + std::to_string(row.integer("pid")) + " is " + row.text("state") + " and silent for "
           + std::to_string(row.integer("silent_ms") / 1000) + " s";
  }
  out += "; `troupe up` kills a process that is silent for 10 s and starts it again: say it again then";
  if (wanted != trading_state::active)
    out += ", or end `troupe up` to stop everything now. A stuck process sends nothing; what rests at the venue stays there";
  return out;
}

int latch(const global_options& global, trading_state state, const std::string& reason) {
  const auto config = load_configuration(global);
  if (!config) return fail(config.error());
  const auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return fail(nodes.error());
  const auto settings = client_settings(global);
  if (!settings) return fail(settings.error());
  cluster_client client{*nodes, *settings};
  const auto now = client.halt({state, operator_name(), reason});
  if (!now) {
    auto why = now.error();
    if (why.code == cluster_errc::timed_out || why.code == runtime_errc::timeout)
      why.text += advice(global, *nodes, state);
    return fail(why);
  }
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
