#define CAF_SUITE kucoin

#include "actors/connectors/kucoin/codec.hpp"
#include "actors/connectors/kucoin/description.hpp"
#include "tests/support/decoding.hpp"
#include "tests/support/seeds.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;
using test::spec_of;

namespace {

constexpr std::string_view change =
    R"({"type":"message","topic":"/market/level2:ABC-USDT","subject":"trade.l2update","data":{"changes":{"asks":[["18906","0.00331","14103845"],["18907.3","0.58751503","14103844"]],"bids":[["0","0","14103846"]]},"sequenceEnd":14103846,"sequenceStart":14103844,"symbol":"ABC-USDT","time":1663747970273}})";
constexpr std::string_view image =
    R"({"code":"200000","data":{"time":1663747970000,"sequence":"14103844","bids":[["18900","1"]],"asks":[["18906","0.00307"],["18907.3","0.2"],["18908","1"]]}})";

/// A book of the recording, with scales that hold all its numbers.
struct recorded_book {
  instrument_spec spec;
  std::unique_ptr<frame_decoder> decoder;
  std::unique_ptr<book_machine> machine;
};

recorded_book& book_of(std::map<std::string, recorded_book>& books, const std::string& symbol) {
  auto& out = books[symbol];
  if (out.decoder != nullptr) return out;
  // Sizes of BCHSV-USDT have up to 11 decimals, finer than the lot.
  out.spec = spec_of(symbol, contract_kind::spot, 10, symbol == "BCHSV-USDT" ? 11 : 8);
  out.decoder = kucoin::description().decoder(out.spec);
  out.machine = test::machine_of(kucoin::description().books[0].rules, out.spec);
  return out;
}

std::string behind(std::string_view text, std::string_view mark) {
  const auto at = text.find(mark);
  return at == std::string_view::npos ? std::string{} : std::string{text.substr(at + mark.size())};
}

/// Sent frames and REST images and the socket's frames, in order of time.
std::vector<test::two_way_line> kucoin_recording(std::string_view test) {
  std::vector<test::two_way_line> out;
  const auto socket = test::recording("venues/bmoscon+cryptofeed/sample_data/KUCOIN.ws.1.0", test);
  const auto rest = test::recording("venues/bmoscon+cryptofeed/sample_data/KUCOIN.http.0.0", test);
  if (!socket || !rest) return out;
  out = test::two_way(*socket);
  for (auto& line : test::two_way(*rest)) out.push_back(std::move(line));
  std::ranges::stable_sort(out, {}, &test::two_way_line::at);
  return out;
}

/// Replaces the number behind `"id":` by 1, the recorder's.
std::string with_id_one(std::string text) {
  const auto at = text.find("\"id\":") + 5;
  const auto end = text.find(',', at);
  return text.replace(at, end - at, "1");
}

} // namespace

CAF_TEST(changes_and_image) {
  const auto spec = spec_of("ABC-USDT", contract_kind::spot, 1, 8);
  const auto decoder = kucoin::description().decoder(spec);
  const auto events = test::events_of(*decoder, change);
  CAF_REQUIRE(events.size() == 1 && events[0].kind == event_kind::depth);
  const auto& d = events[0].depth;
  CAF_CHECK_EQUAL(d.first, 14103844u);
  CAF_CHECK_EQUAL(d.last, 14103846u);
  CAF_CHECK_EQUAL(d.event.ns, 1663747970273000000);
  CAF_REQUIRE(d.asks.size() == 2 && d.ask_rows.size() == 2);
  CAF_CHECK_EQUAL(d.asks[1].at.raw, 189073);
  CAF_CHECK_EQUAL(d.asks[1].quantity.raw, 58751503);
  CAF_CHECK_EQUAL(d.ask_rows[1], 14103844u);
  CAF_REQUIRE(d.bids.size() == 1 && d.bid_rows.size() == 1);
  CAF_CHECK_EQUAL(d.bids[0].at.raw, 0); // only moves the number on

  const auto machine = test::machine_of(kucoin::description().books[0].rules, spec);
  test::book_tally tally;
  test::feed_frame(*decoder, *machine, change, tally);
  CAF_CHECK(!machine->valid());
  test::feed_frame(*decoder, *machine, image, tally);
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->sequence(), 14103846u);
  CAF_CHECK_EQUAL(machine->book().at(side::sell, {189060}).raw, 331000);
  // The row at the image's own number is left out: the image holds what came of it.
  CAF_CHECK_EQUAL(machine->book().at(side::sell, {189073}).raw, 20000000);
  CAF_CHECK_EQUAL(machine->book().levels(side::buy), 1u);
  CAF_CHECK_EQUAL(test::cuts_not_damaged(*decoder, change), 0u);
  CAF_CHECK_EQUAL(test::cuts_not_damaged(*decoder, image), 0u);
}

