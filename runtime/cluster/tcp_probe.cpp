#include "runtime/cluster/tcp_probe.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace troupe {
namespace {

struct endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

endpoint numeric(const std::string& host, std::uint16_t port) {
  endpoint out;
  const auto& text = host == "localhost" ? std::string{"127.0.0.1"} : host;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.address);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size = sizeof(sockaddr_in);
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size = sizeof(sockaddr_in6);
  }
  return out;
}

} // namespace

tcp_probe::outcome tcp_probe::failed(int code) {
  why_ = where_ + ": " + std::strerror(code);
  fd_.reset();
  return outcome::failed;
}

tcp_probe::outcome tcp_probe::begin(const std::string& host, std::uint16_t port) {
  where_ = host + ":" + std::to_string(port);
  const auto to = numeric(host, port);
  if (to.size == 0) {
    why_ = where_ + ": the host of a node must be a numeric address or localhost";
    return outcome::failed;
  }
  fd_.reset(::socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) return failed(errno);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size) == 0) {
    fd_.reset();
    return outcome::connected;
  }
  return errno == EINPROGRESS ? outcome::pending : failed(errno);
}

tcp_probe::outcome tcp_probe::wait(int milliseconds) {
  if (!fd_) return outcome::failed;
  pollfd entry{fd_.get(), POLLOUT, 0};
  if (::poll(&entry, 1, milliseconds) <= 0) return outcome::pending;
  int code = 0;
  socklen_t size = sizeof code;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &code, &size) != 0) code = errno;
  if (code != 0) return failed(code);
  fd_.reset();
  return outcome::connected;
}

tcp_probe::outcome tcp_probe::poll() {
  return wait(0);
}

status check_port_free(std::uint16_t port, const std::string& node, const std::string& host) {
  const auto place = numeric(host, port);
  const owned_fd fd{::socket(place.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&place.address), place.size) == 0
      && ::listen(fd.get(), 1) == 0)
    return ok;
  const auto text = std::to_string(port);
  if (errno == EADDRINUSE)
    return {cluster_errc::port_in_use,
            "port " + text + " of node '" + node
                + "' is in use by another process; end it (`ss -ltnp 'sport = :" + text
                + "'` shows it) or give the node another port in nodes.conf"};
  if (errno == EADDRNOTAVAIL)
    return {cluster_errc::failed, "node '" + node + "' can't listen on " + host + ": this machine has no such address; "
                                      + "start it where it belongs, or correct nodes.conf"};
  return {cluster_errc::failed, "port " + text + " of node '" + node + "' can't be opened: "
                                    + std::strerror(errno) + "; give the node another port in nodes.conf"};
}

} // namespace troupe
