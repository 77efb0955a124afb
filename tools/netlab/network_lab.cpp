#include "tools/netlab/network_lab.hpp"

#include "runtime/clock.hpp"
#include "tools/netlab/packet.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <queue>
#include <thread>

namespace troupe::netlab {
namespace {

constexpr std::uint32_t network = 0x0a4d0000; // 10.77.0.0
constexpr std::size_t most_hosts = 200;
constexpr int largest_packet = 1500;
constexpr std::size_t most_waiting = 100'000;
constexpr std::size_t packets_at_once = 64;

class lab_category final : public std::error_category {
  [[nodiscard]] const char* name() const noexcept override { return "netlab"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
    case errc::no_right: return "not allowed to make network namespaces";
    case errc::no_room: return "too many hosts";
    case errc::failed: return "a host of the network could not be made";
    }
    return "unknown error";
  }
};

error failed(const std::string& what, int code) {
  const bool right = code == EPERM || code == EACCES || code == ENOENT;
  return {make_error_code(right ? errc::no_right : errc::failed),
          what + ": " + std::strerror(code)
              + (right ? "; run as root on a machine with /dev/net/tun and network namespaces" : "")};
}

/// Brings an interface up; with an address when there is one. In the child: system calls only.
bool bring_up(int socket, const char* name, std::uint32_t address) {
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  const auto set_address = [&](unsigned long what, std::uint32_t value) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(value);
    std::memcpy(&request.ifr_addr, &in, sizeof in);
    return ::ioctl(socket, what, &request) == 0;
  };
  if (address != 0 && !(set_address(SIOCSIFADDR, address) && set_address(SIOCSIFNETMASK, 0xffffff00))) return false;
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
}

/// Makes this process's namespace a host; the descriptor of its interface, or minus the error number.
int become_host(std::uint32_t address) {
  if (::unshare(CLONE_NEWNET) != 0) return -errno;
  const int tun = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (tun < 0) return -errno;
  ifreq request{};
  std::strncpy(request.ifr_name, "lab0", IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(tun, TUNSETIFF, &request) != 0) return -errno;
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -errno;
  if (!bring_up(socket, "lo", 0) || !bring_up(socket, "lab0", address)) return -errno;
  ::close(socket);
  return tun;
}

void send_descriptor(int channel, int descriptor_or_error) {
  std::int32_t code = std::min(descriptor_or_error, 0);
  iovec text{&code, sizeof code};
  std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  if (code == 0) {
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    auto* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &descriptor_or_error, sizeof(int));
  }
  (void)::sendmsg(channel, &message, 0);
}

/// The descriptor that was sent, or minus the error number.
int receive_descriptor(int channel) {
  std::int32_t code = 0;
  iovec text{&code, sizeof code};
  std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  if (::recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != sizeof code) return -EIO;
  if (code != 0) return code;
  const auto* head = CMSG_FIRSTHDR(&message);
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return -EIO;
  int out = -1;
  std::memcpy(&out, CMSG_DATA(head), sizeof out);
  return out;
}

/// The process that holds a host's namespace open and does nothing else.
[[noreturn]] void hold(int channel, std::uint32_t address, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  send_descriptor(channel, become_host(address));
  ::close(channel);
  for (;;) ::pause();
}

struct lab_host {
  pid_t holder = -1;
  int tun = -1;
};

/// A packet that is on its way.
struct travelling {
  std::int64_t due = 0;
  std::uint64_t number = 0; ///< keeps the order of those that are due at the same time
  std::size_t to = 0;
  packet bytes;
  bool operator<(const travelling& other) const noexcept {
    return std::tie(due, number) > std::tie(other.due, other.number); // the earliest on top
  }
};

} // namespace

std::error_code make_error_code(errc code) noexcept {
  static const lab_category category;
  return {static_cast<int>(code), category};
}

struct network_lab::impl {
  explicit impl(std::uint64_t seed) : faults{seed} {}
  ~impl();
  status add_host();
  void carry();
  void take_from(std::size_t host);
  void forward(std::size_t from, std::span<const std::uint8_t> bytes);
  void deliver(std::size_t to, std::span<const std::uint8_t> bytes);
  void deliver_due();
  [[nodiscard]] std::optional<std::size_t> host_of(std::uint32_t address) const {
    const auto number = address - network;
    if (number == 0 || number > hosts.size()) return std::nullopt;
    return number - 1;
  }

  std::vector<lab_host> hosts;
  int stop = -1;
  std::thread carrier;
  mutable std::mutex guard; ///< faults and counts
  link_faults faults;
  lab_counts counts;
  std::priority_queue<travelling> waiting; ///< the carrier's
  std::uint64_t numbered = 0;
};

network_lab::impl::~impl() {
  if (carrier.joinable()) {
    const std::uint64_t one = 1;
    (void)!::write(stop, &one, sizeof one);
    carrier.join();
  }
  for (const auto& host : hosts) {
    if (host.tun >= 0) ::close(host.tun);
    if (host.holder <= 0) continue;
    ::kill(host.holder, SIGKILL);
    ::waitpid(host.holder, nullptr, 0);
  }
  if (stop >= 0) ::close(stop);
}

status network_lab::impl::add_host() {
  int channel[2];
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, channel) != 0) return failed("socketpair", errno);
  const auto address = network + static_cast<std::uint32_t>(hosts.size()) + 1;
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid == 0) hold(channel[1], address, parent);
  ::close(channel[1]);
  if (pid < 0) {
    ::close(channel[0]);
    return failed("fork", errno);
  }
  auto& made = hosts.emplace_back();
  made.holder = pid;
  const int tun = receive_descriptor(channel[0]);
  ::close(channel[0]);
  if (tun < 0) return failed("host " + address_of(hosts.size() - 1), -tun);
  made.tun = tun;
  return ok;
}

