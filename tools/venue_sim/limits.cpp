#include "tools/venue_sim/limits.hpp"

#include <algorithm>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t second = 1'000'000'000;

} // namespace

void request_limits::window::roll(std::int64_t now) {
  const auto current = now / length_ns;
  if (current == number) return;
  number = current;
  count = 0;
}

int request_limits::window::seconds_left(std::int64_t now) const {
  return static_cast<int>(((number + 1) * length_ns - now) / second) + 1;
}

std::optional<limit_refusal> request_limits::charge(int weight, std::int64_t steady_ns) {
  const auto window_before = weight_.number;
  weight_.roll(steady_ns);
  if (weight_.number != window_before) ignored_ = 0;
  if (steady_ns < banned_until_ns_) {
    const auto left = static_cast<int>((banned_until_ns_ - steady_ns) / second) + 1;
    return limit_refusal{418, -1003, "Way too much request weight used; IP banned.", left};
  }
  weight_.count += weight;
  if (weight_.count <= settings_.weight_per_minute) return std::nullopt;
  if (++ignored_ > settings_.refusals_until_ban) {
    banned_until_ns_ = steady_ns + settings_.ban_s * second;
    ignored_ = 0;
    return limit_refusal{418, -1003, "Way too much request weight used; IP banned.", settings_.ban_s};
  }
  return limit_refusal{429, -1003,
                       "Too much request weight used; current limit is "
                           + std::to_string(settings_.weight_per_minute) + " request weight per 1 MINUTE.",
                       weight_.seconds_left(steady_ns)};
}

std::optional<limit_refusal> request_limits::charge_order(std::int64_t steady_ns) {
  orders_short_.roll(steady_ns);
  orders_long_.roll(steady_ns);
  const auto full = [&](const window& w, int limit, const char* words) -> std::optional<limit_refusal> {
    if (w.count < limit) return std::nullopt;
    return limit_refusal{429, -1015,
                         "Too many new orders; current limit is " + std::to_string(limit) + " orders per "
                             + words + ".",
                         w.seconds_left(steady_ns)};
  };
  if (auto refused = full(orders_short_, settings_.orders_per_10s, "10 SECOND")) return refused;
  if (auto refused = full(orders_long_, settings_.orders_per_day, "1 DAY")) return refused;
  ++orders_short_.count;
  ++orders_long_.count;
  return std::nullopt;
}

void request_limits::order_filled() noexcept {
  orders_short_.count = std::max(0, orders_short_.count - 1);
  orders_long_.count = std::max(0, orders_long_.count - 1);
}

} // namespace troupe::venue_sim
