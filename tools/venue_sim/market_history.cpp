#include "tools/venue_sim/market_history.hpp"

#include "tools/venue_sim/decimal.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60'000;

candle empty_candle(std::int64_t open_ms, std::int64_t step_ms, std::int64_t price) {
  candle c;
  c.open_ms = open_ms;
  c.close_ms = open_ms + step_ms - 1;
  c.open_e8 = c.high_e8 = c.low_e8 = c.close_e8 = price;
  return c;
}

/// Adds the finer candle `b`, which follows, to `a`.
void join(candle& a, const candle& b) {
  a.high_e8 = std::max(a.high_e8, b.high_e8);
  a.low_e8 = std::min(a.low_e8, b.low_e8);
  a.close_e8 = b.close_e8;
  a.volume_e8 += b.volume_e8;
  a.quote_e8 += b.quote_e8;
  a.taker_base_e8 += b.taker_base_e8;
  a.taker_quote_e8 += b.taker_quote_e8;
  a.trades += b.trades;
}

} // namespace

void market_history::add_to(std::deque<candle>& list, const public_trade& t, std::int64_t step_ms,
                            std::size_t most) {
  const auto open = t.time_ms / step_ms * step_ms;
  // Without a trade the venue repeats the last price with no volume.
  while (!list.empty() && list.back().open_ms + step_ms < open && list.size() <= most)
    list.push_back(empty_candle(list.back().open_ms + step_ms, step_ms, list.back().close_e8));
  if (list.empty() || list.back().open_ms < open) list.push_back(empty_candle(open, step_ms, t.price_e8));
  auto& c = list.back();
  const auto quote = product_e8(t.price_e8, t.quantity_e8);
  candle one = empty_candle(open, step_ms, t.price_e8);
  one.volume_e8 = t.quantity_e8;
  one.quote_e8 = quote;
  one.trades = 1;
  if (!t.buyer_is_maker) {
    one.taker_base_e8 = t.quantity_e8;
    one.taker_quote_e8 = quote;
  }
  join(c, one);
  while (list.size() > most)
    list.pop_front();
}

void market_history::add(const market_event& e) {
  const public_trade t{e.last_id, e.one.price_e8, e.one.quantity_e8, e.transact_ms, e.buyer_is_maker};
  trades_.push_back(t);
  if (trades_.size() > limits_.trades) trades_.pop_front();
  add_to(seconds_, t, second_ms, limits_.seconds);
  add_to(minutes_, t, minute_ms, limits_.minutes);
}

std::vector<public_trade> market_history::newest(std::size_t limit) const {
  const auto count = std::min(limit, trades_.size());
  return {trades_.end() - static_cast<std::ptrdiff_t>(count), trades_.end()};
}

std::vector<public_trade> market_history::from_id(std::int64_t id, std::size_t limit) const {
  const auto first = std::lower_bound(trades_.begin(), trades_.end(), id,
                                      [](auto& t, auto wanted) { return t.id < wanted; });
  const auto count = std::min(limit, static_cast<std::size_t>(trades_.end() - first));
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

std::vector<public_trade> market_history::between(std::int64_t from_ms, std::int64_t to_ms,
                                                  std::size_t limit) const {
  std::vector<public_trade> out;
  auto at = std::lower_bound(trades_.begin(), trades_.end(), from_ms,
                             [](auto& t, auto ms) { return t.time_ms < ms; });
  for (; at != trades_.end() && at->time_ms <= to_ms && out.size() < limit; ++at)
    out.push_back(*at);
  return out;
}

std::vector<candle> market_history::candles(std::int64_t step_ms, std::int64_t from_ms, std::int64_t to_ms,
                                            std::size_t limit, bool keep_newest) const {
  const auto& source = step_ms < minute_ms ? seconds_ : minutes_;
  std::vector<candle> out;
  for (const auto& c : source) {
    const auto open = c.open_ms / step_ms * step_ms;
    if (open < from_ms || open > to_ms) continue;
    if (out.empty() || out.back().open_ms != open) {
      if (!keep_newest && out.size() == limit) break;
      out.push_back(c);
      out.back().open_ms = open;
      out.back().close_ms = open + step_ms - 1;
    } else {
      join(out.back(), c);
    }
  }
  if (out.size() > limit) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(limit));
  return out;
}

std::optional<std::int64_t> market_history::interval_ms(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 13> known{{{"1s", 1},
                                                                                    {"1m", 60},
                                                                                    {"3m", 180},
                                                                                    {"5m", 300},
                                                                                    {"15m", 900},
                                                                                    {"30m", 1800},
                                                                                    {"1h", 3600},
                                                                                    {"2h", 7200},
                                                                                    {"4h", 14400},
                                                                                    {"6h", 21600},
                                                                                    {"8h", 28800},
                                                                                    {"12h", 43200},
                                                                                    {"1d", 86400}}};
  for (const auto& [text, seconds] : known)
    if (text == name) return seconds * second_ms;
  return std::nullopt;
}

} // namespace troupe::venue_sim
