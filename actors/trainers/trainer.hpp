#pragma once

/// The learning core: takes the training stream in blocks, scores each block before training on it, and
/// keeps everything that a bit-exact resume needs. No header of LibTorch is behind this one.
///
/// Test, then train: each sample is first scored by the current and by the initial weights, which have
/// not seen it; the rolling means of these losses are what a manifest reports. What is scored and served is
/// an exponential mean of the weights over the last steps: single steps on few, overlapping samples are
/// mostly noise, and the mean takes it out.
/// P7: what counts as consumed becomes durable only inside the checkpoint that holds its effect, since
/// both are one value (`checkpoint`). A trainer that died resumes from it and pulls on after `consumed`.

#include "actors/models/checkpoint.hpp"

#include <memory>
#include <optional>

namespace troupe {

struct trainer_options {
  network_options network;
  std::uint64_t seed = 1;           ///< of initial weights and of draws from replay memory
  std::size_t batch = 16;           ///< rows of the stream in one block; only whole blocks are trained on
  double learning_rate = 3e-4;      ///< of AdamW, once it has settled
  double first_boost = 9;           ///< at the first step the rate is 1 + this times as high …
  double boost_steps = 150;         ///< … and the excess falls to 1/e in so many steps
  double weight_decay = 0.3;        ///< decoupled, per step × learning rate
  double beta1 = 0.9;               ///< decay of the first moment
  double beta2 = 0.999;             ///< decay of the second moment
  double epsilon = 1e-8;
  double gradient_norm = 5.0;       ///< gradients are scaled down to this norm
  double return_weight = 0.1;       ///< weight of the Huber loss on the return beside the cross-entropy
  std::size_t replay_capacity = 2048; ///< samples kept for replay (reservoir); 0 = none
  double average_steps = 200;       ///< steps behind the mean of weights that is scored and served; 0 = none
  std::size_t replay_steps = 1;     ///< extra steps per block on draws from replay memory
  std::size_t replay_batch = 32;    ///< draws in one such step
  std::size_t loss_window = 512;    ///< samples behind the rolling losses
};

/// Counters and figures of a trainer.
struct trainer_report {
  model_version version;            ///< of the current weights; weights hash as of the last checkpoint
  std::uint64_t consumed = 0;       ///< newest training sequence whose effect is in the weights
  std::uint64_t blocks = 0;         ///< blocks trained on since the initial weights
  std::uint64_t trained = 0;        ///< samples of the stream trained on since the initial weights
  std::uint64_t replayed = 0;       ///< draws from replay memory, counted apart
  std::uint64_t refused = 0;        ///< rows of the stream that could not be trained on
  std::uint64_t skipped_steps = 0;  ///< steps whose gradient was not finite
  std::array<std::uint64_t, all_horizons.size()> trained_by_horizon{};
  double loss = 0;                  ///< rolling, current weights, each sample unseen when scored
  double first_loss = 0;            ///< rolling, initial weights, same samples
  std::uint64_t loss_samples = 0;
  std::string last_refusal;         ///< why the newest refused row was refused
};

/// Losses of one block before it was trained on.
struct block_score {
  std::size_t samples = 0;
  double loss = 0;       ///< mean, current weights
  double first_loss = 0; ///< mean, initial weights
};

/// Not thread-safe; call `init_model_thread()` in its thread first.
class trainer {
public:
  struct implementation;

  /// Starts from initial weights.
  static result<trainer> start(const trainer_options& options);

  /// Goes on from a checkpoint exactly as if it had never stopped. An error when the checkpoint is of
  /// another architecture, damaged, or without training state.
  static result<trainer> resume(const trainer_options& options, const checkpoint& from,
                                std::string_view source);

  explicit trainer(std::unique_ptr<implementation> impl);
  ~trainer();
  trainer(trainer&&) noexcept;
  trainer& operator=(trainer&&) noexcept;

  /// Rows of one block.
  [[nodiscard]] std::size_t block_size() const noexcept;

  /// Scores and then trains on exactly one block: `block_size()` rows of the training stream, in order,
  /// each newer than `consumed`. Rows that don't fit are counted as refused; the rest is trained on.
  /// An error, and no effect, when the rows are not the next of the stream.
  result<block_score> train_block(std::span<const snapshot> rows);

  /// Weights, training state and manifest as of now. `created` is market time.
  [[nodiscard]] checkpoint make_checkpoint(market_time created) const;

  /// That checkpoint is safe on disk: the next one's parent is this one.
  void made_durable(const checkpoint_manifest& what);

  /// Forecasts with the current weights, and with the initial ones.
  result<std::vector<raw_forecasts>> forward(std::span<const float> frames, std::size_t batch) const;
  result<std::vector<raw_forecasts>> forward_initial(std::span<const float> frames, std::size_t batch) const;

  [[nodiscard]] trainer_report report() const;

private:
  std::unique_ptr<implementation> impl_;
};

} // namespace troupe
