#include "actors/connectors/okx/description.hpp"

#include "actors/connectors/okx/codec.hpp"
#include "actors/connectors/okx/past_trades.hpp"
#include "actors/connectors/okx/protocol.hpp"
#include "actors/connectors/okx/rest.hpp"
#include "actors/feeds/checksums.hpp"

#include <array>

namespace troupe::okx {
namespace {

/// The numbers prove the book. Where an old recording's checksum is not 0 it proves it besides.
constexpr book_rules books_rules{.family = book_family::chained,
                                 .checksum = okx_book_checksum,
                                 .depth = 400,
                                 .checksum_levels = 25,
                                 .zero_is_no_checksum = true};

constexpr std::array books{
    book_channel{"books", books_rules},
    book_channel{"books5", {.family = book_family::images, .depth = 5}},
};

} // namespace

const venue_description& description() {
  static const venue_description out = [] {
    venue_description v;
    v.name = "okx";
    v.books = books;
    v.traits = traits();
    v.plan = plan;
    v.protocol = make_protocol;
    v.decoder = make_decoder;
    v.instruments = instrument_calls;
    v.read_instruments = read_instruments;
    v.candles = {.per_page = 300, .newest_first = true};
    v.candle_call = candle_call;
    v.read_candles = read_candles;
    v.trades = past_trades_rules;
    v.trade_call = trade_call;
    v.read_trades = read_trades;
    return v;
  }();
  return out;
}

} // namespace troupe::okx
