#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/front_certificates.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"
#include "tools/json_view.hpp"
#include "tools/node/front_settings.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

using path = std::filesystem::path;

/// Where certificates are and which nodes there are.
struct cluster_place {
  nodes_conf nodes;
  path certificates;
};

result<cluster_place> read_place(const global_options& global, bool nodes_needed) {
  auto config = load_configuration(global);
  if (!config) return std::move(config).error();
  cluster_place out;
  out.certificates = node::front_settings(*config, global.config).directory;
  if (!nodes_needed) return out;
  auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return std::move(nodes).error();
  out.nodes = std::move(*nodes);
  return out;
}

void write_facts(json_writer& w, const certificate_facts& facts) {
  w.field("subject", facts.subject).field("serial", facts.serial);
  w.field("from", utc_text(facts.from)).field("until", utc_text(facts.until));
}

int init_ca_command(const global_options& global, path directory, int days) {
  if (directory.empty()) {
    const auto place = read_place(global, false);
    if (!place) return fail(place.error());
    directory = place->certificates / "authority";
  }
  const auto made = init_authority(directory, days);
  if (!made) return fail(made.error());
  if (global.json) {
    json_writer w;
    w.begin_object().field("certificate", made->certificate.string()).field("key", made->key.string());
    write_facts(w, made->facts);
    w.end_object();
    std::cout << w.text() << '\n';
    return 0;
  }
  std::printf("%s  the authority's certificate, valid until %s\n%s  its key, mode 0600\n",
              made->certificate.c_str(), utc_text(made->facts.until).c_str(), made->key.c_str());
  std::fprintf(stderr, "troupe: whoever holds the key can add nodes: keep it off the nodes; next: `troupe "
                       "cluster issue NODE`\n");
  return 0;
}

struct issue_options {
  std::string node;
  path authority;
  path out;
  int days = certificate_days;
  bool replace = false;
};

int issue_command(const global_options& global, const issue_options& options) {
  const auto place = read_place(global, true);
  if (!place) return fail(place.error());
  const auto node = place->nodes.at(options.node);
  if (!node) return fail(node.error());
  certificate_request request;
  request.authority = options.authority.empty() ? place->certificates / "authority" : options.authority;
  request.directory = options.out.empty() ? place->certificates / options.node : options.out;
  request.node = options.node;
  request.replace = options.replace;
  request.until_seconds = std::int64_t{options.days} * 24 * 3600;
  const auto made = issue_certificate(request);
  if (!made) return fail(made.error());
  if (global.json) {
    json_writer w;
    w.begin_object().field("node", options.node).field("certificate", made->files.certificate.string());
    w.field("key", made->files.key.string()).field("authority", made->files.authority.string());
    write_facts(w, made->facts);
    w.end_object();
    std::cout << w.text() << '\n';
    return 0;
  }
  std::printf("%s  the certificate of node '%s', serial %s, valid until %s\n%s  its key, mode 0600\n%s  the "
              "authority's certificate\n",
              made->files.certificate.c_str(), options.node.c_str(), made->facts.serial.c_str(),
              utc_text(made->facts.until).c_str(), made->files.key.c_str(), made->files.authority.c_str());
  if (!node->tls)
    std::fprintf(
        stderr,
        "troupe: node '%s' has tls=off in nodes.conf: its certificate is not used before that is on\n",
        options.node.c_str());
  return 0;
}

void print_links(const node_status& node) {
  if (!node.trouble.empty()) {
    std::printf("%-10s can't be asked: %s\n", node.spec.name.text.c_str(), node.trouble.c_str());
    return;
  }
  const auto page = json_view::parse(node.json);
  const auto links = page.at("links");
  if (!links.there()) {
    std::printf("%-10s listens on loopback without TLS\n", node.spec.name.text.c_str());
    return;
  }
  for (const auto& link : links.items("links"))
    std::printf("%-10s %s %-10s %-21s in %-12ld out %-12ld round trip %.3f ms, silent %ld ms\n",
                node.spec.name.text.c_str(), link.flag("dialled") ? "→" : "←", link.text("peer").c_str(),
                link.text("address").c_str(), static_cast<long>(link.integer("bytes_in")),
                static_cast<long>(link.integer("bytes_out")),
                static_cast<double>(link.integer("round_trip_us")) / 1000,
                static_cast<long>(link.integer("silent_ms")));
  for (const auto& peer : links.items("peers"))
    if (peer.integer("faults") > 0)
      std::printf("%-10s   %-10s %ld faults, the last: %s\n", node.spec.name.text.c_str(),
                  peer.text("peer").c_str(), static_cast<long>(peer.integer("faults")),
                  peer.text("last_trouble").c_str());
}

int links_command(const global_options& global) {
  const auto place = read_place(global, true);
  if (!place) return fail(place.error());
  const auto options = client_settings(global);
  if (!options) return fail(options.error());
  cluster_client client{place->nodes, *options};
  bool complete = true;
  json_writer w;
  w.begin_object().key("nodes").begin_array();
  for (const auto& node : client.status_all()) {
    complete = complete && node.trouble.empty();
    if (!global.json) print_links(node);
    const auto links = json_view::parse(node.json).raw("links");
    w.begin_object().field("node", node.spec.name.text).field("trouble", node.trouble).key("links");
    w.raw(links.empty() ? "null" : links).end_object();
  }
  w.end_array().end_object();
  if (global.json) std::cout << w.text() << '\n';
  return complete ? 0 : 1;
}

} // namespace

result<client_options> client_settings(const global_options& global) {
  auto config = load_configuration(global);
  if (!config) return std::move(config).error();
  client_options out;
  out.front = node::front_settings(*config, global.config);
  return out;
}

void add_cluster_commands(CLI::App& app, global_options& global) {
  auto* cluster = app.add_subcommand("cluster", "Certificates of the cluster's nodes, and its links");
  cluster->require_subcommand(1);

  auto directory = std::make_shared<path>();
  auto authority_life = std::make_shared<int>(authority_days);
  auto* init = cluster->add_subcommand("init-ca", "Make the cluster's own certificate authority");
  init->add_option("DIRECTORY", *directory, "Where it goes; default: authority/ in cluster.tls.directory");
  init->add_option("--days", *authority_life, "How long it is valid")
      ->check(CLI::Range(1, 36500))
      ->capture_default_str();
  init->callback(run(global, [&global, directory, authority_life] {
    return init_ca_command(global, *directory, *authority_life);
  }));

  auto options = std::make_shared<issue_options>();
  auto* issue = cluster->add_subcommand("issue", "Issue the certificate of a node of nodes.conf");
  issue->add_option("NODE", options->node, "Name in nodes.conf")->required();
  issue->add_option("--ca", options->authority,
                    "Directory of the authority; default: authority/ in cluster.tls.directory");
  issue->add_option("--out", options->out,
                    "Where the node's files go; default: NODE/ in cluster.tls.directory");
  issue->add_option("--days", options->days, "How long it is valid")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  issue->add_flag("--replace", options->replace, "Replace a certificate that is there");
  issue->callback(run(global, [&global, options] { return issue_command(global, *options); }));

  auto* links = cluster->add_subcommand(
      "links", "Bytes, round trip and faults of every link; exit code 1 when a node can't be asked");
  links->callback(run(global, [&global] { return links_command(global); }));
}

} // namespace troupe::cli
