#pragma once

/// The embedded store and the checkpoint directory as an actor. Spawn detached: it waits for the disk.
/// Writes that wait in its mailbox share one sync and are answered when that has returned; readers see
/// only what is durable.
/// When a write fails (disk full, I/O error) or another process still holds the store, it is opened again
/// once a second; until that works every request is answered with the error, and `failures` in its status
/// counts. A damaged store ends the actor with an error for the operator.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "storage/checkpoint_store.hpp"
#include "storage/rocksdb_store.hpp"

namespace troupe {

struct store_options {
  /// RocksDB's directory; empty = a store in memory, which forgets all at its end.
  std::filesystem::path directory;
  /// Where checkpoints of all models lie.
  std::filesystem::path checkpoints;
  /// Checkpoints of a model kept by lowest loss, beside the newest; 0 = all.
  std::size_t keep_checkpoints = 8;
  /// Bytes of write buffers and of the block cache.
  std::size_t write_buffer_bytes = 32u << 20;
  std::size_t cache_bytes = 32u << 20;
  /// Pause between attempts to open a store that failed.
  nanoseconds reopen_after = std::chrono::seconds{1};
};

struct store_state {
  using handle_type = store_actor;
  using self_pointer = actor_pointer<store_actor>;
  static inline const char* name = "store";

  store_state(self_pointer self, actor_environment env, store_options options);
  store_actor::behavior_type make_behavior();

private:
  void open();
  /// Answers with what `call` reads from the open store; closes it when the call failed for good.
  template <class T, class Call>
  reply<T> read(Call call);
  /// Writes with `call` now and answers when the group is durable.
  template <class Call>
  promise<acknowledged> write(Call call);
  void close_group();
  void note(const error& err);
  result<checkpoint_receipt> take(const checkpoint_chunk& piece);
  void prune(const std::string& model);
  [[nodiscard]] std::string status_json();

  self_pointer self_;
  actor_environment env_;
  store_options options_;
  std::unique_ptr<store> store_;
  std::optional<checkpoint_store> checkpoints_;
  std::optional<error> failure_;
  std::vector<std::pair<promise<acknowledged>, acknowledged>> waiting_;
  bool marked_ = false; ///< a marker behind the messages that wait is on its way
  std::uint64_t groups_ = 0;
  std::uint64_t puts_ = 0;
  std::uint64_t known_puts_ = 0;
  std::uint64_t matured_ = 0;
  std::uint64_t pulls_ = 0;
  std::uint64_t bars_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t opens_ = 0;
  std::uint64_t checkpoints_stored_ = 0;
  nanoseconds opened_in_{};
  nanoseconds slowest_sync_{};
};

} // namespace troupe
