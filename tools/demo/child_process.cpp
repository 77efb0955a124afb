#include "tools/demo/child_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>

namespace troupe::demo {
namespace {

constexpr int ready_descriptor = 3;
/// How often a wait looks whether it was given up.
constexpr std::int64_t look_every_ms = 50;

error system_error(const std::string& what) {
  return {std::make_error_code(static_cast<std::errc>(errno)), what + ": " + std::strerror(errno)};
}

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/// Runs in the child between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* argv, int log, int ready, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::setpgid(0, 0); // ctrl-C reaches the parent only, which ends its children in order
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (ready >= 0) ::dup2(ready, ready_descriptor);
  ::close_range(ready >= 0 ? ready_descriptor + 1 : ready_descriptor, ~0U, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(argv[0], argv);
  ::_exit(127);
}

} // namespace

result<child_process> child_process::start(const child_options& options) {
  child_process out;
  out.name_ = std::filesystem::path{options.arguments.front()}.filename().string();
  if (options.arguments.size() > 1) out.name_ += " " + options.arguments[1];
  out.log_ = options.log;
  const int log = ::open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return system_error(options.log.string());
  int ready[2] = {-1, -1};
  if (options.ready_line && ::pipe2(ready, O_CLOEXEC) != 0) {
    ::close(log);
    return system_error("pipe");
  }
  std::vector<char*> argv;
  for (const auto& argument : options.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid == 0) become(argv.data(), log, ready[1], parent);
  ::close(log);
  if (ready[1] >= 0) ::close(ready[1]);
  out.ready_ = ready[0];
  if (pid < 0) return system_error("fork");
  out.pid_ = pid;
  out.pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return out;
}

void child_process::take(child_process& other) noexcept {
  pid_ = std::exchange(other.pid_, -1);
  ready_ = std::exchange(other.ready_, -1);
  pidfd_ = std::exchange(other.pidfd_, -1);
  name_ = std::move(other.name_);
  log_ = std::move(other.log_);
  ended_ = other.ended_;
}

child_process::child_process(child_process&& other) noexcept { take(other); }

child_process& child_process::operator=(child_process&& other) noexcept {
  if (this == &other) return *this;
  this->~child_process();
  take(other);
  return *this;
}

child_process::~child_process() {
  if (pid_ > 0 && !ended_) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  if (ready_ >= 0) ::close(ready_);
  if (pidfd_ >= 0) ::close(pidfd_);
  pid_ = ready_ = pidfd_ = -1;
}

result<std::string> child_process::wait_ready(std::chrono::milliseconds patience, const std::function<bool()>& give_up) {
  std::string line;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (give_up && give_up())
      return error{std::make_error_code(std::errc::interrupted), "interrupted while waiting for " + name_};
    pollfd waiting{ready_, POLLIN, 0};
    const int got = left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(std::min(left.count(), look_every_ms))) : 0;
    if ((got < 0 && errno == EINTR) || (got == 0 && left.count() > 0)) continue;
    if (got <= 0)
      return error{std::make_error_code(std::errc::timed_out),
                   name_ + " did not get ready in time; its log: " + log_.string() + "\n" + tail_of(log_)};
    char buffer[4096];
    const auto count = ::read(ready_, buffer, sizeof buffer);
    if (count <= 0)
      return error{std::make_error_code(std::errc::no_child_process),
                   name_ + " ended before it was ready; its log: " + log_.string() + "\n" + tail_of(log_)};
    line.append(buffer, static_cast<std::size_t>(count));
    if (const auto end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
  }
}

void child_process::signal(int number) const {
  if (pid_ > 0 && !ended_) ::kill(pid_, number);
}

std::optional<int> child_process::poll() {
  if (ended_ || pid_ <= 0) return ended_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) ended_ = exit_code_of(status);
  return ended_;
}

std::optional<int> child_process::wait(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!poll()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    pollfd waiting{pidfd_, POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(left.count())); // a signal is no end: look again
  }
  return ended_;
}

std::string tail_of(const std::filesystem::path& file, std::size_t bytes) {
  std::ifstream in{file, std::ios::ate};
  if (!in) return {};
  const auto size = static_cast<std::size_t>(in.tellg());
  const auto from = size > bytes ? size - bytes : 0;
  in.seekg(static_cast<std::streamoff>(from));
  std::string out(size - from, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  return out;
}

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

result<std::uint16_t> free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool good = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0
                    && ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (fd >= 0) ::close(fd);
  if (!good) return system_error("no free port on loopback");
  return ntohs(address.sin_port);
}

} // namespace troupe::demo
