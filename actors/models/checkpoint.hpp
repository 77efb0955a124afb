#pragma once

/// Checkpoints: weights, manifest and, where training goes on, the trainer's state. A checkpoint is
/// known by the SHA-256 of its weights file. Three byte strings, written by storage as three files of
/// one directory: `weights.safetensors`, `training.safetensors`, `manifest.troupe`.

#include "actors/models/model.hpp"

namespace troupe {

/// Names of a checkpoint's files.
inline constexpr std::string_view weights_file_name = "weights.safetensors";
inline constexpr std::string_view training_file_name = "training.safetensors";
inline constexpr std::string_view manifest_file_name = "manifest.troupe";

/// Longest weights file that is taken from another node.
inline constexpr std::uint64_t max_weights_bytes = 512u << 20;
/// Longest piece of a checkpoint on the wire: larger ones hold up the heartbeats behind them.
inline constexpr std::size_t chunk_bytes = 256u << 10;

/// A checkpoint as bytes.
struct checkpoint {
  checkpoint_manifest manifest;
  std::string weights;  ///< safetensors; its SHA-256 is manifest.version.weights
  std::string training; ///< safetensors with optimizer, replay memory, counters; empty where only served
};

/// What the manifest file holds (as one framed record of storage/record.hpp): the manifest and the hash of
/// the trainer's state.
struct stored_manifest {
  checkpoint_manifest manifest;
  std::string training_sha256;
  std::uint64_t training_bytes = 0;
  TROUPE_FIELDS(stored_manifest, "Content of manifest.troupe.", TROUPE_FIELD(manifest, "the checkpoint"),
                TROUPE_FIELD(training_sha256, "SHA-256 of training.safetensors, hex; empty = none"),
                TROUPE_FIELD(training_bytes, "length of training.safetensors"))
};

/// Checks weights and training state against the hashes of the manifest file.
status check_files(const stored_manifest& manifest, std::string_view weights, std::string_view training,
                   std::string_view source);

/// Checks hash, architecture and frame schema, then loads the network.
/// An error names file, tensor, expected and found shape in one line.
result<network> load_checkpoint(const checkpoint_manifest& manifest, std::string_view weights,
                                const network_options& options, std::string_view source);


/// Cuts a checkpoint's weights into pieces for the wire; the piece that starts at `offset`.
/// @pre offset < what.weights.size()
checkpoint_chunk chunk_at(const checkpoint& what, std::uint64_t offset);

/// Puts pieces together again. Bounded: `max_open` checkpoints at a time, the oldest is given up.
/// Pieces must come in order for each checkpoint; a piece already held is confirmed again, so that a
/// sender may repeat itself after a lost answer.
class chunk_assembler {
public:
  explicit chunk_assembler(std::size_t max_open = 2, std::uint64_t max_bytes = max_weights_bytes)
      : max_open_{max_open}, max_bytes_{max_bytes} {}

  /// Takes a piece. The receipt says how many bytes are held; complete when all are and the hash is right.
  /// A hash that does not fit drops what was held and is an error.
  result<checkpoint_receipt> take(const checkpoint_chunk& piece);

  /// The complete weights, given up to the caller; an error unless the last receipt was complete.
  result<checkpoint> finish(const std::string& weights_hash);

private:
  struct open_checkpoint {
    checkpoint_manifest manifest;
    std::string bytes;
    bool complete = false;
  };

  std::vector<open_checkpoint>::iterator find(const std::string& hash);

  std::size_t max_open_;
  std::uint64_t max_bytes_;
  std::vector<open_checkpoint> open_;
};

} // namespace troupe
