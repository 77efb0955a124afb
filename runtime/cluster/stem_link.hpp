#pragma once

/// The node's end of the pipe to its parent (`stem.hpp`). Without a parent (a node run in the
/// foreground) every call does nothing.

#include "messages/error.hpp"

namespace troupe {

/// Owns the pipe. `beat` and `ready` never block and may be called from any thread.
class stem_link {
public:
  /// No parent.
  stem_link() = default;
  /// Takes the descriptor named by TROUPE_STEM_FD, marks it close-on-exec and removes the variable.
  /// To be called once, at the start of the process, before any thread exists.
  static stem_link from_environment();
  /// Takes a descriptor.
  explicit stem_link(int fd) noexcept : fd_{fd} {}
  stem_link(stem_link&& other) noexcept;
  stem_link& operator=(stem_link&& other) noexcept;
  ~stem_link();

  [[nodiscard]] bool attached() const noexcept { return fd_ >= 0; }
  /// "The scheduler makes progress."
  void beat() noexcept { put('.'); }
  /// "All my actors run."
  void ready() noexcept { put('R'); }

private:
  void put(char byte) noexcept;
  int fd_ = -1;
};

} // namespace troupe
