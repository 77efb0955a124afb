#include "tools/node/learning_rooms.hpp"

#include "actors/feeds/features.hpp"
#include "actors/models/model_actor.hpp"
#include "actors/trainers/trainer_actor.hpp"
#include "tools/node/placement_room.hpp"

namespace troupe::node {
namespace {

double real(const configuration& config, const std::string& path) {
  return static_cast<double>(config.decimal(path, 9)) * 1e-9;
}

std::string key(const std::string& model, const char* what) { return "models." + model + "." + what; }

network_options network_of(const configuration& config, const std::string& model) {
  network_options out;
  out.model = model;
  out.frame_schema = feature_schema_version;
  out.channels = static_cast<std::int64_t>(feature_channels);
  out.steps = static_cast<std::int64_t>(feature_steps);
  out.width = config.integer(key(model, "width"));
  return out;
}

/// A model that predictors ask must be configured.
status check_models(const configuration& config) {
  const auto wanted = config.text("predictor.model");
  for (const auto& name : config.names("models"))
    if (name == wanted) return ok;
  return {config_errc::missing_value, "models.yaml has no block for '" + wanted + "', which predictor.model names"};
}

} // namespace

result<std::vector<child_definition>> model_room(const room_context& context) {
  if (auto checked = check_models(context.config); !checked) return std::move(checked).error();
  std::vector<child_definition> out;
  for (const auto& model : context.config.names("models")) {
    model_actor_options options;
    options.network = network_of(context.config, model);
    if (auto fits = check_options(options.network); !fits) return std::move(fits).error();
    options.batching.max_batch = static_cast<std::size_t>(context.config.integer(key(model, "max_batch")));
    options.batching.max_age = context.config.duration(key(model, "batch_wait"));
    options.checkpoints = context.data / "checkpoints";
    // With several model nodes each keeps every checkpoint and is ready to serve it; one answers to the name.
    const auto name = own_name(context, node_role::model, "model/" + model);
    if (several(context, node_role::model)) context.placed.push_back({"model/" + model, name, {}});
    out.push_back(child<model_state>(named_child(name), spawn_options{.detached = true}, context.env, options));
  }
  return out;
}

result<std::vector<child_definition>> train_room(const room_context& context) {
  if (auto checked = check_models(context.config); !checked) return std::move(checked).error();
  std::vector<child_definition> out;
  for (const auto& model : context.config.names("models")) {
    if (!belongs_here(context, node_role::train, "trainer/" + model)) continue;
    trainer_actor_options options;
    options.stores = own_names(context, node_role::ingest, "store");
    options.training.network = network_of(context.config, model);
    if (auto fits = check_options(options.training.network); !fits) return std::move(fits).error();
    options.training.seed = static_cast<std::uint64_t>(context.config.integer(key(model, "seed")));
    options.training.batch = static_cast<std::size_t>(context.config.integer(key(model, "batch")));
    options.training.learning_rate = real(context.config, key(model, "learning_rate"));
    options.training.weight_decay = real(context.config, key(model, "weight_decay"));
    options.checkpoint_samples = static_cast<std::uint64_t>(context.config.integer(key(model, "checkpoint_samples")));
    options.checkpoint_every = context.config.duration(key(model, "checkpoint_every"));
    options.data = context.data;
    out.push_back(child<trainer_state>(named_child("trainer/" + model), spawn_options{.detached = true}, context.env, options));
  }
  return out;
}

} // namespace troupe::node
