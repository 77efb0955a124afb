#pragma once

/// What the tests of the venue simulator share: a small recording made by hand, a client's own book.

#include "tools/venue_sim/decimal.hpp"
#include "tools/venue_sim/market_source.hpp"
#include "tools/venue_sim/payloads.hpp"

#include <string>
#include <unistd.h>
#include <zlib.h>

namespace troupe::venue_sim::test {

/// "61837.63" in units of 10^-8.
inline std::int64_t e8(std::string_view text) {
  return parse_decimal_text(text)->value_e8;
}

/// Ten seconds of an invented spot stream in the recordings' form: image 100, a stale diff, a bridging one,
/// trades and best prices. The mid moves from 100.005 to 101.005.
inline recording small_recording() {
  recording_builder b;
  std::int64_t at = 1'700'000'000'000'000'000;
  const auto add = [&](const std::string& text) {
    at += 100'000'000;
    const auto added = b.add(at, text);
    if (!added) throw std::runtime_error{added.error().message()};
  };
  const auto stamp = [&] { return std::to_string(at / 1'000'000 + 90); };
  const auto diff = [&](int first, int last, const std::string& bids, const std::string& asks) {
    add(R"({"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":)" + stamp()
        + R"(,"s":"BTCUSDT","U":)" + std::to_string(first) + R"(,"u":)" + std::to_string(last) + R"(,"b":[)"
        + bids + R"(],"a":[)" + asks + "]}}");
  };
  const auto trade = [&](int id, const std::string& price, const std::string& quantity, bool maker) {
    add(R"({"stream":"btcusdt@trade","data":{"e":"trade","E":)" + stamp() + R"(,"s":"BTCUSDT","t":)"
        + std::to_string(id) + R"(,"p":")" + price + R"(","q":")" + quantity + R"(","T":)" + stamp()
        + R"(,"m":)" + (maker ? "true" : "false") + R"(,"M":true}})");
  };
  const auto ticker = [&](int id, const std::string& b1, const std::string& bq, const std::string& a1,
                          const std::string& aq) {
    add(R"({"stream":"btcusdt@bookTicker","data":{"u":)" + std::to_string(id) + R"(,"s":"BTCUSDT","b":")" + b1
        + R"(","B":")" + bq + R"(","a":")" + a1 + R"(","A":")" + aq + R"("}})");
  };
  diff(90, 95, R"(["90.00000000","1.00000000"])", "");
  diff(96, 103, R"(["100.00000000","1.50000000"])", R"(["100.02000000","2.00000000"])");
  add(R"({"lastUpdateId":100,"bids":[["100.00000000","1.00000000"],["99.99000000","2.00000000"],)"
      R"(["99.90000000","5.00000000"]],"asks":[["100.01000000","1.00000000"],)"
      R"(["100.02000000","3.00000000"],["100.10000000","4.00000000"]]})");
  trade(7, "100.01000000", "0.40000000", false);
  ticker(105, "100.00000000", "1.50000000", "100.01000000", "0.60000000");
  diff(104, 106, "", R"(["100.01000000","0.60000000"])");
  trade(8, "100.01000000", "0.60000000", false);
  ticker(108, "100.00000000", "1.50000000", "100.02000000", "2.00000000");
  diff(107, 110, R"(["99.99000000","0.00000000"],["100.01000000","0.70000000"])",
       R"(["100.01000000","0.00000000"])");
  trade(9, "100.01000000", "0.20000000", true);
  ticker(112, "100.01000000", "0.50000000", "100.02000000", "2.00000000");
  diff(111, 115, R"(["100.01000000","0.50000000"],["101.00000000","2.50000000"])",
       R"(["100.02000000","0.00000000"],["100.10000000","0.00000000"],["101.01000000","1.25000000"])");
  ticker(115, "101.00000000", "2.50000000", "101.01000000", "1.25000000");
  auto made = b.finish();
  if (!made) throw std::runtime_error{made.error().message()};
  return std::move(*made);
}

/// A client's book: taken from an image, continued by diffs, with the venue's continuity rule.
struct client_book {
  market_book::bid_map bids;
  market_book::ask_map asks;
  std::int64_t last = 0;
  bool broken = false;

  void take(const market_book& image) {
    bids = image.bids();
    asks = image.asks();
    last = image.id();
  }
  void apply(const market_event& e, bool futures) {
    if (e.last_id <= last) return;
    const bool follows = futures ? e.previous_id <= last : e.first_id <= last + 1;
    broken = broken || !follows;
    const auto set = [](auto& side, book_level l) {
      if (l.quantity_e8 == 0)
        side.erase(l.price_e8);
      else
        side[l.price_e8] = l.quantity_e8;
    };
    for (const auto& l : e.bids)
      set(bids, l);
    for (const auto& l : e.asks)
      set(asks, l);
    last = e.last_id;
  }
  [[nodiscard]] bool crossed() const {
    return !bids.empty() && !asks.empty() && bids.begin()->first >= asks.begin()->first;
  }
};

/// Decimal text without trailing zeros, as the recordings' expectations write it.
inline std::string plain(std::int64_t value_e8) {
  auto text = text_e8(value_e8);
  while (text.back() == '0')
    text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

/// CRC32 over the best 20 bids, then the best 20 asks, "price,quantity" joined by "|".
inline std::uint32_t top20_crc(const market_book& book) {
  std::string text;
  const auto add = [&text](const auto& side) {
    int left = 20;
    for (const auto& [price, quantity] : side) {
      if (left-- == 0) return;
      if (!text.empty()) text += '|';
      text += plain(price) + "," + plain(quantity);
    }
  };
  add(book.bids());
  add(book.asks());
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

/// A folder of its own that goes with the test.
class scratch_folder {
public:
  scratch_folder() {
    char pattern[] = "/tmp/troupe_venue_XXXXXX";
    path_ = ::mkdtemp(pattern);
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

} // namespace troupe::venue_sim::test
