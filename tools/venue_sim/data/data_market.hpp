#pragma once

/// The markets of a simulated data venue: one source of events each, shown under one or several
/// names. Pure; one owner.

#include "tools/venue_sim/market_history.hpp"
#include "tools/venue_sim/market_source.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe::venue_sim {

/// What a venue offers. Prices and quantities elsewhere are in units of 10^-8.
struct data_instrument {
  std::string base;  ///< "BTC"
  std::string quote; ///< "USDT"
  bool perpetual = false;
  int price_decimals = 2;
  int quantity_decimals = 5;
  std::int64_t tick_e8 = 1'000'000;
  std::int64_t step_e8 = 1'000;
};

/// One change of a book, a trade, or a new best bid and ask, as it goes out.
struct data_event {
  const market_event* what = nullptr;
  std::uint64_t number =
      0; ///< changes of this market so far: 1, 2, 3 …; for trades and bests the last one's
  std::int64_t event_ms = 0;   ///< the venue's clock, its skew included
  bool spoil_checksum = false; ///< fault: the checksum that goes out must be wrong
  bool add_crossed = false;    ///< fault: the change also carries `crossed`
  book_level crossed;          ///< a bid above the best ask
};

/// A market and the book behind its newest change.
class data_market {
public:
  data_market(data_instrument instrument, std::unique_ptr<market_source> source, history_limits remembered = {})
      : instrument_{std::move(instrument)}, source_{std::move(source)}, history_{remembered} {}

  [[nodiscard]] const data_instrument& instrument() const noexcept { return instrument_; }
  [[nodiscard]] const market_book& book() const noexcept { return source_->book(); }
  [[nodiscard]] const market_shape& shape() const noexcept { return source_->shape(); }
  [[nodiscard]] const market_history& history() const noexcept { return history_; }
  /// Changes so far. The image of the book as it stands is the one behind that change.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] std::uint64_t trades() const noexcept { return trades_; }
  [[nodiscard]] std::int64_t next_time() const { return source_->next_time(); }
  void seek(std::int64_t market_ns) { source_->seek(market_ns); }

  /// Takes the next event; the book is the one behind it. @pre next_time() != never_ns
  data_event advance() {
    const auto& e = source_->advance();
    if (e.kind == frame_kind::depth) ++number_;
    if (e.kind == frame_kind::trade) ++trades_, history_.add(e);
    return {.what = &e, .number = number_, .event_ms = e.event_ms, .crossed = {}};
  }

private:
  data_instrument instrument_;
  std::unique_ptr<market_source> source_;
  market_history history_;
  std::uint64_t number_ = 0;
  std::uint64_t trades_ = 0;
};

/// All markets of a venue.
struct data_world {
  std::vector<std::unique_ptr<data_market>> markets;
  std::int64_t now_ms = 0; ///< the venue's clock, its skew included
  std::uint64_t seed = 1;
};

} // namespace troupe::venue_sim
