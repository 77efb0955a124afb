#define CAF_SUITE bybit_orders

// Bybit's orders: requests as the venue signs them, its recorded answers and private frames.

#include "actors/connectors/bybit/order_codec.hpp"
#include "actors/executors/client_id.hpp"
#include "actors/executors/order.hpp"
#include "tests/support/order_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::bybit;
using namespace std::chrono_literals;

namespace {

constexpr const char* adapter = "venues/nautechsystems+nautilus_trader/crates/adapters/bybit/test_data/";

instrument_spec btc_linear() {
  return test::sample_spec("BTC-USDT-PERP@bybit", "BTCUSDT", contract_kind::linear);
}

order_context symbols() {
  return test::sample_context("main@bybit", {btc_linear(), test::sample_spec("ETH-USDT-PERP@bybit", "ETHUSDT",
                                                                             contract_kind::linear)});
}

api_keys test_keys() {
  return {secret{"test_api_key"}, secret{"test_secret"}};
}

constexpr market_time at_1_7e12{1'700'000'000'000 * 1'000'000};

std::string field_of(const signed_call& call, std::string_view name) {
  for (const auto& [key, value] : call.fields)
    if (key == name) return value;
  return "(absent)";
}

} // namespace

CAF_TEST(a_query_is_signed_as_it_is_sent) {
  const api_call call{"GET", "/v5/position/list", {{"category", "linear"}, {"symbol", "BTCUSDT"}}, true, 1,
                      false};
  const auto out = sign(call, test_keys(), at_1_7e12, 5s);
  CAF_CHECK_EQUAL(out.target, "/v5/position/list?category=linear&symbol=BTCUSDT");
  CAF_CHECK_EQUAL(out.body, "");
  CAF_CHECK_EQUAL(field_of(out, "X-BAPI-SIGN"),
                  "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7");
  CAF_CHECK_EQUAL(field_of(out, "X-BAPI-TIMESTAMP"), "1700000000000");
  CAF_CHECK_EQUAL(field_of(out, "X-BAPI-RECV-WINDOW"), "5000");
}

CAF_TEST(a_body_is_signed_byte_by_byte) {
  // The vector's body has spaces, ours has none: the signature must be over exactly the bytes that go out.
  const auto keys = test_keys();
  CAF_CHECK_EQUAL(hmac_sha256_hex(keys.secret_key,
                                  "1700000000000test_api_key5000{\"category\": \"linear\", \"symbol\": "
                                  "\"BTCUSDT\", \"orderLinkId\": \"test-order-1\"}"),
                  "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1");
  const auto out = sign(cancel_call(btc_linear(), "test-order-1"), keys, at_1_7e12, 5s);
  CAF_CHECK_EQUAL(out.body, R"({"category":"linear","symbol":"BTCUSDT","orderLinkId":"test-order-1"})");
  CAF_CHECK_EQUAL(field_of(out, "X-BAPI-SIGN"),
                  hmac_sha256_hex(keys.secret_key, "1700000000000test_api_key5000" + out.body));
  CAF_CHECK_EQUAL(field_of(out, "Content-Type"), "application/json");
}

CAF_TEST(what_needs_no_key_carries_none) {
  const auto out = sign(time_call(), test_keys(), at_1_7e12, 5s);
  CAF_CHECK(out.fields.empty());
  CAF_CHECK_EQUAL(out.target, "/v5/market/time");
}

CAF_TEST(the_socket_is_authorised_until_a_time) {
  const auto keys = test_keys();
  CAF_CHECK_EQUAL(auth_request(keys, at_1_7e12),
                  "{\"op\":\"auth\",\"args\":[\"test_api_key\",1700000000000,\""
                      + hmac_sha256_hex(keys.secret_key, "GET/realtime1700000000000") + "\"]}");
}

CAF_TEST(orders_are_written_in_the_venues_words) {
  auto order = test::sample_intent(btc_linear());
  auto call = place_call(order, btc_linear());
  CAF_REQUIRE(call);
  CAF_CHECK_EQUAL(sign(*call, test_keys(), at_1_7e12, 5s).body,
                  R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.01",)"
                  R"("price":"30000.5","timeInForce":"GTC","orderLinkId":"o-1"})");
  CAF_CHECK(call->is_order);
  order.kind = order_kind::limit_maker;
  order.reduce_only = true;
  order.direction = side::sell;
  CAF_CHECK_EQUAL(sign(*place_call(order, btc_linear()), test_keys(), at_1_7e12, 5s).body,
                  R"({"category":"linear","symbol":"BTCUSDT","side":"Sell","orderType":"Limit","qty":"0.01",)"
                  R"("price":"30000.5","timeInForce":"PostOnly","orderLinkId":"o-1","reduceOnly":true})");
}

