#include "storage/store.hpp"

#include <algorithm>

namespace troupe {

result<std::uint64_t> put_bars(store& in, const std::vector<bar>& bars, bool only_missing) {
  std::uint64_t written = 0;
  for (const auto& b : bars) {
    if (only_missing) {
      const auto until = b.open_time + nanoseconds{1};
      auto there = in.bars(b.instrument, b.interval, b.open_time, until, 1);
      if (!there) return std::move(there).error();
      if (!there->empty()) continue;
    }
    if (auto done = in.put_bar(b); !done) return std::move(done).error();
    ++written;
  }
  return written;
}

result<bar_page> read_bars(store& from, const bar_range& what) {
  // One row beyond the limit tells whether the limit cut the answer.
  const auto limit = std::min(what.limit == 0 ? store_default_rows : what.limit, store_max_rows - 1);
  auto rows = from.bars(what.instrument, what.interval, what.from, what.to, limit + 1);
  if (!rows) return std::move(rows).error();
  bar_page out{std::move(*rows), false};
  out.more = out.bars.size() > limit;
  if (out.more) out.bars.resize(limit);
  return out;
}

} // namespace troupe
