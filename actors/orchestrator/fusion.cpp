#include "actors/orchestrator/fusion.hpp"

#include "messages/json.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace troupe {
namespace {

constexpr std::size_t index_of(horizon h) noexcept {
  return static_cast<std::size_t>(h);
}

/// P(up) among up and down, kept off 0 and 1 so that one sure model can't outvote all others for
/// ever.
double up_share(const forecast& said) {
  constexpr double least = 0.005;
  const auto up = static_cast<double>(std::max(said.up_ppm, 0));
  const auto down = static_cast<double>(std::max(said.down_ppm, 0));
  if (up + down <= 0) return 0.5;
  return std::clamp(up / (up + down), least, 1 - least);
}

} // namespace

// --- fusion
// -------------------------------------------------------------------------------------------------

std::array<double, 4> fusion::normalised(std::array<double, 4> weights) {
  double sum = 0;
  for (auto& w : weights)
    sum += (w = std::max(w, 0.0));
  if (sum > 0)
    for (auto& w : weights)
      w /= sum;
  return weights;
}

int fusion::used_horizons() const noexcept {
  return static_cast<int>(std::count_if(options_.weights.begin(), options_.weights.end(),
                                        [](double w) { return w > 0; }));
}

int fusion::spoken_of_newest() const noexcept {
  int count = 0;
  for (std::size_t h = 0; h < newest_.size(); ++h)
    if (newest_[h] && options_.weights[h] > 0 && newest_instant_
        && newest_[h]->at == *newest_instant_)
      ++count;
  return count;
}

bool fusion::on_prediction(const prediction& p) {
  const auto h = index_of(p.over);
  if (h >= newest_.size() || (newest_[h] && p.at <= newest_[h]->at)) return false;
  newest_[h] = p;
  if (options_.weights[h] > 0 && (!newest_instant_ || p.at > *newest_instant_))
    newest_instant_ = p.at;
  const auto twice_mid = p.bid.at.raw + p.ask.at.raw;
  if (twice_mid <= 0 || options_.weights[h] <= 0) return true;
  waiting_[h].push_back({p.due, twice_mid, up_share(p.said)});
  if (waiting_[h].size() > options_.most_waiting) waiting_[h].pop_front();
  return true;
}

void fusion::on_quote(const quote& q) {
  if (quote_ && q.at < quote_->at && q.validity == book_validity::valid) return;
  quote_ = q;
  if (q.validity != book_validity::valid) return;
  const auto twice_mid = q.bid.at.raw + q.ask.at.raw;
  for (std::size_t h = 0; h < waiting_.size(); ++h)
    while (!waiting_[h].empty() && waiting_[h].front().due <= q.at) {
      const auto then = waiting_[h].front();
      waiting_[h].pop_front();
      // A quote from long after the horizon says nothing about it.
      const bool in_time = q.at - then.due <= options_.max_quote_age;
      if (in_time && twice_mid != then.twice_mid) learn(h, then.up, twice_mid > then.twice_mid);
    }
}

void fusion::learn(std::size_t horizon, double up, bool went_up) {
  const auto miss = up - (went_up ? 1.0 : 0.0);
  constexpr double loss_of_a_coin = 0.25;
  losses_[horizon] = losses_[horizon] * options_.forgetting + miss * miss - loss_of_a_coin;
  ++scored_[horizon];
  weigh();
}

void fusion::weigh() {
  if (!options_.learn_weights) return;
  std::array<double, 4> next{};
  // Relative to the best, so that the exponentials stay in range.
  double best = HUGE_VAL;
  for (std::size_t h = 0; h < next.size(); ++h)
    if (options_.weights[h] > 0) best = std::min(best, losses_[h]);
  for (std::size_t h = 0; h < next.size(); ++h)
    if (options_.weights[h] > 0)
      next[h] = options_.weights[h] * std::exp(-options_.learning_rate * (losses_[h] - best));
  next = normalised(next);
  for (std::size_t h = 0; h < next.size(); ++h)
    if (options_.weights[h] > 0) next[h] = std::max(next[h], options_.least_weight);
  weights_ = normalised(next);
}

void fusion::recall(const fusion_memory& memory, market_time now) {
  losses_ = memory.losses;
  scored_ = memory.scored;
  for (const auto over : all_horizons) {
    auto& rows = waiting_[index_of(over)];
    rows.clear();
    for (const auto& row : memory.waiting[index_of(over)])
      if (row.due <= now + length_of(over)) rows.push_back(row);
    while (rows.size() > options_.most_waiting) rows.pop_front();
  }
  weigh();
}

