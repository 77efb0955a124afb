#define CAF_SUITE feed_families

#include "actors/feeds/checksums.hpp"
#include "actors/feeds/feed_core.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::vector<level> usual_bids{{{100}, {1}}, {{99}, {2}}};
const std::vector<level> usual_asks{{{101}, {3}}, {{102}, {4}}};

/// Says what the test put in front of it, whatever the frame.
class prompted final : public frame_decoder {
public:
  explicit prompted(const std::vector<market_event>& events) : events_{events} {}
  const market_event& decode(std::string_view) noexcept override {
    at_ = 0;
    return events_.front();
  }
  const market_event* next() noexcept override {
    return ++at_ < events_.size() ? &events_[at_] : nullptr;
  }

private:
  const std::vector<market_event>& events_;
  std::size_t at_ = 0;
};

class heard_by final : public feed_listener {
public:
  void on_quote(const quote& q) override { last = q, ++quotes; }
  void on_trade(const trade_event& t) override { traded += t.quantity.raw; }
  void on_image_needed(std::string_view) override { ++asked; }

  quote last;
  int quotes = 0;
  int asked = 0;
  std::int64_t traded = 0;
};

/// A feed of one family; time goes on by 10 ms a frame.
struct family_rig {
  explicit family_rig(book_rules rules) : core{options_of(rules), std::make_unique<prompted>(events), heard} {
    core.on_session(1, true, now);
  }
  static feed_core_options options_of(const book_rules& rules) {
    feed_core_options out;
    out.spec.id.text = "ABC-USDT@venue";
    out.spec.price_scale = 2;
    out.spec.size_scale = 3;
    out.spec.tick = {1};
    out.rules = rules;
    return out;
  }
  static book_rules of(book_family family) {
    book_rules out;
    out.family = family;
    return out;
  }

  void say(std::vector<market_event> what) {
    now = now + milliseconds{10};
    events = std::move(what);
    core.on_frame(now, "frame");
  }
  market_event image(std::uint64_t last) {
    market_event e;
    e.kind = event_kind::image;
    e.image.last = last;
    e.image.event = now;
    e.image.bids = usual_bids;
    e.image.asks = usual_asks;
    return e;
  }
  market_event change(std::uint64_t last, std::uint64_t previous, std::span<const level> bids = {}) {
    market_event e;
    e.kind = event_kind::depth;
    e.depth.last = last;
    e.depth.previous = previous;
    e.depth.has_previous = true;
    e.depth.event = now;
    e.depth.bids = bids;
    return e;
  }
  market_event trade(std::string_view id, std::int64_t quantity) {
    market_event e;
    e.kind = event_kind::trade;
    e.trade.numbered = false;
    e.trade.id_text = id;
    e.trade.at = e.trade.event = now;
    e.trade.at_price = {100};
    e.trade.quantity = {quantity};
    return e;
  }
  static market_event damaged() {
    market_event e;
    e.kind = event_kind::damaged;
    e.damage = frame_damage::bad_number;
    return e;
  }
  void wait(nanoseconds span) {
    now = now + span;
    core.advance(now);
  }

  std::vector<market_event> events;
  heard_by heard;
  market_time now{1'700'000'000'000'000'000};
  feed_core core;
};

} // namespace

CAF_TEST(an_image_in_band_is_awaited_before_it_is_asked_for) {
  family_rig r{family_rig::of(book_family::chained)};
  r.say({r.change(5, 4)});
  CAF_CHECK_EQUAL(r.heard.asked, 0); // the subscription itself brings it
  CAF_CHECK(r.core.validity() == book_validity::bootstrapping);
  r.wait(seconds{4});
  CAF_CHECK_EQUAL(r.heard.asked, 0);
  r.wait(seconds{2});
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  r.say({r.image(10), r.change(12, 10, usual_bids)});
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.heard.last.sequence, 12u);
  CAF_CHECK_EQUAL(r.heard.last.bid.at.raw, 100);
  r.wait(seconds{6});
  CAF_CHECK(r.core.validity() == book_validity::bootstrapping || r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.heard.asked, 1);
}

