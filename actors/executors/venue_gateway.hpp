#pragma once

/// The interface of every account gateway: one account at one venue, orders out, reports in.
///
/// The executor owns a gateway and implements `gateway_events`. Both sides are plain C++, so that a
/// live gateway, a paper venue and a scripted one in a test stand behind the same words.
///
/// Contract:
/// * Commands don't block. Each ends with exactly one event that names its `command`, also when the
///   connection breaks or the gateway is stopped. A gateway may deliver it before the call returns.
/// * Events of one gateway never run concurrently; on which thread is the implementation's to say.
///   An actor shell forwards them to itself and handles them as messages.
/// * A gateway sends each command at most once. The only retry is the one after a clock refusal
///   (the venue looked at the timestamp and at nothing else); it carries the same client order id.
/// * The event of a place may come after the order's first private report (fill before ack).

#include "messages/market.hpp"
#include "messages/trading.hpp"

#include <functional>
#include <memory>

namespace troupe {

/// Number of a command, chosen by the caller, unique while the gateway lives.
using command_id = std::uint64_t;

/// How a command on one order ended (DESIGN P3).
enum class command_result : std::uint8_t {
  /// The venue carried it out; `report` says how the order stands.
  confirmed,
  /// The venue said no, for good; `report.code` and `report.text` are its words.
  rejected,
  /// It never left this process (closed rate bucket, no connection, full queue, bad order).
  denied,
  /// It may have reached the venue and the answer is missing: ask by client order id.
  unknown,
  /// Query only: the venue knows no such order at `at`. Proof of absence only once the venue's
  /// processing horizon has passed since the place (see `gateway_traits::processing_horizon`).
  absent,
};

/// What an answer means beyond its kind; decides what to do next.
enum class refusal : std::uint8_t {
  none,
  clock,          ///< the timestamp was refused even after a resync
  signature,      ///< key or signature: alarm, no retry
  rate,           ///< closed for `retry_after`
  overload,       ///< back off with jitter
  funds,          ///< terminal: refresh balances
  filter,         ///< terminal: refresh the instrument's rules
  would_take,     ///< terminal, expected of post-only
  duplicate,      ///< the client order id is live already: query and adopt it
  gone,           ///< a cancel found no live order: query, it may have filled
  permission,     ///< the account or key may not trade this
  other,
};

/// The end of a place, cancel or query.
struct command_outcome {
  command_id command = 0;
  command_result kind = command_result::unknown;
  refusal why = refusal::none;
  /// Client order id always set; state, fills, code, text as far as the venue said.
  order_report report;
  /// Not before this much steady time (rate, overload); zero = no advice.
  nanoseconds retry_after{};
};

/// One asset of an account. Amounts are × 10^-scale.
struct asset_balance {
  std::string asset;
  std::int64_t free_raw = 0;
  std::int64_t locked_raw = 0;
  std::uint8_t scale = 8;
  friend bool operator==(const asset_balance&, const asset_balance&) = default;
};

/// End of `open_orders`: all live orders of the instrument, or an error (ask again later).
struct open_orders_outcome {
  command_id command = 0;
  result<std::vector<order_report>> orders;
};

/// End of `trades_since`: fills with ids at or above the one asked for, ascending by venue trade id.
struct trades_outcome {
  command_id command = 0;
  result<std::vector<fill>> fills;
  /// True: the page limit was reached, ask again from the last id + 1.
  bool more = false;
};

/// End of `account`.
struct account_outcome {
  command_id command = 0;
  result<std::vector<asset_balance>> balances;
  market_time at;
};

/// End of `rules`: the instrument's rules as the venue states them now.
struct rules_outcome {
  command_id command = 0;
  result<instrument_spec> spec;
};

/// What differs between venues and matters to an executor.
struct gateway_traits {
  /// An order not found before this much market time since its sending may still appear.
  nanoseconds processing_horizon = std::chrono::seconds{10};
  /// Reports can be asked for by client order id.
  bool query_by_client_id = true;
  /// A client order id may be used again once its order is final: never resend on this venue.
  bool client_id_reusable = true;
};

/// Implemented by the executor (or its shell, or a test).
class gateway_events {
public:
  virtual ~gateway_events() = default;

  virtual void on_outcome(const command_outcome& outcome) = 0;
  virtual void on_open_orders(const open_orders_outcome& outcome) = 0;
  virtual void on_trades(const trades_outcome& outcome) = 0;
  virtual void on_account(const account_outcome& outcome) = 0;
  virtual void on_rules(const rules_outcome& outcome) = 0;
  /// Unsolicited: the private stream said this of an order (fills with fees where the venue sends them).
  virtual void on_report(const order_report& report) = 0;
  /// Unsolicited: absolute balances of the assets that changed.
  virtual void on_balances(const std::vector<asset_balance>& changed, market_time at) = 0;
  /// The private stream: `connected` = subscribed and delivering, anything else = reconcile before
  /// the next new order (P4). `session` grows with every connection.
  virtual void on_session(const session_event& event) = 0;
};

/// One account at one venue.
class venue_gateway {
public:
  virtual ~venue_gateway() = default;

  [[nodiscard]] virtual gateway_traits traits() const = 0;

  /// Connects; `events` must outlive the gateway or its `stop`.
  virtual void start(gateway_events& events) = 0;
  /// Ends all commands (those on the wire as unknown, the rest as denied) and delivers nothing more.
  virtual void stop() = 0;

  virtual void place(command_id command, const intent& order) = 0;
  virtual void cancel(command_id command, const instrument_id& instrument, const std::string& client_id) = 0;
  virtual void query(command_id command, const instrument_id& instrument, const std::string& client_id) = 0;
  virtual void open_orders(command_id command, const instrument_id& instrument) = 0;
  /// From this venue trade id on, inclusive; empty = from the account's first trade.
  virtual void trades_since(command_id command, const instrument_id& instrument,
                            const std::string& trade_id) = 0;
  virtual void account(command_id command) = 0;
  virtual void rules(command_id command, const instrument_id& instrument) = 0;

  /// State for people and pages, one JSON object.
  [[nodiscard]] virtual std::string status_json() const = 0;
};

} // namespace troupe