CAF_TEST(sizes_finer_than_the_scale_never_delete) {
  const auto decoder = kucoin::description().decoder(spec_of("ABC-USDT", contract_kind::spot, 1, 4));
  std::string fine{change};
  fine.replace(fine.find("0.00331"), 7, "0.00001");
  const auto events = test::events_of(*decoder, fine);
  CAF_REQUIRE(events.size() == 1 && events[0].kind == event_kind::depth);
  CAF_CHECK_EQUAL(events[0].depth.asks[0].quantity.raw, 1);    // not 0
  CAF_CHECK_EQUAL(events[0].depth.asks[1].quantity.raw, 5875); // 0.58751503
  std::string price{change};
  price.replace(price.find("18907.3"), 7, "1890.73");
  CAF_CHECK(decoder->decode(price).damage == frame_damage::too_many_decimals);
}

CAF_TEST(damage_is_named) {
  const auto decoder = kucoin::description().decoder(spec_of("ABC-USDT", contract_kind::spot, 1, 8));
  const auto damage_of = [&](std::string_view from, std::string_view to) {
    std::string text{change};
    text.replace(text.find(from), from.size(), to);
    const auto& e = decoder->decode(text);
    return e.kind == event_kind::damaged ? e.damage : frame_damage::none;
  };
  CAF_CHECK(damage_of(R"("sequenceEnd":14103846)", R"("sequenceEnd":14103843)") == frame_damage::bad_range);
  CAF_CHECK(damage_of(R"("sequenceStart":14103844,)", "") == frame_damage::missing_field);
  CAF_CHECK(damage_of(R"(,"14103845"])", "]") == frame_damage::missing_field);
  CAF_CHECK(damage_of(R"("18906")", R"("-18906")") == frame_damage::bad_number);
  CAF_CHECK(damage_of(R"("14103845")", R"("a")") == frame_damage::bad_number);
  CAF_CHECK(damage_of(R"("changes":{)", R"("changes":[{)") != frame_damage::none);
  CAF_CHECK(damage_of(R"([["0","0","14103846"]])", "5") == frame_damage::wrong_type);
  for (const auto other :
       {R"({"type":"message","topic":"/market/level2:XYZ-USDT","data":{}})", R"({"type":"pong","id":"1"})",
        R"({"type":"message","topic":"/market/snapshot:ABC-USDT","data":{}})", R"({"type":"welcome","id":"x"})"})
    CAF_CHECK(decoder->decode(other).kind == event_kind::other);
  const auto& refused = decoder->decode(R"({"code":"429000","msg":"Too Many Requests"})");
  CAF_CHECK(refused.kind == event_kind::failure && refused.code == 429000);
}

