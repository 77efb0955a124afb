#pragma once

/// Starts one child process the way the parent process needs it. Internal to the stem.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe {

/// Owns a descriptor.
class owned_fd {
public:
  owned_fd() = default;
  explicit owned_fd(int fd) noexcept : fd_{fd} {}
  owned_fd(owned_fd&& other) noexcept : fd_{other.release()} {}
  owned_fd& operator=(owned_fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~owned_fd() { reset(); }
  void reset(int fd = -1) noexcept;
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// A child process just started.
struct spawned_process {
  int pid = -1;
  owned_fd heartbeat; ///< read end, non-blocking; none when not asked for
};

/// Forks and executes. The child: own process group (Ctrl-C reaches the parent only), default signals, dies
/// with the parent, standard input empty, output and error appended to `log_file`, descriptor 3 the
/// write end of the heartbeat pipe and named in TROUPE_STEM_FD, no other descriptor.
/// A program that can't be executed or a log that can't be opened is an error here, not an exit of the
/// child.
result<spawned_process> spawn_process(const std::vector<std::string>& command,
                                      const std::filesystem::path& log_file, bool heartbeat);

/// The last line that is not blank of what was appended behind `offset` (at most 4 KiB are read).
std::string last_line(const std::filesystem::path& log_file, std::uintmax_t offset);

/// A unix socket address below any directory: sun_path holds 107 bytes only, so the directory is opened
/// and the name taken relative to it.
class socket_place {
public:
  static result<socket_place> of(const std::filesystem::path& socket);
  /// Path that fits; valid as long as this object lives.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  owned_fd folder_;
  std::string path_;
};

} // namespace troupe
