#include "storage/checkpoint_store.hpp"

#include "actors/models/digest.hpp"
#include "storage/record.hpp"

#include <algorithm>
#include <set>

namespace troupe {
namespace {

constexpr std::uint16_t manifest_kind = 0x4350; // "CP"
constexpr std::string_view weights_name = "weights.safetensors";
constexpr std::string_view manifest_name = "manifest.record";
constexpr std::uint64_t max_manifest_bytes = 1u << 20;

/// Model names become directories: letters, digits, '-', '_' and '.', not leading with a dot.
bool is_model_name(const std::string& text) noexcept {
  return !text.empty() && text.size() <= 64 && text.front() != '.'
         && std::all_of(text.begin(), text.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                     || c == '-' || c == '_' || c == '.';
            });
}

bool is_checkpoint_directory(const std::string& name) noexcept {
  return !name.empty() && name.front() >= '0' && name.front() <= '9';
}

status write_synced(disk& on, const std::filesystem::path& path, std::string_view bytes) {
  auto opened = on.open(path, open_mode::truncate);
  if (!opened) return std::move(opened).error();
  if (auto done = (*opened)->write_at(0, bytes); !done) return done;
  return (*opened)->sync();
}

} // namespace

// --- opening
// --------------------------------------------------------------------------------------

result<checkpoint_store> checkpoint_store::open(disk& on, checkpoint_options options) {
  checkpoint_store out{on, std::move(options)};
  if (auto done = on.create_directories(out.options_.root); !done) return std::move(done).error();
  auto models = on.list(out.options_.root);
  if (!models) return std::move(models).error();
  for (const auto& model : *models) {
    if (!is_model_name(model)) continue;
    auto names = on.list(out.options_.root / model);
    if (!names) continue; // a file, not a directory
    for (const auto& name : *names)
      if (name.starts_with(".new-"))
        if (auto done = on.remove(out.options_.root / model / name); !done)
          return std::move(done).error();
  }
  return out;
}

std::filesystem::path checkpoint_store::directory_of(const checkpoint_manifest& manifest) const {
  return options_.root / manifest.version.model
         / (std::to_string(manifest.version.step) + "-" + manifest.version.weights.substr(0, 12));
}

status checkpoint_store::check_manifest(const checkpoint_manifest& manifest) const {
  if (!is_model_name(manifest.version.model))
    return {storage_errc::bad_input, "checkpoint of model \"" + manifest.version.model.substr(0, 64)
                                         + "\": letters, digits, '-', '_' and '.' only"};
  if (!is_content_hash(manifest.version.weights))
    return {storage_errc::bad_input,
            "checkpoint of " + manifest.version.model + ": weights hash is no SHA-256"};
  if (manifest.bytes == 0 || manifest.bytes > options_.max_bytes)
    return {storage_errc::too_large, "checkpoint of " + manifest.version.model + " with "
                                         + std::to_string(manifest.bytes) + " bytes; at most "
                                         + std::to_string(options_.max_bytes) + " are accepted"};
  return ok;
}

// --- writing
// --------------------------------------------------------------------------------------

status checkpoint_store::put(const checkpoint_manifest& manifest, std::string_view weights) {
  if (auto fine = check_manifest(manifest); !fine) return fine;
  const auto name = manifest.version.model + " " + manifest.version.weights.substr(0, 12);
  if (weights.size() != manifest.bytes)
    return {storage_errc::damaged, "checkpoint " + name + ": " + std::to_string(weights.size())
                                       + " bytes instead of " + std::to_string(manifest.bytes)};
  if (content_hash(weights) != manifest.version.weights)
    return {storage_errc::damaged, "checkpoint " + name + ": SHA-256 does not match"};
  const auto directory = directory_of(manifest);
  auto there = disk_->exists(directory);
  if (!there) return std::move(there).error();
  if (*there) {
    // A whole copy stays as it is; a damaged one is set aside by the check and replaced.
    if (this->weights(manifest.version.model, manifest.version.weights)) return ok;
    if (there = disk_->exists(directory); !there) return std::move(there).error();
    if (*there) return {storage_errc::io_failed, directory.string() + ": can't be read"};
  }
  const auto temporary = directory.parent_path() / (".new-" + directory.filename().string());
  const auto abandon = [&](error err) -> status {
    (void)disk_->remove(temporary);
    return err;
  };
  if (auto done = disk_->remove(temporary); !done) return done;
  if (auto done = disk_->create_directories(temporary); !done) return done;
  if (auto done = write_synced(*disk_, temporary / weights_name, weights); !done)
    return abandon(std::move(done).error());
  if (auto done =
          write_synced(*disk_, temporary / manifest_name, to_record(manifest, manifest_kind));
      !done)
    return abandon(std::move(done).error());
  if (auto done = disk_->sync_directory(temporary); !done) return abandon(std::move(done).error());
  if (auto done = disk_->rename(temporary, directory); !done)
    return abandon(std::move(done).error());
  if (auto done = disk_->sync_directory(directory.parent_path()); !done) return done;
  // The model's own directory may be new as well.
  return disk_->sync_directory(options_.root);
}

