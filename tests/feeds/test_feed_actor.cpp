#define CAF_SUITE feed_actor

#include "actors/connectors/venue.hpp"
#include "actors/feeds/feed_actor.hpp"
#include "tests/feeds/frames_of_changes.hpp"
#include "tests/runtime/actor_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::int64_t origin_ms = 1'700'000'000'000;

/// What the actors around the feed heard.
struct heard {
  std::vector<image_request> images;
  std::vector<quote> quotes;
  std::vector<std::pair<std::string, feature_frame>> frames;
};

/// Stands where the connector does.
struct connector_ear {
  using handle_type = connector_actor;
  static inline const char* name = "connector";
  connector_ear(actor_pointer<connector_actor> self, heard* out) : self_{self}, out_{out} {}
  connector_actor::behavior_type make_behavior() {
    return {
        [this](const status_request&) -> reply<status_report> {
          return status_report{self_->core().name(), "{}"};
        },
        [this](const image_request& r) { out_->images.push_back(r); },
    };
  }
  actor_pointer<connector_actor> self_;
  heard* out_;
};

/// Stands where a predictor does.
struct predictor_ear {
  using handle_type = predictor_actor;
  static inline const char* name = "predictor";
  predictor_ear(actor_pointer<predictor_actor> self, heard* out) : self_{self}, out_{out} {}
  predictor_actor::behavior_type make_behavior() {
    return {
        [this](const status_request&) -> reply<status_report> {
          return status_report{self_->core().name(), "{}"};
        },
        [this](const feature_frame& f) { out_->frames.emplace_back(self_->core().name(), f); },
    };
  }
  actor_pointer<predictor_actor> self_;
  heard* out_;
};

/// Takes quotes; acknowledges only while it is told to.
struct quote_ear {
  using handle_type = risk_actor;
  static inline const char* name = "risk";
  quote_ear(actor_pointer<risk_actor> self, heard* out, bool* acknowledge)
      : self_{self}, out_{out}, acknowledge_{acknowledge} {}
  risk_actor::behavior_type make_behavior() {
    return {
        [this](const status_request&) -> reply<status_report> {
          return status_report{self_->core().name(), "{}"};
        },
        [](const risk_request&) -> reply<risk_verdict> { return risk_verdict{}; },
        [](const lease_request&) -> reply<lease_grant> { return lease_grant{}; },
        [](const halt_command&) -> reply<halt_state> { return halt_state{}; },
        [this](const quote& q) {
          out_->quotes.push_back(q);
          if (*acknowledge_) tell(self_, self_->current_sender(), acknowledged{q.sequence});
        },
    };
  }
  actor_pointer<risk_actor> self_;
  heard* out_;
  bool* acknowledge_;
};

