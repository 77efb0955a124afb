#pragma once

/// What crosses between two processes: questions, batched events with credit, and questions beside
/// a blob, each against bare CAF and raw TCP in the same run.

#include "messages/json.hpp"
#include "tools/bench/link_peer.hpp"

#include <iosfwd>

namespace troupe {

struct bench_links_options {
  int rounds = 5;                 ///< alternating runs of each way; the median counts
  std::uint64_t batches = 3'000;   ///< per run, of 200 events each
  std::size_t asks = 1'500;       ///< per run, one after the other
  std::size_t pings = 400;        ///< per run beside a blob, a millisecond apart
  int blob_rounds = 2;
};

/// Times of one way, microseconds.
struct ping_figures {
  double p50_us = 0;
  double p99_us = 0;
};

struct link_results {
  std::string name;
  ping_figures ours, bare, raw; ///< of questions one after the other; raw: 64 bytes each way
  double events_ours = 0, events_bare = 0, events_unbounded = 0, events_raw = 0; ///< a second
  ping_figures quiet, beside,
      beside_whole; ///< ours alone, ours beside pieces, bare CAF beside one message
  double blob_mib_s = 0, whole_mib_s = 0;

  [[nodiscard]] double ask_ratio() const { return bare.p50_us > 0 ? ours.p50_us / bare.p50_us : 0; }
  [[nodiscard]] double events_ratio() const {
    return events_bare > 0 ? events_ours / events_bare : 0;
  }
  [[nodiscard]] double events_to_raw() const {
    return events_raw > 0 ? events_ours / events_raw : 0;
  }
};

/// Runs everything over one link. `name`: for the output. Error: the link does not come up, a run
/// fails.
result<link_results> bench_link(link_peer& peer, const std::string& name,
                                const bench_links_options& options);

void write_json(const link_results& figures, json_writer& w);
void print_text(const link_results& figures, std::ostream& out);

} // namespace troupe
