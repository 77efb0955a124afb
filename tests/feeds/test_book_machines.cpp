#define CAF_SUITE book_machines

#include "actors/feeds/book_builder.hpp"
#include "actors/feeds/checksums.hpp"
#include "actors/feeds/connection_sequence.hpp"
#include "tests/feeds/faulty_venue.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <functional>
#include <malloc.h>

using namespace troupe;
using namespace troupe::test;

namespace {

// --- the venues ----------------------------------------------------------------------------------

flavour ranged(std::string_view name, sequence_rule rule, numbering numbers) {
  flavour f;
  f.name = name;
  f.numbers = numbers;
  f.requested_image = true;
  f.rules.rule = rule;
  f.rules.image_in_band = false;
  return f;
}

flavour in_band(std::string_view name, book_family family, numbering numbers,
                book_checksum checksum = nullptr, std::size_t checksum_levels = 0) {
  flavour f;
  f.name = name;
  f.numbers = numbers;
  f.rules.family = family;
  f.rules.checksum = checksum;
  f.rules.checksum_levels = checksum_levels;
  return f;
}

std::vector<flavour> flavours() {
  std::vector<flavour> out{
      ranged("Binance spot", sequence_rule::spot, numbering::ranges),
      ranged("Binance futures", sequence_rule::futures, numbering::skipping),
      ranged("KuCoin", sequence_rule::overlap, numbering::rows),
      ranged("MEXC", sequence_rule::overlap, numbering::ranges),
      in_band("HTX mbp", book_family::chained, numbering::linked),
      in_band("Deribit, OKX", book_family::chained, numbering::linked),
      in_band("OKX with checksum", book_family::chained, numbering::linked, okx_book_checksum, 25),
      in_band("Bybit", book_family::chained, numbering::steps),
      in_band("Gate obu", book_family::chained, numbering::ranges),
      in_band("Kraken", book_family::checksummed, numbering::none, kraken_book_checksum, 10),
      in_band("Coinbase", book_family::connection, numbering::connection),
      in_band("Bitfinex", book_family::connection, numbering::connection, bitfinex_book_checksum, 25),
      in_band("full images", book_family::images, numbering::none),
  };
  for (auto& f : out) {
    if (f.name == "HTX mbp") f.requested_image = f.rules.joined_image = true;
    if (f.name == "Kraken") f.rules.depth = 25, f.rules.cut_beyond_depth = true;
    if (f.name == "Bitfinex") f.own_checksum = true;
    if (f.name == "full images") f.images_only = true;
  }
  return out;
}

flavour flavour_named(std::string_view name) {
  for (auto& f : flavours())
    if (f.name == name) return f;
  CAF_FAIL("no flavour " << name);
  return {};
}

// --- one run -------------------------------------------------------------------------------------

/// How a message reaches the machine; tests replace it to break the machine on purpose.
using entrance = std::function<void(book_machine&, const venue_message&)>;

void plainly(book_machine& to, const venue_message& m) {
  if (m.image) to.on_image(m.whole());
  else to.on_depth(m.change());
}

struct tally {
  std::array<std::uint64_t, mishaps> injected{}, noticed{}, harmless{}, unprovable{};
  std::string violation;
  std::ptrdiff_t growth = 0; ///< bytes of the heap between a tenth of the rounds and the end
};

class trial {
public:
  trial(const flavour& f, std::uint64_t seed, book_rules rules, entrance way)
      : f_{f}, random_{seed}, venue_{f_, random_}, expected_{f_}, way_{std::move(way)},
        machine_{make_book_machine(rules, {price{1}, 256}, {2, 3})} {}

  tally run(std::uint64_t rounds) {
    std::size_t settled = 0;
    for (std::uint64_t i = 0; i < rounds && out_.violation.empty(); ++i) {
      if (i == rounds / 10) settled = mallinfo2().uordblks;
      if (synchronize()) round();
    }
    out_.growth = static_cast<std::ptrdiff_t>(mallinfo2().uordblks) - static_cast<std::ptrdiff_t>(settled);
    return out_;
  }

private:
  struct told {
    venue_message m;
    map_book truth;
  };

  [[nodiscard]] bool checked() const { return f_.rules.checksum != nullptr; }
  [[nodiscard]] bool in_sequence() const { return f_.numbers != numbering::none; }

  [[nodiscard]] bool can_happen(mishap what) const { return what != mishap::wrong_checksum || checked(); }

  /// What the numbers or the checksum prove whatever the book looks like.
  [[nodiscard]] bool must_be_noticed(mishap what) const {
    switch (what) {
    case mishap::lost:
    case mishap::repeated:
    case mishap::overtaken:
    case mishap::renumbered: return in_sequence();
    case mishap::wrong_checksum:
    case mishap::crossing_row: return true;
    case mishap::damaged_row:
    case mishap::lost_row: return false;
    }
    return false;
  }

