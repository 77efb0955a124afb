#pragma once

/// Parts of `executor_core` that its source files share; not for others to include.

#include "actors/executors/executor.hpp"

namespace troupe {

/// Code of the journaled report that says "the venue never had it".
inline constexpr std::int32_t absent_code = -1'000'000;

/// One order of ours with what is going on around it.
struct executor_core::tracked {
  explicit tracked(intent what) : machine{std::move(what)} {}

  order machine;
  bool crossing = false;
  bool counted_confirmed = false;
  bool counted_rejected = false;
  instant since{}; ///< sent, or found in the journal: age for the proof of absence
  steady_time risk_deadline;
  std::uint64_t token = 0; ///< of the append that holds its intent
  // asking
  bool ask = false; ///< ask although the state is known (a cancel was refused or lost)
  bool querying = false;
  steady_time next_query;
  steady_time unknown_since;
  std::uint32_t queries = 0;
  std::uint32_t not_found = 0;
  bool told = false; ///< an alarm about it was raised
  std::uint64_t absence_round =
      0; ///< round of the trade list that must be done before absence is proven
  std::uint64_t answered_run = 0; ///< reconcile run in which the venue spoke of it
  // cancelling
  bool cancel_wanted = false;
  bool cancelling = false;
  steady_time next_cancel;
  std::uint32_t cancels = 0;
  std::string cancel_reason;
};

/// One instrument of the account.
struct executor_core::market {
  ledger_instrument instrument;
  std::optional<quote> newest;
  std::optional<decision> target;
  std::uint64_t journaled_decision = 0;
  std::uint32_t next_leg = 0;
  steady_time hold_until;
  std::uint32_t holds = 0;
  std::string quarantined; ///< why; empty = tradable
  std::optional<market_time> wanted_since;
  side wanted_side = side::buy;
  // trade list
  std::string cursor; ///< all trades up to here are booked
  std::string journaled_cursor;
  bool trades_running = false;
  bool trades_wanted = false;
  steady_time next_trades;
  std::uint32_t trades_failures = 0;
  std::uint64_t rounds_started = 0;
  std::uint64_t rounds_done = 0;
  std::uint64_t round_needed = 0;      ///< by the reconcile run
  std::map<std::string, fill> orphans; ///< executions of an order we can't name yet
};

/// A reconciliation under way (facts: venues, §10) or an audit, which doesn't freeze new orders.
struct executor_core::reconcile_run {
  enum class step : std::uint8_t { waiting, open_orders, queries, trades, account };
  std::uint64_t number = 0;
  step at = step::waiting;
  bool audit = false;
  bool told = false; ///< the alarm about balances was raised
  std::set<instrument_id> open_orders_due;
  steady_time not_before;
  std::uint32_t failures = 0;
  std::uint32_t differences = 0;
  bool account_asked = false;
};

} // namespace troupe