CAF_TEST(a_spot_market_buy_is_counted_in_the_base_asset) {
  const auto spot = test::sample_spec("BTC-USDT@bybit", "BTCUSDT", contract_kind::spot);
  auto order = test::sample_intent(spot);
  order.kind = order_kind::market;
  order.reduce_only = true; // says nothing on a spot market, where the venue refuses the word
  CAF_CHECK_EQUAL(sign(*place_call(order, spot), test_keys(), at_1_7e12, 5s).body,
                  R"({"category":"spot","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.01",)"
                  R"("marketUnit":"baseCoin","timeInForce":"IOC","orderLinkId":"o-1"})");
}

CAF_TEST(orders_that_cannot_be_written_are_refused_here) {
  auto order = test::sample_intent(btc_linear());
  order.client_id = "with:colon";
  CAF_CHECK(!place_call(order, btc_linear()));
  order.client_id = std::string(37, 'a');
  CAF_CHECK(!place_call(order, btc_linear()));
  order.client_id = "o-1";
  order.quantity.raw += 1; // off the lot of 10
  CAF_CHECK(!place_call(order, btc_linear()));
}

CAF_TEST(recorded_orders_are_read) {
  const auto live =
      test::sample_file(std::string{adapter} + "http_get_orders_realtime.json", "recorded_orders_are_read");
  if (live.empty()) return;
  const auto page = parse_orders(live, symbols());
  CAF_REQUIRE(page);
  CAF_REQUIRE_EQUAL(page->orders.size(), 2u);
  CAF_CHECK_EQUAL(page->orders[0].client_id, "client-open-1");
  CAF_CHECK(page->orders[0].state == order_state::acknowledged);
  CAF_CHECK_EQUAL(page->orders[0].at.ns, 1'761'355'905'606'000'000);

  const auto dropped = parse_orders(
      test::sample_file(std::string{adapter} + "http_get_order_partially_filled_rejected.json", "rejected"),
      symbols());
  CAF_REQUIRE(dropped);
  CAF_REQUIRE_EQUAL(dropped->orders.size(), 1u);
  // "Rejected" and yet half filled: the rest has ended.
  CAF_CHECK(dropped->orders[0].state == order_state::cancelled);
  CAF_CHECK_EQUAL(dropped->orders[0].filled.raw, 50);
  CAF_CHECK_EQUAL(dropped->orders[0].text, "INSUFFICIENT_MARGIN");
}

CAF_TEST(an_order_lives_through_what_was_recorded) {
  const auto rest = test::sample_file(std::string{adapter} + "http_get_order_partially_filled_rejected.json",
                                      "an_order_lives_through_what_was_recorded");
  if (rest.empty()) return;
  auto what = test::sample_intent(btc_linear());
  what.client_id = "O-20251001-164609-APEX-000-49";
  what.approval = approval_hash(what);
  order mine{what};
  mine.approve(what.approval);
  mine.journal();
  mine.send();
  // The acknowledgement changes nothing but the id.
  CAF_CHECK(
      mine.apply(*parse_ack(R"({"retCode":0,"result":{"orderId":"5cf98598-39a7-459e-97bf-76ca765ee021",)"
                            R"("orderLinkId":"O-20251001-164609-APEX-000-49"},"time":1672364262444})",
                            symbols(), btc_linear().id))
          .issues.empty());
  CAF_CHECK(mine.state() == order_state::sent);
  const auto page = parse_orders(rest, symbols());
  CAF_REQUIRE(page);
  CAF_CHECK(mine.apply(page->orders[0]).issues.empty());
  CAF_CHECK(mine.closing()); // half of it was executed, and that execution is still to come
  const auto executed = parse_user_frame(
      R"({"topic":"execution","data":[{"symbol":"BTCUSDT","execId":"e-1","orderId":"5cf98598-39a7-459e-97bf-76ca765ee021",)"
      R"("orderLinkId":"O-20251001-164609-APEX-000-49","side":"Buy","execPrice":"30000","execQty":"0.005",)"
      R"("execFee":"0.0825","feeCurrency":"USDT","execType":"Trade","isMaker":true,"execTime":"1672364262450"}]})",
      symbols());
  CAF_REQUIRE(executed);
  CAF_CHECK(mine.apply(std::get<order_report>(executed->front())).issues.empty());
  CAF_CHECK(mine.done());
  CAF_CHECK(mine.state() == order_state::cancelled);
  CAF_CHECK_EQUAL(mine.filled().raw, 50);
}

