#include "actors/predictors/predictor_actor.hpp"

#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"
#include "storage/errc.hpp"

namespace troupe {
namespace {

constexpr std::size_t outcomes_in_flight = 16;

std::string label(const predictor_options& o) {
  return o.instrument.text + '/' + std::string{name_of(o.over)};
}

} // namespace

predictor_state::predictor_state(self_pointer self, actor_environment env, predictor_actor_options options)
    : self_{self}, env_{env}, options_{std::move(options)}, core_{options_.core} {
  // Errors of the store keep their codes when it lives on another node.
  register_error_category(make_error_code(storage_errc::io_failed).category());
  declare_setting(self_, whole_setting(
                             "model_timeout_ms",
                             "after so long without an answer of the model it abstains, milliseconds", 10, 60'000,
                             [this] { return options_.model_timeout.count() / 1'000'000; },
                             [this](std::int64_t ms) { options_.model_timeout = std::chrono::milliseconds{ms}; }));
  declare_setting(self_, whole_setting(
                             "store_timeout_ms",
                             "after so long without an answer of the store it asks again, milliseconds", 50, 60'000,
                             [this] { return options_.store_timeout.count() / 1'000'000; },
                             [this](std::int64_t ms) { options_.store_timeout = std::chrono::milliseconds{ms}; }));
}

predictor_actor::behavior_type predictor_state::make_behavior() {
  load_pending({});
  return {
      [this](const status_request&) -> reply<status_report> {
        return status_report{self_->core().name(), status_json()};
      },
      [this](const feature_frame& frame) {
        if (ready_) return on_frame(frame);
        held_.push_back(frame);
        if (held_.size() <= options_.frames_held) return;
        held_.pop_front();
        ++frames_dropped_;
      },
  };
}

// --- start: what the store still waits for -------------------------------------------------------

void predictor_state::load_pending(std::string after) {
  const auto again = [this, after](const troupe::error& why) {
    last_error_ = why.message();
    schedule(self_, options_.retry, [this, after] { load_pending(after); });
  };
  const auto& core = options_.core;
  ask(self_, env_.names->find<store_actor>(options_.store), options_.store_timeout,
      pending_request{core.instrument, core.over, options_.page, after})
      .then(
          [this](const prediction_list& page) {
            for (const auto& row : page.rows)
              if (auto loaded = core_.load(row); !loaded)
                log::error("predictor", loaded.error().message(), {{"predictor", label(options_.core)}});
            if (page.more && !page.rows.empty()) load_pending(page.rows.back().id);
            else finish_loading();
          },
          again);
}

void predictor_state::finish_loading() {
  ready_ = true;
  if (core_.pending() > 0)
    log::info("predictor", "took over predictions without outcome",
              {{"predictor", label(options_.core)}, {"count", std::to_string(core_.pending())}});
  while (!held_.empty()) {
    const auto frame = std::move(held_.front());
    held_.pop_front();
    on_frame(frame);
  }
}

// --- a new instant -------------------------------------------------------------------------------

void predictor_state::on_frame(const feature_frame& frame) {
  mature(frame);
  if (const auto why = core_.judge(frame); why != abstention::none) return abstain(std::string{text_of(why)});
  if (outcomes_.size() + unstored_.size() >= options_.core.max_pending)
    return abstain("the store takes nothing");
  ask_model(frame);
}

void predictor_state::mature(const feature_frame& frame) {
  for (auto& due : core_.observe(frame))
    outcomes_.emplace(due.what.id, outgoing_outcome{{due.what.id, std::move(due.then)}, false});
  send_outcomes();
}

void predictor_state::abstain(std::string why) {
  core_.abstain();
  ++abstentions_[std::move(why)];
}

void predictor_state::ask_model(const feature_frame& frame) {
  const auto model = env_.names->find<model_actor>("model/" + options_.model);
  ask(self_, model, options_.model_timeout, inference_request{options_.model, frame})
      .then([this, frame](const inference_answer& answer) { answered(frame, answer); },
            [this](const troupe::error& why) {
              ++model_errors_;
              last_error_ = why.message();
              abstain("the model did not answer");
            });
}

void predictor_state::answered(const feature_frame& frame, const inference_answer& answer) {
  auto made = core_.predict(frame, answer);
  if (!made) {
    last_error_ = made.error().message();
    abstain(made.error().code.message());
    return;
  }
  last_version_ = answer.version;
  unstored_.insert(made->what.id);
  put(std::move(*made), 1);
}

// --- the snapshot first, then the word -----------------------------------------------------------

void predictor_state::put(snapshot what, std::uint32_t attempt) {
  auto kept = std::make_shared<const snapshot>(std::move(what));
  ask(self_, env_.names->find<store_actor>(options_.store), options_.store_timeout, snapshot_put{*kept})
      .then([this, kept](const acknowledged&) { stored(kept->what); },
            [this, kept, attempt](const troupe::error& why) {
              last_error_ = why.message();
              if (attempt < options_.put_attempts) {
                schedule(self_, options_.retry, [this, kept, attempt] { put(*kept, attempt + 1); });
                return;
              }
              // It may be in the store all the same; then it expires there after the next start.
              log::warn("predictor", "prediction given up: the store does not take it",
                        {{"id", kept->what.id}});
              ++given_up_;
              unstored_.erase(kept->what.id);
              outcomes_.erase(kept->what.id);
            });
}

void predictor_state::stored(const prediction& what) {
  unstored_.erase(what.id);
  send_outcomes(); // its outcome may have been waiting for this
  if (options_.orchestrator.empty()) return;
  ask(self_, env_.names->find<orchestrator_actor>(options_.orchestrator), options_.model_timeout, what)
      .then([this](const acknowledged&) { ++told_; },
            [this](const troupe::error& why) {
              ++untold_; // an old prediction is worth nothing: it is not repeated
              last_error_ = why.message();
            });
}

// --- outcomes ------------------------------------------------------------------------------------

void predictor_state::send_outcomes() {
  const auto store = env_.names->find<store_actor>(options_.store);
  std::size_t asking = 0;
  for (const auto& [id, row] : outcomes_) asking += row.asking ? 1 : 0;
  for (auto& [id, row] : outcomes_) {
    if (asking >= outcomes_in_flight) return;
    if (row.asking || unstored_.contains(id)) continue;
    row.asking = true;
    ++asking;
    ask(self_, store, options_.store_timeout, row.what)
        .then(
            [this, key = id](const acknowledged&) {
              ++outcomes_stored_;
              outcomes_.erase(key);
              send_outcomes();
            },
            [this, key = id](const troupe::error& why) { outcome_failed(key, why); });
  }
}

void predictor_state::outcome_failed(const std::string& id, const troupe::error& why) {
  last_error_ = why.message();
  if (why.code == make_error_code(storage_errc::already_matured)) {
    ++outcomes_known_; // our first answer got lost on its way back
    outcomes_.erase(id);
    return;
  }
  if (why.code == make_error_code(storage_errc::not_found)
      || why.code == make_error_code(storage_errc::bad_input)) {
    log::error("predictor", "the store refused an outcome: " + last_error_, {{"id", id}});
    outcomes_.erase(id);
    return;
  }
  if (const auto it = outcomes_.find(id); it != outcomes_.end()) it->second.asking = false;
  retry_outcomes();
}

void predictor_state::retry_outcomes() {
  if (std::exchange(retry_timer_, true)) return;
  schedule(self_, options_.retry, [this] {
    retry_timer_ = false;
    send_outcomes();
  });
}

// --- status --------------------------------------------------------------------------------------

std::string predictor_state::status_json() const {
  const auto& c = core_.counts();
  json_writer w;
  w.begin_object()
      .field("instrument", options_.core.instrument.text)
      .field("horizon", name_of(options_.core.over));
  w.field("ready", ready_).field("frames", c.frames).field("made", c.made).field("loaded", c.loaded);
  w.field("pending", core_.pending()).field("matured", c.matured).field("scored", c.scored);
  w.field("late", c.late).field("seams", c.seams).field("expired", c.expired).field("abstained", c.abstained);
  w.key("abstentions").begin_object();
  for (const auto& [why, count] : abstentions_) w.field(why, count);
  w.end_object();
  w.field("refused_answers", c.refused).field("model_errors", model_errors_).field("given_up", given_up_);
  w.field("told", told_).field("untold", untold_).field("unstored", unstored_.size());
  w.field("outcomes_waiting", outcomes_.size()).field("outcomes_stored", outcomes_stored_);
  w.field("outcomes_known", outcomes_known_).field("frames_dropped", frames_dropped_);
  w.key("hit_rate");
  if (const auto rate = core_.hit_rate()) w.number(*rate, 4);
  else w.raw("null");
  w.key("mean_brier");
  if (const auto brier = core_.mean_brier()) w.number(*brier, 4);
  else w.raw("null");
  w.field("model", last_version_.model)
      .field("model_step", last_version_.step)
      .field("weights", last_version_.weights);
  w.field("newest_frame", core_.newest().ns == INT64_MIN ? 0 : core_.newest().ns)
      .field("last_error", last_error_);
  return std::move(w.end_object()).text();
}

} // namespace troupe
