#pragma once

/// What all parts of troupe_net share: error codes, addresses, the I/O thread, TLS contexts.
/// Neither Boost nor OpenSSL appears in a public header of this folder.
///
/// Threads: an `io_runner` owns one I/O thread (or several). Every callback of an object built on it
/// runs on that thread and must not block; all public functions may be called from any thread,
/// callbacks included, unless they say otherwise.

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

enum class net_errc {
  bad_url = 1,
  resolve_failed,      ///< the host name has no address
  connect_failed,      ///< nobody listens, or the network refused
  connect_deadline,    ///< connecting or shaking hands took too long
  tls_failed,          ///< TLS could not be agreed
  certificate_refused, ///< wrong authority, wrong host name, expired
  handshake_refused,   ///< the server answered the upgrade with something else than 101
  queue_full,          ///< our own bounded queue
  not_connected,
  stopped,             ///< closed by us before anything was written
  deadline_unsent,     ///< the deadline passed while the request still waited in our queue
  deadline,            ///< the deadline passed after writing began
  broken,              ///< the connection broke after writing began
  closed,              ///< closed in order by the peer
  reset,               ///< closed abruptly by the peer
  idle,                ///< nothing heard for the idle time
  body_too_large,
  header_too_large,
  bad_message,         ///< what came is not HTTP, or not WebSocket
  listen_failed,
  bad_certificate_file,
  out_of_entropy,
};
std::error_code make_error_code(net_errc code) noexcept;

/// True when not one byte of the request can have left this process: a place may be called denied.
/// False means that the peer may have read and acted on it.
[[nodiscard]] bool surely_unsent(const error& err) noexcept;

/// Where to connect: scheme http, https, ws or wss; `path` starts with '/' or is empty.
struct address {
  bool tls = true;
  std::string host;
  std::uint16_t port = 443;
  std::string path;
  friend bool operator==(const address&, const address&) = default;
};

/// Parses "wss://localhost:19443/base". Without a port: 443 with TLS, 80 without.
result<address> parse_url(std::string_view url);

/// Owns the I/O threads. The destructor stops and joins.
class io_runner {
public:
  explicit io_runner(int threads = 1);
  ~io_runner();
  io_runner(const io_runner&) = delete;
  io_runner& operator=(const io_runner&) = delete;

  /// Runs `job` on an I/O thread soon.
  void post(std::function<void()> job);
  /// Runs `job` on an I/O thread after `delay` of steady time. The returned token cancels it when
  /// `cancel_timer` is called in time; an elapsed or unknown token is ignored.
  std::uint64_t after(nanoseconds delay, std::function<void()> job);
  void cancel_timer(std::uint64_t token);
  /// Stops the threads and joins them; callbacks that did not run are dropped. Not from an I/O thread.
  void stop();
  /// True on one of this runner's threads.
  [[nodiscard]] bool on_io_thread() const noexcept;

  struct impl;
  [[nodiscard]] impl& internals() noexcept { return *impl_; }

private:
  std::shared_ptr<impl> impl_;
};

/// A TLS configuration shared by connections. Cheap to copy.
class tls_context {
public:
  /// Verifies the peer against `ca_file` (PEM), or against the system's store when it is empty.
  /// Host name verification and SNI are always on. TLS 1.2 and above.
  static result<tls_context> client(const std::filesystem::path& ca_file = {});
  /// Serves with this certificate chain and key (PEM).
  static result<tls_context> server(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key);

  struct impl;
  [[nodiscard]] const std::shared_ptr<impl>& internals() const noexcept { return impl_; }

private:
  std::shared_ptr<impl> impl_;
};

/// Files of an authority made for one machine and a server certificate of it.
struct certificate_files {
  std::filesystem::path authority;   ///< ca.pem: hand it to clients
  std::filesystem::path certificate; ///< server.pem
  std::filesystem::path key;         ///< server.key, mode 0600
};

/// Makes a throw-away authority and a server certificate for `host_names` (names or IP addresses),
/// valid from yesterday for `days`, in `directory` (created when missing). The authority's own key is
/// not kept, so nothing else can ever be signed with it. For loopback: simulator, tests, demo.
result<certificate_files> make_self_signed(const std::filesystem::path& directory,
                                           const std::vector<std::string>& host_names, int days = 30);

} // namespace troupe::net

template <>
struct std::is_error_code_enum<troupe::net::net_errc> : std::true_type {};
