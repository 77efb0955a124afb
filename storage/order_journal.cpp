#include "storage/order_journal.hpp"

#include "storage/journal_files.hpp"

#include <algorithm>
#include <unistd.h>

namespace troupe {

using namespace journal_files;

namespace {

/// A mark for each so many records, so that a page is found without reading all.
constexpr std::uint64_t mark_every = 128;
constexpr std::uint32_t default_page_rows = 1000;
constexpr std::size_t page_bytes = 4u << 20;

} // namespace

std::string local_machine_id(disk& on) {
  if (auto text = read_whole(on, "/etc/machine-id", 256); text) {
    while (!text->empty() && (text->back() == '\n' || text->back() == ' '))
      text->pop_back();
    if (!text->empty()) return *text;
  }
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) == 0 && name[0] != 0) return std::string{"host:"} + name;
  return "unknown";
}

struct order_journal::state {
  disk* on = nullptr;
  std::filesystem::path directory;
  journal_identity identity;
  std::uint64_t segment_bytes = 0;
  std::unique_ptr<directory_lock> lock;
  std::unique_ptr<disk_file> file; ///< the last segment
  std::vector<segment_summary> segments;
  std::size_t current = 0; ///< index in segments of the one written to
  std::vector<record_mark> marks;
  std::uint64_t epoch = 0;
  std::uint64_t last = 0;
  std::uint64_t durable = 0;
  std::optional<error> failure;
  journal_recovery recovery;
  journal_figures figures;
  std::string buffer;

  status take_lock(const journal_options& options);
  status take_identity(const journal_options& options, bool fresh, bool& adopted);
  result<std::uint64_t> known_epoch(const journal_options& options, bool fresh);
  status scan();
  status cut_torn(const broken_place& broken);
  status open_current();
  status roll();
  status add_segment(std::uint64_t number);
  status check_fence();
  /// Remembers the first failure; everything after it is refused.
  status fail(error err) {
    if (!failure) failure = err;
    return err;
  }
  status usable() const {
    if (!failure) return ok;
    return {failure->code == storage_errc::fenced ? storage_errc::fenced : storage_errc::failed,
            directory.string() + ": closed by an earlier failure: " + failure->text};
  }
};

// --- opening
// --------------------------------------------------------------------------------------

status order_journal::state::take_lock(const journal_options& options) {
  if (auto done = on->create_directories(directory); !done) return done;
  auto taken = on->lock_directory(directory);
  if (!taken) {
    if (taken.error().code != storage_errc::locked) return std::move(taken).error();
    const auto holder = read_whole(*on, directory / "HOLDER", 4096).value_or("an unknown process");
    return {storage_errc::locked,
            directory.string() + " is held by " + holder + "; stop that process first"};
  }
  lock = std::move(*taken);
  auto file_or = on->open(directory / "HOLDER", open_mode::truncate);
  if (!file_or) return std::move(file_or).error();
  return (*file_or)->write_at(0, options.holder.empty() ? "pid " + std::to_string(::getpid())
                                                        : options.holder);
}

status order_journal::state::take_identity(const journal_options& options, bool fresh,
                                           bool& adopted) {
  const auto found = read_identity(*on, directory);
  // The account is still checked: every segment carries its hash.
  adopted = options.adopt && (!found || *found != identity);
  if (!found && options.adopt && !fresh) return ok;
  if (!found && found.error().code == storage_errc::not_found && fresh)
    return write_identity(*on, directory, identity);
  if (!found && found.error().code == storage_errc::not_found)
    return {storage_errc::damaged,
            (directory / "IDENTITY").string() + ": missing though there are segments; restore it, or "
                                            "rebuild it with `troupe journal adopt`"};
  if (!found) return found.error();
  if (*found == identity) return ok;
  if (found->account != identity.account)
    return {storage_errc::foreign, directory.string() + " is the journal of account "
                                       + found->account + ", not of " + identity.account
                                       + "; check the directory in the configuration"};
  if (!options.adopt)
    return {storage_errc::foreign,
            directory.string() + " belongs to node " + found->node + " on machine " + found->machine
                + ", this is node " + identity.node + " on machine " + identity.machine
                + "; if that one is gone for good, a person may adopt it: `troupe journal adopt`"};
  return ok;
}

