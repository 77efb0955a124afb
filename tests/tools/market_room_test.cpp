#define CAF_SUITE market_room

#include "tools/node/market_room.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <unistd.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr auto venues_text = R"(
venues:
  binance:
    taker_fee: 0.001
    instruments:
      BTC-USDT: { symbol: BTCUSDT, price_scale: 2, size_scale: 8, tick: 0.01 }
      SOL-USDT: { symbol: SOLUSDT, price_scale: 2, size_scale: 8, tick: 0.01 }
  okx:
    instruments:
      BTC-USDT: { symbol: BTC-USDT, price_scale: 1, size_scale: 8, tick: 0.1 }
      SOL-USDT: { symbol: SOL-USDT, price_scale: 1, size_scale: 8, tick: 0.1 }
  deribit:
    instruments:
      BTC-USD-PERP:
        { symbol: BTC-PERPETUAL, price_scale: 1, size_scale: 0, tick: 0.5, lot: 1, kind: inverse, contract_value: 10 }
  kraken:
    instruments:
      USDT-USD: { symbol: USDT/USD, price_scale: 5, size_scale: 8, tick: 0.00001 }
      ETH-USD: { symbol: ETH/USD, price_scale: 2, size_scale: 8, tick: 0.01 }
)";

struct room_folder {
  explicit room_folder(const std::string& troupe_yaml) {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-room-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
    std::ofstream{path / "venues.yaml"} << venues_text;
    std::ofstream{path / "troupe.yaml"} << troupe_yaml;
    auto loaded = configuration::load({path, {}, {}});
    if (!loaded) CAF_FAIL(loaded.error().text);
    config = std::move(*loaded);
    for (const auto& name : config.list("instruments")) {
      auto spec = node::configured_instrument(config, name);
      if (!spec) CAF_FAIL(spec.error().text);
      specs.push_back(std::move(*spec));
    }
  }
  ~room_folder() { std::filesystem::remove_all(path); }

  [[nodiscard]] result<std::vector<consolidated_options>> books() const {
    return node::merged_books(config, specs, 7s);
  }
  [[nodiscard]] bool refuses(std::string_view what) const {
    const auto made = books();
    if (!made) CAF_MESSAGE(made.error().text);
    return !made && made.error().text.find(what) != std::string::npos;
  }
  [[nodiscard]] feed_actor_options feed(std::size_t n) const {
    feed_actor_options out;
    out.core.spec = specs.at(n);
    node::show_to_books(out, books().value_or({}));
    return out;
  }

  std::filesystem::path path;
  configuration config;
  std::vector<instrument_spec> specs;
};

} // namespace

