#define CAF_SUITE book_families

#include "actors/feeds/book_builder.hpp"
#include "actors/feeds/checksums.hpp"
#include "actors/feeds/connection_sequence.hpp"
#include "actors/feeds/trades.hpp"
#include "tests/feeds/frames_of_changes.hpp"
#include "tests/support/venue_recordings.hpp"

#include <caf/test/unit_test.hpp>

#include <sstream>

using namespace troupe;
using test::change;
using test::image;

namespace {

const std::vector<level> bids{{{100}, {1}}, {{99}, {2}}};
const std::vector<level> asks{{{101}, {3}}, {{102}, {4}}};

std::unique_ptr<book_machine> machine(const book_rules& rules) {
  return make_book_machine(rules, {price{1}, 256}, {2, 3});
}

book_rules of(book_family family) {
  book_rules out;
  out.family = family;
  return out;
}

/// A change by its number and the number before.
test::owned_change linked(std::uint64_t last, std::uint64_t previous, std::vector<level> b = {},
                          std::vector<level> a = {}) {
  auto out = change(last, last, previous, std::move(b), std::move(a));
  out.event.has_previous = true;
  return out;
}

} // namespace

// --- B -------------------------------------------------------------------------------------------

CAF_TEST(chained_takes_nothing_before_its_image) {
  auto m = machine(of(book_family::chained));
  CAF_CHECK(m->needs_image() && !m->valid());
  CAF_CHECK(m->on_depth(linked(5, 4, {{{100}, {9}}}).view()) == build_step::ignored);
  CAF_CHECK(m->on_image(image(10, bids, asks)) == build_step::replaced);
  CAF_CHECK(m->valid() && !m->needs_image());
  CAF_CHECK_EQUAL(m->book().bid().quantity.raw, 1);
  CAF_CHECK(m->on_depth(linked(14, 10, {{{100}, {7}}}).view()) == build_step::applied);
  CAF_CHECK_EQUAL(m->sequence(), 14u);
  CAF_CHECK(m->on_depth(linked(14, 10, {{{100}, {8}}}).view()) == build_step::stale);
  CAF_CHECK_EQUAL(m->book().bid().quantity.raw, 7);
  CAF_CHECK(m->on_depth(linked(20, 15).view()) == build_step::gap);
  CAF_CHECK(m->needs_image() && m->book().levels(side::buy) == 0);
  CAF_CHECK_EQUAL(m->counts().gaps, 1u);
}

CAF_TEST(a_later_image_replaces_the_whole_book) {
  for (const auto family : {book_family::chained, book_family::checksummed, book_family::connection,
                            book_family::images}) {
    auto m = machine(of(family));
    m->on_image(image(10, bids, asks));
    const std::vector<level> other{{{50}, {5}}};
    CAF_CHECK(m->on_image(image(3, other, {})) == build_step::replaced);
    CAF_CHECK_EQUAL(m->book().levels(side::buy), 1u);
    CAF_CHECK_EQUAL(m->book().levels(side::sell), 0u);
    CAF_CHECK_EQUAL(m->sequence(), 3u);
    CAF_CHECK_EQUAL(m->counts().images_unasked, family == book_family::images ? 0u : 1u);
  }
}

CAF_TEST(bybit_counts_one_by_one_and_restarts_at_one) {
  auto m = machine(of(book_family::chained));
  m->on_image(image(18521288, bids, asks));
  CAF_CHECK(m->on_depth(change(18521289, 18521289, 0).view()) == build_step::applied);
  CAF_CHECK(m->on_image(image(1, bids, asks)) == build_step::replaced);
  CAF_CHECK(m->on_depth(change(2, 2, 0).view()) == build_step::applied);
  // The numbers of before mean nothing any more: 18521289 is no repeat.
  CAF_CHECK(m->on_depth(change(4, 4, 0).view()) == build_step::gap);
}

