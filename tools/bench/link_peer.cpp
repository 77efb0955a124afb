#include "tools/bench/link_peer.hpp"

#include "runtime/actor/actor_base.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "runtime/cluster/front_certificates.hpp"
#include "runtime/cluster/node_front.hpp"
#include "runtime/cluster/spawn_process.hpp"
#include "runtime/log.hpp"

#include <caf/io/middleman.hpp>

#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace troupe {
namespace {

constexpr auto peer_name = "bench";
constexpr int peer_up_within_ms = 15'000;

// --- targets -------------------------------------------------------------------------------------

/// Keeps what arrived of a checkpoint.
struct blob_buffer {
  checkpoint_receipt take(const checkpoint_chunk& piece) {
    if (piece.offset == 0) held.clear();
    if (piece.offset == held.size()) held += piece.bytes;
    return {piece.manifest.version.weights, held.size(), held.size() == piece.manifest.bytes};
  }
  std::string held;
};

struct link_target_state {
  using handle_type = link_target;
  static inline const char* name = "link target";
  explicit link_target_state(actor_pointer<link_target> self) : self_{self} {}
  link_target::behavior_type make_behavior() {
    return {[](const status_request&) -> reply<status_report> { return status_report{}; },
            [this](const past_trades& batch) {
              tell(self_, self_->current_sender(), acknowledged{batch.hole});
            },
            [this](const checkpoint_chunk& piece) -> reply<checkpoint_receipt> {
              return blob_.take(piece);
            }};
  }
  actor_pointer<link_target> self_;
  blob_buffer blob_;
};

link_target::behavior_type bare_link_target(link_target::pointer self) {
  auto blob = std::make_shared<blob_buffer>();
  return {[](const status_request&) { return status_report{}; },
          [self](const past_trades& batch) {
            compat::send_from(*self, self->current_sender(), caf::message_priority::normal, true,
                              acknowledged{batch.hole});
          },
          [blob](const checkpoint_chunk& piece) { return blob->take(piece); }};
}

link_door::behavior_type link_door_behavior(link_door::pointer, link_target ours,
                                            link_target bare) {
  return {[=](bool instrumented) {
    return caf::actor_cast<caf::strong_actor_ptr>(instrumented ? ours : bare);
  }};
}

// --- raw TCP -------------------------------------------------------------------------------------

struct raw_listener {
  raw_listener() : fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(fd.get(), address, size) == 0 && ::listen(fd.get(), 4) == 0
        && ::getsockname(fd.get(), address, &size) == 0)
      port = ntohs(at.sin_port);
  }
  owned_fd fd;
  std::uint16_t port = 0;
};

