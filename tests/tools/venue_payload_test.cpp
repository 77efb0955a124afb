#define CAF_SUITE venue_payloads
#include "tests/support/recordings.hpp"
#include "tests/tools/venue_sim_support.hpp"
#include "tools/venue_sim/exchange.hpp"
#include "tools/venue_sim/faults.hpp"

#include <caf/test/unit_test.hpp>
#include <simdjson.h>

#include <fstream>
#include <set>

using namespace troupe;
using namespace troupe::venue_sim;
using namespace troupe::venue_sim::test;

namespace {

using simdjson::dom::element;

/// Every key with its path; of an array the first element speaks for all.
void collect_keys(element from, const std::string& path, std::set<std::string>& out) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (from.get(object) == simdjson::SUCCESS) {
    for (const auto [key, value] : object) {
      const auto below = path + "/" + std::string{key};
      out.insert(below);
      collect_keys(value, below, out);
    }
  } else if (from.get(array) == simdjson::SUCCESS && array.size() > 0) {
    collect_keys(array.at(0), path + "[]", out);
  }
}

std::set<std::string> keys_of(std::string_view json) {
  simdjson::dom::parser parser;
  element doc;
  std::set<std::string> out;
  if (parser.parse(json.data(), json.size()).get(doc) != simdjson::SUCCESS) CAF_FAIL("no JSON: " << json);
  collect_keys(doc, "", out);
  return out;
}

/// The nth published example of a section; empty without the data folder.
std::string example(std::string_view page, std::string_view section, int nth) {
  const auto file =
      troupe::test::recording("venues/derived/official_doc_examples/binance_spot.jsonl", "official examples");
  if (!file) return {};
  std::ifstream in{*file};
  simdjson::dom::parser parser;
  for (std::string line; std::getline(in, line);) {
    element doc;
    std::string_view found_page, found_section, raw;
    if (parser.parse(line).get(doc) != simdjson::SUCCESS || doc["page"].get(found_page) != simdjson::SUCCESS
        || doc["section"].get(found_section) != simdjson::SUCCESS || doc["raw"].get(raw) != simdjson::SUCCESS)
      continue;
    if (found_page == page && found_section == section && nth-- == 0) return std::string{raw};
  }
  CAF_FAIL("no example " << page << " / " << section);
  return {};
}

void same_keys(std::string_view ours, std::string_view page, std::string_view section, int nth = 0,
               const std::set<std::string>& not_simulated = {}) {
  const auto theirs = example(page, section, nth);
  if (theirs.empty()) return;
  auto wanted = keys_of(theirs);
  for (const auto& k : not_simulated)
    wanted.erase(k);
  const auto found = keys_of(ours);
  for (const auto& k : wanted)
    if (!found.contains(k)) CAF_CHECK_EQUAL(section, "lacks " + k);
  for (const auto& k : found)
    if (!wanted.contains(k)) CAF_CHECK_EQUAL(section, "has " + k + " beyond the example");
}

constexpr std::string_view key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
constexpr std::string_view secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

/// An exchange on the small recording, played to its middle.
struct bench {
  bench() {
    auto ledger = ledger_writer::open(folder.path() / "ledger.log", e8("10"), e8("100000"), history);
    if (!ledger) CAF_FAIL(ledger.error().message());
    venue = std::make_unique<exchange>(exchange_settings{std::string{key}, std::string{secret}, 1, limits},
                                       market, trading_rules{}, std::move(*ledger), history);
    for (int i = 0; i < 6; ++i)
      venue->on_market(market.advance());
    now.market_ns = market.next_time();
  }
  api_reply raw(std::string_view method, std::string_view path, std::string_view query,
                std::string_view with = key) {
    return venue->handle({method, path, query, {}, with}, now);
  }
  api_reply open(std::string_view path, std::string_view query = {}) { return raw("GET", path, query); }
  api_reply sign(std::string_view method, std::string_view path, std::string query) {
    if (!query.empty()) query += '&';
    query += "timestamp=" + std::to_string(now.market_ms());
    query += "&signature=" + hmac_hex(secret, query);
    return raw(method, path, query);
  }
  std::vector<std::string> settle() {
    std::vector<std::string> events;
    if (!venue->settle(events, now)) CAF_FAIL("no settlement");
    return events;
  }
  static int code_of(const api_reply& r) {
    simdjson::dom::parser parser;
    std::int64_t code = 0;
    if (parser.parse(r.body)["code"].get(code) != simdjson::SUCCESS) return 0;
    return static_cast<int>(code);
  }

