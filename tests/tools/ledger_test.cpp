#define CAF_SUITE venue_ledger
#include "tests/tools/venue_sim_support.hpp"
#include "tools/venue_sim/ledger_check.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <random>
#include <sstream>

using namespace troupe;
using namespace troupe::venue_sim;
using namespace troupe::venue_sim::test;

namespace {

ledger_order an_order(std::int64_t id, std::string client, std::string_view quantity = "1") {
  return {
      id, std::move(client), "BTCUSDT", ledger_side::buy, "LIMIT", "GTC", e8("100.01"), e8(quantity), 0, 5,
      6};
}

ledger_fill a_fill(std::int64_t trade, std::int64_t id, std::string client, std::string_view quantity = "1") {
  return {trade,
          id,
          std::move(client),
          "BTCUSDT",
          ledger_side::buy,
          e8("100.01"),
          e8(quantity),
          e8("100.01"),
          e8("0.001"),
          "BTC",
          true,
          "queue",
          7};
}

journaled_fill journaled(const ledger_fill& f) {
  return {f.trade_id, f.client_order_id, f.price_e8, f.quantity_e8, f.commission_e8, f.commission_asset};
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << text;
}

/// Two orders, a fill, a cancel, a refusal.
void fill_ledger(const std::filesystem::path& file) {
  ledger_content found;
  auto ledger = ledger_writer::open(file, e8("10"), e8("1000"), found);
  CAF_REQUIRE(ledger.has_value());
  ledger->add(an_order(1, "a\"quoted\\"));
  ledger->add(a_fill(11, 1, "a\"quoted\\"));
  ledger->add(an_order(2, "b"));
  CAF_REQUIRE(ledger->commit().has_value());
  ledger->add(ledger_end{2, "b", "cancel", "b-cancel", 9});
  ledger->add(ledger_refusal{"c", -2010, 10});
  CAF_REQUIRE(ledger->commit().has_value());
}

} // namespace

CAF_TEST(a ledger reads back what was written and goes on after a restart) {
  scratch_folder folder;
  const auto file = folder.path() / "ledger.log";
  fill_ledger(file);
  ledger_content found;
  {
    auto again = ledger_writer::open(file, e8("77"), e8("77"), found);
    CAF_REQUIRE(again.has_value());
    CAF_CHECK_EQUAL(found.opening_base_e8, e8("10")); // the first opening counts
    again->add(an_order(3, "b"));
    CAF_REQUIRE(again->commit().has_value());
  }
  const auto read = read_ledger(file);
  CAF_REQUIRE(read.has_value());
  CAF_CHECK_EQUAL(read->orders.size(), 3u);
  CAF_CHECK_EQUAL(read->orders[0].client_order_id, "a\"quoted\\");
  CAF_CHECK_EQUAL(read->fills.at(0).commission_e8, e8("0.001"));
  CAF_CHECK_EQUAL(read->ends.at(0).request_client_id, "b-cancel");
  CAF_CHECK_EQUAL(read->refusals.at(0).code, -2010);
  CAF_CHECK_EQUAL(read->torn_bytes, 0u);
  CAF_CHECK_EQUAL(read->duplicated_client_ids().size(), 1u);
}

CAF_TEST(a torn tail is cut off wherever it tore) {
  scratch_folder folder;
  const auto file = folder.path() / "ledger.log";
  fill_ledger(file);
  const auto whole = content_of(file);
  const auto last_line = whole.rfind('\n', whole.size() - 2) + 1;
  for (auto size = last_line + 1; size < whole.size(); ++size) {
    const auto read = parse_ledger(std::string_view{whole}.substr(0, size), "torn");
    CAF_REQUIRE(read.has_value());
    CAF_REQUIRE_EQUAL(read->torn_bytes, size - last_line);
    CAF_REQUIRE(read->refusals.empty());
    if (size % 29 != 0 && size + 1 != whole.size()) continue; // on disk: some of them
    write(file, whole.substr(0, size));
    ledger_content found;
    auto again = ledger_writer::open(file, 0, 0, found);
    CAF_REQUIRE(again.has_value());
    again->add(ledger_refusal{"again", -1, 1});
    CAF_REQUIRE(again->commit().has_value());
    const auto reread = read_ledger(file);
    CAF_REQUIRE_EQUAL(reread->refusals.at(0).client_order_id, "again");
  }
}

