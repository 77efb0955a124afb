#define CAF_SUITE venue_market
#include "tests/support/recordings.hpp"
#include "tests/tools/venue_sim_support.hpp"
#include "tools/venue_sim/order_flow.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;
using namespace troupe::venue_sim;
using namespace troupe::venue_sim::test;

namespace {

constexpr std::string_view examples = "venues/nkaz001+hftbacktest/examples/";

std::optional<recording> recorded(std::initializer_list<std::string_view> names, std::string_view test) {
  std::vector<std::filesystem::path> files;
  for (const auto name : names) {
    auto file = troupe::test::recording(std::string{examples} + std::string{name}, test);
    if (!file) return std::nullopt;
    files.push_back(*file);
  }
  auto loaded = load_recording(files);
  if (!loaded) CAF_FAIL(loaded.error().message());
  return std::move(*loaded);
}

std::string stream_of(const market_event& e, const std::string& depth) {
  const auto symbol = depth.substr(0, depth.find('@'));
  return e.kind == frame_kind::depth ? depth
                                     : symbol + (e.kind == frame_kind::trade ? "@trade" : "@bookTicker");
}

/// All lines of recordings but the book image, without their receive times.
std::vector<std::string> frames_of(const std::filesystem::path& file) {
  std::vector<std::string> out;
  gzFile in = gzopen(file.c_str(), "rb");
  std::string line(1 << 20, '\0');
  while (gzgets(in, line.data(), static_cast<int>(line.size())) != nullptr) {
    std::string_view text{line.c_str()};
    text.remove_prefix(text.find(' ') + 1);
    while (!text.empty() && text.back() == '\n')
      text.remove_suffix(1);
    if (text.starts_with("{\"stream\"")) out.emplace_back(text);
  }
  gzclose(in);
  return out;
}

struct played {
  std::size_t diffs = 0, trades = 0, tickers = 0, crossed = 0, chain_breaks = 0, late = 0;
  std::int64_t volume = 0;
};

/// Plays to the end and counts.
played play_all(market_source& market) {
  played out;
  std::int64_t last_u = 0, last_time = 0;
  const bool futures = market.shape().venue == venue_kind::binance_usdm;
  while (market.next_time() != never_ns) {
    const auto planned = market.next_time();
    const auto& e = market.advance();
    if (e.time_ns != planned || e.time_ns < last_time || e.event_ms * 1'000'000 > e.time_ns) ++out.late;
    last_time = e.time_ns;
    if (e.kind == frame_kind::trade) ++out.trades, out.volume += e.one.quantity_e8;
    if (e.kind == frame_kind::book_ticker) ++out.tickers;
    if (e.kind != frame_kind::depth) continue;
    ++out.diffs;
    if (last_u != 0 && (futures ? e.previous_id != last_u : e.first_id != last_u + 1)) ++out.chain_breaks;
    last_u = e.last_id;
    const auto& b = market.book();
    if (b.bids().begin()->first >= b.asks().begin()->first) ++out.crossed;
  }
  return out;
}

/// Follows a looped market for some laps as a suspicious client would.
void follow_laps(tape_market& market, std::int64_t laps, std::uint64_t seed) {
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  const bool futures = market.shape().venue == venue_kind::binance_usdm;
  const auto until = market.next_time() + laps * market.shape().lap_ns;
  const auto tick = market.shape().tick_e8;
  client_book client;
  client.take(market.book());
  std::int64_t last_u = 0, last_event_ms = 0, last_trade = 0, last_ticker = 0, last_trade_ms = 0;
  std::size_t seams = 0, breaks = 0, backwards = 0, holes = 0, crossed = 0, jumps = 0, unequal = 0,
              checks = 0;
  std::int64_t mid_sum = 0;
  while (market.next_time() <= until) {
    const auto& e = market.advance();
    if (e.kind == frame_kind::trade) {
      if (last_trade != 0 && e.last_id != last_trade + 1) ++holes;
      if (e.event_ms < last_trade_ms) ++backwards;
      last_trade_ms = e.event_ms;
      last_trade = e.last_id;
    } else if (e.kind == frame_kind::book_ticker) {
      if (e.last_id <= last_ticker || e.one.price_e8 >= e.two.price_e8) ++backwards;
      last_ticker = e.last_id;
    } else {
      if (last_u != 0 && (futures ? e.previous_id != last_u : e.first_id != last_u + 1)) ++breaks;
      if (e.event_ms <= last_event_ms || e.last_id < e.first_id) ++backwards;
      last_u = e.last_id;
      last_event_ms = e.event_ms;
      client.apply(e, futures);
      if (client.crossed()) ++crossed;
      const auto sum = client.bids.begin()->first + client.asks.begin()->first;
      if (e.seam) {
        ++seams;
        if (std::abs(sum - mid_sum) > 2 * tick) ++jumps;
      }
      mid_sum = sum;
      // Whole books are compared at seams and now and then, the best levels always.
      if (*client.bids.begin() != *market.book().bids().begin()) ++unequal;
      const auto dice = random() % 500;
      if (e.seam || dice < 10) {
        if (client.bids != market.book().bids() || client.asks != market.book().asks()) ++unequal;
      }
      if (dice == 0) client.take(market.book()), ++checks; // an image at a random moment
    }
  }
  CAF_CHECK_EQUAL(breaks, 0u);
  CAF_CHECK_EQUAL(backwards, 0u);
  CAF_CHECK_EQUAL(holes, 0u);
  CAF_CHECK_EQUAL(crossed, 0u);
  CAF_CHECK_EQUAL(unequal, 0u);
  CAF_CHECK_EQUAL(jumps, 0u);
  CAF_CHECK(!client.broken);
  CAF_CHECK_EQUAL(seams, static_cast<std::size_t>(laps));
}

} // namespace

