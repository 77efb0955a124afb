#pragma once

/// A network of hosts within this machine: each host is a network namespace of its own with one interface, and one
/// thread of this process carries the packets between them, or does not. No host has a route to anywhere else, so
/// nothing that runs in one can reach the world outside.
///
/// Host n has the address 10.77.0.(n + 1) on a /24. Needs root, or the right to make namespaces and /dev/net/tun.
/// Public functions may be called from any thread.

#include "messages/error.hpp"
#include "tools/netlab/link_faults.hpp"

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace troupe::netlab {

enum class errc { no_right = 1, no_room, failed };
std::error_code make_error_code(errc code) noexcept;

/// Packets since the start.
struct lab_counts {
  std::uint64_t carried = 0;
  std::uint64_t bytes = 0;
  std::uint64_t withheld = 0; ///< lost or in a black hole
  std::uint64_t delayed = 0;
  std::uint64_t resets = 0;   ///< pairs of reset packets made
  std::uint64_t overflown = 0; ///< withheld because too many were waiting
};

class network_lab {
public:
  /// At most 200 hosts.
  static result<std::unique_ptr<network_lab>> start(std::size_t hosts, std::uint64_t seed);
  ~network_lab();
  network_lab(const network_lab&) = delete;
  network_lab& operator=(const network_lab&) = delete;

  [[nodiscard]] std::size_t hosts() const noexcept;
  [[nodiscard]] static std::string address_of(std::size_t host);
  /// The file that names the host's namespace, for `nsenter --net=FILE`; valid while the laboratory lives.
  [[nodiscard]] std::string namespace_of(std::size_t host) const;
  /// Words in front of a command that runs it on a host.
  [[nodiscard]] std::vector<std::string> runs_on(std::size_t host) const;

  /// Moves the calling thread to a host: sockets it opens from then on are that host's.
  status enter(std::size_t host) const;

  void set(std::size_t from, std::size_t to, const link_fault& fault);
  /// Both directions between `host` and all others.
  void set_around(std::size_t host, const link_fault& fault);
  void heal();
  [[nodiscard]] lab_counts counts() const;

private:
  struct impl;
  explicit network_lab(std::unique_ptr<impl> parts);
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::netlab

template <>
struct std::is_error_code_enum<troupe::netlab::errc> : std::true_type {};
