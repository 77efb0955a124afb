#define CAF_SUITE binance_codec

#include "tests/connectors/binance_frames.hpp"
#include "tests/support/recordings.hpp"
#include "tests/support/seeds.hpp"
#include "tools/feed_verify/recorded_frames.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;
using binance::decoder;

namespace {

frame_damage damage_of(std::string_view frame, binance::decoder_options options = {}) {
  decoder d{options};
  const auto& e = d.decode(frame);
  return e.kind == event_kind::damaged ? e.damage : frame_damage::none;
}

std::string depth_with(std::string_view price, std::string_view size) {
  return R"({"stream":"abcusdt@depth","data":{"e":"depthUpdate","E":1700000000123,"s":"ABCUSDT","U":1,"u":2,"b":[[")"
         + std::string{price} + R"(",")" + std::string{size} + R"("]],"a":[]}})";
}

/// Changes a text in one of the ways that wires and bugs do.
void mutate(std::string& text, std::mt19937_64& random) {
  static constexpr std::string_view spice = "0123456789\".,:[]{}eE+-truefalsnxu\\ \x00\x7f\xff\n";
  const auto place = [&] { return static_cast<std::size_t>(random() % text.size()); };
  if (text.empty()) text = "{}";
  switch (random() % 8) {
  case 0: text[place()] = static_cast<char>(random()); break;
  case 1: text[place()] = spice[random() % spice.size()]; break;
  case 2: text.erase(place(), 1 + random() % 4); break;
  case 3: text.insert(place(), 1, spice[random() % spice.size()]); break;
  case 4: text.resize(place()); break;
  case 5: { // a piece repeated elsewhere
    const auto piece = text.substr(place(), 1 + random() % 24);
    text.insert(place(), piece);
    break;
  }
  case 6: std::swap(text[place()], text[place()]); break;
  default: { // a digit run made longer
    const auto at = text.find_first_of("0123456789", place());
    if (at != std::string::npos) text.insert(at, 1 + random() % 24, static_cast<char>('0' + random() % 10));
  }
  }
}

} // namespace

CAF_TEST(every_layout_is_decoded) {
  decoder d;
  const auto& frames = test::sample_frames();
  const auto e = [&](std::size_t i) -> const market_event& { return d.decode(frames[i]); };
  const auto spot = e(0);
  CAF_CHECK(spot.kind == event_kind::depth && d.took_fast_path());
  CAF_CHECK_EQUAL(spot.symbol, "ABCUSDT");
  CAF_CHECK_EQUAL(spot.stream, "abcusdt@depth@100ms");
  CAF_CHECK_EQUAL(spot.depth.first, 50093239189u);
  CAF_CHECK_EQUAL(spot.depth.last, 50093239202u);
  CAF_CHECK(!spot.depth.has_previous);
  CAF_CHECK_EQUAL(spot.depth.event.ns, 1700000000123000000);
  CAF_CHECK_EQUAL(spot.depth.bids.size(), 3u);
  CAF_CHECK_EQUAL(spot.depth.bids[0].at.raw, 6173763000000);
  CAF_CHECK_EQUAL(spot.depth.bids[0].quantity.raw, 0);
  CAF_CHECK_EQUAL(spot.depth.bids[2].at.raw, 500000000);
  CAF_CHECK_EQUAL(spot.depth.bids[2].quantity.raw, 1234567800000);
  CAF_CHECK_EQUAL(spot.depth.asks[0].quantity.raw, 154698000);
  CAF_CHECK(e(1).depth.bids.empty() && e(1).depth.asks.empty());
  const auto futures = e(2);
  CAF_CHECK(futures.depth.has_previous && d.took_fast_path());
  CAF_CHECK_EQUAL(futures.depth.previous, 5123107831937u);
  CAF_CHECK_EQUAL(futures.depth.transaction.ns, 1700000000298000000);
  CAF_CHECK_EQUAL(e(3).symbol, "ABCUSD_PERP");
  for (const std::size_t i : {4, 5, 6}) {
    const auto best = e(i);
    CAF_CHECK(best.kind == event_kind::best && d.took_fast_path());
    CAF_CHECK(best.best.bid.at < best.best.ask.at);
  }
  CAF_CHECK_EQUAL(e(4).best.event.ns, 0);
  CAF_CHECK_EQUAL(e(5).best.event.ns, 1700000000313000000);
  for (const std::size_t i : {7, 8, 9}) CAF_CHECK(e(i).kind == event_kind::trade && d.took_fast_path());
  CAF_CHECK(e(7).trade.taker == side::sell);
  CAF_CHECK(e(8).trade.taker == side::buy);
  CAF_CHECK_EQUAL(e(8).trade.id, 3735683259u);
  const auto aggregate = e(10);
  CAF_CHECK(aggregate.trade.aggregated);
  CAF_CHECK_EQUAL(aggregate.trade.last_id - aggregate.trade.first_id, 5u);
  const auto candle = e(11);
  CAF_CHECK(candle.kind == event_kind::candle && !candle.candle.closed);
  CAF_CHECK_EQUAL(candle.candle.interval, "1m");
  CAF_CHECK_EQUAL(candle.candle.buy_volume.raw, 50000000000);
  CAF_CHECK(e(12).kind == event_kind::depth && e(12).stream.empty());
  CAF_CHECK_EQUAL(e(13).image.last, 1027024u);
  CAF_CHECK_EQUAL(e(14).image.asks.size(), 2u);
  CAF_CHECK(e(15).kind == event_kind::acknowledgement);
  CAF_CHECK_EQUAL(e(15).request, "1");
  CAF_CHECK_EQUAL(e(16).request, "abc");
  CAF_CHECK(e(17).kind == event_kind::failure);
  CAF_CHECK_EQUAL(e(17).code, 2);
  CAF_CHECK_EQUAL(e(18).code, -1121);
  CAF_CHECK(e(19).kind == event_kind::shutdown);
  CAF_CHECK(e(20).kind == event_kind::other);
}

