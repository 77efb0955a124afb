#define CAF_SUITE mexc

#include "actors/connectors/mexc/codec.hpp"
#include "actors/connectors/mexc/description.hpp"
#include "tests/support/decoding.hpp"
#include "tests/support/seeds.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;
using test::spec_of;

namespace {

// --- protobuf by hand, for bodies of which there is no recording ------------------------------------

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

std::string field(int number, std::string_view bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(bytes.size()) + std::string{bytes};
}

std::string field(int number, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(number) << 3) + varint(value);
}

std::string row(std::string_view price, std::string_view size) { return field(1, price) + field(2, size); }

constexpr std::string_view depth_channel = "spot@public.aggre.depth.v3.api.pb@100ms@ABCUSDT";

/// One aggregated depth frame as the documents describe it.
std::string depth_frame(const std::vector<std::string>& asks, const std::vector<std::string>& bids,
                        std::string_view from, std::string_view to, std::string_view symbol = "ABCUSDT") {
  std::string body;
  for (const auto& a : asks) body += field(1, a);
  for (const auto& b : bids) body += field(2, b);
  body += field(3, "spot@public.aggre.depth.v3.api.pb@100ms") + field(4, from) + field(5, to);
  auto out = field(1, depth_channel);
  if (!symbol.empty()) out += field(3, symbol);
  return out + field(6, std::uint64_t{1736411507002}) + field(313, body);
}

struct wire_frame {
  std::string bytes;
  std::string decoded; ///< JSON
};

std::vector<wire_frame> wire_frames(std::string_view test) {
  std::vector<wire_frame> out;
  const auto file = test::recording("venues/derived/wire_frames_2026/mexc_spot_protobuf.jsonl", test);
  if (!file) return out;
  for (const auto& line : test::lines_of(*file))
    out.push_back({test::unhex(test::member_text(line, "hex")), test::member_text(line, "decoded")});
  return out;
}

std::string doc_example(std::string_view mark, std::string_view test) {
  const auto file = test::recording("venues/derived/official_doc_examples/mexc_spot_v3.jsonl", test);
  if (!file) return {};
  const auto found = test::examples(*file, {std::string{mark}});
  return found.empty() ? std::string{} : found[0];
}

std::string without_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

/// "65219.38x0.14191302" of the decoded form's rows, in order.
std::string rows_text(const std::string& decoded, std::string_view key) {
  simdjson::dom::parser parser;
  std::string out;
  const simdjson::dom::element root = parser.parse(decoded);
  const simdjson::dom::array rows = root[key];
  for (simdjson::dom::array pair : rows)
    out += " " + test::plain_number(simdjson::minify(pair.at(0))) + "x"
           + test::plain_number(simdjson::minify(pair.at(1)));
  return out;
}

} // namespace

CAF_TEST(live_frames) {
  const auto frames = wire_frames("mexc live frames");
  if (frames.empty()) return;
  CAF_REQUIRE(frames.size() == 4);
  const auto btc = mexc::description().decoder(spec_of("BTCUSDT", contract_kind::spot, 2, 8));
  const auto hype = mexc::description().decoder(spec_of("HYPEUSDT", contract_kind::spot, 2, 2));

  const auto deals = test::events_of(*btc, frames[0].bytes);
  CAF_REQUIRE(deals.size() == 2 && deals[0].kind == event_kind::trade);
  CAF_CHECK_EQUAL(deals[0].symbol, "BTCUSDT");
  CAF_CHECK_EQUAL(deals[0].trade.at_price.raw, 6521938);
  CAF_CHECK_EQUAL(deals[0].trade.quantity.raw, 14191302);
  CAF_CHECK(deals[0].trade.taker == side::sell && deals[1].trade.taker == side::buy);
  CAF_CHECK_EQUAL(deals[0].trade.at.ns, 1785141192354000000);
  CAF_CHECK_EQUAL(deals[0].trade.event.ns, 1785141192390000000);
  CAF_CHECK_EQUAL(deals[0].trade.id_text, "710342948650209280X0_710342948650209281X0");
  CAF_CHECK(!deals[1].trade.numbered);

  const auto best = btc->decode(frames[1].bytes);
  CAF_REQUIRE(best.kind == event_kind::best);
  CAF_CHECK_EQUAL(best.best.bid.at.raw, 8650392);
  CAF_CHECK_EQUAL(best.best.bid.quantity.raw, 1491335308);
  CAF_CHECK_EQUAL(best.best.ask.at.raw, 8650393);
  CAF_CHECK_EQUAL(best.best.ask.quantity.raw, 496500);
  CAF_CHECK_EQUAL(best.best.sequence, 81999275445u);
  CAF_CHECK_EQUAL(best.best.event.ns, 1790145447239000000);
  CAF_CHECK(hype->decode(frames[1].bytes).kind == event_kind::other); // of another instrument
  CAF_CHECK_EQUAL(hype->decode(frames[2].bytes).best.ask.quantity.raw, 8210);

  const auto image = hype->decode(frames[3].bytes);
  CAF_REQUIRE(image.kind == event_kind::image);
  CAF_CHECK_EQUAL(image.image.last, 1320043373u);
  CAF_CHECK_EQUAL(test::levels_text(image.image.asks, 2, 2), rows_text(frames[3].decoded, "asks"));
  CAF_CHECK_EQUAL(test::levels_text(image.image.bids, 2, 2), rows_text(frames[3].decoded, "bids"));
  CAF_CHECK_EQUAL(image.image.asks.size(), 20u);
}

