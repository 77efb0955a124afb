#include "storage/journal_files.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace troupe::journal_files {
namespace {

constexpr std::string_view segment_magic = "TRJRNL01";
constexpr std::string_view epoch_magic = "TREPOCH1";
constexpr std::uint32_t segment_version = 2; // 1: without its size
constexpr std::uint32_t epoch_version = 1;
constexpr std::uint16_t identity_kind = 0x4944; // "ID"
constexpr std::size_t segment_header_bytes = 36;
constexpr std::size_t epoch_bytes = 28;

template <class T>
void put(std::string& out, T x) {
  char bytes[sizeof x];
  std::memcpy(bytes, &x, sizeof x);
  out.append(bytes, sizeof x);
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T x{};
  std::memcpy(&x, bytes.data() + at, sizeof x);
  return x;
}

std::string segment_header(std::uint64_t number, std::uint64_t account, std::uint64_t bytes) {
  std::string out{segment_magic};
  put<std::uint32_t>(out, segment_version);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(bytes));
  put(out, number);
  put(out, account);
  put(out, crc32c(out));
  return out;
}

} // namespace

// --- names
// ----------------------------------------------------------------------------------------

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t number) {
  auto digits = std::to_string(number);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return directory / ("segment-" + digits + ".journal");
}

result<std::vector<std::uint64_t>> list_segments(disk& on, const std::filesystem::path& directory) {
  auto names = on.list(directory);
  if (!names) return std::move(names).error();
  std::vector<std::uint64_t> out;
  for (const std::string_view name : *names) {
    if (!name.starts_with("segment-") || !name.ends_with(".journal")) continue;
    const auto digits = name.substr(8, name.size() - 16);
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc{} || end != digits.data() + digits.size()) continue;
    out.push_back(number);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::uint64_t account_hash(const std::string& account) noexcept {
  return stable_hash(account);
}

// --- segments
// -------------------------------------------------------------------------------------

status create_segment(disk& on, const std::filesystem::path& directory, std::uint64_t number,
                      std::uint64_t account, std::uint64_t bytes) {
  const auto path = segment_path(directory, number);
  auto temporary = path;
  temporary += ".new";
  {
    auto opened = on.open(temporary, open_mode::truncate);
    if (!opened) return std::move(opened).error();
    auto& file = **opened;
    // Real zeros, not a hole: writing into allocated, initialised blocks needs no metadata at sync.
    const std::string zeros(std::min<std::uint64_t>(bytes, 1u << 20), '\0');
    for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
      const auto piece = std::min<std::uint64_t>(zeros.size(), bytes - at);
      if (auto done = file.write_at(at, std::string_view{zeros}.substr(0, piece)); !done)
        return done;
    }
    if (auto done = file.write_at(0, segment_header(number, account, bytes)); !done) return done;
    if (auto done = file.sync(); !done) return done;
  }
  if (auto done = on.rename(temporary, path); !done) return done;
  return on.sync_directory(directory);
}

status check_segment_header(std::string_view bytes, const std::string& name, std::uint64_t number,
                            std::optional<std::uint64_t> account) {
  if (bytes.size() < first_record)
    return {storage_errc::damaged, name + ":0: too short for a journal segment"};
  if (!bytes.starts_with(segment_magic)
      || crc32c(bytes.substr(0, segment_header_bytes - 4))
             != get<std::uint32_t>(bytes, segment_header_bytes - 4))
    return {storage_errc::damaged, name + ":0: segment header is damaged"};
  if (get<std::uint32_t>(bytes, 8) > segment_version)
    return {storage_errc::newer_version, name + ": written by a newer program"};
  if (get<std::uint64_t>(bytes, 16) != number)
    return {storage_errc::damaged, name + ": is segment "
                                       + std::to_string(get<std::uint64_t>(bytes, 16))
                                       + " under another name"};
  if (account && get<std::uint64_t>(bytes, 24) != *account)
    return {storage_errc::foreign, name + ": belongs to another account"};
  return ok;
}

