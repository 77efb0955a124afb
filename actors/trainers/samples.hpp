#pragma once

/// From matured snapshots to what a network is trained on, and the memory of old ones. No LibTorch.

#include "actors/models/model.hpp"
#include "actors/models/random.hpp"

#include <vector>

namespace troupe {

/// One labelled sample: it trains the head of its own horizon only.
struct sample {
  std::uint64_t sequence = 0;
  std::uint8_t over = 0;  ///< index into all_horizons
  std::uint8_t label = 0; ///< 0 down, 1 flat, 2 up
  float target = 0;       ///< log return in units of label_scale, within ±8
  std::vector<float> features;
};

/// Checks a row of the training stream: scored, due, labelled by the definition in force, its frame from
/// the prediction's instant and of the network's shape.
result<sample> to_sample(const snapshot& row, const network_options& options);

/// A uniform sample of everything seen so far (Vitter's algorithm R). Its content is part of a
/// checkpoint, so that a resumed trainer draws what it would have drawn.
class replay_memory {
public:
  explicit replay_memory(std::size_t capacity) : capacity_{capacity} {}

  void add(sample s, random_stream& random) {
    ++seen_;
    if (rows_.size() < capacity_) {
      rows_.push_back(std::move(s));
      return;
    }
    const auto place = random.below(seen_);
    if (place < capacity_) rows_[static_cast<std::size_t>(place)] = std::move(s);
  }

  /// @pre !empty()
  const sample& draw(random_stream& random) const noexcept {
    return rows_[static_cast<std::size_t>(random.below(rows_.size()))];
  }

  /// Takes over a saved content; what exceeds the capacity is left out.
  void restore(std::vector<sample> rows, std::uint64_t seen) {
    rows_ = std::move(rows);
    if (rows_.size() > capacity_) rows_.resize(capacity_);
    seen_ = seen;
  }

  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  [[nodiscard]] const std::vector<sample>& rows() const noexcept { return rows_; }
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }

private:
  std::size_t capacity_;
  std::vector<sample> rows_;
  std::uint64_t seen_ = 0;
};

} // namespace troupe
