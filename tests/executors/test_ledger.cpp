#define CAF_SUITE ledger
#include "actors/executors/ledger.hpp"
#include "tests/executors/simulation.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <iostream>

using namespace troupe;
using troupe::sim::random_source;

namespace {

ledger_instrument make(std::string id, std::string base, std::uint8_t price_scale,
                       std::uint8_t size_scale) {
  ledger_instrument i;
  i.spec.id = {std::move(id)};
  i.spec.price_scale = price_scale;
  i.spec.size_scale = size_scale;
  i.base_asset = std::move(base);
  i.quote_asset = "USDT";
  return i;
}

/// Books fills given as decimals with a fee rate in parts per 10,000, charged in the quote asset.
class player {
public:
  player(ledger_instrument instrument, std::int64_t fee_e4)
      : instrument_{std::move(instrument)}, fee_e4_{fee_e4} {
    CAF_REQUIRE(books.add_instrument(instrument_));
  }
  void trade(side direction, const char* quantity, const char* at) {
    const auto& spec = instrument_.spec;
    fill f;
    f.instrument = spec.id;
    f.trade_id = std::to_string(++count_);
    f.at = {static_cast<std::int64_t>(count_)};
    f.direction = direction;
    f.quantity = {parse_decimal(quantity, spec.size_scale).value_or(0)};
    f.at_price = {parse_decimal(at, spec.price_scale).value_or(0)};
    if (fee_e4_ != 0) {
      f.fee_raw = f.quantity.raw * f.at_price.raw * fee_e4_;
      f.fee_scale = static_cast<std::uint8_t>(spec.size_scale + spec.price_scale + 4);
      f.fee_asset = "USDT";
    }
    const auto done = books.book(f);
    CAF_REQUIRE(done);
    CAF_CHECK(*done == booking::booked);
    CAF_CHECK(books.check());
  }
  /// Rounded half up at `decimals`, as the printed figures are.
  std::string realised(int decimals) const {
    return rounded(books.position(id()).realised, decimals);
  }
  static std::string rounded(int128 raw, int decimals) {
    int128 half = 5;
    for (int i = decimals + 1; i < ledger_scale; ++i)
      half *= 10;
    return format_wide(raw < 0 ? raw - half : raw + half, ledger_scale, decimals);
  }
  const instrument_id& id() const { return instrument_.spec.id; }
  std::string quantity() const {
    return format_wide(books.position(id()).quantity, books.position(id()).base_scale, 8);
  }

  ledger books;

private:
  ledger_instrument instrument_;
  std::int64_t fee_e4_;
  std::uint64_t count_ = 0;
};

} // namespace

CAF_TEST(worked example of ETHUSDT to every printed digit) {
  player p{make("ETH-USDT@x", "ETH", 2, 3), 1};
  p.trade(side::buy, "12", "100");
  CAF_CHECK_EQUAL(p.quantity(), "12");
  CAF_CHECK_EQUAL(p.books.average_price(p.id()), "100");
  CAF_CHECK_EQUAL(p.realised(8), "-0.12");
  p.trade(side::buy, "17", "99");
  CAF_CHECK_EQUAL(p.quantity(), "29");
  CAF_CHECK_EQUAL(p.books.average_price(p.id(), 14), "99.41379310344827");
  CAF_CHECK_EQUAL(p.realised(8), "-0.2883");
  p.trade(side::sell, "9", "101");
  CAF_CHECK_EQUAL(p.quantity(), "20");
  CAF_CHECK_EQUAL(p.books.average_price(p.id(), 14), "99.41379310344827");
  CAF_CHECK_EQUAL(p.realised(8), "13.89666207");
  p.trade(side::sell, "4", "105");
  CAF_CHECK_EQUAL(p.quantity(), "16");
  CAF_CHECK_EQUAL(p.books.average_price(p.id(), 14), "99.41379310344827");
  CAF_CHECK_EQUAL(p.realised(8), "36.19948966");
  p.trade(side::buy, "3", "103");
  CAF_CHECK_EQUAL(p.quantity(), "19");
  CAF_CHECK_EQUAL(p.books.average_price(p.id(), 14), "99.98003629764065");
  CAF_CHECK_EQUAL(p.realised(8), "36.16858966");
}

