#define CAF_SUITE bench_ingest

// The load of many feeds: streams as a venue sends them, ages that are counted right, and a command
// that says what it must. No figure is judged here: tests run beside others.

#include "tools/bench/bench_ingest.hpp"
#include "tools/bench/ingest_player.hpp"
#include "tools/bench/ingest_rates.hpp"
#include "tools/json_view.hpp"

#include <caf/test/unit_test.hpp>

#include <sstream>

using namespace troupe;
using namespace std::chrono_literals;

CAF_TEST(ages_keep_their_third_and_their_size) {
  bench::age_table ages;
  for (int i = 1; i <= 1000; ++i)
    ages.add(0, std::chrono::milliseconds{i});
  ages.add(2, 7us);
  CAF_CHECK_EQUAL(ages.count(), 1001u);
  const auto p99 = ages.window_ms(0, 0.99);
  CAF_CHECK(p99 > 990 * 0.93 && p99 < 990 * 1.07);
  CAF_CHECK_EQUAL(ages.window_ms(1, 0.99), 0.0);
  CAF_CHECK_EQUAL(ages.window_ms(2, 0.99), 0.007);
  CAF_CHECK_EQUAL(ages.most_ms(), 1000.0);
  bench::age_table sum;
  sum.add(ages);
  sum.add(ages);
  CAF_CHECK_EQUAL(sum.count(), 2002u);
  // A clock that is ahead gives no negative age.
  sum.add(1, -5ms);
  CAF_CHECK_EQUAL(sum.window_ms(1, 0.5), 0.0);
}

CAF_TEST(a_frame_is_due_at_its_spacing_divided_by_the_speed) {
  bench::venue_stream stream;
  stream.start = {1'000};
  stream.length = 10s;
  stream.frames = {{0ns, false, "a"}, {4s, false, "b"}};
  bench::play_schedule schedule;
  schedule.begin = 500;
  schedule.measured_from = 500 + 1'000'000'000;
  schedule.end = schedule.measured_from + 3'000'000'000;
  CAF_CHECK_EQUAL(schedule.due(stream, 70, 0, 1), 570 + 200'000'000);
  CAF_CHECK_EQUAL(schedule.due(stream, 0, 3, 0), 500 + 1'500'000'000);
  CAF_CHECK_EQUAL(schedule.market_at(stream, 500 + 200'000'000).ns, 1'000 + 4'000'000'000);
  CAF_CHECK_EQUAL(schedule.window(schedule.measured_from - 1), 3u);
  CAF_CHECK_EQUAL(schedule.window(schedule.measured_from), 0u);
  CAF_CHECK_EQUAL(schedule.window(schedule.end - 1), 2u);
  CAF_CHECK_EQUAL(schedule.window(schedule.end), 3u);
}

CAF_TEST(every_venue_has_a_stream_that_makes_books) {
  for (const auto* venue : all_venues()) {
    // A folder without recordings: all are generated.
    auto stream = bench::make_stream(*venue, "/nowhere", 30s, 5, 1);
    CAF_MESSAGE("venue " << venue->name
                         << (stream ? std::string{} : ": " + stream.error().message()));
    CAF_REQUIRE(stream.has_value());
    CAF_CHECK_EQUAL(stream->source, "GENERATED");
    CAF_CHECK(stream->quote_frames.size() > 20);
    CAF_CHECK(stream->length >= 20s && stream->length <= 31s);
  }
}

CAF_TEST(generated_instruments_are_as_busy_as_their_venue_was_recorded) {
  for (const auto* venue : all_venues()) {
    const auto wanted = bench::recorded_rate(venue->name);
    CAF_MESSAGE("venue " << venue->name);
    CAF_REQUIRE(wanted.has_value());
    const auto activity = bench::activity_of(*venue, 5);
    const auto stream = bench::make_stream(*venue, "/nowhere", 300s, 11, activity);
    CAF_REQUIRE(stream.has_value());
    // Of the quietest some 130 messages are counted.
    CAF_CHECK(stream->rate() > *wanted * 0.7);
    CAF_CHECK(stream->rate() < *wanted * 1.4);
  }
  CAF_CHECK(!bench::recorded_rate("nowhere").has_value());
}

CAF_TEST(two_venues_with_two_instruments_run_and_say_what_they_cost) {
  bench_ingest_options options;
  options.data = "/nowhere";
  options.venues = {"kraken", "gate"};
  options.ways = {"core", "actors"};
  options.instruments = 2;
  options.seconds = 1;
  options.warm_up = 1;
  options.busy = true;
  options.json = true;
  std::ostringstream out, err;
  CAF_CHECK_EQUAL(bench_ingest(options, out, err), 0);
  CAF_CHECK_EQUAL(err.str(), "");
  const auto page = json_view::parse(out.str());
  const auto streams = page.items("streams");
  CAF_REQUIRE_EQUAL(streams.size(), 2u);
  for (const auto& stream : streams)
    CAF_CHECK_EQUAL(stream.text("source"), "GENERATED");
  const auto ways = page.items("ways");
  CAF_REQUIRE_EQUAL(ways.size(), 2u);
  for (const auto& way : ways) {
    CAF_MESSAGE("way " << way.text("way"));
    CAF_CHECK_EQUAL(way.integer("feeds"), 4);
    CAF_CHECK(way.flag("sound"));
    CAF_CHECK(way.integer("messages") > 1'000);
    for (const auto key :
         {"cpu_seconds", "cpu_percent_per_1000_messages_per_second", "age_p50_ms", "age_p99_ms"})
      CAF_CHECK(way.real(key) > 0);
    for (const auto key : {"mib_per_1000_messages_per_second", "kib_per_feed", "load_before"})
      CAF_CHECK(way.at(key).there());
    CAF_CHECK_EQUAL(way.items("age_p99_ms_by_thirds").size(), 3u);
    CAF_CHECK_EQUAL(way.items("venues").size(), 2u);
  }
}

CAF_TEST(an_unknown_venue_is_named) {
  bench_ingest_options options;
  options.venues = {"atlantis"};
  options.ways = {"core"};
  std::ostringstream out, err;
  CAF_CHECK_EQUAL(bench_ingest(options, out, err), 1);
  CAF_CHECK(err.str().find("atlantis") != std::string::npos);
}
