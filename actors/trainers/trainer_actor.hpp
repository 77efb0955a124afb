#pragma once

/// Trains one model type: pulls the training stream from the store, trains block by block, writes
/// checkpoints to its own directory and publishes them to the store and to every serving model, which are
/// told to swap once all hold complete copies. Spawn it detached: its handlers run LibTorch and sync files.
///
/// What is consumed becomes durable only with the checkpoint that holds its effect: the state goes to disk
/// first under the weights' hash, the checkpoint directory's rename is the commit. After a crash it
/// resumes from the newest usable checkpoint and pulls on behind `trained_to`.

#include "actors/trainers/stream_positions.hpp"
#include "actors/trainers/trainer.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"
#include "storage/checkpoint_store.hpp"

#include <map>
#include <set>

namespace troupe {

struct trainer_actor_options {
  trainer_options training;
  std::filesystem::path data; ///< its directory: checkpoints/ and training/ within
  std::vector<std::string> stores{"store"};                ///< names of the stores whose streams it trains on
  std::uint32_t pull_rows = 48;                            ///< most rows asked for at once (about 200 KiB)
  nanoseconds tick = std::chrono::milliseconds{200};       ///< how often it looks for work, steady time
  nanoseconds ask_timeout = std::chrono::seconds{3};       ///< of every question it asks
  std::uint64_t checkpoint_samples = 256;                  ///< a checkpoint is due after so many samples …
  nanoseconds checkpoint_every = std::chrono::seconds{5};  ///< … or after so much steady time with any
  std::size_t keep = 64;                                   ///< checkpoints kept on disk
};

/// Actor state; lives on the actor's own thread.
class trainer_state {
public:
  using handle_type = trainer_actor;
  using self_pointer = actor_pointer<trainer_actor>;
  static inline const char* name = "trainer";

  trainer_state(self_pointer self, actor_environment env, trainer_actor_options options);
  trainer_actor::behavior_type make_behavior();

private:
  /// A copy of the newest checkpoint somewhere else.
  struct holder {
    std::uint64_t incarnation = 0;
    node_name node;
    bool asking = false;
    std::uint64_t offset = 0;
    std::string complete;  ///< newest weights it confirmed to hold
    std::string activated; ///< newest weights it confirmed to serve
    std::uint32_t failures = 0;
    std::string last_error;
  };

  // Starting.
  void open();
  result<checkpoint> read_checkpoint(const checkpoint_manifest& manifest);
  [[nodiscard]] std::filesystem::path training_file(const std::string& weights) const;
  result<stream_positions> read_streams(const checkpoint_manifest& manifest) const;
  [[nodiscard]] bool is_store(const std::string& where) const;

  // Training.
  void on_tick();
  void pull_all();
  void pull(const std::string& store);
  void take(const std::string& store, const training_batch& batch);
  void train_whole_blocks();
  void checkpoint_if_due();
  status write_checkpoint();
  void remove_old();

  // Publishing.
  void publish();
  void refresh_holders();
  void push(const std::string& where, holder& to);
  void pushed(const std::string& where, std::uint64_t incarnation, const checkpoint_receipt& receipt);
  void activate_if_held();
  void failed(const std::string& where, std::uint64_t incarnation, const troupe::error& why);
  holder* current(const std::string& where, std::uint64_t incarnation);

  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  trainer_actor_options options_;
  std::optional<checkpoint_store> store_;
  std::optional<trainer> trainer_;
  std::vector<snapshot> rows_; ///< pulled, not yet a whole block
  stream_positions streams_;   ///< of the stores' streams
  std::set<std::string> pulling_;
  std::map<std::string, std::uint64_t> newest_in_store_;
  std::optional<checkpoint> newest_; ///< newest durable checkpoint, on its way to the holders
  steady_time checkpoint_at_;
  std::uint64_t trained_at_checkpoint_ = 0;
  std::uint64_t checkpoints_ = 0;
  std::string first_weights_;
  std::string resumed_from_;
  std::vector<checkpoint_manifest> manifests_; ///< on disk, oldest first
  std::map<std::string, holder> holders_;
  std::string published_;
  std::uint64_t pull_errors_ = 0;
  std::uint64_t write_errors_ = 0;
  std::string last_error_;
};

} // namespace troupe
