#include "actors/models/model_actor.hpp"

#include "messages/json.hpp"
#include "messages/operator_fault.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"

namespace troupe {
namespace {

/// The weights are whole, but of another network than the one that is configured.
bool is_of_another_shape(const error& why) {
  for (const auto code : {model_errc::wrong_architecture, model_errc::wrong_shape, model_errc::wrong_type,
                          model_errc::missing_tensor, model_errc::unknown_tensor})
    if (why.code == make_error_code(code)) return true;
  return false;
}

} // namespace

model_state::model_state(self_pointer self, actor_environment env, model_actor_options options)
    : self_{self}, env_{env}, options_{std::move(options)}, waiting_{options_.batching} {
  init_model_thread();
  open_checkpoints();
  serve_newest();
}

model_actor::behavior_type model_state::make_behavior() {
  return {
      [this](const status_request&) -> reply<status_report> {
        run_due_batches();
        return status_report{self_->core().name(), status_json()};
      },
      [this](const inference_request& r) { return infer(r); },
      [this](const checkpoint_chunk& piece) {
        run_due_batches();
        return take(piece);
      },
      [this](const checkpoint_activate& order) {
        run_due_batches();
        return activate(order);
      },
  };
}

// --- checkpoints ---------------------------------------------------------------------------------

void model_state::open_checkpoints() {
  auto opened = checkpoint_store::open(real_disk(), {.root = options_.checkpoints});
  if (opened) store_.emplace(std::move(*opened));
  else {
    store_error_ = opened.error().message();
    log::error("model", "checkpoint directory can't be used: " + store_error_,
               {{"model", options_.network.model}});
  }
}

result<model_state::served> model_state::load(const std::string& weights) {
  if (!store_) return {model_errc::no_weights, store_error_};
  auto manifest = store_->manifest(options_.network.model, weights);
  if (!manifest) return std::move(manifest).error();
  auto bytes = store_->weights(options_.network.model, weights);
  if (!bytes) return std::move(bytes).error();
  const auto source = options_.network.model + " checkpoint " + weights.substr(0, 12);
  auto net = load_checkpoint(*manifest, *bytes, options_.network, source);
  if (!net) return std::move(net).error();
  // One forecast before it may serve: weights that answer NaN are refused here, not in the market.
  const std::vector<float> nothing(
      static_cast<std::size_t>(options_.network.channels * options_.network.steps));
  if (auto tried = net->forward(nothing, 1); !tried) return std::move(tried).error();
  return served{std::move(*net), std::move(*manifest)};
}

void model_state::serve_newest() {
  if (!store_) return;
  const auto known = store_->list(options_.network.model);
  if (!known) {
    log::error("model", known.error().message(), {{"model", options_.network.model}});
    return;
  }
  std::optional<troupe::error> unfit;
  for (const auto& manifest : *known) {
    auto loaded = load(manifest.version.weights);
    if (loaded) {
      serving_.emplace(std::move(*loaded));
      log::info("model", "serves checkpoint from its directory",
                {{"weights", manifest.version.weights}, {"step", std::to_string(manifest.version.step)}});
      return;
    }
    ++refused_checkpoints_;
    last_refusal_ = loaded.error().message();
    log::error("model", "checkpoint refused: " + last_refusal_, {{"weights", manifest.version.weights}});
    if (!unfit && is_of_another_shape(loaded.error())) unfit = loaded.error();
  }
  if (!unfit) return;
  // Nothing serves, and what the trainer sends will fit no better: a person changed the configuration.
  const auto& model = options_.network.model;
  stop(self_, for_operator({unfit->code, (options_.checkpoints / model).string() + ": " + unfit->text + "; set models."
                                             + model + " back to what it was, or move that folder away to begin anew"}));
}

reply<checkpoint_receipt> model_state::take(const checkpoint_chunk& piece) {
  if (!store_) return to_caf({make_error_code(model_errc::no_weights), store_error_});
  const auto& m = piece.manifest;
  const auto expected = architecture_of(options_.network);
  if (m.version.model != options_.network.model || m.architecture != expected)
    return to_caf({make_error_code(model_errc::wrong_architecture),
                   "checkpoint " + m.version.weights.substr(0, 12) + " is of \"" + m.architecture
                       + "\", this model is \"" + expected + '"'});
  auto receipt = store_->take(piece);
  if (!receipt) return to_caf(receipt.error());
  return std::move(*receipt);
}

reply<acknowledged> model_state::activate(const checkpoint_activate& order) {
  if (order.model != options_.network.model)
    return to_caf({make_error_code(model_errc::wrong_architecture),
                   "this is model " + options_.network.model + ", not " + order.model});
  if (serving_ && serving_->manifest.version.weights == order.weights)
    return acknowledged{serving_->manifest.version.step};
  auto loaded = load(order.weights);
  if (!loaded) {
    ++refused_checkpoints_;
    last_refusal_ = loaded.error().message();
    log::error("model", "checkpoint refused, the last good one stays: " + last_refusal_,
               {{"weights", order.weights}});
    return to_caf(loaded.error());
  }
  serving_.emplace(std::move(*loaded));
  ++swaps_;
  prune();
  return acknowledged{serving_->manifest.version.step};
}

void model_state::prune() {
  const auto removed =
      store_->prune(options_.network.model, options_.keep, {serving_->manifest.version.weights});
  if (!removed) log::warn("model", "old checkpoints could not be removed: " + removed.error().message());
}

// --- inference -----------------------------------------------------------------------------------

reply<inference_answer> model_state::infer(const inference_request& r) {
  const auto refuse = [this](const troupe::error& why) {
    run_due_batches();
    return to_caf(why);
  };
  if (r.model != options_.network.model)
    return refuse({make_error_code(model_errc::wrong_architecture),
                   "this is model " + options_.network.model + ", not " + r.model});
  if (!serving_) {
    ++without_weights_;
    return refuse(
        {make_error_code(model_errc::no_weights),
         "model " + options_.network.model + " has no weights yet; its trainer publishes the first ones"});
  }
  auto features = frame_features(r.frame, options_.network);
  if (!features) {
    ++refused_frames_;
    last_refusal_ = features.error().message();
    return refuse(features.error());
  }
  if (waiting_.size() >= options_.batching.capacity) {
    ++overloaded_;
    return refuse({make_error_code(model_errc::overloaded),
                   "model " + options_.network.model + ": too many requests wait"});
  }
  request next{std::move(*features), make_promise<inference_answer>(self_)};
  auto answer = next.answer;
  waiting_.push(next, env_.steady->now());
  run_due_batches();
  return answer;
}

void model_state::run_due_batches() {
  // What waits in the mailbox joins the batch; when the mailbox is empty, waiting longer gains nothing.
  while (waiting_.due(env_.steady->now(), self_->core().stats().mailbox()))
    run(waiting_.take(env_.steady->now()));
  if (waiting_.size() == 0 || age_timer_) return;
  age_timer_ = true; // in case what was in the mailbox never comes to a handler of ours
  schedule(self_, options_.batching.max_age, [this] {
    age_timer_ = false;
    run_due_batches();
  });
}

void model_state::run(batch_type::closed_batch batch) {
  for (auto& item : batch.expired) {
    ++expired_;
    fail(item.item.answer,
         {make_error_code(model_errc::expired), "the request waited longer than its deadline"});
  }
  if (batch.ready.empty()) return;
  const auto& o = options_.network;
  const auto per_frame = static_cast<std::size_t>(o.channels * o.steps);
  const auto shape = bucket_for(options_.batching.buckets, batch.ready.size());
  std::vector<float> frames;
  frames.reserve(shape * per_frame);
  for (const auto& item : batch.ready)
    frames.insert(frames.end(), item.item.features.begin(), item.item.features.end());
  frames.resize(shape * per_frame);
  const auto rows = serving_->net.forward(frames, shape);
  if (!rows) {
    for (auto& item : batch.ready) fail(item.item.answer, rows.error());
    log::error("model", rows.error().message(), {{"model", o.model}});
    return;
  }
  ++batches_;
  answer(batch.ready, *rows);
}

void model_state::answer(std::vector<batch_type::waiting_item>& items,
                         const std::vector<raw_forecasts>& rows) {
  const auto now = env_.steady->now();
  for (std::size_t i = 0; i < items.size(); ++i) {
    inference_answer out;
    out.version = serving_->manifest.version;
    for (std::size_t h = 0; h < all_horizons.size(); ++h)
      out.forecasts.push_back(to_forecast(rows[i][h], all_horizons[h]));
    items[i].item.answer.deliver(std::move(out));
    latency_.record((now - items[i].arrived).count());
    ++inferences_;
  }
}

std::string model_state::status_json() const {
  json_writer w;
  w.begin_object()
      .field("model", options_.network.model)
      .field("architecture", architecture_of(options_.network));
  w.field("ready", serving_.has_value());
  w.field("serving", serving_ ? serving_->manifest.version.weights : std::string{});
  w.field("step", serving_ ? serving_->manifest.version.step : 0);
  w.field("trained_to", serving_ ? serving_->manifest.trained_to : 0);
  w.field("inferences", inferences_).field("batches", batches_);
  w.field("mean_batch",
          batches_ == 0 ? 0.0 : static_cast<double>(inferences_) / static_cast<double>(batches_), 2);
  w.field("p50_us", static_cast<double>(latency_.quantile(0.5)) / 1e3, 1);
  w.field("p99_us", static_cast<double>(latency_.quantile(0.99)) / 1e3, 1);
  w.field("expired", expired_).field("overloaded", overloaded_).field("refused_frames", refused_frames_);
  w.field("without_weights", without_weights_).field("swaps", swaps_);
  w.field("refused_checkpoints", refused_checkpoints_).field("last_refusal", last_refusal_);
  return std::move(w.end_object()).text();
}

} // namespace troupe
