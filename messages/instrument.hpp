#pragma once

/// Venues, symbols, instruments and their rules.

#include "messages/fields.hpp"

#include <functional>

namespace troupe {

/// A venue's name: "binance", "binance-usdm", "bybit", …
struct venue_id {
  std::string text;
  friend auto operator<=>(const venue_id&, const venue_id&) = default;
};

/// What is traded where, written "BTC-USDT@binance" or "BTC-USDT-PERP@bybit".
struct instrument_id {
  std::string text;
  friend auto operator<=>(const instrument_id&, const instrument_id&) = default;

  /// The venue-free name before the '@', "BTC-USDT".
  [[nodiscard]] std::string_view symbol() const noexcept {
    return std::string_view{text}.substr(0, text.find('@'));
  }
  /// The venue behind the '@', "binance"; empty when there is none.
  [[nodiscard]] std::string_view venue() const noexcept {
    const auto at = text.find('@');
    return at == std::string::npos ? std::string_view{} : std::string_view{text}.substr(at + 1);
  }
};

/// An account of ours at a venue, "main@binance": the unit of execution.
struct account_id {
  std::string text;
  friend auto operator<=>(const account_id&, const account_id&) = default;
};

/// How a contract pays.
enum class contract_kind : std::uint8_t { spot, linear, inverse };

/// The two sides of a trade or an order.
enum class side : std::uint8_t { buy, sell };

constexpr side opposite(side s) noexcept { return s == side::buy ? side::sell : side::buy; }

/// One version of an instrument's rules. Prices are raw × 10^-price_scale, sizes raw × 10^-size_scale.
struct instrument_spec {
  instrument_id id;
  std::string venue_symbol;
  contract_kind kind = contract_kind::spot;
  std::uint8_t price_scale = 0;
  std::uint8_t size_scale = 0;
  price tick;
  size lot;
  size min_size;
  size max_size;
  cash min_notional;
  market_time valid_from;

  TROUPE_FIELDS(instrument_spec, "The rules of one instrument from one date on.",
                TROUPE_FIELD(id, "instrument"),
                TROUPE_FIELD(venue_symbol, "the venue's own spelling, BTCUSDT"),
                TROUPE_FIELD(kind, "spot, linear or inverse"),
                TROUPE_FIELD(price_scale, "decimals of a raw price"),
                TROUPE_FIELD(size_scale, "decimals of a raw size"),
                TROUPE_FIELD(tick, "smallest price step; orders must be multiples"),
                TROUPE_FIELD(lot, "smallest size step; orders must be multiples"),
                TROUPE_FIELD(min_size, "smallest order"), TROUPE_FIELD(max_size, "largest order"),
                TROUPE_FIELD(min_notional, "smallest price × size of an order"),
                TROUPE_FIELD(valid_from, "from when these rules hold"))
};

} // namespace troupe

template <>
struct std::hash<troupe::instrument_id> {
  std::size_t operator()(const troupe::instrument_id& id) const noexcept {
    return std::hash<std::string>{}(id.text);
  }
};
