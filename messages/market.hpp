#pragma once

/// Market data between connectors, feeds and their subscribers.

#include "messages/instrument.hpp"

namespace troupe {

/// One frame of a venue's socket or one REST reply, exactly as received.
struct raw_frame {
  market_time received;
  std::uint32_t channel = 0;
  std::string payload;

  TROUPE_FIELDS(raw_frame, "A venue's bytes with their receive time.",
                TROUPE_FIELD(received, "receive time; never goes backwards within a session"),
                TROUPE_FIELD(channel, "which stream of the connector's table (0 = combined socket)"),
                TROUPE_FIELD(payload, "the frame's text or bytes"))
};

/// Frames of one instrument, in order of receipt. Sent connector → feed, within a process.
struct frame_batch {
  instrument_id instrument;
  std::uint64_t session = 0;
  std::vector<raw_frame> frames;

  TROUPE_FIELDS(frame_batch, "Frames of one instrument in order.",
                TROUPE_FIELD(instrument, "whose frames"),
                TROUPE_FIELD(session, "number of the venue session; changes with each reconnect"),
                TROUPE_FIELD(frames, "in order of receipt"))
};

/// What happened to a connector's session.
enum class session_state : std::uint8_t { disconnected, connecting, connected, reconnecting, error };

struct session_event {
  instrument_id instrument;
  std::uint64_t session = 0;
  session_state state = session_state::disconnected;
  std::string reason;

  TROUPE_FIELDS(session_event, "A connector tells its feeds how the session stands.",
                TROUPE_FIELD(instrument, "for which feed"), TROUPE_FIELD(session, "session number"),
                TROUPE_FIELD(state, "new state"), TROUPE_FIELD(reason, "why, for people"))
};

/// The REST image of a book, as the venue answered.
struct book_image {
  instrument_id instrument;
  std::uint64_t session = 0;
  raw_frame reply;

  TROUPE_FIELDS(book_image, "A REST book image for a feed that asked for one.",
                TROUPE_FIELD(instrument, "whose book"), TROUPE_FIELD(session, "session it was asked in"),
                TROUPE_FIELD(reply, "the reply's body"))
};

/// A feed asks its connector for a REST book image.
struct image_request {
  instrument_id instrument;
  std::uint64_t session = 0;

  TROUPE_FIELDS(image_request, "A feed needs a REST book image.",
                TROUPE_FIELD(instrument, "whose book"), TROUPE_FIELD(session, "session it belongs to"))
};

/// Price and resting size.
struct level {
  price at;
  size quantity;

  TROUPE_FIELDS(level, "One price level.", TROUPE_FIELD(at, "price"),
                TROUPE_FIELD(quantity, "resting size; 0 = none"))
};

/// Why a book may or may not be traded on.
enum class book_validity : std::uint8_t { empty, bootstrapping, valid, gap, crossed, stale, disconnected, damaged };

/// Best bid and ask of one book, with its age and validity; newest wins on every edge.
struct quote {
  instrument_id instrument;
  market_time at;
  std::uint64_t sequence = 0;
  book_validity validity = book_validity::empty;
  level bid;
  level ask;

  TROUPE_FIELDS(quote, "Best bid and ask of one book.", TROUPE_FIELD(instrument, "whose book"),
                TROUPE_FIELD(at, "venue time of the newest change"),
                TROUPE_FIELD(sequence, "the venue's own sequence number of that change"),
                TROUPE_FIELD(validity, "valid, or why not"), TROUPE_FIELD(bid, "best bid"),
                TROUPE_FIELD(ask, "best ask"))
};

/// One public trade.
struct trade {
  instrument_id instrument;
  std::string id;
  market_time at;
  price at_price;
  size quantity;
  side taker = side::buy;

  TROUPE_FIELDS(trade, "One public trade.", TROUPE_FIELD(instrument, "what was traded"),
                TROUPE_FIELD(id, "the venue's trade id"), TROUPE_FIELD(at, "venue's trade time"),
                TROUPE_FIELD(at_price, "price"), TROUPE_FIELD(quantity, "size"),
                TROUPE_FIELD(taker, "side of the aggressor"))
};

/// Candle of one interval, built from trades.
struct bar {
  instrument_id instrument;
  nanoseconds interval{};
  market_time open_time;
  price open;
  price high;
  price low;
  price close;
  size volume;
  size buy_volume;
  std::uint64_t trades = 0;
  bool closed = false;

