#pragma once

/// Membership of a node: dials and greets the peers of nodes.conf, exchanges heartbeats and names with
/// them, notices who is lost. The rules are in `membership.hpp`; this is their shell.
///
/// Names of a peer that is up stand in this process's directory; they vanish when it goes down, and all
/// asks that wait for it fail at once. After each connect both sides send their full list of names
/// before the peer counts as up, so no handle of an earlier connection is ever used again.
///
/// In each pair of nodes the one that stands later in nodes.conf dials. Addresses must be numeric or
/// "localhost": a name look-up could block for minutes.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/cluster/cluster_view.hpp"
#include "runtime/cluster/membership.hpp"
#include "runtime/cluster/node_front.hpp"
#include "runtime/cluster/nodes_conf.hpp"
#include "runtime/cluster/quorum.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>

namespace troupe {

/// Where a peer's published actor is, as the middleman reports it.
struct dialled_peer {
  caf::strong_actor_ptr node;
  std::set<std::string> interface;
};

struct member_options {
  nodes_conf conf;
  node_name self;
  std::uint64_t incarnation = 0;
  std::string build; ///< same text on all nodes of one build
  std::uint64_t schema = cluster_schema_hash();
  membership_options membership;
  nanoseconds tick = std::chrono::milliseconds{50};
  nanoseconds probe_within = std::chrono::milliseconds{500}; ///< for the TCP connect that precedes CAF's
  nanoseconds answer_within = std::chrono::seconds{2};       ///< for connect, hello, names, heartbeats
  bool probe = true;                                         ///< false on simulated networks
  std::shared_ptr<cluster_front> front;                      ///< null where no node is behind TLS
  /// Names that stay on this node (supervisors, the node's own actors). Default: see `stays_local`.
  std::function<bool(std::string_view)> stays_local;
  /// This incarnation was declared dead. Default: log, then end the process with exit code 75.
  std::function<void(const std::string& why)> declared_dead;
  /// Whether peers of another build are welcome just now; asked at each hello. Empty: as `membership` says.
  std::function<bool()> other_builds;
  /// Starts that were declared dead in earlier runs of this node.
  std::vector<node_start> dead;
  /// Makes all declarations durable before one is acted on. Called by the member actor, which waits for the
  /// disk: spawn it detached where this is set.
  std::function<status(const std::vector<node_start>&)> keep_dead;
  /// Receives what this node thinks of the cluster, at each change. May be null.
  std::shared_ptr<view_board> view;
};

/// The default of `member_options::stays_local`: "node", "member", "heartbeat", and what begins with
/// "supervisor" or "local/".
bool stays_local(std::string_view name) noexcept;

class tcp_probe;

struct member_state {
  using handle_type = member_actor;
  using self_pointer = actor_pointer<member_actor>;
  static inline const char* name = "member";

  member_state(self_pointer self, actor_environment env, member_options options);
  ~member_state();
  member_actor::behavior_type make_behavior();

private:
  /// A greeted peer.
  struct link {
    caf::strong_actor_ptr raw;
    node_actor node;
    std::uint64_t incarnation = 0;
    std::uint64_t generation = 0; // counts the links of this process
    watch_token watched;
    std::uint64_t sent = 0;  // version of the last update sent
    std::uint64_t taken = 0; // version of the last update received
    bool sending = false;
    bool send_all = true;
    bool counts = false;                          // up: its names stand in the directory
    std::set<std::string> changed;                // of ours, not sent yet
    std::map<std::string, directory_entry> names; // of the peer
  };

  /// Names that changed in the directory, collected on whatever thread changed them.
  struct name_changes {
    std::mutex guard;
    std::set<std::string> names;
    bool told = false;
  };

  void tick();
  void vote();
  void declare(std::vector<node_start> dead);
  void hear_votes(const ping& from);
  void keep_learned();
  void show_view();
  [[nodiscard]] ping heartbeat(std::uint64_t sequence) const;
  void carry_out(std::vector<member_event> events);
  void carry_out(member_event& event);
  void peer_up(const member_event& event);
  void peer_down(const member_event& event);
  void send_ping(const member_event& event);

  void dial(const node_name& peer);
  void connect(const node_name& peer, const node_spec& spec);
  void connected(const node_name& peer, dialled_peer found);
  void dial_failed(const node_name& peer, const std::string& why);
  hello_reply greeted(const hello& from, const caf::strong_actor_ptr& node);
  void answered(const node_name& peer, const caf::strong_actor_ptr& node, const hello_reply& answer);
  void establish(const node_name& peer, std::uint64_t incarnation, const caf::strong_actor_ptr& node,
                 bool dialled);
  void drop_link(const std::string& peer);
  void refused(const node_name& peer, const std::string& why);
  void declared_dead(const std::string& why);

  void names_changed();
  void send_names(const std::string& peer);
  void names_sent(const std::string& peer, std::uint64_t generation, std::uint64_t version,
                  std::uint64_t taken);
  acknowledged take_names(const directory_update& update,
                          const std::vector<caf::strong_actor_ptr>& handles);
  void show_name(const std::string& peer, const std::string& name, const directory_entry& entry);
  void offer_name(const std::string& name, const std::string& not_from);
  void hide_name(const std::string& peer, const std::string& name, const directory_entry& entry);
  [[nodiscard]] bool shared(const std::string& name, const directory_entry& entry) const;

  void farewell_taken();
  void take_farewell(const farewell& message);
  [[nodiscard]] std::string status_json() const;
  [[nodiscard]] steady_time now() const { return env_.steady->now(); }

  self_pointer self_;
  actor_environment env_;
  member_options options_;
  membership members_;
  ballot votes_;
  cluster_view shown_;
  std::vector<node_start> kept_; // declarations that are durable here
  std::string keep_trouble_; // why declarations are not durable
  std::uint64_t declarations_ = 0;
  caf::strong_actor_ptr own_node_;
  std::map<std::string, link> links_;
  std::map<std::string, std::string> refusals_; // last one per peer: each is logged once
  std::map<std::string, std::shared_ptr<tcp_probe>> probes_;
  std::shared_ptr<name_changes> changes_ = std::make_shared<name_changes>();
  std::uint64_t listening_ = 0;
  std::uint64_t last_generation_ = 0;
  std::uint64_t name_conflicts_ = 0;
  std::uint64_t asks_failed_ = 0;
  bool ending_ = false;
  std::size_t farewells_open_ = 0;                      ///< told, and not known to have arrived
  std::vector<promise<status_report>> farewells_told_; ///< who waits for them
};

} // namespace troupe
