#include "runtime/cluster/front_pipe.hpp"

#include "runtime/cluster/text.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace troupe {
namespace {

constexpr std::size_t record_header = 5;
constexpr std::size_t shortest_hello = 64;
constexpr std::size_t longest_hello = 4096; // ours has about 300 bytes
constexpr nanoseconds hole_step = std::chrono::milliseconds{10};
constexpr nanoseconds linger = std::chrono::seconds{1};
constexpr nanoseconds longest_hole = std::chrono::minutes{2};

std::string seconds_text(nanoseconds d) {
  return std::to_string(whole_millis(d)) + " ms";
}

bool is_end(const boost_error& ec) {
  return ec == asio::error::eof || ec == asio::ssl::error::stream_truncated;
}

std::string words_of_failure(const boost_error& ec) {
  if (ec.category() == asio::error::get_ssl_category())
    return handshake_words(static_cast<unsigned long>(ec.value()), ec.message());
  if (is_end(ec)) return "it closed the connection";
  return ec.message();
}

/// Wakes a reader only when so many bytes are there: a peer that sends its hello byte by byte costs nothing.
void wake_at(tcp::socket& socket, std::size_t bytes) {
  const int least = static_cast<int>(bytes);
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

void no_delay(tcp::socket& socket) {
  boost_error ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
}

} // namespace

front_pipe::front_pipe(front_core& core, tcp::socket outer, std::string address)
    : core_{core}, dialled_{false}, outer_{std::move(outer)}, inner_{core.context},
      address_{std::move(address)}, deadline_{core.context}, hold_to_{core.context}, hold_from_{
                                                                                         core.context} {
  boost_error ec;
  const auto end = outer_.remote_endpoint(ec);
  place_ = ec ? address_ : endpoint_text(end);
}

front_pipe::front_pipe(front_core& core, tcp::socket inner, std::string peer, tcp::endpoint to)
    : core_{core}, dialled_{true}, outer_{core.context}, inner_{std::move(inner)}, to_{to},
      place_{endpoint_text(to)}, peer_{std::move(peer)}, deadline_{core.context}, hold_to_{core.context},
      hold_from_{core.context} {}

front_pipe::~front_pipe() = default;

void front_pipe::set_deadline(nanoseconds within, std::function<void()> passed) {
  deadline_.expires_after(within);
  deadline_.async_wait([self = shared_from_this(), passed = std::move(passed)](const boost_error& ec) {
    if (!ec && self->state_ != state::closed) passed();
  });
}

// --- incoming ------------------------------------------------------------------------------------

void front_pipe::start_incoming() {
  no_delay(outer_);
  boost_error ignored;
  outer_.non_blocking(true, ignored);
  set_deadline(core_.options.handshake_within, [this] {
    const auto within = " within " + seconds_text(core_.options.handshake_within);
    if (tls_) return refuse("silent", "its TLS hand-shake did not end" + within);
    if (hello_seen_ == 0) return refuse("silent", "it said nothing" + within);
    refuse("silent", "its TLS hello did not arrive" + within);
  });
  wait_for_hello();
}

void front_pipe::wait_for_hello() {
  outer_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const boost_error& ec) {
    if (self->state_ != state::closed) self->look_at_hello(ec);
  });
}

/// TLS, and the memory it takes, begins when the hello lies whole in the kernel's buffer.
void front_pipe::look_at_hello(const boost_error& ec) {
  if (ec) return refuse("closed", words_of_failure(ec));
  unsigned char head[6] = {};
  boost_error failed;
  const auto got = outer_.receive(asio::buffer(head), tcp::socket::message_peek, failed);
  if (failed == asio::error::would_block) return wait_for_hello();
  if (failed)
    return refuse("closed", hello_seen_ == 0 ? "it closed without a word" : "it closed within its TLS hello");
  if (head[0] != 0x16 || (got > 1 && head[1] != 0x03) || (got > record_header && head[record_header] != 0x01))
    return refuse("not-tls",
                  "what it sends is no TLS hello: it begins with the byte " + std::to_string(head[0]));
  const std::size_t length = got < record_header ? 0 : static_cast<std::size_t>(head[3]) << 8 | head[4];
  if (got >= record_header && (length < shortest_hello || length > longest_hello))
    return refuse("not-tls", "its TLS hello claims " + std::to_string(length) + " bytes");
  const auto needed = got < record_header ? record_header : record_header + length;
  const auto there = outer_.available(failed);
  if (!failed && there >= needed && got > record_header) {
    wake_at(outer_, 1);
    return shake_hands(asio::ssl::stream_base::server);
  }
  // Woken without what was waited for: the other side has closed.
  if (hello_seen_ == needed) return refuse("closed", "it closed within its TLS hello");
  hello_seen_ = needed;
  wake_at(outer_, std::max(needed, record_header + 1));
  wait_for_hello();
}