CAF_TEST(other_layouts_take_the_general_way) {
  decoder d;
  const auto spaced =
      R"( { "data" : { "b" : [ [ "1.5" , "2" ] ] , "a" : [ ] , "u" : 2 , "U" : 1 , "s" : "ABC\u0055SDT" ,)"
      R"( "E" : 1700000000123 , "new" : { "deep" : [ 1 , { } ] } , "e" : "depthUpdate" } , "stream" : "x" } )";
  const auto& e = d.decode(spaced);
  CAF_CHECK(!d.took_fast_path());
  CAF_CHECK(e.kind == event_kind::depth);
  CAF_CHECK_EQUAL(e.symbol, "ABCUSDT");
  CAF_CHECK_EQUAL(e.depth.bids[0].at.raw, 150000000);
  const auto& micro = d.decode(
      R"({"u":3,"s":"X","b":"1.00000000","B":"1.0","a":"2","A":"3","E":1700000000123456,"e":"bookTicker"})");
  CAF_CHECK(micro.kind == event_kind::best);
  CAF_CHECK_EQUAL(micro.best.event.ns, 1700000000123456000);
}

CAF_TEST(bad_numbers_are_damage) {
  CAF_CHECK(damage_of(depth_with("1.5", "2")) == frame_damage::none);
  CAF_CHECK(damage_of(depth_with("1.123456789", "2")) == frame_damage::too_many_decimals);
  CAF_CHECK(damage_of(depth_with("1.1234567800000", "2")) == frame_damage::none);
  CAF_CHECK(damage_of(depth_with("1e-8", "5E+3")) == frame_damage::none);
  CAF_CHECK(damage_of(depth_with("1e-9", "1")) == frame_damage::too_many_decimals);
  for (const auto bad : {"-1", "", ".", "NaN", "Infinity", "1e308", "99999999999999999999", "1..2", "1.2.3",
                         "0x10", "1,5", " 1"})
    CAF_CHECK(damage_of(depth_with(bad, "1")) == frame_damage::bad_number);
  CAF_CHECK(damage_of(depth_with("123456789012.12345678", "1")) == frame_damage::bad_number);
  CAF_CHECK(damage_of(depth_with("12345678901.12345678", "1")) == frame_damage::none);
  CAF_CHECK(damage_of(depth_with("1.25", "1"), {.price_scale = 1}) == frame_damage::too_many_decimals);
  CAF_CHECK(damage_of(depth_with("1", "1.5"), {.size_scale = 0}) == frame_damage::too_many_decimals);
  decoder d{{.price_scale = 8, .size_scale = 2}};
  const auto& e = d.decode(depth_with("0.00000637", "123456789.00000000"));
  CAF_CHECK(e.kind == event_kind::depth && d.took_fast_path());
  CAF_CHECK_EQUAL(e.depth.bids[0].at.raw, 637);
  CAF_CHECK_EQUAL(e.depth.bids[0].quantity.raw, 12345678900);
}

CAF_TEST(damage_has_its_name) {
  CAF_CHECK(damage_of("") == frame_damage::not_json);
  CAF_CHECK(damage_of("not json at all") == frame_damage::not_json);
  CAF_CHECK(damage_of(std::string(100, '[')) == frame_damage::not_json);
  CAF_CHECK(damage_of(std::string(5000, '[') + std::string(5000, ']')) == frame_damage::not_json);
  CAF_CHECK(damage_of("{\"e\":\"trade\xff\"}") == frame_damage::not_json);
  CAF_CHECK(damage_of(R"({"e":"trade","E":1,"s":"X"})") == frame_damage::missing_field);
  CAF_CHECK(damage_of(R"({"e":5,"E":1,"s":"X"})") == frame_damage::wrong_type);
  CAF_CHECK(damage_of(R"({"e":"depthUpdate","E":1,"s":"X","U":9,"u":3,"b":[],"a":[]})")
            == frame_damage::bad_range);
  CAF_CHECK(damage_of(R"({"e":"depthUpdate","E":-1,"s":"X","U":1,"u":3,"b":[],"a":[]})")
            == frame_damage::bad_number);
  CAF_CHECK(damage_of(R"({"e":"depthUpdate","E":99999999999999999,"s":"X","U":1,"u":3,"b":[],"a":[]})")
            == frame_damage::bad_range);
  CAF_CHECK(damage_of(R"({"e":"depthUpdate","E":1,"s":"X","U":1,"u":3,"b":[["1"]],"a":[]})")
            == frame_damage::wrong_type);
  CAF_CHECK(damage_of(R"({"e":"depthUpdate","E":1,"s":"X","U":1,"u":3,"b":[[1,2]],"a":[]})")
            == frame_damage::wrong_type);
  CAF_CHECK(damage_of(R"({"e":"depthUpdate","E":1,"s":"X","U":1,"U":1,"u":3,"b":[],"a":[]})")
            == frame_damage::wrong_type);
  CAF_CHECK(damage_of(std::string(200, ' ') + "{}", {.max_frame_bytes = 100}) == frame_damage::too_large);
}

