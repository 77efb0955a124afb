#pragma once

/// The rules of a venue's instruments as it stated them last, kept in a small file, so that a node starts
/// with them when the venue is slow or away. One record (`storage/record.hpp`) a file, a file a venue.

#include "messages/instrument.hpp"
#include "storage/file.hpp"

namespace troupe {

/// What a venue said of our instruments, and when.
struct instrument_rules {
  venue_id venue;
  market_time fetched;
  std::vector<instrument_spec> instruments;

  TROUPE_FIELDS(instrument_rules, "A venue's rules of our instruments.", TROUPE_FIELD(venue, "whose rules"),
                TROUPE_FIELD(fetched, "when the venue stated them"),
                TROUPE_FIELD(instruments, "one row for each instrument of ours that it lists"))
};

/// "DIRECTORY/VENUE.rules".
std::filesystem::path rules_file(const std::filesystem::path& directory, const venue_id& venue);

/// Replaces the venue's file, atomically and durably; makes the directory.
status save_rules(disk& on, const std::filesystem::path& directory, const instrument_rules& rules);

/// Reads the venue's file. Errors: not_found, damaged, another version or venue.
result<instrument_rules> load_rules(disk& on, const std::filesystem::path& directory, const venue_id& venue);

/// The venue's row of an instrument of ours, by spelling and kind, which is what is subscribed; null when
/// there is none.
const instrument_spec* find_rules(const std::vector<instrument_spec>& of_venue, const instrument_spec& ours);

/// Our instrument with the venue's tick, lot, sizes and notional, at our scales: everything else in the
/// system counts in them. Error where the venue's steps are finer than our scales.
result<instrument_spec> with_rules(const instrument_spec& ours, const instrument_spec& of_venue);

} // namespace troupe
