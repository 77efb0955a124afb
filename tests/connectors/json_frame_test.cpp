#define CAF_SUITE json_frame

#include "actors/connectors/json_frame.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;

namespace {

std::int64_t decimal_of(std::string_view token, int scale, frame_damage& why) {
  json_frame f{scale, scale};
  std::int64_t out = 0;
  if (f.open("{\"x\":" + std::string{token} + "}")) {
    auto root = f.object();
    out = f.decimal(f.need(root, "x"), scale);
    f.finish();
  }
  why = f.damage();
  return out;
}

bool reads(std::string_view token, int scale, std::int64_t expected) {
  frame_damage why{};
  const auto value = decimal_of(token, scale, why);
  return why == frame_damage::none && value == expected;
}

bool refuses(std::string_view token, int scale, frame_damage expected) {
  frame_damage why{};
  decimal_of(token, scale, why);
  return why == expected;
}

instrument_spec toy_instrument() {
  instrument_spec out;
  out.venue_symbol = "ABC";
  out.price_scale = 4;
  out.size_scale = 3;
  return out;
}

/// {"s":"ABC","t":[{"p":…,"q":…},…],"b":[…],"a":[…]}
class toy_decoder final : public json_decoder {
public:
  toy_decoder() : json_decoder{toy_instrument()} {}

private:
  bool known_text(std::string_view frame) const noexcept override { return frame == "pong"; }
  void read_object(json_object root) override {
    const auto symbol = in().text(root, "s");
    if (!ours(symbol)) return;
    json_value list;
    if (in().find(root, "t", list))
      in().each(in().array(list), [&](json_value item) {
        auto one = in().object(item);
        auto& e = add(event_kind::trade, symbol);
        e.trade.at_price = in().price_of(one, "p");
        e.trade.quantity = in().size_of(one, "q");
      });
    json_value bids;
    if (!in().find(root, "b", bids)) return;
    auto& e = add(event_kind::depth, symbol);
    e.depth.bids = in().levels(bids, side::buy);
    e.depth.asks = in().levels(root, "a", side::sell);
  }
};

} // namespace

CAF_TEST(decimals_of_every_form) {
  CAF_CHECK(reads("1.5", 2, 150));
  CAF_CHECK(reads("\"1.5\"", 2, 150));
  CAF_CHECK(reads("\"61685.99000000\"", 2, 6168599));
  CAF_CHECK(reads("5e-05", 8, 5000));
  CAF_CHECK(reads("\"5e-05\"", 8, 5000));
  CAF_CHECK(reads("1E+3", 0, 1000));
  CAF_CHECK(reads("-2.5", 1, -25));
  CAF_CHECK(reads("0", 8, 0));
  CAF_CHECK(reads("0.00000001", 8, 1));
  CAF_CHECK(reads("123456789.123456789", 9, 123456789123456789));
  CAF_CHECK(reads("0.000000000000000001", 18, 1));
  CAF_CHECK(reads("\"12345678901234567\"", 0, 12345678901234567));
  CAF_CHECK(refuses("1.25", 1, frame_damage::too_many_decimals));
  CAF_CHECK(refuses("\"1.25\"", 1, frame_damage::too_many_decimals));
  CAF_CHECK(refuses("9999999999999999999", 0, frame_damage::bad_number));
  for (const auto bad :
       {"\"\"", "\"+1\"", "\"1..2\"", "\"0x1\"", "\".\"", "1.2.3", "\"1,5\"", "\" 1\"", "\"NaN\""})
    CAF_CHECK(refuses(bad, 4, frame_damage::bad_number));
  for (const auto bad : {"true", "[1]", "{}", "\"1\\u0030\""})
    CAF_CHECK(refuses(bad, 4, frame_damage::wrong_type));
  CAF_CHECK(refuses("null", 4, frame_damage::missing_field));
}