result<std::uint64_t> order_journal::state::known_epoch(const journal_options& options,
                                                        bool fresh) {
  auto found = read_epoch(*on, directory);
  // It says 0 until the first segment is made, so where it says more there has been one.
  if (found && fresh && *found > 0)
    return {storage_errc::damaged,
            directory.string() + ": EPOCH says " + std::to_string(*found)
                + ", but there is no segment; restore them, or, where no order of this account can be open, "
                  "move the folder away to begin anew"};
  if (found) return found;
  if (found.error().code == storage_errc::not_found) {
    if (fresh || options.adopt) return 0;
    return {storage_errc::damaged, (directory / "EPOCH").string()
                                       + ": missing though there are segments; restore it, or "
                                         "rebuild it with `troupe journal adopt`"};
  }
  if (found.error().code == storage_errc::damaged && options.adopt) return 0;
  return found;
}

status order_journal::state::scan() {
  const auto account = account_hash(identity.account);
  auto report = scan_journal(*on, directory,
                             [&](const record_view& record, const record_mark& mark) -> status {
                               if ((record.header.sequence - 1) % mark_every == 0)
                                 marks.push_back(mark);
                               return ok;
                             });
  if (!report) return std::move(report).error();
  if (report->broken && !report->broken->torn)
    return {storage_errc::damaged, report->broken->text
                                       + "; nothing was changed. `troupe journal verify` shows the "
                                         "extent; restore the file, or cut the journal there with "
                                         "`troupe journal repair`"};
  for (const auto& segment : report->segments) {
    auto bytes = on->open(segment_path(directory, segment.number), open_mode::read);
    if (!bytes) return std::move(bytes).error();
    std::string header(first_record, '\0');
    if (auto got = (*bytes)->read_at(0, header); !got) return std::move(got).error();
    if (auto fine =
            check_segment_header(header, (*bytes)->path().string(), segment.number, account);
        !fine)
      return fine;
  }
  segments = std::move(report->segments);
  last = durable = report->records;
  recovery.records = report->records;
  recovery.segments = segments.size();
  recovery.previous_epoch = report->highest_epoch;
  if (report->broken)
    if (auto done = cut_torn(*report->broken); !done) return done;
  return ok;
}

status order_journal::state::cut_torn(const broken_place& broken) {
  const auto path = segment_path(directory, broken.segment);
  auto opened = on->open(path, open_mode::read_write);
  if (!opened) return std::move(opened).error();
  auto& segment = **opened;
  std::string torn(broken.bytes, '\0');
  if (auto got = segment.read_at(broken.offset, torn); !got) return std::move(got).error();
  const auto aside =
      directory / ("torn-" + std::to_string(broken.segment) + "-" + std::to_string(broken.offset));
  if (auto done = replace_file(*on, aside, torn); !done) return done;
  if (auto done = segment.write_at(broken.offset, std::string(torn.size(), '\0')); !done)
    return done;
  if (auto done = segment.sync(); !done) return done;
  recovery.torn_bytes = broken.bytes;
  recovery.torn_at = path.string() + ":" + std::to_string(broken.offset);
  return ok;
}

status order_journal::state::add_segment(std::uint64_t number) {
  if (auto done =
          create_segment(*on, directory, number, account_hash(identity.account), segment_bytes);
      !done)
    return done;
  segments.push_back({number, first_record, segment_bytes});
  return ok;
}

status order_journal::state::open_current() {
  if (segments.empty())
    if (auto done = add_segment(1); !done) return done;
  // The last segment with records; a prepared one behind it is still empty.
  current = segments.size() - 1;
  while (current > 0 && segments[current].used == first_record)
    --current;
  auto opened = on->open(segment_path(directory, segments[current].number), open_mode::read_write);
  if (!opened) return std::move(opened).error();
  file = std::move(*opened);
  return ok;
}

