#include "tools/cluster_torture/history_check.hpp"

#include "actors/executors/client_id.hpp"

#include <cstdlib>

namespace troupe::cluster_torture {
namespace {

constexpr std::size_t most_texts = 100;

bool lives(order_state state) {
  return state == order_state::acknowledged || state == order_state::partially_filled || state == order_state::filled
         || state == order_state::cancelled || state == order_state::expired;
}

std::int64_t signed_size(side direction, std::int64_t quantity) {
  return direction == side::buy ? quantity : -quantity;
}

} // namespace

void history_check::breach(std::string_view promise, const std::string& text) {
  ++out_.breached;
  if (out_.breaches.size() < most_texts)
    out_.breaches.push_back(std::string{promise} + ": " + text + " (record " + std::to_string(sequence_) + ")");
}

void history_check::row(std::uint64_t sequence, std::uint64_t epoch) {
  if (sequence_ != 0 && sequence != sequence_ + 1)
    breach("P1", "the journal goes from record " + std::to_string(sequence_) + " to " + std::to_string(sequence));
  sequence_ = sequence;
  if (epoch < epoch_)
    breach("P2", "epoch " + std::to_string(epoch) + " wrote behind epoch " + std::to_string(epoch_));
  epoch_ = std::max(epoch_, epoch);
}

void history_check::take(const journal_session& what) {
  ++out_.sessions;
  if (what.epoch <= session_epoch_)
    breach("P2", "a process took the account over with epoch " + std::to_string(what.epoch) + ", behind "
                     + std::to_string(session_epoch_));
  session_epoch_ = std::max(session_epoch_, what.epoch);
  reconciled_ = false;
}

void history_check::take(const intent& what) {
  ++out_.intents;
  if (what.client_id != client_id_of(what)) breach("P1", "the id of order " + what.client_id + " is not that of its intent");
  if (!orders_.try_emplace(what.client_id, known_order{what}).second)
    breach("P1", "order " + what.client_id + " was journaled twice");
}

void history_check::take(const journal_sent& what) {
  ++out_.sent;
  const auto found = orders_.find(what.client_id);
  if (found == orders_.end()) return breach("P1", "order " + what.client_id + " was sent before it was journaled");
  auto& order = found->second;
  if (order.sent) breach("P1", "order " + what.client_id + " was sent a second time");
  if (order.denied) breach("P3", "order " + what.client_id + " was sent although it had been denied");
  order.sent = true;
  if (!reconciled_) breach("P4", "order " + what.client_id + " was sent before the account was reconciled");
  check_state(order);
}

void history_check::check_state(const known_order& order) {
  if (state_ == trading_state::active) return;
  const auto held = out_.positions[order.what.instrument.text];
  const auto change = signed_size(order.what.direction, order.what.quantity.raw);
  const bool shrinks = (held > 0 && change < 0) || (held < 0 && change > 0);
  if (state_ == trading_state::halted && !(order.what.decision_sequence == 0 && order.what.reduce_only && shrinks))
    breach("P8", "order " + order.what.client_id + " was sent while trading was halted");
  // A fee taken in the asset itself is part of the position and not of the fills: one in a hundred covers it.
  if (state_ == trading_state::reducing && !(shrinks && std::abs(change) <= std::abs(held) + std::abs(held) / 100))
    breach("P8", "order " + order.what.client_id + " was sent while reducing, but does not shrink the position");
}

void history_check::take(const order_report& what) {
  const auto found = orders_.find(what.client_id);
  auto* order = found == orders_.end() ? nullptr : &found->second;
  for (const auto& execution : what.fills) book(execution);
  if (order == nullptr) return;
  if (what.state == order_state::denied) {
    if (order->sent) breach("P3", "order " + what.client_id + " was called denied after it had been sent");
    order->denied = true;
  }
  if (what.state == order_state::rejected) order->given_up = true;
  if (order->given_up && lives(what.state))
    breach("P3", "order " + what.client_id + " was called rejected or absent, and then came back to life");
}

void history_check::book(const fill& execution) {
  const auto [found, fresh] = fills_.try_emplace(execution.trade_id, execution);
  if (!fresh) {
    if (found->second.quantity != execution.quantity || found->second.at_price != execution.at_price)
      breach("P5", "trade " + execution.trade_id + " was booked in two forms");
    return;
  }
  ++out_.fills;
  out_.positions[execution.instrument.text] += signed_size(execution.direction, execution.quantity.raw);
}

void history_check::take(const journal_note& what) {
  if (what.text.starts_with("reconcile: ")) reconciled_ = false;
  if (what.text != "reconciled") return;
  reconciled_ = true;
  ++out_.reconciled;
}

void history_check::take(const halt_state& what) {
  if (what.state != trading_state::active && what.state != state_) ++out_.halts;
  state_ = what.state;
}

} // namespace troupe::cluster_torture
