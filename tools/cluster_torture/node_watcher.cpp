#include "tools/cluster_torture/node_watcher.hpp"

#include "runtime/clock.hpp"
#include "tools/json_view.hpp"

#include <poll.h>

namespace troupe::cluster_torture {
namespace {

using namespace std::chrono_literals;

constexpr int look_every_ms = 50;
constexpr std::int64_t whole_every = 300'000'000;

} // namespace

node_watcher::node_watcher(const netlab::network_lab& lab, std::size_t host, nodes_conf conf, std::string node,
                           std::filesystem::path certificates)
    : node_{std::move(node)}, peers_{conf.nodes().size() - 1} {
  thread_ = std::thread{[this, &lab, host, conf = std::move(conf), certificates = std::move(certificates)]() mutable {
    watch(lab, host, std::move(conf), std::move(certificates));
  }};
}

node_watcher::~node_watcher() {
  over_ = true;
  thread_.join();
}

void node_watcher::watch(const netlab::network_lab& lab, std::size_t host, nodes_conf conf,
                         std::filesystem::path certificates) {
  if (auto moved = lab.enter(host); !moved) {
    const std::lock_guard lock{guard_};
    trouble_ = moved.error().text;
    return;
  }
  // All threads of the client are made here, hence on the host.
  client_options options{.connect_within = 500ms, .answer_within = 500ms};
  options.front.directory = std::move(certificates);
  cluster_client client{std::move(conf), options};
  std::int64_t whole_at = 0;
  while (!over_) {
    look(client, whole_at);
    ::poll(nullptr, 0, look_every_ms); // nothing to wait on but time: what is watched is another process
  }
}

void node_watcher::look(cluster_client& client, std::int64_t& whole_at) {
  const auto brief = client.status(node_, 0);
  const auto at = monotonic_ns();
  if (!brief) {
    const std::lock_guard lock{guard_};
    trouble_ = brief.error().text;
    return;
  }
  {
    const std::lock_guard lock{guard_};
    trouble_.clear();
    picture_.at = at;
    picture_.brief = brief->json;
    note_peers(brief->json, at);
  }
  if (at - whole_at < whole_every) return;
  whole_at = at;
  const auto whole = client.status(node_, 2);
  if (!whole) return;
  const std::lock_guard lock{guard_};
  picture_.whole = whole->json;
  picture_.whole_at = whole_at;
}

void node_watcher::note_peers(const std::string& json, std::int64_t at) {
  for (const auto& peer : json_view::parse(json).items("membership.peers")) {
    const auto name = peer.text("node");
    const bool up = peer.text("state") == "up";
    auto& was = up_[name];
    if (was && !up) missed_[name].push_back(at);
    was = up;
  }
}

node_picture node_watcher::picture() const {
  const std::lock_guard lock{guard_};
  return picture_;
}

std::int64_t node_watcher::missed_since(const std::string& peer, std::int64_t since) const {
  const std::lock_guard lock{guard_};
  const auto found = missed_.find(peer);
  if (found == missed_.end()) return 0;
  for (const auto at : found->second)
    if (at >= since) return at;
  return 0;
}

bool node_watcher::sees_all(std::int64_t since) const {
  const std::lock_guard lock{guard_};
  if (picture_.at < since) return false;
  std::size_t up = 0;
  for (const auto& [peer, is_up] : up_) up += is_up ? 1 : 0;
  return up >= peers_;
}

std::string node_watcher::trouble() const {
  const std::lock_guard lock{guard_};
  return trouble_;
}

} // namespace troupe::cluster_torture
