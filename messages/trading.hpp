#pragma once

/// Decisions, intents, orders, fills, risk and halts.

#include "messages/learning.hpp"

namespace troupe {

/// The orchestrator's target for an instrument, with its lineage.
struct decision {
  std::uint64_t sequence = 0;
  instrument_id instrument;
  market_time at;
  size target;
  std::int32_t score_ppm = 0;
  std::vector<std::string> predictions;
  std::uint64_t book_sequence = 0;
  std::string reason;

  TROUPE_FIELDS(decision, "The orchestrator's target position for an instrument.",
                TROUPE_FIELD(sequence, "number of the decision within the account's life"),
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(at, "market time"),
                TROUPE_FIELD(target, "wanted net position, signed"),
                TROUPE_FIELD(score_ppm, "fused signal in [-1, 1], millionths"),
                TROUPE_FIELD(predictions, "ids of the predictions it rests on"),
                TROUPE_FIELD(book_sequence, "book it was made on"), TROUPE_FIELD(reason, "in words"))
};

enum class order_kind : std::uint8_t { market, limit, limit_maker };
enum class time_in_force : std::uint8_t { gtc, ioc, fok };

/// Where an order stands (DESIGN P3). `unknown` is asked until answered; it never times out to rejected.
enum class order_state : std::uint8_t {
  created, approved, journaled, sent, acknowledged, partially_filled,
  filled, cancelled, rejected, expired, denied, unknown
};

constexpr bool is_final(order_state s) noexcept {
  return s == order_state::filled || s == order_state::cancelled || s == order_state::rejected
         || s == order_state::expired || s == order_state::denied;
}

/// An order that passed risk. Its client order id is a pure function of the fields before it.
struct intent {
  account_id account;
  std::uint64_t decision_sequence = 0;
  std::uint32_t leg = 0;
  instrument_id instrument;
  side direction = side::buy;
  order_kind kind = order_kind::limit;
  time_in_force tif = time_in_force::gtc;
  price limit;
  size quantity;
  bool reduce_only = false;
  market_time created;
  market_time expires;
  std::string client_id;
  std::uint64_t approval = 0;

  TROUPE_FIELDS(intent, "An order that passed risk, before it is sent.",
                TROUPE_FIELD(account, "account that sends it"),
                TROUPE_FIELD(decision_sequence, "decision behind it"),
                TROUPE_FIELD(leg, "number of the order within its decision"),
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(direction, "buy or sell"),
                TROUPE_FIELD(kind, "market, limit, post-only"), TROUPE_FIELD(tif, "time in force"),
                TROUPE_FIELD(limit, "limit price; 0 for market"), TROUPE_FIELD(quantity, "size, positive"),
                TROUPE_FIELD(reduce_only, "may only shrink the position"),
                TROUPE_FIELD(created, "market time of creation"),
                TROUPE_FIELD(expires, "not sent after this market time"),
                TROUPE_FIELD(client_id, "client order id, derived"),
                TROUPE_FIELD(approval, "hash of the exact order that risk approved; 0 = not approved"))
};

/// One execution at the venue.
struct fill {
  account_id account;
  instrument_id instrument;
  std::string trade_id;
  std::string client_id;
  std::string venue_order_id;
  side direction = side::buy;
  price at_price;
  size quantity;
  std::int64_t fee_raw = 0;
  std::uint8_t fee_scale = 0;
  std::string fee_asset;
  bool maker = false;
  market_time at;

  TROUPE_FIELDS(fill, "One execution at the venue.", TROUPE_FIELD(account, "account"),
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(trade_id, "the venue's trade id"),
                TROUPE_FIELD(client_id, "client order id"), TROUPE_FIELD(venue_order_id, "the venue's order id"),
                TROUPE_FIELD(direction, "our side"), TROUPE_FIELD(at_price, "price"),
                TROUPE_FIELD(quantity, "size"), TROUPE_FIELD(fee_raw, "fee × 10^fee_scale"),
                TROUPE_FIELD(fee_scale, "decimals of the fee"), TROUPE_FIELD(fee_asset, "asset of the fee"),
                TROUPE_FIELD(maker, "we rested"), TROUPE_FIELD(at, "venue time"))
};

/// What the venue said of one order: by acknowledgement, by event or on being asked.
struct order_report {
  account_id account;
  instrument_id instrument;
  std::string client_id;
  std::string venue_order_id;
  order_state state = order_state::unknown;
  size filled;
  std::vector<fill> fills;
  std::int32_t code = 0;
  std::string text;
  market_time at;