bool receive_whole(int fd, char* into, std::size_t bytes) {
  while (bytes > 0) {
    const auto got = ::recv(fd, into, bytes, 0);
    if (got <= 0) return false;
    into += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

/// Eight bytes say how much follows, which is read and forgotten, and then answered with one byte;
/// zero: a question follows, which is sent back.
void serve_raw(int fd) {
  std::vector<char> into(64u << 10);
  std::uint64_t count = 0;
  while (receive_whole(fd, reinterpret_cast<char*>(&count), sizeof count)) {
    const bool asks = count == 0;
    if (asks && !receive_whole(fd, into.data(), raw_ping_bytes)) return;
    while (count > 0) {
      const auto got = ::recv(fd, into.data(), std::min<std::uint64_t>(count, into.size()), 0);
      if (got <= 0) return;
      count -= static_cast<std::uint64_t>(got);
    }
    if (::send(fd, into.data(), asks ? raw_ping_bytes : 1, MSG_NOSIGNAL) <= 0) return;
  }
}

void serve_all_raw(int listener) {
  for (;;) {
    const owned_fd fd{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
    if (!fd) return;
    const int yes = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    serve_raw(fd.get());
  }
}

// --- the child -----------------------------------------------------------------------------------

result<std::shared_ptr<cluster_front>> front_of(const nodes_conf& conf, const std::string& node,
                                                const std::filesystem::path& certificates) {
  front_options options;
  options.directory = certificates;
  return make_front(std::move(options), conf, node);
}

/// What the child tells its parent.
struct peer_ports {
  std::uint16_t caf = 0;
  std::uint16_t raw = 0;
};

[[noreturn]] void live(int parent, const nodes_conf& conf,
                       const std::filesystem::path& certificates) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  log::set_least(log::severity::warn);
  static system_config config{{.threads = 2}};
  static caf::actor_system system{config};
  static const auto ours = spawn_actor<link_target_state>(system, {});
  static const auto door = system.spawn(link_door_behavior, ours, system.spawn(bare_link_target));
  static const raw_listener raw;
  std::thread{[] { serve_all_raw(raw.fd.get()); }}.detach();
  peer_ports ports{0, raw.port};
  if (const auto port = system.middleman().publish(door, 0, "127.0.0.1")) ports.caf = *port;
  static std::shared_ptr<cluster_front> front;
  if (conf.any_tls() && ports.caf != 0) {
    auto made = front_of(conf, peer_name, certificates);
    if (made) front = made.value();
    const auto inner = ports.caf;
    ports.caf =
        front && front->listen(*conf.find(peer_name), inner) ? conf.find(peer_name)->port : 0;
  }
  if (::write(parent, &ports, sizeof ports) != sizeof ports) ::_exit(1);
  for (;;)
    ::pause(); // until the parent ends it
}

} // namespace

result<link_peer> link_peer::start(bool tls) {
  link_peer out;
  const auto failed = [](const std::string& what) {
    return error{make_error_code(cluster_errc::failed), what};
  };
  if (tls) {
    char folder[] = "/tmp/troupe-bench-XXXXXX";
    if (::mkdtemp(folder) == nullptr) return failed("no folder for certificates below /tmp");
    out.directory_ = folder;
    const raw_listener free; // its port is ours as soon as it is closed
    auto conf = parse_nodes_conf("node " + std::string{peer_name} + " host=127.0.0.1 port="
                                     + std::to_string(free.port) + " roles=gateway tls=on\n",
                                 "bench");
    if (!conf) return std::move(conf).error();
    out.conf_ = std::move(conf).value();
    if (auto made = init_authority(out.directory_ / "authority"); !made)
      return std::move(made).error();
    certificate_request request;
    request.authority = out.directory_ / "authority";
    request.directory = out.directory_ / peer_name;
    request.node = peer_name;
    auto issued = issue_certificate(request);
    if (!issued) return std::move(issued).error();
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed("no pipe to the other process");
  const owned_fd reading{ends[0]};
  owned_fd writing{ends[1]};
  out.pid_ = ::fork();
  if (out.pid_ < 0) return failed("the other process can't be started");
  if (out.pid_ == 0) live(writing.get(), out.conf_, out.directory_);
  writing.reset();
  peer_ports ports;
  ::pollfd entry{reading.get(), POLLIN, 0};
  if (::poll(&entry, 1, peer_up_within_ms) != 1
      || ::read(reading.get(), &ports, sizeof ports) != sizeof ports || ports.caf == 0
      || ports.raw == 0)
    return failed("the other process did not come up");
  out.port_ = ports.caf;
  out.raw_port_ = ports.raw;
  return out;
}

link_peer::link_peer(link_peer&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)}, port_{other.port_}, raw_port_{other.raw_port_},
      conf_{std::move(other.conf_)},
      directory_{std::exchange(other.directory_, {})}, front_{std::move(other.front_)} {}

link_peer::~link_peer() {
  front_.reset();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

result<std::uint16_t> link_peer::way() {
  if (!conf_.any_tls()) return port_;
  if (!front_) {
    auto made = front_of(conf_, {}, directory_);
    if (!made) return std::move(made).error();
    front_ = std::move(made).value();
  }
  return front_->port_to(peer_name);
}

} // namespace troupe
