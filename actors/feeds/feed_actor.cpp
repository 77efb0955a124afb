#include "actors/feeds/feed_actor.hpp"

#include "actors/connectors/venue.hpp"
#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe {
namespace {

constexpr std::size_t most_subscribers = 64;
constexpr nanoseconds never = std::chrono::hours{24 * 365};

/// Nobody can go on without a known venue: the supervisor learns it as this actor's end.
const venue_description& venue_of(const instrument_id& id) {
  if (const auto* found = find_venue(id.venue())) return *found;
  std::string known;
  for (const auto* each : all_venues()) known += (known.empty() ? "" : ", ") + std::string{each->name};
  throw std::invalid_argument{"no feed for venue '" + std::string{id.venue()} + "' of " + id.text
                              + "; known: " + known};
}

} // namespace

feed_state::feed_state(self_pointer self, actor_environment env, feed_actor_options options)
    : self_{self}, env_{env}, options_{std::move(options)} {
  const auto& spec = options_.core.spec;
  const auto& venue = venue_of(spec.id);
  options_.core.rules = venue.rules_of(options_.book_channel);
  // Requests are repeated by this actor, on the steady clock; what comes in band by the core.
  if (!options_.core.rules.image_in_band) options_.core.image_retry = never;
  if (options_.connector.empty()) options_.connector = "connector/" + std::string{venue.name};
  core_ = std::make_unique<feed_core>(options_.core, venue.decoder(spec), static_cast<feed_listener&>(*this));
  bar_mender_options mending;
  mending.instrument = spec.id;
  mending.known_by = venue.trades.known_by;
  mending.fetches = !options_.trade_filler.empty() && venue.trade_call != nullptr;
  mending.reach = options_.trade_reach;
  mender_ = std::make_unique<bar_mender>(mending, env_.market->now());
  declare_setting(self_, whole_setting(
                             "image_retry_ms",
                             "an image of the book is asked for again after so long, milliseconds", 200, 60'000,
                             [this] { return options_.image_retry.count() / 1'000'000; },
                             [this](std::int64_t ms) { options_.image_retry = std::chrono::milliseconds{ms}; }));
  declare_setting(self_, whole_setting(
                             "quote_timeout_ms",
                             "a quote that was not acknowledged is taken for lost after so long, milliseconds", 10, 10'000,
                             [this] { return options_.quote_timeout.count() / 1'000'000; },
                             [this](std::int64_t ms) { options_.quote_timeout = std::chrono::milliseconds{ms}; }));
  for (const auto& name : options_.quote_subscribers)
    subscribers_.push_back({.name = name, .given = {}, .sent = {}});
}

feed_actor::behavior_type feed_state::make_behavior() {
  for (const auto& reader_name : options_.book_readers) readers_.push_back({.name = reader_name, .sent = {}});
  schedule(self_, options_.tick, [this] { on_tick(); });
  return {
      [this](const status_request&) -> reply<status_report> {
        return status_report{self_->core().name(), status_json()};
      },
      [this](const frame_batch& batch) { on_batch(batch); },
      [this](const book_image& image) {
        core_->on_image(image.reply.received, image.reply.payload, image.session);
      },
      [this](const session_event& event) { on_session_event(event); },
      [this](const caf::strong_actor_ptr& whom, const std::string& name) -> reply<acknowledged> {
        const auto known = std::find_if(subscribers_.begin(), subscribers_.end(),
                                        [&](const auto& s) { return s.name == name; });
        if (known == subscribers_.end() && subscribers_.size() >= most_subscribers)
          return to_caf({make_error_code(runtime_errc::too_many_asks),
                         self_->core().name() + std::string{": no room for subscriber "} + name});
        auto& mine = known == subscribers_.end() ? subscribers_.emplace_back() : *known;
        mine.name = name;
        mine.given = whom;
        mine.in_flight = false;
        offer(mine);
        return acknowledged{core_->current().sequence};
      },
      [this](const acknowledged&) { acknowledge(); },
      [this](const past_trades& told) {
        mender_->on_past(told, env_.steady->now());
        keep_bars();
      },
  };
}

// --- from the connector --------------------------------------------------------------------------

void feed_state::on_batch(const frame_batch& batch) {
  if (batch.session < core_->session()) {
    ++old_batches_;
    return;
  }
  // Frames of a session this actor has not heard of: it was restarted, or they overtook the event.
  if (batch.session > core_->session()) {
    forget_requests();
    const auto at = batch.frames.empty() ? env_.market->now() : batch.frames.front().received;
    core_->on_session(batch.session, true, at);
    note_break(at);
  }
  for (const auto& frame : batch.frames) core_->on_frame(frame.received, frame.payload);
}

