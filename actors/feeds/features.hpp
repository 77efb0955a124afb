#pragma once

/// The first feature set: what a model sees. 16 channels over 64 steps of one second of market time, newest
/// step last. Every number is divided by a fixed constant, never by statistics of the data, so that the
/// same input gives the same features anywhere. A step whose book was not valid throughout is all
/// zeros, its channel `known` included: nothing is carried over a hole.

#include "actors/feeds/events.hpp"
#include "actors/feeds/order_book.hpp"
#include "messages/learning.hpp"

#include <array>

namespace troupe {

/// Version of the list below; changes with any change of meaning, order or constant.
inline constexpr std::uint32_t feature_schema_version = 1;
inline constexpr std::size_t feature_channels = 16;
inline constexpr std::size_t feature_steps = 64;
inline constexpr nanoseconds feature_step = std::chrono::seconds{1};

/// Name, meaning and normalising constant of one channel.
struct feature_channel {
  std::string_view name;
  std::string_view doc;
};

/// The channels in order. All values are clipped to ±8 after scaling. "mid" is (bid + ask) / 2, "bp" is 1e-4
/// of mid; notional is price × size in quote units (contracts: price × contracts as the venue counts).
inline constexpr std::array<feature_channel, feature_channels> feature_list{{
    {"return", "log(mid / mid of the step before), 5 bp = 1; 0 where the step before is unknown"},
    {"spread", "(ask - bid) / mid at the end of the step, 5 bp = 1"},
    {"imbalance_1", "(bid size - ask size) / sum, best level"},
    {"imbalance_5", "(bid size - ask size) / sum, best 5 levels"},
    {"imbalance_20", "(bid size - ask size) / sum, best 20 levels"},
    {"microprice", "(size-weighted mid of the best levels - mid) / mid, 1 bp = 1"},
    {"flow", "asinh((bought - sold) notional / 10,000) / 4"},
    {"volume", "asinh(traded notional / 10,000) / 4"},
    {"trades", "log(1 + trades) / 4"},
    {"trade_sign", "(buys - sells) / trades by aggressor; 0 without trades"},
    {"vwap", "(traded notional / volume - mid) / mid, 5 bp = 1; 0 without trades"},
    {"range", "(highest mid - lowest mid within the step) / mid, 5 bp = 1"},
    {"volatility", "square root of the sum of squared log returns of mid within the step, 5 bp = 1"},
    {"depth", "log10(1 + notional of the best 20 levels of both sides) / 8"},
    {"updates", "log(1 + price levels changed within the step) / 8"},
    {"known", "1 when the book was valid throughout the step, else 0"},
}};

/// Hash over version, shape, names and texts of the channels; a model remembers which one it was trained on.
std::uint64_t feature_schema_hash();

/// Scales of the instrument, to turn raw integers into quote and base units.
struct feature_scales {
  int price_scale = 0;
  int size_scale = 0;
};

/// Collects steps and builds the tensor. Driven by venue event time, which it takes as it comes: an event
/// belongs to the step that is open when it arrives. Not thread-safe.
class feature_builder {
public:
  explicit feature_builder(const feature_scales& scales);

  /// Closes all steps that end at or before `now`. Call with an event's time before the event is taken, so
  /// that a step never holds anything from after its end. `book` is the book before the event.
  void advance(market_time now, const order_book& book, bool book_valid);

  /// A change has been applied; `changed` price levels were in it.
  void on_book(const order_book& book, std::size_t changed);

  /// The book stopped being valid (or is not yet): the open step is unknown.
  void on_invalid() noexcept { open_.broken = true; }

  void on_trade(const trade_event& trade) noexcept;

  /// The tensor as of the last closed step, f32 [channels, steps], newest last.
  [[nodiscard]] packed_tensor tensor() const;

  /// End of the last closed step: nothing at or after this instant is in the tensor.
  [[nodiscard]] market_time closed_until() const noexcept { return {open_until_.ns - feature_step.count()}; }

private:
  struct step {
    bool broken = false;
    double bought = 0; // notional
    double sold = 0;   // notional
    double volume = 0; // base units
    std::uint64_t buys = 0;
    std::uint64_t sells = 0;
    double high = 0; // of mid
    double low = 0;
    double variance = 0;
    std::uint64_t changed = 0;
  };
  using column = std::array<float, feature_channels>;

  void close(const order_book& book, bool book_valid);
  void start_from(const order_book& book, bool book_valid);
  [[nodiscard]] double mid_of(const order_book& book) const noexcept;
  [[nodiscard]] column measure(const order_book& book) const;

  double price_unit_;
  double size_unit_;
  std::array<column, feature_steps> ring_{};
  std::size_t next_ = 0; // ring slot of the next column
  step open_;
  market_time open_until_;  // 0 = nothing seen yet
  double previous_mid_ = 0; // at the end of the last step, 0 = unknown
  double mid_ = 0;          // newest
};

} // namespace troupe
