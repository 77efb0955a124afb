#define CAF_SUITE fusion
#include "actors/orchestrator/decider_memory.hpp"

#include <caf/test/unit_test.hpp>

#include <cmath>
#include <iostream>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr market_time start{1'723'160'000'000'000'000};
const instrument_id btc{"BTC-USDT@binance"};

prediction says(horizon over, std::int32_t up_ppm, market_time at, std::int64_t mid = 6'000'000) {
  prediction p;
  p.instrument = btc;
  p.over = over;
  p.at = at;
  p.due = at + length_of(over);
  p.id = std::string{name_of(over)} + '/' + std::to_string(at.ns);
  p.said = {1'000'000 - up_ppm, 0, up_ppm, 0};
  p.bid.at = {mid - 1};
  p.ask.at = {mid + 1};
  return p;
}

quote quoted(market_time at, std::int64_t mid = 6'000'000,
             book_validity validity = book_validity::valid) {
  quote q;
  q.instrument = btc;
  q.at = at;
  q.sequence = 77;
  q.validity = validity;
  q.bid = {{mid - 1}, {10}};
  q.ask = {{mid + 1}, {10}};
  return q;
}

/// A copy of the target; one that no target has when there is none.
std::int64_t raw(const std::optional<size>& target) {
  return target ? target->raw : INT64_MIN;
}

decider_options demo_policy() {
  decider_options o;
  o.spec.id = btc;
  o.spec.size_scale = 5;
  o.spec.lot = {1};
  o.policy.shape = policy_shape::sign;
  o.policy.max_position = {100};
  o.policy.dead_band_ppm = 0;
  return o;
}

} // namespace

