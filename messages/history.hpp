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
