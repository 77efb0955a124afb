#define CAF_SUITE feed_core

#include "actors/connectors/binance/codec.hpp"
#include "actors/feeds/feed_core.hpp"
#include "messages/tensor.hpp"
#include "tests/feeds/frames_of_changes.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <limits>
#include <random>

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::int64_t origin_ms = 1'700'000'000'000;

market_time at_ms(std::int64_t ms) { return {(origin_ms + ms) * 1'000'000}; }

/// Keeps everything a feed told.
class record final : public feed_listener {
public:
  void on_quote(const quote& q) override { quotes.push_back(q); }
  void on_trade(const trade_event& t) override { trades.push_back(t); }
  void on_bar(const bar& b) override { bars.push_back(b); }
  void on_feature_frame(feature_frame&& f) override { frames.push_back(std::move(f)); }
  void on_validity(book_validity, book_validity now, std::string_view) override { validity.push_back(now); }
  void on_image_needed(std::string_view) override { ++images_asked; }

  [[nodiscard]] std::vector<bar> of(nanoseconds interval) const {
    std::vector<bar> out;
    for (const auto& b : bars)
      if (b.interval == interval) out.push_back(b);
    return out;
  }

  std::vector<quote> quotes;
  std::vector<trade_event> trades;
  std::vector<bar> bars;
  std::vector<feature_frame> frames;
  std::vector<book_validity> validity;
  int images_asked = 0;
};

feed_core_options options() {
  feed_core_options out;
  out.spec.id.text = "ABC-USDT@binance";
  out.spec.venue_symbol = "ABCUSDT";
  out.spec.price_scale = 2;
  out.spec.size_scale = 3;
  out.spec.tick = {1};
  return out;
}

/// A feed with a listener; receive time = event time + lag.
struct rig {
  explicit rig(feed_core_options o = options(), nanoseconds delay = milliseconds{5})
      : core{std::move(o), std::make_unique<binance::decoder>(binance::decoder_options{2, 3}), heard},
        lag{delay} {}

  void depth(std::int64_t ms, std::vector<level> bids = {}, std::vector<level> asks = {}) {
    core.on_frame(at_ms(ms) + lag, test::depth_frame(origin_ms + ms, u + 1, u + 2, bids, asks));
    u += 2;
  }
  void trade(std::int64_t ms, std::int64_t price, std::int64_t quantity, bool maker_bought = false) {
    core.on_frame(at_ms(ms) + lag,
                  test::trade_frame(origin_ms + ms, ++trade_id, price, quantity, maker_bought));
  }
  void image(std::int64_t ms) {
    core.on_frame(at_ms(ms) + lag, test::image_frame(u - 1, {{{10000}, {1000}}, {{9999}, {2000}}},
                                                     {{{10002}, {3000}}, {{10003}, {1000}}}));
  }
  /// A valid book at `ms`.
  void start(std::int64_t ms) {
    depth(ms);
    image(ms);
  }

  record heard;
  feed_core core;
  nanoseconds lag;
  std::uint64_t u = 100;
  std::uint64_t trade_id = 0;
};

std::vector<float> values(const feature_frame& f) { return unpack_f32(f.features).value(); }

float channel(const feature_frame& f, std::string_view name, std::size_t steps_back) {
  const auto all = values(f);
  for (std::size_t c = 0; c < feature_list.size(); ++c)
    if (feature_list[c].name == name) return all[c * feature_steps + feature_steps - 1 - steps_back];
  CAF_FAIL("no channel " << name);
  return 0;
}

} // namespace

