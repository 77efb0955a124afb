#pragma once

/// What the consolidator gets to see of one feed's book: best levels and price buckets, contracts turned
/// into base units. Pure.

#include "actors/feeds/order_book.hpp"
#include "messages/consolidated.hpp"

namespace troupe {

/// What a contract is worth, in 10^-8: of the base asset (spot, linear), of the quote asset (inverse).
inline constexpr std::int64_t contract_unit = 100'000'000;

struct view_options {
  instrument_id instrument;
  contract_kind kind = contract_kind::spot;
  std::int64_t contract_e8 =
      contract_unit; ///< value of one contract; `contract_unit` where sizes are base units
  int price_scale = 0;
  int size_scale = 0;
  price bucket_width; ///< raw, at `price_scale`; 0: no buckets
  std::uint32_t buckets = view_max_buckets; ///< sums a side, at most `view_most_buckets`
  std::size_t levels = view_max_levels;
};

/// Where a feed stands when a view is taken.
struct view_moment {
  market_time at;
  market_time event;
  nanoseconds age{};
  std::uint64_t sequence = 0;
  book_validity validity = book_validity::empty;
};

/// Decimals of the sizes in the views of such an instrument: its own, or 8 where contracts are converted.
int view_size_scale(const view_options& how) noexcept;

/// Contracts in base units at `view_size_scale`, rounded down: sizes × value, over the price where the
/// contract is inverse (its value is in the quote asset). Errors: a result beyond 64 bits, no price above 0.
result<size> base_units(const view_options& how, price at, size contracts);

/// The view. Levels of a book that is not valid are left out. A book whose numbers don't fit is told as
/// `damaged`. Sums are formed up to `buckets` away from the touch.
book_view make_book_view(const view_options& how, const view_moment& when, const order_book& book);

} // namespace troupe
