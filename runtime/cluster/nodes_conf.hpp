#pragma once

/// nodes.conf: every node that may join the cluster. A stranger is refused.
///
/// One node a line; a line that starts with a blank continues the node above it. `#` starts a comment.
/// ```
/// # name  where it listens           what it does              with what
/// node ingest  host=127.0.0.1 port=4410  roles=ingest,gateway  threads=2
/// node exec    host=127.0.0.1 port=4411  roles=execution       threads=2
///      accounts=main@binance
/// node model   host=127.0.0.1 port=4412  roles=model           device=cpu
/// ```
/// | key | means | default |
/// |---|---|---|
/// | host | numeric address it listens on, or localhost; off loopback only with TLS | needed |
/// | port | its one port, 1 to 65535, unique on its host | needed |
/// | tls | on or off: is its port behind the TLS front (`front.hpp`)? | off on loopback, else on |
/// | roles | ingest, gateway, execution, model, train; comma-separated | needed |
/// | threads | worker threads of the actor scheduler, 1 to 256 | 2 |
/// | device | cpu or cuda:N, for the roles model and train | cpu |
/// | accounts | NAME@VENUE, comma-separated; only and always with the role execution | none |
/// | standby-for | the execution node whose accounts it may take over | none |
/// | labels | words that `venues.*.label` and `models.*.label` may ask for, comma-separated | none |
///
/// Values hold no blanks. Order matters: in each pair of nodes the later one dials the earlier one.
/// Pure: the text is handed in; `nodes_conf_file.hpp` reads the file.

#include "messages/cluster.hpp"
#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

enum class node_role : std::uint8_t { ingest, gateway, execution, model, train };

/// The word of nodes.conf.
std::string_view to_string(node_role role) noexcept;

/// One node of nodes.conf.
struct node_spec {
  node_name name;
  std::string host;
  std::uint16_t port = 0;
  bool tls = false; ///< peers come in through the TLS front only; always so off loopback
  std::vector<node_role> roles; ///< in the order of `node_role`, without repeats
  std::string device = "cpu";
  std::uint32_t threads = 2;
  std::vector<std::string> accounts; ///< "main@binance"
  std::vector<std::string> labels;
  std::string standby_for;
  std::size_t line = 0; ///< where it stands, from 1

  [[nodiscard]] bool has(node_role role) const noexcept;
  [[nodiscard]] bool has_label(std::string_view label) const noexcept;
  /// Model and train nodes are `troupe-model` processes, the others `troupe`.
  [[nodiscard]] bool needs_torch() const noexcept { return has(node_role::model) || has(node_role::train); }
  friend bool operator==(const node_spec&, const node_spec&) = default;
};

/// The parsed file.
class nodes_conf {
public:
  nodes_conf() = default;
  /// @pre the nodes passed `parse_nodes_conf`'s checks
  explicit nodes_conf(std::vector<node_spec> nodes);

  [[nodiscard]] const std::vector<node_spec>& nodes() const noexcept { return nodes_; }
  /// The node of that name, or nullptr.
  [[nodiscard]] const node_spec* find(std::string_view name) const noexcept;
  /// Like `find`, with an error that names the nearest one.
  [[nodiscard]] result<node_spec> at(std::string_view name) const;
  /// All nodes with the role, in the file's order.
  [[nodiscard]] std::vector<const node_spec*> with(node_role role) const;
  /// The execution node of an account, or nullptr.
  [[nodiscard]] const node_spec* node_of(std::string_view account) const noexcept;
  /// Place in the file, from 0; the number of nodes when unknown.
  [[nodiscard]] std::size_t position(std::string_view name) const noexcept;
  /// Hash of the content (comments and layout don't count); compared in the hello.
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }
  /// True when one of them is behind TLS: every process that joins or asks then needs a certificate.
  [[nodiscard]] bool any_tls() const noexcept;

private:
  std::vector<node_spec> nodes_;
  std::uint64_t hash_ = 0;
};

/// Most nodes of a cluster: links are a full mesh.
inline constexpr std::size_t max_cluster_nodes = 16;

/// Parses and checks the text. Errors name `file:line`, what is wrong and what to do: a key given
/// twice, an unknown key (with the nearest known one), two nodes with one name or one port of one
/// host, a host off loopback without TLS, an account at two nodes, an execution node without accounts, port 0.
result<nodes_conf> parse_nodes_conf(std::string_view text, std::string_view file);

/// The text of a file that parses to the same nodes; for programs that write one.
std::string to_text(const nodes_conf& conf);

} // namespace troupe
