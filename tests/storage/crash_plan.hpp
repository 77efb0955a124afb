#pragma once

/// What the crash writer does and what must be found afterwards: both sides of the crash tests read
/// it here. Step n of the store puts snapshot n and gives snapshot n - 10 its outcome.

#include "actors/models/digest.hpp"
#include "storage/checkpoint_store.hpp"
#include "storage/order_journal.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/storage/samples.hpp"

namespace troupe::test {

inline constexpr std::uint64_t outcome_lag = 10;

inline snapshot plan_snapshot(std::uint64_t n) {
  return sample_snapshot(all_horizons[n % 4], static_cast<std::int64_t>(n));
}

inline outcome_kind plan_kind(std::uint64_t n) {
  return n % 7 == 3    ? outcome_kind::seam
         : n % 11 == 5 ? outcome_kind::expired
                       : outcome_kind::scored;
}

inline journal_options plan_journal(const std::filesystem::path& folder) {
  return {.directory = folder / "journal",
          .identity = {"exec", "machine-1", "main@binance"},
          .segment_bytes = 64u << 10,
          .holder = "crash writer"};
}

inline std::string plan_weights(std::uint64_t n) {
  std::string out = "weights " + std::to_string(n) + ' ';
  while (out.size() < 5000 + n % 3000)
    out += out;
  return out;
}

inline checkpoint_manifest plan_manifest(std::uint64_t n) {
  checkpoint_manifest m;
  const auto weights = plan_weights(n);
  m.version = {"cnn", n, content_hash(weights)};
  m.bytes = weights.size();
  return m;
}

} // namespace troupe::test
