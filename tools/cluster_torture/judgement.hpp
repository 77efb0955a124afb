#pragma once

/// What a torture of a cluster brought to light, and what of it breaks a promise. Pure.

#include "tools/cluster_torture/history_check.hpp"
#include "tools/cluster_torture/nemesis.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::cluster_torture {

/// A fault that was done, and what was seen of it. Times in ms; nothing: it was not seen in time.
struct suffered {
  cluster_fault fault;
  bool execution = false; ///< on the execution node
  bool models = false;    ///< on a model node
  std::int64_t in_flight = 0;                 ///< open and unknown orders just before
  bool silent = false;                        ///< peers can only notice by silence, and long enough for it
  std::optional<std::int64_t> noticed_ms;     ///< by the first peer
  std::optional<std::int64_t> whole_again_ms; ///< from the end of the fault until every node saw every other
  std::optional<std::int64_t> predicts_ms;    ///< from the end of the fault until a new prediction was made
  std::optional<std::int64_t> live_ms;        ///< from the end of the fault until the executor was live
  bool agrees = false;                        ///< journal and ledger, within the patience
};

struct torture_record {
  std::uint64_t seed = 0;
  std::int64_t seconds = 0;
  std::int64_t start_ms = 0; ///< until the cluster was whole
  std::size_t nodes = 0;
  std::vector<suffered> faults;
  std::int64_t orders = 0;
  std::int64_t fills = 0;
  std::int64_t lost = 0;
  std::int64_t duplicated = 0;
  std::int64_t fills_wrong = 0;
  std::int64_t trained_twice = 0;
  std::int64_t training_gaps = 0;
  history_findings history;            ///< of the executor's journal
  std::vector<std::string> bad_books;  ///< P6: books that were shown as valid and were not
  std::int64_t books_seen = 0;         ///< pages of books that were looked at
  std::int64_t longest_mailbox = 0;    ///< P9: messages that waited for one actor, at most
  std::string longest_mailbox_of;
  bool halt_kept = false;              ///< P8: a halt outlived kill -9 of its node
  std::vector<std::string> actors_missing; ///< wanted, and not there at the end
  std::map<std::string, std::uint64_t> resident_begin;
  std::map<std::string, std::uint64_t> resident_end;
  std::string unsettled; ///< why it did not come to rest at the end
  std::vector<std::string> troubles;
};

/// Limits of the promises; what is asked for depends on how long the torture was.
struct torture_limits {
  std::int64_t least_orders = 500;
  std::int64_t least_in_flight = 50;
  std::int64_t notice_ms = 1500;
  std::int64_t sampling_ms = 150;            ///< what the onlookers' own rhythm may add to any time
  std::int64_t after_kill_ms = 3000;         ///< until predictions flow
  std::int64_t after_silence_ms = 1500 + 5000 + 3000;
  std::int64_t longest_mailbox = 5000;
  std::uint64_t growth_bytes = 64U << 20;    ///< of a node's resident memory
};

/// What was broken or not reached, in words; empty: all promises held.
std::vector<std::string> shortfalls(const torture_record& record, const torture_limits& limits);

std::string to_json(const torture_record& record, const torture_limits& limits);

} // namespace troupe::cluster_torture
