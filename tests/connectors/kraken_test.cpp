#define CAF_SUITE kraken

#include "actors/connectors/kraken/codec.hpp"
#include "actors/connectors/kraken/description.hpp"
#include "actors/connectors/kraken/symbols.hpp"
#include "actors/feeds/checksums.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

instrument_spec kraken_pair(std::string_view pair, int price_scale, int size_scale) {
  instrument_spec out;
  const auto parts = kraken::split_pair(pair);
  out.id.text = std::string{parts.base} + '-' + std::string{parts.quote} + "@kraken";
  out.venue_symbol = pair;
  out.price_scale = static_cast<std::uint8_t>(price_scale);
  out.size_scale = static_cast<std::uint8_t>(size_scale);
  out.tick = {1};
  out.lot = {1};
  return out;
}

book_rules rules_of_channel(std::string_view name) {
  for (const auto& channel : kraken::description().books)
    if (channel.name == name) return channel.rules;
  return {};
}

std::unique_ptr<book_machine> machine_of(const instrument_spec& spec, const book_rules& rules) {
  return make_book_machine(rules, {.tick = spec.tick, .window_ticks = 65536},
                           {spec.price_scale, spec.size_scale});
}

struct capture {
  std::string_view file;
  std::string_view pair;
  int price_scale;
  std::uint64_t books;       // images and changes
  std::uint64_t uncut_match; // checksums that are right when the book is never cut
  std::string_view bid, ask;
  std::uint32_t checksum;
};

constexpr capture captures[] = {{"kraken_btcusd_sample.cbcap", "BTC/USD", 1, 2052, 220,
                                 "63418.3x0.10493453", "63418.4x1.05908243", 511166246},
                                {"kraken_ethusd_sample.cbcap", "ETH/USD", 2, 1129, 1129,
                                 "1877.43x0.02367331", "1877.47x1.74941086", 1341200985}};

std::string level_text(const level& l, const instrument_spec& spec) {
  return format_decimal_short(l.at.raw, spec.price_scale) + "x"
         + format_decimal_short(l.quantity.raw, spec.size_scale);
}

std::string kraken_event(std::string_view frame, frame_decoder& d) {
  const auto& e = d.decode(frame);
  return std::string{name_of(e.kind)}
         + (e.kind == event_kind::damaged ? " " + std::string{name_of(e.damage)} : "");
}

} // namespace

CAF_TEST(v2_recordings_prove_every_message) {
  for (const auto& c : captures) {
    const auto file = test::recording(
        "venues/jdardash+crossbook/tests/fixtures/" + std::string{c.file}, "kraken v2");
    if (!file) continue;
    const auto spec = kraken_pair(c.pair, c.price_scale, 8);
    const auto decoder = kraken::make_decoder(spec);
    const auto machine = machine_of(spec, rules_of_channel("book.25"));
    const auto protocol = kraken::description().protocol();
    protocol->begin();
    order_book uncut{{.tick = spec.tick, .window_ticks = 65536}};
    std::uint64_t uncut_match = 0;
    std::uint32_t last = 0;
    std::map<inbound_kind, std::uint64_t> kinds;
    for (const auto& frame : test::capture_frames(*file)) {
      ++kinds[protocol->take(frame).kind];
      const auto& e = decoder->decode(frame);
      CAF_REQUIRE(e.kind != event_kind::damaged);
      if (e.kind == event_kind::image) {
        CAF_CHECK(machine->on_image(e.image) == build_step::replaced);
        uncut.load(e.image.bids, e.image.asks);
        last = e.image.checksum;
      } else if (e.kind == event_kind::depth) {
        CAF_REQUIRE(machine->on_depth(e.depth) == build_step::applied);
        uncut.apply(side::buy, e.depth.bids);
        uncut.apply(side::sell, e.depth.asks);
        last = e.depth.checksum;
      } else {
        continue;
      }
      if (kraken_book_checksum(uncut, spec.price_scale, spec.size_scale) == last) ++uncut_match;
    }
    CAF_CHECK_EQUAL(machine->counts().checksums_compared, c.books);
    CAF_CHECK_EQUAL(machine->counts().checksums_equal, c.books);
    CAF_CHECK_EQUAL(uncut_match, c.uncut_match);
    CAF_CHECK_EQUAL(last, c.checksum);
    CAF_CHECK_EQUAL(level_text(machine->book().bid(), spec), c.bid);
    CAF_CHECK_EQUAL(level_text(machine->book().ask(), spec), c.ask);
    CAF_CHECK_EQUAL(machine->book().levels(side::buy), 25u);
    CAF_CHECK_EQUAL(machine->book().levels(side::sell), 25u);
    CAF_CHECK_EQUAL(kinds[inbound_kind::data], c.books);
    CAF_CHECK_EQUAL(kinds[inbound_kind::acknowledged], 1u);
    CAF_CHECK_EQUAL(kinds[inbound_kind::unknown] + kinds[inbound_kind::damaged], 0u);
  }
}

