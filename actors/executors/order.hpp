#pragma once

/// The life of one order as a pure state machine.
///
/// What the venue says may arrive in any order, several times and from several sources (answer,
/// private stream, query, open orders, trade list). So the machine keeps *facts* that only grow
/// (fills by trade id, highest cumulative size, the end that was reported) and derives the state
/// from them: the same set of facts gives the same state, whatever the order of arrival.
/// Not thread-safe: belongs to one executor.

#include "messages/trading.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What is wrong with an event. The event's facts are taken where they can be; the executor raises
/// an alarm for each, and stops the instrument for those that `stops_instrument` names.
enum class order_issue : std::uint8_t {
  none,
  wrong_step,         ///< a local step out of turn (journal before approval, second send)
  approval_mismatch,  ///< the approved hash is not of this order
  early_venue_event,  ///< the venue knows an order that was never journaled
  wrong_order,        ///< an event of another client id, instrument, account or side
  bad_amount,         ///< size or price of a fill not positive, cumulative size negative
  overfill,           ///< more filled than ordered
  contradictory_fill, ///< a known trade id with another price, size or side
  contradictory_end,  ///< two different ends, or fills of a rejected order
  second_venue_order, ///< another venue order id for the same client id: a duplicate
  resurrected,        ///< the venue knows an order it had proven absent
};

/// One word for logs and alarms.
[[nodiscard]] std::string_view name_of(order_issue issue) noexcept;

/// True when no further order may go out on the instrument before a person has looked.
[[nodiscard]] constexpr bool stops_instrument(order_issue issue) noexcept {
  return issue == order_issue::early_venue_event || issue == order_issue::wrong_order
         || issue == order_issue::overfill || issue == order_issue::contradictory_fill
         || issue == order_issue::contradictory_end || issue == order_issue::second_venue_order
         || issue == order_issue::resurrected;
}

/// What one event did.
struct order_change {
  order_state before = order_state::created;
  order_state after = order_state::created;
  bool duplicate = false;            ///< nothing new in it
  std::vector<fill> new_fills;       ///< executions not known before, to be journaled and booked
  std::vector<fill> completed_fills; ///< known executions whose fee has arrived now
  std::vector<order_issue> issues;   ///< empty = legal
};

/// Human word of a state.
[[nodiscard]] std::string_view name_of(order_state state) noexcept;

class order {
public:
  explicit order(intent what) : what_{std::move(what)} {}

  // --- local steps ------------------------------------------------------------------------------
  /// Risk approved the order with this hash.
  order_change approve(std::uint64_t approval);
  /// The intent is in the journal and synced.
  order_change journal();
  /// The order is handed to the gateway now.
  order_change send();
  /// Refused locally, never on the wire: legal until `send`, and after it where the gateway vouches
  /// that it never left. Not legal once the order is unknown or the venue has spoken.
  order_change deny();
  /// No answer, or a restart between journal and answer: may or may not be at the venue.
  order_change lose();
  /// The venue was asked often and late enough and knows nothing (facts: venues, §9).
  order_change prove_absent();

  // --- the venue's words ------------------------------------------------------------------------
  order_change apply(const order_report& report);
  order_change apply(const fill& execution);

  // --- what is known
  // ------------------------------------------------------------------------------
  [[nodiscard]] const intent& what() const noexcept { return what_; }
  [[nodiscard]] order_state state() const noexcept;
  /// Final and every filled unit explained by an execution: nothing more is expected (but late
  /// fees).
  [[nodiscard]] bool done() const noexcept;
  /// An end was reported, but its cumulative size is not explained by executions yet.
  [[nodiscard]] bool closing() const noexcept;
  /// Size explained by executions.
  [[nodiscard]] size filled() const noexcept { return filled_; }
  /// Highest cumulative size the venue has named.
  [[nodiscard]] size cumulative() const noexcept { return cumulative_; }
  /// Size that may still be executed; what was reported without its fills counts as open.
  [[nodiscard]] size remaining() const noexcept;
  /// The venue has confirmed the order at least once.
  [[nodiscard]] bool known_to_venue() const noexcept { return acknowledged_ || filled_.raw > 0; }
  [[nodiscard]] bool absent() const noexcept { return absent_ && !known_to_venue() && !end_; }
  [[nodiscard]] const std::string& venue_order_id() const noexcept { return venue_order_id_; }
  [[nodiscard]] const std::map<std::string, fill>& fills() const noexcept { return fills_; }

private:
  order_change step(bool legal, order_state next);
  void take_fill(const fill& execution, order_change& change);
  void take_end(order_state end, order_change& change);
  void take_venue_id(const std::string& id, order_change& change);
  void note_venue_word(order_change& change);
  order_change begin() const;
  order_change finish(order_change change) const;

  intent what_;
  order_state local_ = order_state::created; ///< our own progress: created … sent, denied
  bool lost_ = false;
  bool absent_ = false;
  bool acknowledged_ = false;
  std::optional<order_state> end_;
  size filled_;
  size cumulative_;
  std::string venue_order_id_;
  std::map<std::string, fill> fills_;
};

} // namespace troupe
