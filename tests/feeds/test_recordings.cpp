#define CAF_SUITE feed_recordings

#include "tests/support/recordings.hpp"
#include "tools/feed_verify/feed_verify.hpp"

#include <caf/test/unit_test.hpp>

#include <sstream>

using namespace troupe;

namespace {

constexpr std::string_view tapes = "venues/nkaz001+hftbacktest/examples/";
constexpr std::string_view two_way = "venues/bmoscon+cryptofeed/sample_data/";
constexpr std::string_view expectations = "venues/derived/replay_expectations/expectations.json";

/// The recordings below a folder; empty when any is missing (a `skipped:` line is printed).
std::vector<std::filesystem::path> find_all(std::string_view folder,
                                            std::initializer_list<std::string_view> names) {
  std::vector<std::filesystem::path> out;
  for (const auto name : names) {
    const auto found = test::recording(std::string{folder} + std::string{name}, "feed recordings");
    if (!found) return {};
    out.push_back(*found);
  }
  return out;
}

feed_figures single(const std::vector<std::filesystem::path>& inputs) {
  auto all = feed_figures_of(inputs);
  if (!all) CAF_FAIL(all.error().message());
  CAF_REQUIRE_EQUAL(all->size(), 1u);
  return std::move(all->front());
}

std::string text(const level& l, const feed_figures& f) {
  return format_decimal(l.at.raw, f.price_scale) + " x " + format_decimal(l.quantity.raw, f.size_scale);
}

void check_expectations(const std::vector<feed_figures>& figures,
                        const std::vector<std::filesystem::path>& inputs) {
  const auto file = test::recording(expectations, "feed recordings");
  if (!file) return;
  const auto differences = compare_with_expectations(figures, inputs, *file);
  if (!differences) CAF_FAIL(differences.error().message());
  for (const auto& line : *differences) CAF_ERROR(line);
  CAF_CHECK(differences->empty());
}

struct expected_row {
  std::uint64_t applied, stale, last;
  std::string bid, ask;
  std::uint64_t bid_levels, ask_levels, trades;
  std::string volume;
  std::uint64_t equal_number, agreed, compared;
  std::int64_t offset_ms;
};

void check_row(const feed_figures& f, const expected_row& e) {
  CAF_CHECK_EQUAL(f.report.diffs_applied, e.applied);
  CAF_CHECK_EQUAL(f.report.diffs_stale, e.stale);
  CAF_CHECK_EQUAL(f.report.gaps, 0u);
  CAF_CHECK_EQUAL(f.report.crossed, 0u);
  CAF_CHECK_EQUAL(f.report.damaged_frames, 0u);
  CAF_CHECK_EQUAL(f.report.unknown_frames, 0u);
  CAF_CHECK_EQUAL(f.report.resyncs, 0u);
  CAF_CHECK_EQUAL(f.report.sequence, e.last);
  CAF_CHECK_EQUAL(text(f.report.bid, f), e.bid);
  CAF_CHECK_EQUAL(text(f.report.ask, f), e.ask);
  CAF_CHECK_EQUAL(f.report.bid_levels, e.bid_levels);
  CAF_CHECK_EQUAL(f.report.ask_levels, e.ask_levels);
  CAF_CHECK_EQUAL(f.report.trades, e.trades);
  CAF_CHECK_EQUAL(f.report.trade_gaps, 0u);
  CAF_CHECK_EQUAL(format_decimal_short(f.volume.raw, f.size_scale), e.volume);
  CAF_CHECK_EQUAL(f.agreement.equal_number, e.equal_number);
  CAF_CHECK_EQUAL(f.agreement.equal_number_agreed, e.equal_number);
  CAF_CHECK_EQUAL(f.agreement.agreed, e.agreed);
  CAF_CHECK_EQUAL(f.agreement.compared, e.compared);
  CAF_CHECK(f.report.validity == book_validity::valid);
  const auto offset = f.report.clock_offset.count() / 1'000'000;
  CAF_CHECK(offset >= e.offset_ms - 15 && offset <= e.offset_ms + 5); // the least, not the usual one
}

} // namespace

CAF_TEST(spot_day) {
  const auto in = find_all(tapes, {"spot/btcusdt_20240808.gz"});
  if (in.empty()) return;
  const auto f = single(in);
  check_row(f, {3449, 2, 50093421584, "61685.99000000 x 1.00870000", "61686.00000000 x 2.29327000", 1209,
                2196, 9757, "212.03315", 564, 3449, 3449, -1272});
  CAF_CHECK_EQUAL(f.first_trade, 3735683259u);
  CAF_CHECK_EQUAL(f.rule, "spot");
}