CAF_TEST(a_lost_message_is_noticed) {
  const auto& c = captures[0];
  const auto file = test::recording(
      "venues/jdardash+crossbook/tests/fixtures/" + std::string{c.file}, "kraken loss");
  if (!file) return;
  const auto spec = kraken_pair(c.pair, c.price_scale, 8);
  const auto decoder = kraken::make_decoder(spec);
  const auto machine = machine_of(spec, rules_of_channel("book.25"));
  std::uint64_t changes = 0;
  std::uint64_t mismatches = 0;
  std::uint32_t before = 0;
  bool lost = false; // one that moves the best ten, which are all the checksum proves
  for (const auto& frame : test::capture_frames(*file)) {
    const auto& e = decoder->decode(frame);
    if (e.kind == event_kind::image) machine->on_image(e.image);
    if (e.kind != event_kind::depth) continue;
    const bool moves = std::exchange(before, e.depth.checksum) != e.depth.checksum;
    if (!lost && ++changes > 20 && moves) {
      lost = true;
      continue;
    }
    if (machine->on_depth(e.depth) == build_step::checksum_mismatch) ++mismatches;
  }
  CAF_CHECK_EQUAL(mismatches, 1u); // then the book is gone until a new image comes
  CAF_CHECK(!machine->valid() && machine->needs_image());
}

CAF_TEST(v1_recording_proves_every_change) {
  const auto file =
      test::recording("venues/bmoscon+cryptofeed/sample_data/KRAKEN.ws.50.0", "kraken v1");
  if (!file) return;
  struct book {
    instrument_spec spec;
    std::unique_ptr<frame_decoder> decoder;
    std::unique_ptr<book_machine> machine;
  };
  std::map<std::string, book> books;
  const auto decimals = [](std::string_view text) {
    const auto point = text.find('.');
    return point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
  };
  const auto expected = test::expected_books("cryptofeed KRAKEN v1 book-1000");
  std::uint64_t messages = 0;
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::received || !line.text.starts_with('[')) continue;
    const auto last = line.text.rfind('"');
    const auto first = line.text.rfind('"', last - 1);
    const auto pair = line.text.substr(first + 1, last - first - 1);
    auto& b = books[pair];
    ++messages;
    if (b.decoder == nullptr) { // v1's checksums are of the decimals it writes
      const auto price = line.text.find("[[\"") + 3;
      const auto price_end = line.text.find('"', price);
      const auto quantity = price_end + 3;
      b.spec = kraken_pair(
          pair, decimals(line.text.substr(price, price_end - price)),
          decimals(line.text.substr(quantity, line.text.find('"', quantity) - quantity)));
      b.spec.venue_symbol = kraken::pair_of_v2(pair);
      b.decoder = kraken::replay_decoder(b.spec);
      b.machine = machine_of(b.spec, rules_of_channel("book.1000"));
    }
    const auto& e = b.decoder->decode(line.text);
    if (e.kind == event_kind::image)
      CAF_CHECK(b.machine->on_image(e.image) == build_step::replaced);
    else if (e.kind == event_kind::depth)
      CAF_REQUIRE(b.machine->on_depth(e.depth) == build_step::applied);
    else
      CAF_FAIL("neither image nor change: " << line.text.substr(0, 200));
  }
  std::uint64_t equal = 0;
  std::uint64_t compared = 0;
  for (const auto& [pair, b] : books) {
    compared += b.machine->counts().checksums_compared;
    equal += b.machine->counts().checksums_equal;
    const auto should = expected.find(pair);
    CAF_REQUIRE(should != expected.end());
    CAF_CHECK_EQUAL(test::book_difference(b.machine->book(), b.spec.price_scale, b.spec.size_scale,
                                          should->second),
                    "");
  }
  CAF_CHECK_EQUAL(messages, 4279u);
  CAF_CHECK_EQUAL(books.size(), 10u);
  CAF_CHECK_EQUAL(compared, 4269u);
  CAF_CHECK_EQUAL(equal, 4269u);
}

