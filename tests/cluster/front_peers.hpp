#pragma once

/// Peers for tests of the TLS front: certificates of a cluster made for the test, plain and TLS clients
/// that do what no honest node would, and a listener that stands for CAF.

#include "runtime/clock.hpp"
#include "runtime/cluster/front_certificates.hpp"
#include "runtime/cluster/front_framing.hpp"
#include "runtime/cluster/nodes_conf.hpp"
#include "runtime/cluster/spawn_process.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace troupe::test {

/// Asks again and again until the answer is yes. The pause only spares the processor.
inline bool eventually(nanoseconds within, const std::function<bool()>& condition) {
  const auto until = monotonic_ns() + within.count();
  while (!condition()) {
    if (monotonic_ns() >= until) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

inline std::string text_in(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A frame as CAF 0.17.6 writes it; `claimed` may lie.
inline std::string basp_frame(std::uint8_t operation, std::uint32_t claimed, const std::string& payload) {
  std::string out(basp_stream::header_size, '\0');
  out[0] = static_cast<char>(operation);
  for (int i = 0; i < 4; ++i)
    out[4 + i] = static_cast<char>(claimed >> (24 - 8 * i));
  return out + payload;
}
inline std::string basp_frame(std::uint8_t operation, const std::string& payload) {
  return basp_frame(operation, static_cast<std::uint32_t>(payload.size()), payload);
}

inline sockaddr_in loopback_at(std::uint16_t port, const char* host = "127.0.0.1") {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &out.sin_addr);
  return out;
}

/// A port that was free a moment ago.
inline std::uint16_t free_port() {
  const owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto address = loopback_at(0);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// Connects; reads give up after `patience`. Another source address than 127.0.0.1 stands for a stranger.
inline owned_fd connect_to(std::uint16_t port, const char* from = "127.0.0.1", int patience_s = 10,
                           const char* host = "127.0.0.1") {
  owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval wait{patience_s, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  const auto source = loopback_at(0, from);
  const auto to = loopback_at(port, host);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0
      || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    fd.reset();
  return fd;
}

inline bool send_all(int fd, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto sent = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += static_cast<std::size_t>(sent);
  }
  return true;
}

/// Exactly so many bytes; fewer when the other side ends or is silent too long.
inline std::string receive_exactly(int fd, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::size_t at = 0;
  while (at < bytes) {
    const auto got = ::recv(fd, out.data() + at, bytes - at, 0);
    if (got <= 0) break;
    at += static_cast<std::size_t>(got);
  }
  out.resize(at);
  return out;
}

/// Waits until the other side closes; how long that took, or -1 when it did not within the patience.
inline std::int64_t closed_after_ms(int fd) {
  const auto begin = monotonic_ns();
  char byte = 0;
  for (;;) {
    const auto got = ::recv(fd, &byte, 1, 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return (monotonic_ns() - begin) / 1'000'000;
    if (got < 0) return -1;
  }
}

/// A cluster's certificates in a folder of their own.
struct test_authority {
  explicit test_authority(const std::filesystem::path& in) : folder{in} {
    (void)init_authority(folder / "authority");
  }

  /// Directory of a node's files. Negative `until_seconds`: it has expired.
  std::filesystem::path issue(const std::string& node, std::int64_t until_seconds = 3600,
                              const std::string& to = {}) {
    certificate_request request;
    request.authority = folder / "authority";
    request.directory = folder / (to.empty() ? node : to);
    request.node = node;
    request.replace = true;
    request.from_seconds = std::min<std::int64_t>(-300, until_seconds - 300);
    request.until_seconds = until_seconds;
    auto made = issue_certificate(request);
    return made ? request.directory : std::filesystem::path{};
  }

  std::filesystem::path folder;
};

/// A TLS client of its own making: blocking, checks nothing.
class tls_client {
public:
  /// An empty directory: shows no certificate.
  tls_client(std::uint16_t port, const std::filesystem::path& certificates, int version = TLS1_3_VERSION,
             const char* host = "127.0.0.1")
      : fd_{connect_to(port, "127.0.0.1", 10, host)},
        context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free}, ssl_{nullptr, SSL_free} {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    if (!certificates.empty()) {
      SSL_CTX_use_certificate_chain_file(context_.get(), (certificates / "node.pem").c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), (certificates / "node.key").c_str(), SSL_FILETYPE_PEM);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
    shaken_ = SSL_connect(ssl_.get()) == 1;
  }

  /// In TLS 1.3 a client is done before the server has looked at its certificate.
  [[nodiscard]] bool shaken() const { return shaken_; }
  bool send(const std::string& bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  /// What comes next; empty when the server ended.
  std::string receive(std::size_t most = 4096) {
    std::string out(most, '\0');
    const auto got = SSL_read(ssl_.get(), out.data(), static_cast<int>(most));
    ERR_clear_error();
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  owned_fd fd_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool shaken_ = false;
};

/// Stands for CAF's listener: greets, then sends every frame back but the greeting.
class echo_listener {
public:
  echo_listener() : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    auto address = loopback_at(0);
    socklen_t size = sizeof address;
    ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(fd_.get(), 16);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
  }
  ~echo_listener() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    acceptor_.join();
    for (const int fd : open_)
      ::shutdown(fd, SHUT_RDWR);
    for (auto& one : served_)
      one.join();
    for (const int fd : open_)
      ::close(fd);
  }

  std::uint16_t port = 0;
  std::atomic<int> accepted{0};
  std::atomic<std::uint64_t> received{0};
  std::atomic<bool> reads{true}; ///< false: takes connections, greets, then reads no more

private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept(fd_.get(), nullptr, nullptr);
      if (fd < 0) return;
      ++accepted;
      open_.push_back(fd);
      served_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    if (!send_all(fd, basp_frame(0, "listener"))) return;
    while (reads) {
      const auto header = receive_exactly(fd, basp_stream::header_size);
      if (header.size() < basp_stream::header_size) break;
      std::uint32_t length = 0;
      for (int i = 4; i < 8; ++i)
        length = length << 8 | static_cast<unsigned char>(header[i]);
      if (length > (128u << 20)) break;
      const auto payload = receive_exactly(fd, length);
      received += header.size() + payload.size();
      if (payload.size() < length) break;
      if (header[0] != 1 && !send_all(fd, header + payload)) break;
    }
    if (reads) ::shutdown(fd, SHUT_RDWR);
  }

  owned_fd fd_;
  std::thread acceptor_;
  std::vector<int> open_;
  std::vector<std::thread> served_;
};

} // namespace troupe::test
