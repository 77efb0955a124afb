#include "actors/trainers/trainer.hpp"

#include "actors/models/cnn.hpp"
#include "actors/models/digest.hpp"
#include "actors/trainers/optimizer.hpp"
#include "actors/trainers/samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>

namespace troupe {
namespace {

constexpr std::int64_t state_version = 1;
constexpr std::int64_t max_restored_rows = 1 << 20;

std::span<float> numbers(const at::Tensor& t) {
  return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}

// The whole numbers of a trainer, in the order in which they are saved.
struct counters {
  std::int64_t version = state_version;
  std::int64_t seed = 0;
  std::int64_t step = 0;      // optimizer steps
  std::int64_t consumed = 0;
  std::int64_t blocks = 0;
  std::int64_t trained = 0;
  std::int64_t replayed = 0;
  std::int64_t refused = 0;
  std::int64_t skipped = 0;
  std::int64_t replay_seen = 0;
  std::array<std::int64_t, all_horizons.size()> by_horizon{};
  std::array<std::int64_t, 4> random{};
};
constexpr std::size_t counter_words = sizeof(counters) / sizeof(std::int64_t);
static_assert(std::is_trivially_copyable_v<counters> && counter_words == 18);

// A batch as tensors.
struct tensor_batch {
  at::Tensor frames;  // [n, channels, steps]
  at::Tensor labels;  // [n] int64
  at::Tensor targets; // [n]
  at::Tensor over;    // [n] int64
};

tensor_batch to_tensors(std::span<const sample* const> rows, const network_options& o) {
  const auto n = static_cast<std::int64_t>(rows.size());
  tensor_batch out{at::empty({n, o.channels, o.steps}, at::kFloat), at::empty({n}, at::kLong),
                   at::empty({n}, at::kFloat), at::empty({n}, at::kLong)};
  auto* frames = out.frames.data_ptr<float>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = *rows[i];
    frames = std::copy(row.features.begin(), row.features.end(), frames);
    out.labels.data_ptr<std::int64_t>()[i] = row.label;
    out.targets.data_ptr<float>()[i] = row.target;
    out.over.data_ptr<std::int64_t>()[i] = row.over;
  }
  return out;
}

// Loss of each sample on the head of its own horizon: cross-entropy on the direction and Huber on the return.
at::Tensor losses(const cnn& net, const tensor_batch& batch, double return_weight) {
  const auto n = batch.labels.size(0);
  const auto all = net.forward(batch.frames);
  const auto own = all.gather(1, batch.over.view({n, 1, 1}).expand({n, 1, all.size(2)})).squeeze(1);
  const auto direction =
      -at::log_softmax(own.narrow(1, 0, 3), 1).gather(1, batch.labels.view({n, 1})).squeeze(1);
  return direction + at::huber_loss(own.select(1, 3), batch.targets, at::Reduction::None) * return_weight;
}

std::vector<float> losses_unrecorded(const cnn& net, const tensor_batch& batch, double return_weight) {
  c10::InferenceMode guard;
  const auto values = losses(net, batch, return_weight).contiguous();
  const auto view = numbers(values);
  return {view.begin(), view.end()};
}

std::vector<tensor_rule> training_rules(const network_options& o) {
  const auto f32 = tensor_dtype::f32;
  const auto i64 = tensor_dtype::i64;
  std::vector<tensor_rule> rules{{"counters", i64, {static_cast<std::int64_t>(counter_words)}},
                                 {"loss.current", f32, {-max_restored_rows}},
                                 {"loss.initial", f32, {-max_restored_rows}},
                                 {"replay.features", f32, {-max_restored_rows, o.channels * o.steps}},
                                 {"replay.target", f32, {-max_restored_rows}},
                                 {"replay.label", i64, {-max_restored_rows, 3}}};
  for (const auto& rule : weight_rules(o)) {
    if (rule.name.starts_with("input.")) continue;
    rules.push_back({"first." + rule.name, f32, rule.shape});
    rules.push_back({"second." + rule.name, f32, rule.shape});
    rules.push_back({"raw." + rule.name, f32, rule.shape});
  }
  return rules;
}

double mean_of(const std::deque<float>& values) {
  double sum = 0;
  for (const auto x : values) sum += x;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

} // namespace

struct trainer::implementation {
  trainer_options options;
  cnn current;                    // what the optimizer works on
  cnn averaged;                   // what is scored and served
  cnn initial;
  std::vector<at::Tensor> first;  // Adam's moments, one a parameter
  std::vector<at::Tensor> second;
  counters count;
  random_stream random;
  replay_memory replay;
  std::deque<float> loss_current;
  std::deque<float> loss_initial;
  std::string parent;
  std::uint64_t parent_trained_to = 0;
  std::string last_refusal;