void front_pipe::connect_inner() {
  inner_.async_connect(core_.inner, [self = shared_from_this()](const boost_error& ec) {
    if (self->state_ == state::closed) return;
    if (ec) return self->refuse("inner", "this node's own CAF port does not answer: " + ec.message());
    self->carry();
  });
}

// --- outgoing ------------------------------------------------------------------------------------

void front_pipe::start_outgoing() {
  verification_.expected = peer_;
  set_deadline(core_.options.connect_within, [this] {
    fail_dial(place_ + (tls_ ? " does not end the TLS hand-shake" : " does not answer") + " within "
              + seconds_text(core_.options.connect_within));
  });
  if (core_.faults.cut(peer_)) return fail_dial("cut by the rig");
  if (core_.faults.black_hole(peer_, link_direction::to_peer)
      || core_.faults.black_hole(peer_, link_direction::from_peer))
    return; // the deadline ends it
  outer_.async_connect(to_, [self = shared_from_this()](const boost_error& ec) {
    if (self->state_ == state::closed) return;
    if (ec) return self->fail_dial(self->place_ + ": " + ec.message());
    no_delay(self->outer_);
    self->shake_hands(asio::ssl::stream_base::client);
  });
}

void front_pipe::fail_dial(const std::string& why) {
  if (!verification_.refused.empty()) core_.warn("dial " + peer_ + why, "peer refused", place_, why);
  close(why);
}

// --- both ----------------------------------------------------------------------------------------

void front_pipe::shake_hands(asio::ssl::stream_base::handshake_type side) {
  verification_.is_node = [&conf = core_.options.conf](const std::string& name) {
    return conf.find(name) != nullptr;
  };
  tls_.emplace(outer_, core_.tls);
  boost_error ec;
  tls_->set_verify_callback(
      [this](bool preverified, asio::ssl::verify_context& context) {
        return verification_.step(preverified, context.native_handle());
      },
      ec);
  tls_->async_handshake(side, [self = shared_from_this()](const boost_error& outcome) {
    if (self->state_ != state::closed) self->shaken(outcome);
  });
}

void front_pipe::shaken(const boost_error& ec) {
  const auto why = !verification_.refused.empty() ? verification_.refused : words_of_failure(ec);
  if (ec && dialled_) return fail_dial(place_ + ": " + why);
  if (ec) {
    const bool certificate = !verification_.refused.empty() || why == "it shows no certificate";
    return refuse(certificate ? "certificate" : "tls", why);
  }
  if (verification_.node.empty()) return refuse("certificate", "its certificate was not checked");
  if (dialled_) {
    state_ = state::proven;
    return carry();
  }
  peer_ = verification_.node;
  if (core_.faults.cut(peer_)) return abort("cut by the rig");
  if (auto let_in = core_.admission.prove(address_, peer_); !let_in)
    return refuse("cap", let_in.error().text);
  state_ = state::proven;
  connect_inner();
}

void front_pipe::carry() {
  deadline_.cancel();
  no_delay(inner_);
  figures_ = core_.ledger.open(peer_, dialled_, place_);
  from_peer_.emplace(dialled_ ? basp_side::listening : basp_side::dialling, core_.options.frames);
  to_peer_.emplace(dialled_ ? basp_side::dialling : basp_side::listening, core_.options.frames);
  core_.note(dialled_ ? "link opened" : "link taken", {{"peer", peer_}, {"address", place_}});
  read(link_direction::from_peer);
  read(link_direction::to_peer);
}

