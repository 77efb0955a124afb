#define CAF_SUITE executor
#include "tests/executors/simulation.hpp"

#include <caf/test/unit_test.hpp>

#include <iostream>
#include <set>

using namespace troupe;
using namespace troupe::sim;

namespace {

void require_clean(world& w, std::uint64_t seed) {
  for (const auto& text : w.violations)
    CAF_ERROR("seed " << seed << ": " << text);
  if (!w.violations.empty())
    for (const auto& text : w.alarms)
      CAF_MESSAGE("alarm: " << text);
  CAF_REQUIRE_EQUAL(w.violations.size(), 0u);
}

void finish(world& w, std::uint64_t seed) {
  const bool rests = w.settle(seconds{90});
  if (!rests && w.core())
    CAF_ERROR("seed " << seed << " does not settle: " << w.core()->status_json(w.now()));
  CAF_REQUIRE(rests);
  w.check_end();
  require_clean(w, seed);
}

/// A quiet world with one resting order of 1,000 units.
world_options quiet(std::uint64_t seed) {
  auto o = busy(seed);
  o.fills = false;
  o.decide_every = seconds{1'000'000};
  o.executor.policy.time_to_live = seconds{600};
  o.executor.policy.reprice_ticks = 1'000'000;
  o.executor.policy.cross_after.reset();
  return o;
}

std::uint64_t live_orders(world& w) {
  return w.exchange().live.size();
}

std::size_t count_alarms(const world& w, std::string_view prefix) {
  std::size_t n = 0;
  for (const auto& text : w.alarms)
    n += text.starts_with(prefix) ? 1 : 0;
  return n;
}

} // namespace