CAF_TEST(decimal text is exact) {
  CAF_CHECK_EQUAL(e8("61837.63000000"), 6183763000000);
  CAF_CHECK_EQUAL(text_e8(e8("0.00001000")), "0.00001000");
  CAF_CHECK_EQUAL(text_e8(-150000000, 2), "-1.50");
  CAF_CHECK(!parse_decimal_text(""));
  CAF_CHECK(!parse_decimal_text("1e5"));
  CAF_CHECK(!parse_decimal_text("-1"));
  CAF_CHECK(!parse_decimal_text("1.2.3"));
  CAF_CHECK(!parse_decimal_text("99999999999999999999"));
  CAF_CHECK(!parse_decimal_text("0.123456789")->precise);
  CAF_CHECK_EQUAL(product_e8(e8("61837.63"), e8("0.00001")), e8("0.6183763"));
}

CAF_TEST(a recording that is not whole is refused) {
  const auto refused = [](std::initializer_list<std::string_view> frames) {
    recording_builder b;
    std::int64_t at = 1;
    for (const auto f : frames)
      if (!b.add(at++, f)) return true;
    return !b.finish().has_value();
  };
  const std::string_view image = R"({"lastUpdateId":10,"bids":[["1.0","1.0"]],"asks":[["2.0","1.0"]]})";
  const auto diff = [](int first, int last) {
    return R"({"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":)"
           + std::to_string(first) + R"(,"u":)" + std::to_string(last) + R"(,"b":[["1.0","2.0"]],"a":[]}})";
  };
  const auto a = diff(9, 11), b = diff(12, 13), far = diff(14, 15), other = diff(13, 14);
  CAF_CHECK(!refused({image, a, b}));
  CAF_CHECK(refused({image, a, far}));
  CAF_CHECK(refused({image, other}));
  CAF_CHECK(refused({a, b}));
  CAF_CHECK(refused({image}));
  CAF_CHECK(refused({image, a, "{not json"}));
  CAF_CHECK(refused({image, a, R"({"stream":"btcusdt@trade","data":{"e":"trade"}})"}));
}

CAF_TEST(a small recording loops without a gap) {
  tape_market market{small_recording(), true};
  CAF_CHECK_EQUAL(market.shape().tick_e8, e8("0.01"));
  CAF_CHECK_EQUAL(market.shape().base, "BTC");
  follow_laps(market, 200, 7); // past the turn: 40 of 100 at 1 a lap
}

CAF_TEST(the first lap is as recorded) {
  tape_market once{small_recording(), false};
  tape_market looped{small_recording(), true};
  while (once.next_time() != never_ns) {
    CAF_REQUIRE_EQUAL(once.next_time(), looped.next_time());
    const auto a = market_frame(once.advance(), once.shape());
    CAF_CHECK_EQUAL(a, market_frame(looped.advance(), looped.shape()));
  }
  CAF_CHECK(looped.next_time() != never_ns);
}

