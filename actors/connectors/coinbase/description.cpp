#include "actors/connectors/coinbase/description.hpp"

#include "actors/connectors/coinbase/codec.hpp"
#include "actors/connectors/coinbase/past_trades.hpp"
#include "actors/connectors/coinbase/protocol.hpp"
#include "actors/connectors/coinbase/rest.hpp"

namespace troupe::coinbase {

namespace {

/// The whole book; the session proves it by the connection's sequence.
constexpr book_rules whole_book() {
  book_rules out;
  out.family = book_family::connection;
  return out;
}

constexpr book_channel channels[] = {{"level2", whole_book()}};

} // namespace

const venue_description& description() {
  static const venue_description out = {
      .name = "coinbase",
      .books = channels,
      .traits = traits(),
      .plan = plan,
      .protocol = make_protocol,
      .decoder = make_decoder,
      .instruments = instrument_calls,
      .read_instruments = read_instruments,
      .candles = {.per_page = 350, .newest_first = true, .newest_only = false},
      .candle_call = candle_call,
      .read_candles = read_candles,
      .trades = past_trades_rules,
      .trade_call = trade_call,
      .read_trades = read_trades};
  return out;
}

} // namespace troupe::coinbase
