#pragma once

/// Serves `/metrics` of one node, on a loopback port and an I/O thread of its own.
///
/// The actor asks the node's own actors for their reports once a second, each with a time-out, never two
/// questions at once, and makes the page. A scrape only hands out the newest page: it asks nobody, so neither
/// a stuck actor nor a stuck scheduler keeps it waiting; the age of what it shows is on the page.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/cluster/nodes_conf.hpp"
#include "runtime/net/http_server.hpp"
#include "tools/node/metrics_page.hpp"

#include <filesystem>
#include <memory>
#include <set>

namespace troupe::node {

struct metrics_options {
  std::uint16_t port = 0; ///< 0: any free one
  page_identity who;
  std::filesystem::path data;                  ///< whose disk is shown
  const market_clock* clock = nullptr;         ///< of the server's receive times
  nanoseconds every = std::chrono::seconds{1}; ///< between two pages
  nanoseconds answer_within = std::chrono::seconds{1};
};

struct metrics_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "metrics";

  metrics_state(self_pointer self, actor_environment env, metrics_options options);
  ~metrics_state();
  observable_actor::behavior_type make_behavior();

private:
  struct shared_page; // between the actor and the I/O thread

  void listen();
  void collect();
  void publish();
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  metrics_options options_;
  metrics_page page_;
  std::set<std::string> asked_; // without an answer yet, or asked again only later
  std::shared_ptr<shared_page> shared_;
  std::unique_ptr<net::io_runner> io_;
  std::unique_ptr<net::http_server> server_;
  std::uint64_t pages_ = 0;
  std::uint64_t unanswered_ = 0;
  std::string trouble_;
};

/// The port of a node's page: `metrics.port` of the configuration and the node's place in nodes.conf; 0 =
/// none. Errors: beyond 65535, or the port of a node.
result<std::uint16_t> metrics_port_of(std::int64_t first, const nodes_conf& nodes, std::string_view node);

} // namespace troupe::node
