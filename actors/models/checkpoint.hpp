#pragma once

/// Checkpoints: weights, manifest and, where training goes on, the trainer's state. A checkpoint is
/// known by the SHA-256 of its weights file (safetensors). Files and pieces on the wire are
/// storage/checkpoint_store.hpp's; this is what is in them.

#include "actors/models/model.hpp"

namespace troupe {

/// A checkpoint as bytes.
struct checkpoint {
  checkpoint_manifest manifest;
  std::string weights;  ///< safetensors; its SHA-256 is manifest.version.weights
  std::string training; ///< sealed trainer's state; empty where the weights are only served
};

/// Puts a line with magic, version and SHA-256 in front of a trainer's state, for its file.
std::string seal_training_state(std::string_view state);

/// The state behind the seal; damage is an error that names `source`.
result<std::string> open_training_state(std::string_view sealed, std::string_view source);

/// Checks hash, model, frame schema, and each tensor's name, type and shape, then loads the network.
/// An error names file, tensor, expected and found shape in one line.
result<network> load_checkpoint(const checkpoint_manifest& manifest, std::string_view weights,
                                const network_options& options, std::string_view source);

} // namespace troupe