CAF_TEST(the pool of equal opinions is the opinion) {
  fusion f{{}};
  f.on_quote(quoted(start));
  for (const auto h : all_horizons)
    CAF_CHECK(f.on_prediction(says(h, 750'000, start)));
  const auto s = f.fuse(start);
  CAF_REQUIRE(!s.abstains);
  // 2 × 0.75 - 1
  CAF_CHECK_EQUAL(s.score_ppm, 500'000);
  CAF_CHECK_EQUAL(s.predictions.size(), 4u);
  CAF_CHECK_EQUAL(s.book_sequence, 77u);
  CAF_CHECK_EQUAL(s.reason, "1m 5m 15m 60m");
}

CAF_TEST(opposite opinions cancel and weights decide) {
  fusion_options o;
  o.weights = {0.5, 0.5, 0, 0};
  fusion f{o};
  f.on_quote(quoted(start));
  CAF_CHECK(f.on_prediction(says(horizon::m1, 800'000, start)));
  CAF_CHECK(f.on_prediction(says(horizon::m5, 200'000, start)));
  CAF_CHECK_EQUAL(f.fuse(start).score_ppm, 0);
  o.weights = {0.75, 0.25, 0, 0};
  fusion g{o};
  g.on_quote(quoted(start));
  (void)g.on_prediction(says(horizon::m1, 800'000, start));
  (void)g.on_prediction(says(horizon::m5, 200'000, start));
  // log odds 0.75 ln4 - 0.25 ln4 = ln2: odds 2, P = 2/3
  CAF_CHECK_EQUAL(g.fuse(start).score_ppm, 333'333);
}

CAF_TEST(stale inputs and bad books abstain) {
  fusion f{{}};
  CAF_CHECK(f.fuse(start).abstains);
  f.on_quote(quoted(start));
  CAF_CHECK(f.fuse(start).abstains);
  CAF_CHECK(f.on_prediction(says(horizon::m1, 700'000, start)));
  CAF_CHECK(!f.on_prediction(says(horizon::m1, 100'000, start - 1s)));
  CAF_CHECK(!f.fuse(start + 5s).abstains);
  CAF_CHECK(f.fuse(start + 6s).abstains); // quote
  f.on_quote(quoted(start + 20s));
  CAF_CHECK(!f.fuse(start + 20s).abstains);
  f.on_quote(quoted(start + 21s));
  CAF_CHECK(f.fuse(start + 21s).abstains); // prediction
  (void)f.on_prediction(says(horizon::m1, 700'000, start + 21s));
  CAF_CHECK(!f.fuse(start + 21s).abstains);
  f.on_quote(quoted(start + 21s, 6'000'000, book_validity::gap));
  CAF_CHECK(f.fuse(start + 21s).abstains);
  CAF_CHECK(!f.fuse(start + 21s).reason.empty());
}

CAF_TEST(weights go to the horizon that is right) {
  fusion_options o;
  o.weights = {0.5, 0.5, 0, 0};
  fusion f{o};
  std::uint64_t dice = 42;
  std::cout << "weights: seed " << dice << '\n';
  // Every 10 s a step; the minute's opinion knows the way, the other is a coin.
  std::vector<std::int64_t> path{6'000'000};
  for (int i = 0; i < 600; ++i) {
    dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
    path.push_back(path.back() + ((dice >> 62) % 2 == 0 ? 50 : -50));
  }
  for (std::size_t i = 0; i + 40 < path.size(); ++i) {
    const auto at = start + i * 10s;
    f.on_quote(quoted(at, path[i]));
    dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
    (void)f.on_prediction(
        says(horizon::m1, path[i + 6] > path[i] ? 900'000 : 100'000, at, path[i]));
    (void)f.on_prediction(
        says(horizon::m5, (dice >> 62) % 2 == 0 ? 900'000 : 100'000, at, path[i]));
  }
  CAF_CHECK(f.scored()[0] > 300);
  CAF_CHECK(f.scored()[1] > 300);
  CAF_CHECK(f.weights()[0] > 0.95);
  CAF_CHECK(f.weights()[1] >= 0.019);
  CAF_CHECK(std::abs(f.weights()[0] + f.weights()[1] - 1) < 1e-9);
  CAF_CHECK_EQUAL(f.weights()[2], 0.0);
}

CAF_TEST(a horizon without outcomes counts as a coin) {
  fusion f{{}};
  for (int i = 0; i < 60; ++i) {
    const auto at = start + i * 10s;
    f.on_quote(quoted(at, 6'000'000 + i * 100));
    (void)f.on_prediction(says(horizon::m1, 950'000, at, 6'000'000 + i * 100));  // right
    (void)f.on_prediction(says(horizon::m60, 950'000, at, 6'000'000 + i * 100)); // not due yet
  }
  CAF_CHECK(f.weights()[0] > f.weights()[3]);
  CAF_CHECK_EQUAL(f.scored()[3], 0u);
}

CAF_TEST(what was learned survives a restart and a damaged file is refused) {
  decider first{demo_policy()};
  decision_numbers numbers;
  for (int i = 0; i < 60; ++i) {
    const auto at = start + i * 10s;
    first.on_quote(quoted(at, 6'000'000 + i * 100), at);
    for (const auto over : all_horizons)
      first.on_prediction(says(over, 912'345, at, 6'000'000 + i * 100), at);
    (void)first.take(at, numbers);
  }
  const auto now = start + 590s;
  CAF_REQUIRE(first.fused().scored()[0] > 0);
  CAF_REQUIRE(first.target().has_value());
  const auto bytes = encode_memory(first.memory());
  const auto read = decode_memory(bytes);
  CAF_REQUIRE(read);
  CAF_CHECK(*read == first.memory());

  decider second{demo_policy()};
  second.recall(*read, now);
  CAF_CHECK(second.memory() == first.memory());
  CAF_CHECK(second.fused().weights() == first.fused().weights());
  CAF_CHECK_EQUAL(raw(second.target()), raw(first.target()));
  // Predictions of the first life are still scored in the second.
  const auto before = second.fused().scored()[1];
  second.on_quote(quoted(now + 10s, 7'000'000), now + 10s);
  CAF_CHECK(second.fused().scored()[1] > before);
  // On a market clock that runs earlier, rows of the future are left out.
  decider third{demo_policy()};
  third.recall(*read, start - 24h);
  CAF_CHECK(third.memory().fused.waiting[3].empty());
  CAF_CHECK(!third.memory().changed);

  for (std::size_t i = 0; i < bytes.size(); i += 7) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    CAF_CHECK(!decode_memory(damaged));
    CAF_CHECK(!decode_memory(bytes.substr(0, i)));
  }
}

CAF_TEST(bands and shapes and holding of the policy) {
  policy_options o;
  o.max_position = {1'000};
  o.dead_band_ppm = 100'000;
  o.full_score_ppm = 500'000;
  o.min_holding = 60s;
  o.min_change = {50};
  const auto strong = [](std::int32_t score) {
    fused_signal s;
    s.abstains = false;
    s.score_ppm = score;
    return s;
  };
  position_policy p{o, {10}};
  CAF_CHECK(!p.apply(strong(99'999), start)); // never set: no wish, not flat
  CAF_CHECK_EQUAL(raw(p.apply(strong(250'000), start)), 500);
  CAF_CHECK_EQUAL(raw(p.apply(strong(-500'000), start + 59s)), 500);
  CAF_CHECK_EQUAL(raw(p.apply(strong(-900'000), start + 60s)), -1'000);
  CAF_CHECK_EQUAL(raw(p.apply(strong(-480'000), start + 200s)), -1'000); // a change of 40
  CAF_CHECK_EQUAL(raw(p.apply(strong(-47'000), start + 200s)), -1'000);  // dead band
  CAF_CHECK_EQUAL(raw(p.apply(strong(-321'000), start + 200s)), -640);   // 642 down to the lot
  o.long_only = true;
  position_policy q{o, {10}};
  CAF_CHECK_EQUAL(raw(q.apply(strong(-900'000), start)), 0);
}

CAF_TEST(abstaining holds or goes flat) {
  policy_options o;
  o.shape = policy_shape::sign;
  o.max_position = {1'000};
  o.flat_after = 600s;
  fused_signal up;
  up.abstains = false;
  up.score_ppm = 900'000;
  const fused_signal none;
  position_policy p{o, {1}};
  CAF_CHECK(!p.apply(none, start));
  CAF_CHECK_EQUAL(raw(p.apply(up, start)), 1'000);
  CAF_CHECK_EQUAL(raw(p.apply(none, start + 10s)), 1'000);
  CAF_CHECK_EQUAL(raw(p.apply(none, start + 609s)), 1'000);
  CAF_CHECK_EQUAL(raw(p.apply(none, start + 610s)), 0);
  o.on_abstain = abstain_action::flat;
  position_policy q{o, {1}};
  CAF_CHECK_EQUAL(raw(q.apply(up, start)), 1'000);
  CAF_CHECK_EQUAL(raw(q.apply(none, start)), 0);
}

CAF_TEST(decision numbers never repeat) {
  decision_numbers first;
  const auto a = first.next(start);
  const auto b = first.next(start); // twice within one microsecond
  CAF_CHECK(b == a + 1);
  CAF_CHECK(first.next(start + 1ms) > b);
  decision_numbers second; // another life, later
  CAF_CHECK(second.next(start + 2ms) > first.last());
  second.at_least(a + 1'000'000'000);
  CAF_CHECK_EQUAL(second.next(start + 3ms), a + 1'000'000'001);
}

CAF_TEST(one decision for an instant when all have spoken) {
  decider d{demo_policy()};
  decision_numbers numbers;
  d.on_quote(quoted(start), start);
  CAF_CHECK(!d.take(start, numbers));
  for (const auto h : {horizon::m1, horizon::m5, horizon::m15})
    d.on_prediction(says(h, 700'000, start), start);
  CAF_CHECK(!d.take(start, numbers));
  d.on_prediction(says(horizon::m60, 700'000, start), start);
  const auto made = d.take(start, numbers);
  CAF_REQUIRE(made);
  CAF_CHECK_EQUAL(made->target.raw, 100);
  CAF_CHECK_EQUAL(made->score_ppm, 400'000);
  CAF_CHECK_EQUAL(made->predictions.size(), 4u);
  CAF_CHECK(!d.take(start, numbers));
}

CAF_TEST(a missing horizon is waited for and then left out) {
  decider d{demo_policy()};
  decision_numbers numbers;
  d.on_quote(quoted(start), start);
  d.on_prediction(says(horizon::m1, 300'000, start), start);
  CAF_CHECK(!d.take(start + 1s, numbers));
  const auto made = d.take(start + 2s, numbers);
  CAF_REQUIRE(made);
  CAF_CHECK_EQUAL(made->target.raw, -100);
  CAF_CHECK_EQUAL(made->predictions.size(), 1u);
}

CAF_TEST(weak models still trade under the policy of the demo) {
  decider d{demo_policy()};
  decision_numbers numbers;
  std::uint64_t dice = 7;
  std::cout << "demo policy: seed " << dice << '\n';
  std::uint64_t flips = 0;
  std::int64_t last = 0;
  std::set<std::uint64_t> sequences;
  for (int i = 0; i < 660; ++i) { // 110 minutes of market time
    const auto at = start + i * 10s;
    d.on_quote(quoted(at), at);
    for (const auto h : all_horizons) {
      dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
      d.on_prediction(says(h, 490'000 + static_cast<std::int32_t>((dice >> 40) % 20'000), at), at);
    }
    const auto made = d.take(at, numbers);
    CAF_REQUIRE(made);
    CAF_REQUIRE(sequences.insert(made->sequence).second);
    if (last != 0 && made->target.raw != last) ++flips;
    last = made->target.raw;
  }
  CAF_CHECK(flips >= 100);
}

CAF_TEST(silence ends in a flat target) {
  auto o = demo_policy();
  o.policy.flat_after = 60s;
  decider d{o};
  decision_numbers numbers;
  d.on_quote(quoted(start), start);
  for (const auto h : all_horizons)
    d.on_prediction(says(h, 700'000, start), start);
  CAF_REQUIRE(d.take(start, numbers));
  std::optional<decision> flat;
  for (int i = 1; i < 1000 && !flat; ++i)
    flat = d.take(start + i * 1s, numbers);
  CAF_REQUIRE(flat);
  CAF_CHECK_EQUAL(flat->target.raw, 0);
}
