#pragma once

/// Disks for tests: one in memory that can lose power, and a decorator that fails on demand.

#include "storage/file.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>

namespace troupe::test {

namespace fs = std::filesystem;

/// A file system in memory that knows what has been synced. `power_cut` keeps of everything else
/// what chance decides, sector by sector and entry by entry, as a real disk may. Not thread-safe.
class memory_disk final : public disk {
  struct node;
  using node_ptr = std::shared_ptr<node>;
  struct unsynced {
    std::uint64_t offset;
    std::string bytes;
  };
  struct node {
    bool folder = false;
    std::map<std::string, node_ptr> entries, durable_entries;
    std::string bytes, durable_bytes;
    std::vector<unsynced> pending;
    bool locked = false;
  };

public:
  memory_disk() { root_->folder = true; }

  result<std::unique_ptr<disk_file>> open(const fs::path& path, open_mode mode) override {
    auto folder = walk(path.parent_path());
    if (!folder) return missing(path);
    auto& slot = folder->entries;
    const auto name = path.filename().string();
    auto it = slot.find(name);
    if (it == slot.end()) {
      if (mode == open_mode::read) return missing(path);
      it = slot.emplace(name, std::make_shared<node>()).first;
    } else if (mode == open_mode::create) {
      return {storage_errc::exists, path.string() + ": exists"};
    } else if (it->second->folder) {
      return {storage_errc::io_failed, path.string() + ": is a directory"};
    } else if (mode == open_mode::truncate) {
      it->second->bytes.clear();
      it->second->pending.clear();
    }
    return std::unique_ptr<disk_file>{std::make_unique<handle>(it->second, path)};
  }

  result<bool> exists(const fs::path& path) override { return walk(path) != nullptr; }

  status rename(const fs::path& from, const fs::path& to) override {
    auto source = walk(from.parent_path());
    auto target = walk(to.parent_path());
    if (!source || !target || source->entries.count(from.filename().string()) == 0)
      return missing(from);
    auto moved = source->entries[from.filename().string()];
    source->entries.erase(from.filename().string());
    target->entries[to.filename().string()] = std::move(moved);
    return ok;
  }

  status remove(const fs::path& path) override {
    if (auto folder = walk(path.parent_path())) folder->entries.erase(path.filename().string());
    return ok;
  }

  status create_directories(const fs::path& path) override {
    auto at = root_;
    for (const auto& part : path.relative_path()) {
      if (part.empty()) continue;
      auto& next = at->entries[part.string()];
      if (!next) {
        next = std::make_shared<node>();
        next->folder = true;
      }
      at = next;
    }
    return ok;
  }

  status sync_directory(const fs::path& path) override {
    auto folder = walk(path);
    if (!folder) return missing(path);
    folder->durable_entries = folder->entries;
    return ok;
  }

  result<std::vector<std::string>> list(const fs::path& path) override {
    auto folder = walk(path);
    if (!folder || !folder->folder) return missing(path);
    std::vector<std::string> names;
    for (const auto& [name, child] : folder->entries)
      names.push_back(name);
    return names;
  }

  result<std::unique_ptr<directory_lock>> lock_directory(const fs::path& path) override {
    auto folder = walk(path);
    if (!folder) return missing(path);
    if (folder->locked) return {storage_errc::locked, path.string() + " is locked"};
    folder->locked = true;
    return std::unique_ptr<directory_lock>{std::make_unique<held_lock>(folder)};
  }

  /// Makes every directory entry of today durable: the state of a disk long in use.
  void settle() { settle(*root_); }

  /// Loses power: what was not synced survives by chance. Locks are gone.
  void power_cut(std::mt19937_64& random) { cut(*root_, random); }

