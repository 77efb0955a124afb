#define CAF_SUITE deribit_gate

#include "actors/connectors/deribit/description.hpp"
#include "actors/connectors/gate/description.hpp"
#include "tests/support/decoding.hpp"
#include "tests/support/seeds.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using test::spec_of;

namespace {

const std::string nautilus =
    "venues/nautechsystems+nautilus_trader/crates/adapters/deribit/test_data/";

std::string file_text(const std::string& below) {
  const auto file = test::recording(below, "deribit_gate");
  return file ? test::text_of(*file) : std::string{};
}

const instrument_spec* find_spec(const std::vector<instrument_spec>& all, std::string_view id) {
  for (const auto& one : all)
    if (one.id.text == id) return &one;
  return nullptr;
}

std::string short_text(std::int64_t raw, int scale) {
  return format_decimal_short(raw, scale);
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
    const auto decoder = venue.decoder(spec_of(symbol));
    CAF_CHECK_EQUAL(test::event_texts(*decoder, pair.message, 8, 8), expected);
    ++compared;
  }
  CAF_CHECK(compared >= least);
  CAF_MESSAGE(compared << " pairs of " << below);
}

struct kept_book {
  std::unique_ptr<frame_decoder> decoder;
  std::unique_ptr<book_machine> machine;
};
using kept_books = std::map<std::string, kept_book, std::less<>>;

kept_books books_of(const venue_description& venue, const book_rules& rules,
                    const std::map<std::string, test::expected_book>& expected, int size_scale) {
  kept_books out;
  for (const auto& [symbol, ignored] : expected) {
    const auto spec = spec_of(symbol, contract_kind::spot, 8, size_scale);
    out[symbol] = {venue.decoder(spec), test::machine_of(rules, spec)};
  }
  return out;
}

constexpr std::string_view gate_change =
    R"({"channel":"spot.obu","result":{"t":1754006460600,"s":"ob.ABC_USDT.400","u":12,"U":11,"b":[["1.5","0.5"]],"a":[["1.75","0"]]},"time_ms":1754006460603,"event":"update"})";

} // namespace

// --- Deribit
// --------------------------------------------------------------------------------------

CAF_TEST(deribit_recording) {
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/DERIBIT.ws.1.0", "deribit_recording");
  if (!file) return;
  const auto& venue = deribit::description();
  const auto expected = test::expected_books("cryptofeed DERIBIT book.*.raw");
  CAF_REQUIRE_EQUAL(expected.size(), 10u);
  auto books = books_of(venue, venue.books[0].rules, expected, 8);
  const auto protocol = venue.protocol();
  protocol->begin();
  test::book_tally tally;
  std::size_t taken = 0;
  std::uint64_t data = 0;
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::received) continue;
    const auto& in = protocol->take(line.text);
    if (in.kind == inbound_kind::alive) ++taken; // the recorder's own request
    if (in.kind != inbound_kind::data) continue;
    ++data;
    auto& book = books.find(in.symbols.front())->second;
    test::feed_frame(*book.decoder, *book.machine, line.text, tally);
  }
  CAF_CHECK_EQUAL(taken, 1u);
  CAF_CHECK_EQUAL(data, 135u);
  CAF_CHECK_EQUAL(tally.frames, 46u);
  CAF_CHECK_EQUAL(tally.damaged, 0u);
  for (const auto& [symbol, book] : books) {
    CAF_CHECK(book.machine->valid());
    CAF_CHECK_EQUAL(book.machine->counts().gaps, 0u);
    CAF_CHECK_EQUAL(test::book_difference(book.machine->book(), 8, 8, expected.at(symbol)), "");
  }
}

