#define CAF_SUITE layouts

// What a decoder reads in one pass, it must read by field alike: over every recorded frame, over frames of
// each layout, and over these with bytes changed.

#include "actors/connectors/bitfinex/codec.hpp"
#include "actors/connectors/coinbase/codec.hpp"
#include "actors/connectors/htx/codec.hpp"
#include "actors/connectors/kraken/codec.hpp"
#include "actors/connectors/kucoin/codec.hpp"
#include "tests/support/recordings.hpp"
#include "tests/support/seeds.hpp"
#include "tools/feed_verify/verify_all.hpp"

#include <caf/test/unit_test.hpp>

#include <random>
#include <sstream>

using namespace troupe;

namespace {

void put_levels(std::ostream& out, std::span<const level> levels) {
  out << '[';
  for (const auto& l : levels) out << l.at.raw << 'x' << l.quantity.raw << ' ';
  out << ']';
}

/// Everything that counts in an event.
std::string words_of(const market_event& e) {
  std::ostringstream out;
  out << name_of(e.kind) << ' ' << name_of(e.damage) << ' ' << e.symbol << ' ' << e.stream << ' ' << e.request
      << ' ' << e.code << ' ' << e.text << ' ';
  if (e.kind == event_kind::depth) {
    const auto& d = e.depth;
    out << d.event.ns << ' ' << d.transaction.ns << ' ' << d.first << ' ' << d.last << ' ' << d.previous << ' '
        << d.has_previous << d.has_checksum << ' ' << d.checksum << ' ';
    put_levels(out, d.bids), put_levels(out, d.asks);
    for (const auto n : d.bid_rows) out << n << ' ';
    for (const auto n : d.ask_rows) out << n << ',';
  } else if (e.kind == event_kind::image) {
    out << e.image.last << ' ' << e.image.event.ns << ' ' << e.image.has_checksum << e.image.checksum << ' ';
    put_levels(out, e.image.bids), put_levels(out, e.image.asks);
  } else if (e.kind == event_kind::best) {
    const level both[] = {e.best.bid, e.best.ask};
    out << e.best.sequence << ' ' << e.best.event.ns << ' ';
    put_levels(out, both);
  } else if (e.kind == event_kind::trade) {
    out << e.trade.id << ' ' << e.trade.id_text << ' ' << e.trade.at.ns << ' ' << e.trade.event.ns << ' '
        << e.trade.at_price.raw << ' ' << e.trade.quantity.raw << ' ' << static_cast<int>(e.trade.taker);
  } else if (e.kind == event_kind::candle) {
    out << e.candle.open_time.ns << ' ' << e.candle.open.raw << ' ' << e.candle.close.raw;
  }
  return out.str();
}

const market_event& by_field(frame_decoder& d, std::string_view frame) {
  if (auto* const h = dynamic_cast<htx::decoder*>(&d)) return h->decode_general(frame);
  if (auto* const j = dynamic_cast<json_decoder*>(&d)) return j->decode_general(frame);
  return d.decode(frame);
}

bool took_layout(const frame_decoder& d) {
  if (const auto* const h = dynamic_cast<const htx::decoder*>(&d)) return h->took_layout();
  const auto* const j = dynamic_cast<const json_decoder*>(&d);
  return j != nullptr && j->took_layout();
}

std::string all_words(frame_decoder& d, const market_event* e) {
  std::string out;
  for (; e != nullptr; e = d.next()) out += words_of(*e) + '\n';
  return out;
}

/// Two decoders of one kind, so that neither way profits from what the other has learnt.
class both_ways {
public:
  both_ways(std::unique_ptr<frame_decoder> (*make)(const instrument_spec&), const instrument_spec& spec)
      : quick_{make(spec)}, careful_{make(spec)} {}

  /// Empty when they agree.
  std::string difference(std::string_view frame) {
    const auto one = all_words(*quick_, &quick_->decode(frame));
    ++frames_;
    taken_ += took_layout(*quick_) ? 1 : 0;
    const auto other = all_words(*careful_, &by_field(*careful_, frame));
    if (one == other) return {};
    return "by layout: " + one + "by field: " + other + "frame: " + std::string{frame.substr(0, 400)};
  }