void feed_state::on_session_event(const session_event& event) {
  if (event.session < core_->session()) return;
  const bool connected = event.state == session_state::connected;
  // The batch that announced this session came first; its frames are part of it.
  if (connected && event.session == core_->session() && core_->validity() != book_validity::disconnected
      && core_->validity() != book_validity::empty)
    return;
  forget_requests();
  core_->on_session(event.session, connected, env_.market->now());
  note_break(env_.market->now());
}

void feed_state::on_tick() {
  core_->advance(env_.market->now());
  rate_.take(env_.steady->now(), core_->frames());
  const bool late = image_asked_ && core_->machine().has_buffered()
                    && env_.steady->now() - asked_ >= options_.image_retry;
  if ((late || image_owed_) && core_->machine().needs_image()) ask_for_image();
  for (auto& s : subscribers_)
    if (s.waiting) offer(s);
  ask_for_trades();
  keep_bars();
  show_book(false);
  store_bars();
  schedule(self_, options_.tick, [this] { on_tick(); });
}

// --- from the core -------------------------------------------------------------------------------

void feed_state::on_image_needed(std::string_view why) {
  log::info("feed", "asks for a book image",
            {{"instrument", options_.core.spec.id.text}, {"why", std::string{why}}});
  ask_for_image();
}

/// What was asked for belongs to a session that is gone; the new one may ask at once.
void feed_state::forget_requests() {
  image_asked_ = image_owed_ = false;
  asked_ = env_.steady->now() - options_.image_pause;
}

void feed_state::ask_for_image() {
  const auto now = env_.steady->now();
  image_owed_ = images_asked_ > 0 && now - asked_ < options_.image_pause;
  if (image_owed_) return; // on_tick asks
  image_asked_ = true;
  asked_ = now;
  ++images_asked_;
  tell(self_, env_.names->find<connector_actor>(options_.connector),
       image_request{options_.core.spec.id, core_->session()});
}

void feed_state::on_trade(const trade_event& trade) {
  note_trade_holes();
  mender_->on_trade(trade);
  // The trade that ends a hole starts the wait for the venue's past.
  if (hole_open_) ask_trades_at_ = env_.steady->now() + options_.trade_settle;
  hole_open_ = false;
}

void feed_state::on_bar(const bar& b) {
  ++bars_;
  note_trade_holes();
  mender_->on_bar(b);
}

void feed_state::on_feature_frame(feature_frame&& frame) {
  ++feature_frames_;
  for (const auto over : all_horizons) {
    const auto to = "predictor/" + frame.instrument.text + '/' + std::string{name_of(over)};
    if (!tell(self_, env_.names->find<predictor_actor>(to), frame)) ++frames_untaken_;
  }
}

void feed_state::on_validity(book_validity before, book_validity now, std::string_view why) {
  const auto level = now == book_validity::valid || now == book_validity::bootstrapping ? log::severity::info
                                                                                        : log::severity::warn;
  log::write(level, "feed", "book is " + std::string{name_of(now)},
             {{"instrument", options_.core.spec.id.text},
              {"before", std::string{name_of(before)}},
              {"why", std::string{why}},
              {"sequence", std::to_string(core_ ? core_->machine().sequence() : 0)}});
  if (core_) show_book(true);
}

// --- quotes --------------------------------------------------------------------------------------

void feed_state::on_quote(const quote& q) {
  if (options_.observer && core_) options_.observer(q, core_->book());
  for (auto& s : subscribers_) {
    if (s.waiting) ++s.conflated;
    offer(s);
  }
}

/// By name first: behind a name is the actor that runs now, the handle given may be of one that died.
caf::strong_actor_ptr feed_state::handle_of(const subscriber& to) const {
  auto found = env_.names->handle(to.name);
  return found ? found : to.given;
}

void feed_state::offer(subscriber& to) {
  const auto now = env_.steady->now();
  to.waiting = to.in_flight && now - to.sent < options_.quote_timeout;
  if (to.waiting) return;
  const auto dst = handle_of(to);
  to.in_flight = tell(self_, dst, core_->current());
  to.sent = now;
  if (to.in_flight) ++to.quotes;
}

void feed_state::acknowledge() {
  const auto& sender = self_->current_sender();
  for (auto& s : subscribers_) {
    if (!s.in_flight || !sender || handle_of(s) != sender) continue;
    s.in_flight = false;
    if (s.waiting) offer(s);
  }
  for (auto& r : readers_)
    if (r.in_flight > 0 && sender && env_.names->handle(r.name) == sender) --r.in_flight;
}

