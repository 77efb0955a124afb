#pragma once

/// Price levels in ascending order of price, in contiguous chunks: the part of a book outside its
/// window. A search is two binary searches over contiguous memory, an insertion moves at most one chunk.

#include "messages/market.hpp"

#include <memory>
#include <vector>

namespace troupe {

/// Sorted levels. Not thread-safe.
class spill_levels {
public:
  /// Sets the size at a price; 0 deletes. Returns the size that was there before (0 = none).
  std::int64_t set(std::int64_t price, std::int64_t size);

  [[nodiscard]] std::int64_t find(std::int64_t price) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return chunks_.empty(); }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  void clear() noexcept;

  /// @pre !empty()
  [[nodiscard]] level lowest() const noexcept { return chunks_.front()->at(0); }
  /// @pre !empty()
  [[nodiscard]] level highest() const noexcept { return chunks_.back()->at(chunks_.back()->count - 1); }

  /// A place in the order; walks both ways. Invalid after any change.
  class cursor {
  public:
    cursor(const spill_levels& owner, bool from_highest) noexcept;
    [[nodiscard]] bool done() const noexcept { return chunk_ >= owner_->chunks_.size(); }
    [[nodiscard]] level value() const noexcept { return owner_->chunks_[chunk_]->at(slot_); }
    void up() noexcept;
    void down() noexcept;

  private:
    const spill_levels* owner_;
    std::size_t chunk_ = 0;
    std::size_t slot_ = 0;
  };

private:
  static constexpr std::size_t chunk_capacity = 96;

  struct chunk {
    std::size_t count = 0;
    std::int64_t prices[chunk_capacity];
    std::int64_t sizes[chunk_capacity];
    [[nodiscard]] level at(std::size_t i) const noexcept { return {{prices[i]}, {sizes[i]}}; }
    [[nodiscard]] std::size_t lower_bound(std::int64_t price) const noexcept;
    void insert(std::size_t slot, std::int64_t price, std::int64_t size) noexcept;
    void erase(std::size_t slot) noexcept;
  };

  [[nodiscard]] std::size_t chunk_of(std::int64_t price) const noexcept;
  void insert(std::size_t chunk, std::size_t slot, std::int64_t price, std::int64_t size);
  void erase(std::size_t chunk, std::size_t slot);

  std::vector<std::unique_ptr<chunk>> chunks_; // ascending, none empty
  std::vector<std::int64_t> firsts_;           // lowest price of each chunk
  std::size_t count_ = 0;
};

} // namespace troupe