CAF_TEST(deribit_books_and_quotes) {
  const auto& venue = deribit::description();
  const auto spec = spec_of("BTC-PERPETUAL", contract_kind::inverse, 2, 0);
  const auto decoder = venue.decoder(spec);
  const auto machine = test::machine_of(venue.books[0].rules, spec);
  test::book_tally tally;
  const auto image = file_text(nautilus + "ws_book_snapshot.json");
  const auto change = file_text(nautilus + "ws_book_delta.json");
  if (image.empty() || change.empty()) return;
  test::feed_frame(*decoder, *machine, image, tally);
  CAF_CHECK(machine->valid() && machine->sequence() == 123456789);
  test::feed_frame(*decoder, *machine, change, tally);
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->book().bid().quantity.raw, 950);
  CAF_CHECK_EQUAL(machine->book().ask().at.raw, 4250150);
  test::feed_frame(*decoder, *machine, change, tally); // again: stale, not a gap
  CAF_CHECK(machine->valid() && machine->counts().stale == 1);
  auto broken = change;
  broken.replace(broken.find("123456790"), 9, "123456999");
  broken.replace(broken.find("123456789"), 9, "123456998");
  test::feed_frame(*decoder, *machine, broken, tally);
  CAF_CHECK(!machine->valid());
  const auto grouped = file_text(nautilus + "ws_book_grouped_snapshot.json");
  const auto& whole = decoder->decode(grouped);
  CAF_CHECK(whole.kind == event_kind::image && whole.image.bids.size() == 10
            && whole.image.asks[0].at.raw == 8953300);
  const auto quote = file_text(nautilus + "ws_quote.json");
  const auto& best = decoder->decode(quote);
  CAF_CHECK(best.kind == event_kind::best && best.best.bid.at.raw == 9228800
            && best.best.ask.quantity.raw == 99470);
  const auto& none = decoder->decode(
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":5,"instrument_name":"BTC-PERPETUAL","best_ask_price":null,"best_bid_price":1.5,"best_ask_amount":0.0,"best_bid_amount":10.0}}})");
  CAF_CHECK(none.kind == event_kind::other);
  CAF_CHECK_EQUAL(tally.damaged, 0u);
  const auto one_line =
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":"change","timestamp":1699999999500,"prev_change_id":1,"instrument_name":"BTC-PERPETUAL","change_id":2,"bids":[["new",5e-1,1e3]],"asks":[["delete",42501.0,0.0]]}}})";
  CAF_CHECK(decoder->decode(one_line).depth.bids[0].at.raw == 50);
  CAF_CHECK(decoder->decode(one_line).depth.bids[0].quantity.raw == 1000);
  CAF_CHECK_EQUAL(test::cuts_not_damaged(*decoder, one_line), 0u);
}

CAF_TEST(deribit_trades_and_candles) {
  const auto decoder =
      deribit::description().decoder(spec_of("BTC-PERPETUAL", contract_kind::inverse, 2, 0));
  const auto text = file_text(nautilus + "ws_trades.json");
  if (text.empty()) return;
  const auto trades = test::events_of(*decoder, text);
  CAF_REQUIRE_EQUAL(trades.size(), 2u);
  CAF_CHECK(trades[0].trade.id == 271252854 && trades[1].trade.id == 271252855
            && trades[0].trade.numbered);
  CAF_CHECK_EQUAL(trades[0].trade.id_text, "403691824");
  CAF_CHECK(trades[1].trade.quantity.raw == 750 && trades[1].trade.taker == side::sell);
  const auto chart = file_text(nautilus + "ws_chart.json");
  const auto& candle = decoder->decode(chart);
  CAF_REQUIRE(candle.kind == event_kind::candle);
  CAF_CHECK(candle.candle.interval == "1" && candle.candle.close.raw == 8747400
            && candle.candle.volume.raw == 83970);
  const auto combo =
      deribit::description().decoder(spec_of("BTC-CS-19MAY26-70000_75000", contract_kind::linear));
  CAF_CHECK_EQUAL(
      test::events_of(*combo, file_text(nautilus + "ws_trades_option_combo.json")).size(), 1u);
}

CAF_TEST(deribit_equals_another_mapper) {
  compare_pairs(deribit::description(), "venues/tardis-dev+tardis-node/test/mappers/deribit.jsonl",
                {"\"channel\":\"book.", "\"channel\":\"trades."}, 5);
}