// --- books for consolidators ---------------------------------------------------------------------

namespace {

constexpr std::size_t most_bars_waiting = 4096;
constexpr std::size_t bars_per_put = 512;
constexpr std::uint32_t most_views_in_flight = 16;
constexpr nanoseconds store_patience = std::chrono::seconds{5};

} // namespace

/// Sends the top of the book to those that have taken the last one. A change of validity goes out at once.
void feed_state::show_book(bool at_once) {
  if (readers_.empty()) return;
  const auto now = env_.market->now();
  const auto steady = env_.steady->now();
  const auto& q = core_->current();
  const bool changed = q.sequence != shown_sequence_ && now - shown_ >= options_.view_every;
  if (!at_once && !changed && steady - shown_steady_ < options_.view_pulse) return;
  const auto free = [&](const reader& r) {
    return r.in_flight < (at_once ? most_views_in_flight : 1) || steady - r.sent >= options_.view_pulse;
  };
  if (std::none_of(readers_.begin(), readers_.end(), free)) return;
  const auto& spec = options_.core.spec;
  const view_options how{spec.id,          spec.kind,       options_.contract_e8,
                         spec.price_scale, spec.size_scale, options_.bucket_width, options_.buckets, view_max_levels};
  const auto view = make_book_view(how, {now, q.at, core_->age(now), q.sequence, q.validity}, core_->book());
  shown_ = now;
  shown_steady_ = steady;
  shown_sequence_ = q.sequence;
  for (auto& r : readers_) {
    if (!free(r)) continue;
    // What was not acknowledged for so long is taken for lost.
    if (steady - r.sent >= options_.view_pulse) r.in_flight = 0;
    r.sent = steady;
    if (!tell(self_, env_.names->find<consolidator_actor>(r.name), view)) continue;
    ++r.in_flight;
    ++r.views;
  }
}

// --- bars for the store --------------------------------------------------------------------------

void feed_state::note_break(market_time now) {
  hole_open_ = true;
  mender_->on_break(now);
}

/// Where the venue numbers its trades, the numbers show a hole before the trade behind it is taken.
void feed_state::note_trade_holes() {
  if (!core_ || core_->trades().holes() == trade_holes_) return;
  trade_holes_ = core_->trades().holes();
  note_break(env_.market->now());
}

void feed_state::ask_for_trades() {
  const auto steady = env_.steady->now();
  if (options_.trade_filler.empty() || steady < ask_trades_at_) return;
  const auto hole = mender_->due(env_.market->now(), steady);
  if (hole) tell(self_, env_.names->find<backfiller_actor>(options_.trade_filler), *hole);
}

/// What the mender hands out goes to the store.
void feed_state::keep_bars() {
  auto whole = mender_->take_ready();
  if (options_.bar_store.empty()) return;
  bars_waiting_.insert(bars_waiting_.end(), std::make_move_iterator(whole.begin()),
                       std::make_move_iterator(whole.end()));
  bound_bars();
}

void feed_state::store_bars() {
  if (storing_ || bars_waiting_.empty() || env_.steady->now() < store_again_) return;
  const auto count = static_cast<std::ptrdiff_t>(std::min(bars_waiting_.size(), bars_per_put));
  bar_put put;
  put.bars.assign(bars_waiting_.begin(), bars_waiting_.begin() + count);
  bars_waiting_.erase(bars_waiting_.begin(), bars_waiting_.begin() + count);
  storing_ = true;
  auto kept = std::make_shared<std::vector<bar>>(put.bars);
  ask(self_, env_.names->find<store_actor>(options_.bar_store), store_patience, std::move(put))
      .then(
          [this, kept](const acknowledged&) {
            storing_ = false;
            bars_stored_ += kept->size();
          },
          [this, kept] {
            storing_ = false;
            store_again_ = env_.steady->now() + std::chrono::seconds{1};
            bars_waiting_.insert(bars_waiting_.begin(), kept->begin(), kept->end());
            bound_bars();
          });
}

/// The store has been away for too long: the oldest go, the back-filler gets them from the venue.
void feed_state::bound_bars() {
  if (bars_waiting_.size() <= most_bars_waiting) return;
  const auto over = static_cast<std::ptrdiff_t>(bars_waiting_.size() - most_bars_waiting);
  bars_waiting_.erase(bars_waiting_.begin(), bars_waiting_.begin() + over);
  bars_lost_ += static_cast<std::uint64_t>(over);
}

// --- status --------------------------------------------------------------------------------------

