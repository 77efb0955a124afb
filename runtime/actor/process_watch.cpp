#include "runtime/actor/process_watch.hpp"

#include <algorithm>

namespace troupe {

clock_watch::finding clock_watch::look(std::int64_t steady, std::int64_t wall, nanoseconds every) {
  finding out;
  if (steady_ != 0) {
    const auto elapsed = steady - steady_;
    const nanoseconds apart{(wall - wall_) - elapsed};
    if (std::max(apart, -apart) > options_.jump) out.jump = apart;
    if (nanoseconds{elapsed} - every > options_.gap) out.gap = nanoseconds{elapsed};
  }
  steady_ = steady;
  wall_ = wall;
  return out;
}

std::optional<std::uint64_t> memory_watch::look(std::int64_t steady, std::uint64_t resident) {
  if (since_ == 0) since_ = steady;
  if (steady - since_ < options_.warm_up.count()) return std::nullopt;
  while (!rising_.empty() && rising_.front().at < steady - options_.window.count()) rising_.pop_front();
  while (!rising_.empty() && rising_.back().resident >= resident) rising_.pop_back();
  rising_.push_back({steady, resident});
  const auto least = rising_.front().resident;
  if (resident - least <= options_.least_growth || resident / options_.percent * 100 < least)
    return std::nullopt;
  rising_.clear();
  rising_.push_back({steady, resident});
  return least;
}

std::uint64_t stall_watch::poke(std::int64_t steady) noexcept {
  since_ = steady;
  return ++poked_;
}

std::optional<nanoseconds> stall_watch::stalled(std::uint64_t answered, std::int64_t steady) {
  if (answered == poked_ || told_ == poked_ || steady - since_ <= limit_.count()) return std::nullopt;
  told_ = poked_;
  return nanoseconds{steady - since_};
}

} // namespace troupe
