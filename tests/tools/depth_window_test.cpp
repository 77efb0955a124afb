// The simulator's windows of limited depth against a book looked at anew behind each change.

#define CAF_SUITE depth_window

#include "tests/support/seeds.hpp"
#include "tools/venue_sim/data/depth_window.hpp"
#include "tools/venue_sim/order_flow.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe::venue_sim;

namespace {

using levels = std::vector<book_level>;

template <class Side>
levels best_of(const Side& side, std::size_t depth) {
  levels out;
  for (const auto& [price, quantity] : side) {
    if (out.size() == depth) break;
    out.push_back({price, quantity});
  }
  return out;
}

/// What must be told of the way from one side to the other, by price.
std::map<std::int64_t, std::int64_t> difference(const levels& before, const levels& after) {
  std::map<std::int64_t, std::int64_t> out;
  for (const auto& l : before) out[l.price_e8] = 0;
  for (const auto& l : after) out[l.price_e8] = l.quantity_e8;
  for (const auto& l : before)
    if (const auto at = out.find(l.price_e8); at != out.end() && at->second == l.quantity_e8) out.erase(at);
  return out;
}

std::map<std::int64_t, std::int64_t> told(const levels& changes) {
  std::map<std::int64_t, std::int64_t> out;
  for (const auto& l : changes) out[l.price_e8] = l.quantity_e8;
  return out;
}

} // namespace

CAF_TEST(a_window_says_what_a_fresh_look_would_say) {
  const auto seed = troupe::test::seed_of("depth_window", 20261122);
  for (const std::size_t depth : {1U, 5U, 50U, 400U, 1'000'000U}) {
    flow_market market{btcusdt_flow(), seed + depth, 1'700'000'000'000'000'000, venue_kind::binance_spot};
    depth_window window{depth};
    window.show(market.book());
    auto bids = best_of(market.book().bids(), depth);
    auto asks = best_of(market.book().asks(), depth);
    std::uint64_t number = 0;
    for (int n = 0; n < 20'000; ++n) {
      const auto& event = market.advance();
      if (event.kind != frame_kind::depth) continue;
      const bool changed = window.advance(market.book(), event);
      const auto now_bids = best_of(market.book().bids(), depth);
      const auto now_asks = best_of(market.book().asks(), depth);
      const bool differs = now_bids != bids || now_asks != asks;
      number += differs ? 1 : 0;
      CAF_REQUIRE_EQUAL(changed, differs);
      CAF_REQUIRE(window.all_bids() == now_bids && window.all_asks() == now_asks);
      CAF_REQUIRE(told(window.bids()) == difference(bids, now_bids));
      CAF_REQUIRE(told(window.asks()) == difference(asks, now_asks));
      bids = now_bids;
      asks = now_asks;
    }
    CAF_CHECK_EQUAL(window.number(), number);
    CAF_CHECK(number > 20);
  }
}
