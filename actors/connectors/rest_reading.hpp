#pragma once

/// What the REST readers of the venues share: rules of instruments and pages of candles. Pure.

#include "actors/connectors/loose_decimal.hpp"
#include "actors/connectors/venue.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

enum class rest_errc { bad_body = 1, refused };
std::error_code make_error_code(rest_errc code) noexcept;

/// Decimals of sizes to keep at a venue whose books hold sizes finer than the lot: up to 8, as long as a
/// level of some 40 million units of the quote asset still fits 64 bits.
int roomy_size_scale(int lot_decimals, int price_scale) noexcept;

/// "BTC-USDT@mexc" out of "btc" and "USDT"; `suffix` is "" or "-PERP". Nothing when an asset's name has
/// other characters than letters and digits, or is too long.
std::optional<instrument_id> instrument_of(std::string_view base, std::string_view quote,
                                           std::string_view suffix, std::string_view venue);

/// Rules of one instrument as the venue writes them, all in decimals of the base or quote asset.
struct rule_texts {
  std::string_view tick = "1";
  std::string_view lot = "1";
  std::string_view min_size = "0";
  std::string_view max_size;     ///< empty: no limit
  std::string_view min_notional; ///< empty: none
};

/// Fills tick, lot, sizes and notional at the scales that `spec` holds already. False when tick or lot don't
/// fit them.
bool set_rules(const rule_texts& texts, instrument_spec& spec);

/// "1" with so many decimals: 10^-decimals as text, "0.001" for 3.
std::string unit_of(int decimals);

/// Puts a page in order: ascending, one bar for each open time, none off the grid of the interval. The
/// venues meant here say of no bar that it is complete, so a bar counts as closed when a later one follows.
candle_page page_of(std::vector<bar> rows, nanoseconds interval);

/// The venue's word for an interval out of its list; empty when it has none.
struct interval_name {
  nanoseconds interval;
  std::string_view name;
};
std::string_view name_of_interval(std::span<const interval_name> names, nanoseconds interval) noexcept;

/// Whole seconds or milliseconds of a time, for queries.
std::string seconds_text(market_time at);
std::string milliseconds_text(market_time at);

/// Distributes topics over sockets of one target.
void add_sockets(std::vector<market_socket_plan>& plans, std::string_view target,
                 std::vector<market_topic> topics, std::size_t topics_per_socket);

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::rest_errc> : std::true_type {};