CAF_TEST(life_of_a_book) {
  rig r;
  r.core.on_session(1, true, at_ms(0));
  r.depth(10);
  CAF_CHECK_EQUAL(r.heard.images_asked, 1);
  CAF_CHECK(r.core.validity() == book_validity::bootstrapping);
  r.image(20);
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.core.current().bid.at.raw, 10000);
  r.depth(30, {{{10001}, {5}}});
  CAF_CHECK_EQUAL(r.core.current().bid.at.raw, 10001);
  CAF_CHECK_EQUAL(r.core.current().sequence, r.u);
  CAF_CHECK_EQUAL(r.core.current().at.ns, at_ms(30).ns);
  r.u += 1; // one number is lost
  r.depth(40);
  CAF_CHECK(r.core.validity() == book_validity::gap);
  CAF_CHECK_EQUAL(r.core.current().bid.quantity.raw, 0);
  CAF_CHECK_EQUAL(r.heard.images_asked, 2);
  r.image(50);
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(r.core.report().resyncs, 1u);
  r.depth(60, {{{10005}, {5}}});
  CAF_CHECK(r.core.validity() == book_validity::crossed);
  r.depth(65);
  r.image(70); // newer than the change that crossed
  r.core.on_session(1, false, at_ms(80));
  CAF_CHECK(r.core.validity() == book_validity::disconnected);
  r.core.on_session(2, true, at_ms(90));
  CAF_CHECK(r.core.validity() == book_validity::bootstrapping);
  const std::vector<book_validity> expected{book_validity::bootstrapping, book_validity::valid,
                                            book_validity::gap,           book_validity::valid,
                                            book_validity::crossed,       book_validity::valid,
                                            book_validity::disconnected,  book_validity::bootstrapping};
  CAF_CHECK(r.heard.validity == expected);
}