  told next(bool with_checksum = false) {
    if (f_.own_checksum && (with_checksum || random_() % 4 == 0)) {
      auto m = venue_.checksum_only();
      return {std::move(m), venue_.truth()};
    }
    auto m = venue_.next();
    return {std::move(m), venue_.truth()};
  }

  void violated(std::string what) {
    if (out_.violation.empty()) out_.violation = std::string{f_.name} + ": " + std::move(what);
  }

  void give(const told& t) {
    const bool broke = f_.numbers == numbering::connection
                       && connection_.take(t.m.head.last) == connection_sequence::step::broken;
    if (broke) machine_->reset(); // the session ends
    if (!broke) way_(*machine_, t.m);
    t.m.image ? expected_.image(t.m, t.truth) : expected_.change(t.m, t.truth);
    if (machine_->valid() != expected_.valid())
      return violated(machine_->valid() ? "valid, expected not to be" : "not valid, expected to be");
    if (!expected_.valid()) return;
    if (const auto why = whole_difference(machine_->book(), expected_.book()); !why.empty())
      return violated(why);
    if (machine_->book().crossed()) return violated("a crossed book is valid");
    if (checked() && t.m.head.has_checksum && !same_top(expected_.book(), t.truth, f_.rules.checksum_levels))
      violated("the checksum proves another top");
  }

  /// Until the machine holds the truth: changes, and an image whenever it wants one.
  bool synchronize() {
    for (int tries = 0; tries < 40 && out_.violation.empty(); ++tries) {
      auto t = next();
      give(t);
      const bool unasked = !f_.requested_image && random_() % 8 == 0;
      if (unasked || (machine_->needs_image() && random_() % 2 == 0)) {
        connection_.reset();
        if (unasked) next(); // what the image says besides
        auto m = venue_.image();
        give({std::move(m), venue_.truth()});
      }
      if (machine_->valid() && same_top(expected_.book(), venue_.truth(), 0)) return true;
    }
    violated("never becomes valid again");
    return false;
  }

  void round() {
    auto what = static_cast<mishap>(random_() % mishaps);
    if (!can_happen(what)) what = mishap::lost;
    const auto length = 3 + random_() % 4;
    const auto at = random_() % (length - 1);
    std::vector<told> burst;
    for (std::size_t i = 0; i < length; ++i) {
      burst.push_back(next(i == at && what == mishap::wrong_checksum));
      if (i == at && what == mishap::renumbered) venue_.renumber();
    }
    if (f_.numbers == numbering::linked && !f_.requested_image)
      burst.push_back({venue_.sign_of_life(), venue_.truth()});
    strike(burst, at, what);
    const auto before = expected_.noticed();
    for (const auto& t : burst) give(t);
    count(what, expected_.noticed() > before);
  }

  void strike(std::vector<told>& burst, std::size_t at, mishap what) {
    const auto place = burst.begin() + static_cast<std::ptrdiff_t>(at);
    auto& m = place->m;
    auto& rows = !m.bids.empty() && (m.asks.empty() || random_() % 2 == 0) ? m.bids : m.asks;
    switch (what) {
    case mishap::lost:
    case mishap::renumbered: burst.erase(place); return;
    case mishap::repeated: burst.insert(place, told{*place}); return;
    case mishap::overtaken: std::swap(*place, *(place + 1)); return;
    case mishap::wrong_checksum:
      m.head.checksum ^= 1U << random_() % 32;
      m.wrong_checksum = true;
      return;
    case mishap::crossing_row:
      m.bids.push_back({place->truth.ask().at, {1}});
      if (!m.bid_rows.empty() || !m.ask_rows.empty()) m.bid_rows.push_back(m.head.last);
      return;
    case mishap::damaged_row: {
      if (rows.empty()) return;
      auto& row = rows[random_() % rows.size()];
      if (row.at.raw == 0) return;
      if (random_() % 2 == 0) row.quantity.raw ^= 1 << random_() % 10;
      else row.at.raw += 1;
      return;
    }
    case mishap::lost_row: {
      if (rows.empty() || f_.numbers == numbering::rows) return;
      rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(random_() % rows.size()));
      return;
    }
    }
  }

  void count(mishap what, bool noticed) {
    const auto i = static_cast<std::size_t>(what);
    ++out_.injected[i];
    const bool wrong = expected_.valid() && !same_top(expected_.book(), venue_.truth(), 0);
    if (noticed) ++out_.noticed[i];
    else if (wrong) ++out_.unprovable[i];
    else ++out_.harmless[i];
    if (!noticed && must_be_noticed(what)) violated(std::string{name_of(what)} + " was not noticed");
    if (!wrong) return;
    machine_->reset(); // nobody could know; the next round starts from the truth
    expected_.reset();
  }

