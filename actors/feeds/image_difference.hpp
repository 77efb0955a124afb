#pragma once

/// What turns one image of a book into the next, for venues of which every message is an image.

#include "messages/market.hpp"

#include <array>
#include <span>
#include <vector>

namespace troupe {

/// Holds the image before. Not thread-safe.
class image_difference {
public:
  /// Takes the next image and keeps it. True when `bids()` and `asks()` turn a book that holds just the image
  /// before into it; false when the book is to be loaded anew: there is no image before (`has_before`), or rows
  /// are out of order, twice there or empty.
  bool take(std::span<const level> bids, std::span<const level> asks, bool has_before);

  /// Changes; size 0 deletes. Valid until the next `take`.
  [[nodiscard]] std::span<const level> bids() const noexcept { return halves_[0].changes; }
  [[nodiscard]] std::span<const level> asks() const noexcept { return halves_[1].changes; }

private:
  struct half {
    std::vector<level> before;
    std::vector<level> changes;
    bool ordered = false; // `before`, best first
  };

  std::array<half, 2> halves_; // bids, asks
};

} // namespace troupe