CAF_TEST(image_of_an_older_session_is_left_out) {
  rig r;
  r.core.on_session(2, true, at_ms(0));
  r.depth(10);
  r.core.on_image(at_ms(20), test::image_frame(r.u - 1, {{{1}, {1}}}, {{{2}, {1}}}), 1);
  CAF_CHECK(r.core.validity() == book_validity::bootstrapping);
  r.core.on_image(at_ms(30), R"({"code":-1003,"msg":"Too much request weight used."})", 2);
  CAF_CHECK(r.core.validity() == book_validity::bootstrapping);
  CAF_CHECK_EQUAL(r.core.report().damaged_frames, 1u);
  r.core.advance(at_ms(20'000));
  CAF_CHECK_EQUAL(r.heard.images_asked, 2);
}

CAF_TEST(stale_by_silence_not_by_clock_offset) {
  rig behind{options(), milliseconds{-1270}}; // the receiver's clock is behind the venue's
  behind.start(0);
  for (std::int64_t ms = 100; ms < 30'000; ms += 100) {
    behind.depth(ms);
    CAF_REQUIRE(behind.core.validity() == book_validity::valid);
  }
  CAF_CHECK_EQUAL(behind.core.report().clock_offset.count(), -1'270'000'000);
  CAF_CHECK(behind.core.age(at_ms(29'900)) >= nanoseconds{0});
  behind.core.advance(at_ms(29'900 - 1270 + 9'900));
  CAF_CHECK(behind.core.validity() == book_validity::valid);
  behind.core.advance(at_ms(29'900 - 1270 + 10'100));
  CAF_CHECK(behind.core.validity() == book_validity::stale);
  behind.depth(41'000);
  CAF_CHECK(behind.core.validity() == book_validity::valid);
}

CAF_TEST(damaged_and_foreign_frames) {
  rig r;
  r.start(0);
  r.core.on_frame(at_ms(1), "no json");
  r.core.on_frame(at_ms(1), R"({"stream":"x","data":{"e":"trade","E":1,"s":"ABCUSDT"}})");
  for (int i = 0; i < 100; ++i) r.core.on_frame(at_ms(2), std::string(10'000, '['));
  auto foreign = test::depth_frame(origin_ms, 1, 2, {}, {});
  foreign.replace(foreign.find("ABCUSDT"), 7, "XYZUSDT");
  r.core.on_frame(at_ms(3), foreign);
  CAF_CHECK_EQUAL(r.core.report().damaged_frames, 102u);
  CAF_CHECK_EQUAL(r.core.report().unknown_frames, 1u);
  CAF_CHECK_EQUAL(r.core.damaged().total(), 102u);
  CAF_CHECK_EQUAL(r.core.damaged().entries().size(), 32u);
  CAF_CHECK(r.core.damaged().entries().back().head.size() <= 512);
  CAF_CHECK(r.core.validity() == book_validity::valid);
}

CAF_TEST(a_time_far_ahead_is_damage) {
  rig r;
  r.start(0);
  r.core.on_frame(at_ms(10), test::trade_frame(9'000'000'000'000 - 1, 1, 10000, 5, false));
  r.core.on_frame(at_ms(10), test::depth_frame(origin_ms + 4'000'000, r.u + 1, r.u + 2, {}, {}));
  CAF_CHECK_EQUAL(r.core.report().damaged_frames, 2u);
  // Nothing of it stays: frames and bars go on by the true time.
  for (std::int64_t ms = 100; ms <= 10'000; ms += 100) r.depth(ms);
  CAF_CHECK_EQUAL(r.heard.frames.size(), 1u);
  r.trade(10'100, 10000, 4'000'000'000'000'000'000);
  r.trade(10'200, 10000, 4'000'000'000'000'000'000);
  r.trade(10'300, 10000, 4'000'000'000'000'000'000);
  r.core.finish();
  CAF_CHECK_EQUAL(r.core.volume().raw, std::numeric_limits<std::int64_t>::max());
  CAF_CHECK_EQUAL(r.heard.bars.back().volume.raw, std::numeric_limits<std::int64_t>::max());
}

CAF_TEST(trades_and_their_ids) {
  rig r;
  r.trade(0, 10000, 500);
  r.trade(10, 10001, 250, true);
  r.trade_id += 3;
  r.trade(20, 10002, 1);
  r.core.on_frame(at_ms(30), test::trade_frame(origin_ms + 30, 1, 10000, 500, false)); // seen before
  CAF_CHECK_EQUAL(r.core.report().trades, 3u);
  CAF_CHECK_EQUAL(r.core.report().trade_gaps, 1u);
  CAF_CHECK_EQUAL(r.core.trades().missing(), 3u);
  CAF_CHECK_EQUAL(r.core.trades().replayed(), 1u);
  CAF_CHECK_EQUAL(r.core.volume().raw, 751);
  CAF_CHECK_EQUAL(r.heard.trades.size(), 3u);
  CAF_CHECK(r.heard.trades[0].taker == side::buy && r.heard.trades[1].taker == side::sell);
}

CAF_TEST(bars_of_a_simple_market) {
  rig r;
  r.trade(0, 10000, 10);
  r.trade(400, 10050, 20, true);
  r.trade(999, 9990, 30);
  r.trade(1000, 10010, 40); // closes the first second
  r.trade(5500, 10020, 50);
  const auto seconds_bars = r.heard.of(seconds{1});
  CAF_REQUIRE_EQUAL(seconds_bars.size(), 2u); // nothing for the empty seconds
  const auto& first = seconds_bars[0];
  CAF_CHECK_EQUAL(first.open_time.ns, at_ms(0).ns);
  CAF_CHECK_EQUAL(first.open.raw, 10000);
  CAF_CHECK_EQUAL(first.high.raw, 10050);
  CAF_CHECK_EQUAL(first.low.raw, 9990);
  CAF_CHECK_EQUAL(first.close.raw, 9990);
  CAF_CHECK_EQUAL(first.volume.raw, 60);
  CAF_CHECK_EQUAL(first.buy_volume.raw, 40);
  CAF_CHECK_EQUAL(first.trades, 3u);
  CAF_CHECK(first.closed);
  CAF_CHECK_EQUAL(seconds_bars[1].volume.raw, 40);
  CAF_CHECK(r.heard.of(std::chrono::minutes{1}).empty());
  // origin_ms is 20 s into its minute, so the minute ends at 40 s; the clock closes it after the grace.
  r.core.advance(at_ms(41'900));
  CAF_CHECK(r.heard.of(std::chrono::minutes{1}).empty());
  r.core.advance(at_ms(42'100));
  const auto minutes = r.heard.of(std::chrono::minutes{1});
  CAF_REQUIRE_EQUAL(minutes.size(), 1u);
  CAF_CHECK_EQUAL(minutes[0].volume.raw, 150);
  r.core.finish();
  const auto days = r.heard.of(std::chrono::hours{24});
  CAF_REQUIRE_EQUAL(days.size(), 1u);
  CAF_CHECK_EQUAL(days[0].trades, 5u);
}

CAF_TEST(late_trades_change_no_closed_bar) {
  std::vector<bar> closed;
  bar_builder bars{{"X"}, seconds{0}, [&](const bar& b) { closed.push_back(b); }};
  const auto at = [](std::int64_t ms, std::int64_t price) {
    trade_event t;
    t.at = at_ms(ms);
    t.at_price = {price};
    t.quantity = {1};
    return t;
  };
  bars.on_trade(at(0, 100));
  bars.advance(at_ms(1000));
  CAF_CHECK_EQUAL(closed.size(), 1u);
  bars.on_trade(at(999, 500));
  CAF_CHECK_EQUAL(bars.late(), 1u);
  bars.on_trade(at(1500, 101));
  bars.on_trade(at(900, 700));
  CAF_CHECK_EQUAL(bars.late(), 2u);
  bars.flush();
  for (const auto& b : closed)
    if (b.interval == seconds{1}) CAF_CHECK(b.high.raw <= 101);
}

CAF_TEST(feature_frames_at_every_instant) {
  rig r;
  r.start(0);
  for (std::int64_t ms = 100; ms <= 31'000; ms += 100) r.depth(ms, {{{9990 + ms / 1000 % 7}, {1 + ms}}});
  CAF_REQUIRE_EQUAL(r.heard.frames.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& f = r.heard.frames[i];
    CAF_CHECK_EQUAL(f.at.ns, at_ms(10'000 * static_cast<std::int64_t>(i + 1)).ns);
    CAF_CHECK(f.validity == book_validity::valid);
    CAF_CHECK_EQUAL(f.schema, feature_schema_version);
    CAF_CHECK((f.features.shape == std::vector<std::int64_t>{16, 64}));
    CAF_CHECK(check_tensor(f.features).has_value());
    CAF_CHECK_EQUAL(f.bid.at.raw, 10000);
    CAF_CHECK_EQUAL(f.ask.at.raw, 10002);
    // The first second is seen in part only, everything before is unknown.
    CAF_CHECK_EQUAL(channel(f, "known", 0), 1.0F);
    CAF_CHECK_EQUAL(channel(f, "known", 10 * (i + 1) - 1), 0.0F);
    CAF_CHECK_EQUAL(channel(f, "known", 10 * (i + 1) - 2), 1.0F);
  }
}

CAF_TEST(feature_values_by_hand) {
  rig r;
  r.start(0);
  r.depth(1000);
  r.depth(1500, {{{10001}, {4000}}}, {{{10002}, {1000}}}); // bid up by 1, within the second [1 s, 2 s)
  r.trade(1600, 10002, 2'000'000);                         // bought 2000 × 100.02
  r.trade(1700, 10001, 500'000, true);                     // sold 500 × 100.01
  for (std::int64_t ms = 2000; ms <= 10'000; ms += 1000) r.depth(ms);
  CAF_REQUIRE_EQUAL(r.heard.frames.size(), 1u);
  const auto& f = r.heard.frames[0];
  const std::size_t back = 8; // the step [1 s, 2 s) as seen at 10 s
  const auto near = [](float a, double b) { return std::abs(static_cast<double>(a) - b) < 1e-5; };
  const double before = 100.01;
  const double mid = 100.015;
  const double bought = 2000 * 100.02;
  const double sold = 500 * 100.01;
  // The step before is the first, seen in part: unknown, so no return is made up.
  CAF_CHECK_EQUAL(channel(f, "return", back), 0.0F);
  CAF_CHECK(near(channel(f, "spread", back), 0.01 / mid / 5e-4));
  CAF_CHECK(near(channel(f, "imbalance_1", back), (4.0 - 1.0) / 5.0));
  CAF_CHECK(near(channel(f, "imbalance_5", back), (7.0 - 2.0) / 9.0));
  CAF_CHECK(near(channel(f, "microprice", back), ((100.02 * 4 + 100.01 * 1) / 5 - mid) / mid / 1e-4));
  CAF_CHECK(near(channel(f, "flow", back), std::asinh((bought - sold) / 1e4) / 4));
  CAF_CHECK(near(channel(f, "volume", back), std::asinh((bought + sold) / 1e4) / 4));
  CAF_CHECK(near(channel(f, "trades", back), std::log(3.0) / 4));
  CAF_CHECK_EQUAL(channel(f, "trade_sign", back), 0.0F);
  CAF_CHECK(near(channel(f, "vwap", back), ((bought + sold) / 2500 - mid) / mid / 5e-4));
  CAF_CHECK(near(channel(f, "range", back), (mid - before) / mid / 5e-4));
  CAF_CHECK(near(channel(f, "volatility", back), std::log(mid / before) / 5e-4));
  CAF_CHECK(near(channel(f, "updates", back), std::log(3.0) / 8));
  CAF_CHECK_EQUAL(channel(f, "return", back - 1), 0.0F);
  CAF_CHECK_EQUAL(channel(f, "known", back - 1), 1.0F);
}

CAF_TEST(a_hole_is_zeros_and_flagged) {
  rig r;
  r.start(0);
  for (std::int64_t ms = 100; ms <= 20'100; ms += 100) {
    if (ms == 5'000) r.u += 7;       // lost
    if (ms == 7'200) r.image(7'150); // joined again within the second [7 s, 8 s)
    r.depth(ms);
  }
  CAF_REQUIRE_EQUAL(r.heard.frames.size(), 2u);
  const auto& f = r.heard.frames[1]; // at 20 s: step k back covers [19-k, 20-k)
  const auto all = values(f);
  for (const std::size_t second : {5, 6, 7})
    for (std::size_t c = 0; c < feature_channels; ++c)
      CAF_CHECK_EQUAL(all[c * feature_steps + 63 - (19 - second)], 0.0F);
  CAF_CHECK_EQUAL(channel(f, "known", 15), 1.0F);
  CAF_CHECK_EQUAL(channel(f, "known", 11), 1.0F);
  CAF_CHECK_EQUAL(channel(f, "return", 11), 0.0F); // no return over the hole
}

CAF_TEST(features_do_not_see_the_future) {
  // Two markets alike up to 12.345 s and different from there on: all frames up to 12 s are equal bit for
  // bit.
  const auto play = [](std::uint64_t seed, std::uint64_t later_seed) {
    rig r;
    r.start(0);
    std::mt19937_64 random{seed};
    for (std::int64_t ms = 20; ms < 40'000; ms += 15) {
      if (ms >= 12'345 && ms < 12'360) random.seed(later_seed);
      const auto bid = 9950 + static_cast<std::int64_t>(random() % 50);
      const auto size = static_cast<std::int64_t>(random() % 5000);
      if (random() % 3 == 0) r.trade(ms, bid, 1 + size, random() % 2 == 0);
      else r.depth(ms, {{{bid}, {size}}}, {{{10002 + static_cast<std::int64_t>(random() % 9)}, {1 + size}}});
    }
    return std::move(r.heard.frames);
  };
  const auto seed = test::seed_of("prefix invariance", 12);
  const auto one = play(seed, 1);
  const auto two = play(seed, 2);
  CAF_REQUIRE(one.size() >= 3 && two.size() >= 3);
  CAF_CHECK(one[0] == two[0]);
  CAF_CHECK(!(one[1] == two[1]));
  CAF_CHECK(!(one[2] == two[2]));
  CAF_CHECK(play(seed, 1) == one); // and the same input gives the same frames
}

CAF_TEST(schema_is_named) {
  CAF_CHECK_EQUAL(feature_list.size(), feature_channels);
  CAF_CHECK(feature_schema_hash() != 0);
  for (const auto& c : feature_list) CAF_CHECK(!c.name.empty() && !c.doc.empty());
}

CAF_TEST(agreement_orders_by_number_not_by_arrival) {
  agreement_meter meter;
  const level bid{{100}, {1}};
  const level ask{{101}, {1}};
  const level other{{99}, {1}};
  const auto best = [&](std::uint64_t u, const level& b) { meter.on_best({u, {}, b, ask}); };
  meter.on_top(10, bid, ask);
  meter.on_top(20, bid, ask);
  meter.on_top(30, bid, ask);
  best(12, other); // arrives before a lower number
  best(9, bid);
  best(20, bid);
  best(31, other);
  meter.finish();
  CAF_CHECK_EQUAL(meter.figures().compared, 3u); // 10 with 9, 20 with 20, 30 with 20
  CAF_CHECK_EQUAL(meter.figures().agreed, 3u);
  CAF_CHECK_EQUAL(meter.figures().equal_number, 1u);
  CAF_CHECK_EQUAL(meter.figures().equal_number_agreed, 1u);
  meter.on_top(40, other, ask);
  best(40, bid);
  meter.finish();
  CAF_CHECK_EQUAL(meter.figures().equal_number, 2u);
  CAF_CHECK_EQUAL(meter.figures().equal_number_agreed, 1u);
}

CAF_TEST(a_book_that_is_not_the_venues_is_dropped_by_number) {
  // The top's bid grows with every change; the venue's own quote of the same number says the same, or less.
  const auto play = [](rig& r, int changes, bool right) {
    for (int i = 0; i < changes; ++i) {
      const auto ms = 20 + static_cast<std::int64_t>(r.u);
      const auto quantity = static_cast<std::int64_t>(r.u);
      r.depth(ms, {{{10000}, {quantity}}});
      r.core.on_frame(at_ms(ms) + r.lag, R"({"u":)" + std::to_string(r.u) + R"(,"s":"ABCUSDT","b":"100.00","B":")"
                                             + format_decimal(right ? quantity : quantity - 1, 3)
                                             + R"(","a":"100.02","A":"3.000"})");
    }
  };
  rig r;
  r.core.on_session(1, true, at_ms(0));
  r.start(10);
  play(r, 40, true);
  CAF_CHECK(r.core.validity() == book_validity::valid);
  CAF_CHECK_GREATER(r.core.agreement().equal_number_agreed, 5u);
  play(r, 40, false);
  CAF_CHECK(r.core.validity() == book_validity::damaged);
  CAF_CHECK_EQUAL(r.heard.images_asked, 2);

  // A venue that counts its quotes in another way than its changes has never agreed: nothing is proven.
  rig other;
  other.core.on_session(1, true, at_ms(0));
  other.start(10);
  play(other, 60, false);
  CAF_CHECK(other.core.validity() == book_validity::valid);
  CAF_CHECK_EQUAL(other.core.agreement().equal_number_agreed, 0u);
}

CAF_TEST(offset_is_a_median) {
  offset_meter meter;
  CAF_CHECK_EQUAL(meter.median().count(), 0);
  for (int i = 0; i < 100; ++i) meter.take(milliseconds{-1272});
  for (int i = 0; i < 99; ++i) meter.take(seconds{3600}); // beyond its reach
  CAF_CHECK_EQUAL(meter.median().count(), -1'272'000'000);
  for (int i = 0; i < 500; ++i) meter.take(nanoseconds{2'400'000});
  CAF_CHECK_EQUAL(meter.median().count(), 2'000'000);
}

CAF_TEST(offsets_far_apart_keep_their_order) {
  offset_meter meter;
  // One sample each 7 ms over a minute: percentiles lie where the list's own do.
  std::vector<std::int64_t> all;
  for (std::int64_t ms = -30'000; ms < 30'000; ms += 7) all.push_back(ms);
  for (const auto ms : all) meter.take(milliseconds{ms});
  for (unsigned percent = 1; percent <= 100; ++percent) {
    const auto place = (all.size() * percent + 99) / 100 - 1;
    CAF_CHECK_EQUAL(meter.percentile(percent).count(), all[place] * 1'000'000);
  }
  // So many samples that the older ones are halved: the newer ones prevail.
  for (int i = 0; i < 1'100'000; ++i) meter.take(milliseconds{59'999});
  CAF_CHECK_EQUAL(meter.median().count(), 59'999'000'000);
  CAF_CHECK(meter.samples() < 1'000'000);
}
