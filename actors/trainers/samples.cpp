#include "actors/trainers/samples.hpp"

#include "actors/predictors/labels.hpp"

#include <algorithm>

namespace troupe {

result<sample> to_sample(const snapshot& row, const network_options& options) {
  const auto& what = row.what;
  const auto refuse = [&](std::string_view why) {
    return troupe::error{make_error_code(model_errc::wrong_frame),
                         "snapshot " + what.id + ": " + std::string{why}};
  };
  if (row.then.kind != outcome_kind::scored) return refuse("has no score");
  const auto over = static_cast<std::size_t>(what.over);
  if (over >= all_horizons.size()) return refuse("unknown horizon");
  if (what.due - what.at != length_of(what.over) || row.then.at < what.due)
    return refuse("trained before it is due");
  if (row.frame.at != what.at || row.frame.instrument != what.instrument)
    return refuse("frame of another prediction");
  if (row.then.label != label_of(row.then.return_e9, what.over)) return refuse("label of another definition");
  auto features = frame_features(row.frame, options);
  if (!features) return std::move(features).error();
  const auto target = static_cast<double>(row.then.return_e9) * 1e-9 / label_scale(what.over);
  return sample{row.training_sequence, static_cast<std::uint8_t>(over), row.then.label,
                static_cast<float>(std::clamp(target, -8.0, 8.0)), std::move(*features)};
}

} // namespace troupe
