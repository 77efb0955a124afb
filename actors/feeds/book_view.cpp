#include "actors/feeds/book_view.hpp"

#include "actors/feeds/wide.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr int converted_scale = 8;

bool converts(const view_options& how) noexcept {
  return how.kind == contract_kind::inverse || how.contract_e8 != contract_unit;
}

std::int64_t bucket_of(const view_options& how, price at) noexcept {
  return static_cast<std::int64_t>(floor_quotient(at.raw, how.bucket_width.raw));
}

/// Fills one side; false when a number does not fit.
bool take_side(const view_options& how, const order_book& book, side which, book_view& out) {
  const bool bids = which == side::buy;
  auto& levels = bids ? out.bids : out.asks;
  auto& more = bids ? out.more_bids : out.more_asks;
  auto& sums = bids ? out.bid_sums : out.ask_sums;
  const auto most = std::min(how.levels, view_max_levels);
  const bool buckets = how.bucket_width.raw > 0;
  const auto first = buckets ? bucket_of(how, book.best(which).at) : 0;
  if (buckets) (bids ? out.bid_bucket : out.ask_bucket) = first;
  bool good = true;
  book.for_each(which, [&](const level& l) {
    const auto quantity = base_units(how, l.at, l.quantity);
    if (!quantity) return good = false;
    const auto away = !buckets ? 0 : bids ? first - bucket_of(how, l.at) : bucket_of(how, l.at) - first;
    const bool near = buckets && away < static_cast<std::int64_t>(out.reach);
    if (levels.size() < most) {
      if (quantity->raw > 0) levels.push_back({l.at, *quantity});
    } else {
      more = true;
    }
    if (near) {
      sums.resize(static_cast<std::size_t>(away) + 1);
      add_up(sums[static_cast<std::size_t>(away)].raw, quantity->raw);
    } else if (buckets) {
      sums.resize(out.reach); // the side goes on: what lies between is known to be empty
    }
    return near || levels.size() < most || !more;
  });
  return good;
}

void leave_out(book_view& view, book_validity why) {
  view.validity = why;
  view.bids.clear();
  view.asks.clear();
  view.bid_sums.clear();
  view.ask_sums.clear();
  view.more_bids = view.more_asks = false;
  view.bid_bucket = view.ask_bucket = 0;
}

} // namespace

int view_size_scale(const view_options& how) noexcept {
  return converts(how) ? converted_scale : how.size_scale;
}

result<size> base_units(const view_options& how, price at, size contracts) {
  if (!converts(how)) return contracts;
  const bool inverse = how.kind == contract_kind::inverse;
  auto top = times(wide{contracts.raw}, how.contract_e8);
  wide bottom = power_of_ten(how.size_scale);
  if (inverse) {
    top = times(top, power_of_ten(how.price_scale));
    bottom *= std::max<std::int64_t>(at.raw, 0);
  }
  if (!top || bottom <= 0)
    return {money_errc::out_of_range, how.instrument.text + ": a size can't be told in base units"};
  const auto out = narrow(floor_quotient(*top, bottom));
  if (!out)
    return {money_errc::out_of_range, how.instrument.text + ": a size in base units is beyond 64 bits"};
  return size{*out};
}

book_view make_book_view(const view_options& how, const view_moment& when, const order_book& book) {
  book_view out;
  out.instrument = how.instrument;
  out.at = when.at;
  out.event = when.event;
  out.age = when.age;
  out.sequence = when.sequence;
  out.validity = when.validity;
  out.price_scale = static_cast<std::uint8_t>(how.price_scale);
  out.size_scale = static_cast<std::uint8_t>(view_size_scale(how));
  out.bucket_width = how.bucket_width;
  out.reach = std::min<std::uint32_t>(how.buckets, view_most_buckets);
  if (out.validity != book_validity::valid) return out;
  if (!take_side(how, book, side::buy, out) || !take_side(how, book, side::sell, out))
    leave_out(out, book_validity::damaged);
  return out;
}

} // namespace troupe
