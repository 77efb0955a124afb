#define CAF_SUITE deribit_orders

// Deribit's orders: calls as the venue signs them, the answers of its documents and recorded ones.

#include "actors/connectors/deribit/order_codec.hpp"
#include "tests/support/order_samples.hpp"

#include <caf/test/unit_test.hpp>
#include <simdjson.h>

using namespace troupe;
using namespace troupe::deribit;
using namespace std::chrono_literals;

namespace {

constexpr const char* adapter = "venues/nautechsystems+nautilus_trader/crates/adapters/deribit/test_data/";

instrument_spec eth() {
  auto out = test::sample_spec("ETH-USD-PERP@deribit", "ETH-PERPETUAL", contract_kind::inverse);
  out.size_scale = 0;
  out.lot = {1};
  return out;
}

order_context symbols() {
  auto usdc = test::sample_spec("ETH-USDC-PERP@deribit", "ETH_USDC-PERPETUAL", contract_kind::linear);
  auto option = test::sample_spec("BTC-15FEB19-3250-P@deribit", "BTC-15FEB19-3250-P", contract_kind::inverse);
  option.price_scale = 4;
  auto future = test::sample_spec("BTC-USD-200626@deribit", "BTC-26JUN20", contract_kind::inverse);
  return test::sample_context("main@deribit", {eth(), usdc, option, future});
}

api_keys test_keys() {
  return {secret{"AMANDA"}, secret{"AMANDASECRECT"}};
}

/// The example answer of the venue's own documents whose component has this name.
std::string documented(std::string_view component) {
  std::istringstream lines{test::sample_file("venues/derived/official_doc_examples/deribit_openapi.jsonl",
                                             "documented_answers_are_read")};
  std::string line;
  simdjson::dom::parser parser;
  while (std::getline(lines, line)) {
    simdjson::dom::element root;
    std::string_view name;
    if (parser.parse(line).get(root) != simdjson::SUCCESS) continue;
    if (root["response_component"].get(name) != simdjson::SUCCESS || name != component) continue;
    // The text itself: written anew its numbers would be other text.
    const auto at = line.find("\"json\": ");
    return line.substr(at + 8, line.size() - at - 9);
  }
  return {};
}

} // namespace

CAF_TEST(the_session_is_authorised_by_a_signature) {
  const auto text = request_text(auth_call(test_keys(), {1'576'074'319'000 * 1'000'000}, "1iqt2wls"), 7);
  CAF_CHECK_EQUAL(
      text, R"({"jsonrpc":"2.0","id":7,"method":"public/auth","params":{"grant_type":"client_signature",)"
            R"("client_id":"AMANDA","timestamp":1576074319000,"nonce":"1iqt2wls","data":"",)"
            R"("signature":"56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1"}})");
}

CAF_TEST(orders_are_written_in_the_venues_words) {
  auto order = test::sample_intent(eth());
  order.quantity = {40};
  order.kind = order_kind::limit_maker;
  order.expires = {1'700'000'000'123 * 1'000'000};
  const auto call = place_call(order, eth());
  CAF_REQUIRE(call);
  CAF_CHECK(call->is_matching);
  CAF_CHECK_EQUAL(
      request_text(*call, 1),
      R"({"jsonrpc":"2.0","id":1,"method":"private/buy","params":{"instrument_name":"ETH-PERPETUAL",)"
      R"("amount":40,"type":"limit","label":"o-1","price":30000.5,"time_in_force":"good_til_cancelled",)"
      R"("post_only":true,"reject_post_only":true,"valid_until":1700000000123}})");
  order.kind = order_kind::market;
  order.direction = side::sell;
  order.reduce_only = true;
  order.expires = {};
  CAF_CHECK_EQUAL(
      request_text(*place_call(order, eth()), 2),
      R"({"jsonrpc":"2.0","id":2,"method":"private/sell","params":{"instrument_name":"ETH-PERPETUAL",)"
      R"("amount":40,"type":"market","label":"o-1","reduce_only":true}})");
  order.client_id = std::string(65, 'a');
  CAF_CHECK(!place_call(order, eth()));
}