  scratch_folder folder;
  ledger_content history;
  limit_settings limits;
  tape_market market{small_recording(), true};
  std::unique_ptr<exchange> venue;
  instant now{0, 1'000'000'000};
};

constexpr std::string_view limit_buy =
    "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99.00";

} // namespace

CAF_TEST(signatures are those of the published vectors) {
  CAF_CHECK_EQUAL(
      hmac_hex(secret,
               "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
               "&timestamp=1499827319559"),
      "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71");
  CAF_CHECK_EQUAL(hmac_hex(secret, "timestamp=1578963600000"),
                  "d84e6641b1e328e7b418fff030caed655c266299c9355e36ce801ed14631eed4");
  CAF_CHECK_EQUAL(signed_text("a=1&signature=xx&b=2", "c=3&signature=yy"), "a=1&b=2c=3");
  bool fine = false;
  const auto p = parameters::from_form("b=%20x&a=1%2B", "signature=q", fine);
  CAF_CHECK(fine);
  CAF_CHECK_EQUAL(p.sorted_text(), "a=1+&b= x");
  (void)parameters::from_form("b=%2", {}, fine);
  CAF_CHECK(!fine);
}

CAF_TEST(answers have the keys of the published examples) {
  bench b;
  constexpr auto rest = "rest-api.md";
  same_keys(b.open("/api/v3/time").body, rest, "Check server time");
  same_keys(b.open("/api/v3/depth", "symbol=BTCUSDT").body, rest, "Order book");
  same_keys(b.open("/api/v3/trades", "symbol=BTCUSDT").body, rest, "Recent trades list");
  same_keys(b.open("/api/v3/historicalTrades", "symbol=BTCUSDT&fromId=7").body, rest, "Old trade lookup");
  same_keys(b.open("/api/v3/aggTrades", "symbol=BTCUSDT").body, rest, "Compressed/Aggregate trades list");
  same_keys(b.open("/api/v3/ticker/bookTicker", "symbol=BTCUSDT").body, rest, "Symbol order book ticker");
  const auto info = b.open("/api/v3/exchangeInfo").body;
  std::set<std::string> beyond{"/sors[]/baseAsset", "/sors[]/symbols", "/sors[]"};
  auto theirs = example(rest, "Exchange information", 0);
  if (!theirs.empty())
    for (const auto& k : keys_of(theirs))
      if (!beyond.contains(k)) CAF_CHECK(keys_of(info).contains(k));
  same_keys(b.sign("POST", "/api/v3/order", std::string{limit_buy} + "&newOrderRespType=ACK").body, rest,
            "New order (TRADE)", 0);
  same_keys(b.sign("POST", "/api/v3/order", std::string{limit_buy} + "&newOrderRespType=RESULT").body, rest,
            "New order (TRADE)", 1);
  same_keys(b.sign("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1").body, rest,
            "New order (TRADE)", 2);
  same_keys(b.sign("POST", "/api/v3/order", std::string{limit_buy} + "&newClientOrderId=mine").body, rest,
            "New order (TRADE)", 2,
            {"/fills[]/commission", "/fills[]/commissionAsset", "/fills[]/price", "/fills[]/qty",
             "/fills[]/tradeId"});
  same_keys(b.sign("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=mine").body, rest,
            "Query order (USER_DATA)");
  same_keys(b.sign("GET", "/api/v3/openOrders", "symbol=BTCUSDT").body, rest,
            "Current open orders (USER_DATA)");
  same_keys(b.sign("GET", "/api/v3/allOrders", "symbol=BTCUSDT").body, rest, "All orders (USER_DATA)");
  same_keys(b.sign("GET", "/api/v3/myTrades", "symbol=BTCUSDT").body, rest, "Account trade list (USER_DATA)");
  same_keys(b.sign("GET", "/api/v3/account", "").body, rest, "Account information (USER_DATA)");
  const auto refused = b.open("/api/v3/depth", "symbol=NOSUCH");
  same_keys(refused.body, rest, "Error Codes");
  CAF_CHECK_EQUAL(bench::code_of(refused), -1121);
  (void)b.settle();
  same_keys(b.sign("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=mine").body, rest,
            "Cancel order (TRADE)");
  const auto events = b.settle();
  CAF_REQUIRE_EQUAL(events.size(), 2u);
  same_keys(subscribed_event(0, events[0]), "user-data-stream.md", "Order Update");
  same_keys(subscribed_event(0, events[1]), "user-data-stream.md", "Account Update");
  same_keys(subscribed_event(0, stream_terminated(1)), "user-data-stream.md", "Event Stream Terminated");
  CAF_CHECK(events[0].find(R"("C":"mine","x":"CANCELED","X":"CANCELED")") != std::string::npos);
}