  /// The bytes of a file, for tests that damage them.
  std::string& content(const fs::path& path) {
    auto found = walk(path);
    if (!found) {
      static std::string nowhere;
      return nowhere;
    }
    return found->bytes;
  }

private:
  class handle final : public disk_file {
  public:
    handle(node_ptr on, fs::path path) : on_{std::move(on)}, path_{std::move(path)} {}
    status write_at(std::uint64_t offset, std::string_view bytes) override {
      if (on_->bytes.size() < offset + bytes.size()) on_->bytes.resize(offset + bytes.size());
      on_->bytes.replace(offset, bytes.size(), bytes);
      on_->pending.push_back({offset, std::string{bytes}});
      return ok;
    }
    result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
      if (offset >= on_->bytes.size()) return std::size_t{0};
      const auto n = std::min<std::size_t>(into.size(), on_->bytes.size() - offset);
      std::copy_n(on_->bytes.data() + offset, n, into.data());
      return n;
    }
    status sync_data() override { return sync(); }
    status sync() override {
      on_->durable_bytes = on_->bytes;
      on_->pending.clear();
      return ok;
    }
    status truncate(std::uint64_t bytes) override {
      on_->bytes.resize(bytes);
      return ok;
    }
    result<std::uint64_t> size() override { return std::uint64_t{on_->bytes.size()}; }
    [[nodiscard]] const fs::path& path() const noexcept override { return path_; }

  private:
    node_ptr on_;
    fs::path path_;
  };

  class held_lock final : public directory_lock {
  public:
    explicit held_lock(node_ptr on) : on_{std::move(on)} {}
    ~held_lock() override { on_->locked = false; }

  private:
    node_ptr on_;
  };

  node_ptr walk(const fs::path& path) const {
    auto at = root_;
    for (const auto& part : path.relative_path()) {
      if (part.empty()) continue;
      const auto it = at->entries.find(part.string());
      if (it == at->entries.end()) return nullptr;
      at = it->second;
    }
    return at;
  }

  static error missing(const fs::path& path) {
    return {storage_errc::not_found, path.string() + ": no such file"};
  }

  static void settle(node& n) {
    n.durable_entries = n.entries;
    for (auto& [name, child] : n.entries)
      settle(*child);
  }

  void cut(node& n, std::mt19937_64& random) {
    n.locked = false;
    if (!n.folder) {
      auto bytes = n.durable_bytes;
      for (const auto& write : n.pending)
        apply_some_sectors(bytes, write, random);
      n.bytes = n.durable_bytes = bytes;
      n.pending.clear();
      return;
    }
    std::map<std::string, node_ptr> kept;
    std::set<std::string> names;
    for (const auto& [name, child] : n.entries)
      names.insert(name);
    for (const auto& [name, child] : n.durable_entries)
      names.insert(name);
    for (const auto& name : names) {
      const auto now = n.entries.count(name) != 0 ? n.entries[name] : nullptr;
      const auto before = n.durable_entries.count(name) != 0 ? n.durable_entries[name] : nullptr;
      auto survivor = random() % 2 == 0 ? now : before;
      if (survivor) kept[name] = survivor;
    }
    n.entries = n.durable_entries = kept;
    for (auto& [name, child] : n.entries)
      cut(*child, random);
  }

  static void apply_some_sectors(std::string& bytes, const unsynced& write,
                                 std::mt19937_64& random) {
    // Often nothing or all, sometimes any mixture.
    const auto mode = random() % 3;
    for (std::uint64_t at = 0; at < write.bytes.size();) {
      const auto sector_end = ((write.offset + at) / 512 + 1) * 512 - write.offset;
      const auto end = std::min<std::uint64_t>(sector_end, write.bytes.size());
      const bool survives = mode == 0 ? false : mode == 1 ? true : random() % 2 == 0;
      if (survives) {
        if (bytes.size() < write.offset + end) bytes.resize(write.offset + end);
        bytes.replace(write.offset + at, end - at, write.bytes, at, end - at);
      }
      at = end;
    }
  }

  node_ptr root_ = std::make_shared<node>();
};

/// What a faulty disk does when its time has come.
enum class fault : std::uint8_t {
  none,
  write_no_space, ///< ENOSPC after a part of the bytes
  write_io,       ///< EIO, nothing written
  sync_io,        ///< a sync fails; the next ones "work", as the kernel's do
  stop,           ///< this and every later change fails: the process is as good as dead
};

/// Passes everything on until `countdown` changes (writes, syncs, renames) have been made, then
/// fails.
class faulty_disk final : public disk {
public:
  explicit faulty_disk(disk& below) : below_{below} {}