  implementation(const trainer_options& o, std::uint64_t seed)
      : options{o}, current{cnn::initial(o.network, seed)},
        averaged{cnn::initial(o.network, seed)}, initial{cnn::initial(o.network, seed)},
        random{seed ^ 0x7265706c6179ULL}, replay{o.replay_capacity} {
    count.seed = static_cast<std::int64_t>(seed);
    for (auto& [name, tensor] : current.parameters()) {
      first.push_back(at::zeros_like(tensor));
      second.push_back(at::zeros_like(tensor));
    }
    record_gradients();
  }

  void record_gradients() {
    for (auto& [name, tensor] : current.parameters()) tensor.set_requires_grad(true);
  }

  // One optimizer step on a batch.
  void step_on(const tensor_batch& batch) {
    for (auto& [name, tensor] : current.parameters()) tensor.mutable_grad().reset();
    losses(current, batch, options.return_weight).mean().backward();
    double squares = 0;
    for (auto& [name, tensor] : current.parameters())
      for (const auto g : numbers(tensor.grad())) squares += static_cast<double>(g) * g;
    const auto norm = std::sqrt(squares);
    if (!std::isfinite(norm)) {
      ++count.skipped;
      return;
    }
    const auto scale = static_cast<float>(norm > options.gradient_norm ? options.gradient_norm / norm : 1.0);
    ++count.step;
    const auto boost = options.first_boost * std::exp(-static_cast<double>(count.step) / options.boost_steps);
    const auto rate = options.learning_rate * (1 + boost);
    std::size_t i = 0;
    for (auto& [name, tensor] : current.parameters()) {
      const adam_options adam{rate, name.ends_with(".weight") ? options.weight_decay : 0.0,
                              options.beta1, options.beta2, options.epsilon};
      adam_step(numbers(tensor), numbers(tensor.grad()), numbers(first[i]), numbers(second[i]), adam,
                static_cast<std::uint64_t>(count.step), scale);
      ++i;
    }
    average();
  }

  // The mean follows fast at first, so that the initial weights don't linger in it.
  void average() {
    const auto steps = static_cast<double>(count.step);
    const auto share =
        static_cast<float>(1.0 / std::max(1.0, std::min(options.average_steps, 1.0 + steps / 4.0)));
    for (std::size_t i = cnn::first_parameter; i < averaged.tensors.size(); ++i) {
      const auto from = numbers(current.tensors[i].second);
      const auto to = numbers(averaged.tensors[i].second);
      for (std::size_t k = 0; k < to.size(); ++k) to[k] += share * (from[k] - to[k]);
    }
  }

  void replay_steps() {
    for (std::size_t i = 0; i < options.replay_steps && !replay.empty(); ++i) {
      std::vector<const sample*> drawn;
      for (std::size_t k = 0; k < options.replay_batch; ++k) drawn.push_back(&replay.draw(random));
      step_on(to_tensors(drawn, options.network));
      count.replayed += static_cast<std::int64_t>(drawn.size());
    }
  }

  void remember_losses(std::span<const float> now, std::span<const float> before) {
    loss_current.insert(loss_current.end(), now.begin(), now.end());
    loss_initial.insert(loss_initial.end(), before.begin(), before.end());
    while (loss_current.size() > options.loss_window) {
      loss_current.pop_front();
      loss_initial.pop_front();
    }
  }

