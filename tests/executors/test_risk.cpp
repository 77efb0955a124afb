#define CAF_SUITE risk
#include "actors/executors/client_id.hpp"
#include "actors/executors/risk.hpp"
#include "tests/executors/simulation.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <iostream>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const account_id account{"main@binance"};
constexpr instant start{{1'000'000'000'000}, {5'000'000'000}};

risk_options make_options() {
  risk_options options;
  risk_limits limits;
  limits.spec = troupe::sim::btc_spec();
  limits.spec.max_size = {3'000};
  limits.max_long = {5'000};
  limits.max_short = {2'000};
  limits.max_order_size = {2'500};
  limits.max_order_notional = {1'200'0000000}; // 1,200 USDT
  limits.collar_ppm = 1'000;
  options.instruments.push_back(limits);
  options.max_open_orders = 3;
  options.max_orders_in_window = 4;
  options.halt_after_rate_denials = 5;
  return options;
}

quote make_quote(instant at) {
  quote q;
  q.instrument = {troupe::sim::instrument_name};
  q.at = at.market;
  q.validity = book_validity::valid;
  q.bid = {{5'999'995}, {1}};
  q.ask = {{6'000'005}, {1}};
  return q;
}

struct fixture {
  fixture() : core{make_options()} {
    core.on_quote(make_quote(start));
    CAF_CHECK(core.grant({account, 1}, start).granted);
  }
  risk_request request(std::uint32_t leg = 0) {
    risk_request r;
    r.order.account = account;
    r.order.decision_sequence = 9;
    r.order.leg = leg;
    r.order.instrument = {troupe::sim::instrument_name};
    r.order.kind = order_kind::limit_maker;
    r.order.limit = {6'000'000};
    r.order.quantity = {1'000};
    r.order.created = start.market;
    r.order.expires = start.market + 5s;
    return r;
  }
  deny_code ask(risk_request r, instant at = start) {
    if (r.order.client_id.empty()) r.order.client_id = client_id_of(r.order);
    const auto verdict = core.check(r, at);
    seen.insert(verdict.denied);
    CAF_CHECK_EQUAL(verdict.approval != 0, verdict.denied == deny_code::none);
    CAF_CHECK_EQUAL(verdict.text.empty(), verdict.denied == deny_code::none);
    if (verdict.denied == deny_code::none)
      CAF_CHECK_EQUAL(verdict.approval, approval_hash(r.order));
    return verdict.denied;
  }
  risk_core core;
  static inline std::set<deny_code> seen;
};

std::string word(deny_code code) {
  return std::string{describe(code).name};
}
#define CHECK_DENIED(asked, code) CAF_CHECK_EQUAL(word(asked), word(deny_code::code))

} // namespace

CAF_TEST(every code has a row with words) {
  for (const auto& row : deny_table()) {
    CAF_CHECK(!row.name.empty());
    CAF_CHECK(!row.meaning.empty());
    CAF_CHECK(row.code == deny_code::none || !row.remedy.empty());
    CAF_CHECK(describe(row.code).code == row.code);
  }
}

CAF_TEST(each limit denies with its own code) {
  fixture f;
  CHECK_DENIED(f.ask(f.request()), none);
  const auto with = [&](auto change) {
    auto r = f.request(77);
    change(r);
    return f.ask(r);
  };
  CHECK_DENIED(
      with([](risk_request& r) { r.order.quantity = {2'600}, r.order.limit = {4'000'000}; }),
      max_order_size);
  CHECK_DENIED(with([](risk_request& r) { r.order.quantity = {2'400}; }), max_order_notional);
  CHECK_DENIED(with([](risk_request& r) { r.position = {4'500}; }), max_position);
  CHECK_DENIED(with([](risk_request& r) { r.position = {3'000}, r.open_buys = {1'500}; }),
               max_position);
  CHECK_DENIED(with([](risk_request& r) { r.order.direction = side::sell, r.position = {-1'500}; }),
               max_position);
  CHECK_DENIED(
      with([](risk_request& r) { r.order.direction = side::sell, r.open_sells = {1'100}; }),
      max_position);
  CHECK_DENIED(with([](risk_request& r) { r.order.direction = side::sell, r.position = {9'000}; }),
               none);
  CHECK_DENIED(with([](risk_request& r) { r.open_orders = 3; }), max_open_orders);
  CHECK_DENIED(with([](risk_request& r) { r.order.limit = {6'006'001}; }), price_collar);
  CHECK_DENIED(
      with([](risk_request& r) { r.order.limit = {5'993'000}, r.order.direction = side::sell; }),
      price_collar);
  CHECK_DENIED(with([](risk_request& r) { r.order.expires = start.market; }), expired_intent);
  CHECK_DENIED(with([](risk_request& r) { r.order.quantity = {0}; }), bad_order);
  CHECK_DENIED(with([](risk_request& r) { r.order.quantity = {-5}; }), bad_order);
  CHECK_DENIED(with([](risk_request& r) { r.order.quantity = {3'001}; }), bad_order);
  CHECK_DENIED(with([](risk_request& r) { r.order.quantity = {1}, r.order.limit = {100}; }),
               bad_order);
  CHECK_DENIED(with([](risk_request& r) { r.order.limit = {0}; }), bad_order);
  CHECK_DENIED(with([](risk_request& r) { r.order.client_id = "x"; }), bad_order);
  CHECK_DENIED(with([](risk_request& r) { r.order.instrument.text = "ETH-USDT@binance"; }),
               bad_order);
  // The same client id with other times: somebody else's order, or an earlier life's.
  CHECK_DENIED(with([](risk_request& r) { r.order.leg = 0, r.order.expires.ns += 1; }),
               duplicate_intent);
}

CAF_TEST(no trading on a book that is old or wrong) {
  fixture f;
  auto q = make_quote(start);
  q.validity = book_validity::gap;
  f.core.on_quote(q);
  CHECK_DENIED(f.ask(f.request()), invalid_book);
  q.validity = book_validity::valid;
  q.ask.at = q.bid.at;
  f.core.on_quote(q);
  CHECK_DENIED(f.ask(f.request()), invalid_book);
  f.core.on_quote(make_quote(start));
  auto late = f.request();
  late.order.expires = start.market + 60s;
  CHECK_DENIED(f.ask(late, {start.market + 6s, start.steady}), stale_book);
  CHECK_DENIED(f.ask(late, {start.market + 5s, start.steady}), none);
}

CAF_TEST(orders beyond the rate are throttled and a runaway halts) {
  fixture f;
  for (std::uint32_t leg = 0; leg < 4; ++leg)
    CHECK_DENIED(f.ask(f.request(leg)), none);
  CHECK_DENIED(f.ask(f.request(5)), order_rate);
  CAF_CHECK(f.core.grant({account, 1}, {start.market, start.steady + 900ms}).granted);
  CHECK_DENIED(f.ask(f.request(5), {start.market, start.steady + 1s}), none);
  for (std::uint32_t leg = 6; leg < 9; ++leg)
    CHECK_DENIED(f.ask(f.request(leg), {start.market, start.steady + 1s}), none);
  CAF_CHECK(!f.core.take_own_halt());
  for (std::uint32_t leg = 10; leg < 15; ++leg)
    CHECK_DENIED(f.ask(f.request(leg), {start.market, start.steady + 1s}), order_rate);
  CAF_CHECK(f.core.take_own_halt().has_value());
  CHECK_DENIED(f.ask(f.request(20), {start.market, start.steady + 1s}), halted);
}

CAF_TEST(states of trading) {
  fixture f;
  CAF_CHECK(!f.core.set_state({trading_state::halted, "me", ""}));
  CAF_CHECK(f.core.set_state({trading_state::reducing, "me", "end of day"}));
  CHECK_DENIED(f.ask(f.request(1)), reducing_only);
  auto reduce = f.request(2);
  reduce.order.direction = side::sell;
  reduce.position = {1'000};
  CHECK_DENIED(f.ask(reduce), none);
  reduce.order.leg = 3;
  reduce.position = {999};
  CHECK_DENIED(f.ask(reduce), reducing_only);
  CAF_CHECK(f.core.set_state({trading_state::halted, "me", "fire"}));
  reduce.order.leg = 4;
  reduce.position = {2'000};
  CHECK_DENIED(f.ask(reduce), halted);
  reduce.order.reduce_only = true;
  CHECK_DENIED(f.ask(reduce), halted);
  reduce.order.decision_sequence = 0; // an operator's own
  CHECK_DENIED(f.ask(reduce), none);
  CAF_CHECK(f.core.set_state({trading_state::active, "me", "fire is out"}));
  CHECK_DENIED(f.ask(f.request(5)), none);
}

CAF_TEST(leases and epochs) {
  fixture f;
  CHECK_DENIED(f.ask(f.request(1), {start.market, start.steady + 1s}), no_lease);
  const auto newer = f.core.grant({account, 3}, start);
  CAF_CHECK(newer.granted);
  CAF_CHECK_EQUAL(newer.length.count(), nanoseconds{1s}.count());
  const auto older = f.core.grant({account, 2}, start);
  CAF_CHECK(!older.granted);
  CAF_CHECK_EQUAL(older.epoch, 3u);
  CAF_CHECK(!older.text.empty());
  CAF_CHECK(f.core.grant({account_id{"other@binance"}, 1}, start).granted);
  CAF_CHECK(f.core.grant({account, 3}, start).granted);
}

CAF_TEST(twenty thousand checks in a row stay approved) {
  fixture f;
  auto r = f.request();
  r.order.client_id = client_id_of(r.order);
  std::vector<std::int64_t> took;
  for (int i = 0; i < 20'000; ++i) {
    const instant at{start.market, start.steady + i * 1s};
    (void)f.core.grant({account, 1}, at);
    const auto from = std::chrono::steady_clock::now();
    const auto verdict = f.core.check(r, at);
    took.push_back((std::chrono::steady_clock::now() - from).count());
    CAF_REQUIRE(verdict.denied == deny_code::none);
  }
  std::sort(took.begin(), took.end());
  std::cout << "risk check: median " << took[took.size() / 2] << " ns, p99 "
            << took[took.size() * 99 / 100] << " ns\n";
}

CAF_TEST(all codes of risk were seen) {
  // `not_reconciled` is the executor's own; test_executor.cpp has its test.
  std::set<deny_code> expected;
  for (const auto& row : deny_table())
    if (row.code != deny_code::not_reconciled) expected.insert(row.code);
  for (const auto code : expected)
    CAF_CHECK_EQUAL(fixture::seen.contains(code) ? word(code) : "unseen", word(code));
}
