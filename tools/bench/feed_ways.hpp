#pragma once

/// The ways of turning frames into a book that `bench feed` compares.

#include "actors/feeds/feed_core.hpp"
#include "tools/bench/frame_buffer.hpp"

#include <map>
#include <memory>

namespace troupe::bench {

/// Scales and rule of the recording.
struct stream_facts {
  int price_scale = 8;
  int size_scale = 8;
  price tick{1};
  sequence_rule rule = sequence_rule::spot;
};

/// End of the book, to see that all ways did the same work.
struct end_state {
  std::uint64_t sequence = 0;
  level bid;
  level ask;
  std::size_t bids = 0;
  std::size_t asks = 0;
  friend bool operator==(const end_state&, const end_state&) = default;
};

/// One way. A fresh object is made for each run; making it is not timed.
class way {
public:
  virtual ~way() = default;
  /// Takes one frame.
  virtual void take(const frame_buffer& in, const frame_place& frame) = 0;
  [[nodiscard]] virtual end_state end() const { return {}; }
  /// Something computed from all input, so that no work can be left out.
  [[nodiscard]] virtual std::uint64_t sink() const = 0;
};

/// simdjson on-demand, tokens walked, no string looked at to its end: what its own indexing costs.
std::unique_ptr<way> make_token_walk();
/// simdjson on-demand: every price, quantity and id touched as text, none converted.
std::unique_ptr<way> make_parse_only();
/// simdjson on-demand, numbers converted, a std::map a side, sequence checked: what one would write first.
std::unique_ptr<way> make_map_book(const stream_facts& facts);
/// Our decoder, book builder and book.
std::unique_ptr<way> make_book(const stream_facts& facts);
/// The whole feed: book, trades, bars, features, agreement.
std::unique_ptr<way> make_feed(const stream_facts& facts);

} // namespace troupe::bench
