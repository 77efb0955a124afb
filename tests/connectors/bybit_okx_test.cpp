#define CAF_SUITE bybit_okx

#include "actors/connectors/bybit/description.hpp"
#include "actors/connectors/okx/description.hpp"
#include "actors/feeds/checksums.hpp"
#include "tests/support/decoding.hpp"
#include "tests/support/seeds.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using test::spec_of;

namespace {

constexpr std::string_view snapshot =
    R"({"topic":"orderbook.50.ABCUSDT","ts":1789875210000,"type":"snapshot","data":{"s":"ABCUSDT","b":[["21.5","3.25"],["21.4","1.0"]],"a":[["21.6","2.0"]],"u":100,"seq":7},"cts":1789875209990})";
constexpr std::string_view delta =
    R"({"topic":"orderbook.50.ABCUSDT","type":"delta","ts":1789875210020,"data":{"s":"ABCUSDT","b":[["21.5","0"],["21.2","9"]],"a":[],"u":101,"seq":8},"cts":1789875210010})";

constexpr std::string_view okx_update =
    R"({"arg":{"channel":"books","instId":"ABC-USDT"},"action":"update","data":[{"asks":[["8476.98","415","0","13"]],"bids":[["8476.97","256","0","12"]],"ts":"1597026383085","checksum":0,"seqId":123457,"prevSeqId":123456}]})";

const std::string& file_text(std::string_view below, std::string_view test) {
  static std::string out;
  out.clear();
  if (const auto file = test::recording(below, test)) out = test::text_of(*file);
  return out;
}

const instrument_spec* find_spec(const std::vector<instrument_spec>& all, std::string_view id) {
  for (const auto& one : all)
    if (one.id.text == id) return &one;
  return nullptr;
}

/// Events and expectation of each pair whose message has one of the marks, compared as texts.
void compare_pairs(const venue_description& venue, std::string_view below,
                   const std::vector<std::string>& marks, std::size_t least) {
  const auto file = test::recording(below, "compare_pairs");
  if (!file) return;
  std::size_t compared = 0;
  for (const auto& pair : test::mapper_pairs(*file)) {
    bool wanted = false;
    for (const auto& mark : marks)
      wanted = wanted || pair.message.find(mark) != std::string::npos;
    const auto expected = test::expected_texts(pair.expected);
    if (!wanted || expected.empty()) continue;
    const auto symbol = expected[0].substr(6, expected[0].find(' ', 6) - 6);
    const auto decoder = venue.decoder(spec_of(symbol, contract_kind::linear));
    const auto found = test::event_texts(*decoder, pair.message, 8, 8);
    CAF_CHECK_EQUAL(found, expected);
    ++compared;
  }
  CAF_CHECK(compared >= least);
  CAF_MESSAGE(compared << " pairs of " << below);
}

} // namespace

// --- Bybit
// ----------------------------------------------------------------------------------------

CAF_TEST(bybit_books) {
  const auto decoder =
      bybit::description().decoder(spec_of("ABCUSDT", contract_kind::linear, 2, 3));
  const auto first = decoder->decode(snapshot);
  CAF_REQUIRE(first.kind == event_kind::image);
  CAF_CHECK_EQUAL(first.image.last, 100u);
  CAF_CHECK_EQUAL(first.image.event.ns, 1789875210000000000);
  CAF_CHECK_EQUAL(first.image.bids[1].at.raw, 2140);
  CAF_CHECK_EQUAL(first.image.asks[0].quantity.raw, 2000);
  const auto second = decoder->decode(delta);
  CAF_REQUIRE(second.kind == event_kind::depth);
  CAF_CHECK(second.depth.first == 101 && second.depth.last == 101 && !second.depth.has_previous);
  CAF_CHECK_EQUAL(second.depth.transaction.ns, 1789875210010000000);
  CAF_CHECK_EQUAL(second.depth.bids[0].quantity.raw, 0);
  // u == 1: the service restarted, and the book begins anew.
  std::string restarted{delta};
  restarted.replace(restarted.find("\"u\":101"), 7, "\"u\":1");
  CAF_CHECK(decoder->decode(restarted).kind == event_kind::image);
  const auto machine = test::machine_of(bybit::description().books[0].rules, spec_of("ABCUSDT"));
  test::book_tally tally;
  test::feed_frame(*decoder, *machine, snapshot, tally);
  test::feed_frame(*decoder, *machine, delta, tally);
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->book().bid().at.raw, 2140);
  std::string gap{delta};
  gap.replace(gap.find("\"u\":101"), 7, "\"u\":103");
  test::feed_frame(*decoder, *machine, gap, tally);
  CAF_CHECK(!machine->valid() && machine->needs_image());
  CAF_CHECK_EQUAL(test::cuts_not_damaged(*decoder, snapshot), 0u);
  for (const auto other :
       {R"({"topic":"orderbook.50.XYZUSDT","ts":1,"type":"snapshot"})",
        R"({"topic":"orderbook.rpi.ABCUSDT","ts":1})", R"({"topic":"tickers.ABCUSDT"})"})
    CAF_CHECK(decoder->decode(other).kind == event_kind::other);
}

