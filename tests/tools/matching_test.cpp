#define CAF_SUITE venue_matching
#include "tests/tools/venue_sim_support.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;
using namespace troupe::venue_sim;
using namespace troupe::venue_sim::test;

namespace {

/// A market with bids 100.00 × 1, 99.99 × 2 and asks 100.01 × 1, 100.02 × 3, and an engine beside it.
struct bench {
  bench() {
    book.set_bid({e8("100.00"), e8("1")});
    book.set_bid({e8("99.99"), e8("2")});
    book.set_ask({e8("100.01"), e8("1")});
    book.set_ask({e8("100.02"), e8("3")});
    book.set_id(1);
  }

  static trading_rules rules() {
    trading_rules r;
    r.maker_fee_ppm = 500;
    r.taker_fee_ppm = 1000;
    return r;
  }

  std::variant<std::int64_t, refusal> place(order_side side, order_type type, std::string_view price,
                                            std::string_view quantity, time_in_force tif = time_in_force::gtc,
                                            std::string id = {}) {
    order_request o;
    o.side = side;
    o.type = type;
    o.tif = tif;
    o.price_e8 = price.empty() ? 0 : e8(price);
    o.quantity_e8 = e8(quantity);
    o.client_order_id = std::move(id);
    return engine.place(std::move(o), book, ++now);
  }
  std::int64_t accepted(const std::variant<std::int64_t, refusal>& r) {
    if (const auto* no = std::get_if<refusal>(&r)) CAF_FAIL("refused: " << no->code << " " << no->text);
    return std::get<std::int64_t>(r);
  }
  int code(const std::variant<std::int64_t, refusal>& r) {
    const auto* no = std::get_if<refusal>(&r);
    return no == nullptr ? 0 : no->code;
  }
  void trade(std::string_view price, std::string_view quantity, bool buyer_is_maker) {
    market_event e;
    e.kind = frame_kind::trade;
    e.one = {e8(price), e8(quantity)};
    e.buyer_is_maker = buyer_is_maker;
    e.time_ns = ++now;
    engine.on_market(e, book);
  }
  void diff(std::vector<book_level> bids, std::vector<book_level> asks) {
    market_event e;
    e.kind = frame_kind::depth;
    e.bids = bids;
    e.asks = asks;
    e.time_ns = ++now;
    for (const auto& l : bids)
      book.set_bid(l);
    for (const auto& l : asks)
      book.set_ask(l);
    book.set_id(book.id() + 1);
    engine.on_market(e, book);
  }
  const order& of(std::int64_t id) const { return *engine.find(id); }

  market_book book;
  matching_engine engine{rules(), e8("10"), e8("10000")};
  std::int64_t now = 1'000'000'000'000'000;
};

} // namespace

CAF_TEST(a market order walks the levels and pays the taker fee in what it receives) {
  bench b;
  const auto id = b.accepted(b.place(order_side::buy, order_type::market, "", "2.5"));
  const auto& o = b.of(id);
  CAF_CHECK(o.status == order_status::filled);
  CAF_CHECK_EQUAL(o.filled_quote_e8, e8("250.04")); // 1 × 100.01 + 1.5 × 100.02
  CAF_CHECK_EQUAL(b.engine.base().free_e8, e8("10") + e8("2.5") - e8("0.0025"));
  CAF_CHECK_EQUAL(b.engine.quote().free_e8, e8("10000") - e8("250.04"));
  CAF_CHECK_EQUAL(b.engine.fills().size(), 2u);
  const auto sold = b.accepted(b.place(order_side::sell, order_type::market, "", "0.5"));
  CAF_CHECK_EQUAL(b.of(sold).filled_quote_e8, e8("50"));
  const auto& fee = b.engine.fills().rbegin()->second;
  CAF_CHECK(!fee.commission_in_base);
  CAF_CHECK_EQUAL(fee.commission_e8, e8("0.05"));
}

