#define CAF_SUITE bitfinex

#include "actors/connectors/bitfinex/codec.hpp"
#include "actors/connectors/bitfinex/description.hpp"
#include "actors/connectors/bitfinex/protocol.hpp"
#include "actors/connectors/bitfinex/rest.hpp"
#include "actors/feeds/checksums.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

instrument_spec bitfinex_pair(std::string_view symbol, std::int64_t tick = 1) {
  instrument_spec out;
  out.id.text = std::string{symbol.substr(1)} + "@bitfinex";
  out.venue_symbol = symbol;
  out.price_scale = out.size_scale = 8;
  out.tick = {tick};
  out.lot = {1};
  return out;
}

struct bitfinex_book {
  instrument_spec spec;
  std::unique_ptr<frame_decoder> decoder;
  std::unique_ptr<book_machine> machine;
  std::uint64_t images = 0, changes = 0, trades = 0, damaged = 0;

  explicit bitfinex_book(std::string_view symbol, std::int64_t tick = 1)
      : spec{bitfinex_pair(symbol, tick)} {
    decoder = bitfinex::description().decoder(spec);
    machine = make_book_machine(bitfinex::description().books[0].rules,
                                {.tick = spec.tick, .window_ticks = 65536}, {8, 8});
  }

  void take(std::string_view frame) {
    for (const auto* e = &decoder->decode(frame); e != nullptr; e = decoder->next()) {
      if (e->kind == event_kind::image) {
        ++images;
        CAF_CHECK(machine->on_image(e->image) == build_step::replaced);
      }
      if (e->kind == event_kind::depth) {
        ++changes;
        CAF_REQUIRE(machine->on_depth(e->depth) == build_step::applied);
      }
      if (e->kind == event_kind::trade) ++trades;
      if (e->kind == event_kind::damaged) ++damaged;
    }
  }
};

} // namespace

CAF_TEST(recording_with_sequence_ends_as_expected) {
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/BITFINEX.ws.11.0", "bitfinex");
  if (!file) return;
  const auto expected = test::expected_books("cryptofeed BITFINEX book P0 F0 len100");
  CAF_REQUIRE_EQUAL(expected.size(), 7u);
  std::map<std::string, bitfinex_book> books;
  std::vector<market_topic> topics;
  for (const auto& [symbol, ignored] : expected) {
    books.try_emplace(symbol, symbol);
    topics.push_back({topic_kind::book, symbol, "book.P0.F0.100 " + symbol});
    topics.push_back({topic_kind::trades, symbol, "trades " + symbol});
  }
  const auto protocol = bitfinex::make_protocol(bitfinex::flag_sequence);
  CAF_CHECK_EQUAL(std::string{protocol->begin().front()}, R"({"event":"conf","flags":65536})");
  protocol->subscribe(topics);
  std::uint64_t numbers = 0;
  std::map<inbound_kind, std::uint64_t> kinds;
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::received) continue;
    const auto& in = protocol->take(line.text);
    ++kinds[in.kind];
    CAF_CHECK(in.kind != inbound_kind::broken);
    if (line.text.starts_with('[')) ++numbers;
    // What the session would do: frames go to the feeds they name.
    for (const auto symbol : in.symbols) {
      const auto found = books.find(std::string{symbol});
      CAF_REQUIRE(found != books.end());
      found->second.take(line.text);
    }
  }
  CAF_CHECK_EQUAL(numbers, 1670u);
  CAF_CHECK_EQUAL(kinds[inbound_kind::acknowledged], 14u);
  std::uint64_t messages = 0;
  for (const auto& [symbol, b] : books) {
    messages += b.images + b.changes;
    CAF_CHECK_EQUAL(b.images, 1u);
    CAF_CHECK_EQUAL(b.damaged, 0u);
    CAF_CHECK_EQUAL(b.trades, 0u); // only history came
    CAF_CHECK_EQUAL(test::book_difference(b.machine->book(), 8, 8, expected.at(symbol)), "");
  }
  CAF_CHECK_EQUAL(messages, 1600u);
}

