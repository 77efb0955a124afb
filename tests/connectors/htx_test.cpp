#define CAF_SUITE htx

#include "actors/connectors/htx/codec.hpp"
#include "actors/connectors/htx/description.hpp"
#include "tests/support/decoding.hpp"
#include "tests/support/seeds.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

#include <zlib.h>

using namespace troupe;
using namespace std::chrono_literals;
using test::spec_of;

namespace {

std::string gzip(std::string_view text) {
  z_stream z{};
  std::string out(text.size() + 1024, '\0');
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

/// One frame of a recording in its three forms.
struct recorded_frame {
  bool sent = false;
  std::string literal; ///< bytes out of the recorder's literal; text of sent ones
  std::string hex;     ///< bytes out of the decoded copy
  std::string json;
};

std::vector<recorded_frame> htx_recording(const std::string& name, std::string_view test) {
  std::vector<recorded_frame> out;
  const auto raw = test::recording("venues/bmoscon+cryptofeed/sample_data/" + name, test);
  const auto copy = test::recording("venues/derived/huobi_decoded/" + name + ".jsonl", test);
  if (!raw || !copy) return out;
  for (const auto& line : test::two_way(*raw)) {
    if (line.kind == test::two_way_kind::sent) out.push_back({true, line.text, {}, {}});
    if (line.kind == test::two_way_kind::received) out.push_back({false, test::bytes_of(line.text), {}, {}});
  }
  std::size_t at = 0;
  for (const auto& line : test::lines_of(*copy)) {
    CAF_REQUIRE(at < out.size());
    out[at].hex = test::unhex(test::member_text(line, "gzip_hex"));
    out[at++].json = test::member_text(line, "json");
  }
  CAF_CHECK_EQUAL(at, out.size());
  return out;
}

/// Replays a recording of step0 books; decodes each frame from the literal, the copy's bytes and its text.
struct replay {
  std::uint64_t images = 0, trades = 0, pings = 0, echoed = 0, acknowledged = 0, other = 0;
  std::uint64_t steps = 0, jumps = 0, differing = 0, crossed = 0;
  std::map<std::string, std::unique_ptr<book_machine>> books;

  void run(const std::vector<recorded_frame>& frames, contract_kind kind, int price_scale, int size_scale) {
    const auto protocol = htx::description().protocol();
    protocol->begin();
    std::map<std::string, std::array<std::unique_ptr<frame_decoder>, 3>> decoders;
    std::map<std::string, std::uint64_t> versions;
    std::vector<std::string> pongs;
    for (const auto& frame : frames) {
      if (frame.sent) {
        if (!pongs.empty() && frame.literal.find("pong") != std::string::npos)
          echoed += frame.literal == pongs.back() ? 1 : 0;
        continue;
      }
      const auto& in = protocol->take(frame.literal);
      if (in.kind == inbound_kind::alive) {
        ++pings;
        CAF_REQUIRE(in.replies.size() == 1);
        pongs.push_back(in.replies[0]);
      }
      acknowledged += in.kind == inbound_kind::acknowledged ? 1 : 0;
      if (in.kind == inbound_kind::unknown || in.kind == inbound_kind::damaged) ++other;
      if (in.kind != inbound_kind::data) continue;
      const std::string symbol{in.symbols[0]};
      const std::string text{in.text};
      const auto spec = spec_of(symbol, kind, price_scale, size_scale);
      auto& three = decoders[symbol];
      for (auto& one : three)
        if (one == nullptr) one = htx::description().decoder(spec);
      const auto whole = test::event_texts(*three[0], frame.literal, price_scale, size_scale);
      differing += whole != test::event_texts(*three[1], frame.hex, price_scale, size_scale) ? 1 : 0;
      differing += whole != test::event_texts(*three[1], text, price_scale, size_scale) ? 1 : 0;
      differing += whole != test::event_texts(*three[2], frame.json, price_scale, size_scale) ? 1 : 0;
      take(*three[0], frame.literal, spec, versions[symbol]);
    }
  }

  void take(frame_decoder& decoder, std::string_view frame, const instrument_spec& spec, std::uint64_t& version) {
    for (const auto& e : test::events_of(decoder, frame)) {
      if (e.kind == event_kind::trade) ++trades;
      if (e.kind == event_kind::damaged || e.kind == event_kind::other) ++other;
      if (e.kind != event_kind::image) continue;
      ++images;
      auto& machine = books[spec.venue_symbol];
      if (machine == nullptr) machine = test::machine_of(htx::description().books[0].rules, spec);
      CAF_CHECK(machine->on_image(e.image) == build_step::replaced);
      crossed += machine->book().crossed() || !machine->valid() ? 1 : 0;
      CAF_CHECK_EQUAL(machine->book().levels(side::buy), e.image.bids.size());
      CAF_CHECK_EQUAL(machine->book().levels(side::sell), e.image.asks.size());
      if (version != 0) {
        ++steps;
        jumps += e.image.last != version + 1 ? 1 : 0;
      }
      version = e.image.last;
    }
  }
};

std::string mbp(std::uint64_t previous, std::uint64_t last, std::uint64_t ts, std::string_view asks) {
  return R"({"ch":"market.abcusdt.mbp.150","ts":)" + std::to_string(ts) + R"(,"tick":{"seqNum":)"
         + std::to_string(last) + R"(,"prevSeqNum":)" + std::to_string(previous) + R"(,"asks":)"
         + std::string{asks} + R"(,"bids":[]}})";
}

constexpr std::string_view step0 =
    R"({"ch":"market.abcusdt.depth.step0","ts":1630983549503,"tick":{"bids":[[52690.69,0.36281],[52690.68,0.2]],"asks":[[52690.7,0.372591],[52691.26,0.13]],"version":136998124622,"ts":1630983549500}})";

} // namespace

CAF_TEST(spot_recording) {
  const auto frames = htx_recording("HUOBI.ws.44.0", "htx spot");
  if (frames.empty()) return;
  replay r;
  r.run(frames, contract_kind::spot, 10, 8);
  CAF_CHECK_EQUAL(r.images, 292u);
  CAF_CHECK_EQUAL(r.books.size(), 10u);
  CAF_CHECK_EQUAL(r.steps, 282u);
  CAF_CHECK_EQUAL(r.jumps, 277u); // of no meaning: none is a gap
  for (const auto& [symbol, machine] : r.books) CAF_CHECK(machine->valid() && machine->counts().gaps == 0);
  CAF_CHECK_EQUAL(r.crossed, 0u);
  CAF_CHECK_EQUAL(r.differing, 0u);
  CAF_CHECK_EQUAL(r.pings, 6u);
  CAF_CHECK_EQUAL(r.echoed, 6u);
  CAF_CHECK_EQUAL(r.acknowledged, 20u);
  CAF_CHECK(r.trades >= 44);
  CAF_CHECK_EQUAL(r.other, 0u);
}

CAF_TEST(swap_recording) {
  const auto frames = htx_recording("HUOBI_SWAP.ws.1.0", "htx swap");
  if (frames.empty()) return;
  replay r;
  r.run(frames, contract_kind::inverse, 8, 0);
  CAF_CHECK_EQUAL(r.images, 1274u);
  CAF_CHECK_EQUAL(r.books.size(), 5u);
  CAF_CHECK_EQUAL(r.crossed, 0u);
  CAF_CHECK_EQUAL(r.differing, 0u);
  CAF_CHECK_EQUAL(r.pings, 6u);
  CAF_CHECK_EQUAL(r.echoed, 6u);
  CAF_CHECK_EQUAL(r.acknowledged, 10u);
  CAF_CHECK(r.trades >= 6);
  CAF_CHECK_EQUAL(r.other, 0u);
}

CAF_TEST(subscriptions_are_those_of_the_recordings) {
  for (const std::string name : {"HUOBI.ws.44.0", "HUOBI_SWAP.ws.1.0"}) {
    const auto frames = htx_recording(name, "htx subscriptions");
    const auto protocol = htx::description().protocol();
    protocol->begin();
    std::size_t compared = 0;
    for (const auto& frame : frames) {
      if (!frame.sent || frame.literal.find("\"sub\"") == std::string::npos) continue;
      const market_topic topic{topic_kind::book, "x", test::member_text(frame.literal, "sub")};
      const auto commands = protocol->subscribe({&topic, 1});
      CAF_REQUIRE(commands.size() == 1);
      auto ours = commands[0].text;
      // The spot recorder wrote the id as a number, the swap one as text: it is the client's own.
      if (frame.literal.find("\"id\":\"") == std::string::npos) {
        ours.erase(ours.rfind('"'), 1);
        ours.erase(ours.rfind('"'), 1);
      }
      CAF_CHECK_EQUAL(ours, frame.literal);
      ++compared;
    }
    if (!frames.empty()) CAF_CHECK_EQUAL(compared, name == "HUOBI.ws.44.0" ? 20u : 10u);
  }
}

CAF_TEST(inflating_is_bounded) {
  const auto decoder = htx::description().decoder(spec_of("abcusdt"));
  const auto protocol = htx::description().protocol();
  const auto packed = gzip(step0);
  CAF_CHECK(decoder->decode(packed).kind == event_kind::image);
  CAF_CHECK(decoder->decode(step0).kind == event_kind::image);
  CAF_CHECK_EQUAL(protocol->take(packed).text, step0);
  CAF_CHECK_EQUAL(test::cuts_not_damaged(*decoder, packed), 0u);
  CAF_CHECK(decoder->decode(packed + "x").damage == frame_damage::not_json); // something behind the frame
  auto flipped = packed;
  flipped[packed.size() - 6] = static_cast<char>(flipped[packed.size() - 6] ^ 1); // the checksum
  CAF_CHECK(decoder->decode(flipped).kind == event_kind::damaged);
  const auto bomb = gzip(std::string(200u << 20, ' '));
  CAF_CHECK(bomb.size() < 1u << 20);
  CAF_CHECK(decoder->decode(bomb).damage == frame_damage::too_large);
  CAF_CHECK(protocol->take(bomb).kind == inbound_kind::damaged);
  CAF_CHECK(decoder->decode(packed).kind == event_kind::image); // and goes on
  CAF_CHECK(protocol->take(packed).kind == inbound_kind::data);
}

CAF_TEST(another_projects_messages) {
  const auto file = test::recording("venues/tardis-dev+tardis-node/test/mappers/huobi.jsonl", "htx pairs");
  if (!file) return;
  std::size_t compared = 0;
  for (const auto& pair : test::mapper_pairs(*file)) {
    const auto channel = test::member_text(pair.message, "ch");
    const auto expected = test::expected_texts(pair.expected);
    if (channel.empty() || expected.empty()) continue;
    const std::string symbol{htx::parts_of_channel(channel).symbol};
    const auto decoder = htx::description().decoder(spec_of(symbol, contract_kind::spot, 10, 8));
    auto found = test::event_texts(*decoder, pair.message, 10, 8);
    for (auto& text : found) // the other project spells symbols in capitals
      if (const auto at = text.find(symbol); at != std::string::npos)
        for (std::size_t i = at; i < at + symbol.size(); ++i)
          text[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[i])));
    CAF_CHECK_EQUAL(found, expected);
    ++compared;
  }
  CAF_CHECK_EQUAL(compared, 13u);
}