  [[nodiscard]] std::size_t frames() const { return frames_; }
  [[nodiscard]] std::size_t taken() const { return taken_; }

private:
  std::unique_ptr<frame_decoder> quick_;
  std::unique_ptr<frame_decoder> careful_;
  std::size_t frames_ = 0;
  std::size_t taken_ = 0;
};

std::unique_ptr<frame_decoder> make_kucoin(const instrument_spec& spec) {
  return std::make_unique<kucoin::decoder>(spec);
}
std::unique_ptr<frame_decoder> make_htx(const instrument_spec& spec) {
  return std::make_unique<htx::decoder>(spec);
}

struct venue_samples {
  const char* name;
  std::unique_ptr<frame_decoder> (*make)(const instrument_spec&);
  const char* symbol;
  std::vector<std::string> frames;
};

instrument_spec spec_of(const venue_samples& s) {
  instrument_spec out;
  out.venue_symbol = s.symbol;
  out.price_scale = 6;
  out.size_scale = 4;
  out.tick = {1};
  out.lot = {10};
  return out;
}

/// Numbers made up; every layout that is read in one pass, then some that are not.
const std::vector<venue_samples>& samples() {
  static const std::vector<venue_samples> out{
      {"kraken v2", kraken::make_decoder, "ABC/USD",
       {R"({"channel":"book","type":"update","data":[{"symbol":"ABC/USD","bids":[{"price":63412.4,"qty":0.0000},{"price":63395.9,"qty":0.6658}],"asks":[],"checksum":1852619203,"timestamp":"2026-08-02T03:36:41.386179Z"}]})",
        R"({"channel":"book","type":"update","data":[{"symbol":"ABC/USD","bids":[],"asks":[{"price":0.001,"qty":12}],"checksum":0,"timestamp":"2026-08-02T03:36:59.999999Z"}]})",
        R"({"channel":"book","type":"snapshot","data":[{"symbol":"ABC/USD","bids":[{"price":1,"qty":2}],"asks":[{"price":3,"qty":5e-1}],"checksum":4294967295}]})",
        R"({"channel":"book","type":"update","data":[{"symbol":"ABC/USD","bids":[],"asks":[],"checksum":1,"timestamp":"2026-08-02T03:36:60.5Z"}]})"}},
      {"kraken v1", kraken::replay_decoder, "ABC/USD",
       {R"([1920,{"a":[["0.043010","44240.0000","1618678150.259113"]],"c":"3110960256"},"book-1000","ABC/USD"])",
        R"([1920,{"a":[["0.04299","364630.2827","1618678145.920470"]]},{"b":[["0.042990","0.0000","1618678145.920708","r"]],"c":"4105471083"},"book-1000","ABC/USD"])",
        R"([1360,{"as":[["0.0229","13355.8745","1618678123.481570"],["0.0239","1.5","1618678132.1"]],"bs":[["0.02","2","1618678132.136369"]]},"book-10","ABC/USD"])"}},
      {"coinbase", coinbase::replay_decoder, "ABC-USD",
       {R"({"type":"l2update","product_id":"ABC-USD","changes":[["buy","0.006192","0.0000"],["sell","3.3039","5000.00"]],"time":"2021-04-17T16:43:43.194567Z"})",
        R"({"type":"snapshot","product_id":"ABC-USD","asks":[["14.8024","12.77"],["14.8069","12.49"]],"bids":[["3.1","1"],["0.1000","1863.16"]]})",
        R"({"type":"l2update","product_id":"ABC-USD","changes":[["buy","1","2"]],"time":"0001-01-01T00:00:00.000000Z"})"}},
      {"bitfinex", bitfinex::make_decoder, "tABCUSD",
       {R"({"event":"subscribed","channel":"book","chanId":209640,"symbol":"tABCUSD"})", R"([209640,[118880,5,0.2236]])",
        R"([209640,[118930,10,-1.0166]])", R"([209640,[118930,0,-1]])", R"([209640,[118930,1,1e-4],17])",
        R"([209640,[118930,1,1e-4],17,1755234957400])", R"([209640,"cs",-1234567,18,1755234957400])",
        R"([209640,"hb",19,1755234957400])", R"([1,"hb"])"}},
      {"kucoin", make_kucoin, "ABC-USDT",
       {R"({"data":{"sequenceStart":1613277184734,"symbol":"ABC-USDT","changes":{"asks":[],"bids":[["242.795","5.6814","1613277184734"]]},"sequenceEnd":1613277184734},"subject":"trade.l2update","topic":"/market/level2:ABC-USDT","type":"message"})",
        R"({"topic":"/market/level2:ABC-USDT","type":"message","subject":"trade.l2update","data":{"changes":{"asks":[["67993.3","1.2142","14701689783"],["0","0","14701689784"]],"bids":[]},"sequenceEnd":14701689784,"sequenceStart":14701689783,"symbol":"ABC-USDT","time":1729816425625}})",
        R"({"data":{"sequence":"1612844051961","bestAsk":"0.000287","size":"0.0174","bestBidSize":"0.1910","price":"0.000286","time":1619378337123,"bestAskSize":"29.2457","bestBid":"0.000286"},"subject":"trade.ticker","topic":"/market/ticker:ABC-USDT","type":"message"})"}},
      {"htx", make_htx, "ABC-USD",
       {R"({"ch":"market.ABC-USD.depth.step0","ts":1645289387543,"tick":{"mrid":74377474188,"id":1645289387,"bids":[[26.56,190],[26.5586,147],[2.5e-05,3]],"asks":[[27.594,1],[30.88,111]],"ts":1645289387542,"version":1645289387,"ch":"market.ABC-USD.depth.step0"}})",
        R"({"ch":"market.ABC-USD.depth.step0","ts":1645289387543,"tick":{"bids":[],"asks":[[27.594,1.25]],"version":3,"ts":1645289387542}})"}}};
  return out;
}

/// A byte changed, taken out, put in or doubled; what is put in are bytes that JSON is made of.
std::string mutated(std::string text, std::mt19937_64& random) {
  static constexpr std::string_view bytes = "0123456789.,:\"[]{}-+eE \\nult\x01\x80";
  const auto changes = 1 + random() % 3;
  for (std::uint64_t i = 0; i < changes && text.size() > 1; ++i) {
    const auto at = random() % text.size();
    const auto byte = bytes[random() % bytes.size()];
    switch (random() % 5) {
    case 0: text[at] = byte; break;
    case 1: text.erase(at, 1 + random() % 3); break;
    case 2: text.insert(at, 1, byte); break;
    case 3: text.insert(at, text.substr(at, 1 + random() % 24)); break;
    default: text.resize(at + 1); break;
    }
  }
  return text;
}

} // namespace