CAF_TEST(recorded_books_end_as_expected) {
  const auto lines = kucoin_recording("kucoin books");
  if (lines.empty()) return;
  std::map<std::string, recorded_book> books;
  const auto protocol = kucoin::description().protocol();
  protocol->begin();
  std::map<inbound_kind, std::uint64_t> kinds;
  std::map<event_kind, std::uint64_t> events;
  std::uint64_t compared = 0;
  std::uint64_t equal = 0;
  for (const auto& line : lines) {
    if (line.kind == test::two_way_kind::replied) {
      auto& b = book_of(books, behind(line.url, "symbol="));
      const auto& e = b.decoder->decode(line.text);
      CAF_REQUIRE(e.kind == event_kind::image);
      b.machine->on_image(e.image);
    }
    if (line.kind != test::two_way_kind::received) continue;
    const auto& in = protocol->take(line.text);
    ++kinds[in.kind];
    if (in.kind != inbound_kind::data) continue;
    CAF_REQUIRE(in.symbols.size() == 1);
    auto& b = book_of(books, std::string{in.symbols[0]});
    const auto sequence = in.sequence;
    const auto& e = b.decoder->decode(line.text);
    ++events[e.kind];
    if (e.kind == event_kind::depth) {
      CAF_CHECK_EQUAL(sequence, e.depth.last);
      b.machine->on_depth(e.depth);
      CAF_CHECK(!b.machine->book().crossed());
    }
    if (e.kind == event_kind::best && b.machine->valid() && e.best.sequence == b.machine->sequence()) {
      ++compared;
      equal += b.machine->book().bid() == e.best.bid && b.machine->book().ask() == e.best.ask ? 1 : 0;
    }
  }
  CAF_CHECK_EQUAL(kinds[inbound_kind::welcome], 1u);
  CAF_CHECK_EQUAL(kinds[inbound_kind::data], 4707u);
  CAF_CHECK_EQUAL(kinds[inbound_kind::unknown] + kinds[inbound_kind::damaged], 0u);
  CAF_CHECK_EQUAL(events[event_kind::depth], 3853u);
  CAF_CHECK_EQUAL(events[event_kind::trade], 18u);
  CAF_CHECK_EQUAL(events[event_kind::best], 830u);
  CAF_CHECK_EQUAL(events[event_kind::candle], 6u);
  CAF_CHECK_EQUAL(events[event_kind::damaged] + events[event_kind::other], 0u);

  std::uint64_t applied = 0, stale = 0, gaps = 0, bridged = 0;
  const auto expected = test::expected_books("cryptofeed KUCOIN /market/level2 + REST v3 snapshot");
  CAF_CHECK_EQUAL(expected.size(), 9u);
  for (const auto& [symbol, should] : expected) {
    const auto& b = books.at(symbol);
    const auto& counts = b.machine->counts();
    applied += counts.applied;
    stale += counts.stale;
    gaps += counts.gaps;
    bridged += b.machine->valid() ? 1 : 0;
    CAF_CHECK_EQUAL(test::book_difference(b.machine->book(), b.spec.price_scale, b.spec.size_scale, should), "");
  }
  CAF_CHECK_EQUAL(applied, 3805u);
  CAF_CHECK_EQUAL(stale, 48u);
  CAF_CHECK_EQUAL(gaps, 0u);
  CAF_CHECK_EQUAL(bridged, 9u);
  CAF_MESSAGE("tickers at the book's own number: " << equal << " of " << compared << " equal");
  CAF_CHECK_EQUAL(compared, equal);
  CAF_CHECK(compared >= 1);
}

CAF_TEST(a_lost_change_is_a_gap) {
  const auto lines = kucoin_recording("kucoin loss");
  if (lines.empty()) return;
  std::map<std::string, recorded_book> books;
  std::uint64_t seen = 0;
  for (const auto& line : lines) {
    if (line.kind == test::two_way_kind::replied) {
      auto& b = book_of(books, behind(line.url, "symbol="));
      b.machine->on_image(b.decoder->decode(line.text).image);
    }
    if (line.text.find("level2:BCHSV-USDT") == std::string::npos) continue;
    if (line.kind != test::two_way_kind::received) continue;
    auto& b = book_of(books, "BCHSV-USDT");
    const auto& e = b.decoder->decode(line.text);
    if (e.kind != event_kind::depth || ++seen == 500) continue;
    b.machine->on_depth(e.depth);
  }
  CAF_CHECK(books.at("BCHSV-USDT").machine->counts().gaps >= 1);
  CAF_CHECK(!books.at("BCHSV-USDT").machine->valid());
}