CAF_TEST(a_lost_message_breaks_the_connection) {
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/BITFINEX.ws.11.0", "bitfinex loss");
  if (!file) return;
  const auto protocol = bitfinex::make_protocol(bitfinex::flag_sequence);
  protocol->begin();
  std::uint64_t frames = 0;
  std::uint64_t broken = 0;
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::received || !line.text.starts_with('[')) continue;
    if (++frames == 500) continue;
    if (protocol->take(line.text).kind == inbound_kind::broken) ++broken;
  }
  CAF_CHECK_EQUAL(broken, 1u);
}

CAF_TEST(recording_without_flags) {
  const auto file =
      test::recording("venues/c9s+bbgo/pkg/exchange/bitfinex/bfxapi/testdata/bitfinex_ws_raw.jsonl",
                      "bitfinex raw");
  if (!file) return;
  bitfinex_book book{"tBTCUSD", 100'000'000};
  std::uint64_t heartbeats = 0;
  const auto protocol = bitfinex::make_protocol(0);
  CAF_CHECK(protocol->begin().empty());
  for (const auto& line : test::lines_of(*file)) {
    CAF_CHECK(protocol->take(line).kind != inbound_kind::broken);
    if (line.find(R"("hb")") != std::string::npos) ++heartbeats;
    book.take(line);
  }
  CAF_CHECK_EQUAL(book.images, 1u);
  CAF_CHECK_EQUAL(book.images + book.changes, 3438u);
  CAF_CHECK_EQUAL(book.trades, 8u); // te only
  CAF_CHECK_EQUAL(book.damaged, 0u);
  CAF_CHECK_EQUAL(heartbeats, 60u);
  CAF_CHECK_EQUAL(book.machine->counts().crossed, 0u);
  CAF_CHECK_EQUAL(book.machine->book().levels(side::buy), 25u);
  CAF_CHECK_EQUAL(book.machine->book().levels(side::sell), 25u);
  CAF_CHECK_EQUAL(book.machine->book().bid().at.raw, 118890'00000000);
  CAF_CHECK_EQUAL(book.machine->book().ask().at.raw, 118900'00000000);
}

CAF_TEST(another_project_reads_the_same) {
  const auto file = test::recording("venues/tardis-dev+tardis-node/test/mappers/bitfinex.jsonl",
                                    "bitfinex pairs");
  if (!file) return;
  const auto btc = bitfinex::make_decoder(bitfinex_pair("tBTCUSD"));
  const auto eth = bitfinex::make_decoder(bitfinex_pair("tETHUSD"));
  std::size_t compared = 0;
  for (const auto& pair : test::mapper_pairs(*file)) {
    auto ours = test::event_texts(*btc, pair.message, 8, 8);
    for (auto& text : test::event_texts(*eth, pair.message, 8, 8))
      ours.push_back(std::move(text));
    for (auto& text : ours)
      text.erase(text.find(' ') + 1, 1); // tBTCUSD → BTCUSD
    const auto theirs = test::expected_texts(pair.expected);
    CAF_CHECK_EQUAL(ours.size(), theirs.size());
    for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
      CAF_CHECK_EQUAL(ours[i], theirs[i]);
    compared += theirs.size();
  }
  CAF_CHECK_EQUAL(compared, 5u);
}

CAF_TEST(frames_of_2026) {
  const auto file =
      test::recording("venues/derived/wire_frames_2026/json_frames.jsonl", "bitfinex wire frames");
  if (!file) return;
  const auto frames = test::examples(*file, {R"("exchange": "bitfinex")"});
  CAF_REQUIRE_EQUAL(frames.size(), 6u);
  const auto decoder = bitfinex::make_decoder(bitfinex_pair("tBTCUSD"));
  decoder->decode(
      R"({"event":"subscribed","channel":"book","chanId":43824,"symbol":"tBTCUSD","prec":"P0"})");
  decoder->decode(R"({"event":"subscribed","channel":"trades","chanId":917,"symbol":"tBTCUSD"})");
  decoder->decode(
      R"({"event":"subscribed","channel":"candles","chanId":43412,"key":"trade:1m:tBTCUSD"})");
  CAF_CHECK_EQUAL(test::event_text(decoder->decode(frames[0]), 8, 8),
                  "image tBTCUSD b 84315x0.00022 84312x0.5 a 84330x0.3 0");
  CAF_CHECK_EQUAL(test::event_text(decoder->decode(frames[1]), 8, 8),
                  "depth tBTCUSD b 84315x0 a 0");
  CAF_CHECK(decoder->decode(frames[2]).kind == event_kind::other);
  CAF_CHECK_EQUAL(test::event_text(decoder->decode(frames[3]), 8, 8),
                  "trade tBTCUSD 1981875393 sell 84315x0.00022 1790274359840");
  CAF_CHECK(decoder->decode(frames[4]).kind == event_kind::other); // tu of the same trade
  const auto& candle = decoder->decode(frames[5]);
  CAF_REQUIRE(candle.kind == event_kind::candle);
  CAF_CHECK_EQUAL(candle.candle.interval, "1m");
  CAF_CHECK_EQUAL(candle.candle.close.raw, 84312'00000000);
  CAF_CHECK_EQUAL(candle.candle.high.raw, 84409'00000000);
}

CAF_TEST(channels_flags_and_growing_arrays) {
  const auto decoder = bitfinex::make_decoder(bitfinex_pair("tBTCUSD"));
  const auto kind = [&](std::string_view frame) { return decoder->decode(frame).kind; };
  CAF_CHECK(kind("[7,[100,1,1]]") == event_kind::other); // no such channel yet
  CAF_CHECK(kind(R"({"event":"subscribed","channel":"book","chanId":7,"symbol":"tBTCUSD"})")
            == event_kind::acknowledgement);
  const auto& grown = decoder->decode("[7,[100,1,1.5,\"new\",null],12,1564617601214,\"newer\"]");
  CAF_REQUIRE(grown.kind == event_kind::depth);
  CAF_CHECK_EQUAL(grown.depth.last, 12u);
  CAF_CHECK_EQUAL(grown.depth.event.ns, 1'564'617'601'214'000'000);
  CAF_CHECK_EQUAL(grown.depth.bids[0].quantity.raw, 150000000);
  CAF_CHECK_EQUAL(decoder->decode("[7,[100,1,1.5],1564617601214]").depth.event.ns,
                  1'564'617'601'214'000'000);
  CAF_CHECK_EQUAL(decoder->decode("[7,[2e-8,1,-1.7023900800000002],9]").depth.asks[0].quantity.raw,
                  170239008);
  const auto& checksum = decoder->decode("[7,\"cs\",-1084852304,13,1564617601300]");
  CAF_REQUIRE(checksum.kind == event_kind::depth && checksum.depth.has_checksum);
  CAF_CHECK_EQUAL(checksum.depth.checksum, static_cast<std::uint32_t>(-1084852304));
  CAF_CHECK(checksum.depth.bids.empty() && checksum.depth.last == 13);
  CAF_CHECK(kind("[7,[]]") == event_kind::image); // a book without orders
  CAF_CHECK(kind("[7,[100,1]]") == event_kind::damaged);
  CAF_CHECK(kind("[7,[[100,1,\"x\"]]]") == event_kind::damaged);
  CAF_CHECK(kind("[7]") == event_kind::damaged);
  CAF_CHECK(kind("[7,[-100,1,1]]") == event_kind::damaged);
  // The number goes to another instrument, or the connection is a new one.
  CAF_CHECK(kind(R"({"event":"subscribed","channel":"ticker","chanId":7,"symbol":"fUSD"})")
            == event_kind::other);
  CAF_CHECK(kind("[7,[100,1,1]]") == event_kind::other);
  decoder->decode(R"({"event":"subscribed","channel":"book","chanId":8,"symbol":"tBTCUSD"})");
  decoder->decode(R"({"event":"info","version":2,"platform":{"status":1}})");
  CAF_CHECK(kind("[8,[100,1,1]]") == event_kind::other);
  CAF_CHECK(kind(R"({"event":"info","code":20051,"msg":"Stopping"})") == event_kind::shutdown);
}

// Decoders know what the book's changes begin with; a number that is given anew must be forgotten there too.
CAF_TEST(a_channel_number_given_anew_is_no_longer_the_book) {
  constexpr std::string_view change = "[7,[118880,5,-0.2236921]]";
  constexpr std::string_view greeting = R"({"event":"info","version":2,"platform":{"status":1}})";
  const auto subscribed = [](std::string_view channel, std::string_view symbol) {
    return R"({"event":"subscribed","channel":")" + std::string{channel} + R"(","chanId":7,"symbol":")"
           + std::string{symbol} + R"("})";
  };
  const auto decoder = bitfinex::make_decoder(bitfinex_pair("tBTCUSD"));
  const auto learn = [&] {
    decoder->decode(subscribed("book", "tBTCUSD"));
    for (int n = 0; n < 3; ++n) {
      const auto& e = decoder->decode(change);
      CAF_REQUIRE(e.kind == event_kind::depth);
      CAF_CHECK(e.depth.bids.empty() && e.depth.asks.size() == 1);
      CAF_CHECK_EQUAL(e.depth.asks[0].at.raw, 11'888'000'000'000);
      CAF_CHECK_EQUAL(e.depth.asks[0].quantity.raw, 22'369'210);
    }
  };
  learn();
  for (const auto& other :
       {subscribed("trades", "tBTCUSD"), subscribed("book", "tETHUSD"), std::string{greeting}}) {
    decoder->decode(other);
    CAF_CHECK(decoder->decode(change).kind != event_kind::depth);
    learn();
  }
}

CAF_TEST(checksums_prove_the_book) {
  bitfinex_book book{"tBTCUSD"};
  book.take(R"({"event":"subscribed","channel":"book","chanId":7,"symbol":"tBTCUSD"})");
  book.take("[7,[[100,1,1.5],[101,2,-0.25]],1]");
  const auto sum = static_cast<std::int32_t>(bitfinex_book_checksum(book.machine->book(), 8, 8));
  book.take("[7,\"cs\"," + std::to_string(sum) + ",2]");
  CAF_CHECK_EQUAL(book.machine->counts().checksums_equal, 1u);
  const auto& wrong = book.decoder->decode("[7,\"cs\"," + std::to_string(sum ^ 1) + ",3]");
  CAF_CHECK(book.machine->on_depth(wrong.depth) == build_step::checksum_mismatch);
}

CAF_TEST(protocol_learns_channels_and_hears_the_venue) {
  const std::vector<instrument_spec> specs{bitfinex_pair("tBTCUSD"), bitfinex_pair("tETHUSD")};
  const auto plans = bitfinex::description().plan(specs, {});
  CAF_REQUIRE_EQUAL(plans.size(), 1u);
  CAF_CHECK_EQUAL(plans[0].target, "/ws/2");
  CAF_REQUIRE_EQUAL(plans[0].topics.size(), 6u);
  const auto protocol = bitfinex::description().protocol();
  CAF_CHECK_EQUAL(std::string{protocol->begin().front()}, R"({"event":"conf","flags":98304})");
  const auto commands = protocol->subscribe(plans[0].topics);
  CAF_REQUIRE_EQUAL(commands.size(), 6u);
  CAF_CHECK_EQUAL(commands[0].text,
                  R"({"event":"subscribe","channel":"book","symbol":"tBTCUSD","prec":"P0",)"
                  R"("freq":"F0","len":"100"})");
  CAF_CHECK_EQUAL(commands[1].text,
                  R"({"event":"subscribe","channel":"ticker","symbol":"tBTCUSD"})");
  CAF_CHECK_EQUAL(commands[2].text,
                  R"({"event":"subscribe","channel":"trades","symbol":"tBTCUSD"})");
  CAF_CHECK(protocol->take(R"({"event":"conf","status":"OK","flags":98304})").kind
            == inbound_kind::alive);
  const auto& subscribed = protocol->take(
      R"({"event":"subscribed","channel":"book","chanId":6959,"symbol":"tETHUSD","prec":"P0","freq":"F0",)"
      R"("len":"100","pair":"ETHUSD"})");
  CAF_CHECK(subscribed.kind == inbound_kind::acknowledged);
  CAF_CHECK_EQUAL(subscribed.topic, "book.P0.F0.100 tETHUSD");
  CAF_REQUIRE_EQUAL(subscribed.symbols.size(), 1u); // its feed must learn the number
  CAF_CHECK_EQUAL(subscribed.symbols[0], "tETHUSD");
  CAF_CHECK(protocol->take("[6959,[[216,2,31.52]],1,1564617600541]").kind == inbound_kind::data);
  const auto& beat = protocol->take("[6959,\"hb\",2,1564617600541]");
  CAF_CHECK(beat.kind == inbound_kind::data && beat.symbols.empty()); // the topic lives
  CAF_CHECK_EQUAL(beat.topic, "book.P0.F0.100 tETHUSD");
  const auto& trade = protocol->take("[1,\"te\",[1,1564617600541,1,1],3,1564617600541]");
  CAF_CHECK(trade.kind == inbound_kind::alive); // a channel nobody asked for
  const auto& broken = protocol->take("[6959,[219.11,3,-18.1],5,1564617601214]");
  CAF_CHECK(broken.kind == inbound_kind::broken);
  CAF_CHECK_EQUAL(broken.why, "sequence number 5 where 4 was due");
  CAF_CHECK(protocol->take("[6959,[219.11,3,-18.1]]").kind == inbound_kind::broken);
  const auto& refused = protocol->take(
      R"({"channel":"trades","symbol":"tETHUSD","event":"error","msg":"symbol: invalid","code":10300})");
  CAF_CHECK(refused.kind == inbound_kind::refused);
  CAF_CHECK_EQUAL(refused.topic, "trades tETHUSD");
  CAF_CHECK_EQUAL(refused.code, 10300);
  CAF_CHECK(protocol->take(R"({"event":"error","msg":"event: invalid","code":10000})").kind
            == inbound_kind::failure);
  for (const auto* code : {"20051", "20060", "20061"})
    CAF_CHECK(
        protocol->take(std::string{R"({"event":"info","code":)"} + code + R"(,"msg":"x"})").kind
        == inbound_kind::shutdown);
  CAF_CHECK(protocol->take(R"({"event":"info","version":2,"platform":{"status":0}})").kind
            == inbound_kind::shutdown);
  CAF_CHECK(protocol->take(R"({"event":"info","version":2,"platform":{"status":1}})").kind
            == inbound_kind::alive);
  const auto ends = protocol->unsubscribe(plans[0].topics);
  CAF_REQUIRE_EQUAL(ends.size(), 1u); // the one with a number
  CAF_CHECK_EQUAL(ends[0].text, R"({"event":"unsubscribe","chanId":6959})");
}

CAF_TEST(tickers_tell_prices_alone) {
  const auto decoder = bitfinex::description().decoder(bitfinex_pair("tBTCUSD"));
  decoder->decode(R"({"event":"subscribed","channel":"ticker","chanId":9,"symbol":"tBTCUSD","pair":"BTCUSD"})");
  const auto& e = decoder->decode(
      "[9,[118890,31.5,118900,28.25,-1200,-0.01,118895,6000,120000,117000],4,1755262800123]");
  CAF_REQUIRE(e.kind == event_kind::best);
  CAF_CHECK_EQUAL(e.best.sequence, 0u);
  CAF_CHECK_EQUAL(e.best.event.ns, 1755262800123'000'000);
  CAF_CHECK_EQUAL(e.best.bid.at.raw, 118890'00000000);
  CAF_CHECK_EQUAL(e.best.ask.at.raw, 118900'00000000);
  CAF_CHECK_EQUAL(e.best.bid.quantity.raw, 0); // what stands there is a sum of 25 levels
  CAF_CHECK_EQUAL(e.best.ask.quantity.raw, 0);
  CAF_CHECK(decoder->decode("[9,[118890,31.5],5,1755262800123]").kind == event_kind::damaged);
  CAF_CHECK(decoder->decode("[9,\"hb\",6,1755262800123]").kind == event_kind::other);
}

CAF_TEST(sockets_hold_at_most_25_channels) {
  std::vector<instrument_spec> specs;
  for (int i = 0; i < 60; ++i)
    specs.push_back(bitfinex_pair("tA" + std::to_string(100 + i) + "USD"));
  std::size_t topics = 0;
  for (const auto& plan :
       bitfinex::description().plan(specs, {.candles = true, .book_channel = {}})) {
    CAF_CHECK(plan.topics.size() <= 25);
    topics += plan.topics.size();
  }
  CAF_CHECK_EQUAL(topics, 240u);
}

CAF_TEST(instruments) {
  const auto& venue = bitfinex::description();
  const auto find = [](const std::vector<instrument_spec>& all,
                       std::string_view id) -> const instrument_spec* {
    for (const auto& one : all)
      if (one.id.text == id) return &one;
    return nullptr;
  };
  const std::string pair_info =
      "venues/JKorf+Bitfinex.Net/Bitfinex.Net.UnitTests/Endpoints/Spot/ExchangeData/"
      "GetSymbols.txt";
  if (const auto file = test::recording(pair_info, "bitfinex pairs")) {
    const auto all = venue.read_instruments(test::endpoint_body(*file), {3});
    CAF_REQUIRE(all.has_value());
    const auto* ada = find(*all, "ADA-USDT@bitfinex");
    CAF_REQUIRE(ada != nullptr);
    CAF_CHECK_EQUAL(ada->venue_symbol, "tADAUST");
    CAF_CHECK_EQUAL(ada->min_size.raw, 400'000'000);
    CAF_CHECK_EQUAL(ada->max_size.raw, 25'000'000'000'000);
  }
  const auto file = test::recording(
      "venues/c9s+bbgo/pkg/exchange/bitfinex/bfxapi/testdata/TestClient.json", "bitfinex tickers");
  if (!file) return;
  simdjson::dom::parser parser;
  simdjson::dom::array calls;
  CAF_REQUIRE(parser.load(file->string()).get(calls) == simdjson::SUCCESS);
  for (simdjson::dom::element call : calls) {
    const std::string_view url{call["request"]["url"]};
    const std::string_view body{call["response"]["body"]};
    if (url.find("tickers?symbols=ALL") != std::string_view::npos) {
      const auto all = venue.read_instruments(body, {3});
      CAF_REQUIRE(all.has_value());
      CAF_CHECK_EQUAL(all->size(), 376u); // the other 55 are funding
      const auto* btc = find(*all, "BTC-USD@bitfinex");
      const auto* shib = find(*all, "SHIB-USD@bitfinex");
      const auto* perpetual = find(*all, "BTC-USDT-PERP@bitfinex");
      CAF_REQUIRE(btc != nullptr && shib != nullptr && perpetual != nullptr);
      CAF_CHECK_EQUAL(btc->tick.raw, 10'00000000);
      CAF_CHECK_EQUAL(shib->tick.raw, 1);
      CAF_CHECK_EQUAL(perpetual->venue_symbol, "tBTCF0:USTF0");
      CAF_CHECK(perpetual->kind == contract_kind::linear);
    }
    if (url.find("/candles/") == std::string_view::npos) continue;
    const auto page = venue.read_candles(bitfinex_pair("tBTCUSD"), 1min, body);
    CAF_REQUIRE(page.has_value());
    CAF_CHECK_EQUAL(page->bars.size(), 120u);
    const auto& newest = page->bars.back();
    CAF_CHECK_EQUAL(newest.open_time.ns, 1'754'820'720'000'000'000);
    CAF_CHECK_EQUAL(newest.volume.raw, 10785853);
    CAF_CHECK(!newest.closed && page->bars.front().closed);
    const auto& before = page->bars[page->bars.size() - 3];
    CAF_CHECK_EQUAL(before.open_time.ns, 1'754'820'540'000'000'000);
    CAF_CHECK_EQUAL(before.open.raw, 118260'00000000);
    CAF_CHECK_EQUAL(before.close.raw, 118240'00000000);
    CAF_CHECK_EQUAL(before.high.raw, 118260'00000000);
  }
  const auto call =
      venue.candle_call(bitfinex_pair("tBTCUSD"), 1min, {60'000'000'000}, {120'000'000'000});
  CAF_CHECK_EQUAL(call.target,
                  "/v2/candles/trade:1m:tBTCUSD/hist?start=60000&end=119999&limit=10000&sort=1");
  const auto refused =
      venue.read_candles(bitfinex_pair("tBTCUSD"), 1min, R"(["error",10020,"start: invalid"])");
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK(refused.error().text.find("start: invalid (10020)") != std::string::npos);
  CAF_CHECK_EQUAL(bitfinex::asset_of("UST"), "USDT");
}
