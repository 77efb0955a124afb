#pragma once

/// One instrument's book. Around the touch, sizes lie in two contiguous arrays indexed by tick, with a
/// bitmap of the occupied ticks; what is outside that window or off the tick lies in sorted chunks.
/// The window follows the touch. An update within the window is a handful of instructions whatever the
/// depth of the book; the best levels are known at any time.

#include "actors/feeds/spill_levels.hpp"

#include <array>
#include <cstdlib>
#include <optional>
#include <span>

namespace troupe {

/// Geometry of a book.
struct book_options {
  price tick{1}; ///< smallest price step, raw; prices off it are held, but slower
  std::uint32_t window_ticks =
      65536; ///< ticks held in arrays; a power of two from 256 to 1,048,576. Takes 16 bytes
             ///< a tick of address space; memory only for pages with levels in them
};

/// Price levels of both sides. Sizes are absolute. Bids are `side::buy`. Not thread-safe.
class order_book {
public:
  explicit order_book(const book_options& options = {});

  /// Forgets all levels and centres the window on `around`.
  void clear(price around = {}) noexcept;

  /// Sets one level; size 0 deletes, deleting an absent level changes nothing.
  /// @pre at.raw within ±2^62, quantity >= 0
  void apply(side which, price at, size quantity);

  /// Sets levels in their order.
  void apply(side which, std::span<const level> levels);

  /// The same on both sides.
  void apply(std::span<const level> bids, std::span<const level> asks);

  /// Replaces everything.
  void load(std::span<const level> bids, std::span<const level> asks);

  /// Deletes the worst levels of a side beyond the best `depth`.
  void cut(side which, std::size_t depth);

  /// Best level; size 0 when the side is empty.
  [[nodiscard]] level best(side which) const noexcept;
  [[nodiscard]] level bid() const noexcept { return best(side::buy); }
  [[nodiscard]] level ask() const noexcept { return best(side::sell); }

  /// True when the best bid is at or above the best ask.
  [[nodiscard]] bool crossed() const noexcept;

  /// Number of levels held.
  [[nodiscard]] std::size_t levels(side which) const noexcept;
  /// Of these outside the window.
  [[nodiscard]] std::size_t spilled(side which) const noexcept { return half_of(which).spill.count(); }

  /// Size at a price; 0 when there is none.
  [[nodiscard]] size at(side which, price where) const noexcept;

  /// Visits levels from the best on; `visit(level)` returns false to stop.
  template <class Visitor>
  void for_each(side which, Visitor&& visit) const;

  /// Copies the best levels; returns how many there were.
  std::size_t top(side which, std::span<level> out) const;

  /// CRC-32 of the best `depth` levels as text: bids then asks, best first, "price,size" in plain decimals
  /// without trailing zeros, joined by '|'; 0 for an empty book. Equal to other implementations whatever
  /// their scales.
  [[nodiscard]] std::uint32_t top_checksum(int price_scale, int size_scale, std::size_t depth = 20) const;

private:
  /// Zeroed 64-bit integers whose pages come into being when they are first written.
  struct lazy_zeros {
    explicit lazy_zeros(std::size_t count) noexcept
        : data{static_cast<std::int64_t*>(std::calloc(count, sizeof(std::int64_t)))} {}
    std::int64_t& operator[](std::size_t i) noexcept { return data.get()[i]; }
    const std::int64_t& operator[](std::size_t i) const noexcept { return data.get()[i]; }
    struct release {
      void operator()(std::int64_t* p) const noexcept { std::free(p); }
    };
    std::unique_ptr<std::int64_t, release> data;
  };

  struct half {
    explicit half(std::size_t window)
        : sizes{window}, occupied(window / 64), summary((window / 64 + 63) / 64) {}
    lazy_zeros sizes;                    // by tick of the window
    std::vector<std::uint64_t> occupied; // bit per tick
    std::vector<std::uint64_t> summary;  // bit per word of `occupied`
    std::int64_t best = -1;              // index of the best occupied tick, -1 = none
    std::size_t count = 0;               // occupied ticks
    spill_levels spill;
  };

  [[nodiscard]] const half& half_of(side which) const noexcept { return halves_[which == side::sell]; }
  template <side S>
  void apply_levels(std::span<const level> levels);
  template <side S>
  void apply_one(half& h, std::int64_t price, std::int64_t size);
  template <side S>
  void set_tick(half& h, std::uint64_t index, std::int64_t size) noexcept;
  template <side S>
  void move_best(half& h, std::int64_t index, bool occupied) noexcept;
  [[nodiscard]] price price_of(std::int64_t index) const noexcept { return {base_ + index * tick_}; }
  [[nodiscard]] std::int64_t next_up(const half& h, std::int64_t from) const noexcept;
  [[nodiscard]] std::int64_t next_down(const half& h, std::int64_t from) const noexcept;
  [[nodiscard]] std::optional<level> window_best(side which) const noexcept;
  [[nodiscard]] price worst(side which) const noexcept;
  void centre(std::int64_t around) noexcept;
  void follow_touch();
  void move_window(std::int64_t around);

  std::int64_t tick_;
  std::int64_t window_;
  std::uint64_t span_;         // window × tick
  std::uint64_t reciprocal_;   // ceil(2^64 / tick): exact division of offsets below span; 0 = divide
  std::int64_t base_ = 0;      // price of index 0
  std::array<half, 2> halves_; // bids, asks
  std::vector<level> moved_;   // scratch of move_window
};

// --- implementation of the template --------------------------------------------------------------

template <class Visitor>
void order_book::for_each(side which, Visitor&& visit) const {
  const auto& h = half_of(which);
  const bool bids = which == side::buy;
  auto index = h.best;
  spill_levels::cursor outside{h.spill, bids};
  while (index >= 0 || !outside.done()) {
    const bool inside_next =
        index >= 0
        && (outside.done()
            || (bids ? price_of(index) > outside.value().at : price_of(index) < outside.value().at));
    if (inside_next) {
      if (!visit(level{price_of(index), {h.sizes[static_cast<std::size_t>(index)]}})) return;
      index = bids ? next_down(h, index - 1) : next_up(h, index + 1);
      continue;
    }
    if (!visit(outside.value())) return;
    bids ? outside.down() : outside.up();
  }
}

} // namespace troupe