CAF_TEST(subscriptions_are_those_of_the_recording) {
  const auto lines = kucoin_recording("kucoin subscriptions");
  if (lines.empty()) return;
  std::size_t compared = 0;
  for (const auto& line : lines) {
    if (line.kind != test::two_way_kind::sent) continue;
    const auto topic = test::member_text(line.text, "topic");
    const auto colon = topic.find(':');
    std::vector<market_topic> topics;
    std::stringstream symbols{topic.substr(colon + 1)};
    for (std::string symbol; std::getline(symbols, symbol, ',');)
      topics.push_back({topic_kind::book, symbol, topic.substr(0, colon + 1) + symbol});
    const auto protocol = kucoin::description().protocol();
    protocol->begin();
    const auto commands = protocol->subscribe(topics);
    CAF_REQUIRE(commands.size() == 1);
    CAF_CHECK_EQUAL(with_id_one(commands[0].text), line.text);
    CAF_CHECK_EQUAL(commands[0].topics.size(), topics.size());
    ++compared;
  }
  CAF_CHECK_EQUAL(compared, 13u);
}

CAF_TEST(answers_belong_to_their_command) {
  const auto protocol = kucoin::description().protocol();
  CAF_CHECK(protocol->begin().empty());
  CAF_CHECK(protocol->traits().waits_for_welcome);
  CAF_CHECK(protocol->take(R"({"id":"x","type":"welcome"})").kind == inbound_kind::welcome);
  const std::vector<market_topic> topics{{topic_kind::book, "A-USDT", "/market/level2:A-USDT"},
                                         {topic_kind::trades, "A-USDT", "/market/match:A-USDT"},
                                         {topic_kind::book, "B-USDT", "/market/level2:B-USDT"}};
  const auto commands = protocol->subscribe(topics);
  CAF_REQUIRE(commands.size() == 2);
  CAF_CHECK_EQUAL(
      commands[0].text,
      R"({"id":1,"type":"subscribe","topic":"/market/level2:A-USDT,B-USDT","privateChannel":false,"response":true})");
  const auto& second = protocol->take(R"({"id":"2","type":"ack"})");
  CAF_CHECK(second.kind == inbound_kind::acknowledged);
  CAF_CHECK_EQUAL(second.topic, "/market/match:A-USDT");
  const auto& first = protocol->take(
      R"({"id":"1","type":"error","code":404,"data":"topic /market/level2:B-USDT is not found"})");
  CAF_CHECK(first.kind == inbound_kind::refused);
  CAF_CHECK_EQUAL(first.code, 404);
  CAF_CHECK_EQUAL(first.topics.size(), 2u);
  CAF_CHECK_EQUAL(first.topics[1], "/market/level2:B-USDT");
  CAF_CHECK(protocol->take(R"({"id":"1","type":"ack"})").kind == inbound_kind::alive); // answered before
  CAF_CHECK_EQUAL(protocol->heartbeat(), R"({"id":3,"type":"ping"})");
  CAF_CHECK(protocol->take(R"({"id":"3","type":"pong"})").kind == inbound_kind::alive);
  const auto leaving = protocol->unsubscribe({topics.data(), 1});
  CAF_CHECK(leaving[0].topics.empty());
  CAF_CHECK(protocol->take("{}").kind == inbound_kind::unknown);
  CAF_CHECK(protocol->take("").kind == inbound_kind::damaged);
  CAF_CHECK(protocol->take(R"({"type":"message")").kind == inbound_kind::damaged);
}

CAF_TEST(the_ticket_becomes_an_address) {
  const auto file =
      test::recording("venues/derived/official_doc_examples/kucoin_spec.jsonl", "kucoin ticket");
  CAF_CHECK_EQUAL(kucoin::description().ticket().method, "POST");
  CAF_CHECK_EQUAL(kucoin::description().ticket().target, "/api/v1/bullet-public");
  if (file) {
    const auto bodies =
        test::examples(*file, {"/api/v1/bullet-public", "x-response-example"}, "json");
    CAF_REQUIRE(bodies.size() == 1);
    const auto url = kucoin::description().ticket_url(bodies[0]);
    CAF_REQUIRE(url.has_value());
    CAF_CHECK(url->starts_with("wss://ws-api-spot.kucoin.com/?token=2neAiuYvAU61ZDXANAGAsiL4-iAExhsBXZxf"));
    CAF_CHECK(url->ends_with("JBvJHl5Vs9Y%3D.ymP9jIr6v-vucrZr8761yA%3D%3D"));
  }
  const auto url_of = [](std::string_view token, std::string_view endpoint) {
    return kucoin::description().ticket_url(
        R"({"code":"200000","data":{"token":")" + std::string{token} + R"(","instanceServers":[{"endpoint":")"
        + std::string{endpoint} + R"("}]}})");
  };
  const auto encoded = url_of("a+b/c=", "wss://x/endpoint");
  CAF_REQUIRE(encoded.has_value());
  CAF_CHECK_EQUAL(*encoded, "wss://x/endpoint?token=a%2Bb%2Fc%3D");
  CAF_CHECK(!url_of("a", "http://x").has_value());
  CAF_CHECK(!url_of("a", "wss://x y").has_value());
  CAF_CHECK(!url_of("", "wss://x").has_value());
  const auto limited = kucoin::description().ticket_url(R"({"code":"429000","msg":"Too Many Requests"})");
  CAF_REQUIRE(!limited.has_value());
  CAF_CHECK(limited.error().text.find("429000") != std::string::npos);
}