  void arm(fault what, std::uint64_t countdown) {
    fault_ = what;
    countdown_ = countdown;
  }
  /// Changes seen so far.
  [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
  [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }
  [[nodiscard]] std::uint64_t syncs_after_fault() const noexcept { return syncs_after_fault_; }

  result<std::unique_ptr<disk_file>> open(const fs::path& path, open_mode mode) override {
    auto file = below_.open(path, mode);
    if (!file) return file;
    return std::unique_ptr<disk_file>{std::make_unique<handle>(*this, std::move(*file))};
  }
  result<bool> exists(const fs::path& path) override { return below_.exists(path); }
  status rename(const fs::path& from, const fs::path& to) override {
    if (due(kind::rename)) return failure(to);
    return below_.rename(from, to);
  }
  status remove(const fs::path& path) override {
    if (due(kind::rename)) return failure(path);
    return below_.remove(path);
  }
  status create_directories(const fs::path& path) override {
    return below_.create_directories(path);
  }
  status sync_directory(const fs::path& path) override {
    if (due(kind::sync)) return failure(path);
    return below_.sync_directory(path);
  }
  result<std::vector<std::string>> list(const fs::path& path) override { return below_.list(path); }
  result<std::unique_ptr<directory_lock>> lock_directory(const fs::path& path) override {
    return below_.lock_directory(path);
  }

private:
  enum class kind : std::uint8_t { write, sync, rename };

  class handle final : public disk_file {
  public:
    handle(faulty_disk& owner, std::unique_ptr<disk_file> below)
        : owner_{owner}, below_{std::move(below)} {}
    status write_at(std::uint64_t offset, std::string_view bytes) override {
      if (!owner_.due(kind::write)) return below_->write_at(offset, bytes);
      if (owner_.fault_ != fault::write_io)
        (void)below_->write_at(offset, bytes.substr(0, bytes.size() * 5 / 8));
      return owner_.failure(path());
    }
    result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
      return below_->read_at(offset, into);
    }
    status sync_data() override {
      if (owner_.due(kind::sync)) return owner_.failure(path());
      return below_->sync_data();
    }
    status sync() override {
      if (owner_.due(kind::sync)) return owner_.failure(path());
      return below_->sync();
    }
    status truncate(std::uint64_t bytes) override { return below_->truncate(bytes); }
    result<std::uint64_t> size() override { return below_->size(); }
    [[nodiscard]] const fs::path& path() const noexcept override { return below_->path(); }

  private:
    faulty_disk& owner_;
    std::unique_ptr<disk_file> below_;
  };

  bool due(kind what) {
    ++changes_;
    if (what == kind::sync && faults_ > 0) ++syncs_after_fault_;
    if (fault_ == fault::none) return false;
    if (fault_ == fault::stop && faults_ > 0) return true;
    if (faults_ > 0) return false;
    const bool counts = fault_ == fault::stop || (fault_ == fault::sync_io) == (what == kind::sync);
    if (!counts || (fault_ != fault::stop && what == kind::rename)) return false;
    if (countdown_ > 0) return --countdown_, false;
    ++faults_;
    return true;
  }

  error failure(const fs::path& path) const {
    if (fault_ == fault::write_no_space)
      return {storage_errc::no_space, path.string() + ": No space left on device"};
    return {storage_errc::io_failed, path.string() + ": Input/output error"};
  }

  disk& below_;
  fault fault_ = fault::none;
  std::uint64_t countdown_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t faults_ = 0;
  std::uint64_t syncs_after_fault_ = 0;
};

/// A folder of its own under the system's temporary folder, removed at the end.
class scratch_folder {
public:
  scratch_folder() {
    auto name = (fs::temp_directory_path() / "troupe-storage-XXXXXX").string();
    if (const char* made = ::mkdtemp(name.data())) path_ = made;
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

private:
  fs::path path_;
};

/// The seed of this run: $TROUPE_SEED, else from the system; printed so that a failure can be
/// repeated.
std::uint64_t run_seed(const char* test);

} // namespace troupe::test
