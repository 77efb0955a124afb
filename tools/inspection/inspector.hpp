#pragma once

/// Asks the nodes of a cluster about their actors. Synchronous; for programs, never inside an actor. Every
/// question has a time-out; a node that can't be asked is told as trouble and hides no other.

#include "messages/introspection.hpp"
#include "runtime/cluster/client.hpp"

#include <string>
#include <vector>

namespace troupe::inspection {

/// Where an actor lives.
struct place {
  std::string node;
  std::string actor;
};

/// The rows of one node.
struct node_rows {
  std::string node;
  std::string trouble; ///< in words; empty when it answered
  actor_page page;     ///< `rows` holds all pages put together
};

/// Not thread-safe.
class inspector {
public:
  /// @pre `client` outlives it
  explicit inspector(cluster_client& client) : client_{client} {}

  /// The first `query.offset + query.limit` rows of each node (or of one), in the wanted order; fetched a page at
  /// a time.
  std::vector<node_rows> actors(const actor_query& query, const std::string& node = {});

  /// `name` is an actor's name, NODE/NAME, or an ending of one name of the whole cluster. The error of an
  /// ambiguous one lists the candidates, that of an unknown one the nearest name.
  result<place> find(const std::string& name);

  /// One JSON document of a node; see `inspect_request`.
  result<std::string> document(const std::string& node, const std::string& what, const std::string& name = {});

  /// Carries out a verb; see runtime/cluster/node_verbs.hpp.
  result<admin_result> order(const place& target, const std::string& verb,
                             std::map<std::string, std::string> arguments, const std::string& who);

  /// The time line of a node, at most 16384 rows. `trouble` as above.
  result<timeline_page> timeline(const std::string& node);

  [[nodiscard]] cluster_client& client() noexcept { return client_; }

private:
  cluster_client& client_;
};

/// Sorts as the nodes do; for rows of several nodes.
/// @pre `sort` is one of `actor_query`
bool sorts_before(const actor_report& a, const actor_report& b, const std::string& sort);

/// What happened between two samples of the same actor: counters are differences, everything else is as in
/// `late`; another incarnation counts from zero.
actor_report difference(const actor_report& early, const actor_report& late, nanoseconds between);

/// A tap on one or several nodes. Ends them when it is destroyed.
class tap_session {
public:
  explicit tap_session(cluster_client& client) : client_{client} {}
  ~tap_session();
  tap_session(const tap_session&) = delete;
  tap_session& operator=(const tap_session&) = delete;

  status start(const std::string& node, const tap_start& what);
  /// What came since; rows of all nodes by time.
  struct caught {
    std::vector<std::pair<std::string, tap_row>> rows; ///< node, row
    std::uint64_t matched = 0;
    std::uint64_t limited = 0;
    std::uint64_t lost = 0;
    bool over = true;
    std::string why;
  };
  result<caught> pull();

private:
  struct open_tap {
    std::string node;
    std::uint64_t number = 0;
    tap_page last;
  };
  cluster_client& client_;
  std::vector<open_tap> taps_;
};

} // namespace troupe::inspection