CAF_TEST(recorded_executions_are_read) {
  const auto text =
      test::sample_file(std::string{adapter} + "http_get_executions.json", "recorded_executions_are_read");
  if (text.empty()) return;
  const auto page = parse_executions(text, symbols());
  CAF_REQUIRE(page);
  CAF_REQUIRE_EQUAL(page->fills.size(), 2u);
  const auto& first = page->fills[0];
  CAF_CHECK_EQUAL(first.trade_id, "e0cbe81d-0f18-5866-9415-cf319b5dab3b");
  CAF_CHECK_EQUAL(first.client_id, "test-order-001");
  CAF_CHECK_EQUAL(first.at_price.raw, 5'000'000);
  CAF_CHECK_EQUAL(first.quantity.raw, 1'000);
  CAF_CHECK_EQUAL(first.fee_raw, 1'500'000);
  CAF_CHECK_EQUAL(first.fee_asset, "USDT");
  CAF_CHECK(first.maker);
  CAF_CHECK(page->fills[1].direction == side::sell);
  CAF_CHECK_EQUAL(page->cursor, "132766%3A2%2C132766%3A2");
}

CAF_TEST(recorded_private_frames_are_read) {
  const auto read = [](const char* name) {
    return parse_user_frame(
        test::sample_file(std::string{adapter} + name, "recorded_private_frames_are_read"), symbols());
  };
  if (!test::recording(std::string{adapter} + "ws_account_order_filled.json",
                       "recorded_private_frames_are_read"))
    return;
  const auto filled = read("ws_account_order_filled.json");
  CAF_REQUIRE(filled);
  CAF_REQUIRE_EQUAL(filled->size(), 1u);
  const auto& report = std::get<order_report>(filled->front());
  CAF_CHECK(report.state == order_state::filled);
  CAF_CHECK_EQUAL(report.filled.raw, 1'000);
  CAF_CHECK_EQUAL(report.client_id, "test-client-order-001");

  const auto executed = read("ws_account_execution.json");
  CAF_REQUIRE(executed);
  const auto& execution = std::get<order_report>(executed->front());
  CAF_REQUIRE_EQUAL(execution.fills.size(), 1u);
  CAF_CHECK(execution.state == order_state::unknown); // an execution says nothing of what is left
  CAF_CHECK_EQUAL(execution.fills[0].fee_raw, 2'637'252'750);
  CAF_CHECK(!execution.fills[0].maker);

  const auto wallet = read("ws_account_wallet.json");
  CAF_REQUIRE(wallet);
  const auto& balances = std::get<balances_event>(wallet->front());
  CAF_REQUIRE_EQUAL(balances.changed.size(), 2u);
  CAF_CHECK_EQUAL(balances.changed[0].asset, "BTC");
  CAF_CHECK_EQUAL(balances.changed[0].free_raw, 102'964);

  CAF_CHECK_EQUAL(std::get<reply_event>(read("ws_auth_success.json")->front()).status, 200u);
  const auto refusal_frame = read("ws_auth_failure.json");
  CAF_REQUIRE(refusal_frame);
  const auto& no = std::get<reply_event>(refusal_frame->front());
  CAF_REQUIRE(no.error);
  CAF_CHECK_EQUAL(no.error->code, 10003);
  CAF_CHECK_EQUAL(std::get<reply_event>(read("ws_subscription_failure.json")->front()).error->text,
                  "Invalid topic: invalid.topic.BTCUSDT");
}

CAF_TEST(an_ack_is_no_proof_of_life) {
  const auto ack = parse_ack(
      R"({"retCode":0,"retMsg":"OK","result":{"orderId":"17","orderLinkId":"o-1"},"time":1700000000001})",
      symbols(), btc_linear().id);
  CAF_REQUIRE(ack);
  CAF_CHECK(ack->state == order_state::unknown);
  CAF_CHECK_EQUAL(ack->venue_order_id, "17");
}

CAF_TEST(answers_are_told_apart_by_class) {
  const auto place = [](std::int32_t code) {
    return classify_answer(command_kind::place, 200, venue_error{code, ""});
  };
  CAF_CHECK(place(10016) == open_question());
  CAF_CHECK(place(170007) == open_question());
  CAF_CHECK(place(110072) == open_question(refusal::duplicate));
  CAF_CHECK(place(10002).retry_after_resync);
  CAF_CHECK(place(10004) == refused(refusal::signature));
  CAF_CHECK(place(110007) == refused(refusal::funds));
  CAF_CHECK(place(170137) == refused(refusal::filter));
  CAF_CHECK(classify_answer(command_kind::place, 403, {}) == refused(refusal::rate));
  CAF_CHECK(classify_answer(command_kind::place, 502, {}) == open_question());
  CAF_CHECK(classify_answer(command_kind::place, 200, {}) == open_question());
  CAF_CHECK(classify_answer(command_kind::cancel, 200, venue_error{110001, ""}) == refused(refusal::gone));
  CAF_CHECK(classify_answer(command_kind::query, 200, venue_error{170213, ""}).kind
            == command_result::absent);
}

CAF_TEST(bytes_that_are_no_frame_are_errors) {
  test::damaged_frames(
      test::sample_file(std::string{adapter} + "ws_account_execution.json", "bytes_that_are_no_frame"),
      [](std::string_view frame) { static_cast<void>(parse_user_frame(frame, symbols())); });
  CAF_CHECK(!parse_user_frame("", symbols()));
  CAF_CHECK(!parse_user_frame("[]", symbols()));
  CAF_CHECK(!parse_orders(R"({"retCode":10001,"retMsg":"params error","result":{}})", symbols()));
}