std::uint64_t full_size(std::string_view bytes) noexcept {
  const bool told = bytes.size() >= first_record && get<std::uint32_t>(bytes, 8) > 1;
  return told ? get<std::uint32_t>(bytes, 12) : bytes.size();
}

// --- EPOCH and IDENTITY
// ---------------------------------------------------------------------------

result<std::uint64_t> read_epoch(disk& on, const std::filesystem::path& directory) {
  const auto path = directory / "EPOCH";
  auto bytes = read_whole(on, path, 4096);
  if (!bytes) return std::move(bytes).error();
  if (bytes->size() != epoch_bytes || !bytes->starts_with(epoch_magic)
      || crc32c(std::string_view{*bytes}.substr(0, epoch_bytes - 4))
             != get<std::uint32_t>(*bytes, epoch_bytes - 4))
    return {storage_errc::damaged,
            path.string()
                + ": damaged; check with `troupe journal verify`, then `troupe journal adopt` "
                  "rebuilds it from the journal"};
  if (get<std::uint32_t>(*bytes, 8) > epoch_version)
    return {storage_errc::newer_version, path.string() + ": written by a newer program"};
  return get<std::uint64_t>(*bytes, 16);
}

status write_epoch(disk& on, const std::filesystem::path& directory, std::uint64_t epoch) {
  std::string out{epoch_magic};
  put<std::uint32_t>(out, epoch_version);
  put<std::uint32_t>(out, 0);
  put(out, epoch);
  put(out, crc32c(out));
  return replace_file(on, directory / "EPOCH", out);
}

result<journal_identity> read_identity(disk& on, const std::filesystem::path& directory) {
  const auto path = directory / "IDENTITY";
  auto bytes = read_whole(on, path, 65536);
  if (!bytes) return std::move(bytes).error();
  auto identity = from_record<journal_identity>(*bytes, identity_kind);
  if (!identity) {
    identity.error().code = storage_errc::damaged;
    identity.error().text += "; restore it, or rebuild it with `troupe journal adopt`";
    return with_context(std::move(identity).error(), path.string());
  }
  return identity;
}

status write_identity(disk& on, const std::filesystem::path& directory,
                      const journal_identity& identity) {
  return replace_file(on, directory / "IDENTITY", to_record(identity, identity_kind));
}

// --- scan
// -----------------------------------------------------------------------------------------

namespace {

/// True when a valid record at or behind `from` says that `sequence` had been synced before it.
bool proves_durable(std::string_view bytes, std::size_t from, std::uint64_t sequence) {
  for (auto hit = bytes.find("TREC", from); hit != std::string_view::npos;
       hit = bytes.find("TREC", hit + 1)) {
    const auto scan = scan_record(bytes, hit);
    if (scan.found == record_found::whole && scan.record.header.durable >= sequence) return true;
  }
  return false;
}

std::string_view describe(record_found found) noexcept {
  switch (found) {
  case record_found::cut:
    return "record was only partly written";
  case record_found::damaged:
    return "record is damaged";
  case record_found::newer_version:
    return "record of a newer program";
  case record_found::whole:
    return "record is out of sequence";
  case record_found::zeros:
    return "nothing here";
  }
  return "?";
}

class scanner {
public:
  scanner(disk& on, const std::filesystem::path& directory, const scan_visitor& visit)
      : on_{on}, directory_{directory}, visit_{visit} {}

