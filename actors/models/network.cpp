#include "actors/models/cnn.hpp"
#include "actors/models/random.hpp"

#include <ATen/Parallel.h>

#include <cmath>
#include <cstring>

namespace troupe {
namespace {

constexpr std::size_t outputs = 4;
constexpr double input_clip = 8.0;
constexpr double input_memory = 10'000.0; // batches' samples behind the running figures at most

std::int64_t fan_in(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) product *= shape[i];
  return product;
}

} // namespace

troupe::error library_error(std::string_view doing, const std::exception& e) {
  const std::string_view what = e.what();
  return {make_error_code(model_errc::library_failure),
          std::string{doing} + ": " + std::string{what.substr(0, what.find('\n')).substr(0, 300)}};
}

at::Tensor tensor_from(std::span<const float> values, std::vector<std::int64_t> shape) {
  auto out = at::empty(shape, at::kFloat);
  std::memcpy(out.data_ptr<float>(), values.data(), values.size_bytes());
  return out;
}

at::Tensor cnn::forward(const at::Tensor& frames) const {
  std::size_t next = first_parameter;
  const auto take = [&]() -> const at::Tensor& { return tensors[next++].second; };
  const auto& mean = tensors[0].second;
  const auto& variance = tensors[1].second;

  const auto scale = at::rsqrt(variance + 1e-6).view({1, options.channels, 1});
  auto x = at::clamp((frames - mean.view({1, options.channels, 1})) * scale, -input_clip, input_clip);
  const auto& stem = take();
  x = at::relu(at::conv1d(x, stem, take(), 1, 2));
  for (std::int64_t i = 0; i < options.blocks; ++i) {
    const auto dilation = std::int64_t{1} << i;
    const auto& first = take();
    auto y = at::relu(at::conv1d(x, first, take(), 1, dilation, dilation));
    const auto& second = take();
    x = at::relu(x + at::conv1d(y, second, take(), 1, dilation, dilation));
  }
  x = at::cat({x.select(2, options.steps - 1), x.mean(2)}, 1);
  const auto& trunk = take();
  x = at::relu(at::linear(x, trunk, take()));
  const auto& heads = take();
  x = at::linear(x, heads, take());
  return x.view({-1, static_cast<std::int64_t>(all_horizons.size()), static_cast<std::int64_t>(outputs)});
}

void cnn::update_input_figures(const at::Tensor& frames) {
  c10::InferenceMode guard;
  auto& mean = tensors[0].second;
  auto& variance = tensors[1].second;
  auto& count = tensors[2].second;
  const auto n = static_cast<double>(frames.size(0));
  const auto seen = std::min(static_cast<double>(count.item<float>()), input_memory);
  const auto share = n / (seen + n);
  const auto batch_mean = frames.mean(at::IntArrayRef{0, 2});
  const auto centred = frames - batch_mean.view({1, options.channels, 1});
  const auto batch_variance = (centred * centred).mean(at::IntArrayRef{0, 2});
  // Chan's formula for joining two samples' means and variances.
  const auto delta = batch_mean - mean;
  if (seen == 0) variance.copy_(batch_variance);
  else
    variance.copy_(variance * (1 - share) + batch_variance * share + delta * delta * (share * (1 - share)));
  mean.add_(delta * share);
  count.fill_(seen + n);
}

cnn cnn::initial(const network_options& options, std::uint64_t seed) {
  cnn net{options, {}};
  random_stream random{seed};
  for (const auto& rule : weight_rules(options)) {
    auto tensor = at::zeros(rule.shape, at::kFloat);
    if (rule.name == "input.variance") tensor.fill_(1.0);
    if (rule.name.ends_with(".weight")) {
      auto bound = std::sqrt(6.0 / static_cast<double>(fan_in(rule.shape)));
      if (rule.name.starts_with("heads")) bound *= 0.1;
      auto* data = tensor.data_ptr<float>();
      for (std::int64_t i = 0; i < tensor.numel(); ++i)
        data[i] = static_cast<float>((2 * random.uniform() - 1) * bound);
    }
    net.tensors.emplace_back(rule.name, std::move(tensor));
  }
  return net;
}

result<cnn> cnn::from_file(const network_options& options, const tensor_file& file) {
  cnn net{options, {}};
  for (const auto& rule : weight_rules(options)) {
    const auto* found = file.find(rule.name);
    if (!found || found->shape != rule.shape || found->dtype != tensor_dtype::f32)
      return {model_errc::wrong_shape, "tensor " + rule.name + " is missing or of another shape"};
    net.tensors.emplace_back(rule.name, tensor_from(floats_of(*found), rule.shape));
  }
  return net;
}

tensor_file cnn::to_file() const {
  tensor_file file;
  file.metadata["architecture"] = architecture_of(options);
  for (const auto& [name, tensor] : tensors) {
    const std::span<const float> values{tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
    file.tensors.push_back(make_tensor(name, values, tensor.sizes().vec()));
  }
  return file;
}

result<std::vector<raw_forecasts>> run_forward(const cnn& net, std::span<const float> frames,
                                               std::size_t batch) {
  const auto& o = net.options;
  const auto per_frame = static_cast<std::size_t>(o.channels * o.steps);
  if (batch == 0 || frames.size() != batch * per_frame)
    return {model_errc::wrong_frame, std::to_string(frames.size()) + " numbers don't make "
                                         + std::to_string(batch) + " frames of " + std::to_string(per_frame)};
  try {
    c10::InferenceMode guard;
    const auto input = tensor_from(frames, {static_cast<std::int64_t>(batch), o.channels, o.steps});
    const auto output = net.forward(input).contiguous();
    const auto* data = output.data_ptr<float>();
    std::vector<raw_forecasts> out(batch);
    for (auto& row : out)
      for (auto& over : row) {
        over.logits = {data[0], data[1], data[2]};
        over.expected_return = data[3];
        for (std::size_t k = 0; k < outputs; ++k)
          if (!std::isfinite(data[k]))
            return {model_errc::not_finite, "model " + o.model + " answered NaN or infinity"};
        data += outputs;
      }
    return out;
  } catch (const std::exception& e) {
    return library_error("inference", e);
  }
}

void init_model_thread() {
  at::init_num_threads();
  at::set_num_threads(1);
  at::globalContext().setFlushDenormal(true);
}

struct network::implementation {
  cnn net;
};

network::network(std::unique_ptr<implementation> impl) : impl_{std::move(impl)} {}
network::~network() = default;
network::network(network&&) noexcept = default;
network& network::operator=(network&&) noexcept = default;

const network_options& network::options() const noexcept { return impl_->net.options; }

result<std::vector<raw_forecasts>> network::forward(std::span<const float> frames, std::size_t batch) const {
  return run_forward(impl_->net, frames, batch);
}

tensor_file network::weights() const { return impl_->net.to_file(); }

result<network> make_network(const network_options& options, std::uint64_t seed) {
  if (auto checked = check_options(options); !checked) return std::move(checked).error();
  try {
    return network{
        std::make_unique<network::implementation>(network::implementation{cnn::initial(options, seed)})};
  } catch (const std::exception& e) {
    return library_error("making network " + architecture_of(options), e);
  }
}

result<network> load_network(const network_options& options, const tensor_file& weights) {
  if (auto checked = check_options(options); !checked) return std::move(checked).error();
  try {
    auto net = cnn::from_file(options, weights);
    if (!net) return std::move(net).error();
    return network{std::make_unique<network::implementation>(network::implementation{std::move(*net)})};
  } catch (const std::exception& e) {
    return library_error("loading network " + architecture_of(options), e);
  }
}

} // namespace troupe
