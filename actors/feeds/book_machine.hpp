#pragma once

/// The five ways venues let a book be kept true, one state machine each behind one interface.
///
/// | family | bootstrap | continuity |
/// |---|---|---|
/// | A ranged | REST image joined with buffered changes | ranges of ids follow each other |
/// | B chained | image in band | a change names the id before it |
/// | C checksummed | image in band | the checksum of the book behind each message |
/// | D connection | image in band | a sequence over all messages of the connection, checked by the session |
/// | E images | every message is an image | none |

#include "actors/feeds/events.hpp"
#include "actors/feeds/order_book.hpp"

#include <memory>

namespace troupe {

/// Which machine keeps the book.
enum class book_family : std::uint8_t { ranged, chained, checksummed, connection, images };

/// How a venue of family A chains its changes.
enum class sequence_rule : std::uint8_t {
  spot,    ///< Binance spot, Gate: U == previous u + 1; the first applied bridges U <= L+1 <= u; u <= L is stale
  futures, ///< Binance futures: pu == previous u; the first applied bridges pu <= L <= u; u < L is stale
  overlap  ///< KuCoin, MEXC: first <= last + 1 <= last of the change; what is at or below the book is stale
};

/// A venue's checksum of its book, or null.
using book_checksum = std::uint32_t (*)(const order_book& book, int price_scale, int size_scale);

/// The venue's rules for one book channel.
struct book_rules {
  book_family family = book_family::ranged;
  sequence_rule rule = sequence_rule::spot; ///< family A
  book_checksum checksum = nullptr;         ///< families B, C and D where the venue gives one
  std::size_t depth = 0; ///< levels a side the subscription holds; beyond it the book is cut (Kraken); 0: never
  bool cut_beyond_depth = false; ///< the venue sends no delete for levels that fall out of `depth`
  bool image_in_band = true; ///< false: `on_image` comes of a REST request
};

} // namespace troupe
