#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/version.hpp"
#include "tools/cli/wiring_check.hpp"
#include "tools/node/metrics_actor.hpp"
#include "tools/ops/bundle.hpp"
#include "tools/ops/doctor_host.hpp"
#include "tools/ops/init_files.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::cli {
namespace {

using path = std::filesystem::path;
using ops::finding;
using ops::verdict;

// --- init ----------------------------------------------------------------------------------------

int init_command(const global_options& global, const path& named) {
  const auto folder = named.empty() ? global.config : named;
  const auto done = ops::write_init_files(folder);
  if (!done) return fail(done.error());
  if (global.json) {
    json_writer w;
    w.begin_object().field("folder", folder.string()).key("files").begin_array();
    for (const auto& file : *done)
      w.begin_object().field("name", file.name).field("written", file.written).end_object();
    w.end_array().end_object();
    std::cout << w.text() << '\n';
    return 0;
  }
  for (const auto& file : *done)
    std::cout << (file.written ? "written  " : "kept     ") << (folder / file.name).string() << '\n';
  std::fprintf(
      stderr,
      "troupe: next: edit %s, then `troupe --config %s config check` and `troupe --config %s doctor`\n",
      (folder / "troupe.yaml").c_str(), folder.c_str(), folder.c_str());
  return 0;
}

// --- doctor --------------------------------------------------------------------------------------

path folder_of_programs() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
}

bool cluster_runs(const global_options& global) {
  return ask_stem(global.data / "up.sock", "status").has_value();
}

std::vector<finding> examine(const global_options& global) {
  std::vector<finding> out;
  const auto config = load_configuration(global);
  result<nodes_conf> nodes{cluster_errc::unreadable, "the configuration is not readable"};
  if (config) nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  const std::string remedy = "correct it; `troupe init` writes a first configuration";
  if (!config)
    out.push_back({"configuration", verdict::fail, config.error().text, remedy});
  else if (!nodes)
    out.push_back({"configuration", verdict::fail, nodes.error().text, remedy});
  else if (auto fits = check_wiring(*config, *nodes); !fits)
    out.push_back({"configuration", verdict::fail, fits.error().text, remedy});
  else
    out.push_back({"configuration",
                   verdict::pass,
                   std::to_string(config->values().size()) + " settings, "
                       + std::to_string(nodes->nodes().size()) + " nodes",
                   {}});
  ops::doctor_subject subject{
      global.config,        global.data,         config ? &*config : nullptr, nodes ? &*nodes : nullptr,
      folder_of_programs(), cluster_runs(global)};
  const auto host = ops::examine_host(subject);
  out.insert(out.end(), host.begin(), host.end());
  return out;
}

int doctor_command(const global_options& global) {
  const auto all = examine(global);
  const bool colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  std::cout << (global.json ? ops::findings_json(all) + "\n" : ops::findings_text(all, colour));
  return ops::worst(all) == verdict::fail ? 1 : 0;
}

// --- debug bundle --------------------------------------------------------------------------------

/// One GET on loopback, a second at most; the body. For a page of our own only.
result<std::string> scrape(std::uint16_t port) {
  const auto failed = [&] {
    return error{make_error_code(cluster_errc::unreachable),
                 "http://127.0.0.1:" + std::to_string(port) + "/metrics can't be read"};
  };
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed();
  const timeval limit{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr std::string_view request =
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0
      && ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    constexpr std::size_t most = 4 * 1024 * 1024;
    std::array<char, 16384> piece{};
    for (ssize_t n = 0; answer.size() < most && (n = ::recv(fd, piece.data(), piece.size(), 0)) > 0;)
      answer.append(piece.data(), static_cast<std::size_t>(n));
  }
  ::close(fd);
  const auto body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200 ") || body == std::string::npos) return failed();
  return answer.substr(body + 4);
}

