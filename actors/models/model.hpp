#pragma once

/// The one interface of all networks. No header of LibTorch is behind it: whoever serves or trains a
/// model includes this, and only `actors/models` and `actors/trainers` compile LibTorch.

#include "actors/models/safetensors.hpp"
#include "messages/learning.hpp"

#include <array>
#include <memory>
#include <span>

namespace troupe {

/// Shape and size of a network. Two networks of equal options have the same tensors.
struct network_options {
  std::string model = "cnn";      ///< name of the model, as in "model/cnn"
  std::uint32_t frame_schema = 1; ///< feature list it reads (actors/feeds/features.hpp)
  std::int64_t channels = 16;     ///< rows of the feature tensor
  std::int64_t steps = 64;        ///< columns of the feature tensor, newest last
  std::int64_t width = 16;        ///< channels of the hidden layers
  std::int64_t blocks = 2;        ///< residual blocks; block i has dilation 2^i
  friend bool operator==(const network_options&, const network_options&) = default;
};

/// What a network says about one horizon, before rounding to fixed point.
struct raw_forecast {
  std::array<float, 3> logits{}; ///< down, flat, up
  float expected_return = 0;     ///< log return in units of `label_scale(horizon)`
};
/// One raw forecast a horizon, in the order of all_horizons.
using raw_forecasts = std::array<raw_forecast, all_horizons.size()>;

/// Checks that the options make a network that fits into memory. Extents are bounded.
status check_options(const network_options& options);

/// Name and hyper-parameters in one line: "cnn schema=1 channels=8 steps=60 width=32 blocks=2".
std::string architecture_of(const network_options& options);

/// Every tensor of a network of these options: names, types, shapes, in file order.
std::vector<tensor_rule> weight_rules(const network_options& options);

/// Number of trained parameters.
std::int64_t parameter_count(const network_options& options);

/// The features of a frame for a network: schema, shape, type, checksum and finiteness are checked.
/// Returns channels × steps numbers in C order.
result<std::vector<float>> frame_features(const feature_frame& frame, const network_options& options);

/// Rounds to fixed point: softmax to millionths that sum to 1,000,000, expected return to 10^-9.
forecast to_forecast(const raw_forecast& raw, horizon over);

/// Prepares the calling thread for LibTorch: one intra-op thread, denormals flushed. Call it first in
/// every thread that runs a network; a new thread does not inherit these settings.
void init_model_thread();

/// A network with its weights. Immutable, so that several threads may call `forward` at a time.
class network {
public:
  struct implementation;

  explicit network(std::unique_ptr<implementation> impl);
  ~network();
  network(network&&) noexcept;
  network& operator=(network&&) noexcept;

  [[nodiscard]] const network_options& options() const noexcept;

  /// Forecasts `batch` frames, laid out one after another. An error when the numbers don't fill them.
  [[nodiscard]] result<std::vector<raw_forecasts>> forward(std::span<const float> frames,
                                                           std::size_t batch) const;

  /// The weights as the content of a safetensors file.
  [[nodiscard]] tensor_file weights() const;

private:
  std::unique_ptr<implementation> impl_;
};

/// A network with initial weights drawn from `seed`: same seed, same weights, on every machine.
result<network> make_network(const network_options& options, std::uint64_t seed);

/// A network with the weights of a file that was read against `weight_rules(options)`.
result<network> load_network(const network_options& options, const tensor_file& weights);

} // namespace troupe
