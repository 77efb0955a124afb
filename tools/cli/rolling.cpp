#include "tools/cli/rolling.hpp"

#include "runtime/clock.hpp"
#include "runtime/cluster/remote_start.hpp"
#include "runtime/cluster/rolling_mark.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "runtime/cluster/text.hpp"
#include "tools/json_view.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>

#include <cstdio>
#include <set>

namespace troupe::cli {
namespace {

constexpr auto patience = std::chrono::seconds{60};

json_view parents_row(const std::filesystem::path& socket, const std::string& node) {
  const auto text = ask_stem(socket, "status");
  if (!text) return {};
  for (const auto& row : json_view::parse(*text).items("nodes"))
    if (row.text("node") == node) return row;
  return {};
}

/// Every node that answers speaks this program's schema.
status same_schema(cluster_client& client) {
  const auto ours = hex_text(cluster_schema_hash());
  for (const auto& spec : client.conf().nodes()) {
    const auto page = client.status(spec.name.text);
    if (!page) return page.error();
    const auto theirs = json_view::parse(page->json).text("schema");
    if (theirs != ours)
      return {cluster_errc::refused, "node '" + spec.name.text + "' runs with the message schema " + theirs
                                         + ", this program has " + ours
                                         + ": these versions don't understand each other, so a full restart is needed (stop "
                                           "`troupe up` with ctrl-C and start it again)"};
  }
  return ok;
}

/// The node runs in another process than before and answers.
bool is_new(cluster_client& client, const std::filesystem::path& socket, const std::string& node, std::int64_t old_pid) {
  const auto row = parents_row(socket, node);
  return row.there() && row.text("state") == "running" && row.integer("pid") != old_pid && client.status(node);
}

/// What the nodes see, each for itself: "A sees B", "A finds model/cnn running".
std::set<std::string> stand_of(cluster_client& client) {
  std::set<std::string> out;
  for (const auto& spec : client.conf().nodes()) {
    const auto answer = client.status(spec.name.text);
    if (!answer) continue;
    const auto page = json_view::parse(answer->json);
    for (const auto& peer : page.items("membership.peers"))
      if (peer.text("state") == "up") out.insert(spec.name.text + " sees " + peer.text("node"));
    for (const auto* kind : {"placement.movable", "placement.fixed"})
      for (const auto& row : page.items(kind))
        if (row.flag("running")) out.insert(spec.name.text + " finds " + row.text("name") + " running");
  }
  return out;
}

/// What of `before` is not so; empty: everything is as it was.
std::string missing_of(const std::set<std::string>& before, const std::set<std::string>& now) {
  for (const auto& fact : before)
    if (!now.contains(fact)) return fact;
  return {};
}

status renew(cluster_client& client, const std::filesystem::path& socket, const std::string& node) {
  const auto before = parents_row(socket, node);
  if (!before.there()) return {cluster_errc::unknown_node, "the parent on this host has no node '" + node + "'"};
  const auto stand = stand_of(client);
  const auto asked = ask_stem(socket, "restart " + node);
  if (!asked) return asked.error();
  if (asked->starts_with("refused")) return {cluster_errc::refused, node + ": " + *asked};
  const auto until = monotonic_ns() + nanoseconds{patience}.count();
  while (!is_new(client, socket, node, before.integer("pid"))) {
    if (monotonic_ns() > until)
      return {cluster_errc::timed_out, "node '" + node + "' did not come back within a minute; the others were left as they are"};
    ::poll(nullptr, 0, 50); // spares the processor
  }
  // The next one only when nothing is still on its way: else two nodes would be without what they give at once.
  for (auto missing = missing_of(stand, stand_of(client)); !missing.empty(); missing = missing_of(stand, stand_of(client))) {
    if (monotonic_ns() > until)
      return {cluster_errc::timed_out, "node '" + node + "' runs again, but within a minute not everything was as before ('"
                                           + missing + "' no longer holds); the others were left as they are"};
    ::poll(nullptr, 0, 50);
  }
  return ok;
}

} // namespace

std::vector<std::string> own_addresses() {
  std::vector<std::string> out;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return out;
  for (auto* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    char text[INET6_ADDRSTRLEN] = {};
    if (each->ifa_addr->sa_family == AF_INET)
      ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(each->ifa_addr)->sin_addr, text, sizeof text);
    else if (each->ifa_addr->sa_family == AF_INET6)
      ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(each->ifa_addr)->sin6_addr, text, sizeof text);
    if (text[0] != '\0') out.emplace_back(text);
  }
  ::freeifaddrs(all);
  return out;
}

result<std::size_t> roll(cluster_client& client, const std::filesystem::path& socket,
                         const std::filesystem::path& data, const std::vector<std::string>& here) {
  if (auto same = same_schema(client); !same) return std::move(same).error();
  // While the mark is there nodes accept peers of another build.
  const auto mark = rolling_mark::set(data);
  if (!mark) return mark.error();
  std::size_t renewed = 0;
  for (const auto& name : rolling_order(client.conf())) {
    if (!is_this_host(client.conf().find(name)->host, here)) continue;
    if (auto done = renew(client, socket, name); !done) return std::move(done).error();
    std::fprintf(stderr, "troupe: node %s runs again\n", name.c_str());
    ++renewed;
  }
  return renewed;
}

} // namespace troupe::cli
