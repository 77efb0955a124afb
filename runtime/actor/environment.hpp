#pragma once

/// What every actor is handed at its start instead of reaching for ambient time, randomness or
/// globals.

#include "messages/time.hpp"

#include <cstdint>

namespace troupe {

class directory;

/// The pointers must outlive all actors of the process. Cheap to copy.
struct actor_environment {
  const market_clock* market = nullptr; ///< horizons, bars, staleness, fills
  const steady_clock* steady = nullptr; ///< leases, heartbeats, time-outs, back-off
  directory* names = nullptr;           ///< name → current handle, local or remote
  std::uint64_t seed = 0;               ///< start of the actor's own randomness
};

} // namespace troupe
