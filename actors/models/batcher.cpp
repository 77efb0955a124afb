#include "actors/models/batcher.hpp"

namespace troupe {

std::size_t bucket_for(std::span<const std::size_t> buckets, std::size_t n) noexcept {
  std::size_t best = 0;
  for (const auto bucket : buckets)
    if (bucket >= n && (best == 0 || bucket < best)) best = bucket;
  return best == 0 ? n : best;
}

} // namespace troupe
