#include "actors/connectors/bybit/description.hpp"

#include "actors/connectors/bybit/codec.hpp"
#include "actors/connectors/bybit/past_trades.hpp"
#include "actors/connectors/bybit/protocol.hpp"
#include "actors/connectors/bybit/rest.hpp"

#include <array>

namespace troupe::bybit {
namespace {

/// The venue itself deletes levels that leave the window, so nothing is cut here.
constexpr book_rules chained(std::size_t depth) {
  return {.family = book_family::chained, .depth = depth};
}

constexpr std::array books{
    book_channel{"orderbook.50", chained(50)},
    book_channel{"orderbook.200", chained(200)},
    book_channel{"orderbook.1000", chained(1000)},
};

} // namespace

const venue_description& description() {
  static const venue_description out = [] {
    venue_description v;
    v.name = "bybit";
    v.books = books;
    v.traits = traits();
    v.plan = plan;
    v.protocol = make_protocol;
    v.decoder = make_decoder;
    v.instruments = instrument_calls;
    v.read_instruments = read_instruments;
    v.more_instruments = more_instruments;
    v.candles = {.per_page = 1000, .newest_first = true};
    v.candle_call = candle_call;
    v.read_candles = read_candles;
    v.trades = past_trades_rules;
    v.trade_call = trade_call;
    v.read_trades = read_trades;
    return v;
  }();
  return out;
}

} // namespace troupe::bybit
