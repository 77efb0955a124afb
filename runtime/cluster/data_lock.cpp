#include "runtime/cluster/data_lock.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace troupe {
namespace {

/// "process 4711", as the holder wrote it.
std::string holder_of(int fd) {
  char text[32] = {};
  const auto got = ::pread(fd, text, sizeof text - 1, 0);
  std::string digits{text, got > 0 ? static_cast<std::size_t>(got) : 0};
  digits.resize(std::min(digits.find_first_not_of("0123456789"), digits.size()));
  return digits.empty() ? "another process" : "process " + digits;
}

} // namespace

result<data_lock> data_lock::take(const std::filesystem::path& data, const std::string& node) {
  const auto file = data / "node.lock";
  owned_fd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd)
    return {cluster_errc::unreadable,
            file.string() + ": " + std::strerror(errno) + "; the node's data directory must be writable"};
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return {cluster_errc::unreadable, file.string() + ": can't be locked: " + std::strerror(errno)
                                            + "; name a --data on a local disk"};
    return {cluster_errc::conflict, "node '" + node + "' already runs on " + data.string() + " as "
                                        + holder_of(fd.get())
                                        + "; end that one first, or name another --data"};
  }
  const auto text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0
      || ::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return {cluster_errc::unreadable,
            file.string() + ": " + std::strerror(errno) + "; the node's data directory must be writable"};
  return data_lock{std::move(fd)};
}

} // namespace troupe
