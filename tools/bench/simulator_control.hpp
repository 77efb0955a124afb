#pragma once

/// The control port of a simulator that runs in a process of its own.

#include "messages/error.hpp"

#include <cstdint>
#include <string>

namespace troupe::bench {

/// How late a simulator itself is: from an event's instant on the market's clock until its frames were handed to
/// the sockets. Part of what its clients measure as age.
struct simulator_lag {
  std::uint64_t events = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double most_ms = 0;
};

/// Lets a simulator count its lag anew. Waits for the answer; not for an actor's thread.
status begin_lag(std::uint16_t control_port);
/// Its lag since then.
result<simulator_lag> lag_of(std::uint16_t control_port);

} // namespace troupe::bench
