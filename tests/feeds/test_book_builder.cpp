#define CAF_SUITE book_builder

#include "actors/connectors/binance/codec.hpp"
#include "tests/feeds/book_oracle.hpp"
#include "tests/feeds/frames_of_changes.hpp"
#include "tests/support/recordings.hpp"
#include "tests/support/seeds.hpp"
#include "tools/feed_verify/recorded_frames.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;
using test::change;
using test::image;

namespace {

const std::vector<level> bids{{{100}, {1}}, {{99}, {2}}};
const std::vector<level> asks{{{101}, {3}}};

book_builder spot() { return book_builder{{.rule = sequence_rule::spot}}; }
book_builder futures() { return book_builder{{.rule = sequence_rule::futures}}; }

} // namespace

CAF_TEST(spot_bootstrap) {
  auto b = spot();
  CAF_CHECK(b.needs_image());
  CAF_CHECK(b.on_depth(change(5, 8, 0, {{{50}, {7}}}).view()) == build_step::buffered);
  CAF_CHECK(b.on_depth(change(9, 12, 0, {{{100}, {5}}}).view()) == build_step::buffered);
  CAF_CHECK(b.on_depth(change(13, 13, 0, {{{98}, {4}}}).view()) == build_step::buffered);
  CAF_CHECK(b.on_image(image(10, bids, asks)) == build_step::bridged);
  CAF_CHECK(b.valid());
  CAF_CHECK_EQUAL(b.sequence(), 13u);
  CAF_CHECK_EQUAL(b.counts().applied, 2u);
  CAF_CHECK_EQUAL(b.counts().stale, 1u);
  CAF_CHECK_EQUAL(b.book().bid().quantity.raw, 5);
  CAF_CHECK_EQUAL(b.book().at(side::buy, {50}).raw, 0);
  CAF_CHECK_EQUAL(b.book().at(side::buy, {98}).raw, 4);
  CAF_CHECK(b.on_depth(change(14, 20, 0).view()) == build_step::applied);
  CAF_CHECK(b.on_image(image(20, bids, asks)) == build_step::ignored);
}

CAF_TEST(spot_edges) {
  // The first change applied is the one with U <= L+1 <= u, u == L being stale.
  struct edge {
    std::uint64_t first, last, image;
    build_step expected;
  };
  for (const auto& e : {edge{11, 15, 10, build_step::bridged}, edge{1, 11, 10, build_step::bridged},
                        edge{1, 10, 10, build_step::waiting}, edge{12, 15, 10, build_step::too_old}}) {
    auto b = spot();
    b.on_depth(change(e.first, e.last, 0).view());
    CAF_CHECK(b.on_image(image(e.image, bids, asks)) == e.expected);
    CAF_CHECK_EQUAL(b.valid(), e.expected == build_step::bridged);
    CAF_CHECK_EQUAL(b.needs_image(), e.expected == build_step::too_old);
  }
}

CAF_TEST(futures_edges) {
  // u < L is stale; the first applied has pu <= L <= u.
  struct edge {
    std::uint64_t first, last, previous, image;
    build_step expected;
  };
  for (const auto& e : {edge{5, 9, 4, 10, build_step::waiting}, edge{5, 10, 4, 10, build_step::bridged},
                        edge{10, 15, 9, 10, build_step::bridged}, edge{12, 15, 10, 10, build_step::bridged},
                        edge{12, 15, 11, 10, build_step::too_old}}) {
    auto b = futures();
    b.on_depth(change(e.first, e.last, e.previous).view());
    CAF_CHECK(b.on_image(image(e.image, bids, asks)) == e.expected);
  }
  auto b = futures();
  b.on_depth(change(5, 10, 4).view());
  b.on_image(image(8, bids, asks));
  CAF_CHECK(b.on_depth(change(20, 30, 10).view()) == build_step::applied); // ids of others lie between
  CAF_CHECK(b.on_depth(change(31, 40, 29).view()) == build_step::gap);
  CAF_CHECK(!b.valid());
}

CAF_TEST(image_before_any_change) {
  auto b = spot();
  CAF_CHECK(b.on_image(image(10, bids, asks)) == build_step::waiting);
  CAF_CHECK(!b.valid());
  CAF_CHECK(b.on_depth(change(8, 10, 0).view()) == build_step::stale);
  CAF_CHECK(b.on_depth(change(11, 12, 0).view()) == build_step::bridged);
  auto late = spot();
  late.on_image(image(10, bids, asks));
  CAF_CHECK(late.on_depth(change(12, 13, 0).view()) == build_step::gap); // 11 was missed
  CAF_CHECK(late.needs_image() && late.has_buffered());
}

