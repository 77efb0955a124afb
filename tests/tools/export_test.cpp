#define CAF_SUITE export_csv

#include "actors/feeds/features.hpp"
#include "messages/tensor.hpp"
#include "storage/file.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/support/recordings.hpp"
#include "tools/export/export.hpp"
#include "tools/export/market_csv.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr market_time evening{1'723'161'240'000'000'000}; // 2024-08-08 23:54:00 UTC

struct export_folder {
  export_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-export-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~export_folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

instrument_spec btc() {
  instrument_spec out;
  out.id = {"BTC-USDT@binance"};
  out.venue_symbol = "BTCUSDT";
  out.price_scale = 2;
  out.size_scale = 8;
  out.tick = {1};
  return out;
}

bar sample_bar(std::int64_t minute) {
  bar b;
  b.instrument = {"BTC-USDT@binance"};
  b.interval = 1min;
  b.open_time = evening + 1min * minute;
  b.open = {6180000 + minute};
  b.high = {6190000};
  b.low = {6170050};
  b.close = {6180001};
  b.volume = {1507702000};
  b.buy_volume = {5};
  b.trades = 1255;
  b.closed = true;
  return b;
}

/// A frame whose channels are step × 100 + channel / 16 for steps numbered by their end in seconds.
feature_frame sample_frame(market_time at, std::size_t unknown_steps) {
  std::vector<float> values(feature_channels * feature_steps);
  for (std::size_t c = 0; c < feature_channels; ++c)
    for (std::size_t s = 0; s < feature_steps; ++s) {
      const auto known = s >= unknown_steps;
      const auto end = (at.ns / 1'000'000'000 - static_cast<std::int64_t>(feature_steps - 1 - s)) % 1000;
      values[c * feature_steps + s] = !known ? 0.0F
                                      : c + 1 == feature_channels
                                          ? 1.0F
                                          : static_cast<float>(end) + static_cast<float>(c) / 16.0F;
    }
  feature_frame out;
  out.instrument = {"BTC-USDT@binance"};
  out.at = at;
  out.schema = feature_schema_version;
  out.features = pack_f32(values, {feature_channels, feature_steps});
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    CAF_REQUIRE(end != std::string::npos);
    out.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

} // namespace

CAF_TEST(fields and times) {
  CAF_CHECK_EQUAL(csv::field("BTC-USDT@binance"), "BTC-USDT@binance");
  CAF_CHECK_EQUAL(csv::field("a,b"), "\"a,b\"");
  CAF_CHECK_EQUAL(csv::field("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
  CAF_CHECK_EQUAL(csv::utc(evening), "2024-08-08T23:54:00Z");
  CAF_CHECK_EQUAL(csv::utc(evening + 1500us), "2024-08-08T23:54:00.0015Z");
  CAF_CHECK_EQUAL(csv::utc({0}), "1970-01-01T00:00:00Z");
  CAF_CHECK_EQUAL(csv::utc({-1}), "1969-12-31T23:59:59.999999999Z");
  CAF_CHECK(parse_utc("2024-08-08T23:54:00Z").value_or({}) == evening);
  CAF_CHECK(parse_utc("1723161240000000000").value_or({}) == evening);
  CAF_CHECK(parse_utc("2024-02-29").value_or({}).ns == 1'709'164'800'000'000'000);
  for (const auto* bad :
       {"", "2023-02-29", "2024-13-01", "2024-08-08T25:00:00Z", "2024-08-08T23:54", "today", "2024-08-08x"})
    CAF_CHECK(!parse_utc(bad));
}

CAF_TEST(bars of a store with a manifest) {
  const export_folder folder;
  {
    std::filesystem::create_directories(folder.path / "ingest");
    auto kept = open_rocksdb_store({.directory = folder.path / "ingest" / "store"});
    CAF_REQUIRE(kept.has_value());
    for (const std::int64_t m : {0, 1, 2, 5, 6})
      CAF_REQUIRE((*kept)->put_bar(sample_bar(m)).has_value());
    CAF_REQUIRE((*kept)->sync().has_value());
  }
  const auto source = store_source(folder.path, btc().id);
  if (!source) CAF_FAIL(source.error().message());
  export_options options;
  options.spec = btc();
  options.from = evening + 1min;
  options.to = evening + 6min;
  options.out = folder.path / "bars.csv";
  std::ostringstream standard;
  const auto done = export_csv(options, *source, standard);
  if (!done) CAF_FAIL(done.error().message());
  CAF_CHECK_EQUAL(done->rows, 3u); // minutes 1, 2 and 5; 3 and 4 stay missing
  CAF_CHECK(standard.str().empty());
  const auto text = read_whole(real_disk(), options.out, 1u << 20).value_or("");
  const auto lines = lines_of(text);
  CAF_REQUIRE_EQUAL(lines.size(), 4u);
  CAF_CHECK_EQUAL(lines[0], "instrument,interval,open_time,open,high,low,close,volume,buy_volume,trades");
  CAF_CHECK_EQUAL(lines[1],
                  "BTC-USDT@binance,1m,2024-08-08T23:55:00Z,61800.01,61900.00,61700.50,61800.01,15.07702000,"
                  "0.00000005,1255");
  CAF_CHECK(lines[3].find("2024-08-08T23:59:00Z") != std::string::npos);
  const auto manifest =
      read_whole(real_disk(), options.out.string() + ".manifest.json", 1u << 20).value_or("");
  CAF_CHECK(manifest.find("\"rows\":3,") != std::string::npos);
  CAF_CHECK(manifest.find(done->sha256) != std::string::npos);
  CAF_CHECK(verify_export(options.out).has_value());
  // The same to standard output, byte for byte.
  options.out = "-";
  CAF_REQUIRE(export_csv(options, *source, standard).has_value());
  CAF_CHECK(standard.str() == text);
  // One changed byte is noticed.
  options.out = folder.path / "bars.csv";
  auto damaged = text;
  damaged[100] ^= 1;
  std::ofstream{options.out, std::ios::binary} << damaged;
  CAF_CHECK(!verify_export(options.out));
}

CAF_TEST(many bars come page by page) {
  export_source source;
  std::uint64_t pages = 0;
  source.bars = [&](const bar_range& what) -> result<bar_page> {
    ++pages;
    bar_page out;
    for (auto m = (what.from - evening + 1min - 1ns) / 1min; m < 5000; ++m) {
      out.more = out.bars.size() == what.limit;
      if (out.more) break;
      out.bars.push_back(sample_bar(m));
    }
    return out;
  };
  export_options options;
  options.spec = btc();
  options.from = evening;
  options.out = "-";
  std::ostringstream out;
  CAF_CHECK_EQUAL(export_csv(options, source, out).value_or({}).rows, 5000u);
  CAF_CHECK_EQUAL(pages, 3u);
  CAF_CHECK_EQUAL(lines_of(out.str()).size(), 5001u);
  options.what = export_kind::features;
  CAF_CHECK(!export_csv(options, source, out)); // has none
}

CAF_TEST(features of a store are the frames that were predicted from) {
  auto kept = make_memory_store();
  for (std::int64_t n = 0; n < 300; ++n)
    for (const auto over : {horizon::m5, horizon::m1}) {
      snapshot s;
      s.frame = sample_frame(evening + 10s * n, 0);
      s.what.instrument = n % 2 == 0 || n < 20 ? s.frame.instrument : instrument_id{"ETH-USDT@binance"};
      s.what.over = over;
      s.what.at = s.frame.at;
      s.what.id = std::to_string(n) + std::string{name_of(over)};
      CAF_REQUIRE(kept->put_snapshot(s).has_value());
      outcome then;
      then.kind = outcome_kind::scored;
      CAF_REQUIRE(kept->mature({s.what.id, then}).has_value());
    }
  export_source source;
  source.frames = [&](const std::function<void(const feature_frame&)>& take) {
    return frames_of_training(
        btc().id, [&](const training_pull& what) { return kept->pull(what); }, take);
  };
  export_options options;
  options.what = export_kind::features;
  options.spec = btc();
  options.out = "-";
  std::ostringstream out;
  const auto done = export_csv(options, source, out);
  CAF_REQUIRE(done.has_value());
  // 64 s of the first frame, then every second to the last one of ours, 2,980 s later.
  CAF_CHECK_EQUAL(done->rows, 64u + 2980u);
}

CAF_TEST(overlapping frames give each second once) {
  csv::feature_rows rows;
  const market_time all{INT64_MAX};
  const auto first = lines_of(rows.add(sample_frame(evening, 60), {0}, all));
  CAF_REQUIRE_EQUAL(first.size(), 4u); // 60 steps were unknown
  CAF_CHECK(first[0].starts_with("BTC-USDT@binance,1,2024-08-08T23:53:57Z,237,237.0625,"));
  CAF_CHECK(first[3].ends_with(",1"));
  CAF_CHECK_EQUAL(lines_of(rows.add(sample_frame(evening + 10s, 50), {0}, all)).size(), 10u);
  CAF_CHECK(rows.add(sample_frame(evening + 5s, 0), {0}, all).empty());
  // After a silence only what the frame still holds comes; what lies between stays missing.
  CAF_CHECK_EQUAL(lines_of(rows.add(sample_frame(evening + 200s, 0), {0}, all)).size(), 64u);
  CAF_CHECK_EQUAL(lines_of(rows.add(sample_frame(evening + 210s, 0), evening + 203s, evening + 206s)).size(),
                  3u);
  auto foreign = sample_frame(evening + 300s, 0);
  foreign.schema = 99;
  CAF_CHECK(rows.add(foreign, {0}, all).empty());
  CAF_CHECK_EQUAL(rows.refused(), 1u);
}

CAF_TEST(bars and features of a recorded tape) {
  const auto tape =
      test::recording("venues/nkaz001+hftbacktest/examples/spot/btcusdt_20240808.gz", "export_csv");
  if (!tape) return;
  const auto source = tape_source(*tape, btc());
  if (!source) CAF_FAIL(source.error().message());
  export_options options;
  options.spec = btc();
  options.out = "-";
  std::ostringstream out;
  const auto bars = export_csv(options, *source, out);
  if (!bars) CAF_FAIL(bars.error().message());
  const auto lines = lines_of(out.str());
  CAF_CHECK_EQUAL(lines.size(),
                  6u); // 23:55 to 23:59; the first minute and the one after midnight are cut off
  CAF_CHECK(lines[1].starts_with(
      "BTC-USDT@binance,1m,2024-08-08T23:55:00Z,61828.00,61860.80,61780.00,61782.25,15.07702000,"));
  CAF_CHECK(lines[1].ends_with(",1255"));
  options.what = export_kind::features;
  std::ostringstream seconds;
  const auto features = export_csv(options, *source, seconds);
  if (!features) CAF_FAIL(features.error().message());
  CAF_MESSAGE(features->rows << " seconds of features");
  CAF_CHECK(features->rows > 300 && features->rows <= 344);
  const auto rows = lines_of(seconds.str());
  for (std::size_t i = 2; i < rows.size(); ++i)
    CAF_CHECK(rows[i - 1].substr(0, 40) < rows[i].substr(0, 40));
}