CAF_TEST(documented_answers_are_read) {
  const auto placed_text = documented("PrivateBuyAndSellResponse");
  if (placed_text.empty()) return;
  const auto placed = parse_placed(placed_text, symbols());
  CAF_REQUIRE(placed);
  CAF_CHECK(placed->state == order_state::filled);
  CAF_CHECK_EQUAL(placed->filled.raw, 21);
  CAF_REQUIRE_EQUAL(placed->fills.size(), 1u);
  CAF_CHECK_EQUAL(placed->fills[0].trade_id, "ETH-2696097");
  CAF_CHECK_EQUAL(placed->fills[0].fee_raw, 77'660'000); // 7.766e-05 × 10^12
  CAF_CHECK_EQUAL(placed->fills[0].at_price.raw, 20'280);
  CAF_CHECK(placed->fills[0].direction == side::sell && !placed->fills[0].maker);

  const auto asked = parse_orders(documented("PrivateGetOrderStateByLabelResponse"), symbols());
  CAF_REQUIRE(asked);
  CAF_REQUIRE_EQUAL(asked->size(), 1u);
  CAF_CHECK_EQUAL(asked->front().client_id, "fooBar");
  CAF_CHECK_EQUAL(asked->front().at.ns, 1'550'219'810'944'000'000);
  const auto single = parse_orders(documented("PrivateGetOrderStateResponse"), symbols());
  CAF_REQUIRE(single);
  CAF_CHECK_EQUAL(single->size(), 1u);

  const auto open = parse_orders(documented("PrivateGetOpenOrdersResponse"), symbols());
  CAF_REQUIRE(open);
  CAF_REQUIRE_EQUAL(open->size(), 1u);
  CAF_CHECK(open->front().state == order_state::acknowledged);

  const auto history = parse_trades(documented("PrivateGetUserTradesHistoryResponse"), symbols());
  CAF_REQUIRE(history);
  CAF_REQUIRE_EQUAL(history->fills.size(), 1u);         // the option is not configured
  CAF_CHECK_EQUAL(history->fills[0].fee_raw, -210'000); // a rebate of 2.1e-07
  CAF_CHECK(history->fills[0].maker && !history->more);
  const auto of_order = parse_trades(documented("PrivateGetUserTradesByOrderResponse"), symbols());
  CAF_REQUIRE(of_order);
  CAF_CHECK_EQUAL(of_order->fills.size(), 1u);
}

CAF_TEST(recorded_answers_are_read) {
  const auto text = [](const char* name) {
    return test::sample_file(std::string{adapter} + name, "recorded_answers_are_read");
  };
  const auto bought_text = text("ws_order_buy_response.json");
  if (bought_text.empty()) return;
  const auto bought = parse_placed(bought_text, symbols());
  CAF_REQUIRE(bought);
  CAF_CHECK_EQUAL(bought->client_id, "O-19700101-000000-001-001-1");
  CAF_CHECK(bought->state == order_state::acknowledged);
  CAF_CHECK(bought->fills.empty());
  const auto cancelled = parse_orders(text("ws_order_cancel_response.json"), symbols());
  CAF_REQUIRE(cancelled);
  CAF_CHECK(cancelled->front().state == order_state::cancelled);
  CAF_CHECK_EQUAL(cancelled->front().text, "user_request");
  const auto stop =
      parse_placed(text("ws_order_stop_market_response.json"), symbols()); // its price is a word
  CAF_REQUIRE(stop);
  CAF_CHECK(stop->state == order_state::acknowledged);

  const auto refusal_reply = parse_reply(text("ws_error.json"));
  CAF_REQUIRE(refusal_reply && *refusal_reply && (*refusal_reply)->error);
  CAF_CHECK_EQUAL((*refusal_reply)->error->code, 10028);
  CAF_CHECK(!parse_orders(text("ws_error.json"), symbols()));
  CAF_CHECK_EQUAL((*parse_reply(bought_text))->id, 3u);

  const auto portfolio = parse_user_frame(text("ws_portfolio.json"), symbols());
  CAF_REQUIRE(portfolio);
  const auto& balance = std::get<balances_event>(portfolio->front()).changed.front();
  CAF_CHECK_EQUAL(balance.asset, "USDT");
  CAF_CHECK_EQUAL(balance.free_raw, 53'868'247'000'000);
  CAF_CHECK_EQUAL(balance.locked_raw, 55'000'550'000'000 - 53'868'247'000'000);

  const auto account = parse_account(text("http_get_account_summaries.json"));
  CAF_REQUIRE(account);
  CAF_CHECK_EQUAL(account->balances.front().asset, "BTC");
  CAF_CHECK_EQUAL(account->balances.front().free_raw, 301'380'596'220'000);

  const auto beat = parse_user_frame(text("ws_test_request.json"), symbols());
  CAF_REQUIRE(beat);
  CAF_CHECK_EQUAL(std::get<other_event>(beat->front()).what, "test_request");
}

CAF_TEST(pushes_of_orders_and_trades_are_read) {
  const auto orders = parse_user_frame(
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"user.orders.ETH-PERPETUAL.raw","data":)"
      R"({"order_id":"ETH-1","instrument_name":"ETH-PERPETUAL","order_state":"open","filled_amount":5.0,"amount":40,)"
      R"("label":"o-1","last_update_timestamp":1590486335742,"price":202.8,"direction":"buy"}}})",
      symbols());
  CAF_REQUIRE(orders);
  CAF_CHECK(std::get<order_report>(orders->front()).state == order_state::partially_filled);
  const auto trades = parse_user_frame(
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"user.trades.ETH-PERPETUAL.raw","data":)"
      R"([{"trade_id":"ETH-9","order_id":"ETH-1","instrument_name":"ETH-PERPETUAL","state":"open","label":"o-1",)"
      R"("direction":"buy","price":202.8,"amount":5.0,"fee":1e-8,"fee_currency":"ETH","liquidity":"M",)"
      R"("timestamp":1590486335742,"trade_seq":3}]}})",
      symbols());
  CAF_REQUIRE(trades);
  const auto& report = std::get<order_report>(trades->front());
  CAF_CHECK(report.state == order_state::unknown);
  CAF_REQUIRE_EQUAL(report.fills.size(), 1u);
  CAF_CHECK_EQUAL(report.fills[0].quantity.raw, 5);
  CAF_CHECK_EQUAL(report.fills[0].fee_raw, 10'000);
}

CAF_TEST(answers_are_told_apart_by_class) {
  const auto place = [](std::int32_t code) { return classify_answer(command_kind::place, {code, ""}); };
  CAF_CHECK(place(10028) == open_question(refusal::rate)); // the session ends with it
  CAF_CHECK(place(13028) == open_question(refusal::overload));
  CAF_CHECK(place(10009) == refused(refusal::funds));
  CAF_CHECK(place(10043) == refused(refusal::filter));
  CAF_CHECK(place(11054) == refused(refusal::would_take));
  CAF_CHECK(classify_answer(command_kind::cancel, {11044, ""}) == refused(refusal::gone));
  CAF_CHECK(classify_answer(command_kind::query, {10004, ""}).kind == command_result::absent);
}

CAF_TEST(bytes_that_are_no_frame_are_errors) {
  const std::string trade =
      R"({"method":"subscription","params":{"channel":"user.trades.X.raw","data":[{"trade_id":"1","order_id":"2",)"
      R"("instrument_name":"ETH-PERPETUAL","direction":"buy","price":1.5,"amount":5,"fee":1e-8}]}})";
  test::damaged_frames(trade, [](std::string_view f) { static_cast<void>(parse_user_frame(f, symbols())); });
  test::damaged_frames(R"({"id":3,"result":{"order":{"order_id":"1","instrument_name":"ETH-PERPETUAL",)"
                       R"("order_state":"open","filled_amount":0},"trades":[]}})",
                       [](std::string_view f) {
                         static_cast<void>(parse_placed(f, symbols()));
                         static_cast<void>(parse_reply(f));
                       });
  CAF_CHECK(!parse_user_frame("", symbols()));
  CAF_CHECK(!parse_reply("[1]"));
}