  result<scan_report> run() {
    auto numbers = list_segments(on_, directory_);
    if (!numbers) return std::move(numbers).error();
    for (std::size_t i = 0; i < numbers->size(); ++i) {
      if ((*numbers)[i] != i + 1)
        return result<scan_report>{storage_errc::damaged,
                                   segment_path(directory_, i + 1).string()
                                       + ": missing; restore it, its records can't be replaced"};
      auto done = scan_segment(*numbers, i);
      if (!done) return std::move(done).error();
      if (report_.broken) break;
    }
    return std::move(report_);
  }

private:
  status scan_segment(const std::vector<std::uint64_t>& numbers, std::size_t i) {
    const auto number = numbers[i];
    const auto path = segment_path(directory_, number);
    auto bytes = read_whole(on_, path, max_segment_bytes);
    if (!bytes) return std::move(bytes).error();
    if (auto fine = check_segment_header(*bytes, path.string(), number, {}); !fine) {
      report_.broken = broken_place{number, 0, bytes->size(), false, fine.error().text};
      report_.segments.push_back({number, first_record, bytes->size()});
      return ok;
    }
    std::size_t offset = first_record;
    auto scan = scan_record(*bytes, offset);
    while (scan.found == record_found::whole && in_sequence(scan.record.header)) {
      const auto& header = scan.record.header;
      if (visit_)
        if (auto done = visit_(scan.record, {header.sequence, number, offset}); !done) return done;
      ++report_.records;
      report_.highest_epoch = header.epoch;
      offset += scan.bytes;
      scan = scan_record(*bytes, offset);
    }
    report_.segments.push_back({number, offset, bytes->size()});
    if (const auto full = full_size(*bytes); bytes->size() != full) {
      report_.broken = wrong_size(path, number, offset, *bytes, full);
      return ok;
    }
    if (scan.found == record_found::zeros) return ok;
    return judge(numbers, i, *bytes, offset, scan.found);
  }

  bool in_sequence(const record_header& header) const noexcept {
    return header.sequence == report_.records + 1 && header.epoch >= report_.highest_epoch
           && header.durable < header.sequence;
  }

  /// Segments appear with their full size and keep it, so this is never an interrupted write.
  static broken_place wrong_size(const std::filesystem::path& path, std::uint64_t number,
                                 std::uint64_t offset, std::string_view bytes, std::uint64_t full) {
    const auto used = bytes.find_last_not_of('\0') + 1;
    return {number, offset, used > offset ? used - offset : 0, false,
            path.string() + ":" + std::to_string(bytes.size()) + ": the file ends here, of "
                + std::to_string(full) + " bytes that it was made with; records may be missing"};
  }

  /// Tells an interrupted write from damage.
  status judge(const std::vector<std::uint64_t>& numbers, std::size_t i, std::string_view bytes,
               std::size_t offset, record_found found) {
    const auto sequence = report_.records + 1;
    bool torn = found == record_found::cut && !proves_durable(bytes, offset + 1, sequence);
    // Segments are rolled only after a sync, so anything in a later one is proof as well.
    for (auto k = i + 1; torn && k < numbers.size(); ++k) {
      const auto path = segment_path(directory_, numbers[k]);
      auto later = read_whole(on_, path, max_segment_bytes);
      if (!later) return std::move(later).error();
      if (later->size() < first_record
          || later->find_first_not_of('\0', first_record) != std::string::npos)
        torn = false;
      report_.segments.push_back({numbers[k], first_record, later->size()});
    }
    const auto used = bytes.find_last_not_of('\0') + 1;
    report_.broken = broken_place{numbers[i], offset, used > offset ? used - offset : 0, torn,
                                  segment_path(directory_, numbers[i]).string() + ":"
                                      + std::to_string(offset) + ": " + std::string{describe(found)}
                                      + " (sequence " + std::to_string(sequence) + ")"};
    return ok;
  }

  disk& on_;
  const std::filesystem::path& directory_;
  const scan_visitor& visit_;
  scan_report report_;
};

} // namespace

result<scan_report> scan_journal(disk& on, const std::filesystem::path& directory,
                                 const scan_visitor& visit) {
  return scanner{on, directory, visit}.run();
}

journal_row to_row(const record_view& record) {
  return {.sequence = record.header.sequence,
          .epoch = record.header.epoch,
          .entry = {.kind = static_cast<journal_kind>(record.header.kind),
                    .schema = record.header.schema,
                    .bytes = std::string{record.payload}}};
}

} // namespace troupe::journal_files
