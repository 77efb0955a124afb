#include "actors/connectors/bitfinex/description.hpp"

#include "actors/connectors/bitfinex/codec.hpp"
#include "actors/connectors/bitfinex/past_trades.hpp"
#include "actors/connectors/bitfinex/protocol.hpp"
#include "actors/connectors/bitfinex/rest.hpp"
#include "actors/feeds/checksums.hpp"

namespace troupe::bitfinex {

namespace {

/// The session proves the book by the connection's sequence. Checksums come where the flag was
/// asked for; the venue deletes what falls out of the subscribed length.
constexpr book_rules rules_of(std::size_t length) {
  book_rules out;
  out.family = book_family::connection;
  out.checksum = bitfinex_book_checksum;
  out.checksum_levels = 25;
  out.depth = length;
  return out;
}

constexpr book_channel channels[] = {{"book.P0.F0.100", rules_of(100)},
                                     {"book.P0.F0.25", rules_of(25)},
                                     {"book.P0.F0.250", rules_of(250)}};

} // namespace

const venue_description& description() {
  static const venue_description out = {
      .name = "bitfinex",
      .books = channels,
      .traits = traits(),
      .plan = plan,
      .protocol = make_protocol,
      .decoder = make_decoder,
      .instruments = instrument_calls,
      .read_instruments = read_instruments,
      .candles = {.per_page = 10'000, .newest_first = false, .newest_only = false},
      .candle_call = candle_call,
      .read_candles = read_candles,
      .trades = past_trades_rules,
      .trade_call = trade_call,
      .read_trades = read_trades};
  return out;
}

} // namespace troupe::bitfinex
