#define CAF_SUITE past_trades

// The readers of past trades on the venues' published examples, and on damaged bytes.

#include "actors/connectors/venue.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;

namespace {

struct example {
  std::string_view venue;
  contract_kind kind;
  std::string_view body;
  std::string_view id;
  std::uint64_t number;
  std::int64_t at_ns;
  std::string_view price;
  std::string_view quantity;
  side taker;
  std::size_t count;
};

constexpr std::array examples{
    example{"binance", contract_kind::spot,
            R"([{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27782,"T":1498793709153,"m":true,"M":true}])",
            "", 27782, 1'498'793'709'153'000'000, "0.01633102", "4.70443515", side::sell, 1},
    example{"bybit", contract_kind::spot,
            R"({"retCode":0,"retMsg":"OK","result":{"category":"spot","list":[{"execId":"2100000000007764263",)"
            R"("symbol":"BTCUSDT","price":"16618.49","size":"0.00012","side":"Buy","time":"1672052955758",)"
            R"("isBlockTrade":false,"isRPITrade":true,"seq":"123456"}]},"retExtInfo":{},"time":1672053054358})",
            "2100000000007764263", 0, 1'672'052'955'758'000'000, "16618.49", "0.00012", side::buy, 1},
    example{"okx", contract_kind::spot,
            R"({"code":"0","msg":"","data":[{"instId":"BTC-USDT","side":"sell","sz":"0.00001","px":"29963.2",)"
            R"("tradeId":"242720720","ts":"1654161646974"},{"instId":"BTC-USDT","side":"sell","sz":"0.00001",)"
            R"("px":"29964.1","tradeId":"242720719","ts":"1654161641568"}]})",
            "", 242720720, 1'654'161'646'974'000'000, "29963.2", "0.00001", side::sell, 2},
    example{"kraken", contract_kind::spot,
            R"({"error":[],"result":{"XXBTZUSD":[["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952],)"
            R"(["30243.30000","0.00376960",1688669598.2804112,"s","l","",61044953]],"last":"1688671969993150842"}})",
            "", 61044952, 1'688'669'597'827'736'900, "30243.4", "0.34507674", side::buy, 2},
    example{"coinbase", contract_kind::spot,
            R"({"trades":[{"trade_id":"22350501","product_id":"BTC-USD","price":"140.91","size":"4",)"
            R"("time":"2021-05-31T09:59:59Z","side":"BUY"}],"best_bid":"291.13","best_ask":"292.40"})",
            "", 22350501, 1'622'455'199'000'000'000, "140.91", "4", side::sell, 1},
    example{"bitfinex", contract_kind::spot, R"([[388063448,1567526214876,-1.918524,10682]])", "", 388063448,
            1'567'526'214'876'000'000, "10682", "1.918524", side::sell, 1},
    example{"gate", contract_kind::spot,
            R"([{"id":"1232893232","create_time":"1548000000","create_time_ms":"1548000000123.456","side":"buy",)"
            R"("amount":"0.15","price":"0.03","sequence_id":"588018"}])",
            "", 1232893232, 1'548'000'000'123'456'000, "0.03", "0.15", side::buy, 1},
    example{"kucoin", contract_kind::spot,
            R"({"code":"200000","data":[{"sequence":"10976028003549185","price":"67122","size":"0.000025",)"
            R"("side":"buy","time":1729177117877000000}]})",
            "", 10976028003549185, 1'729'177'117'877'000'000, "67122", "0.000025", side::buy, 1},
    example{"htx", contract_kind::spot,
            R"({"ch":"market.btcusdt.trade.detail","status":"ok","ts":1629793657842,"data":[{"id":136108764379,)"
            R"("ts":1629793656939,"data":[{"id":1.361087643793484e+26,"ts":1629793656939,"trade-id":102517381182,)"
            R"("amount":0.000124,"price":49656.4,"direction":"buy"}]},{"id":136108763320,"ts":1629793656198,)"
            R"("data":[{"id":1.361087633203484e+26,"ts":1629793656198,"trade-id":102517381181,"amount":0.01125,)"
            R"("price":49655.0,"direction":"buy"}]}]})",
            "", 102517381182, 1'629'793'656'939'000'000, "49656.4", "0.000124", side::buy, 2},
    example{"htx", contract_kind::linear,
            R"({"ch":"market.BTC-USDT.trade.detail","data":[{"data":[{"amount":2,"direction":"buy",)"
            R"("id":1314767870000,"price":13081.3,"ts":1603695383124,"quantity":0.002,"trade_turnover":26.1626}],)"
            R"("id":131476787,"ts":1603695383124}],"status":"ok","ts":1603695388965})",
            "", 1314767870000, 1'603'695'383'124'000'000, "13081.3", "0.002", side::buy, 1},
    example{"deribit", contract_kind::spot,
            R"({"jsonrpc":"2.0","id":1469,"result":{"trades":[{"trade_seq":467,"trade_id":"415305279",)"
            R"("timestamp":1770984454552,"tick_direction":2,"price":0.0525,"mark_price":0.05253883,"iv":45.91,)"
            R"("instrument_name":"BTC-24APR26-72000-C","index_price":66930.31,"direction":"buy","amount":3,)"
            R"("contracts":3}],"has_more":true}})",
            "415305279", 467, 1'770'984'454'552'000'000, "0.0525", "3", side::buy, 1},
    example{"mexc", contract_kind::spot,
            R"([{"id":null,"price":"3219.58","qty":"0.04757","quoteQty":"153.1554206","time":1737623988881,)"
            R"("isBuyerMaker":false,"isBestMatch":true,"tradeType":"BID"}])",
            "", 0, 1'737'623'988'881'000'000, "3219.58", "0.04757", side::buy, 1},
};

