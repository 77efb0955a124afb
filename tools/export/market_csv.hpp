#pragma once

/// Bars and features as CSV: RFC 4180 (CRLF, quoted where needed), a header row, times in UTC, prices and
/// sizes as decimals with the instrument's scale. Pure.

#include "messages/learning.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::csv {

/// A field as RFC 4180 wants it: in quotes when it holds a comma, a quote or a line end.
std::string field(std::string_view text);

/// "2024-08-08T23:54:00Z"; with as many decimals of a second as are needed, up to nine.
std::string utc(market_time at);

/// "1s", "1m", …, "1d" of a bar's length, else seconds: "90s".
std::string interval_name(nanoseconds interval);

/// The length of a bar by name; 0 when there is no such.
nanoseconds interval_of(std::string_view name) noexcept;

std::string bar_header();
/// One row with its line end. Scales are those of the instrument.
std::string bar_row(const bar& b, int price_scale, int size_scale);

std::string feature_header();

/// Turns frames into one row for each second of market time: frames overlap, each second comes once. Seconds
/// in which the book was not valid throughout have no row. Not thread-safe.
class feature_rows {
public:
  /// The rows that this frame adds, seconds ending in (from, to]. Frames come in order of time; an earlier
  /// one adds nothing. A frame of another schema, or one that is damaged, is counted and left out.
  std::string add(const feature_frame& frame, market_time from, market_time to);
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
  market_time done_;
  std::uint64_t rows_ = 0;
  std::uint64_t refused_ = 0;
};

} // namespace troupe::csv
