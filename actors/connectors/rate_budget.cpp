#include "actors/connectors/rate_budget.hpp"

#include <algorithm>

namespace troupe {

using namespace std::chrono_literals;

rate_budget::rate_budget(rate_budget_options options) : options_{std::move(options)} {
  for (const auto& rule : options_.limits) windows_.push_back({rule, {}, 0});
}

void rate_budget::window_state::forget(steady_time now) {
  while (!entries.empty() && now - entries.front().at >= rule.window) {
    sum -= entries.front().units;
    entries.pop_front();
  }
}

nanoseconds rate_budget::window_state::wait_for(steady_time now, std::uint64_t units,
                                                std::uint64_t limit) const {
  if (sum + units <= limit) return nanoseconds::zero();
  auto left = sum;
  for (const auto& each : entries) {
    left -= each.units;
    if (left + units <= limit) return std::max<nanoseconds>(rule.window - (now - each.at), 1ns);
  }
  return rule.window; // more than the whole limit at once: never admitted
}

nanoseconds rate_budget::admit(steady_time now, const std::vector<rate_cost>& costs, bool urgent) {
  if (now < closed_until_) {
    ++refusals_;
    return closed_until_ - now;
  }
  nanoseconds wait{};
  for (auto& window : windows_) {
    window.forget(now);
    for (const auto& cost : costs) {
      if (cost.name != window.rule.name || cost.units == 0) continue;
      const std::uint64_t whole = window.rule.limit;
      const auto limit = urgent ? whole : whole - whole * options_.reserve_percent / 100;
      wait = std::max(wait, window.wait_for(now, cost.units, limit));
    }
  }
  if (wait > nanoseconds::zero()) {
    ++refusals_;
    return wait;
  }
  for (auto& window : windows_)
    for (const auto& cost : costs)
      if (cost.name == window.rule.name && cost.units > 0) {
        window.entries.push_back({now, cost.units});
        window.sum += cost.units;
      }
  return wait;
}

void rate_budget::on_used(steady_time now, const std::string& name, std::uint32_t used) {
  for (auto& window : windows_) {
    if (window.rule.name != name || window.rule.window != 1min) continue;
    window.forget(now);
    if (used <= window.sum) continue;
    // Somebody else behind the same address uses the limit too.
    const auto others = static_cast<std::uint32_t>(used - window.sum);
    window.entries.push_back({now, others});
    window.sum += others;
  }
}

void rate_budget::on_status(steady_time now, unsigned status, nanoseconds retry_after) {
  if (status != 429 && status != 418 && status != 403) {
    if (status < 500 && now >= closed_until_) refused_in_row_ = 0;
    return;
  }
  const auto doublings = std::min(refused_in_row_++, 12u);
  if (status == 418) ++bans_;
  auto length = retry_after;
  if (length <= nanoseconds::zero())
    length = std::min<nanoseconds>((status == 418 ? options_.first_ban : options_.pause) * (1 << doublings),
                                   options_.longest_ban);
  closed_until_ = std::max(closed_until_, now + length);
}

std::uint32_t rate_budget::used(steady_time now, const std::string& name) {
  std::uint64_t out = 0;
  for (auto& window : windows_) {
    if (window.rule.name != name) continue;
    window.forget(now);
    out = std::max(out, window.sum);
  }
  return static_cast<std::uint32_t>(out);
}

} // namespace troupe
