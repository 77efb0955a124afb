#include "actors/trainers/trainer_actor.hpp"

#include "actors/trainers/training_chain.hpp"
#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/cluster/small_file.hpp"
#include "runtime/log.hpp"
#include "storage/lasting_fault.hpp"

#include <algorithm>
#include <cstdlib>

namespace troupe {
namespace {

/// A holder that failed so often in a row does not hold up the others.
constexpr std::uint32_t patience = 5;
constexpr std::size_t training_states_kept = 3;
constexpr std::string_view streams_magic = "troupe-streams 1";

} // namespace

trainer_state::trainer_state(self_pointer self, actor_environment env, trainer_actor_options options)
    : self_{self}, env_{env}, options_{std::move(options)} {
  init_model_thread();
  options_.pull_rows = std::max<std::uint32_t>(options_.pull_rows, 1);
  streams_ = stream_positions{options_.stores};
}

trainer_actor::behavior_type trainer_state::make_behavior() {
  open();
  if (trainer_) schedule(self_, nanoseconds{0}, [this] { on_tick(); });
  return {
      [this](const status_request&) -> reply<status_report> {
        return status_report{self_->core().name(), status_json()};
      },
  };
}

// --- starting ------------------------------------------------------------------------------------

std::filesystem::path trainer_state::training_file(const std::string& weights) const {
  return options_.data / "training" / options_.training.network.model / (weights + ".state");
}

result<stream_positions> trainer_state::read_streams(const checkpoint_manifest& manifest) const {
  const auto file = training_file(manifest.version.weights + ".streams");
  auto kept = load_rows(file.parent_path(), file.filename(), streams_magic);
  if (!kept) return error{make_error_code(storage_errc::damaged), kept.error().text};
  stream_positions::rows_type positions;
  for (const auto& [store, position] : kept->rows) positions[store] = std::strtoull(position.c_str(), nullptr, 10);
  stream_positions out{options_.stores};
  out.resume(manifest.trained_to, positions);
  return out;
}

bool trainer_state::is_store(const std::string& where) const {
  return std::ranges::find(options_.stores, where) != options_.stores.end();
}

result<checkpoint> trainer_state::read_checkpoint(const checkpoint_manifest& manifest) {
  const auto& model = options_.training.network.model;
  auto weights = store_->weights(model, manifest.version.weights);
  if (!weights) return std::move(weights).error();
  auto state = read_whole(real_disk(), training_file(manifest.version.weights), std::uint64_t{4} << 30);
  if (!state) return std::move(state).error();
  return checkpoint{manifest, std::move(*weights), std::move(*state)};
}

void trainer_state::open() {
  const auto give_up = [this](const troupe::error& found) {
    const auto why = as_start_error(found);
    log::error("trainer", why.text, {{"model", options_.training.network.model}});
    stop(self_, why);
  };
  auto opened = checkpoint_store::open(real_disk(), {.root = options_.data / "checkpoints", .set_aside = false});
  if (!opened) return give_up(opened.error());
  store_.emplace(std::move(*opened));
  const auto& model = options_.training.network.model;
  if (auto made = real_disk().create_directories(options_.data / "training" / model); !made)
    return give_up(made.error());
  auto known = store_->list(model);
  if (!known) return give_up(known.error());
  manifests_.assign(known->rbegin(), known->rend());
  std::optional<troupe::error> refusal;
  for (const auto& manifest : *known) {
    const auto source = model + " checkpoint " + manifest.version.weights.substr(0, 12);
    auto bytes = read_checkpoint(manifest);
    auto resumed =
        bytes ? trainer::resume(options_.training, *bytes, source) : result<trainer>{bytes.error()};
    auto streams = read_streams(manifest);
    if (resumed && !streams) resumed = streams.error();
    if (!resumed) {
      // The newest one's reason: older ones may only lack what was pruned.
      if (!refusal) refusal = resumed.error();
      log::warn("trainer", "can't go on from this checkpoint: " + resumed.error().message());
      continue;
    }
    trainer_.emplace(std::move(*resumed));
    streams_ = std::move(*streams);
    newest_ = std::move(*bytes);
    resumed_from_ = manifest.version.weights;
    break;
  }
  // Starting afresh beside checkpoints that are there would train on the whole stream a second time.
  if (!trainer_ && !refusal && !store_->damaged().empty())
    refusal = troupe::error{make_error_code(storage_errc::damaged), store_->damaged().front()};
  if (!trainer_ && refusal) {
    const auto remedy = refusal->code == storage_errc::damaged
                            ? std::string{"restore it from a copy (the store and the model node keep the newest)"}
                            : "set models." + model + " back to what it was";
    refusal->text = (options_.data / "checkpoints" / model).string() + ": " + refusal->text + "; " + remedy
                    + ", or move that folder away to begin anew";
    const bool may_pass = refusal->code == storage_errc::io_failed;
    return give_up(may_pass ? *refusal : for_operator(*refusal));
  }
  if (!trainer_) {
    auto fresh = trainer::start(options_.training);
    if (!fresh) return give_up(fresh.error());
    trainer_.emplace(std::move(*fresh));
    if (auto written = write_checkpoint(); !written) return give_up(written.error());
  }
  if (!manifests_.empty()) first_weights_ = manifests_.front().version.weights;
  checkpoint_at_ = env_.steady->now();
  trained_at_checkpoint_ = trainer_->report().trained;
  log::info("trainer", resumed_from_.empty() ? "starts from initial weights" : "resumes",
            {{"model", model}, {"consumed", std::to_string(trainer_->report().consumed)},
             {"weights", newest_->manifest.version.weights}});
}

// --- training ------------------------------------------------------------------------------------

void trainer_state::on_tick() {
  pull_all();
  checkpoint_if_due();
  publish();
  schedule(self_, options_.tick, [this] { on_tick(); });
}

void trainer_state::pull_all() {
  for (const auto& store : options_.stores) pull(store);
}

void trainer_state::pull(const std::string& name) {
  if (pulling_.contains(name)) return;
  const auto store = env_.names->find<store_actor>(name);
  if (!store) return;
  pulling_.insert(name);
  ask(self_, store, options_.ask_timeout, training_pull{streams_.after(name), options_.pull_rows})
      .then([this, name](const training_batch& batch) { take(name, batch); },
            [this, name](const troupe::error& why) {
              pulling_.erase(name);
              ++pull_errors_;
              last_error_ = why.message();
            });
}

void trainer_state::take(const std::string& store, const training_batch& batch) {
  pulling_.erase(store);
  newest_in_store_[store] = batch.newest;
  for (auto& row : streams_.take(store, batch.rows)) rows_.push_back(std::move(row));
  train_whole_blocks();
  checkpoint_if_due();
  if (!batch.rows.empty()) pull(store);
}

void trainer_state::train_whole_blocks() {
  const auto block = trainer_->block_size();
  std::size_t used = 0;
  while (rows_.size() - used >= block) {
    auto trained = trainer_->train_block(std::span{rows_}.subspan(used, block));
    if (!trained) {
      // The weights may hold a part of the block: only the last checkpoint is known to be whole.
      log::error("trainer", trained.error().message());
      stop(self_, trained.error());
      break;
    }
    used += block;
    streams_.consumed(block);
  }
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(used));
}

