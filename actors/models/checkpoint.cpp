#include "actors/models/checkpoint.hpp"

#include "actors/models/digest.hpp"

namespace troupe {
namespace {

constexpr std::string_view seal_magic = "troupe-training 1 ";
constexpr std::size_t seal_bytes = seal_magic.size() + 64 + 1;

} // namespace

std::string seal_training_state(std::string_view state) {
  std::string out{seal_magic};
  out.reserve(seal_bytes + state.size());
  out += content_hash(state);
  out += '\n';
  out += state;
  return out;
}

result<std::string> open_training_state(std::string_view sealed, std::string_view source) {
  const std::string name{source};
  if (!sealed.starts_with(seal_magic) || sealed.size() < seal_bytes || sealed[seal_bytes - 1] != '\n')
    return {model_errc::bad_container, name + ": no trainer's state of version 1"};
  const auto state = sealed.substr(seal_bytes);
  if (content_hash(state) != sealed.substr(seal_magic.size(), 64))
    return {model_errc::wrong_hash, name + ": the trainer's state is damaged; training can't go on from it"};
  return std::string{state};
}

result<network> load_checkpoint(const checkpoint_manifest& manifest, std::string_view weights,
                                const network_options& options, std::string_view source) {
  const std::string name{source};
  if (manifest.version.model != options.model || manifest.frame_schema != options.frame_schema)
    return {model_errc::wrong_architecture, name + ": made for model " + manifest.version.model
                                                + ", feature schema " + std::to_string(manifest.frame_schema)
                                                + "; expected " + options.model + ", schema "
                                                + std::to_string(options.frame_schema)};
  if (content_hash(weights) != manifest.version.weights)
    return {model_errc::wrong_hash, name + ": the weights are not those of the manifest; they are not used"};
  auto file = read_safetensors(weights, weight_rules(options), name);
  if (!file) return std::move(file).error();
  return load_network(options, *file);
}

} // namespace troupe