CAF_TEST(bybit_wire_frames) {
  const auto file =
      test::recording("venues/derived/wire_frames_2026/json_frames.jsonl", "bybit_wire_frames");
  if (!file) return;
  const auto decoder = bybit::description().decoder(spec_of("ETHUSDT"));
  const auto protocol = bybit::description().protocol();
  const auto machine = test::machine_of(bybit::description().books[0].rules, spec_of("ETHUSDT"));
  test::book_tally tally;
  std::string kinds;
  for (const auto& frame : test::examples(*file, {"\"exchange\": \"bybit\""})) {
    const auto& in = protocol->take(frame);
    kinds += std::to_string(static_cast<int>(in.kind)) + ' ';
    if (in.kind != inbound_kind::data) continue;
    CAF_CHECK_EQUAL(in.topic, "orderbook.50.ETHUSDT");
    CAF_CHECK_EQUAL(in.symbols.front(), "ETHUSDT");
    test::feed_frame(*decoder, *machine, frame, tally);
  }
  CAF_CHECK_EQUAL(kinds, "1 0 0 3 "); // acknowledged, data, data, alive
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->sequence(), 219167607u);
  CAF_CHECK_EQUAL(machine->book().bid().at.raw, 219140000000);
  CAF_CHECK_EQUAL(machine->book().levels(side::buy), 3u);
}

CAF_TEST(bybit_examples_of_the_documents) {
  const auto file =
      test::recording("venues/derived/official_doc_examples/bybit_v5.jsonl", "bybit_examples");
  if (!file) return;
  const auto decoder = bybit::description().decoder(spec_of("BTCUSDT", contract_kind::linear));
  const auto decode = [&](std::string page) {
    const auto all = test::examples(
        *file, {"websocket/public/" + page + ".mdx", "\"section\": \"Response Example\""});
    CAF_REQUIRE(!all.empty());
    static std::string kept;
    kept = all[0];
    return test::events_of(*decoder, kept);
  };
  const auto book = decode("orderbook");
  CAF_REQUIRE(book.size() == 1 && book[0].kind == event_kind::depth);
  CAF_CHECK_EQUAL(book[0].depth.last, 177400507u);
  CAF_CHECK_EQUAL(book[0].depth.asks.size(), 7u);
  const auto trades = decode("trade");
  CAF_REQUIRE(trades.size() == 1 && trades[0].kind == event_kind::trade);
  CAF_CHECK_EQUAL(trades[0].trade.id_text, "20f43950-d8dd-5b31-9112-a178eb6023af");
  CAF_CHECK(trades[0].trade.taker == side::buy && !trades[0].trade.numbered
            && trades[0].trade.on_market);
  const auto candles = decode("kline");
  CAF_REQUIRE(candles.size() == 1 && candles[0].kind == event_kind::candle);
  const auto& c = candles[0].candle;
  CAF_CHECK(c.open.raw == 1664950000000 && c.close.raw == 1667700000000
            && c.high.raw == 1667700000000 && c.low.raw == 1660800000000 && !c.closed);
  const auto best =
      R"({"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":5,"data":{"s":"BTCUSDT","b":[["1","2"]],"a":[["3","4"]],"u":9,"seq":1}})";
  const auto& b = decoder->decode(best);
  CAF_CHECK(b.kind == event_kind::best && b.best.ask.at.raw == 300000000);
  CAF_CHECK_EQUAL(b.best.sequence, 0u); // the topic's own number is not the book's
}

