#pragma once

/// Files behind an interface, so that tests can inject full disks, I/O errors and power cuts.
/// All descriptors are O_CLOEXEC. A sync that failed is never retried: the kernel may have dropped
/// the dirty pages, and a second sync would say "fine" about bytes that are lost.

#include "storage/errc.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// How a file is opened.
enum class open_mode : std::uint8_t {
  read,       ///< must exist
  create,     ///< must not exist
  truncate,   ///< created, or emptied
  read_write, ///< created when missing, content kept
};

/// An open file. Not thread-safe. Closing never syncs.
class disk_file {
public:
  virtual ~disk_file() = default;

  /// Writes all bytes at the offset, or fails (a part may then have been written).
  virtual status write_at(std::uint64_t offset, std::string_view bytes) = 0;
  /// Reads up to `into.size()` bytes; fewer only at the end of the file.
  virtual result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
  /// fdatasync: content and what is needed to find it.
  virtual status sync_data() = 0;
  /// fsync: content and all metadata.
  virtual status sync() = 0;
  virtual status truncate(std::uint64_t bytes) = 0;
  [[nodiscard]] virtual result<std::uint64_t> size() = 0;
  /// For error texts.
  [[nodiscard]] virtual const std::filesystem::path& path() const noexcept = 0;
};

/// An exclusive lock on a directory, held until destroyed. The kernel frees it when the process dies.
class directory_lock {
public:
  virtual ~directory_lock() = default;
};

/// A file system. Implementations: `real_disk()`, and in tests a faulty and an in-memory one.
class disk {
public:
  virtual ~disk() = default;

  virtual result<std::unique_ptr<disk_file>> open(const std::filesystem::path& path, open_mode mode) = 0;
  virtual result<bool> exists(const std::filesystem::path& path) = 0;
  /// Atomic; durable only after `sync_directory` of the parent.
  virtual status rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  /// Removes a file or a directory with its content; no error when it is missing.
  virtual status remove(const std::filesystem::path& path) = 0;
  virtual status create_directories(const std::filesystem::path& path) = 0;
  virtual status sync_directory(const std::filesystem::path& path) = 0;
  /// Names (not paths) of the entries, sorted.
  virtual result<std::vector<std::string>> list(const std::filesystem::path& path) = 0;
  /// flock(LOCK_EX | LOCK_NB) on the directory itself; `storage_errc::locked` when it is held.
  /// Network file systems are refused: their locks can't be trusted.
  virtual result<std::unique_ptr<directory_lock>> lock_directory(const std::filesystem::path& path) = 0;
};

/// The operating system's file system. Thread-safe.
disk& real_disk();

/// The whole content of a file of at most `max_bytes`.
result<std::string> read_whole(disk& on, const std::filesystem::path& path, std::uint64_t max_bytes);

/// Replaces a small file atomically and durably: temporary file, fsync, rename, fsync of the directory.
status replace_file(disk& on, const std::filesystem::path& path, std::string_view bytes);

} // namespace troupe