CAF_TEST(deribit_protocol) {
  const auto& venue = deribit::description();
  const auto protocol = venue.protocol();
  const auto first = protocol->begin();
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK_EQUAL(
      first[0],
      R"({"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":30}})");
  CAF_CHECK(
      protocol->take(R"({"jsonrpc":"2.0","id":1,"result":"ok","usIn":1,"usOut":2,"usDiff":1})").kind
      == inbound_kind::alive);
  const auto plans = venue.plan(std::vector{spec_of("BTC-PERPETUAL", contract_kind::inverse)}, {});
  CAF_REQUIRE(plans.size() == 1 && plans[0].topics.size() == 3);
  CAF_CHECK_EQUAL(plans[0].target, "/ws/api/v2");
  const auto commands = protocol->subscribe(plans[0].topics);
  CAF_REQUIRE_EQUAL(commands.size(), 1u);
  CAF_CHECK_EQUAL(
      commands[0].text,
      R"({"jsonrpc":"2.0","id":2,"method":"public/subscribe","params":{"channels":["book.BTC-PERPETUAL.100ms","quote.BTC-PERPETUAL","trades.BTC-PERPETUAL.100ms"]}})");
  const auto& taken = protocol->take(
      R"({"jsonrpc":"2.0","id":2,"result":["trades.BTC-PERPETUAL.100ms","book.BTC-PERPETUAL.100ms"],"testnet":true,"usIn":1699999999000000,"usOut":1699999999001000,"usDiff":1000})");
  CAF_CHECK(taken.kind == inbound_kind::acknowledged);
  CAF_REQUIRE_EQUAL(taken.topics.size(), 2u);
  CAF_CHECK_EQUAL(taken.topics[1], "book.BTC-PERPETUAL.100ms");
  const auto test_request = file_text(nautilus + "ws_test_request.json");
  if (!test_request.empty()) {
    const auto& tested = protocol->take(test_request);
    CAF_CHECK(tested.kind == inbound_kind::alive);
    CAF_REQUIRE_EQUAL(tested.replies.size(), 1u);
    CAF_CHECK_EQUAL(tested.replies[0],
                    R"({"jsonrpc":"2.0","id":3,"method":"public/test","params":{}})");
  }
  // The answer to the test request took a number, where there was one.
  auto number = test_request.empty() ? 3 : 4;
  protocol->subscribe(plans[0].topics);
  const auto& refused =
      protocol->take(R"({"jsonrpc":"2.0","id":)" + std::to_string(number)
                     + R"(,"error":{"code":10028,"message":"too_many_requests","data":null}})");
  CAF_CHECK(refused.kind == inbound_kind::refused && refused.code == 10028
            && refused.topics.size() == 3);
  protocol->subscribe(plans[0].topics);
  CAF_CHECK(protocol->take(R"({"jsonrpc":"2.0","id":)" + std::to_string(++number) + R"(,"result":[]})").kind
            == inbound_kind::refused);
  CAF_CHECK(
      protocol->take(R"({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}})")
          .replies.empty());
  CAF_CHECK(protocol->take("{}x").kind == inbound_kind::damaged);
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/DERIBIT.ws.1.0", "deribit_protocol");
  if (!file) return;
  // The same channels as another client subscribed to, with its id, give the same text.
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::sent) continue;
    std::vector<market_topic> topics;
    auto list = line.text.substr(line.text.find('[') + 1);
    for (std::size_t at = 0; (at = list.find('"')) != std::string::npos;) {
      const auto end = list.find('"', at + 1);
      topics.push_back({topic_kind::book, "", list.substr(at + 1, end - at - 1)});
      list.erase(0, end + 1);
    }
    const auto fresh = venue.protocol();
    auto text = fresh->subscribe(topics)[0].text;
    text.replace(text.find("\"id\":1"), 6, "\"id\":0");
    CAF_CHECK_EQUAL(text, line.text);
  }
}

CAF_TEST(deribit_instruments) {
  const auto& venue = deribit::description();
  CAF_CHECK_EQUAL(venue.instruments().size(), 3u);
  const auto body = file_text(nautilus + "http_get_instruments.json");
  if (body.empty()) return;
  const auto specs = venue.read_instruments(body, {9});
  CAF_REQUIRE(specs);
  const auto* perpetual = find_spec(*specs, "BTC-USD-PERP@deribit");
  CAF_REQUIRE(perpetual != nullptr);
  CAF_CHECK(perpetual->venue_symbol == "BTC-PERPETUAL"
            && perpetual->kind == contract_kind::inverse);
  CAF_CHECK_EQUAL(short_text(perpetual->tick.raw, perpetual->price_scale), "0.5");
  CAF_CHECK_EQUAL(perpetual->price_scale, 2); // block trades have cents
  CAF_CHECK_EQUAL(short_text(perpetual->lot.raw, perpetual->size_scale), "10");
  const auto* dated = find_spec(*specs, "BTC-USD-241227@deribit");
  CAF_CHECK(dated != nullptr && dated->venue_symbol == "BTC-27DEC24");
  const auto* option = find_spec(*specs, "BTC-USD-241227-100000-C@deribit");
  CAF_REQUIRE(option != nullptr);
  CAF_CHECK_EQUAL(short_text(option->tick.raw, option->price_scale), "0.0005");
  CAF_CHECK_EQUAL(short_text(option->lot.raw, option->size_scale), "0.1");
  CAF_CHECK(option->kind == contract_kind::linear);
  for (const auto& s : *specs)
    CAF_CHECK(s.id.text.find("COMBO") == std::string::npos);
  CAF_CHECK(!venue.read_instruments(
      R"({"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}})", {}));
  CAF_CHECK(!venue.read_instruments("no", {}));
}