  block_score train(std::vector<sample> samples) {
    block_score score;
    score.samples = samples.size();
    if (samples.empty()) return score;
    std::vector<const sample*> rows;
    for (const auto& s : samples) rows.push_back(&s);
    const auto batch = to_tensors(rows, options.network);
    const auto now = losses_unrecorded(averaged, batch, options.return_weight);
    const auto before = losses_unrecorded(initial, batch, options.return_weight);
    remember_losses(now, before);
    for (const auto x : now) score.loss += x / static_cast<double>(now.size());
    for (const auto x : before) score.first_loss += x / static_cast<double>(before.size());

    current.update_input_figures(batch.frames);
    for (std::size_t i = 0; i < cnn::first_parameter; ++i)
      averaged.tensors[i].second.copy_(current.tensors[i].second);
    step_on(batch);
    replay_steps();
    ++count.blocks;
    for (auto& s : samples) {
      ++count.trained;
      ++count.by_horizon[s.over];
      if (options.replay_capacity > 0) replay.add(std::move(s), random);
    }
    return score;
  }

  std::string training_state() const {
    tensor_file file;
    auto saved = count;
    saved.replay_seen = static_cast<std::int64_t>(replay.seen());
    for (std::size_t i = 0; i < 4; ++i) saved.random[i] = static_cast<std::int64_t>(random.state()[i]);
    std::array<std::int64_t, counter_words> words{};
    std::memcpy(words.data(), &saved, sizeof saved);
    const std::span<const std::int64_t> word_span{words};
    file.tensors.push_back(make_tensor("counters", word_span, {static_cast<std::int64_t>(counter_words)}));
    const auto add_losses = [&](const char* name, const std::deque<float>& values) {
      const std::vector<float> flat{values.begin(), values.end()};
      file.tensors.push_back(
          make_tensor(name, std::span<const float>{flat}, {static_cast<std::int64_t>(flat.size())}));
    };
    add_losses("loss.current", loss_current);
    add_losses("loss.initial", loss_initial);
    add_replay(file);
    std::size_t i = 0;
    const auto parameters = std::span{current.tensors}.subspan(cnn::first_parameter);
    for (const auto& [name, tensor] : parameters) {
      file.tensors.push_back(
          make_tensor("first." + name, std::span<const float>{numbers(first[i])}, tensor.sizes().vec()));
      file.tensors.push_back(
          make_tensor("second." + name, std::span<const float>{numbers(second[i])}, tensor.sizes().vec()));
      file.tensors.push_back(
          make_tensor("raw." + name, std::span<const float>{numbers(tensor)}, tensor.sizes().vec()));
      ++i;
    }
    return seal_training_state(write_safetensors(file));
  }

  void add_replay(tensor_file& file) const {
    const auto n = static_cast<std::int64_t>(replay.rows().size());
    std::vector<float> features;
    std::vector<float> targets;
    std::vector<std::int64_t> labels;
    for (const auto& row : replay.rows()) {
      features.insert(features.end(), row.features.begin(), row.features.end());
      targets.push_back(row.target);
      labels.insert(labels.end(), {row.label, row.over, static_cast<std::int64_t>(row.sequence)});
    }
    const auto& o = options.network;
    file.tensors.push_back(
        make_tensor("replay.features", std::span<const float>{features}, {n, o.channels * o.steps}));
    file.tensors.push_back(make_tensor("replay.target", std::span<const float>{targets}, {n}));
    file.tensors.push_back(make_tensor("replay.label", std::span<const std::int64_t>{labels}, {n, 3}));
  }

  status restore_replay(const tensor_file& file, std::string_view source) {
    const auto features = floats_of(*file.find("replay.features"));
    const auto targets = floats_of(*file.find("replay.target"));
    const auto labels = integers_of(*file.find("replay.label"));
    const auto width = static_cast<std::size_t>(options.network.channels * options.network.steps);
    if (features.size() != targets.size() * width || labels.size() != targets.size() * 3)
      return {model_errc::wrong_shape, std::string{source} + ": replay memory of unequal lengths"};
    std::vector<sample> rows(targets.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (labels[i * 3] < 0 || labels[i * 3] > 2 || labels[i * 3 + 1] < 0 || labels[i * 3 + 1] > 3)
        return {model_errc::bad_container, std::string{source} + ": replay memory with an impossible label"};
      const auto begin = features.begin() + static_cast<std::ptrdiff_t>(i * width);
      rows[i] = {static_cast<std::uint64_t>(labels[i * 3 + 2]), static_cast<std::uint8_t>(labels[i * 3 + 1]),
                 static_cast<std::uint8_t>(labels[i * 3]), targets[i],
                 std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(width))};
    }
    replay.restore(std::move(rows), static_cast<std::uint64_t>(count.replay_seen));
    return ok;
  }