CAF_TEST(candles are rows of twelve) {
  bench b;
  const auto body = b.open("/api/v3/klines", "symbol=BTCUSDT&interval=1s").body;
  simdjson::dom::parser parser;
  simdjson::dom::array rows, row;
  CAF_REQUIRE(parser.parse(body).get(rows) == simdjson::SUCCESS);
  CAF_REQUIRE_GREATER(rows.size(), 0u);
  CAF_REQUIRE(rows.at(0).get(row) == simdjson::SUCCESS);
  CAF_CHECK_EQUAL(row.size(), 12u);
  CAF_CHECK_EQUAL(bench::code_of(b.open("/api/v3/klines", "symbol=BTCUSDT&interval=7m")), -1120);
}

CAF_TEST(access is checked as the venue does) {
  bench b;
  const auto code = [](const api_reply& r) { return bench::code_of(r); };
  const auto stamp = "timestamp=" + std::to_string(b.now.market_ms());
  const auto path = "/api/v3/account";
  CAF_CHECK_EQUAL(code(b.raw("GET", path, stamp + "&signature=00", "")), -2014);
  CAF_CHECK_EQUAL(code(b.raw("GET", path, stamp + "&signature=00", "another")), -2015);
  CAF_CHECK_EQUAL(b.raw("GET", path, stamp, "another").status, 401u);
  CAF_CHECK_EQUAL(code(b.raw("GET", path, stamp)), -1102);
  CAF_CHECK_EQUAL(code(b.raw("GET", path, "signature=00")), -1102);
  CAF_CHECK_EQUAL(code(b.raw("GET", path, stamp + "&signature=" + std::string(64, '0'))), -1022);
  const auto timed = [&](std::int64_t offset, const std::string& window) {
    auto query = window + "timestamp=" + std::to_string(b.now.market_ms() + offset);
    query += "&signature=" + hmac_hex(secret, query);
    return code(b.raw("GET", path, query));
  };
  CAF_CHECK_EQUAL(timed(0, ""), 0);
  CAF_CHECK_EQUAL(timed(-5000, ""), 0);
  CAF_CHECK_EQUAL(timed(-5001, ""), -1021);
  CAF_CHECK_EQUAL(timed(-5001, "recvWindow=6000&"), 0);
  CAF_CHECK_EQUAL(timed(0, "recvWindow=60001&"), -1131);
  CAF_CHECK_EQUAL(timed(1001, ""), -1021);
  CAF_CHECK(b.venue->summary().find(R"("unsigned_refusals":5)") != std::string::npos);
}