CAF_TEST(random_decimals_equal_the_plain_way) {
  std::mt19937_64 random{test::seed_of("json_frame decimals", 11)};
  for (int i = 0; i < 20000; ++i) {
    const int scale = static_cast<int>(random() % 15);
    auto text = std::to_string(random() % 1'000'000'000 >> (random() % 30));
    if (random() % 4 != 0) text += "." + std::to_string(random() % 1'000'000 >> (random() % 20));
    if (random() % 8 == 0) text += std::string(random() % 6, '0');
    const auto plain = parse_decimal(text, scale);
    for (const auto& token : {text, "\"" + text + "\""}) {
      frame_damage why{};
      const auto value = decimal_of(token, scale, why);
      const bool held = plain && *plain <= (std::int64_t{1} << 62);
      const bool same =
          held ? why == frame_damage::none && value == *plain : why != frame_damage::none;
      CAF_CHECK(same);
      if (!same) CAF_FAIL("differs: " << token << " at scale " << scale);
    }
  }
}

CAF_TEST(times_in_every_unit) {
  market_time t;
  CAF_CHECK(parse_time("1672304484978", time_unit::ms, t) && t.ns == 1672304484978000000);
  CAF_CHECK(parse_time("1672304484.978", time_unit::s, t) && t.ns == 1672304484978000000);
  CAF_CHECK(parse_time("1672304484978.0007", time_unit::ms, t) && t.ns == 1672304484978000700);
  CAF_CHECK(parse_time("1672304484978123", time_unit::us, t) && t.ns == 1672304484978123000);
  CAF_CHECK(parse_time("1672304484978123456", time_unit::ns, t) && t.ns == 1672304484978123456);
  CAF_CHECK(parse_time("1672304484.12345678901", time_unit::s, t) && t.ns == 1672304484123456789);
  for (const auto bad :
       {"", "-1", ".", "1.", "1.x", "x", "99999999999999999999", "9300000000000000"})
    CAF_CHECK(!parse_time(bad, time_unit::ms, t));
  CAF_CHECK(parse_iso_time("2022-12-29T09:01:24.978Z", t) && t.ns == 1672304484978000000);
  CAF_CHECK(parse_iso_time("2022-12-29 09:01:24", t) && t.ns == 1672304484000000000);
  CAF_CHECK(parse_iso_time("2022-12-29T10:01:24.9780001+01:00", t) && t.ns == 1672304484978000100);
  CAF_CHECK(parse_iso_time("2022-12-29T04:01:24-0500", t) && t.ns == 1672304484000000000);
  for (const auto bad :
       {"", "2022-12-29", "2022-13-29T09:01:24Z", "2022-02-30T09:01:24Z", "2022-12-29T24:01:24Z",
        "2022-12-29T09:01:24.Z", "2022-12-29T09:01:24X", "1969-12-29T09:01:24Z"})
    CAF_CHECK(!parse_iso_time(bad, t));
}

CAF_TEST(members_are_found_in_any_order) {
  json_frame f{2, 0};
  CAF_REQUIRE(
      f.open(R"( {"c": [1, {"x": 2}], "b":"tw\"o" ,"a":1,"d":{"e":"7","g":null} , "t" : true} )"));
  auto root = f.object();
  CAF_CHECK_EQUAL(f.id(root, "a"), 1u);
  CAF_CHECK_EQUAL(f.text(root, "b"), "tw\"o");
  json_value v;
  CAF_CHECK(!f.find(root, "zzz", v));
  auto inner = f.object(root, "d");
  CAF_CHECK(!f.find(inner, "g", v));
  CAF_CHECK_EQUAL(f.price_of(inner, "e").raw, 700);
  int seen = 0;
  f.each(f.array(root, "c"), [&](json_value) { ++seen; });
  CAF_CHECK_EQUAL(seen, 2);
  CAF_CHECK(f.flag(root, "t"));
  f.finish();
  CAF_CHECK(f.fine());
  CAF_CHECK_EQUAL(f.text(root, "nothing"), "");
  CAF_CHECK(f.damage() == frame_damage::missing_field);
}

CAF_TEST(a_walk_over_members) {
  json_frame f;
  CAF_REQUIRE(f.open(R"({"a":1,"bc":{"d":[]},"e":"x"})"));
  std::string keys;
  auto root = f.object();
  json_value absent;
  CAF_CHECK(!f.find(root, "zz", absent)); // a look-up before doesn't cut the walk
  f.each_member(root, [&](std::string_view key, json_value) {
    keys += key;
    keys += ',';
  });
  f.finish();
  CAF_CHECK(f.fine());
  CAF_CHECK_EQUAL(keys, "a,bc,e,");
}

CAF_TEST(levels_of_every_form) {
  for (const auto text :
       {R"([["1.5","2"],["1.25","0.125"]])", R"([[1.5,2],[1.25,0.125]])",
        R"([["1.5","2","0","4"],["1.25","0.125","0","1"]])",
        R"([ [ "1.5" , "2" ] , [ 1.25 , 1.25e-1 ] ])", R"([[1.5,2,7],[1.25,0.125,[3]]])",
        R"([["1.50000000000000000","2"],["1.25","0.125",{"a":"]"}]])"}) {
    json_frame f{4, 3};
    CAF_REQUIRE(f.open("{\"b\":" + std::string{text} + ",\"c\":1}"));
    auto root = f.object();
    const auto l = f.levels(root, "b", side::buy);
    CAF_CHECK_EQUAL(f.id(root, "c"), 1u);
    f.finish();
    CAF_CHECK(f.fine());
    CAF_REQUIRE_EQUAL(l.size(), 2u);
    CAF_CHECK(l[0].at.raw == 15000 && l[0].quantity.raw == 2000 && l[1].at.raw == 12500
              && l[1].quantity.raw == 125);
  }
  for (const auto text : {"[]", "[ ]"}) {
    json_frame f;
    CAF_REQUIRE(f.open("{\"b\":" + std::string{text} + "}"));
    auto root = f.object();
    CAF_CHECK(f.levels(root, "b", side::buy).empty() && f.fine());
  }
  for (const auto text :
       {R"([["1.5"]])", R"([[]])", R"(["1.5"])", R"([["1.5","-2"]])", R"([["1.5","x"]])", "1",
        "\"x\"", R"([["1.5","2"],])", R"([["1.5","2"] ["1.5","2"]])"}) {
    json_frame f{4, 3};
    CAF_REQUIRE(f.open("{\"b\":" + std::string{text} + "}"));
    auto root = f.object();
    f.levels(root, "b", side::buy);
    f.finish();
    CAF_CHECK(!f.fine());
  }
}

