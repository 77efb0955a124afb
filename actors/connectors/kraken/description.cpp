#include "actors/connectors/kraken/description.hpp"

#include "actors/connectors/kraken/codec.hpp"
#include "actors/connectors/kraken/past_trades.hpp"
#include "actors/connectors/kraken/protocol.hpp"
#include "actors/connectors/kraken/rest.hpp"
#include "actors/feeds/checksums.hpp"

namespace troupe::kraken {

namespace {

/// Levels that fall out of the subscribed depth are not deleted by the venue, so the book is cut;
/// the checksum proves the best ten.
constexpr book_rules rules_of(std::size_t depth) {
  book_rules out;
  out.family = book_family::checksummed;
  out.checksum = kraken_book_checksum;
  out.checksum_levels = 10;
  out.depth = depth;
  out.cut_beyond_depth = true;
  return out;
}

constexpr book_channel channels[] = {{"book.100", rules_of(100)},
                                     {"book.10", rules_of(10)},
                                     {"book.25", rules_of(25)},
                                     {"book.500", rules_of(500)},
                                     {"book.1000", rules_of(1000)}};

} // namespace

const venue_description& description() {
  static const venue_description out = {
      .name = "kraken",
      .books = channels,
      .traits = traits(),
      .plan = plan,
      .protocol = make_protocol,
      .decoder = make_decoder,
      .instruments = instrument_calls,
      .read_instruments = read_instruments,
      .candles = {.per_page = 720, .newest_first = false, .newest_only = true},
      .candle_call = candle_call,
      .read_candles = read_candles,
      .trades = past_trades_rules,
      .trade_call = trade_call,
      .read_trades = read_trades};
  return out;
}

} // namespace troupe::kraken