CAF_TEST(bybit_equals_another_mapper) {
  compare_pairs(bybit::description(), "venues/tardis-dev+tardis-node/test/mappers/bybit.jsonl",
                {"\"publicTrade.", "\"orderbook.50.", "\"orderbook.200.", "\"orderbook.1000."}, 4);
}

CAF_TEST(frames_of_the_retired_api_are_unknown) {
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/BYBIT.ws.25.0", "retired bybit");
  if (!file) return;
  const auto decoder = bybit::description().decoder(spec_of("BTCUSDT", contract_kind::linear));
  const auto protocol = bybit::description().protocol();
  std::uint64_t frames = 0;
  std::uint64_t unknown = 0;
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::received) continue;
    ++frames;
    unknown += protocol->take(line.text).kind == inbound_kind::unknown
               && decoder->decode(line.text).kind == event_kind::other
               && decoder->next() == nullptr;
  }
  CAF_CHECK_EQUAL(frames, 3342u);
  CAF_CHECK_EQUAL(unknown, frames);
}

CAF_TEST(bybit_protocol) {
  const auto& venue = bybit::description();
  std::vector<instrument_spec> instruments{spec_of("BTCUSDT"),
                                           spec_of("BTCUSDT", contract_kind::linear),
                                           spec_of("BTCUSD", contract_kind::inverse)};
  const auto plans = venue.plan(instruments, {});
  CAF_REQUIRE_EQUAL(plans.size(), 3u);
  CAF_CHECK_EQUAL(plans[0].target, "/v5/public/spot");
  CAF_CHECK_EQUAL(plans[1].target, "/v5/public/linear");
  CAF_CHECK_EQUAL(plans[2].target, "/v5/public/inverse");
  CAF_CHECK_EQUAL(plans[0].topics[0].name, "orderbook.50.BTCUSDT");
  CAF_CHECK_EQUAL(plans[0].topics[1].name, "orderbook.1.BTCUSDT");
  CAF_CHECK_EQUAL(plans[0].topics[2].name, "publicTrade.BTCUSDT");
  const auto protocol = venue.protocol();
  CAF_CHECK(protocol->begin().empty());
  CAF_CHECK_EQUAL(protocol->heartbeat(), R"({"op":"ping"})");
  const auto commands = protocol->subscribe(plans[0].topics);
  CAF_REQUIRE_EQUAL(commands.size(), 1u);
  CAF_CHECK_EQUAL(
      commands[0].text,
      R"({"req_id":"1","op":"subscribe","args":["orderbook.50.BTCUSDT","orderbook.1.BTCUSDT","publicTrade.BTCUSDT"]})");
  const auto& taken = protocol->take(
      R"({"success":true,"ret_msg":"","conn_id":"x","req_id":"1","op":"subscribe"})");
  CAF_CHECK(taken.kind == inbound_kind::acknowledged && taken.topics.size() == 3);
  const std::vector<market_topic> many(25, plans[0].topics[0]);
  CAF_CHECK_EQUAL(protocol->subscribe(many).size(), 3u);
  const auto& refused = protocol->take(
      R"({"success":false,"ret_msg":"Invalid topic","conn_id":"x","req_id":"4","op":"subscribe"})");
  CAF_CHECK(refused.kind == inbound_kind::refused && refused.topics.size() == 5
            && refused.why == "Invalid topic");
  CAF_CHECK(protocol->take(R"({"success":true,"ret_msg":"pong","conn_id":"x","op":"ping"})").kind
            == inbound_kind::alive);
  CAF_CHECK(protocol->take("{\"op\"").kind == inbound_kind::damaged);
  CAF_CHECK(protocol->take(R"({ "ts":1, "topic":"kline.1.BTCUSDT"})").symbols.front() == "BTCUSDT");
  const auto ends = protocol->unsubscribe(plans[0].topics);
  CAF_CHECK(ends[0].topics.empty() && ends[0].text.find("\"unsubscribe\"") != std::string::npos);
}

