#include "actors/predictors/predictor.hpp"

#include "actors/predictors/labels.hpp"

#include <algorithm>

namespace troupe {
namespace {

class predictor_category final : public std::error_category {
  const char* name() const noexcept override { return "predictor"; }
  std::string message(int value) const override {
    switch (static_cast<predictor_errc>(value)) {
    case predictor_errc::wrong_answer: return "the model's answer does not fit";
    case predictor_errc::known_id: return "made already";
    case predictor_errc::table_full: return "too many predictions wait";
    case predictor_errc::wrong_instrument: return "of another instrument or horizon";
    case predictor_errc::too_late: return "the outcome is known already";
    }
    return "unknown";
  }
};

std::pair<std::int64_t, std::int64_t> key_of(const prediction& p) noexcept { return {p.due.ns, p.at.ns}; }

bool adds_up(const forecast& f) noexcept {
  return f.down_ppm >= 0 && f.flat_ppm >= 0 && f.up_ppm >= 0
         && std::int64_t{f.down_ppm} + f.flat_ppm + f.up_ppm == 1'000'000;
}

} // namespace

std::error_code make_error_code(predictor_errc code) noexcept {
  static const predictor_category category;
  return {static_cast<int>(code), category};
}

std::string prediction_id(const instrument_id& instrument, horizon over, market_time at) {
  return instrument.text + '/' + std::string{name_of(over)} + '/' + std::to_string(at.ns);
}

bool spans_seam(market_time from, market_time to, market_time origin, nanoseconds period) noexcept {
  if (period.count() <= 0) return false;
  // The newest seam at or before `to`; a seam at `from` belongs to the data the frame has seen.
  const market_time shifted{to.ns - origin.ns};
  const auto newest = origin.ns + floor_to(shifted, period).ns;
  return newest > from.ns;
}

std::string_view text_of(abstention why) noexcept {
  switch (why) {
  case abstention::none: return "";
  case abstention::other_instrument: return "the frame is of another instrument";
  case abstention::invalid_book: return "the book is not valid";
  case abstention::not_newer: return "the frame is not newer than the last prediction";
  case abstention::table_full: return "too many predictions wait for their outcome";
  }
  return "?";
}

predictor::predictor(predictor_options options) : options_{std::move(options)} {}

status predictor::load(const prediction& known) {
  if (known.instrument != options_.instrument || known.over != options_.over)
    return {predictor_errc::wrong_instrument, "prediction " + known.id + " loaded by the predictor of "
                                                  + options_.instrument.text + " "
                                                  + std::string{name_of(options_.over)}};
  if (waiting_.size() >= options_.max_pending)
    return {predictor_errc::table_full, "prediction " + known.id + " does not fit into the table"};
  if (waiting_.emplace(key_of(known), known).second) ++counts_.loaded;
  return ok;
}

std::optional<outcome> predictor::judge_outcome(const prediction& what, const feature_frame& frame) const {
  const auto late = frame.at > what.due;
  const auto seen = std::max(what.due, frame.at);
  outcome then;
  then.at = frame.at;
  then.late = late;
  if (spans_seam(what.at, what.due, options_.seam_origin, options_.seam_period)) {
    then.kind = outcome_kind::seam;
    return then;
  }
  if (late && frame.at - what.due > options_.tolerance) {
    then.kind = outcome_kind::expired;
    then.reason =
        "no valid book within " + std::to_string(options_.tolerance.count() / 1'000'000) + " ms after due";
    return then;
  }
  if (frame.validity != book_validity::valid) return std::nullopt; // a later frame may still do
  if (spans_seam(what.at, seen, options_.seam_origin, options_.seam_period)) {
    then.kind = outcome_kind::seam;
    return then;
  }
  const auto moved = log_return_e9(what.bid.at, what.ask.at, frame.bid.at, frame.ask.at);
  if (!moved) {
    then.kind = outcome_kind::expired;
    then.reason = "a mid price that is not positive";
    return then;
  }
  then.kind = outcome_kind::scored;
  then.return_e9 = *moved;
  then.label = label_of(*moved, what.over);
  then.brier_ppm = brier_ppm(what.said, then.label);
  return then;
}

void predictor::count(const prediction& what, const outcome& then) {
  if (then.kind == outcome_kind::expired) {
    ++counts_.expired;
    return;
  }
  ++counts_.matured;
  if (then.kind == outcome_kind::seam) {
    ++counts_.seams;
    return;
  }
  ++counts_.scored;
  if (then.late) ++counts_.late;
  recent_.push_back({called_class(what.said) == then.label, then.brier_ppm});
  if (recent_.size() > std::max<std::size_t>(options_.hit_window, 1)) recent_.pop_front();
}

std::vector<matured_prediction> predictor::observe(const feature_frame& frame) {
  std::vector<matured_prediction> out;
  if (frame.instrument != options_.instrument || frame.at <= newest_) return out;
  newest_ = frame.at;
  ++counts_.frames;
  for (auto it = waiting_.begin(); it != waiting_.end() && it->second.due <= frame.at;) {
    auto then = judge_outcome(it->second, frame);
    if (!then) {
      ++it;
      continue;
    }
    count(it->second, *then);
    out.push_back({std::move(it->second), std::move(*then)});
    it = waiting_.erase(it);
  }
  return out;
}

abstention predictor::judge(const feature_frame& frame) const {
  if (frame.instrument != options_.instrument) return abstention::other_instrument;
  if (frame.validity != book_validity::valid || frame.bid.at.raw <= 0 || frame.ask.at <= frame.bid.at)
    return abstention::invalid_book;
  if (waiting_.size() >= options_.max_pending) return abstention::table_full;
  const auto due = frame.at + length_of(options_.over);
  if (waiting_.contains({due.ns, frame.at.ns})) return abstention::not_newer;
  return abstention::none;
}

result<snapshot> predictor::predict(const feature_frame& frame, const inference_answer& answer) {
  const auto index = static_cast<std::size_t>(options_.over);
  const auto id = prediction_id(options_.instrument, options_.over, frame.at);
  if (answer.forecasts.size() != all_horizons.size() || !adds_up(answer.forecasts[index])) {
    ++counts_.refused;
    return {predictor_errc::wrong_answer, "answer of model " + answer.version.model + " for " + id + ": "
                                              + std::to_string(answer.forecasts.size())
                                              + " forecasts, or probabilities that don't sum to 1"};
  }
  if (const auto why = judge(frame); why != abstention::none)
    return {why == abstention::not_newer ? predictor_errc::known_id : predictor_errc::table_full,
            id + ": " + std::string{text_of(why)}};
  if (frame.at + length_of(options_.over) <= newest_)
    return {predictor_errc::too_late, id + ": the model answered when the outcome was due already"};
  snapshot out;
  auto& p = out.what;
  p.id = id;
  p.instrument = options_.instrument;
  p.over = options_.over;
  p.at = frame.at;
  p.due = frame.at + length_of(options_.over);
  p.said = answer.forecasts[index];
  p.version = answer.version;
  p.book_sequence = frame.book_sequence;
  p.bid = frame.bid;
  p.ask = frame.ask;
  out.frame = frame;
  waiting_.emplace(key_of(p), p);
  ++counts_.made;
  return out;
}

std::optional<double> predictor::hit_rate() const noexcept {
  if (recent_.empty()) return std::nullopt;
  const auto hits = std::ranges::count_if(recent_, &scored_row::hit);
  return static_cast<double>(hits) / static_cast<double>(recent_.size());
}

std::optional<double> predictor::mean_brier() const noexcept {
  if (recent_.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& row : recent_) sum += row.brier_ppm;
  return sum / static_cast<double>(recent_.size()) * 1e-6;
}

} // namespace troupe