CAF_TEST(an_mbp_book_of_another_project) {
  const auto file = test::recording("venues/tardis-dev+tardis-node/test/mappers/huobi.jsonl", "htx mbp");
  if (!file) return;
  const auto spec = spec_of("btcusdt", contract_kind::spot, 2, 6);
  const auto decoder = htx::description().decoder(spec);
  const auto machine = test::machine_of(htx::description().rules_of("mbp.150"), spec);
  test::book_tally tally;
  std::string expected;
  for (const auto& pair : test::mapper_pairs(*file)) {
    const bool image = test::member_text(pair.message, "rep") == "market.btcusdt.mbp.150";
    const bool fresh = pair.message.find("109409288253") == std::string::npos; // the first one is older by mapper
    if (!image && (test::member_text(pair.message, "ch") != "market.btcusdt.mbp.150" || !fresh)) continue;
    test::feed_frame(*decoder, *machine, pair.message, tally);
    if (!image) continue;
    expected = pair.expected;
    break;
  }
  // The image (…160) is older than the newest change received (…226): the buffer is joined with it.
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->sequence(), 109409288226u);
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(expected);
  const simdjson::dom::object book = root.at(0);
  std::size_t levels = 0;
  for (const auto s : {side::buy, side::sell}) {
    const simdjson::dom::array rows = book[s == side::buy ? "bids" : "asks"];
    for (simdjson::dom::object row : rows) {
      const auto at = parse_decimal(test::plain_number(simdjson::minify(row["price"])), 2);
      const auto amount = parse_decimal(test::plain_number(simdjson::minify(row["amount"])), 6);
      CAF_CHECK_EQUAL(machine->book().at(s, {*at}).raw, *amount);
      levels += *amount != 0 ? 1 : 0;
    }
  }
  CAF_CHECK_EQUAL(machine->book().levels(side::buy) + machine->book().levels(side::sell), levels);
}

