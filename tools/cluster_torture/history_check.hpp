#pragma once

/// Judges the recorded history of an executor: the records of its journal in their order, over all its processes.
/// Each breach names the promise of docs/design.md (P1 to P8) that it breaks. Pure.
///
/// What the journal alone can show: P1 (journaled before sent, sent once, the id derived from the intent), P2 (epochs
/// rise, an older one writes nothing more), P3 (an order given up comes back to life), P4 (sent before the account was
/// reconciled), P5 (one trade in two forms; the position by the sum of fills), P8 (sent while halted, or while reducing
/// although it does not shrink the position). What the venue has to be asked for is `venue_sim::compare_with_ledger`.

#include "messages/trading.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::cluster_torture {

struct history_findings {
  std::vector<std::string> breaches; ///< "P4: order … was sent …"; at most 100 are kept
  std::uint64_t breached = 0;        ///< how many there were
  std::uint64_t sessions = 0;        ///< processes that held the account
  std::uint64_t intents = 0;
  std::uint64_t sent = 0;
  std::uint64_t reconciled = 0; ///< times the account was reconciled with the venue
  std::uint64_t halts = 0;      ///< changes of the trading state to other than active
  std::uint64_t fills = 0;
  std::map<std::string, std::int64_t> positions; ///< by instrument, in its size scale
};

/// Takes the rows of a journal one after another: `row` first, then the record that it holds.
class history_check {
public:
  void row(std::uint64_t sequence, std::uint64_t epoch);
  void take(const journal_session& what);
  void take(const intent& what);
  void take(const journal_sent& what);
  void take(const order_report& what);
  void take(const journal_note& what);
  void take(const halt_state& what);
  template <class Other>
  void take(const Other&) {} // decisions, cursors and balances promise nothing by themselves

  [[nodiscard]] const history_findings& findings() const noexcept { return out_; }

private:
  struct known_order {
    intent what;
    bool sent = false;
    bool denied = false;
    bool given_up = false; // the journal says that the venue refused it or never had it
  };

  void breach(std::string_view promise, const std::string& text);
  void check_state(const known_order& order);
  void book(const fill& execution);

  history_findings out_;
  std::map<std::string, known_order> orders_;
  std::map<std::string, fill> fills_;
  trading_state state_ = trading_state::active;
  std::uint64_t sequence_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t session_epoch_ = 0;
  bool reconciled_ = false;
};

} // namespace troupe::cluster_torture
