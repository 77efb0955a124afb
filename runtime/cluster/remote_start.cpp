#include "runtime/cluster/remote_start.hpp"

#include <algorithm>

namespace troupe {
namespace {

int rolling_rank(const node_spec& node) {
  if (node.has(node_role::execution)) return 3;
  if (node.has(node_role::ingest)) return 2;
  return node.has(node_role::model) ? 1 : 0;
}

} // namespace

std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out + '\'';
}

result<std::vector<std::string>> ssh_command(std::string_view ssh, const remote_start& what) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from < ssh.size();) {
    const auto end = std::min(ssh.find(' ', from), ssh.size());
    if (end > from) out.emplace_back(ssh.substr(from, end - from));
    from = end + 1;
  }
  if (out.empty()) return {cluster_errc::bad_value, "cluster.ssh names no program; write ssh and its options"};
  if (what.host.empty() || what.host.front() == '-')
    return {cluster_errc::bad_value, "'" + what.host + "' is no host that ssh could be given"};
  for (const auto* word : {"-tt", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "--"}) out.emplace_back(word);
  out.push_back(what.host);
  std::string line = "exec " + shell_word(what.program) + " --config " + shell_word(what.config) + " --data "
                     + shell_word(what.data);
  for (const auto& item : what.overrides) line += " --set " + shell_word(item);
  line += " up --host " + shell_word(what.host) + " --expect-build " + shell_word(what.build);
  if (!what.nodes_file.empty()) line += ' ' + shell_word(what.nodes_file);
  out.push_back(std::move(line));
  return out;
}

bool is_this_host(std::string_view host, const std::vector<std::string>& here) {
  return host == "127.0.0.1" || host == "localhost" || std::find(here.begin(), here.end(), host) != here.end();
}

std::vector<std::string> other_hosts(const nodes_conf& conf, const std::vector<std::string>& here) {
  std::vector<std::string> out;
  for (const auto& node : conf.nodes())
    if (!is_this_host(node.host, here) && std::find(out.begin(), out.end(), node.host) == out.end())
      out.push_back(node.host);
  return out;
}

std::vector<std::string> rolling_order(const nodes_conf& conf) {
  std::vector<const node_spec*> nodes;
  for (const auto& node : conf.nodes()) nodes.push_back(&node);
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const auto* a, const auto* b) { return rolling_rank(*a) < rolling_rank(*b); });
  std::vector<std::string> out;
  for (const auto* node : nodes) out.push_back(node->name.text);
  return out;
}

} // namespace troupe