void trainer_state::checkpoint_if_due() {
  const auto trained = trainer_->report().trained;
  if (trained == trained_at_checkpoint_) return;
  const auto now = env_.steady->now();
  if (trained - trained_at_checkpoint_ < options_.checkpoint_samples
      && now - checkpoint_at_ < options_.checkpoint_every)
    return;
  checkpoint_at_ = now; // also after a failure: the next try waits as long
  if (auto written = write_checkpoint(); !written) {
    ++write_errors_;
    last_error_ = written.error().message();
    log::error("trainer", "checkpoint could not be written: " + last_error_);
    return;
  }
  trained_at_checkpoint_ = trained;
  publish();
}

status trainer_state::write_checkpoint() {
  auto made = trainer_->make_checkpoint(env_.market->now());
  if (auto saved = replace_file(real_disk(), training_file(made.manifest.version.weights), made.training);
      !saved)
    return saved;
  // How far it is in each store's stream goes to disk before the commit, too, under the same hash.
  if (options_.stores.size() > 1) {
    const auto file = training_file(made.manifest.version.weights + ".streams");
    kept_rows positions{made.manifest.trained_to, {}};
    for (const auto& [store, position] : streams_.trained()) positions.rows.emplace_back(store, std::to_string(position));
    if (auto saved = save_rows(file.parent_path(), file.filename(), streams_magic, positions); !saved) return saved;
  }
  if (auto put = store_->put(made.manifest, made.weights); !put) return put;
  trainer_->made_durable(made.manifest);
  ++checkpoints_;
  manifests_.push_back(made.manifest);
  newest_ = std::move(made);
  remove_old();
  return ok;
}

