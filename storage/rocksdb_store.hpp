#pragma once

/// The store on RocksDB, one column family a table. Snapshots, outcomes, counts and checkpoints are
/// written with a synced write-ahead log. Values are framed records: schema hash, msgpack, crc32c.

#include "storage/store.hpp"

#include <filesystem>

namespace troupe {

struct rocksdb_options {
  std::filesystem::path directory;
  /// Sync acknowledged writes. Off only in benchmarks.
  bool sync_writes = true;
  /// Bytes of the write buffers of all column families together.
  std::size_t write_buffer_bytes = 32u << 20;
  /// Bytes of the cache of blocks read.
  std::size_t cache_bytes = 32u << 20;
  /// Opened without a lock and without writing: for the command line beside a stopped node.
  bool read_only = false;
};

/// Opens or creates the store. Errors name the directory: `locked` when another process has it open,
/// `damaged`, `newer_version`, `no_space`.
/// After a failed write every call fails with `failed`: close, free space, open again.
result<std::unique_ptr<store>> open_rocksdb_store(const rocksdb_options& options);

} // namespace troupe