CAF_TEST(live_frames_by_protocol) {
  const auto frames = wire_frames("mexc protocol");
  if (frames.empty()) return;
  const auto protocol = mexc::description().protocol();
  const std::uint64_t sequences[] = {0, 81999275445, 1320043356, 1320043373};
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto& in = protocol->take(frames[i].bytes);
    CAF_CHECK(in.kind == inbound_kind::data);
    CAF_CHECK_EQUAL(in.topic, test::member_text(frames[i].decoded, "channel"));
    CAF_REQUIRE(in.symbols.size() == 1);
    CAF_CHECK_EQUAL(in.symbols[0], test::member_text(frames[i].decoded, "symbol"));
    CAF_CHECK_EQUAL(in.sequence, sequences[i]);
  }
}

CAF_TEST(every_cut_and_every_wrong_byte_is_safe) {
  std::mt19937_64 random{test::seed_of("mexc any bytes", 37)};
  auto decoder = mexc::description().decoder(spec_of("ABCUSDT", contract_kind::spot, 2, 8));
  const auto protocol = mexc::description().protocol();
  const auto frame = depth_frame({row("15.10", "2")}, {row("15.00", "0")}, "100", "102");
  CAF_CHECK(decoder->decode(frame).kind == event_kind::depth);
  // The last field is the body: whatever is cut off, it is incomplete or the message names no body.
  for (std::size_t at = 0; at < frame.size(); ++at) {
    const auto kind = decoder->decode(std::string_view{frame}.substr(0, at)).kind;
    CAF_CHECK(kind == event_kind::damaged || kind == event_kind::other);
  }
  std::vector<std::string> frames{frame, R"({"id":0,"code":0,"msg":"PONG"})",
                                  R"({"lastUpdateId":1,"bids":[["15.0","4"]],"asks":[]})"};
  for (auto& one : wire_frames("mexc mutations")) frames.push_back(one.bytes);
  CAF_CHECK_EQUAL(test::broken_promises(*decoder, *protocol, frames, random,
                                        static_cast<int>(test::scaled(20000))), 0u);
  decoder = mexc::description().decoder(spec_of("HYPEUSDT", contract_kind::spot, 2, 2));
  CAF_CHECK_EQUAL(test::broken_promises(*decoder, *protocol, frames, random,
                                        static_cast<int>(test::scaled(20000))), 0u);
}

