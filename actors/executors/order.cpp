#include "actors/executors/order.hpp"

#include "actors/executors/client_id.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// Where two ends contradict each other the one kept must not depend on which came first. A higher
/// rank wins: an end that leaves less doubt about executions.
int rank_of(order_state end) noexcept {
  switch (end) {
  case order_state::filled:
    return 4;
  case order_state::cancelled:
    return 3;
  case order_state::expired:
    return 2;
  case order_state::rejected:
    return 1;
  default:
    return 0;
  }
}

bool same_execution(const fill& a, const fill& b) noexcept {
  return a.at_price == b.at_price && a.quantity == b.quantity && a.direction == b.direction
         && a.instrument == b.instrument;
}

bool has_fee(const fill& f) noexcept {
  return !f.fee_asset.empty();
}

} // namespace

std::string_view name_of(order_issue issue) noexcept {
  switch (issue) {
  case order_issue::none:
    return "none";
  case order_issue::wrong_step:
    return "wrong_step";
  case order_issue::approval_mismatch:
    return "approval_mismatch";
  case order_issue::early_venue_event:
    return "early_venue_event";
  case order_issue::wrong_order:
    return "wrong_order";
  case order_issue::bad_amount:
    return "bad_amount";
  case order_issue::overfill:
    return "overfill";
  case order_issue::contradictory_fill:
    return "contradictory_fill";
  case order_issue::contradictory_end:
    return "contradictory_end";
  case order_issue::second_venue_order:
    return "second_venue_order";
  case order_issue::resurrected:
    return "resurrected";
  }
  return "?";
}

std::string_view name_of(order_state state) noexcept {
  switch (state) {
  case order_state::created:
    return "created";
  case order_state::approved:
    return "approved";
  case order_state::journaled:
    return "journaled";
  case order_state::sent:
    return "sent";
  case order_state::acknowledged:
    return "acknowledged";
  case order_state::partially_filled:
    return "partially_filled";
  case order_state::filled:
    return "filled";
  case order_state::cancelled:
    return "cancelled";
  case order_state::rejected:
    return "rejected";
  case order_state::expired:
    return "expired";
  case order_state::denied:
    return "denied";
  case order_state::unknown:
    return "unknown";
  }
  return "?";
}

order_change order::begin() const {
  order_change change;
  change.before = state();
  return change;
}

order_change order::finish(order_change change) const {
  change.after = state();
  return change;
}

order_change order::step(bool legal, order_state next) {
  auto change = begin();
  if (legal)
    local_ = next;
  else
    change.issues.push_back(order_issue::wrong_step);
  return finish(std::move(change));
}

order_change order::approve(std::uint64_t approval) {
  if (approval == 0 || approval != approval_hash(what_)) {
    auto change = begin();
    change.issues.push_back(order_issue::approval_mismatch);
    return finish(std::move(change));
  }
  const bool legal = local_ == order_state::created;
  if (legal) what_.approval = approval;
  return step(legal, order_state::approved);
}

order_change order::journal() {
  return step(local_ == order_state::approved, order_state::journaled);
}

order_change order::send() {
  return step(local_ == order_state::journaled, order_state::sent);
}

order_change order::deny() {
  const bool never_sent = local_ == order_state::created || local_ == order_state::approved
                          || local_ == order_state::journaled || local_ == order_state::sent;
  return step(never_sent && !lost_ && !known_to_venue(), order_state::denied);
}

order_change order::lose() {
  auto change = begin();
  if (local_ == order_state::journaled || local_ == order_state::sent)
    lost_ = true;
  else
    change.issues.push_back(order_issue::wrong_step);
  return finish(std::move(change));
}

order_change order::prove_absent() {
  auto change = begin();
  if (state() == order_state::unknown)
    absent_ = true;
  else
    change.issues.push_back(order_issue::wrong_step);
  return finish(std::move(change));
}

/// Any word of the venue about this order: it exists there.
void order::note_venue_word(order_change& change) {
  if (absent()) change.issues.push_back(order_issue::resurrected);
  const bool journaled = local_ == order_state::journaled || local_ == order_state::sent;
  if (!journaled && !known_to_venue() && !end_)
    change.issues.push_back(order_issue::early_venue_event);
}

void order::take_venue_id(const std::string& id, order_change& change) {
  if (id.empty() || id == venue_order_id_) return;
  if (!venue_order_id_.empty()) {
    change.issues.push_back(order_issue::second_venue_order);
    return;
  }
  venue_order_id_ = id;
}

