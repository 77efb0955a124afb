#include "storage/journal_tools.hpp"

#include "messages/json.hpp"
#include "storage/journal_files.hpp"

#include <set>

namespace troupe {

using namespace journal_files;

namespace {

void count(journal_verification& out, const journal_row& row, std::set<std::string>& trades) {
  switch (row.entry.kind) {
  case journal_kind::session:
    ++out.sessions;
    break;
  case journal_kind::intent:
    ++out.intents;
    break;
  case journal_kind::sent:
    ++out.sent;
    break;
  case journal_kind::report:
    ++out.reports;
    break;
  default:
    break;
  }
  auto done = visit_entry(row.entry, [&]<class T>(const T& x) {
    if constexpr (std::is_same_v<T, order_report>)
      for (const auto& f : x.fills)
        trades.insert(f.instrument.text + '/' + f.trade_id);
  });
  if (!done)
    out.findings.push_back("record " + std::to_string(row.sequence) + ": "
                           + done.error().message());
}

result<journal_verification> verify(disk& on, const std::filesystem::path& directory,
                                    std::optional<broken_place>& broken) {
  journal_verification out;
  if (auto identity = read_identity(on, directory); identity)
    out.identity = std::move(*identity);
  else
    out.findings.push_back(identity.error().message());
  std::uint64_t epoch = 0;
  if (auto found = read_epoch(on, directory); found)
    epoch = *found;
  else
    out.findings.push_back(found.error().message());

  std::set<std::string> trades;
  auto report =
      scan_journal(on, directory, [&](const record_view& record, const record_mark&) -> status {
        count(out, to_row(record), trades);
        return ok;
      });
  if (!report) return std::move(report).error();
  out.records = report->records;
  out.segments = report->segments.size();
  out.epoch = std::max(epoch, report->highest_epoch);
  out.fills = trades.size();
  if (epoch != 0 && report->segments.empty())
    out.findings.push_back(directory.string() + ": EPOCH says " + std::to_string(epoch)
                           + ", but there is no segment");
  if (epoch != 0 && epoch < report->highest_epoch)
    out.findings.push_back((directory / "EPOCH").string()
                           + ": older than the journal's newest record");
  broken = std::move(report->broken);
  if (broken) out.findings.push_back(broken->text + (broken->torn ? ", an interrupted write" : ""));
  out.intact = out.findings.empty();
  return out;
}

} // namespace

result<journal_verification> verify_journal(disk& on, const std::filesystem::path& directory) {
  std::optional<broken_place> broken;
  return verify(on, directory, broken);
}

status read_journal(disk& on, const std::filesystem::path& directory,
                    const journal_visitor& visit) {
  auto report = scan_journal(on, directory, [&](const record_view& record, const record_mark&) {
    return visit(to_row(record));
  });
  if (!report) return std::move(report).error();
  if (report->broken && !report->broken->torn) return {storage_errc::damaged, report->broken->text};
  return ok;
}

std::string journal_row_json(const journal_row& row) {
  json_writer w;
  w.begin_object()
      .field("sequence", row.sequence)
      .field("epoch", row.epoch)
      .field("kind", name_of(row.entry.kind));
  auto done = visit_entry(row.entry, [&](const auto& x) { w.key("record").raw(to_json(x)); });
  if (!done) w.field("error", done.error().message());
  w.end_object();
  return std::move(w).text();
}

result<journal_verification> repair_journal(disk& on, const std::filesystem::path& directory) {
  auto lock = on.lock_directory(directory);
  if (!lock && lock.error().code == storage_errc::locked)
    return {storage_errc::locked, directory.string() + " is held by "
                                      + read_whole(on, directory / "HOLDER", 4096).value_or("a process")
                                      + "; stop that one first"};
  if (!lock) return std::move(lock).error();
  std::optional<broken_place> broken;
  auto found = verify(on, directory, broken);
  if (!found || !broken) return found;
  auto numbers = list_segments(on, directory);
  if (!numbers) return std::move(numbers).error();
  for (auto it = numbers->rbegin(); it != numbers->rend() && *it >= broken->segment; ++it) {
    const auto path = segment_path(directory, *it);
    auto bytes = read_whole(on, path, max_segment_bytes);
    if (!bytes) return std::move(bytes).error();
    const auto aside = directory / ("damaged-" + path.filename().string());
    if (auto done = replace_file(on, aside, *bytes); !done) return std::move(done).error();
    // A segment whose own header is gone, or that stands behind the break, is taken out whole.
    if (*it > broken->segment || broken->offset < first_record) {
      if (auto done = on.remove(path); !done) return std::move(done).error();
      continue;
    }
    const auto full = full_size(*bytes);
    bytes->resize(broken->offset);
    bytes->resize(full, '\0');
    if (auto done = replace_file(on, path, *bytes); !done) return std::move(done).error();
  }
  if (auto done = on.sync_directory(directory); !done) return std::move(done).error();
  return found;
}

} // namespace troupe
