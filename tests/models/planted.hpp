#pragma once

/// A training stream with a planted signal for the tests of models and trainers.

#include "actors/models/random.hpp"
#include "actors/models/model.hpp"
#include "actors/predictors/labels.hpp"
#include "actors/predictors/predictor.hpp"
#include "messages/tensor.hpp"

namespace troupe::testing {

inline network_options small_network() {
  network_options o;
  o.channels = 3;
  o.steps = 8;
  o.width = 8;
  o.blocks = 1;
  return o;
}

/// Row `sequence` of the stream: the newest value of channel 0 is the return in units of the label's
/// scale; horizons take turns. The same seed and sequence give the same row.
inline snapshot planted_row(const network_options& net, std::uint64_t sequence, std::uint64_t seed = 1) {
  random_stream random{seed * 1'000'003 + sequence};
  std::vector<float> features(static_cast<std::size_t>(net.channels * net.steps));
  for (auto& x : features) x = static_cast<float>(random.normal());
  const auto over = all_horizons[sequence % all_horizons.size()];
  const auto signal = features[static_cast<std::size_t>(net.steps - 1)];
  snapshot row;
  auto& p = row.what;
  p.instrument.text = "BTC-USDT@binance";
  p.over = over;
  p.at = {static_cast<std::int64_t>(sequence) * 10'000'000'000};
  p.due = p.at + length_of(over);
  p.id = prediction_id(p.instrument, over, p.at);
  row.frame.instrument = p.instrument;
  row.frame.at = p.at;
  row.frame.schema = net.frame_schema;
  row.frame.validity = book_validity::valid;
  row.frame.features = pack_f32(features, {net.channels, net.steps});
  row.then.kind = outcome_kind::scored;
  row.then.at = p.due;
  row.then.return_e9 = static_cast<std::int64_t>(signal * label_scale(over) * 1e9);
  row.then.label = label_of(row.then.return_e9, over);
  row.training_sequence = sequence;
  return row;
}

inline std::vector<snapshot> planted_rows(const network_options& net, std::uint64_t from, std::size_t count,
                                          std::uint64_t seed = 1) {
  std::vector<snapshot> rows;
  for (std::size_t i = 0; i < count; ++i) rows.push_back(planted_row(net, from + i, seed));
  return rows;
}

} // namespace troupe::testing
