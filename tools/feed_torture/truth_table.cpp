#include "tools/feed_torture/truth_table.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t most_kept = 5'000; // some minutes: none is judged later, and memory soon stands still
constexpr std::int64_t ms = 1'000'000;

} // namespace

void truth_table::add(std::uint64_t sequence, std::int64_t event_ms, std::uint32_t crc) {
  const std::lock_guard lock{mutex_};
  numbered_ = sequence != 0;
  if (numbered_) by_number_[sequence] = crc;
  else by_time_[event_ms].push_back(crc);
  order_.push_back({sequence, event_ms});
  if (order_.size() <= most_kept) return;
  by_number_.erase(order_.front().sequence);
  by_time_.erase(order_.front().event_ms);
  order_.pop_front();
}

void truth_table::count(book_verdict verdict, std::uint64_t key, std::uint32_t crc) {
  if (verdict == book_verdict::right) ++counts_.right;
  if (verdict == book_verdict::unknown) ++counts_.unknown;
  if (verdict != book_verdict::wrong) return;
  if (counts_.wrong++ == 0)
    counts_.first_wrong = (numbered_ ? "number " : "time ") + std::to_string(key) + ", checksum " + std::to_string(crc);
}

void truth_table::judge(std::uint64_t sequence, market_time at, std::uint32_t crc) {
  const std::lock_guard lock{mutex_};
  if (numbered_) {
    const auto found = by_number_.find(sequence);
    const auto verdict = found == by_number_.end()   ? book_verdict::unknown
                         : found->second == crc ? book_verdict::right
                                                : book_verdict::wrong;
    return count(verdict, sequence, crc);
  }
  const auto event_ms = at.ns / ms;
  if (last_ && last_->event_ms != event_ms) {
    const auto found = by_time_.find(last_->event_ms);
    const bool there = found != by_time_.end();
    const bool right = there && std::find(found->second.begin(), found->second.end(), last_->crc) != found->second.end();
    count(!there ? book_verdict::unknown : right ? book_verdict::right : book_verdict::wrong,
          static_cast<std::uint64_t>(last_->event_ms), last_->crc);
  }
  last_ = published{event_ms, crc};
}

void truth_table::lose() {
  const std::lock_guard lock{mutex_};
  last_.reset();
}

truth_table::counts truth_table::figures() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

} // namespace troupe
