#pragma once

/// The convolutional network as tensors, for this folder and actors/trainers only: it includes ATen.
///
/// Input [batch, channels, steps] is standardised by running figures that the trainer updates, clipped
/// to ±8, then: convolution of width 5, residual blocks of two dilated convolutions of width 3, the
/// newest step and the mean over time side by side, one hidden layer, and per horizon three logits
/// (down, flat, up) and one expected return. Padding is given as integers: "same" breaks export in 1.13.

#include "actors/models/model.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

namespace troupe {

struct cnn {
  network_options options;
  /// In the order of `weight_rules`, which starts with the three input figures.
  std::vector<std::pair<std::string, at::Tensor>> tensors;

  /// First trained tensor in `tensors`.
  static constexpr std::size_t first_parameter = 3;

  /// [batch, horizons, 4] from [batch, channels, steps].
  [[nodiscard]] at::Tensor forward(const at::Tensor& frames) const;

  /// Takes a batch into the running figures of the input: exact mean and variance over all samples so
  /// far, forgetting beyond about 10,000 so that a change of regime gets through.
  void update_input_figures(const at::Tensor& frames);

  [[nodiscard]] std::span<std::pair<std::string, at::Tensor>> parameters() {
    return std::span{tensors}.subspan(first_parameter);
  }

  /// Weights drawn from `seed`: He's uniform rule (bound sqrt(6 / fan-in)), heads a tenth of it.
  static cnn initial(const network_options& options, std::uint64_t seed);

  /// Weights of a file; names and shapes were checked when it was read.
  static result<cnn> from_file(const network_options& options, const tensor_file& file);

  [[nodiscard]] tensor_file to_file() const;
};

/// A tensor that owns a copy of `values`.
at::Tensor tensor_from(std::span<const float> values, std::vector<std::int64_t> shape);

/// Runs `batch` frames without recording gradients.
result<std::vector<raw_forecasts>> run_forward(const cnn& net, std::span<const float> frames,
                                               std::size_t batch);

/// What LibTorch threw, as an error.
troupe::error library_error(std::string_view doing, const std::exception& e);

} // namespace troupe