CAF_TEST(deribit_candles) {
  const auto& venue = deribit::description();
  const auto inverse = spec_of("BTC-PERPETUAL", contract_kind::inverse, 1, 0);
  CAF_CHECK_EQUAL(
      venue.candle_call(inverse, std::chrono::minutes{1}, {60'000'000'000}, {180'000'000'000})
          .target,
      "/api/v2/public/"
      "get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&start_timestamp=60000"
      "&end_timestamp=179999&resolution=1");
  CAF_CHECK(venue.candle_call(inverse, std::chrono::hours{4}, {0}, {1}).target.empty());
  const auto body = file_text(nautilus + "http_get_tradingview_chart_data.json");
  if (body.empty()) return;
  const auto page = venue.read_candles(inverse, std::chrono::minutes{1}, body);
  CAF_REQUIRE(page && page->bars.size() == 5);
  const auto& b = page->bars;
  CAF_CHECK(b[0].open_time.ns == 1766483460'000'000'000 && b[0].open.raw == 874510
            && b[0].high.raw == 874565 && b[0].low.raw == 874510 && b[0].close.raw == 874565
            && b[0].volume.raw == 257490);
  CAF_CHECK(b[3].closed && !b[4].closed);
  const auto coins = venue.read_candles(spec_of("X"), std::chrono::minutes{1}, body);
  CAF_CHECK(coins && coins->bars[0].volume.raw == 294375216);
  CAF_CHECK(!venue.read_candles(inverse, std::chrono::minutes{1},
                                R"({"result":{"ticks":[1,2],"open":[1]}})"));
  const auto none = venue.read_candles(
      inverse, std::chrono::minutes{1},
      R"({"result":{"volume":[],"ticks":[],"status":"no_data","open":[],"low":[],"high":[],"cost":[],"close":[]}})");
  CAF_CHECK(none && none->bars.empty());
}

// --- Gate
// -----------------------------------------------------------------------------------------

CAF_TEST(gate_recording) {
  const std::string folder = "venues/bmoscon+cryptofeed/sample_data/";
  const auto file = test::recording(folder + "GATEIO.ws.1.0", "gate_recording");
  const auto images = test::recording(folder + "GATEIO.http.0.0", "gate_recording");
  if (!file || !images) return;
  const auto& venue = gate::description();
  const auto expected =
      test::expected_books("cryptofeed GATE spot.order_book_update + REST with_id");
  CAF_REQUIRE_EQUAL(expected.size(), 10u);
  auto books = books_of(venue, venue.books[2].rules, expected, 10); // sizes had nine decimals
  const auto protocol = venue.protocol();
  // What came on the socket and what REST answered, in order of receipt.
  auto lines = test::two_way(*file);
  for (auto& line : test::two_way(*images))
    lines.push_back(std::move(line));
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  test::book_tally tally;
  std::uint64_t taken = 0;
  std::uint64_t joined = 0;
  for (const auto& line : lines) {
    if (line.kind == test::two_way_kind::replied) {
      const auto at = line.url.find("currency_pair=") + 14;
      const auto symbol = line.url.substr(at, line.url.find('&') - at);
      CAF_CHECK(line.url.ends_with(venue.image(spec_of(symbol), 100).target));
      auto& book = books.find(symbol)->second;
      const auto& event = book.decoder->decode(line.text);
      CAF_REQUIRE(event.kind == event_kind::image);
      joined += book.machine->on_image(event.image) == build_step::bridged;
    } else if (line.kind == test::two_way_kind::received) {
      const auto& in = protocol->take(line.text);
      if (in.kind == inbound_kind::acknowledged) ++taken;
      if (in.kind != inbound_kind::data) continue;
      auto& book = books.find(in.symbols.front())->second;
      test::feed_frame(*book.decoder, *book.machine, line.text, tally);
    }
  }
  CAF_CHECK_EQUAL(taken, 22u);
  CAF_CHECK_EQUAL(tally.frames, 172u);
  CAF_CHECK_EQUAL(tally.damaged, 0u);
  CAF_CHECK(tally.trades > 0);
  std::uint64_t applied = 0, stale = 0, gaps = 0, valid = 0;
  for (const auto& [symbol, book] : books) {
    const auto& counts = book.machine->counts();
    applied += counts.applied;
    stale += counts.stale;
    gaps += counts.gaps;
    valid += book.machine->valid();
    CAF_CHECK_EQUAL(test::book_difference(book.machine->book(), 8, 10, expected.at(symbol)), "");
  }
  CAF_CHECK_EQUAL(applied, 159u);
  CAF_CHECK_EQUAL(stale, 13u);
  CAF_CHECK_EQUAL(gaps, 0u);
  CAF_CHECK_EQUAL(valid, 8u); // BTC_USDC and INK_USDT stay quiet behind their images
  CAF_CHECK(joined <= 8);
}