  TROUPE_FIELDS(order_report, "What the venue said of one order.", TROUPE_FIELD(account, "account"),
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(client_id, "client order id"),
                TROUPE_FIELD(venue_order_id, "the venue's order id"), TROUPE_FIELD(state, "state it reports"),
                TROUPE_FIELD(filled, "cumulative filled size"), TROUPE_FIELD(fills, "executions it names"),
                TROUPE_FIELD(code, "the venue's error code, 0 = none"), TROUPE_FIELD(text, "the venue's words"),
                TROUPE_FIELD(at, "venue time"))
};

/// Why risk denied an order. The reference page of codes is generated from `describe`.
enum class deny_code : std::uint8_t {
  none, halted, reducing_only, max_position, max_order_size, max_order_notional, stale_book, invalid_book,
  price_collar, order_rate, max_open_orders, no_lease, not_reconciled, expired_intent, bad_order, duplicate_intent
};

struct risk_request {
  intent order;
  size position;
  size open_buys;
  size open_sells;
  std::uint32_t open_orders = 0;
  TROUPE_FIELDS(risk_request, "May this exact order go out?", TROUPE_FIELD(order, "the order"),
                TROUPE_FIELD(position, "the executor's net position"),
                TROUPE_FIELD(open_buys, "size of live and unknown buy orders"),
                TROUPE_FIELD(open_sells, "size of live and unknown sell orders"),
                TROUPE_FIELD(open_orders, "number of live and unknown orders"))
};

struct risk_verdict {
  std::string client_id;
  deny_code denied = deny_code::none;
  std::uint64_t approval = 0;
  std::string text;
  TROUPE_FIELDS(risk_verdict, "Risk's answer.", TROUPE_FIELD(client_id, "which order"),
                TROUPE_FIELD(denied, "none = approved"), TROUPE_FIELD(approval, "hash of the approved order"),
                TROUPE_FIELD(text, "in words"))
};

struct lease_request {
  account_id account;
  std::uint64_t epoch = 0;
  TROUPE_FIELDS(lease_request, "An executor asks for risk's lease.", TROUPE_FIELD(account, "account"),
                TROUPE_FIELD(epoch, "the executor's epoch"))
};

struct lease_grant {
  account_id account;
  std::uint64_t epoch = 0;
  nanoseconds length{};
  bool granted = false;
  std::string text;
  TROUPE_FIELDS(lease_grant, "Risk's lease for an executor.", TROUPE_FIELD(account, "account"),
                TROUPE_FIELD(epoch, "epoch it is for"), TROUPE_FIELD(length, "counted by the executor from before it asked"),
                TROUPE_FIELD(granted, "false: refused"), TROUPE_FIELD(text, "why refused"))
};

enum class trading_state : std::uint8_t { active, reducing, halted };

struct halt_command {
  trading_state state = trading_state::halted;
  std::string who;
  std::string reason;
  TROUPE_FIELDS(halt_command, "Change the latched trading state.",
                TROUPE_FIELD(state, "halted, reducing (no new entries) or active (resume)"),
                TROUPE_FIELD(who, "person or program"), TROUPE_FIELD(reason, "why; required"))
};

struct halt_state {
  trading_state state = trading_state::active;
  std::string who;
  std::string reason;
  TROUPE_FIELDS(halt_state, "The latched trading state.", TROUPE_FIELD(state, "state"),
                TROUPE_FIELD(who, "who set it"), TROUPE_FIELD(reason, "why"))
};

/// How an executor stands (facts: supervision, §9.1).
enum class executor_state : std::uint8_t { starting, reconciling, live, halted, without_lease, fenced };

/// Figures of one executor, re-derived from its journal at start; counters cover the journal's whole life.
struct executor_report {
  account_id account;
  executor_state state = executor_state::starting;
  std::uint64_t epoch = 0;
  std::uint64_t intents = 0;
  std::uint64_t orders = 0;
  std::uint64_t fills = 0;
  std::uint64_t rejected = 0;
  std::uint64_t denied = 0;
  std::uint64_t live_orders = 0;
  std::uint64_t unknown_orders = 0;
  nanoseconds oldest_unknown{};
  std::uint64_t journal_records = 0;
  nanoseconds ready_after{};
  std::string equity;
  std::string position;

