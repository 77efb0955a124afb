#include "tools/learning/learning_proof.hpp"

#include "actors/models/random.hpp"
#include "actors/predictors/labels.hpp"
#include "actors/predictors/predictor.hpp"
#include "messages/json.hpp"
#include "messages/tensor.hpp"
#include "storage/store.hpp"

#include <cmath>
#include <ctime>

namespace troupe {
namespace {

constexpr nanoseconds frame_step = std::chrono::seconds{10};
constexpr std::size_t block_instants = 60;
constexpr double start_price = 6e12; // 60,000 at eight decimals

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

using class_probabilities = std::array<double, 3>;

class_probabilities classes_of(double mean, double variance, double threshold) {
  const auto deviation = std::sqrt(variance);
  const auto down = normal_cdf((-threshold - mean) / deviation);
  const auto up = 1.0 - normal_cdf((threshold - mean) / deviation);
  return {down, 1.0 - down - up, up};
}

double brier_of(const class_probabilities& p, std::uint8_t label) {
  double sum = 0;
  for (std::size_t k = 0; k < 3; ++k)
    sum += (p[k] - (k == label ? 1.0 : 0.0)) * (p[k] - (k == label ? 1.0 : 0.0));
  return sum;
}

double expected_brier(const class_probabilities& p) {
  return 1.0 - (p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
}

// The planted process and all that is known about it.
struct planted_process {
  double phi;
  double beta;
  double sigma;
  random_stream random;
  double u = 0;
  double log_price = 0;

  planted_process(const learning_options& o, double real_beta)
      : phi{o.persistence}, beta{real_beta}, sigma{1}, random{o.seed} {
    // The scale makes the one-minute threshold 0.43 standard deviations: classes about equally frequent.
    const auto [slope, variance] = given(horizon::m1, o.strength);
    sigma = threshold(horizon::m1) / 0.43 / std::sqrt(slope * slope + variance);
    u = random.normal();
  }

  static double threshold(horizon h) { return static_cast<double>(label_threshold_e9(h)) * 1e-9; }
  static int frames_of(horizon h) { return static_cast<int>(length_of(h) / frame_step); }

  // Slope of the mean on u, and the variance around it, of the return over a horizon.
  [[nodiscard]] std::pair<double, double> given(horizon h, double strength) const {
    const auto n = frames_of(h);
    double hidden = 0;
    for (int m = 1; m < n; ++m) {
      const auto sum = (1 - std::pow(phi, m)) / (1 - phi);
      hidden += sum * sum;
    }
    return {strength * sigma * (1 - std::pow(phi, n)) / (1 - phi),
            sigma * sigma * (n + strength * strength * (1 - phi * phi) * hidden)};
  }
  [[nodiscard]] class_probabilities bayes(horizon h, double seen) const {
    const auto [slope, variance] = given(h, beta);
    return classes_of(slope * seen, variance, threshold(h));
  }
  [[nodiscard]] class_probabilities chance(horizon h, double strength) const {
    const auto [slope, variance] = given(h, strength);
    return classes_of(0, slope * slope + variance, threshold(h));
  }

  void step() {
    log_price += sigma * (beta * u + random.normal());
    u = phi * u + std::sqrt(1 - phi * phi) * random.normal();
  }
};

// Mean gain of Bayes over chance, by numeric integration over u: the denominator of the ratio.
double expected_gain(const planted_process& p, horizon h, double strength) {
  auto with_signal = p;
  with_signal.beta = strength;
  double bayes = 0;
  double weight = 0;
  for (double x = -5; x <= 5; x += 0.01) {
    const auto w = std::exp(-x * x / 2);
    bayes += w * expected_brier(with_signal.bayes(h, x));
    weight += w;
  }
  return expected_brier(p.chance(h, strength)) - bayes / weight;
}

// One scored prediction of the second half.
struct score_row {
  std::size_t instant;
  double model;
  double chance;
  double bayes;
};

learning_figure figure_of(std::span<const score_row> rows, double gain) {
  learning_figure out;
  out.samples = rows.size();
  if (rows.empty()) return out;
  std::map<std::size_t, std::pair<double, double>> blocks; // sum of gains, count
  const auto n = static_cast<double>(rows.size());
  for (const auto& row : rows) {
    out.model += row.model / n;
    out.chance += row.chance / n;
    out.bayes += row.bayes / n;
    auto& [sum, count] = blocks[row.instant / block_instants];
    sum += row.chance - row.model;
    ++count;
  }
  const auto mean = out.chance - out.model;
  double squares = 0;
  for (const auto& [block, row] : blocks) {
    const auto deviation = row.first - mean * row.second; // of a block's sum
    squares += deviation * deviation;
  }
  out.ratio = mean / gain;
  out.error = std::sqrt(squares) / n / gain;
  return out;
}

// The whole chain in one process.
class learning_chain {
public:
  learning_chain(const learning_options& o, trainer t)
      : options_{o}, process_{o, o.input == learning_input::signal ? o.strength : 0.0},
        trainer_{std::move(t)}, store_{make_memory_store()}, noise_{o.seed ^ 0x6e6f697365ULL} {
    for (const auto h : o.horizons) {
      predictor_options p;
      p.instrument = instrument_;
      p.over = h;
      predictors_.emplace_back(std::move(p));
    }
    rows_.resize(o.horizons.size());
    const auto steps = static_cast<std::size_t>(o.training.network.steps);
    history_.assign(steps, 0.0);
    for (std::size_t i = 0; i < steps; ++i) advance();
  }

  status run() {
    if (auto swapped = swap(); !swapped) return swapped;
    for (std::size_t i = 0; i < options_.instants; ++i) {
      advance();
      if (auto done = at_instant(i); !done) return done;
      if (auto done = learn(); !done) return done;
    }
    return ok;
  }

  [[nodiscard]] learning_result figures() const {
    learning_result out;
    std::vector<score_row> all;
    double gain = 0;
    for (std::size_t k = 0; k < rows_.size(); ++k) {
      const auto own = expected_gain(process_, options_.horizons[k], options_.strength);
      auto figure = figure_of(rows_[k], own);
      figure.over = options_.horizons[k];
      gain += own * static_cast<double>(rows_[k].size());
      all.insert(all.end(), rows_[k].begin(), rows_[k].end());
      out.horizons.push_back(figure);
    }
    out.all = figure_of(all, gain / static_cast<double>(std::max<std::size_t>(all.size(), 1)));
    out.trained = trainer_.report();
    out.checkpoints = checkpoints_;
    return out;
  }

private:
  void advance() {
    process_.step();
    history_.erase(history_.begin());
    history_.push_back(process_.u);
    now_ = now_ + frame_step;
  }

  feature_frame make_frame() {
    const auto& net = options_.training.network;
    std::vector<float> features(static_cast<std::size_t>(net.channels * net.steps));
    for (auto& x : features) x = static_cast<float>(noise_.normal());
    std::copy(history_.begin(), history_.end(), features.begin());
    feature_frame frame;
    frame.instrument = instrument_;
    frame.at = now_;
    frame.schema = net.frame_schema;
    frame.validity = book_validity::valid;
    const auto mid = static_cast<std::int64_t>(std::llround(start_price * std::exp(process_.log_price)));
    frame.bid = {{mid - 1}, {1}};
    frame.ask = {{mid + 1}, {1}};
    frame.features = pack_f32(features, {net.channels, net.steps});
    return frame;
  }

  status at_instant(std::size_t instant) {
    const auto frame = make_frame();
    seen_.emplace(frame.at.ns, std::pair{instant, process_.u});
    auto features = frame_features(frame, options_.training.network);
    if (!features) return std::move(features).error();
    auto raw = serving_->forward(*features, 1);
    if (!raw) return std::move(raw).error();
    inference_answer answer{version_, {}};
    for (std::size_t h = 0; h < all_horizons.size(); ++h)
      answer.forecasts.push_back(to_forecast(raw->front()[h], all_horizons[h]));
    for (std::size_t k = 0; k < predictors_.size(); ++k) {
      for (auto& due : predictors_[k].observe(frame))
        if (auto done = mature(k, due); !done) return done;
      if (predictors_[k].judge(frame) != abstention::none) continue;
      auto made = predictors_[k].predict(frame, answer);
      if (!made) return std::move(made).error();
      if (auto stored = store_->put_snapshot(*made); !stored) return std::move(stored).error();
    }
    return ok;
  }

  status mature(std::size_t k, matured_prediction& due) {
    const auto [instant, u] = seen_.at(due.what.at.ns);
    const auto h = options_.horizons[k];
    if (instant >= options_.instants / 2)
      rows_[k].push_back({instant, static_cast<double>(due.then.brier_ppm) * 1e-6,
                          brier_of(process_.chance(h, process_.beta), due.then.label),
                          brier_of(process_.bayes(h, u), due.then.label)});
    if (auto placed = store_->mature({due.what.id, std::move(due.then)}); !placed)
      return std::move(placed).error();
    return ok;
  }

  status learn() {
    const auto block = static_cast<std::uint32_t>(trainer_.block_size());
    auto pulled = store_->pull({trainer_.report().consumed, block});
    if (!pulled) return std::move(pulled).error();
    if (pulled->rows.size() < block) return ok;
    if (auto trained = trainer_.train_block(pulled->rows); !trained) return std::move(trained).error();
    if (trainer_.report().trained - trained_at_swap_ < options_.swap_every) return ok;
    return swap();
  }

  // A checkpoint as it would travel: written, checked, loaded, served.
  status swap() {
    const auto made = trainer_.make_checkpoint(now_);
    trainer_.made_durable(made.manifest);
    auto net =
        load_checkpoint(made.manifest, made.weights, options_.training.network, "checkpoint of the proof");
    if (!net) return std::move(net).error();
    serving_.emplace(std::move(*net));
    version_ = made.manifest.version;
    trained_at_swap_ = trainer_.report().trained;
    ++checkpoints_;
    return ok;
  }

  learning_options options_;
  instrument_id instrument_{"PLANTED@proof"};
  planted_process process_;
  trainer trainer_;
  std::unique_ptr<store> store_;
  random_stream noise_;
  std::vector<predictor> predictors_;
  std::vector<std::vector<score_row>> rows_; // by predictor
  std::vector<double> history_;
  std::map<std::int64_t, std::pair<std::size_t, double>> seen_;
  std::optional<network> serving_;
  model_version version_;
  market_time now_{1'700'000'000'000'000'000};
  std::uint64_t trained_at_swap_ = 0;
  std::uint64_t checkpoints_ = 0;
};

void write_figure(json_writer& w, const learning_figure& f) {
  w.begin_object().field("samples", f.samples).field("model", f.model).field("chance", f.chance);
  w.field("bayes", f.bayes).field("ratio", f.ratio, 4).field("error", f.error, 4).end_object();
}

} // namespace

result<learning_result> learning_proof(const learning_options& options) {
  const auto begin = std::clock();
  auto training = options.training;
  training.seed = options.seed;
  auto t = trainer::start(training);
  if (!t) return std::move(t).error();
  learning_chain chain{options, std::move(*t)};
  if (auto done = chain.run(); !done) return std::move(done).error();
  auto out = chain.figures();
  out.seed = options.seed;
  out.tolerance = 3 * out.all.error + options.loss_allowance;
  out.learned = out.all.ratio >= 0.5;
  out.at_chance = std::abs(out.all.ratio) <= out.tolerance;
  out.cpu_seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return out;
}

std::string to_json(const learning_result& what) {
  json_writer w;
  w.begin_object().field("seed", what.seed).key("all");
  write_figure(w, what.all);
  for (const auto& f : what.horizons) {
    w.key(name_of(f.over));
    write_figure(w, f);
  }
  w.field("tolerance", what.tolerance, 4).field("learned", what.learned).field("at_chance", what.at_chance);
  w.field("trained", what.trained.trained).field("replayed", what.trained.replayed);
  w.field("steps", what.trained.version.step).field("loss", what.trained.loss);
  w.field("first_loss", what.trained.first_loss).field("checkpoints", what.checkpoints);
  w.field("cpu_seconds", what.cpu_seconds, 1);
  return std::move(w.end_object()).text();
}

} // namespace troupe