CAF_TEST(gate_books_of_the_second_kind) {
  const auto& venue = gate::description();
  const auto spec = spec_of("ABC_USDT", contract_kind::spot, 2, 3);
  const auto decoder = venue.decoder(spec);
  const auto machine = test::machine_of(venue.books[0].rules, spec);
  test::book_tally tally;
  test::feed_frame(
      *decoder, *machine,
      R"({"channel":"spot.obu","result":{"t":1754006400261,"full":true,"s":"ob.ABC_USDT.400","u":10,"b":[["1.5","2"],["1.25","1"]],"a":[["1.75","3"]]},"time_ms":1754006400264,"event":"update"})",
      tally);
  CAF_CHECK(machine->valid() && machine->sequence() == 10);
  test::feed_frame(*decoder, *machine, gate_change, tally);
  CAF_CHECK(machine->valid() && machine->sequence() == 12);
  CAF_CHECK_EQUAL(machine->book().bid().quantity.raw, 500);
  CAF_CHECK_EQUAL(machine->book().levels(side::sell), 0u);
  std::string gap{gate_change};
  gap.replace(gap.find("\"u\":12,\"U\":11"), 13, "\"u\":15,\"U\":14");
  test::feed_frame(*decoder, *machine, gap, tally);
  CAF_CHECK(!machine->valid() && tally.damaged == 0);
  CAF_CHECK_EQUAL(test::cuts_not_damaged(*decoder, gate_change), 0u);
  CAF_CHECK(
      decoder
          ->decode(
              R"({"channel":"spot.obu","event":"update","result":{"t":1,"s":"ob.XYZ_USDT.400","u":1,"U":1}})")
          .kind
      == event_kind::other);
  const auto& best = decoder->decode(
      R"({"time":1682689046,"time_ms":1682689046142,"channel":"spot.book_ticker","event":"update","result":{"t":1682689046131,"u":517377894,"s":"ABC_USDT","b":"1.25","B":"0.001","a":"1.5","A":"10"}})");
  CAF_CHECK(best.kind == event_kind::best && best.best.sequence == 517377894
            && best.best.ask.quantity.raw == 10000);
  CAF_CHECK_EQUAL(best.best.event.ns, 1682689046131000000);
  const auto& candle = decoder->decode(
      R"({"time":1606292600,"channel":"spot.candlesticks","event":"update","result":{"t":"1606292580","v":"2362.32","c":"19.25","h":"19.5","l":"19","o":"19.1","n":"1m_ABC_USDT","a":"12.25","w":true}})");
  CAF_REQUIRE(candle.kind == event_kind::candle);
  CAF_CHECK(candle.candle.interval == "1m" && candle.candle.volume.raw == 12250
            && candle.candle.closed);
  CAF_CHECK(candle.candle.open.raw == 1910 && candle.candle.close.raw == 1925);
  const auto& trade = decoder->decode(
      R"({"time":1619093543,"channel":"spot.trades","event":"update","result":{"id":816995772,"create_time":1619093543,"create_time_ms":"1619093543708.2642","side":"sell","currency_pair":"ABC_USDT","amount":"0.2010000000","price":"121.5800000000"}})");
  CAF_REQUIRE(trade.kind == event_kind::trade);
  CAF_CHECK(trade.trade.at.ns == 1619093543708264200 && trade.trade.at_price.raw == 12158
            && trade.trade.quantity.raw == 201 && !trade.trade.numbered);
}

