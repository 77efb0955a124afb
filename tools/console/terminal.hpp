#pragma once

/// The terminal: keys in, grids out, through ncurses. The only part of the console that knows it. One
/// instance a process, used from one thread.

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "tools/console/console_model.hpp"
#include "tools/console/grid.hpp"

#include <memory>
#include <vector>

namespace troupe::console {

/// What the environment says of colours and characters.
struct terminal_environment {
  bool is_terminal = false; ///< both standard input and standard output
  std::string term;         ///< TERM
  bool no_color = false;    ///< NO_COLOR is set and not empty
  bool utf8 = false;        ///< the locale's characters
};

/// Reads the environment and the locale of this process.
terminal_environment terminal_environment_of_process();

class terminal {
public:
  /// Takes the screen over. Refused in words where there is none: standard output is a file, TERM is not
  /// set, not known, or names a terminal that can't place its cursor.
  static result<std::unique_ptr<terminal>> open(const terminal_environment& where);
  /// Gives the screen back as it was.
  ~terminal();
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  [[nodiscard]] screen_size size() const;
  [[nodiscard]] bool utf8() const noexcept { return utf8_; }

  /// Waits until keys, `wake_fd` or the time are there; returns the keys. A change of the window's size
  /// also ends the wait.
  std::vector<key_press> wait(int wake_fd, nanoseconds most);

  /// A signal asked the program to end, or the terminal is gone.
  [[nodiscard]] bool ended() const noexcept;

  /// Shows a grid: only cells that differ from the last one are written.
  void show(const grid& next);

private:
  struct parts;
  explicit terminal(std::unique_ptr<parts> made, bool utf8);

  std::unique_ptr<parts> parts_;
  bool utf8_;
};

} // namespace troupe::console