CAF_TEST(worked example of BTCUSDT to every printed digit) {
  player p{make("BTC-USDT@x", "BTC", 2, 5), 10};
  p.trade(side::buy, "12", "10000");
  CAF_CHECK_EQUAL(p.realised(8), "-120");
  p.trade(side::buy, "17", "9999");
  // 289983/29 = 9999.4137931034482…: the 12th decimal of the printed 9999.413793103447 is an
  // artefact of doubles.
  CAF_CHECK_EQUAL(p.books.average_price(p.id(), 11), "9999.41379310344");
  CAF_CHECK_EQUAL(p.realised(8), "-289.983");
  p.trade(side::sell, "9", "10001");
  CAF_CHECK_EQUAL(p.books.average_price(p.id(), 11), "9999.41379310344");
  CAF_CHECK_EQUAL(p.realised(8), "-365.71613793");
  p.trade(side::buy, "3", "10003");
  CAF_CHECK_EQUAL(p.books.average_price(p.id(), 11),
                  "9999.88155922038"); // …9220389…, printed rounded
  CAF_CHECK_EQUAL(player::rounded(p.books.position(p.id()).cost / 23, 11), "9999.88155922039");
  CAF_CHECK_EQUAL(p.realised(8), "-395.72513793");
  p.trade(side::sell, "4", "10005");
  CAF_CHECK_EQUAL(p.quantity(), "19");
  CAF_CHECK_EQUAL(p.realised(8), "-415.27137481");
}

CAF_TEST(marked positions) {
  player p{make("BTC-USDT@x", "BTC", 2, 5), 10};
  p.trade(side::buy, "12", "10500");
  CAF_CHECK_EQUAL(format_wide(*p.books.unrealised(p.id(), {1'051'000}), ledger_scale, 8), "120");
  CAF_CHECK_EQUAL(p.realised(8), "-126");
  CAF_CHECK_EQUAL(format_wide(*p.books.total(p.id(), {1'051'000}), ledger_scale, 8), "-6");
  player q{make("BTC-USDT@x", "BTC", 2, 5), 10};
  q.trade(side::sell, "10.15", "10500");
  CAF_CHECK_EQUAL(format_wide(*q.books.unrealised(q.id(), {1'039'000}), ledger_scale, 8), "1116.5");
  CAF_CHECK_EQUAL(q.realised(8), "-106.575");
}

CAF_TEST(flips close first and open at their own price) {
  player a{make("A-USDT@x", "A", 2, 2), 0};
  a.trade(side::buy, "100", "1");
  a.trade(side::sell, "50", "2");
  a.trade(side::sell, "100", "3");
  CAF_CHECK_EQUAL(a.quantity(), "-50");
  CAF_CHECK_EQUAL(a.books.average_price(a.id()), "3");
  CAF_CHECK_EQUAL(a.realised(8), "150");
  player b{make("A-USDT@x", "A", 2, 2), 0};
  b.trade(side::buy, "50", "1");
  b.trade(side::sell, "100", "2");
  b.trade(side::buy, "100", "3");
  CAF_CHECK_EQUAL(b.quantity(), "50");
  CAF_CHECK_EQUAL(b.books.average_price(b.id()), "3");
  CAF_CHECK_EQUAL(b.realised(8), "0");
  player c{make("A-USDT@x", "A", 2, 2), 0};
  c.trade(side::buy, "100", "1");
  c.trade(side::buy, "200", "0.5");
  CAF_CHECK_EQUAL(c.quantity(), "300");
  CAF_CHECK_EQUAL(c.books.average_price(c.id(), 6), "0.666666");
}

