#pragma once

/// One horizon of one instrument: takes feature frames, asks the model, stores the snapshot, only then
/// tells the orchestrator, and hands outcomes to the store when they are due. The store's conditional
/// writes make each prediction exist once and be scored once; this actor may die at any point between.

#include "actors/predictors/predictor.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"

#include <set>

namespace troupe {

struct predictor_actor_options {
  predictor_options core;
  std::string model = "cnn"; ///< which model it asks; its actor is "model/" + model
  std::string store = "store";                               ///< name of the store
  std::string orchestrator = "orchestrator";                 ///< who hears predictions; empty = nobody
  nanoseconds model_timeout = std::chrono::milliseconds{500}; ///< then it abstains, steady time
  nanoseconds store_timeout = std::chrono::seconds{2};
  nanoseconds retry = std::chrono::milliseconds{250};        ///< pause before the store is asked again
  std::uint32_t put_attempts = 8;                            ///< then the prediction is given up
  std::uint32_t page = 500;                                  ///< predictions loaded at once at start
  std::size_t frames_held = 64;                              ///< frames kept while loading; older ones go
};

/// Actor state; lives on the actor's own thread.
class predictor_state {
public:
  using handle_type = predictor_actor;
  using self_pointer = actor_pointer<predictor_actor>;
  static inline const char* name = "predictor";

  predictor_state(self_pointer self, actor_environment env, predictor_actor_options options);
  predictor_actor::behavior_type make_behavior();

private:
  struct outgoing_outcome {
    snapshot_mature what;
    bool asking = false;
  };

  void load_pending(std::string after);
  void finish_loading();
  void on_frame(const feature_frame& frame);
  void mature(const feature_frame& frame);
  void ask_model(const feature_frame& frame);
  void answered(const feature_frame& frame, const inference_answer& answer);
  void put(snapshot what, std::uint32_t attempt);
  void stored(const prediction& what);
  void send_outcomes();
  void outcome_failed(const std::string& id, const troupe::error& why);
  void retry_outcomes();
  void abstain(std::string why);
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  predictor_actor_options options_;
  predictor core_;
  bool ready_ = false; ///< the store's pending predictions are loaded
  std::deque<feature_frame> held_;
  std::set<std::string> unstored_; ///< made, not yet confirmed by the store
  std::map<std::string, outgoing_outcome> outcomes_;
  bool retry_timer_ = false;
  std::map<std::string, std::uint64_t> abstentions_;
  std::uint64_t frames_dropped_ = 0;
  std::uint64_t model_errors_ = 0;
  std::uint64_t given_up_ = 0;
  std::uint64_t told_ = 0;
  std::uint64_t untold_ = 0;
  std::uint64_t outcomes_stored_ = 0;
  std::uint64_t outcomes_known_ = 0;
  std::string last_error_;
  model_version last_version_;
};

} // namespace troupe
