#pragma once

/// The checksums venues give of their books, out of scaled integers. The scales must be the number of
/// decimals the venue itself writes: another number of zeros is another checksum. Signed values are given as
/// their 32 bits. All are pure, allocate nothing and may be used as `book_rules::checksum`.

#include "actors/feeds/order_book.hpp"

namespace troupe {

/// Kraken v1 and v2, "Book checksum": CRC-32 of the best 10 asks, then the best 10 bids, each price and
/// size without point and leading zeros.
std::uint32_t kraken_book_checksum(const order_book& book, int price_scale, int size_scale);

/// OKX until June 2026, channel "books": CRC-32 of the best 25 levels, bid and ask in turn, "price:size"
/// joined by ':', without trailing zeros; the longer side goes on alone.
std::uint32_t okx_book_checksum(const order_book& book, int price_scale, int size_scale);

/// Bitfinex with OB_CHECKSUM: CRC-32 of the best 25 levels, bid and ask in turn, "price:amount" joined by
/// ':', amounts of asks negative, numbers as JavaScript writes them (below 1e-6: exponents).
std::uint32_t bitfinex_book_checksum(const order_book& book, int price_scale, int size_scale);

} // namespace troupe
