#pragma once

/// One run each of what the link benchmarks time: questions, batched events and a blob to another
/// process.

#include "tools/bench/link_peer.hpp"

#include <vector>

namespace troupe {

/// Whose actors talk over the link.
enum class link_way {
  ours,     ///< instrumented, with time-outs, credit and conflation
  bare,     ///< CAF's own actors, with the same window
  unbounded ///< CAF's own actors that send all at once: no bound on what waits
};

/// The ends of one link.
struct link_ends {
  link_target ours;
  link_target bare;
  [[nodiscard]] const link_target& of(link_way how) const {
    return how == link_way::ours ? ours : bare;
  }
};

/// Connects to a peer. Blocks for seconds at most; from the main thread.
result<link_ends> connect_link(caf::actor_system& system, link_peer& peer);

/// About what the largest view of a book between a feed and a consolidator has in levels and sums.
inline constexpr std::size_t events_per_batch = 200;
/// Batches on their way without an acknowledgement.
inline constexpr std::size_t batches_in_flight = 32;

/// A batch of trades; GENERATED.
past_trades sample_batch();
/// Its length on the wire, bytes.
std::size_t batch_bytes();

/// Nanoseconds until all batches are acknowledged; 0 when that took more than a minute.
std::int64_t run_batches(caf::actor_system& system, const link_ends& ends, link_way how,
                         std::uint64_t batches);

/// The same bytes in as many writes to a TCP socket, read and forgotten on the other side; 0:
/// failed.
std::int64_t run_raw_batches(std::uint16_t port, std::uint64_t batches);

struct ping_plan {
  std::size_t count = 1000;
  nanoseconds pause{}; ///< between an answer and the next question
};

/// Nanoseconds of each question with answer; fewer than asked for when one was not answered within
/// a second.
std::vector<std::int64_t> run_pings(caf::actor_system& system, const link_ends& ends, link_way how,
                                    ping_plan plan);
std::vector<std::int64_t> run_raw_pings(std::uint16_t port, std::size_t count);

struct blob_plan {
  std::uint64_t bytes = std::uint64_t{64} << 20; ///< one blob
  std::uint64_t piece = std::uint64_t{256} << 10;
};

struct blob_figures {
  std::vector<std::int64_t> pings; ///< nanoseconds, beside the blob
  double mib_per_s = 0;            ///< of the blob
  std::uint64_t blobs = 0;         ///< that arrived whole
};

/// Asks while one blob after the other is sent, piece by piece, the next one once the last is
/// confirmed.
blob_figures run_pings_beside_blob(caf::actor_system& system, const link_ends& ends, link_way how,
                                   ping_plan pings, blob_plan blob);

} // namespace troupe
