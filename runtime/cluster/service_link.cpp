#include "runtime/cluster/service_link.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace troupe {
namespace {

/// The variable's text; it is removed.
std::string take_variable(const char* name) {
  const char* text = std::getenv(name);
  std::string out = text == nullptr ? "" : text;
  ::unsetenv(name);
  return out;
}

std::int64_t whole_number(const std::string& text) {
  std::int64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc{} && end == text.data() + text.size() && out > 0 ? out : 0;
}

} // namespace

service_link service_link::from_environment() {
  service_link out;
  out.address_ = take_variable("NOTIFY_SOCKET");
  const auto micros = whole_number(take_variable("WATCHDOG_USEC"));
  const auto pid = take_variable("WATCHDOG_PID");
  const bool usable = out.address_.size() > 1 && out.address_.size() < sizeof(sockaddr_un::sun_path)
                      && (out.address_[0] == '/' || out.address_[0] == '@');
  if (!usable) return {};
  if (out.address_[0] == '@') out.address_[0] = '\0';
  out.fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (out.fd_ >= 0 && (pid.empty() || whole_number(pid) == ::getpid()))
    out.watchdog_ = std::chrono::microseconds{micros};
  return out;
}

service_link::service_link(service_link&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, address_{std::move(other.address_)}, watchdog_{std::exchange(
                                                                                  other.watchdog_, {})} {}

service_link& service_link::operator=(service_link&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) ::close(fd_);
  fd_ = std::exchange(other.fd_, -1);
  address_ = std::move(other.address_);
  watchdog_ = std::exchange(other.watchdog_, {});
  return *this;
}

service_link::~service_link() {
  if (fd_ >= 0) ::close(fd_);
}

void service_link::say(std::string_view status) const noexcept {
  char line[256] = "STATUS=";
  const auto room = sizeof line - 8;
  const auto n = status.size() < room ? status.size() : room;
  for (std::size_t i = 0; i < n; ++i)
    line[7 + i] = status[i] == '\n' ? ' ' : status[i];
  send({line, 7 + n});
}

void service_link::send(std::string_view state) const noexcept {
  if (fd_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  // An abstract name ends with the address's length, a path with a NUL.
  const auto length = offsetof(sockaddr_un, sun_path) + address_.size() + (address_[0] == '\0' ? 0 : 1);
  [[maybe_unused]] const auto sent =
      ::sendto(fd_, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(length));
}

} // namespace troupe
