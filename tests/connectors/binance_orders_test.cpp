#define CAF_SUITE binance_orders
#include <caf/test/unit_test.hpp>

#include "actors/connectors/binance/order_codec.hpp"
#include "actors/connectors/binance/rate_budget.hpp"
#include "tests/support/recordings.hpp"

#include <simdjson.h>

#include <fstream>
#include <random>
#include <sstream>

using namespace troupe;
using namespace troupe::binance;
using namespace std::chrono_literals;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Every symbol that occurs in the recordings, at eight decimals.
order_context wide_context() {
  order_context out;
  out.account = {"main@binance"};
  for (const char* symbol : {"BTCUSDT", "LTCBTC", "BNBBTC", "ETHBTC", "ETHUSDT", "LTCBNB",
                             "ADAUSDT", "BTCUSDC", "BTCUDT"}) {
    instrument_spec spec;
    spec.id = {std::string{symbol} + "@binance"};
    spec.venue_symbol = symbol;
    spec.price_scale = spec.size_scale = 8;
    spec.tick = {1};
    spec.lot = {1};
    out.by_symbol.emplace(symbol, spec);
  }
  return out;
}

instrument_spec btc() {
  instrument_spec spec;
  spec.id = {"BTC-USDT@binance"};
  spec.venue_symbol = "BTCUSDT";
  spec.price_scale = 2;
  spec.size_scale = 5;
  spec.tick = {1};
  spec.lot = {1};
  return spec;
}

order_context btc_context() {
  order_context out;
  out.account = {"main@binance"};
  out.by_symbol.emplace("BTCUSDT", btc());
  return out;
}

std::string value_of(const api_call& call, std::string_view name) {
  for (const auto& [key, value] : call.list)
    if (key == name) return value;
  return "(absent)";
}

/// A JKorf endpoint file: method, path, signed flag, then the reply.
std::string reply_of(const std::string& text) {
  std::size_t at = 0;
  for (int line = 0; line < 3; ++line) at = text.find('\n', at) + 1;
  return text.substr(at);
}

constexpr const char* rest_secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

} // namespace

// --- signatures -----------------------------------------------------------------------------------

CAF_TEST(published signatures come out) {
  const auto file =
      test::recording("venues/derived/official_vectors/signing_vectors.json", "signing vectors");
  if (!file) return;
  simdjson::dom::parser parser;
  simdjson::dom::array vectors;
  const auto text = read_file(*file);
  CAF_REQUIRE(parser.parse(text).get(vectors) == simdjson::SUCCESS);
  int checked = 0;
  for (const auto each : vectors) {
    std::string_view algorithm, key, message, expected;
    CAF_REQUIRE(each["algorithm"].get(algorithm) == simdjson::SUCCESS);
    CAF_REQUIRE(each["secret"].get(key) == simdjson::SUCCESS);
    CAF_REQUIRE(each["message"].get(message) == simdjson::SUCCESS);
    CAF_REQUIRE(each["expected"].get(expected) == simdjson::SUCCESS);
    CAF_REQUIRE(algorithm == "HMAC-SHA256");
    CAF_CHECK(hmac_sha256_hex(secret{std::string{key}}, message) == expected);
    ++checked;
  }
  CAF_CHECK_EQUAL(checked, 9);
}

CAF_TEST(the documented REST request is signed as documented) {
  const parameters list{{"symbol", "LTCBTC"},   {"side", "BUY"},
                        {"type", "LIMIT"},      {"timeInForce", "GTC"},
                        {"quantity", "1"},      {"price", "0.1"},
                        {"recvWindow", "5000"}, {"timestamp", "1499827319559"}};
  const auto query = signed_query(list, secret{rest_secret});
  CAF_CHECK(query.ends_with("&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"));
}

CAF_TEST(values are percent encoded before they are signed) {
  const parameters list{{"symbol", "１２３４５６"}, {"side", "BUY"},
                        {"type", "LIMIT"},          {"timeInForce", "GTC"},
                        {"quantity", "1"},          {"price", "0.1"},
                        {"recvWindow", "5000"},     {"timestamp", "1499827319559"}};
  const auto query = signed_query(list, secret{rest_secret});
  CAF_CHECK(query.starts_with("symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY"));
  CAF_CHECK(query.ends_with("&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"));
}

