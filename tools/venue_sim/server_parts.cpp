#include "tools/venue_sim/server_parts.hpp"

#include <ctime>
#include <pthread.h>
#include <unistd.h>

namespace troupe::venue_sim {
namespace {

sigset_t ending_signals() {
  sigset_t out;
  sigemptyset(&out);
  for (const int number : {SIGTERM, SIGINT})
    sigaddset(&out, number);
  return out;
}

} // namespace

std::int64_t steady_now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

result<net::certificate_files> kept_certificates(const std::filesystem::path& folder, const std::string& address) {
  const auto tls = folder / "tls";
  const net::certificate_files kept{tls / "ca.pem", tls / "server.pem", tls / "server.key"};
  std::error_code ignored;
  const auto there = [&](const std::filesystem::path& file) {
    return std::filesystem::exists(file, ignored);
  };
  if (there(kept.authority) && there(kept.certificate) && there(kept.key)) return kept;
  std::vector<std::string> names{"localhost", "127.0.0.1"};
  if (address != names.back()) names.push_back(address);
  return net::make_self_signed(tls, names, 365);
}

// Blocked before any thread exists, so that all threads leave them to the wait below.
void block_ending_signals() {
  const auto ends = ending_signals();
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void wait_for_ending_signal() {
  const auto ends = ending_signals();
  int number = 0;
  sigwait(&ends, &number);
}

bool write_ready_line(int fd, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const auto written = ::write(fd, rest.data(), rest.size());
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

} // namespace troupe::venue_sim