  const flavour f_;
  std::mt19937_64 random_;
  venue_book venue_;
  expected_client expected_;
  entrance way_;
  std::unique_ptr<book_machine> machine_;
  connection_sequence connection_;
  tally out_;
};

void print(const flavour& f, const tally& t) {
  std::cout << name_of(f.rules.family) << " (" << f.name << "):";
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < mishaps; ++i) {
    all += t.injected[i];
    if (t.injected[i] == 0) continue;
    std::cout << ' ' << name_of(static_cast<mishap>(i)) << ' ' << t.noticed[i] << '/' << t.injected[i];
    if (t.unprovable[i] != 0) std::cout << " unprovable " << t.unprovable[i];
  }
  std::cout << "; injected " << all << std::endl;
}

} // namespace

CAF_TEST(every_provable_fault_is_noticed) {
  const auto seed = seed_of("faults of book machines", 31);
  const auto each_family = scaled(2'000);
  const auto all = flavours();
  for (const auto& f : all) {
    const auto alike = std::count_if(all.begin(), all.end(),
                                     [&](const flavour& x) { return x.rules.family == f.rules.family; });
    const auto t = trial{f, seed, f.rules, plainly}.run(each_family / static_cast<std::uint64_t>(alike));
    print(f, t);
    if (!t.violation.empty()) CAF_ERROR(t.violation);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CAF_CHECK(t.growth < 64 * 1024);
#endif
  }
}

// A test that can't fail proves nothing: machines broken on purpose must be caught.
CAF_TEST(broken_machines_are_caught) {
  const auto seed = seed_of("broken book machines", 32);
  struct broken {
    std::string_view what;
    flavour f;
    book_rules rules;
    entrance way;
  };
  std::vector<broken> all;
  const auto add = [&](std::string_view what, std::string_view name, auto change_rules, entrance way) {
    auto f = flavour_named(name);
    auto rules = f.rules;
    change_rules(rules);
    all.push_back({what, f, rules, std::move(way)});
  };
  const auto as_is = [](book_rules&) {};
  const entrance always_next = [](book_machine& to, const venue_message& m) {
    if (m.image) return void(to.on_image(m.whole()));
    auto c = m.change();
    if (to.valid()) {
      c.first = to.sequence() + 1;
      c.previous = to.sequence();
      c.last = std::max(c.last, c.first);
    }
    to.on_depth(c);
  };
  for (const auto name : {"Binance spot", "Binance futures", "KuCoin", "HTX mbp", "Deribit, OKX", "Bybit"})
    add("applies what does not follow", name, as_is, always_next);
  add("looks at no number", "Coinbase", as_is, [](book_machine& to, const venue_message& m) {
    auto c = m.change();
    c.bids = c.bids.first(c.bids.size() / 2);
    m.image ? to.on_image(m.whole()) : to.on_depth(c);
  });
  add("does not cut", "Kraken", [](book_rules& r) { r.cut_beyond_depth = false; }, plainly);
  for (const auto name : {"Kraken", "OKX with checksum", "Bitfinex"})
    add("ignores the checksum", name, [](book_rules& r) { r.checksum = nullptr; }, plainly);
  add("has another checksum", "Kraken", [](book_rules& r) { r.checksum = okx_book_checksum; }, plainly);
  for (const auto name : {"Bybit", "full images"})
    add("merges a later image", name, as_is, [](book_machine& to, const venue_message& m) {
      if (!m.image || to.needs_image()) return plainly(to, m);
      std::vector<level> bids{m.bids}, asks{m.asks};
      to.book().for_each(side::buy, [&](const level& l) { return bids.push_back(l), true; });
      auto merged = m.whole();
      merged.bids = bids;
      to.on_image(merged);
    });
  add("takes rows in another order", "Kraken", as_is, [](book_machine& to, const venue_message& m) {
    auto turned = m;
    std::reverse(turned.bids.begin(), turned.bids.end());
    plainly(to, turned);
  });
  add("joins any image", "Binance spot", as_is, [](book_machine& to, const venue_message& m) {
    auto turned = m;
    if (m.image) turned.head.last += 2;
    plainly(to, turned);
  });
  for (const auto& b : all) {
    const auto t = trial{b.f, seed, b.rules, b.way}.run(2'000);
    CAF_MESSAGE(b.f.name << ": a machine that " << b.what << ": " << t.violation);
    CAF_CHECK(!t.violation.empty());
  }
}
