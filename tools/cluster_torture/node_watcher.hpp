#pragma once

/// An onlooker on one host of the laboratory: asks the node that runs there how it is, again and again, and remembers
/// what it said and when it saw its peers come and go.

#include "runtime/cluster/client.hpp"
#include "tools/netlab/network_lab.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace troupe::cluster_torture {

/// A node in its own words. Times on this host's steady clock, ns.
struct node_picture {
  std::int64_t at = 0; ///< of the newest answer; 0: none yet
  std::string brief;   ///< newest status of verbosity 0, membership included
  std::string whole;   ///< newest status of verbosity 2, a little older
  std::int64_t whole_at = 0; ///< when that one was asked for
};

/// One thread, which lives on the watched host. Public functions may be called from any thread.
class node_watcher {
public:
  /// @param certificates directory of the host's certificate
  node_watcher(const netlab::network_lab& lab, std::size_t host, nodes_conf conf, std::string node,
               std::filesystem::path certificates);
  ~node_watcher();
  node_watcher(const node_watcher&) = delete;
  node_watcher& operator=(const node_watcher&) = delete;

  [[nodiscard]] const std::string& node() const noexcept { return node_; }
  [[nodiscard]] node_picture picture() const;
  /// When this node was first seen to hold `peer` for other than up, at or behind `since`; 0: it was not.
  [[nodiscard]] std::int64_t missed_since(const std::string& peer, std::int64_t since) const;
  /// Whether it holds every other node for up, in an answer younger than `since`.
  [[nodiscard]] bool sees_all(std::int64_t since) const;
  [[nodiscard]] std::string trouble() const;

private:
  void watch(const netlab::network_lab& lab, std::size_t host, nodes_conf conf, std::filesystem::path certificates);
  void look(cluster_client& client, std::int64_t& whole_at);
  void note_peers(const std::string& json, std::int64_t at);

  std::string node_;
  std::size_t peers_ = 0;
  std::atomic<bool> over_{false};
  mutable std::mutex guard_;
  node_picture picture_;
  std::string trouble_;
  std::map<std::string, std::vector<std::int64_t>> missed_; ///< when a peer was seen to be gone, each time once
  std::map<std::string, bool> up_;
  std::thread thread_;
};

} // namespace troupe::cluster_torture
