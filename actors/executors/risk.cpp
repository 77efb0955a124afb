#include "actors/executors/risk.hpp"

#include "actors/executors/client_id.hpp"
#include "actors/executors/errc.hpp"

#include <algorithm>

namespace troupe {
namespace {

using enum deny_code;

constexpr std::array<deny_row, 16> rows{{
    {none, "none", "approved", ""},
    {halted, "halted", "trading is halted", "find out why, then `troupe resume` with a reason"},
    {reducing_only, "reducing_only", "only orders that shrink a position are taken",
     "`troupe resume` lifts it"},
    {max_position, "max_position",
     "position, open and unknown orders together would exceed the limit",
     "wait for open orders to end, or raise risk.max_position"},
    {max_order_size, "max_order_size", "the order is larger than allowed",
     "raise risk.max_order_size"},
    {max_order_notional, "max_order_notional", "price × size of the order is larger than allowed",
     "raise risk.max_order_notional"},
    {stale_book, "stale_book", "the newest quote is too old by market time",
     "see `troupe feed show`; trading goes on with the next fresh quote"},
    {invalid_book, "invalid_book", "there is no valid book of the instrument",
     "see `troupe feed show`; trading goes on once the book is rebuilt"},
    {price_collar, "price_collar", "the limit lies too far beyond the mid price",
     "check the price, or widen risk.price_collar"},
    {order_rate, "order_rate", "too many orders within the window",
     "slow down, or raise risk.order_rate"},
    {max_open_orders, "max_open_orders", "too many live and unknown orders",
     "cancel some, or raise risk.max_open_orders"},
    {no_lease, "no_lease", "the executor holds no valid lease of risk",
     "check that the risk actor runs and can be reached"},
    {not_reconciled, "not_reconciled", "the account is not reconciled with the venue yet",
     "see `troupe status`; `troupe reconcile` starts it anew"},
    {expired_intent, "expired_intent", "the order's own expiry has passed",
     "the next decision replaces it"},
    {bad_order, "bad_order",
     "the order breaks the instrument's rules or its id is not derived from it",
     "a fault of the program, or of the instrument's rules: see the text"},
    {duplicate_intent, "duplicate_intent", "another order with this client id was approved before",
     "none needed: the executor numbers the next one anew"},
}};

constexpr bool table_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (static_cast<std::size_t>(rows[i].code) != i) return false;
  return true;
}
static_assert(table_in_order());

__extension__ typedef __int128 wide;

std::string number(std::int64_t raw, int scale) {
  return format_decimal_short(raw, scale);
}

/// Largest |price × size| as text needs no exactness; the comparison does, so it is 128 bits wide.
bool exceeds(price p, size q, cash limit) noexcept {
  return static_cast<wide>(p.raw) * q.raw > limit.raw;
}

bool multiple_of(std::int64_t value, std::int64_t step) noexcept {
  return step <= 0 || value % step == 0;
}

} // namespace

const std::array<deny_row, 16>& deny_table() noexcept {
  return rows;
}

const deny_row& describe(deny_code code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return rows[index < rows.size() ? index : static_cast<std::size_t>(bad_order)];
}

std::string_view name_of(trading_state state) noexcept {
  switch (state) {
  case trading_state::active:
    return "active";
  case trading_state::reducing:
    return "reducing";
  case trading_state::halted:
    return "halted";
  }
  return "?";
}

bool shrinks_position(const risk_request& request) noexcept {
  const auto& order = request.order;
  if (order.direction == side::sell)
    return static_cast<wide>(request.position.raw) - request.open_sells.raw - order.quantity.raw
           >= 0;
  return static_cast<wide>(request.position.raw) + request.open_buys.raw + order.quantity.raw <= 0;
}

risk_core::risk_core(risk_options options) : options_{std::move(options)} {
  for (const auto& limits : options_.instruments)
    markets_[limits.spec.id] = {limits, {}};
}

void risk_core::on_quote(const quote& q) {
  const auto found = markets_.find(q.instrument);
  if (found == markets_.end()) return;
  auto& newest = found->second.newest;
  // A loss of validity always counts, whatever its time says.
  if (newest && q.at < newest->at && q.validity == book_validity::valid) return;
  newest = q;
}

