#define CAF_SUITE bars

#include "actors/feeds/bar_roller.hpp"
#include "actors/feeds/bars.hpp"
#include "storage/file.hpp"
#include "tests/support/recordings.hpp"
#include "tests/support/seeds.hpp"
#include "tests/support/zip.hpp"
#include "tools/feed_verify/feed_verify.hpp"

#include <caf/test/unit_test.hpp>
#include <simdjson.h>

#include <random>
#include <sstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view lean = "venues/QuantConnect+Lean/Data/crypto/coinbase/";
constexpr int scale = 8;
constexpr std::string_view expectations = "venues/derived/replay_expectations/expectations.json";

/// Midnight UTC of "20161007".
market_time day_of(const std::string& text) {
  using namespace std::chrono;
  const auto number = std::stoi(text);
  const year_month_day date{year{number / 10000}, month{static_cast<unsigned>(number / 100 % 100)},
                            day{static_cast<unsigned>(number % 100)}};
  return {duration_cast<nanoseconds>(sys_days{date}.time_since_epoch()).count()};
}

/// Rows of a Lean file: time (ms of the day, or a date), open, high, low, close, volume.
std::vector<bar> read_lean(const std::string& text, nanoseconds interval, const std::string& day) {
  std::vector<bar> out;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string> cells;
    std::istringstream row{line};
    for (std::string cell; std::getline(row, cell, ',');)
      cells.push_back(cell);
    if (cells.size() < 6) continue;
    bar b;
    b.interval = interval;
    b.open_time = day.empty() ? day_of(cells[0].substr(0, 8)) : day_of(day) + 1ms * std::stoll(cells[0]);
    std::array<std::int64_t, 5> n{};
    for (std::size_t i = 0; i < n.size(); ++i) {
      const auto parsed = parse_decimal(cells[i + 1], scale);
      if (!parsed) CAF_FAIL(line);
      n[i] = *parsed;
    }
    b.open = {n[0]};
    b.high = {n[1]};
    b.low = {n[2]};
    b.close = {n[3]};
    b.volume = {n[4]};
    b.closed = true;
    out.push_back(b);
  }
  return out;
}

std::vector<bar> lean_bars(const std::string& below, nanoseconds interval, const std::string& day) {
  const auto file = test::recording(std::string{lean} + below, "bars");
  if (!file) return {};
  const auto text = test::unzip_first(*file);
  if (!text) CAF_FAIL("can't be unzipped: " << file->string());
  return read_lean(*text, interval, day);
}

/// Equal in all that both know; counts the comparison.
bool same(const bar& a, const bar& b) {
  return a.open_time == b.open_time && a.open == b.open && a.high == b.high && a.low == b.low
         && a.close == b.close && a.volume == b.volume;
}

std::size_t compare(const std::vector<bar>& built, const std::vector<bar>& theirs) {
  CAF_REQUIRE_EQUAL(built.size(), theirs.size());
  for (std::size_t i = 0; i < built.size(); ++i)
    if (!same(built[i], theirs[i])) CAF_FAIL("differs at " << built[i].open_time.ns);
  return built.size();
}

} // namespace

CAF_TEST(seconds make minutes and minutes make days) {
  std::size_t compared = 0;
  const auto days = lean_bars("daily/btcusd_trade.zip", 24h, {});
  if (days.empty()) return;
  const auto their_day = [&](market_time at) {
    std::vector<bar> out;
    for (const auto& d : days)
      if (d.open_time == at) out.push_back(d);
    return out;
  };
  for (const std::string day : {"20161007", "20161008", "20161009"}) {
    const auto seconds = lean_bars("second/btcusd/" + day + "_trade.zip", 1s, day);
    const auto minutes = lean_bars("minute/btcusd/" + day + "_trade.zip", 1min, day);
    if (seconds.empty() || minutes.empty()) return;
    const auto built = roll_up(seconds, 1min);
    compared += compare(built, minutes);
    // Whatever the steps between, the day is the same.
    compared += compare(roll_up(built, 24h), their_day(day_of(day)));
    auto step = built;
    for (const nanoseconds interval :
         {nanoseconds{5min}, nanoseconds{15min}, nanoseconds{1h}, nanoseconds{4h}, nanoseconds{24h}})
      step = roll_up(step, interval);
    compared += compare(step, roll_up(seconds, 24h));
  }
  for (const std::string day : {"20180404", "20180405"}) {
    const auto minutes = lean_bars("minute/btcusd/" + day + "_trade.zip", 1min, day);
    if (minutes.empty()) return;
    compared += compare(roll_up(minutes, 24h), their_day(day_of(day)));
  }
  std::cout << "bars compared: " << compared << std::endl;
  CAF_CHECK(compared >= 4000);
}