CAF_TEST(truncated_frames_never_decode) {
  decoder d;
  for (const auto& frame : test::sample_frames())
    for (std::size_t n = 0; n < frame.size(); ++n) {
      // An exact heap copy, so that a sanitizer sees any read behind the end.
      const std::vector<char> copy(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n));
      CAF_REQUIRE(d.decode({copy.data(), copy.size()}).kind == event_kind::damaged);
    }
}

CAF_TEST(recorded_frames_decode_both_ways_alike) {
  struct tape {
    std::string_view file;
    binance::decoder_options scales;
  };
  std::string why;
  for (const auto& t : {tape{"spot/btcusdt_20240808.gz", {8, 8}}, tape{"usdm/btcusdt_20240808.gz", {2, 3}},
                        tape{"cm/btcusd_perp_20240808.gz", {1, 0}}}) {
    const auto file =
        test::recording("venues/nkaz001+hftbacktest/examples/" + std::string{t.file}, "binance codec");
    if (!file) return;
    decoder d{t.scales};
    std::uint64_t frames = 0;
    std::uint64_t fast = 0;
    std::uint64_t wrong = 0;
    const auto done = read_recordings({*file}, [&](const recorded_frame& f) -> status {
      ++frames;
      const auto& e = d.decode(f.text);
      if (e.kind == event_kind::damaged || e.kind == event_kind::other) ++wrong;
      const auto said = test::compare_ways(d, f.text, why);
      fast += said == test::verdict::equal ? 1 : 0;
      wrong += said == test::verdict::different ? 1 : 0;
      return ok;
    });
    CAF_CHECK(done.has_value());
    CAF_CHECK_EQUAL(wrong, 0u);
    CAF_CHECK(frames > 40'000);
    CAF_CHECK(frames - fast <= 1); // the image alone goes the general way
    if (!why.empty()) CAF_FAIL(why);
  }
}

CAF_TEST(mutated_frames_decode_both_ways_alike) {
  auto samples = test::sample_frames();
  if (const auto file =
          test::recording("venues/nkaz001+hftbacktest/examples/usdm/btcusdt_20240808.gz", "binance codec")) {
    std::size_t taken = 0;
    const auto done = read_recordings({*file}, [&](const recorded_frame& f) -> status {
      if (++taken % 251 == 0 && f.text.size() < 4000) samples.emplace_back(f.text);
      return ok;
    });
    CAF_CHECK(done.has_value());
  }
  std::mt19937_64 random{test::seed_of("mutated frames", 20240808)};
  decoder wide{{8, 8}};
  decoder narrow{{2, 3}};
  std::string why;
  std::uint64_t accepted = 0;
  const auto rounds = test::scaled(300'000);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    auto text = samples[random() % samples.size()];
    for (auto n = 1 + random() % 3; n > 0; --n) mutate(text, random);
    const std::vector<char> copy(text.begin(), text.end());
    const std::string_view frame{copy.data(), copy.size()};
    auto& d = i % 2 == 0 ? wide : narrow;
    const auto said = test::compare_ways(d, frame, why);
    if (said == test::verdict::different) CAF_FAIL(why);
    accepted += said == test::verdict::equal ? 1 : 0;
  }
  CAF_CHECK(accepted > rounds / 100); // the comparison has had something to compare
}

CAF_TEST(streams_and_scales) {
  CAF_CHECK_EQUAL(binance::stream_of(R"({"stream":"btcusdt@trade","data":{}})"), "btcusdt@trade");
  CAF_CHECK_EQUAL(binance::stream_of(R"({"stream":"btcusdt)"), "");
  CAF_CHECK_EQUAL(binance::stream_of(R"({"result":null})"), "");
  CAF_CHECK_EQUAL(binance::symbol_of_stream("btcusd_perp@depth@0ms"), "BTCUSD_PERP");
  const auto scales = binance::scales_of_image(
      R"({"lastUpdateId":1,"bids":[["4.10","431.5"],["4.05","1"]],"asks":[["4.20","12.125"]]})");
  CAF_REQUIRE(scales.has_value());
  CAF_CHECK_EQUAL(scales->price_scale, 2);
  CAF_CHECK_EQUAL(scales->size_scale, 3);
  CAF_CHECK_EQUAL(scales->tick.raw, 5);
  CAF_CHECK(!binance::scales_of_image("{}").has_value());
}