CAF_TEST(depth_frames) {
  const auto spec = spec_of("ABCUSDT", contract_kind::spot, 2, 8);
  const auto decoder = mexc::description().decoder(spec);
  const auto events = test::events_of(
      *decoder, depth_frame({row("15.10", "2"), row("15.11", "0.5")}, {row("15.00", "0")}, "100", "102"));
  CAF_REQUIRE(events.size() == 1 && events[0].kind == event_kind::depth);
  CAF_CHECK(events[0].depth.first == 100 && events[0].depth.last == 102);
  CAF_CHECK_EQUAL(events[0].depth.event.ns, 1736411507002000000);
  CAF_CHECK_EQUAL(test::levels_text(events[0].depth.asks, 2, 8), " 15.1x2 15.11x0.5");
  CAF_CHECK_EQUAL(test::levels_text(events[0].depth.bids, 2, 8), " 15x0");
  // Without the symbol field the channel's tail names the instrument; an empty side is absent.
  CAF_CHECK(decoder->decode(depth_frame({}, {row("1", "1")}, "1", "1", "")).kind == event_kind::depth);
  CAF_CHECK(decoder->decode(depth_frame({}, {}, "1", "1", "XYZUSDT")).kind == event_kind::other);
  // A field that nobody knows yet is skipped, of any wire type.
  const auto more = depth_frame({}, {row("1", "1")}, "1", "1") + field(999, "new") + field(998, std::uint64_t{5})
                    + varint(997 << 3 | 1) + "12345678" + varint(996 << 3 | 5) + "1234" + varint(995 << 3 | 3)
                    + field(1, "in a group") + varint(995 << 3 | 4);
  CAF_CHECK(decoder->decode(more).kind == event_kind::depth);
  const auto damage_of = [&](const std::string& frame) {
    const auto& e = decoder->decode(frame);
    return e.kind == event_kind::damaged ? e.damage : frame_damage::none;
  };
  CAF_CHECK(damage_of(depth_frame({}, {}, "3", "2")) == frame_damage::bad_range);
  CAF_CHECK(damage_of(depth_frame({}, {}, "", "2")) == frame_damage::missing_field);
  CAF_CHECK(damage_of(depth_frame({}, {}, "x", "2")) == frame_damage::bad_number);
  CAF_CHECK(damage_of(depth_frame({row("1.001", "1")}, {}, "1", "2")) == frame_damage::too_many_decimals);
  CAF_CHECK(damage_of(depth_frame({row("-1", "1")}, {}, "1", "2")) == frame_damage::bad_number);
  CAF_CHECK(damage_of(depth_frame({field(1, "1")}, {}, "1", "2")) == frame_damage::missing_field);
  CAF_CHECK(damage_of(varint(313 << 3 | 2) + "\xff\xff\xff\xff\x07") == frame_damage::not_json);
}

CAF_TEST(the_book_joins_image_and_changes) {
  const auto spec = spec_of("ABCUSDT", contract_kind::spot, 2, 8);
  const auto decoder = mexc::description().decoder(spec);
  const auto machine = test::machine_of(mexc::description().books[0].rules, spec);
  test::book_tally tally;
  const auto feed = [&](const std::string& frame) { test::feed_frame(*decoder, *machine, frame, tally); };
  feed(depth_frame({row("15.20", "9")}, {}, "98", "99"));   // wholly below the image
  feed(depth_frame({row("15.10", "2")}, {}, "100", "102")); // bridges it
  feed(R"({"lastUpdateId":101,"bids":[["15.00","4"]],"asks":[["15.10","1"],["15.30","3"]],"timestamp":1736411507000})");
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->sequence(), 102u);
  CAF_CHECK_EQUAL(machine->book().ask().quantity.raw, 200000000);
  CAF_CHECK_EQUAL(machine->book().levels(side::sell), 2u);
  feed(depth_frame({}, {row("15.05", "7")}, "103", "110"));
  CAF_CHECK_EQUAL(machine->book().bid().at.raw, 1505);
  feed(depth_frame({}, {row("15.06", "7")}, "112", "113")); // 111 is missing
  CAF_CHECK(!machine->valid() && machine->needs_image());
  CAF_CHECK_EQUAL(machine->counts().gaps, 1u);
}

CAF_TEST(deals_without_id_and_candles) {
  const auto decoder = mexc::description().decoder(spec_of("BTCUSDT", contract_kind::spot, 2, 8));
  const auto deal = row("93220.00", "0.04438243") + field(3, std::uint64_t{2}) + field(4, std::uint64_t{1736409765051});
  const auto frame = field(1, "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT")
                     + field(6, std::uint64_t{1736409765052}) + field(314, field(1, deal) + field(1, deal));
  const auto deals = test::events_of(*decoder, frame);
  CAF_REQUIRE(deals.size() == 2);
  CAF_CHECK_EQUAL(deals[0].trade.at_price.raw, 9322000);
  CAF_CHECK(deals[0].trade.id_text.empty() && deals[0].trade.id != 0);
  CAF_CHECK(deals[0].trade.id != deals[1].trade.id); // two equal deals are two
  const auto first = deals[0].trade.id;
  const auto again = test::events_of(*decoder, frame);
  CAF_CHECK_EQUAL(again[0].trade.id, first); // and the same on any socket

  const auto body = field(1, "Min15") + field(2, std::uint64_t{1736410500}) + field(3, "92925") + field(4, "93158.47")
                    + field(5, "93158.48") + field(6, "92800") + field(7, "36.83803224") + field(8, "3424811.05")
                    + field(9, std::uint64_t{1736411400});
  const auto bytes = field(1, "spot@public.kline.v3.api.pb@BTCUSDT@Min15") + field(5, std::uint64_t{1736410707571})
                     + field(308, body);
  const auto candle = decoder->decode(bytes);
  CAF_REQUIRE(candle.kind == event_kind::candle);
  CAF_CHECK_EQUAL(candle.symbol, "BTCUSDT");
  CAF_CHECK_EQUAL(candle.candle.interval, "Min15");
  CAF_CHECK_EQUAL(candle.candle.open_time.ns, 1736410500000000000);
  CAF_CHECK_EQUAL(candle.candle.close_time.ns, 1736411400000000000);
  CAF_CHECK_EQUAL(candle.candle.open.raw, 9292500);
  CAF_CHECK_EQUAL(candle.candle.close.raw, 9315847);
  CAF_CHECK_EQUAL(candle.candle.high.raw, 9315848);
  CAF_CHECK_EQUAL(candle.candle.low.raw, 9280000);
  CAF_CHECK_EQUAL(candle.candle.volume.raw, 3683803224);
  CAF_CHECK_EQUAL(candle.candle.event.ns, 1736410707571000000);
}

