#define CAF_SUITE feed_table

#include "actors/connectors/quiet_times.hpp"
#include "actors/feeds/message_rate.hpp"
#include "tools/cli/feed_table.hpp"
#include "tools/venue_sim/data/client_outlet.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::cli;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr auto node_page = R"({"node":"ingest","reports":{
 "connector/kraken":{"venue":"kraken"},
 "feed/BTC-USD@kraken":{"instrument":"BTC-USD@kraken","validity":"valid","session":3,"family":"checksummed",
   "proven_levels":10,"age":120000000,"lag_p50":1500000,"lag_p99":12500000,"clock_offset":-1268000000,"gaps":0,"resyncs":2,
   "resyncs_gap":0,"resyncs_checksum":1,"resyncs_best":1,"checksums_compared":900,"checksums_equal":899,
   "quotes_same_number":0,"best_agreed":41,"best_equal":40,"best_disagreed":5,"best_undecided":3,"frames":2104,
   "messages_per_s_e3":41500,"bid":"63418.3","bid_size":"0.1","ask":"63418.4","ask_size":"1.05","damaged":[
     {"received":1,"why":"not_json","bytes":17,"head":"{\"a\":"}]},
 "feed/BTC-USDT@okx":{"instrument":"BTC-USDT@okx","validity":"stale","family":"chained","proven_levels":0,"age":11000000000,
   "quotes_same_number":7,"quotes_same_number_equal":7,"gaps":4,"resyncs_gap":4,"resyncs":4},
 "feed/ETH-USDT@okx":{"error":"did not answer"}}})";

/// What an outlet let through.
struct outlet_rig {
  void change(std::int64_t ms, const std::string& text = "change") {
    outlet.publish({frame_kind::depth, "book:X", false}, text, false, ms * 1'000'000);
  }
  void image(std::int64_t ms) { outlet.publish({frame_kind::depth, "book:X", true}, "image", false, ms * 1'000'000); }
  void trade(std::int64_t ms) { outlet.publish({frame_kind::trade, "trades:X", false}, "trade", false, ms * 1'000'000); }
  std::string taken() { return std::exchange(out, {}); }

  using frame_kind = venue_sim::frame_kind;
  venue_sim::fault_plan faults{1};
  std::string out;
  venue_sim::client_outlet outlet{faults, [this](std::string text, bool) { out += text + ' '; }};
};

} // namespace

CAF_TEST(feeds of a node as rows and json) {
  const auto rows = feed_rows("ingest", json_view::parse(node_page));
  CAF_REQUIRE_EQUAL(rows.size(), 3u);
  CAF_CHECK_EQUAL(rows[0].instrument, "BTC-USD@kraken");
  CAF_CHECK_EQUAL(feed_rows("ingest", json_view::parse(node_page), "okx").size(), 2u);
  const auto table = feed_table(rows);
  CAF_MESSAGE(table);
  for (const auto* word : {"checksummed", "899/900", "41/46 by time", "-1.26 s", "12.5 ms", "checksum 1, best bid/ask 1",
                           "41.5", "7/7", "gap 4", "stale", "does not answer"})
    CAF_CHECK(table.find(word) != std::string::npos);
  const auto json = json_view::parse(R"({"all":)" + feed_list_json(rows) + "}").items("all");
  CAF_REQUIRE_EQUAL(json.size(), 3u);
  CAF_CHECK_EQUAL(json[0].integer("books_lost"), 2);
  CAF_CHECK_EQUAL(json[0].integer("books_lost_to.best"), 1);
  CAF_CHECK_EQUAL(json[0].integer("clock_offset"), -1268000000);
  CAF_CHECK_EQUAL(json[1].text("venue"), "okx");
  CAF_CHECK(json[0].flag("answers"));
  CAF_CHECK(!json[2].flag("answers"));
  const auto sheet = feed_sheet(rows[0]);
  CAF_MESSAGE(sheet);
  for (const auto* word : {"63418.3 x 0.1", "levels proven: 10", "41 agree (40 equal)", "3 undecided", "17 bytes"})
    CAF_CHECK(sheet.find(word) != std::string::npos);
}

