#pragma once

/// The files of a journal directory: segments, EPOCH, IDENTITY. Used by the journal and its tools.

#include "storage/order_journal.hpp"
#include "storage/record.hpp"

namespace troupe::journal_files {

/// Records start behind the first sector of a segment.
inline constexpr std::uint64_t first_record = 512;
inline constexpr std::uint64_t max_segment_bytes = 1u << 30;

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t number);
/// Numbers of the segments that are there, ascending.
result<std::vector<std::uint64_t>> list_segments(disk& on, const std::filesystem::path& directory);
/// Creates a zero-filled, synced segment by rename: it has its full size or is not there. The header
/// says the size, so that a file cut short later is noticed.
status create_segment(disk& on, const std::filesystem::path& directory, std::uint64_t number,
                      std::uint64_t account, std::uint64_t bytes);
/// Hash of the account that all segments carry.
std::uint64_t account_hash(const std::string& account) noexcept;
/// Checks the first sector.
status check_segment_header(std::string_view bytes, const std::string& name, std::uint64_t number,
                            std::optional<std::uint64_t> account);
/// The size that a segment with a good header was made with; `bytes.size()` for version 1, which did
/// not say.
std::uint64_t full_size(std::string_view bytes) noexcept;

result<std::uint64_t> read_epoch(disk& on, const std::filesystem::path& directory);
status write_epoch(disk& on, const std::filesystem::path& directory, std::uint64_t epoch);
result<journal_identity> read_identity(disk& on, const std::filesystem::path& directory);
status write_identity(disk& on, const std::filesystem::path& directory,
                      const journal_identity& identity);

/// One segment as a scan saw it.
struct segment_summary {
  std::uint64_t number = 0;
  std::uint64_t used = first_record; ///< end of its last valid record
  std::uint64_t bytes = 0;
};

/// Where a record stands.
struct record_mark {
  std::uint64_t sequence = 0;
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
};

/// A place where valid records stop before the bytes do.
struct broken_place {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0; ///< up to the last byte that is not zero
  bool torn = false;       ///< an interrupted write; false: damage of what had been written
  std::string text;        ///< "file:offset: what is wrong"
};

struct scan_report {
  std::vector<segment_summary> segments;
  std::uint64_t records = 0;
  std::uint64_t highest_epoch = 0;
  std::optional<broken_place> broken;
};

using scan_visitor = std::function<status(const record_view&, const record_mark&)>;

/// Reads all segments in order up to the first break and judges it. An error when a file can't be
/// read or the visitor refuses.
result<scan_report> scan_journal(disk& on, const std::filesystem::path& directory,
                                 const scan_visitor& visit);

/// A record as the message that pages carry.
journal_row to_row(const record_view& record);

} // namespace troupe::journal_files