CAF_TEST(what was taken stays taken until the level changes) {
  bench b;
  b.accepted(b.place(order_side::buy, order_type::market, "", "1"));
  const auto second = b.accepted(b.place(order_side::buy, order_type::market, "", "1"));
  CAF_CHECK_EQUAL(b.of(second).filled_quote_e8, e8("100.02"));
  b.diff({}, {{e8("100.01"), e8("4")}});
  const auto third = b.accepted(b.place(order_side::buy, order_type::market, "", "1"));
  CAF_CHECK_EQUAL(b.of(third).filled_quote_e8, e8("100.01"));
}

CAF_TEST(a limit order takes what it may and rests with the remainder) {
  bench b;
  const auto id = b.accepted(b.place(order_side::buy, order_type::limit, "100.01", "3"));
  CAF_CHECK(b.of(id).status == order_status::partially_filled);
  CAF_CHECK_EQUAL(b.of(id).filled_e8, e8("1"));
  CAF_CHECK_EQUAL(b.engine.quote().locked_e8, e8("200.02"));
  CAF_CHECK_EQUAL(b.engine.quote().free_e8, e8("10000") - e8("300.03"));
  CAF_CHECK(std::holds_alternative<std::int64_t>(b.engine.cancel(id, {}, "c1", ++b.now)));
  CAF_CHECK(b.of(id).status == order_status::canceled);
  CAF_CHECK_EQUAL(b.engine.quote().locked_e8, 0);
  CAF_CHECK_EQUAL(b.engine.quote().free_e8, e8("10000") - e8("100.01"));
  CAF_CHECK_EQUAL(b.code(b.engine.cancel(id, {}, "c2", ++b.now)), -2011);
}

CAF_TEST(immediate or cancel and fill or kill end at once) {
  bench b;
  const auto ioc = b.accepted(b.place(order_side::buy, order_type::limit, "100.01", "3", time_in_force::ioc));
  CAF_CHECK(b.of(ioc).status == order_status::expired);
  CAF_CHECK_EQUAL(b.of(ioc).filled_e8, e8("1"));
  const auto fok = b.accepted(b.place(order_side::buy, order_type::limit, "100.02", "5", time_in_force::fok));
  CAF_CHECK(b.of(fok).status == order_status::expired);
  CAF_CHECK_EQUAL(b.of(fok).filled_e8, 0);
  const auto whole =
      b.accepted(b.place(order_side::buy, order_type::limit, "100.02", "3", time_in_force::fok));
  CAF_CHECK(b.of(whole).status == order_status::filled);
  CAF_CHECK_EQUAL(b.engine.quote().locked_e8, 0);
}

CAF_TEST(the queue ahead is used up before we fill) {
  bench b;
  b.diff({{e8("99.99"), e8("100")}}, {});
  const auto id = b.accepted(b.place(order_side::buy, order_type::limit, "99.99", "50"));
  CAF_CHECK_EQUAL(b.of(id).queue_ahead_e8, e8("100"));
  b.trade("99.99", "80", true);
  CAF_CHECK_EQUAL(b.of(id).queue_ahead_e8, e8("20"));
  CAF_CHECK_EQUAL(b.of(id).filled_e8, 0);
  b.trade("99.99", "30", true);
  CAF_CHECK_EQUAL(b.of(id).filled_e8, e8("10"));
  CAF_CHECK(b.engine.fills().rbegin()->second.rule == fill_rule::queue);
  CAF_CHECK(b.engine.fills().rbegin()->second.maker);
  CAF_CHECK_EQUAL(b.engine.fills().rbegin()->second.commission_e8, e8("0.005"));
  b.trade("99.99", "5", false); // a buyer took it: not our side
  CAF_CHECK_EQUAL(b.of(id).filled_e8, e8("10"));
}

CAF_TEST(cancels ahead of us shorten the queue) {
  bench b;
  b.diff({{e8("99.99"), e8("100")}}, {});
  const auto id = b.accepted(b.place(order_side::buy, order_type::limit, "99.99", "1"));
  b.diff({{e8("99.99"), e8("7")}}, {});
  CAF_CHECK_EQUAL(b.of(id).queue_ahead_e8, e8("7"));
  b.trade("99.99", "8", true);
  CAF_CHECK(b.of(id).status == order_status::filled);
}

