#pragma once

/// When a batch of inferences closes: on size, on age, or because nothing more is waiting. Requests
/// whose deadline has passed are handed back instead of being computed for nobody.

#include "messages/time.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace troupe {

struct batcher_options {
  std::size_t max_batch = 64;                                ///< a batch closes at this size
  nanoseconds max_age = std::chrono::milliseconds{2};        ///< … or when its oldest request is this old
  nanoseconds deadline = std::chrono::seconds{1};            ///< a request older than this is dropped
  std::size_t capacity = 4096;                               ///< most requests that wait; more are refused
  std::vector<std::size_t> buckets{1, 2, 4, 8, 16, 32, 64};  ///< batch shapes; fewer shapes, fewer kernels
};

/// The smallest bucket that holds `n`; `n` itself when none does.
std::size_t bucket_for(std::span<const std::size_t> buckets, std::size_t n) noexcept;

/// Collects items until a batch closes. Not thread-safe.
template <class Item>
class batcher {
public:
  struct waiting_item {
    Item item;
    steady_time arrived;
  };
  struct closed_batch {
    std::vector<waiting_item> ready;
    std::vector<waiting_item> expired;
  };

  explicit batcher(batcher_options options) : options_{std::move(options)} {
    options_.max_batch = std::max<std::size_t>(options_.max_batch, 1);
  }

  /// False when `capacity` items wait already; the item is untouched then.
  bool push(Item& item, steady_time now) {
    if (waiting_.size() >= options_.capacity) return false;
    waiting_.push_back({std::move(item), now});
    return true;
  }

  /// True when the batch should run now. `more_waiting` is what the caller knows to come right behind.
  [[nodiscard]] bool due(steady_time now, std::size_t more_waiting) const noexcept {
    if (waiting_.empty()) return false;
    return waiting_.size() >= options_.max_batch || more_waiting == 0
           || now - waiting_.front().arrived >= options_.max_age;
  }

  /// Takes up to `max_batch` live items, oldest first, and all expired ones before them.
  closed_batch take(steady_time now) {
    closed_batch out;
    std::size_t used = 0;
    while (used < waiting_.size() && out.ready.size() < options_.max_batch) {
      auto& next = waiting_[used++];
      auto& target = now - next.arrived > options_.deadline ? out.expired : out.ready;
      target.push_back(std::move(next));
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(used));
    return out;
  }

  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
  [[nodiscard]] const batcher_options& options() const noexcept { return options_; }

private:
  batcher_options options_;
  std::vector<waiting_item> waiting_;
};

} // namespace troupe
