// Which recordings there are, whose code reads them, and what is known to come out of them.

#include "actors/connectors/bitfinex/protocol.hpp"
#include "actors/connectors/coinbase/codec.hpp"
#include "actors/connectors/kraken/codec.hpp"
#include "actors/connectors/kraken/symbols.hpp"
#include "tools/feed_verify/venue_texts.hpp"
#include "tools/feed_verify/verify_all.hpp"

namespace troupe {
namespace {

using path = std::filesystem::path;

constexpr const char* cryptofeed = "bmoscon+cryptofeed/sample_data/";

// --- Kraken v1 ------------------------------------------------------------------------------------

/// The pair of `[channel, …, "book-1000", "XBT/USD"]`.
std::string kraken_v1_symbol(const std::string& frame) {
  if (!frame.starts_with('[')) return {};
  const auto last = frame.rfind('"');
  const auto first = frame.rfind('"', last - 1);
  return last == std::string::npos || last == 0 || first == std::string::npos
             ? std::string{}
             : frame.substr(first + 1, last - first - 1);
}

std::uint8_t decimals_of(std::string_view text) {
  const auto point = text.find('.');
  return point == std::string_view::npos ? 0 : static_cast<std::uint8_t>(text.size() - point - 1);
}

/// v1's checksums are of the decimals it writes: those of the image's first row.
void shape_kraken_v1(instrument_spec& spec, const std::string& frame, const path&) {
  spec.venue_symbol = kraken::pair_of_v2(spec.venue_symbol);
  const auto price = frame.find("[[\"");
  if (price == std::string::npos) return;
  const auto price_end = frame.find('"', price + 3);
  const auto size = frame.find('"', price_end + 1) + 1;
  spec.price_scale = decimals_of(std::string_view{frame}.substr(price + 3, price_end - price - 3));
  spec.size_scale = decimals_of(std::string_view{frame}.substr(size, frame.find('"', size) - size));
}

/// Trades and tickers have no image to learn from.
void shape_kraken_v1_wide(instrument_spec& spec, const std::string&, const path&) {
  spec.venue_symbol = kraken::pair_of_v2(spec.venue_symbol);
}

// --- Coinbase Exchange ----------------------------------------------------------------------------

std::string coinbase_product(const std::string& frame) { return recorded::member_text(frame, "product_id"); }

/// Scales as the recorded list of products says.
void shape_coinbase(instrument_spec& spec, const std::string&, const path& root) {
  static const auto products = [&]() -> std::vector<instrument_spec> {
    const auto lines = recorded::two_way(root / (cryptofeed + std::string{"COINBASE.0"}));
    if (lines.empty()) return {};
    auto read = find_venue("coinbase")->read_instruments(lines.front().text, {1});
    return read ? std::move(*read) : std::vector<instrument_spec>{};
  }();
  for (const auto& each : products)
    if (each.venue_symbol == spec.venue_symbol) spec = each;
}

// --- others ---------------------------------------------------------------------------------------

/// Sizes of BCHSV-USDT have up to 11 decimals, finer than the lot.
void shape_kucoin(instrument_spec& spec, const std::string&, const path&) {
  if (spec.venue_symbol == "BCHSV-USDT") spec.size_scale = 11;
}

/// In 2022 OKX's messages had no numbers: the checksum alone proves the book.
void okx_of_2022(book_rules& rules) { rules.family = book_family::checksummed; }

std::unique_ptr<market_protocol> bitfinex_numbered() { return bitfinex::make_protocol(bitfinex::flag_sequence); }
std::unique_ptr<market_protocol> bitfinex_plain() { return bitfinex::make_protocol(0); }

std::string of_cryptofeed(const char* name) { return cryptofeed + std::string{name}; }

recording_plan kraken_capture(const char* name, int price_scale, std::uint64_t frames, std::uint64_t books) {
  return {.file = "jdardash+crossbook/tests/fixtures/" + std::string{name},
          .images = {},
          .venue = "kraken",
          .channel = "book.25",
          .expectation = "crossbook " + std::string{name},
          .form = recording_form::capture,
          .price_scale = price_scale,
          .known = {{"messages", frames}, {"book_messages", books}, {"checksums", books}, {"valid_books", 1}}};
}

std::vector<recording_plan> make_plans() {
  std::vector<recording_plan> out;
  out.push_back(kraken_capture("kraken_btcusd_sample.cbcap", 1, 2104, 2052));
  out.push_back(kraken_capture("kraken_ethusd_sample.cbcap", 2, 1170, 1129));
  out.push_back({.file = of_cryptofeed("KRAKEN.ws.50.0"),
                 .images = {},
                 .venue = "kraken",
                 .channel = "book.1000",
                 .expectation = "cryptofeed KRAKEN v1 book-1000",
                 .known = {{"messages", 4321}, {"book_messages", 4279}, {"checksums", 4269}, {"valid_books", 10}},
                 .decoder = kraken::replay_decoder,
                 .symbol_of = kraken_v1_symbol,
                 .shape = shape_kraken_v1});
  out.push_back({.file = of_cryptofeed("KRAKEN.ws.48.0"),
                 .images = {},
                 .venue = "kraken",
                 .channel = {},
                 .expectation = {},
                 .price_scale = 10,
                 .known = {{"messages", 49}, {"trades", 10}},
                 .decoder = kraken::replay_decoder,
                 .symbol_of = kraken_v1_symbol,
                 .shape = shape_kraken_v1_wide});
  out.push_back({.file = of_cryptofeed("KRAKEN.ws.49.0"),
                 .images = {},
                 .venue = "kraken",
                 .channel = {},
                 .expectation = {},
                 .price_scale = 10,
                 .known = {{"messages", 60}, {"best", 18}},
                 .remark = "tickers without a number: nothing to compare them with",
                 .decoder = kraken::replay_decoder,
                 .symbol_of = kraken_v1_symbol,
                 .shape = shape_kraken_v1_wide});
  out.push_back({.file = of_cryptofeed("COINBASE.ws.28.0"),
                 .images = {},
                 .venue = "coinbase",
                 .channel = {},
                 .expectation = "cryptofeed COINBASE (legacy Exchange feed)",
                 .known = {{"messages", 9946}, {"applied", 9719}, {"images", 10}, {"trades", 97},
                           {"valid_books", 10}, {"best", 107}, {"best_disagreed", 0}, {"passed_over", 10}},
                 .remark = "the last trade of before each subscription",
                 .decoder = coinbase::replay_decoder,
                 .symbol_of = coinbase_product,
                 .shape = shape_coinbase});
  out.push_back({.file = of_cryptofeed("OKX.ws.1.0"),
                 .images = {},
                 .venue = "okx",
                 .channel = {},
                 .expectation = "cryptofeed OKX books 2022 (checksum live)",
                 .known = {{"messages", 410}, {"book_messages", 290}, {"checksums", 290}, {"valid_books", 3},
                           {"trades", 74}, {"passed_over", 28}},
                 .remark = "tickers: they have no number and prove nothing of the book",
                 .change_rules = okx_of_2022});
  out.push_back({.file = of_cryptofeed("DERIBIT.ws.1.0"),
                 .images = {},
                 .venue = "deribit",
                 .channel = {},
                 .expectation = "cryptofeed DERIBIT book.*.raw",
                 .known = {{"messages", 136}, {"book_messages", 46}, {"valid_books", 10}, {"best", 76},
                           {"best_disagreed", 0}, {"passed_over", 13}},
                 .remark = "tickers of books with an empty side"});
  out.push_back({.file = of_cryptofeed("BITFINEX.ws.11.0"),
                 .images = {},
                 .venue = "bitfinex",
                 .channel = "book.P0.F0.100",
                 .expectation = "cryptofeed BITFINEX book P0 F0 len100",
                 .symbols = {"*"},
                 .known = {{"messages", 1693}, {"book_messages", 1600}, {"images", 7}, {"valid_books", 7},
                           {"passed_over", 7}, {"unknown", 7}},
                 .remark = "seven answers to subscriptions of tickers, which we don't ask for; seven lists of trades of before",
                 .protocol = bitfinex_numbered});
  out.push_back({.file = "c9s+bbgo/pkg/exchange/bitfinex/bfxapi/testdata/bitfinex_ws_raw.jsonl",
                 .images = {},
                 .venue = "bitfinex",
                 .channel = "book.P0.F0.25",
                 .expectation = "bbgo bitfinex_ws_raw.jsonl tBTCUSD P0 F0 len25",
                 .form = recording_form::lines,
                 .symbols = {"tBTCUSD"},
                 .known = {{"messages", 3631}, {"book_messages", 3438}, {"trades", 8}, {"valid_books", 1},
                           {"passed_over", 9}, {"unknown", 3}},
                 .remark = "answers to subscriptions we don't make (tickers, a funding book); the second report of eight trades "
                           "(tu), a list of trades of before",
                 .protocol = bitfinex_plain});
  out.push_back({.file = of_cryptofeed("KUCOIN.ws.1.0"),
                 .images = of_cryptofeed("KUCOIN.http.0.0"),
                 .venue = "kucoin",
                 .channel = "level2",
                 .expectation = "cryptofeed KUCOIN /market/level2 + REST v3 snapshot",
                 .price_scale = 10,
                 .known = {{"messages", 4721}, {"applied", 3805}, {"stale", 48}, {"valid_books", 9}, {"trades", 18}},
                 .shape = shape_kucoin});
  out.push_back({.file = of_cryptofeed("GATEIO.ws.1.0"),
                 .images = of_cryptofeed("GATEIO.http.0.0"),
                 .venue = "gate",
                 .channel = "order_book_update",
                 .expectation = "cryptofeed GATE spot.order_book_update + REST with_id",
                 .size_scale = 10,
                 .known = {{"messages", 239}, {"book_messages", 172}, {"applied", 159}, {"stale", 13},
                           {"valid_books", 8}, {"passed_over", 22}},
                 .remark = "tickers: they have no number; BTC_USDC and INK_USDT stay quiet behind their images"});
  out.push_back({.file = of_cryptofeed("HUOBI.ws.44.0"),
                 .images = {},
                 .venue = "htx",
                 .channel = "depth.step0",
                 .expectation = {},
                 .form = recording_form::two_way_py,
                 .price_scale = 10,
                 .known = {{"messages", 362}, {"book_messages", 292}, {"valid_books", 10},
                           {"replies", 6}, {"replies_as_recorded", 6}},
                 .copy = "derived/huobi_decoded/HUOBI.ws.44.0.jsonl"});
  out.push_back({.file = of_cryptofeed("HUOBI_SWAP.ws.1.0"),
                 .images = {},
                 .venue = "htx",
                 .channel = "depth.step0",
                 .expectation = {},
                 .form = recording_form::two_way_py,
                 .size_scale = 0,
                 .kind = contract_kind::inverse,
                 .known = {{"messages", 1296}, {"book_messages", 1274}, {"valid_books", 5},
                           {"replies", 6}, {"replies_as_recorded", 6}},
                 .copy = "derived/huobi_decoded/HUOBI_SWAP.ws.1.0.jsonl"});
  out.push_back({.file = of_cryptofeed("BYBIT.ws.25.0"),
                 .images = {},
                 .venue = "bybit",
                 .channel = {},
                 .expectation = {},
                 .known = {{"messages", 3342}, {"unknown", 3342}},
                 .remark = "the retired v2 interface: every message must be told as unknown, none as damaged"});
  return out;
}

} // namespace

const std::vector<recording_plan>& recording_plans() {
  static const auto plans = make_plans();
  return plans;
}

const std::map<std::string, std::string>& left_out_recordings() {
  static const std::map<std::string, std::string> files{
      {of_cryptofeed("BITMEX.ws.1.0"), "not one of the venues"},
      {"nkaz001+hftbacktest/examples/hyperliquid/btcusd_20250126.gz", "not one of the venues"}};
  return files;
}

} // namespace troupe
