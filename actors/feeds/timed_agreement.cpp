#include "actors/feeds/timed_agreement.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t most_tops = 16'384; // of one window

} // namespace

void timed_agreement::reading::see(const top& ours) noexcept {
  bid_low = std::min(bid_low, ours.bid.at.raw);
  bid_high = std::max(bid_high, ours.bid.at.raw);
  ask_low = std::min(ask_low, ours.ask.at.raw);
  ask_high = std::max(ask_high, ours.ask.at.raw);
  const auto same = [](const level& theirs, const level& mine) {
    return theirs.at == mine.at && (theirs.quantity.raw == 0 || theirs.quantity == mine.quantity);
  };
  equal = equal || (same(bid, ours.bid) && same(ask, ours.ask));
}

void timed_agreement::take_top(market_time at, const level& bid, const level& ask) {
  if (tops_.empty()) since_ = at;
  else if (tops_.back().bid == bid && tops_.back().ask == ask) return;
  tops_.push_back({at, bid, ask});
  for (auto& r : waiting_)
    if (at - r.at <= options_.window) r.see(tops_.back());
  // The one that stood when the window of the next reading begins must stay.
  while (tops_.size() > 1 && (at - tops_[1].from > options_.window || tops_.size() > most_tops)) tops_.pop_front();
}

void timed_agreement::on_best(market_time at, const level& bid, const level& ask, const level& our_bid,
                              const level& our_ask) {
  armed_ = true;
  take_top(at, our_bid, our_ask);
  reading r{.at = at, .bid = bid, .ask = ask, .whole = at - since_ >= options_.window};
  r.bid_low = r.bid_high = our_bid.at.raw;
  r.ask_low = r.ask_high = our_ask.at.raw;
  for (std::size_t i = 0; i < tops_.size(); ++i) {
    const bool ended_before = i + 1 < tops_.size() && at - tops_[i + 1].from > options_.window;
    if (!ended_before) r.see(tops_[i]);
  }
  waiting_.push_back(r);
  if (waiting_.size() <= options_.most_waiting) return;
  waiting_.front().whole = false;
  judge(waiting_.front());
  waiting_.pop_front();
}

void timed_agreement::judge(const reading& r) {
  if (r.agrees()) {
    ++counts_.agreed;
    counts_.equal += r.equal ? 1 : 0;
    in_row_ = 0;
    return;
  }
  if (!r.whole) {
    ++counts_.undecided;
    return;
  }
  ++counts_.disagreed;
  if (in_row_++ == 0) first_in_row_ = r.at;
  last_in_row_ = r.at;
}

bool timed_agreement::advance(market_time now) {
  while (!waiting_.empty() && now - waiting_.front().at > options_.window) {
    judge(waiting_.front());
    waiting_.pop_front();
  }
  // A burst within one step of the venue's book is one sign, not many.
  return in_row_ >= options_.run && last_in_row_ - first_in_row_ >= options_.window;
}

void timed_agreement::reset() noexcept {
  for (auto& r : waiting_) {
    r.whole = false;
    judge(r);
  }
  waiting_.clear();
  tops_.clear();
  in_row_ = 0;
}

} // namespace troupe