result<order_journal> order_journal::open(disk& on, const journal_options& options) {
  auto s = std::make_unique<state>();
  s->on = &on;
  s->directory = options.directory;
  s->identity = options.identity;
  s->segment_bytes = std::clamp<std::uint64_t>(options.segment_bytes, 16u << 10, max_segment_bytes);
  if (auto done = s->take_lock(options); !done) return std::move(done).error();

  auto there = list_segments(on, s->directory);
  if (!there) return std::move(there).error();
  const bool fresh = there->empty();
  bool adopted = false;
  if (auto done = s->take_identity(options, fresh, adopted); !done) return std::move(done).error();
  auto epoch = s->known_epoch(options, fresh);
  if (!epoch) return std::move(epoch).error();
  if (auto done = s->scan(); !done) return std::move(done).error();
  if (adopted)
    if (auto done = write_identity(on, s->directory, s->identity); !done) return std::move(done).error();

  s->recovery.previous_epoch = std::max(*epoch, s->recovery.previous_epoch);
  s->epoch = s->recovery.previous_epoch + 1;
  if (auto done = write_epoch(on, s->directory, fresh ? 0 : s->epoch); !done) return std::move(done).error();
  if (auto done = s->open_current(); !done) return std::move(done).error();
  if (fresh)
    if (auto done = write_epoch(on, s->directory, s->epoch); !done) return std::move(done).error();

  order_journal journal{std::move(s)};
  std::vector<journal_entry> first;
  first.push_back(
      to_entry(journal_session{journal.epoch(), options.identity.node, options.holder}));
  if (adopted || options.adopt)
    first.push_back(to_entry(
        journal_note{options.adopted_by, "adopted this journal for node " + options.identity.node
                                             + " on machine " + options.identity.machine}));
  if (auto done = journal.append(first); !done) return std::move(done).error();
  if (auto done = journal.sync(); !done) return std::move(done).error();
  return journal;
}

order_journal::order_journal(std::unique_ptr<state> s) : state_{std::move(s)} {}
order_journal::order_journal(order_journal&&) noexcept = default;
order_journal& order_journal::operator=(order_journal&&) noexcept = default;
order_journal::~order_journal() = default;

// --- appending
// ------------------------------------------------------------------------------------

status order_journal::state::check_fence() {
  auto found = read_epoch(*on, directory);
  if (!found) return fail(std::move(found).error());
  if (*found == epoch) return ok;
  return fail({storage_errc::fenced, directory.string() + ": epoch " + std::to_string(*found)
                                         + " has taken over from epoch " + std::to_string(epoch)});
}

status order_journal::state::roll() {
  // Everything in the full segment must be durable before anything stands in the next one.
  if (auto done = file->sync_data(); !done) return done;
  durable = last;
  if (current + 1 == segments.size())
    if (auto done = add_segment(segments.back().number + 1); !done) return done;
  auto opened =
      on->open(segment_path(directory, segments[current + 1].number), open_mode::read_write);
  if (!opened) return std::move(opened).error();
  file = std::move(*opened);
  ++current;
  return ok;
}

result<std::uint64_t> order_journal::append(std::span<const journal_entry> entries) {
  auto& s = *state_;
  if (auto fine = s.usable(); !fine) return std::move(fine).error();
  if (entries.empty()) return s.last;
  std::uint64_t bytes = 0;
  for (const auto& entry : entries)
    bytes += record_extra_bytes + entry.bytes.size();
  if (bytes > s.segment_bytes - first_record)
    return {storage_errc::too_large,
            s.directory.string() + ": " + std::to_string(bytes) + " bytes in one group"};
  if (auto done = s.check_fence(); !done) return std::move(done).error();
  if (bytes > s.segments[s.current].bytes - s.segments[s.current].used)
    if (auto done = s.roll(); !done) return std::move(s.fail(std::move(done).error())).error();

  auto& segment = s.segments[s.current];
  s.buffer.clear();
  auto sequence = s.last;
  std::vector<record_mark> marks;
  for (const auto& entry : entries) {
    ++sequence;
    if ((sequence - 1) % mark_every == 0)
      marks.push_back({sequence, segment.number, segment.used + s.buffer.size()});
    append_record(s.buffer,
                  {.kind = static_cast<std::uint16_t>(entry.kind),
                   .schema = entry.schema,
                   .sequence = sequence,
                   .epoch = s.epoch,
                   .durable = s.durable},
                  entry.bytes);
  }
  if (auto done = s.file->write_at(segment.used, s.buffer); !done)
    return std::move(s.fail(std::move(done).error())).error();
  segment.used += s.buffer.size();
  s.last = sequence;
  s.marks.insert(s.marks.end(), marks.begin(), marks.end());
  ++s.figures.appends;
  s.figures.records += entries.size();
  s.figures.bytes += s.buffer.size();
  return s.last;
}