CAF_TEST(a target becomes an order and fills become a position) {
  world w{quiet(1)};
  w.run(seconds{2});
  CAF_REQUIRE(w.core()->reconciled());
  CAF_CHECK(w.core()->state(w.now()) == executor_state::live);
  w.decide(1'000);
  w.run(seconds{1});
  CAF_REQUIRE_EQUAL(live_orders(w), 1u);
  CAF_CHECK_EQUAL(w.core()->report(w.now()).live_orders, 1u);
  w.fill_some(1.0);
  w.fill_some(1.0);
  w.fill_some(1.0);
  w.run(seconds{1});
  finish(w, 1);
  CAF_CHECK(w.core()->books().fill_count() > 0);
}

CAF_TEST(quiet trading ends with the figures of the venue) {
  for (std::uint64_t seed = 10; seed < 10 + std::max<std::uint64_t>(1, rounds(6)); ++seed) {
    world w{busy(seed)};
    w.run(seconds{600});
    finish(w, seed);
    CAF_CHECK(w.sent >= 50);
    CAF_CHECK(w.core()->books().fill_count() >= 10);
    CAF_CHECK_EQUAL(count_alarms(w, "balance"), 0u);
  }
}

CAF_TEST(storms of faults and kills lose nothing and repeat nothing) {
  constexpr std::uint64_t first = 1'000;
  std::cout << "storm: seeds from " << first << '\n';
  std::uint64_t kills = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t orders = 0;
  nanoseconds longest{};
  for (std::uint64_t seed = first; seed < first + rounds(40); ++seed) {
    world w{stormy(seed)};
    w.run(seconds{240});
    finish(w, seed);
    kills += w.kills;
    in_flight += w.kills_in_flight;
    orders += w.sent;
    longest = std::max(longest, w.longest_recovery);
  }
  std::cout << "storm: " << orders << " orders, " << kills << " kills, " << in_flight
            << " with orders at the venue, longest recovery " << longest.count() / 1'000'000
            << " ms\n";
  CAF_CHECK(kills >= rounds(400));
  CAF_CHECK(in_flight >= rounds(100));
  CAF_CHECK(orders >= rounds(500));
}

CAF_TEST(a difference is split over layers that are filled up again) {
  auto o = quiet(60);
  o.executor.policy.layers = 5;
  o.executor.policy.layer_ticks = 100;
  world w{o};
  w.run(seconds{3});
  w.decide(4'000);
  w.run(seconds{2});
  const auto asked = [&] {
    std::int64_t out = 0;
    for (const auto& [client, venue_id] : w.exchange().live) {
      const auto& r = w.exchange().orders.at(venue_id);
      out += r.what.quantity.raw - r.filled.raw;
    }
    return out;
  };
  CAF_REQUIRE_EQUAL(live_orders(w), 5u);
  CAF_CHECK_EQUAL(asked(), 4'000);
  std::set<std::int64_t> prices;
  for (const auto& [client, venue_id] : w.exchange().live) prices.insert(w.exchange().orders.at(venue_id).what.limit.raw);
  CAF_CHECK_EQUAL(prices.size(), 5u);
  CAF_MESSAGE("what is filled is not asked for again, and together they never ask for more than is missing");
  w.fill_some(0.5);
  w.run(seconds{1});
  // A fee in the asset leaves a little more missing, too little for another order.
  const auto missing = 4'000 - w.core()->position({instrument_name}).raw;
  CAF_CHECK(asked() <= missing && asked() >= missing - 10);
  CAF_MESSAGE("a smaller target: some end, the others stay");
  w.decide(w.core()->position({instrument_name}).raw + 800);
  w.run(seconds{2});
  CAF_CHECK(asked() <= 800);
  CAF_MESSAGE("all of them are back after a kill");
  w.decide(5'000);
  w.run(seconds{2});
  CAF_CHECK_EQUAL(live_orders(w), 5u);
  w.kill_process();
  w.run(seconds{5});
  CAF_CHECK_EQUAL(live_orders(w), 5u);
  CAF_CHECK_EQUAL(w.core()->report(w.now()).live_orders, 5u);
  finish(w, 60);
}

CAF_TEST(storms over many layers lose nothing and repeat nothing) {
  std::uint64_t orders = 0, in_flight = 0;
  const auto played = std::max<std::uint64_t>(1, rounds(15));
  for (std::uint64_t seed = 2'000; seed < 2'000 + played; ++seed) {
    auto o = stormy(seed);
    o.executor.policy.layers = 8;
    o.executor.policy.layer_ticks = 50;
    o.executor.policy.reprice_ticks = 200;
    world w{o};
    w.run(seconds{120});
    finish(w, seed);
    orders += w.sent;
    in_flight += w.kills_in_flight;
  }
  std::cout << "storm over layers: " << orders << " orders, " << in_flight << " kills with orders at the venue\n";
  CAF_CHECK_GREATER_OR_EQUAL(orders, played * 40);
  CAF_CHECK_GREATER_OR_EQUAL(in_flight, played);
}

CAF_TEST(market time that runs 75 times faster changes nothing) {
  std::uint64_t sent = 0;
  for (std::uint64_t seed = 300; seed < 306; ++seed) {
    auto o = stormy(seed);
    o.market_rate = 75;
    o.executor.policy.time_to_live = seconds{10} * 5;
    o.executor.policy.cross_after = seconds{100};
    o.executor.policy.max_quote_age = seconds{60};
    o.executor.policy.intent_expiry = seconds{30};
    world w{o};
    w.run(seconds{60});
    finish(w, seed);
    sent += w.sent;
  }
  CAF_CHECK(sent >= 120);
}

CAF_TEST(cut after send resolves in both variants without a duplicate) {
  constexpr std::uint64_t first = 50'000;
  std::cout << "cut after send: seeds from " << first << '\n';
  std::uint64_t duplicates = 0;
  nanoseconds longest_there{};
  nanoseconds longest_absent{};
  std::uint64_t cases = 0;
  for (std::uint64_t seed = first; seed < first + rounds(10'000); ++seed) {
    auto o = quiet(seed);
    o.executor.audit_every = seconds{3600};
    const bool taken = seed % 2 == 0;
    (taken ? o.odds.accept_then_drop : o.odds.drop_before_accept) = 1.0;
    if (seed % 4 == 0) o.odds.lost_event = 1.0; // then only the question by client id finds it
    world w{o};
    w.run(milliseconds{1500});
    w.decide(1'000);
    w.run(milliseconds{100});
    for (int i = 0; i < 20 && w.sent == 0; ++i)
      w.run(milliseconds{25});
    if (w.sent == 0) continue; // risk had no valid book at that moment
    ++cases;
    faults after;
    after.lost_event = o.odds.lost_event;
    w.set_odds(after);
    const auto from = w.clock().now();
    const auto resolved = [&] {
      for (const auto& record : w.disk())
        if (const auto* r = std::get_if<order_report>(&record);
            r && r->state != order_state::denied)
          return true;
      return false;
    };
    while (!resolved() && w.clock().now() - from < seconds{40})
      w.run(milliseconds{50});
    auto& longest = taken ? longest_there : longest_absent;
    longest = std::max(longest, w.clock().now() - from);
    for (const auto& [client_id, count] : w.exchange().placed)
      duplicates += count > 1 ? 1 : 0;
    if (!w.violations.empty()) require_clean(w, seed);
    CAF_REQUIRE(resolved());
  }
  std::cout << "cut after send: " << cases << " cases, slowest answer "
            << longest_there.count() / 1'000'000 << " ms where the venue has it, "
            << longest_absent.count() / 1'000'000 << " ms where it has not\n";
  CAF_CHECK(cases >= rounds(9'000));
  CAF_CHECK_EQUAL(duplicates, 0u);
  CAF_CHECK(longest_there <= seconds{5});
  CAF_CHECK(longest_absent <= seconds{15});
}

CAF_TEST(kills at every marked point) {
  for (const auto point : {kill_point::before_sync, kill_point::after_sync_before_send,
                           kill_point::after_send_before_ack})
    for (std::uint32_t count = 1; count <= rounds(20); ++count) {
      const auto seed = 7'000 + static_cast<std::uint64_t>(point) * 100 + count;
      auto o = busy(seed);
      o.kill_at = point;
      o.kill_count = count;
      world w{o};
      w.run(seconds{150});
      CAF_CHECK_EQUAL(w.kills, 1u);
      finish(w, seed);
    }
}

CAF_TEST(warm restart keeps the position and the working order) {
  // nautilus#4736, nautilus#3046, nautilus#3176
  world w{quiet(2)};
  w.run(seconds{2});
  w.decide(1'000);
  w.run(seconds{1});
  w.fill_some(1.0);
  w.run(seconds{1});
  const auto held = w.core()->position({instrument_name}).raw;
  const auto fills = w.core()->books().fill_count();
  const auto placed = w.exchange().placed.size();
  w.kill_process();
  w.run(seconds{3});
  CAF_REQUIRE(w.core()->reconciled());
  CAF_CHECK_EQUAL(w.core()->position({instrument_name}).raw, held);
  CAF_CHECK_EQUAL(w.core()->books().fill_count(), fills);
  CAF_CHECK(w.exchange().placed.size() <= placed + 1); // the target goes on being worked for
  finish(w, 2);
}

CAF_TEST(fills made while the executor was dead are found) {
  world w{quiet(3)};
  w.run(seconds{2});
  w.decide(1'000);
  w.run(seconds{1});
  CAF_REQUIRE_EQUAL(live_orders(w), 1u);
  w.kill_process();
  w.fill_some(1.0);
  w.run(seconds{3});
  CAF_CHECK_EQUAL(w.core()->books().fill_count(), w.exchange().trades.size());
  finish(w, 3);
}

CAF_TEST(lost fills on a healthy stream are found by the audit) {
  auto o = quiet(4);
  o.executor.audit_every = seconds{5};
  world w{o};
  w.run(seconds{2});
  w.decide(1'000);
  w.run(seconds{1});
  auto odds = w.odds();
  odds.lost_event = 1.0;
  w.set_odds(odds);
  w.fill_some(1.0);
  CAF_REQUIRE(!w.exchange().trades.empty());
  w.run(seconds{6});
  CAF_CHECK_EQUAL(w.core()->books().fill_count(), w.exchange().trades.size());
  finish(w, 4);
}

CAF_TEST(a halt stops orders at once and lets cancels out) {
  for (std::uint64_t seed = 20; seed < 30; ++seed) {
    world w{busy(seed)};
    w.run(seconds{20});
    w.halt(trading_state::halted);
    w.run(seconds{1});
    const auto sent = w.sent;
    w.run(seconds{20});
    CAF_CHECK_EQUAL(w.sent, sent);
    CAF_CHECK_EQUAL(live_orders(w), 0u);
    w.kill_process(); // the latch outlives the process
    w.run(seconds{10});
    CAF_CHECK_EQUAL(w.sent, sent);
    CAF_CHECK(w.core()->state(w.now()) == executor_state::halted);
    w.halt(trading_state::active);
    w.run(seconds{20});
    CAF_CHECK(w.sent > sent);
    finish(w, seed);
  }
}

CAF_TEST(without risk nothing is sent once the lease has run out) {
  world w{busy(40)};
  w.run(seconds{20});
  w.set_risk_reachable(false);
  w.run(seconds{2});
  const auto sent = w.sent;
  CAF_CHECK(w.core()->state(w.now()) == executor_state::without_lease);
  w.run(seconds{10});
  CAF_CHECK_EQUAL(w.sent, sent);
  w.set_risk_reachable(true);
  w.run(seconds{10});
  CAF_CHECK(w.sent > sent);
  finish(w, 40);
}

CAF_TEST(a stopped executor that wakes after a takeover sends nothing) {
  for (std::uint64_t seed = 500; seed < 500 + rounds(100); ++seed) {
    world w{busy(seed)};
    w.run(seconds{5} + milliseconds{static_cast<std::int64_t>(seed % 50) * 7});
    // Paused at a random place, longer than its lease; the successor starts meanwhile.
    w.pause_process(seconds{3});
    w.run(milliseconds{1500});
    w.take_over();
    w.run(seconds{10});
    finish(w, seed);
  }
}

CAF_TEST(nothing leaves while the private session is down) {
  world w{busy(60)};
  w.run(seconds{10});
  for (int i = 0; i < 20; ++i) {
    w.break_session();
    w.run(seconds{2});
  }
  finish(w, 60);
}

CAF_TEST(orders of an account that is not reconciled are denied as not_reconciled) {
  const auto denied = [](const world& w) {
    std::vector<order_report> out;
    for (const auto& record : w.disk())
      if (const auto* report = std::get_if<order_report>(&record))
        if (report->state == order_state::denied) out.push_back(*report);
    return out;
  };
  // The session breaks while first the verdict, then the sync of the intent is awaited.
  std::set<std::string> reasons;
  for (int wait = 3; wait < 15; ++wait) {
    world w{quiet(80)};
    w.run(seconds{2});
    CAF_REQUIRE(w.core()->reconciled());
    w.decide(1'000);
    w.run(milliseconds{wait} / 2);
    const bool left = w.sent > 0;
    w.break_session();
    CAF_CHECK(!w.core()->reconciled());
    w.run(milliseconds{15}); // less than a new session takes
    const auto dropped = denied(w);
    CAF_REQUIRE_EQUAL(dropped.size(), left ? 0u : 1u);
    if (!left) {
      CAF_CHECK_EQUAL(dropped[0].code, static_cast<std::int32_t>(deny_code::not_reconciled));
      CAF_CHECK(dropped[0].text.starts_with("not_reconciled: "));
      CAF_CHECK_EQUAL(w.sent, 0u);
      CAF_CHECK_EQUAL(w.exchange().placed.count(dropped[0].client_id), 0u);
      reasons.insert(dropped[0].text);
    }
    // Reconciled again, the same target is followed with a new order.
    w.run(seconds{5});
    CAF_CHECK_EQUAL(live_orders(w), 1u);
    finish(w, 80);
  }
  CAF_CHECK_EQUAL(reasons.size(), 2u);
}

CAF_TEST(foreign orders and trades are quarantined and their fills are booked) {
  // freqtrade#13399: no crash; nautilus: never traded from an assumed position
  world w{quiet(70)};
  w.run(seconds{2});
  w.foreign_trade(side::buy, 300, false);
  w.run(seconds{2});
  CAF_CHECK_EQUAL(w.core()->position({instrument_name}).raw, 299); // less the fee in the base asset
  CAF_CHECK(count_alarms(w, "quarantine") >= 1u);
  w.decide(1'000);
  w.run(seconds{2});
  CAF_CHECK_EQUAL(w.sent, 0u);
  w.kill_process();
  w.run(seconds{3});
  w.run(seconds{2});
  CAF_CHECK_EQUAL(w.sent, 0u); // the quarantine outlives a restart
  w.core()->release_quarantine({instrument_name}, "me", w.now());
  w.decide(2'000);
  w.run(seconds{2});
  CAF_CHECK_EQUAL(w.sent, 1u);
  finish(w, 70);
}

CAF_TEST(the adopting policy books foreign fills and goes on) {
  auto o = quiet(71);
  o.executor.externals = external_policy::adopt;
  world w{o};
  w.run(seconds{2});
  w.foreign_trade(side::buy, 300, false);
  w.run(seconds{2});
  w.decide(1'000);
  w.run(seconds{2});
  CAF_CHECK_EQUAL(w.sent, 1u);
  // An id of our shape without a journal row is a lost journal, whatever the policy says.
  w.foreign_trade(side::buy, 300, true);
  w.run(seconds{2});
  CAF_CHECK(count_alarms(w, "quarantine") >= 1u);
  finish(w, 71);
}

CAF_TEST(a balance that no fill explains stops new orders until a person accepts it) {
  world w{quiet(80)};
  w.run(seconds{2});
  w.exchange().quote += 5'00000000; // edited behind our back
  w.run(seconds{25});
  CAF_CHECK(!w.core()->reconciled());
  CAF_CHECK_EQUAL(count_alarms(w, "balance"), 1u);
  w.decide(1'000);
  w.run(seconds{5});
  CAF_CHECK_EQUAL(w.sent, 0u);
  w.core()->accept_balances("me", w.now());
  w.run(seconds{5});
  CAF_CHECK(w.core()->reconciled());
  CAF_CHECK(w.sent >= 1u);
}

CAF_TEST(an account with a history outside our journal can be taken on) {
  // nautilus#3104
  world w{quiet(81)};
  w.kill_process();
  for (int i = 0; i < 120; ++i)
    w.foreign_trade(i % 2 == 0 ? side::buy : side::sell, 100 + i, false);
  w.run(seconds{4});
  CAF_CHECK(w.core()->reconciled());
  CAF_CHECK_EQUAL(w.core()->books().fill_count(), 0u);
  w.decide(1'000);
  w.run(seconds{2});
  CAF_CHECK_EQUAL(w.sent, 1u);
}

CAF_TEST(744 working orders are all back after a kill) {
  // nautilus#5000: there 14 of 744 were dropped at start
  executor_options options;
  options.account = {"main@binance"};
  options.instruments = {{btc_spec(), "BTC", "USDT"}};
  executor_core core{options, {}};
  CAF_REQUIRE(core.open());
  instant at{{1'723'160'000'000'000'000}, {1'000'000'000}};
  std::vector<order_report> listed;
  std::map<std::string, order_report> at_venue;
  for (std::uint32_t leg = 0; leg < 744; ++leg) {
    intent what;
    what.account = options.account;
    what.decision_sequence = 5;
    what.leg = leg;
    what.instrument = {instrument_name};
    what.direction = leg % 2 == 0 ? side::buy : side::sell;
    what.limit = {6'000'000 + static_cast<std::int64_t>(leg)};
    what.quantity = {100};
    what.expires = at.market + seconds{5};
    what.client_id = client_id_of(what);
    what.approval = approval_hash(what);
    CAF_REQUIRE(core.replay(executor_record{what}, at));
    order_report r;
    r.client_id = what.client_id;
    r.instrument = what.instrument;
    r.venue_order_id = std::to_string(9'000 + leg);
    r.state = order_state::acknowledged;
    // Some were acknowledged before the kill, some only sent, some journaled.
    if (leg % 3 == 0) CAF_REQUIRE(core.replay(executor_record{r}, at));
    if (leg % 3 == 1)
      CAF_REQUIRE(core.replay(executor_record{journal_sent{what.client_id, at.market}}, at));
    at_venue[what.client_id] = r;
    if (leg % 50 != 0)
      listed.push_back(r); // a few are missing in the list, and found when asked for
  }
  core.start(2, 1'500, at);
  core.on_session({{instrument_name}, 1, session_state::connected, {}}, at);
  std::size_t queries = 0;
  for (int turn = 0; turn < 50 && !core.reconciled(); ++turn) {
    at = {at.market + milliseconds{100}, at.steady + milliseconds{100}};
    core.on_tick(at);
    for (const auto& action : core.take_actions()) {
      CAF_REQUIRE(!std::holds_alternative<place_order>(action));
      if (const auto* o = std::get_if<fetch_open_orders>(&action))
        core.on_open_orders({o->command, listed}, at);
      if (const auto* t = std::get_if<fetch_trades>(&action))
        core.on_trades({t->command, std::vector<fill>{}, false}, at);
      if (const auto* a = std::get_if<fetch_account>(&action))
        core.on_account({a->command,
                         std::vector<asset_balance>{{"BTC", 0, 0, 8}, {"USDT", 0, 0, 8}},
                         at.market},
                        at);
      if (const auto* q = std::get_if<query_order>(&action)) {
        ++queries;
        command_outcome out;
        out.command = q->command;
        out.kind = command_result::confirmed;
        out.report = at_venue.at(q->client_id);
        core.on_outcome(out, at);
      }
    }
  }
  CAF_CHECK(core.reconciled());
  CAF_CHECK(queries >= 15u);
  CAF_CHECK_EQUAL(core.report(at).live_orders, 744u);
  CAF_CHECK_EQUAL(core.report(at).unknown_orders, 0u);
  CAF_CHECK_EQUAL(core.report(at).intents, 744u);
}

CAF_TEST(a failed journal ends the executor before anything else leaves) {
  world w{quiet(90)};
  w.run(seconds{2});
  w.core()->on_journal_failed("no space");
  const auto actions = w.core()->take_actions();
  CAF_REQUIRE_EQUAL(actions.size(), 1u);
  CAF_CHECK(std::holds_alternative<end_executor>(actions[0]));
  CAF_CHECK(w.core()->state(w.now()) == executor_state::fenced);
  w.decide(1'000);
  w.run(seconds{5});
  CAF_CHECK_EQUAL(w.sent, 0u);
}

CAF_TEST(the checker finds planted faults) {
  const auto found = [](const planted& bugs, std::string_view sign) {
    for (std::uint64_t seed = 2'000; seed < 2'030; ++seed) {
      auto o = stormy(seed);
      o.bugs = bugs;
      world w{o};
      w.run(seconds{120});
      w.settle(seconds{60});
      w.check_end();
      for (const auto& text : w.violations)
        if (text.find(sign) != std::string::npos) return true;
    }
    return false;
  };
  CAF_CHECK(found({.send_before_sync = true}, "before its intent was synced"));
  CAF_CHECK(found({.unknown_is_rejected = true}, "more live orders at once"));
  CAF_CHECK(found({.blind_resend = true}, "without a journal row"));
}
