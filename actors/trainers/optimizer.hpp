#pragma once

/// AdamW in one pass over each tensor: LibTorch 1.13's own optimizer makes a dozen passes and costs about
/// nine times as much on large networks. Formulas: Kingma and Ba 2015 (Adam, with bias correction),
/// Loshchilov and Hutter 2019 (decoupled weight decay).

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace troupe {

struct adam_options {
  double learning_rate = 1e-3;
  double weight_decay = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// One step on one tensor. `step` counts from 1. `scale` multiplies the gradient (norm clipping).
/// @pre all spans are equally long
inline void adam_step(std::span<float> weights, std::span<const float> gradient, std::span<float> first,
                      std::span<float> second, const adam_options& o, std::uint64_t step,
                      float scale) noexcept {
  const auto b1 = static_cast<float>(o.beta1);
  const auto b2 = static_cast<float>(o.beta2);
  const auto correct1 = static_cast<float>(1.0 / (1.0 - std::pow(o.beta1, static_cast<double>(step))));
  const auto correct2 = static_cast<float>(1.0 / (1.0 - std::pow(o.beta2, static_cast<double>(step))));
  const auto rate = static_cast<float>(o.learning_rate);
  const auto decay = static_cast<float>(o.learning_rate * o.weight_decay);
  const auto epsilon = static_cast<float>(o.epsilon);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto g = gradient[i] * scale;
    first[i] = b1 * first[i] + (1 - b1) * g;
    second[i] = b2 * second[i] + (1 - b2) * g * g;
    const auto direction = first[i] * correct1 / (std::sqrt(second[i] * correct2) + epsilon);
    weights[i] -= rate * direction + decay * weights[i];
  }
}

} // namespace troupe
