#pragma once

/// The market as a timed sequence of public events. Sources: a recording, played once or looped
/// (tape_market), and an order-flow model (flow_market, order_flow.hpp). Pure; one owner.

#include "tools/venue_sim/recording.hpp"

#include <span>

namespace troupe::venue_sim {

/// One public event. Views are valid until the next call on the source.
struct market_event {
  frame_kind kind = frame_kind::depth;
  bool buyer_is_maker = false;
  bool seam = false;            ///< a looped tape's new lap begins with this diff
  std::int64_t time_ns = 0;     ///< market time at which it goes out
  std::int64_t event_ms = 0;    ///< E
  std::int64_t transact_ms = 0; ///< T
  std::int64_t first_id = 0;
  std::int64_t last_id = 0;
  std::int64_t previous_id = 0;
  book_level one; ///< trade; best bid
  book_level two; ///< best ask
  std::span<const book_level> bids;
  std::span<const book_level> asks;
};

/// What clients need to know about the market.
struct market_shape {
  venue_kind venue = venue_kind::binance_spot;
  bool generated = false;
  std::string symbol;
  std::string base;
  std::string quote;
  int price_decimals = 8;
  int quantity_decimals = 8;
  std::int64_t tick_e8 = 0;
  std::int64_t step_e8 = 0;
  std::int64_t start_ns = 0; ///< market time of the first event
  std::int64_t lap_ns = 0;   ///< length of a lap; 0 when nothing is looped
};

/// No event after this one.
inline constexpr std::int64_t never_ns = INT64_MAX;

/// See above. The book always stands as of the last event that was taken.
class market_source {
public:
  virtual ~market_source() = default;

  /// Market time of the next event, `never_ns` at the end.
  [[nodiscard]] virtual std::int64_t next_time() const = 0;
  /// Takes the next event and applies it to the book. @pre next_time() != never_ns
  virtual const market_event& advance() = 0;
  /// Takes all events before or at `market_ns` without showing them: a restarted simulator goes on where
  /// the clock stands. Times before the last event taken change nothing.
  virtual void seek(std::int64_t market_ns) = 0;
  /// Laps completed.
  [[nodiscard]] virtual std::int64_t lap() const noexcept { return 0; }

  [[nodiscard]] const market_shape& shape() const noexcept { return shape_; }
  [[nodiscard]] const market_book& book() const noexcept { return book_; }

protected:
  market_shape shape_;
  market_book book_;
};

/// Plays a recording. Looped, lap k is shifted: times by k laps, ids so that they go on without a hole,
/// prices by whole ticks such that it starts at the mid where the last one ended. A lap starts with a diff
/// (and a best bid/ask) that turns the old book into the new lap's image, so that a client sees no gap;
/// its stale frames are left out. The first lap is exactly as recorded.
///
/// A drift repeated for ever would leave the world of sensible prices: after as many laps as move the mid
/// by 40 %, as many follow that are mirrored (p becomes c - p, bids become asks), which lead back.
class tape_market final : public market_source {
public:
  tape_market(recording tape, bool loop);

  [[nodiscard]] std::int64_t next_time() const override;
  const market_event& advance() override;
  void seek(std::int64_t market_ns) override;
  [[nodiscard]] std::int64_t lap() const noexcept override { return lap_; }

private:
  /// How lap k differs from the recording.
  struct lap_shift {
    std::int64_t time_ms = 0;
    std::int64_t ids = 0;
    std::int64_t trades = 0;
    std::int64_t price = 0; ///< added to every price, or the price is taken from it when mirrored
    bool mirrored = false;
  };
  enum class seam_step : std::uint8_t { none, ticker, diff };

  [[nodiscard]] lap_shift shift_of(std::int64_t lap) const;
  [[nodiscard]] std::int64_t shifted_price(std::int64_t price) const noexcept {
    return now_.mirrored ? now_.price - price : now_.price + price;
  }
  [[nodiscard]] bool left_out(const recorded_frame& f) const noexcept;
  void find_end_of_lap();
  void skip_left_out();
  void start_lap(std::int64_t lap);
  void load_image();
  void shift_levels(std::span<const book_level> from, std::vector<book_level>& out) const;
  void image_of_lap(std::vector<book_level>& bids, std::vector<book_level>& asks) const;
  void make_seam();
  void make_frame(const recorded_frame& f);
  void apply();

  recording tape_;
  bool loop_ = true;
  std::int64_t lap_ms_ = 0;
  std::int64_t id_span_ = 0;
  std::int64_t trade_span_ = 0;
  std::int64_t drift_ = 0;     ///< of the mid over one lap, whole ticks
  std::int64_t start_sum_ = 0; ///< best bid + best ask of the image
  std::int64_t laps_one_way_ = 0;
  std::int64_t bridge_first_id_ = 0;

  std::int64_t lap_ = 0;
  lap_shift now_;
  std::size_t next_ = 0;
  seam_step seam_ = seam_step::none;
  std::int64_t last_depth_id_ = 0;
  market_event event_;
  std::vector<book_level> bids_;
  std::vector<book_level> asks_;
};

} // namespace troupe::venue_sim
