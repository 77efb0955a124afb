#include "runtime/cluster/stem_client.hpp"

#include "runtime/clock.hpp"
#include "runtime/cluster/spawn_process.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::size_t longest_answer = std::size_t{1} << 20;
constexpr std::string_view refusal_prefix = "refused: ";

bool wait_for(int fd, short what, std::int64_t until_ns) {
  for (;;) {
    const auto left = until_ns - monotonic_ns();
    if (left <= 0) return false;
    pollfd entry{fd, what, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left / 1'000'000 + 1));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

} // namespace

result<std::string> ask_stem(const std::filesystem::path& socket, const std::string& command,
                             nanoseconds timeout) {
  const auto until = monotonic_ns() + timeout.count();
  auto place = socket_place::of(socket);
  if (!place) return std::move(place).error();
  const owned_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) return {cluster_errc::failed, std::string{"socket: "} + std::strerror(errno)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, place->path().c_str(), place->path().size() + 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {cluster_errc::unreachable,
            socket.string() + ": no `troupe up` runs here (" + std::strerror(errno) + ")"};
  const auto line = command + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    return {cluster_errc::failed, socket.string() + ": " + std::strerror(errno)};
  std::string answer;
  char buffer[4096];
  for (;;) {
    if (!wait_for(fd.get(), POLLIN, until))
      return {cluster_errc::timed_out,
              "the parent process at " + socket.string() + " did not answer '" + command + "'"};
    const auto got = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (got == 0) break;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return {cluster_errc::failed, socket.string() + ": " + std::strerror(errno)};
    answer.append(buffer, static_cast<std::size_t>(got));
    if (answer.size() > longest_answer) return {cluster_errc::bad_value, "an answer of more than 1 MiB"};
  }
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  if (answer.starts_with(refusal_prefix))
    return {cluster_errc::refused, answer.substr(refusal_prefix.size())};
  if (answer.empty())
    return {cluster_errc::failed, "the parent process ended while it was asked '" + command + "'"};
  return answer;
}

} // namespace troupe