status risk_core::set_state(halt_state next) {
  if (next.reason.empty())
    return {executor_errc::bad_input,
            "a change of the trading state needs a reason; give one with --reason"};
  state_ = std::move(next);
  if (state_.state == trading_state::active)
    for (auto& [id, account] : accounts_)
      account.rate_denials = 0;
  return ok;
}

std::optional<halt_state> risk_core::take_own_halt() {
  return std::exchange(own_halt_, std::nullopt);
}

lease_grant risk_core::grant(const lease_request& request, instant now) {
  auto& highest = epochs_[request.account];
  if (request.epoch < highest)
    return {.account = request.account,
            .epoch = highest,
            .length = {},
            .granted = false,
            .text = "epoch " + std::to_string(request.epoch) + " is fenced by epoch "
                    + std::to_string(highest)};
  highest = request.epoch;
  accounts_[request.account].lease_until = now.steady + options_.lease_length;
  return {.account = request.account,
          .epoch = highest,
          .length = options_.lease_length,
          .granted = true,
          .text = {}};
}

risk_verdict risk_core::check(const risk_request& request, instant now) {
  risk_verdict verdict;
  verdict.client_id = request.order.client_id;
  verdict.denied = decide(request, now, verdict.text);
  if (verdict.denied != none) {
    ++denials_[verdict.denied];
    if (verdict.text.empty()) verdict.text = describe(verdict.denied).meaning;
    return verdict;
  }
  verdict.text.clear();
  verdict.approval = approval_hash(request.order);
  remember(request.order, verdict.approval);
  accounts_[request.order.account].approvals.push_back(now.steady);
  ++approved_;
  return verdict;
}

deny_code risk_core::decide(const risk_request& request, instant now, std::string& text) {
  const auto& order = request.order;
  const auto found = markets_.find(order.instrument);
  if (found == markets_.end()) {
    text = "no limits are configured for " + order.instrument.text;
    return bad_order;
  }
  const auto& m = found->second;
  if (const auto code = check_shape(order, m, now, text); code != none) return code;
  if (now.steady >= accounts_[order.account].lease_until) return no_lease;
  if (const auto code = check_state(request, text); code != none) return code;
  if (const auto code = check_book(order, m, now, text); code != none) return code;
  if (const auto code = check_size(request, m, text); code != none) return code;
  const auto known = approvals_.find(order.client_id);
  if (known != approvals_.end() && known->second != approval_hash(order)) return duplicate_intent;
  return check_rate(order.account, now, text);
}

deny_code risk_core::check_shape(const intent& order, const market& m, instant now,
                                 std::string& text) const {
  const auto& spec = m.limits.spec;
  const auto bad = [&](const char* what) {
    text = what;
    return bad_order;
  };
  if (order.client_id != client_id_of(order))
    return bad("client id is not the one derived from the order");
  if (order.quantity.raw <= 0) return bad("size is not positive");
  if (!multiple_of(order.quantity.raw, spec.lot.raw)) return bad("size is no multiple of the lot");
  if (order.quantity < spec.min_size) return bad("size is below the smallest of the instrument");
  if (spec.max_size.raw > 0 && order.quantity > spec.max_size)
    return bad("size is above the largest of the instrument");
  if (order.kind != order_kind::market) {
    if (order.limit.raw <= 0) return bad("limit price is not positive");
    if (!multiple_of(order.limit.raw, spec.tick.raw))
      return bad("limit price is no multiple of the tick");
    if (static_cast<wide>(order.limit.raw) * order.quantity.raw < spec.min_notional.raw)
      return bad("price × size is below the smallest of the instrument");
  }
  return now.market >= order.expires ? expired_intent : none;
}

