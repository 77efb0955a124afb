#pragma once

/// The life of predictions over one horizon of one instrument: made from a frame, waiting, due, scored.
/// Pure: frames and answers in, things to store and send out. Its table is bounded and can be rebuilt
/// from the store's list of predictions without an outcome.
///
/// Rules of maturing. A prediction made at t for horizon H is due at t + H.
/// - A frame exactly at the due instant, with a valid book, gives the outcome.
/// - No such frame (the node was down, the book was invalid, or instants don't line up): the first valid
///   frame within `tolerance` behind it does, marked late.
/// - None within the tolerance: expired, with the reason. Never imputed.
/// - [t, t + H] spans a seam of a looped tape: matured as `seam`, neither scored nor trained on.

#include "actors/predictors/errc.hpp"
#include "messages/error.hpp"
#include "messages/learning.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct predictor_options {
  instrument_id instrument;
  horizon over = horizon::m1;
  nanoseconds tolerance = std::chrono::seconds{5}; ///< how late an outcome may be observed, market time
  std::size_t max_pending = 8192;                  ///< most predictions that wait; beyond it none are made
  std::size_t hit_window = 256;                    ///< scored predictions in the rolling figures
  market_time seam_origin;                         ///< instant of one seam of a looped tape
  nanoseconds seam_period{};                       ///< distance of the seams; 0 = no seams
};

/// "instrument/horizon/at_ns".
std::string prediction_id(const instrument_id& instrument, horizon over, market_time at);

/// True when a seam lies in (from, to]. A seam at `from` itself is before the frame's data.
bool spans_seam(market_time from, market_time to, market_time origin, nanoseconds period) noexcept;

/// Counters of one predictor since its start; and rolling figures over the newest scored predictions.
struct predictor_counts {
  std::uint64_t frames = 0;
  std::uint64_t made = 0;
  std::uint64_t loaded = 0;        ///< taken over from the store at start
  std::uint64_t matured = 0;       ///< given an outcome of any kind but expired
  std::uint64_t scored = 0;
  std::uint64_t late = 0;          ///< of the scored, observed later than due
  std::uint64_t seams = 0;
  std::uint64_t expired = 0;
  std::uint64_t abstained = 0;     ///< frames on which nothing was predicted
  std::uint64_t refused = 0;       ///< answers that did not fit what was asked
};

/// Why nothing is predicted on a frame.
enum class abstention : std::uint8_t { none, other_instrument, invalid_book, not_newer, table_full };

/// For people: "the book is invalid", …
std::string_view text_of(abstention why) noexcept;

/// A prediction whose outcome is known.
struct matured_prediction {
  prediction what;
  outcome then;
};

/// Not thread-safe; belongs to one actor.
class predictor {
public:
  explicit predictor(predictor_options options);

  /// Takes over a prediction the store holds without an outcome. Known ids are left as they are.
  status load(const prediction& known);

  /// A new instant: hands out what is due now and can be judged, in order of due time; it is forgotten
  /// here, the store's one conditional write is what makes it final. Frames go forward in time; one that
  /// is not newer than the last gives nothing.
  std::vector<matured_prediction> observe(const feature_frame& frame);

  /// Should the model be asked about this frame? `none` = yes.
  [[nodiscard]] abstention judge(const feature_frame& frame) const;

  /// Counts a frame on which nothing was predicted: invalid book, silent model, and so on.
  void abstain() { ++counts_.abstained; }

  /// Makes the prediction out of the model's answer; it waits from now on. The snapshot is to be stored
  /// before the prediction is told to anyone. An error when the answer has not one forecast a horizon,
  /// its probabilities don't sum to one, the id is known, or the answer comes after the due instant.
  result<snapshot> predict(const feature_frame& frame, const inference_answer& answer);

  [[nodiscard]] std::size_t pending() const noexcept { return waiting_.size(); }
  [[nodiscard]] const predictor_counts& counts() const noexcept { return counts_; }
  [[nodiscard]] const predictor_options& options() const noexcept { return options_; }
  [[nodiscard]] market_time newest() const noexcept { return newest_; }

  /// Rolling share of scored predictions whose most probable class came true; empty before the first.
  [[nodiscard]] std::optional<double> hit_rate() const noexcept;
  /// Rolling mean Brier score (0 best, 2 worst; 0.667 for one third each); empty before the first.
  [[nodiscard]] std::optional<double> mean_brier() const noexcept;

private:
  struct scored_row {
    bool hit = false;
    std::int32_t brier_ppm = 0;
  };

  [[nodiscard]] std::optional<outcome> judge_outcome(const prediction& what,
                                                     const feature_frame& frame) const;
  void count(const prediction& what, const outcome& then);

  predictor_options options_;
  predictor_counts counts_;
  std::map<std::pair<std::int64_t, std::int64_t>, prediction> waiting_; // by due, then at
  market_time newest_{INT64_MIN};
  std::deque<scored_row> recent_;
};

} // namespace troupe