CAF_TEST(seeking equals playing) {
  for (const std::int64_t tenths : {0, 3, 12, 13, 14, 40, 555, 1500}) {
    tape_market played{small_recording(), true}, sought{small_recording(), true};
    const auto target = played.shape().start_ns + tenths * 100'000'000;
    while (played.next_time() <= target)
      (void)played.advance();
    sought.seek(target);
    CAF_CHECK_EQUAL(played.next_time(), sought.next_time());
    CAF_CHECK_EQUAL(played.lap(), sought.lap());
    CAF_CHECK_EQUAL(played.book().id(), sought.book().id());
    CAF_CHECK(played.book().bids() == sought.book().bids());
    CAF_CHECK(played.book().asks() == sought.book().asks());
    for (int i = 0; i < 20; ++i)
      CAF_CHECK_EQUAL(market_frame(played.advance(), played.shape()),
                      market_frame(sought.advance(), sought.shape()));
  }
}

CAF_TEST(a recorded spot day plays back byte for byte and ends where it must) {
  auto tape = recorded({"spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"}, "spot playback");
  if (!tape) return;
  CAF_CHECK_EQUAL(tape->stale, 2u);
  CAF_CHECK_EQUAL(tape->step_e8, e8("0.00001"));
  const auto depth = tape->depth_stream;
  std::vector<std::string> lines;
  for (const auto* name : {"spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"})
    for (auto& l : frames_of(*troupe::test::recording(std::string{examples} + name, "spot playback")))
      lines.push_back(std::move(l));
  {
    tape_market market{*tape, false};
    std::size_t at = 0, different = 0;
    while (market.next_time() != never_ns && at < lines.size()) {
      const auto& e = market.advance();
      if (combined_frame(stream_of(e, depth), market_frame(e, market.shape())) != lines[at++]) ++different;
    }
    CAF_CHECK_EQUAL(different, 0u);
    CAF_CHECK_EQUAL(at, lines.size());
    CAF_CHECK_EQUAL(market.next_time(), never_ns);
  }
  tape_market market{*tape, false};
  const auto found = play_all(market);
  CAF_CHECK_EQUAL(found.diffs, 6495u);
  CAF_CHECK_EQUAL(found.trades, 19904u);
  CAF_CHECK_EQUAL(found.tickers, 73174u);
  CAF_CHECK_EQUAL(found.volume, e8("437.91552"));
  CAF_CHECK_EQUAL(found.crossed + found.chain_breaks + found.late, 0u);
  const auto& b = market.book();
  CAF_CHECK_EQUAL(b.id(), 50093696318);
  CAF_CHECK_EQUAL(b.bids().size(), 1971u);
  CAF_CHECK_EQUAL(b.asks().size(), 2962u);
  CAF_CHECK_EQUAL(b.bids().begin()->first, e8("61602.01"));
  CAF_CHECK_EQUAL(b.asks().begin()->second, e8("2.66795"));
  CAF_CHECK_EQUAL(top20_crc(b), 174021803u);
}

CAF_TEST(a recorded futures day ends where it must) {
  auto tape = recorded({"usdm/btcusdt_20240808.gz"}, "usdm playback");
  if (!tape) return;
  const auto depth = tape->depth_stream;
  CAF_CHECK_EQUAL(tape->stale, 4u);
  const auto lines = frames_of(
      *troupe::test::recording(std::string{examples} + "usdm/btcusdt_20240808.gz", "usdm playback"));
  {
    tape_market market{*tape, false};
    std::size_t different = 0;
    for (const auto& line : lines) {
      const auto& e = market.advance();
      if (combined_frame(stream_of(e, depth), market_frame(e, market.shape())) != line) ++different;
    }
    CAF_CHECK_EQUAL(different, 0u);
  }
  tape_market market{std::move(*tape), false};
  const auto found = play_all(market);
  CAF_CHECK_EQUAL(found.trades, 21313u);
  CAF_CHECK_EQUAL(found.crossed + found.chain_breaks + found.late, 0u);
  CAF_CHECK_EQUAL(market.book().id(), 5123135475514);
  CAF_CHECK_EQUAL(market.book().bids().size(), 5018u);
  CAF_CHECK_EQUAL(market.book().asks().size(), 4578u);
  CAF_CHECK_EQUAL(top20_crc(market.book()), 3551499880u);
}

CAF_TEST(recorded spot days loop without a gap) {
  auto tape = recorded({"spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"}, "spot loop");
  if (!tape) return;
  tape_market market{std::move(*tape), true};
  follow_laps(market, 1, 11);
}