CAF_TEST(another_projects_trades) {
  const auto file = test::recording("venues/tardis-dev+tardis-node/test/mappers/kucoin.jsonl", "kucoin pairs");
  if (!file) return;
  std::size_t compared = 0;
  for (const auto& pair : test::mapper_pairs(*file)) {
    if (pair.message.find("/market/match:") == std::string::npos) continue;
    const auto expected = test::expected_texts(pair.expected);
    CAF_REQUIRE(expected.size() == 1);
    const auto symbol = expected[0].substr(6, expected[0].find(' ', 6) - 6);
    const auto decoder = kucoin::description().decoder(spec_of(symbol, contract_kind::spot, 9, 8));
    CAF_CHECK_EQUAL(test::event_texts(*decoder, pair.message, 9, 8), expected);
    ++compared;
  }
  CAF_CHECK_EQUAL(compared, 3u);
}

CAF_TEST(wire_frames_of_2026) {
  const auto file = test::recording("venues/derived/wire_frames_2026/json_frames.jsonl", "kucoin wire frames");
  if (!file) return;
  const auto decoder = kucoin::description().decoder(spec_of("BTC-USDT", contract_kind::spot, 1, 8));
  const auto frames = test::examples(*file, {"\"exchange\": \"kucoin\""});
  CAF_REQUIRE(frames.size() == 2);
  const auto candle = decoder->decode(frames[0]);
  CAF_REQUIRE(candle.kind == event_kind::candle);
  CAF_CHECK_EQUAL(candle.candle.interval, "1min");
  CAF_CHECK_EQUAL(candle.candle.open_time.ns, 1790274180000000000);
  CAF_CHECK_EQUAL(candle.candle.close_time.ns, 1790274240000000000);
  CAF_CHECK_EQUAL(candle.candle.event.ns, 1790274226100954919);
  CAF_CHECK_EQUAL(candle.candle.open.raw, 844102);
  CAF_CHECK_EQUAL(candle.candle.close.raw, 843907);
  CAF_CHECK_EQUAL(candle.candle.high.raw, 844102);
  CAF_CHECK_EQUAL(candle.candle.low.raw, 843906);
  CAF_CHECK_EQUAL(candle.candle.volume.raw, 63004204);
  const auto match = decoder->decode(frames[1]);
  CAF_REQUIRE(match.kind == event_kind::trade);
  CAF_CHECK_EQUAL(match.trade.at.ns, 1790274222318000000);
  CAF_CHECK(match.trade.taker == side::sell && !match.trade.numbered && match.trade.id != 0);
}

