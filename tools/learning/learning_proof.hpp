#pragma once

/// Proof that the chain learns: frames with a planted signal go through the real predictor, store, trainer
/// and checkpoint code in one process, and the forecasts are compared with the best ones possible.
///
/// The input. A hidden drift u follows u' = φ u + sqrt(1 - φ²) η from frame to frame (10 s); the log price
/// moves by σ (β u + ε). Channel 0 of a frame shows u and its past, all other channels are noise. Given u,
/// the return over n frames is normal with
///   mean βσ u (1 - φⁿ) / (1 - φ),   variance σ² n + β²σ² (1 - φ²) Σ_{m=1}^{n-1} ((1 - φᵐ) / (1 - φ))²,
/// so the probabilities of down, flat and up are known exactly: the Bayes forecast. Chance is the forecast
/// that knows only how often each class comes (the same normal with u's variance added).
///
/// The figure: skill ratio = (Brier(chance) - Brier(model)) / (Brier(chance) - Brier(Bayes)), the numerator
/// measured over the second half of all predictions, each made and stored before its outcome, the
/// denominator computed from the formula above. 1 is perfect, 0 is chance. On a random walk (β = 0) the
/// denominator is what the signal would have been worth, so that 0 ± noise means the same.
///
/// The tolerance: labels overlap (one frame in six for 1m), so the standard error comes from means over
/// blocks of 60 instants (10 minutes), which are nearly independent; a figure is "0 ± noise" when it lies
/// within three of them, plus what an untrained or fruitlessly trained network loses by not saying the class
/// frequencies exactly (`loss_allowance`).

#include "actors/trainers/trainer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

enum class learning_input : std::uint8_t { signal, random_walk };

struct learning_options {
  learning_input input = learning_input::signal;
  std::uint64_t seed = 1;
  std::uint32_t instants = 8000;            ///< frames, 10 s of market time apart
  std::uint32_t swap_every = 128;           ///< samples trained on between two checkpoints that are served
  double persistence = 0.9;                 ///< φ
  double strength = 1.0;                    ///< β
  double loss_allowance = 0.1;              ///< see above
  trainer_options training;                 ///< network, learning rate, replay
  std::vector<horizon> horizons{horizon::m1, horizon::m5};
};

/// Figures over one horizon.
struct learning_figure {
  horizon over = horizon::m1;
  std::uint64_t samples = 0;  ///< behind the scores
  double model = 0;           ///< mean Brier score
  double chance = 0;
  double bayes = 0;
  double ratio = 0;           ///< skill ratio
  double error = 0;           ///< its standard error
};

struct learning_result {
  std::uint64_t seed = 0;
  std::vector<learning_figure> horizons;
  learning_figure all;        ///< over all samples
  trainer_report trained;
  std::uint64_t checkpoints = 0;
  double cpu_seconds = 0;     ///< of this process
  double tolerance = 0;       ///< 3 × error + allowance
  bool learned = false;       ///< ratio ≥ 0.5
  bool at_chance = false;     ///< ratio within ± tolerance
};

/// Runs the proof. Deterministic for given options. Call from a thread prepared by `init_model_thread`.
result<learning_result> learning_proof(const learning_options& options);

/// One JSON object.
std::string to_json(const learning_result& what);

} // namespace troupe
