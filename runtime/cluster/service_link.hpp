#pragma once

/// The line to systemd (sd_notify(3), sd_watchdog_enabled(3)): state goes as a datagram to the socket named
/// by NOTIFY_SOCKET. Without systemd every call does nothing. Own code: libsystemd would be one more library
/// for one `sendto`.

#include "messages/time.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// Owns the socket. Calls never block and may come from any thread; a datagram that does not fit is lost, as
/// the next one says the same.
class service_link {
public:
  /// Not under systemd.
  service_link() = default;
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them: children must not speak for us. To
  /// be called once, at the start of the process, before any thread exists.
  static service_link from_environment();
  service_link(service_link&& other) noexcept;
  service_link& operator=(service_link&& other) noexcept;
  ~service_link();

  [[nodiscard]] bool attached() const noexcept { return fd_ >= 0; }
  /// How often systemd wants to hear "WATCHDOG=1", at least; zero when it does not watch.
  [[nodiscard]] nanoseconds watchdog() const noexcept { return watchdog_; }

  /// All actors run: Type=notify units count as started.
  void ready() const noexcept { send("READY=1\nSTATUS=running"); }
  void stopping() const noexcept { send("STOPPING=1\nSTATUS=stopping"); }
  /// Progress; only told where a watchdog is set.
  void beat() const noexcept {
    if (watchdog_ > nanoseconds{0}) send("WATCHDOG=1");
  }
  /// No progress any more: systemd acts at once as it would when the beats fall silent.
  void stuck() const noexcept {
    if (watchdog_ > nanoseconds{0}) send("WATCHDOG=trigger");
  }
  /// One line for `systemctl status`.
  void say(std::string_view status) const noexcept;

private:
  void send(std::string_view state) const noexcept;

  int fd_ = -1;
  std::string address_; ///< path, or a NUL and an abstract name
  nanoseconds watchdog_{};
};

} // namespace troupe
