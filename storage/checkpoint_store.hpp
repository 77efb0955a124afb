#pragma once

/// Checkpoint files: `<root>/<model>/<step>-<first 12 hex digits of the hash>/` with
/// `weights.safetensors` and `manifest.record`. A directory appears by rename once everything in it is
/// synced, so it is either whole or absent. The weights' SHA-256 is checked at each read.

#include "messages/learning.hpp"
#include "storage/file.hpp"

#include <map>

namespace troupe {

struct checkpoint_options {
  std::filesystem::path root;
  /// Largest weights file accepted.
  std::uint64_t max_bytes = 512u << 20;
  /// Transfers under way at once; the one that has been idle longest gives way.
  std::size_t max_transfers = 4;
  /// What can't be read is renamed, so that a fresh copy finds its place. False: it stays, and is listed in
  /// `damaged` only; for who must not forget that it was there.
  bool set_aside = true;
};

/// Largest piece in a chunk.
inline constexpr std::size_t checkpoint_chunk_bytes = 256u << 10;

/// Not thread-safe; movable.
class checkpoint_store {
public:
  /// Creates the root when missing and removes leftovers of interrupted writes.
  static result<checkpoint_store> open(disk& on, checkpoint_options options);

  /// Stores a whole checkpoint, checked against `manifest.version.weights` and `manifest.bytes`. One
  /// that is there already is left as it is.
  status put(const checkpoint_manifest& manifest, std::string_view weights);

  /// Takes one piece. Pieces must come in order; `received` in the receipt says where to go on, so a
  /// repeated or early piece does no harm. The last one stores the checkpoint before the answer.
  result<checkpoint_receipt> take(const checkpoint_chunk& chunk);

  /// Cuts a weights file into a piece for sending; the piece is empty past the end.
  result<checkpoint_chunk> chunk(const std::string& model, const std::string& weights, std::uint64_t offset);

  /// Manifests of a model, highest step first. Unreadable ones are set aside and listed in `damaged`.
  result<std::vector<checkpoint_manifest>> list(const std::string& model);

  /// Models that have a directory.
  result<std::vector<std::string>> models();

  /// The manifest of a weights hash.
  result<checkpoint_manifest> manifest(const std::string& model, const std::string& weights);

  /// The weights, hash checked. A damaged checkpoint is set aside and named in the error.
  result<std::string> weights(const std::string& model, const std::string& weights);

  /// Keeps the `keep` of lowest loss, the newest, and those named; removes the rest; returns the
  /// hashes removed.
  result<std::vector<std::string>> prune(const std::string& model, std::size_t keep,
                                         const std::vector<std::string>& named);

  /// What was set aside since `open`: path and why.
  [[nodiscard]] const std::vector<std::string>& damaged() const noexcept { return damaged_; }
  [[nodiscard]] const checkpoint_options& options() const noexcept { return options_; }

private:
  struct transfer {
    checkpoint_manifest manifest;
    std::string bytes;
    std::uint64_t used = 0;
  };

  checkpoint_store(disk& on, checkpoint_options options) : disk_{&on}, options_{std::move(options)} {}
  [[nodiscard]] std::filesystem::path directory_of(const checkpoint_manifest& manifest) const;
  status set_aside(const std::filesystem::path& directory, const std::string& why);
  status check_manifest(const checkpoint_manifest& manifest) const;

  disk* disk_;
  checkpoint_options options_;
  std::map<std::string, transfer> transfers_;
  std::vector<std::string> damaged_;
  std::uint64_t ticks_ = 0;
};

} // namespace troupe
