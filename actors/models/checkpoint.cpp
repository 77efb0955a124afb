#include "actors/models/checkpoint.hpp"

#include "actors/models/sha256.hpp"

#include <algorithm>

namespace troupe {

status check_files(const stored_manifest& stored, std::string_view weights, std::string_view training,
                   std::string_view source) {
  const std::string name{source};
  const auto& manifest = stored.manifest;
  if (weights.size() != manifest.bytes || sha256_hex(weights) != manifest.version.weights)
    return {model_errc::wrong_hash, name + "/" + std::string{weights_file_name} + ": content is not what the manifest "
                                        "names (" + std::to_string(weights.size()) + " bytes of "
                                        + std::to_string(manifest.bytes) + "); the checkpoint is not used"};
  if (training.size() != stored.training_bytes
      || (!stored.training_sha256.empty() && sha256_hex(training) != stored.training_sha256))
    return {model_errc::wrong_hash, name + "/" + std::string{training_file_name}
                                        + ": content is not what the manifest names; the checkpoint is not used"};
  return ok;
}

result<network> load_checkpoint(const checkpoint_manifest& manifest, std::string_view weights,
                                const network_options& options, std::string_view source) {
  const std::string name{source};
  if (manifest.version.model != options.model || manifest.frame_schema != options.frame_schema)
    return {model_errc::wrong_architecture, name + ": made for model " + manifest.version.model + ", feature schema "
                                                + std::to_string(manifest.frame_schema) + "; expected "
                                                + options.model + ", schema " + std::to_string(options.frame_schema)};
  if (sha256_hex(weights) != manifest.version.weights)
    return {model_errc::wrong_hash, name + ": weights are not those of the manifest"};
  auto file = read_safetensors(weights, weight_rules(options), name);
  if (!file) return std::move(file).error();
  return load_network(options, *file);
}

checkpoint_chunk chunk_at(const checkpoint& what, std::uint64_t offset) {
  return {what.manifest, offset, what.weights.substr(static_cast<std::size_t>(offset), chunk_bytes)};
}

std::vector<chunk_assembler::open_checkpoint>::iterator chunk_assembler::find(const std::string& hash) {
  return std::ranges::find_if(open_, [&](const auto& x) { return x.manifest.version.weights == hash; });
}

result<checkpoint_receipt> chunk_assembler::take(const checkpoint_chunk& piece) {
  const auto& hash = piece.manifest.version.weights;
  const auto total = piece.manifest.bytes;
  if (!is_sha256_hex(hash)) return {model_errc::bad_chunk, "piece of a checkpoint without a SHA-256 name"};
  if (total == 0 || total > max_bytes_)
    return {model_errc::too_large, "checkpoint " + hash.substr(0, 12) + " of " + std::to_string(total)
                                       + " bytes; the limit is " + std::to_string(max_bytes_)};
  if (piece.bytes.empty() || piece.bytes.size() > chunk_bytes || piece.offset > total
      || piece.bytes.size() > total - piece.offset)
    return {model_errc::bad_chunk, "piece of checkpoint " + hash.substr(0, 12) + " at " + std::to_string(piece.offset)
                                       + " with " + std::to_string(piece.bytes.size()) + " bytes"};
  auto it = find(hash);
  if (it == open_.end()) {
    if (piece.offset != 0) return checkpoint_receipt{hash, 0, false}; // start over: the first pieces are not here
    if (open_.size() >= std::max<std::size_t>(max_open_, 1)) open_.erase(open_.begin());
    open_.push_back({piece.manifest, {}, false});
    it = open_.end() - 1;
  }
  if (it->manifest != piece.manifest)
    return {model_errc::bad_chunk, "two manifests for checkpoint " + hash.substr(0, 12)};
  // Only the next piece is taken; earlier and later ones are answered with what is held.
  if (piece.offset == it->bytes.size()) it->bytes += piece.bytes;
  if (it->bytes.size() == total && !it->complete) {
    if (sha256_hex(it->bytes) != hash) {
      open_.erase(it);
      return {model_errc::wrong_hash, "checkpoint " + hash.substr(0, 12) + " arrived damaged and was dropped"};
    }
    it->complete = true;
  }
  return checkpoint_receipt{hash, it->bytes.size(), it->complete};
}

result<checkpoint> chunk_assembler::finish(const std::string& weights_hash) {
  const auto it = find(weights_hash);
  if (it == open_.end() || !it->complete)
    return {model_errc::no_weights, "checkpoint " + weights_hash.substr(0, 12) + " is not complete"};
  checkpoint out{std::move(it->manifest), std::move(it->bytes), {}};
  open_.erase(it);
  return out;
}

} // namespace troupe
