#define CAF_SUITE paper
#include "actors/executors/client_id.hpp"
#include "actors/executors/executor.hpp"
#include "actors/executors/paper_venue.hpp"
#include "tests/executors/simulation.hpp"

#include <caf/test/unit_test.hpp>

#include <iostream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr market_time start{1'723'160'000'000'000'000};

paper_options make_options() {
  paper_options o;
  o.account = {"main@binance"};
  o.instruments = {{sim::btc_spec(), "BTC", "USDT"}};
  o.opening = {{"BTC", 1'00000000, 0, 8}, {"USDT", 100'000'00000000, 0, 8}};
  return o;
}

quote book(market_time at, std::int64_t bid, std::int64_t bid_size, std::int64_t ask,
           std::int64_t ask_size) {
  quote q;
  q.instrument = {sim::instrument_name};
  q.at = at;
  q.sequence = static_cast<std::uint64_t>((at - start).count() / 1'000'000);
  q.validity = book_validity::valid;
  q.bid = {{bid}, {bid_size}};
  q.ask = {{ask}, {ask_size}};
  return q;
}

trade print(market_time at, std::int64_t price_raw, std::int64_t quantity, side taker) {
  trade t;
  t.instrument = {sim::instrument_name};
  t.id = "t" + std::to_string((at - start).count());
  t.at = at;
  t.at_price = {price_raw};
  t.quantity = {quantity};
  t.taker = taker;
  return t;
}

intent order(side direction, std::int64_t limit, std::int64_t quantity,
             order_kind kind = order_kind::limit_maker, time_in_force tif = time_in_force::gtc) {
  static std::uint32_t leg = 0;
  intent o;
  o.account = {"main@binance"};
  o.leg = leg++;
  o.instrument = {sim::instrument_name};
  o.direction = direction;
  o.kind = kind;
  o.tif = tif;
  o.limit = {limit};
  o.quantity = {quantity};
  o.client_id = client_id_of(o);
  return o;
}

/// Collects what the venue says.
struct listener final : gateway_events {
  void on_outcome(const command_outcome& x) override { outcomes.push_back(x); }
  void on_open_orders(const open_orders_outcome&) override {}
  void on_trades(const trades_outcome& x) override { trades = *x.fills; }
  void on_account(const account_outcome& x) override { balances = *x.balances; }
  void on_rules(const rules_outcome& x) override { rules = x.spec.has_value(); }
  void on_report(const order_report& x) override {
    reports.push_back(x);
    fills.insert(fills.end(), x.fills.begin(), x.fills.end());
  }
  void on_balances(const std::vector<asset_balance>&, market_time) override {}
  void on_session(const session_event& x) override {
    connected = x.state == session_state::connected;
  }

  std::vector<command_outcome> outcomes;
  std::vector<order_report> reports;
  std::vector<fill> fills;
  std::vector<fill> trades;
  std::vector<asset_balance> balances;
  bool rules = false;
  bool connected = false;
};

struct manual_clock final : market_clock {
  market_time now() const noexcept override { return at; }
  market_time at = start;
};

struct fixture {
  fixture() : gateway{make_options(), clock} {
    gateway.start(heard);
    show(book(start, 5'999'900, 100, 6'000'100, 100));
  }
  void show(const quote& q) {
    clock.at = q.at + 5ms;
    gateway.on_quote(q, clock.at);
  }
  void show(const trade& t) {
    clock.at = t.at + 5ms;
    gateway.on_trade(t, clock.at);
  }
  void wait(nanoseconds span) {
    clock.at = clock.at + span;
    gateway.on_time(clock.at);
  }
  manual_clock clock;
  listener heard;
  paper_gateway gateway;
};

} // namespace

CAF_TEST(latencies are those that were set) {
  fixture f;
  CAF_CHECK(f.heard.connected);
  const auto sent = f.clock.at;
  f.gateway.place(1, order(side::buy, 5'999'900, 10));
  // Entry 10 ms, and the venue's clock is known to us 5 ms late; response 5 ms.
  f.wait(14ms);
  CAF_CHECK(f.heard.outcomes.empty());
  f.wait(1ms);
  CAF_REQUIRE_EQUAL(f.heard.outcomes.size(), 1u);
  CAF_CHECK(f.heard.outcomes[0].kind == command_result::confirmed);
  CAF_CHECK_EQUAL((f.heard.outcomes[0].report.at - sent).count(), nanoseconds{10ms}.count());
}

CAF_TEST(worked queue example) {
  fixture f;
  f.gateway.place(1, order(side::buy, 5'999'900, 50));
  f.wait(20ms);
  f.show(print(f.clock.at, 5'999'900, 80, side::sell));
  f.wait(10ms);
  CAF_CHECK(f.heard.fills.empty()); // 20 still ahead
  f.show(print(f.clock.at, 5'999'900, 30, side::sell));
  f.wait(10ms);
  CAF_REQUIRE_EQUAL(f.heard.fills.size(), 1u);
  CAF_CHECK_EQUAL(f.heard.fills[0].quantity.raw, 10);
  CAF_CHECK(f.heard.fills[0].maker);
  const auto* why = f.gateway.venue().explain(f.heard.fills[0].trade_id);
  CAF_REQUIRE(why != nullptr);
  CAF_CHECK_EQUAL(why->rule, "queue");
  CAF_CHECK_EQUAL(why->queue_ahead.raw, 20);
  CAF_CHECK_EQUAL(why->cause.substr(0, 6), "trade ");
  f.show(print(f.clock.at, 5'999'900, 30, side::buy)); // buyers don't reach a resting buy
  f.wait(10ms);
  CAF_CHECK_EQUAL(f.heard.fills.size(), 1u);
}

CAF_TEST(what leaves the level leaves from behind until less is shown than stood ahead) {
  fixture f;
  f.gateway.place(1, order(side::sell, 6'000'100, 50));
  f.wait(20ms);
  f.show(book(f.clock.at, 5'999'900, 100, 6'000'100, 40));
  f.show(print(f.clock.at, 6'000'100, 45, side::buy));
  f.wait(10ms);
  CAF_REQUIRE_EQUAL(f.heard.fills.size(), 1u);
  CAF_CHECK_EQUAL(f.heard.fills[0].quantity.raw, 5);
}

CAF_TEST(a price that goes through fills in full and says so) {
  fixture f;
  f.gateway.place(1, order(side::buy, 5'999'900, 70));
  f.wait(20ms);
  f.show(book(f.clock.at, 5'999'800, 100, 5'999'900, 5));
  f.wait(10ms);
  CAF_REQUIRE_EQUAL(f.heard.fills.size(), 1u);
  CAF_CHECK_EQUAL(f.heard.fills[0].quantity.raw, 70);
  CAF_CHECK_EQUAL(f.gateway.venue().explain(f.heard.fills[0].trade_id)->rule, "through");
  CAF_CHECK(f.heard.reports.back().state == order_state::filled);
}

CAF_TEST(takers take what is shown at the best price) {
  fixture f;
  f.gateway.place(1, order(side::buy, 6'000'200, 150, order_kind::limit, time_in_force::ioc));
  f.wait(30ms);
  CAF_REQUIRE_EQUAL(f.heard.fills.size(), 1u);
  CAF_CHECK_EQUAL(f.heard.fills[0].quantity.raw, 100);
  CAF_CHECK_EQUAL(f.heard.fills[0].at_price.raw, 6'000'100);
  CAF_CHECK(!f.heard.fills[0].maker);
  CAF_CHECK(f.heard.reports.back().state == order_state::expired);
  f.gateway.place(2, order(side::buy, 6'000'200, 150, order_kind::limit, time_in_force::fok));
  f.wait(30ms);
  CAF_CHECK_EQUAL(f.heard.fills.size(), 1u);
}

CAF_TEST(refusals carry their class) {
  fixture f;
  const auto refused = [&](const intent& what) {
    f.heard.outcomes.clear();
    f.gateway.place(9, what);
    f.wait(30ms);
    CAF_REQUIRE_EQUAL(f.heard.outcomes.size(), 1u);
    CAF_CHECK(f.heard.outcomes[0].kind == command_result::rejected);
    return f.heard.outcomes[0].why;
  };
  CAF_CHECK(refused(order(side::buy, 6'000'100, 10)) == refusal::would_take);
  CAF_CHECK(refused(order(side::buy, 5'000'000, 0)) == refusal::filter);
  CAF_CHECK(refused(order(side::buy, 100, 1)) == refusal::filter);
  CAF_CHECK(refused(order(side::buy, 5'999'900, 900'000)) == refusal::funds);
  CAF_CHECK(refused(order(side::sell, 6'000'100, 100'001)) == refusal::funds);
  const auto twice = order(side::buy, 5'999'900, 10);
  f.gateway.place(1, twice);
  f.wait(30ms);
  CAF_CHECK(refused(twice) == refusal::duplicate);
  auto elsewhere = order(side::buy, 5'999'900, 10);
  elsewhere.instrument.text = "ETH-USDT@binance";
  CAF_CHECK(refused(elsewhere) == refusal::permission);
  f.heard.outcomes.clear();
  f.gateway.cancel(3, {sim::instrument_name}, "nobody");
  f.wait(30ms);
  CAF_CHECK(f.heard.outcomes.at(0).why == refusal::gone);
}

CAF_TEST(money is conserved and the state outlives the gateway) {
  manual_clock clock;
  std::string saved;
  listener heard;
  auto first = std::make_unique<paper_gateway>(make_options(), clock,
                                               [&](const std::string& s) { saved = s; });
  first->start(heard);
  first->on_quote(book(start, 5'999'900, 100, 6'000'100, 100), clock.at);
  first->place(1, order(side::buy, 6'000'100, 100, order_kind::limit, time_in_force::ioc));
  const auto resting = order(side::sell, 6'100'000, 40);
  first->place(2, resting);
  clock.at = start + 1s;
  first->on_time(clock.at);
  CAF_REQUIRE_EQUAL(heard.fills.size(), 1u);
  first.reset();

  paper_gateway second{make_options(), clock, {}, saved};
  listener again;
  second.start(again);
  second.account(1);
  second.query(2, {sim::instrument_name}, resting.client_id);
  second.trades_since(3, {sim::instrument_name}, "");
  second.rules(4, {sim::instrument_name});
  clock.at = start + 2s;
  second.on_time(clock.at);
  CAF_CHECK(again.rules);
  CAF_REQUIRE_EQUAL(again.outcomes.size(), 1u);
  CAF_CHECK(again.outcomes[0].kind == command_result::confirmed);
  CAF_CHECK(again.outcomes[0].report.state == order_state::acknowledged);
  CAF_REQUIRE_EQUAL(again.trades.size(), 1u);
  // 0.001 BTC at 60,001 with 0.1 % of the received base
  for (const auto& b : again.balances) {
    if (b.asset == "BTC") CAF_CHECK_EQUAL(b.free_raw, 1'00000000 + 100'000 - 100);
    if (b.asset == "USDT") CAF_CHECK_EQUAL(b.free_raw, 100'000'00000000 - 60'00100000);
  }
}

CAF_TEST(the executor trades on paper and its books agree) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    std::cout << "paper: seed " << seed << '\n';
    sim::random_source dice{seed};
    manual_clock clock;
    executor_options options;
    options.account = {"main@binance"};
    options.instruments = {{sim::btc_spec(), "BTC", "USDT"}};
    options.policy.time_to_live = 5s;
    options.policy.cross_after = 10s;
    paper_gateway gateway{make_options(), clock};
    executor_core core{options, gateway.traits()};
    CAF_REQUIRE(core.open());
    struct forward final : gateway_events {
      forward(executor_core& c, manual_clock& k) : core{c}, clock{k} {}
      instant now() const { return {clock.at, {(clock.at - start).count()}}; }
      void on_outcome(const command_outcome& x) override { core.on_outcome(x, now()); }
      void on_open_orders(const open_orders_outcome& x) override { core.on_open_orders(x, now()); }
      void on_trades(const trades_outcome& x) override { core.on_trades(x, now()); }
      void on_account(const account_outcome& x) override { core.on_account(x, now()); }
      void on_rules(const rules_outcome&) override {}
      void on_report(const order_report& x) override { core.on_report(x, now()); }
      void on_balances(const std::vector<asset_balance>&, market_time) override {}
      void on_session(const session_event& x) override { core.on_session(x, now()); }
      executor_core& core;
      manual_clock& clock;
    } events{core, clock};
    const auto pump = [&] {
      while (true) {
        const auto actions = core.take_actions();
        if (actions.empty()) return;
        for (const auto& a : actions) {
          if (const auto* r = std::get_if<ask_risk>(&a))
            core.on_verdict(
                {r->request.order.client_id, deny_code::none, approval_hash(r->request.order), {}},
                events.now());
          else if (const auto* w = std::get_if<append_records>(&a))
            core.on_committed(w->token, events.now());
          else if (const auto* p = std::get_if<place_order>(&a)) {
            if (const auto* o = core.release(p->client_id, events.now()))
              gateway.place(p->command, *o);
          } else if (const auto* c = std::get_if<cancel_order>(&a))
            gateway.cancel(c->command, c->instrument, c->client_id);
          else if (const auto* q = std::get_if<query_order>(&a))
            gateway.query(q->command, q->instrument, q->client_id);
          else if (const auto* o = std::get_if<fetch_open_orders>(&a))
            gateway.open_orders(o->command, o->instrument);
          else if (const auto* t = std::get_if<fetch_trades>(&a))
            gateway.trades_since(t->command, t->instrument, t->trade_id);
          else if (const auto* b = std::get_if<fetch_account>(&a))
            gateway.account(b->command);
          else if (const auto* l = std::get_if<ask_lease>(&a))
            core.on_lease({options.account, l->request.epoch, 1s, true, {}}, events.now().steady,
                          events.now());
          else if (const auto* alarm = std::get_if<raise_alarm>(&a))
            CAF_ERROR("alarm " << alarm->what << ": " << alarm->text);
        }
      }
    };
    core.start(1, 0, events.now());
    core.on_halt({trading_state::active, "test", "go"}, events.now());
    gateway.start(events);
    std::int64_t mid = 6'000'000;
    std::uint64_t decisions = 0;
    for (int step = 0; step < 6'600; ++step) { // 110 minutes
      clock.at = clock.at + 1s;
      mid += dice.between(-200, 200);
      gateway.on_quote(
          book(clock.at - 5ms, mid - 5, dice.between(10, 5'000), mid + 5, dice.between(10, 5'000)),
          clock.at);
      if (step % 3 == 0)
        gateway.on_trade(print(clock.at - 1ms, mid - 5, dice.between(1, 3'000), side::sell),
                         clock.at);
      core.on_quote(book(clock.at - 5ms, mid - 5, 10, mid + 5, 10), events.now());
      if (step % 10 == 0) {
        decision d;
        d.sequence = ++decisions;
        d.instrument = {sim::instrument_name};
        d.at = clock.at;
        d.target = {dice.chance(0.5) ? 200 : -200};
        core.on_decision(d, events.now());
      }
      core.on_tick(events.now());
      pump();
    }
    const auto figures = core.report(events.now());
    std::cout << "paper: " << figures.orders << " orders, " << figures.fills << " fills, equity "
              << figures.equity << '\n';
    CAF_CHECK(figures.orders >= 50);
    CAF_CHECK(figures.fills >= 10);
    CAF_CHECK(core.books().check());
    CAF_CHECK_EQUAL(core.books().fill_count(), gateway.venue().state().next_trade - 1);
    const auto changes = core.books().balance_changes();
    for (const auto& b : gateway.venue().state().balances) {
      const auto opening = b.asset == "BTC" ? 1'00000000 : 100'000'00000000;
      CAF_CHECK(*rescale(b.total - opening, 8, ledger_scale) == changes.at(b.asset));
    }
  }
}
