#pragma once

/// One book out of many venues: what a feed tells the consolidator, and what the consolidator answers.
/// Definitions and formulas: docs/market-data.md.

#include "messages/market.hpp"

namespace troupe {

/// Bounds of a `book_view`; a longer one is refused as damaged.
inline constexpr std::size_t view_max_levels = 50;
inline constexpr std::size_t view_most_buckets = 512;
/// Sums a side on the merged book's own grid; n times as many on one that is n times finer.
inline constexpr std::size_t view_max_buckets = 32;

/// The top of one venue's book. Sizes are in base units, contracts converted; `size_scale` says the decimals.
/// Bucket k holds the prices [k × width, (k + 1) × width); sums are over the whole book, not over the levels.
/// Fewer than `reach` sums of a side: the side ends with the last one.
struct book_view {
  instrument_id instrument;
  market_time at;
  market_time event;
  nanoseconds age{};
  std::uint64_t sequence = 0;
  book_validity validity = book_validity::empty;
  std::uint8_t price_scale = 0;
  std::uint8_t size_scale = 0;
  std::vector<level> bids;
  std::vector<level> asks;
  bool more_bids = false;
  bool more_asks = false;
  price bucket_width;
  std::int64_t bid_bucket = 0;
  std::int64_t ask_bucket = 0;
  std::vector<size> bid_sums;
  std::vector<size> ask_sums;
  std::uint32_t reach = view_max_buckets;

  TROUPE_FIELDS(
      book_view, "The top of one venue's book, conflated: the newest wins.",
      TROUPE_FIELD(instrument, "whose book"), TROUPE_FIELD(at, "market time at which it was taken"),
      TROUPE_FIELD(event, "venue time of the newest change"),
      TROUPE_FIELD(age, "time since the last frame that moved or confirmed the book, as of `at`"),
      TROUPE_FIELD(sequence, "the venue's own sequence number of the newest change"),
      TROUPE_FIELD(validity, "valid, or why not; the levels of a book that is not valid are left out"),
      TROUPE_FIELD(price_scale, "decimals of prices"), TROUPE_FIELD(size_scale, "decimals of sizes"),
      TROUPE_FIELD(bids, "best first"), TROUPE_FIELD(asks, "best first"),
      TROUPE_FIELD(more_bids, "the book holds bids below the last one here"),
      TROUPE_FIELD(more_asks, "the book holds asks above the last one here"),
      TROUPE_FIELD(bucket_width, "width of a price bucket; 0 = no buckets"),
      TROUPE_FIELD(bid_bucket, "number of the bucket of bid_sums[0], that of the best bid"),
      TROUPE_FIELD(ask_bucket, "number of the bucket of ask_sums[0], that of the best ask"),
      TROUPE_FIELD(bid_sums, "bid size by bucket, downwards from the best"),
      TROUPE_FIELD(ask_sums, "ask size by bucket, upwards from the best"),
      TROUPE_FIELD(reach, "sums a side at most; fewer: the side ends with the last one"))
};

/// Whether a venue is part of the merged book, or why not.
enum class venue_standing : std::uint8_t {
  joined,  ///< part of the merged book
  waiting, ///< nothing heard yet
  invalid, ///< its feed says that the book is not valid
  old,     ///< nothing fresh for too long
  no_rate, ///< quoted in another currency whose live rate is missing, invalid or old
  damaged  ///< its last view makes no sense: unsorted, crossed, or beyond 64 bits
};

/// One venue's part.
struct venue_part {
  instrument_id instrument;
  venue_standing standing = venue_standing::waiting;
  book_validity validity = book_validity::empty;
  std::uint64_t sequence = 0;
  nanoseconds age{};
  level bid;
  level ask;
  price spread;
  std::int32_t bid_share_ppm = 0;
  std::int32_t ask_share_ppm = 0;
  std::int32_t fee_ppm = 0;
  instrument_id rate;
  price rate_bid;
  price rate_ask;
  std::uint8_t rate_scale = 0;
  std::uint64_t views = 0;
  std::uint64_t dropouts = 0;

  TROUPE_FIELDS(
      venue_part, "One venue's part of the merged book.", TROUPE_FIELD(instrument, "which book"),
      TROUPE_FIELD(standing, "joined, or why not"), TROUPE_FIELD(validity, "what its feed says of it"),
      TROUPE_FIELD(sequence, "the venue's sequence number"), TROUPE_FIELD(age, "age of its newest frame"),
      TROUPE_FIELD(bid, "best bid, in the merged book's currency and scales"),
      TROUPE_FIELD(ask, "best ask, in the merged book's currency and scales"),
      TROUPE_FIELD(spread, "ask - bid"),
      TROUPE_FIELD(bid_share_ppm, "share of all bids within the buckets, millionths"),
      TROUPE_FIELD(ask_share_ppm, "share of all asks within the buckets, millionths"),
      TROUPE_FIELD(fee_ppm, "taker fee, millionths; 0 = not given"),
      TROUPE_FIELD(rate, "instrument whose live price converts this venue's currency; empty: none needed"),
      TROUPE_FIELD(rate_bid, "best bid of that rate"), TROUPE_FIELD(rate_ask, "best ask of that rate"),
      TROUPE_FIELD(rate_scale, "decimals of the rate"), TROUPE_FIELD(views, "views taken"),
      TROUPE_FIELD(dropouts, "times it left the merged book"))
};

/// A price of the merged book with each venue's size, in the order of `consolidated_page::venues`.
struct merged_level {
  price at;
  size quantity;
  std::vector<size> by_venue;

