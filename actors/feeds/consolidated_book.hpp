#pragma once

/// One symbol's book over many venues. Venues join when their view is valid and fresh, and drop out when it
/// is not; what is shown is the sum of those that are joined. Integers throughout: prices and sizes at common
/// scales, products in 128 bits, a sum that leaves 64 bits stops at the largest number. Market time is handed
/// in; the same calls give the same answers. Definitions: docs/market-data.md. Pure, not thread-safe.

#include "messages/consolidated.hpp"

#include <array>
#include <deque>
#include <map>

namespace troupe {

/// Windows of the imbalance averages.
inline constexpr std::array<nanoseconds, 4> imbalance_windows{
    std::chrono::seconds{1}, std::chrono::seconds{5}, std::chrono::seconds{15}, std::chrono::seconds{60}};
/// Buckets below and above that of mid.
inline constexpr std::int64_t buckets_around = 20;
inline constexpr std::size_t bucket_count = 2 * buckets_around + 1;

/// One venue of a merged book.
struct consolidated_venue {
  instrument_id instrument;
  std::int32_t fee_ppm = 0; ///< taker fee, millionths; 0: not given
  /// Where the venue quotes in another currency: the instrument whose live price converts it; else empty.
  instrument_id rate;
  bool rate_divides =
      true; ///< true: the rate is the venue's currency per one of ours (USDT-USD for USD prices)
};

struct consolidated_options {
  std::string symbol;
  std::vector<consolidated_venue> venues;           ///< shown in this order
  int price_scale = 8;                              ///< at least that of every venue that needs no rate
  int size_scale = 8;                               ///< at least that of every view
  price bucket_width;                               ///< at `price_scale`; 0: no buckets
  nanoseconds old_after = std::chrono::seconds{10}; ///< age at which a view no longer counts
  nanoseconds heat_every = std::chrono::seconds{1}; ///< distance of the heat map's columns
  std::size_t heat_columns = 600;                   ///< kept
};

class consolidated_book {
public:
  explicit consolidated_book(consolidated_options options);

  /// Takes a venue's or a rate's newest view. Views of others are counted and left out; so is one taken
  /// before the one that is held. `now` may not go backwards (an earlier one counts as the latest seen).
  void on_view(const book_view& as_sent, market_time now);

  /// Time went on without a view: venues grow old, averages and heat map go on.
  void advance(market_time now);

  /// The book as of the newest time seen.
  [[nodiscard]] consolidated_page page(const book_query& what) const;

  [[nodiscard]] market_time time() const noexcept { return time_; }
  [[nodiscard]] std::size_t joined() const noexcept;
  /// Views of instruments that are no part of this book, and views older than the one held.
  [[nodiscard]] std::uint64_t strangers() const noexcept { return strangers_; }
  [[nodiscard]] std::uint64_t reordered() const noexcept { return reordered_; }

private:
  /// A side's bucket sums, upwards from `first`.
  struct run {
    std::int64_t first = 0;
    std::vector<std::int64_t> sums;
    bool whole = false; ///< the side holds nothing beyond
    bool finer = false; ///< out of a finer grid: its last bucket away from the touch may be known in part only
  };
  struct part {
    consolidated_venue how;
    book_view view;
    bool heard = false;
    bool readable = false; ///< the numbers below are those of `view`
    venue_standing standing = venue_standing::waiting;
    std::vector<level> bids; ///< in our currency and scales
    std::vector<level> asks;
    run bid_run;
    run ask_run;
    std::int64_t bid_sum = 0; ///< within the buckets around mid
    std::int64_t ask_sum = 0;
    std::uint64_t views = 0;
    std::uint64_t dropouts = 0;
  };
  struct rate_state {
    book_view view;
    bool usable = false; ///< at `time_`
  };
  /// From `from` on the imbalance was this.
  struct segment {
    market_time from;
    std::int32_t ppm = 0;
    bool known = false;
  };

  void refresh();
  void judge_rates();
  void judge(part& p);
  [[nodiscard]] bool read(part& p) const;
  [[nodiscard]] bool read_side(part& p, const rate_state* rate, side which) const;
  [[nodiscard]] bool read_run(part& p, const rate_state* rate, side which) const;
  void sum_buckets();
  void note_imbalance();
  void add_column();
  [[nodiscard]] market_time next_change() const;
  [[nodiscard]] const rate_state* rate_of(const part& p) const;
  [[nodiscard]] bool fresh(const book_view& view) const noexcept;
  [[nodiscard]] imbalance_average average(nanoseconds window) const;
  [[nodiscard]] std::vector<merged_level> merge(side which, const book_query& what) const;
  [[nodiscard]] std::vector<arbitrage> arbitrages() const;
  [[nodiscard]] venue_part describe(const part& p) const;

  consolidated_options options_;
  std::vector<part> parts_;
  std::map<std::string, rate_state> rates_;
  market_time time_;
  market_time next_column_; ///< 0: no view has come yet
  level bid_;               ///< best of all, sizes of all venues at that price; size 0: none
  level ask_;
  std::int64_t centre_ = 0; ///< bucket of mid
  std::array<std::int64_t, bucket_count> bid_sums_{};
  std::array<std::int64_t, bucket_count> ask_sums_{};
  bool has_mid_ = false;
  bool buckets_whole_ = false;
  segment now_; ///< the imbalance as it is
  std::deque<segment> segments_;
  std::deque<heat_column> columns_;
  std::uint64_t strangers_ = 0;
  std::uint64_t reordered_ = 0;
};

} // namespace troupe
