#pragma once

/// Proof out of manifests that nothing was trained on twice: the ranges (trained_from, trained_to] of the
/// checkpoints of a model tile the training stream.

#include "messages/learning.hpp"

#include <span>

namespace troupe {

struct training_chain {
  std::uint64_t checkpoints = 0;   ///< distinct manifests
  std::uint64_t trained_to = 0;    ///< end of the chain
  std::uint64_t trained_twice = 0; ///< sequences in more than one range, or in a range and its parent's past
  std::uint64_t gaps = 0;          ///< sequences in no range before the end
  std::uint64_t orphans = 0;       ///< manifests whose parent is not among them (but the first)
};

/// Checks the manifests of one model, in any order, repeated ones included once.
training_chain check_training_chain(std::span<const checkpoint_manifest> manifests);

} // namespace troupe