CAF_TEST(two orders at one price share a trade in order of time) {
  bench b;
  const auto first = b.accepted(b.place(order_side::sell, order_type::limit, "100.50", "1"));
  const auto second = b.accepted(b.place(order_side::sell, order_type::limit, "100.50", "1"));
  b.trade("100.50", "1.5", false);
  CAF_CHECK_EQUAL(b.of(first).filled_e8, e8("1"));
  CAF_CHECK_EQUAL(b.of(second).filled_e8, e8("0.5"));
}

CAF_TEST(a trade beyond our price and a crossing book fill us) {
  bench b;
  const auto through = b.accepted(b.place(order_side::buy, order_type::limit, "99.50", "2"));
  b.trade("99.49", "0.001", true);
  CAF_CHECK(b.of(through).status == order_status::filled);
  CAF_CHECK(b.engine.fills().rbegin()->second.rule == fill_rule::trade_through);
  const auto crossed = b.accepted(b.place(order_side::sell, order_type::limit, "101.00", "2"));
  b.diff({{e8("101.00"), e8("1.25")}}, {{e8("100.01"), 0}, {e8("100.02"), 0}, {e8("101.01"), e8("1")}});
  CAF_CHECK_EQUAL(b.of(crossed).filled_e8, e8("1.25"));
  CAF_CHECK(b.engine.fills().rbegin()->second.rule == fill_rule::crossed);
  CAF_CHECK_EQUAL(b.engine.fills().rbegin()->second.price_e8, e8("101"));
}

CAF_TEST(the newest best prices count before the next diff) {
  bench b;
  b.book.set_ticker(5, {e8("100.00"), e8("1")}, {e8("100.02"), e8("0.5")});
  const auto id = b.accepted(b.place(order_side::buy, order_type::market, "", "0.4"));
  CAF_CHECK_EQUAL(b.of(id).filled_quote_e8, e8("40.008"));
}

CAF_TEST(refusals carry the codes of the venue) {
  bench b;
  const auto limit = order_type::limit;
  const auto buy = order_side::buy, sell = order_side::sell;
  CAF_CHECK_EQUAL(b.code(b.place(buy, limit, "100.005", "1")), -1013);   // PRICE_FILTER
  CAF_CHECK_EQUAL(b.code(b.place(buy, limit, "99", "0.000001")), -1013); // LOT_SIZE
  CAF_CHECK_EQUAL(b.code(b.place(buy, limit, "99", "0.000015")), -1013);
  CAF_CHECK_EQUAL(b.code(b.place(buy, limit, "99", "0.05")), -1013); // NOTIONAL: 4.95
  CAF_CHECK_EQUAL(b.code(b.place(buy, order_type::market, "", "0.04")), -1013);
  CAF_CHECK_EQUAL(b.code(b.place(buy, limit, "99", "102")), -2010); // 10,098 > 10,000
  CAF_CHECK_EQUAL(b.code(b.place(sell, limit, "101", "10.00001")), -2010);
  CAF_CHECK_EQUAL(b.code(b.place(buy, order_type::limit_maker, "100.01", "1")), -2010);
  CAF_CHECK_EQUAL(b.code(b.place(sell, order_type::limit_maker, "100.00", "1")), -2010);
  CAF_CHECK_EQUAL(b.code(b.place(buy, order_type::limit_maker, "100.00", "1", time_in_force::gtc, "once")),
                  0);
  CAF_CHECK_EQUAL(b.code(b.place(buy, limit, "99", "1", time_in_force::gtc, "once")), -2010); // still open
  CAF_CHECK_EQUAL(b.code(b.engine.cancel(0, "once", {}, ++b.now)), 0);
  CAF_CHECK_EQUAL(b.code(b.place(buy, limit, "99", "1", time_in_force::gtc, "once")),
                  0); // accepted again, as at the venue
  CAF_CHECK_EQUAL(b.code(b.engine.cancel(0, "never", {}, ++b.now)), -2011);
  const auto newest = b.engine.find("once")->id;
  CAF_CHECK_EQUAL(b.code(b.engine.cancel(newest, "another", {}, ++b.now)), -2039);
}