result<checkpoint_receipt> checkpoint_store::take(const checkpoint_chunk& chunk) {
  const auto& manifest = chunk.manifest;
  if (auto fine = check_manifest(manifest); !fine) return std::move(fine).error();
  const auto& hash = manifest.version.weights;
  checkpoint_receipt receipt{.weights = hash};
  if (chunk.bytes.size() > checkpoint_chunk_bytes)
    return {storage_errc::too_large,
            "checkpoint piece of " + std::to_string(chunk.bytes.size()) + " bytes"};
  auto it = transfers_.find(hash);
  if (it == transfers_.end()) {
    if (weights(manifest.version.model, hash)) {
      receipt.received = manifest.bytes;
      receipt.complete = true;
      return receipt;
    }
    if (transfers_.size() >= options_.max_transfers)
      transfers_.erase(
          std::min_element(transfers_.begin(), transfers_.end(), [](const auto& a, const auto& b) {
            return a.second.used < b.second.used;
          }));
    it = transfers_.emplace(hash, transfer{manifest, {}, 0}).first;
  }
  auto& open = it->second;
  if (open.manifest != manifest)
    return {storage_errc::bad_input,
            "checkpoint " + hash.substr(0, 12) + ": the manifest changed on the way"};
  open.used = ++ticks_;
  if (chunk.offset == open.bytes.size()) {
    if (chunk.bytes.size() > manifest.bytes - open.bytes.size()) {
      transfers_.erase(it);
      return {storage_errc::bad_input,
              "checkpoint " + hash.substr(0, 12) + ": more bytes than announced"};
    }
    open.bytes += chunk.bytes;
  }
  receipt.received = open.bytes.size();
  if (open.bytes.size() < manifest.bytes) return receipt;
  const auto whole = std::move(open.bytes);
  transfers_.erase(it);
  if (auto done = put(manifest, whole); !done) return std::move(done).error();
  receipt.complete = true;
  return receipt;
}

// --- reading
// --------------------------------------------------------------------------------------

status checkpoint_store::set_aside(const std::filesystem::path& directory, const std::string& why) {
  if (!options_.set_aside) {
    damaged_.push_back(directory.string() + ": " + why);
    return ok;
  }
  auto target = directory.parent_path() / ("damaged-" + directory.filename().string());
  if (auto done = disk_->remove(target); !done) return done;
  if (auto done = disk_->rename(directory, target); !done) return done;
  damaged_.push_back(target.string() + ": " + why);
  return disk_->sync_directory(directory.parent_path());
}

result<std::vector<std::string>> checkpoint_store::models() {
  auto names = disk_->list(options_.root);
  if (!names) return std::move(names).error();
  std::erase_if(*names, [](const std::string& name) { return !is_model_name(name); });
  return names;
}

