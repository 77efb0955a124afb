#define CAF_SUITE bar_mender

#include "actors/feeds/bar_mender.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const instrument_id abc{"ABC-USDT@venue"};
constexpr market_time origin{1'700'000'100'000'000'000};
constexpr steady_time now{1'000'000'000};

/// A trade of the world; its id is what the socket and the venue's past share.
struct happened {
  trade_event trade;
  std::string id;
};

std::vector<happened> make_trades(std::mt19937_64& random, std::size_t count, trade_identity known_by,
                                  bool ordered_ids) {
  std::vector<happened> out;
  auto at = origin;
  for (std::size_t n = 0; n < count; ++n) {
    // Many trades of the same millisecond, some quiet minutes.
    const auto kind = random() % 20;
    at = at + (kind < 8 ? 0ms : kind < 19 ? std::chrono::milliseconds{random() % 900} : 30'000ms);
    happened h;
    h.trade.at = h.trade.event = at;
    h.trade.at_price = {1000 + static_cast<std::int64_t>(random() % 50)};
    h.trade.quantity = {1 + static_cast<std::int64_t>(random() % 3)};
    h.trade.taker = random() % 2 == 0 ? side::buy : side::sell;
    h.trade.numbered = ordered_ids;
    h.trade.id = h.trade.first_id = h.trade.last_id = 5000 + n;
    if (known_by == trade_identity::id && !ordered_ids) {
      h.id = "t" + std::to_string(random());
      h.trade.id = h.trade.first_id = h.trade.last_id = 0;
    }
    out.push_back(std::move(h));
  }
  for (auto& h : out) h.trade.id_text = h.id;
  return out;
}

past_trade past_of(const happened& h, trade_identity known_by, bool ordered_ids) {
  past_trade out;
  out.id = h.id;
  if (known_by != trade_identity::content) out.number = h.trade.id;
  if (ordered_ids) out.first = out.last = h.trade.id;
  out.at = h.trade.at;
  out.at_price = h.trade.at_price;
  out.quantity = h.trade.quantity;
  out.taker = h.trade.taker;
  return out;
}

using bar_table = std::map<std::pair<std::int64_t, std::int64_t>, bar>;

void put(bar_table& to, const bar& b) {
  const auto added = to.emplace(std::pair{b.interval.count(), b.open_time.ns}, b).second;
  CAF_CHECK(added); // each bar once
}

bool same(const bar& a, const bar& b) {
  return a.open == b.open && a.high == b.high && a.low == b.low && a.close == b.close && a.volume == b.volume
         && a.buy_volume == b.buy_volume && a.trades == b.trades && a.closed && b.closed;
}

/// A feed's part: trades of the socket into bars and mender, breaks, answers of the venue's past.
struct rig {
  rig(bar_mender_options options, market_time start) : mender{std::move(options), start} {}

  void on_trade(const happened& h) {
    at = h.trade.at;
    builder.on_trade(h.trade);
    mender.on_trade(h.trade);
    collect();
  }
  void collect() {
    for (const auto& b : mender.take_ready()) put(bars, b);
  }

  bar_mender mender;
  bar_table bars;
  market_time at;
  bar_builder builder{abc, 2s, [this](const bar& b) { mender.on_bar(b); }};
};

bar_table truth_of(const std::vector<happened>& trades) {
  bar_table out;
  bar_builder builder{abc, 2s, [&](const bar& b) { put(out, b); }};
  for (const auto& h : trades) builder.on_trade(h.trade);
  builder.flush();
  return out;
}

/// What the venue tells of a hole: with what lies around it, in pages that overlap.
void answer(rig& r, const trade_hole& hole, const std::vector<happened>& trades, trade_identity known_by,
            bool ordered_ids, std::mt19937_64& random, std::size_t most_told) {
  std::vector<past_trade> told;
  for (const auto& h : trades)
    if (h.trade.at >= hole.from - 1ms && h.trade.at <= hole.to + 1ms) told.push_back(past_of(h, known_by, ordered_ids));
  bool whole = true;
  if (told.size() > most_told) {
    told.erase(told.begin(), told.end() - static_cast<std::ptrdiff_t>(most_told));
    whole = false;
  }
  past_trades page{abc, hole.hole, {}, false, whole, told.empty() ? hole.to : told.front().at, "newest only"};
  // Trades without ids come in one page, for equal ones are told apart by their place in it.
  const auto step = known_by == trade_identity::content ? told.size() + 1 : 1 + random() % 40;
  for (std::size_t first = 0; first < told.size(); first += step) {
    const auto from = first - std::min<std::size_t>(first, known_by == trade_identity::content ? 0 : random() % 5);
    const auto end = std::min(told.size(), first + step);
    page.trades.assign(told.begin() + static_cast<std::ptrdiff_t>(from),
                       told.begin() + static_cast<std::ptrdiff_t>(end));
    std::shuffle(page.trades.begin(), page.trades.end(), random);
    // Among trades of one instant without numbers only the venue's own order tells the first from the last.
    const auto earlier = [](const past_trade& a, const past_trade& b) {
      return a.at != b.at ? a.at < b.at : a.number < b.number;
    };
    if (ordered_ids || known_by == trade_identity::number)
      std::sort(page.trades.begin(), page.trades.end(), earlier);
    else
      page.trades.assign(told.begin() + static_cast<std::ptrdiff_t>(from),
                         told.begin() + static_cast<std::ptrdiff_t>(end));
    r.mender.on_past(page, now);
  }
  page.trades.clear();
  page.done = true;
  r.mender.on_past(page, now);
  r.collect();
}

struct random_run {
  trade_identity known_by = trade_identity::id;
  bool ordered_ids = false;
  std::size_t most_told = SIZE_MAX;
  std::uint64_t compared = 0;
  std::uint64_t missing = 0; ///< bars of the truth that were not handed out
  bar_mender_counts counts;

  void play(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    const auto trades = make_trades(random, 1500, known_by, ordered_ids);
    const auto truth = truth_of(trades);
    bar_mender_options options;
    options.instrument = abc;
    options.known_by = known_by;
    options.reach = 24h;
    rig r{options, origin};
    bool connected = true;
    market_time before;
    for (const auto& h : trades) {
      // Within one instant only numbers say on which side of a break a trade was.
      const bool apart = ordered_ids || h.trade.at > before + 1ms;
      before = h.trade.at;
      if (apart && random() % 30 == 0) {
        connected = !connected;
        r.mender.on_break(h.trade.at);
      }
      if (!connected) {
        // The clock closes what is over meanwhile.
        if (random() % 10 == 0) r.builder.advance(h.trade.at - 2s);
        continue;
      }
      // What the socket brings has come before the venue's past is asked.
      if (h.trade.at > r.at + 1ms && random() % 8 == 0)
        if (const auto hole = r.mender.due(h.trade.at, now))
          answer(r, *hole, trades, known_by, ordered_ids, random, most_told);
      r.on_trade(h);
    }
    while (const auto hole = r.mender.due(r.at, now))
      answer(r, *hole, trades, known_by, ordered_ids, random, most_told);
    r.collect();
    counts = r.mender.counts();
    for (const auto& [key, b] : truth) {
      const auto found = r.bars.find(key);
      const bool over = b.open_time + b.interval <= r.at;
      if (found == r.bars.end()) {
        missing += over ? 1 : 0;
        continue;
      }
      ++compared;
      if (same(b, found->second)) continue;
      CAF_FAIL("seed " << seed << ": bar of " << key.first / 1'000'000'000 << " s at "
                       << (key.second - origin.ns) / 1'000'000 << " ms differs: trades " << b.trades << " and "
                       << found->second.trades << ", open " << b.open.raw << " and " << found->second.open.raw
                       << ", close " << b.close.raw << " and " << found->second.close.raw);
    }
    for (const auto& [key, b] : r.bars) CAF_REQUIRE(truth.contains(key)); // nothing is invented
  }
};

constexpr std::uint64_t runs = 30;

} // namespace

CAF_TEST(bars_with_holes_filled_equal_those_of_an_undisturbed_socket) {
  const auto seed = test::seed_of("bar_mender", 1);
  for (const auto known_by : {trade_identity::id, trade_identity::number, trade_identity::content})
    for (const bool ordered : {false, true}) {
      if (ordered && known_by == trade_identity::content) continue;
      std::uint64_t compared = 0;
      std::uint64_t holes = 0;
      for (std::uint64_t n = 0; n < runs; ++n) {
        random_run run{known_by, ordered, SIZE_MAX, 0, 0, {}};
        run.play(seed + n);
        CAF_CHECK_EQUAL(run.missing, 0u);
        CAF_CHECK_EQUAL(run.counts.lost, 0u);
        compared += run.compared;
        holes += run.counts.holes;
      }
      CAF_MESSAGE("bars compared: " << compared << ", holes: " << holes);
      CAF_CHECK_GREATER(compared, 5000u);
      CAF_CHECK_GREATER(holes, runs * 5);
    }
}

CAF_TEST(what_the_venue_does_not_tell_any_more_is_never_handed_out_as_whole) {
  const auto seed = test::seed_of("bar_mender", 2);
  std::uint64_t missing = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t n = 0; n < runs; ++n) {
    random_run run{trade_identity::id, false, 7, 0, 0, {}};
    run.play(seed + n);
    missing += run.missing;
    lost += run.counts.lost;
  }
  CAF_CHECK_GREATER(missing, 100u);
  CAF_CHECK_GREATER(lost, 30u);
}

