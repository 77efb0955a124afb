#define CAF_SUITE consolidated_book

#include "actors/feeds/book_view.hpp"
#include "actors/feeds/consolidated_book.hpp"
#include "messages/json.hpp"
#include "tests/feeds/consolidated_oracle.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr market_time start{1'700'000'000'000'000'000};

consolidated_options three_venues() {
  consolidated_options out;
  out.symbol = "BTC-USDT";
  out.price_scale = 2;
  out.size_scale = 8;
  out.bucket_width = {10'00};
  out.old_after = 5s;
  out.heat_columns = 5;
  out.venues = {{.instrument = {"BTC-USDT@a"}, .fee_ppm = 0, .rate = {}},
                {.instrument = {"BTC-USDT@b"}, .fee_ppm = 0, .rate = {}},
                {.instrument = {"BTC-USDT@c"}, .fee_ppm = 0, .rate = {}}};
  return out;
}

std::int64_t in_base(const view_options& how, std::int64_t at, std::int64_t contracts) {
  return base_units(how, {at}, {contracts}).value_or({-1}).raw;
}

/// A view from bids and asks in whole and hundredth units, sizes in hundredths.
book_view view_of(const std::string& name, market_time at, std::vector<level> bids, std::vector<level> asks,
                  int price_scale = 2, int size_scale = 2, std::int64_t width = 10'00) {
  order_book book{{.tick = {1}, .window_ticks = 256}};
  book.load(bids, asks);
  const view_options how{
      .instrument = {name}, .price_scale = price_scale, .size_scale = size_scale, .bucket_width = {width}};
  return make_book_view(how, {at, at, 0ns, 7, book_validity::valid}, book);
}

} // namespace

