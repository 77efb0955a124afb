#pragma once

/// Internal to the TLS front: one connection, from its first byte to its end. Incoming: waits for a whole
/// TLS hello, shakes hands, connects to CAF, carries. Outgoing: connects to the peer, shakes hands,
/// carries. Lives as long as one of its operations is under way.

#include "runtime/cluster/front_core.hpp"
#include "runtime/cluster/front_tls.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace troupe {

class front_pipe : public std::enable_shared_from_this<front_pipe> {
public:
  /// A connection that came in at the cluster port; admission has counted it as waiting.
  front_pipe(front_core& core, tcp::socket outer, std::string address);
  /// A connection of our CAF that is to be carried to `peer` at `to`.
  front_pipe(front_core& core, tcp::socket inner, std::string peer, tcp::endpoint to);
  ~front_pipe();

  void start_incoming();
  void start_outgoing();
  /// Looks after idle time, stalled writes and the kernel's figures; a few times a second.
  void look_after(steady_time now);
  /// The rig's cut, or the end of the process.
  void abort(const std::string& why);
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

private:
  using tls_stream = asio::ssl::stream<tcp::socket&>;

  /// One direction of the carried stream.
  struct lane {
    lane(basp_side side, basp_limits limits)
        : frames{side, limits}, buffer(piece + basp_stream::header_size) {}
    static constexpr std::size_t piece = std::size_t{64} << 10;
    basp_stream frames;
    std::vector<char> buffer;
    std::size_t filled = 0; // read and not passed on
    steady_time writing{};  // since when a write is under way; 0: none
    bool ended = false;
  };

  void wait_for_hello();
  void look_at_hello(const boost_error& ec);
  void shake_hands(asio::ssl::stream_base::handshake_type side);
  void shaken(const boost_error& ec);
  void connect_inner();
  void carry();
  void read(link_direction direction);
  void hold_then_write(link_direction direction, std::size_t bytes);
  void write(link_direction direction, std::size_t bytes);
  void written(link_direction direction, std::size_t bytes, const boost_error& ec);
  void ended(link_direction direction, const boost_error& ec);
  void keep_identity();
  void refuse(const std::string& kind, const std::string& why);
  void fail_dial(const std::string& why);
  void close(const std::string& trouble);
  void release();
  void set_deadline(nanoseconds within, std::function<void()> passed);
  [[nodiscard]] steady_time now() const { return {monotonic_ns()}; }
  [[nodiscard]] lane& lane_of(link_direction d) {
    return d == link_direction::to_peer ? *to_peer_ : *from_peer_;
  }

  front_core& core_;
  const bool dialled_;
  tcp::socket outer_;   // towards the peer
  tcp::socket inner_;   // towards our CAF
  tcp::endpoint to_;    // dialled
  std::string address_; // of the peer, without port
  std::string place_;   // of the peer, for people
  std::string peer_;    // its node name, once proven
  std::optional<tls_stream> tls_;
  peer_verification verification_;
  asio::steady_timer deadline_;
  asio::steady_timer hold_to_;
  asio::steady_timer hold_from_;
  std::size_t hello_seen_ = 0;
  std::optional<lane> to_peer_;
  std::optional<lane> from_peer_;
  std::shared_ptr<link_figures> figures_;
  enum class state { waiting, proven, closed } state_ = state::waiting;
  steady_time lingering_{}; // since one direction has ended
  bool identity_kept_ = false;
};

} // namespace troupe
