#pragma once

/// `troupe tape replay`: frames of several tapes, merged by receive time, with their original spacing scaled,
/// one JSON object a line.

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <vector>

namespace troupe {

struct tape_play_options {
  std::vector<std::filesystem::path> tapes;
  double speed = 0; ///< 1: as recorded; 0: as fast as it goes
  bool allow_unfinished = false;
  /// Waits for a steady time; empty: this host's clock. For tests.
  std::function<void(nanoseconds behind_the_start)> wait;
};

/// Prints {"at":…,"tape":0,"venue":…,"channel":…,"kind":"socket"|"rest"|"sent","frame":…} a frame; frames
/// that are no text have "hex" instead of "frame". Frames of one instant come in the order of the tapes.
/// Returns how many; an error names the damaged tape.
result<std::uint64_t> play_tapes(const tape_play_options& options, std::ostream& out);

} // namespace troupe