CAF_TEST(a merged book with the share of each venue) {
  consolidated_book book{three_venues()};
  book.on_view(view_of("BTC-USDT@a", start, {{{60000'00}, {100}}, {{59995'00}, {300}}}, {{{60001'00}, {50}}}),
               start);
  book.on_view(
      view_of("BTC-USDT@b", start, {{{60000'0}, {1}}}, {{{60001'0}, {2}}, {{60012'0}, {4}}}, 1, 1, 10'0),
      start);
  const auto page = book.page({});
  CAF_REQUIRE_EQUAL(page.bids.size(), 2u);
  CAF_CHECK_EQUAL(page.bids[0].at.raw, 60000'00);
  CAF_CHECK_EQUAL(page.bids[0].quantity.raw, 1'10000000); // 1.00 of a, 0.1 of b
  CAF_CHECK_EQUAL(page.bids[0].by_venue[0].raw, 1'00000000);
  CAF_CHECK_EQUAL(page.bids[0].by_venue[1].raw, 10000000);
  CAF_CHECK_EQUAL(page.bids[0].by_venue[2].raw, 0);
  CAF_REQUIRE_EQUAL(page.asks.size(), 2u);
  CAF_CHECK_EQUAL(page.asks[0].quantity.raw, 70000000);
  CAF_CHECK_EQUAL(page.mid_e3, 60000'50'000);
  // (bid × ask size + ask × bid size) / both: 60000 + 1.1 / 1.8
  CAF_CHECK_EQUAL(page.micro_e3, 60000'61'111);
  CAF_REQUIRE_EQUAL(page.buckets.size(), 41u);
  CAF_CHECK_EQUAL(page.buckets[20].number, 6000);
  CAF_CHECK_EQUAL(page.buckets[20].bids.raw, 1'10000000);
  CAF_CHECK_EQUAL(page.buckets[19].bids.raw, 3'00000000);
  CAF_CHECK_EQUAL(page.buckets[20].asks.raw, 70000000);
  CAF_CHECK_EQUAL(page.buckets[21].asks.raw, 40000000);
  CAF_CHECK(page.buckets_whole);
  CAF_CHECK(page.imbalance_known);
  CAF_CHECK_EQUAL(page.imbalance_ppm, (410 - 110) * 1'000'000 / 520);
  CAF_CHECK_EQUAL(page.venues[0].bid_share_ppm, 400 * 1'000'000 / 410);
  CAF_CHECK_EQUAL(page.venues[0].spread.raw, 1'00);
  CAF_CHECK(page.venues[2].standing == venue_standing::waiting);
  CAF_CHECK(page.arbitrages.empty());
  const auto alone = book.page({.only = {"BTC-USDT@b"}, .depth = 1, .columns = 0});
  CAF_REQUIRE_EQUAL(alone.asks.size(), 1u);
  CAF_CHECK_EQUAL(alone.asks[0].quantity.raw, 20000000);
}

CAF_TEST(venues drop out when invalid or old and come back) {
  consolidated_book book{three_venues()};
  book.on_view(view_of("BTC-USDT@a", start, {{{100'00}, {1}}}, {{{101'00}, {1}}}), start);
  book.on_view(view_of("BTC-USDT@b", start, {{{100'00}, {1}}}, {{{101'00}, {1}}}), start + 1s);
  CAF_CHECK_EQUAL(book.joined(), 2u);
  auto broken = view_of("BTC-USDT@a", start + 2s, {}, {});
  broken.validity = book_validity::gap;
  book.on_view(broken, start + 2s);
  CAF_CHECK_EQUAL(book.joined(), 1u);
  CAF_CHECK(book.page({}).venues[0].standing == venue_standing::invalid);
  book.advance(start + 5s);
  CAF_CHECK_EQUAL(book.joined(), 1u); // taken at 0 s, fresh up to and with 5 s
  book.advance(start + 5s + 1ns);
  CAF_CHECK_EQUAL(book.joined(), 0u);
  CAF_CHECK(book.page({}).venues[1].standing == venue_standing::old);
  CAF_CHECK(book.page({}).bids.empty());
  CAF_CHECK(!book.page({}).imbalance_known);
  book.on_view(view_of("BTC-USDT@b", start + 6s, {{{100'00}, {1}}}, {{{101'00}, {1}}}), start + 6s);
  book.on_view(view_of("BTC-USDT@a", start + 6s, {{{100'00}, {2}}}, {{{101'00}, {1}}}), start + 6s);
  CAF_CHECK_EQUAL(book.joined(), 2u);
  CAF_CHECK(book.page({}).venues[0].dropouts == 1u);
  CAF_CHECK(book.page({}).venues[1].dropouts == 1u);
  // An older view that comes late changes nothing; a stranger's neither.
  book.on_view(view_of("BTC-USDT@a", start + 5s, {{{90'00}, {2}}}, {{{91'00}, {1}}}), start + 6s);
  book.on_view(view_of("ETH-USDT@a", start + 6s, {{{90'00}, {2}}}, {{{91'00}, {1}}}), start + 6s);
  CAF_CHECK_EQUAL(book.reordered(), 1u);
  CAF_CHECK_EQUAL(book.strangers(), 1u);
  CAF_CHECK(book.page({}).bids[0].at.raw == 100'00);
}

CAF_TEST(a view that makes no sense is damaged and never merged) {
  const auto good = view_of("BTC-USDT@a", start, {{{100'00}, {1}}, {{99'00}, {1}}}, {{{101'00}, {1}}});
  const auto check = [&](const char* what, auto change) {
    CAF_MESSAGE(what);
    consolidated_book book{three_venues()};
    auto bad = good;
    change(bad);
    book.on_view(bad, start);
    CAF_CHECK(book.page({}).venues[0].standing == venue_standing::damaged);
    CAF_CHECK_EQUAL(book.joined(), 0u);
    book.on_view(good, start + 1ms);
    CAF_CHECK_EQUAL(book.joined(), 1u);
  };
  check("crossed", [](book_view& v) { v.asks[0].at = {100'00}; });
  check("unsorted", [](book_view& v) { std::swap(v.bids[0], v.bids[1]); });
  check("size 0", [](book_view& v) { v.bids[0].quantity = {0}; });
  check("price 0", [](book_view& v) { v.bids[1].at = {0}; });
  check("too long", [](book_view& v) { v.bids.resize(view_max_levels + 1, v.bids.back()); });
  check("sum below 0", [](book_view& v) { v.bid_sums[0] = {-1}; });
  check("a scale beyond ours", [](book_view& v) { v.price_scale = 3; });
  check("beyond 64 bits", [](book_view& v) { v.bids[0].quantity = {INT64_MAX}; });
  check("a number of a bucket beyond all", [](book_view& v) { v.bid_bucket = INT64_MAX; });
}

CAF_TEST(another currency joins only by its live rate) {
  auto options = three_venues();
  options.venues[2] = {
      .instrument = {"BTC-USD@c"}, .fee_ppm = 0, .rate = {"USDT-USD@k"}, .rate_divides = true};
  consolidated_book book{options};
  book.on_view(view_of("BTC-USDT@a", start, {{{60000'00}, {100}}}, {{{60010'00}, {100}}}), start);
  book.on_view(view_of("BTC-USD@c", start, {{{60000'00}, {100}}}, {{{60001'00}, {100}}}), start);
  CAF_CHECK(book.page({}).venues[2].standing == venue_standing::no_rate);
  CAF_CHECK(book.page({}).bids[0].by_venue[2].raw == 0);
  // 0.9990 / 0.9992 USD for a USDT: the bid is told at the rate's ask, rounded down, the ask at its bid, up.
  book.on_view(view_of("USDT-USD@k", start, {{{9990}, {100}}}, {{{9992}, {100}}}, 4, 2, 0), start);
  const auto page = book.page({});
  CAF_CHECK(page.venues[2].standing == venue_standing::joined);
  CAF_CHECK_EQUAL(page.venues[2].bid.at.raw, 60048'03);
  CAF_CHECK_EQUAL(page.venues[2].ask.at.raw, 60061'07);
  CAF_CHECK_EQUAL(page.venues[2].rate.text, "USDT-USD@k");
  CAF_CHECK_EQUAL(page.venues[2].rate_bid.raw, 9990);
  CAF_CHECK_EQUAL(page.venues[2].rate_scale, 4);
  CAF_REQUIRE_EQUAL(page.arbitrages.size(), 1u);
  CAF_CHECK_EQUAL(page.arbitrages[0].sell_at, 2u);
  CAF_CHECK_EQUAL(page.arbitrages[0].buy_at, 0u);
  CAF_CHECK_EQUAL(page.arbitrages[0].gain.raw, 38'03);
  book.advance(start + 6s);
  CAF_CHECK_EQUAL(book.joined(), 0u);
}

CAF_TEST(contracts become base units) {
  view_options how{.instrument = {"BTC-USD-PERP@d"},
                   .kind = contract_kind::inverse,
                   .contract_e8 = 100 * contract_unit,
                   .price_scale = 1,
                   .size_scale = 0,
                   .bucket_width = {100}};
  CAF_CHECK_EQUAL(view_size_scale(how), 8);
  // 3 contracts of 100 USD at 60,000.0: 0.005
  CAF_CHECK_EQUAL(in_base(how, 60000'0, 3), 500'000);
  CAF_CHECK_EQUAL(in_base(how, 60000'1, 3), 499'999); // rounded down
  CAF_CHECK(!base_units(how, {0}, {3}));
  how.kind = contract_kind::linear;
  how.contract_e8 = contract_unit / 100; // 0.01 BTC
  CAF_CHECK_EQUAL(in_base(how, 60000'0, 3), 3'000'000);
  how.contract_e8 = INT64_MAX;
  CAF_CHECK(!base_units(how, {60000'0}, {INT64_MAX}));
  order_book book{{.tick = {1}, .window_ticks = 256}};
  book.load(std::vector<level>{{{60000'0}, {INT64_MAX}}}, std::vector<level>{{{60001'0}, {1}}});
  const auto view = make_book_view(how, {start, start, 0ns, 1, book_validity::valid}, book);
  CAF_CHECK(view.validity == book_validity::damaged);
  CAF_CHECK(view.bids.empty() && view.asks.empty());
}

CAF_TEST(fees decide whether a crossed pair is an arbitrage) {
  auto options = three_venues();
  options.venues[0].fee_ppm = 1000;
  options.venues[1].fee_ppm = 1000;
  const auto pair = [&](std::int64_t bid) {
    consolidated_book book{options};
    book.on_view(view_of("BTC-USDT@a", start, {{{bid}, {100}}}, {{{bid + 1000}, {100}}}), start);
    book.on_view(view_of("BTC-USDT@b", start, {{{90'00}, {100}}}, {{{100'00}, {30}}}), start);
    return book.page({}).arbitrages;
  };
  CAF_CHECK(pair(100'00).empty());
  CAF_CHECK(pair(100'20).empty()); // 100.20 × 0.999 = 100.0998 < 100 × 1.001
  const auto found = pair(100'21);
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK_EQUAL(found[0].quantity.raw, 30'000'000);
  CAF_CHECK_EQUAL(found[0].gain.raw, 0); // 0.00979, told in hundredths and rounded down
  CAF_CHECK_EQUAL(found[0].gain_ppm, 97);
}

CAF_TEST(the heat map has a column a second and a bound) {
  consolidated_book book{three_venues()};
  book.on_view(view_of("BTC-USDT@a", start, {{{100'00}, {1}}}, {{{101'00}, {1}}}), start + 500ms);
  book.on_view(view_of("BTC-USDT@a", start + 1s, {{{100'00}, {2}}}, {{{101'00}, {1}}}), start + 1s);
  book.advance(start + 3s);
  auto columns = book.page({.only = {}, .depth = 0, .columns = 100}).columns;
  CAF_REQUIRE_EQUAL(columns.size(), 3u);
  CAF_CHECK_EQUAL(columns[0].at.ns, (start + 1s).ns);
  CAF_CHECK_EQUAL(columns[0].bids[20].raw, 1'000'000); // as it was before the view of that instant
  CAF_CHECK_EQUAL(columns[1].bids[20].raw, 2'000'000);
  book.advance(start + 24h);
  columns = book.page({.only = {}, .depth = 0, .columns = 100}).columns;
  CAF_REQUIRE_EQUAL(columns.size(), 5u);
  CAF_CHECK_EQUAL(columns.back().at.ns, (start + 24h).ns);
  CAF_CHECK(columns.back().bids.empty());
}

// --- against the oracle --------------------------------------------------------------------------

namespace {

struct world {
  explicit world(std::uint64_t seed) : random{seed} {
    options = three_venues();
    options.price_scale = 3;
    options.bucket_width = {10'000};
    options.heat_columns = 8;
    options.venues.push_back({.instrument = {"BTC-USD@d"}, .fee_ppm = 0, .rate = {"USDT-USD@k"}});
  }

  std::int64_t any(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>{low, high}(random);
  }

  whole_book some_book(std::int64_t mid, std::int64_t spread) {
    whole_book out;
    for (auto n = any(0, 80); n > 0; --n)
      out.bids[mid - any(0, spread)] = any(1, 1000);
    for (auto n = any(0, 80); n > 0; --n)
      out.asks[mid + 1 + any(0, spread)] = any(1, 1000);
    return out;
  }

  said some_view(market_time now) {
    const auto who = any(0, 4);
    said out;
    out.arrived = now;
    view_options how;
    how.size_scale = static_cast<int>(any(0, 3));
    if (who == 4) {
      how.instrument = {"USDT-USD@k"};
      how.price_scale = 4;
      out.book = some_book(any(9980, 10020), 3);
    } else {
      how.instrument = options.venues[static_cast<std::size_t>(who)].instrument;
      how.price_scale = static_cast<int>(any(0, 3));
      std::int64_t unit = 1;
      for (int i = 0; i < how.price_scale; ++i)
        unit *= 10;
      how.bucket_width = {10 * unit};
      out.book = some_book(any(9900, 10100) * unit, 400 * unit);
    }
    order_book book{{.tick = {1}, .window_ticks = 256}};
    for (const auto& [at, quantity] : out.book.bids)
      book.apply(side::buy, {at}, {quantity});
    for (const auto& [at, quantity] : out.book.asks)
      book.apply(side::sell, {at}, {quantity});
    const bool good = any(0, 9) != 0;
    const nanoseconds age{any(0, 3) == 0 ? any(0, 4'000'000'000) : 0};
    const view_moment when{now, now, age, ++sequence, good ? book_validity::valid : book_validity::gap};
    out.view = make_book_view(how, when, book);
    return out;
  }

  std::mt19937_64 random;
  consolidated_options options;
  std::uint64_t sequence = 0;
};

void check_side(const std::vector<merged_level>& got, const consolidated_oracle::state& then, bool bids) {
  std::map<std::int64_t, std::vector<size>> wanted;
  for (std::size_t v = 0; v < then.venues.size(); ++v) {
    if (!then.venues[v].joined) continue;
    const auto take = [&](std::int64_t at, std::int64_t quantity) {
      auto& row = wanted[bids ? -at : at];
      row.resize(then.venues.size());
      row[v].raw = quantity;
    };
    if (bids)
      for (const auto& [at, q] : then.venues[v].bids)
        take(at, q);
    else
      for (const auto& [at, q] : then.venues[v].asks)
        take(at, q);
  }
  CAF_REQUIRE_EQUAL(got.size(), wanted.size());
  std::size_t i = 0;
  for (const auto& [key, row] : wanted) {
    std::int64_t sum = 0;
    for (const auto s : row)
      sum += s.raw;
    CAF_REQUIRE_EQUAL(got[i].at.raw, bids ? -key : key);
    CAF_REQUIRE_EQUAL(got[i].quantity.raw, sum);
    CAF_REQUIRE(got[i].by_venue == row);
    ++i;
  }
}

void check_page(const consolidated_page& page, const consolidated_oracle& oracle, market_time now,
                bool averages) {
  const auto then = oracle.at(now);
  for (std::size_t v = 0; v < page.venues.size(); ++v)
    CAF_REQUIRE_EQUAL(page.venues[v].standing == venue_standing::joined, then.venues[v].joined);
  check_side(page.bids, then, true);
  check_side(page.asks, then, false);
  CAF_REQUIRE_EQUAL(page.mid_e3, then.has_mid ? (then.bid + then.ask) * 500 : 0);
  if (then.has_mid) {
    const auto top = (wide_integer{then.bid} * then.ask_size + wide_integer{then.ask} * then.bid_size) * 1000;
    CAF_REQUIRE_EQUAL(page.micro_e3, static_cast<std::int64_t>(top / (then.bid_size + then.ask_size)));
    CAF_REQUIRE_EQUAL(page.buckets.size(), 41u);
    for (const auto& b : page.buckets) {
      const auto in = [&](const auto& sums) { return sums.count(b.number) ? sums.at(b.number) : 0; };
      CAF_REQUIRE_EQUAL(b.bids.raw, in(then.bid_buckets));
      CAF_REQUIRE_EQUAL(b.asks.raw, in(then.ask_buckets));
    }
  }
  CAF_REQUIRE_EQUAL(page.imbalance_known, then.known);
  CAF_REQUIRE_EQUAL(static_cast<std::int64_t>(page.imbalance_ppm), then.known ? then.ppm : 0);
  if (!averages) return;
  for (std::size_t w = 0; w < imbalance_windows.size(); ++w)
    CAF_REQUIRE(page.averages[w] == oracle.average(now, imbalance_windows[w]));
  for (const auto& c : page.columns) {
    const auto at_column = oracle.at(c.at, true);
    CAF_REQUIRE_EQUAL(c.bids.empty(), !at_column.has_mid);
    for (std::size_t i = 0; i < c.bids.size(); ++i) {
      const auto number = c.first + static_cast<std::int64_t>(i);
      const auto in = [&](const auto& sums) { return sums.count(number) ? sums.at(number) : 0; };
      CAF_REQUIRE_EQUAL(c.bids[i].raw, in(at_column.bid_buckets));
      CAF_REQUIRE_EQUAL(c.asks[i].raw, in(at_column.ask_buckets));
    }
  }
}

} // namespace

CAF_TEST(random views equal the oracle) {
  const auto first = seed_of("consolidated_book", 20261122);
  int pages = 0;
  for (std::uint64_t n = 0; n < 12; ++n) {
    world w{first + n};
    consolidated_book book{w.options};
    consolidated_oracle oracle{w.options};
    auto now = start + nanoseconds{w.any(0, 999'999'999)};
    for (int step = 0; step < 120; ++step) {
      now =
          now + nanoseconds{w.any(0, 3) == 0 ? 0 : w.any(1, w.any(0, 20) == 0 ? 9'000'000'000 : 400'000'000)};
      auto s = w.some_view(now);
      book.on_view(s.view, now);
      oracle.say(std::move(s));
      if (w.any(0, 5) == 0) book.advance(now = now + nanoseconds{w.any(0, 2'000'000'000)});
      check_page(book.page({.only = {}, .depth = 0, .columns = 8}), oracle, now, step % 15 == 14);
      ++pages;
    }
  }
  CAF_MESSAGE(pages << " pages equal");
  CAF_CHECK_EQUAL(pages, 12 * 120);
}

CAF_TEST(the same calls give the same pages) {
  const auto seed = seed_of("consolidated_book", 20261122);
  const auto run = [&](bool more_ticks) {
    world w{seed};
    consolidated_book book{w.options};
    std::string out;
    auto now = start;
    for (int step = 0; step < 300; ++step) {
      const auto pause = nanoseconds{w.any(1, 300'000'000)};
      // Looking at the clock more often changes nothing.
      if (more_ticks)
        for (int i = 1; i < 5; ++i)
          book.advance(now + pause * i / 5);
      now = now + pause;
      book.on_view(w.some_view(now).view, now);
      out += to_json(book.page({.only = {}, .depth = 10, .columns = 3}));
    }
    return stable_hash(out);
  };
  const auto one = run(false);
  CAF_CHECK_EQUAL(one, run(false));
  CAF_CHECK_EQUAL(one, run(true));
}

CAF_TEST(a finer grid of a venue adds up to ours) {
  const std::vector<level> bids{{{59998'00}, {100}}, {{59989'99}, {300}}, {{59700'00}, {50}}};
  const std::vector<level> asks{{{60001'00}, {50}}, {{60010'00}, {70}}, {{60399'00}, {20}}};
  const auto page_of = [&](std::int64_t width, std::uint32_t buckets) {
    consolidated_book book{three_venues()};
    order_book own{{.tick = {1}, .window_ticks = 256}};
    own.load(bids, asks);
    view_options how{.instrument = {"BTC-USDT@a"}, .price_scale = 2, .size_scale = 2, .bucket_width = {width}};
    how.buckets = buckets;
    book.on_view(make_book_view(how, {start, start, 0ns, 7, book_validity::valid}, own), start);
    return book.page({});
  };
  const auto own = page_of(10'00, 32);
  for (const auto parts : {2u, 4u, 5u, 8u}) {
    const auto finer = page_of(10'00 / static_cast<std::int64_t>(parts), 32 * parts);
    CAF_REQUIRE_EQUAL(finer.buckets.size(), own.buckets.size());
    for (std::size_t i = 0; i < own.buckets.size(); ++i) {
      CAF_CHECK_EQUAL(finer.buckets[i].number, own.buckets[i].number);
      CAF_CHECK_EQUAL(finer.buckets[i].bids.raw, own.buckets[i].bids.raw);
      CAF_CHECK_EQUAL(finer.buckets[i].asks.raw, own.buckets[i].asks.raw);
    }
    CAF_CHECK_EQUAL(finer.imbalance_ppm, own.imbalance_ppm);
  }
  // One that does not divide ours is left out, and that is told.
  CAF_CHECK(!page_of(3'00, 128).buckets_whole);
  CAF_CHECK(!page_of(20'00, 32).imbalance_known);
}
