#include "actors/models/model.hpp"
#include "actors/predictors/labels.hpp"
#include "messages/tensor.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

constexpr std::int64_t outputs_per_horizon = 4; // three logits and the expected return

status within(std::string_view what, std::int64_t x, std::int64_t least, std::int64_t most) {
  if (x >= least && x <= most) return ok;
  return {model_errc::wrong_architecture, "network option " + std::string{what} + " = " + std::to_string(x)
                                              + " is not within " + std::to_string(least) + " … "
                                              + std::to_string(most) + "; correct it in models.yaml"};
}

} // namespace

status check_options(const network_options& o) {
  if (auto s = within("channels", o.channels, 1, 1024); !s) return s;
  if (auto s = within("steps", o.steps, 1, 4096); !s) return s;
  if (auto s = within("width", o.width, 1, 2048); !s) return s;
  return within("blocks", o.blocks, 0, 12);
}

std::string architecture_of(const network_options& o) {
  return o.model + " schema=" + std::to_string(o.frame_schema) + " channels=" + std::to_string(o.channels)
         + " steps=" + std::to_string(o.steps) + " width=" + std::to_string(o.width)
         + " blocks=" + std::to_string(o.blocks);
}

std::vector<tensor_rule> weight_rules(const network_options& o) {
  const auto f32 = tensor_dtype::f32;
  const auto heads = static_cast<std::int64_t>(all_horizons.size()) * outputs_per_horizon;
  std::vector<tensor_rule> rules;
  rules.push_back({"input.mean", f32, {o.channels}});
  rules.push_back({"input.variance", f32, {o.channels}});
  rules.push_back({"input.count", f32, {1}});
  rules.push_back({"stem.weight", f32, {o.width, o.channels, 5}});
  rules.push_back({"stem.bias", f32, {o.width}});
  for (std::int64_t i = 0; i < o.blocks; ++i) {
    const auto prefix = "block" + std::to_string(i);
    for (const char* part : {".first", ".second"}) {
      rules.push_back({prefix + part + ".weight", f32, {o.width, o.width, 3}});
      rules.push_back({prefix + part + ".bias", f32, {o.width}});
    }
  }
  rules.push_back({"trunk.weight", f32, {o.width, 2 * o.width}});
  rules.push_back({"trunk.bias", f32, {o.width}});
  rules.push_back({"heads.weight", f32, {heads, o.width}});
  rules.push_back({"heads.bias", f32, {heads}});
  return rules;
}

std::int64_t parameter_count(const network_options& o) {
  std::int64_t sum = 0;
  for (const auto& rule : weight_rules(o)) {
    if (rule.name.starts_with("input.")) continue;
    std::int64_t count = 1;
    for (const auto extent : rule.shape) count *= extent;
    sum += count;
  }
  return sum;
}

result<std::vector<float>> frame_features(const feature_frame& frame, const network_options& o) {
  if (frame.schema != o.frame_schema)
    return {model_errc::wrong_frame, "frame of " + frame.instrument.text + " has feature schema "
                                         + std::to_string(frame.schema) + ", model " + o.model
                                         + " reads schema " + std::to_string(o.frame_schema)};
  const std::vector<std::int64_t> expected{o.channels, o.steps};
  if (frame.features.shape != expected) {
    std::string found;
    for (const auto extent : frame.features.shape)
      found += (found.empty() ? "" : " × ") + std::to_string(extent);
    return {model_errc::wrong_frame, "frame of " + frame.instrument.text + " has features " + found
                                         + ", model " + o.model + " reads " + std::to_string(o.channels)
                                         + " × " + std::to_string(o.steps)};
  }
  auto values = unpack_f32(frame.features);
  if (!values) return std::move(values).error();
  if (!std::ranges::all_of(*values, [](float x) { return std::isfinite(x); }))
    return {model_errc::not_finite, "frame of " + frame.instrument.text + " holds infinities or NaN"};
  return values;
}

forecast to_forecast(const raw_forecast& raw, horizon over) {
  const auto top = std::max({raw.logits[0], raw.logits[1], raw.logits[2]});
  std::array<double, 3> p{};
  double sum = 0;
  for (std::size_t k = 0; k < 3; ++k) sum += p[k] = std::exp(static_cast<double>(raw.logits[k] - top));
  forecast out;
  out.down_ppm = static_cast<std::int32_t>(std::lround(p[0] / sum * 1e6));
  out.up_ppm = static_cast<std::int32_t>(std::lround(p[2] / sum * 1e6));
  out.flat_ppm = 1'000'000 - out.down_ppm - out.up_ppm;
  if (out.flat_ppm < 0) { // both others rounded up
    out.flat_ppm = 0;
    out.down_ppm = 1'000'000 - out.up_ppm;
  }
  const auto bounded = std::clamp(static_cast<double>(raw.expected_return), -100.0, 100.0);
  out.return_e9 = std::llround(bounded * label_scale(over) * 1e9);
  return out;
}

} // namespace troupe