CAF_TEST(commands_and_answers) {
  const auto protocol = mexc::description().protocol();
  CAF_CHECK(protocol->begin().empty());
  const std::vector<market_topic> topics{
      {topic_kind::trades, "BTCUSDT", "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"},
      {topic_kind::book, "BTCUSDT", "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT"}};
  const auto commands = protocol->subscribe(topics);
  CAF_REQUIRE(commands.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CAF_CHECK_EQUAL(commands[i].topics[0], topics[i].name);
    const auto documented = doc_example(i == 0 ? "\"Trade Streams\"" : "\"Diff.Depth Stream\"", "mexc commands");
    if (!documented.empty()) {
      CAF_CHECK_EQUAL(commands[i].text, without_space(documented));
    }
  }
  const auto& ack = protocol->take(
      R"({"id":0,"code":0,"msg":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"})");
  CAF_CHECK(ack.kind == inbound_kind::acknowledged);
  CAF_CHECK_EQUAL(ack.topic, topics[0].name);
  // A refusal is an answer with code 0.
  const auto& refused = protocol->take(
      "{\"id\":0,\"code\":0,\"msg\":\"Not Subscribed successfully! "
      "[spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT].  Reason\xef\xbc\x9a Blocked! \"}");
  CAF_CHECK(refused.kind == inbound_kind::refused);
  CAF_CHECK_EQUAL(refused.topic, topics[1].name);
  CAF_CHECK(refused.why.find("Blocked") != std::string_view::npos);
  CAF_CHECK_EQUAL(protocol->heartbeat(), R"({"method":"PING"})");
  CAF_CHECK(protocol->take(R"({"id":0,"code":0,"msg":"PONG"})").kind == inbound_kind::alive);
  // The answer to an unsubscription reads like the one to a subscription.
  const auto leaving = protocol->unsubscribe({topics.data(), 1});
  CAF_CHECK_EQUAL(leaving[0].text,
                  R"({"method":"UNSUBSCRIPTION","params":["spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"]})");
  protocol->subscribe({topics.data(), 1});
  const auto answer = R"({"id":0,"code":0,"msg":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"})";
  CAF_CHECK(protocol->take(answer).kind == inbound_kind::alive);
  CAF_CHECK(protocol->take(answer).kind == inbound_kind::acknowledged);
  CAF_CHECK(protocol->take(R"({"id":0,"code":30001,"msg":"limit"})").kind == inbound_kind::failure);
  CAF_CHECK(protocol->take(R"({"hello":1})").kind == inbound_kind::unknown);
  CAF_CHECK(protocol->take("{\"id\":0").kind == inbound_kind::damaged);
  CAF_CHECK(protocol->take("").kind == inbound_kind::damaged);
  CAF_CHECK(protocol->take("\x0a\xff").kind == inbound_kind::damaged);
  CAF_CHECK_EQUAL(protocol->traits().topics_per_socket, 30u);
}

CAF_TEST(control_frames_of_2026) {
  const auto file = test::recording("venues/derived/wire_frames_2026/json_frames.jsonl", "mexc control frames");
  if (!file) return;
  const auto protocol = mexc::description().protocol();
  const auto decoder = mexc::description().decoder(spec_of("BTCUSDT"));
  const auto frames = test::examples(*file, {"\"exchange\": \"mexc\""});
  CAF_REQUIRE(frames.size() >= 2);
  CAF_CHECK(protocol->take(frames[0]).kind == inbound_kind::acknowledged);
  CAF_CHECK(decoder->decode(frames[0]).kind == event_kind::acknowledgement);
  CAF_CHECK(protocol->take(frames[1]).kind == inbound_kind::alive);
  CAF_CHECK(decoder->decode(frames[1]).kind == event_kind::other);
}

