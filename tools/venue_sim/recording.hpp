#pragma once

/// A recorded Binance stream in memory: depth diffs, trades, best bid/ask, one book image. Reads the gzip
/// recordings (receive time, space, frame) and Troupe tapes.

#include "tools/venue_sim/market_book.hpp"
#include "tools/venue_sim/venue_sim.hpp"

#include <memory>
#include <string_view>

namespace troupe::venue_sim {

enum class frame_kind : std::uint8_t { depth, trade, book_ticker };

/// One recorded frame in numbers.
struct recorded_frame {
  frame_kind kind = frame_kind::depth;
  bool buyer_is_maker = false;
  std::int64_t received_ns = 0;
  std::int64_t event_ms = 0;    ///< E; 0 when the frame carries none
  std::int64_t transact_ms = 0; ///< T
  std::int64_t first_id = 0;    ///< U of a diff
  std::int64_t last_id = 0;     ///< u of a diff or best bid/ask, t of a trade
  std::int64_t previous_id = 0; ///< pu (USDⓈ-M)
  book_level one;               ///< trade: price and quantity; best bid/ask: bid
  book_level two;               ///< best bid/ask: ask
  std::uint32_t bids_at = 0;    ///< diff: first bid in `levels`; asks follow the bids
  std::uint32_t bids = 0;
  std::uint32_t asks = 0;
};

/// What a recording holds, checked for continuity.
struct recording {
  venue_kind venue = venue_kind::binance_spot;
  std::string symbol;       ///< "BTCUSDT"
  std::string depth_stream; ///< "btcusdt@depth@100ms"
  int price_decimals = 8;   ///< as the frames write them
  int quantity_decimals = 8;
  std::int64_t tick_e8 = 0;  ///< greatest common divisor of all prices
  std::int64_t step_e8 = 0;  ///< and of all traded quantities
  std::int64_t image_id = 0; ///< lastUpdateId of the book image
  std::vector<book_level> image_bids;
  std::vector<book_level> image_asks;
  std::vector<recorded_frame> frames;
  std::vector<book_level> levels;
  std::int64_t clock_offset_ns = 0; ///< added to receive times so that no frame precedes its own event time
  std::size_t stale = 0;            ///< diffs wholly at or below the image's id

  [[nodiscard]] std::int64_t start_ns() const { return frames.front().received_ns + clock_offset_ns; }
  [[nodiscard]] std::int64_t end_ns() const { return frames.back().received_ns + clock_offset_ns; }
};

/// Builds a recording frame by frame. Movable.
class recording_builder {
public:
  recording_builder();
  ~recording_builder();
  recording_builder(recording_builder&&) noexcept;
  recording_builder& operator=(recording_builder&&) noexcept;

  /// Takes one frame: a combined-stream frame or a REST book image. Frames of other streams are ignored.
  /// @errors bad_recording when it isn't JSON of the expected shape or belongs to another symbol
  status add(std::int64_t received_ns, std::string_view payload);
  /// Checks the sequence and works out what depends on the whole.
  /// @errors bad_recording without an image or diffs, or with a gap
  result<recording> finish();

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Loads one recording, split over one or several files in order.
/// @errors bad_recording naming file and line or frame
result<recording> load_recording(const std::vector<std::filesystem::path>& files);

} // namespace troupe::venue_sim