CAF_TEST(instruments_and_candles) {
  const auto old = test::recording("venues/bmoscon+cryptofeed/sample_data/KUCOIN.0", "kucoin instruments");
  if (old) {
    const auto lines = test::two_way(*old);
    CAF_REQUIRE(!lines.empty());
    const auto all = kucoin::description().read_instruments(lines[0].text, {7});
    CAF_REQUIRE(all.has_value());
    CAF_CHECK(all->size() > 500);
    for (const auto& one : *all)
      if (one.venue_symbol == "COV-BTC") {
        CAF_CHECK_EQUAL(one.id.text, "COV-BTC@kucoin");
        CAF_CHECK_EQUAL(one.price_scale, 8);
        CAF_CHECK_EQUAL(one.size_scale, 8); // finer than the lot: books hold such sizes
        CAF_CHECK_EQUAL(one.lot.raw, 10000);
        CAF_CHECK_EQUAL(one.tick.raw, 1);
        CAF_CHECK_EQUAL(one.valid_from.ns, 7);
      }
  }
  const auto folder = "venues/JKorf+Kucoin.Net/Kucoin.Net.UnitTests/Endpoints/Spot/ExchangeData/";
  const auto symbols = test::recording(std::string{folder} + "GetSymbols.txt", "kucoin symbols");
  const auto klines = test::recording(std::string{folder} + "GetKlines.txt", "kucoin candles");
  if (!symbols || !klines) return;
  const auto two = kucoin::description().read_instruments(test::endpoint_body(*symbols), {});
  CAF_REQUIRE(two.has_value() && two->size() == 2);
  CAF_CHECK_EQUAL(two->at(0).id.text, "XLM-USDT@kucoin");
  CAF_CHECK_EQUAL(two->at(0).price_scale, 6);
  CAF_CHECK_EQUAL(two->at(0).min_size.raw, 10000000);                     // 0.1
  CAF_CHECK_EQUAL(two->at(0).min_notional.raw, 10000000000000);           // 0.1
  const auto spec = spec_of("ABC-BTC", contract_kind::spot, 3, 3);
  const auto page = kucoin::description().read_candles(spec, 1min, test::endpoint_body(*klines));
  CAF_REQUIRE(page.has_value() && page->bars.size() == 2);
  const auto& first = page->bars[0];
  CAF_CHECK_EQUAL(first.open_time.ns, 1545904920000000000); // listed second: newest first
  CAF_CHECK_EQUAL(first.open.raw, 58);
  CAF_CHECK_EQUAL(first.close.raw, 72);
  CAF_CHECK_EQUAL(first.high.raw, 72);
  CAF_CHECK_EQUAL(first.low.raw, 58);
  CAF_CHECK_EQUAL(first.volume.raw, 103);
  CAF_CHECK(first.closed && !page->bars[1].closed);
  const auto call = kucoin::description().candle_call(spec, 1h, {1566702000'000000000}, {1566788400'000000000});
  CAF_CHECK_EQUAL(call.target, "/api/v1/market/candles?symbol=ABC-BTC&type=1hour&startAt=1566702000&endAt=1566788399");
  CAF_CHECK(kucoin::description().candle_call(spec, 7s, {}, {}).target.empty());
  CAF_CHECK(!kucoin::description().read_candles(spec, 1min, R"({"code":"400100","msg":"no"})").has_value());
  CAF_CHECK(!kucoin::description().read_candles(spec, 1min, "<html>").has_value());
  CAF_CHECK_EQUAL(kucoin::description().image(spec, 100).target,
                  "/api/v1/market/orderbook/level2_100?symbol=ABC-BTC");
}

CAF_TEST(plans_keep_to_the_limits) {
  std::vector<instrument_spec> specs;
  for (int i = 0; i < 150; ++i) specs.push_back(spec_of("S" + std::to_string(i) + "-USDT"));
  const auto plans = kucoin::description().plan(specs, {});
  std::size_t topics = 0;
  for (const auto& plan : plans) {
    CAF_CHECK(plan.topics.size() <= 300);
    topics += plan.topics.size();
  }
  CAF_CHECK_EQUAL(topics, 450u);
  CAF_CHECK_EQUAL(plans[0].topics[0].name, "/market/level2:S0-USDT");
}

CAF_TEST(any_bytes_are_safe) {
  std::mt19937_64 random{test::seed_of("kucoin any bytes", 31)};
  const auto decoder = kucoin::description().decoder(spec_of("ABC-USDT", contract_kind::spot, 1, 8));
  const auto protocol = kucoin::description().protocol();
  const std::vector<std::string> frames{std::string{change}, std::string{image},
                                        R"({"id":"1","type":"error","code":404,"data":"x"})"};
  CAF_CHECK_EQUAL(test::broken_promises(*decoder, *protocol, frames, random,
                                        static_cast<int>(test::scaled(20000))), 0u);
}