void front_pipe::read(link_direction direction) {
  auto& lane = lane_of(direction);
  const auto room = asio::buffer(lane.buffer.data() + lane.filled, lane.buffer.size() - lane.filled);
  auto taken = [self = shared_from_this(), direction](const boost_error& ec, std::size_t bytes) {
    if (self->state_ == state::closed) return;
    if (ec) return self->ended(direction, ec);
    auto& into = self->lane_of(direction);
    into.filled += bytes;
    if (direction == link_direction::from_peer) {
      self->figures_->heard = monotonic_ns();
      self->figures_->bytes_in += bytes;
    }
    const auto admitted = into.frames.admit({into.buffer.data(), into.filled});
    if (!admitted) {
      const auto whose =
          direction == link_direction::from_peer ? std::string{} : std::string{"our own CAF: "};
      return self->refuse("framing", whose + admitted.error().text);
    }
    auto& frames =
        direction == link_direction::from_peer ? self->figures_->frames_in : self->figures_->frames_out;
    frames = into.frames.frames();
    self->keep_identity();
    self->hold_then_write(direction, admitted.value());
  };
  if (direction == link_direction::from_peer)
    tls_->async_read_some(room, std::move(taken));
  else
    inner_.async_read_some(room, std::move(taken));
}

/// From now on a hello that CAF delivers over this connection can be told from one over another.
void front_pipe::keep_identity() {
  if (dialled_ || identity_kept_ || !from_peer_->frames.greeted()) return;
  identity_kept_ = true;
  core_.ledger.set_node_id(*figures_, from_peer_->frames.greeting());
}

void front_pipe::hold_then_write(link_direction direction, std::size_t bytes) {
  if (!core_.rig()) return write(direction, bytes);
  const bool hole = core_.faults.black_hole(peer_, direction);
  const auto wait = hole ? hole_step : core_.faults.hold(peer_, direction);
  if (wait.count() == 0) return write(direction, bytes);
  auto& timer = direction == link_direction::to_peer ? hold_to_ : hold_from_;
  timer.expires_after(wait);
  timer.async_wait([self = shared_from_this(), direction, bytes, hole](const boost_error& ec) {
    if (ec || self->state_ == state::closed) return;
    if (hole || self->core_.faults.black_hole(self->peer_, direction))
      return self->hold_then_write(direction, bytes);
    self->write(direction, bytes);
  });
}

void front_pipe::write(link_direction direction, std::size_t bytes) {
  auto& lane = lane_of(direction);
  if (bytes == 0) return read(direction); // part of a header: the rest has to come first
  lane.writing = now();
  const auto what = asio::buffer(lane.buffer.data(), bytes);
  auto done = [self = shared_from_this(), direction, bytes](const boost_error& ec, std::size_t) {
    if (self->state_ != state::closed) self->written(direction, bytes, ec);
  };
  if (direction == link_direction::to_peer)
    asio::async_write(*tls_, what, std::move(done));
  else
    asio::async_write(inner_, what, std::move(done));
}

void front_pipe::written(link_direction direction, std::size_t bytes, const boost_error& ec) {
  auto& lane = lane_of(direction);
  lane.writing = {};
  // Our own CAF closed while the peer still spoke: an ordinary end.
  if (ec)
    return close(direction == link_direction::to_peer ? "writing to the peer: " + words_of_failure(ec) : "");
  if (direction == link_direction::to_peer) figures_->bytes_out += bytes;
  lane.filled -= bytes;
  std::memmove(lane.buffer.data(), lane.buffer.data() + bytes, lane.filled);
  read(direction);
}

// --- the end -------------------------------------------------------------------------------------

void front_pipe::ended(link_direction direction, const boost_error& ec) {
  if (core_.rig() && core_.faults.black_hole(peer_, direction)) {
    // Where nothing passes, an end does not either.
    auto& timer = direction == link_direction::to_peer ? hold_to_ : hold_from_;
    timer.expires_after(hole_step);
    timer.async_wait([self = shared_from_this(), direction, ec](const boost_error& cancelled) {
      if (!cancelled && self->state_ != state::closed) self->ended(direction, ec);
    });
    return;
  }
  auto& lane = lane_of(direction);
  const bool peers = direction == link_direction::from_peer;
  lane.ended = true;
  if (!is_end(ec)) return close(peers ? words_of_failure(ec) : "");
  if (peers && !lane.frames.greeted())
    return close("the peer closed before CAF's hand-shake; its log says why");
  if (lane_of(peers ? link_direction::to_peer : link_direction::from_peer).ended) return close("");
  // All that was read has been written: the end is passed on at once, and the other direction may finish.
  boost_error ignored;
  (peers ? inner_ : outer_).shutdown(tcp::socket::shutdown_send, ignored);
  lingering_ = now();
}

