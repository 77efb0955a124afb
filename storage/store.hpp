#pragma once

/// The embedded store behind an interface: snapshots, outcomes, the training stream, counts, bars,
/// the catalogue of checkpoints, and append-only logs. Implementations: RocksDB and memory; both
/// pass the same test suite. Handlers block on the disk: used from a detached actor. What a call
/// has acknowledged survives a power cut (RocksDB; memory loses all by nature).

#include "messages/history.hpp"
#include "messages/learning.hpp"
#include "storage/errc.hpp"

#include <memory>
#include <optional>

namespace troupe {

/// Append-only texts with a number and a market time.
enum class store_log : std::uint8_t { inference, audit };

struct store_log_row {
  std::uint64_t sequence = 0;
  market_time at;
  std::string text;
  TROUPE_FIELDS(store_log_row, "A row of a log.", TROUPE_FIELD(sequence, "number from 1"),
                TROUPE_FIELD(at, "market time"), TROUPE_FIELD(text, "JSON or words"))
};

/// Bounds of pages.
inline constexpr std::uint32_t store_default_rows = 256;
inline constexpr std::uint32_t store_max_rows = 4096;
inline constexpr std::size_t store_page_bytes = 8u << 20;

/// Not thread-safe.
class store {
public:
  virtual ~store() = default;

  /// Stores a new snapshot and counts it as made; a known id is left as it is (false).
  /// The outcome and the training sequence in it are ignored: `mature` gives them.
  virtual result<bool> put_snapshot(const snapshot& what) = 0;

  /// Attaches the outcome, once, and counts it. Returns the place in the training stream that a
  /// scored one is given in the same atomic write; 0 for seam and expired. Errors:
  /// `already_matured` for a second outcome, `not_found`, `bad_input` for a pending outcome.
  virtual result<std::uint64_t> mature(const snapshot_mature& what) = 0;

  /// The snapshot with its outcome, if it has one; empty when unknown.
  virtual result<std::optional<snapshot>> find_snapshot(const std::string& id) = 0;

  /// Predictions of an instrument and horizon without an outcome, by due time. `after` must be an
  /// id that was stored (`not_found` otherwise).
  virtual result<prediction_list> pending(const pending_request& request) = 0;

  /// Matured and scored snapshots in order of training sequence.
  virtual result<training_batch> pull(const training_pull& request) = 0;

  /// Counts by horizon; exact, across restarts.
  virtual result<learning_counts> counts() = 0;

  /// Stores a closed bar; one that is there is replaced. Not synced by itself.
  virtual status put_bar(const bar& what) = 0;
  /// Bars with from <= open_time < to, oldest first, at most `limit`.
  virtual result<std::vector<bar>> bars(const instrument_id& instrument, nanoseconds interval,
                                        market_time from, market_time to, std::uint32_t limit) = 0;

  /// Adds a checkpoint to the catalogue; a known weights hash is left as it is (false).
  virtual result<bool> put_checkpoint(const checkpoint_manifest& what) = 0;
  /// Checkpoints of a model, highest step first.
  virtual result<std::vector<checkpoint_manifest>> checkpoints(const std::string& model,
                                                               std::uint32_t limit) = 0;

  /// Appends to a log and returns the row's number. The audit log is synced, the inference log is
  /// not.
  virtual result<std::uint64_t> append_log(store_log log, market_time at,
                                           const std::string& text) = 0;
  virtual result<std::vector<store_log_row>> read_log(store_log log, std::uint64_t after,
                                                      std::uint32_t limit) = 0;

  /// Makes everything so far durable.
  virtual status sync() = 0;

  /// While on, writes return before they are durable: the caller groups them and tells nobody of
  /// them until `sync` has returned.
  virtual void defer_sync(bool on) = 0;
};

/// Stores closed bars; with `only_missing` one that is there is left as it is. Returns how many were written.
result<std::uint64_t> put_bars(store& in, const std::vector<bar>& bars, bool only_missing);

/// One page of bars; `more` when the limit or the page's size cut it.
result<bar_page> read_bars(store& from, const bar_range& what);

/// A store that lives in memory: tests and back-tests.
std::unique_ptr<store> make_memory_store();

} // namespace troupe
