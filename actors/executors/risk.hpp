#pragma once

/// Pre-trade checks, the trading state and the leases of executors, as a pure machine.
/// Every figure that decides is an integer. Not thread-safe: belongs to one risk actor (or a test).

#include "messages/trading.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace troupe {

/// One row of the table of denial codes; the reference page is made from it.
struct deny_row {
  deny_code code = deny_code::none;
  std::string_view name;
  std::string_view meaning;
  std::string_view remedy;
};

/// The table of denial codes, in order of the enum, `none` included.
[[nodiscard]] const std::array<deny_row, 16>& deny_table() noexcept;

/// The row of one code.
[[nodiscard]] const deny_row& describe(deny_code code) noexcept;

/// Limits of one instrument. Sizes and prices in the scales of its `instrument_spec`.
struct risk_limits {
  instrument_spec spec;
  size max_long;  ///< largest net position, open and unknown buys included
  size max_short; ///< largest short position (positive number), open and unknown sells included
  size max_order_size;              ///< largest single order
  cash max_order_notional;          ///< largest price × size of an order
  std::int64_t collar_ppm = 10'000; ///< furthest a limit may lie beyond the mid, millionths
  nanoseconds max_book_age = std::chrono::seconds{5}; ///< market time
};

struct risk_options {
  std::vector<risk_limits> instruments;
  std::uint32_t max_open_orders = 20;      ///< live and unknown orders of an account
  std::uint32_t max_orders_in_window = 10; ///< approvals of an account within `rate_window`
  nanoseconds rate_window =
      std::chrono::seconds{1};                 ///< steady time: it is the wire that is protected
  std::uint32_t halt_after_rate_denials = 200; ///< in a row: a runaway source halts trading
  nanoseconds lease_length = std::chrono::seconds{1}; ///< steady time
  std::size_t remembered_approvals = 10'000;          ///< client ids known to be approved already
};

/// Both clocks at the moment of an event.
struct instant {
  market_time market;
  steady_time steady;
};

class risk_core {
public:
  explicit risk_core(risk_options options);

  /// Newest quote wins; an older one (by market time) is ignored unless it changes the validity.
  void on_quote(const quote& q);

  /// Approves or denies one exact order. The approval is `approval_hash` of the order.
  [[nodiscard]] risk_verdict check(const risk_request& request, instant now);

  /// Grants or refuses the lease of an account; a lower epoch than the highest seen is refused.
  [[nodiscard]] lease_grant grant(const lease_request& request, instant now);

  /// Takes over a trading state (a person's command, or what the file held at start).
  /// Refused without a reason, since a latch without one helps nobody.
  [[nodiscard]] status set_state(halt_state next);
  [[nodiscard]] const halt_state& state() const noexcept { return state_; }
  /// A halt that risk decided on by itself since the last call, to be written durably and told.
  [[nodiscard]] std::optional<halt_state> take_own_halt();

  [[nodiscard]] std::uint64_t approved() const noexcept { return approved_; }
  [[nodiscard]] const std::map<deny_code, std::uint64_t>& denials() const noexcept {
    return denials_;
  }
  [[nodiscard]] const std::map<account_id, std::uint64_t>& epochs() const noexcept {
    return epochs_;
  }

private:
  struct market {
    risk_limits limits;
    std::optional<quote> newest;
  };
  struct account_view {
    steady_time lease_until;
    std::deque<steady_time> approvals;
    std::uint32_t rate_denials = 0;
  };

  deny_code decide(const risk_request& request, instant now, std::string& text);
  deny_code check_shape(const intent& order, const market& m, instant now, std::string& text) const;
  deny_code check_state(const risk_request& request, std::string& text) const;
  deny_code check_book(const intent& order, const market& m, instant now, std::string& text) const;
  deny_code check_size(const risk_request& request, const market& m, std::string& text) const;
  deny_code check_rate(const account_id& account, instant now, std::string& text);
  void remember(const intent& order, std::uint64_t hash);

  risk_options options_;
  halt_state state_;
  std::optional<halt_state> own_halt_;
  std::map<instrument_id, market> markets_;
  std::map<account_id, account_view> accounts_;
  std::map<account_id, std::uint64_t> epochs_;
  std::map<std::string, std::uint64_t> approvals_;
  std::deque<std::string> approval_order_;
  std::map<deny_code, std::uint64_t> denials_;
  std::uint64_t approved_ = 0;
};

/// True when the order can only shrink the position, whatever happens to the open orders of its
/// side.
[[nodiscard]] bool shrinks_position(const risk_request& request) noexcept;

/// Word of a trading state: active, reducing, halted.
[[nodiscard]] std::string_view name_of(trading_state state) noexcept;

} // namespace troupe
