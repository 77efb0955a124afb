#pragma once

/// Figures of a run, collected from the actors' own status pages while it runs. Actors die and come back
/// with counters at zero, so growing counters are summed over incarnations. Not thread-safe.

#include "tools/demo/rig.hpp"

#include <array>
#include <map>

namespace troupe::demo {

/// A counter that starts anew with each incarnation of its actor.
class growing_counter {
public:
  /// A smaller value than the last one means that a new incarnation counts.
  void seen(std::int64_t value) {
    if (value < last_) before_ += last_;
    last_ = value;
  }
  [[nodiscard]] std::int64_t total() const noexcept { return before_ + last_; }

private:
  std::int64_t before_ = 0;
  std::int64_t last_ = 0;
};

/// Losses and identity of the weights at one end of the run.
struct model_figures {
  std::string weights;
  std::int64_t step = 0;
  double loss = 0;
};

/// Everything the summary tells.
struct run_figures {
  growing_counter frames;
  growing_counter levels;
  growing_counter gaps;
  growing_counter decisions;
  std::array<std::int64_t, 4> made{};
  std::array<std::int64_t, 4> matured{};
  std::array<std::int64_t, 4> scored{};
  std::array<std::int64_t, 4> expired{};
  std::array<std::int64_t, 4> trained{};
  model_figures before;
  model_figures after;
  std::int64_t loss_samples = 0;
  std::int64_t orders = 0;
  std::int64_t fills = 0;
  std::int64_t denied = 0;
  std::int64_t rejected = 0;
  std::int64_t live_orders = 0;
  std::int64_t unknown_orders = 0;
  std::string equity;
  std::string position;
  std::string executor;
  std::string book;
  std::int64_t bid = 0;
  std::int64_t ask = 0;
};

/// Asks the actors and folds their answers into the figures.
class observation {
public:
  explicit observation(rig& system) : system_{system} {}

  /// One round over all actors; those that can't be asked just now are left as they were.
  void round();

  /// Only the executor: whether orders are in flight. False when it can't be asked just now.
  bool executor_round();

  [[nodiscard]] const run_figures& figures() const noexcept { return figures_; }

private:
  void feed_round();
  void learning_round();

  rig& system_;
  run_figures figures_;
};

} // namespace troupe::demo