void network_lab::impl::deliver(std::size_t to, std::span<const std::uint8_t> bytes) {
  // A host that does not read loses packets, as a real one does.
  const bool sent = ::write(hosts[to].tun, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  const std::lock_guard lock{guard};
  counts.carried += sent ? 1 : 0;
  counts.withheld += sent ? 0 : 1;
  counts.bytes += sent ? bytes.size() : 0;
}

void network_lab::impl::forward(std::size_t from, std::span<const std::uint8_t> bytes) {
  const auto head = read_head(bytes);
  const auto to = head ? host_of(head->to) : std::nullopt;
  if (!to) return; // multicast and the like: no such host
  verdict what;
  {
    const std::lock_guard lock{guard};
    what = faults.decide(from, *to);
    counts.withheld += what.pass ? 0 : 1;
    counts.delayed += what.pass && what.after.count() > 0 ? 1 : 0;
    if (what.after.count() > 0 && waiting.size() >= most_waiting) {
      ++counts.overflown;
      what.pass = false;
    }
  }
  if (!what.pass) return;
  if (what.reset) {
    const auto pair = resets_for(*head);
    if (pair.size() == 2) {
      {
        const std::lock_guard lock{guard}; // counted first: whoever has felt it finds it counted
        ++counts.resets;
      }
      deliver(*to, pair[0]);
      deliver(from, pair[1]);
    }
    return;
  }
  for (int n = what.twice ? 2 : 1; n > 0; --n) {
    if (what.after.count() == 0)
      deliver(*to, bytes);
    else
      waiting.push({monotonic_ns() + what.after.count(), ++numbered, *to, packet{bytes.begin(), bytes.end()}});
  }
}

void network_lab::impl::take_from(std::size_t host) {
  std::array<std::uint8_t, 65536> room;
  for (std::size_t n = 0; n < packets_at_once; ++n) {
    const auto count = ::read(hosts[host].tun, room.data(), room.size());
    if (count <= 0) return;
    forward(host, {room.data(), static_cast<std::size_t>(count)});
  }
}

void network_lab::impl::deliver_due() {
  const auto now = monotonic_ns();
  while (!waiting.empty() && waiting.top().due <= now) {
    deliver(waiting.top().to, waiting.top().bytes);
    waiting.pop();
  }
}

void network_lab::impl::carry() {
  std::vector<pollfd> watched{{stop, POLLIN, 0}};
  for (const auto& host : hosts) watched.push_back({host.tun, POLLIN, 0});
  for (;;) {
    timespec patience{60, 0};
    if (!waiting.empty()) {
      const auto left = std::max<std::int64_t>(0, waiting.top().due - monotonic_ns());
      patience = {left / 1'000'000'000, left % 1'000'000'000};
    }
    (void)::ppoll(watched.data(), watched.size(), &patience, nullptr);
    if (watched[0].revents != 0) return;
    deliver_due();
    for (std::size_t n = 0; n < hosts.size(); ++n)
      if ((watched[n + 1].revents & POLLIN) != 0) take_from(n);
  }
}

// --- the public face -----------------------------------------------------------------------------

network_lab::network_lab(std::unique_ptr<impl> parts) : impl_{std::move(parts)} {}
network_lab::~network_lab() = default;

result<std::unique_ptr<network_lab>> network_lab::start(std::size_t hosts, std::uint64_t seed) {
  if (hosts == 0 || hosts > most_hosts)
    return error{make_error_code(errc::no_room), "1 to " + std::to_string(most_hosts) + " hosts can be made"};
  auto parts = std::make_unique<impl>(seed);
  for (std::size_t n = 0; n < hosts; ++n)
    if (auto added = parts->add_host(); !added) return added.error();
  parts->stop = ::eventfd(0, EFD_CLOEXEC);
  if (parts->stop < 0) return failed("eventfd", errno);
  parts->carrier = std::thread{[raw = parts.get()] { raw->carry(); }};
  return std::unique_ptr<network_lab>{new network_lab{std::move(parts)}};
}

std::size_t network_lab::hosts() const noexcept { return impl_->hosts.size(); }

std::string network_lab::address_of(std::size_t host) { return "10.77.0." + std::to_string(host + 1); }

std::string network_lab::namespace_of(std::size_t host) const {
  return "/proc/" + std::to_string(impl_->hosts[host].holder) + "/ns/net";
}

std::vector<std::string> network_lab::runs_on(std::size_t host) const {
  return {"/usr/bin/nsenter", "--net=" + namespace_of(host), "--"};
}

status network_lab::enter(std::size_t host) const {
  const auto file = namespace_of(host);
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(file, errno);
  const int code = ::setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
  ::close(fd);
  return code == 0 ? status{ok} : status{failed(file, code)};
}

void network_lab::set(std::size_t from, std::size_t to, const link_fault& fault) {
  const std::lock_guard lock{impl_->guard};
  impl_->faults.set(from, to, fault);
}

void network_lab::set_around(std::size_t host, const link_fault& fault) {
  const std::lock_guard lock{impl_->guard};
  for (std::size_t other = 0; other < impl_->hosts.size(); ++other) {
    if (other == host) continue;
    impl_->faults.set(host, other, fault);
    impl_->faults.set(other, host, fault);
  }
}

void network_lab::heal() {
  const std::lock_guard lock{impl_->guard};
  impl_->faults.clear();
}

lab_counts network_lab::counts() const {
  const std::lock_guard lock{impl_->guard};
  return impl_->counts;
}

} // namespace troupe::netlab
