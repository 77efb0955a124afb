#pragma once

/// How command-line programs talk to running nodes: connect with a time-out, find actors by name, ask,
/// order. Synchronous and blocking; for programs and tests, never inside an actor. A client is no
/// member of the
/// cluster: it joins nothing and holds nothing open but its connections.
///
/// ```
/// auto conf = load_nodes_conf("nodes.conf");
/// cluster_client client{*conf};
/// for (auto& node : client.status_all()) …                        // node.json or node.trouble
/// auto risk = client.find<risk_actor>("exec", "risk");
/// auto state = client.ask<halt_state>(*risk, 2s, halt_command{…});
/// ```
/// For the parent process (which also answers while nodes are wedged) see `stem_client.hpp`.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/errc.hpp"
#include "runtime/cluster/errc.hpp"
#include "runtime/cluster/node_front.hpp"
#include "runtime/cluster/nodes_conf.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_actor.hpp>

#include <atomic>
#include <map>
#include <memory>

namespace troupe {

struct client_options {
  nanoseconds connect_within = std::chrono::seconds{2}; ///< TCP connect and CAF's handshake
  nanoseconds answer_within = std::chrono::seconds{2};  ///< for status, find and commands
  front_options front; ///< where a certificate is, for nodes behind TLS
};

/// What a node said of itself, or why it could not be asked.
struct node_status {
  node_spec spec;
  std::string json;    ///< JSON object; empty when it could not be asked
  std::string trouble; ///< in words; empty when it answered
};

/// Not thread-safe. Its actor system lives as long as it does (construction takes a few milliseconds).
class cluster_client {
public:
  explicit cluster_client(nodes_conf conf, client_options options = {});
  ~cluster_client();
  cluster_client(const cluster_client&) = delete;
  cluster_client& operator=(const cluster_client&) = delete;

  [[nodiscard]] const nodes_conf& conf() const noexcept { return conf_; }

  /// The node's published actor; connects on first use, and anew when the connection was lost. A node with
  /// another message schema is refused with both values.
  result<node_actor> node(const std::string& name);

  result<status_report> status(const std::string& node, std::uint8_t verbosity = 0);

  /// All nodes of nodes.conf in its order.
  std::vector<node_status> status_all(std::uint8_t verbosity = 0);

  /// An actor by name, as that node's directory knows it. One that lives on another node is asked for again
  /// there, so that the client talks to it directly.
  /// The caller names the interface that belongs to the name.
  template <class Handle>
  result<Handle> find(const std::string& node, const std::string& name) {
    auto found = find_untyped(node, name);
    if (!found) return std::move(found).error();
    return caf::actor_cast<Handle>(std::move(found).value());
  }

  /// An operator's command. A refused one is an error with the node's words.
  result<admin_result> command(const std::string& node, admin_command command);

  /// Halts or resumes through the actor "risk" of each execution node; the answer of the first that has
  /// one. An error says what is known: that the order never reached risk, or that it was sent and may
  /// still be taken (`cluster_errc::timed_out`, with a node that froze just now).
  result<halt_state> halt(const halt_command& command);

  /// The actor that asks on behalf of this client: whoever watches it learns when the client is gone.
  [[nodiscard]] caf::strong_actor_ptr asker() { return caf::actor_cast<caf::strong_actor_ptr>(scope()); }

  /// Asks an actor and waits.
  template <class Reply, class Handle, class... Ts>
  result<Reply> ask(const Handle& whom, nanoseconds timeout, Ts&&... message) {
    if (!whom) return {cluster_errc::not_found, "asked an actor that is not there"};
    result<Reply> out{make_error(cluster_errc::timed_out, "no answer")};
    auto question = scope()->request(whom, std::chrono::duration_cast<caf::timespan>(timeout),
                                     std::forward<Ts>(message)...);
    // CAF never answers for a node that is lost: such questions are failed when its proxies die.
    const pending_question open{*this, caf::actor_cast<caf::strong_actor_ptr>(whom), question.id()};
    question.receive([&](Reply& x) { out = std::move(x); },
                     [&](const caf::error& why) { out = from_caf(why); });
    return out;
  }

private:
  /// An entry in the table of questions that fail when a node is lost.
  class pending_question {
  public:
    pending_question(cluster_client& client, const caf::strong_actor_ptr& whom, caf::message_id response);
    pending_question(const pending_question&) = delete;
    pending_question& operator=(const pending_question&) = delete;
    ~pending_question();

  private:
    caf::node_id node_;
    caf::strong_actor_ptr asker_;
    caf::message_id response_;
  };

  static error make_error(cluster_errc code, std::string text) {
    return {make_error_code(code), std::move(text)};
  }
  caf::scoped_actor& scope();
  result<caf::strong_actor_ptr> find_untyped(const std::string& node, const std::string& name);
  result<node_actor> connect(const node_spec& spec);
  /// Is anybody there, and where is CAF to connect?
  result<node_spec> way(const node_spec& spec);
  troupe::status check_schema(const node_spec& spec, const node_actor& node);

  struct parts;
  nodes_conf conf_;
  client_options options_;
  std::shared_ptr<cluster_front> front_; ///< since the first node behind TLS was asked for
  std::unique_ptr<parts> parts_;
  std::map<std::string, node_actor> nodes_;
  std::map<caf::node_id, std::shared_ptr<std::atomic<bool>>> lost_; // whether the connection was lost since
};

} // namespace troupe