CAF_TEST(old_image_is_refused_and_the_buffer_kept) {
  auto b = spot();
  b.on_depth(change(100, 110, 0).view());
  b.on_depth(change(111, 120, 0).view());
  CAF_CHECK(b.on_image(image(50, bids, asks)) == build_step::too_old);
  CAF_CHECK_EQUAL(b.counts().images_refused, 1u);
  CAF_CHECK(b.on_image(image(112, bids, asks)) == build_step::bridged);
  CAF_CHECK_EQUAL(b.counts().applied, 1u);
  CAF_CHECK_EQUAL(b.counts().stale, 1u);
}

CAF_TEST(gap_drops_the_book_whole) {
  auto b = spot();
  b.on_depth(change(1, 10, 0).view());
  b.on_image(image(5, bids, asks));
  CAF_CHECK(b.valid());
  CAF_CHECK(b.on_depth(change(12, 13, 0, {{{97}, {1}}}).view()) == build_step::gap);
  CAF_CHECK_EQUAL(b.book().levels(side::buy), 0u);
  CAF_CHECK_EQUAL(b.counts().gaps, 1u);
  // The change that showed the gap is the first of the new buffer.
  CAF_CHECK(b.on_image(image(11, bids, asks)) == build_step::bridged);
  CAF_CHECK_EQUAL(b.sequence(), 13u);
  CAF_CHECK_EQUAL(b.book().at(side::buy, {97}).raw, 1);
}

CAF_TEST(replays_and_crossed_books) {
  auto b = spot();
  b.on_depth(change(1, 10, 0).view());
  b.on_image(image(5, bids, asks));
  CAF_CHECK(b.on_depth(change(1, 10, 0, {{{100}, {9}}}).view()) == build_step::stale);
  CAF_CHECK_EQUAL(b.book().bid().quantity.raw, 1);
  CAF_CHECK(b.on_depth(change(11, 12, 0, {{{101}, {9}}}).view()) == build_step::crossed);
  CAF_CHECK(!b.valid() && b.needs_image());
  CAF_CHECK_EQUAL(b.counts().crossed, 1u);
}

CAF_TEST(buffer_is_bounded) {
  book_builder b{{.rule = sequence_rule::spot, .max_buffered_changes = 10}};
  for (std::uint64_t u = 1; u <= 100; ++u) b.on_depth(change(u, u, 0).view());
  CAF_CHECK_EQUAL(b.counts().buffer_dropped, 90u);
  CAF_CHECK(b.on_image(image(50, bids, asks)) == build_step::too_old);
  CAF_CHECK(b.on_image(image(95, bids, asks)) == build_step::bridged);
  book_builder narrow{{.rule = sequence_rule::spot, .max_levels = 100}};
  narrow.on_depth(change(1, 1, 0).view());
  narrow.on_image(image(0, bids, asks));
  std::vector<level> many;
  for (std::int64_t i = 1; i <= 200; ++i) many.push_back({{i % 100}, {1}});
  for (auto& l : many) l.at.raw = 100 - (&l - many.data());
  CAF_CHECK(narrow.on_depth(change(2, 2, 0, many).view()) == build_step::overflow);
}

// --- faults injected into a recording ------------------------------------------------------------

