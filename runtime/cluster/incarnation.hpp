#pragma once

/// The counter of a node's starts, in its data directory.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"

#include <cstdint>
#include <filesystem>

namespace troupe {

/// Raises and syncs the counter and returns the new value: max(stored + 1, `wall_seconds`), so that a
/// wiped directory does not go backwards. File `INCARNATION`: magic, version, value, checksum. A
/// damaged file
/// is set aside as `INCARNATION.damaged` and the wall clock takes over; `repaired` then says what was
/// found.
struct raised_incarnation {
  std::uint64_t value = 0;
  std::string repaired;
};
result<raised_incarnation> raise_incarnation(const std::filesystem::path& data, std::uint64_t wall_seconds);

} // namespace troupe
