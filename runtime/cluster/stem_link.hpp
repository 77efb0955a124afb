#pragma once

/// The node's end of the pipe to its parent (`stem.hpp`), and of the line to systemd where the node is a unit of
/// its own. Without either (a node run in the foreground) every call does nothing.

#include "messages/error.hpp"
#include "runtime/cluster/service_link.hpp"

namespace troupe {

/// Owns the pipe. `beat`, `ready` and `stuck` never block and may be called from any thread.
class stem_link {
public:
  /// No parent.
  stem_link() = default;
  /// Takes the descriptor named by TROUPE_STEM_FD, marks it close-on-exec and removes the variable; the same for
  /// systemd's (`service_link.hpp`).
  /// To be called once, at the start of the process, before any thread exists.
  static stem_link from_environment();
  /// Takes a descriptor.
  explicit stem_link(int fd) noexcept : fd_{fd} {}
  stem_link(stem_link&& other) noexcept;
  stem_link& operator=(stem_link&& other) noexcept;
  ~stem_link();

  [[nodiscard]] bool attached() const noexcept { return fd_ >= 0; }
  /// "The scheduler makes progress."
  void beat() noexcept {
    put('.');
    service_.beat();
  }
  /// "All my actors run."
  void ready() noexcept {
    put('R');
    service_.ready();
  }
  /// "I can't mend myself": what runs here does not end, and only a new process helps.
  void stuck() noexcept {
    put('S');
    service_.stuck();
  }
  /// "I was told to stop."
  void stopping() noexcept { service_.stopping(); }

private:
  static int descriptor_of_environment();
  void put(char byte) noexcept;
  int fd_ = -1;
  service_link service_;
};

} // namespace troupe