CAF_TEST(v1_trades_and_tickers) {
  const auto count = [](std::string_view name, event_kind kind) {
    std::uint64_t out = 0;
    const auto file = test::recording("venues/bmoscon+cryptofeed/sample_data/" + std::string{name},
                                      "kraken v1 trades");
    if (!file) return out;
    for (const auto& line : test::two_way(*file)) {
      if (line.kind != test::two_way_kind::received) continue;
      for (const auto* pair : {"WAVES/EUR", "XMR/USD", "KSM/BTC", "GRT/ETH", "SC/EUR", "ETH/CHF",
                               "OCEAN/BTC", "OMG/USD", "BTC/CHF", "ADA/BTC"}) {
        const auto decoder = kraken::replay_decoder(kraken_pair(pair, 10, 8));
        for (const auto* e = &decoder->decode(line.text); e != nullptr; e = decoder->next()) {
          CAF_CHECK(e->kind != event_kind::damaged);
          if (e->kind == kind) ++out;
        }
      }
    }
    return out;
  };
  if (!test::recordings()) return;
  CAF_CHECK_EQUAL(count("KRAKEN.ws.48.0", event_kind::trade), 10u);
  CAF_CHECK_EQUAL(count("KRAKEN.ws.49.0", event_kind::best), 18u);
}

CAF_TEST(official_checksum_example) {
  const auto file =
      test::recording("venues/derived/official_vectors/kraken_v2_checksum.json", "kraken crc");
  if (!file) return;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  CAF_REQUIRE(parser.load(file->string()).get(root) == simdjson::SUCCESS);
  std::string frame = R"({"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD")";
  for (const auto* key : {"bids", "asks"}) {
    frame += std::string{",\""} + key + "\":[";
    bool more = false;
    for (simdjson::dom::array row : simdjson::dom::array{root[key]}) {
      frame += std::string{more ? "," : ""} + R"({"price":)"
               + std::string{std::string_view{row.at(0)}} + R"(,"qty":)"
               + std::string{std::string_view{row.at(1)}} + '}';
      more = true;
    }
    frame += ']';
  }
  frame += R"(,"checksum":)" + std::to_string(std::uint64_t{root["crc32"]}) + "}]}";
  const auto spec = kraken_pair("BTC/USD", 1, 8);
  const auto decoder = kraken::make_decoder(spec);
  const auto machine = machine_of(spec, rules_of_channel("book.10"));
  CAF_CHECK(machine->on_image(decoder->decode(frame).image) == build_step::replaced);
  CAF_CHECK_EQUAL(machine->counts().checksums_equal, 1u);
}

