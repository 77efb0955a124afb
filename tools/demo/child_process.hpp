#pragma once

/// A child process of a tool: started with an argument list, its output in a log file, killed with its
/// parent. Not thread-safe.

#include "messages/error.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::demo {

struct child_options {
  std::vector<std::string> arguments;  ///< program first, an absolute path
  std::filesystem::path log;           ///< standard output and error go here
  bool ready_line = false;             ///< descriptor 3 of the child is a pipe on which it writes one line
};

class child_process {
public:
  static result<child_process> start(const child_options& options);

  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  ~child_process(); ///< kills what still runs and reaps it

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// The line on the ready pipe; an error when the child ends, the time runs out or `give_up` says so first.
  result<std::string> wait_ready(std::chrono::milliseconds patience, const std::function<bool()>& give_up = {});

  void signal(int number) const;

  /// Exit code (128 + signal for a killed one) once the child has ended, else nothing.
  std::optional<int> poll();
  /// Waits for the end; nothing when the time runs out.
  std::optional<int> wait(std::chrono::milliseconds patience);

private:
  child_process() = default;
  void take(child_process& other) noexcept;

  pid_t pid_ = -1;
  int ready_ = -1;
  int pidfd_ = -1;
  std::string name_;
  std::filesystem::path log_;
  std::optional<int> ended_;
};

/// The last lines of a log file, for error texts.
std::string tail_of(const std::filesystem::path& file, std::size_t bytes = 600);

/// Absolute path of the running program.
std::filesystem::path own_program();

/// A free TCP port of loopback, held by nobody a moment ago.
result<std::uint16_t> free_port();

} // namespace troupe::demo