  TROUPE_FIELDS(executor_report, "Figures of one executor.", TROUPE_FIELD(account, "account"),
                TROUPE_FIELD(state, "state"), TROUPE_FIELD(epoch, "fencing epoch"),
                TROUPE_FIELD(intents, "intents journaled"), TROUPE_FIELD(orders, "orders the venue confirmed"),
                TROUPE_FIELD(fills, "fills"), TROUPE_FIELD(rejected, "orders the venue rejected"),
                TROUPE_FIELD(denied, "orders refused locally"), TROUPE_FIELD(live_orders, "orders at the venue now"),
                TROUPE_FIELD(unknown_orders, "orders being asked for"),
                TROUPE_FIELD(oldest_unknown, "age of the oldest of them, steady"),
                TROUPE_FIELD(journal_records, "records in the journal"),
                TROUPE_FIELD(ready_after, "from actor start to reconciled, steady"),
                TROUPE_FIELD(equity, "decimal, quote asset"), TROUPE_FIELD(position, "decimal, base asset"))
};

// --- order journal --------------------------------------------------------------------------------

/// What a journal record holds. The numbers are in files: append only, never renumber.
enum class journal_kind : std::uint8_t {
  none = 0,
  session = 1,  ///< journal_session: a process took the account over
  intent = 2,   ///< intent: journaled before it is sent
  sent = 3,     ///< journal_sent: handed to the socket
  report = 4,   ///< order_report: acknowledgement, fill, cancel, rejection, answer to a query
  cursor = 5,   ///< journal_cursor: everything of the venue up to here is in the journal
  halt = 6,     ///< halt_state: latched
  decision = 7, ///< decision: lineage of the intents behind it
  note = 8,     ///< journal_note: audit, in words
  balance = 9,  ///< journal_balance: what the venue held of an asset when the account was taken on
};

/// One record as typed bytes; made and read by `storage/journal_entries.hpp`.
struct journal_entry {
  journal_kind kind = journal_kind::none;
  std::uint64_t schema = 0;
  std::string bytes;
  TROUPE_FIELDS(journal_entry, "A record for the order journal.", TROUPE_FIELD(kind, "what it holds"),
                TROUPE_FIELD(schema, "schema hash of its type"), TROUPE_FIELD(bytes, "msgpack of the type"))
};

struct journal_session {
  std::uint64_t epoch = 0;
  std::string node;
  std::string holder;
  TROUPE_FIELDS(journal_session, "A process took the account over.", TROUPE_FIELD(epoch, "its epoch"),
                TROUPE_FIELD(node, "node name"), TROUPE_FIELD(holder, "process, for people"))
};

struct journal_sent {
  std::string client_id;
  market_time at;
  TROUPE_FIELDS(journal_sent, "An order was handed to the socket.", TROUPE_FIELD(client_id, "client order id"),
                TROUPE_FIELD(at, "market time"))
};

struct journal_cursor {
  instrument_id instrument;
  std::string trade_id;
  market_time at;
  TROUPE_FIELDS(journal_cursor, "All fills up to here are in the journal.",
                TROUPE_FIELD(instrument, "instrument"), TROUPE_FIELD(trade_id, "the venue's last trade id"),
                TROUPE_FIELD(at, "venue time"))
};

struct journal_note {
  std::string who;
  std::string text;
  TROUPE_FIELDS(journal_note, "Audit, in words.", TROUPE_FIELD(who, "person or program"), TROUPE_FIELD(text, "what"))
};

/// The total of an asset at the venue at this place of the journal: with the fills before it gives the
/// opening balance, against which every later balance is checked.
struct journal_balance {
  std::string asset;
  std::int64_t total_raw = 0;
  std::uint8_t scale = 8;
  market_time at;
  TROUPE_FIELDS(journal_balance, "What the venue holds of an asset.", TROUPE_FIELD(asset, "asset"),
                TROUPE_FIELD(total_raw, "free and locked × 10^scale"), TROUPE_FIELD(scale, "decimals"),
                TROUPE_FIELD(at, "venue time"))
};

/// Append these in order. The answer comes once all are synced; an error means that none counts as
/// journaled and that the journal refuses everything from now on.
struct journal_append {
  std::vector<journal_entry> entries;
  TROUPE_FIELDS(journal_append, "Records for the order journal.", TROUPE_FIELD(entries, "in order"))
};

struct journal_committed {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t epoch = 0;
  TROUPE_FIELDS(journal_committed, "The records are durable.", TROUPE_FIELD(first, "sequence of the first record"),
                TROUPE_FIELD(last, "sequence of the last"), TROUPE_FIELD(epoch, "epoch of the journal"))
};

struct journal_read {
  std::uint64_t after = 0;
  std::uint32_t limit = 0;
  TROUPE_FIELDS(journal_read, "The journal's next records.", TROUPE_FIELD(after, "last sequence already read, 0 = none"),
                TROUPE_FIELD(limit, "most rows in the answer"))
};

struct journal_row {
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  journal_entry entry;
  TROUPE_FIELDS(journal_row, "A record of the order journal.", TROUPE_FIELD(sequence, "its number, from 1 without a hole"),
                TROUPE_FIELD(epoch, "epoch of its writer"), TROUPE_FIELD(entry, "what it holds"))
};

struct journal_page {
  std::vector<journal_row> rows;
  std::uint64_t newest = 0;
  std::uint64_t epoch = 0;
  TROUPE_FIELDS(journal_page, "Records in order.", TROUPE_FIELD(rows, "rows"),
                TROUPE_FIELD(newest, "newest sequence in the journal"), TROUPE_FIELD(epoch, "epoch of the journal"))
};

} // namespace troupe
