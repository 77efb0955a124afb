#pragma once

/// One signal out of many predictions, and one target position out of the signal. Pure.
///
/// Fusion: each fresh prediction says P(up) and P(down) over its horizon. Its log odds, sharpened
/// or dulled by the horizon's temperature, are added with weights that sum to 1 (a logarithmic
/// opinion pool); the score is tanh of half that sum: 1 = surely up, -1 = surely down. Weights are
/// fixed, or learned by Hedge: weight ∝ exp(-rate × sum of (Brier loss - 1/4)), 1/4 being the loss
/// of a coin, so that a horizon without outcomes counts as a coin; one loss for every prediction
/// whose horizon has passed, on the direction of the mid (1 = up, 0 = down; an unchanged mid
/// teaches nothing). Abstains, with a reason, when the book is not valid or old, or no prediction
/// is fresh.

#include "messages/trading.hpp"

#include <deque>
#include <map>
#include <optional>

namespace troupe {

/// Durations in market time.
struct fusion_options {
  std::array<double, 4> weights{0.25, 0.25, 0.25,
                                0.25}; ///< by horizon, 0 = not used; at the start of learning
  std::array<double, 4> temperatures{1, 1, 1, 1}; ///< calibration: log odds are multiplied by it
  std::array<nanoseconds, 4> max_age{             ///< an older prediction is stale, by horizon
                                     std::chrono::seconds{20}, std::chrono::seconds{40},
                                     std::chrono::minutes{2}, std::chrono::minutes{5}};
  nanoseconds max_quote_age = std::chrono::seconds{5};
  bool learn_weights = true; ///< Hedge
  double learning_rate = 0.5;
  double forgetting = 0.999;        ///< factor on the sum of losses at each new loss
  double least_weight = 0.02;       ///< no used horizon falls below it
  std::size_t most_waiting = 2'000; ///< predictions kept until their horizon has passed, each
};

/// The fused signal of one instant.
struct fused_signal {
  bool abstains = true;
  std::string reason; ///< why it abstains, or which horizons spoke
  std::int32_t score_ppm = 0;
  std::vector<std::string> predictions;
  std::uint64_t book_sequence = 0;
};

/// What a fusion has learned, and the predictions whose horizon has not passed yet.
struct fusion_memory {
  struct waiting_row {
    market_time due;
    std::int64_t twice_mid = 0;
    double up = 0.5;
    friend bool operator==(const waiting_row&, const waiting_row&) = default;
  };
  std::array<double, 4> losses{};
  std::array<std::uint64_t, 4> scored{};
  std::array<std::deque<waiting_row>, 4> waiting;
  friend bool operator==(const fusion_memory&, const fusion_memory&) = default;
};

/// Predictions of one instrument.
class fusion {
public:
  explicit fusion(fusion_options options)
      : options_{options}, weights_{normalised(options.weights)} {}

  /// False when it is older than the newest of its horizon.
  bool on_prediction(const prediction& p);
  void on_quote(const quote& q);
  [[nodiscard]] fused_signal fuse(market_time now) const;

  /// Instant of the newest prediction, and how many horizons have spoken of that instant.
  [[nodiscard]] std::optional<market_time> newest_instant() const noexcept {
    return newest_instant_;
  }
  [[nodiscard]] int spoken_of_newest() const noexcept;
  [[nodiscard]] int used_horizons() const noexcept;
  [[nodiscard]] const std::array<double, 4>& weights() const noexcept { return weights_; }
  [[nodiscard]] const std::array<double, 4>& losses() const noexcept { return losses_; }
  [[nodiscard]] const std::array<std::uint64_t, 4>& scored() const noexcept { return scored_; }
  [[nodiscard]] const std::optional<quote>& newest_quote() const noexcept { return quote_; }

  [[nodiscard]] fusion_memory memory() const { return {losses_, scored_, waiting_}; }
  /// Goes on with what an earlier life had learned. Rows that could not have been made by `now` are left out:
  /// they are of another market clock and would hold up all behind them.
  void recall(const fusion_memory& memory, market_time now);

private:
  static std::array<double, 4> normalised(std::array<double, 4> weights);
  void learn(std::size_t horizon, double up, bool went_up);
  void weigh();