CAF_TEST(swaps_count_in_base_units_where_they_can) {
  auto linear = spec_of("BTC-USDT", contract_kind::linear, 1, 3);
  linear.lot = {1}; // a contract is 0.001 BTC
  const auto decoder = htx::description().decoder(linear);
  constexpr std::string_view frame =
      R"({"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"asks":[[10866.1,137]],"bids":[[10866,3166]],"ch":"market.BTC-USDT.depth.size_150.high_freq","event":"snapshot","id":1,"mrid":1,"ts":1581552001187,"version":25630954},"ts":1581552001189})";
  const auto events = test::events_of(*decoder, frame);
  CAF_REQUIRE(events.size() == 1 && events[0].kind == event_kind::image);
  CAF_CHECK_EQUAL(events[0].image.asks[0].quantity.raw, 137);
  CAF_CHECK_EQUAL(events[0].image.asks[0].at.raw, 108661);
  linear.size_scale = 1;
  linear.lot = {100}; // a contract is 10 coins
  const auto coins = htx::description().decoder(linear);
  CAF_CHECK_EQUAL(test::events_of(*coins, frame)[0].image.bids[0].quantity.raw, 316600);

  const auto machine = test::machine_of(htx::description().rules_of("depth.size_150.high_freq"), linear);
  test::book_tally tally;
  test::feed_frame(*coins, *machine, frame, tally);
  CAF_CHECK(machine->valid());
  const auto update = [&](std::string_view version) {
    return R"({"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"asks":[],"bids":[[10866,5]],"event":"update","ts":1,"version":)"
           + std::string{version} + R"(},"ts":1581552001277})";
  };
  test::feed_frame(*coins, *machine, update("25630955"), tally);
  CAF_CHECK(machine->valid());
  CAF_CHECK_EQUAL(machine->book().bid().quantity.raw, 500);
  test::feed_frame(*coins, *machine, update("25630957"), tally);
  CAF_CHECK(!machine->valid());
  CAF_CHECK_EQUAL(machine->counts().gaps, 1u);
}