deny_code risk_core::check_state(const risk_request& request, std::string& text) const {
  if (state_.state == trading_state::active) return none;
  text = "by " + state_.who + ": " + state_.reason;
  const bool reduces = request.order.reduce_only && shrinks_position(request);
  if (state_.state == trading_state::reducing)
    return shrinks_position(request) ? none : reducing_only;
  // Decision 0 is an operator's own order: a reduce-only flatten may leave while halted.
  return reduces && request.order.decision_sequence == 0 ? none : halted;
}

deny_code risk_core::check_book(const intent& order, const market& m, instant now,
                                std::string& text) const {
  if (!m.newest || m.newest->validity != book_validity::valid || m.newest->bid.at.raw <= 0
      || m.newest->ask.at <= m.newest->bid.at)
    return invalid_book;
  const auto age = now.market - m.newest->at;
  if (age > m.limits.max_book_age) {
    text = "quote is " + std::to_string(age.count() / 1'000'000) + " ms old, allowed "
           + std::to_string(m.limits.max_book_age.count() / 1'000'000) + " ms";
    return stale_book;
  }
  if (order.kind == order_kind::market) return none;
  const auto twice_mid = static_cast<wide>(m.newest->bid.at.raw) + m.newest->ask.at.raw;
  // Only a price that gives something away is dangerous: buys above, sells below the mid.
  const auto beyond = order.direction == side::buy
                          ? 2 * static_cast<wide>(order.limit.raw) - twice_mid
                          : twice_mid - 2 * static_cast<wide>(order.limit.raw);
  if (beyond * 1'000'000 <= twice_mid * m.limits.collar_ppm) return none;
  text = "limit " + number(order.limit.raw, m.limits.spec.price_scale) + " against bid "
         + number(m.newest->bid.at.raw, m.limits.spec.price_scale) + " and ask "
         + number(m.newest->ask.at.raw, m.limits.spec.price_scale);
  return price_collar;
}

deny_code risk_core::check_size(const risk_request& request, const market& m,
                                std::string& text) const {
  const auto& order = request.order;
  const auto scale = m.limits.spec.size_scale;
  if (order.quantity > m.limits.max_order_size) {
    text = "size " + number(order.quantity.raw, scale) + ", allowed "
           + number(m.limits.max_order_size.raw, scale);
    return max_order_size;
  }
  const auto worst_price = order.kind == order_kind::market ? m.newest->ask.at : order.limit;
  if (exceeds(worst_price, order.quantity, m.limits.max_order_notional)) return max_order_notional;
  // Everything of our side that may still fill is taken as filled, and nothing of the other side.
  const auto worst =
      order.direction == side::buy
          ? static_cast<wide>(request.position.raw) + request.open_buys.raw + order.quantity.raw
          : static_cast<wide>(request.position.raw) - request.open_sells.raw - order.quantity.raw;
  if (worst > m.limits.max_long.raw && order.direction == side::buy) return max_position;
  if (worst < -static_cast<wide>(m.limits.max_short.raw) && order.direction == side::sell)
    return max_position;
  if (request.open_orders >= options_.max_open_orders) return max_open_orders;
  return none;
}

deny_code risk_core::check_rate(const account_id& account, instant now, std::string& text) {
  auto& view = accounts_[account];
  while (!view.approvals.empty() && now.steady - view.approvals.front() >= options_.rate_window)
    view.approvals.pop_front();
  if (view.approvals.size() < options_.max_orders_in_window) {
    view.rate_denials = 0;
    return none;
  }
  text = std::to_string(view.approvals.size()) + " orders within "
         + std::to_string(options_.rate_window.count() / 1'000'000) + " ms";
  if (++view.rate_denials >= options_.halt_after_rate_denials
      && state_.state != trading_state::halted) {
    state_ = {trading_state::halted, "risk",
              account.text + " asked for orders far above its rate limit"};
    own_halt_ = state_;
  }
  return order_rate;
}

void risk_core::remember(const intent& order, std::uint64_t hash) {
  if (!approvals_.emplace(order.client_id, hash).second) return;
  approval_order_.push_back(order.client_id);
  if (approval_order_.size() <= options_.remembered_approvals) return;
  approvals_.erase(approval_order_.front());
  approval_order_.pop_front();
}

} // namespace troupe
