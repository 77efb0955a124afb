#pragma once

/// A TCP connect that never blocks: is anybody there? CAF's own connect blocks the middleman until
/// the kernel gives up, so it is only asked to connect where a probe has succeeded.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"
#include "runtime/cluster/spawn_process.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// Use: `begin`, then `poll` until it says connected or failed. Not thread-safe.
class tcp_probe {
public:
  enum class outcome : std::uint8_t { pending, connected, failed };

  /// Begins to connect. @param host numeric IPv4 or IPv6 address, or "localhost"
  outcome begin(const std::string& host, std::uint16_t port);
  /// Looks once whether the connect has ended; never waits.
  outcome poll();
  /// Waits up to `milliseconds`; for programs, never in an actor.
  outcome wait(int milliseconds);
  /// Why it failed.
  [[nodiscard]] const std::string& why() const noexcept { return why_; }

private:
  outcome failed(int code);
  owned_fd fd_;
  std::string where_;
  std::string why_;
};

/// Can the port be bound on that numeric address? The error names the port, the node and the remedy.
status check_port_free(std::uint16_t port, const std::string& node, const std::string& host = "127.0.0.1");

} // namespace troupe