struct feed_fixture : actor_fixture {
  feed_fixture() {
    market.set(at(0));
    steady.set({1'000'000'000});
    put("connector/binance", spawn_actor<connector_ear>(sys, {.name = "connector/binance"}, &ears));
    put("risk", spawn_actor<quote_ear>(sys, {.name = "risk"}, &ears, &acknowledging));
    for (const auto over : all_horizons) {
      const auto name = "predictor/ABC-USDT@binance/" + std::string{name_of(over)};
      put(name, spawn_actor<predictor_ear>(sys, {.name = name}, &ears));
    }
    feed_actor_options options;
    options.core.spec.id.text = "ABC-USDT@binance";
    options.core.spec.venue_symbol = "ABCUSDT";
    options.core.spec.price_scale = 2;
    options.core.spec.size_scale = 3;
    options.core.spec.tick = {1};
    options.quote_subscribers = {"risk"};
    feed = keep(spawn_actor<feed_state>(sys, {.name = "feed/ABC-USDT@binance"}, environment(), options));
    settle();
  }
  ~feed_fixture() override { end_all(); }

  template <class Handle>
  void put(const std::string& name, Handle h) {
    keep(h);
    names.put(name, {caf::actor_cast<caf::strong_actor_ptr>(h), {}, names.next_incarnation()});
  }

  static market_time at(std::int64_t ms) { return {(origin_ms + ms) * 1'000'000}; }

  void depth(std::int64_t ms, std::vector<level> bids = {}) {
    batch(ms, test::depth_frame(origin_ms + ms, u + 1, u + 2, bids, {}));
    u += 2;
  }
  void batch(std::int64_t ms, std::string text) {
    market.set(at(ms));
    frame_batch b{{"ABC-USDT@binance"}, session, {{at(ms), 0, std::move(text)}}};
    tell_anonymously(feed, std::move(b));
    settle();
  }
  void image(std::int64_t ms) {
    book_image i{{"ABC-USDT@binance"},
                 session,
                 {at(ms), 1, test::image_frame(u - 1, {{{10000}, {1}}}, {{{10002}, {1}}})}};
    tell_anonymously(feed, std::move(i));
    settle();
  }

  heard ears;
  bool acknowledging = true;
  feed_actor feed;
  std::uint64_t session = 1;
  std::uint64_t u = 100;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(feed_actor_tests, feed_fixture)

CAF_TEST(asks_for_an_image_and_again_when_none_comes) {
  depth(0);
  CAF_REQUIRE_EQUAL(ears.images.size(), 1u);
  CAF_CHECK_EQUAL(ears.images[0].session, 1u);
  depth(100);
  CAF_CHECK_EQUAL(ears.images.size(), 1u);
  steady.advance(3s);
  pass(100ms);
  CAF_CHECK_EQUAL(ears.images.size(), 2u);
  image(200);
  CAF_REQUIRE(!ears.quotes.empty());
  CAF_CHECK(ears.quotes.back().validity == book_validity::valid);
  CAF_CHECK_EQUAL(ears.quotes.back().bid.at.raw, 10000);
}

CAF_TEST(quotes_are_conflated_newest_wins) {
  depth(0);
  image(10);
  acknowledging = false;
  const auto before = ears.quotes.size();
  depth(100, {{{10001}, {1}}});
  CAF_CHECK_EQUAL(ears.quotes.size(), before + 1);
  for (std::int64_t i = 1; i <= 50; ++i) depth(100 + i, {{{10001}, {i}}});
  CAF_CHECK_EQUAL(ears.quotes.size(), before + 1); // one is on its way, the others wait as one
  acknowledging = true;
  steady.advance(200ms); // the unacknowledged one is taken for lost
  pass(100ms);
  CAF_REQUIRE_EQUAL(ears.quotes.size(), before + 2);
  CAF_CHECK_EQUAL(ears.quotes.back().bid.quantity.raw, 50);
  depth(300, {{{10001}, {77}}});
  CAF_CHECK_EQUAL(ears.quotes.back().bid.quantity.raw, 77);
}

CAF_TEST(feature_frames_reach_the_four_predictors) {
  depth(0);
  image(10);
  for (std::int64_t ms = 1000; ms <= 10'000; ms += 1000) depth(ms);
  CAF_REQUIRE_EQUAL(ears.frames.size(), 4u);
  std::vector<std::string> who;
  for (const auto& [name, frame] : ears.frames) {
    who.push_back(name);
    CAF_CHECK_EQUAL(frame.at.ns, at(10'000).ns);
  }
  CAF_CHECK(
      (who
       == std::vector<std::string>{"predictor/ABC-USDT@binance/1m", "predictor/ABC-USDT@binance/5m",
                                   "predictor/ABC-USDT@binance/15m", "predictor/ABC-USDT@binance/60m"}));
}

CAF_TEST(sessions_come_and_go) {
  depth(0);
  image(10);
  tell_anonymously(feed, session_event{{"ABC-USDT@binance"}, 1, session_state::disconnected, "closed"});
  settle();
  CAF_CHECK(ears.quotes.back().validity == book_validity::disconnected);
  session = 2;
  steady.advance(1s); // requests are spaced
  depth(1000); // the frames overtook the event of the new session
  CAF_CHECK_EQUAL(ears.images.back().session, 2u);
  tell_anonymously(feed, session_event{{"ABC-USDT@binance"}, 2, session_state::connected, ""});
  settle();
  image(1010);
  CAF_CHECK(ears.quotes.back().validity == book_validity::valid);
  session = 1;
  batch(1020, "late frames of the old session");
  CAF_CHECK(ears.quotes.back().validity == book_validity::valid);
}

CAF_TEST(silence_makes_the_book_stale) {
  depth(0);
  image(10);
  market.set(at(20'000));
  pass(100ms);
  CAF_CHECK(ears.quotes.back().validity == book_validity::stale);
}

CAF_TEST(status_is_json_with_the_figures) {
  depth(0);
  image(10);
  depth(100);
  batch(110, "broken \" frame");
  std::string json;
  auto asked = self->request(feed, caf::infinite, status_request{});
  settle();
  asked.receive([&](const status_report& r) { json = r.json; },
                [](const caf::error&) { CAF_FAIL("no status"); });
  CAF_CHECK(json.find("\"validity\":\"valid\"") != std::string::npos);
  CAF_CHECK(json.find("\"diffs_applied\":2") != std::string::npos);
  CAF_CHECK(json.find("\"damaged_frames\":1") != std::string::npos);
  CAF_CHECK(json.find("broken \\\" frame") != std::string::npos);
}

CAF_TEST(subscribes_by_handle) {
  depth(0);
  image(10);
  bool always = true;
  heard other;
  const auto second = keep(spawn_actor<quote_ear>(sys, {.name = "second"}, &other, &always));
  settle();
  auto asked = self->request(feed, caf::infinite, caf::actor_cast<caf::strong_actor_ptr>(second),
                             std::string{"second"});
  settle();
  asked.receive([](const acknowledged&) {}, [](const caf::error&) { CAF_FAIL("not subscribed"); });
  CAF_CHECK_EQUAL(other.quotes.size(), 1u);
  depth(100, {{{10001}, {5}}});
  CAF_CHECK_EQUAL(other.quotes.back().bid.at.raw, 10001);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(venues_and_their_rules) {
  CAF_REQUIRE(find_venue("binance") != nullptr && find_venue("binance-usdm") != nullptr);
  CAF_CHECK(find_venue("binance")->rules_of("").rule == sequence_rule::spot);
  CAF_CHECK(find_venue("binance-usdm")->rules_of("depth@0ms").rule == sequence_rule::futures);
  CAF_CHECK(find_venue("nasdaq") == nullptr);
}
