#define CAF_SUITE consolidator_actor

#include "actors/feeds/consolidator_actor.hpp"
#include "actors/feeds/feed_actor.hpp"
#include "storage/store_actor.hpp"
#include "tests/feeds/frames_of_changes.hpp"
#include "tests/runtime/actor_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::int64_t origin_ms = 1'700'000'040'000; // a whole minute

/// A real feed, a real consolidator, a store in memory; the connector is the test.
struct consolidator_fixture : actor_fixture {
  consolidator_fixture() {
    market.set(at(0));
    steady.set({1'000'000'000});
    consolidator_options merged;
    merged.book.symbol = "ABC-USDT";
    merged.book.price_scale = 2;
    merged.book.size_scale = 3;
    merged.book.bucket_width = {10};
    merged.book.venues = {{.instrument = {"ABC-USDT@binance"}, .fee_ppm = 0, .rate = {}},
                          {.instrument = {"ABC-USDT@kraken"}, .fee_ppm = 0, .rate = {}}};
    book =
        keep(spawn_actor<consolidator_state>(sys, {.name = "consolidator/ABC-USDT"}, environment(), merged));
    put("consolidator/ABC-USDT", book);
    keeper = keep(spawn_actor<store_state>(sys, {.name = "store"}, environment(), store_options{}));
    feed_actor_options options;
    options.core.spec.id.text = "ABC-USDT@binance";
    options.core.spec.venue_symbol = "ABCUSDT";
    options.core.spec.price_scale = 2;
    options.core.spec.size_scale = 3;
    options.core.spec.tick = {1};
    options.book_readers = {"consolidator/ABC-USDT"};
    options.bucket_width = {10};
    feed = keep(spawn_actor<feed_state>(sys, {.name = "feed/ABC-USDT@binance"}, environment(), options));
    put("feed/ABC-USDT@binance", feed);
    settle();
  }
  ~consolidator_fixture() override { end_all(); }

  template <class Handle>
  void put(const std::string& name, Handle h) {
    names.put(name, {caf::actor_cast<caf::strong_actor_ptr>(h), {}, names.next_incarnation()});
  }
  static market_time at(std::int64_t ms) { return {(origin_ms + ms) * 1'000'000}; }

  void tick(nanoseconds d = 50ms) {
    steady.advance(d);
    pass(d);
  }
  void frame(std::int64_t ms, std::string text) {
    market.set(at(ms));
    frame_batch b{{"ABC-USDT@binance"}, session, {{at(ms), 0, std::move(text)}}};
    tell_anonymously(feed, std::move(b));
    settle();
  }
  void depth(std::int64_t ms, std::vector<level> bids = {}) {
    frame(ms, test::depth_frame(origin_ms + ms, u + 1, u + 2, bids, {}));
    u += 2;
  }
  void trade(std::int64_t ms, std::int64_t id, const std::string& price, const std::string& quantity) {
    const auto at_ms = std::to_string(origin_ms + ms);
    frame(ms, R"({"e":"trade","E":)" + at_ms + R"(,"s":"ABCUSDT","t":)" + std::to_string(id) + R"(,"p":")"
                  + price + R"(","q":")" + quantity + R"(","T":)" + at_ms + R"(,"m":false,"M":true})");
  }
  void image(std::int64_t ms) {
    book_image i{{"ABC-USDT@binance"},
                 session,
                 {at(ms), 1, test::image_frame(u - 1, {{{10000}, {1}}}, {{{10002}, {1}}})}};
    tell_anonymously(feed, std::move(i));
    settle();
  }
  template <class Answer, class Handle, class Question>
  Answer ask_for(const Handle& whom, Question question) {
    Answer out;
    auto asked = self->request(whom, caf::infinite, std::move(question));
    settle();
    asked.receive([&](Answer& a) { out = std::move(a); },
                  [](const caf::error& e) { CAF_FAIL(to_string(e)); });
    return out;
  }
  consolidated_page page() { return ask_for<consolidated_page>(book, book_query{}); }
  std::vector<bar> stored(nanoseconds interval) {
    bar_range all;
    all.instrument = {"ABC-USDT@binance"};
    all.interval = interval;
    all.to = at(1'000'000);
    return ask_for<bar_page>(keeper, all).bars;
  }