  // Takes over everything but the weights. `count` holds the saved counters already.
  status restore(const tensor_file& file, std::string_view source) {
    random_stream::state_type state{};
    for (std::size_t i = 0; i < 4; ++i) state[i] = static_cast<std::uint64_t>(count.random[i]);
    random = random_stream{state};
    const auto now = floats_of(*file.find("loss.current"));
    const auto before = floats_of(*file.find("loss.initial"));
    if (now.size() != before.size())
      return {model_errc::wrong_shape, std::string{source} + ": loss windows of unequal lengths"};
    loss_current.assign(now.begin(), now.end());
    loss_initial.assign(before.begin(), before.end());
    if (auto restored = restore_replay(file, source); !restored) return restored;
    std::size_t i = 0;
    for (auto& [name, tensor] : current.parameters()) {
      const auto copy = [&](const std::string& from, at::Tensor& to) {
        const auto& bytes = file.find(from)->bytes;
        std::memcpy(to.data_ptr<float>(), bytes.data(), bytes.size());
      };
      copy("first." + name, first[i]);
      copy("second." + name, second[i]);
      copy("raw." + name, tensor);
      ++i;
    }
    return ok;
  }
};

trainer::trainer(std::unique_ptr<implementation> impl) : impl_{std::move(impl)} {}
trainer::~trainer() = default;
trainer::trainer(trainer&&) noexcept = default;
trainer& trainer::operator=(trainer&&) noexcept = default;

result<trainer> trainer::start(const trainer_options& options) {
  if (auto checked = check_options(options.network); !checked) return std::move(checked).error();
  if (options.batch == 0) return {model_errc::wrong_architecture, "trainer option batch = 0"};
  try {
    return trainer{std::make_unique<implementation>(options, options.seed)};
  } catch (const std::exception& e) {
    return library_error("starting trainer", e);
  }
}

result<trainer> trainer::resume(const trainer_options& options, const checkpoint& from,
                                std::string_view source) {
  if (auto checked = check_options(options.network); !checked) return std::move(checked).error();
  // The served path's checks first: hash, schema, shapes.
  if (auto net = load_checkpoint(from.manifest, from.weights, options.network, source); !net)
    return std::move(net).error();
  auto state = open_training_state(from.training, source);
  if (!state) return std::move(state).error();
  auto file = read_safetensors(*state, training_rules(options.network), source);
  if (!file) return std::move(file).error();
  auto weights = read_safetensors(from.weights, weight_rules(options.network), source);
  if (!weights) return std::move(weights).error();
  counters saved;
  const auto words = integers_of(*file->find("counters"));
  std::memcpy(static_cast<void*>(&saved), words.data(), sizeof saved);
  if (saved.version != state_version || saved.consumed < 0
      || static_cast<std::uint64_t>(saved.consumed) != from.manifest.trained_to)
    return {model_errc::bad_container,
            std::string{source} + ": trainer's state and manifest are not of one checkpoint"};
  try {
    auto impl = std::make_unique<implementation>(options, static_cast<std::uint64_t>(saved.seed));
    auto net = cnn::from_file(options.network, *weights);
    if (!net) return std::move(net).error();
    impl->averaged = std::move(*net);
    for (std::size_t i = 0; i < cnn::first_parameter; ++i)
      impl->current.tensors[i].second.copy_(impl->averaged.tensors[i].second);
    impl->count = saved;
    if (auto restored = impl->restore(*file, source); !restored) return std::move(restored).error();
    impl->parent = from.manifest.version.weights;
    impl->parent_trained_to = from.manifest.trained_to;
    return trainer{std::move(impl)};
  } catch (const std::exception& e) {
    return library_error("resuming trainer", e);
  }
}

