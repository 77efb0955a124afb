#pragma once

/// The order journal of one account: append-only, preallocated segments, checksummed, fenced.
///
/// Directory: `segment-00000001.journal` …, `EPOCH` (the fencing number), `IDENTITY` (node,
/// machine, account), `HOLDER` (who has it open; for people, never trusted).
///
/// Durability: `append` writes, `sync` makes durable. A failed write or sync is final: everything
/// is refused from then on, and the process that replays the journal anew finds out what is there.
/// Fencing: the directory is flock'ed for the life of the process. Before each append EPOCH is read
/// again by path; a higher number there means that another process has taken over (the lock was
/// circumvented), and this one refuses with `storage_errc::fenced`.
/// Damage: an interrupted write at the end is cut off, kept beside as `torn-…`, and reported; a
/// damaged record that had been synced makes `open` refuse, naming file and offset.

#include "storage/file.hpp"
#include "storage/journal_entries.hpp"

#include <functional>
#include <optional>

namespace troupe {

/// To whom a journal directory belongs.
struct journal_identity {
  std::string node;
  std::string machine;
  std::string account;

  TROUPE_FIELDS(journal_identity, "To whom a journal belongs.",
                TROUPE_FIELD(node, "node name in nodes.conf"),
                TROUPE_FIELD(machine, "the host's machine id"),
                TROUPE_FIELD(account, "account, main@binance"))
};

/// The host's machine id (/etc/machine-id; else the boot-independent host name). Never empty.
std::string local_machine_id(disk& on);

struct journal_options {
  std::filesystem::path directory;
  journal_identity identity;
  /// Bytes of a segment, filled with zeros ahead of use so that a sync needs no metadata.
  std::uint64_t segment_bytes = 8u << 20;
  /// Put into HOLDER, for people: "pid 4711, node exec, since 2024-08-08T23:54:13Z".
  std::string holder = {};
  /// Take over a directory of another identity; leaves a note in the journal. A person's decision.
  bool adopt = false;
  /// Who adopts, for the note.
  std::string adopted_by = {};
};

/// What `open` found.
struct journal_recovery {
  std::uint64_t records = 0;
  std::uint64_t segments = 0;
  std::uint64_t previous_epoch = 0;
  std::uint64_t torn_bytes = 0;
  std::string torn_at;

  TROUPE_FIELDS(journal_recovery, "What opening a journal found.",
                TROUPE_FIELD(records, "valid records"), TROUPE_FIELD(segments, "segment files"),
                TROUPE_FIELD(previous_epoch, "epoch before this one"),
                TROUPE_FIELD(torn_bytes, "bytes of an interrupted write, cut off; 0 = none"),
                TROUPE_FIELD(torn_at, "file and offset of it"))
};

/// Counters since `open`.
struct journal_figures {
  std::uint64_t appends = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t syncs = 0;
};

using journal_visitor = std::function<status(const journal_row&)>;

/// Not thread-safe: owned by one actor.
class order_journal {
public:
  /// Locks, checks, recovers, raises the epoch, appends a session record, syncs.
  static result<order_journal> open(disk& on, const journal_options& options);

  order_journal(order_journal&&) noexcept;
  order_journal& operator=(order_journal&&) noexcept;
  ~order_journal();

  /// Writes the entries behind the last record; returns the sequence of the last one. All or none
  /// count: after an error nothing may be taken as journaled. Refused when fenced or failed.
  result<std::uint64_t> append(std::span<const journal_entry> entries);
  /// fdatasync of what was appended. Never retried.
  status sync();
  /// Prepares the next segment when the current one is nearly full, outside the order path.
  status prepare();

  /// Visits all synced and unsynced records after `after`, in order; stops at the visitor's first
  /// error.
  status replay(std::uint64_t after, const journal_visitor& visit) const;
  /// One page of at most `limit` rows (0 = 1,000) and about 4 MiB.
  result<journal_page> read(std::uint64_t after, std::uint32_t limit) const;

  [[nodiscard]] std::uint64_t epoch() const noexcept;
  [[nodiscard]] std::uint64_t last_sequence() const noexcept;
  [[nodiscard]] std::uint64_t durable_sequence() const noexcept;
  /// The first failure, if any: the journal is closed for good.
  [[nodiscard]] const std::optional<error>& failure() const noexcept;
  [[nodiscard]] const journal_recovery& recovery() const noexcept;
  [[nodiscard]] const journal_figures& figures() const noexcept;

private:
  struct state;
  explicit order_journal(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace troupe
