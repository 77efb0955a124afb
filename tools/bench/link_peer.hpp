#pragma once

/// The other process of the link benchmarks: a child with actors of ours, bare CAF actors of the
/// same interface and a raw TCP port, all on loopback, behind the TLS front where asked for.

#include "messages/actors.hpp"
#include "messages/history.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/cluster/front.hpp"

#include <filesystem>

namespace troupe {

/// What is sent to the other process.
using link_target = caf::typed_actor<rpc<status_request>::to<status_report>,
                                     // Events in a batch; answered to the sender with
                                     // `acknowledged`, which is its credit.
                                     on<past_trades>,
                                     // A piece of a checkpoint.
                                     rpc<checkpoint_chunk>::to<checkpoint_receipt>>;

/// Leads to the targets: true = instrumented, false = bare CAF.
using link_door = caf::typed_actor<rpc<bool>::to<caf::strong_actor_ptr>>;

/// Bytes of a question on the raw TCP port, and of its answer.
inline constexpr std::size_t raw_ping_bytes = 64;

/// A child process; ended and collected by the destructor.
class link_peer {
public:
  /// Forks: to be called before this process has threads of its own.
  /// Errors: no certificate can be made, no port to be had, the child did not come up.
  static result<link_peer> start(bool tls);
  link_peer(link_peer&& other) noexcept;
  link_peer& operator=(link_peer&&) = delete;
  ~link_peer();

  /// The loopback port that CAF is to dial; the first call behind TLS starts this side's front (a
  /// thread).
  result<std::uint16_t> way();
  [[nodiscard]] std::uint16_t raw_port() const noexcept { return raw_port_; }

private:
  link_peer() = default;
  int pid_ = -1;
  std::uint16_t port_ = 0;
  std::uint16_t raw_port_ = 0;
  nodes_conf conf_;                 // empty: no TLS
  std::filesystem::path directory_; // of the certificates; removed with this
  std::shared_ptr<cluster_front> front_;
};

} // namespace troupe