CAF_TEST(the WS API signs sorted raw parameters) {
  const parameters list{{"symbol", "BTCUSDT"}, {"side", "SELL"}, {"type", "LIMIT"}, {"timeInForce", "GTC"},
                        {"quantity", "0.01000000"}, {"price", "52000.00"}, {"recvWindow", "100"},
                        {"timestamp", "1645423376532"},
                        {"apiKey", "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"}};
  const auto text = signed_ws_request("1", "order.place", list, secret{rest_secret});
  CAF_CHECK(text.find("\"signature\":\"aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24\"")
            != std::string::npos);
  CAF_CHECK(text.find("\"timestamp\":1645423376532") != std::string::npos);
  CAF_CHECK(sorted_payload({{"b", "x y"}, {"a", "ü"}}) == "a=ü&b=x y");
}

CAF_TEST(a secret leaves nothing behind) {
  std::string text = "short";
  secret::wipe(text);
  CAF_CHECK(text.empty());
  secret first{"0123456789abcdef0123456789abcdef"};
  secret second{std::move(first)};
  CAF_CHECK(first.empty());
  CAF_CHECK(second.expose_to_signer() == "0123456789abcdef0123456789abcdef");
  CAF_CHECK(second.clone().expose_to_signer() == second.expose_to_signer());
  static_assert(!std::is_copy_constructible_v<secret>);
}

// --- requests -------------------------------------------------------------------------------------

CAF_TEST(an intent becomes a request of the venue) {
  intent order;
  order.instrument = btc().id;
  order.client_id = "t-0000-1";
  order.direction = side::sell;
  order.limit = {6168599};
  order.quantity = {100};
  auto call = place_call(order, btc());
  CAF_REQUIRE(call.has_value());
  CAF_CHECK(call->method == "POST" && call->path == "/api/v3/order" && call->is_order
            && call->needs_signature);
  CAF_CHECK(value_of(*call, "symbol") == "BTCUSDT");
  CAF_CHECK(value_of(*call, "side") == "SELL");
  CAF_CHECK(value_of(*call, "type") == "LIMIT");
  CAF_CHECK(value_of(*call, "timeInForce") == "GTC");
  CAF_CHECK(value_of(*call, "quantity") == "0.001");
  CAF_CHECK(value_of(*call, "price") == "61685.99");
  CAF_CHECK(value_of(*call, "newClientOrderId") == "t-0000-1");
  CAF_CHECK(value_of(*call, "newOrderRespType") == "FULL");

  order.kind = order_kind::market;
  order.limit = {};
  call = place_call(order, btc());
  CAF_REQUIRE(call.has_value());
  CAF_CHECK(value_of(*call, "price") == "(absent)" && value_of(*call, "timeInForce") == "(absent)");

  order.kind = order_kind::limit_maker;
  CAF_CHECK(!place_call(order, btc()).has_value());
  order.limit = {6168599};
  call = place_call(order, btc());
  CAF_REQUIRE(call.has_value());
  CAF_CHECK(value_of(*call, "type") == "LIMIT_MAKER" && value_of(*call, "timeInForce") == "(absent)");
}

CAF_TEST(what cannot be written down is not sent) {
  auto spec = btc();
  spec.tick = {5};
  spec.lot = {10};
  intent order;
  order.client_id = "a";
  order.limit = {105};
  order.quantity = {20};
  CAF_CHECK(place_call(order, spec).has_value());
  order.limit = {104};
  CAF_CHECK(!place_call(order, spec).has_value());
  order.limit = {105};
  order.quantity = {25};
  CAF_CHECK(!place_call(order, spec).has_value());
  order.quantity = {0};
  CAF_CHECK(!place_call(order, spec).has_value());
  order.quantity = {20};
  for (const std::string& bad :
       {std::string{}, std::string(37, 'a'), std::string{"a b"}, std::string{"ü"}}) {
    order.client_id = bad;
    CAF_CHECK(!place_call(order, spec).has_value());
  }
}

