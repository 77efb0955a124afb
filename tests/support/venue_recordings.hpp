#pragma once

/// The readers of the recordings of venues, as `feed verify --all` has them, for tests.

#include "tests/support/recordings.hpp"
#include "tools/feed_verify/venue_texts.hpp"

namespace troupe::test {

using namespace recorded;

/// The books of one recording by symbol; `recording_name` as expectations.json names it.
inline std::map<std::string, expected_book> expected_books(std::string_view recording_name) {
  const auto folder = recordings();
  if (!folder) return {};
  return recorded::expected_books(*folder / "venues/derived/replay_expectations/expectations.json", recording_name);
}

} // namespace troupe::test