CAF_TEST(okx_signs_of_life_and_maintenance) {
  auto m = machine(of(book_family::chained));
  m->on_image(image(1000, bids, asks));
  CAF_CHECK(m->on_depth(linked(1000, 1000).view()) == build_step::applied); // nothing changed
  CAF_CHECK(m->on_depth(linked(1007, 1000, {{{98}, {3}}}).view()) == build_step::applied);
  CAF_CHECK(m->on_depth(linked(12, 1007, {{{97}, {3}}}).view()) == build_step::applied); // linked
  CAF_CHECK(m->on_depth(linked(15, 12).view()) == build_step::applied);
  CAF_CHECK(m->on_depth(linked(9, 3).view()) == build_step::gap); // lower and not linked: not a repeat
}

CAF_TEST(gate_ranges_in_band) {
  auto m = machine(of(book_family::chained));
  m->on_image(image(100, bids, asks));
  CAF_CHECK(m->on_depth(change(101, 105, 0).view()) == build_step::applied);
  CAF_CHECK(m->on_depth(change(106, 106, 0).view()) == build_step::applied);
  CAF_CHECK(m->on_depth(change(106, 110, 0).view()) == build_step::gap);
}

CAF_TEST(htx_buffers_until_the_requested_image_joins) {
  auto rules = of(book_family::chained);
  rules.joined_image = true;
  auto m = machine(rules);
  CAF_CHECK(m->on_depth(linked(110, 100, {{{100}, {9}}}).view()) == build_step::buffered);
  CAF_CHECK(m->on_depth(linked(120, 110, {{{100}, {8}}}).view()) == build_step::buffered);
  CAF_CHECK(m->on_image(image(90, bids, asks)) == build_step::too_old);
  CAF_CHECK(m->on_image(image(110, bids, asks)) == build_step::bridged);
  CAF_CHECK_EQUAL(m->sequence(), 120u);
  CAF_CHECK_EQUAL(m->book().bid().quantity.raw, 8);
  CAF_CHECK_EQUAL(m->counts().applied, 1u);
  CAF_CHECK(m->on_depth(linked(130, 120).view()) == build_step::applied);
  CAF_CHECK(m->on_depth(linked(150, 140).view()) == build_step::gap);
  CAF_CHECK(m->on_image(image(150, bids, asks)) == build_step::waiting);
  CAF_CHECK(m->on_depth(linked(160, 150).view()) == build_step::bridged);
}

// --- A: KuCoin and MEXC --------------------------------------------------------------------------

namespace {

book_rules overlapping() {
  auto out = of(book_family::ranged);
  out.rule = sequence_rule::overlap;
  out.image_in_band = false;
  return out;
}

} // namespace

CAF_TEST(kucoin_takes_only_rows_above_the_image) {
  auto m = machine(overlapping());
  auto c = change(8, 13, 0, {{{100}, {50}}, {{99}, {60}}, {{98}, {70}}},
                  {{{101}, {80}}, {{0}, {0}}, {{103}, {90}}});
  const std::vector<std::uint64_t> bid_rows{8, 11, 12};
  const std::vector<std::uint64_t> ask_rows{9, 10, 13};
  auto view = c.view();
  view.bid_rows = bid_rows;
  view.ask_rows = ask_rows;
  CAF_CHECK(m->on_depth(view) == build_step::buffered); // the numbers must be kept with it
  CAF_CHECK(m->on_image(image(10, bids, asks)) == build_step::bridged);
  CAF_CHECK_EQUAL(m->sequence(), 13u);
  CAF_CHECK_EQUAL(m->book().at(side::buy, {100}).raw, 1);  // row 8 is older than the image
  CAF_CHECK_EQUAL(m->book().at(side::buy, {99}).raw, 60);  // row 11
  CAF_CHECK_EQUAL(m->book().at(side::sell, {101}).raw, 3); // row 9
  CAF_CHECK_EQUAL(m->book().at(side::sell, {103}).raw, 90);
  CAF_CHECK_EQUAL(m->book().levels(side::sell), 3u); // the row at price 0 is none
  CAF_CHECK(m->on_depth(change(14, 14, 0, {}, {{{0}, {0}}}).view()) == build_step::applied);
  CAF_CHECK_EQUAL(m->sequence(), 14u);
  CAF_CHECK_EQUAL(m->book().levels(side::sell), 3u);
  CAF_CHECK(m->on_depth(change(12, 16, 0).view()) == build_step::applied); // overlaps
  CAF_CHECK(m->on_depth(change(18, 20, 0).view()) == build_step::gap);
}

