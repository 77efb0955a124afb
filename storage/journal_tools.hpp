#pragma once

/// What the command line does with journals. All of it reads without taking the lock, so it works
/// beside a running executor; records being written at that moment may be missing at the end.

#include "storage/order_journal.hpp"

namespace troupe {

/// Findings of a full check.
struct journal_verification {
  bool intact = false;
  journal_identity identity;
  std::uint64_t epoch = 0;
  std::uint64_t records = 0;
  std::uint64_t segments = 0;
  std::uint64_t intents = 0;
  std::uint64_t sent = 0;
  std::uint64_t reports = 0;
  std::uint64_t fills = 0;
  std::uint64_t sessions = 0;
  std::vector<std::string> findings;

  TROUPE_FIELDS(journal_verification, "What a full check of a journal found.",
                TROUPE_FIELD(intact, "no damage and no torn tail"),
                TROUPE_FIELD(identity, "to whom it belongs"), TROUPE_FIELD(epoch, "highest epoch"),
                TROUPE_FIELD(records, "valid records"), TROUPE_FIELD(segments, "segment files"),
                TROUPE_FIELD(intents, "intents"), TROUPE_FIELD(sent, "sendings"),
                TROUPE_FIELD(reports, "venue reports"),
                TROUPE_FIELD(fills, "fills with distinct trade ids"),
                TROUPE_FIELD(sessions, "take-overs"),
                TROUPE_FIELD(findings, "damage and torn tails as file:offset and what is wrong"))
};

/// Checks every record and the sequence. An error only when the directory can't be read at all.
result<journal_verification> verify_journal(disk& on, const std::filesystem::path& directory);

/// Visits all valid records in order, without lock. Damage is an error naming file and offset.
status read_journal(disk& on, const std::filesystem::path& directory, const journal_visitor& visit);

/// One record as a JSON object with sequence, epoch, kind and the message by its field list.
std::string journal_row_json(const journal_row& row);

/// Last resort of a person: cuts the journal at its first damage, whatever stands behind it, and
/// keeps the original segments beside as `damaged-…`. Takes the lock. What is cut off must be
/// fetched from the venue by reconciliation. Returns what was found before the cut.
result<journal_verification> repair_journal(disk& on, const std::filesystem::path& directory);

} // namespace troupe
