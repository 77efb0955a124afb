#pragma once

/// The whole feed of one instrument as a pure machine: frames in, listener calls out, in order. The
/// same object runs inside the feed actor, in back-tests, in `troupe feed verify` and in the benchmarks.

#include "actors/feeds/bars.hpp"
#include "actors/feeds/book_machine.hpp"
#include "actors/feeds/features.hpp"
#include "actors/feeds/integrity.hpp"
#include "actors/feeds/timed_agreement.hpp"
#include "actors/feeds/trades.hpp"

#include <memory>

namespace troupe {

/// How one feed works.
struct feed_core_options {
  instrument_spec spec{}; ///< id, venue symbol, scales and tick are used
  book_rules rules{};     ///< of the book channel the frames come from
  std::uint32_t window_ticks = 65536; ///< see book_options
  nanoseconds frame_interval =
      std::chrono::seconds{10}; ///< a feature frame at each multiple of this market time
  nanoseconds stale_after =
      std::chrono::seconds{10}; ///< market time without a change until the book is stale
  nanoseconds image_retry =
      std::chrono::seconds{5}; ///< market time until an unanswered image is asked for again
  nanoseconds resubscribe_pause =
      std::chrono::seconds{1}; ///< market time between two requests where images come in band
  timed_agreement_options agreement{}; ///< with best bids and asks of the venue that carry no number
  nanoseconds bar_grace = std::chrono::seconds{2}; ///< market time until the clock closes a bar
};

/// What a feed tells. Called from within `on_frame`, `on_image`, `on_session` and `advance`, in order of
/// events. References are valid during the call only.
class feed_listener {
public:
  virtual ~feed_listener() = default;
  virtual void on_quote(const quote&) {}            ///< after each applied change and each change of validity
  virtual void on_trade(const trade_event&) {}      ///< a new trade, once
  virtual void on_bar(const bar&) {}                ///< a bar was closed
  virtual void on_feature_frame(feature_frame&&) {} ///< an instant was reached
  virtual void on_validity(book_validity /*before*/, book_validity /*now*/, std::string_view /*why*/) {}
  /// Ask the connector for a REST image, or, where images come in band, to subscribe anew.
  virtual void on_image_needed(std::string_view /*why*/) {}
  virtual void on_depth(const depth_event&, const order_book&) {} ///< a change was applied
};

/// Not thread-safe; never blocks, reads no clock.
class feed_core {
public:
  /// `decoder` must fit the instrument's scales. `listener` outlives this object.
  feed_core(feed_core_options options, std::unique_ptr<frame_decoder> decoder, feed_listener& listener);
  feed_core(const feed_core&) = delete;
  feed_core& operator=(const feed_core&) = delete;

  /// Takes a frame of the socket. Receive times may not go backwards. An image among the frames is taken too.
  void on_frame(market_time received, std::string_view payload);

  /// Takes the REST image it asked for; `session` is the one it was asked in.
  void on_image(market_time received, std::string_view payload, std::uint64_t session);

  /// The connector's session began (`connected`) or ended; either way the book starts anew.
  void on_session(std::uint64_t session, bool connected, market_time now);

  /// Market time went on without a frame: staleness, retries, bars. Call a few times a second. A time that is a second
  /// or more before the last one means that the host's clock was set.
  void advance(market_time now);

  /// The end of a recording: judges what waits for later input and closes the open bars.
  void finish();

  /// `now` is for the age; the newest time seen where it is left out.
  [[nodiscard]] feed_report report(market_time now = {}) const;
  [[nodiscard]] const quote& current() const noexcept { return quote_; }
  [[nodiscard]] book_validity validity() const noexcept { return quote_.validity; }
  [[nodiscard]] const order_book& book() const noexcept { return machine_->book(); }
  [[nodiscard]] const book_machine& machine() const noexcept { return *machine_; }
  [[nodiscard]] const agreement_meter::counts& agreement() const noexcept { return agreement_.figures(); }
  [[nodiscard]] const timed_agreement::counts& agreement_by_time() const noexcept { return timed_.figures(); }
  [[nodiscard]] const trade_sequence& trades() const noexcept { return trades_; }
  [[nodiscard]] const quarantine& damaged() const noexcept { return quarantine_; }
  [[nodiscard]] const bar_builder& bars() const noexcept { return bars_; }
  [[nodiscard]] std::uint64_t session() const noexcept { return session_; }
  [[nodiscard]] std::uint64_t clock_steps() const noexcept { return clock_steps_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  /// Sum of trade sizes since the start.
  [[nodiscard]] size volume() const noexcept { return volume_; }
  /// Time since the last frame that moved or confirmed the book, on the receiver's clock; never negative.
  [[nodiscard]] nanoseconds age(market_time now) const noexcept;

private:
  void take(const market_event& event, std::string_view payload);
  void on_trade_event(const trade_event& trade);
  void on_book_image(const image_event& image);
  void on_best(const best_event& best);
  void check_agreement();
  void lost_to_best();
  void after_step(build_step step);
  void applied(const depth_event& change);
  void broken(book_validity now, std::string_view why, std::uint64_t& losses);
  void on_damage(frame_damage damage, std::string_view payload);
  void ask_again(std::string_view why);
  void need_image(std::string_view why);
  void expect_image() noexcept;
  void note_clock(market_time now) noexcept;
  void measure(market_time event);
  void set_validity(book_validity now, std::string_view why);
  void publish_top();
  void check_stale();
  void reach(market_time event);
  void emit_frame(market_time at);

  feed_core_options options_;
  std::unique_ptr<frame_decoder> decoder_;
  feed_listener& listener_;
  std::unique_ptr<book_machine> machine_;
  bar_builder bars_;
  feature_builder features_;
  agreement_meter agreement_;
  timed_agreement timed_;
  offset_meter offset_;
  offset_floor floor_;
  offset_meter lag_; // above the floor
  trade_sequence trades_;
  trade_window unnumbered_trades_;
  quarantine quarantine_;
  quote quote_;
  size volume_;
  market_time received_;   // newest receive time
  market_time clock_;      // last time told by advance()
  market_time fresh_;      // receive time of the newest change
  market_time newest_;     // newest venue time
  market_time next_frame_; // instant of the next feature frame, 0 = none seen yet
  market_time next_bars_;  // when bars are looked at again
  market_time asked_;        // when the image was asked for, or began to be owed
  market_time resubscribed_; // when it was asked for last
  bool asking_ = false;
  bool aggregates_ = false; // which trade stream is followed: the first that was seen
  bool any_trade_ = false;
  bool in_band_ = false; // images come by subscribing anew
  std::uint64_t session_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t unknown_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t clock_steps_ = 0; // times the host's clock was set back
  std::uint64_t bridges_ = 0;
  std::uint64_t lost_to_gaps_ = 0; // valid books, by what ended them
  std::uint64_t lost_to_depth_ = 0;
  std::uint64_t lost_to_crossing_ = 0;
  std::uint64_t lost_to_checksums_ = 0;
  std::uint64_t lost_to_overflow_ = 0;
  std::uint64_t lost_to_best_ = 0;
  std::uint64_t lost_with_session_ = 0;
};

} // namespace troupe