void feed_state::write_trade_holes(json_writer& w) const {
  const auto& c = mender_->counts();
  w.key("past_trades").begin_object();
  w.field("holes", c.holes).field("filled", c.filled).field("lost", c.lost).field("waiting", mender_->waiting());
  w.field("trades", c.trades).field("known", c.known).field("bars_mended", c.mended);
  w.field("bars_waiting", mender_->bars_waiting()).key("lost_holes").begin_array();
  constexpr std::size_t shown = 8;
  const auto& lost = mender_->lost();
  for (auto n = lost.size() - std::min(shown, lost.size()); n < lost.size(); ++n)
    w.begin_object()
        .field("from", lost[n].from.ns)
        .field("to", lost[n].to.ns)
        .field("why", std::string_view{lost[n].why})
        .end_object();
  w.end_array().end_object();
}

std::string feed_state::status_json() const {
  const auto r = core_->report(env_.market->now());
  const auto& spec = options_.core.spec;
  const auto text = [](std::int64_t raw, int scale) { return format_decimal_short(raw, scale); };
  json_writer w;
  w.begin_object().field("instrument", r.instrument.text).field("validity", name_of(r.validity));
  w.field("session", core_->session()).field("frames", r.frames).field("unknown_frames", r.unknown_frames);
  w.field("damaged_frames", r.damaged_frames)
      .field("diffs_applied", r.diffs_applied)
      .field("diffs_stale", r.diffs_stale);
  w.field("levels_applied", r.levels_applied)
      .field("gaps", r.gaps)
      .field("crossed", r.crossed)
      .field("resyncs", r.resyncs);
  w.field("quotes_compared", r.quotes_compared).field("quotes_equal", r.quotes_equal);
  w.field("quotes_same_number", core_->agreement().equal_number)
      .field("quotes_same_number_equal", core_->agreement().equal_number_agreed);
  w.field("trades", r.trades).field("trade_gaps", r.trade_gaps).field("sequence", r.sequence);
  w.field("bid_levels", r.bid_levels).field("ask_levels", r.ask_levels).field("newest", r.newest.ns);
  w.field("clock_offset", static_cast<std::int64_t>(r.clock_offset.count()));
  w.field("lag_p50", static_cast<std::int64_t>(r.lag_p50.count()));
  w.field("lag_p99", static_cast<std::int64_t>(r.lag_p99.count()));
  w.field("age", static_cast<std::int64_t>(r.age.count()));
  w.field("family", name_of(core_->machine().rules().family)).field("proven_levels", r.proven_levels);
  w.field("checksums_compared", r.checksums_compared).field("checksums_equal", r.checksums_equal);
  w.field("resyncs_gap", r.resyncs_gap)
      .field("resyncs_crossed", r.resyncs_crossed)
      .field("resyncs_checksum", r.resyncs_checksum)
      .field("resyncs_overflow", r.resyncs_overflow)
      .field("resyncs_depth", r.resyncs_depth)
      .field("resyncs_best", r.resyncs_best)
      .field("resyncs_session", r.resyncs_session);
  w.field("best_agreed", r.best_agreed)
      .field("best_equal", r.best_equal)
      .field("best_disagreed", r.best_disagreed)
      .field("best_undecided", r.best_undecided)
      .field("messages_per_s_e3", rate_.per_second_e3());
  w.field("images_unasked", r.images_unasked)
      .field("quarantined", r.quarantined)
      .field("unprovable", r.unprovable);
  w.field("bid", text(r.bid.at.raw, spec.price_scale))
      .field("bid_size", text(r.bid.quantity.raw, spec.size_scale));
  w.field("ask", text(r.ask.at.raw, spec.price_scale))
      .field("ask_size", text(r.ask.quantity.raw, spec.size_scale));
  w.field("bars", bars_)
      .field("bars_stored", bars_stored_)
      .field("bars_partial", mender_->counts().partial)
      .field("bars_waiting", bars_waiting_.size())
      .field("bars_lost", bars_lost_)
      .field("feature_frames", feature_frames_)
      .field("feature_frames_untaken", frames_untaken_);
  write_trade_holes(w);
  w.field("images_asked", images_asked_).field("old_batches", old_batches_);
  w.key("subscribers").begin_array();
  for (const auto& s : subscribers_)
    w.begin_object()
        .field("name", s.name)
        .field("quotes", s.quotes)
        .field("conflated", s.conflated)
        .end_object();
  w.end_array();
  w.key("damaged").begin_array();
  for (const auto& e : core_->damaged().entries())
    w.begin_object()
        .field("received", e.received.ns)
        .field("why", name_of(e.damage))
        .field("bytes", e.bytes)
        .field("head", e.head)
        .end_object();
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