// --- answers --------------------------------------------------------------------------------------

CAF_TEST(recorded answers to orders are read) {
  const auto context = wide_context();
  const std::string jkorf = "venues/JKorf+Binance.Net/Binance.Net.UnitTests/Endpoints/Spot/";
  const std::string nautilus =
      "venues/nautechsystems+nautilus_trader/crates/adapters/binance/test_data/spot/";
  if (const auto file = test::recording(jkorf + "Trading/GetOrder.txt", "query")) {
    const auto order = parse_order(reply_of(read_file(*file)), context);
    CAF_REQUIRE(order.has_value());
    CAF_CHECK(order->client_id == "myOrder1" && order->venue_order_id == "1");
    CAF_CHECK(order->state == order_state::acknowledged && order->filled.raw == 0);
    CAF_CHECK(order->at.ns == 1499827319559'000'000);
  }
  if (const auto file = test::recording(jkorf + "Trading/CancelOrder.txt", "cancel")) {
    const auto order = parse_order(reply_of(read_file(*file)), context);
    CAF_REQUIRE(order.has_value());
    CAF_CHECK(order->client_id == "myOrder1" && order->state == order_state::cancelled);
  }
  if (const auto file = test::recording(jkorf + "Trading/PlaceOrder.txt", "place")) {
    const auto order = parse_order(reply_of(read_file(*file)), context);
    CAF_REQUIRE(order.has_value());
    CAF_CHECK(!order->client_id.empty());
  }
  if (const auto file = test::recording(jkorf + "Trading/GetOpenOrders.txt", "open orders")) {
    const auto orders = parse_open_orders(reply_of(read_file(*file)), context);
    CAF_REQUIRE(orders.has_value());
    CAF_CHECK_EQUAL(orders->size(), 1u);
  }
  if (const auto file = test::recording(jkorf + "Trading/GetUserTrades.txt", "trades")) {
    const auto fills = parse_trades(reply_of(read_file(*file)), context);
    CAF_REQUIRE(fills.has_value());
    CAF_REQUIRE_EQUAL(fills->size(), 1u);
    const auto& fill = fills->front();
    CAF_CHECK(fill.trade_id == "28457" && fill.venue_order_id == "100234" && fill.direction == side::buy);
    CAF_CHECK(fill.at_price.raw == 400000100 && fill.quantity.raw == 1200000000);
    CAF_CHECK(fill.fee_raw == 1010000000 && fill.fee_scale == 8 && fill.fee_asset == "BNB" && !fill.maker);
  }
  if (const auto file = test::recording(jkorf + "Account/GetAccountInfo.txt", "account")) {
    const auto account = parse_account(reply_of(read_file(*file)));
    CAF_REQUIRE(account.has_value());
    CAF_REQUIRE_EQUAL(account->balances.size(), 2u);
    CAF_CHECK(account->balances[0].asset == "BTC" && account->balances[0].free_raw == 472384689208129);
    CAF_CHECK(account->can_withdraw == true);
  }
  if (const auto file = test::recording(nautilus + "http_json/new_order_full_response.json", "full answer")) {
    const auto order = parse_order(read_file(*file), context);
    CAF_REQUIRE(order.has_value());
    CAF_REQUIRE_EQUAL(order->fills.size(), 5u);
    std::int64_t sum = 0;
    for (const auto& fill : order->fills) sum += fill.quantity.raw;
    CAF_CHECK(order->state == order_state::filled && sum == order->filled.raw);
    CAF_CHECK(order->fills[1].fee_raw == 1999500000 && order->fills[1].trade_id == "57");
    CAF_CHECK(order->fills[1].direction == side::sell);
  }
}

