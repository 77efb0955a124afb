#pragma once

/// What introspection costs: messages and questions between instrumented actors, against the same
/// on bare CAF, in one run on one machine; within a process and between two.

#include "tools/bench/bench_links.hpp"

#include <cstdint>
#include <iosfwd>

namespace troupe {

struct bench_actors_options {
  int rounds = 15;                  ///< alternating runs of each way; the median counts
  std::uint64_t messages = 300'000; ///< per one-way run
  std::uint64_t asks = 60'000;      ///< per run of questions
  bench_links_options links;
  bool json = false;
};

/// Prints nanoseconds per message one way and per question with answer, instrumented and bare, and
/// the goals they are held against (one way at most 100 ns more, a question at most 1.15 times as
/// long as bare CAF with the same time-out); then what `bench_link` finds, plain and behind the TLS front.
/// Figures on `out`, words on `words`. Returns 0 when it ran.
/// @pre the process has no other thread: it forks
int bench_actor_hop(const bench_actors_options& options, std::ostream& out, std::ostream& words);

} // namespace troupe