CAF_TEST(samples_of_another_client) {
  const std::string folder = "venues/thrasher-corp+gocryptotrader/exchanges/huobi/testdata/";
  const auto trades = test::recording(folder + "wsAllTrades.json", "htx samples");
  const auto candles = test::recording(folder + "wsCandles.json", "htx samples");
  if (!trades || !candles) return;
  const auto decoder = htx::description().decoder(spec_of("btcusdt", contract_kind::spot, 2, 6));
  const auto lines = test::lines_of(*trades);
  const auto first = test::events_of(*decoder, lines[0]);
  CAF_REQUIRE(first.size() == 1 && first[0].kind == event_kind::trade);
  CAF_CHECK_EQUAL(first[0].trade.id, 102523573486u); // the id of 27 digits beside it is none of 64 bits
  CAF_CHECK(first[0].trade.taker == side::buy && !first[0].trade.numbered);
  CAF_CHECK_EQUAL(first[0].trade.quantity.raw, 6754);
  CAF_CHECK_EQUAL(first[0].trade.at.ns, 1630994963173000000);
  const auto candle = decoder->decode(test::lines_of(*candles)[0]);
  CAF_REQUIRE(candle.kind == event_kind::candle);
  CAF_CHECK_EQUAL(candle.candle.interval, "1min");
  CAF_CHECK_EQUAL(candle.candle.open_time.ns, 1489464480000000000);
  CAF_CHECK_EQUAL(candle.candle.close_time.ns, 1489464540000000000);
  CAF_CHECK_EQUAL(candle.candle.volume.raw, 1821490000); // amount, not vol
  CAF_CHECK_EQUAL(candle.candle.trades, 4u);
  const auto best = decoder->decode(
      R"({"ch":"market.btcusdt.bbo","ts":1575158404058,"tick":{"seqId":103273695595,"ask":7543.59,"askSize":2.323241,"bid":7541.16,"bidSize":0.002329,"quoteTime":1575158404057,"symbol":"btcusdt"}})");
  CAF_REQUIRE(best.kind == event_kind::best);
  CAF_CHECK_EQUAL(best.best.sequence, 103273695595u);
  CAF_CHECK(best.best.bid.at.raw == 754116 && best.best.ask.quantity.raw == 2323241);
  CAF_CHECK_EQUAL(best.best.event.ns, 1575158404057000000);
}