CAF_TEST(frames_of_2025_and_2026) {
  const auto file =
      test::recording("venues/derived/wire_frames_2026/json_frames.jsonl", "kraken wire frames");
  if (!file) return;
  const auto frames = test::examples(*file, {R"("exchange": "kraken")"});
  CAF_REQUIRE_EQUAL(frames.size(), 4u);
  const auto spec = kraken_pair("ETH/USD", 2, 8);
  const auto decoder = kraken::make_decoder(spec);
  const auto machine = machine_of(spec, rules_of_channel("book.10"));
  const auto& image = decoder->decode(frames[0]);
  CAF_REQUIRE(image.kind == event_kind::image);
  CAF_CHECK(machine->on_image(image.image) == build_step::replaced);
  const auto& change = decoder->decode(frames[1]);
  CAF_REQUIRE(change.kind == event_kind::depth);
  CAF_CHECK(machine->on_depth(change.depth) == build_step::applied);
  CAF_CHECK_EQUAL(machine->counts().checksums_equal, 2u);
  CAF_CHECK_EQUAL(kraken_event(frames[2], *decoder), "failure");
  CAF_CHECK_EQUAL(kraken_event(frames[3], *decoder), "other");
  const auto protocol = kraken::description().protocol();
  CAF_CHECK(protocol->take(frames[2]).kind == inbound_kind::refused);
  CAF_CHECK_EQUAL(protocol->take(frames[2]).why, "Subscription depth not supported");
  CAF_CHECK(protocol->take(frames[3]).kind == inbound_kind::alive);
}

CAF_TEST(another_project_reads_the_same) {
  const auto file =
      test::recording("venues/tardis-dev+tardis-node/test/mappers/kraken.jsonl", "kraken pairs");
  if (!file) return;
  std::size_t compared = 0;
  for (const auto& pair : test::mapper_pairs(*file)) {
    const bool v2 = pair.test.find("v2") != std::string::npos;
    std::string symbol;
    if (v2) {
      const auto at = pair.message.find(R"("symbol":")");
      if (at == std::string::npos) continue;
      symbol = pair.message.substr(at + 10, pair.message.find('"', at + 10) - at - 10);
    } else {
      const auto last = pair.message.rfind('"');
      symbol = pair.message.substr(pair.message.rfind('"', last - 1) + 1);
      symbol.resize(symbol.find('"'));
    }
    const auto spec = kraken_pair(v2 ? symbol : kraken::pair_of_v2(symbol), 9, 8);
    const auto decoder = v2 ? kraken::make_decoder(spec) : kraken::replay_decoder(spec);
    auto ours = test::event_texts(*decoder, pair.message, 9, 8);
    auto theirs = test::expected_texts(pair.expected);
    if (!v2) { // v1 has no trade ids, and one of their texts takes the channel for the pair
      for (auto& text : ours)
        if (text.starts_with("trade ")) {
          const auto id = text.find(' ', 6) + 1;
          text.erase(id, text.find(' ', id) - id);
        }
      for (auto& text : theirs)
        if (const auto at = text.find(" book-1000 "); at != std::string::npos)
          text.replace(at + 1, 9, symbol);
    }
    CAF_CHECK_EQUAL(ours.size(), theirs.size());
    for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
      CAF_CHECK_EQUAL(ours[i], theirs[i]);
    compared += theirs.size();
  }
  CAF_CHECK_EQUAL(compared, 10u);
}