  consolidator_actor book;
  store_actor keeper;
  feed_actor feed;
  std::uint64_t session = 1;
  std::uint64_t u = 100;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(consolidator_actor_tests, consolidator_fixture)

CAF_TEST(the top of a feed reaches the merged book) {
  depth(0);
  image(10);
  auto now = page();
  CAF_CHECK(now.venues[0].standing == venue_standing::joined);
  CAF_CHECK(now.venues[1].standing == venue_standing::waiting);
  CAF_REQUIRE_EQUAL(now.bids.size(), 1u);
  CAF_CHECK_EQUAL(now.bids[0].at.raw, 10000);
  CAF_CHECK_EQUAL(now.buckets.size(), 41u);
  depth(200, {{{10001}, {5}}});
  tick();
  now = page();
  CAF_REQUIRE_EQUAL(now.bids.size(), 2u);
  CAF_CHECK_EQUAL(now.bids[0].at.raw, 10001);
}

CAF_TEST(views are conflated to ten a second of market time) {
  depth(0);
  image(10);
  const auto before = page().venues[0].views;
  for (std::int64_t ms = 100; ms < 1100; ms += 10) {
    depth(ms, {{{10001}, {ms}}});
    tick(5ms);
  }
  tick();
  const auto views = page().venues[0].views - before;
  CAF_MESSAGE(views << " views of 100 changes");
  CAF_CHECK(views >= 5 && views <= 11);
  CAF_CHECK(page().bids[0].quantity.raw == 1090);
}

CAF_TEST(a broken session is seen at once and a silent feed grows old) {
  depth(0);
  image(10);
  tell_anonymously(feed, session_event{{"ABC-USDT@binance"}, 1, session_state::disconnected, "closed"});
  settle();
  CAF_CHECK(page().venues[0].standing == venue_standing::invalid);
  session = 2;
  depth(1000);
  image(1010);
  CAF_CHECK(page().venues[0].standing == venue_standing::joined);
  market.set(at(30'000));
  CAF_CHECK(page().venues[0].standing == venue_standing::old); // the feed has said nothing since
  tick();
  CAF_CHECK(page().venues[0].standing == venue_standing::invalid); // stale, in the feed's own words
}

CAF_TEST(a restarted consolidator is whole again within the pulse) {
  depth(0);
  image(10);
  send_kill(book);
  settle();
  consolidator_options merged;
  merged.book.symbol = "ABC-USDT";
  merged.book.price_scale = 2;
  merged.book.size_scale = 3;
  merged.book.venues = {{.instrument = {"ABC-USDT@binance"}, .fee_ppm = 0, .rate = {}}};
  book = keep(spawn_actor<consolidator_state>(sys, {.name = "consolidator/ABC-USDT"}, environment(), merged));
  put("consolidator/ABC-USDT", book);
  tick(600ms);
  CAF_CHECK(page().venues[0].standing == venue_standing::joined);
}

CAF_TEST(whole bars are stored and bars that may lack trades are not ) {
  put("store", keeper);
  trade(500, 1, "100.00", "1.000");
  trade(58'000, 2, "100.50", "1.000"); // the first minute began before the session was whole
  trade(70'000, 3, "101.00", "2.000");
  trade(100'000, 4, "99.00", "0.500");
  trade(130'000, 5, "99.50", "0.500");
  tick();
  auto minutes = stored(1min);
  CAF_REQUIRE_EQUAL(minutes.size(), 1u);
  CAF_CHECK_EQUAL(minutes[0].open.raw, 10100);
  CAF_CHECK_EQUAL(minutes[0].close.raw, 9900);
  CAF_CHECK_EQUAL(minutes[0].volume.raw, 2500);
  // A trade is missing: the minute in which that happens is left to the back-filler.
  trade(140'000, 7, "99.50", "0.500");
  tick();
  trade(200'000, 8, "99.50", "0.500");
  trade(320'000, 9, "99.50", "0.500");
  tick();
  minutes = stored(1min);
  CAF_REQUIRE_EQUAL(minutes.size(), 2u);
  CAF_CHECK_EQUAL(minutes[1].open_time.ns, floor_to(at(200'000), 1min).ns);
}

CAF_TEST(bars wait while the store is away) {
  trade(0, 1, "100.00", "1.000");
  trade(70'000, 2, "101.00", "2.000");
  trade(140'000, 3, "102.00", "2.000");
  tick();
  put("store", keeper);
  tick();
  CAF_CHECK(stored(1min).empty()); // it tries again after a second
  tick(2s);
  CAF_CHECK_EQUAL(stored(1min).size(), 1u);
}

CAF_TEST(status is json with the figures) {
  depth(0);
  image(10);
  const auto text = ask_for<status_report>(book, status_request{}).json;
  CAF_CHECK(text.find(R"("joined":1)") != std::string::npos);
  CAF_CHECK(text.find(R"("mid":"100.01")") != std::string::npos);
  CAF_CHECK(text.find(R"("standing":"waiting")") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