CAF_TEST(spot_over_midnight) {
  const auto in = find_all(tapes, {"spot/btcusdt_20240808.gz", "spot/btcusdt_20240809.gz"});
  if (in.empty()) return;
  const auto f = single(in);
  check_row(f, {6493, 2, 50093696318, "61602.01000000 x 1.67177000", "61602.02000000 x 2.66795000", 1971,
                2962, 19904, "437.91552", 1072, 6491, 6493, -1272});
  CAF_CHECK_EQUAL(f.last_trade, 3735703162u);
  check_expectations({f}, in);
}

CAF_TEST(usdm_day) {
  const auto in = find_all(tapes, {"usdm/btcusdt_20240808.gz"});
  if (in.empty()) return;
  const auto f = single(in);
  check_row(f, {6547, 4, 5123135475514, "61659.70 x 1.486", "61659.80 x 0.981", 5018, 4578, 21313, "2429.366",
                629, 6547, 6547, -1270});
  CAF_CHECK_EQUAL(f.rule, "futures");
  CAF_CHECK_EQUAL(f.last_trade, 5266605247u);
  check_expectations({f}, in);
}

CAF_TEST(coin_margined_day) {
  const auto in = find_all(tapes, {"cm/btcusd_perp_20240808.gz"});
  if (in.empty()) return;
  const auto f = single(in);
  // The table has no figure for the last quote at or below u; what is compared must all agree.
  check_row(f, {26824, 23, 1007202248021, "61668.6 x 1380", "61668.7 x 871", 1110, 1123, 2286, "83241", 1124,
                f.agreement.compared, f.agreement.compared, -1268});
  CAF_CHECK_EQUAL(f.agreement.compared, 26824u);
}

CAF_TEST(coin_margined_over_midnight) {
  const auto in = find_all(tapes, {"cm/btcusd_perp_20240808.gz", "cm/btcusd_perp_20240809.gz"});
  if (in.empty()) return;
  const auto f = single(in);
  check_row(f, {44772, 23, 1007206781963, "61600.0 x 27", "61600.1 x 1647", 1510, 1733, 5235, "182183", 1885,
                44772, 44772, -1268});
  check_expectations({f}, in);
}

CAF_TEST(two_way_recordings) {
  struct venue {
    std::string_view socket, rest;
    std::uint64_t applied, stale;
  };
  for (const auto& v : {venue{"BINANCE.ws.1.0", "BINANCE.http.0.0", 172, 5},
                        venue{"BINANCE_US.ws.1.0", "BINANCE_US.http.0.0", 332, 4},
                        venue{"BINANCE_FUTURES.ws.1.0", "BINANCE_FUTURES.http.0.0", 752, 12}}) {
    CAF_MESSAGE(v.socket);
    const auto in = find_all(two_way, {v.socket, v.rest});
    if (in.empty()) return;
    const auto all = feed_figures_of(in);
    if (!all) CAF_FAIL(all.error().message());
    CAF_CHECK_EQUAL(all->size(), 4u);
    std::uint64_t applied = 0;
    std::uint64_t stale = 0;
    for (const auto& f : *all) {
      applied += f.report.diffs_applied;
      stale += f.report.diffs_stale;
      CAF_CHECK_EQUAL(f.report.gaps, 0u);
      CAF_CHECK_EQUAL(f.report.crossed, 0u);
      CAF_CHECK_EQUAL(f.report.damaged_frames, 0u);
      CAF_CHECK_EQUAL(f.agreement.equal_number, f.agreement.equal_number_agreed);
    }
    CAF_CHECK_EQUAL(applied, v.applied);
    CAF_CHECK_EQUAL(stale, v.stale);
    check_expectations(*all, in);
  }
}

CAF_TEST(line_order_is_caught) {
  const auto in = find_all(tapes, {"spot/btcusdt_20240808.gz"});
  if (in.empty()) return;
  std::ostringstream out;
  std::ostringstream err;
  CAF_CHECK_EQUAL(feed_verify({.inputs = in, .expect = {}, .line_order = true, .figures = {}}, out, err), 1);
  CAF_CHECK(err.str().find("bid 61820.99 over ask 61686") != std::string::npos);
  CAF_CHECK(err.str().find("gap") != std::string::npos);
  std::ostringstream fine;
  std::ostringstream words;
  CAF_CHECK_EQUAL(feed_verify({.inputs = in, .expect = {}, .json = true, .figures = {}}, fine, words), 0);
  CAF_CHECK(words.str().empty());
  CAF_CHECK(fine.str().find("\"depth_applied\":3449") != std::string::npos);
}

CAF_TEST(wrong_expectations_are_told) {
  const auto in = find_all(tapes, {"usdm/btcusdt_20240808.gz"});
  const auto file = test::recording(expectations, "feed recordings");
  if (in.empty() || !file) return;
  auto f = single(in);
  f.report.diffs_applied -= 1;
  f.minutes.begin()->second.close.raw += 1;
  const auto differences = compare_with_expectations({f}, in, *file);
  if (!differences) CAF_FAIL(differences.error().message());
  CAF_CHECK_EQUAL(differences->size(), 2u);
}