CAF_TEST(bybit_instruments) {
  const auto& venue = bybit::description();
  CAF_CHECK_EQUAL(venue.instruments().size(), 3u);
  const std::string folder =
      "venues/nautechsystems+nautilus_trader/crates/adapters/bybit/test_data/";
  const auto read = [&](std::string_view name) {
    const auto& body = file_text(folder + std::string{name}, name);
    if (body.empty()) return std::vector<instrument_spec>{};
    auto out = venue.read_instruments(body, {7});
    CAF_REQUIRE(out);
    return *out;
  };
  if (const auto spot = read("http_get_instruments_spot.json"); !spot.empty()) {
    const auto* btc = find_spec(spot, "BTC-USDT@bybit");
    CAF_REQUIRE(btc != nullptr);
    CAF_CHECK(btc->venue_symbol == "BTCUSDT" && btc->kind == contract_kind::spot
              && btc->price_scale == 1);
    CAF_CHECK_EQUAL(format_decimal_short(btc->lot.raw, btc->size_scale), "0.0001");
    CAF_CHECK_EQUAL(format_decimal_short(btc->min_size.raw, btc->size_scale), "0.001");
    CAF_CHECK_EQUAL(format_decimal_short(btc->min_notional.raw, btc->price_scale + btc->size_scale),
                    "10");
    CAF_CHECK_EQUAL(btc->valid_from.ns, 7);
  }
  if (const auto linear = read("http_get_instruments_linear.json"); !linear.empty()) {
    const auto* btc = find_spec(linear, "BTC-USDT-PERP@bybit");
    CAF_REQUIRE(btc != nullptr);
    CAF_CHECK(btc->kind == contract_kind::linear && btc->tick.raw == 5 && btc->size_scale == 3);
    CAF_CHECK_EQUAL(format_decimal_short(btc->min_notional.raw, 4), "5");
  }
  if (const auto inverse = read("http_get_instruments_inverse.json"); !inverse.empty())
    CAF_CHECK(inverse[0].kind == contract_kind::inverse
              && inverse[0].id.text.ends_with("-PERP@bybit"));
  const auto dated = venue.read_instruments(
      R"({"retCode":0,"retMsg":"OK","result":{"list":[{"symbol":"BTCUSDT-27MAR26","contractType":"LinearFutures","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","deliveryTime":"1774598400000","priceFilter":{"tickSize":"0.50"},"lotSizeFilter":{"qtyStep":"0.001","minOrderQty":"0.001"}},{"symbol":"X","status":"Trading"},{"symbol":"Y","status":"PreLaunch"}]}})",
      {});
  CAF_REQUIRE(dated && dated->size() == 1);
  CAF_CHECK_EQUAL((*dated)[0].id.text, "BTC-USDT-260327@bybit");
  CAF_CHECK(!venue.read_instruments(R"({"retCode":10001,"retMsg":"bad"})", {}));
  CAF_CHECK(!venue.read_instruments("<html>", {}));
}

