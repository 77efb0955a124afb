#include "runtime/cluster/stem_link.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace troupe {

stem_link stem_link::from_environment() {
  auto service = service_link::from_environment();
  stem_link out{descriptor_of_environment()};
  out.service_ = std::move(service);
  return out;
}

int stem_link::descriptor_of_environment() {
  const char* text = std::getenv("TROUPE_STEM_FD");
  if (text == nullptr) return -1;
  int fd = -1;
  const auto* end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, fd);
  ::unsetenv("TROUPE_STEM_FD");
  if (parsed.ec != std::errc{} || parsed.ptr != end || fd < 3 || ::fcntl(fd, F_GETFD) < 0) return -1;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

stem_link::stem_link(stem_link&& other) noexcept : fd_{std::exchange(other.fd_, -1)}, service_{std::move(other.service_)} {}

stem_link& stem_link::operator=(stem_link&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) ::close(fd_);
  fd_ = std::exchange(other.fd_, -1);
  service_ = std::move(other.service_);
  return *this;
}

stem_link::~stem_link() {
  if (fd_ >= 0) ::close(fd_);
}

void stem_link::put(char byte) noexcept {
  if (fd_ < 0) return;
  // A full pipe means that the parent is behind; the bytes in it already say what this one says.
  [[maybe_unused]] const auto written = ::write(fd_, &byte, 1);
}

} // namespace troupe
