#pragma once

/// The TLS front: what stands between CAF and other hosts.
///
/// CAF listens on loopback only and speaks plain BASP there. The front listens on the node's address of
/// nodes.conf and carries each connection to CAF's port; for each peer it has a loopback port of its own
/// that CAF dials, and carries what comes there to the peer:
/// ```
/// CAF → 127.0.0.1:port_to("model") → front ══ TLS 1.3, mutual ══> 10.0.0.3:4412 front → 127.0.0.1:… CAF
/// ```
/// A peer gets through when its certificate is of the cluster's own authority, valid, and names exactly
/// one node of nodes.conf – the one dialled, where we dialled. Nothing that has not proven this reaches
/// CAF or costs more than a socket: TLS begins when a whole hello has arrived. Behind it every frame's
/// length is checked (`front_framing.hpp`), each direction holds one buffer of 64 KiB, and a peer that is
/// silent or does not read for the idle time is closed. A close or reset is passed on at once.
///
/// Users of the same machine are trusted as far as CAF's own loopback port is: see SECURITY.md.
/// One thread of its own, named tr.front; no CAF. All public functions may be called from any thread and
/// none blocks, `start` and `stop` excepted.

#include "runtime/cluster/front_admission.hpp"
#include "runtime/cluster/front_framing.hpp"
#include "runtime/cluster/front_report.hpp"
#include "runtime/cluster/nodes_conf.hpp"

#include <filesystem>
#include <memory>
#include <set>
#include <string>

namespace troupe {

struct front_options {
  nodes_conf conf;
  std::filesystem::path directory; ///< cluster.tls.directory
  std::string node;                ///< own name; empty: an operator's program, shows any certificate found
  basp_limits frames;
  admission_limits admission;
  nanoseconds handshake_within = std::chrono::seconds{3}; ///< from the first byte's arrival or not to proven
  nanoseconds connect_within = std::chrono::milliseconds{1500}; ///< TCP and hand-shake with a dialled peer
  nanoseconds idle = std::chrono::seconds{15}; ///< CAF beats twice a second: this is long dead
  std::filesystem::path faults;                ///< cluster.rig.faults; empty: none
};

class cluster_front {
public:
  /// Loads the certificate, opens a loopback port for each other node behind TLS, starts the thread.
  /// Errors: certificate missing, open to others, damaged, of another node; no port to be had.
  /// A certificate near its end is told in the log.
  static result<std::shared_ptr<cluster_front>> start(front_options options);
  ~cluster_front();
  cluster_front(const cluster_front&) = delete;
  cluster_front& operator=(const cluster_front&) = delete;

  /// Opens the node's own port and carries what comes in to CAF's `inner_port` on 127.0.0.1.
  /// Errors: port in use, or no address of this machine.
  status listen(const node_spec& self, std::uint16_t inner_port);

  /// The loopback port that leads to a peer; 0 when it is not behind TLS, or ourselves.
  [[nodiscard]] std::uint16_t port_to(const std::string& peer) const;

  /// The nodes whose certificates were shown on the open incoming connections that began with these bytes:
  /// a CAF node id as CAF writes it. More than one: somebody claims another's id.
  [[nodiscard]] std::set<std::string> certified_as(std::string_view node_id) const;

  /// Words of the last trouble with a peer that is younger than ten seconds; empty: none.
  [[nodiscard]] std::string last_trouble(const std::string& peer) const;

  [[nodiscard]] front_report report() const;

  /// Closes everything and joins the thread. Called by the destructor.
  void stop();

private:
  struct impl;
  explicit cluster_front(std::unique_ptr<impl> parts);
  std::unique_ptr<impl> impl_;
};

} // namespace troupe