namespace {

struct tape_of_changes {
  std::vector<test::owned_change> changes;
  std::vector<level> bids, asks;
  std::uint64_t image_last = 0;
  binance::image_scales scales;
};

std::optional<tape_of_changes> load(std::string_view file) {
  const auto found =
      test::recording("venues/nkaz001+hftbacktest/examples/" + std::string{file}, "injected faults");
  if (!found) return std::nullopt;
  tape_of_changes out;
  std::vector<std::string> texts;
  const auto done = read_recordings({*found}, [&](const recorded_frame& f) -> status {
    if (f.text.find("depthUpdate") < 100) texts.emplace_back(f.text);
    if (!f.text.starts_with(R"({"lastUpdateId":)")) return ok;
    auto scales = binance::scales_of_image(f.text);
    if (!scales) return scales.error();
    out.scales = *scales;
    binance::decoder d{{scales->price_scale, scales->size_scale}};
    const auto& e = d.decode(f.text);
    out.bids.assign(e.image.bids.begin(), e.image.bids.end());
    out.asks.assign(e.image.asks.begin(), e.image.asks.end());
    out.image_last = e.image.last;
    return ok;
  });
  if (!done) CAF_FAIL(done.error().message());
  binance::decoder d{{out.scales.price_scale, out.scales.size_scale}};
  for (const auto& t : texts) {
    const auto& e = d.decode(t);
    test::owned_change c{
        e.depth, {e.depth.bids.begin(), e.depth.bids.end()}, {e.depth.asks.begin(), e.depth.asks.end()}};
    out.changes.push_back(std::move(c));
  }
  return out;
}

/// Runs a short piece of the recording with one fault in it. Returns true when the fault was noticed: a gap,
/// a replay or a refusal counted before the end. The book is never valid with a wrong content meanwhile.
enum class fault { lost, repeated, swapped, lost_two, truncated_id };

bool noticed(const tape_of_changes& tape, sequence_rule rule, std::size_t at, fault what) {
  std::vector<const test::owned_change*> order;
  const auto first = at > 6 ? at - 6 : 0;
  const auto last = std::min(at + 6, tape.changes.size());
  for (auto i = first; i < last; ++i) order.push_back(&tape.changes[i]);
  const auto place = at - first;
  auto damaged = tape.changes[at];
  if (what == fault::lost) order.erase(order.begin() + static_cast<std::ptrdiff_t>(place));
  if (what == fault::lost_two)
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(place),
                order.begin() + static_cast<std::ptrdiff_t>(place) + 2);
  if (what == fault::repeated) order.insert(order.begin() + static_cast<std::ptrdiff_t>(place), order[place]);
  if (what == fault::swapped) std::swap(order[place], order[place + 1]);
  if (what == fault::truncated_id) {
    damaged.event.last += 1;
    order[place] = &damaged;
  }
  book_builder b{{.rule = rule}};
  // An empty image right in front of the piece: only the sequence is looked at here.
  const auto before =
      rule == sequence_rule::spot ? tape.changes[first].event.first - 1 : tape.changes[first].event.previous;
  b.on_image(image(before, {}, {}));
  for (const auto* c : order) b.on_depth(c->view());
  return b.counts().gaps > 0 || b.counts().stale > 0;
}

} // namespace

CAF_TEST(injected_faults_are_all_noticed) {
  std::mt19937_64 random{test::seed_of("injected faults", 23)};
  struct recording {
    std::string_view file;
    sequence_rule rule;
  };
  for (const auto& r : {recording{"spot/btcusdt_20240808.gz", sequence_rule::spot},
                        recording{"usdm/btcusdt_20240808.gz", sequence_rule::futures}}) {
    const auto tape = load(r.file);
    if (!tape) return;
    const auto rounds = test::scaled(50'000);
    std::uint64_t missed = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
      const auto at = 10 + random() % (tape->changes.size() - 30);
      const auto what = static_cast<fault>(random() % 5);
      if (!noticed(*tape, r.rule, at, what)) ++missed;
    }
    CAF_CHECK_EQUAL(missed, 0u);
    // And no false alarm: the clean piece around any place passes.
    for (std::size_t at = 10; at + 30 < tape->changes.size(); at += 7) {
      book_builder b{{.rule = r.rule}};
      const auto before = r.rule == sequence_rule::spot ? tape->changes[at].event.first - 1
                                                        : tape->changes[at].event.previous;
      b.on_image(image(before, {}, {}));
      for (auto i = at; i < at + 12; ++i) b.on_depth(tape->changes[i].view());
      if (b.counts().gaps != 0 || b.counts().applied != 12) CAF_FAIL("false alarm at change " << at);
    }
  }
}

CAF_TEST(recorded_book_equals_the_map_at_every_change) {
  for (const auto file : {"spot/btcusdt_20240808.gz", "usdm/btcusdt_20240808.gz"}) {
    const auto tape = load(file);
    if (!tape) return;
    const auto rule =
        std::string_view{file}.starts_with("spot") ? sequence_rule::spot : sequence_rule::futures;
    builder_options options;
    options.rule = rule;
    options.book.tick = tape->scales.tick;
    book_builder b{options};
    test::map_book oracle;
    for (const auto& l : tape->bids) oracle.apply(side::buy, l.at, l.quantity);
    for (const auto& l : tape->asks) oracle.apply(side::sell, l.at, l.quantity);
    std::size_t i = 0;
    b.on_depth(tape->changes[0].view());
    b.on_image(image(tape->image_last, tape->bids, tape->asks));
    for (const auto& c : tape->changes) {
      const bool stale =
          rule == sequence_rule::spot ? c.event.last <= tape->image_last : c.event.last < tape->image_last;
      if (i++ > 0) b.on_depth(c.view());
      if (stale) continue;
      for (const auto& l : c.bids) oracle.apply(side::buy, l.at, l.quantity);
      for (const auto& l : c.asks) oracle.apply(side::sell, l.at, l.quantity);
      auto why =
          i % 500 == 0 ? test::whole_difference(b.book(), oracle) : test::top_difference(b.book(), oracle);
      if (!why.empty()) CAF_FAIL(file << " change " << i << ": " << why);
    }
    CAF_CHECK(b.valid());
    CAF_CHECK(test::whole_difference(b.book(), oracle).empty());
  }
}
