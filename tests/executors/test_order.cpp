#define CAF_SUITE order
#include "actors/executors/client_id.hpp"
#include "actors/executors/order.hpp"
#include "tests/executors/simulation.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <iostream>

using namespace troupe;
using troupe::sim::random_source;

namespace {

intent sample(std::int64_t quantity = 100) {
  intent order;
  order.account = {"main@binance"};
  order.decision_sequence = 7;
  order.instrument = {"BTC-USDT@binance"};
  order.direction = side::buy;
  order.limit = {6'000'000};
  order.quantity = {quantity};
  order.expires = {1'000};
  order.client_id = client_id_of(order);
  return order;
}

order sent_order(const intent& what) {
  order o{what};
  CAF_CHECK(o.approve(approval_hash(what)).issues.empty());
  CAF_CHECK(o.journal().issues.empty());
  CAF_CHECK(o.send().issues.empty());
  return o;
}

fill execution(const intent& what, std::string id, std::int64_t quantity) {
  fill f;
  f.instrument = what.instrument;
  f.trade_id = std::move(id);
  f.client_id = what.client_id;
  f.venue_order_id = "v1";
  f.direction = what.direction;
  f.at_price = what.limit;
  f.quantity = {quantity};
  f.fee_asset = "USDT";
  f.fee_raw = quantity;
  return f;
}

order_report report(const intent& what, order_state state, std::int64_t filled) {
  order_report r;
  r.client_id = what.client_id;
  r.instrument = what.instrument;
  r.venue_order_id = "v1";
  r.state = state;
  r.filled = {filled};
  return r;
}

bool has(const order_change& change, order_issue issue) {
  return std::find(change.issues.begin(), change.issues.end(), issue) != change.issues.end();
}

/// What happened at the venue, and every message that speaks of it.
struct history {
  order_state end = order_state::acknowledged;
  std::int64_t filled = 0;
  std::vector<order_report> messages;
};

history make_history(const intent& what, random_source& dice) {
  history h;
  h.messages.push_back(report(what, order_state::acknowledged, 0));
  const auto fills = dice.between(0, 5);
  for (std::int64_t i = 0; i < fills && h.filled < what.quantity.raw; ++i) {
    const auto left = what.quantity.raw - h.filled;
    const auto part = dice.chance(0.2) ? left : dice.between(1, left);
    h.filled += part;
    const bool all = h.filled == what.quantity.raw;
    auto event = report(what, all ? order_state::filled : order_state::partially_filled, h.filled);
    event.fills.push_back(execution(what, std::to_string(100 + i), part));
    // The trade list repeats the execution without client id; the stream may not know the fee yet.
    auto row = report(what, order_state::unknown, 0);
    row.fills = event.fills;
    row.fills[0].client_id.clear();
    if (dice.chance(0.3)) {
      event.fills[0].fee_asset.clear();
      event.fills[0].fee_raw = 0;
    }
    h.messages.push_back(event);
    h.messages.push_back(row);
  }
  h.end = h.filled == what.quantity.raw ? order_state::filled
          : h.filled > 0                ? order_state::partially_filled
                                        : order_state::acknowledged;
  if (h.end != order_state::filled && dice.chance(0.7)) {
    h.end = dice.chance(0.7) ? order_state::cancelled : order_state::expired;
    // The cancel's own answer may be older than the last fills: it names less.
    h.messages.push_back(report(what, h.end, dice.chance(0.5) ? h.filled : 0));
    h.messages.push_back(report(what, h.end, h.filled));
  }
  const auto copies = dice.between(0, 4);
  for (std::int64_t i = 0; i < copies; ++i)
    h.messages.push_back(h.messages[static_cast<std::size_t>(
        dice.between(0, static_cast<std::int64_t>(h.messages.size()) - 1))]);
  return h;
}

} // namespace

CAF_TEST(client ids are a function of the intent and fit every venue) {
  auto a = sample();
  CAF_CHECK_EQUAL(client_id_of(a), client_id_of(sample()));
  CAF_CHECK_EQUAL(a.client_id.size(), client_id_length);
  CAF_CHECK(is_our_client_id(a.client_id));
  CAF_CHECK(!is_our_client_id("by-hand-1"));
  for (const char c : a.client_id)
    CAF_CHECK((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7') || c == '-');
  const auto differs = [&](auto change) {
    auto b = sample();
    change(b);
    return client_id_of(b) != a.client_id;
  };
  CAF_CHECK(differs([](intent& b) { b.account.text = "other@binance"; }));
  CAF_CHECK(differs([](intent& b) { b.decision_sequence = 8; }));
  CAF_CHECK(differs([](intent& b) { b.leg = 1; }));
  CAF_CHECK(differs([](intent& b) { b.instrument.text = "ETH-USDT@binance"; }));
  CAF_CHECK(differs([](intent& b) { b.direction = side::sell; }));
  CAF_CHECK(differs([](intent& b) { b.kind = order_kind::market; }));
  CAF_CHECK(differs([](intent& b) { b.tif = time_in_force::ioc; }));
  CAF_CHECK(differs([](intent& b) { b.limit.raw += 1; }));
  CAF_CHECK(differs([](intent& b) { b.quantity.raw += 1; }));
  CAF_CHECK(differs([](intent& b) { b.reduce_only = true; }));
  CAF_CHECK(!differs([](intent& b) { b.created = {5}, b.expires = {6}, b.approval = 9; }));
}

CAF_TEST(an approval covers every field of the order) {
  const auto a = sample();
  const auto hash = approval_hash(a);
  CAF_CHECK(hash != 0);
  const auto differs = [&](auto change) {
    auto b = a;
    change(b);
    return approval_hash(b) != hash;
  };
  CAF_CHECK(differs([](intent& b) { b.limit.raw += 1; }));
  CAF_CHECK(differs([](intent& b) { b.quantity.raw += 1; }));
  CAF_CHECK(differs([](intent& b) { b.created.ns += 1; }));
  CAF_CHECK(differs([](intent& b) { b.expires.ns += 1; }));
  CAF_CHECK(differs([](intent& b) { b.client_id += "x"; }));
  CAF_CHECK(!differs([](intent& b) { b.approval = 1; }));
}

CAF_TEST(local steps go in one direction) {
  const auto what = sample();
  order o{what};
  CAF_CHECK(has(o.journal(), order_issue::wrong_step));
  CAF_CHECK(has(o.send(), order_issue::wrong_step));
  CAF_CHECK(has(o.lose(), order_issue::wrong_step));
  CAF_CHECK(has(o.approve(approval_hash(what) + 1), order_issue::approval_mismatch));
  CAF_CHECK(o.state() == order_state::created);
  o = sent_order(what);
  CAF_CHECK(has(o.send(), order_issue::wrong_step));
  CAF_CHECK(has(o.prove_absent(), order_issue::wrong_step));
  CAF_CHECK(o.lose().issues.empty());
  CAF_CHECK(o.state() == order_state::unknown);
  CAF_CHECK(has(o.deny(), order_issue::wrong_step));
  CAF_CHECK(o.prove_absent().issues.empty());
  CAF_CHECK(o.done());
  CAF_CHECK(o.absent());
}

CAF_TEST(legal surprises are accepted) {
  const auto what = sample();
  auto o = sent_order(what);
  CAF_MESSAGE("fill before acknowledgement");
  auto event = report(what, order_state::partially_filled, 40);
  event.fills.push_back(execution(what, "1", 40));
  CAF_CHECK(o.apply(event).issues.empty());
  CAF_CHECK(o.apply(report(what, order_state::acknowledged, 0)).issues.empty());
  CAF_CHECK(o.state() == order_state::partially_filled);
  CAF_CHECK_EQUAL(o.filled().raw, 40);
  CAF_MESSAGE("an end that is not explained stays closing");
  CAF_CHECK(o.apply(report(what, order_state::cancelled, 70)).issues.empty());
  CAF_CHECK(o.closing());
  CAF_CHECK(!o.done());
  CAF_CHECK_EQUAL(o.remaining().raw, 30);
  CAF_MESSAGE("fill after the cancel's acknowledgement");
  const auto change = o.apply(execution(what, "2", 30));
  CAF_CHECK(change.issues.empty());
  CAF_CHECK_EQUAL(change.new_fills.size(), 1u);
  CAF_CHECK(o.done());
  CAF_CHECK(o.state() == order_state::cancelled);
  CAF_MESSAGE("a duplicate changes nothing");
  CAF_CHECK(o.apply(execution(what, "2", 30)).duplicate);
  CAF_CHECK(o.apply(event).duplicate);
}

CAF_TEST(a fee may come after the end) {
  const auto what = sample();
  auto o = sent_order(what);
  auto bare = execution(what, "1", 100);
  bare.fee_asset.clear();
  bare.fee_raw = 0;
  CAF_CHECK(o.apply(bare).issues.empty());
  CAF_CHECK(o.state() == order_state::filled);
  const auto change = o.apply(execution(what, "1", 100));
  CAF_CHECK(change.issues.empty());
  CAF_CHECK_EQUAL(change.completed_fills.size(), 1u);
  CAF_CHECK_EQUAL(o.fills().at("1").fee_raw, 100);
}

CAF_TEST(a timeout is no rejection and silence is no end) {
  const auto what = sample();
  auto o = sent_order(what);
  o.lose();
  CAF_CHECK(o.state() == order_state::unknown);
  CAF_CHECK_EQUAL(o.remaining().raw, 100);
  CAF_CHECK(o.apply(report(what, order_state::acknowledged, 0)).issues.empty());
  CAF_CHECK(o.state() == order_state::acknowledged);
}

CAF_TEST(illegal events are flagged) {
  const auto what = sample();
  {
    order o{what};
    CAF_CHECK(
        has(o.apply(report(what, order_state::acknowledged, 0)), order_issue::early_venue_event));
  }
  {
    auto o = sent_order(what);
    CAF_CHECK(has(o.apply(execution(what, "1", 101)), order_issue::overfill));
  }
  {
    auto o = sent_order(what);
    CAF_CHECK(o.apply(execution(what, "1", 50)).issues.empty());
    CAF_CHECK(has(o.apply(execution(what, "1", 51)), order_issue::contradictory_fill));
    CAF_CHECK_EQUAL(o.filled().raw, 50);
  }
  {
    auto o = sent_order(what);
    auto wrong = execution(what, "1", 50);
    wrong.direction = side::sell;
    CAF_CHECK(has(o.apply(wrong), order_issue::wrong_order));
    auto nothing_in_it = execution(what, "2", 0);
    CAF_CHECK(has(o.apply(nothing_in_it), order_issue::bad_amount));
    auto other = report(what, order_state::acknowledged, 0);
    other.client_id = "t-other";
    CAF_CHECK(has(o.apply(other), order_issue::wrong_order));
    auto negative = report(what, order_state::acknowledged, -1);
    CAF_CHECK(has(o.apply(negative), order_issue::bad_amount));
    CAF_CHECK(has(o.apply(report(what, order_state::journaled, 0)), order_issue::wrong_step));
  }
  {
    auto o = sent_order(what);
    CAF_CHECK(o.apply(report(what, order_state::acknowledged, 0)).issues.empty());
    auto second = report(what, order_state::acknowledged, 0);
    second.venue_order_id = "v2";
    CAF_CHECK(has(o.apply(second), order_issue::second_venue_order));
  }
  {
    auto o = sent_order(what);
    CAF_CHECK(o.apply(report(what, order_state::cancelled, 0)).issues.empty());
    CAF_CHECK(has(o.apply(report(what, order_state::rejected, 0)), order_issue::contradictory_end));
    CAF_CHECK(o.state() == order_state::cancelled);
  }
  {
    auto o = sent_order(what);
    CAF_CHECK(o.apply(report(what, order_state::rejected, 0)).issues.empty());
    CAF_CHECK(has(o.apply(execution(what, "1", 10)), order_issue::contradictory_end));
    CAF_CHECK(!o.done());
    CAF_CHECK(o.state() == order_state::unknown);
  }
  {
    auto o = sent_order(what);
    o.lose();
    o.prove_absent();
    CAF_CHECK(has(o.apply(report(what, order_state::acknowledged, 0)), order_issue::resurrected));
    CAF_CHECK(!o.done());
  }
  for (int i = 0; i <= static_cast<int>(order_issue::resurrected); ++i)
    CAF_CHECK_NOT_EQUAL(name_of(static_cast<order_issue>(i)), "?");
  for (int i = 0; i <= static_cast<int>(order_state::unknown); ++i)
    CAF_CHECK_NOT_EQUAL(name_of(static_cast<order_state>(i)), "?");
}

CAF_TEST(every order of events gives the same end) {
  constexpr std::uint64_t seed = 20260801;
  std::cout << "permutations: seed " << seed << '\n';
  random_source dice{seed};
  std::uint64_t wrong = 0;
  std::uint64_t flagged = 0;
  std::uint64_t shrunk = 0;
  for (std::uint64_t round = 0; round < troupe::sim::rounds(100'000); ++round) {
    const auto what = sample(dice.between(1, 500));
    auto h = make_history(what, dice);
    for (std::size_t i = h.messages.size(); i > 1; --i)
      std::swap(
          h.messages[i - 1],
          h.messages[static_cast<std::size_t>(dice.between(0, static_cast<std::int64_t>(i) - 1))]);
    order o{what};
    o.approve(approval_hash(what));
    o.journal();
    if (dice.chance(0.8)) o.send(); // the journal of the sending may be lost in a crash
    if (dice.chance(0.3)) o.lose();
    std::int64_t filled = 0;
    std::int64_t booked = 0;
    for (const auto& message : h.messages) {
      const auto change = o.apply(message);
      flagged += change.issues.size();
      for (const auto& f : change.new_fills)
        booked += f.quantity.raw;
      if (o.filled().raw < filled) ++shrunk;
      filled = o.filled().raw;
    }
    if (o.state() != h.end || filled != h.filled || booked != h.filled
        || o.done() != is_final(h.end))
      ++wrong;
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(flagged, 0u);
  CAF_CHECK_EQUAL(shrunk, 0u);
}
