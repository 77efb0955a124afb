#pragma once

/// Proof out of manifests that nothing was trained on twice. The newest checkpoint's ancestors, parent by
/// parent, are what its weights have gone through: their ranges (trained_from, trained_to] must tile the
/// training stream. A checkpoint outside that line (a crash made the trainer go on from an older one) has
/// left no trace in the weights; it is counted as abandoned.

#include "messages/learning.hpp"

#include <span>

namespace troupe {

struct training_chain {
  std::uint64_t checkpoints = 0;   ///< distinct manifests
  std::uint64_t lineage = 0;       ///< of these, the newest one and its ancestors
  std::uint64_t abandoned = 0;     ///< of these, the others
  std::uint64_t trained_to = 0;    ///< end of the newest one's range
  std::uint64_t trained_twice = 0; ///< sequences that lie in two ranges of the lineage
  std::uint64_t gaps = 0;          ///< sequences within the lineage that lie in none
  bool from_start = false;         ///< the lineage reaches back to initial weights
};

/// Checks the manifests of one model, in any order; repeated ones count once.
training_chain check_training_chain(std::span<const checkpoint_manifest> manifests);

} // namespace troupe