CAF_TEST(order parameters are checked as the venue does) {
  bench b;
  const auto code = [&](const std::string& query) {
    return bench::code_of(b.sign("POST", "/api/v3/order", query));
  };
  CAF_CHECK_EQUAL(code("side=BUY&type=LIMIT"), -1102);
  CAF_CHECK_EQUAL(code("symbol=NOSUCH&side=BUY&type=LIMIT"), -1121);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=HOLD&type=LIMIT"), -1117);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=STOP"), -1116);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=99"), -1102);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=1&price=99"), -1115);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=MARKET&timeInForce=GTC&quantity=1"), -1106);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=MARKET"), -1102);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=9x"), -1100);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1.000000001&price=99"),
                  -1111);
  CAF_CHECK_EQUAL(code("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0&price=99"), -1013);
  CAF_CHECK_EQUAL(code(std::string{limit_buy} + "&newClientOrderId=a%20b"), -1100);
  CAF_CHECK_EQUAL(code(std::string{limit_buy} + "&newClientOrderId=" + std::string(37, 'a')), -1100);
  CAF_CHECK_EQUAL(code(std::string{limit_buy} + "&newClientOrderId=same"), 0);
  CAF_CHECK_EQUAL(code(std::string{limit_buy} + "&newClientOrderId=same"), -2010);
  CAF_CHECK_EQUAL(bench::code_of(b.sign("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=nobody")),
                  -2013);
  CAF_CHECK_EQUAL(
      bench::code_of(b.sign("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=nobody")), -2011);
  CAF_CHECK_EQUAL(bench::code_of(b.sign("DELETE", "/api/v3/order", "symbol=BTCUSDT")), -1102);
  CAF_CHECK_EQUAL(b.open("/api/v3/nothing").status, 404u);
}

CAF_TEST(budgets are charged and overdrawn budgets are refused) {
  bench b;
  const auto used = [](const api_reply& r) {
    for (const auto& [name, value] : r.fields)
      if (name == "X-MBX-USED-WEIGHT-1M") return std::stoi(value);
    return -1;
  };
  const auto before = used(b.open("/api/v3/ping"));
  CAF_CHECK_EQUAL(used(b.open("/api/v3/depth", "symbol=BTCUSDT&limit=5000")), before + 250);
  CAF_CHECK_EQUAL(used(b.sign("POST", "/api/v3/order", std::string{limit_buy})),
                  before + 250);                                                          // accepted: free
  CAF_CHECK_EQUAL(used(b.sign("POST", "/api/v3/order", "symbol=BTCUSDT")), before + 251); // refused: not
  api_reply last;
  for (int i = 0; i < 25; ++i)
    last = b.open("/api/v3/depth", "symbol=BTCUSDT&limit=5000");
  CAF_CHECK_EQUAL(last.status, 429u);
  CAF_CHECK(
      std::any_of(last.fields.begin(), last.fields.end(), [](auto& f) { return f.first == "Retry-After"; }));
  for (int i = 0; i < 12; ++i)
    last = b.open("/api/v3/ping");
  CAF_CHECK_EQUAL(last.status, 418u);
  b.now.steady_ns += 121'000'000'000;
  CAF_CHECK_EQUAL(b.open("/api/v3/ping").status, 200u);
  for (int i = 0; i < 99; ++i)
    CAF_REQUIRE_EQUAL(b.sign("POST", "/api/v3/order",
                             "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.2&price=99")
                          .status,
                      200u);
  const auto full = b.sign("POST", "/api/v3/order", std::string{limit_buy});
  (void)full;
  const auto over = b.sign("POST", "/api/v3/order", std::string{limit_buy});
  CAF_CHECK_EQUAL(over.status, 429u);
  CAF_CHECK_EQUAL(bench::code_of(over), -1015);
}