CAF_TEST(the_image_is_asked_for_when_the_changes_reach_back) {
  const auto protocol = htx::description().protocol();
  protocol->begin();
  const std::vector<market_topic> topics{{topic_kind::book, "abcusdt", "market.abcusdt.mbp.150"},
                                         {topic_kind::book, "xyzusdt", "market.xyzusdt.mbp.150"}};
  const auto commands = protocol->subscribe(topics);
  CAF_CHECK_EQUAL(commands[0].text, R"({"sub":"market.abcusdt.mbp.150","id":"1"})");
  for (const auto answer : {R"({"id":"1","status":"ok","subbed":"market.abcusdt.mbp.150","ts":1})",
                            R"({"id":"2","status":"ok","subbed":"market.xyzusdt.mbp.150","ts":1})"}) {
    const auto& in = protocol->take(answer);
    CAF_CHECK(in.kind == inbound_kind::acknowledged && in.replies.empty());
  }
  CAF_CHECK(protocol->take(mbp(1, 2, 1000, "[[9,1]]")).replies.empty());
  CAF_CHECK(protocol->take(mbp(2, 3, 1900, "[[9,2]]")).replies.empty());
  const auto& later = protocol->take(gzip(mbp(3, 5, 2000, "[[9,3]]")));
  CAF_REQUIRE(later.replies.size() == 1);
  CAF_CHECK_EQUAL(later.replies[0], R"({"req":"market.abcusdt.mbp.150","id":"3"})");
  CAF_CHECK_EQUAL(later.sequence, 5u);
  CAF_CHECK(protocol->take(mbp(5, 6, 4000, "[[9,4]]")).replies.empty()); // once
  const auto& image = protocol->take(
      R"({"id":"3","status":"ok","ts":9,"rep":"market.abcusdt.mbp.150","data":{"bids":[],"asks":[],"seqNum":3}})");
  CAF_CHECK(image.kind == inbound_kind::data && image.symbols[0] == "abcusdt");
  // Where nothing changes: at the second ping.
  CAF_CHECK_EQUAL(protocol->take(R"({"ping":18446744073709551615})").replies.size(), 1u);
  const auto& second = protocol->take(R"({"ping":8})");
  CAF_REQUIRE(second.replies.size() == 2);
  CAF_CHECK_EQUAL(second.replies[0], R"({"pong":8})");
  CAF_CHECK_EQUAL(second.replies[1], R"({"req":"market.xyzusdt.mbp.150","id":"4"})");
  CAF_CHECK_EQUAL(protocol->take(R"({"ping":9})").replies.size(), 1u);
  // Subscribing anew brings a new image.
  protocol->unsubscribe({topics.data(), 1});
  protocol->subscribe({topics.data(), 1});
  protocol->take(mbp(6, 7, 5000, "[]"));
  CAF_CHECK_EQUAL(protocol->take(mbp(7, 8, 6000, "[]")).replies.size(), 1u);
}