CAF_TEST(every order payload of the official pages and of the recorded mocks is read) {
  const auto context = wide_context();
  int read = 0;
  if (const auto file = test::recording("venues/derived/official_doc_examples/binance_spot.jsonl",
                                        "official examples")) {
    std::ifstream in{*file};
    simdjson::dom::parser parser, inner;
    for (std::string line; std::getline(in, line);) {
      simdjson::dom::element example, body;
      std::string_view page, raw;
      CAF_REQUIRE(parser.parse(line).get(example) == simdjson::SUCCESS);
      CAF_REQUIRE(example["page"].get(page) == simdjson::SUCCESS);
      CAF_REQUIRE(example["raw"].get(raw) == simdjson::SUCCESS);
      if (page != "rest-api.md"
          || inner.parse(raw.data(), raw.size()).get(body) != simdjson::SUCCESS)
        continue;
      std::int64_t number = 0;
      std::string_view symbol, client;
      const bool order = body.is_object() && body["orderId"].get(number) == simdjson::SUCCESS
                         && body["symbol"].get(symbol) == simdjson::SUCCESS
                         && body["clientOrderId"].get(client) == simdjson::SUCCESS;
      if (order) {
        const auto report = parse_order(raw, context);
        CAF_CHECK(report.has_value());
        CAF_CHECK(!report || !report->client_id.empty());
        ++read;
      }
      if (body.is_object() && body["code"].get(number) == simdjson::SUCCESS) {
        const auto said = parse_venue_error(raw);
        CAF_CHECK(said && said->code < 0 && !said->text.empty());
        ++read;
      }
    }
    CAF_CHECK(read >= 10);
  }
  if (const auto file = test::recording(
          "venues/thrasher-corp+gocryptotrader/exchanges/binance/testdata/http.json",
          "recorded HTTP")) {
    const auto text = read_file(*file);
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    CAF_REQUIRE(parser.parse(text).get(root) == simdjson::SUCCESS);
    int rows = 0;
    for (const char* route : {"/api/v3/allOrders", "/api/v3/openOrders"}) {
      simdjson::dom::array calls;
      CAF_REQUIRE(root["routes"][route]["GET"].get(calls) == simdjson::SUCCESS);
      for (const auto call : calls) {
        simdjson::dom::element data;
        if (call["data"].get(data) != simdjson::SUCCESS || !data.is_array()) continue;
        const auto orders = parse_open_orders(simdjson::minify(data), context);
        CAF_CHECK(orders.has_value());
        rows += orders ? static_cast<int>(orders->size()) : 0;
      }
    }
    CAF_CHECK(rows >= 2);
  }
}

CAF_TEST(recorded private events are read) {
  const auto context = wide_context();
  const std::string folder =
      "venues/nautechsystems+nautilus_trader/crates/adapters/binance/test_data/spot/user_data_json/";
  const auto file = test::recording(folder + "execution_report_trade.json", "private events");
  if (!file) return;
  const auto event_of = [&](const std::string& name) {
    return parse_user_frame(read_file(file->parent_path() / name), context);
  };
  auto trade = event_of("execution_report_trade.json");
  CAF_REQUIRE(trade.has_value());
  auto* report = std::get_if<order_report>(&*trade);
  CAF_REQUIRE(report != nullptr);
  CAF_REQUIRE_EQUAL(report->fills.size(), 1u);
  CAF_CHECK(report->state == order_state::filled && report->filled.raw == 100000000);
  CAF_CHECK(report->fills[0].trade_id == "98765432" && report->fills[0].maker);
  CAF_CHECK(report->fills[0].fee_raw == 100000 && report->fills[0].fee_asset == "ETH");
  CAF_CHECK(report->fills[0].at_price.raw == 250000000000);

  auto cancelled = event_of("execution_report_canceled.json");
  CAF_REQUIRE(cancelled.has_value());
  report = std::get_if<order_report>(&*cancelled);
  CAF_REQUIRE(report != nullptr);
  CAF_CHECK(report->state == order_state::cancelled && report->client_id == "x-TD67BGP9-T0000000000000");

  auto expired = event_of("execution_report_expired.json");
  CAF_REQUIRE(expired.has_value());
  CAF_CHECK(std::get<order_report>(*expired).state == order_state::expired);

  auto wrapped = event_of("execution_report_wrapped.json");
  CAF_REQUIRE(wrapped.has_value());
  CAF_CHECK(std::get<order_report>(*wrapped).client_id == "mUvoqJxFIILMdfAW5iGSOW");

  for (const auto& entry : std::filesystem::directory_iterator{file->parent_path()})
    CAF_CHECK(parse_user_frame(read_file(entry.path()), context).has_value());
}