CAF_TEST(trades_tickers_and_candles_of_v2) {
  const auto decoder = kraken::make_decoder(kraken_pair("BTC/USD", 2, 8));
  const auto& trades = decoder->decode(
      R"({"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,)"
      R"("qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"},)"
      R"({"symbol":"ETH/USD","side":"buy","price":1.5,"qty":1,"ord_type":"limit","trade_id":1,)"
      R"("timestamp":"2023-10-06T17:35:55.5Z"},{"symbol":"BTC/USD","side":"sell","price":105910.50,)"
      R"("qty":0.00012460,"ord_type":"market","trade_id":10218209,"timestamp":)"
      R"("2023-10-06T17:35:56.123456Z"}]})");
  CAF_REQUIRE(trades.kind == event_kind::trade);
  CAF_CHECK(trades.trade.taker == side::buy && trades.trade.numbered);
  CAF_CHECK_EQUAL(trades.trade.id, 10218208u);
  CAF_CHECK_EQUAL(trades.trade.at.ns, 1696613755440295000);
  const auto* second = decoder->next();
  CAF_REQUIRE(second != nullptr);
  CAF_CHECK_EQUAL(second->trade.id, 10218209u);
  CAF_CHECK(second->trade.taker == side::sell);
  CAF_CHECK(decoder->next() == nullptr);
  const auto& ticker = decoder->decode(
      R"({"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,)"
      R"("ask":105944.30,"ask_qty":3.2,"last":105899.40,"timestamp":"2022-12-25T09:30:59.123456Z"}]})");
  CAF_REQUIRE(ticker.kind == event_kind::best);
  CAF_CHECK_EQUAL(ticker.best.bid.at.raw, 10594420);
  CAF_CHECK_EQUAL(ticker.best.ask.quantity.raw, 320000000);
  const auto& candle = decoder->decode(
      R"({"channel":"ohlc","type":"update","data":[{"symbol":"BTC/USD","interval":1,)"
      R"("interval_begin":"2023-10-04T16:25:00.000000000Z","open":1.5,"high":2,"low":1e0,"close":1.25,)"
      R"("volume":30927.68066226,"vwap":1.4,"trades":12}]})");
  CAF_REQUIRE(candle.kind == event_kind::candle);
  CAF_CHECK_EQUAL(candle.candle.interval, "1m");
  CAF_CHECK_EQUAL(candle.candle.low.raw, 100);
  CAF_CHECK_EQUAL(candle.candle.trades, 12u);
}

CAF_TEST(bad_frames_are_damage) {
  const auto decoder = kraken::make_decoder(kraken_pair("BTC/USD", 1, 8));
  const auto book = [&](std::string_view row) {
    return kraken_event(R"({"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[)"
                            + std::string{row} + R"(],"asks":[],"checksum":1}]})",
                        *decoder);
  };
  CAF_CHECK_EQUAL(book(R"({"price":1.5,"qty":0.5})"), "depth");
  CAF_CHECK_EQUAL(book(R"({"price":1.55,"qty":0.5})"),
                  "damaged " + std::string{name_of(frame_damage::too_many_decimals)});
  CAF_CHECK_EQUAL(book(R"({"price":1.5})"),
                  "damaged " + std::string{name_of(frame_damage::missing_field)});
  CAF_CHECK_EQUAL(book(R"({"price":1.5,"qty":-1})"),
                  "damaged " + std::string{name_of(frame_damage::bad_number)});
  CAF_CHECK_EQUAL(book(R"({"price":true,"qty":1})"),
                  "damaged " + std::string{name_of(frame_damage::wrong_type)});
  CAF_CHECK_EQUAL(kraken_event("{]", *decoder),
                  "damaged " + std::string{name_of(frame_damage::not_json)});
}

