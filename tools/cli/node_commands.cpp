#include "messages/json.hpp"
#include "runtime/config/credentials.hpp"
#include "runtime/cluster/tcp_probe.hpp"
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/remote_start.hpp"
#include "runtime/cluster/service_link.hpp"
#include "runtime/cluster/stem.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/rolling.hpp"
#include "tools/cli/version.hpp"
#include "tools/json_view.hpp"
#include "tools/node/node.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

using path = std::filesystem::path;

path socket_of(const global_options& global) { return global.data / "up.sock"; }

result<nodes_conf> read_nodes(const global_options& global, const path& named) {
  if (!named.empty()) return load_nodes_conf(named);
  auto config = load_configuration(global);
  if (!config) return std::move(config).error();
  return load_nodes_conf_of(global.config, config->text("cluster.nodes"));
}

stem_process process_of(const global_options& global, const node_spec& node, const path& nodes_file) {
  const auto programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  stem_process out;
  out.name = node.name.text;
  out.command = {(programs / (node.needs_torch() ? "troupe-model" : "troupe")).string(), "--config",
                 std::filesystem::absolute(global.config).string(), "--data", std::filesystem::absolute(global.data).string()};
  for (const auto& item : global.overrides) out.command.insert(out.command.end(), {"--set", item});
  if (!nodes_file.empty())
    out.command.insert(out.command.end(), {"--set", "cluster.nodes=" + std::filesystem::absolute(nodes_file).string()});
  out.command.insert(out.command.end(), {"node", node.name.text});
  out.log_file = global.data / (node.name.text + ".log");
  return out;
}

/// What the words behind `up` say.
struct up_request {
  path nodes_file;
  std::string host;         ///< only the nodes of this host; set by the parent on another one
  std::string expect_build; ///< refuse when this program is of another build
  bool rolling = false;
};

/// The parent of another host, as a process of this one.
result<stem_process> host_process(const global_options& global, const std::string& ssh, const std::string& host,
                                  const path& nodes_file) {
  remote_start what;
  what.host = host;
  what.program = std::filesystem::read_symlink("/proc/self/exe").string();
  what.config = std::filesystem::absolute(global.config).string();
  what.data = std::filesystem::absolute(global.data).string();
  if (!nodes_file.empty()) what.nodes_file = std::filesystem::absolute(nodes_file).string();
  what.overrides = global.overrides;
  what.build = build_id();
  auto command = ssh_command(ssh, what);
  if (!command) return std::move(command).error();
  stem_process out;
  out.name = "host/" + host;
  out.command = std::move(*command);
  out.log_file = global.data / ("host-" + host + ".log");
  out.heartbeat = false;
  return out;
}

/// The nodes of this host, and one parent for each of the others.
result<std::vector<stem_process>> processes_of(const global_options& global, const nodes_conf& nodes,
                                               const up_request& request, const std::vector<std::string>& here) {
  const auto ours = [&](const node_spec& node) {
    return request.host.empty() ? is_this_host(node.host, here) : node.host == request.host;
  };
  std::vector<stem_process> out;
  for (const auto& node : nodes.nodes())
    if (ours(node)) out.push_back(process_of(global, node, request.nodes_file));
  if (!request.host.empty()) return out;
  auto config = load_configuration(global);
  if (!config) return std::move(config).error();
  for (const auto& host : other_hosts(nodes, here)) {
    auto parent = host_process(global, config->text("cluster.ssh"), host, request.nodes_file);
    if (!parent) return std::move(parent).error();
    out.push_back(std::move(*parent));
  }
  return out;
}

/// What would stop a node later is told before anything is written or started.
status fit_to_start(const global_options& global, const nodes_conf& nodes, const std::vector<std::string>& here) {
  std::error_code missing;
  // A parent that runs already is told apart by who holds its socket.
  const bool fresh = !std::filesystem::exists(socket_of(global), missing);
  if (fresh)
    for (const auto& node : nodes.nodes()) {
      if (!is_this_host(node.host, here)) continue;
      if (auto open = check_port_free(node.port, node.name.text); !open) return open;
    }
  const auto keys = global.config / ".env";
  if (!std::filesystem::exists(keys, missing)) return ok;
  if (const auto read = credentials::load(keys); !read) return read.error();
  return ok;
}

int rolling_command(const global_options& global, const nodes_conf& nodes) {
  const auto settings = client_settings(global);
  if (!settings) return fail(settings.error());
  cluster_client client{nodes, *settings};
  const auto renewed = roll(client, socket_of(global), global.data, own_addresses());
  if (!renewed) return fail(renewed.error());
  std::fprintf(stderr, "troupe: %zu nodes run with build %s\n", *renewed, build_id().c_str());
  return 0;
}

