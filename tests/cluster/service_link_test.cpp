#define CAF_SUITE service_link
#include "runtime/cluster/stem_link.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// systemd's side: a datagram socket at a path, or at an abstract name when the address begins with '@'.
struct notified {
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  std::filesystem::path folder;
  std::string address;

  explicit notified(bool abstract) {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-notify-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    address = abstract ? "@" + folder.filename().string() : (folder / "socket").string();
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address.data(), address.size());
    if (abstract) at.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + address.size() + (abstract ? 0 : 1);
    CAF_REQUIRE_EQUAL(::bind(fd, reinterpret_cast<const sockaddr*>(&at), static_cast<socklen_t>(length)), 0);
  }
  ~notified() {
    ::close(fd);
    std::filesystem::remove_all(folder);
  }
  notified(const notified&) = delete;
  notified& operator=(const notified&) = delete;

  /// The next datagram; empty when there is none. They arrive with `sendto`, so nothing has to be waited for.
  [[nodiscard]] std::string next() const {
    char text[512];
    const auto n = ::recv(fd, text, sizeof text, 0);
    return n < 0 ? std::string{} : std::string{text, static_cast<std::size_t>(n)};
  }
};

} // namespace

CAF_TEST(states_reach_systemd_by_path_and_by_abstract_name) {
  for (const bool abstract : {false, true}) {
    const notified systemd{abstract};
    ::setenv("NOTIFY_SOCKET", systemd.address.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "15000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    auto link = stem_link::from_environment();
    // Children must not speak for us.
    for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
      CAF_CHECK(std::getenv(name) == nullptr);
    link.beat();
    CAF_CHECK_EQUAL(systemd.next(), "WATCHDOG=1");
    auto moved = std::move(link);
    link.beat(); // nobody any more
    moved.ready();
    CAF_CHECK_EQUAL(systemd.next(), "READY=1\nSTATUS=running");
    moved.stuck();
    CAF_CHECK_EQUAL(systemd.next(), "WATCHDOG=trigger");
    moved.stopping();
    CAF_CHECK_EQUAL(systemd.next(), "STOPPING=1\nSTATUS=stopping");
    CAF_CHECK_EQUAL(systemd.next(), "");
  }
}

CAF_TEST(without_a_watchdog_nothing_beats) {
  const notified systemd{false};
  const auto link_with = [&](const char* micros, const std::string& pid) {
    ::setenv("NOTIFY_SOCKET", systemd.address.c_str(), 1);
    if (micros != nullptr) ::setenv("WATCHDOG_USEC", micros, 1);
    ::setenv("WATCHDOG_PID", pid.c_str(), 1);
    return service_link::from_environment();
  };
  for (const auto* micros : {static_cast<const char*>(nullptr), "0", "x", "-5"}) {
    const auto link = link_with(micros, std::to_string(::getpid()));
    CAF_CHECK(link.attached());
    link.beat();
    link.stuck();
    CAF_CHECK_EQUAL(systemd.next(), "");
  }
  // The watchdog of another process is not ours.
  const auto other = link_with("15000000", "1");
  CAF_CHECK(other.watchdog() == 0ns);
  const auto own = link_with("15000000", std::to_string(::getpid()));
  CAF_CHECK(own.watchdog() == 15s);
  own.say("two\nlines " + std::string(400, 'x'));
  const auto said = systemd.next();
  CAF_CHECK(said.starts_with("STATUS=two lines x"));
  CAF_CHECK(said.size() < 260);
}

CAF_TEST(without_systemd_or_with_a_bad_address_every_call_does_nothing) {
  for (const auto* address : {"", "relative", "@", "/"}) {
    ::setenv("NOTIFY_SOCKET", address, 1);
    const auto link = service_link::from_environment();
    CAF_CHECK(!link.attached());
    link.ready();
    link.beat();
  }
  ::setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  CAF_CHECK(!service_link::from_environment().attached());
  ::unsetenv("NOTIFY_SOCKET");
  CAF_CHECK(!service_link::from_environment().attached());
  // Nobody listens there: nothing blocks, nothing fails.
  ::setenv("NOTIFY_SOCKET", "/tmp/troupe-nobody-listens-here", 1);
  const auto link = service_link::from_environment();
  link.ready();
}
