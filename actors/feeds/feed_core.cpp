#include "actors/feeds/feed_core.hpp"

#include <algorithm>
#include <limits>

namespace troupe {
namespace {

std::unique_ptr<book_machine> machine_for(const feed_core_options& o) {
  return make_book_machine(o.rules, {o.spec.tick, o.window_ticks}, {o.spec.price_scale, o.spec.size_scale});
}

/// No venue's clock is that far ahead of ours. A time beyond is damage: taken for true, it would end all
/// bars and stop all feature frames until the clock reaches it.
constexpr nanoseconds farthest_ahead = std::chrono::hours{1};

/// A market clock that goes back by so much was set.
constexpr nanoseconds clock_step = std::chrono::seconds{1};

/// The latest time an event claims.
market_time claimed_time(const market_event& event) noexcept {
  switch (event.kind) {
  case event_kind::depth: return event.depth.event;
  case event_kind::image: return event.image.event;
  case event_kind::best: return event.best.event;
  case event_kind::trade: return std::max(event.trade.event, event.trade.at);
  default: return {};
  }
}

/// Frames are taken at whole steps only.
nanoseconds whole_steps(nanoseconds interval) {
  return std::max(feature_step, interval - interval % feature_step);
}

} // namespace

feed_core::feed_core(feed_core_options options, std::unique_ptr<frame_decoder> decoder,
                     feed_listener& listener)
    : options_{std::move(options)},
      decoder_{std::move(decoder)},
      listener_{listener},
      machine_{machine_for(options_)},
      bars_{options_.spec.id, options_.bar_grace, [this](const bar& b) { listener_.on_bar(b); }},
      features_{{options_.spec.price_scale, options_.spec.size_scale}},
      timed_{options_.agreement},
      in_band_{options_.rules.family != book_family::ranged && options_.rules.image_in_band} {
  options_.frame_interval = whole_steps(options_.frame_interval);
  quote_.instrument = options_.spec.id;
  machine_->on_applied([](void* self, const depth_event& change,
                          const order_book&) { static_cast<feed_core*>(self)->applied(change); },
                       this);
}

/// The host's clock was set back: all that is measured on it goes along, or retries would wait until it has come back to
/// where it was. Frames can't tell: those of a stand-in are delivered with the times at which they came.
void feed_core::note_clock(market_time now) noexcept {
  const auto back = clock_ - now;
  clock_ = now;
  if (back < clock_step) return;
  for (auto* each : {&received_, &fresh_, &asked_, &resubscribed_})
    if (each->ns != 0) *each = *each - back;
  timed_.reset();
  ++clock_steps_;
}

// --- inputs --------------------------------------------------------------------------------------

void feed_core::on_frame(market_time received, std::string_view payload) {
  ++frames_;
  received_ = std::max(received_, received);
  check_stale();
  take(decoder_->decode(payload), payload);
  while (const auto* event = decoder_->next()) take(*event, payload);
}

void feed_core::on_image(market_time received, std::string_view payload, std::uint64_t session) {
  received_ = std::max(received_, received);
  if (session != session_) return; // of a session that is gone; a new one was asked for since
  asking_ = false;
  const auto& event = decoder_->decode(payload);
  if (event.kind == event_kind::image) return after_step(machine_->on_image(event.image));
  ++damaged_;
  quarantine_.keep(received, event.damage, payload);
  // The retry in advance() asks again: at once would hammer a venue that answers with errors.
  asking_ = true;
}

void feed_core::on_session(std::uint64_t session, bool connected, market_time now) {
  received_ = std::max(received_, now);
  session_ = session;
  asking_ = false;
  lost_with_session_ += machine_->valid() ? 1 : 0;
  machine_->reset();
  agreement_.reset();
  timed_.reset();
  set_validity(connected ? book_validity::bootstrapping : book_validity::disconnected,
               connected ? "session began" : "session ended");
}

void feed_core::take(const market_event& event, std::string_view payload) {
  const bool ours = event.symbol.empty() || options_.spec.venue_symbol.empty()
                    || event.symbol == options_.spec.venue_symbol;
  if (!ours) [[unlikely]] {
    ++unknown_;
    return;
  }
  if (claimed_time(event) - received_ > farthest_ahead) [[unlikely]]
    return on_damage(frame_damage::bad_range, payload);
  switch (event.kind) {
  case event_kind::depth: {
    measure(event.depth.event);
    const auto step = machine_->on_depth(event.depth);
    if (step != build_step::stale && step != build_step::ignored) fresh_ = received_;
    return after_step(step);
  }
  case event_kind::best: measure(event.best.event); return on_best(event.best);
  case event_kind::trade: measure(event.trade.event); return on_trade_event(event.trade);
  case event_kind::image: return on_book_image(event.image);
  case event_kind::candle:
  case event_kind::acknowledgement:
  case event_kind::shutdown: return;
  case event_kind::failure:
  case event_kind::other: ++unknown_; return;
  case event_kind::damaged: return on_damage(event.damage, payload);
  }
}

/// The image of a request is older than the changes around it, so only one of the socket tells the time.
void feed_core::on_book_image(const image_event& image) {
  if (in_band_) measure(image.event);
  const auto step = machine_->on_image(image);
  if (step != build_step::replaced) return after_step(step);
  fresh_ = received_;
  const auto& book = machine_->book();
  agreement_.on_top(image.last, book.bid(), book.ask());
  timed_.on_top(received_, book.bid(), book.ask());
  features_.on_book(book, image.bids.size() + image.asks.size());
  after_step(step);
}

/// Some venues don't say when they sent a frame.
void feed_core::measure(market_time event) {
  if (event.ns == 0) return;
  const auto offset = received_ - event;
  offset_.take(offset);
  lag_.take(floor_.take(received_, offset));
  reach(event);
}

/// By number where it has one; without, by time, with the book that stands while it comes.
void feed_core::on_best(const best_event& best) {
  if (best.sequence != 0) {
    agreement_.on_best(best);
    if (agreement_.lost() && machine_->valid()) lost_to_best();
    return;
  }
  if (!machine_->valid()) return timed_.without_book();
  timed_.on_best(received_, best.bid, best.ask, machine_->book().bid(), machine_->book().ask());
  check_agreement();
}

void feed_core::check_agreement() {
  if (timed_.advance(received_)) lost_to_best();
}

void feed_core::lost_to_best() {
  machine_->reset();
  broken(book_validity::damaged, "the venue's best bid and ask are other ones", lost_to_best_);
}

void feed_core::on_trade_event(const trade_event& trade) {
  if (!any_trade_) {
    any_trade_ = true;
    aggregates_ = trade.aggregated;
  }
  // Trades and aggregates tell the same twice; the stream that came first is followed.
  if (trade.aggregated != aggregates_) return;
  const bool replayed = trade.numbered
                            ? trades_.take(trade.first_id, trade.last_id) == trade_sequence::step::replayed
                            : !unnumbered_trades_.take(trade);
  if (replayed) return;
  if (__builtin_add_overflow(volume_.raw, trade.quantity.raw, &volume_.raw))
    volume_.raw = std::numeric_limits<std::int64_t>::max();
  if (!trade.on_market || trade.at_price.raw <= 0 || trade.quantity.raw <= 0) return;
  bars_.on_trade(trade);
  features_.on_trade(trade);
  listener_.on_trade(trade);
}

void feed_core::advance(market_time now) {
  note_clock(now);
  received_ = std::max(received_, now);
  check_stale();
  if (machine_->valid()) check_agreement();
  bars_.advance(std::max(newest_, received_ - offset_.median()));
  const bool waits = machine_->needs_image() && asking_ && (in_band_ || machine_->has_buffered());
  if (waits && received_ - asked_ >= options_.image_retry) need_image("no usable image came");
}

void feed_core::finish() {
  agreement_.finish();
  timed_.finish();
  bars_.flush();
}

// --- the book's state ----------------------------------------------------------------------------

void feed_core::applied(const depth_event& change) {
  const auto& book = machine_->book();
  agreement_.on_top(change.last, book.bid(), book.ask());
  timed_.on_top(received_, book.bid(), book.ask());
  features_.on_book(book, change.bids.size() + change.asks.size());
  listener_.on_depth(change, book);
}

void feed_core::after_step(build_step step) {
  switch (step) {
  case build_step::applied:
    if (quote_.validity != book_validity::valid) [[unlikely]]
      set_validity(book_validity::valid, "changes flow again");
    return publish_top();
  case build_step::bridged:
    ++bridges_;
    asking_ = false;
    return set_validity(book_validity::valid, "image and changes joined");
  case build_step::buffered:
    if (quote_.validity == book_validity::empty) set_validity(book_validity::bootstrapping, "first change");
    if (asking_) return;
    return in_band_ ? expect_image() : need_image("changes wait for an image");
  case build_step::waiting:
    asking_ = false;
    return set_validity(book_validity::bootstrapping, "image waits for a change");
  case build_step::replaced:
    asking_ = false;
    if (quote_.validity == book_validity::valid) [[likely]]
      return publish_top();
    bridges_ += quote_.validity == book_validity::stale ? 0 : 1;
    return set_validity(book_validity::valid, "image of the venue");
  case build_step::too_old: return ask_again("image older than the first buffered change");
  case build_step::gap: return broken(book_validity::gap, "sequence broke", lost_to_gaps_);
  case build_step::crossed: return broken(book_validity::crossed, "bid at or above ask", lost_to_crossing_);
  case build_step::checksum_mismatch:
    return broken(book_validity::damaged, "the venue's checksum is another one", lost_to_checksums_);
  case build_step::overflow:
    return broken(book_validity::damaged, "more levels than a book can have", lost_to_overflow_);
  case build_step::shallow:
    return broken(book_validity::bootstrapping, "the market left the levels of the image", lost_to_depth_);
  case build_step::ignored:
    // The image was not asked for: the subscription itself brings it.
    if (in_band_ && machine_->needs_image() && !asking_) expect_image();
    return;
  case build_step::stale: return;
  }
}

void feed_core::broken(book_validity now, std::string_view why, std::uint64_t& losses) {
  losses += quote_.validity == book_validity::valid || quote_.validity == book_validity::stale ? 1 : 0;
  agreement_.reset();
  timed_.reset();
  set_validity(now, why);
  ask_again(why);
}

/// Subscribing anew costs the venue more than a request, and where each image is wrong it would never end:
/// once in `resubscribe_pause`, the rest in advance(). Family E brings the next image by itself.
void feed_core::ask_again(std::string_view why) {
  if (options_.rules.family == book_family::images) return expect_image();
  const bool hold_back = in_band_ && received_ - resubscribed_ < options_.resubscribe_pause;
  if (!hold_back) return need_image(why);
  asking_ = true;
  // advance() asks when the pause is over.
  asked_ = resubscribed_ + options_.resubscribe_pause - options_.image_retry;
}

/// Where neither a number nor a checksum of all levels shows what a frame carried, its loss drops the book.
void feed_core::on_damage(frame_damage damage, std::string_view payload) {
  ++damaged_;
  quarantine_.keep(received_, damage, payload);
  const auto family = options_.rules.family;
  const bool silent = family == book_family::checksummed || family == book_family::connection;
  if (!silent || !machine_->valid()) return;
  machine_->reset();
  broken(book_validity::damaged, "a frame could not be read", lost_to_gaps_);
}

/// The venue owes an image; advance() asks when it does not come.
void feed_core::expect_image() noexcept {
  asking_ = true;
  asked_ = received_;
}

void feed_core::need_image(std::string_view why) {
  asking_ = true;
  asked_ = resubscribed_ = received_;
  listener_.on_image_needed(why);
}

/// Measured on the receiver's clock alone, so that its offset to the venue's does not matter.
void feed_core::check_stale() {
  if (quote_.validity != book_validity::valid || received_ - fresh_ < options_.stale_after) [[likely]]
    return;
  set_validity(book_validity::stale, "no change for too long");
}

nanoseconds feed_core::age(market_time now) const noexcept {
  return std::max(nanoseconds{0}, std::max(now, received_) - fresh_);
}

void feed_core::set_validity(book_validity now, std::string_view why) {
  const auto before = quote_.validity;
  if (now != book_validity::valid) features_.on_invalid();
  if (before == now) return;
  quote_.validity = now;
  listener_.on_validity(before, now, why);
  publish_top();
}

void feed_core::publish_top() {
  quote_.at = machine_->newest();
  quote_.sequence = machine_->sequence();
  quote_.bid = machine_->book().bid();
  quote_.ask = machine_->book().ask();
  listener_.on_quote(quote_);
}

// --- instants ------------------------------------------------------------------------------------

/// The venue's time has come to `event`, before the event itself is taken.
void feed_core::reach(market_time event) {
  newest_ = std::max(newest_, event);
  const bool valid = quote_.validity == book_validity::valid;
  if (next_frame_.ns == 0) [[unlikely]]
    next_frame_ = floor_to(event, options_.frame_interval) + options_.frame_interval;
  if (event >= next_frame_) [[unlikely]] {
    const auto at = floor_to(event, options_.frame_interval);
    features_.advance(at, machine_->book(), valid);
    emit_frame(at);
    next_frame_ = at + options_.frame_interval;
  }
  features_.advance(event, machine_->book(), valid);
  if (newest_ >= next_bars_) {
    bars_.advance(newest_);
    next_bars_ = newest_ + feature_step;
  }
}

void feed_core::emit_frame(market_time at) {
  feature_frame frame;
  frame.instrument = options_.spec.id;
  frame.at = at;
  frame.schema = feature_schema_version;
  frame.book_sequence = machine_->sequence();
  frame.validity = quote_.validity;
  frame.bid = machine_->book().bid();
  frame.ask = machine_->book().ask();
  frame.features = features_.tensor();
  listener_.on_feature_frame(std::move(frame));
}

feed_report feed_core::report(market_time now) const {
  const auto& c = machine_->counts();
  feed_report r;
  r.instrument = options_.spec.id;
  r.validity = quote_.validity;
  r.frames = frames_;
  r.unknown_frames = unknown_;
  r.damaged_frames = damaged_;
  r.diffs_applied = c.applied;
  r.diffs_stale = c.stale;
  r.levels_applied = c.levels;
  r.gaps = c.gaps;
  r.crossed = c.crossed;
  r.resyncs = bridges_ > 0 ? bridges_ - 1 : 0;
  r.quotes_compared = agreement_.figures().compared;
  r.quotes_equal = agreement_.figures().agreed;
  r.trades = trades_.count() + unnumbered_trades_.count();
  r.trade_gaps = trades_.holes();
  r.sequence = machine_->sequence();
  r.bid_levels = machine_->book().levels(side::buy);
  r.ask_levels = machine_->book().levels(side::sell);
  r.newest = newest_;
  r.clock_offset = floor_.least();
  r.bid = machine_->book().bid();
  r.ask = machine_->book().ask();
  r.checksums_compared = c.checksums_compared;
  r.checksums_equal = c.checksums_equal;
  r.resyncs_gap = lost_to_gaps_;
  r.resyncs_crossed = lost_to_crossing_;
  r.resyncs_checksum = lost_to_checksums_;
  r.resyncs_overflow = lost_to_overflow_;
  r.resyncs_session = lost_with_session_;
  r.images_unasked = c.images_unasked;
  r.quarantined = quarantine_.total();
  r.unprovable = c.unproven;
  r.proven_levels = options_.rules.checksum != nullptr ? options_.rules.checksum_levels : 0;
  r.lag_p50 = lag_.percentile(50);
  r.lag_p99 = lag_.percentile(99);
  const auto& by_time = timed_.figures();
  r.best_agreed = by_time.agreed;
  r.best_equal = by_time.equal;
  r.best_disagreed = by_time.disagreed;
  r.best_undecided = by_time.undecided;
  r.resyncs_best = lost_to_best_;
  r.resyncs_depth = lost_to_depth_;
  r.age = age(now);
  return r;
}

} // namespace troupe