CAF_TEST(official private events are read) {
  const auto file =
      test::recording("venues/derived/official_doc_examples/binance_spot.jsonl", "official events");
  if (!file) return;
  const auto context = wide_context();
  std::ifstream in{*file};
  simdjson::dom::parser parser;
  int reports = 0, balances = 0, ends = 0, others = 0;
  for (std::string line; std::getline(in, line);) {
    simdjson::dom::element example;
    std::string_view page, raw;
    CAF_REQUIRE(parser.parse(line).get(example) == simdjson::SUCCESS);
    CAF_REQUIRE(example["page"].get(page) == simdjson::SUCCESS);
    CAF_REQUIRE(example["raw"].get(raw) == simdjson::SUCCESS);
    if (page != "user-data-stream.md") continue;
    auto event = parse_user_frame(raw, context);
    CAF_REQUIRE(event.has_value());
    reports += std::holds_alternative<order_report>(*event);
    balances += std::holds_alternative<balances_event>(*event);
    ends += std::holds_alternative<stream_end_event>(*event);
    others += std::holds_alternative<other_event>(*event);
    if (const auto* change = std::get_if<balances_event>(&*event)) {
      CAF_REQUIRE_EQUAL(change->changed.size(), 1u);
      CAF_CHECK(change->changed[0].asset == "ETH" && change->changed[0].free_raw == 1000000000000);
    }
  }
  CAF_CHECK_EQUAL(reports, 1);
  CAF_CHECK_EQUAL(balances, 1);
  CAF_CHECK_EQUAL(ends, 1);
  CAF_CHECK_EQUAL(others, 3);
}

CAF_TEST(a cancel names the order and not the cancel request) {
  const auto context = btc_context();
  const auto event = parse_user_frame(
      R"({"subscriptionId":0,"event":{"e":"executionReport","E":1,"s":"BTCUSDT","c":"web_123",
      "S":"BUY","o":"LIMIT",
      "f":"GTC","q":"0.00100","p":"60000.00","C":"mine-1","x":"CANCELED","X":"CANCELED","r":"NONE","i":7,
      "l":"0.00000","z":"0.00040","L":"0.00","n":"0","N":null,"T":1700000000000,"t":-1}})",
      context);
  CAF_REQUIRE(event.has_value());
  const auto* report = std::get_if<order_report>(&*event);
  CAF_REQUIRE(report != nullptr);
  CAF_CHECK(report->client_id == "mine-1" && report->state == order_state::cancelled
            && report->filled.raw == 40);
  CAF_CHECK(report->fills.empty());
}

CAF_TEST(a fee may be absent and a foreign symbol is no report) {
  const auto context = btc_context();
  const auto event = parse_user_frame(
      R"({"e":"executionReport","s":"BTCUSDT","c":"m","S":"SELL","C":"","x":"TRADE",
      "X":"PARTIALLY_FILLED","r":"NONE",
      "i":7,"l":"0.00010","z":"0.00010","L":"61685.99","n":null,"N":null,"T":1700000000000,"t":12})",
      context);
  CAF_REQUIRE(event.has_value());
  const auto& fills = std::get<order_report>(*event).fills;
  CAF_REQUIRE_EQUAL(fills.size(), 1u);
  CAF_CHECK(fills[0].fee_raw == 0 && fills[0].fee_asset.empty() && fills[0].at_price.raw == 6168599);
  const auto foreign = parse_user_frame(R"({"e":"executionReport","s":"XYZ","x":"NEW","X":"NEW"})", context);
  CAF_REQUIRE(foreign.has_value());
  CAF_CHECK(std::holds_alternative<other_event>(*foreign));
}