  TROUPE_FIELDS(merged_level, "One price of the merged book.", TROUPE_FIELD(at, "price"),
                TROUPE_FIELD(quantity, "size of all venues"), TROUPE_FIELD(by_venue, "size of each venue"))
};

/// Sums of one price bucket.
struct price_bucket {
  std::int64_t number = 0;
  size bids;
  size asks;

  TROUPE_FIELDS(price_bucket, "Sizes within one price bucket.",
                TROUPE_FIELD(number, "holds the prices [number × width, (number + 1) × width)"),
                TROUPE_FIELD(bids, "bid size"), TROUPE_FIELD(asks, "ask size"))
};

/// Time-weighted imbalance of one window.
struct imbalance_average {
  nanoseconds window{};
  nanoseconds covered{};
  std::int32_t ppm = 0;

  TROUPE_FIELDS(imbalance_average, "Time-weighted imbalance of a window.",
                TROUPE_FIELD(window, "length of the window"),
                TROUPE_FIELD(covered, "time within it for which the imbalance is known"),
                TROUPE_FIELD(ppm, "(bids - asks) / (bids + asks), averaged over that time, millionths"))
};

/// One column of the heat map: the buckets as they were at an instant.
struct heat_column {
  market_time at;
  std::int64_t first = 0;
  std::vector<size> bids;
  std::vector<size> asks;

  TROUPE_FIELDS(heat_column, "The buckets at one instant.", TROUPE_FIELD(at, "the instant"),
                TROUPE_FIELD(first, "number of the first bucket"),
                TROUPE_FIELD(bids, "bid size by bucket, upwards; empty while no venue was joined"),
                TROUPE_FIELD(asks, "ask size by bucket, upwards"))
};

/// A venue bids above what another one asks.
struct arbitrage {
  std::uint32_t sell_at = 0;
  std::uint32_t buy_at = 0;
  size quantity;
  price gain;
  std::int32_t gain_ppm = 0;

  TROUPE_FIELDS(arbitrage, "A venue bids above what another one asks, fees paid.",
                TROUPE_FIELD(sell_at, "venue that bids, by place in `venues`"),
                TROUPE_FIELD(buy_at, "venue that asks, by place in `venues`"),
                TROUPE_FIELD(quantity, "smaller of the two best sizes"),
                TROUPE_FIELD(gain, "gain per base unit after the fees that are given, rounded down"),
                TROUPE_FIELD(gain_ppm, "gain over the price paid, millionths"))
};

/// Asks a consolidator for its book.
struct book_query {
  instrument_id only;
  std::uint32_t depth = 0;
  std::uint32_t columns = 0;

  TROUPE_FIELDS(book_query, "What is the merged book?",
                TROUPE_FIELD(only, "show the levels of this instrument alone; empty: of all"),
                TROUPE_FIELD(depth, "levels a side; 0 = all there are"),
                TROUPE_FIELD(columns, "newest columns of the heat map; 0 = none"))
};

/// The merged book of one symbol.
struct consolidated_page {
  std::string symbol;
  market_time at;
  std::uint8_t price_scale = 0;
  std::uint8_t size_scale = 0;
  std::vector<venue_part> venues;
  std::vector<merged_level> bids;
  std::vector<merged_level> asks;
  price bids_whole_to;
  price asks_whole_to;
  std::int64_t mid_e3 = 0;
  std::int64_t micro_e3 = 0;
  price bucket_width;
  std::vector<price_bucket> buckets;
  bool buckets_whole = false;
  bool imbalance_known = false;
  std::int32_t imbalance_ppm = 0;
  std::vector<imbalance_average> averages;
  std::vector<arbitrage> arbitrages;
  std::vector<heat_column> columns;

  TROUPE_FIELDS(
      consolidated_page, "The merged book of one symbol.", TROUPE_FIELD(symbol, "whose, \"BTC-USDT\""),
      TROUPE_FIELD(at, "market time"), TROUPE_FIELD(price_scale, "decimals of all prices"),
      TROUPE_FIELD(size_scale, "decimals of all sizes"), TROUPE_FIELD(venues, "each venue's part"),
      TROUPE_FIELD(bids, "best first"), TROUPE_FIELD(asks, "best first"),
      TROUPE_FIELD(bids_whole_to, "down to this price every joined venue's bids are known; 0 = all of them"),
      TROUPE_FIELD(asks_whole_to, "up to this price every joined venue's asks are known; 0 = all of them"),
      TROUPE_FIELD(mid_e3, "(best bid + best ask) / 2, raw × 1000; 0 = a side is empty"),
      TROUPE_FIELD(micro_e3, "mid weighted by the opposite side's best size, raw × 1000"),
      TROUPE_FIELD(bucket_width, "width of a bucket; 0 = no buckets"),
      TROUPE_FIELD(buckets, "20 below, that of mid, 20 above; upwards"),
      TROUPE_FIELD(buckets_whole, "every joined venue's sums reach over all of them"),
      TROUPE_FIELD(imbalance_known, "a venue is joined and the buckets are not empty"),
      TROUPE_FIELD(imbalance_ppm, "(bids - asks) / (bids + asks) over the buckets, millionths"),
      TROUPE_FIELD(averages, "time-weighted imbalance over 1, 5, 15 and 60 s of market time"),
      TROUPE_FIELD(arbitrages, "largest gain first"),
      TROUPE_FIELD(columns, "newest columns of the heat map, oldest first"))
};

/// Word for people.
constexpr std::string_view name_of(venue_standing s) noexcept {
  switch (s) {
  case venue_standing::joined: return "joined";
  case venue_standing::waiting: return "waiting";
  case venue_standing::invalid: return "invalid";
  case venue_standing::old: return "old";
  case venue_standing::no_rate: return "no rate";
  case venue_standing::damaged: return "damaged";
  }
  return "?";
}

} // namespace troupe