  fusion_options options_;
  std::array<double, 4> weights_;
  std::array<double, 4> losses_{};
  std::array<std::uint64_t, 4> scored_{};
  std::array<std::optional<prediction>, 4> newest_;
  std::array<std::deque<fusion_memory::waiting_row>, 4> waiting_;
  std::optional<market_time> newest_instant_;
  std::optional<quote> quote_;
};

/// How a score becomes a size.
enum class policy_shape : std::uint8_t {
  sign,   ///< the whole size in the direction of the score
  linear, ///< in proportion to the score, up to `full_score_ppm`
};

/// What to do while the signal abstains.
enum class abstain_action : std::uint8_t { hold, flat };

struct policy_options {
  policy_shape shape = policy_shape::linear;
  size max_position;                     ///< largest target, long or short
  bool long_only = false;                ///< shorts become flat
  std::int32_t dead_band_ppm = 50'000;   ///< a weaker score changes nothing
  std::int32_t full_score_ppm = 500'000; ///< linear: the score that means the whole size
  size min_change;                       ///< smaller changes of the target are not made
  nanoseconds min_holding{};             ///< market time between changes of the target
  abstain_action on_abstain = abstain_action::hold;
  nanoseconds flat_after =
      std::chrono::minutes{10}; ///< abstaining so long means flat, whatever is said above
};

/// Signal → target position, with memory of the last change.
class position_policy {
public:
  position_policy(policy_options options, size lot) : options_{options}, lot_{lot} {}
  /// The target for this signal; changes its memory. Unset until a signal has been strong enough to
  /// set one: a restart must not be taken for a wish to be flat.
  std::optional<size> apply(const fused_signal& signal, market_time now);
  [[nodiscard]] const std::optional<size>& target() const noexcept { return target_; }
  [[nodiscard]] const std::optional<market_time>& changed() const noexcept { return changed_; }
  void recall(std::optional<size> target, std::optional<market_time> changed) {
    target_ = target;
    changed_ = changed;
  }

private:
  [[nodiscard]] size wanted(std::int32_t score_ppm) const;

  policy_options options_;
  size lot_;
  std::optional<size> target_;
  std::optional<market_time> changed_;
  std::optional<market_time> abstains_since_;
};

/// Numbers decisions so that a number is never used twice, also not across restarts: the next is
/// one above the last, but never below the market time in microseconds, which only grows.
class decision_numbers {
public:
  std::uint64_t next(market_time now) noexcept;
  /// An executor has seen this number.
  void at_least(std::uint64_t seen) noexcept { last_ = std::max(last_, seen); }
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

private:
  std::uint64_t last_ = 0;
};

struct decider_options {
  instrument_spec spec;
  fusion_options fuse;
  policy_options policy;
  /// Market time to wait for the other horizons of an instant before deciding without them.
  nanoseconds gather = std::chrono::seconds{2};
};

/// What a decider takes over from an earlier life.
struct decider_memory {
  fusion_memory fused;
  std::optional<size> target;
  std::optional<market_time> changed; ///< when the target changed last
  friend bool operator==(const decider_memory&, const decider_memory&) = default;
};

/// Everything between predictions and decisions of one instrument: one decision for each instant.
class decider {
public:
  explicit decider(decider_options options);

  void on_prediction(const prediction& p, market_time now);
  void on_quote(const quote& q, market_time now);
  /// A decision, when it is time for one: all horizons have spoken, or enough was waited.
  [[nodiscard]] std::optional<decision> take(market_time now, decision_numbers& numbers);

  [[nodiscard]] decider_memory memory() const { return {fusion_.memory(), policy_.target(), policy_.changed()}; }
  void recall(const decider_memory& memory, market_time now);

  [[nodiscard]] const fusion& fused() const noexcept { return fusion_; }
  [[nodiscard]] const fused_signal& last_signal() const noexcept { return signal_; }
  [[nodiscard]] const std::optional<size>& target() const noexcept { return policy_.target(); }
  [[nodiscard]] const instrument_spec& spec() const noexcept { return options_.spec; }
  [[nodiscard]] std::uint64_t decisions() const noexcept { return decisions_; }
  [[nodiscard]] std::uint64_t abstained() const noexcept { return abstained_; }

private:
  decider_options options_;
  fusion fusion_;
  position_policy policy_;
  fused_signal signal_;
  std::optional<market_time> decided_instant_;
  std::optional<market_time> waiting_since_;
  std::optional<market_time> last_decision_;
  std::uint64_t decisions_ = 0;
  std::uint64_t abstained_ = 0;
};

} // namespace troupe
