#pragma once

/// The merged book the slow way: everything that was ever said is kept, and each figure is worked out anew
/// from whole books in maps. Shares no code with what it checks but the messages.

#include "actors/feeds/consolidated_book.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::test {

__extension__ using wide_integer = __int128;

/// A venue's whole book, sizes in base units.
struct whole_book {
  std::map<std::int64_t, std::int64_t> bids;
  std::map<std::int64_t, std::int64_t> asks;
};

/// What a feed said, and the whole book behind it.
struct said {
  market_time arrived;
  book_view view;
  whole_book book;
};

class consolidated_oracle {
public:
  explicit consolidated_oracle(consolidated_options options) : options_{std::move(options)} {}

  void say(said what) { log_.push_back(std::move(what)); }

  struct venue_state {
    bool joined = false;
    std::map<std::int64_t, std::int64_t, std::greater<>> bids; // our scales
    std::map<std::int64_t, std::int64_t> asks;
    std::map<std::int64_t, std::int64_t> bid_buckets;
    std::map<std::int64_t, std::int64_t> ask_buckets;
  };
  struct state {
    std::vector<venue_state> venues;
    std::int64_t bid = 0, ask = 0;
    std::int64_t bid_size = 0, ask_size = 0;
    std::map<std::int64_t, std::int64_t> bid_buckets, ask_buckets; // around mid only
    std::int64_t centre = 0;
    bool has_mid = false;
    bool known = false;
    std::int64_t ppm = 0;
  };

  /// Everything as it was at `t`, what arrived at `t` included unless `before`.
  [[nodiscard]] state at(market_time t, bool before = false) const {
    state out;
    for (const auto& v : options_.venues)
      out.venues.push_back(venue_at(v, t, before));
    for (const auto& v : out.venues) {
      if (!v.joined) continue;
      if (!v.bids.empty()) out.bid = std::max(out.bid, v.bids.begin()->first);
      if (!v.asks.empty())
        out.ask = out.ask == 0 ? v.asks.begin()->first : std::min(out.ask, v.asks.begin()->first);
    }
    for (const auto& v : out.venues) {
      if (!v.joined) continue;
      if (const auto b = v.bids.find(out.bid); b != v.bids.end()) out.bid_size += b->second;
      if (const auto a = v.asks.find(out.ask); a != v.asks.end()) out.ask_size += a->second;
    }
    out.has_mid = out.bid != 0 && out.ask != 0;
    if (!out.has_mid) return out;
    const auto width = options_.bucket_width.raw;
    out.centre = (out.bid + out.ask) / (2 * width);
    wide_integer bids = 0;
    wide_integer asks = 0;
    for (auto k = out.centre - 20; k <= out.centre + 20; ++k)
      for (const auto& v : out.venues) {
        if (!v.joined) continue;
        if (const auto b = v.bid_buckets.find(k); b != v.bid_buckets.end())
          out.bid_buckets[k] += b->second, bids += b->second;
        if (const auto a = v.ask_buckets.find(k); a != v.ask_buckets.end())
          out.ask_buckets[k] += a->second, asks += a->second;
      }
    out.known = bids + asks > 0;
    if (out.known) out.ppm = static_cast<std::int64_t>((bids - asks) * 1'000'000 / (bids + asks));
    return out;
  }

  /// The time-weighted imbalance of (t - window, t]: cut where anything may have changed.
  [[nodiscard]] imbalance_average average(market_time t, nanoseconds window) const {
    std::set<std::int64_t> cuts{t.ns, t.ns - window.count()};
    const auto add = [&](std::int64_t x) {
      if (x > t.ns - window.count() && x < t.ns) cuts.insert(x);
    };
    for (const auto& s : log_) {
      add(s.arrived.ns);
      add(s.view.at.ns - s.view.age.count() + options_.old_after.count() + 1);
    }
    wide_integer sum = 0;
    std::int64_t covered = 0;
    for (auto a = cuts.begin(), b = std::next(a); b != cuts.end(); ++a, ++b) {
      const auto then = at({*a});
      if (!then.known) continue;
      sum += wide_integer{then.ppm} * (*b - *a);
      covered += *b - *a;
    }
    const auto mean = covered == 0 ? wide_integer{0} : sum / covered;
    return {window, nanoseconds{covered}, static_cast<std::int32_t>(mean)};
  }

private:
  [[nodiscard]] const said* newest(const instrument_id& of, market_time t, bool before) const {
    const said* out = nullptr;
    for (const auto& s : log_) {
      if (s.view.instrument != of || s.arrived > t || (before && s.arrived == t)) continue;
      if (out == nullptr || s.view.at >= out->view.at) out = &s;
    }
    return out;
  }

  [[nodiscard]] bool usable(const said* s, market_time t) const {
    return s != nullptr && s->view.validity == book_validity::valid
           && t.ns - s->view.at.ns + s->view.age.count() <= options_.old_after.count();
  }

  static std::int64_t ten(int n) { return n == 0 ? 1 : 10 * ten(n - 1); }

  /// Of `raw` at `scale`; `rate` at `rate_scale` divides; 0: no rate.
  [[nodiscard]] std::int64_t ours(std::int64_t raw, int scale, std::int64_t rate, int rate_scale,
                                  bool up) const {
    wide_integer top = wide_integer{raw} * ten(options_.price_scale);
    wide_integer bottom = ten(scale);
    if (rate != 0) top *= ten(rate_scale), bottom *= rate;
    return static_cast<std::int64_t>((top + (up ? bottom - 1 : 0)) / bottom);
  }

  [[nodiscard]] venue_state venue_at(const consolidated_venue& how, market_time t, bool before) const {
    venue_state out;
    const auto* s = newest(how.instrument, t, before);
    out.joined = usable(s, t);
    std::int64_t bid_rate = 0;
    std::int64_t ask_rate = 0;
    int rate_scale = 0;
    if (!how.rate.text.empty()) {
      const auto* r = newest(how.rate, t, before);
      out.joined = out.joined && usable(r, t) && !r->book.bids.empty() && !r->book.asks.empty();
      if (out.joined) {
        bid_rate = r->book.asks.begin()->first;
        ask_rate = r->book.bids.rbegin()->first;
        rate_scale = r->view.price_scale;
      }
    }
    if (!out.joined) return out;
    const auto& v = s->view;
    const auto unit = ten(options_.size_scale - v.size_scale);
    const auto width = v.bucket_width.raw;
    std::size_t n = 0;
    const auto bucket = [&](std::int64_t raw, std::int64_t rate, bool up) {
      return ours(raw / width * width + width / 2, v.price_scale, rate, rate_scale, up)
             / options_.bucket_width.raw;
    };
    for (auto b = s->book.bids.rbegin(); b != s->book.bids.rend(); ++b) {
      if (n++ < view_max_levels)
        out.bids[ours(b->first, v.price_scale, bid_rate, rate_scale, false)] += b->second * unit;
      if (s->book.bids.rbegin()->first / width - b->first / width
          < static_cast<std::int64_t>(view_max_buckets))
        out.bid_buckets[bucket(b->first, bid_rate, false)] += b->second * unit;
    }
    n = 0;
    for (const auto& [at, quantity] : s->book.asks) {
      if (n++ < view_max_levels)
        out.asks[ours(at, v.price_scale, ask_rate, rate_scale, true)] += quantity * unit;
      if (at / width - s->book.asks.begin()->first / width < static_cast<std::int64_t>(view_max_buckets))
        out.ask_buckets[bucket(at, ask_rate, true)] += quantity * unit;
    }
    return out;
  }

  consolidated_options options_;
  std::vector<said> log_;
};

} // namespace troupe::test