CAF_TEST(calls of the socket API sign sorted parameters) {
  bench b;
  const auto call = [&](const std::string& method, std::string members, std::string text) {
    text += "&timestamp=" + std::to_string(b.now.market_ms());
    members += R"(,"timestamp":)" + std::to_string(b.now.market_ms()) + R"(,"signature":")"
               + hmac_hex(secret, text) + "\"";
    return b.venue->call(R"({"id":"x1","method":")" + method + R"(","params":{)" + members + "}}", b.now);
  };
  const auto k = std::string{key};
  const auto placed = call(
      "order.place",
      R"("symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","price":"99.00","quantity":"1",)"
      R"("newOrderRespType":"RESULT","newClientOrderId":"ws1","apiKey":")"
          + k + "\"",
      "apiKey=" + k
          + "&newClientOrderId=ws1&newOrderRespType=RESULT&price=99.00&quantity=1&side=BUY"
            "&symbol=BTCUSDT&timeInForce=GTC");
  // "type" sorts behind "timestamp": this signature misses it.
  CAF_CHECK(placed.text.find("-1022") != std::string::npos);
  const auto stamp = std::to_string(b.now.market_ms());
  const auto text =
      "apiKey=" + k
      + "&newClientOrderId=ws1&newOrderRespType=RESULT&price=99.00&quantity=1&side=BUY&symbol=BTCUSDT"
        "&timeInForce=GTC&timestamp="
      + stamp + "&type=LIMIT";
  const auto good = b.venue->call(
      R"({"id":"x2","method":"order.place","params":{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT",)"
      R"("timeInForce":"GTC","price":"99.00","quantity":"1",)"
      R"("newOrderRespType":"RESULT","newClientOrderId":"ws1","apiKey":")"
          + k + R"(","timestamp":)" + stamp + R"(,"signature":")" + hmac_hex(secret, text) + "\"}}",
      b.now);
  CAF_CHECK(good.order_entry);
  CAF_CHECK(good.text.find(R"("status":200)") != std::string::npos);
  same_keys(good.text, "web-socket-api.md", "Response format", 0);
  same_keys(b.venue->call(R"({"id":1,"method":"time"})", b.now).text, "web-socket-api.md",
            "How to show/hide rate limit information", 1);
  const auto subscribed =
      call("userDataStream.subscribe.signature", R"("apiKey":")" + k + "\"", "apiKey=" + k);
  CAF_CHECK(subscribed.subscribe);
  const auto unknown = b.venue->call("not json", b.now);
  CAF_CHECK(unknown.text.find(R"("status":400)") != std::string::npos);
}

CAF_TEST(faults are drawn from one seed and bounded by their count) {
  fault_plan a{5}, b{5};
  for (auto* plan : {&a, &b})
    CAF_REQUIRE(
        plan->configure(R"({"accept_then_drop":{"per_million":300000,"count":20},"drop_diff":{"count":1}})")
            .has_value());
  int struck = 0;
  for (int i = 0; i < 1000; ++i) {
    const bool hit = a.strikes(fault::accept_then_drop);
    CAF_REQUIRE_EQUAL(hit, b.strikes(fault::accept_then_drop));
    struck += hit ? 1 : 0;
  }
  CAF_CHECK_EQUAL(struck, 20);
  CAF_CHECK(a.strikes(fault::drop_diff));
  CAF_CHECK(!a.strikes(fault::drop_diff));
  CAF_CHECK(!a.strikes(fault::tcp_reset));
  CAF_CHECK(!a.configure(R"({"no_such":{}})").has_value());
  CAF_CHECK(!a.configure(R"({"slow_ack":{"ms":"x"}})").has_value());
  CAF_CHECK(!a.configure("[]").has_value());
  CAF_CHECK(a.configure(R"({"all":null})").has_value());
}