CAF_TEST(damaged answers are errors and never a crash) {
  const auto context = btc_context();
  const std::string good =
      R"({"symbol":"BTCUSDT","orderId":28,"clientOrderId":"c","transactTime":1507725176595,)"
      R"("executedQty":"0.00100",)"
      R"("status":"FILLED","side":"BUY","fills":[{"price":"1.00","qty":"0.00100",)"
      R"("commission":"0","tradeId":1}]})";
  CAF_REQUIRE(parse_order(good, context).has_value());
  const std::vector<std::pair<std::string, std::string>> damages{
      {"BTCUSDT", "ETHUSDT"},
      {"\"orderId\":28", "\"orderId\":\"x\""},
      {"FILLED", "STRANGE"},
      {"0.00100\",\"status", "0.001001\",\"status"},
      {"\"tradeId\":1", "\"trade\":1"},
      {"1.00\",\"qty", "1.001\",\"qty"},
      {"\"BUY\"", "\"UP\""}};
  for (const auto& [from, to] : damages) {
    auto bad = good;
    bad.replace(bad.find(from), from.size(), to);
    CAF_CHECK(!parse_order(bad, context).has_value());
  }
  for (std::size_t length = 0; length < good.size(); ++length)
    CAF_CHECK(!parse_order(std::string_view{good}.substr(0, length), context).has_value());
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  for (int i = 0; i < 20'000; ++i) {
    auto bad = good;
    for (int n = 0; n < 3; ++n) bad[random() % bad.size()] = static_cast<char>(random() % 256);
    static_cast<void>(parse_order(bad, context));
    static_cast<void>(parse_user_frame(bad, context));
    static_cast<void>(parse_account(bad));
    static_cast<void>(parse_trades(bad, context));
  }
}

CAF_TEST(recorded rules become instrument specs) {
  const auto file =
      test::recording("venues/thrasher-corp+gocryptotrader/exchanges/binance/testdata/http.json",
                      "recorded exchangeInfo");
  if (!file) return;
  const auto text = read_file(*file);
  simdjson::dom::parser parser;
  simdjson::dom::element root, data;
  CAF_REQUIRE(parser.parse(text).get(root) == simdjson::SUCCESS);
  CAF_REQUIRE(root["routes"]["/api/v3/exchangeInfo"]["GET"].at(0)["data"].get(data) == simdjson::SUCCESS);
  const auto body = simdjson::minify(data);
  const auto spec = parse_rules(body, "ETHBTC", {"ETH-BTC@binance"});
  CAF_REQUIRE(spec.has_value());
  CAF_CHECK(spec->venue_symbol == "ETHBTC" && spec->tick.raw == 1 && spec->lot.raw == 1);
  CAF_CHECK(spec->price_scale >= 5 && spec->size_scale >= 3 && spec->min_notional.raw > 0);
  CAF_MESSAGE("ETHBTC: " << int{spec->price_scale} << " and " << int{spec->size_scale} << " decimals");
  simdjson::dom::array symbols;
  CAF_REQUIRE(data["symbols"].get(symbols) == simdjson::SUCCESS);
  int read = 0;
  for (const auto symbol : symbols) {
    std::string_view name;
    CAF_REQUIRE(symbol["symbol"].get(name) == simdjson::SUCCESS);
    const auto each = parse_rules(body, name, {std::string{name}});
    CAF_CHECK(each.has_value());
    CAF_CHECK(!each || (each->tick.raw > 0 && each->lot.raw > 0 && each->max_size.raw >= each->min_size.raw));
    ++read;
  }
  CAF_CHECK_EQUAL(read, 25);
  CAF_CHECK(!parse_rules(body, "NOSUCH", {"x"}).has_value());
  // Prescribed scales too coarse for the venue's tick are an error, finer ones are not.
  CAF_CHECK(!parse_rules(body, "ETHBTC", {"x"}, std::pair{2, 2}).has_value());
  const auto finer = parse_rules(body, "ETHBTC", {"x"}, std::pair{8, 8});
  CAF_REQUIRE(finer.has_value());
  CAF_CHECK(finer->tick.raw > 1);
}