CAF_TEST(protocol_subscribes_and_hears_answers) {
  const std::vector<instrument_spec> specs{kraken_pair("BTC/USD", 1, 8),
                                           kraken_pair("ETH/USD", 2, 8)};
  const auto plans =
      kraken::description().plan(specs, {.candles = true, .book_channel = "book.25"});
  CAF_REQUIRE_EQUAL(plans.size(), 1u);
  CAF_CHECK_EQUAL(plans[0].target, "/v2");
  CAF_REQUIRE_EQUAL(plans[0].topics.size(), 8u);
  const auto protocol = kraken::description().protocol();
  CAF_CHECK(protocol->begin().empty());
  const auto commands = protocol->subscribe(plans[0].topics);
  CAF_REQUIRE_EQUAL(commands.size(), 4u);
  CAF_CHECK_EQUAL(commands[0].text,
                  R"({"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD",)"
                  R"("ETH/USD"],"depth":25,"snapshot":true},"req_id":1})");
  CAF_CHECK_EQUAL(commands[1].text,
                  R"({"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD",)"
                  R"("ETH/USD"],"interval":1,"snapshot":false},"req_id":2})");
  CAF_CHECK_EQUAL(commands[2].text,
                  R"({"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD",)"
                  R"("ETH/USD"],"event_trigger":"bbo","snapshot":false},"req_id":3})");
  const auto& taken = protocol->take(
      R"({"method":"subscribe","result":{"channel":"book","depth":25,"snapshot":true,"symbol":"ETH/USD"},)"
      R"("success":true,"req_id":1})");
  CAF_CHECK(taken.kind == inbound_kind::acknowledged);
  CAF_CHECK_EQUAL(taken.topic, "book.25 ETH/USD");
  const auto& refused = protocol->take(
      R"({"error":"Subscription depth not supported","method":"subscribe","success":false,"req_id":1})");
  CAF_CHECK(refused.kind == inbound_kind::refused);
  CAF_REQUIRE_EQUAL(refused.topics.size(), 2u);
  CAF_CHECK_EQUAL(refused.topics[0], "book.25 BTC/USD");
  const auto& unknown_pair = protocol->take(
      R"({"error":"Currency pair not supported ETH/USD","method":"subscribe","success":false,)"
      R"("symbol":"ETH/USD","req_id":4})");
  CAF_CHECK_EQUAL(unknown_pair.topic, "trade ETH/USD");
  const auto& data = protocol->take(
      R"({"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":1}]})");
  CAF_CHECK(data.kind == inbound_kind::data);
  CAF_CHECK_EQUAL(data.topic, "book.25 BTC/USD");
  CAF_REQUIRE_EQUAL(data.symbols.size(), 1u);
  CAF_CHECK_EQUAL(data.symbols[0], "BTC/USD");
  CAF_CHECK(protocol->take(R"({"channel":"heartbeat"})").kind == inbound_kind::alive);
  CAF_CHECK(protocol->take(R"({"method":"pong","req_id":1})").kind == inbound_kind::alive);
  CAF_CHECK(
      protocol->take(R"({"channel":"status","type":"update","data":[{"system":"maintenance"}]})")
          .kind
      == inbound_kind::shutdown);
  CAF_CHECK(protocol->take("{\"channel\":").kind == inbound_kind::damaged);
  CAF_CHECK(protocol->take("[]").kind == inbound_kind::unknown);
  const auto ends = protocol->unsubscribe(std::span{plans[0].topics}.first(1));
  CAF_REQUIRE_EQUAL(ends.size(), 1u);
  CAF_CHECK_EQUAL(ends[0].text,
                  R"({"method":"unsubscribe","params":{"channel":"book","symbol":["BTC/USD"],)"
                  R"("depth":25},"req_id":5})");
  CAF_CHECK(ends[0].topics.empty());
  CAF_CHECK(
      protocol->take(R"({"method":"unsubscribe","success":true,"result":{"channel":"book"}})").kind
      == inbound_kind::alive);
}