int up_command(const global_options& global, const up_request& request) {
  if (!request.expect_build.empty() && request.expect_build != build_id())
    return fail({make_error_code(cluster_errc::refused), "this host has build " + build_id() + ", the one that starts it has "
                                                             + request.expect_build + "; install the same on both"});
  const auto nodes = read_nodes(global, request.nodes_file);
  if (!nodes) return fail(nodes.error());
  if (request.rolling) return rolling_command(global, *nodes);
  const auto here = request.host.empty() ? own_addresses() : std::vector<std::string>{request.host};
  if (const auto fit = fit_to_start(global, *nodes, here); !fit) return fail(fit.error());
  auto processes = processes_of(global, *nodes, request, here);
  if (!processes) return fail(processes.error());
  if (processes->empty())
    return fail({make_error_code(cluster_errc::unknown_node), "nodes.conf has no node of host " + request.host});
  std::error_code failed;
  std::filesystem::create_directories(global.data, failed);
  if (failed) return fail({failed, global.data.string() + " can't be made; choose another --data"});
  stem_options options;
  options.processes = std::move(*processes);
  options.socket = socket_of(global);
  options.say = [](const std::string& line) { std::fprintf(stderr, "troupe: %s\n", line.c_str()); };
  options.all_ready = [] { std::fprintf(stderr, "troupe: every node runs; ctrl-C stops them in order\n"); };
  // Under systemd the parent speaks for all: ready when every node is, alive while its own loop turns.
  const auto service = service_link::from_environment();
  options.all_ready = [&service, told = options.all_ready] {
    service.ready();
    told();
  };
  options.turn = [&service] { service.beat(); };
  options.stopping = [&service] { service.stopping(); };
  const auto code = run_stem(options);
  return code ? *code : fail(code.error());
}

int node_command(const global_options& global, const std::string& name, const std::string& confirm) {
  node::node_options options;
  options.name = name;
  options.config = global.config;
  options.data = global.data;
  options.overrides = global.overrides;
  options.confirm = confirm;
  options.build = build_id();
  return node::run_node(options, {{node_role::ingest, node::ingest_room},
                                  {node_role::execution, node::execution_room},
                                  {node_role::gateway, {}}});
}

void print_node(const node_status& node, const json_view& parents_row) {
  const auto page = json_view::parse(node.json);
  std::printf("%-10s %-9s", node.spec.name.text.c_str(), node.trouble.empty() ? "up" : "down");
  if (parents_row.there())
    std::printf(" pid %-8ld restarts %-4ld", static_cast<long>(parents_row.integer("pid")),
                static_cast<long>(parents_row.integer("restarts")));
  if (node.trouble.empty()) std::printf(" actors %zu", page.items("actors").size());
  else std::printf(" %s", node.trouble.c_str());
  std::printf("\n");
}

int status_command(const global_options& global, bool reports) {
  const auto nodes = read_nodes(global, {});
  if (!nodes) return fail(nodes.error());
  const auto settings = client_settings(global);
  if (!settings) return fail(settings.error());
  cluster_client client{*nodes, *settings};
  const auto all = client.status_all(reports ? 2 : 1);
  const auto parent_text = ask_stem(socket_of(global), "status");
  const auto parent = parent_text ? json_view::parse(*parent_text) : json_view{};
  bool complete = true;
  if (global.json) {
    json_writer w;
    w.begin_object().key("parent").raw(parent_text ? *parent_text : "null").key("nodes").begin_array();
    for (const auto& node : all) {
      w.begin_object().field("name", node.spec.name.text).field("trouble", node.trouble).key("status");
      w.raw(node.json.empty() ? "null" : node.json).end_object();
      complete = complete && node.trouble.empty();
    }
    w.end_array().end_object();
    std::cout << w.text() << '\n';
    return complete ? 0 : 1;
  }
  for (const auto& node : all) {
    json_view row;
    for (const auto& candidate : parent.items("nodes"))
      if (candidate.text("node") == node.spec.name.text) row = candidate;
    print_node(node, row);
    complete = complete && node.trouble.empty();
  }
  return complete ? 0 : 1;
}

} // namespace

void add_node_commands(CLI::App& app, global_options& global) {
  auto request = std::make_shared<up_request>();
  auto* up = app.add_subcommand("up", "Start every node of nodes.conf, other hosts' through ssh, and keep them running");
  up->add_option("NODES", request->nodes_file, "nodes.conf; default: as configured by cluster.nodes")->check(CLI::ExistingFile);
  up->add_flag("--rolling", request->rolling, "Start the nodes of the running `up` anew, one by one, with the programs on the disk");
  up->add_option("--host", request->host, "Only the nodes of this host; `up` on another host says this");
  up->add_option("--expect-build", request->expect_build, "Refuse when this program is of another build");
  up->callback(run(global, [&global, request] { return up_command(global, *request); }));

  auto name = std::make_shared<std::string>();
  auto confirm = std::make_shared<std::string>();
  auto* node = app.add_subcommand("node", "Run one node of nodes.conf in the foreground");
  node->add_option("NAME", *name, "Name in nodes.conf")->required();
  node->add_option("--confirm", *confirm, "Account that may trade live (trading.mode: live)");
  node->callback(run(global, [&global, name, confirm] { return node_command(global, *name, *confirm); }));

  auto reports = std::make_shared<bool>(false);
  auto* status = app.add_subcommand("status", "How every node is; exit code 1 when one can't be asked");
  status->add_flag("--reports", *reports, "With --json: also each actor's own page");
  status->callback(run(global, [&global, reports] { return status_command(global, *reports); }));
}

} // namespace troupe::cli
