#include "actors/connectors/deribit/description.hpp"

#include "actors/connectors/deribit/codec.hpp"
#include "actors/connectors/deribit/past_trades.hpp"
#include "actors/connectors/deribit/protocol.hpp"
#include "actors/connectors/deribit/rest.hpp"

#include <array>

namespace troupe::deribit {
namespace {

/// The raw channel needs a login and is left out.
constexpr std::array books{
    book_channel{"100ms", {.family = book_family::chained}},
    book_channel{"agg2", {.family = book_family::chained}},
    book_channel{"none.20.100ms", {.family = book_family::images, .depth = 20}},
};

} // namespace

const venue_description& description() {
  static const venue_description out = [] {
    venue_description v;
    v.name = "deribit";
    v.books = books;
    v.traits = traits();
    v.plan = plan;
    v.protocol = make_protocol;
    v.decoder = make_decoder;
    v.instruments = instrument_calls;
    v.read_instruments = read_instruments;
    v.candles = {.per_page = 1000};
    v.candle_call = candle_call;
    v.read_candles = read_candles;
    v.trades = past_trades_rules;
    v.trade_call = trade_call;
    v.read_trades = read_trades;
    return v;
  }();
  return out;
}

} // namespace troupe::deribit