CAF_TEST(a_break_asks_at_once_and_then_not_again_and_again) {
  family_rig r{family_rig::of(book_family::chained)};
  r.say({r.image(10)});
  r.say({r.change(20, 15)});
  CAF_CHECK(r.core.validity() == book_validity::gap);
  CAF_CHECK_EQUAL(r.heard.last.bid.quantity.raw, 0);
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  r.say({r.change(21, 20)});
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  for (int i = 0; i < 20; ++i) { // each new image is followed by a break: a storm of subscriptions otherwise
    r.say({r.image(100)});
    CAF_CHECK(r.core.validity() == book_validity::valid);
    r.say({r.change(200, 150)});
    CAF_CHECK(r.core.validity() == book_validity::gap);
  }
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  r.wait(seconds{5});
  CAF_CHECK_EQUAL(r.heard.asked, 2);
  const auto report = r.core.report();
  CAF_CHECK_EQUAL(report.resyncs_gap, 21u);
  CAF_CHECK_EQUAL(report.resyncs, 20u);
  CAF_CHECK_EQUAL(report.gaps, 21u);
}

CAF_TEST(an_unasked_image_keeps_the_book_valid) {
  family_rig r{family_rig::of(book_family::chained)};
  r.say({r.image(10)});
  r.say({r.image(1)});
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.heard.last.sequence, 1u);
  CAF_CHECK_EQUAL(r.core.report().images_unasked, 1u);
  CAF_CHECK_EQUAL(r.core.report().resyncs, 0u);
  CAF_CHECK_EQUAL(r.heard.asked, 0);
}

CAF_TEST(another_checksum_hides_the_book) {
  auto rules = family_rig::of(book_family::checksummed);
  rules.checksum = kraken_book_checksum;
  rules.checksum_levels = 10;
  family_rig r{rules};
  order_book same;
  same.load(usual_bids, usual_asks);
  auto whole = r.image(0);
  whole.image.has_checksum = true;
  whole.image.checksum = kraken_book_checksum(same, 2, 3);
  r.say({whole});
  CAF_CHECK(r.core.validity() == book_validity::valid);
  auto c = r.change(0, 0);
  c.depth.has_checksum = true;
  c.depth.checksum = whole.image.checksum + 1;
  r.say({c});
  CAF_CHECK(r.core.validity() == book_validity::damaged);
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  const auto report = r.core.report();
  CAF_CHECK_EQUAL(report.checksums_compared, 2u);
  CAF_CHECK_EQUAL(report.checksums_equal, 1u);
  CAF_CHECK_EQUAL(report.resyncs_checksum, 1u);
  CAF_CHECK_EQUAL(report.proven_levels, 10u);
  CAF_CHECK_EQUAL(report.unprovable, 0u);
}

CAF_TEST(a_frame_that_can_not_be_read_may_have_moved_the_book) {
  for (const auto family : {book_family::chained, book_family::checksummed, book_family::connection,
                            book_family::images}) {
    family_rig r{family_rig::of(family)};
    r.say({r.image(10)});
    r.say({family_rig::damaged()});
    // Numbers of the book's own, or the next image, show what was lost.
    const bool shown = family == book_family::chained || family == book_family::images;
    CAF_CHECK_EQUAL(r.core.validity() == book_validity::valid, shown);
    CAF_CHECK_EQUAL(r.heard.asked, shown ? 0 : 1);
    CAF_CHECK_EQUAL(r.core.report().quarantined, 1u);
  }
}

CAF_TEST(full_images_repair_themselves) {
  family_rig r{family_rig::of(book_family::images)};
  r.say({r.image(500)});
  auto crossed = r.image(501);
  crossed.image.bids = usual_asks;
  crossed.image.asks = usual_bids;
  r.say({crossed});
  CAF_CHECK(r.core.validity() == book_validity::crossed);
  r.say({r.image(499)});
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.heard.asked, 0);
  r.say({crossed});
  r.wait(seconds{6}); // none came
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  CAF_CHECK_EQUAL(r.core.report().resyncs_crossed, 2u);
  CAF_CHECK_EQUAL(r.core.report().unprovable, 4u);
}

CAF_TEST(a_requested_image_in_band_joins_what_was_buffered) {
  auto rules = family_rig::of(book_family::chained);
  rules.joined_image = true;
  family_rig r{rules};
  r.say({r.change(110, 100)});
  r.say({r.change(120, 110)});
  CAF_CHECK_EQUAL(r.heard.asked, 0); // the request went out with the subscription
  r.say({r.image(105)});
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.heard.last.sequence, 120u);
  r.say({r.change(140, 130)});
  CAF_CHECK_EQUAL(r.heard.asked, 1);
}