CAF_TEST(an_aggregate_over_the_end_of_a_hole_gives_only_what_was_missing) {
  bar_mender_options options;
  options.instrument = abc;
  rig r{options, origin};
  const auto trade = [](std::uint64_t id, std::int64_t ms, std::int64_t quantity) {
    happened h;
    h.trade.id = h.trade.first_id = h.trade.last_id = id;
    h.trade.at = h.trade.event = origin + std::chrono::milliseconds{ms};
    h.trade.at_price = {1000};
    h.trade.quantity = {quantity};
    return h;
  };
  r.on_trade(trade(1, 0, 5));
  // The initial hole is told empty.
  auto hole = r.mender.due(r.at, now);
  CAF_REQUIRE(hole.has_value());
  r.mender.on_past({abc, hole->hole, {}, true, true, {}, {}}, now);
  r.on_trade(trade(2, 61'000, 7));
  r.mender.on_break(r.at);
  r.on_trade(trade(6, 62'000, 11));
  hole = r.mender.due(r.at, now);
  CAF_REQUIRE(hole.has_value());
  CAF_CHECK_EQUAL(hole->first, 3u);
  CAF_CHECK_EQUAL(hole->end, 6u);
  past_trade front{{}, 3, 2, 3, origin + 61'000ms, {1001}, {7 + 2}, side::buy};
  past_trade back{{}, 6, 4, 6, origin + 62'000ms, {999}, {3 + 11}, side::sell};
  r.mender.on_past({abc, hole->hole, {front, back, front}, true, true, {}, {}}, now);
  r.on_trade(trade(7, 200'000, 1));
  const auto found = r.bars.find({60'000'000'000, (origin + 60'000ms).ns / 60'000'000'000 * 60'000'000'000});
  CAF_REQUIRE(found != r.bars.end());
  CAF_CHECK_EQUAL(found->second.volume.raw, 7 + 2 + 3 + 11);
  CAF_CHECK_EQUAL(found->second.trades, 5u);
  CAF_CHECK_EQUAL(found->second.high.raw, 1001);
  CAF_CHECK_EQUAL(found->second.low.raw, 999);
}

CAF_TEST(trades_told_singly_count_once_though_the_socket_joined_them) {
  bar_mender_options options;
  options.instrument = abc;
  rig r{options, origin};
  const auto trade = [](std::uint64_t first, std::uint64_t last, std::int64_t ms, std::int64_t quantity) {
    happened h;
    h.trade.id = h.trade.last_id = last;
    h.trade.first_id = first;
    h.trade.at = h.trade.event = origin + std::chrono::milliseconds{ms};
    h.trade.at_price = {1000};
    h.trade.quantity = {quantity};
    h.trade.numbered = false;
    return h;
  };
  r.on_trade(trade(1, 1, 0, 5));
  auto hole = r.mender.due(r.at, now);
  CAF_REQUIRE(hole.has_value());
  r.mender.on_past({abc, hole->hole, {}, true, true, {}, {}}, now);
  r.on_trade(trade(2, 4, 61'000, 30));
  r.mender.on_break(r.at);
  r.on_trade(trade(6, 8, 62'000, 300)); // 6, 7 and 8 in one message; 5 is missing
  hole = r.mender.due(r.at, now);
  CAF_REQUIRE(hole.has_value());
  CAF_CHECK_EQUAL(hole->first, 5u);
  CAF_CHECK_EQUAL(hole->end, 6u);
  past_trades page{abc, hole->hole, {}, true, true, {}, {}};
  for (std::uint64_t id = 2; id <= 8; ++id) {
    const bool early = id <= 4;
    page.trades.push_back({{}, id, id, id, origin + (early ? 61'000ms : 62'000ms), {1000},
                           {early ? 10 : id == 5 ? 7 : 100}, side::buy});
  }
  r.mender.on_past(page, now);
  r.on_trade(trade(9, 9, 200'000, 1));
  const auto found = r.bars.find({60'000'000'000, (origin + 60'000ms).ns / 60'000'000'000 * 60'000'000'000});
  CAF_REQUIRE(found != r.bars.end());
  CAF_CHECK_EQUAL(found->second.volume.raw, 30 + 7 + 300);
  CAF_CHECK_EQUAL(found->second.trades, 7u);
}

CAF_TEST(holes_beyond_the_reach_and_without_an_answer_are_lost_and_said) {
  bar_mender_options options;
  options.instrument = abc;
  options.reach = 1min;
  rig r{options, origin};
  const auto at = [](std::int64_t s) { return origin + std::chrono::seconds{s}; };
  happened h;
  h.trade.at_price = {1000};
  h.trade.quantity = {1};
  h.trade.numbered = false;
  const auto trade = [&](std::int64_t s, std::uint64_t id) {
    h.trade.at = at(s);
    h.trade.id = h.trade.first_id = h.trade.last_id = id;
    r.on_trade(h);
  };
  trade(0, 1);
  auto hole = r.mender.due(at(0), now);
  CAF_REQUIRE(hole.has_value());
  CAF_CHECK(hole->from == origin - 60s);
  r.mender.on_past({abc, hole->hole, {}, true, true, {}, {}}, now);
  r.mender.on_break(at(1));
  trade(600, 2);
  hole = r.mender.due(at(600), now);
  CAF_REQUIRE(hole.has_value());
  CAF_CHECK(hole->from == at(540)); // a minute back, not ten
  CAF_CHECK_EQUAL(r.mender.lost().size(), 1u);
  CAF_CHECK(!r.mender.due(at(601), now + 10s).has_value()); // the answer is on its way
  CAF_CHECK(r.mender.due(at(602), now + 3min).has_value());
  CAF_CHECK(r.mender.due(at(603), now + 6min).has_value());
  CAF_CHECK(!r.mender.due(at(604), now + 9min).has_value()); // given up
  CAF_CHECK_EQUAL(r.mender.counts().lost, 1u);
  CAF_CHECK_EQUAL(r.mender.waiting(), 0u);
  trade(700, 3);
  r.collect();
  for (const auto& [key, b] : r.bars) CAF_CHECK(b.open_time > at(600) || b.open_time + b.interval <= at(0));
}

CAF_TEST(without_a_filler_bars_with_missing_trades_are_left_out) {
  bar_mender_options options;
  options.instrument = abc;
  options.fetches = false;
  rig r{options, origin};
  happened h;
  h.trade.at_price = {1000};
  h.trade.quantity = {1};
  h.trade.numbered = false;
  for (std::uint64_t s = 0; s < 600; s += 10) {
    h.trade.at = origin + std::chrono::seconds{s} + 1ms;
    h.trade.id = h.trade.first_id = h.trade.last_id = s + 1;
    if (s == 300) r.mender.on_break(h.trade.at);
    r.on_trade(h);
  }
  CAF_CHECK_GREATER(r.bars.size(), 40u);
  CAF_CHECK_GREATER(r.mender.counts().partial, 0u);
  for (const auto& [key, b] : r.bars) {
    const bool over_start = b.open_time <= origin + 1ms;
    const bool over_break = b.open_time + b.interval > origin + 290s + 1ms && b.open_time <= origin + 300s + 1ms;
    CAF_CHECK(!over_start && !over_break);
  }
}