status order_journal::sync() {
  auto& s = *state_;
  if (auto fine = s.usable(); !fine) return fine;
  if (s.durable == s.last) return ok;
  if (auto done = s.file->sync_data(); !done) return s.fail(std::move(done).error());
  s.durable = s.last;
  ++s.figures.syncs;
  return ok;
}

status order_journal::prepare() {
  auto& s = *state_;
  if (auto fine = s.usable(); !fine) return fine;
  const auto& segment = s.segments[s.current];
  if (s.current + 1 < s.segments.size() || segment.used < segment.bytes / 4 * 3) return ok;
  if (auto done = s.add_segment(s.segments.back().number + 1); !done)
    return s.fail(std::move(done).error());
  return ok;
}

// --- reading
// --------------------------------------------------------------------------------------

status order_journal::replay(std::uint64_t after, const journal_visitor& visit) const {
  const auto& s = *state_;
  auto report = scan_journal(
      *s.on, s.directory, [&](const record_view& record, const record_mark&) -> status {
        if (record.header.sequence <= after || record.header.sequence > s.last) return ok;
        return visit(to_row(record));
      });
  if (!report) return std::move(report).error();
  if (report->records < s.last || report->broken)
    return {storage_errc::damaged,
            report->broken ? report->broken->text : s.directory.string() + ": records are missing"};
  return ok;
}

result<journal_page> order_journal::read(std::uint64_t after, std::uint32_t limit) const {
  const auto& s = *state_;
  journal_page page{.rows = {}, .newest = s.durable, .epoch = s.epoch};
  if (limit == 0) limit = default_page_rows;
  std::uint64_t next = after + 1;
  std::size_t bytes = 0;
  while (next <= s.durable && page.rows.size() < limit && bytes < page_bytes) {
    const auto it = std::partition_point(s.marks.begin(), s.marks.end(),
                                         [&](const record_mark& m) { return m.sequence <= next; });
    if (it == s.marks.begin())
      return {storage_errc::damaged, s.directory.string() + ": records are missing"};
    // From the mark on; further segments follow where its own ends.
    auto offset = std::prev(it)->offset;
    for (auto k = static_cast<std::size_t>(std::prev(it)->segment - 1); k < s.segments.size();
         ++k, offset = first_record) {
      const auto& segment = s.segments[k];
      if (segment.used <= offset) continue;
      const auto path = segment_path(s.directory, segment.number);
      auto opened = s.on->open(path, open_mode::read);
      if (!opened) return std::move(opened).error();
      std::string text(segment.used - offset, '\0');
      auto got = (*opened)->read_at(offset, text);
      if (!got) return std::move(got).error();
      for (std::size_t at = 0; at < text.size();) {
        const auto scan = scan_record(text, at);
        if (scan.found != record_found::whole || scan.record.header.sequence > next)
          return {storage_errc::damaged,
                  path.string() + ":" + std::to_string(offset + at) + ": record is damaged"};
        at += scan.bytes;
        if (scan.record.header.sequence < next) continue;
        if (next > s.durable) return page;
        bytes += scan.bytes;
        page.rows.push_back(to_row(scan.record));
        ++next;
        if (page.rows.size() >= limit || bytes >= page_bytes) return page;
      }
    }
    break;
  }
  return page;
}

std::uint64_t order_journal::epoch() const noexcept {
  return state_->epoch;
}
std::uint64_t order_journal::last_sequence() const noexcept {
  return state_->last;
}
std::uint64_t order_journal::durable_sequence() const noexcept {
  return state_->durable;
}
const std::optional<error>& order_journal::failure() const noexcept {
  return state_->failure;
}
const journal_recovery& order_journal::recovery() const noexcept {
  return state_->recovery;
}
const journal_figures& order_journal::figures() const noexcept {
  return state_->figures;
}

} // namespace troupe