CAF_TEST(trades_without_numbers_have_no_holes) {
  family_rig r{family_rig::of(book_family::chained)};
  r.say({r.trade("x9", 5), r.trade("b2", 7)});
  r.say({r.trade("b2", 7), r.trade("zz", 1)});
  CAF_CHECK_EQUAL(r.heard.traded, 13);
  CAF_CHECK_EQUAL(r.core.report().trades, 3u);
  CAF_CHECK_EQUAL(r.core.report().trade_gaps, 0u);
}

CAF_TEST(ends_of_sessions_age_and_lag_are_told) {
  family_rig r{family_rig::of(book_family::connection)};
  for (std::uint64_t i = 1; i <= 200; ++i) {
    auto e = i == 1 ? r.image(i) : r.change(i, 0);
    e.image.event = e.depth.event = r.now + milliseconds{10} - milliseconds{i % 50 == 0 ? 80 : 3};
    r.say({e});
  }
  const auto report = r.core.report(r.now + seconds{2});
  CAF_CHECK(report.clock_offset == milliseconds{3});
  CAF_CHECK(report.lag_p50 == milliseconds{0});
  CAF_CHECK(report.lag_p99 == milliseconds{77});
  CAF_CHECK(report.age == seconds{2});
  CAF_CHECK_EQUAL(report.resyncs_session, 0u);
  r.core.on_session(1, false, r.now);
  r.core.on_session(2, true, r.now);
  CAF_CHECK_EQUAL(r.core.report().resyncs_session, 1u);
  CAF_CHECK(r.core.validity() == book_validity::bootstrapping);
}

CAF_TEST(a_book_that_disagrees_with_unnumbered_best_prices_is_dropped) {
  family_rig r{family_rig::of(book_family::connection)};
  const auto quoted = [&](std::int64_t bid) {
    market_event e;
    e.kind = event_kind::best;
    e.best.event = r.now;
    e.best.bid = {{bid}, {1}};
    e.best.ask = usual_asks.front();
    return e;
  };
  r.say({r.image(1)});
  r.say({r.change(2, 0)});
  for (int i = 0; i < 20; ++i) {
    r.say({quoted(100)});
    r.wait(milliseconds{300});
  }
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.core.report().best_agreed, 17u); // three wait for the end of their window
  for (int i = 0; i < 5; ++i) {
    r.say({quoted(98)}); // the bid of 100 went without a word
    r.wait(milliseconds{400});
  }
  CAF_CHECK(r.core.validity() == book_validity::valid);
  r.wait(seconds{1});
  CAF_CHECK(r.core.validity() == book_validity::damaged);
  const auto report = r.core.report();
  CAF_CHECK_EQUAL(report.resyncs_best, 1u);
  CAF_CHECK_EQUAL(report.best_disagreed, 5u);
  CAF_CHECK_EQUAL(report.best_agreed, 20u);
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  r.say({quoted(98)});
  CAF_CHECK_EQUAL(r.core.report().best_undecided, 1u);
}

CAF_TEST(a_clock_that_is_set_back_delays_no_retry) {
  family_rig r{family_rig::of(book_family::chained)};
  r.say({r.image(10), r.change(12, 10)});
  r.wait(milliseconds{10});
  CAF_CHECK(r.core.validity() == book_validity::valid);
  r.wait(seconds{-30});
  CAF_CHECK_EQUAL(r.core.clock_steps(), 1u);
  r.say({r.change(14, 13)}); // a gap: asks at once
  CAF_CHECK(r.core.validity() == book_validity::gap);
  CAF_CHECK_EQUAL(r.heard.asked, 1);
  r.wait(seconds{6}); // not answered
  CAF_CHECK_EQUAL(r.heard.asked, 2);
  r.wait(seconds{-20});
  r.say({r.image(20), r.change(21, 20)});
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK(r.core.report().age <= seconds{1});
  r.wait(milliseconds{-400}); // clocks are drawn to the right time so
  CAF_CHECK_EQUAL(r.core.clock_steps(), 2u);
  CAF_CHECK(r.core.validity() == book_validity::valid);
}
