// Each promise that a journal can show is broken once on purpose, and the checker names it.

#define CAF_SUITE history_check

#include "tools/cluster_torture/history_check.hpp"

#include "actors/executors/client_id.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::cluster_torture;

namespace {

const instrument_id btc{"BTC-USDT@binance"};

intent order_of(std::uint64_t decision, std::uint32_t leg = 0, side direction = side::buy) {
  intent out;
  out.account = {"main@binance"};
  out.decision_sequence = decision;
  out.leg = leg;
  out.instrument = btc;
  out.direction = direction;
  out.limit = {6'000'000};
  out.quantity = {1'000};
  out.client_id = client_id_of(out);
  return out;
}

order_report report_of(const intent& what, order_state state, std::vector<fill> fills = {}) {
  order_report out;
  out.account = what.account;
  out.instrument = what.instrument;
  out.client_id = what.client_id;
  out.state = state;
  out.fills = std::move(fills);
  return out;
}

fill trade(const intent& what, const std::string& id, std::int64_t quantity) {
  fill out;
  out.instrument = what.instrument;
  out.trade_id = id;
  out.client_id = what.client_id;
  out.direction = what.direction;
  out.at_price = what.limit;
  out.quantity = {quantity};
  return out;
}

/// A journal that is written record by record; each of `write` is the next row.
struct journal {
  template <class... Records>
  journal& write(const Records&... records) {
    (one(records), ...);
    return *this;
  }
  template <class Record>
  void one(const Record& record) {
    check.row(++sequence, epoch);
    check.take(record);
  }
  journal& begin(std::uint64_t next) {
    epoch = next;
    return write(journal_session{next, "exec", "test"}, halt_state{state, "test", "as it was"},
                 journal_note{"executor", "reconcile: start"}, journal_note{"executor", "reconciled"});
  }
  journal& set(trading_state next) {
    state = next;
    return write(halt_state{next, "test", "why"});
  }
  /// An order as it should be: journaled, sent, acknowledged, filled.
  journal& trade_once(const intent& what, const std::string& trade_id) {
    return write(what, journal_sent{what.client_id, {}}, report_of(what, order_state::acknowledged),
                 report_of(what, order_state::filled, {trade(what, trade_id, what.quantity.raw)}));
  }
  [[nodiscard]] bool breaks(std::string_view promise) const {
    const auto& all = check.findings();
    return all.breached == 1 && all.breaches.size() == 1 && all.breaches.front().starts_with(promise);
  }
  history_check check;
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  trading_state state = trading_state::active;
};

} // namespace

CAF_TEST(a_history_as_it_should_be_has_no_breach) {
  journal j;
  j.begin(1).trade_once(order_of(1), "11").begin(2).trade_once(order_of(2), "12");
  // The venue tells of a fill again on being asked, and refuses an order.
  const auto refused = order_of(3);
  j.write(report_of(order_of(2), order_state::filled, {trade(order_of(2), "12", 1'000)}), refused,
          journal_sent{refused.client_id, {}}, report_of(refused, order_state::rejected));
  j.set(trading_state::reducing).trade_once(order_of(4, 0, side::sell), "13");
  j.set(trading_state::halted).begin(3);
  const auto& found = j.check.findings();
  CAF_CHECK_EQUAL(found.breached, 0u);
  CAF_CHECK_EQUAL(found.sessions, 3u);
  CAF_CHECK_EQUAL(found.sent, 4u);
  CAF_CHECK_EQUAL(found.fills, 3u);
  CAF_CHECK_EQUAL(found.reconciled, 3u);
  CAF_CHECK_EQUAL(found.halts, 2u);
  CAF_CHECK_EQUAL(found.positions.at(btc.text), 1'000);
}

CAF_TEST(p1_sent_before_journaled_sent_twice_and_foreign_ids_are_seen) {
  const auto what = order_of(1);
  journal unwritten, twice, foreign, hole;
  unwritten.begin(1).write(journal_sent{what.client_id, {}});
  CAF_CHECK(unwritten.breaks("P1"));
  twice.begin(1).trade_once(what, "1").write(journal_sent{what.client_id, {}});
  CAF_CHECK(twice.breaks("P1"));
  auto renamed = what;
  renamed.client_id = client_id_of(order_of(2));
  foreign.begin(1).write(renamed);
  CAF_CHECK(foreign.breaks("P1"));
  hole.begin(1);
  ++hole.sequence;
  hole.trade_once(what, "1");
  CAF_CHECK(hole.breaks("P1"));
}

CAF_TEST(p2_an_epoch_that_comes_back_is_seen) {
  journal again, older;
  again.begin(2);
  again.write(journal_session{2, "exec", "another process"}, journal_note{"executor", "reconciled"});
  CAF_CHECK(again.breaks("P2"));
  older.begin(1).begin(2);
  older.epoch = 1;
  older.write(order_of(1));
  CAF_CHECK(older.breaks("P2"));
}

CAF_TEST(p3_an_order_given_up_too_early_is_seen) {
  const auto what = order_of(1);
  journal alive, denied;
  alive.begin(1).write(what, journal_sent{what.client_id, {}}, report_of(what, order_state::rejected),
                       report_of(what, order_state::filled, {trade(what, "1", 1'000)}));
  CAF_CHECK(alive.breaks("P3"));
  denied.begin(1).write(what, journal_sent{what.client_id, {}}, report_of(what, order_state::denied));
  CAF_CHECK(denied.breaks("P3"));
}

CAF_TEST(p4_an_order_before_the_account_is_reconciled_is_seen) {
  const auto what = order_of(1);
  journal start, lost;
  start.write(journal_session{1, "exec", "test"}, what, journal_sent{what.client_id, {}});
  CAF_CHECK(start.breaks("P4"));
  lost.begin(1).write(journal_note{"executor", "reconcile: session lost"}, what, journal_sent{what.client_id, {}});
  CAF_CHECK(lost.breaks("P4"));
}

CAF_TEST(p5_a_trade_in_two_forms_is_seen) {
  const auto what = order_of(1);
  journal j;
  j.begin(1).trade_once(what, "1").write(report_of(what, order_state::filled, {trade(what, "1", 999)}));
  CAF_CHECK(j.breaks("P5"));
}

CAF_TEST(p8_orders_while_halted_and_additions_while_reducing_are_seen) {
  journal halted, adding, larger;
  const auto next = order_of(2);
  halted.begin(1).set(trading_state::halted).begin(2).write(next, journal_sent{next.client_id, {}});
  CAF_CHECK(halted.breaks("P8"));
  adding.begin(1).trade_once(order_of(1), "1").set(trading_state::reducing).write(next, journal_sent{next.client_id, {}});
  CAF_CHECK(adding.breaks("P8"));
  auto sale = order_of(3, 0, side::sell);
  sale.quantity = {2'000};
  sale.client_id = client_id_of(sale);
  larger.begin(1).trade_once(order_of(1), "1").set(trading_state::reducing).write(sale, journal_sent{sale.client_id, {}});
  CAF_CHECK(larger.breaks("P8"));
}
