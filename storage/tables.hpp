#pragma once

/// Ordered tables of bytes with atomic writes: what a store stands on. The rules of the store are
/// written once, over this (`storage/store.cpp`); RocksDB and memory only keep bytes.

#include "storage/store.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// The tables. Their order is in files: append only.
enum class table : std::uint8_t {
  meta,
  snapshots,
  outcomes,
  pending,
  training,
  bars,
  checkpoints,
  inference,
  audit
};
inline constexpr std::size_t table_count = 9;

std::string_view name_of(table t) noexcept;

/// One change: a new value, or removal where there is none.
struct table_write {
  table in = table::meta;
  std::string key;
  std::optional<std::string> value;
};

/// Not thread-safe.
class tables {
public:
  virtual ~tables() = default;
  /// Empty when the key is unknown.
  virtual result<std::optional<std::string>> get(table in, std::string_view key) = 0;
  /// All or nothing; durable on return when `sync`.
  virtual status write(std::span<const table_write> changes, bool sync) = 0;
  /// Visits keys >= `from` in order until `visit` says false.
  virtual status
  scan(table in, std::string_view from,
       const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;
  /// Makes all writes so far durable.
  virtual status sync() = 0;
  /// For error texts: the directory, or "memory".
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
};

/// Tables in memory.
std::unique_ptr<tables> make_memory_tables();

/// The store over some tables: reads the counters, writes the version where the tables are new.
result<std::unique_ptr<store>> make_store(std::unique_ptr<tables> on);

} // namespace troupe
