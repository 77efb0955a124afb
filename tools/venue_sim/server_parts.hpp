#pragma once

/// What the simulators' servers share: clocks, certificates, the life of the process.

#include "runtime/net/net.hpp"
#include "tools/venue_sim/venue_sim.hpp"

#include <csignal>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>

namespace troupe::venue_sim {

/// CLOCK_MONOTONIC in ns.
std::int64_t steady_now_ns();

/// Market time by a clock that several processes share.
class shared_market_clock final : public market_clock {
public:
  explicit shared_market_clock(const scaled_clock& rate) : rate_{rate} {}
  [[nodiscard]] market_time now() const noexcept override {
    return {rate_.market_at(steady_now_ns())};
  }

private:
  const scaled_clock& rate_;
};

/// The certificates in `folder`, made when there are none: they outlive the process, as clients
/// keep the authority's file open across a restart. Made for localhost, 127.0.0.1 and `address`.
result<net::certificate_files> kept_certificates(const std::filesystem::path& folder,
                                                 const std::string& address = "127.0.0.1");

/// Blocks SIGTERM and SIGINT; to be called before any thread exists.
void block_ending_signals();
/// Waits for one of them.
void wait_for_ending_signal();
/// Writes `line` and a newline; false when that fails.
bool write_ready_line(int fd, std::string line);

/// Runs a server until a signal or its own end. Returns the process exit code.
template <class Server, class Options>
int run_until_told(const Options& options) {
  block_ending_signals();
  status outcome = ok;
  auto server = Server::start(options, [&outcome](status why) {
    outcome = std::move(why);
    ::kill(::getpid(), SIGTERM);
  });
  if (!server) {
    std::cerr << "venue simulator: " << server.error().text << '\n';
    return 1;
  }
  if (!write_ready_line(options.ready_fd, (*server)->ready_line())) {
    std::cerr << "venue simulator: the ready line can't be written to descriptor "
              << options.ready_fd << '\n';
    return 1;
  }
  wait_for_ending_signal();
  server->reset();
  if (outcome) return 0;
  std::cerr << "venue simulator: " << outcome.error().text << '\n';
  return 1;
}

} // namespace troupe::venue_sim