void trainer_state::remove_old() {
  // A trainer's state is as long as several checkpoints: only the newest few are kept. Old weights go by
  // the store's rule; the first ones stay, they are what all later ones are compared with.
  if (manifests_.size() > training_states_kept) {
    const auto& old = manifests_[manifests_.size() - 1 - training_states_kept];
    if (auto removed = real_disk().remove(training_file(old.version.weights)); !removed)
      log::warn("trainer", removed.error().message());
    std::error_code ignored;
    std::filesystem::remove(training_file(old.version.weights + ".streams"), ignored);
  }
  if (manifests_.size() <= options_.keep) return;
  const auto removed = store_->prune(options_.training.network.model, options_.keep,
                                     {manifests_.front().version.weights});
  if (!removed) log::warn("trainer", removed.error().message());
}

// --- publishing ----------------------------------------------------------------------------------

void trainer_state::publish() {
  if (!newest_) return;
  refresh_holders();
  for (auto& [where, to] : holders_)
    if (!to.asking && to.complete != newest_->manifest.version.weights) push(where, to);
  activate_if_held();
}

void trainer_state::refresh_holders() {
  const auto prefix = "model/" + options_.training.network.model;
  auto found = env_.names->list(prefix);
  std::erase_if(found, [&](const auto& row) {
    return row.first.size() > prefix.size() && row.first[prefix.size()] != '/';
  });
  // Where several nodes keep the model, the plain name only leads to the one of them that serves.
  if (found.size() > 1) std::erase_if(found, [&](const auto& row) { return row.first == prefix; });
  for (const auto& store : options_.stores)
    if (auto entry = env_.names->entry(store)) found.emplace_back(store, *entry);
  std::erase_if(holders_, [&](const auto& known) {
    return std::ranges::none_of(found, [&](const auto& row) { return row.first == known.first; });
  });
  for (const auto& [where, entry] : found) {
    auto& known = holders_[where];
    if (known.incarnation == entry.incarnation && known.node == entry.node) continue;
    known = {}; // a new incarnation: what it holds is to be seen
    known.incarnation = entry.incarnation;
    known.node = entry.node;
  }
}

trainer_state::holder* trainer_state::current(const std::string& where, std::uint64_t incarnation) {
  const auto it = holders_.find(where);
  return it == holders_.end() || it->second.incarnation != incarnation ? nullptr : &it->second;
}

void trainer_state::push(const std::string& where, holder& to) {
  auto piece =
      checkpoint_chunk{newest_->manifest, std::min<std::uint64_t>(to.offset, newest_->weights.size()), {}};
  piece.bytes = newest_->weights.substr(static_cast<std::size_t>(piece.offset), checkpoint_chunk_bytes);
  to.asking = true;
  const auto incarnation = to.incarnation;
  const auto ok = [this, where, incarnation](const checkpoint_receipt& r) { pushed(where, incarnation, r); };
  const auto err = [this, where, incarnation](const troupe::error& why) { failed(where, incarnation, why); };
  if (is_store(where))
    ask(self_, env_.names->find<store_actor>(where), options_.ask_timeout, std::move(piece)).then(ok, err);
  else ask(self_, env_.names->find<model_actor>(where), options_.ask_timeout, std::move(piece)).then(ok, err);
}