/// What nodes say of themselves; what they don't goes to the failures.
void ask_nodes(const global_options& global, const configuration& config, const nodes_conf& nodes,
               ops::bundle_request& out) {
  const auto settings = client_settings(global);
  if (!settings) return out.failed.push_back("nodes: " + settings.error().text);
  cluster_client client{nodes, *settings};
  json_writer w;
  const auto parent = ask_stem(global.data / "up.sock", "status");
  w.begin_object().key("parent").raw(parent ? *parent : "null").key("nodes").begin_array();
  for (const auto& node : client.status_all(2)) {
    w.begin_object().field("name", node.spec.name.text).field("trouble", node.trouble).key("status");
    w.raw(node.json.empty() ? "null" : node.json).end_object();
    if (!node.trouble.empty()) out.failed.push_back("status of " + node.spec.name.text + ": " + node.trouble);
  }
  w.end_array().end_object();
  out.texts.push_back({"status.json", std::move(w).text() + "\n"});
  for (const auto& node : nodes.nodes()) {
    const auto port = node::metrics_port_of(config.integer("metrics.port"), nodes, node.name.text);
    if (!port || *port == 0) continue;
    auto page = scrape(*port);
    if (page)
      out.texts.push_back({"metrics/" + node.name.text + ".txt", std::move(*page)});
    else
      out.failed.push_back("metrics of " + node.name.text + ": " + page.error().text);
  }
}

std::string stamp(std::int64_t seconds) {
  const std::time_t at = seconds;
  std::tm parts{};
  ::gmtime_r(&at, &parts);
  std::array<char, 32> out{};
  std::strftime(out.data(), out.size(), "%Y%m%dT%H%M%SZ", &parts);
  return out.data();
}

int bundle_command(const global_options& global, path file) {
  const auto seconds = wall_clock{}.now().ns / 1'000'000'000;
  if (file.empty()) file = "troupe-debug-" + stamp(seconds) + ".tar.zst";
  if (const auto fits = ops::packing_of(file.filename().string()); !fits) return fail(fits.error());
  ops::bundle_request request{global.config, global.data, {}, {}};
  request.texts.push_back({"versions.txt", version_text() + "\n"});
  request.texts.push_back({"doctor.json", ops::findings_json(examine(global)) + "\n"});
  const auto config = load_configuration(global);
  if (!config) request.failed.push_back("settings: " + config.error().text);
  if (config) {
    std::string settings;
    for (const auto& [key, value] : config->values())
      settings += key + " = " + value.text + "    # " + value.origin + "\n";
    request.texts.push_back({"settings.txt", std::move(settings)});
    const auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
    if (nodes)
      ask_nodes(global, *config, *nodes, request);
    else
      request.failed.push_back("nodes: " + nodes.error().text);
  }
  const auto written = ops::write_bundle(request, file, seconds);
  if (!written) return fail(written.error());
  if (global.json) {
    json_writer w;
    w.begin_object().field("file", file.string()).field("bytes", *written).key("failed").begin_array();
    for (const auto& line : request.failed)
      w.string(line);
    w.end_array().end_object();
    std::cout << w.text() << '\n';
    return 0;
  }
  std::cout << file.string() << '\n';
  for (const auto& line : request.failed)
    std::fprintf(stderr, "troupe: not in the bundle: %s\n", line.c_str());
  std::fprintf(stderr,
               "troupe: keys of .env were taken out; look through it all the same before you send it\n");
  return 0;
}

} // namespace

void add_ops_commands(CLI::App& app, global_options& global) {
  auto folder = std::make_shared<path>();
  auto* init = app.add_subcommand(
      "init", "Write a first, commented configuration; files that are there are kept as they are");
  init->add_option("FOLDER", *folder, "Where to; default: --config");
  init->callback(run(global, [&global, folder] { return init_command(global, *folder); }));

  app.add_subcommand("doctor", "Is this machine fit for what is configured: clock, disk, permissions, ports, "
                               "memory; exit code 1 when not")
      ->callback(run(global, [&global] { return doctor_command(global); }));

  auto* debug = app.add_subcommand("debug", "Find out what went wrong");
  debug->require_subcommand(1);
  auto file = std::make_shared<path>();
  auto* bundle = debug->add_subcommand(
      "bundle", "Configuration, status, metrics and the newest logs in one archive, secrets taken out");
  bundle->add_option("--out", *file, "NAME.tar.zst or NAME.tar.gz; default: troupe-debug-TIME.tar.zst");
  bundle->callback(run(global, [&global, file] { return bundle_command(global, *file); }));
}

} // namespace troupe::cli
