#pragma once

/// Messages a second over the last ten seconds, out of a count that only grows. Pure.

#include "messages/time.hpp"

#include <cstdint>
#include <deque>

namespace troupe {

/// Not thread-safe.
class message_rate {
public:
  /// The count as it stands; called as often as one likes.
  void take(steady_time now, std::uint64_t total) {
    if (!samples_.empty() && now - samples_.back().at < std::chrono::seconds{1}) return;
    samples_.push_back({now, total});
    while (samples_.size() > 2 && now - samples_.front().at > std::chrono::seconds{10}) samples_.pop_front();
  }

  /// Thousandths of a message a second; 0 before there are two samples.
  [[nodiscard]] std::uint64_t per_second_e3() const noexcept {
    if (samples_.size() < 2) return 0;
    const auto span = (samples_.back().at - samples_.front().at).count() / 1'000'000;
    if (span <= 0) return 0;
    return (samples_.back().total - samples_.front().total) * 1'000'000 / static_cast<std::uint64_t>(span);
  }

private:
  struct sample {
    steady_time at;
    std::uint64_t total = 0;
  };
  std::deque<sample> samples_;
};

} // namespace troupe