  TROUPE_FIELDS(bar, "Candle of one interval.", TROUPE_FIELD(instrument, "instrument"),
                TROUPE_FIELD(interval, "length"), TROUPE_FIELD(open_time, "start, inclusive"),
                TROUPE_FIELD(open, "first price"), TROUPE_FIELD(high, "highest price"),
                TROUPE_FIELD(low, "lowest price"), TROUPE_FIELD(close, "last price"),
                TROUPE_FIELD(volume, "sum of sizes"),
                TROUPE_FIELD(buy_volume, "sum of sizes with a buying aggressor"),
                TROUPE_FIELD(trades, "number of trades"),
                TROUPE_FIELD(closed, "true once a later trade or the clock closed it"))
};

/// Integrity figures of one feed since its start; every counter only grows.
struct feed_report {
  instrument_id instrument;
  book_validity validity = book_validity::empty;
  std::uint64_t frames = 0;
  std::uint64_t unknown_frames = 0;
  std::uint64_t damaged_frames = 0;
  std::uint64_t diffs_applied = 0;
  std::uint64_t diffs_stale = 0;
  std::uint64_t levels_applied = 0;
  std::uint64_t gaps = 0;
  std::uint64_t crossed = 0;
  std::uint64_t resyncs = 0;
  std::uint64_t quotes_compared = 0;
  std::uint64_t quotes_equal = 0;
  std::uint64_t trades = 0;
  std::uint64_t trade_gaps = 0;
  std::uint64_t sequence = 0;
  std::uint64_t bid_levels = 0;
  std::uint64_t ask_levels = 0;
  market_time newest;
  nanoseconds clock_offset{};
  level bid;
  level ask;
  std::uint64_t checksums_compared = 0;
  std::uint64_t checksums_equal = 0;
  std::uint64_t resyncs_gap = 0;
  std::uint64_t resyncs_crossed = 0;
  std::uint64_t resyncs_checksum = 0;
  std::uint64_t resyncs_overflow = 0;
  std::uint64_t resyncs_session = 0;
  std::uint64_t images_unasked = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t unprovable = 0;
  std::uint64_t proven_levels = 0;
  nanoseconds lag_p50{};
  nanoseconds lag_p99{};
  nanoseconds age{};
  std::uint64_t best_agreed = 0;
  std::uint64_t best_equal = 0;
  std::uint64_t best_disagreed = 0;
  std::uint64_t best_undecided = 0;
  std::uint64_t resyncs_best = 0;
  std::uint64_t resyncs_depth = 0;

  TROUPE_FIELDS(
      feed_report, "Integrity figures of one feed.", TROUPE_FIELD(instrument, "whose feed"),
      TROUPE_FIELD(validity, "state of the book"), TROUPE_FIELD(frames, "frames received"),
      TROUPE_FIELD(unknown_frames, "frames of no known kind"),
      TROUPE_FIELD(damaged_frames, "frames that could not be decoded"),
      TROUPE_FIELD(diffs_applied, "book diffs applied"),
      TROUPE_FIELD(diffs_stale, "book diffs at or below the image"),
      TROUPE_FIELD(levels_applied, "price levels in applied diffs"),
      TROUPE_FIELD(gaps, "breaks of the venue's sequence"),
      TROUPE_FIELD(crossed, "times the book was crossed"),
      TROUPE_FIELD(resyncs, "bootstraps after the first"),
      TROUPE_FIELD(quotes_compared, "comparisons with the venue's own best bid and ask"),
      TROUPE_FIELD(quotes_equal, "of these equal in price and size"),
      TROUPE_FIELD(trades, "trades received"), TROUPE_FIELD(trade_gaps, "holes in the trade ids"),
      TROUPE_FIELD(sequence, "venue's newest sequence number"),
      TROUPE_FIELD(bid_levels, "bid levels held"), TROUPE_FIELD(ask_levels, "ask levels held"),
      TROUPE_FIELD(newest, "venue time of the newest change"),
      TROUPE_FIELD(clock_offset, "receive time - venue time, the least of the last ten minutes: clocks and shortest way"),
      TROUPE_FIELD(bid, "best bid"), TROUPE_FIELD(ask, "best ask"),
      TROUPE_FIELD(checksums_compared, "the venue's checksums compared with ours"),
      TROUPE_FIELD(checksums_equal, "of these equal"),
      TROUPE_FIELD(resyncs_gap, "valid books dropped for a break of the sequence"),
      TROUPE_FIELD(resyncs_crossed, "valid books dropped for being crossed"),
      TROUPE_FIELD(resyncs_checksum, "valid books dropped for another checksum"),
      TROUPE_FIELD(resyncs_overflow, "valid books dropped for too many levels"),
      TROUPE_FIELD(resyncs_session, "valid books dropped with their session"),
      TROUPE_FIELD(images_unasked, "valid books replaced by an image of the venue"),
      TROUPE_FIELD(quarantined, "frames put aside as damaged, with their reason"),
      TROUPE_FIELD(unprovable, "changes and images that neither number nor checksum proves"),
      TROUPE_FIELD(proven_levels, "levels a side that a checksum proves; 0 = no checksum"),
      TROUPE_FIELD(lag_p50, "receive time - venue time - clock_offset, median"),
      TROUPE_FIELD(lag_p99, "receive time - venue time - clock_offset, 99th percentile"),
      TROUPE_FIELD(age, "time since the last frame that moved or confirmed the book"),
      TROUPE_FIELD(best_agreed, "the venue's unnumbered best bids and asks whose prices the book had or passed then"),
      TROUPE_FIELD(best_equal, "of these equal in price and size at an instant"),
      TROUPE_FIELD(best_disagreed, "of prices that the book did not have for a second around them"),
      TROUPE_FIELD(best_undecided, "that came while the book was not valid through that time"),
      TROUPE_FIELD(resyncs_best, "valid books dropped for another best bid and ask of the venue"),
      TROUPE_FIELD(resyncs_depth, "valid books dropped when the market left the levels of their image"))
};

} // namespace troupe