result<std::vector<checkpoint_manifest>> checkpoint_store::list(const std::string& model) {
  std::vector<checkpoint_manifest> out;
  if (!is_model_name(model))
    return {storage_errc::bad_input, "\"" + model.substr(0, 64) + "\" is no model name"};
  const auto folder = options_.root / model;
  auto names = disk_->list(folder);
  if (!names) {
    if (names.error().code == storage_errc::not_found) return out;
    return std::move(names).error();
  }
  for (const auto& name : *names) {
    if (!is_checkpoint_directory(name)) continue;
    const auto directory = folder / name;
    auto bytes = read_whole(*disk_, directory / manifest_name, max_manifest_bytes);
    if (!bytes && bytes.error().code == storage_errc::io_failed) return std::move(bytes).error();
    auto manifest = bytes ? from_record<checkpoint_manifest>(*bytes, manifest_kind)
                          : result<checkpoint_manifest>{std::move(bytes).error()};
    if (manifest && check_manifest(*manifest) && directory_of(*manifest) == directory) {
      out.push_back(std::move(*manifest));
      continue;
    }
    const auto why = manifest ? "manifest does not fit its directory"
                              : "manifest: " + manifest.error().message();
    if (auto done = set_aside(directory, why); !done) return std::move(done).error();
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.version.step > b.version.step; });
  return out;
}

result<checkpoint_manifest> checkpoint_store::manifest(const std::string& model,
                                                       const std::string& weights) {
  auto all = list(model);
  if (!all) return std::move(all).error();
  const auto it = std::find_if(all->begin(), all->end(),
                               [&](const auto& m) { return m.version.weights == weights; });
  if (it == all->end())
    return {storage_errc::not_found, "no checkpoint " + weights.substr(0, 12) + " of " + model
                                         + " in " + options_.root.string()};
  return std::move(*it);
}

result<std::string> checkpoint_store::weights(const std::string& model,
                                              const std::string& weights) {
  auto found = manifest(model, weights);
  if (!found) return std::move(found).error();
  const auto directory = directory_of(*found);
  const auto path = directory / weights_name;
  auto bytes = read_whole(*disk_, path, options_.max_bytes);
  if (!bytes && bytes.error().code == storage_errc::io_failed) return std::move(bytes).error();
  std::string why;
  if (!bytes)
    why = bytes.error().text;
  else if (bytes->size() != found->bytes)
    why = std::to_string(bytes->size()) + " bytes instead of " + std::to_string(found->bytes);
  else if (content_hash(*bytes) != weights)
    why = "SHA-256 does not match";
  if (why.empty()) return bytes;
  if (auto done = set_aside(directory, why); !done) return std::move(done).error();
  return {storage_errc::damaged,
          path.string() + ": " + why + (options_.set_aside ? "; set aside as " + damaged_.back() : std::string{})};
}

result<checkpoint_chunk> checkpoint_store::chunk(const std::string& model,
                                                 const std::string& weights, std::uint64_t offset) {
  auto found = manifest(model, weights);
  if (!found) return std::move(found).error();
  auto opened = disk_->open(directory_of(*found) / weights_name, open_mode::read);
  if (!opened) return std::move(opened).error();
  checkpoint_chunk out{.manifest = std::move(*found),
                       .offset = offset,
                       .bytes = std::string(checkpoint_chunk_bytes, '\0')};
  const auto got = (*opened)->read_at(offset, out.bytes);
  if (!got) return got.error();
  out.bytes.resize(*got);
  return out;
}

result<std::vector<std::string>> checkpoint_store::prune(const std::string& model, std::size_t keep,
                                                         const std::vector<std::string>& named) {
  auto all = list(model);
  if (!all) return std::move(all).error();
  std::set<std::string> kept{named.begin(), named.end()};
  if (!all->empty()) kept.insert(all->front().version.weights);
  auto by_loss = *all;
  // Never measured ones count as the worst.
  const auto loss = [](const checkpoint_manifest& m) {
    return std::pair{m.loss_samples == 0, m.loss_e6};
  };
  std::stable_sort(by_loss.begin(), by_loss.end(),
                   [&](const auto& a, const auto& b) { return loss(a) < loss(b); });
  for (std::size_t i = 0; i < std::min(keep, by_loss.size()); ++i)
    kept.insert(by_loss[i].version.weights);
  std::vector<std::string> removed;
  for (const auto& m : *all) {
    if (kept.contains(m.version.weights)) continue;
    if (auto done = disk_->remove(directory_of(m)); !done) return std::move(done).error();
    removed.push_back(m.version.weights);
  }
  return removed;
}

} // namespace troupe