CAF_TEST(instruments_candles_and_image) {
  const std::string folder = "venues/JKorf+Mexc.Net/Mexc.Net.UnitTests/Endpoints/SpotApi/ExchangeData/";
  const auto info = test::recording(folder + "GetExchangeInfo.txt", "mexc instruments");
  const auto klines = test::recording(folder + "GetKlines.txt", "mexc candles");
  const auto book = test::recording(folder + "GetOrderBook.txt", "mexc image");
  const auto& venue = mexc::description();
  const auto spec = spec_of("BTCUSDT", contract_kind::spot, 2, 8);
  if (info) {
    const auto all = venue.read_instruments(test::endpoint_body(*info), {5});
    CAF_REQUIRE(all.has_value() && all->size() == 1);
    const auto& one = all->at(0);
    CAF_CHECK_EQUAL(one.id.text, "BROCK-USDT@mexc");
    CAF_CHECK_EQUAL(one.venue_symbol, "BROCKUSDT");
    CAF_CHECK_EQUAL(one.price_scale, 5);
    CAF_CHECK_EQUAL(one.size_scale, 2);
    CAF_CHECK(one.tick.raw == 1 && one.lot.raw == 1 && one.min_size.raw == 0);
    CAF_CHECK_EQUAL(one.min_notional.raw, 10000000); // 1 quote unit at 7 decimals
    CAF_CHECK_EQUAL(one.valid_from.ns, 5);
  }
  if (klines) {
    const auto page = venue.read_candles(spec, 1min, test::endpoint_body(*klines));
    CAF_REQUIRE(page.has_value() && page->bars.size() == 1);
    CAF_CHECK_EQUAL(page->bars[0].open_time.ns, 1640804880000000000);
    CAF_CHECK_EQUAL(page->bars[0].high.raw, 4748236);
    CAF_CHECK_EQUAL(page->bars[0].low.raw, 4741657);
    CAF_CHECK_EQUAL(page->bars[0].close.raw, 4743610);
    CAF_CHECK_EQUAL(page->bars[0].volume.raw, 355071700);
  }
  if (book) {
    const auto decoder = venue.decoder(spec);
    const auto body = test::endpoint_body(*book);
    const auto& e = decoder->decode(body);
    CAF_REQUIRE(e.kind == event_kind::image);
    CAF_CHECK_EQUAL(e.image.last, 1112416u);
    CAF_CHECK_EQUAL(e.image.bids[0].quantity.raw, 4999900000000);
  }
  CAF_CHECK_EQUAL(venue.candle_call(spec, 1h, {3600'000000000}, {7200'000000000}).target,
                  "/api/v3/klines?symbol=BTCUSDT&interval=60m&startTime=3600000&endTime=7199999&limit=1000");
  CAF_CHECK_EQUAL(venue.image(spec, 1000).target, "/api/v3/depth?symbol=BTCUSDT&limit=1000");
  const auto refused = venue.read_candles(spec, 1min, R"({"code":-1121,"msg":"Invalid symbol."})");
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK(refused.error().text.find("-1121") != std::string::npos);
  CAF_CHECK(!venue.read_instruments("[]", {}).has_value());
}

CAF_TEST(plans_keep_to_thirty_topics) {
  std::vector<instrument_spec> specs;
  for (int i = 0; i < 50; ++i) specs.push_back(spec_of("S" + std::to_string(i) + "USDT"));
  const auto plans = mexc::description().plan(specs, {});
  CAF_CHECK_EQUAL(plans.size(), 5u);
  for (const auto& plan : plans) CAF_CHECK(plan.topics.size() <= 30 && plan.target == "/ws");
  CAF_CHECK_EQUAL(plans[0].topics[0].name, "spot@public.aggre.depth.v3.api.pb@100ms@S0USDT");
  const market_selection limited{.best = false, .trades = false, .candles = true, .book_channel = "limit.depth@20"};
  const auto whole = mexc::description().plan({specs.data(), 1}, limited);
  CAF_CHECK_EQUAL(whole[0].topics[0].name, "spot@public.limit.depth.v3.api.pb@S0USDT@20");
  CAF_CHECK_EQUAL(whole[0].topics[1].name, "spot@public.kline.v3.api.pb@S0USDT@Min1");
}
