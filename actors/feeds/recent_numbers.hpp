#pragma once

/// The last few sequence numbers that were seen.

#include <algorithm>
#include <array>
#include <cstdint>

namespace troupe {

/// Tells a repeated change from one that steps back: a number at or below the book that was never seen means
/// that the venue's numbering began anew, or that changes overtook each other. Not thread-safe.
class recent_numbers {
public:
  void add(std::uint64_t number) noexcept {
    ring_[next_] = number;
    next_ = (next_ + 1) % ring_.size();
    held_ = std::min(held_ + 1, ring_.size());
  }
  [[nodiscard]] bool holds(std::uint64_t number) const noexcept {
    const auto end = ring_.begin() + static_cast<std::ptrdiff_t>(held_);
    return std::find(ring_.begin(), end, number) != end;
  }
  void clear() noexcept { held_ = next_ = 0; }

private:
  std::array<std::uint64_t, 256> ring_{};
  std::size_t next_ = 0;
  std::size_t held_ = 0;
};

} // namespace troupe