void front_pipe::look_after(steady_time at) {
  if (state_ != state::proven || !figures_) return;
  if (lingering_.ns != 0 && at - lingering_ > linger) return close("");
  const auto idle = core_.options.idle;
  if (to_peer_->writing.ns != 0 && at - to_peer_->writing > idle)
    return close("the peer has not read for " + seconds_text(idle));
  if (from_peer_->writing.ns != 0 && at - from_peer_->writing > idle)
    return close("our own CAF has not read for " + seconds_text(idle));
  if (at - steady_time{figures_->heard} > idle)
    return close("the peer has been silent for " + seconds_text(idle));
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(outer_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
  figures_->round_trip = static_cast<std::int64_t>(info.tcpi_rtt) * 1000;
  figures_->retransmits = info.tcpi_total_retrans;
  const auto free = info.tcpi_snd_cwnd > info.tcpi_unacked ? info.tcpi_snd_cwnd - info.tcpi_unacked : 0;
  figures_->credit = std::uint64_t{free} * info.tcpi_snd_mss;
}

void front_pipe::refuse(const std::string& kind, const std::string& why) {
  core_.ledger.refused(kind);
  const auto who = peer_.empty() ? place_ : place_ + " (" + peer_ + ")";
  // One that only looked whether the port is open is no news.
  const auto whom = peer_.empty() ? address_ : peer_;
  const bool telling = kind == "certificate" || kind == "silent" || kind == "tls";
  if (kind != "closed") core_.warn(kind + " " + whom + (telling ? why : ""), "connection refused", who, why);
  close(peer_.empty() ? "" : why);
}

void front_pipe::abort(const std::string& why) {
  boost_error ignored;
  if (outer_.is_open()) outer_.set_option(asio::socket_base::linger{true, 0}, ignored);
  if (inner_.is_open()) inner_.set_option(asio::socket_base::linger{true, 0}, ignored);
  close(why);
}

void front_pipe::close(const std::string& trouble) {
  if (state_ == state::closed) return;
  release();
  if (!trouble.empty() && !peer_.empty()) core_.ledger.trouble(peer_, trouble);
  if (figures_) {
    core_.note("link closed",
               {{"peer", peer_}, {"address", place_}, {"why", trouble.empty() ? "in order" : trouble}});
    core_.ledger.close(figures_);
  }
  state_ = state::closed;
  deadline_.cancel();
  hold_to_.cancel();
  hold_from_.cancel();
  boost_error ignored;
  inner_.close(ignored);
  if (!core_.stopping && core_.rig() && figures_ && core_.faults.black_hole(peer_, link_direction::to_peer)) {
    // The peer must not learn of it before the hole is lifted.
    const auto until = now() + longest_hole;
    auto step = std::make_shared<std::function<void()>>();
    std::weak_ptr<std::function<void()>> again = step;
    *step = [this, until, again, self = shared_from_this()] {
      boost_error unused;
      if (core_.stopping || now() >= until || !core_.faults.black_hole(peer_, link_direction::to_peer)) {
        outer_.close(unused);
        return;
      }
      hold_to_.expires_after(hole_step);
      hold_to_.async_wait([next = again.lock()](const boost_error& ec) {
        if (!ec && next) (*next)();
      });
    };
    return (*step)();
  }
  outer_.close(ignored);
}

/// Gives the place in the caps back.
void front_pipe::release() {
  if (dialled_) return;
  if (state_ == state::waiting) core_.admission.gone(address_);
  if (state_ == state::proven) core_.admission.left(peer_);
  core_.ledger.set_waiting(core_.admission.waiting());
}

} // namespace troupe