// --- classes of answers ---------------------------------------------------------------------------

CAF_TEST(the table of error classes) {
  struct row {
    command_kind kind;
    unsigned status;
    std::int32_t code;
    const char* text;
    command_result expected;
    refusal why;
  };
  using enum command_result;
  constexpr auto place = command_kind::place;
  constexpr auto cancel = command_kind::cancel;
  constexpr auto query = command_kind::query;
  const std::vector<row> table{
      {place, 400, -1006, "An unexpected response was received", unknown, refusal::none},
      {place, 400, -1007, "Timeout waiting for response", unknown, refusal::none},
      {place, 504, 0, "", unknown, refusal::none},
      {place, 502, -1000, "", unknown, refusal::none},
      {place, 503, -1008, "overloaded", unknown, refusal::overload},
      {place, 400, -1008, "overloaded", rejected, refusal::overload},
      {place, 200, 0, "", unknown, refusal::none},
      {place, 400, 0, "", unknown, refusal::none},
      {place, 302, 0, "", unknown, refusal::none},
      {place, 409, -2021, "", unknown, refusal::none},
      {place, 400, -1021, "Timestamp", rejected, refusal::clock},
      {place, 400, -1022, "Signature", rejected, refusal::signature},
      {place, 401, -2014, "API-key format invalid.", rejected, refusal::signature},
      {place, 401, -2015, "Invalid API-key", rejected, refusal::permission},
      {place, 429, -1003, "Too many requests", rejected, refusal::rate},
      {place, 418, -1003, "banned", rejected, refusal::rate},
      {place, 403, 0, "", rejected, refusal::rate},
      {place, 400, -1015, "Too many new orders", rejected, refusal::rate},
      {place, 400, -1013, "Filter failure: LOT_SIZE", rejected, refusal::filter},
      {place, 400, -1111, "Precision", rejected, refusal::filter},
      {place, 400, -1121, "Invalid symbol.", rejected, refusal::filter},
      {place, 400, -2010, "Duplicate order sent.", unknown, refusal::duplicate},
      {place, 400, -2010, "Account has insufficient balance for requested action.", rejected, refusal::funds},
      {place, 400, -2010, "Order would immediately match and take.", rejected, refusal::would_take},
      {place, 400, -2010, "Market is closed.", rejected, refusal::other},
      {cancel, 400, -2011, "Unknown order sent.", rejected, refusal::gone},
      {cancel, 400, -2013, "Order does not exist.", rejected, refusal::gone},
      {cancel, 500, 0, "", unknown, refusal::none},
      {query, 400, -2013, "Order does not exist.", absent, refusal::none},
      {query, 400, -2026, "archived", rejected, refusal::gone},
      {query, 503, 0, "", unknown, refusal::none},
      {query, 400, -1007, "", unknown, refusal::none},
  };
  for (const auto& row : table) {
    std::optional<venue_error> said;
    if (row.code != 0) said = venue_error{row.code, row.text};
    const auto found = classify_answer(row.kind, row.status, said);
    if (found.kind != row.expected || found.why != row.why)
      CAF_ERROR("status " << row.status << " code " << row.code << ' ' << row.text << " gave "
                          << static_cast<int>(found.kind) << '/' << static_cast<int>(found.why));
    CAF_CHECK(found.retry_after_resync == (row.code == -1021));
  }
  // Whatever code comes, a 5xx of a place is never a rejection.
  for (int code = -9999; code < 0; ++code)
    CAF_REQUIRE(
        classify_answer(place, 500 + static_cast<unsigned>(-code % 100), venue_error{code, "x"})
            .kind
        == unknown);
}

// --- budget ---------------------------------------------------------------------------------------

