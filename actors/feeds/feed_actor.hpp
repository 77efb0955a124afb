#pragma once

/// Keeps one instrument's feed alive inside the actor system: frames and images from its connector go into
/// the pure `feed_core`; quotes go to subscribers (conflated, one in flight each, newest wins), feature
/// frames to the predictors of the instrument, requests for images to the connector, the top of the book to
/// consolidators (conflated, at most ten times a second of market time), closed bars to the store.

#include "actors/feeds/bar_mender.hpp"
#include "actors/feeds/book_view.hpp"
#include "actors/feeds/feed_core.hpp"
#include "actors/feeds/message_rate.hpp"
#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "runtime/actor/actor_base.hpp"

#include <functional>

namespace troupe {

class json_writer;

struct feed_actor_options {
  /// The instrument and the feed's own settings. `rules` are set from the venue. Where images come by REST,
  /// `image_retry` counts market time and is replaced by the steady one below.
  feed_core_options core;
  std::string book_channel; ///< one of the venue's; empty: its default. The connector subscribes to the same
  std::string connector;                             ///< default "connector/<venue>"
  std::vector<std::string> quote_subscribers;        ///< actors that hear quotes from the start on, by name
  nanoseconds tick = std::chrono::milliseconds{50};  ///< steady time between looks at the clock
  nanoseconds image_retry = std::chrono::seconds{2}; ///< steady time until an image is asked for again
  nanoseconds image_pause =
      std::chrono::milliseconds{200}; ///< steady time between two requests: a broken image must be no storm
  nanoseconds quote_timeout = std::chrono::milliseconds{100}; ///< steady time after which a quote that was
                                                              ///< not acknowledged is taken for lost
  std::vector<std::string> book_readers;             ///< consolidators that see the top of the book, by name
  price bucket_width;                                ///< of the views' buckets, raw; 0: none
  std::uint32_t buckets = view_max_buckets;          ///< see view_options
  std::int64_t contract_e8 = contract_unit;          ///< see view_options
  nanoseconds view_every = std::chrono::milliseconds{100}; ///< market time between two views, at least
  /// Steady time until a view is sent without a change.
  nanoseconds view_pulse = std::chrono::milliseconds{500};
  std::string bar_store = "store";                   ///< who keeps closed bars, by name; empty: nobody
  /// Who fetches trades that were missed, by name; empty: nobody, and bars that lack trades are not stored.
  std::string trade_filler;
  nanoseconds trade_reach = std::chrono::minutes{15}; ///< market time; trades further back are not asked for
  /// Steady time after the trade behind a hole until its trades are asked for: the venue's past lags behind
  /// its socket.
  nanoseconds trade_settle = std::chrono::seconds{1};
  /// Sees each quote with the book behind it, on the actor's thread; must be quick. May be empty.
  std::function<void(const quote&, const order_book&)> observer;
};

/// Actor state; lives on the actor's own thread.
class feed_state final : private feed_listener {
public:
  using handle_type = feed_actor;
  using self_pointer = actor_pointer<feed_actor>;
  static inline const char* name = "feed";

  feed_state(self_pointer self, actor_environment env, feed_actor_options options);
  feed_actor::behavior_type make_behavior();

private:
  /// One reader of quotes. At most one quote is on its way to it.
  struct subscriber {
    std::string name;
    caf::strong_actor_ptr given; ///< handle it subscribed with; used while the name leads nowhere
    bool in_flight = false;
    bool waiting = false; ///< a newer quote waits for the acknowledgement
    steady_time sent;
    std::uint64_t quotes = 0;
    std::uint64_t conflated = 0;
  };

  /// One consolidator. At most one view is on its way to it, and a few changes of validity.
  struct reader {
    std::string name;
    std::uint32_t in_flight = 0;
    steady_time sent;
    std::uint64_t views = 0;
  };

  void on_quote(const quote& q) override;
  void on_trade(const trade_event& trade) override;
  void on_bar(const bar& b) override;
  void on_feature_frame(feature_frame&& frame) override;
  void on_validity(book_validity before, book_validity now, std::string_view why) override;
  void on_image_needed(std::string_view why) override;

  void on_batch(const frame_batch& batch);
  void on_session_event(const session_event& event);
  void on_tick();
  void ask_for_image();
  void forget_requests();
  void offer(subscriber& to);
  void acknowledge();
  void show_book(bool at_once);
  void note_break(market_time now);
  void note_trade_holes();
  void ask_for_trades();
  void keep_bars();
  void store_bars();
  void bound_bars();
  [[nodiscard]] caf::strong_actor_ptr handle_of(const subscriber& to) const;
  void write_trade_holes(json_writer& w) const;
  [[nodiscard]] std::string status_json() const;

  self_pointer self_;
  actor_environment env_;
  feed_actor_options options_;
  std::unique_ptr<feed_core> core_;
  std::vector<subscriber> subscribers_;
  steady_time asked_;
  bool image_asked_ = false;
  bool image_owed_ = false; ///< asked for within the pause
  message_rate rate_;
  std::uint64_t old_batches_ = 0;
  std::uint64_t images_asked_ = 0;
  std::uint64_t bars_ = 0;
  std::uint64_t feature_frames_ = 0;
  std::uint64_t frames_untaken_ = 0;
  std::vector<reader> readers_;
  market_time shown_;          ///< when the last view was taken
  steady_time shown_steady_;
  std::uint64_t shown_sequence_ = 0;
  std::vector<bar> bars_waiting_; ///< for the store
  bool storing_ = false;
  steady_time store_again_;
  std::unique_ptr<bar_mender> mender_;
  std::uint64_t trade_holes_ = 0;
  bool hole_open_ = true; ///< trades may be missing up to the next one
  steady_time ask_trades_at_;
  std::uint64_t bars_stored_ = 0;
  std::uint64_t bars_lost_ = 0;    ///< the store could not take them
};

} // namespace troupe
