#include "actors/connectors/gate/description.hpp"

#include "actors/connectors/gate/codec.hpp"
#include "actors/connectors/gate/past_trades.hpp"
#include "actors/connectors/gate/protocol.hpp"
#include "actors/connectors/gate/rest.hpp"

#include <array>

namespace troupe::gate {
namespace {

constexpr std::array books{
    book_channel{"obu", {.family = book_family::chained, .depth = 400}},
    book_channel{"obu.50", {.family = book_family::chained, .depth = 50}},
    book_channel{
        "order_book_update",
        {.family = book_family::ranged, .rule = sequence_rule::spot, .image_in_band = false, .image_levels = 100}},
};

} // namespace

const venue_description& description() {
  static const venue_description out = [] {
    venue_description v;
    v.name = "gate";
    v.books = books;
    v.traits = traits();
    v.plan = plan;
    v.protocol = make_protocol;
    v.decoder = make_decoder;
    v.image = image_call;
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

} // namespace troupe::gate