fused_signal fusion::fuse(market_time now) const {
  fused_signal out;
  const auto abstain = [&](std::string why) {
    out.reason = std::move(why);
    return out;
  };
  if (!quote_ || quote_->validity != book_validity::valid) return abstain("the book is not valid");
  if (now - quote_->at > options_.max_quote_age)
    return abstain("the newest quote is " + std::to_string((now - quote_->at).count() / 1'000'000)
                   + " ms old");
  out.book_sequence = quote_->sequence;
  double log_odds = 0;
  double weight = 0;
  for (const auto over : all_horizons) {
    const auto h = index_of(over);
    const auto& p = newest_[h];
    if (!p || weights_[h] <= 0 || now - p->at > options_.max_age[h]) continue;
    const auto up = up_share(p->said);
    log_odds += weights_[h] * options_.temperatures[h] * std::log(up / (1 - up));
    weight += weights_[h];
    out.predictions.push_back(p->id);
    out.reason += (out.reason.empty() ? "" : " ") + std::string{name_of(over)};
  }
  if (weight <= 0) return abstain("no prediction is fresh");
  out.abstains = false;
  out.score_ppm = static_cast<std::int32_t>(std::lround(std::tanh(log_odds / weight / 2) * 1e6));
  return out;
}

// --- policy
// ---------------------------------------------------------------------------------------------------

size position_policy::wanted(std::int32_t score_ppm) const {
  const auto strength = std::abs(score_ppm);
  __extension__ typedef __int128 wide;
  std::int64_t amount = options_.max_position.raw;
  if (options_.shape == policy_shape::linear && options_.full_score_ppm > 0)
    amount = static_cast<std::int64_t>(static_cast<wide>(amount)
                                       * std::min(strength, options_.full_score_ppm)
                                       / options_.full_score_ppm);
  if (score_ppm == 0) amount = 0;
  if (lot_.raw > 0) amount -= amount % lot_.raw;
  if (score_ppm > 0) return {amount};
  return {options_.long_only ? 0 : -amount};
}

std::optional<size> position_policy::apply(const fused_signal& signal, market_time now) {
  auto next = target_;
  if (signal.abstains) {
    if (!abstains_since_) abstains_since_ = now;
    const bool long_enough = now - *abstains_since_ >= options_.flat_after;
    if (options_.on_abstain == abstain_action::flat || long_enough) next = size{};
  } else {
    abstains_since_.reset();
    if (std::abs(signal.score_ppm) < options_.dead_band_ppm) return target_;
    next = wanted(signal.score_ppm);
  }
  if (next == target_) return target_;
  // The first target and going flat because nothing is known any more wait for nothing.
  if (!signal.abstains && target_) {
    if (std::abs(next->raw - target_->raw) < options_.min_change.raw) return target_;
    if (changed_ && now - *changed_ < options_.min_holding) return target_;
  }
  target_ = next;
  changed_ = now;
  return target_;
}

// --- decisions
// --------------------------------------------------------------------------------------------------

std::uint64_t decision_numbers::next(market_time now) noexcept {
  const auto floor = now.ns > 0 ? static_cast<std::uint64_t>(now.ns / 1000) : 0;
  last_ = std::max(last_ + 1, floor);
  return last_;
}

decider::decider(decider_options options)
    : options_{std::move(options)}, fusion_{options_.fuse}, policy_{options_.policy,
                                                                    options_.spec.lot} {}

void decider::on_prediction(const prediction& p, market_time now) {
  const auto before = fusion_.newest_instant();
  if (!fusion_.on_prediction(p)) return;
  if (fusion_.newest_instant() != before) waiting_since_ = now;
}

void decider::on_quote(const quote& q, market_time) {
  fusion_.on_quote(q);
}

void decider::recall(const decider_memory& memory, market_time now) {
  fusion_.recall(memory.fused, now);
  const bool past = !memory.changed || *memory.changed <= now;
  policy_.recall(memory.target, past ? memory.changed : std::nullopt);
}

std::optional<decision> decider::take(market_time now, decision_numbers& numbers) {
  const auto instant = fusion_.newest_instant();
  const bool news = instant && (!decided_instant_ || *instant > *decided_instant_);
  // Without news for long the policy still has to be asked: it may have to go flat.
  const bool silence =
      !news && last_decision_ && now - *last_decision_ >= options_.policy.flat_after;
  if (!news && !silence) return std::nullopt;
  if (news && fusion_.spoken_of_newest() < fusion_.used_horizons() && waiting_since_
      && now - *waiting_since_ < options_.gather)
    return std::nullopt;
  decided_instant_ = instant;
  last_decision_ = now;
  signal_ = fusion_.fuse(now);
  const auto before = policy_.target();
  const auto target = policy_.apply(signal_, now);
  if (signal_.abstains) ++abstained_;
  // An abstention that changes nothing is no decision.
  if (!target || (signal_.abstains && target == before)) return std::nullopt;
  ++decisions_;
  decision d;
  d.sequence = numbers.next(now);
  d.instrument = options_.spec.id;
  d.at = now;
  d.target = *target;
  d.score_ppm = signal_.score_ppm;
  d.predictions = signal_.predictions;
  d.book_sequence = signal_.book_sequence;
  d.reason = signal_.reason;
  return d;
}

} // namespace troupe