instrument_spec spec_of(const example& e) {
  instrument_spec out;
  out.id.text = "ABC-USDT@" + std::string{e.venue};
  out.venue_symbol = "ABCUSDT";
  out.kind = e.kind;
  out.price_scale = 8;
  out.size_scale = 8;
  out.lot = {100'000}; // a contract of 0.001
  return out;
}

struct refusal {
  std::string_view venue;
  std::string_view body;
};

constexpr std::array refusals{
    refusal{"binance", R"({"code":-1121,"msg":"Invalid symbol."})"},
    refusal{"bybit", R"({"retCode":10001,"retMsg":"params error: symbol invalid","result":{}})"},
    refusal{"okx", R"({"code":"51001","msg":"Instrument ID doesn't exist","data":[]})"},
    refusal{"kraken", R"({"error":["EQuery:Unknown asset pair"]})"},
    refusal{"coinbase", R"({"error":"NOT_FOUND","message":"valid product_id is required"})"},
    refusal{"bitfinex", R"(["error",10020,"symbol: invalid"])"},
    refusal{"gate", R"({"label":"INVALID_CURRENCY_PAIR","message":"Invalid currency pair"})"},
    refusal{"kucoin", R"({"code":"900001","msg":"symbol not exists"})"},
    refusal{"htx", R"({"status":"error","err-code":"invalid-parameter","err-msg":"invalid symbol","data":null})"},
    refusal{"deribit", R"({"jsonrpc":"2.0","error":{"message":"Invalid params","code":-32602}})"},
    refusal{"mexc", R"({"code":-1121,"msg":"Invalid symbol."})"},
};

} // namespace

CAF_TEST(published_examples_are_read) {
  for (const auto& e : examples) {
    const auto& venue = *find_venue(e.venue);
    const auto page = venue.read_trades(spec_of(e), e.body);
    if (!page) CAF_FAIL(e.venue << ": " << page.error().message());
    CAF_REQUIRE_EQUAL(page->trades.size(), e.count);
    const auto& t = page->trades.front();
    CAF_CHECK_EQUAL(t.id, e.id);
    CAF_CHECK_EQUAL(t.number, e.number);
    CAF_CHECK_EQUAL(t.at.ns, e.at_ns);
    CAF_CHECK_EQUAL(format_decimal_short(t.at_price.raw, 8), e.price);
    CAF_CHECK_EQUAL(format_decimal_short(t.quantity.raw, 8), e.quantity);
    CAF_CHECK(t.taker == e.taker);
  }
}

CAF_TEST(every_venue_has_a_call_for_past_trades) {
  const trade_cursor at{{1'700'000'000'123'000'000}, {1'700'000'060'456'000'000}, 77};
  for (const auto* venue : all_venues()) {
    CAF_REQUIRE(venue->trade_call != nullptr && venue->read_trades != nullptr);
    instrument_spec spec;
    spec.venue_symbol = venue->name == "kraken" ? "BTC/USD" : "BTCUSDT";
    const auto call = venue->trade_call(spec, at);
    CAF_CHECK_EQUAL(call.method, "GET");
    CAF_CHECK(call.target.starts_with('/'));
    CAF_CHECK(call.target.find(venue->name == "kraken" ? "XBTUSD" : "BTCUSDT") != std::string::npos);
    CAF_CHECK_GREATER(venue->trades.pause.count(), 0);
  }
}

CAF_TEST(what_the_venue_refuses_is_said_with_its_words) {
  for (const auto& r : refusals) {
    const auto page = find_venue(r.venue)->read_trades(spec_of(examples[0]), r.body);
    CAF_REQUIRE(!page.has_value());
    CAF_CHECK(page.error().message().find("no trades of") != std::string::npos);
  }
}

CAF_TEST(damaged_answers_are_errors_and_never_wrong_trades) {
  std::mt19937_64 random{test::seed_of("past_trades", 5)};
  std::uint64_t refused = 0;
  for (const auto& e : examples) {
    const auto& venue = *find_venue(e.venue);
    for (std::size_t cut = 0; cut < e.body.size(); ++cut)
      refused += venue.read_trades(spec_of(e), e.body.substr(0, cut)).has_value() ? 0 : 1;
    for (int n = 0; n < 400; ++n) {
      std::string body{e.body};
      body[random() % body.size()] = static_cast<char>(random());
      const auto page = venue.read_trades(spec_of(e), body);
      if (!page) {
        ++refused;
        continue;
      }
      for (const auto& t : page->trades) CAF_REQUIRE(t.at.ns > 0 && t.quantity.raw >= 0 && t.at_price.raw >= 0);
    }
  }
  CAF_CHECK_GREATER(refused, 3000u);
}