CAF_TEST(a fee in the base asset shrinks the position and costs its value) {
  ledger books;
  CAF_REQUIRE(books.add_instrument(make("BTC-USDT@x", "BTC", 2, 5)));
  fill f;
  f.instrument = {"BTC-USDT@x"};
  f.trade_id = "1";
  f.direction = side::buy;
  f.at_price = {6'000'000};
  f.quantity = {100'000}; // 1 BTC
  f.fee_raw = 100'000;    // 0.001 BTC
  f.fee_scale = 8;
  f.fee_asset = "BTC";
  CAF_REQUIRE(books.book(f));
  const auto p = books.position(f.instrument);
  CAF_CHECK_EQUAL(p.quantity, 99'900'000);
  CAF_CHECK_EQUAL(books.average_price(f.instrument), "60000");
  CAF_CHECK_EQUAL(format_wide(p.realised, ledger_scale, 8), "-60");
  CAF_CHECK_EQUAL(format_wide(p.cash, ledger_scale, 8), "-60000");
  CAF_CHECK_EQUAL(books.position_size(f.instrument).raw, 99'900);
  CAF_CHECK_EQUAL(format_wide(*books.total(f.instrument, {6'000'000}), ledger_scale, 8), "-60");
  CAF_CHECK(books.check());
}

CAF_TEST(going flat and opening again keeps what was realised) {
  player p{make("A-USDT@x", "A", 2, 2), 0};
  p.trade(side::buy, "3", "10");
  p.trade(side::sell, "1", "11");
  p.trade(side::sell, "2", "12");
  CAF_CHECK_EQUAL(p.quantity(), "0");
  CAF_CHECK_EQUAL(p.books.average_price(p.id()), "0");
  CAF_CHECK_EQUAL(p.realised(8), "5");
  p.trade(side::sell, "2", "20");
  CAF_CHECK_EQUAL(p.realised(8), "5");
  p.trade(side::buy, "2", "19");
  CAF_CHECK_EQUAL(p.realised(8), "7");
  CAF_CHECK_EQUAL(p.books.position(p.id()).cost == 0, true);
}

CAF_TEST(a trade id is booked once and contradictions are refused) {
  player p{make("A-USDT@x", "A", 2, 2), 0};
  p.trade(side::buy, "3", "10");
  auto again = p.books.fills(p.id()).front();
  CAF_CHECK(*p.books.book(again) == booking::duplicate);
  again.fee_asset = "BNB";
  again.fee_raw = 5;
  again.fee_scale = 8;
  CAF_CHECK(*p.books.book(again) == booking::fee_completed);
  CAF_CHECK_EQUAL(p.books.balance_changes().at("BNB") < 0, true);
  again.quantity.raw += 1;
  CAF_CHECK(!p.books.book(again));
  CAF_CHECK_EQUAL(p.quantity(), "3");
  CAF_CHECK_EQUAL(p.books.fill_count(), 1u);
}

CAF_TEST(what does not fit is an error and changes nothing) {
  ledger books;
  auto coin = make("A-USD@x", "A", 2, 2);
  coin.spec.kind = contract_kind::inverse;
  CAF_CHECK(!books.add_instrument(coin));
  CAF_CHECK(!books.add_instrument(make("A-USDT@x", "A", 18, 8)));
  CAF_REQUIRE(books.add_instrument(make("B-USDT@x", "B", 2, 2)));
  fill f;
  f.instrument = {"B-USDT@x"};
  f.trade_id = "1";
  f.at_price = {INT64_MAX};
  f.quantity = {INT64_MAX};
  CAF_CHECK(!books.book(f));
  f.quantity = {0};
  CAF_CHECK(!books.book(f));
  f.instrument = {"C-USDT@x"};
  CAF_CHECK(!books.book(f));
  CAF_CHECK_EQUAL(books.fill_count(), 0u);
  CAF_CHECK(!multiply_divide(int128{1} << 120, UINT64_MAX, 1));
  CAF_CHECK(*multiply_divide(int128{-7}, 3, 2) == -10);
  CAF_CHECK(*multiply_divide(int128{1} << 120, UINT64_MAX, UINT64_MAX) == int128{1} << 120);
}

CAF_TEST(the ledger is a function of the set of fills) {
  constexpr std::uint64_t seed = 4711;
  std::cout << "ledger: seed " << seed << '\n';
  random_source dice{seed};
  for (int round = 0; round < 300; ++round) {
    std::vector<fill> fills;
    const auto count = dice.between(1, 40);
    for (std::int64_t i = 0; i < count; ++i) {
      fill f;
      f.instrument = {"BTC-USDT@x"};
      f.trade_id = std::to_string(95 + i);
      f.at = {dice.between(0, 10)}; // many at the same instant
      f.direction = dice.chance(0.5) ? side::buy : side::sell;
      f.at_price = {dice.between(5'000'000, 7'000'000)};
      f.quantity = {dice.between(1, 100'000)};
      f.fee_asset = dice.chance(0.5) ? "USDT" : "BTC";
      f.fee_raw = dice.between(0, 1'000);
      f.fee_scale = 8;
      fills.push_back(f);
    }
    ledger forward;
    ledger shuffled;
    CAF_REQUIRE(forward.add_instrument(make("BTC-USDT@x", "BTC", 2, 5)));
    CAF_REQUIRE(shuffled.add_instrument(make("BTC-USDT@x", "BTC", 2, 5)));
    for (const auto& f : fills)
      CAF_REQUIRE(forward.book(f));
    for (std::size_t i = fills.size(); i > 1; --i)
      std::swap(fills[i - 1],
                fills[static_cast<std::size_t>(dice.between(0, static_cast<std::int64_t>(i) - 1))]);
    for (const auto& f : fills) {
      CAF_REQUIRE(shuffled.book(f));
      if (dice.chance(0.3)) CAF_REQUIRE(shuffled.book(f)); // replayed
    }
    const auto a = forward.position({"BTC-USDT@x"});
    const auto b = shuffled.position({"BTC-USDT@x"});
    CAF_REQUIRE_EQUAL(a.quantity, b.quantity);
    CAF_REQUIRE(a.cost == b.cost && a.realised == b.realised && a.cash == b.cash
                && a.fees == b.fees);
    CAF_REQUIRE(a.cash == a.realised - a.cost);
    CAF_REQUIRE(shuffled.check());
  }
}