CAF_TEST(every flipped bit is found or cuts the tail) {
  scratch_folder folder;
  const auto file = folder.path() / "ledger.log";
  fill_ledger(file);
  const auto whole = content_of(file);
  const auto good = *parse_ledger(whole, "whole");
  const auto last_line = whole.rfind('\n', whole.size() - 2) + 1;
  std::size_t found = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto bad = whole;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto read = parse_ledger(bad, "flipped");
    if (!read) {
      ++found;
      CAF_REQUIRE(read.error().code == make_error_code(venue_sim_errc::bad_ledger));
      continue;
    }
    // Only the last record may be given up, and then it is said.
    CAF_REQUIRE(bit / 8 >= last_line || bit / 8 == last_line - 1);
    CAF_REQUIRE_GREATER(read->torn_bytes, 0u);
    CAF_REQUIRE_EQUAL(read->orders.size(), good.orders.size());
    CAF_REQUIRE_EQUAL(read->fills.size(), good.fills.size());
  }
  CAF_CHECK_GREATER(found, whole.size() * 6);
}

CAF_TEST(a missing record in the middle is found) {
  scratch_folder folder;
  const auto file = folder.path() / "ledger.log";
  fill_ledger(file);
  auto text = content_of(file);
  const auto first = text.find('\n') + 1;
  text.erase(first, text.find('\n', first) + 1 - first);
  write(file, text);
  CAF_CHECK(!read_ledger(file).has_value());
}

CAF_TEST(equal journals and ledgers compare clean) {
  ledger_content ledger;
  ledger.orders = {an_order(1, "a"), an_order(2, "b"), an_order(3, "c")};
  for (const auto& o : ledger.orders)
    ledger.by_client_id[o.client_order_id].push_back(o.order_id);
  ledger.fills = {a_fill(11, 1, "a")};
  ledger.ends = {{2, "b", "cancel", "x", 1}};
  const std::vector<journaled_intent> intents{
      {"ia", "a", intent_end::done},     {"ib", "b", intent_end::done},   {"ic", "c", intent_end::open},
      {"id", "d", intent_end::rejected}, {"ie", "e", intent_end::absent}, {"if", "f", intent_end::denied}};
  const auto clean = compare_with_ledger(ledger, intents, {journaled(ledger.fills[0])});
  CAF_CHECK(clean.clean());
  CAF_CHECK_EQUAL(clean.venue_orders, 3u);

  auto worse = intents;
  worse[0].end = intent_end::unknown; // one without a known end
  worse[3].client_order_id = "a";     // a second intent of that id, called rejected
  worse.erase(worse.begin() + 1);     // b without a row
  auto more = ledger;
  more.by_client_id["c"].push_back(9);
  more.orders.push_back(an_order(9, "c"));
  auto fills = std::vector{journaled(ledger.fills[0]), journaled(ledger.fills[0])};
  fills.push_back(fills[0]);
  fills.back().trade_id = 99;
  const auto found = compare_with_ledger(more, worse, fills);
  CAF_CHECK(!found.clean());
  CAF_CHECK_EQUAL(found.lost.size(), 3u);
  CAF_CHECK_EQUAL(found.duplicated.size(), 1u);
  CAF_CHECK_EQUAL(found.fills_extra.size(), 2u);
  CAF_CHECK_EQUAL(compare_with_ledger(ledger, intents, {}).fills_missing.size(), 1u);
  auto other = journaled(ledger.fills[0]);
  other.commission_e8 += 1;
  CAF_CHECK_EQUAL(compare_with_ledger(ledger, intents, {other}).fills_differ.size(), 1u);
  auto open = intents;
  open[0].end = intent_end::open; // the venue filled it
  CAF_CHECK_EQUAL(compare_with_ledger(ledger, open, {journaled(ledger.fills[0])}).lost.size(), 1u);
}

CAF_TEST(amounts convert between scales) {
  CAF_CHECK(to_e8(6183763, 2) == e8("61837.63"));
  CAF_CHECK(to_e8(1000000000, 10) == e8("0.1"));
  CAF_CHECK(!to_e8(5, 9));
  CAF_CHECK(!to_e8(INT64_MAX, 2));
}
