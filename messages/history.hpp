#pragma once

/// Bars on their way into the store and out of it, and answers of REST requests within a process.

#include "messages/market.hpp"

namespace troupe {

/// Closed bars to store; one that is there is replaced, unless `only_missing`.
struct bar_put {
  std::vector<bar> bars;
  bool only_missing = false;

  TROUPE_FIELDS(bar_put, "Store closed bars.", TROUPE_FIELD(bars, "bars of any instruments and intervals"),
                TROUPE_FIELD(only_missing, "leave bars that are there as they are (back-fill)"))
};

/// Which bars are there?
struct bar_range {
  instrument_id instrument;
  nanoseconds interval{};
  market_time from;
  market_time to;
  std::uint32_t limit = 0;

  TROUPE_FIELDS(bar_range, "Bars with from <= open time < to, oldest first.",
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(interval, "length of a bar"),
                TROUPE_FIELD(from, "first open time"), TROUPE_FIELD(to, "end, exclusive"),
                TROUPE_FIELD(limit, "most rows in the answer; 0 = the store's default"))
};

struct bar_page {
  std::vector<bar> bars;
  bool more = false;

  TROUPE_FIELDS(bar_page, "Bars in order of time.", TROUPE_FIELD(bars, "bars"),
                TROUPE_FIELD(more, "the limit cut the answer: ask on behind the last one"))
};

/// A public trade out of a venue's past.
struct past_trade {
  std::string id;
  std::uint64_t number = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  market_time at;
  price at_price;
  size quantity;
  side taker = side::buy;

  TROUPE_FIELDS(past_trade, "A public trade out of a venue's past.",
                TROUPE_FIELD(id, "the venue's id where it is no number"),
                TROUPE_FIELD(number, "the venue's id where it is a number; 0 = none"),
                TROUPE_FIELD(first, "first trade within, of an aggregate"),
                TROUPE_FIELD(last, "last trade within; 0 = ids are not numbers"),
                TROUPE_FIELD(at, "when it was executed"), TROUPE_FIELD(at_price, "price"),
                TROUPE_FIELD(quantity, "size"), TROUPE_FIELD(taker, "side of the aggressor"))
};

/// A feed missed trades: which ones?
struct trade_hole {
  instrument_id instrument;
  std::uint64_t hole = 0;
  market_time from;
  market_time to;
  std::uint64_t first = 0;
  std::uint64_t end = 0;

  TROUPE_FIELDS(trade_hole, "A feed missed trades.", TROUPE_FIELD(instrument, "whose trades"),
                TROUPE_FIELD(hole, "the feed's number of the hole"),
                TROUPE_FIELD(from, "time of the last trade before it, or where its reach begins"),
                TROUPE_FIELD(to, "time of the first trade behind it"),
                TROUPE_FIELD(first, "number of the first missing trade; 0 = not known"),
                TROUPE_FIELD(end, "number of the first trade behind it; 0 = not known"))
};

/// Trades of a hole, or its end.
struct past_trades {
  instrument_id instrument;
  std::uint64_t hole = 0;
  std::vector<past_trade> trades;
  bool done = false;
  bool whole = false;
  market_time known_from;
  std::string why;

  TROUPE_FIELDS(past_trades, "Trades of a hole, or its end.", TROUPE_FIELD(instrument, "whose trades"),
                TROUPE_FIELD(hole, "the feed's number of the hole"),
                TROUPE_FIELD(trades, "in any order; some may be known already"),
                TROUPE_FIELD(done, "no more will come"),
                TROUPE_FIELD(whole, "when done: the venue has told all of them"),
                TROUPE_FIELD(known_from, "when done and not whole: all behind this time were told"),
                TROUPE_FIELD(why, "when not whole: what kept the venue from it"))
};

/// How a REST request ended; from an I/O thread to the actor that asked.
struct rest_answer {
  std::uint64_t request = 0;
  std::uint32_t status = 0;
  std::string body;
  std::string failure;

  TROUPE_FIELDS(rest_answer, "How a REST request ended.", TROUPE_FIELD(request, "number of the request"),
                TROUPE_FIELD(status, "HTTP status; 0 = none came"), TROUPE_FIELD(body, "the reply's body"),
                TROUPE_FIELD(failure, "why there is no reply; empty when there is one"))
};

} // namespace troupe