CAF_TEST(mexc_chains_versions) {
  auto m = machine(overlapping());
  CAF_CHECK(m->on_depth(change(5, 9, 0).view()) == build_step::buffered);
  CAF_CHECK(m->on_depth(change(10, 12, 0).view()) == build_step::buffered);
  CAF_CHECK(m->on_image(image(3, bids, asks)) == build_step::too_old);
  CAF_CHECK(m->on_image(image(9, bids, asks)) == build_step::bridged);
  CAF_CHECK(m->on_depth(change(13, 13, 0).view()) == build_step::applied);
  CAF_CHECK(m->on_depth(change(15, 16, 0).view()) == build_step::gap);
}

CAF_TEST(numbers_that_begin_anew_are_a_gap_and_never_the_end) {
  auto m = machine(of(book_family::ranged));
  m->on_depth(change(1'000'001, 1'000'002, 0).view());
  CAF_CHECK(m->on_image(image(1'000'000, bids, asks)) == build_step::bridged);
  CAF_CHECK(m->on_depth(change(500, 501, 0).view()) == build_step::gap);
  // An image of the old numbering arrives late: nothing can join it, so it is given up some time.
  CAF_CHECK(m->on_image(image(1'000'010, bids, asks)) == build_step::waiting);
  auto u = std::uint64_t{502};
  while (!m->needs_image() && u < 20'000) m->on_depth(change(u, u, 0).view()), ++u;
  CAF_CHECK(m->needs_image());
  CAF_CHECK(m->on_image(image(u - 2, bids, asks)) == build_step::bridged);
}

// --- C, D, E -------------------------------------------------------------------------------------

CAF_TEST(checksummed_cuts_and_compares) {
  auto rules = of(book_family::checksummed);
  rules.checksum = kraken_book_checksum;
  rules.depth = 2;
  rules.cut_beyond_depth = true;
  auto m = machine(rules);
  m->on_image(image(0, bids, asks));
  CAF_CHECK_EQUAL(m->counts().unproven, 1u); // Kraken v1 gives none with its image
  order_book expected;
  const std::vector<level> now{{{100}, {8}}, {{99}, {2}}};
  expected.load(now, asks);
  // A price comes twice, an absent level is deleted, and 98 falls out at once.
  const auto rows = change(0, 0, 0, {{{100}, {5}}, {{98}, {6}}, {{70}, {0}}, {{100}, {8}}});
  auto c = rows.view();
  c.has_checksum = true;
  c.checksum = kraken_book_checksum(expected, 2, 3);
  CAF_CHECK(m->on_depth(c) == build_step::applied);
  CAF_CHECK_EQUAL(m->book().levels(side::buy), 2u);
  c.checksum ^= 1;
  CAF_CHECK(m->on_depth(c) == build_step::checksum_mismatch);
  CAF_CHECK(m->needs_image());
  CAF_CHECK_EQUAL(m->counts().checksums_compared, 2u);
  CAF_CHECK_EQUAL(m->counts().checksums_equal, 1u);
}

CAF_TEST(a_retired_checksum_is_ignored) {
  auto rules = of(book_family::chained);
  rules.checksum = okx_book_checksum;
  rules.zero_is_no_checksum = true;
  auto m = machine(rules);
  auto whole = image(1000, bids, asks);
  whole.has_checksum = true; // and 0
  CAF_CHECK(m->on_image(whole) == build_step::replaced);
  auto c = linked(1001, 1000).view();
  c.has_checksum = true;
  CAF_CHECK(m->on_depth(c) == build_step::applied);
  c = linked(1002, 1001).view();
  c.has_checksum = true;
  c.checksum = 77;
  CAF_CHECK(m->on_depth(c) == build_step::checksum_mismatch);
}

CAF_TEST(connection_books_never_step_back) {
  auto m = machine(of(book_family::connection));
  m->on_image(image(7, bids, asks));
  CAF_CHECK(m->on_depth(change(0, 9, 0, {{{98}, {1}}}).view()) == build_step::applied);
  CAF_CHECK(m->on_depth(change(0, 9, 0, {{{97}, {1}}}).view()) == build_step::applied); // of the same message
  CAF_CHECK(m->on_depth(change(0, 8, 0).view()) == build_step::gap);
}

CAF_TEST(connection_numbers) {
  connection_sequence s;
  using step = connection_sequence::step;
  CAF_CHECK(s.take(41) == step::next);
  CAF_CHECK(s.take(42) == step::next);
  CAF_CHECK(s.take(42) == step::broken);
  CAF_CHECK(s.take(46) == step::broken);
  CAF_CHECK_EQUAL(s.missing(), 3u);
  CAF_CHECK(s.take(47) == step::next);
  CAF_CHECK(s.take(3) == step::broken);
  s.reset();
  CAF_CHECK(s.take(0) == step::next);
  CAF_CHECK(s.take(1) == step::next);
  CAF_CHECK_EQUAL(s.breaks(), 3u);
  s.reset();
  s.take(~std::uint64_t{0});
  CAF_CHECK(s.take(0) == step::broken);
}

CAF_TEST(images_replace_and_their_numbers_jump) {
  auto m = machine(of(book_family::images));
  CAF_CHECK(m->on_depth(change(1, 1, 0).view()) == build_step::ignored);
  CAF_CHECK(m->on_image(image(500, bids, asks)) == build_step::replaced);
  CAF_CHECK(m->on_image(image(20, bids, asks)) == build_step::replaced);
  CAF_CHECK(m->on_image(image(30, asks, bids)) == build_step::crossed);
  CAF_CHECK(!m->valid());
  CAF_CHECK(m->on_image(image(31, bids, asks)) == build_step::replaced);
  CAF_CHECK_EQUAL(m->counts().unproven, 4u);
}

CAF_TEST(cutting_a_book) {
  order_book book{{price{10}, 256}};
  std::vector<level> b, a;
  for (std::int64_t i = 1; i <= 200; ++i) {
    b.push_back({{100'000 - i * 50}, {i}});
    a.push_back({{100'000 + i * 50 + i % 2}, {i}}); // half of them off the tick
  }
  book.load(b, a);
  for (const std::size_t depth : {150, 40, 40, 1, 0}) {
    book.cut(side::buy, depth);
    book.cut(side::sell, depth);
    CAF_CHECK_EQUAL(book.levels(side::buy), depth);
    CAF_CHECK_EQUAL(book.levels(side::sell), depth);
    CAF_CHECK(depth == 0 || (book.bid() == b[0] && book.ask() == a[0]));
    CAF_CHECK(depth == 0 || book.at(side::buy, b[depth - 1].at).raw != 0);
  }
}

// --- checksums -----------------------------------------------------------------------------------

CAF_TEST(checksums_of_the_venues_documents) {
  // OKX "Checksum": bids 3366.1 × 7, 3366 × 6; asks 3366.8 × 9, 3368 × 8.
  order_book okx;
  okx.load(std::vector<level>{{{336610}, {7000}}, {{336600}, {6000}}},
           std::vector<level>{{{336680}, {9000}}, {{336800}, {8000}}});
  CAF_CHECK_EQUAL(static_cast<std::int32_t>(okx_book_checksum(okx, 2, 3)), -1881014294);
  // One bid, three asks: the longer side goes on alone.
  order_book one_sided;
  one_sided.load(std::vector<level>{{{33661}, {7}}},
                 std::vector<level>{{{33668}, {9}}, {{33680}, {8}}, {{33720}, {8}}});
  CAF_CHECK_EQUAL(okx_book_checksum(one_sided, 1, 0), 831078360u);
  // "6000:1.5:6001:-2:5999.5:5e-7:6001.25:-0.00000123", computed with another CRC-32.
  order_book bitfinex;
  bitfinex.load(std::vector<level>{{{600000}, {150000000}}, {{599950}, {50}}},
                std::vector<level>{{{600100}, {200000000}}, {{600125}, {123}}});
  CAF_CHECK_EQUAL(bitfinex_book_checksum(bitfinex, 2, 8), 1493746221u);
  // "6000:1.5:6001:-2:5999.5:1.25e-7"
  bitfinex.load(std::vector<level>{{{600000}, {15000000000}}, {{599950}, {1250}}},
                std::vector<level>{{{600100}, {20000000000}}});
  CAF_CHECK_EQUAL(bitfinex_book_checksum(bitfinex, 2, 10), 3220731054u);
}

namespace {

std::int64_t raw_of(const std::string& text, int scale) {
  const auto raw = parse_decimal(text, scale);
  CAF_REQUIRE(raw.has_value());
  return *raw;
}

/// The numbers of `"key":[["1.0","2",…],…]` or `"key":[{"price":1.0,"qty":2},…]`, cut out by hand.
std::vector<level> rows_of(std::string_view text, std::string_view key, std::size_t columns, int price_scale,
                           int size_scale) {
  const auto start = text.find("\"" + std::string{key} + "\":[");
  if (start == std::string_view::npos) return {};
  std::vector<std::string> numbers;
  int depth = 0;
  std::string number;
  for (const auto c : text.substr(start + key.size() + 3)) {
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    if ((c >= '0' && c <= '9') || c == '.') number += c;
    else if (!number.empty()) numbers.push_back(std::exchange(number, {}));
    if (depth == 0) break;
  }
  std::vector<level> out;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += columns)
    out.push_back({{raw_of(numbers[i], price_scale)}, {raw_of(numbers[i + 1], size_scale)}});
  return out;
}

std::uint32_t number_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  CAF_REQUIRE(at != std::string_view::npos);
  return static_cast<std::uint32_t>(std::strtoll(text.data() + at + key.size(), nullptr, 10));
}

} // namespace

CAF_TEST(kraken_document_and_recordings) {
  const auto worked = test::recording("venues/derived/official_vectors/kraken_v2_checksum.json", "checksums");
  if (worked) {
    order_book book;
    std::string tight; // the file has spaces behind its colons
    for (const auto c : test::text_of(*worked))
      if (c != ' ' && c != '\n') tight += c;
    book.load(rows_of(tight, "bids", 2, 1, 8), rows_of(tight, "asks", 2, 1, 8));
    CAF_CHECK_EQUAL(kraken_book_checksum(book, 1, 8), number_after(tight, "\"crc32\":"));
  }
  struct recorded {
    std::string_view file;
    int price_scale;
    std::uint64_t messages, equal_without_cut;
  };
  for (const auto& r : {recorded{"kraken_btcusd_sample.cbcap", 1, 2052, 220},
                        recorded{"kraken_ethusd_sample.cbcap", 2, 1129, 1129}}) {
    const auto file =
        test::recording("venues/jdardash+crossbook/tests/fixtures/" + std::string{r.file}, "checksums");
    if (!file) return;
    book_rules rules;
    rules.family = book_family::checksummed;
    rules.checksum = kraken_book_checksum;
    rules.depth = 25;
    rules.cut_beyond_depth = true;
    auto m = make_book_machine(rules, {price{1}, 4096}, {r.price_scale, 8});
    order_book uncut;
    std::uint64_t equal_uncut = 0;
    for (const auto& line : test::lines_of(*file)) {
      if (!line.starts_with(R"({"channel":"book")")) continue;
      const auto b = rows_of(line, "bids", 2, r.price_scale, 8);
      const auto a = rows_of(line, "asks", 2, r.price_scale, 8);
      const auto sum = number_after(line, "\"checksum\":");
      if (line.find(R"("type":"snapshot")") != std::string::npos) {
        auto whole = image(0, b, a);
        whole.has_checksum = true;
        whole.checksum = sum;
        CAF_CHECK(m->on_image(whole) == build_step::replaced);
        uncut.load(b, a);
      } else {
        auto c = change(0, 0, 0, b, a);
        c.event.has_checksum = true;
        c.event.checksum = sum;
        if (m->on_depth(c.view()) != build_step::applied) CAF_FAIL("mismatch in " << r.file);
        uncut.apply(side::buy, b);
        uncut.apply(side::sell, a);
      }
      equal_uncut += kraken_book_checksum(uncut, r.price_scale, 8) == sum ? 1 : 0;
    }
    CAF_CHECK_EQUAL(m->counts().checksums_compared, r.messages);
    CAF_CHECK_EQUAL(m->counts().checksums_equal, r.messages);
    CAF_CHECK_EQUAL(equal_uncut, r.equal_without_cut); // only one of the recordings shows a missing cut
  }
}

CAF_TEST(okx_recording) {
  const auto file = test::recording("venues/bmoscon+cryptofeed/sample_data/OKX.ws.1.0", "checksums");
  if (!file) return;
  book_rules rules;
  rules.family = book_family::checksummed; // the recording is older than the numbers
  rules.checksum = okx_book_checksum;
  std::map<std::string, std::unique_ptr<book_machine>> books;
  for (const auto& line : test::two_way(*file)) {
    if (line.kind != test::two_way_kind::received) continue;
    if (line.text.find("\"action\":\"") == std::string::npos) continue;
    const auto at = line.text.find("\"instId\":\"") + 10;
    auto& m = books[line.text.substr(at, line.text.find('"', at) - at)];
    if (!m) m = make_book_machine(rules, {price{10'000'000}, 4096}, {8, 8});
    const auto b = rows_of(line.text, "bids", 4, 8, 8);
    const auto a = rows_of(line.text, "asks", 4, 8, 8);
    auto c = change(0, 0, 0, b, a);
    c.event.has_checksum = true;
    c.event.checksum = number_after(line.text, "\"checksum\":");
    auto whole = image(0, b, a);
    whole.has_checksum = true;
    whole.checksum = c.event.checksum;
    if (line.text.find("\"action\":\"snapshot\"") != std::string::npos) m->on_image(whole);
    else m->on_depth(c.view());
  }
  std::uint64_t compared = 0, equal = 0;
  for (const auto& [name, m] : books) {
    compared += m->counts().checksums_compared;
    equal += m->counts().checksums_equal;
    CAF_CHECK(m->valid());
  }
  CAF_CHECK_EQUAL(books.size(), 3u);
  CAF_CHECK_EQUAL(compared, 290u);
  CAF_CHECK_EQUAL(equal, 290u);
}

// --- trades without numbers ----------------------------------------------------------------------

CAF_TEST(trades_are_told_apart_by_their_ids) {
  trade_window w;
  const auto text = [](std::string_view id) {
    trade_event t;
    t.numbered = false;
    t.id_text = id;
    return t;
  };
  CAF_CHECK(w.take(text("a1")));
  CAF_CHECK(w.take(text("a2")));
  CAF_CHECK(!w.take(text("a1")));
  trade_event by_number;
  by_number.id = 900;
  CAF_CHECK(w.take(by_number));
  CAF_CHECK(!w.take(by_number));
  CAF_CHECK(w.take({}) && w.take({})); // no id at all: nothing can be said
  CAF_CHECK_EQUAL(w.replayed(), 2u);
  // A long run: each new once, each repeated within the window found, older ones forgotten.
  trade_window many;
  const auto id = [](std::uint64_t i) { return "id-" + std::to_string(i * 2654435761u); };
  for (std::uint64_t i = 1; i <= 50'000; ++i) {
    const auto now = id(i);
    if (!many.take(text(now))) CAF_FAIL("new trade " << i << " left out");
    const auto before = id(i > 4095 ? i - 4095 : 1);
    if (many.take(text(before))) CAF_FAIL("repeated trade taken at " << i);
  }
  CAF_CHECK_EQUAL(many.count(), 50'000u);
  CAF_CHECK(many.take(text(id(40'000))));
}
