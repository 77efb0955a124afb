#include "actors/feeds/integrity.hpp"

#include <algorithm>

namespace troupe {

// --- agreement -----------------------------------------------------------------------------------

namespace {

constexpr std::size_t quotes_behind = 16;  // later quotes that must have come before a change is judged
constexpr std::size_t most_waiting = 4096; // bound of both queues

} // namespace

void agreement_meter::on_top(std::uint64_t sequence, const level& bid, const level& ask) {
  if (!waiting_.empty() && waiting_.back().sequence >= sequence) return;
  waiting_.push_back({sequence, bid, ask});
  if (waiting_.size() > most_waiting) waiting_.pop_front();
}

void agreement_meter::on_best(const best_event& best) {
  if (best.sequence == 0) return; // the venue numbers none: there is nothing to match it by
  const top entry{best.sequence, best.bid, best.ask};
  if (quotes_.empty() || quotes_.back().sequence <= best.sequence) [[likely]]
    quotes_.push_back(entry);
  else {
    const auto behind = [](std::uint64_t sequence, const top& t) { return sequence < t.sequence; };
    quotes_.insert(std::upper_bound(quotes_.begin(), quotes_.end(), best.sequence, behind), entry);
  }
  settle();
  if (quotes_.size() > most_waiting) quotes_.pop_front();
}

void agreement_meter::settle() {
  while (!waiting_.empty() && quotes_.size() > quotes_behind
         && quotes_[quotes_.size() - quotes_behind].sequence > waiting_.front().sequence) {
    judge(waiting_.front());
    waiting_.pop_front();
  }
}

void agreement_meter::judge(const top& t) {
  // Tops come in ascending order, so quotes below the last one at or below this top are done with.
  while (quotes_.size() > 1 && quotes_[1].sequence <= t.sequence) quotes_.pop_front();
  if (quotes_.empty() || quotes_.front().sequence > t.sequence) return;
  const auto& q = quotes_.front();
  const bool same = q.bid == t.bid && q.ask == t.ask;
  ++counts_.compared;
  counts_.agreed += same ? 1 : 0;
  if (q.sequence != t.sequence) return;
  ++counts_.equal_number;
  counts_.equal_number_agreed += same ? 1 : 0;
  in_row_ = same ? 0 : in_row_ + 1;
}

void agreement_meter::finish() {
  for (const auto& t : waiting_) judge(t);
  waiting_.clear();
}

void agreement_meter::reset() noexcept {
  waiting_.clear();
  quotes_.clear();
  in_row_ = 0;
}

// --- clock offset --------------------------------------------------------------------------------

namespace {
constexpr std::uint64_t halve_after = 1 << 20;
} // namespace

offset_meter::offset_meter()
    : pages_(static_cast<std::size_t>(2 * reach) / page_bins + 1), sums_(pages_.size()) {}

void offset_meter::take(nanoseconds offset) noexcept {
  const auto rounded =
      floor_to(market_time{offset.count() + 500'000}, std::chrono::milliseconds{1}).ns / 1'000'000;
  const auto place = static_cast<std::size_t>(std::clamp<std::int64_t>(rounded, -reach, reach) + reach);
  auto& bins = pages_[place / page_bins];
  if (!bins) [[unlikely]]
    bins = std::make_unique<page>();
  ++(*bins)[place % page_bins];
  ++sums_[place / page_bins];
  ++total_;
  if (++taken_ < halve_after) return;
  taken_ = 0;
  halve();
}

void offset_meter::halve() noexcept {
  total_ = 0;
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    sums_[i] = 0;
    if (!pages_[i]) continue;
    for (auto& bin : *pages_[i]) sums_[i] += bin /= 2;
    total_ += sums_[i];
  }
}

nanoseconds offset_meter::percentile(unsigned percent) const noexcept {
  if (total_ == 0) return {};
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    if (sums_[i] == 0 || (below + sums_[i]) * 100 < total_ * percent) {
      below += sums_[i];
      continue;
    }
    for (std::size_t bin = 0; bin < page_bins; ++bin) {
      below += (*pages_[i])[bin];
      if (below * 100 >= total_ * percent)
        return std::chrono::milliseconds{static_cast<std::int64_t>(i * page_bins + bin) - reach};
    }
  }
  return {};
}

/// A minute is over: the oldest one no longer counts.
void offset_floor::turn(market_time received) noexcept {
  if (!samples_) floors_.fill(nanoseconds::max());
  samples_ = true;
  const auto over = turns_.ns == 0 ? 1 : (received - turns_) / slot_length + 1;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(over, slots); ++i) {
    at_ = (at_ + 1) % slots;
    floors_[at_] = nanoseconds::max();
  }
  turns_ = floor_to(received, slot_length) + slot_length;
  least_ = *std::min_element(floors_.begin(), floors_.end());
}

nanoseconds offset_floor::take(market_time received, nanoseconds offset) noexcept {
  if (received >= turns_) [[unlikely]]
    turn(received);
  if (offset < floors_[at_]) [[unlikely]] {
    floors_[at_] = offset;
    least_ = std::min(least_, offset);
  }
  return offset - least_;
}

// --- quarantine ----------------------------------------------------------------------------------

void quarantine::keep(market_time received, frame_damage damage, std::string_view frame) {
  ++total_;
  entries_.push_back({received, damage, frame.size(), std::string{frame.substr(0, max_head)}});
  if (entries_.size() > max_entries) entries_.pop_front();
}

} // namespace troupe