CAF_TEST(bybit_candles) {
  const auto& venue = bybit::description();
  const auto spec = spec_of("BTCUSD", contract_kind::inverse, 2, 0);
  const auto call = venue.candle_call(spec, std::chrono::hours{1}, {1670601600'000'000'000},
                                      {1670612400'000'000'000});
  CAF_CHECK_EQUAL(call.target,
                  "/v5/market/kline?category=inverse&symbol=BTCUSD&interval=60&start=1670601600000"
                  "&end=1670612399999&limit=1000");
  CAF_CHECK(venue.candle_call(spec, std::chrono::seconds{1}, {0}, {1'000'000'000}).target.empty());
  const auto file =
      test::recording("venues/derived/official_doc_examples/bybit_v5.jsonl", "bybit_candles");
  if (!file) return;
  const auto bodies = test::examples(*file, {"docs/v5/market/kline.mdx"});
  CAF_REQUIRE(!bodies.empty());
  const auto page = venue.read_candles(spec, std::chrono::hours{1}, bodies.back());
  CAF_REQUIRE(page && page->bars.size() == 3);
  const auto& b = page->bars;
  CAF_CHECK(b[0].open_time < b[1].open_time && b[1].open_time < b[2].open_time);
  CAF_CHECK(b[2].open_time.ns == 1670608800'000'000'000 && b[2].open.raw == 1707100
            && b[2].high.raw == 1707300 && b[2].low.raw == 1702700 && b[2].close.raw == 1705550
            && b[2].volume.raw == 268611);
  CAF_CHECK(b[0].closed && b[1].closed && !b[2].closed);
}

// --- OKX
// ------------------------------------------------------------------------------------------

CAF_TEST(okx_recording) {
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/OKX.ws.1.0", "okx_recording");
  if (!file) return;
  const auto expected = test::expected_books("cryptofeed OKX books 2022 (checksum live)");
  CAF_REQUIRE_EQUAL(expected.size(), 3u);
  // In 2022 messages had no numbers: the checksum alone proves the book.
  auto rules = okx::description().books[0].rules;
  rules.family = book_family::checksummed;
  struct one {
    std::unique_ptr<frame_decoder> decoder;
    std::unique_ptr<book_machine> machine;
  };
  std::map<std::string, one, std::less<>> books;
  for (const auto& [symbol, ignored] : expected) {
    const auto spec = spec_of(symbol);
    books[symbol] = {okx::description().decoder(spec), test::machine_of(rules, spec, {10'000'000})};
  }
  const auto protocol = okx::description().protocol();
  test::book_tally tally;
  std::uint64_t taken = 0;
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::received) continue;
    const auto& in = protocol->take(line.text);
    if (in.kind == inbound_kind::acknowledged)
      ++taken;
    else
      CAF_CHECK(in.kind == inbound_kind::data);
    if (in.kind != inbound_kind::data) continue;
    auto& book = books.find(in.symbols.front())->second;
    test::feed_frame(*book.decoder, *book.machine, line.text, tally);
  }
  CAF_CHECK_EQUAL(tally.frames, 290u);
  CAF_CHECK_EQUAL(tally.damaged, 0u);
  CAF_CHECK(tally.trades > 0);
  CAF_CHECK_EQUAL(taken, 18u);
  std::uint64_t compared = 0;
  std::uint64_t equal = 0;
  for (const auto& [symbol, book] : books) {
    compared += book.machine->counts().checksums_compared;
    equal += book.machine->counts().checksums_equal;
    CAF_CHECK(book.machine->valid());
    CAF_CHECK_EQUAL(test::book_difference(book.machine->book(), 8, 8, expected.at(symbol)), "");
  }
  CAF_CHECK_EQUAL(compared, 290u);
  CAF_CHECK_EQUAL(equal, 290u);
}

CAF_TEST(okx_trades_say_how_many_they_stand_for) {
  const auto decoder = okx::description().decoder(spec_of("ABC-USDT", contract_kind::spot, 2, 4));
  const auto decode = [&](std::string_view count) -> const market_event& {
    static std::string frame;
    frame = R"({"arg":{"channel":"trades","instId":"ABC-USDT"},"data":[{"instId":"ABC-USDT",)"
            R"("tradeId":"130639474","px":"42219.9","sz":"0.1206","side":"buy","ts":"1630048897897")";
    frame += count;
    frame += "}]}";
    return decoder->decode(frame);
  };
  const auto& three = decode(R"(,"count":"3")");
  CAF_REQUIRE(three.kind == event_kind::trade);
  CAF_CHECK_EQUAL(three.trade.id, 130639474u);
  CAF_CHECK_EQUAL(three.trade.first_id, 130639472u);
  CAF_CHECK_EQUAL(three.trade.last_id, 130639474u);
  for (const auto* count : {"", R"(,"count":"1")"}) {
    const auto& one = decode(count);
    CAF_REQUIRE(one.kind == event_kind::trade);
    CAF_CHECK_EQUAL(one.trade.first_id, one.trade.last_id);
  }
  CAF_CHECK(decode(R"(,"count":"130639475")").damage == frame_damage::bad_range);
}

CAF_TEST(okx_numbers_chain_the_book) {
  const auto spec = spec_of("ABC-USDT", contract_kind::spot, 2, 0);
  const auto decoder = okx::description().decoder(spec);
  const auto machine = test::machine_of(okx::description().books[0].rules, spec);
  test::book_tally tally;
  std::string image{okx_update};
  image.replace(image.find("update"), 6, "snapshot");
  image.replace(image.find("\"prevSeqId\":123456"), 18, "\"prevSeqId\":-1");
  image.replace(image.find("123457"), 6, "123456");
  test::feed_frame(*decoder, *machine, image, tally);
  CAF_CHECK(machine->valid());
  test::feed_frame(*decoder, *machine, okx_update, tally);
  CAF_CHECK_EQUAL(machine->sequence(), 123457u);
  // Equal numbers without rows are a sign of life.
  test::feed_frame(
      *decoder, *machine,
      R"({"arg":{"channel":"books","instId":"ABC-USDT"},"action":"update","data":[{"asks":[],"bids":[],"ts":"1597026383086","checksum":0,"prevSeqId":123457,"seqId":123457}]})",
      tally);
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->counts().checksums_compared, 0u);
  // After maintenance numbers may begin lower, as long as they are linked.
  std::string lower{okx_update};
  lower.replace(lower.find("123457"), 6, "15");
  lower.replace(lower.find("123456"), 6, "123457");
  test::feed_frame(*decoder, *machine, lower, tally);
  CAF_CHECK(machine->valid() && machine->sequence() == 15);
  test::feed_frame(*decoder, *machine, okx_update, tally);
  CAF_CHECK(!machine->valid());
  CAF_CHECK_EQUAL(tally.damaged, 0u);
  CAF_CHECK_EQUAL(test::cuts_not_damaged(*decoder, okx_update), 0u);
  const auto& best = decoder->decode(
      R"({"arg":{"channel":"bbo-tbt","instId":"ABC-USDT"},"data":[{"asks":[["8476.98","415","0","13"]],"bids":[["8476.97","256","0","12"]],"ts":"1597026383085","seqId":123456}]})");
  CAF_CHECK(best.kind == event_kind::best && best.best.bid.at.raw == 847697
            && best.best.sequence == 123456);
  const auto& candle = decoder->decode(
      R"({"arg":{"channel":"candle1D","instId":"ABC-USDT"},"data":[["1597026383085","8533.02","8553.74","8527.17","8548.26","45247","529.5858061","5529.5858061","1"]]})");
  CAF_CHECK(candle.kind == event_kind::candle && candle.candle.closed
            && candle.candle.interval == "1D");
  CAF_CHECK(candle.candle.high.raw == 855374 && candle.candle.low.raw == 852717
            && candle.candle.close.raw == 854826);
}

CAF_TEST(okx_equals_another_mapper) {
  compare_pairs(okx::description(), "venues/tardis-dev+tardis-node/test/mappers/okex.jsonl",
                {"\"channel\":\"books", "\"channel\":\"trades"}, 3);
  compare_pairs(okx::description(), "venues/tardis-dev+tardis-node/test/mappers/okex-futures.jsonl",
                {"\"channel\":\"books", "\"channel\":\"trades"}, 1);
}

CAF_TEST(okx_protocol) {
  const auto& venue = okx::description();
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/OKX.ws.1.0", "okx_protocol");
  const auto protocol = venue.protocol();
  CAF_CHECK_EQUAL(protocol->heartbeat(), "ping");
  CAF_CHECK(protocol->take("pong").kind == inbound_kind::alive);
  const auto plans =
      venue.plan(std::vector{spec_of("BTC-USDT")}, {.candles = true, .book_channel = {}});
  CAF_REQUIRE_EQUAL(plans.size(), 2u);
  CAF_CHECK_EQUAL(plans[0].target, "/ws/v5/public");
  CAF_CHECK_EQUAL(plans[1].target, "/ws/v5/business");
  CAF_CHECK_EQUAL(plans[1].topics[0].name, "candle1m:BTC-USDT");
  if (file) { // what another client sent and the venue took
    std::vector<market_topic> topics;
    for (const auto channel : {"tickers", "trades", "books"})
      for (const auto symbol : {"BTC-USD-220527", "UNI-USD-SWAP", "BTC-USDT"})
        topics.push_back({topic_kind::book, symbol, std::string{channel} + ":" + symbol});
    std::string sent;
    for (const auto& line : test::two_way(*file))
      if (line.kind == test::two_way_kind::sent) sent = line.text;
    const auto commands = protocol->subscribe(topics);
    CAF_REQUIRE_EQUAL(commands.size(), 1u);
    CAF_CHECK_EQUAL(commands[0].text, sent);
    CAF_CHECK_EQUAL(commands[0].topics.size(), 9u);
  }
  const auto& taken = protocol->take(
      R"({"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"},"connId":"a"})");
  CAF_CHECK(taken.kind == inbound_kind::acknowledged && taken.topic == "books:BTC-USDT");
  const auto& refused = protocol->take(
      R"({"event":"error","code":"60018","msg":"Wrong URL or channel:books,instId:NO-SUCH doesn't exist.","connId":"a"})");
  CAF_CHECK(refused.kind == inbound_kind::refused && refused.topic == "books:NO-SUCH"
            && refused.code == 60018);
  CAF_CHECK(
      protocol->take(R"({"event":"error","code":"60012","msg":"Invalid request","connId":"a"})")
          .kind
      == inbound_kind::failure);
  CAF_CHECK(protocol->take(R"({"event":"notice","code":"64008","msg":"closing","connId":"a"})").kind
            == inbound_kind::shutdown);
  CAF_CHECK(
      protocol->take(R"({"arg":{"channel":"books","instId":"BTC-USDT"},"event":"subscribe"})").kind
      == inbound_kind::acknowledged);
  CAF_CHECK(protocol->take("[1]").kind == inbound_kind::unknown);
  CAF_CHECK(protocol->take("ping!").kind == inbound_kind::damaged);
}

CAF_TEST(okx_rest) {
  const auto& venue = okx::description();
  const std::string folder = "venues/nautechsystems+nautilus_trader/crates/adapters/okx/test_data/";
  if (const auto& body = file_text(folder + "http_get_instruments_spot.json", "okx_rest");
      !body.empty()) {
    const auto specs = venue.read_instruments(body, {3});
    CAF_REQUIRE(specs);
    const auto* btc = find_spec(*specs, "BTC-USD@okx");
    CAF_REQUIRE(btc != nullptr);
    CAF_CHECK(btc->price_scale == 1 && btc->size_scale == 8 && btc->lot.raw == 1
              && btc->min_size.raw == 1000);
  }
  if (const auto& body = file_text(folder + "http_get_instruments_swap.json", "okx_rest");
      !body.empty()) {
    const auto specs = venue.read_instruments(body, {3});
    CAF_CHECK(specs && specs->empty());
  }
  if (const auto file =
          test::recording("venues/bmoscon+cryptofeed/sample_data/OKX.0", "okx_rest")) {
    std::size_t most = 0;
    for (const auto& line : test::two_way(*file)) {
      if (line.kind != test::two_way_kind::replied
          || line.url.find("instType=SPOT") == std::string::npos)
        continue;
      const auto specs = venue.read_instruments(line.text, {});
      CAF_REQUIRE(specs);
      most = std::max(most, specs->size());
      CAF_CHECK(find_spec(*specs, "BTC-USDT@okx") != nullptr);
    }
    CAF_CHECK(most > 300);
    CAF_MESSAGE(most << " spot instruments of 2022");
  }
  const auto spec = spec_of("BTC-USDT");
  CAF_CHECK_EQUAL(
      venue.candle_call(spec, std::chrono::hours{24}, {86400'000'000'000}, {864000'000'000'000})
          .target,
      "/api/v5/market/"
      "history-candles?instId=BTC-USDT&bar=1Dutc&after=864000000&before=86399999&limit=300");
  const auto body =
      R"({"code":"0","msg":"","data":[["1597026420000","3.7","3.8","3.6","3.75","10.5","1","2","0"],["1597026360000","3.721","3.743","3.677","3.708","8422410","22698348.04828491","12698348.04828491","1"]]})";
  const auto page = venue.read_candles(spec, std::chrono::minutes{1}, body);
  CAF_REQUIRE(page && page->bars.size() == 2);
  CAF_CHECK(page->bars[0].closed && !page->bars[1].closed && page->bars[0].open.raw == 372100000);
  CAF_CHECK(page->bars[0].high.raw == 374300000 && page->bars[0].low.raw == 367700000
            && page->bars[0].close.raw == 370800000);
  CAF_CHECK(!venue.read_candles(spec, std::chrono::minutes{1},
                                R"({"code":"51001","msg":"no","data":[]})"));
  CAF_CHECK(!venue.read_candles(spec, std::chrono::minutes{1}, R"({"code":"0","data":[["x"]]})"));
}

// --- both
// -----------------------------------------------------------------------------------------

CAF_TEST(any_bytes_are_safe) {
  std::mt19937_64 random{test::seed_of("bybit_okx bytes", 41)};
  const auto bybit = bybit::description().decoder(spec_of("ABCUSDT"));
  const auto bybit_protocol = bybit::description().protocol();
  const std::vector<std::string> bybit_frames{
      std::string{snapshot}, std::string{delta},
      R"({"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,"s":"ABCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"20f4","BT":false}]})",
      R"({"success":true,"ret_msg":"subscribe","conn_id":"d","req_id":"1","op":"subscribe"})"};
  CAF_CHECK_EQUAL(test::broken_promises(*bybit, *bybit_protocol, bybit_frames, random, 20000), 0u);
  const auto okx = okx::description().decoder(spec_of("ABC-USDT"));
  const auto okx_protocol = okx::description().protocol();
  const std::vector<std::string> okx_frames{
      std::string{okx_update},
      R"({"arg":{"channel":"trades","instId":"ABC-USDT"},"data":[{"instId":"ABC-USDT","tradeId":"338476308","px":"30243.5","sz":"0.001","side":"buy","ts":"1652459226050"}]})",
      R"({"event":"error","code":"60018","msg":"Wrong URL or channel:books,instId:NO-SUCH doesn't exist.","connId":"a"})"};
  CAF_CHECK_EQUAL(test::broken_promises(*okx, *okx_protocol, okx_frames, random, 20000), 0u);
}

CAF_TEST(bybit_lists_of_instruments_go_on_behind_their_cursor) {
  const auto& venue = bybit::description();
  CAF_REQUIRE(venue.more_instruments != nullptr);
  const auto page = [](std::string_view cursor) {
    return R"({"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[],"nextPageCursor":")"
           + std::string{cursor} + R"("}})";
  };
  rest_call first;
  first.target = "/v5/market/instruments-info?category=linear&limit=1000";
  const auto second = venue.more_instruments(first, page("first%3DA&b"));
  CAF_CHECK_EQUAL(second.target, first.target + "&cursor=first%253DA%26b");
  const auto third = venue.more_instruments(second, page("next"));
  CAF_CHECK_EQUAL(third.target, first.target + "&cursor=next");
  CAF_CHECK(venue.more_instruments(third, page("next")).target.empty()); // no endless walk
  CAF_CHECK(venue.more_instruments(first, page("")).target.empty());
  CAF_CHECK(venue.more_instruments(first, "no JSON").target.empty());
}