CAF_TEST(messages a second over ten seconds) {
  message_rate rate;
  steady_time now{5'000'000'000};
  CAF_CHECK_EQUAL(rate.per_second_e3(), 0u);
  for (std::uint64_t i = 0; i <= 400; ++i) rate.take(now + milliseconds{50 * static_cast<int>(i)}, i * 3);
  CAF_CHECK_EQUAL(rate.per_second_e3(), 60'000u);
  for (int i = 1; i <= 12; ++i) rate.take(now + seconds{20 + i}, 1200);
  CAF_CHECK_EQUAL(rate.per_second_e3(), 0u);
}

CAF_TEST(given quiet times replace those of the protocol) {
  protocol_traits own;
  own.book_quiet = seconds{30};
  own.silence_limit = seconds{60};
  const auto same = with_quiet_times(own, {});
  CAF_CHECK(same.book_quiet == seconds{30});
  CAF_CHECK(same.silence_limit == seconds{60});
  const auto given = with_quiet_times(own, {seconds{5}, seconds{6}, seconds{7}, seconds{8}});
  CAF_CHECK(given.book_quiet == seconds{5});
  CAF_CHECK(given.trades_quiet == seconds{6});
  CAF_CHECK(given.best_quiet == seconds{7});
  CAF_CHECK(given.silence_limit == seconds{8});
  CAF_CHECK(noticed_within(own, seconds{5}) == seconds{35}); // the topic's watchdog, and no answer
  CAF_CHECK(noticed_within(given, seconds{5}) == seconds{8});
  CAF_CHECK(quiet_at_most(own, seconds{10}).book_quiet == seconds{10});
}

CAF_TEST(a muted topic speaks again when it is subscribed to anew) {
  outlet_rig r;
  CAF_REQUIRE(r.faults.configure(R"({"muted_topic":{"count":1}})").has_value());
  r.trade(1);
  r.change(2);
  r.change(5000);
  r.trade(5001);
  CAF_CHECK_EQUAL(r.taken(), "trade trade ");
  r.outlet.heard(R"({"op":"ping"})");
  r.change(6000);
  CAF_CHECK_EQUAL(r.taken(), "");
  r.outlet.heard(R"({"op":"unsubscribe"})");
  r.change(7000);
  CAF_CHECK_EQUAL(r.taken(), "change ");
}

CAF_TEST(a silent topic ends with its time and a mute socket never) {
  outlet_rig r;
  CAF_REQUIRE(r.faults.configure(R"({"silent_topic":{"count":1,"ms":700}})").has_value());
  r.change(1);
  r.outlet.heard("subscribe");
  r.image(500);
  r.change(702);
  CAF_CHECK_EQUAL(r.taken(), "change ");
  r.outlet.mute();
  r.change(703);
  r.outlet.control("pong", false, 704'000'000);
  r.outlet.flush(900'000'000'000);
  CAF_CHECK_EQUAL(r.taken(), "");
}

CAF_TEST(a slow image holds back all behind it in order) {
  outlet_rig r;
  CAF_REQUIRE(r.faults.configure(R"({"slow_image":{"count":1,"ms":600}})").has_value());
  r.change(1, "a");
  r.image(2);
  r.change(3, "b");
  r.outlet.control("beat", false, 4'000'000);
  r.outlet.flush(601'000'000);
  CAF_CHECK_EQUAL(r.taken(), "a ");
  r.outlet.flush(602'000'000);
  CAF_CHECK_EQUAL(r.taken(), "image b beat ");
  r.change(700, "c");
  CAF_CHECK_EQUAL(r.taken(), "c ");
}

CAF_TEST(changes are left out doubled reordered and cut) {
  outlet_rig r;
  const auto with = [&](const char* faults) { CAF_REQUIRE(r.faults.configure(faults).has_value()); };
  with(R"({"drop_diff":{"count":1}})");
  r.change(1, "a"), r.change(2, "b");
  CAF_CHECK_EQUAL(r.taken(), "b ");
  with(R"({"duplicate_diff":{"count":1}})");
  r.change(3, "c"), r.change(4, "d");
  CAF_CHECK_EQUAL(r.taken(), "c c d ");
  with(R"({"reorder_diff":{"count":1}})");
  r.change(5, "e"), r.change(6, "f"), r.change(7, "g");
  CAF_CHECK_EQUAL(r.taken(), "f e g ");
  with(R"({"wrong_frame":{"count":1}})");
  r.change(8, "whole"), r.change(9, "h");
  CAF_CHECK_EQUAL(r.taken(), "wh h ");
}