std::size_t trainer::block_size() const noexcept { return impl_->options.batch; }

result<block_score> trainer::train_block(std::span<const snapshot> rows) {
  auto& self = *impl_;
  if (rows.size() != self.options.batch)
    return {model_errc::bad_chunk, std::to_string(rows.size()) + " rows are not a block of "
                                       + std::to_string(self.options.batch)};
  auto newest = static_cast<std::uint64_t>(self.count.consumed);
  for (const auto& row : rows) {
    if (row.training_sequence <= newest)
      return {model_errc::bad_chunk, "training sequence " + std::to_string(row.training_sequence) + " after "
                                         + std::to_string(newest) + ": nothing is trained on twice"};
    newest = row.training_sequence;
  }
  std::vector<sample> samples;
  std::int64_t refused = 0;
  for (const auto& row : rows) {
    auto s = to_sample(row, self.options.network);
    if (s) samples.push_back(std::move(*s));
    else {
      ++refused;
      self.last_refusal = s.error().message();
    }
  }
  try {
    auto score = self.train(std::move(samples));
    self.count.refused += refused;
    self.count.consumed = static_cast<std::int64_t>(newest);
    return score;
  } catch (const std::exception& e) {
    return library_error("training", e);
  }
}

checkpoint trainer::make_checkpoint(market_time created) const {
  const auto& self = *impl_;
  auto file = self.averaged.to_file();
  file.metadata["step"] = std::to_string(self.count.step);
  checkpoint out;
  out.weights = write_safetensors(file);
  out.training = self.training_state();
  auto& m = out.manifest;
  m.version = {self.options.network.model, static_cast<std::uint64_t>(self.count.step),
               content_hash(out.weights)};
  m.parent = self.parent;
  m.frame_schema = self.options.network.frame_schema;
  m.architecture = architecture_of(self.options.network);
  m.trained_from = self.parent_trained_to;
  m.trained_to = static_cast<std::uint64_t>(self.count.consumed);
  for (const auto n : self.count.by_horizon) m.trained_by_horizon.push_back(static_cast<std::uint64_t>(n));
  m.loss_e6 = std::llround(mean_of(self.loss_current) * 1e6);
  m.first_loss_e6 = std::llround(mean_of(self.loss_initial) * 1e6);
  m.loss_samples = self.loss_current.size();
  m.created = created;
  m.bytes = out.weights.size();
  return out;
}

void trainer::made_durable(const checkpoint_manifest& what) {
  impl_->parent = what.version.weights;
  impl_->parent_trained_to = what.trained_to;
}

result<std::vector<raw_forecasts>> trainer::forward(std::span<const float> frames, std::size_t batch) const {
  return run_forward(impl_->averaged, frames, batch);
}

result<std::vector<raw_forecasts>> trainer::forward_initial(std::span<const float> frames,
                                                            std::size_t batch) const {
  return run_forward(impl_->initial, frames, batch);
}

trainer_report trainer::report() const {
  const auto& self = *impl_;
  trainer_report out;
  out.version = {self.options.network.model, static_cast<std::uint64_t>(self.count.step), self.parent};
  out.consumed = static_cast<std::uint64_t>(self.count.consumed);
  out.blocks = static_cast<std::uint64_t>(self.count.blocks);
  out.trained = static_cast<std::uint64_t>(self.count.trained);
  out.replayed = static_cast<std::uint64_t>(self.count.replayed);
  out.refused = static_cast<std::uint64_t>(self.count.refused);
  out.skipped_steps = static_cast<std::uint64_t>(self.count.skipped);
  for (std::size_t i = 0; i < all_horizons.size(); ++i)
    out.trained_by_horizon[i] = static_cast<std::uint64_t>(self.count.by_horizon[i]);
  out.loss = mean_of(self.loss_current);
  out.first_loss = mean_of(self.loss_initial);
  out.loss_samples = self.loss_current.size();
  out.last_refusal = self.last_refusal;
  return out;
}

} // namespace troupe
