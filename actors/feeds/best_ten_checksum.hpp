#pragma once

/// Kraken's checksum of a book (`kraken_book_checksum`), kept from change to change: the CRC of each of the best
/// ten levels a side is known, and only those that changed are printed anew. CRCs of parts are joined by
/// multiplications of polynomials (zlib's crc32_combine does the same), one carry-less product a level, all of
/// them reduced once.

#include "actors/feeds/order_book.hpp"

namespace troupe {

/// Of one book. To be told of every change to it. Not thread-safe.
class best_ten_checksum {
public:
  static constexpr std::size_t depth = 10;

  /// False where the processor has no carry-less product: then take `kraken_book_checksum`.
  static bool available() noexcept;

  /// The book was replaced or emptied.
  void forget() noexcept;

  /// These rows were applied to the book.
  void changed(side which, std::span<const level> rows) noexcept;

  /// What `kraken_book_checksum` says of the book. @pre available(), and all changes were told
  std::uint32_t of(const order_book& book) noexcept;

private:
  /// One level's text, price and size without point, as the remainder of its polynomial.
  struct printed {
    level what;
    std::uint32_t remainder = 0;
    std::uint32_t length = 0;
  };

  struct half {
    std::array<std::array<printed, depth>, 2> both; // those of now and those of before
    std::size_t now = 0;
    std::size_t count = 0;
    bool known = false;          // those of now are the book's best
    bool summed = false;         // what follows is that of all their texts, one behind the other
    std::uint32_t remainder = 0;
    std::uint32_t length = 0;
  };

  template <side S>
  void take(half& h, const level& row) noexcept;
  static void sum(half& h) noexcept;
  static void print(const level& what, printed& to) noexcept;
  void read(const order_book& book, side which) noexcept;

  std::array<half, 2> halves_; // bids, asks
  bool known_ = false;         // `value_` is that of both halves
  std::uint32_t value_ = 0;
};

} // namespace troupe
