#pragma once

/// A log-linear histogram of durations: 2^SubBits buckets an octave, so a quantile read from it is
/// within 0.8 % of the recorded value with 6 bits, 6 % with 3. Values from 0 to 2^40 ns (18
/// minutes); larger ones count as 2^40 ns.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace troupe {

/// One thread at a time records; any thread may read or merge from it meanwhile (the figures are
/// then of slightly different instants). Merging into a histogram counts as recording.
template <int SubBits>
class basic_histogram {
public:
  static constexpr int sub_bits = SubBits;
  static constexpr std::uint64_t sub_buckets = 1u << sub_bits;
  static constexpr int top_bit = 40;
  static constexpr std::uint64_t largest = std::uint64_t{1} << top_bit;
  static constexpr std::size_t bucket_count = (top_bit - sub_bits + 1) * sub_buckets + 1;

  basic_histogram() : counts_{std::make_unique<counter[]>(bucket_count)} {}

  /// Adds one value in nanoseconds; negative ones count as zero.
  void record(std::int64_t value) noexcept {
    const auto v = value < 0 ? 0 : std::min(static_cast<std::uint64_t>(value), largest);
    add(counts_[index_of(v)], 1);
    add(total_, 1);
    if (v > largest_.load(std::memory_order_relaxed)) largest_.store(v, std::memory_order_relaxed);
  }

  /// Adds all counts of another histogram.
  void merge(const basic_histogram& other) noexcept {
    for (std::size_t i = 0; i < bucket_count; ++i)
      if (const auto n = other.counts_[i].load(std::memory_order_relaxed)) add(counts_[i], n);
    add(total_, other.count());
    const auto top = other.largest_.load(std::memory_order_relaxed);
    if (top > largest_.load(std::memory_order_relaxed))
      largest_.store(top, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t count() const noexcept {
    return total_.load(std::memory_order_relaxed);
  }

  /// The largest value recorded, exactly (capped at 2^40).
  [[nodiscard]] std::int64_t max() const noexcept {
    return static_cast<std::int64_t>(largest_.load(std::memory_order_relaxed));
  }

  /// The value below or at which a share `q` of all values lies (nearest rank); 0 when empty.
  /// @pre 0 <= q <= 1
  [[nodiscard]] std::int64_t quantile(double q) const noexcept {
    const auto total = count();
    if (total == 0) return 0;
    const auto rank = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
      seen += counts_[i].load(std::memory_order_relaxed);
      if (seen >= rank) return std::min(middle_of(i), max());
    }
    return max();
  }

  /// The same as `merge(...)` of all and `quantile(q)`, without a copy: looks from the top, which for
  /// high quantiles is near. Null pointers are left out.
  template <class Histograms>
  [[nodiscard]] static std::int64_t quantile_of(const Histograms& all, double q) noexcept {
    std::uint64_t total = 0;
    std::int64_t top = 0;
    for (const basic_histogram* h : all) {
      if (h == nullptr) continue;
      total += h->count();
      top = std::max(top, h->max());
    }
    if (total == 0) return 0;
    const auto rank = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total))));
    auto left = total;
    for (auto i = index_of(static_cast<std::uint64_t>(top)) + 1; i-- > 0;) {
      std::uint64_t here = 0;
      for (const basic_histogram* h : all)
        if (h != nullptr) here += h->counts_[i].load(std::memory_order_relaxed);
      left -= std::min(left, here);
      if (left < rank) return std::min(middle_of(i), top);
    }
    return 0;
  }

  /// Bucket of a value: values below 2^SubBits have one each; above, the leading SubBits + 1 bits
  /// decide.
  /// @pre value <= largest
  static constexpr std::size_t index_of(std::uint64_t value) noexcept {
    if (value < sub_buckets) return value;
    const int shift = std::bit_width(value) - 1 - sub_bits;
    return static_cast<std::size_t>(shift) * sub_buckets + (value >> shift);
  }

  /// The middle of a bucket's range.
  static constexpr std::int64_t middle_of(std::size_t index) noexcept {
    if (index < 2 * sub_buckets) return static_cast<std::int64_t>(index);
    const auto shift = index / sub_buckets - 1;
    const auto low = (index % sub_buckets + sub_buckets) << shift;
    return static_cast<std::int64_t>(low + (std::uint64_t{1} << shift) / 2);
  }

private:
  using counter = std::atomic<std::uint64_t>;

  /// One writer: a plain add without the cost of a locked instruction.
  static void add(counter& c, std::uint64_t n) noexcept {
    c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::unique_ptr<counter[]> counts_;
  counter total_{0};
  counter largest_{0};
};

using histogram = basic_histogram<6>;

/// Small enough for one per message type of each actor (2.4 KB).
using handler_histogram = basic_histogram<3>;

} // namespace troupe
