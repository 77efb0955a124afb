#include "tools/venue_sim/venue_server.hpp"

#include <csignal>
#include <iostream>
#include <pthread.h>
#include <unistd.h>

namespace troupe::venue_sim {
namespace {

bool write_line(int fd, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const auto written = ::write(fd, rest.data(), rest.size());
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

} // namespace

int venue_sim_main(const venue_sim_options& options) {
  // Blocked before any thread exists, so that all threads leave them to sigwait below.
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGTERM, SIGINT})
    sigaddset(&ends, number);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  status outcome = ok;
  auto server = venue_server::start(options, [&outcome](status why) {
    outcome = std::move(why);
    ::kill(::getpid(), SIGTERM);
  });
  if (!server) {
    std::cerr << "venue simulator: " << server.error().message() << '\n';
    return 1;
  }
  if (!write_line(options.ready_fd, (*server)->ready_line())) {
    std::cerr << "venue simulator: the ready line can't be written to descriptor " << options.ready_fd
              << '\n';
    return 1;
  }
  int number = 0;
  sigwait(&ends, &number);
  server->reset();
  if (outcome) return 0;
  std::cerr << "venue simulator: " << outcome.error().message() << '\n';
  return 1;
}

} // namespace troupe::venue_sim