void order::take_fill(const fill& execution, order_change& change) {
  const bool ours = (execution.client_id.empty() || execution.client_id == what_.client_id)
                    && execution.instrument == what_.instrument
                    && execution.direction == what_.direction;
  if (!ours) return change.issues.push_back(order_issue::wrong_order);
  if (execution.quantity.raw <= 0 || execution.at_price.raw <= 0 || execution.trade_id.empty())
    return change.issues.push_back(order_issue::bad_amount);
  if (const auto known = fills_.find(execution.trade_id); known != fills_.end()) {
    if (!same_execution(known->second, execution))
      return change.issues.push_back(order_issue::contradictory_fill);
    if (has_fee(known->second) || !has_fee(execution)) return;
    known->second.fee_raw = execution.fee_raw;
    known->second.fee_scale = execution.fee_scale;
    known->second.fee_asset = execution.fee_asset;
    return change.completed_fills.push_back(known->second);
  }
  auto booked = execution;
  booked.client_id = what_.client_id;
  booked.account = what_.account;
  if (booked.venue_order_id.empty()) booked.venue_order_id = venue_order_id_;
  if (end_ == order_state::rejected) change.issues.push_back(order_issue::contradictory_end);
  filled_ = filled_ + booked.quantity;
  if (filled_ > what_.quantity) change.issues.push_back(order_issue::overfill);
  fills_.emplace(booked.trade_id, booked);
  change.new_fills.push_back(std::move(booked));
}

void order::take_end(order_state end, order_change& change) {
  if (end_ && *end_ != end) {
    change.issues.push_back(order_issue::contradictory_end);
    if (rank_of(end) > rank_of(*end_)) end_ = end;
    return;
  }
  if (end == order_state::rejected && (filled_.raw > 0 || cumulative_.raw > 0) && !end_)
    change.issues.push_back(order_issue::contradictory_end);
  end_ = end;
}

order_change order::apply(const order_report& report) {
  auto change = begin();
  const bool ours = (report.client_id.empty() || report.client_id == what_.client_id)
                    && (report.instrument.text.empty() || report.instrument == what_.instrument);
  if (!ours) {
    change.issues.push_back(order_issue::wrong_order);
    return finish(std::move(change));
  }
  const auto facts_before = std::tuple{acknowledged_, end_, cumulative_, venue_order_id_};
  const bool says_something = report.state != order_state::unknown || !report.fills.empty();
  if (says_something && report.state != order_state::rejected) note_venue_word(change);
  take_venue_id(report.venue_order_id, change);
  if (report.filled.raw < 0) change.issues.push_back(order_issue::bad_amount);
  if (report.filled > what_.quantity) change.issues.push_back(order_issue::overfill);
  // An older report may name less than is known: legal, and never taken back.
  cumulative_ = std::max(cumulative_, report.filled);
  for (const auto& execution : report.fills)
    take_fill(execution, change);
  switch (report.state) {
  case order_state::filled:
    cumulative_ = std::max(cumulative_, what_.quantity);
    [[fallthrough]];
  case order_state::cancelled:
  case order_state::expired:
    acknowledged_ = true;
    take_end(report.state, change);
    break;
  case order_state::rejected:
    take_end(report.state, change);
    break;
  case order_state::acknowledged:
  case order_state::partially_filled:
    acknowledged_ = true;
    break;
  case order_state::unknown:
    break;
  default:
    change.issues.push_back(order_issue::wrong_step);
    break;
  }
  change.duplicate =
      change.new_fills.empty() && change.completed_fills.empty()
      && facts_before == std::tuple{acknowledged_, end_, cumulative_, venue_order_id_};
  return finish(std::move(change));
}

order_change order::apply(const fill& execution) {
  auto change = begin();
  note_venue_word(change);
  take_venue_id(execution.venue_order_id, change);
  take_fill(execution, change);
  change.duplicate = change.new_fills.empty() && change.completed_fills.empty();
  return finish(std::move(change));
}

order_state order::state() const noexcept {
  if (filled_ >= what_.quantity && filled_.raw > 0) return order_state::filled;
  const bool explained = filled_ >= cumulative_;
  if (end_ == order_state::rejected && (filled_.raw > 0 || cumulative_.raw > 0))
    return order_state::unknown;
  if (end_ && explained) return *end_;
  if (filled_.raw > 0 || cumulative_.raw > 0) return order_state::partially_filled;
  if (acknowledged_) return order_state::acknowledged;
  if (absent_) return order_state::expired;
  if (lost_) return order_state::unknown;
  return local_;
}

bool order::done() const noexcept {
  return is_final(state()) && filled_ >= cumulative_;
}

bool order::closing() const noexcept {
  return end_.has_value() && filled_ < cumulative_;
}

size order::remaining() const noexcept {
  if (done()) return {};
  // An end with executions still to come: exactly the unexplained part may still be booked.
  if (closing()) return cumulative_ - filled_;
  return {std::max<std::int64_t>(0, what_.quantity.raw - filled_.raw)};
}

} // namespace troupe
