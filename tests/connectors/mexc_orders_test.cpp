#define CAF_SUITE mexc_orders

// MEXC's orders: requests as the venue signs them, the answers of its documents, its private frames by field
// number.

#include "actors/connectors/mexc/order_codec.hpp"
#include "tests/support/order_samples.hpp"

#include <caf/test/unit_test.hpp>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

using namespace troupe;
using namespace troupe::mexc;
using namespace std::chrono_literals;

namespace {

constexpr const char* answers = "venues/JKorf+Mexc.Net/Mexc.Net.UnitTests/JsonResponses/Spot/";

instrument_spec btc() {
  return test::sample_spec("BTC-USDT@mexc", "BTCUSDT", contract_kind::spot);
}

order_context symbols() {
  auto ltc = test::sample_spec("LTC-BTC@mexc", "LTCBTC", contract_kind::spot);
  auto bnb = test::sample_spec("BNB-BTC@mexc", "BNBBTC", contract_kind::spot);
  bnb.price_scale = 8;
  return test::sample_context(
      "main@mexc", {btc(), ltc, bnb, test::sample_spec("MX-USDT@mexc", "MXUSDT", contract_kind::spot)});
}

api_keys test_keys() {
  return {secret{"mx0aBYs33eIilxBWC5"}, secret{"45d0b3c26f2644f19bfb98b07741b2f5"}};
}

/// Writes protobuf as the venue's schema numbers it.
class message {
public:
  message& text(int number, std::string_view value) {
    return put([&](auto& out) {
      out.WriteVarint32(static_cast<std::uint32_t>(number << 3 | 2));
      out.WriteVarint32(static_cast<std::uint32_t>(value.size()));
      out.WriteRaw(value.data(), static_cast<int>(value.size()));
    });
  }
  message& integer(int number, std::uint64_t value) {
    return put([&](auto& out) {
      out.WriteVarint32(static_cast<std::uint32_t>(number << 3));
      out.WriteVarint64(value);
    });
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
  template <class Write>
  message& put(Write write) {
    google::protobuf::io::StringOutputStream stream{&bytes_};
    google::protobuf::io::CodedOutputStream out{&stream};
    write(out);
    return *this;
  }
  std::string bytes_;
};

std::string push(int number, const message& body, const char* symbol) {
  message out;
  out.text(1, "spot@private.orders.v3.api.pb");
  if (*symbol != '\0') out.text(3, symbol);
  return out.integer(6, 1'736'417'034'280).text(number, body.bytes()).bytes();
}

std::string filled_half() {
  message body;
  body.text(1, "C02__505979017439002624115").text(2, "o-1").text(3, "30000.5").text(4, "0.01");
  return push(304, body.text(13, "0.005").integer(15, 3).integer(16, 1'736'417'034'259), "BTCUSDT");
}

} // namespace

CAF_TEST(a_query_is_signed_as_it_is_sent) {
  const api_call call{
      "POST",
      "/api/v3/order",
      {{"symbol", "BTCUSDT"}, {"side", "BUY"}, {"type", "LIMIT"}, {"quantity", "1"}, {"price", "11"}},
      true,
      1,
      true};
  CAF_CHECK_EQUAL(signed_target(call, test_keys(), {1'644'489'390'087 * 1'000'000}, 5s),
                  "/api/v3/order?symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11&recvWindow=5000"
                  "&timestamp=1644489390087"
                  "&signature=fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a");
  CAF_CHECK_EQUAL(signed_target(time_call(), test_keys(), {}, 5s), "/api/v3/time");
}

CAF_TEST(orders_are_written_in_the_venues_words) {
  auto order = test::sample_intent(btc());
  order.tif = time_in_force::ioc;
  const auto call = place_call(order, btc());
  CAF_REQUIRE(call);
  CAF_CHECK_EQUAL(
      query_of(call->list),
      "symbol=BTCUSDT&side=BUY&type=IMMEDIATE_OR_CANCEL&quantity=0.01&price=30000.5&newClientOrderId=o-1");
  order.kind = order_kind::limit_maker;
  CAF_CHECK_EQUAL(place_call(order, btc())->list[2].second, "LIMIT_MAKER");
  order.kind = order_kind::market;
  CAF_CHECK(!place_call(order, btc())); // counted in the quote asset there
  order.direction = side::sell;
  CAF_REQUIRE(place_call(order, btc()));
  CAF_CHECK_EQUAL(query_of(place_call(order, btc())->list),
                  "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.01&newClientOrderId=o-1");
  order.client_id = std::string(33, 'a');
  CAF_CHECK(!place_call(order, btc()));
}

CAF_TEST(answers_of_the_documents_are_read) {
  const auto text = [](const char* name) {
    return test::sample_file(std::string{answers} + name, "answers_of_the_documents_are_read");
  };
  const auto placed_text = text("Trading/PlaceOrderAsync.txt");
  if (placed_text.empty()) return;
  const auto placed = parse_placed(placed_text, symbols(), "o-1");
  CAF_REQUIRE(placed);
  CAF_CHECK_EQUAL(placed->venue_order_id, "06a480e69e604477bfb48dddd5f0b750");
  CAF_CHECK_EQUAL(placed->client_id, "o-1");
  CAF_CHECK(placed->state == order_state::acknowledged);

  const auto cancelled = parse_order(text("Trading/CancelOrderAsync.txt"), symbols());
  CAF_REQUIRE(cancelled);
  CAF_CHECK_EQUAL(cancelled->client_id, "myOrder1");
  CAF_CHECK(cancelled->state == order_state::cancelled);

  const auto asked = parse_order(text("Trading/GetOrderAsync.txt"), symbols());
  CAF_REQUIRE(asked);
  CAF_CHECK(asked->state == order_state::acknowledged);
  CAF_CHECK_EQUAL(asked->at.ns, 1'499'827'319'559'000'000);

  const auto trades = parse_trades(text("Trading/GetUserTradesAsync.txt"), symbols());
  CAF_REQUIRE(trades);
  CAF_REQUIRE_EQUAL(trades->size(), 1u);
  CAF_CHECK_EQUAL(trades->front().trade_id, "fad2af9e942049b6adbda1a271f990c6");
  CAF_CHECK_EQUAL(trades->front().at_price.raw, 400'000'100);
  CAF_CHECK_EQUAL(trades->front().fee_raw, 1'010'000'000);

  const auto account = parse_account(text("Account/GetAccountInfoAsync.txt"));
  CAF_REQUIRE(account);
  CAF_REQUIRE_EQUAL(account->balances.size(), 2u);
  CAF_CHECK_EQUAL(account->balances[0].locked_raw, 3'300'000'000);
  CAF_CHECK(account->can_withdraw && *account->can_withdraw); // a key of this kind is to be refused
}

CAF_TEST(private_frames_are_read) {
  const auto order = parse_user_frame(filled_half(), symbols());
  CAF_REQUIRE(order);
  const auto& report = std::get<order_report>(*order);
  CAF_CHECK(report.state == order_state::partially_filled);
  CAF_CHECK_EQUAL(report.filled.raw, 50);
  CAF_CHECK_EQUAL(report.client_id, "o-1");
  CAF_CHECK_EQUAL(report.at.ns, 1'736'417'034'280'000'000);

  message deal;
  deal.text(1, "30000.5").text(2, "0.005").integer(4, 2).integer(5, 1).text(7, "t-9").text(8, "o-1");
  deal.text(9, "C02__505979017439002624115").text(10, "0.15").text(11, "USDT").integer(12, 1'736'417'034'260);
  const auto dealt = parse_user_frame(push(306, deal, "BTCUSDT"), symbols());
  CAF_REQUIRE(dealt);
  const auto& fills = std::get<order_report>(*dealt).fills;
  CAF_REQUIRE_EQUAL(fills.size(), 1u);
  CAF_CHECK(fills[0].direction == side::sell && fills[0].maker);
  CAF_CHECK_EQUAL(fills[0].fee_raw, 15'000'000);

  message account;
  account.text(1, "USDT").text(3, "21.94210356").text(5, "10").integer(8, 1'736'417'034'260);
  const auto changed = parse_user_frame(push(307, account, ""), symbols());
  CAF_REQUIRE(changed);
  const auto& balance = std::get<balances_event>(*changed).changed.front();
  CAF_CHECK_EQUAL(balance.free_raw, 2'194'210'356);
  CAF_CHECK_EQUAL(balance.locked_raw, 1'000'000'000);

  CAF_CHECK(std::holds_alternative<other_event>(
      *parse_user_frame(push(304, message{}.text(1, "x"), "OTHER"), symbols())));
}

CAF_TEST(a_refusal_to_subscribe_is_told_by_its_words) {
  const auto said = [](const char* frame) {
    return std::get<reply_event>(*parse_user_frame(frame, symbols()));
  };
  CAF_CHECK_EQUAL(said(R"({"id":0,"code":0,"msg":"spot@private.orders.v3.api.pb"})").status, 200u);
  CAF_CHECK_EQUAL(
      said(R"({"id":0,"code":0,"msg":"Not Subscribed successfully! [x].  Reason: Blocked! "})").status, 400u);
  CAF_CHECK_EQUAL(said(R"({"id":0,"code":0,"msg":"PONG"})").id, "ping");
}

CAF_TEST(answers_are_told_apart_by_class) {
  const auto place = [](std::int32_t code) {
    return classify_answer(command_kind::place, 400, venue_error{code, ""});
  };
  CAF_CHECK(place(700003).retry_after_resync);
  CAF_CHECK(place(700002) == refused(refusal::signature));
  CAF_CHECK(place(30004) == refused(refusal::funds));
  CAF_CHECK(place(30002) == refused(refusal::filter));
  CAF_CHECK(classify_answer(command_kind::place, 504, venue_error{500, ""}) == open_question());
  CAF_CHECK(classify_answer(command_kind::place, 400, {}) == open_question());
  CAF_CHECK(classify_answer(command_kind::cancel, 400, venue_error{-2011, ""}) == refused(refusal::gone));
  CAF_CHECK(classify_answer(command_kind::query, 400, venue_error{-2013, ""}).kind == command_result::absent);
}

CAF_TEST(bytes_that_are_no_frame_are_errors) {
  test::damaged_frames(filled_half(),
                       [](std::string_view f) { static_cast<void>(parse_user_frame(f, symbols())); });
  CAF_CHECK(!parse_user_frame("", symbols()));
  CAF_CHECK(!parse_user_frame(filled_half().substr(0, 70), symbols()));
}
