#pragma once

/// Candles that venues write as rows of an array. Which column holds what differs from venue to
/// venue and is the one trap in them (KuCoin and Bitfinex: open, close, high, low; Gate: quote
/// volume, close, high, low, open, volume), so it is data: a `candle_columns` a venue. Pure.

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

namespace troupe {

/// Columns of a row; the open time is always the first.
struct candle_columns {
  static constexpr int absent = -1;

  time_unit unit = time_unit::ms; ///< of the open time
  int open = 1;
  int high = 2;
  int low = 3;
  int close = 4;
  int volume = 5;
  int trades = absent;
  int complete = absent;            ///< says whether the candle is over; a row may end before it
  std::string_view complete_word{}; ///< what stands there when it is

  /// Cells that a row has at least.
  [[nodiscard]] constexpr std::size_t least() const noexcept {
    const auto last = std::max({open, high, low, close, volume, trades});
    return static_cast<std::size_t>(last) + 1;
  }
};

/// A candle, and the venue's word on whether it is over.
struct candle_row {
  bar candle;
  bool complete = false;
};

/// A row whose cells are texts. Nothing when a cell is missing or no number. Volumes are rounded to
/// the instrument's scale: venues sum them up in floating point.
std::optional<candle_row> candle_of(std::span<const std::string_view> cells,
                                    const instrument_spec& instrument,
                                    const candle_columns& columns);

/// A row of numbers or texts; what is wrong is remembered by `in`. Volumes are rounded as above.
bar candle_of(json_frame& in, json_array row, const instrument_spec& instrument,
              const candle_columns& columns);

/// A page in order, in which the venue says itself what is complete.
candle_page page_of(std::vector<candle_row> rows, nanoseconds interval);

} // namespace troupe
