#pragma once

/// Serves one model: collects the inference requests that wait in its mailbox into batches, answers in
/// fixed point, takes checkpoints piece by piece and swaps to them when told. Spawn it detached: its
/// handlers run LibTorch. It keeps every complete checkpoint in its own directory and serves the newest
/// usable one after a start; without any it answers an error, never silence.

#include "actors/models/batcher.hpp"
#include "actors/models/checkpoint.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/histogram.hpp"
#include "storage/checkpoint_store.hpp"

namespace troupe {

struct model_actor_options {
  network_options network;
  batcher_options batching;
  std::filesystem::path checkpoints; ///< root of its checkpoint directory
  std::size_t keep = 10; ///< checkpoints kept on disk: best by loss, the newest and the one served
};

/// Actor state; lives on the actor's own thread.
class model_state {
public:
  using handle_type = model_actor;
  using self_pointer = actor_pointer<model_actor>;
  static inline const char* name = "model";

  model_state(self_pointer self, actor_environment env, model_actor_options options);
  model_actor::behavior_type make_behavior();

private:
  struct request {
    std::vector<float> features;
    promise<inference_answer> answer;
  };
  struct served {
    network net;
    checkpoint_manifest manifest;
  };
  using batch_type = batcher<request>;

  void open_checkpoints();
  void serve_newest();
  result<served> load(const std::string& weights);
  reply<inference_answer> infer(const inference_request& r);
  void run_due_batches();
  void run(batch_type::closed_batch batch);
  void answer(std::vector<batch_type::waiting_item>& items, const std::vector<raw_forecasts>& rows);
  reply<checkpoint_receipt> take(const checkpoint_chunk& piece);
  reply<acknowledged> activate(const checkpoint_activate& order);
  void prune();
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  model_actor_options options_;
  std::optional<checkpoint_store> store_;
  std::string store_error_;
  std::optional<served> serving_;
  batch_type waiting_;
  bool age_timer_ = false;
  histogram latency_; // from arrival in the handler to the answer
  std::uint64_t inferences_ = 0;
  std::uint64_t batches_ = 0;
  std::uint64_t expired_ = 0;
  std::uint64_t overloaded_ = 0;
  std::uint64_t refused_frames_ = 0;
  std::uint64_t without_weights_ = 0;
  std::uint64_t swaps_ = 0;
  std::uint64_t refused_checkpoints_ = 0;
  std::string last_refusal_;
};

} // namespace troupe
