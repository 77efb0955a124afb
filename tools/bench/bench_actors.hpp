#pragma once

/// What introspection costs: messages and questions between instrumented actors, against the same
/// on bare CAF, in one run on one machine.

#include <cstdint>
#include <iosfwd>

namespace troupe {

struct bench_actors_options {
  int rounds = 15;                  ///< alternating runs of each way; the median counts
  std::uint64_t messages = 300'000; ///< per one-way run
  std::uint64_t asks = 60'000;      ///< per run of questions
  bool json = false;
};

/// Prints nanoseconds per message one way and per question with answer, instrumented and bare, and
/// the goals they are held against (one way at most 100 ns more, a question at most 1.15 times as
/// long as bare CAF with the same time-out). Figures on `out`, words on `words`. Returns 0 when it
/// ran.
int bench_actor_hop(const bench_actors_options& options, std::ostream& out, std::ostream& words);

} // namespace troupe