CAF_TEST(layouts_of_each_venue_say_the_same_by_field) {
  for (const auto& venue : samples()) {
    both_ways ways{venue.make, spec_of(venue)};
    for (const auto& frame : venue.frames) CAF_CHECK_EQUAL(ways.difference(frame), "");
    CAF_MESSAGE(venue.name << ": " << ways.taken() << " of " << ways.frames());
    CAF_CHECK_GREATER(ways.taken(), 0u);
    CAF_CHECK_GREATER_OR_EQUAL(ways.taken() + 2, ways.frames());
  }
}

CAF_TEST(frames_with_bytes_changed_say_the_same_by_field) {
  std::mt19937_64 random{test::seed_of("frames_with_bytes_changed", 21)};
  for (const auto& venue : samples()) {
    both_ways ways{venue.make, spec_of(venue)};
    for (const auto& frame : venue.frames) (void)ways.difference(frame);
    for (int i = 0; i < 20'000; ++i) {
      const auto frame = mutated(venue.frames[random() % venue.frames.size()], random);
      const auto differs = ways.difference(frame);
      if (!differs.empty()) CAF_FAIL(venue.name << ": " << differs);
    }
    CAF_MESSAGE(venue.name << ": " << ways.taken() << " of " << ways.frames());
    CAF_CHECK_GREATER(ways.taken(), 100u);
  }
}

CAF_TEST(recorded_frames_say_the_same_by_field) {
  const auto folder = test::recordings();
  if (!folder) {
    std::cout << "skipped: recorded_frames_say_the_same_by_field: no recordings" << std::endl;
    return;
  }
  for (const auto& plan : recording_plans()) {
    const bool has_layouts = plan.venue == "kraken" || plan.venue == "coinbase" || plan.venue == "bitfinex"
                             || plan.venue == "kucoin" || plan.venue == "htx";
    if (!has_layouts) continue;
    const auto all = frames_of_recording(plan, *folder / "venues");
    std::vector<both_ways> ways;
    for (const auto& spec : all.books) ways.emplace_back(all.decoder, spec);
    std::size_t taken = 0;
    for (const auto& frame : all.frames) {
      const auto differs = ways[frame.book].difference(frame.text);
      if (!differs.empty()) CAF_FAIL(plan.file << ": " << differs);
    }
    for (const auto& w : ways) taken += w.taken();
    CAF_MESSAGE(plan.file << ": " << taken << " of " << all.frames.size());
  }
}