CAF_TEST(refusals_and_damage) {
  const auto protocol = htx::description().protocol();
  protocol->begin();
  const market_topic topic{topic_kind::trades, "nope", "market.nope.trade.detail"};
  protocol->subscribe({&topic, 1});
  const auto& refused = protocol->take(
      R"({"status":"error","ts":1494301904959,"id":"1","err-code":"bad-request","err-msg":"invalid topic market.nope.trade.detail"})");
  CAF_CHECK(refused.kind == inbound_kind::refused);
  CAF_CHECK_EQUAL(refused.topic, topic.name);
  CAF_CHECK_EQUAL(refused.why, "invalid topic market.nope.trade.detail");
  CAF_CHECK(protocol->take(R"({"status":"error","ts":1,"id":"77","err-code":"bad-request","err-msg":"x"})").kind
            == inbound_kind::failure);
  CAF_CHECK(protocol->take(R"({"id":"2","status":"ok","unsubbed":"market.nope.trade.detail","ts":1})").kind
            == inbound_kind::alive);
  CAF_CHECK(protocol->take("{}").kind == inbound_kind::unknown);
  CAF_CHECK(protocol->take("").kind == inbound_kind::damaged);
  CAF_CHECK(protocol->take(R"({"ping":"a b"})").kind == inbound_kind::alive); // echoed as it came
  CAF_CHECK(protocol->take(R"({"ping":{}})").kind == inbound_kind::damaged);
  const auto decoder = htx::description().decoder(spec_of("abcusdt", contract_kind::spot, 2, 6));
  const auto damage_of = [&](std::string_view from, std::string_view to) {
    std::string text{step0};
    text.replace(text.find(from), from.size(), to);
    const auto& e = decoder->decode(text);
    return e.kind == event_kind::damaged ? e.damage : frame_damage::none;
  };
  CAF_CHECK(damage_of("52690.69", "52690.699") == frame_damage::too_many_decimals);
  CAF_CHECK(damage_of("52690.69", "-52690.69") == frame_damage::bad_number);
  CAF_CHECK(damage_of("0.36281", "{}") == frame_damage::wrong_type);
  CAF_CHECK(damage_of(R"("ts":1630983549503,)", "") == frame_damage::missing_field);
  CAF_CHECK(damage_of("0.36281", "0.30000000000000004") == frame_damage::none);
  CAF_CHECK(decoder->decode(R"({"ch":"market.other.depth.step0","ts":1,"tick":{}})").kind == event_kind::other);
  CAF_CHECK(decoder->decode(mbp(5, 5, 1, "[]")).damage == frame_damage::bad_range);
}

CAF_TEST(instruments_and_candles) {
  const auto& venue = htx::description();
  const std::string spot = "venues/JKorf+HTX.Net/HTX.Net.UnitTests/Endpoints/Spot/ExchangeData/";
  const std::string swap = "venues/JKorf+HTX.Net/HTX.Net.UnitTests/Endpoints/UsdtMarginSwap/ExchangeData/";
  const auto config = test::recording(spot + "GetSymbolConfig.txt", "htx instruments");
  const auto contracts = test::recording(swap + "GetContractInfo.txt", "htx contracts");
  const auto old = test::recording("venues/bmoscon+cryptofeed/sample_data/HUOBI_SWAP.0", "htx old contracts");
  if (config && contracts) {
    const auto one = venue.read_instruments(test::endpoint_body(*config), {3});
    CAF_REQUIRE(one.has_value() && one->size() == 1);
    CAF_CHECK_EQUAL(one->at(0).id.text, "BTC3L-USDT@htx");
    CAF_CHECK_EQUAL(one->at(0).venue_symbol, "btc3lusdt");
    CAF_CHECK(one->at(0).price_scale == 4 && one->at(0).size_scale == 8 && one->at(0).lot.raw == 10000);
    CAF_CHECK_EQUAL(one->at(0).min_size.raw, 1000000);
    CAF_CHECK_EQUAL(one->at(0).max_size.raw, 19905150000);
    CAF_CHECK_EQUAL(one->at(0).min_notional.raw, 5'000'000'000'000);
    const auto linear = venue.read_instruments(test::endpoint_body(*contracts), {3});
    CAF_REQUIRE(linear.has_value() && linear->size() == 1); // dated futures are left out
    CAF_CHECK_EQUAL(linear->at(0).id.text, "BTC-USDT-PERP@htx");
    CAF_CHECK(linear->at(0).kind == contract_kind::linear);
    CAF_CHECK(linear->at(0).price_scale == 1 && linear->at(0).size_scale == 3 && linear->at(0).lot.raw == 1);
  }
  if (old) {
    const auto lines = test::two_way(*old);
    CAF_REQUIRE(lines.size() >= 2);
    const auto inverse = venue.read_instruments(lines[0].text, {});
    CAF_REQUIRE(inverse.has_value() && !inverse->empty());
    CAF_CHECK_EQUAL(inverse->at(0).id.text, "BTC-USD-PERP@htx");
    CAF_CHECK(inverse->at(0).kind == contract_kind::inverse && inverse->at(0).size_scale == 0);
    const auto linear = venue.read_instruments(lines[1].text, {});
    CAF_REQUIRE(linear.has_value() && linear->size() > 50);
  }
  const auto klines = test::recording(spot + "GetKlines.txt", "htx candles");
  const auto spec = spec_of("btcusdt", contract_kind::spot, 2, 6);
  if (klines) {
    const auto page = venue.read_candles(spec, 5min, test::endpoint_body(*klines));
    CAF_REQUIRE(page.has_value() && page->bars.size() == 2);
    CAF_CHECK_EQUAL(page->bars[0].open_time.ns, 1629768900000000000);
    CAF_CHECK(page->bars[0].open.raw == 4899461 && page->bars[0].close.raw == 4905637);
    CAF_CHECK(page->bars[0].low.raw == 4896672 && page->bars[0].high.raw == 4907246);
    CAF_CHECK_EQUAL(page->bars[0].volume.raw, 30722231); // 30.72223099519689
    CAF_CHECK_EQUAL(page->bars[0].trades, 1504u);
    CAF_CHECK(page->bars[0].closed && !page->bars[1].closed);
  }
  CAF_CHECK_EQUAL(venue.candle_call(spec, 1h, {}, {}).target, "/market/history/kline?symbol=btcusdt&period=60min&size=2000");
  CAF_CHECK(venue.candle_call(spec, 24h, {}, {}).target.empty()); // days begin at 16:00 UTC
  CAF_CHECK(!venue.read_candles(spec, 1min, R"({"status":"error","err-code":"invalid-parameter","err-msg":"x"})").has_value());
  CAF_CHECK_EQUAL(venue.instruments().size(), 3u);
}

