#include "runtime/actor/timeline.hpp"

#include "runtime/actor/actor_table.hpp"
#include "runtime/clock.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t longest_text = 120;

} // namespace

std::string_view to_text(timeline_event what) noexcept {
  switch (what) {
  case timeline_event::spawn: return "spawn";
  case timeline_event::exit: return "exit";
  case timeline_event::restart: return "restart";
  case timeline_event::handler: return "handler";
  case timeline_event::link_up: return "link_up";
  case timeline_event::link_down: return "link_down";
  case timeline_event::stall: return "stall";
  case timeline_event::clock: return "clock";
  }
  return "unknown";
}

timeline& timeline::instance() {
  // Never destroyed: actors of a system that ends late still write into it.
  static auto* ring = new timeline;
  return *ring;
}

void timeline::add(timeline_event what, std::string_view actor, std::string_view detail) noexcept {
  try {
    put({monotonic_ns(), 0, what, 0, std::string{actor.substr(0, longest_text)},
         std::string{detail.substr(0, longest_text)}});
  } catch (...) { // out of memory: the time line is the last thing that matters then
  }
}

void timeline::add_handler(std::string_view actor, std::uintptr_t type, std::int64_t since,
                           std::int64_t took) noexcept {
  try {
    put({since, took, timeline_event::handler, type, std::string{actor.substr(0, longest_text)}, {}});
  } catch (...) { // as above
  }
}

void timeline::put(row x) {
  const std::lock_guard lock{guard_};
  if (rows_.size() < capacity)
    rows_.push_back(std::move(x));
  else
    std::swap(rows_[newest_ % capacity], x);
  ++newest_;
}

timeline_page timeline::page(std::uint64_t after, std::size_t limit, std::int64_t wall_minus_steady) const {
  timeline_page out;
  std::vector<std::pair<std::uint64_t, row>> copied;
  {
    const std::lock_guard lock{guard_};
    out.newest = newest_;
    const auto oldest = newest_ - rows_.size() + 1;
    auto first = after + 1;
    if (first < oldest) {
      out.lost = oldest - first;
      first = oldest;
    }
    for (auto n = first; n <= newest_ && copied.size() < limit; ++n)
      copied.emplace_back(n, rows_[(n - 1) % capacity]);
  }
  for (auto& [number, r] : copied)
    out.rows.push_back({number, market_time{r.at + wall_minus_steady}, nanoseconds{r.took},
                        std::string{to_text(r.what)}, std::move(r.actor),
                        r.type != 0 ? type_name_of(r.type) : std::move(r.detail)});
  return out;
}

} // namespace troupe
