#pragma once

/// Messages for storage tests, made from a number.

#include "messages/tensor.hpp"
#include "messages/trading.hpp"
#include "storage/journal_entries.hpp"

namespace troupe::test {

inline intent sample_intent(std::uint64_t n) {
  intent x;
  x.account = {"main@binance"};
  x.decision_sequence = n;
  x.instrument = {"BTC-USDT@binance"};
  x.limit = {6168599000000 + static_cast<std::int64_t>(n)};
  x.quantity = {1000};
  x.created = {1723161253937000000 + static_cast<std::int64_t>(n)};
  x.client_id = "tr" + std::to_string(n) + std::string(n % 700, 'x');
  x.approval = n * 0x9e3779b97f4a7c15ULL;
  return x;
}

inline order_report sample_report(std::uint64_t n) {
  order_report x;
  x.account = {"main@binance"};
  x.instrument = {"BTC-USDT@binance"};
  x.client_id = "tr" + std::to_string(n);
  x.state = order_state::filled;
  fill f;
  f.instrument = x.instrument;
  f.trade_id = std::to_string(n);
  x.fills.push_back(f);
  return x;
}

inline snapshot sample_snapshot(horizon over, std::int64_t n,
                                const std::string& instrument = "BTC-USDT@binance") {
  snapshot x;
  auto& p = x.what;
  p.instrument = {instrument};
  p.over = over;
  p.at = {1723161253937000000 + n * 10'000'000'000};
  p.due = p.at + length_of(over);
  p.id = instrument + "/" + std::string{name_of(over)} + "/" + std::to_string(p.at.ns);
  p.said = {.down_ppm = 300'000, .flat_ppm = 400'000, .up_ppm = 300'000, .return_e9 = n};
  p.version = {"cnn", 7, std::string(64, 'a')};
  x.frame.instrument = p.instrument;
  x.frame.at = p.at;
  const std::vector<float> values(64, static_cast<float>(n));
  x.frame.features = pack_f32(values, {8, 8});
  return x;
}

inline outcome sample_outcome(outcome_kind kind, std::int64_t n = 1) {
  return {.kind = kind,
          .at = {n},
          .return_e9 = n,
          .brier_ppm = 250'000,
          .label = 2,
          .late = false,
          .reason = {}};
}

} // namespace troupe::test