CAF_TEST(gate_equals_another_mapper) {
  compare_pairs(gate::description(), "venues/tardis-dev+tardis-node/test/mappers/gate-io.jsonl",
                {"\"channel\":\"spot.trades\"", "\"channel\":\"spot.obu\""}, 3);
}

CAF_TEST(gate_protocol) {
  const auto& venue = gate::description();
  const auto protocol = venue.protocol();
  CAF_CHECK_EQUAL(protocol->heartbeat(), R"({"channel":"spot.ping"})");
  protocol->at({1'700'000'000'900'000'000});
  CAF_CHECK_EQUAL(protocol->heartbeat(), R"({"time":1700000000,"channel":"spot.ping"})");
  CAF_CHECK(
      protocol->take(R"({"time":1,"channel":"spot.pong","event":"","error":null,"result":null})")
          .kind
      == inbound_kind::alive);
  const auto plans = venue.plan(std::vector{spec_of("BTC_USDT"), spec_of("ETH_USDT")}, {});
  CAF_REQUIRE(plans.size() == 1 && plans[0].topics.size() == 6);
  CAF_CHECK_EQUAL(plans[0].target, "/ws/v4/");
  const auto commands = protocol->subscribe(plans[0].topics);
  CAF_REQUIRE_EQUAL(commands.size(), 4u);
  CAF_CHECK_EQUAL(
      commands[0].text,
      R"({"time":1700000000,"id":1,"channel":"spot.obu","event":"subscribe","payload":["ob.BTC_USDT.400"]})");
  CAF_CHECK_EQUAL(commands[3].topics.back(), "spot.trades:ETH_USDT");
  const auto& taken = protocol->take(
      R"({"time":1611541000,"id":1,"channel":"spot.obu","event":"subscribe","result":{"status":"success"}})");
  CAF_CHECK(taken.kind == inbound_kind::acknowledged && taken.topics.size() == 1);
  const auto& refused = protocol->take(
      R"({"time":1611541000,"id":4,"channel":"spot.trades","event":"subscribe","error":{"code":2,"message":"unknown currency pair"},"result":null})");
  CAF_CHECK(refused.kind == inbound_kind::refused && refused.code == 2
            && refused.topics.size() == 2);
  const auto& data = protocol->take(gate_change);
  CAF_CHECK(data.kind == inbound_kind::data && data.topic == "ob.ABC_USDT.400"
            && data.symbols.front() == "ABC_USDT");
  CAF_CHECK(protocol->take("[]").kind == inbound_kind::unknown);
  CAF_CHECK(protocol->take("{").kind == inbound_kind::damaged);
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/GATEIO.ws.1.0", "gate_protocol");
  if (!file) return;
  // What another client sent, apart from its time and our id.
  std::vector<std::string> sent;
  for (const auto& line : test::two_way(*file))
    if (line.kind == test::two_way_kind::sent)
      sent.push_back(line.text.substr(line.text.find("\"channel\"")));
  CAF_REQUIRE_EQUAL(sent.size(), 22u);
  std::vector<market_topic> topics;
  for (const auto symbol : {"INK_USDT", "HAI_ETH", "BTC_USDC", "NANO_USDT", "QTUM3S_USDT",
                            "DIS_USDT", "NEO_BTC", "FAST_USDT", "ZKS_ETH", "OMG_USDT"})
    for (const auto channel : {"spot.trades:", "spot.order_book_update:", "spot.candlesticks:"})
      topics.push_back({topic_kind::book, symbol, std::string{channel} + symbol});
  const auto ours = protocol->subscribe(topics);
  CAF_CHECK_EQUAL(ours.size(), 21u);
  for (const auto& command : ours) {
    const auto tail = command.text.substr(command.text.find("\"channel\""));
    CAF_CHECK(std::find(sent.begin(), sent.end(), tail) != sent.end());
  }
}

