// The laboratory itself: real sockets between real namespaces.

#define CAF_SUITE network_lab

#include "tools/netlab/network_lab.hpp"

#include <caf/test/unit_test.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <thread>

using namespace troupe;
using namespace troupe::netlab;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 4410;

/// A laboratory, or nothing where none can be made; says so in the line that counts skips.
std::unique_ptr<network_lab> lab_of(std::size_t hosts) {
  auto made = network_lab::start(hosts, 5);
  if (made) return std::move(*made);
  CAF_MESSAGE("no laboratory: " << made.error().text);
  std::printf("no laboratory on this machine: %s\n", made.error().text.c_str());
  return nullptr;
}

/// Runs on a thread that lives on `host`.
template <class F>
auto on_host(const network_lab& lab, std::size_t host, F work) {
  decltype(work()) out{};
  std::thread{[&] {
    if (lab.enter(host)) out = work();
  }}.join();
  return out;
}

struct descriptor {
  int fd = -1;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

sockaddr_in address(const std::string& text) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, text.c_str(), &out.sin_addr);
  return out;
}

int listen_on(const network_lab& lab, std::size_t host) {
  return on_host(lab, host, [&] {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto at = address(network_lab::address_of(host));
    (void)::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    (void)::listen(fd, 8);
    return fd;
  });
}

bool readable(int fd, std::chrono::milliseconds patience) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, static_cast<int>(patience.count())) == 1;
}

/// A connected socket of `from`, or minus the error number; ETIMEDOUT when nothing comes in time.
int connect_from(const network_lab& lab, std::size_t from, const std::string& to, std::chrono::milliseconds patience) {
  return on_host(lab, from, [&] {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const auto at = address(to);
    int code = ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 ? 0 : errno;
    if (code == EINPROGRESS) {
      pollfd p{fd, POLLOUT, 0};
      code = ETIMEDOUT;
      socklen_t length = sizeof code;
      if (::poll(&p, 1, static_cast<int>(patience.count())) == 1)
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length);
    }
    if (code == 0) return fd;
    ::close(fd);
    return -code;
  });
}

} // namespace

CAF_TEST(hosts_reach_each_other_and_nothing_else) {
  const auto lab = lab_of(3);
  if (!lab) return;
  const descriptor listening{listen_on(*lab, 1)};
  const descriptor client{connect_from(*lab, 0, network_lab::address_of(1), 2s)};
  CAF_REQUIRE(client.fd >= 0);
  CAF_REQUIRE(readable(listening.fd, 2s));
  const descriptor served{::accept(listening.fd, nullptr, nullptr)};
  CAF_REQUIRE_EQUAL(::write(client.fd, "hello", 5), 5);
  CAF_REQUIRE(readable(served.fd, 2s));
  char room[8] = {};
  CAF_CHECK_EQUAL(::read(served.fd, room, sizeof room), 5);
  CAF_CHECK_EQUAL(std::string{room}, "hello");
  CAF_CHECK(lab->counts().carried >= 3); // SYN, its answer, the third; what follows may just be on its way
  // Documentation's own address: there is no way to it.
  CAF_CHECK_EQUAL(connect_from(*lab, 0, "192.0.2.1", 1s), -ENETUNREACH);
  CAF_CHECK_EQUAL(connect_from(*lab, 2, network_lab::address_of(0), 2s), -ECONNREFUSED);
}

CAF_TEST(a_black_hole_tells_nobody_and_heals) {
  const auto lab = lab_of(2);
  if (!lab) return;
  const descriptor listening{listen_on(*lab, 1)};
  lab->set_around(1, {.black_hole = true});
  CAF_CHECK_EQUAL(connect_from(*lab, 0, network_lab::address_of(1), 300ms), -ETIMEDOUT);
  CAF_CHECK(lab->counts().withheld > 0);
  lab->heal();
  const descriptor client{connect_from(*lab, 0, network_lab::address_of(1), 5s)};
  CAF_CHECK(client.fd >= 0);
}

CAF_TEST(a_reset_ends_a_connection_at_both_ends) {
  const auto lab = lab_of(2);
  if (!lab) return;
  const descriptor listening{listen_on(*lab, 1)};
  const descriptor client{connect_from(*lab, 0, network_lab::address_of(1), 2s)};
  CAF_REQUIRE(client.fd >= 0 && readable(listening.fd, 2s));
  const descriptor served{::accept(listening.fd, nullptr, nullptr)};
  lab->set(0, 1, {.reset = true});
  CAF_REQUIRE_EQUAL(::write(client.fd, "hello", 5), 5);
  char room[8];
  for (const int fd : {served.fd, client.fd}) {
    CAF_REQUIRE(readable(fd, 2s));
    const auto got = ::read(fd, room, sizeof room);
    const auto why = errno; // a check that prints changes it
    CAF_CHECK_EQUAL(got, -1);
    CAF_CHECK_EQUAL(why, ECONNRESET);
  }
  CAF_CHECK(lab->counts().resets > 0);
}

CAF_TEST(delay_is_felt_and_loss_is_mended_by_tcp) {
  const auto lab = lab_of(2);
  if (!lab) return;
  const descriptor listening{listen_on(*lab, 1)};
  const auto delay = link_fault{.delay = 25ms, .lost = 50'000};
  lab->set_around(1, delay);
  const auto begin = std::chrono::steady_clock::now();
  const descriptor client{connect_from(*lab, 0, network_lab::address_of(1), 10s)};
  CAF_CHECK(std::chrono::steady_clock::now() - begin >= 50ms);
  CAF_REQUIRE(client.fd >= 0 && readable(listening.fd, 10s));
  const descriptor served{::accept(listening.fd, nullptr, nullptr)};
  const std::string sent(200'000, 'x');
  std::size_t written = 0, got = 0;
  std::vector<char> room(65536);
  const auto give_up = std::chrono::steady_clock::now() + 30s;
  while (got < sent.size() && std::chrono::steady_clock::now() < give_up) {
    const auto n = ::send(client.fd, sent.data() + written, sent.size() - written, MSG_DONTWAIT);
    written += n > 0 ? static_cast<std::size_t>(n) : 0;
    if (!readable(served.fd, 100ms)) continue;
    const auto m = ::read(served.fd, room.data(), room.size());
    got += m > 0 ? static_cast<std::size_t>(m) : 0;
  }
  CAF_CHECK_EQUAL(got, sent.size());
  CAF_CHECK(lab->counts().delayed > 100);
}