void trainer_state::pushed(const std::string& where, std::uint64_t incarnation,
                           const checkpoint_receipt& receipt) {
  auto* to = current(where, incarnation);
  if (!to) return;
  to->asking = false;
  to->failures = 0;
  const auto& newest = newest_->manifest.version.weights;
  if (receipt.weights != newest) {
    to->offset = 0; // a newer checkpoint was made meanwhile
    push(where, *to);
    return;
  }
  if (receipt.complete) {
    to->complete = receipt.weights;
    to->offset = 0;
    activate_if_held();
    return;
  }
  to->offset = receipt.received;
  push(where, *to);
}

void trainer_state::failed(const std::string& where, std::uint64_t incarnation, const troupe::error& why) {
  auto* to = current(where, incarnation);
  if (!to) return;
  to->asking = false;
  ++to->failures;
  to->offset = 0;
  to->last_error = why.message();
  if (to->failures == 1 || to->failures == patience)
    log::warn("trainer", "checkpoint not delivered: " + to->last_error, {{"to", where}});
}

void trainer_state::activate_if_held() {
  const auto& weights = newest_->manifest.version.weights;
  const auto held = [&](const auto& row) { return row.second.complete == weights; };
  // A store's copy is a must; a model that does not answer can't serve old weights unnoticed either.
  if (std::ranges::none_of(holders_, [&](const auto& row) { return is_store(row.first) && held(row); })) return;
  if (!std::ranges::all_of(holders_,
                           [&](const auto& row) { return held(row) || row.second.failures >= patience; }))
    return;
  for (auto& [where, to] : holders_) {
    if (is_store(where) || to.asking || to.complete != weights || to.activated == weights) continue;
    to.asking = true;
    const auto incarnation = to.incarnation;
    ask(self_, env_.names->find<model_actor>(where), options_.ask_timeout,
        checkpoint_activate{options_.training.network.model, weights})
        .then(
            [this, where, incarnation, weights](const acknowledged&) {
              auto* done = current(where, incarnation);
              if (!done) return;
              done->asking = false;
              done->failures = 0;
              done->activated = weights;
              published_ = weights;
            },
            [this, where, incarnation](const troupe::error& why) { failed(where, incarnation, why); });
  }
}

// --- status --------------------------------------------------------------------------------------

std::string trainer_state::status_json() const {
  const auto r = trainer_ ? trainer_->report() : trainer_report{};
  const auto chain = check_training_chain(manifests_);
  std::uint64_t newest = 0;
  for (const auto& [store, sequence] : newest_in_store_) newest += sequence;
  json_writer w;
  w.begin_object().field("model", options_.training.network.model);
  w.field("architecture", architecture_of(options_.training.network));
  w.field("steps", r.version.step).field("consumed", r.consumed).field("newest_in_store", newest);
  w.field("trained", r.trained).key("trained_by_horizon").begin_object();
  for (const auto h : all_horizons) w.field(name_of(h), r.trained_by_horizon[static_cast<std::size_t>(h)]);
  w.end_object();
  w.field("replayed", r.replayed).field("refused", r.refused).field("last_refusal", r.last_refusal);
  w.field("skipped_steps", r.skipped_steps).field("loss", r.loss).field("first_loss", r.first_loss);
  w.field("loss_samples", r.loss_samples);
  w.field("first_weights", first_weights_).field("weights", r.version.weights).field("published", published_);
  w.field("resumed_from", resumed_from_).field("checkpoints", checkpoints_);
  w.key("chain").begin_object().field("checkpoints", chain.checkpoints).field("trained_to", chain.trained_to);
  w.field("lineage", chain.lineage).field("abandoned", chain.abandoned);
  w.field("trained_twice", chain.trained_twice).field("gaps", chain.gaps).end_object();
  w.key("holders").begin_object();
  for (const auto& [where, to] : holders_) {
    w.key(where).begin_object().field("complete", to.complete).field("activated", to.activated);
    w.field("failures", to.failures).field("last_error", to.last_error).end_object();
  }
  w.end_object();
  w.key("streams").begin_object();
  for (const auto& [store, position] : streams_.trained()) w.field(store, position);
  w.end_object();
  w.field("pull_errors", pull_errors_).field("write_errors", write_errors_).field("last_error", last_error_);
  return std::move(w.end_object()).text();
}

} // namespace troupe
