#include "storage/rocksdb_store.hpp"

#include "storage/tables.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

namespace troupe {
namespace {

error to_error(const rocksdb::Status& s, const std::string& where) {
  const auto text = where + ": " + s.ToString();
  if (s.IsNoSpace() || s.subcode() == rocksdb::Status::kSpaceLimit)
    return {storage_errc::no_space, text + "; free space, the store then opens again"};
  if (s.IsCorruption())
    return {storage_errc::damaged,
            text + "; stop the node, keep the directory, restore it from a backup"};
  if (s.IsIOError() && text.find("LOCK") != std::string::npos)
    return {storage_errc::locked, where + " is open in another process; stop that one first"};
  if (s.IsIOError() && text.find("lock hold") != std::string::npos)
    return {storage_errc::locked, where + " is open already in this process"};
  if (s.IsNotFound() || s.IsPathNotFound()
      || (s.IsInvalidArgument() && text.find("does not exist") != std::string::npos))
    return {storage_errc::not_found, text};
  return {storage_errc::io_failed, text};
}

class rocksdb_tables final : public tables {
public:
  rocksdb_tables(std::string name, bool sync_writes)
      : name_{std::move(name)}, sync_writes_{sync_writes} {}

  ~rocksdb_tables() override {
    if (!db_) return;
    for (auto* family : families_)
      (void)db_->DestroyColumnFamilyHandle(family);
    (void)db_->Close();
  }

  status open(const rocksdb_options& options);

  result<std::optional<std::string>> get(table in, std::string_view key) override {
    if (auto fine = usable(); !fine) return std::move(fine).error();
    std::string value;
    const auto s = db_->Get(rocksdb::ReadOptions{}, family(in), slice(key), &value);
    if (s.IsNotFound()) return std::optional<std::string>{};
    if (!s.ok()) return to_error(s, where(in));
    return std::optional{std::move(value)};
  }

  status write(std::span<const table_write> changes, bool sync) override {
    if (auto fine = usable(); !fine) return fine;
    rocksdb::WriteBatch batch;
    for (const auto& change : changes) {
      const auto s = change.value
                         ? batch.Put(family(change.in), slice(change.key), slice(*change.value))
                         : batch.Delete(family(change.in), slice(change.key));
      if (!s.ok()) return to_error(s, where(change.in));
    }
    rocksdb::WriteOptions how;
    how.sync = sync && sync_writes_;
    return checked(db_->Write(how, &batch));
  }

  status scan(table in, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& visit) override {
    if (auto fine = usable(); !fine) return fine;
    const std::unique_ptr<rocksdb::Iterator> it{
        db_->NewIterator(rocksdb::ReadOptions{}, family(in))};
    for (it->Seek(slice(from)); it->Valid(); it->Next())
      if (!visit(it->key().ToStringView(), it->value().ToStringView())) break;
    if (!it->status().ok()) return to_error(it->status(), where(in));
    return ok;
  }

  status sync() override {
    if (auto fine = usable(); !fine) return fine;
    return checked(db_->SyncWAL());
  }

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

private:
  static rocksdb::Slice slice(std::string_view text) noexcept { return {text.data(), text.size()}; }
  rocksdb::ColumnFamilyHandle* family(table t) const {
    return families_[static_cast<std::size_t>(t)];
  }
  std::string where(table t) const { return name_ + ":" + std::string{name_of(t)}; }

  status usable() const {
    if (!failure_) return ok;
    return {storage_errc::failed, name_ + ": closed by an earlier failure: " + failure_->text};
  }

  /// RocksDB may keep refusing after it says that it has recovered, so the first failed write is
  /// final for this handle: the owner closes it and opens a new one.
  status checked(const rocksdb::Status& s) {
    if (s.ok()) return ok;
    failure_ = to_error(s, name_);
    return *failure_;
  }

  std::string name_;
  bool sync_writes_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::optional<error> failure_;
};

rocksdb::ColumnFamilyOptions family_options(const rocksdb_options& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.block_size = 16u << 10;
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  blocks.format_version = 5;
  rocksdb::ColumnFamilyOptions out;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  out.write_buffer_size = std::max<std::size_t>(options.write_buffer_bytes / 4, 1u << 20);
  out.level_compaction_dynamic_level_bytes = true;
  out.compression = rocksdb::kLZ4Compression;
  return out;
}

/// RocksDB's own log lies beside its data, so a full disk hits it too; the next line written to it would then
/// abort the process (an assertion of this build). Errors reach us as statuses; the log is not kept.
class no_log_file final : public rocksdb::Logger {
public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// After a failed write RocksDB would go on by itself, on a log that has a hole; as Debian builds
/// it, with assertions, that attempt aborts the process. The owner closes and opens anew instead.
class no_self_recovery final : public rocksdb::EventListener {
public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::DBOptions database_options(const rocksdb_options& options) {
  rocksdb::DBOptions out;
  out.create_if_missing = !options.read_only;
  out.create_missing_column_families = !options.read_only;
  // A torn end of the log is what a crash leaves; damage before it is refused, never skipped.
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  out.paranoid_checks = true;
  out.max_bgerror_resume_count = 0;
  out.listeners.push_back(std::make_shared<no_self_recovery>());
  // The log has everything: nothing needs to be written while closing.
  out.avoid_flush_during_shutdown = true;
  out.db_write_buffer_size = options.write_buffer_bytes;
  out.max_total_wal_size = std::max<std::uint64_t>(2 * options.write_buffer_bytes, 8u << 20);
  // Quick restarts: what the log holds stays in memory until a buffer is full.
  out.avoid_flush_during_recovery = true;
  out.max_open_files = 256;
  out.max_background_jobs = 2;
  out.info_log = std::make_shared<no_log_file>();
  out.max_log_file_size = 4u << 20;
  out.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  return out;
}

status rocksdb_tables::open(const rocksdb_options& options) {
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(options, cache));
  for (std::size_t i = 0; i < table_count; ++i)
    families.emplace_back(std::string{name_of(static_cast<table>(i))},
                          family_options(options, cache));
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const auto settings = database_options(options);
  const auto s =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(settings, options.directory.string(), families, &handles,
                                         &db)
          : rocksdb::DB::Open(settings, options.directory.string(), families, &handles, &db);
  if (!s.ok()) return to_error(s, name_);
  db_.reset(db);
  (void)db_->DestroyColumnFamilyHandle(handles.front());
  families_.assign(handles.begin() + 1, handles.end());
  return ok;
}

} // namespace

result<std::unique_ptr<store>> open_rocksdb_store(const rocksdb_options& options) {
  std::error_code code;
  if (!options.read_only) std::filesystem::create_directories(options.directory, code);
  if (code) return {storage_errc::io_failed, options.directory.string() + ": " + code.message()};
  // RocksDB reports by status, but its allocations and its threads may still throw.
  try {
    auto on = std::make_unique<rocksdb_tables>(options.directory.string(), options.sync_writes);
    if (auto done = on->open(options); !done) return std::move(done).error();
    return make_store(std::move(on));
  } catch (const std::exception& e) {
    return {storage_errc::io_failed, options.directory.string() + ": " + e.what()};
  }
}

} // namespace troupe