CAF_TEST(missing minutes stay missing) {
  const auto seconds = lean_bars("second/btcusd/20161009_trade.zip", 1s, "20161009");
  if (seconds.empty()) return;
  const auto minutes = roll_up(seconds, 1min);
  CAF_CHECK_EQUAL(minutes.size(), 1397u); // of 1,440
  // The longest silence: 243 s from 07:32:03.
  const auto silent = day_of("20161009") + 7h + 33min;
  for (const auto& m : minutes)
    CAF_CHECK(m.open_time < silent || m.open_time >= silent + 3min);
}

CAF_TEST(bars of the tapes equal the expected candles) {
  const auto file = test::recording(expectations, "bars");
  if (!file) return;
  const auto text = read_whole(real_disk(), *file, 64u << 20);
  CAF_REQUIRE(text.has_value());
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(*text);
  std::size_t compared = 0;
  for (const auto entry : root.get_object()) {
    simdjson::dom::object candles;
    if (entry.value["candles_1m"].get(candles) != simdjson::SUCCESS) continue;
    std::vector<std::filesystem::path> tapes;
    for (const std::string_view name : entry.value["files"].get_array()) {
      const auto tape = test::recording("venues/nkaz001+hftbacktest/examples/" + std::string{name}, "bars");
      if (!tape) return;
      tapes.push_back(*tape);
    }
    const auto figures = feed_figures_of(tapes);
    if (!figures) CAF_FAIL(figures.error().message());
    const auto& f = figures->front();
    CAF_CHECK_EQUAL(f.minutes.size(), candles.size());
    for (const auto candle : candles) {
      const auto minute = f.minutes.find(std::stoll(std::string{candle.key}));
      CAF_REQUIRE(minute != f.minutes.end());
      const auto& b = minute->second;
      std::vector<std::string> cells;
      for (const auto cell : candle.value.get_array())
        cells.push_back(
            std::string{cell.is_string() ? std::string{cell.get_string().value()} : simdjson::minify(cell)});
      CAF_REQUIRE(cells.size() >= 6);
      const auto price_of = [&](std::size_t i) {
        return parse_decimal(cells[i], f.price_scale).value_or(-1);
      };
      CAF_CHECK_EQUAL(b.open.raw, price_of(0));
      CAF_CHECK_EQUAL(b.high.raw, price_of(1));
      CAF_CHECK_EQUAL(b.low.raw, price_of(2));
      CAF_CHECK_EQUAL(b.close.raw, price_of(3));
      CAF_CHECK_EQUAL(b.volume.raw, parse_decimal(cells[4], f.size_scale).value_or(-1));
      CAF_CHECK_EQUAL(std::to_string(b.trades), cells[5]);
      ++compared;
    }
  }
  std::cout << "minutes compared: " << compared << std::endl;
  CAF_CHECK_EQUAL(compared, 30u);
}

CAF_TEST(bars from bars equal bars from trades) {
  const auto seed = test::seed_of("bars", 42);
  for (std::uint64_t round = 0; round < 20; ++round) {
    std::mt19937_64 random{seed + round};
    std::array<std::vector<bar>, bar_intervals.size()> built;
    bar_builder builder{{"ABC-USDT@x"}, 0s, [&](const bar& b) {
                          for (std::size_t i = 0; i < bar_intervals.size(); ++i)
                            if (bar_intervals[i] == b.interval) built[i].push_back(b);
                        }};
    market_time now{1'700'000'000'000'000'000};
    for (std::uint64_t id = 1; id <= 3000; ++id) {
      now = now
            + nanoseconds{static_cast<std::int64_t>(
                random() % (random() % 50 == 0 ? 4'000'000'000'000ULL : 2'000'000'000ULL))};
      trade_event t;
      t.id = t.first_id = t.last_id = id;
      t.at = now;
      t.at_price = {static_cast<std::int64_t>(10'000 + random() % 500)};
      t.quantity = {static_cast<std::int64_t>(1 + random() % 100)};
      t.taker = random() % 2 == 0 ? side::buy : side::sell;
      builder.on_trade(t);
    }
    builder.flush();
    for (std::size_t i = 1; i < built.size(); ++i)
      CAF_REQUIRE(roll_up(built[i - 1], bar_intervals[i]) == built[i]);
    CAF_REQUIRE(roll_up(built.front(), bar_intervals.back()) == built.back());
  }
}

CAF_TEST(bars out of order or of another length are refused) {
  bar_roller roller{1min};
  bar b;
  b.interval = 1s;
  b.open_time = {60'000'000'000};
  CAF_CHECK(!roller.add(b));
  CAF_CHECK(!roller.add(b)); // twice
  b.open_time = {1'000'000'000};
  CAF_CHECK(!roller.add(b)); // older
  b.open_time = {200'000'000'000};
  b.interval = 7s;
  CAF_CHECK(!roller.add(b)); // 7 s do not make a minute
  CAF_CHECK_EQUAL(roller.refused(), 3u);
  b.interval = 1s;
  CAF_CHECK(roller.add(b).has_value());
  CAF_CHECK(roller.finish().has_value());
  CAF_CHECK(!roller.finish());
}
