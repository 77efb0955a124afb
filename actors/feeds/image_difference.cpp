#include "actors/feeds/image_difference.hpp"

namespace troupe {
namespace {

template <side S>
bool better(price a, price b) noexcept {
  return S == side::buy ? a > b : a < b;
}

template <side S>
bool in_order(std::span<const level> rows) noexcept {
  bool out = rows.empty() || rows[0].quantity.raw > 0;
  for (std::size_t i = 1; i < rows.size(); ++i)
    out &= better<S>(rows[i - 1].at, rows[i].at) & (rows[i].quantity.raw > 0);
  return out;
}

/// @pre both in order
template <side S>
void compare(std::span<const level> before, std::span<const level> now, std::vector<level>& out) {
  out.clear();
  auto old = before.begin();
  for (const auto& row : now) {
    if (old != before.end() && *old == row) [[likely]] {
      ++old;
      continue;
    }
    for (; old != before.end() && better<S>(old->at, row.at); ++old) out.push_back({old->at, {}});
    if (old == before.end() || *old != row) out.push_back(row);
    if (old != before.end() && old->at == row.at) ++old;
  }
  for (; old != before.end(); ++old) out.push_back({old->at, {}});
}

} // namespace

bool image_difference::take(std::span<const level> bids, std::span<const level> asks, bool has_before) {
  const auto renew = [has_before](half& h, std::span<const level> rows, bool ordered, auto turn) {
    const bool known = has_before && h.ordered && ordered;
    if (known) turn(h.before, rows, h.changes);
    h.before.assign(rows.begin(), rows.end());
    h.ordered = ordered;
    return known;
  };
  const bool first = renew(halves_[0], bids, in_order<side::buy>(bids), compare<side::buy>);
  const bool second = renew(halves_[1], asks, in_order<side::sell>(asks), compare<side::sell>);
  return first && second;
}

} // namespace troupe