CAF_TEST(no window ever holds more than its limit) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 40; ++round) {
    const auto limit = 5 + static_cast<std::uint32_t>(random() % 60);
    const auto window = std::chrono::milliseconds{100 + random() % 2000};
    const auto reserve = static_cast<std::uint32_t>(random() % 50);
    rate_budget budget{{.limits = {{"weight", window, limit}}, .reserve_percent = reserve}};
    std::vector<std::pair<steady_time, std::uint32_t>> admitted;
    steady_time now{};
    std::uint64_t ordinary_in_window = 0;
    for (int i = 0; i < 3000; ++i) {
      now = now + std::chrono::microseconds{random() % 20'000};
      const auto units = 1 + static_cast<std::uint32_t>(random() % 5);
      const bool urgent = random() % 8 == 0;
      const auto wait = budget.admit(now, {{"weight", units}}, urgent);
      std::uint64_t sum = 0;
      while (!admitted.empty() && now - admitted.front().first >= window) admitted.erase(admitted.begin());
      for (const auto& each : admitted) sum += each.second;
      if (wait == nanoseconds::zero()) {
        admitted.emplace_back(now, units);
        CAF_REQUIRE(sum + units <= limit);
        const auto allowed = urgent ? limit : limit - limit * reserve / 100;
        CAF_REQUIRE(sum + units <= allowed);
        ordinary_in_window += units;
      } else {
        // Refused only when it had to be, and the advice is honest.
        const auto allowed = urgent ? limit : limit - limit * reserve / 100;
        CAF_REQUIRE(sum + units > allowed);
        CAF_REQUIRE(wait <= window);
        auto later = budget;
        const bool enough =
            units > allowed
            || later.admit(now + wait, {{"weight", units}}, urgent) == nanoseconds::zero();
        CAF_REQUIRE(enough);
      }
    }
    CAF_REQUIRE(ordinary_in_window > 0);
  }
}

CAF_TEST(the advised wait is enough) {
  rate_budget budget{{.limits = {{"weight", 1min, 100}}, .reserve_percent = 0}};
  steady_time now{1'000'000'000};
  CAF_CHECK(budget.admit(now, {{"weight", 60}}) == 0ns);
  CAF_CHECK(budget.admit(now + 10s, {{"weight", 40}}) == 0ns);
  const auto wait = budget.admit(now + 20s, {{"weight", 50}});
  CAF_CHECK(wait == 40s);
  CAF_CHECK(budget.admit(now + 20s + wait - 1ns, {{"weight", 50}}) > 0ns);
  CAF_CHECK(budget.admit(now + 20s + wait, {{"weight", 50}}) == 0ns);
}

CAF_TEST(refusals of the venue close the budget) {
  rate_budget budget{spot_limits()};
  steady_time now{0};
  budget.on_status(now, 429, 7s);
  CAF_CHECK(budget.admit(now + 6s, {{"weight", 1}}, true) == 1s);
  CAF_CHECK(budget.admit(now + 7s, {{"weight", 1}}) == 0ns);
  budget.on_status(now + 8s, 418, 0s);
  const auto first = budget.closed_until() - (now + 8s);
  budget.on_status(now + 300s, 418, 0s);
  const auto second = budget.closed_until() - (now + 300s);
  CAF_CHECK(second == first * 2);
  CAF_CHECK_EQUAL(budget.bans(), 2u);
  // Doubling ends at three days.
  for (int i = 0; i < 40; ++i) budget.on_status(now + 400s, 418, 0s);
  CAF_CHECK(budget.closed_until() - (now + 400s) <= 72h);
}

CAF_TEST(the own figure of the venue is believed when it is higher) {
  rate_budget budget{{.limits = {{"weight", 1min, 100}}, .reserve_percent = 10}};
  steady_time now{0};
  CAF_CHECK(budget.admit(now, {{"weight", 10}}) == 0ns);
  budget.on_used(now, "weight", 85);
  CAF_CHECK_EQUAL(budget.used(now, "weight"), 85u);
  CAF_CHECK(budget.admit(now, {{"weight", 6}}) > 0ns);
  CAF_CHECK(budget.admit(now, {{"weight", 6}}, true) == 0ns);
  budget.on_used(now, "weight", 20);
  CAF_CHECK_EQUAL(budget.used(now, "weight"), 91u);
}
