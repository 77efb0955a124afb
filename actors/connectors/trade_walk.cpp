#include "actors/connectors/trade_walk.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr nanoseconds longest_walk_pause = std::chrono::minutes{1};
/// Venues' past and socket round times differently.
constexpr nanoseconds walk_rounding = std::chrono::milliseconds{1};

} // namespace

trade_walk::trade_walk(trade_walk_options options) : options_{std::move(options)} {
  const auto& hole = options_.hole;
  at_ = {hole.from - walk_rounding, hole.to + walk_rounding, 0};
  // Backwards from the trade behind the hole, which the page then begins with.
  if (options_.rules.by_number && options_.rules.paging == trade_paging::backwards && hole.end != 0)
    at_.number = hole.end + 1;
  known_from_ = hole.to;
}

std::optional<trade_cursor> trade_walk::next(steady_time now) {
  if (asked_ || done_ || now < pause_until_) return std::nullopt;
  asked_ = true;
  return at_;
}

past_trades trade_walk::said() const {
  past_trades out;
  out.instrument = options_.hole.instrument;
  out.hole = options_.hole.hole;
  return out;
}

void trade_walk::pause(steady_time now) {
  auto length = options_.first_pause;
  for (int i = 1; i < failures_ && length < longest_walk_pause; ++i) length *= 2;
  pause_until_ = now + std::min(length, longest_walk_pause);
}

void trade_walk::end(past_trades& out, bool whole, std::string_view why) {
  done_ = out.done = true;
  out.whole = whole;
  out.known_from = known_from_;
  if (!whole) out.why = why;
}

std::optional<past_trades> trade_walk::on_failure(steady_time now, std::string_view why) {
  if (!asked_) return std::nullopt;
  asked_ = false;
  if (++failures_ < options_.attempts) {
    pause(now);
    return std::nullopt;
  }
  auto out = said();
  end(out, false, why);
  return out;
}

/// Numbers decide where both sides have them: venues' past may round times.
bool trade_walk::reaches_end(const past_trade& t) const noexcept {
  const auto& hole = options_.hole;
  if (hole.end != 0 && t.last != 0) return t.last >= hole.end;
  if (hole.end != 0 && t.number != 0) return t.number == hole.end || t.at > hole.to + walk_rounding;
  return t.at >= hole.to - walk_rounding;
}

bool trade_walk::reaches_begin(const past_trade& t) const noexcept {
  if (options_.hole.first != 0 && t.last != 0) return t.first <= options_.hole.first;
  return t.at < options_.hole.from;
}

past_trades trade_walk::on_page(trade_page page, steady_time now) {
  auto out = said();
  if (!asked_) return out;
  asked_ = false;
  ++pages_;
  const auto earlier = [](const past_trade& a, const past_trade& b) {
    return a.at != b.at ? a.at < b.at : a.number < b.number;
  };
  const bool onward = options_.rules.paging == trade_paging::onwards;
  // Where trades of one instant have no numbers, the venue's own order is theirs.
  if (!onward) std::reverse(page.trades.begin(), page.trades.end());
  std::stable_sort(page.trades.begin(), page.trades.end(), earlier);
  const bool moved = onward ? onwards(page, out) : backwards(page, out);
  out.trades = std::move(page.trades);
  if (done_) return out;
  if (pages_ >= options_.most_pages) {
    end(out, false, "more pages than are asked for");
    return out;
  }
  if (moved) {
    failures_ = 0;
    return out;
  }
  if (++failures_ >= options_.attempts)
    end(out, false, "the venue does not tell the trade behind the hole");
  else
    pause(now);
  return out;
}

/// True when the next page goes on from here; false when the same is to be asked for again.
bool trade_walk::onwards(const trade_page& page, past_trades& out) {
  for (const auto& t : page.trades) end_seen_ = end_seen_ || reaches_end(t);
  if (end_seen_) {
    known_from_ = options_.hole.from;
    end(out, true, {});
    return true;
  }
  if (page.trades.empty() && page.next == 0) return false;
  const auto last = page.trades.empty() ? at_.from : page.trades.back().at;
  const bool goes_on = (page.next != 0 && page.next != at_.number) || last > at_.from;
  if (goes_on) {
    at_.number = page.next;
    at_.from = std::max(at_.from, last);
    return true;
  }
  if (page.trades.size() < options_.rules.per_page) return false;
  end(out, false, "more trades in one instant than a page holds");
  return true;
}

bool trade_walk::backwards(const trade_page& page, past_trades& out) {
  for (const auto& t : page.trades) end_seen_ = end_seen_ || reaches_end(t);
  if (!end_seen_) return false;
  const bool empty = page.trades.empty();
  if (!empty) known_from_ = std::min(known_from_, page.trades.front().at);
  const bool begun =
      std::any_of(page.trades.begin(), page.trades.end(), [&](const auto& t) { return reaches_begin(t); });
  const bool pages = options_.rules.paging == trade_paging::backwards;
  // A venue that pages has no older trades where its answer is empty.
  if (begun || (pages && empty)) {
    end(out, true, {});
    return true;
  }
  if (!pages) {
    end(out, false, "the venue tells its newest trades only");
    return true;
  }
  const auto oldest = page.trades.front();
  const auto& rules = options_.rules;
  if (rules.by_number ? at_.number != oldest.number : at_.to > oldest.at + rules.step) {
    at_.number = rules.by_number ? oldest.number : 0;
    at_.to = oldest.at + rules.step;
    return true;
  }
  // The same page again: the range holds no more, or an instant holds more than a page.
  const bool last = page.trades.size() < rules.per_page;
  end(out, last, "more trades in one instant than a page holds");
  return true;
}

} // namespace troupe