CAF_TEST(a market order may name its money) {
  bench b;
  order_request o;
  o.type = order_type::market;
  o.quote_quantity_e8 = e8("150");
  const auto id = b.accepted(b.engine.place(o, b.book, ++b.now));
  CAF_CHECK(b.of(id).status == order_status::filled);
  CAF_CHECK_LESS_OR_EQUAL(b.of(id).filled_quote_e8, e8("150"));
  CAF_CHECK_GREATER(b.of(id).filled_quote_e8, e8("149.99"));
}

CAF_TEST(money and goods are conserved whatever happens) {
  for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL, 20240808ULL}) {
    CAF_MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    bench b;
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 4000; ++i) {
      const auto side = random() % 2 == 0 ? order_side::buy : order_side::sell;
      const auto price = text_e8(e8("99.80") + below(40) * e8("0.01"));
      const auto quantity = text_e8(e8("0.05") + below(200) * e8("0.01"));
      switch (random() % 6) {
      case 0:
        (void)b.place(side, order_type::market, "", quantity);
        break;
      case 1:
      case 2: {
        const auto tif = static_cast<time_in_force>(random() % 3);
        const auto placed = b.place(side, order_type::limit, price, quantity, tif);
        if (const auto* id = std::get_if<std::int64_t>(&placed)) ids.push_back(*id);
        break;
      }
      case 3:
        if (!ids.empty()) (void)b.engine.cancel(ids[random() % ids.size()], {}, {}, ++b.now);
        break;
      case 4:
        b.trade(price, quantity, random() % 2 == 0);
        break;
      default: {
        const auto bid = e8("99.95") + below(8) * e8("0.01");
        std::vector<book_level> bids, asks;
        for (const auto& [p, q] : b.book.bids())
          if (p > bid) bids.push_back({p, 0});
        for (const auto& [p, q] : b.book.asks())
          if (p <= bid) asks.push_back({p, 0});
        bids.push_back({bid, e8("0.5") + below(300) * e8("0.01")});
        asks.push_back({bid + e8("0.01"), e8("0.5") + below(300) * e8("0.01")});
        b.diff(bids, asks);
      }
      }
      std::int64_t base = e8("10"), quote = e8("10000"), locked_base = 0, locked_quote = 0;
      for (const auto& [id, f] : b.engine.fills()) {
        const bool bought = b.of(f.order_id).asked.side == order_side::buy;
        base += bought ? f.quantity_e8 - f.commission_e8 : -f.quantity_e8;
        quote += bought ? -f.quote_e8 : f.quote_e8 - f.commission_e8;
      }
      for (const auto* o : b.engine.open_orders()) {
        (o->asked.side == order_side::buy ? locked_quote : locked_base) += o->locked_e8;
        CAF_REQUIRE(o->remaining_e8() > 0 && o->filled_e8 >= 0);
      }
      CAF_REQUIRE_EQUAL(b.engine.base().free_e8 + b.engine.base().locked_e8, base);
      CAF_REQUIRE_EQUAL(b.engine.quote().free_e8 + b.engine.quote().locked_e8, quote);
      CAF_REQUIRE_EQUAL(b.engine.base().locked_e8, locked_base);
      CAF_REQUIRE_EQUAL(b.engine.quote().locked_e8, locked_quote);
      CAF_REQUIRE(b.engine.base().free_e8 >= 0 && b.engine.quote().free_e8 >= 0);
    }
    CAF_CHECK_GREATER(b.engine.fills().size(), 200u);
    // The same history, told again, gives the same account.
    matching_engine again{bench::rules(), e8("10"), e8("10000")};
    for (const auto& r : b.engine.take_reports()) {
      if (r.kind == order_report::kind_type::accepted)
        again.restore_order(r.now);
      else if (r.execution)
        again.restore_fill(*r.execution);
      else
        again.restore_end(r.now.id, r.now.status, r.time_ns);
    }
    CAF_CHECK_EQUAL(again.base().free_e8, b.engine.base().free_e8);
    CAF_CHECK_EQUAL(again.quote().free_e8, b.engine.quote().free_e8);
    CAF_CHECK_EQUAL(again.quote().locked_e8, b.engine.quote().locked_e8);
    CAF_CHECK_EQUAL(again.open_orders().size(), b.engine.open_orders().size());
    CAF_CHECK_EQUAL(again.fills().size(), b.engine.fills().size());
  }
}