CAF_TEST(recorded spot days turn without a gap) {
  auto tape = recorded({"spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"}, "spot turn");
  if (!tape) return;
  // 40 % of 61,837 at 235 a lap: laps 0 to 103 fall, lap 104 is the first mirrored one.
  tape_market market{std::move(*tape), true};
  market.seek(market.shape().start_ns + 104 * market.shape().lap_ns - 5'000'000'000);
  CAF_CHECK_EQUAL(market.lap(), 103);
  const auto bids = market.book().bids().size(), asks = market.book().asks().size();
  CAF_CHECK_LESS(bids, asks);
  follow_laps(market, 1, 12);
  CAF_CHECK_EQUAL(market.lap(), 104);
  CAF_CHECK_GREATER(market.book().bids().size(), market.book().asks().size());
}

CAF_TEST(recorded futures days loop without a gap) {
  auto tape = recorded({"usdm/btcusdt_20240808.gz"}, "usdm loop");
  if (!tape) return;
  tape_market market{std::move(*tape), true};
  market.seek(market.shape().start_ns + market.shape().lap_ns / 2);
  follow_laps(market, 1, 13);
}

CAF_TEST(the generated market is contiguous and never crossed) {
  constexpr std::int64_t start = 1'723'161'255'000'000'000;
  constexpr std::uint64_t seed = 42;
  CAF_MESSAGE("seed " << seed);
  flow_market market{btcusdt_flow(), seed, start, venue_kind::binance_spot};
  CAF_CHECK(market.shape().generated);
  client_book client;
  client.take(market.book());
  book_level ticker_bid, ticker_ask;
  std::size_t diffs = 0, trades = 0, crossed = 0, unequal = 0, disagrees = 0, backwards = 0;
  std::int64_t last_time = 0, last_trade = 0;
  while (market.next_time() < start + 120'000'000'000) {
    const auto& e = market.advance();
    if (e.time_ns < last_time) ++backwards;
    last_time = e.time_ns;
    if (e.kind == frame_kind::trade) {
      ++trades;
      if (last_trade != 0 && e.last_id != last_trade + 1) ++backwards;
      last_trade = e.last_id;
    } else if (e.kind == frame_kind::book_ticker) {
      if (e.one.price_e8 >= e.two.price_e8) ++crossed;
      ticker_bid = e.one, ticker_ask = e.two;
    } else {
      ++diffs;
      client.apply(e, false);
      if (client.crossed()) ++crossed;
      if (client.bids != market.book().bids()) ++unequal;
      const auto best = book_level{client.bids.begin()->first, client.bids.begin()->second};
      if (best != ticker_bid || client.asks.begin()->first != ticker_ask.price_e8) ++disagrees;
    }
  }
  CAF_MESSAGE(diffs << " diffs, " << trades << " trades, levels " << client.bids.size() << "/"
                    << client.asks.size());
  CAF_CHECK(!client.broken);
  CAF_CHECK_EQUAL(crossed + unequal + disagrees + backwards, 0u);
  CAF_CHECK_GREATER(diffs, 1100u);
  CAF_CHECK_GREATER(trades, 2000u);
  CAF_CHECK_GREATER(client.bids.size(), 200u);
  flow_market again{btcusdt_flow(), seed, start, venue_kind::binance_spot};
  again.seek(start + 119'999'999'999);
  CAF_CHECK_EQUAL(again.book().id(), market.book().id());
  CAF_CHECK(again.book().asks() == market.book().asks());
  flow_market other{btcusdt_flow(), seed + 1, start, venue_kind::binance_spot};
  other.seek(start + 119'999'999'999);
  CAF_CHECK(other.book().bids() != market.book().bids());
}

CAF_TEST(the table of the generated market is what a fit of the recording gives) {
  auto tape = recorded({"spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"}, "fit");
  if (!tape) return;
  const auto fitted = fit_flow(*tape);
  const auto& kept = btcusdt_flow();
  const auto near = [](double a, double b) { return std::abs(a - b) <= 0.001 * std::max(1.0, std::abs(b)); };
  CAF_CHECK(near(fitted.trades_per_s, kept.trades_per_s));
  CAF_CHECK(near(fitted.sets_per_s, kept.sets_per_s));
  CAF_CHECK(near(fitted.deletes_per_s, kept.deletes_per_s));
  CAF_CHECK(near(fitted.trade_log_mean, kept.trade_log_mean));
  CAF_CHECK(near(fitted.level_log_sd, kept.level_log_sd));
  CAF_CHECK(near(fitted.mid_sd_per_sqrt_s, kept.mid_sd_per_sqrt_s));
  for (std::size_t i = 0; i + 1 < kept.distance_quantiles.size(); ++i)
    CAF_CHECK(near(fitted.distance_quantiles[i], kept.distance_quantiles[i]));
}