CAF_TEST(instruments_of_rest_and_of_the_socket) {
  const auto read = [](std::string_view body) {
    auto out = kraken::description().read_instruments(body, {5});
    CAF_REQUIRE(out.has_value());
    return std::move(*out);
  };
  const auto find = [](const std::vector<instrument_spec>& all,
                       std::string_view id) -> const instrument_spec* {
    for (const auto& one : all)
      if (one.id.text == id) return &one;
    return nullptr;
  };
  const auto channel = read(
      R"({"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"SHIB/USD",)"
      R"("base":"SHIB","quote":"USD","status":"online","qty_precision":5,"qty_increment":1e-05,)"
      R"("price_precision":9,"cost_precision":10,"cost_min":0.5,"qty_min":5e-05,"price_increment":1e-09},)"
      R"({"symbol":"GONE/USD","status":"delisted","qty_precision":8,"qty_increment":1e-08,)"
      R"("price_precision":2,"price_increment":0.01}]}})");
  CAF_REQUIRE_EQUAL(channel.size(), 1u);
  CAF_CHECK_EQUAL(channel[0].id.text, "SHIB-USD@kraken");
  CAF_CHECK_EQUAL(channel[0].tick.raw, 1);
  CAF_CHECK_EQUAL(channel[0].min_size.raw, 5);
  CAF_CHECK_EQUAL(channel[0].min_notional.raw, 50'000'000'000'000);
  const auto refused =
      kraken::description().read_instruments(R"({"error":["EGeneral:Temporary lockout"]})", {});
  CAF_CHECK(!refused.has_value());
  CAF_CHECK(!kraken::description().read_instruments("<html>", {}).has_value());
  const std::string base =
      "venues/nautechsystems+nautilus_trader/crates/adapters/kraken/test_data/";
  if (const auto file = test::recording(base + "http_asset_pairs.json", "kraken pairs")) {
    const auto all = read(test::text_of(*file));
    const auto* btc = find(all, "BTC-USDT@kraken");
    CAF_REQUIRE(btc != nullptr);
    CAF_CHECK_EQUAL(btc->venue_symbol, "BTC/USDT");
    CAF_CHECK_EQUAL(static_cast<int>(btc->price_scale), 1);
    CAF_CHECK_EQUAL(static_cast<int>(btc->size_scale), 8);
    CAF_CHECK_EQUAL(btc->tick.raw, 1);
    CAF_CHECK_EQUAL(btc->min_size.raw, 5000);
    CAF_CHECK_EQUAL(btc->valid_from.ns, 5);
  }
  if (const auto file = test::recording(base + "http_asset_pairs_tokenized.json", "kraken stocks"))
    CAF_CHECK(find(read(test::text_of(*file)), "AAPLX-USD@kraken") != nullptr);
  if (const auto file =
          test::recording("venues/bmoscon+cryptofeed/sample_data/KRAKEN.0", "kraken 2021")) {
    const auto lines = test::two_way(*file);
    CAF_REQUIRE(!lines.empty());
    const auto all = read(lines[0].text);
    CAF_CHECK_EQUAL(all.size(), 292u); // of 304 without dark pools and ETH2.S/ETH
    CAF_CHECK(find(all, "DOGE-USD@kraken") != nullptr && find(all, "BTC-CHF@kraken") != nullptr);
  }
}

CAF_TEST(candles_of_rest) {
  const auto spec = kraken_pair("BTC/USD", 3, 8);
  const auto call = kraken::description().candle_call(spec, 1min, {1'700'000'040'000'000'000}, {});
  CAF_CHECK_EQUAL(call.target, "/0/public/OHLC?pair=XBTUSD&interval=1&since=1700000039");
  CAF_CHECK(kraken::description().candle_call(spec, 1s, {}, {}).target.empty());
  CAF_CHECK(kraken::description().candles.newest_only);
  const auto file = test::recording("venues/knowm+XChange/xchange-kraken/src/test/resources/org/"
                                    "knowm/xchange/kraken/dto/marketdata/"
                                    "example-ohlc-data.json",
                                    "kraken candles");
  if (!file) return;
  const auto page = kraken::description().read_candles(spec, 1min, test::text_of(*file));
  CAF_REQUIRE(page.has_value());
  CAF_CHECK_EQUAL(page->bars.size(), 720u);
  const auto& first = page->bars.front();
  CAF_CHECK_EQUAL(first.open_time.ns, 1'502'402'520'000'000'000);
  CAF_CHECK_EQUAL(first.open.raw, 3449992);
  CAF_CHECK_EQUAL(first.high.raw, 3449999);
  CAF_CHECK_EQUAL(first.volume.raw, 101200000);
  CAF_CHECK_EQUAL(first.trades, 7u);
  CAF_CHECK(first.closed && !page->bars.back().closed);
}