CAF_TEST(every symbol has a merged book by default) {
  const room_folder room{"instruments: [BTC-USDT@binance, BTC-USDT@okx, SOL-USDT@binance]"};
  const auto books = room.books();
  CAF_REQUIRE(books.has_value());
  CAF_REQUIRE_EQUAL(books->size(), 2u);
  const auto& btc = books->front();
  CAF_CHECK_EQUAL(btc.symbol, "BTC-USDT");
  CAF_REQUIRE_EQUAL(btc.venues.size(), 2u);
  CAF_CHECK_EQUAL(btc.venues[0].fee_ppm, 1000);
  CAF_CHECK_EQUAL(btc.price_scale, 2);
  CAF_CHECK_EQUAL(btc.bucket_width.raw, 10'00);
  CAF_CHECK(btc.old_after == 7s);
  CAF_CHECK_EQUAL(books->back().bucket_width.raw, 1000); // 1000 ticks
  // Each feed counts in its own decimals.
  CAF_CHECK_EQUAL(room.feed(0).bucket_width.raw, 10'00);
  CAF_CHECK_EQUAL(room.feed(1).bucket_width.raw, 10'0);
  CAF_CHECK((room.feed(1).book_readers == std::vector<std::string>{"consolidator/BTC-USDT"}));
}

CAF_TEST(another currency needs a named rate whose feed runs) {
  const std::string instruments =
      "instruments: [BTC-USDT@binance, BTC-USD-PERP@deribit, USDT-USD@kraken, ETH-USD@kraken]\n"
      "consolidate: [BTC-USDT]\n";
  const room_folder room{
      instruments
      + "books: { BTC-USDT: { also: [BTC-USD-PERP@deribit], rate: USDT-USD@kraken, bucket: 5 } }"};
  const auto books = room.books();
  if (!books) CAF_FAIL(books.error().text);
  CAF_REQUIRE_EQUAL(books->size(), 1u);
  const auto& btc = books->front();
  CAF_REQUIRE_EQUAL(btc.venues.size(), 2u);
  CAF_CHECK_EQUAL(btc.venues[1].rate.text, "USDT-USD@kraken");
  CAF_CHECK(btc.venues[1].rate_divides);
  CAF_CHECK_EQUAL(btc.size_scale, 8);
  CAF_CHECK_EQUAL(btc.bucket_width.raw, 5'00);
  CAF_CHECK(room.specs[1].kind == contract_kind::inverse);
  CAF_CHECK_EQUAL(node::contract_value(room.config, room.specs[1].id), 10 * contract_unit);
  // Its prices are converted: it sums in fifths of a bucket, as far as its one decimal goes.
  CAF_CHECK_EQUAL(room.feed(1).bucket_width.raw, 1'0);
  CAF_CHECK_EQUAL(room.feed(1).buckets, 5u * view_max_buckets);
  CAF_CHECK_EQUAL(room.feed(0).buckets, view_max_buckets);
  // The rate's feed shows its book, too; what has no part in any shows it to nobody.
  CAF_CHECK_EQUAL(room.feed(2).book_readers.size(), 1u);
  CAF_CHECK(room.feed(3).book_readers.empty());
  CAF_CHECK(room_folder{instruments + "books: { BTC-USDT: { also: [BTC-USD-PERP@deribit] } }"}.refuses(
      "name its live rate"));
  CAF_CHECK(
      room_folder{instruments + "books: { BTC-USDT: { also: [BTC-USD-PERP@deribit], rate: ETH-USD@kraken } }"}
          .refuses("no price between USDT and USD"));
  CAF_CHECK(room_folder{instruments + "books: { BTC-USDT: { also: [BTC-USD@coinbase] } }"}.refuses(
      "under instruments"));
}

CAF_TEST(a symbol that nobody trades is refused and none means none) {
  CAF_CHECK(room_folder{"consolidate: [DOGE-USDT]"}.refuses("DOGE-USDT"));
  const room_folder room{"consolidate: [none]"};
  const auto books = room.books();
  CAF_CHECK(books.has_value() && books->empty());
}

CAF_TEST(one grid for all books a feed is part of) {
  const std::string instruments =
      "instruments: [BTC-USDT@binance, BTC-USDT@okx, BTC-USD-PERP@deribit, USDT-USD@kraken]\n"
      "consolidate: [BTC-USDT, BTC-USD-PERP]\n";
  const auto with = [&](const std::string& own, const std::string& other) {
    return room_folder{instruments + "books:\n  BTC-USDT: { also: [BTC-USD-PERP@deribit], rate: USDT-USD@kraken, bucket: "
                       + own + " }\n  BTC-USD-PERP: { bucket: " + other + " }\n"};
  };
  const auto room = with("10", "4");
  CAF_CHECK_EQUAL(room.feed(2).bucket_width.raw, 2'0); // 10 in fifths, and 4
  CAF_CHECK_EQUAL(room.feed(2).buckets, 5u * view_max_buckets);
  CAF_CHECK_EQUAL(room.feed(0).bucket_width.raw, 10'00);
  CAF_CHECK(with("100", "0.1").refuses("no common part"));
  CAF_CHECK(with("0.05", "1").refuses("decimals of BTC-USDT@okx"));
}

CAF_TEST(the width of a bucket does not hang on the order of the venues) {
  const auto width = [](const std::string& list) {
    const room_folder room{"instruments: [" + list + "]\nconsolidate: [BTC-USDT]\nbooks: { BTC-USDT: { bucket: 0 } }"};
    const auto books = room.books();
    if (!books) CAF_FAIL(books.error().text);
    return books->front().bucket_width.raw;
  };
  CAF_CHECK_EQUAL(width("BTC-USDT@binance, BTC-USDT@okx"), 10'00);
  CAF_CHECK_EQUAL(width("BTC-USDT@okx, BTC-USDT@binance"), 10'00);
  const room_folder room{"instruments: [SOL-USDT@binance, SOL-USDT@okx]"};
  CAF_CHECK_EQUAL(room.books()->front().bucket_width.raw, 100'00); // 1000 of okx' tick of 0.1
  const room_folder turned{"instruments: [SOL-USDT@okx, SOL-USDT@binance]"};
  CAF_CHECK_EQUAL(turned.books()->front().bucket_width.raw, 100'00);
}