CAF_TEST(gate_rest) {
  const auto& venue = gate::description();
  const std::string folder =
      "venues/JKorf+GateIo.Net/GateIo.Net.UnitTests/Endpoints/Spot/ExchangeData/";
  if (const auto file = test::recording(folder + "GetSymbols.txt", "gate_rest")) {
    const auto specs = venue.read_instruments(test::endpoint_body(*file), {});
    CAF_REQUIRE(specs && specs->size() == 1);
    const auto& s = (*specs)[0];
    CAF_CHECK_EQUAL(s.id.text, "ETH-USDT@gate");
    CAF_CHECK_EQUAL(short_text(s.tick.raw, s.price_scale), "0.000001");
    CAF_CHECK_EQUAL(short_text(s.lot.raw, s.size_scale), "0.001");
    CAF_CHECK_EQUAL(short_text(s.max_size.raw, s.size_scale), "10000");
    CAF_CHECK_EQUAL(short_text(s.min_notional.raw, s.price_scale + s.size_scale), "1");
  }
  if (const auto file =
          test::recording("venues/bmoscon+cryptofeed/sample_data/GATEIO.0", "gate_rest")) {
    for (const auto& line : test::two_way(*file)) {
      if (line.kind != test::two_way_kind::replied
          || line.url.find("currency_pairs") == std::string::npos)
        continue;
      const auto specs = venue.read_instruments(line.text, {});
      CAF_REQUIRE(specs);
      CAF_CHECK(specs->size() > 500);
      CAF_CHECK(find_spec(*specs, "NEO-BTC@gate") != nullptr);
    }
  }
  const auto spec = spec_of("BTC_USDT");
  CAF_CHECK_EQUAL(
      venue.candle_call(spec, std::chrono::minutes{5}, {600'000'000'000}, {1200'000'000'000})
          .target,
      "/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=5m&from=600&to=1199");
  if (const auto file = test::recording(folder + "GetKlines.txt", "gate_rest")) {
    const auto page = venue.read_candles(spec, std::chrono::hours{1}, test::endpoint_body(*file));
    CAF_REQUIRE(page && page->bars.size() == 1);
    const auto& b = page->bars[0];
    CAF_CHECK_EQUAL(short_text(b.open.raw, 8), "67715.1");
    CAF_CHECK_EQUAL(short_text(b.high.raw, 8), "67839.9");
    CAF_CHECK_EQUAL(short_text(b.low.raw, 8), "67715");
    CAF_CHECK_EQUAL(short_text(b.close.raw, 8), "67772.5");
    CAF_CHECK_EQUAL(short_text(b.volume.raw, 8), "17.0779");
    CAF_CHECK(b.closed && b.open_time.ns == 1717246800'000'000'000);
  }
  CAF_CHECK(!venue.read_candles(spec, std::chrono::hours{1},
                                R"({"label":"INVALID_CURRENCY_PAIR","message":"no"})"));
  CAF_CHECK(!venue.read_candles(spec, std::chrono::hours{1}, R"([["1717246800"]])"));
}

// --- both
// -----------------------------------------------------------------------------------------

CAF_TEST(any_bytes_are_safe) {
  std::mt19937_64 random{test::seed_of("deribit_gate bytes", 42)};
  const auto deribit = deribit::description().decoder(spec_of("ABC-PERPETUAL"));
  const auto deribit_protocol = deribit::description().protocol();
  const std::vector<std::string> deribit_frames{
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.ABC-PERPETUAL.100ms","data":{"type":"change","timestamp":1699999999500,"prev_change_id":1,"instrument_name":"ABC-PERPETUAL","change_id":2,"bids":[["new",5e-1,1e3]],"asks":[["delete",42501.0,0.0]]}}})",
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.ABC-PERPETUAL.100ms","data":[{"timestamp":1765531356452,"price":92294.5,"amount":10.0,"direction":"sell","instrument_name":"ABC-PERPETUAL","trade_seq":271252854,"trade_id":"403691824"}]}})",
      R"({"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests","data":null}})"};
  CAF_CHECK_EQUAL(test::broken_promises(*deribit, *deribit_protocol, deribit_frames, random, 20000),
                  0u);
  const auto gate = gate::description().decoder(spec_of("ABC_USDT"));
  const auto gate_protocol = gate::description().protocol();
  const std::vector<std::string> gate_frames{
      std::string{gate_change},
      R"({"id":2691446,"current":1623898993123,"update":1623898993121,"asks":[["1.52","1.151"]],"bids":[["1.17","201.863"]]})",
      R"({"time":1619093543,"channel":"spot.trades","event":"update","result":{"id":816995772,"create_time":1619093543,"create_time_ms":"1619093543708.2642","side":"sell","currency_pair":"ABC_USDT","amount":"0.2010000000","price":"121.5800000000"}})"};
  CAF_CHECK_EQUAL(test::broken_promises(*gate, *gate_protocol, gate_frames, random, 20000), 0u);
}