CAF_TEST(a_frame_is_whole_or_damaged) {
  toy_decoder d;
  const std::string whole =
      R"({"s":"ABC","t":[{"p":"1","q":"2"},{"q":3,"p":4}],"b":[["1","1"]],"a":[],"x":{"y":[{}]}})";
  const auto& first = d.decode(whole);
  CAF_CHECK(first.kind == event_kind::trade && first.trade.at_price.raw == 10000);
  const auto* second = d.next();
  CAF_REQUIRE(second != nullptr);
  CAF_CHECK(second->kind == event_kind::trade && second->trade.at_price.raw == 40000);
  const auto* third = d.next();
  CAF_REQUIRE(third != nullptr);
  CAF_CHECK(third->kind == event_kind::depth && third->depth.bids.size() == 1
            && third->depth.asks.empty());
  CAF_CHECK(d.next() == nullptr);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CAF_CHECK(d.decode(whole.substr(0, cut)).kind == event_kind::damaged);
    CAF_CHECK(d.next() == nullptr);
  }
  for (const auto tail : {"x", "{}", ",", "}", "]", "\"\""})
    CAF_CHECK(d.decode(whole + tail).kind == event_kind::damaged);
  CAF_CHECK(d.decode(whole + " \n").kind == event_kind::trade);
  const auto& bad = d.decode(R"({"s":"ABC","t":[{"p":"1","q":"2"},{"q":3,"p":"4x"}]})");
  CAF_CHECK(bad.kind == event_kind::damaged && bad.damage == frame_damage::bad_number);
  CAF_CHECK(d.next() == nullptr);
  CAF_CHECK(d.decode(R"({"s":"OTHER","t":[{"p":"1","q":"2"}]})").kind == event_kind::other);
  CAF_CHECK(d.decode("pong").kind == event_kind::other);
  CAF_CHECK(d.decode("[1,2]").kind == event_kind::other);
  for (const auto bytes :
       {"", " ", "1", "\"x\"", "true", "\xff\xfe", "{\"s\":\"\xff\"}", "[[[[", "{\"s\"", "nul"})
    CAF_CHECK(d.decode(bytes).kind == event_kind::damaged);
  CAF_CHECK(d.decode(std::string(17 << 20, ' ')).damage == frame_damage::too_large);
}

CAF_TEST(any_bytes_are_safe) {
  std::mt19937_64 random{test::seed_of("json_frame bytes", 12)};
  toy_decoder d;
  const std::string whole =
      R"({"s":"ABC","t":[{"p":"1","q":"2"},{"q":3,"p":4}],"b":[["1","1"],[1,2]],"a":[["2",2]]})";
  for (int i = 0; i < 20000; ++i) {
    auto text = whole;
    for (auto n = 1 + random() % 3; n > 0; --n) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 9);
      else if (random() % 2 == 0)
        text[at] = "0123456789\".,:[]{}eE+-\\ \x00\xff"[random() % 26];
      else
        text.insert(at, text.substr(random() % text.size(), random() % 16));
      if (text.empty()) text = " ";
    }
    std::size_t events = 0;
    for (const auto* e = &d.decode(text); e != nullptr; e = d.next()) {
      ++events;
      if (e->kind == event_kind::damaged) CAF_CHECK(events == 1 && e->damage != frame_damage::none);
      for (const auto& l : e->depth.bids)
        CAF_CHECK(l.at.raw >= 0 && l.quantity.raw >= 0);
    }
    CAF_CHECK(events > 0);
  }
}
