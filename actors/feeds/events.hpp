#pragma once

/// What a venue's frames say, in one vocabulary for all venues, and the interface of the decoders that
/// say it. Everything here is a view into the decoder's own memory: valid until its next call.

#include "messages/market.hpp"

#include <span>
#include <string_view>

namespace troupe {

/// What one frame turned out to be.
enum class event_kind : std::uint8_t {
  depth,           ///< a change of the book
  image,           ///< a whole book
  best,            ///< the venue's own best bid and ask
  trade,           ///< one public trade, or one aggregate of trades
  candle,          ///< the venue's own candle
  acknowledgement, ///< the venue took a command of ours
  failure,         ///< the venue refused a command of ours
  shutdown,        ///< the venue asks to reconnect
  other,           ///< well formed, of no use here
  damaged          ///< could not be decoded; see `market_event::damage`
};

/// Why a frame could not be decoded.
enum class frame_damage : std::uint8_t {
  none,
  not_json,          ///< no JSON text, or not UTF-8
  too_large,         ///< beyond the frame limit
  missing_field,     ///< a field the event needs is absent
  wrong_type,        ///< a field has another type
  bad_number,        ///< not a number, negative, or beyond 64 bits
  too_many_decimals, ///< a digit behind the instrument's scale
  bad_range          ///< first sequence number behind the last, or a time out of range
};

/// Words for people.
std::string_view name_of(frame_damage damage) noexcept;
std::string_view name_of(event_kind kind) noexcept;
std::string_view name_of(book_validity validity) noexcept;

/// A change of the book. Sizes are absolute; size 0 deletes the level.
struct depth_event {
  market_time event;          ///< when the venue sent it
  market_time transaction;    ///< when it happened; equals `event` where the venue does not say
  std::uint64_t first = 0;    ///< first sequence number within (Binance U)
  std::uint64_t last = 0;     ///< last sequence number within (Binance u)
  std::uint64_t previous = 0; ///< last number of the change before (Binance pu)
  bool has_previous = false;  ///< true where the venue chains by `previous`
  bool has_checksum = false;  ///< true where the venue proves the book behind this change
  std::uint32_t checksum = 0; ///< the venue's checksum of its book behind this change
  std::span<const level> bids;
  std::span<const level> asks;
  /// The rows' own numbers where the venue numbers them (KuCoin), as many as `bids` and `asks`; else empty.
  /// Rows at or below the book are left out; rows at price 0 only carry a number.
  std::span<const std::uint64_t> bid_rows;
  std::span<const std::uint64_t> ask_rows;
};

/// A whole book as of sequence number `last`.
struct image_event {
  std::uint64_t last = 0;
  market_time event;           ///< 0 where the venue does not say
  bool has_checksum = false;   ///< see depth_event
  std::uint32_t checksum = 0;
  std::span<const level> bids; ///< best first
  std::span<const level> asks; ///< best first
};

/// The venue's own best bid and ask.
struct best_event {
  std::uint64_t sequence = 0;
  market_time event; ///< 0 where the venue does not say (Binance spot)
  level bid;
  level ask;
};

/// A public trade. An aggregate spans the trade ids first_id..last_id.
/// Venues whose ids are text, or numbers with holes, set `numbered` to false: then `id_text` (or `id` where
/// that is empty) tells trades apart and holes are no sign of loss.
struct trade_event {
  std::uint64_t id = 0;       ///< trade id, or aggregate id
  std::uint64_t first_id = 0; ///< first trade within; equals id for a single trade
  std::uint64_t last_id = 0;
  market_time at;    ///< when it was executed
  market_time event; ///< when the venue sent it
  price at_price;
  size quantity;
  side taker = side::buy;
  bool aggregated = false;
  bool numbered = true;       ///< ids run without a hole
  std::string_view id_text;   ///< the venue's id where it is no number
  bool on_market = true; ///< false for what is no market trade (insurance fund, settlement)
};

/// The venue's own candle.
struct candle_event {
  std::string_view interval; ///< venue's spelling, "1m"
  market_time event;
  market_time open_time;
  market_time close_time;
  price open, high, low, close;
  size volume;
  size buy_volume;
  std::uint64_t trades = 0;
  bool closed = false;
};

/// One decoded frame; the member named by `kind` is filled, the others mean nothing.
struct market_event {
  event_kind kind = event_kind::other;
  frame_damage damage = frame_damage::none;
  std::string_view symbol;  ///< the venue's spelling; empty where the frame does not say
  std::string_view stream;  ///< stream name of a combined socket; empty elsewhere
  std::string_view request; ///< id of the command that is answered, as text
  std::int64_t code = 0;    ///< error code of a failure
  std::string_view text;    ///< error text of a failure
  depth_event depth;
  image_event image;
  best_event best;
  trade_event trade;
  candle_event candle;
};

/// Turns a venue's frames into events. One object per instrument: it knows the scales and the venue's
/// spelling; what a frame says of other instruments is left out. Keeps its buffers, so that a frame costs no
/// allocation. Any bytes are safe. Not thread-safe.
class frame_decoder {
public:
  virtual ~frame_decoder() = default;

  /// Decodes one frame and returns its first event. The views in the result point into `frame` and into
  /// this object, and are valid until the next call of `decode` or `next`.
  virtual const market_event& decode(std::string_view frame) noexcept = 0;

  /// The frame's next event, null when there is no more: venues put many trades, or changes of several
  /// sides, into one frame. Either all events of a frame are good or the first one is `damaged`.
  virtual const market_event* next() noexcept { return nullptr; }
};

} // namespace troupe
