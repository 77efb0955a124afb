#include "runtime/cluster/spawn_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace troupe {
namespace {

constexpr std::string_view fd_variable = "TROUPE_STEM_FD=";
constexpr int heartbeat_fd = 3;

error os_error(const std::string& what) {
  return {make_error_code(cluster_errc::failed), what + ": " + std::strerror(errno)};
}

struct pipe_ends {
  owned_fd read, write;
};

/// Both ends above the descriptors that the child rearranges.
result<pipe_ends> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error("pipe");
  const owned_fd low_read{ends[0]};
  const owned_fd low_write{ends[1]};
  pipe_ends out{owned_fd{::fcntl(ends[0], F_DUPFD_CLOEXEC, 10)},
                owned_fd{::fcntl(ends[1], F_DUPFD_CLOEXEC, 10)}};
  if (!out.read || !out.write) return os_error("pipe");
  return out;
}

/// What the child tells when it can't become the program.
struct start_failure {
  int stage; // 1: the log, 2: exec
  int code;
};

/// Everything the child needs, prepared before the fork: after it only async-signal-safe calls are made.
struct child_plan {
  std::vector<char*> argv;
  std::vector<char*> envp;
  const char* log = nullptr;
  int heartbeat = -1;
  int report = -1;
  pid_t parent = -1;
};

[[noreturn]] void tell_and_end(int report, int stage) {
  const start_failure failure{stage, errno};
  [[maybe_unused]] const auto written = ::write(report, &failure, sizeof failure);
  ::_exit(127);
}

[[noreturn]] void become(const child_plan& plan) {
  ::setpgid(0, 0);
  for (int signal = 1; signal < 32; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);
  const int empty = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int log = ::open(plan.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (empty < 0 || log < 0) tell_and_end(plan.report, 1);
  ::dup2(empty, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (plan.heartbeat >= 0)
    ::dup2(plan.heartbeat, heartbeat_fd);
  else
    ::close(heartbeat_fd);
  // Whatever this process inherited itself without close-on-exec stays here.
  ::close_range(heartbeat_fd + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execvpe(plan.argv.front(), plan.argv.data(), plan.envp.data());
  tell_and_end(plan.report, 2);
}

} // namespace

void owned_fd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

result<spawned_process> spawn_process(const std::vector<std::string>& command,
                                      const std::filesystem::path& log_file, bool heartbeat) {
  if (command.empty()) return {cluster_errc::bad_value, "a process without a command"};
  auto report = make_pipe();
  if (!report) return std::move(report).error();
  pipe_ends beats;
  if (heartbeat) {
    auto made = make_pipe();
    if (!made) return std::move(made).error();
    beats = std::move(made).value();
    ::fcntl(beats.read.get(), F_SETFL, O_NONBLOCK);
  }
  child_plan plan;
  for (const auto& word : command) plan.argv.push_back(const_cast<char*>(word.c_str()));
  plan.argv.push_back(nullptr);
  const auto variable = std::string{fd_variable} + std::to_string(heartbeat_fd);
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view{*entry}.starts_with(fd_variable)) plan.envp.push_back(*entry);
  if (heartbeat) plan.envp.push_back(const_cast<char*>(variable.c_str()));
  plan.envp.push_back(nullptr);
  const auto log = log_file.empty() ? std::string{"/dev/null"} : log_file.string();
  plan.log = log.c_str();
  plan.heartbeat = beats.write.get();
  plan.report = report->write.get();
  plan.parent = ::getpid();

  const pid_t pid = ::fork();
  if (pid < 0) return os_error("fork");
  if (pid == 0) become(plan);
  report->write.reset();
  start_failure failure{};
  ssize_t got = 0;
  // Ends when exec closes the pipe.
  do got = ::read(report->read.get(), &failure, sizeof failure);
  while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof failure)) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    errno = failure.code;
    return os_error(failure.stage == 1 ? "can't write the log " + log : "can't run " + command.front());
  }
  return spawned_process{pid, std::move(beats.read)};
}

std::string last_line(const std::filesystem::path& log_file, std::uintmax_t offset) {
  const owned_fd in{::open(log_file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!in) return {};
  struct stat about {};
  if (::fstat(in.get(), &about) != 0) return {};
  const auto size = static_cast<std::uintmax_t>(about.st_size);
  const auto from = std::max(offset, size > 4096 ? size - 4096 : 0);
  if (from >= size) return {};
  std::string text(static_cast<std::size_t>(size - from), '\0');
  const auto got = ::pread(in.get(), text.data(), text.size(), static_cast<off_t>(from));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  const auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

result<socket_place> socket_place::of(const std::filesystem::path& socket) {
  const auto folder = socket.has_parent_path() ? socket.parent_path() : std::filesystem::path{"."};
  socket_place out;
  out.folder_.reset(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!out.folder_) return {cluster_errc::unreadable, folder.string() + ": " + std::strerror(errno)};
  out.path_ = "/proc/self/fd/" + std::to_string(out.folder_.get()) + "/" + socket.filename().string();
  if (out.path_.size() >= sizeof(sockaddr_un::sun_path))
    return {cluster_errc::bad_value, socket.string() + ": the file name is too long for a socket"};
  return out;
}

} // namespace troupe