CAF_TEST(plans_by_socket) {
  auto linear = spec_of("BTC-USDT", contract_kind::linear);
  auto inverse = spec_of("BTC-USD", contract_kind::inverse);
  const std::vector<instrument_spec> specs{spec_of("btcusdt"), linear, inverse};
  const auto targets = [&](std::string channel) {
    std::string out;
    market_selection what;
    what.book_channel = std::move(channel);
    for (const auto& plan : htx::description().plan(specs, what)) {
      out += plan.target;
      for (const auto& topic : plan.topics) out += ' ' + topic.name;
      out += '\n';
    }
    return out;
  };
  CAF_CHECK_EQUAL(targets(""),
                  "/ws market.btcusdt.depth.step0 market.btcusdt.bbo market.btcusdt.trade.detail\n"
                  "/linear-swap-ws market.BTC-USDT.depth.step0 market.BTC-USDT.bbo market.BTC-USDT.trade.detail\n"
                  "/swap-ws market.BTC-USD.depth.step0 market.BTC-USD.bbo market.BTC-USD.trade.detail\n");
  CAF_CHECK_EQUAL(targets("mbp.150"),
                  "/feed market.btcusdt.mbp.150\n/ws market.btcusdt.bbo market.btcusdt.trade.detail\n"
                  "/linear-swap-ws market.BTC-USDT.depth.size_150.high_freq market.BTC-USDT.bbo market.BTC-USDT.trade.detail\n"
                  "/swap-ws market.BTC-USD.depth.size_150.high_freq market.BTC-USD.bbo market.BTC-USD.trade.detail\n");
}

CAF_TEST(any_bytes_are_safe) {
  std::mt19937_64 random{test::seed_of("htx any bytes", 41)};
  const auto decoder = htx::description().decoder(spec_of("abcusdt", contract_kind::spot, 2, 6));
  const auto protocol = htx::description().protocol();
  std::vector<std::string> frames{std::string{step0}, mbp(1, 2, 3, "[[1,2],[3,4e-5]]"), gzip(step0),
                                  R"({"ping":1618678073643})", gzip(mbp(1, 2, 3, "[[1,2]]")),
                                  R"({"ch":"market.abcusdt.trade.detail","ts":5,"tick":{"data":[{"id":10033171587547,"ts":5,"amount":1.5,"price":6.37,"direction":"buy"}]}})"};
  CAF_CHECK_EQUAL(test::broken_promises(*decoder, *protocol, frames, random,
                                        static_cast<int>(test::scaled(20000))), 0u);
}
